"""The grades of whole months, kept as sums: changed with the facts of their tickets, or made anew (domain 8).

A ticket's grades are counted as far as its current fact says (``TicketFact.rating_id``): so what was
counted can be taken away again before the fact is made anew, though further grades have come since.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, select
from sqlalchemy.orm import Session

from models.measure import GRADE_KEYS as KEYS
from models.measure import GradeMonth
from models.measure import TicketFact as Fact
from rules import months
from rules.grade_sums import GIVEN, STANDING

SUMS = ("rounds", "tickets", "points", "squares")
#: Which tickets, by a column that holds their ids.
Within = Callable[[Any], ColumnElement[bool]]


def counted(within: Within | None = None, sign: int = 1) -> Select[Any]:
    """Return the sums of the grades that the facts of some tickets, or of all, have counted."""
    place = func.coalesce(Fact.county_id, Fact.organization_id)
    keys = (place, Fact.month, GIVEN.c.organization_id, GIVEN.c.dimension_id, GIVEN.c.rater)
    found = (
        select(
            *(key.label(name) for key, name in zip(keys, KEYS, strict=True)),
            *((sign * each).label(name) for each, name in zip(STANDING, SUMS, strict=True)),
        )
        .select_from(Fact)
        .join(GIVEN, GIVEN.c.ticket_id == Fact.ticket_id)
        .where(Fact.current.is_(True), GIVEN.c.id <= Fact.rating_id)
        .group_by(*keys)
    )
    return found if within is None else found.where(within(Fact.ticket_id))


def change(session: Session, within: Within, sign: int) -> None:
    """Add what the facts of some tickets have counted, or take it away. Never commits."""
    months.add(session, GradeMonth, counted(within, sign), KEYS, SUMS)


def make(session: Session) -> None:
    """Make all sums anew of what the facts have counted; acts for the system. Never commits."""
    session.execute(delete(GradeMonth), execution_options={"synchronize_session": False})
    months.fill(session, GradeMonth, counted(), KEYS, SUMS)


def differences(session: Session) -> list[str]:
    """Return, as sentences, where the sums that are kept differ from those of the facts' grades."""
    made = {tuple(row[:5]): tuple(map(int, row[5:])) for row in session.execute(counted())}
    columns = [getattr(GradeMonth, name) for name in (*KEYS, *SUMS)]
    kept = {tuple(row[:5]): tuple(row[5:]) for row in session.execute(select(*columns))}
    nothing = (0,) * len(SUMS)
    return [
        f"{key[1]} 月、地方 {key[0]}、单位 {key[2]}、维度 {key[3]} 的评价月计不符。"
        for key in sorted({*made, *kept}, key=str)
        if made.get(key, nothing) != kept.get(key, nothing)
    ]
