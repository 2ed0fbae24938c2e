"""Which days are working days, and what "a day" means on the page.

Everything stored is an instant in UTC; everything counted in days is counted in
Asia/Shanghai. The functions here are the only place where the two meet.
Needs the time zone database; slim machines without one get it from ``tzdata``.
"""

import datetime
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

import holidays

SHANGHAI = ZoneInfo("Asia/Shanghai")

_ONE_DAY = datetime.timedelta(days=1)
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
    """

    def __init__(self, overrides: Mapping[datetime.date, bool] | None = None) -> None:
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


def _require_plain_date(day: datetime.date) -> None:
    # A datetime is a date to Python, but never equals one: it would miss every
    # override in silence, and its own date may be the UTC one.
    if isinstance(day, datetime.datetime):
        raise ValueError(f"这里需要日期而不是时间（{day:%Y-%m-%d %H:%M}），请先换算成北京日期。")
