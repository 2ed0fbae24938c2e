"""The figures of one letter, three lists: each defined once, computed for units and communities.

A figure is a formula over *sums*; the sums come from ``reports.sums``, by a few grouped statements
whatever the number of rows (domain section 4; satisfaction as in section 8).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy.orm import Session

from models.base import Titled
from models.organization import Organization
from reports import sums as sources
from reports.sums import Among, Number, Side, Source, Sums, places
from rules.errors import Invalid

#: Periods outside these years are slips of the pen.
FIRST_DAY, LAST_DAY = dt.date(2000, 1, 1), dt.date(2100, 12, 31)
Value = int | Decimal | None
#: An organisation's id, its name, and whether it is in use.
Place = tuple[int, str, bool]
#: How many organisations a page shows.
LINES = 50


@dataclass(frozen=True)
class Period:
    """The days from ``first`` to ``last``, both included, in Shanghai."""

    first: dt.date
    last: dt.date

    def __post_init__(self) -> None:
        if not FIRST_DAY <= self.first <= LAST_DAY or not FIRST_DAY <= self.last <= LAST_DAY:
            raise Invalid(f"统计期间应在 {FIRST_DAY} 和 {LAST_DAY} 之间，请重新选择。")
        if self.first > self.last:
            raise Invalid("统计期间的开始日期不应晚于结束日期，请重新选择。")

    @property
    def whole_months(self) -> bool:
        """Tell whether the period begins and ends with a month."""
        return self.first.day == 1 and (self.last + dt.timedelta(days=1)).day == 1

    def before(self) -> Period:
        """Return the period of the same length that ends the day before; of months, as many months."""
        last = self.first - dt.timedelta(days=1)
        if not self.whole_months:
            return _period(last - (self.last - self.first), last)
        months = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month
        begun = last.year * 12 + last.month - 1 - months
        return _period(dt.date(begun // 12, begun % 12 + 1, 1), last)

    def last_year(self) -> Period:
        """Return the same days of the year before; the end of a month stays the end of it."""
        after = self.last + dt.timedelta(days=1)
        if self.whole_months:
            return _period(_year_before(self.first), _year_before(after) - dt.timedelta(days=1))
        return _period(_year_before(self.first), _year_before(self.last))


def _year_before(day: dt.date) -> dt.date:
    leap = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28 if leap else day.day)


def _period(first: dt.date, last: dt.date) -> Period:
    """Return a period that nobody has written: it may lie before the first day that one may ask for."""
    made = object.__new__(Period)
    object.__setattr__(made, "first", first)
    object.__setattr__(made, "last", last)
    return made


def year_of(day: dt.date) -> Period:
    """Return the calendar year that a day lies in."""
    return Period(day.replace(month=1, day=1), day.replace(month=12, day=31))


class Measure(Titled):
    """What a figure counts in; ``title`` is the word behind the number."""

    LETTERS = "letters", "份"
    ITEMS = "items", "项"
    NEEDS = "needs", "条"
    PROJECTS = "projects", "个"
    SESSIONS = "sessions", "场"
    HOURS = "hours", "小时"
    VISITS = "visits", "人次"
    MONEY = "money", "元"
    SHARE = "share", "%"


@dataclass(frozen=True)
class Figure:
    """One figure: what it is called, what it means, and how it comes from the sums.

    ``stock``: as of today, whatever the period. A share is a ratio from 0 to 1, and None where
    there is nothing to share; hours are rounded to tenths.
    """

    name: str
    label: str
    measure: Measure
    help: str
    formula: Callable[[Sums], Value]
    #: the sums that the formula reads
    reads: tuple[str, ...]
    stock: bool = False
    sides: tuple[Side, ...] = tuple(Side)


def _counted(name: str) -> Callable[[Sums], Value]:
    return lambda sums: int(sums.get(name) or 0)


def _hours(sums: Sums) -> Value:
    worked = Decimal(sums.get("hours") or 0) + Decimal(sums.get("minutes") or 0) / 60
    return worked.quantize(Decimal("0.1"), ROUND_HALF_UP)


def _funds(sums: Sums) -> Value:
    return Decimal(sums.get("funds") or 0).quantize(Decimal("0.01"))


def _satisfaction(sums: Sums) -> Value:
    graded = int(sums.get("graded") or 0)
    return Decimal(int(sums.get("good") or 0)) / graded if graded else None


FIGURES: tuple[Figure, ...] = (
    Figure(
        "agreements",
        label="现行协议",
        measure=Measure.LETTERS,
        help="状态为“生效”的共驻共建协议份数，截至今天，不随统计期间变化。",
        formula=_counted("agreements"),
        reads=("agreements",),
        stock=True,
    ),
    Figure(
        "resources",
        label="提供资源",
        measure=Measure.ITEMS,
        help="状态为“可用”的共治资源项数，截至今天。按单位和全县：各单位提供的；按社区：现行协议的对方单位向本社区提供的。",
        formula=_counted("resources"),
        reads=("resources",),
        stock=True,
    ),
    Figure(
        "resources_used",
        label="使用资源",
        measure=Measure.ITEMS,
        help="期间内开始、已接单的服务项目用到的资源项数，同一资源只计一次。",
        formula=_counted("resources_used"),
        reads=("resources_used",),
    ),
    Figure(
        "needs_published",
        label="公布需求",
        measure=Measure.NEEDS,
        help="公布日期在期间内的治理需求条数，撤回公布的不计。",
        formula=_counted("published"),
        reads=("published",),
        sides=(Side.COMMUNITY,),
    ),
    Figure(
        "needs_met",
        label="办成需求",
        measure=Measure.NEEDS,
        help="完成日期在期间内、状态为“完成”或“评价”的需求条数。按单位：由本单位认领的。",
        formula=_counted("met"),
        reads=("met",),
    ),
    Figure(
        "wishes",
        label="认领微心愿",
        measure=Measure.PROJECTS,
        help="认领日期在期间内的微心愿个数。按单位：由本单位或其党员认领的。",
        formula=_counted("wishes"),
        reads=("wishes",),
    ),
    Figure(
        "services",
        label="服务项目",
        measure=Measure.PROJECTS,
        help="期间内开始、已接单的服务项目个数，取消的不计；没有实际开始日期的按计划开始日期。",
        formula=_counted("services"),
        reads=("services",),
    ),
    Figure(
        "sessions",
        label="服务场次",
        measure=Measure.SESSIONS,
        help="期间内举办、填写了到场人数的场次数。",
        formula=_counted("sessions"),
        reads=("sessions",),
    ),
    Figure(
        "hours",
        label="服务时长",
        measure=Measure.HOURS,
        help="期间内党员报到服务记录的时长，加上填写了到场人数的场次从开始到结束的时长。",
        formula=_hours,
        reads=("hours", "minutes"),
    ),
    Figure(
        "people",
        label="服务人次",
        measure=Measure.VISITS,
        help="期间内开始的服务项目填写的服务人次；没有填写的，按该项目各场次到场人数合计。",
        formula=_counted("people"),
        reads=("people",),
    ),
    Figure(
        "funds",
        label="经费",
        measure=Measure.MONEY,
        help="期间内开始的服务项目的经费合计。",
        formula=_funds,
        reads=("funds",),
    ),
    Figure(
        "satisfaction",
        label="满意率",
        measure=Measure.SHARE,
        help="评价为“满意”及以上的占全部评价的比例：期间内完成的需求和期间内开始的服务项目，一条记录的评价计一次。",
        formula=_satisfaction,
        reads=("graded", "good"),
    ),
)


def figure(side: Side, name: str) -> Figure:
    """Return a side's figure of that name; raises ``Invalid`` if it has none."""
    for each in figures_of(side):
        if each.name == name:
            return each
    raise Invalid(f"没有“{name}”这项统计，请从表头选择排序。")


