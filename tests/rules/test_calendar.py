"""Working days: real make-up weekends, overrides, and the edge of the known years."""

import datetime
from collections.abc import Callable
from datetime import UTC, date, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.calendar import WorkCalendar, as_utc, end_of_day, shanghai_date

NATIONAL = WorkCalendar()


@pytest.mark.parametrize(
    "day",
    [
        # Saturdays and Sundays worked in exchange for a bridge day, by the State
        # Council's notices for 2024, 2025 and 2026.
        "2024-02-04",
        "2024-02-18",
        "2024-04-07",
        "2024-04-28",
        "2024-05-11",
        "2024-09-14",
        "2024-09-29",
        "2024-10-12",
        "2025-01-26",
        "2025-02-08",
        "2025-04-27",
        "2025-09-28",
        "2025-10-11",
        "2026-01-04",
        "2026-02-14",
        "2026-02-28",
        "2026-05-09",
        "2026-09-20",
        "2026-10-10",
        # 2011's last Saturday was worked for a day off in 2012.
        "2011-12-31",
    ],
)
def test_make_up_weekend_is_worked(day: str) -> None:
    parsed = date.fromisoformat(day)
    assert parsed.weekday() >= 5
    assert NATIONAL.is_working_day(parsed)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2024-02-10", "2024-02-17"),
        ("2024-04-04", "2024-04-06"),
        ("2024-05-01", "2024-05-05"),
        ("2024-09-15", "2024-09-17"),
        ("2024-10-01", "2024-10-07"),
        ("2025-01-28", "2025-02-04"),
        ("2025-05-01", "2025-05-05"),
        ("2025-05-31", "2025-06-02"),
        ("2025-10-01", "2025-10-08"),
        ("2026-01-01", "2026-01-03"),
        ("2026-02-15", "2026-02-23"),
        ("2026-05-01", "2026-05-05"),
        ("2026-09-25", "2026-09-27"),
        ("2026-10-01", "2026-10-07"),
    ],
)
def test_holiday_block_is_free_and_bounded(first: str, last: str) -> None:
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    block = [start + timedelta(days=n) for n in range((end - start).days + 1)]
    assert [day for day in block if NATIONAL.is_working_day(day)] == []
    outside = (start - timedelta(days=1), end + timedelta(days=1))
    assert all(NATIONAL.is_working_day(day) for day in outside)


def test_half_day_holidays_are_worked() -> None:
    # Women's Day and Youth Day free only some people for half a day.
    assert NATIONAL.is_working_day(date(2024, 3, 8))
    assert NATIONAL.is_working_day(date(2023, 5, 4))


@pytest.mark.parametrize(
    ("day", "n", "expected"),
    [
        ("2025-09-30", 1, "2025-10-09"),  # over National Day
        ("2025-10-10", 1, "2025-10-11"),  # into the worked Saturday
        ("2025-10-10", 2, "2025-10-13"),
        ("2025-01-25", 1, "2025-01-26"),  # a Saturday into the worked Sunday
        ("2025-01-27", 2, "2025-02-06"),  # over Spring Festival
        ("2024-02-29", 1, "2024-03-01"),  # leap day, Thursday
        ("2024-02-28", 1, "2024-02-29"),
        ("2025-12-31", 1, "2026-01-04"),  # year end, into the worked Sunday
        ("2024-12-31", 3, "2025-01-06"),
        ("2026-11-20", 1, "2026-11-23"),  # plain weekend
        ("2026-11-21", 0, "2026-11-21"),  # zero stays, even on a Saturday
    ],
)
def test_add_working_days(day: str, n: int, expected: str) -> None:
    reached = NATIONAL.add_working_days(date.fromisoformat(day), n)
    assert reached == date.fromisoformat(expected)


def test_adding_negative_days_is_refused() -> None:
    with pytest.raises(ValueError, match="不能是负数"):
        NATIONAL.add_working_days(date(2026, 1, 5), -1)


