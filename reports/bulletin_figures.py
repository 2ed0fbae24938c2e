"""What a bulletin tells of one month: the measures as a whole, by body, by place, by matter, by month."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy.orm import Session

from models.organization import Organization, OrganizationKind
from reports.measure_types import Unit, Values
from reports.measures import (
    Dimension,
    Line,
    Measure,
    Period,
    Question,
    Value,
    ask,
    measure,
    totals,
)
from reports.scores import Scores, departments
from rules.calendar import shanghai_date

#: The measures of a bulletin, in the order of its tables.
WHOLE = tuple(
    measure(code)
    for code in (
        "raised", "dispatched", "closed", "closing_rate", "response_rate", "arrival_rate",
        "on_time_rate", "return_rate", "reopen_rate", "satisfaction",
    )
)  # fmt: skip
BY_BODY = tuple(
    measure(code)
    for code in ("dispatched", "response_rate", "on_time_rate", "return_rate", "satisfaction")
)
TREND = (measure("dispatched"), measure("closed"))
#: How many months the line of a bulletin goes back, its own among them.
MONTHS = 6
MOST_MATTERS = 10
_TENTH = Decimal("0.1")


@dataclass(frozen=True)
class Figures:
    """One month's figures of a county or a city, as they were on the day ``today``.

    ``months`` has a line for each of the last months, also for one without tickets.
    """

    place: str
    period: Period
    today: dt.date
    values: Values
    before: Values
    last_year: Values
    departments: list[Line]
    places: list[Line]
    by_county: bool
    matters: list[Line]
    months: list[Line]
    scores: Scores

    @property
    def over(self) -> bool:
        """Tell whether the month is over: one that still runs is not compared with a whole one."""
        return self.period.last < self.today

    @property
    def places_are(self) -> str:
        """What the lines of ``places`` are called."""
        return "县（市、区）" if self.by_county else "乡镇（街道）"

    @property
    def until(self) -> dt.date:
        """The last day that the figures speak of."""
        return min(self.period.last, self.today)


def title_of(place: str, month: int) -> str:
    """Return what a bulletin is called if nobody names it otherwise."""
    return f"{place}{month // 100}年{month % 100}月吹哨报到工作情况通报"


def period_of(month: int) -> Period:
    """Return the days of a month given as 202611; raises ``ValueError`` for what is no month."""
    year, number = divmod(month, 100)
    last = calendar.monthrange(year, number)[1]
    return Period(dt.date(year, number, 1), dt.date(year, number, last))


def figures(session: Session, place: Organization, month: int, now: dt.datetime) -> Figures:
    """Return the month's figures of a place, as far as the session's actor reads.

    A fixed number of statements. The facts must have been folded.
    """
    period = period_of(month)
    city = place.kind is OrganizationKind.CITY
    only = {} if city else {Dimension.COUNTY: place.id}
    asked = Question(period, filters=only)
    by = {
        dimension: Question(period, rows=dimension, filters=only)
        for dimension in (
            Dimension.DEPARTMENT,
            Dimension.COUNTY if city else Dimension.TOWNSHIP,
            Dimension.MATTER,
        )
    }
    lines = {dimension: ask(session, each, BY_BODY, now) for dimension, each in by.items()}
    matters = [each for each in lines[Dimension.MATTER] if each.key is not None]
    values, before, last_year = totals(
        session, [asked, asked.before(), asked.last_year()], WHOLE, now
    )
    return Figures(
        place=place.name,
        period=period,
        today=shanghai_date(now),
        values=values,
        before=before,
        last_year=last_year,
        departments=_busiest(lines[Dimension.DEPARTMENT]),
        places=lines[Dimension.COUNTY if city else Dimension.TOWNSHIP],
        by_county=city,
        matters=_busiest(matters)[:MOST_MATTERS],
        months=_months(session, asked, now),
        scores=departments(session, period, None if city else place.id),
    )


def _months(session: Session, asked: Question, now: dt.datetime) -> list[Line]:
    """Return the last months, oldest first; one in which nothing was is no gap."""
    first, wanted = asked.period.first, [month_of(asked.period.first)]
    while len(wanted) < MONTHS:
        first = (first - dt.timedelta(days=1)).replace(day=1)
        wanted.insert(0, month_of(first))
    period = Period(first, asked.period.last)
    lines = ask(session, replace(asked, period=period, rows=Dimension.MONTH), TREND, now)
    known = {each.key: each for each in lines}
    nothing = {each.code: each.valued(None, None) for each in TREND}
    return [known.get(each, Line(each, str(each), nothing)) for each in wanted]


def month_of(day: dt.date) -> int:
    """Return a day's month as 202611."""
    return day.year * 100 + day.month


def _busiest(lines: list[Line]) -> list[Line]:
    known = [each for each in lines if each.key is not None and each.values["dispatched"].part]
    return sorted(known, key=lambda each: -int(each.values["dispatched"].part or 0))


def said(which: Measure, value: Value) -> str:
    """Return a value in words: counts whole, shares and hours to a tenth, a dash where there is none."""
    found = value.value
    if found is None:
        return "—"
    if which.unit is Unit.COUNT:
        return f"{found:,.0f}"
    return f"{found.quantize(_TENTH, ROUND_HALF_UP)}{'%' if which.unit is Unit.PERCENT else ''}"


def compared(named: str, values: Values, before: Values) -> str:
    """Return how a month stands beside another in one sentence; "" where there was nothing then."""
    if not before["raised"].part:
        return ""
    parts = []
    for code in ("dispatched", "closing_rate", "on_time_rate", "satisfaction"):
        which, now, then = measure(code), values[code].value, before[code].value
        if now is None or then is None:
            continue
        exact = Decimal(1) if which.unit is Unit.COUNT else _TENTH
        change = now.quantize(exact, ROUND_HALF_UP) - then.quantize(exact, ROUND_HALF_UP)
        unit = " 件" if which.unit is Unit.COUNT else " 个百分点"
        way = "持平" if not change else f"{'上升' if change > 0 else '下降'} {abs(change)}{unit}"
        if which.unit is Unit.COUNT and change:
            way = f"{'增加' if change > 0 else '减少'} {abs(change)}{unit}"
        parts.append(f"{which.title}{way}")
    return f"与{named}相比，{'，'.join(parts)}。" if parts else ""
