"""Figures that a bulletin speaks of, and what is read in its document."""

from __future__ import annotations

import io
from typing import Any

from docx import Document
from docx.document import Document as Word

from jobs.bulletins import reader_of
from reports.bulletin_figures import Figures, figures
from reports.bulletins import document
from rules.actor import acting_as
from tests.factories.bulletins import MONTH, NOW, counted
from tests.factories.world import World


def of_month(world: World, month: int = MONTH, place: str = "A") -> Figures:
    """Return county A's figures of October, or others, as the worker reads them."""
    where = world.place(place)
    with acting_as(world.session, reader_of(where)):
        return figures(world.session, where, month, NOW)


def written(found: Figures, template: bytes | None = None, remarks: str | None = None) -> Word:
    """Return the document of some figures."""
    return Document(
        io.BytesIO(document(template, found, title="十月通报", issue=3, remarks=remarks))
    )


def told(word: Word) -> list[str]:
    """Return what the paragraphs of the body say."""
    return [each.text for each in word.paragraphs if each.text]


def table_of(word: Word, first: str) -> list[list[str]]:
    """Return the rows of the table whose first heading this is."""
    found = [[[c.text for c in row.cells] for row in each.rows] for each in word.tables]
    return next(rows for rows in found if rows[0][0] == first)


def parts_of(word: Word) -> list[str]:
    """Return the names of what hangs below the body, in order."""
    return [each.tag.rpartition("}")[2] for each in word.element.body]


def some(world: World) -> None:
    """Count ten tickets of October, five of September; one of county B."""
    october: list[dict[str, Any]] = [
        {"closed": True, "resolved_on_time": True},
        {"closed": True, "resolved_on_time": False, "returned": True, "ticket_returned": True},
        {"closed": True, "resolved_on_time": True, "place": "A21", "matter": "井盖"},
        {"lead": "A-D2", "closed": True, "resolved_on_time": False, "grades": 4, "satisfied": 3},
        {"lead": None, "matter": None},
    ]
    september: list[dict[str, Any]] = [
        {"day": "2026-09-30", "closed": True, "resolved_on_time": True},
        {"day": "2026-09-01"},
    ]
    last_year: list[dict[str, Any]] = [{"day": "2025-10-31", "grades": 2, "satisfied": 1}]
    counted(world, *october, *september, *last_year, {"place": "B11", "lead": "B-D1"})
