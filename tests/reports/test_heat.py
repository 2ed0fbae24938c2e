"""The heat table: any two of matter, place and month, against counting by hand; whose counts they are."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, event, select
from sqlalchemy.orm import Session

from models.measure import TicketFact
from models.ticket import FINAL, Ticket, TicketStatus
from reports.heat import (
    COLUMNS,
    ROWS,
    Axis,
    Cases,
    Sought,
    Weight,
    behind,
    cases_of,
    heat,
    month_days,
)
from rules.actor import acting_as
from rules.problems import last_months
from rules.recurring import Level
from tests.factories.facts import LIGHTS, fact, facts
from tests.factories.world import World

LAST = dt.date(2026, 11, 22)
MONTHS = last_months(LAST, 6)
PAIRS = (
    (Axis.MATTER, Axis.MONTH),
    (Axis.MATTER, Axis.PLACE),
    (Axis.PLACE, Axis.MONTH),
)
#: Where facts lie, with the areas that they count for.
_ABOVE = {
    "A11": {Level.COMMUNITY: "A11", Level.TOWNSHIP: "A1", Level.COUNTY: "A"},
    "A12": {Level.COMMUNITY: "A12", Level.TOWNSHIP: "A1", Level.COUNTY: "A"},
    "A21": {Level.COMMUNITY: "A21", Level.TOWNSHIP: "A2", Level.COUNTY: "A"},
    "B11": {Level.COMMUNITY: "B11", Level.TOWNSHIP: "B1", Level.COUNTY: "B"},
    "A1": {Level.TOWNSHIP: "A1", Level.COUNTY: "A"},
}
_rows = st.lists(
    st.tuples(
        st.sampled_from(sorted(_ABOVE)),
        st.integers(-10, 260),
        st.sampled_from(("路灯", "井盖", None)),
        st.sampled_from((TicketStatus.CLOSED, TicketStatus.DISPATCHED, TicketStatus.MERGED)),
        st.booleans(),
    ),
    max_size=20,
)


@pytest.mark.parametrize(
    ("month", "first", "last"),
    [
        (202611, dt.date(2026, 11, 1), dt.date(2026, 11, 30)),
        (202612, dt.date(2026, 12, 1), dt.date(2026, 12, 31)),
        (202402, dt.date(2024, 2, 1), dt.date(2024, 2, 29)),
    ],
)
def test_days_of_a_month(month: int, first: dt.date, last: dt.date) -> None:
    assert month_days(month) == (first, last)


def test_months_go_back_over_the_year() -> None:
    assert last_months(dt.date(2026, 2, 28), 3) == [202512, 202601, 202602]
    assert last_months(dt.date(2026, 12, 1), 1) == [202612]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=_rows,
    pair=st.sampled_from(PAIRS),
    level=st.sampled_from(Level),
    weight=st.sampled_from(Weight),
)
def test_the_same_as_counting_by_hand(
    one_session: Session,
    one_world: World,
    rows: list[Any],
    pair: tuple[Axis, Axis],
    level: Level,
    weight: Weight,
) -> None:
    one_session.execute(delete(TicketFact))
    tickets = _pool(one_world)
    names = {code: one_world.place(code).name for code in ("A", "B", "A2", "B1", *_ABOVE)}
    months = set(MONTHS)
    by_hand: Counter[tuple[str, str]] = Counter()
    for ticket, (place, ago, matter, status, again) in zip(tickets, rows, strict=False):
        day = LAST - dt.timedelta(days=ago)
        fact(one_world, ticket, day, place, matter=matter, status=status, reopened=again)
        month = day.year * 100 + day.month
        counts = {
            Weight.RAISED: True,
            Weight.UNCLOSED: status not in FINAL,
            Weight.REOPENED: again,
        }[weight]
        above = _ABOVE[place].get(level)
        if month not in months or matter is None or status is TicketStatus.MERGED or not counts:
            continue
        at = {Axis.MATTER: matter, Axis.MONTH: str(month)}
        if above is not None:
            at[Axis.PLACE] = names[above]
        if pair[0] in at and pair[1] in at:
            by_hand[at[pair[0]], at[pair[1]]] += 1
    found = heat(one_session, Sought(pair[0], pair[1], level, weight, MONTHS))
    titles = dict(found.rows), dict(found.columns)
    seen = {
        (titles[0][row], titles[1][column]): number for (row, column), number in found.cells.items()
    }
    assert seen == dict(by_hand)
    assert not found.more


def _pool(world: World) -> list[Ticket]:
    """Return tickets to hang facts on, made once for all examples."""
    known: list[Ticket] = world.session.info.setdefault("pool", [])
    while len(known) < 20:
        known.append(world.draft())
    return list(known)


def test_the_most_come_first_and_the_rest_is_left_out(
    one_session: Session, one_world: World
) -> None:
    for number in range(ROWS + 1):
        facts(one_world, [LAST] * (1 + number % 3), matter=f"事项{number:02}")
    sought = Sought(Axis.MATTER, Axis.MONTH, Level.TOWNSHIP, Weight.RAISED, MONTHS)
    found = heat(one_session, sought)
    assert len(found.rows) == ROWS
    assert found.more
    totals = [
        sum(n for (row, _c), n in found.cells.items() if row == key) for key, _t in found.rows
    ]
    assert totals == sorted(totals, reverse=True)
    assert [key for key, _title in found.columns] == MONTHS
    assert COLUMNS >= 12


def test_an_area_and_a_matter_narrow(one_session: Session, one_world: World) -> None:
    facts(one_world, [LAST], "A11")
    facts(one_world, [LAST, LAST], "A21")
    facts(one_world, [LAST], "A11", matter="犬只管理")
    base = (Axis.PLACE, Axis.MONTH, Level.COMMUNITY, Weight.RAISED, MONTHS)
    total = {
        code: sum(heat(one_session, Sought(*base, one_world.place(code))).cells.values())
        for code in ("A", "A1", "A11", "A2", "B")
    }
    assert total == {"A": 4, "A1": 2, "A11": 2, "A2": 2, "B": 0}
    narrowed = Sought(*base, one_world.place("A1"), LIGHTS)
    assert sum(heat(one_session, narrowed).cells.values()) == 1


def test_counts_are_the_reader_s(one_session: Session, one_world: World) -> None:
    facts(one_world, [LAST], "A11")
    facts(one_world, [LAST], "A21")
    facts(one_world, [LAST], "B11", department_id=one_world.place("B-D1").id)
    sought = Sought(Axis.MATTER, Axis.PLACE, Level.TOWNSHIP, Weight.RAISED, MONTHS)
    for who, seen in (
        ("admin", 3), ("office", 2), ("township", 1), ("community", 1), ("officeb", 1),
        ("handler", 2), ("handler2", 0), ("unit", 0), ("auditor", 0),
    ):  # fmt: skip
        with acting_as(one_session, one_world.actor(who)):
            assert sum(heat(one_session, sought).cells.values()) == seen, who


def test_four_statements_at_most(one_session: Session, one_world: World) -> None:
    facts(one_world, [LAST] * 3)
    asked: list[str] = []
    event.listen(
        one_session.get_bind(), "before_cursor_execute", lambda *args: asked.append(args[2])
    )
    for pair in PAIRS:
        asked.clear()
        heat(one_session, Sought(*pair, Level.TOWNSHIP, Weight.RAISED, MONTHS))
        assert len(asked) <= 4, pair


# The tickets behind a number


@given(
    st.builds(
        Cases,
        st.sampled_from(Weight),
        st.dates(dt.date(2000, 1, 1)),
        st.dates(dt.date(2000, 1, 1)),
        st.none() | st.integers(1, 10**8),
        st.none() | st.text(min_size=1, max_size=60),
    )
)
def test_what_an_address_says_is_read_back(cases: Cases) -> None:
    assert cases_of(cases.written()) == cases


@pytest.mark.parametrize(
    "text",
    ["", "raised", "raised.2026-01-01.2026-01-02.1", "shiny.2026-01-01.2026-01-02.1.x",
     "raised.x.2026-01-02.1.x", "raised.2026-01-01.2026-01-02.-1.x",
     "raised.2026-01-01.2026-01-02.１.x", f"raised.2026-01-01.2026-01-02.1.{'长' * 301}"],
)  # fmt: skip
def test_anything_else_is_no_address(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the edge turns it into its own sentence
        cases_of(text)


def test_the_tickets_behind_are_those_in_reach(one_session: Session, one_world: World) -> None:
    mine, other = facts(one_world, [LAST], "A11"), facts(one_world, [LAST], "A21")
    # Facts hang on drafts here, which nobody but their own place sees.
    cases = Cases(Weight.RAISED, LAST, LAST, one_world.place("A").id, LIGHTS)
    found = select(Ticket.id).where(behind(one_session, cases)).order_by(Ticket.id)
    assert list(one_session.scalars(found)) == [*mine, *other]
    with acting_as(one_session, one_world.actor("township")):
        assert list(one_session.scalars(found)) == mine
    gone = Cases(Weight.RAISED, LAST, LAST, 10**6, LIGHTS)
    assert one_session.scalars(select(Ticket.id).where(behind(one_session, gone))).all() == []
