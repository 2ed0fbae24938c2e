"""What a list's address asks for, as it is kept: under a name of one's own, or for a workbook."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import select

from models.saved_view import SavedView
from views.context import session
from views.presentation import Chip

if TYPE_CHECKING:
    from views.records import RecordView

#: What one account keeps of one list.
MOST = 20


def asked_of(view: RecordView, pairs: Iterable[tuple[str, str]]) -> str:
    """Return what follows the question mark of a list's address: only what that list asks for.

    A page of it is not kept, nor what the list does not know; the list judges the values whenever
    it is opened.
    """
    known = {"q", "tab", "order", "direction", *view.filter_names()}
    kept = {name: value.strip()[:100] for name, value in pairs if name in known and value.strip()}
    return urlencode(sorted(kept.items()))


def chips(view: RecordView, asked: str) -> list[Chip]:
    """Return the kept forms of a list as links; ``asked`` is what the list shows now."""
    kept = select(SavedView.name, SavedView.query).where(SavedView.view == view.endpoint)
    found = []
    for name, stored in session().execute(kept.order_by(SavedView.id).limit(MOST)):
        query = asked_of(view, parse_qsl(stored))
        found.append(Chip(name, f"{view.url('list')}?{query}", query == asked))
    return found
