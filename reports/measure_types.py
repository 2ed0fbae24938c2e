"""What a measure, a dimension, a question and an answer are; ``reports.measures`` has the measures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func

from models.base import Titled
from models.measure import FactMonth
from models.measure import TicketFact as Fact
from reports.instants import Middle
from reports.numbers import Period

Number = int | Decimal


class Unit(Titled):
    """What a measure's value counts in; ``title`` is the word behind the number."""

    COUNT = "count", "件"
    PERCENT = "percent", "%"
    HOURS = "hours", "小时"
    STARS = "stars", "星"


@dataclass(frozen=True)
class Sight:
    """How a question looks at the rows: by departments or not, and what is due by now."""

    by_department: bool
    now: dt.datetime


Test = Callable[[Sight], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Value:
    """A measure's value: numerator and denominator as they were summed, and what they come to.

    Of a median (``middle``), ``part`` is the middle itself, in minutes.
    """

    part: Number | None
    of: Number | None
    unit: Unit
    middle: bool = False

    @property
    def value(self) -> Decimal | None:
        """In the measure's unit and not rounded: percent from 0 to 100, hours, stars.

        None where there is nothing to divide by.
        """
        if self.unit is Unit.COUNT:
            return Decimal(self.part or 0)
        if not self.of or self.part is None:
            return None
        found = Decimal(self.part) / (1 if self.middle else Decimal(self.of))
        if self.unit is Unit.HOURS:
            return found / 60
        return found * 100 if self.unit is Unit.PERCENT else found


@dataclass(frozen=True)
class Measure:
    """One measure, defined once.

    ``among`` tells which rows make the denominator, ``good`` which of them the numerator; a count has
    but the one. ``adds`` are columns that are summed in place of counting rows: of the numerator, and
    of the denominator (None: rows). ``median``: the middle of the first, not the mean.
    """

    code: str
    title: str
    meaning: str
    unit: Unit
    higher_is_better: bool | None
    among: Test
    good: Test | None = None
    adds: tuple[Any, Any] = (None, None)
    median: bool = False
    waits: Test | None = None
    own: bool = False

    def behind(self, sight: Sight, *, part: bool) -> ColumnElement[bool]:
        """Return which rows stand behind the numerator, or behind the denominator."""
        if part and self.good is not None:
            return and_(self.among(sight), self.good(sight))
        return self.among(sight)

    def sums(self, sight: Sight) -> tuple[ColumnElement[Any], ColumnElement[Any] | None]:
        """Return the SQL aggregates of numerator and denominator; a count has no denominator."""
        part = _sum(self.behind(sight, part=True), self.adds[0])
        if self.unit is Unit.COUNT:
            return part, None
        of = _sum(self.among(sight), self.adds[1])
        if self.median:
            return Middle(case((self.behind(sight, part=True), self.adds[0]))), of
        return part, of

    def kept(self, sight: Sight) -> tuple[Any, Any | None]:
        """Return the columns of ``FactMonth`` that hold numerator and denominator, but for ``waits``."""
        own = self.own and sight.by_department
        part = getattr(FactMonth, f"{self.code}_own" if own else self.code)
        return part, None if self.unit is Unit.COUNT else getattr(FactMonth, f"{self.code}_of")

    def valued(self, part: Number | None, of: Number | None) -> Value:
        """Return the value of sums; of a median, ``part`` is the middle itself, in minutes."""
        if self.unit is Unit.COUNT:
            return Value(part or 0, None, self.unit)
        return Value(part, of, self.unit, self.median)


def _sum(test: ColumnElement[bool], column: Any) -> ColumnElement[Any]:
    if column is None:
        return func.count(case((test, 1)))
    return func.coalesce(func.sum(case((test, column))), 0)


class Dimension(Titled):
    """What lines and columns of a table are: ``column`` is the fact's column that tells them apart."""

    DEPARTMENT = "department", "承办单位"
    COUNTY = "county", "县（市、区）"
    TOWNSHIP = "township", "乡镇（街道）"
    COMMUNITY = "community", "村（社区）"
    CLASS = "class", "哨种"
    THEME = "theme", "主题"
    MATTER = "matter", "履职事项"
    CHANNEL = "channel", "来源"
    MONTH = "month", "月份"

    @property
    def column(self) -> Any:
        """The column of ``ticket_fact`` that holds the keys of this dimension."""
        return getattr(Fact, _COLUMNS[self.value])

    @property
    def places(self) -> bool:
        """Tell whether the keys are ids of organisations."""
        return _COLUMNS[self.value].endswith("_id")


_COLUMNS = {
    "department": "department_id",
    "county": "county_id",
    "township": "township_id",
    "community": "community_id",
    "class": "class_name",
    "theme": "theme",
    "matter": "matter",
    "channel": "channel",
    "month": "month",
}
#: A value of a dimension: an organisation's id, a month as 202611, or a word; None: there is none.
Key = int | str | None
Filters = Mapping[Dimension, Key]


@dataclass(frozen=True)
class Question:
    """What is asked: over which days, told apart by what, and of which part of the whole only."""

    period: Period
    rows: Dimension | None = None
    columns: Dimension | None = None
    filters: Filters = field(default_factory=dict)

    @property
    def by_department(self) -> bool:
        """Tell whether it speaks of every department that led a ticket, not of tickets."""
        return Dimension.DEPARTMENT in (self.rows, self.columns, *self.filters)

    def whole(self) -> Question:
        """Return the question without lines and columns."""
        return replace(self, rows=None, columns=None)

    def at(self, row: Key = None, column: Key = None) -> Question:
        """Return the question about one line, or one cell, of the answer."""
        filters = dict(self.filters)
        if self.rows is not None:
            filters[self.rows] = row
        if self.columns is not None and column is not ALL:
            filters[self.columns] = column
        return Question(self.period, filters=filters)

    def before(self) -> Question:
        """Return the same question about the period of the same length before."""
        return replace(self, period=self.period.before())

    def last_year(self) -> Question:
        """Return the same question about the same days of the year before."""
        return replace(self, period=self.period.last_year())


#: Stands for all columns of a line together.
ALL = "*"
Values = dict[str, Value]


@dataclass(frozen=True)
class Line:
    """A line of an answer: its key and title, its values by the measures' codes.

    ``cells`` are the same for each column, by the column's key, where there are columns; ``values``
    are then those of the line as a whole.
    """

    key: Key
    title: str
    values: Values
    cells: dict[Key, Values] = field(default_factory=dict)
