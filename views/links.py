"""Buttons that several views offer."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask_babel import gettext as _

from rules.policy import Action, allows
from views.context import actor
from views.presentation import Link

#: What can be imported: kind → record type of the policy.
IMPORTABLE = {"organizations": "organization", "duty-items": "duty_list"}


def import_links(record: Any | None, kind: str) -> list[Link]:
    """Return the import button of a list, for those who may import its record type."""
    if record is not None or not allows(actor().roles, IMPORTABLE[kind], Action.IMPORT):
        return []
    return [Link(_("从 Excel 导入"), url_for("ImportView.upload", kind=kind), "fa-file-import")]
