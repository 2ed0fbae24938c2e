"""Answers about measures in the reader's language: months, themes, and what is said where there is no key."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from reports import questions
from reports.measure_types import Dimension, Key, Line, Measure, Question


def named(dimension: Dimension | None, key: Key, title: str) -> str:
    """Return how a key of a dimension is called; what bears a name of its own keeps it."""
    if dimension is Dimension.MONTH and key is not None:
        year, month = divmod(int(key), 100)
        return _("%(year)s年%(month)s月", year=year, month=month)
    return _(title) if title else ""


def ask(
    session: Session, question: Question, measures: Sequence[Measure], now: dt.datetime
) -> list[Line]:
    """Return the lines of ``reports.questions.ask``, called as the reader calls them."""
    return [
        replace(line, title=named(question.rows, line.key, line.title))
        for line in questions.ask(session, question, measures, now)
    ]


def headings(session: Session, question: Question, lines: Iterable[Line]) -> list[tuple[Key, str]]:
    """Return the columns of ``reports.questions.headings``, called as the reader calls them."""
    found = questions.headings(session, question, lines)
    return [(key, named(question.columns, key, title)) for key, title in found]
