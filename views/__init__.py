"""Pages: the generated record pages, one short declaration per record type, a few hand-made ones."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from flask_appbuilder import AppBuilder, BaseView


def register_views(appbuilder: AppBuilder) -> None:
    """Register every view that a module of this folder declares: those with an address of their own."""
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda each: each.name):
        contents: dict[str, Any] = vars(importlib.import_module(f"{__name__}.{module.name}"))
        for view in contents.values():
            if not (isinstance(view, type) and issubclass(view, BaseView)):
                continue
            declared: Any = view
            if (
                view.__module__ == f"{__name__}.{module.name}"
                and declared.route_base
                and view is not appbuilder.indexview
                and view is not type(appbuilder.sm.auth_view)
            ):
                appbuilder.add_view_no_menu(view)
