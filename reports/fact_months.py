"""The facts of whole months, kept as sums of what the measures count: changed with them, or made anew.

What a measure's denominator owes to the time of asking alone (``Measure.waits``) is left out: it is
counted when it is asked. Nothing here commits.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, case, delete, func, literal, or_, select
from sqlalchemy.orm import Session

from models.measure import FACT_KEYS, FactMonth
from models.measure import TicketFact as Fact
from reports.measure_types import Sight
from reports.measures import MEASURES
from rules import months

#: Written out: PostgreSQL takes a parameter to group by for another than the one that is selected.
_NOBODY = literal(0, literal_execute=True)
#: What ``FACT_KEYS`` are of a fact.
_KEYS = (
    func.coalesce(Fact.township_id, Fact.county_id, Fact.organization_id),
    Fact.month,
    func.coalesce(Fact.department_id, _NOBODY),
    Fact.class_name,
    Fact.current,
    func.coalesce(Fact.township_id, _NOBODY),
    func.coalesce(Fact.county_id, _NOBODY),
)
#: Before anything was due: what the time of asking adds is not kept.
_NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
#: Which tickets, by a column that holds their ids.
Within = Callable[[Any], ColumnElement[bool]]


def _sums() -> Iterator[tuple[str, ColumnElement[Any]]]:
    plain, own = Sight(False, _NEVER), Sight(True, _NEVER)
    for measure in MEASURES:
        if measure.median:
            continue
        part, of = measure.sums(plain)
        yield measure.code, part
        if of is not None:
            yield f"{measure.code}_of", of
        if measure.own:
            yield f"{measure.code}_own", measure.sums(own)[0]
    yield "graded", func.count(case((Fact.grades > 0, 1)))
    decided = or_(Fact.dispatched.is_(True), Fact.refused.is_(True))
    yield "decided", func.count(case((decided, 1)))
    yield "refused", func.count(case((Fact.refused.is_(True), 1)))


SUMS = dict(_sums())


def counted(within: Within | None = None, sign: int = 1) -> Select[Any]:
    """Return the sums of the facts of some tickets, or of all."""
    columns: list[Any] = [key.label(name) for key, name in zip(_KEYS, FACT_KEYS, strict=True)]
    columns += [(sign * each).label(name) for name, each in SUMS.items()]
    found = select(*columns).group_by(*_KEYS)
    return found if within is None else found.where(within(Fact.ticket_id))


def change(session: Session, within: Within, sign: int) -> None:
    """Add the facts of some tickets to the sums, or take them away."""
    months.add(session, FactMonth, counted(within, sign), FACT_KEYS, [*SUMS])


def make(session: Session) -> None:
    """Make all sums anew of the facts that there are; acts for the system."""
    session.execute(delete(FactMonth), execution_options={"synchronize_session": False})
    months.fill(session, FactMonth, counted(), FACT_KEYS, [*SUMS])


def differences(session: Session) -> list[str]:
    """Return, as sentences, where the sums that are kept differ from those of the facts."""
    size = len(FACT_KEYS)
    columns = [getattr(FactMonth, name) for name in (*FACT_KEYS, *SUMS)]
    made = {tuple(row[:size]): tuple(map(int, row[size:])) for row in session.execute(counted())}
    kept = {tuple(row[:size]): tuple(row[size:]) for row in session.execute(select(*columns))}
    nothing = (0,) * len(SUMS)
    return [
        f"{key[1]} 月、地方 {key[0]}、单位 {key[2]}、哨种“{key[3]}”的统计月计不符。"
        for key in sorted({*made, *kept}, key=str)
        if made.get(key, nothing) != kept.get(key, nothing)
    ]
