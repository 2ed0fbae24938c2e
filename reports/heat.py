"""Where which matter comes up how often: matter × place × month, two of them at a time (domain 8)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, false, func, select
from sqlalchemy.orm import Session

from models.base import Titled
from models.measure import TicketFact
from models.organization import Organization
from models.ticket import FINAL, Ticket
from rules.problems import within
from rules.recurring import Level, area_of, counted, own_ground

#: Rows and columns that one table has, those with the most; months are all there.
ROWS, COLUMNS = 15, 12
#: A matter's name is no longer than this.
LONGEST = 300
Key = int | str


class Axis(Titled):
    """What may stand along a side of the table."""

    MATTER = "matter", "事项"
    PLACE = "place", "地区"
    MONTH = "month", "月份"


class Weight(Titled):
    """What is counted in a cell."""

    RAISED = "raised", "发生件数"
    UNCLOSED = "unclosed", "未办结件数"
    REOPENED = "reopened", "回流件数"


@dataclass(frozen=True)
class Sought:
    """What a heat table is to show: two axes, the level of places, what is counted, which months.

    ``months`` as 202611, oldest first; ``area`` and ``matter`` narrow it.
    """

    rows: Axis
    columns: Axis
    level: Level
    weight: Weight
    months: Sequence[int]
    area: Organization | None = None
    matter: str | None = None

    @property
    def days(self) -> tuple[dt.date, dt.date]:
        """The first day of the first month and the last of the last."""
        return month_days(self.months[0])[0], month_days(self.months[-1])[1]


def month_days(month: int) -> tuple[dt.date, dt.date]:
    """Return the first and the last day of a month such as 202611."""
    first = dt.date(month // 100, month % 100, 1)
    return first, (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)


@dataclass(frozen=True)
class Cases:
    """The whistles behind a number: those of a matter, in an area, on some days, that weigh so."""

    weight: Weight
    first: dt.date
    last: dt.date
    area_id: int | None = None
    matter: str | None = None

    def written(self) -> str:
        """Return it as an address writes it; ``cases_of`` reads it."""
        parts = (self.weight.value, f"{self.first}", f"{self.last}", f"{self.area_id or 0}")
        return ".".join((*parts, self.matter or ""))


def cases_of(text: str) -> Cases:
    """Read what ``Cases.written`` wrote; raises ``ValueError`` for anything else."""
    weight, first, last, area, matter = text.split(".", 4)
    days = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    if not (area.isascii() and area.isdigit()) or len(area) > 9 or len(matter) > LONGEST:
        raise ValueError(text)
    return Cases(Weight(weight), *days, int(area) or None, matter or None)  # type: ignore[call-arg]


def behind(session: Session, cases: Cases) -> ColumnElement[bool]:
    """Return which tickets are behind a number."""
    tests = [counted(cases.first, cases.last), *_weighs(cases.weight)]
    if cases.area_id is not None:
        area = session.get(Organization, cases.area_id)
        tests.append(within(area) if area is not None else false())
    if cases.matter is not None:
        tests.append(TicketFact.matter == cases.matter)
    return Ticket.id.in_(select(TicketFact.ticket_id).where(*tests))


@dataclass(frozen=True)
class Heat:
    """The counts of a heat table; ``more`` tells whether rows or columns were left out."""

    rows: list[tuple[Key, str]]
    columns: list[tuple[Key, str]]
    cells: dict[tuple[Key, Key], int]
    more: bool


def heat(session: Session, sought: Sought) -> Heat:
    """Return the counts of what is sought, of the whistles that the session's actor may read.

    Five statements at most, however large the ledger is. Call ``reports.facts.catch_up`` before.
    """
    sides = {each: _column(session, each, sought.level) for each in (sought.rows, sought.columns)}
    tests = [*_tests(sought, list(sides.values())), *own_ground(session)]
    across, down = sides[sought.rows], sides[sought.columns]
    rows, more = _heads(session, sought, across, ROWS, tests)
    columns, further = _heads(session, sought, down, COLUMNS, tests)
    counts = (
        select(across, down, func.count(TicketFact.id))
        .where(*tests, across.in_(rows), down.in_(columns))
        .group_by(across, down)
    )
    cells = {(row, column): number for row, column, number in session.execute(counts)}
    named = _names(session, sought, [*rows, *columns])
    return Heat(
        [(each, named(sought.rows, each)) for each in rows],
        [(each, named(sought.columns, each)) for each in columns],
        cells,
        more or further,
    )


def _column(session: Session, axis: Axis, level: Level) -> Any:
    if axis is Axis.PLACE:
        return area_of(session, level)
    return TicketFact.matter if axis is Axis.MATTER else TicketFact.month


def _weighs(weight: Weight) -> list[ColumnElement[bool]]:
    """Return which occurrences are counted."""
    if weight is Weight.UNCLOSED:
        return [TicketFact.status.not_in(FINAL)]
    return [TicketFact.reopened.is_(True)] if weight is Weight.REOPENED else []


def _tests(sought: Sought, sides: list[Any]) -> list[ColumnElement[bool]]:
    tests = [
        counted(*sought.days),
        *_weighs(sought.weight),
        *(each.is_not(None) for each in sides),
    ]
    if sought.area is not None:
        tests.append(within(sought.area))
    if sought.matter is not None:
        tests.append(TicketFact.matter == sought.matter)
    return tests


def _heads(
    session: Session, sought: Sought, column: Any, most: int, tests: Sequence[ColumnElement[bool]]
) -> tuple[list[Key], bool]:
    """Return what stands along a side, and whether something was left out."""
    if column is TicketFact.month:
        return list(sought.months), False
    number = func.count(TicketFact.id)
    top = select(column).where(*tests).group_by(column).order_by(number.desc(), column)
    found = list(session.scalars(top.limit(most + 1)))
    return found[:most], len(found) > most


def _names(session: Session, sought: Sought, keys: list[Key]) -> Any:
    """Return a function that tells what a key is called; months are for the page to name."""
    places: dict[Key, str] = {}
    if Axis.PLACE in (sought.rows, sought.columns):
        ids = [each for each in keys if isinstance(each, int)]
        asked = select(Organization.id, Organization.name).where(Organization.id.in_(ids))
        places = {row.id: row.name for row in session.execute(asked)}

    def named(axis: Axis, key: Key) -> str:
        """Return what a key is called."""
        return places.get(key, str(key)) if axis is Axis.PLACE else str(key)

    return named