def figures_of(side: Side) -> list[Figure]:
    """Return the figures that a side has."""
    return [figure for figure in FIGURES if side in figure.sides]


@dataclass(frozen=True)
class Line:
    """An organisation with its figures, by name."""

    id: int
    name: str
    active: bool
    values: Mapping[str, Value]


@dataclass(frozen=True)
class Page:
    """One page of lines: which one of how many, and how many lines there are in all."""

    lines: list[Line]
    number: int
    pages: int
    total: int


@dataclass(frozen=True)
class Asked:
    """What a reader asked of the lines. ``order``: a figure's name, or "name"."""

    query: str = ""
    order: str = "name"
    descending: bool = False
    page: int = 1


def page_of(session: Session, side: Side, period: Period, asked: Asked) -> Page:
    """Return a page of the organisations that the session's actor keeps count of.

    Only the figure that they are sorted by is computed for all; the others for those on the page.
    A fixed number of statements.
    """
    listed = _listed(session, side, asked.query)
    known: dict[int, dict[str, Number]] = {}
    read: tuple[str, ...] = ()
    if asked.order != "name":
        sorting = figure(side, asked.order)
        read = sorting.reads
        sorted_by = [
            each for each in sources_of(side, period) if not each.sums.keys().isdisjoint(read)
        ]
        known = _sums(session, sorted_by, places(session, side))
        values = {each[0]: sorting.formula(known.get(each[0], {})) for each in listed}
        listed = _sorted(listed, values, asked)
    elif asked.descending:
        listed.reverse()
    pages = max(1, -(-len(listed) // LINES))
    number = min(max(1, asked.page), pages)
    shown = listed[(number - 1) * LINES : number * LINES]
    others = [each for each in sources_of(side, period) if each.sums.keys().isdisjoint(read)]
    found = _sums(session, others, [each[0] for each in shown], known)
    return Page([_line(side, each, found) for each in shown], number, pages, len(listed))


def every_line(session: Session, side: Side, period: Period) -> list[Line]:
    """Return all organisations that the session's actor keeps count of, by name, for a workbook."""
    found = _sums(session, sources_of(side, period), places(session, side))
    return [_line(side, each, found) for each in _listed(session, side)]


def _listed(session: Session, side: Side, query: str = "") -> list[Place]:
    statement = places(session, side, columns=("id", "name", "active"))
    if query:
        statement = statement.where(Organization.name.contains(query, autoescape=True))
    return [(number, name, active) for number, name, active in session.execute(statement)]


def _sorted(listed: list[Place], values: Mapping[int, Value], asked: Asked) -> list[Place]:
    """Sort by a figure, equals by name; those without one come last either way."""
    known = [each for each in listed if values[each[0]] is not None]
    known.sort(key=lambda each: values[each[0]] or 0, reverse=asked.descending)
    return known + [each for each in listed if values[each[0]] is None]


def _line(side: Side, place: Place, found: Mapping[int, Sums]) -> Line:
    number, name, active = place
    return Line(number, name, active, computed(found.get(number, {}), side))


def sources_of(side: Side, period: Period) -> list[Source]:
    """Return every source of a side over a period."""
    return sources.all_of(side, period.first, period.last)


def _sums(
    session: Session,
    read: Iterable[Source],
    among: Among,
    known: dict[int, dict[str, Number]] | None = None,
) -> dict[int, dict[str, Number]]:
    """Return the sums of each organisation from some sources, added to those known already."""
    by_place = known or {}
    for source in read:
        for row in session.execute(source.grouped(among)):
            gather(by_place.setdefault(row[0], {}), source, row)
    return by_place


def gather(found: dict[str, Number], source: Source, row: Any) -> None:
    """Add a row's sums to those found: needs and services are graded alike."""
    for name in source.sums:
        found[name] = found.get(name, 0) + (getattr(row, name) or 0)


def computed(sums: Sums, side: Side) -> dict[str, Value]:
    """Return a side's figures from its sums."""
    return {figure.name: figure.formula(sums) for figure in figures_of(side)}
