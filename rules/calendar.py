"""Which days are working days, and what "a day" means on the page.

Everything stored is an instant in UTC; everything counted in days is counted in
Asia/Shanghai. The functions here are the only place where the two meet.
Needs the time zone database; slim machines without one get it from ``tzdata``.
"""

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

import holidays

SHANGHAI = ZoneInfo("Asia/Shanghai")

#: Working-hour spans of a day, as minutes after midnight in Asia/Shanghai: ((510, 720), (840, 1080)).
Spans = tuple[tuple[int, int], ...]

_ONE_DAY = datetime.timedelta(days=1)
_WHOLE_DAY: Spans = ((0, 24 * 60),)
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")
_LAST_SECOND = datetime.time(23, 59, 59)


def as_utc(moment: datetime.datetime) -> datetime.datetime:
    """Return the same instant in UTC; ``ValueError`` when it carries no time zone."""
    if moment.utcoffset() is None:
        raise ValueError(f"时间 {moment:%Y-%m-%d %H:%M:%S} 没有时区，请传入带时区的时间（UTC）。")
    return moment.astimezone(datetime.UTC)


def shanghai_date(moment: datetime.datetime) -> datetime.date:
    """Return the date that people in Asia/Shanghai write at this aware instant."""
    return as_utc(moment).astimezone(SHANGHAI).date()


def end_of_day(day: datetime.date) -> datetime.datetime:
    """Return 23:59:59 Asia/Shanghai of ``day`` as an aware UTC instant."""
    return as_utc(datetime.datetime.combine(day, _LAST_SECOND, SHANGHAI))


def read_spans(pairs: Iterable[Iterable[str]]) -> Spans:
    """Return the working-hour spans that pairs such as ``("08:30", "12:00")`` name.

    ``ValueError`` with a Chinese sentence for anything that is no time of day ("24:00" is one, as an
    end), for a span that ends before it starts, and for spans that overlap or are out of order.
    """
    spans: list[tuple[int, int]] = []
    for pair in pairs:
        words = list(pair)
        if len(words) != 2:
            raise ValueError("每段工作时间都要有开始和结束两个时刻，请补齐。")
        start, end = map(_minutes, words)
        if start >= end:
            raise ValueError(f"工作时间“{words[0]}–{words[1]}”的结束不晚于开始，请改成先早后晚。")
        if spans and start < spans[-1][1]:
            raise ValueError(
                f"工作时间“{words[0]}–{words[1]}”与前一段重叠或次序颠倒，请按先后排列。"
            )
        spans.append((start, end))
    return tuple(spans)


def _minutes(word: str) -> int:
    if not isinstance(word, str) or not _CLOCK.fullmatch(word):
        raise ValueError(f"“{word}”不是时刻，请写成 08:30 这样的形式。")
    hours, minutes = word.split(":")
    return int(hours) * 60 + int(minutes)


@cache
def _national_working_days(year: int) -> frozenset[datetime.date]:
    """Return the year's working days by the national calendar, without overrides."""
    national = holidays.country_holidays("CN", years=year, expand=False)
    first = datetime.date(year, 1, 1).toordinal()
    last = datetime.date(year, 12, 31).toordinal()
    days = map(datetime.date.fromordinal, range(first, last + 1))
    return frozenset(day for day in days if national.is_working_day(day))


