"""Addresses of the lists that figures count: only where the list can be narrowed to just those."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from views.registry import view_named


def list_url(view_name: str, filters: Mapping[str, Any], tab: str = "") -> str | None:
    """Return a list's address with these filters set.

    None where the reader may not open the list, or it has no such filter or tab: a number without a
    link is better than one that leads to other records than it counts.
    """
    view = view_named(view_name)
    if view is None or not view.may("can_list"):
        return None
    if not set(filters) <= set(view.filter_names()):
        return None
    if tab and tab not in (name for name, _label, _test in view.tabs):
        return None
    asked = {name: str(value) for name, value in filters.items()} | ({"tab": tab} if tab else {})
    return f"{view.url('list')}?{urlencode(asked)}" if asked else view.url("list")