def test_overrides_win_both_ways_and_only_for_their_date() -> None:
    weekday, weekend, made_up, holiday = (
        date(2026, 11, 18),
        date(2026, 11, 21),
        date(2026, 10, 10),
        date(2026, 10, 1),
    )
    local = WorkCalendar({weekday: False, weekend: True, made_up: False, holiday: True})
    for day in (weekday, weekend, made_up, holiday):
        assert local.is_working_day(day) is not NATIONAL.is_working_day(day)
    assert local.is_working_day(date(2026, 11, 19))
    assert not local.is_working_day(date(2026, 11, 22))
    assert local.add_working_days(date(2026, 11, 17), 1) == date(2026, 11, 19)
    assert local.add_working_days(date(2026, 11, 20), 1) == weekend


def test_overrides_are_copied() -> None:
    overrides = {date(2026, 11, 18): False}
    local = WorkCalendar(overrides)
    overrides.clear()
    assert not local.is_working_day(date(2026, 11, 18))


def test_years_the_package_does_not_know() -> None:
    # Far ahead: statutory holidays yes, worked weekends no.
    assert not NATIONAL.is_working_day(date(2090, 10, 2))
    year = [date(2090, 1, 1) + timedelta(days=n) for n in range(365)]
    assert not any(NATIONAL.is_working_day(d) for d in year if d.weekday() >= 5)
    assert NATIONAL.is_working_day(date(1949, 10, 3))  # before the first notice
    assert not NATIONAL.is_working_day(date(1949, 10, 2))  # Sunday


MOMENT = datetime.datetime(2026, 11, 20, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    "call",
    [
        lambda: NATIONAL.is_working_day(MOMENT),
        lambda: NATIONAL.add_working_days(MOMENT, 1),
        lambda: NATIONAL.add_working_days(MOMENT, 0),
        lambda: WorkCalendar({MOMENT: True}),
    ],
)
def test_a_datetime_is_not_taken_for_a_date(call: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="需要日期而不是时间"):
        call()


def test_midnight_in_shanghai() -> None:
    last = datetime.datetime(2026, 11, 21, 15, 59, 59, tzinfo=UTC)
    assert shanghai_date(last) == date(2026, 11, 21)
    assert shanghai_date(last + timedelta(seconds=1)) == date(2026, 11, 22)
    assert end_of_day(date(2026, 11, 21)) == last
    assert end_of_day(date(2026, 11, 21)).tzinfo is UTC


def test_as_utc_converts_and_refuses_naive() -> None:
    moment = datetime.datetime(2026, 11, 21, 8, tzinfo=timezone(timedelta(hours=8)))
    assert as_utc(moment).isoformat() == "2026-11-21T00:00:00+00:00"
    with pytest.raises(ValueError, match="没有时区"):
        as_utc(moment.replace(tzinfo=None))


@given(st.dates(date(1900, 1, 1), date(2200, 1, 1)))
def test_end_of_day_is_the_last_second_of_that_day(day: date) -> None:
    end = end_of_day(day)
    assert shanghai_date(end) == day
    assert shanghai_date(end + timedelta(seconds=1)) == day + timedelta(days=1)


@settings(deadline=None)
@given(
    st.dates(date(2001, 1, 1), date(2040, 12, 31)),
    st.integers(1, 60),
    st.dictionaries(st.dates(date(2024, 1, 1), date(2026, 12, 31)), st.booleans()),
)
def test_nth_working_day_agrees_with_counting(
    day: date, n: int, overrides: dict[date, bool]
) -> None:
    calendar = WorkCalendar(overrides)
    reached = calendar.add_working_days(day, n)
    between = [day + timedelta(days=k) for k in range(1, (reached - day).days + 1)]
    assert sum(map(calendar.is_working_day, between)) == n
    assert calendar.is_working_day(reached)
