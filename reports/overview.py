"""The figures of a whole county, township, community or unit, and what its pictures show."""

from __future__ import annotations

import calendar
import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.check_in import CheckIn
from models.need import Need, NeedStatus
from models.organization import Organization
from models.resource import Category
from models.service import ServiceProject
from reports import sums as sources
from reports.numbers import Period, Value, computed, figure, gather
from reports.sums import Number, Side, anchor, places, sides
from rules.actor import current

#: How many months and units a picture shows.
MONTHS, UNITS = 12, 10


@dataclass(frozen=True)
class Overview:
    """What the actor's organisations come to, taken together; each record counts once.

    ``by_status`` and ``hours`` hold every state and every month, also those with nothing in them.
    ``by_category`` counts needs published in the period (a community's side) or met in it (a unit's).
    """

    side: Side
    values: dict[str, Value]
    by_status: list[tuple[NeedStatus, int]]
    by_category: list[tuple[Category, int]]
    #: (year, month, hours), the last of the period last
    hours: list[tuple[int, int, Decimal]]
    #: units by hours served, most first
    units: list[tuple[int, str, Decimal]]


def side_of(session: Session) -> Side:
    """Return whose figures the actor is shown first: communities', or his own unit's."""
    return Side.COMMUNITY if Side.COMMUNITY in sides(current(session).roles) else Side.UNIT


def overview(session: Session, period: Period, today: dt.date) -> Overview:
    """Return the overview of what the session's actor keeps count of; a fixed number of statements."""
    return _Overview(session, period, today).result()


class _Overview:
    def __init__(self, session: Session, period: Period, today: dt.date) -> None:
        self.session, self.period, self.today = session, period, today
        self.side = side_of(session)
        self.among = places(session, self.side)
        self.sums: dict[str, Number] = {}

    def result(self) -> Overview:
        """Compute everything."""
        side, span = self.side, (self.period.first, self.period.last)
        whole = [sources.agreements(side), sources.resources_used(side, *span)]
        for source in [*whole, sources.services(side, *span)]:
            gather(self.sums, source, self.session.execute(source.whole(self.among)).one())
        self._resources()
        statuses, categories = self._needs()
        months, units = self._served()
        values = computed(self.sums, side)
        return Overview(side, values, statuses, categories, months, units)

    def _resources(self) -> None:
        """Count what the units of an area have to give; for one community, what it is offered."""
        units = Side.UNIT in sides(current(self.session).roles)
        side = Side.UNIT if units else self.side
        source = sources.resources(side)
        statement = source.whole(places(self.session, side))
        gather(self.sums, source, self.session.execute(statement).one())

    def _needs(self) -> tuple[list[tuple[NeedStatus, int]], list[tuple[Category, int]]]:
        source = sources.needs(self.side, self.period.first, self.period.last)
        statuses: Counter[NeedStatus] = Counter()
        categories: Counter[Category] = Counter()
        shown = "published" if self.side is Side.COMMUNITY else "met"
        for row in self.session.execute(source.split(self.among, Need.status, Need.category)):
            gather(self.sums, source, row)
            statuses[row[0]] += row.needs
            categories[row[1]] += getattr(row, shown)
        return (
            [(each, statuses[each]) for each in NeedStatus],
            [(each, categories[each]) for each in Category],
        )

    def _served(
        self,
    ) -> tuple[list[tuple[int, int, Decimal]], list[tuple[int, str, Decimal]]]:
        """Return the hours of each of the last months, and the units that served longest."""
        span = (self.period.first, self.period.last)
        shown = months(self.period, self.today)[-MONTHS:]
        spans = [days_of(*each) for each in shown]
        found: dict[int, dict[str, Number]] = {}
        for source, model in (
            (sources.activities(self.side, *span, spans), CheckIn),
            (sources.sessions(self.side, *span, spans), ServiceProject),
        ):
            unit = anchor(model, Side.UNIT)
            rows = self.session.execute(source.split(self.among, unit)).all()
            self.sums |= {name: _total(rows, name) for name in source.sums}
            own = [name for name in ("hours", "minutes") if name in source.sums]
            for row in rows:
                found.setdefault(row[0], {}).update((name, getattr(row, name)) for name in own)
        by_month = [(*each, _hours(self.sums, str(number))) for number, each in enumerate(shown)]
        # A unit by itself has nobody to lead.
        return by_month, self._longest(found) if self.side is Side.COMMUNITY else []

    def _longest(self, found: dict[int, dict[str, Number]]) -> list[tuple[int, str, Decimal]]:
        served = sorted(
            ((_hours(sums), number) for number, sums in found.items()),
            key=lambda each: (-each[0], each[1]),
        )[:UNITS]
        ids = [number for _hours, number in served]
        listed = select(Organization.id, Organization.name).where(Organization.id.in_(ids))
        names = {each.id: each.name for each in self.session.execute(listed)}
        return [(number, names[number], hours) for hours, number in served if hours]


def _total(rows: Sequence[Any], name: str) -> Number:
    """Return the sum of a column; what no row has is nothing."""
    return sum(value for row in rows if (value := getattr(row, name)) is not None)


def days_of(year: int, month: int) -> tuple[dt.date, dt.date]:
    """Return the first and the last day of a month."""
    return dt.date(year, month, 1), dt.date(year, month, calendar.monthrange(year, month)[1])


def _hours(sums: dict[str, Number], span: str = "") -> Decimal:
    """Return the hours of some sums, or of their part of one span."""
    parts = {name: sums.get(f"{name}{span}", 0) for name in ("hours", "minutes")}
    return Decimal(figure(Side.COMMUNITY, "hours").formula(parts) or 0)


def months(period: Period, today: dt.date) -> list[tuple[int, int]]:
    """Return the months of a period as (year, month), none after the present one unless all are."""
    last = min(period.last, today) if period.first <= today else period.last
    first = period.first
    number = (last.year - first.year) * 12 + last.month - first.month + 1
    start = first.year * 12 + first.month - 1
    return [((start + turn) // 12, (start + turn) % 12 + 1) for turn in range(number)]
