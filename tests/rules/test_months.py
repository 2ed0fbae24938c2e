"""Days as whole months and what is left of them; who reads sums of months."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.actor import acting_as
from rules.months import number, reads_counties, split
from tests.factories.world import World

DAYS = st.dates(dt.date(2025, 11, 20), dt.date(2026, 3, 10))
LATER = dt.date(2030, 1, 1)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@given(first=DAYS, length=st.integers(0, 120))
def test_days_are_split_into_months_and_what_is_left(first: dt.date, length: int) -> None:
    """Each day lies in one whole month or at one edge, and no other day in either."""
    last = first + dt.timedelta(days=length)
    parts = split(first, last, LATER)
    for offset in range(-40, length + 40):
        one = first + dt.timedelta(days=offset)
        kept = parts.months is not None and parts.months[0] <= number(one) <= parts.months[1]
        left = sum(begun <= one <= ended for begun, ended in parts.edges)
        assert kept + left == (first <= one <= last), one


@pytest.mark.parametrize(
    ("first", "last", "today", "months", "edges"),
    [
        ("2026-10-01", "2026-11-22", "2026-11-22", (202610, 202611), 0),
        ("2026-10-01", "2026-11-21", "2026-11-22", (202610, 202610), 1),
        ("2026-12-01", "2026-12-31", "2026-12-05", (202612, 202612), 0),
        ("2026-11-02", "2026-11-22", "2026-11-22", None, 1),
        ("2026-11-01", "2026-11-01", "2026-11-01", (202611, 202611), 0),
        ("2026-08-09", "2026-09-30", "2026-11-22", (202609, 202609), 1),
    ],
)
def test_a_month_that_runs_is_whole_with_today(
    first: str, last: str, today: str, months: tuple[int, int] | None, edges: int
) -> None:
    parts = split(day(first), day(last), day(today))
    assert (parts.months, len(parts.edges)) == (months, edges)


def test_only_who_reads_whole_counties_is_answered_by_sums(one_world: World) -> None:
    told = {}
    for who in ("admin", "leader", "office", "township", "community", "handler"):
        with acting_as(one_world.session, one_world.actor(who)):
            told[who] = reads_counties(one_world.session)
    assert [who for who, yes in told.items() if yes] == ["admin", "leader", "office"]