class WorkCalendar:
    """National working days with make-up weekends (调休), and local overrides.

    The national part is the ``holidays`` package's China, which follows the State
    Council's yearly notice. The notice appears each November for the next year;
    for a year that the installed package does not know yet, a day is free when it is
    a Saturday, a Sunday, a statutory holiday whose date follows from the law and the
    lunar calendar (up to 2100), or the weekday that stands in for a holiday on a
    weekend. Bridge days and make-up working weekends are then missing until the
    package is upgraded or an administrator enters them as overrides.
    Before 1950 only weekends are free.

    Args:
        overrides: date in Asia/Shanghai → whether it is a working day. Wins over
            the national calendar in both directions (domain section 3). Copied.
        spans: the hours of a working day in which working hours count, in order and apart
            (``read_spans``). Without any, a working day counts whole, from midnight to midnight.
    """

    def __init__(
        self, overrides: Mapping[datetime.date, bool] | None = None, spans: Spans = ()
    ) -> None:
        self._spans = spans or _WHOLE_DAY
        self._overrides = MappingProxyType(dict(overrides or {}))
        for day in self._overrides:
            _require_plain_date(day)

    def is_working_day(self, day: datetime.date) -> bool:
        """Tell whether ``day`` (a date in Asia/Shanghai) is a working day."""
        _require_plain_date(day)
        override = self._overrides.get(day)
        if override is not None:
            return override
        return day in _national_working_days(day.year)

    def add_working_days(self, day: datetime.date, n: int) -> datetime.date:
        """Return the ``n``-th working day after ``day``; ``day`` itself never counts.

        ``n`` = 0 gives ``day`` back, whether it is a working day or not.
        ``ValueError`` when ``n`` is negative.
        """
        if n < 0:
            raise ValueError(f"工作日天数不能是负数（{n}），请填写 0 或正整数。")
        _require_plain_date(day)
        for _ in range(n):
            day += _ONE_DAY
            while not self.is_working_day(day):
                day += _ONE_DAY
        return day

    def subtract_working_days(self, day: datetime.date, n: int) -> datetime.date:
        """Return the ``n``-th working day before ``day``; ``day`` itself never counts.

        ``n`` = 0 gives ``day`` back. ``ValueError`` when ``n`` is negative.
        """
        if n < 0:
            raise ValueError(f"工作日天数不能是负数（{n}），请填写 0 或正整数。")
        _require_plain_date(day)
        for _ in range(n):
            day -= _ONE_DAY
            while not self.is_working_day(day):
                day -= _ONE_DAY
        return day

    def add_working_time(
        self, start: datetime.datetime, length: datetime.timedelta
    ) -> datetime.datetime:
        """Return the first instant (UTC) by which ``length`` of working time has run since ``start``.

        Time that runs out as a span closes ends there, not when the next one opens. A clock that starts at night or on a day off first runs
        when the next span opens. ``ValueError`` for a naive start or a length below zero.
        """
        start, left = as_utc(start), _not_negative(length)
        if not left:
            return start
        for opens, closes in self._spans_from(shanghai_date(start)):
            begin = max(opens, start)
            if begin >= closes:
                continue
            if left <= closes - begin:
                return begin + left
            left -= closes - begin
        raise AssertionError("days never end")

    def subtract_working_time(
        self, end: datetime.datetime, length: datetime.timedelta
    ) -> datetime.datetime:
        """Return the last instant (UTC) from which ``length`` of working time runs until ``end``.

        ``ValueError`` for a naive end or a length below zero.
        """
        end, left = as_utc(end), _not_negative(length)
        if not left:
            return end
        for opens, closes in self._spans_back_from(shanghai_date(end)):
            finish = min(closes, end)
            if finish <= opens:
                continue
            if left <= finish - opens:
                return finish - left
            left -= finish - opens
        raise AssertionError("days never end")

    def working_time(self, start: datetime.datetime, end: datetime.datetime) -> datetime.timedelta:
        """Return how much working time runs between two aware instants; none if not in order."""
        start, end = as_utc(start), as_utc(end)
        total = datetime.timedelta(0)
        for opens, closes in self._spans_from(shanghai_date(start)):
            if opens >= end:
                break
            total += max(min(closes, end) - max(opens, start), datetime.timedelta(0))
        return total

    def _spans_from(
        self, day: datetime.date
    ) -> Iterator[tuple[datetime.datetime, datetime.datetime]]:
        while True:
            if self.is_working_day(day):
                yield from (_between(day, span) for span in self._spans)
            day += _ONE_DAY

    def _spans_back_from(
        self, day: datetime.date
    ) -> Iterator[tuple[datetime.datetime, datetime.datetime]]:
        while True:
            if self.is_working_day(day):
                yield from (_between(day, span) for span in reversed(self._spans))
            day -= _ONE_DAY


def _between(
    day: datetime.date, span: tuple[int, int]
) -> tuple[datetime.datetime, datetime.datetime]:
    """Return the two instants (UTC) between which a span of a Shanghai day lies."""
    midnight = as_utc(datetime.datetime.combine(day, datetime.time(0), SHANGHAI))
    opens, closes = span
    return (
        midnight + datetime.timedelta(minutes=opens),
        midnight + datetime.timedelta(minutes=closes),
    )


def _not_negative(length: datetime.timedelta) -> datetime.timedelta:
    if length < datetime.timedelta(0):
        raise ValueError("工作时间的长短不能是负数，请填写 0 或正数。")
    return length


def _require_plain_date(day: datetime.date) -> None:
    # A datetime is a date to Python, but never equals one: it would miss every
    # override in silence, and its own date may be the UTC one.
    if isinstance(day, datetime.datetime):
        raise ValueError(f"这里需要日期而不是时间（{day:%Y-%m-%d %H:%M}），请先换算成北京日期。")
