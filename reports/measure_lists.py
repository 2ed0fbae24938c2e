"""The tickets behind a number: as an argument of the list's address, and as a criterion again.

One argument says it all, for all of it must hold of one and the same department's row.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from models.measure import TicketFact as Fact
from models.ticket import Ticket
from reports.measure_types import Dimension, Key, Measure, Question, Sight
from reports.measures import MEASURES
from reports.numbers import Period
from reports.questions import narrowed, titled
from rules.errors import Invalid

#: The argument of the ticket list's address.
ARGUMENT = "measure"
_PART, _OF = "part", "of"
_CODES = {each.code: each for each in MEASURES}


@dataclass(frozen=True)
class Behind:
    """Which tickets stand behind a number: of which measure, which side of it, asked how."""

    measure: Measure
    part: bool
    question: Question


def tickets_of(measure: Measure, question: Question, *, part: bool = True) -> dict[str, str]:
    """Return the arguments of ``/tickets/list/`` that show just the tickets behind a number.

    ``question`` names the line and cell in its filters (``Question.at``); ``part``: behind the
    numerator, else the denominator. Behind a share of grades, a mean or a median are the tickets that
    it is taken over.
    """
    if question.rows is not None or question.columns is not None:
        raise ValueError("name the line and the column that are meant, by Question.at or whole")
    said = [("m", measure.code), ("side", _PART if part else _OF)]
    said += [("from", f"{question.period.first}"), ("until", f"{question.period.last}")]
    said += [
        (each.value, "" if key is None else str(key)) for each, key in question.filters.items()
    ]
    return {ARGUMENT: urlencode(said)}


def read(text: str) -> Behind:
    """Return what an argument of the address says; raises ``Invalid`` if it says nothing."""
    said = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=20))
    try:
        found = _CODES[said.pop("m")]
        part = said.pop("side") == _PART
        days = [dt.date.fromisoformat(said.pop(each)) for each in ("from", "until")]
        filters = {Dimension(name): _key(Dimension(name), word) for name, word in said.items()}  # type: ignore[call-arg]
    except (KeyError, ValueError):
        raise Invalid("指标的链接不完整，请回到指标页重新点开。") from None
    return Behind(found, part, Question(Period(*days), filters=filters))


def _key(dimension: Dimension, word: str) -> Key:
    if not word:
        return None
    if not (dimension.places or dimension is Dimension.MONTH):
        return word
    number = int(word)
    if not 0 < number < 2**31:
        raise ValueError(word)
    return number


def criterion(session: Session, text: str, now: dt.datetime) -> ColumnElement[bool]:
    """Return which tickets an argument of the address means; raises ``Invalid``."""
    behind = read(text)
    sight = Sight(behind.question.by_department, now)
    rows = select(Fact.ticket_id).where(behind.measure.behind(sight, part=behind.part))
    return Ticket.id.in_(narrowed(session, rows, behind.question))


def meant(session: Session, text: str) -> tuple[Behind, list[tuple[Dimension, Key, str]]]:
    """Return what an argument of the address means, and what it is narrowed to: dimension, key, title.

    Raises ``Invalid``.
    """
    behind = read(text)
    return behind, [
        (dimension, key, titled(session, dimension, [key]).get(key, ""))
        for dimension, key in behind.question.filters.items()
    ]
