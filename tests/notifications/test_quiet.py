"""Quiet hours at their edges, over midnight and within a day; when daily mails leave."""

from __future__ import annotations

import datetime as dt

import pytest

from notifications.quiet import NIGHT, Hours, free_from, last_digest, next_digest, read
from rules.calendar import SHANGHAI


def at(text: str) -> dt.datetime:
    """Return an instant in Shanghai of November 2026: "23 07:00"."""
    day, time = text.split()
    return dt.datetime.fromisoformat(f"2026-11-{day}T{time}").replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("hours", "asked", "free"),
    [
        (NIGHT, "23 21:59:59", "23 21:59:59"),
        (NIGHT, "23 22:00", "24 07:00"),
        (NIGHT, "23 23:59:59", "24 07:00"),
        (NIGHT, "24 00:00", "24 07:00"),
        (NIGHT, "24 06:59:59", "24 07:00"),
        (NIGHT, "24 07:00", "24 07:00"),
        (NIGHT, "30 22:30", "30 22:30+"),
        (Hours(12 * 60, 14 * 60), "23 11:59", "23 11:59"),
        (Hours(12 * 60, 14 * 60), "23 12:00", "23 14:00"),
        (Hours(12 * 60, 14 * 60), "23 14:00", "23 14:00"),
        (Hours(0, 6 * 60), "23 00:00", "23 06:00"),
        (Hours(0, 6 * 60), "23 23:59", "23 23:59"),
        (Hours(18 * 60, 0), "23 18:00", "24 00:00"),
        (Hours(18 * 60, 0), "23 00:00", "23 00:00"),
        (Hours(8 * 60, 8 * 60), "23 08:00", "23 08:00"),
        (None, "23 03:00", "23 03:00"),
    ],
)
def test_the_first_instant_that_is_not_quiet(hours: Hours | None, asked: str, free: str) -> None:
    if free.endswith("+"):
        # Over the end of a month.
        assert (
            free_from(hours, at(asked)).astimezone(SHANGHAI).isoformat()[:16] == "2026-12-01T07:00"
        )
    else:
        assert free_from(hours, at(asked)) == at(free)
        assert free_from(hours, at(asked).astimezone(dt.UTC)).tzinfo is dt.UTC


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("22:00", "07:00", NIGHT),
        ("00:00", "00:00", Hours(0, 0)),
        ("23:59", "00:01", Hours(23 * 60 + 59, 1)),
        (None, "07:00", None),
        ("22:00", None, None),
        ("24:00", "07:00", None),
        ("7:00", "08:00", None),
        ("夜里", "早上", None),
    ],
)
def test_hours_as_they_are_kept(start: str | None, end: str | None, found: Hours | None) -> None:
    assert read(start, end) == found


@pytest.mark.parametrize(
    ("now", "last", "following"),
    [
        ("23 07:59:59", "22 08:00", "23 08:00"),
        ("23 08:00", "23 08:00", "24 08:00"),
        ("23 08:00:01", "23 08:00", "24 08:00"),
        ("23 00:00", "22 08:00", "23 08:00"),
    ],
)
def test_daily_mails_leave_at_eight(now: str, last: str, following: str) -> None:
    assert last_digest(at(now)) == at(last)
    assert next_digest(at(now)) == at(following)
