"""Time in words: rounding, the moment of expiry, and dates around midnight."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.wording import duration, local, remaining

NOW = datetime(2026, 11, 21, 6, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (timedelta(days=2), "剩 2 天"),
        (timedelta(days=2, hours=23), "剩 2 天"),
        (timedelta(days=2) - timedelta(seconds=1), "剩 1 天"),
        (timedelta(days=1) - timedelta(seconds=1), "剩 23 小时"),
        (timedelta(hours=3, minutes=20), "剩 3 小时"),
        (timedelta(minutes=15), "剩 15 分钟"),
        (timedelta(minutes=1), "剩 1 分钟"),
        (timedelta(seconds=59), "剩不到 1 分钟"),
        (timedelta(0), "刚刚到期"),
        (timedelta(seconds=-59), "刚刚到期"),
        (timedelta(minutes=-1), "超期 1 分钟"),
        (timedelta(minutes=-40), "超期 40 分钟"),
        (timedelta(hours=-23, minutes=-59), "超期 23 小时"),
        (timedelta(days=-2, hours=-5), "超期 2 天"),
    ],
)
def test_remaining(left: timedelta, expected: str) -> None:
    assert remaining(NOW + left, NOW) == expected


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (timedelta(0), "不到 1 分钟"),
        (timedelta(seconds=59), "不到 1 分钟"),
        (timedelta(seconds=-59), "不到 1 分钟"),
        (timedelta(minutes=40), "40 分钟"),
        (timedelta(hours=1), "1 小时"),
        (timedelta(hours=1, minutes=5), "1 小时 5 分钟"),
        (timedelta(days=2, hours=3, minutes=59), "2 天 3 小时"),
        (timedelta(days=2, minutes=59), "2 天"),
        (timedelta(days=400), "400 天"),
        (timedelta(hours=-2), "−2 小时"),
    ],
)
def test_duration(length: timedelta, expected: str) -> None:
    assert duration(length) == expected


@pytest.mark.parametrize(
    ("moment", "day", "time"),
    [
        ("2026-11-21T06:05:59", "2026-11-21", "14:05"),
        ("2026-11-21T15:59:59", "2026-11-21", "23:59"),
        ("2026-11-21T16:00:00", "2026-11-22", "00:00"),
        ("2026-12-31T16:00:00", "2027-01-01", "00:00"),
        ("2024-02-28T16:30:00", "2024-02-29", "00:30"),
    ],
)
def test_local(moment: str, day: str, time: str) -> None:
    instant = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert local(instant) == f"{day} {time}"
    assert local(instant, with_time=False) == day


def test_naive_times_are_refused() -> None:
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(ValueError, match="没有时区"):
        local(naive)
    with pytest.raises(ValueError, match="没有时区"):
        remaining(naive, NOW)
    with pytest.raises(ValueError, match="没有时区"):
        remaining(NOW, naive)


@given(st.timedeltas(timedelta(days=-900), timedelta(days=900)))
def test_remaining_agrees_with_the_comparison_in_queries(left: timedelta) -> None:
    # Overdue is "deadline < now" there; words must never accuse earlier.
    text = remaining(NOW + left, NOW)
    assert text.startswith("剩") == (left > timedelta(0))
