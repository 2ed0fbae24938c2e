"""What an address asks of the measures: of when, by what, of which tickets, in which order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import url_for
from flask_babel import gettext as _

from models.base import Titled
from models.ticket import Channel, Theme
from reports.measures import MEASURES, Dimension, Measure, Period
from rules.errors import Invalid
from views.listing import LARGEST_ID, id_of

#: Dimensions whose values are organisations, and those whose values are words of an enum.
PLACES = (Dimension.COUNTY, Dimension.TOWNSHIP, Dimension.COMMUNITY, Dimension.DEPARTMENT)
WORDS: dict[Dimension, type[Titled]] = {Dimension.THEME: Theme, Dimension.CHANNEL: Channel}
#: What the reader may narrow the measures by, in this order.
FILTERS = (*PLACES, Dimension.CLASS, Dimension.THEME, Dimension.MATTER, Dimension.CHANNEL)
BY_CODE = {each.code: each for each in MEASURES}
#: The order of lines by what they are called.
NAME = "name"
#: A text in an address is no longer than a matter's name.
LONGEST = 300
Kind = TypeVar("Kind", bound=Titled)


class Span(Titled):
    """Periods that are asked for often; a free one has its days in the address."""

    MONTH = "month", "本月"
    LAST_MONTH = "last_month", "上月"
    QUARTER = "quarter", "本季度"
    YEAR = "year", "本年"
    TWELVE = "twelve", "近 12 个月"
    FREE = "free", "自选日期"

    def period(self, today: dt.date) -> Period:
        """Return the period as of a day; those that still run end with that day."""
        month = today.replace(day=1)
        if self is Span.LAST_MONTH:
            last = month - dt.timedelta(days=1)
            return Period(last.replace(day=1), last)
        if self is Span.QUARTER:
            return Period(month.replace(month=(today.month - 1) // 3 * 3 + 1), today)
        if self is Span.YEAR:
            return Period(month.replace(month=1), today)
        if self is Span.TWELVE:
            return Period(months_before(today, 11), today)
        return Period(month, today)


class Against(Titled):
    """What the lines are compared with."""

    NOTHING = "none", "不对比"
    BEFORE = "before", "上一期"
    YEAR = "year", "去年同期"


def months_before(day: dt.date, number: int) -> dt.date:
    """Return the first day of the month that lies some months before a day's."""
    months = day.year * 12 + day.month - 1 - number
    return dt.date(months // 12, months % 12 + 1, 1)


@dataclass(frozen=True)
class Asked:
    """An address's question. ``order`` is a measure's code or ``NAME``; filters are keys as ``ask`` takes them."""

    span: Span
    period: Period
    rows: Dimension
    columns: Dimension
    measure: Measure
    against: Against
    order: str
    descending: bool
    page: int
    medians: bool
    filters: Mapping[Dimension, Any]

    @property
    def shown(self) -> tuple[Measure, ...]:
        """The measures of a table: medians, which take the database longest, only if asked for."""
        return tuple(each for each in MEASURES if self.medians or not each.median)

    def args(self) -> dict[str, str]:
        """Return it as an address writes it."""
        said = {"span": self.span.value}
        if self.span is Span.FREE:
            said |= {"from": f"{self.period.first}", "until": f"{self.period.last}"}
        for dimension, value in self.filters.items():
            said[dimension.value] = str(value.value if isinstance(value, Titled) else value)
        return said

    def url(self, route: str, *shown: str, **changes: Any) -> str:
        """Return a page's address for the same period and tickets.

        ``shown`` names what else of the question it keeps: by, across, measure, against, order, direction, medians.
        """
        own = {
            "by": self.rows.value,
            "across": self.columns.value,
            "measure": self.measure.code,
            "against": self.against.value,
            "order": self.order,
            "direction": "desc" if self.descending else "asc",
            "medians": "1" if self.medians else "",
        }
        kept = self.args() | {name: own[name] for name in shown} | changes
        said = {name: str(value) for name, value in kept.items() if value not in (None, "")}
        return f"{url_for(f'MeasuresView.{route}')}?{urlencode(said)}"

    def among(self, dimension: Dimension, value: Any) -> Asked:
        """Return the same question of those tickets only that have a value."""
        return replace(self, filters={**self.filters, dimension: value})


@dataclass(frozen=True)
class Usual:
    """What a reader is shown who has not asked for anything."""

    rows: Dimension
    columns: Dimension
    span: Span = Span.TWELVE


def parse(args: Mapping[str, str], usual: Usual, today: dt.date) -> Asked:
    """Read an address; raises ``Invalid`` with a sentence for what it cannot mean."""
    span, period = _period(args, usual, today)
    rows = _member(args, "by", Dimension, usual.rows)
    order = args.get("order", "")
    if order not in ("", NAME) and order not in BY_CODE:
        raise Invalid(_("没有“%(name)s”这项指标，请从表头选择排序。", name=order[:100]))
    in_time = rows is Dimension.MONTH
    direction = args.get("direction", "")
    return Asked(
        span=span,
        period=period,
        rows=rows,
        columns=_member(args, "across", Dimension, usual.columns),
        measure=_measure(args.get("measure", "")),
        against=_member(args, "against", Against, Against.NOTHING),
        order=order or (NAME if in_time else "dispatched"),
        descending=direction == "desc" if direction else not in_time and order != NAME,
        page=id_of(args.get("page", "")) or 1,
        medians=args.get("medians") == "1" or (order in BY_CODE and BY_CODE[order].median),
        filters=dict(_filters(args)),
    )


def _period(args: Mapping[str, str], usual: Usual, today: dt.date) -> tuple[Span, Period]:
    """Return the period that is named, unless the days that are given are others."""
    given = [args.get(name, "").strip() for name in ("from", "until")]
    otherwise = Span.FREE if any(given) else usual.span
    span = _member(args, "span", Span, otherwise)
    named = span.period(today)
    if not any(given):
        return span, named
    ends = []
    for text, end in zip(given, (named.first, named.last), strict=True):
        try:
            ends.append(dt.date.fromisoformat(text) if text else end)
        except ValueError:
            raise Invalid(
                _("日期“%(text)s”无法识别，请按 2026-01-31 的格式填写。", text=text[:40])
            ) from None
    period = Period(*ends)
    return (span, named) if period == named else (Span.FREE, period)


def _member(args: Mapping[str, str], name: str, kind: type[Kind], otherwise: Kind) -> Kind:
    text = args.get(name, "").strip()
    for member in kind:
        if member.value == text:
            return member
    if text:
        raise Invalid(_("筛选条件“%(value)s”无法识别，请重新选择。", value=text[:100]))
    return otherwise


def _measure(code: str) -> Measure:
    if code and code not in BY_CODE:
        raise Invalid(_("没有“%(name)s”这项指标，请重新选择。", name=code[:100]))
    return BY_CODE[code or "dispatched"]


def _filters(args: Mapping[str, str]) -> Any:
    for dimension in FILTERS:
        text = args.get(dimension.value, "").strip()
        if not text:
            continue
        if dimension in WORDS:
            kind = WORDS[dimension]
            yield dimension, _member(args, dimension.value, kind, next(iter(kind)))
        elif dimension in PLACES:
            number = id_of(text)
            if number is None or number > LARGEST_ID:
                raise Invalid(_("筛选条件“%(value)s”无法识别，请重新选择。", value=text[:100]))
            yield dimension, number
        else:
            yield dimension, text[:LONGEST]
