"""The view in charge of each record type, for links, related lists and navigation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from views.records import RecordView

views_by_model: dict[type[Any], RecordView] = {}


def view_named(name: str) -> RecordView | None:
    """Return the registered view of that class name."""
    return next((view for view in views_by_model.values() if type(view).__name__ == name), None)


def view_of(model: type[Any]) -> RecordView | None:
    """Return the view in charge of a record type."""
    return views_by_model.get(model)
