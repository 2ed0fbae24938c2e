"""Matters that come back: the rule at its edges, against a slow count, and what it suggests."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, event
from sqlalchemy.orm import Session

from models.measure import TicketFact
from models.organization import OrganizationKind as K
from models.recurring import RecurringProblem, Remedy
from models.ticket import Channel, TicketStatus
from rules import workflow
from rules.actor import SYSTEM, acting_as
from rules.recurring import NAMED, NOT_COUNTED, Found, Level, Signs, found, suggest, untied
from tests.conftest import Backend, session_factory
from tests.factories.facts import LIGHTS, fact, facts
from tests.factories.world import World

#: Noon in Shanghai.
NOON = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 22)
DAY = dt.timedelta(days=1)


def days(*ago: int) -> list[dt.date]:
    return [TODAY - each * DAY for each in ago]


def look(session: Session, times: int = 3, window: int = 90, **more: Any) -> list[Found]:
    return found(session, None, NOON, times, window, **more)


def test_one_fewer_is_not_again(one_session: Session, one_world: World) -> None:
    facts(one_world, days(1, 2))
    assert look(one_session) == []
    facts(one_world, days(40))
    (only,) = look(one_session)
    assert (only.count, only.first, only.last) == (3, TODAY - 40 * DAY, TODAY - DAY)
    assert only.area_id == one_world.place("A1").id
    assert only.matter == LIGHTS


def test_the_days_end_with_today_and_begin_that_many_before(
    one_session: Session, one_world: World
) -> None:
    """Ninety days: today, and the eighty-nine before it."""
    facts(one_world, days(0, 1, 89))
    assert [each.count for each in look(one_session, 3, 90)] == [3]
    assert look(one_session, 3, 89) == []
    assert [each.count for each in look(one_session, 1, 1)] == [1]
    facts(one_world, [TODAY + DAY])
    assert [each.count for each in look(one_session, 3, 90)] == [3], "nothing of tomorrow"


def test_the_day_is_shanghai_s(one_session: Session, one_world: World) -> None:
    facts(one_world, days(0, 0, 0))
    before = dt.datetime(2026, 11, 21, 15, 59, tzinfo=dt.UTC)  # still the 21st there
    assert found(one_session, None, before, 3, 90) == []
    assert len(found(one_session, None, before + dt.timedelta(minutes=1), 3, 90)) == 1


def test_days_cross_months_and_the_year(one_session: Session, one_world: World) -> None:
    facts(one_world, [dt.date(2025, 12, 31), dt.date(2026, 1, 1), dt.date(2025, 11, 30)])
    now = dt.datetime(2026, 1, 2, 4, tzinfo=dt.UTC)
    (only,) = found(one_session, None, now, 3, 34)
    assert (only.first, only.signs.months) == (dt.date(2025, 11, 30), 3)
    assert found(one_session, None, now, 3, 33) == []


@pytest.mark.parametrize("status", list(TicketStatus))
def test_what_counts_as_an_occurrence(
    one_session: Session, one_world: World, status: TicketStatus
) -> None:
    facts(one_world, days(1, 2, 3), status=status)
    out = {"draft", "withdrawn", "declined", "merged"}
    assert {each.value for each in NOT_COUNTED} == out
    assert len(look(one_session)) == (0 if status.value in out else 1)


def test_a_department_that_had_the_ticket_before_does_not_count_it_twice(
    one_session: Session, one_world: World
) -> None:
    ids = facts(one_world, days(1, 2, 3))
    with acting_as(one_session, SYSTEM):
        for each in one_session.query(TicketFact):
            each.current = each.ticket_id != ids[0]
    one_session.flush()
    assert look(one_session) == []


def test_without_a_matter_nothing_is_found(one_session: Session, one_world: World) -> None:
    facts(one_world, days(1, 2, 3), matter=None)
    assert look(one_session) == []


def test_places_are_apart_and_together_one_level_up(one_session: Session, one_world: World) -> None:
    facts(one_world, days(1, 2), "A11")
    facts(one_world, days(3), "A12")
    facts(one_world, days(4), "A21")
    facts(one_world, days(4), "B11")
    place = {each.code: each.id for each in map(one_world.place, ("A", "A1", "A11", "B"))}
    assert [each.area_id for each in look(one_session, level=Level.COMMUNITY)] == []
    township = look(one_session, level=Level.TOWNSHIP)
    assert [(each.area_id, each.count) for each in township] == [(place["A1"], 3)]
    county = look(one_session, level=Level.COUNTY)
    assert [(each.area_id, each.count) for each in county] == [(place["A"], 4)]
    assert (county[0].signs.places, county[0].signs.most) == (2, 3)
    assert (township[0].signs.places, township[0].signs.most) == (2, 2)


def test_a_grid_s_whistles_are_its_community_s(one_session: Session, one_world: World) -> None:
    facts(one_world, days(1, 2), "A11")
    facts(one_world, days(3), "A111")
    (only,) = look(one_session, level=Level.COMMUNITY)
    assert only.area_id == one_world.place("A11").id


def test_the_newest_tickets_are_named(one_session: Session, one_world: World) -> None:
    ids = facts(one_world, days(*range(NAMED + 5)))
    (only,) = look(one_session)
    assert only.count == NAMED + 5
    assert only.ticket_ids == tuple(ids[:NAMED])


def test_areas_a_matter_and_a_limit_narrow(one_session: Session, one_world: World) -> None:
    facts(one_world, days(1, 2, 3), "A11")
    facts(one_world, days(1, 2, 3, 4), "A21")
    facts(one_world, days(1, 2, 3), "A11", matter="犬只管理")
    a1, a2 = one_world.place("A1").id, one_world.place("A2").id
    assert [each.area_id for each in look(one_session)] == [a2, a1, a1]
    assert [each.area_id for each in look(one_session, limit=1)] == [a2]
    assert {each.area_id for each in found(one_session, [a1], NOON, 3, 90)} == {a1}
    assert found(one_session, [], NOON, 3, 90) == []
    assert [each.matter for each in look(one_session, matter="犬只管理")] == ["犬只管理"]


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("office", {"A1": 4, "A2": 3}),
        ("township", {"A1": 4}),
        ("community", {"A1": 3}),
        ("officeb", {"B1": 3}),
        ("handler", {"A1": 4, "A2": 3}),
        ("handler2", {}),
        ("unit", {}),
        ("auditor", {}),
    ],
)
def test_only_whistles_that_the_reader_may_count(
    one_session: Session, one_world: World, who: str, seen: dict[str, int]
) -> None:
    for place, times in (("A11", 3), ("A12", 1), ("A21", 3)):
        facts(one_world, days(*range(times)), place)
    facts(one_world, days(1, 2, 3), "B11", department_id=one_world.place("B-D1").id)
    codes = {one_world.place(code).id: code for code in ("A1", "A2", "B1")}
    with acting_as(one_session, one_world.actor(who)):
        matters = look(one_session)
    assert {codes[each.area_id]: each.count for each in matters} == seen


def test_three_statements_however_many_are_found(one_session: Session, one_world: World) -> None:
    asked: list[str] = []
    bind = one_session.get_bind()
    for number in range(6):
        facts(one_world, days(1, 2, 3), matter=f"事项{number}")
    event.listen(bind, "before_cursor_execute", lambda *args: asked.append(args[2]))
    assert len(look(one_session)) == 6
    assert len(asked) == 3, asked
    asked.clear()
    assert [each.ticket_ids for each in look(one_session, named=0)] == [()] * 6
    assert len(asked) == 2, asked


# Against a slow count

_PLACES = ("A11", "A111", "A12", "A21", "B11", "A1")
_LINES = {
    Level.COMMUNITY: {"A11": "A11", "A111": "A11", "A12": "A12", "A21": "A21", "B11": "B11"},
    Level.TOWNSHIP: {
        "A11": "A1", "A111": "A1", "A12": "A1", "A21": "A2", "B11": "B1", "A1": "A1",
    },
    Level.COUNTY: {
        "A11": "A", "A111": "A", "A12": "A", "A21": "A", "B11": "B", "A1": "A",
    },
}  # fmt: skip
_facts = st.lists(
    st.tuples(
        st.sampled_from(_PLACES),
        st.integers(-1, 40),
        st.sampled_from(("路灯", "井盖", None)),
        st.sampled_from((TicketStatus.CLOSED, TicketStatus.DISPATCHED, TicketStatus.WITHDRAWN)),
        st.booleans(),
    ),
    max_size=24,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=_facts, times=st.integers(1, 4), window=st.integers(1, 35))
def test_the_same_as_counting_by_hand(
    one_session: Session, one_world: World, rows: list[Any], times: int, window: int
) -> None:
    one_session.execute(delete(TicketFact))
    tickets = _pool(one_world)
    codes = {one_world.place(code).id: code for code in ("A", "B", "A1", "A2", "B1", *_PLACES)}
    for ticket, (place, ago, matter, status, now) in zip(tickets, rows, strict=False):
        day = TODAY - ago * DAY
        fact(one_world, ticket, day, place, matter=matter, status=status, current=now)
    for level, above in _LINES.items():
        by_hand: dict[tuple[str, str], list[tuple[dt.date, int]]] = defaultdict(list)
        for ticket, (place, ago, matter, status, now) in zip(tickets, rows, strict=False):
            fits = 0 <= ago < window and status is not TicketStatus.WITHDRAWN and now
            if fits and matter and place in above:
                by_hand[above[place], matter].append((TODAY - ago * DAY, ticket.id))
        expected = {
            key: (len(each), min(each)[0], max(each)[0], [t for _d, t in sorted(each)[::-1]])
            for key, each in by_hand.items()
            if len(each) >= times
        }
        seen = {
            (codes[each.area_id], each.matter): (
                each.count,
                each.first,
                each.last,
                list(each.ticket_ids),
            )
            for each in look(one_session, times, window, level=level)
        }
        assert seen == expected


def _pool(world: World) -> list[Any]:
    """Return tickets to hang facts on, made once for all examples."""
    known = world.session.info.setdefault("pool", [])
    while len(known) < 24:
        known.append(world.draft())
    return list(known)


# What is watched over already


def problem(world: World, place: str, matter: str = LIGHTS, **more: Any) -> RecurringProblem:
    with acting_as(world.session, SYSTEM):
        made = RecurringProblem(
            organization=world.place(place), title=matter, matter=matter, **more
        )
        world.session.add(made)
        world.session.flush()
        workflow.begin(world.session, made, SYSTEM)
        world.session.flush()
    return made


def test_a_problem_of_the_place_or_above_watches_over_a_matter(
    one_session: Session, one_world: World
) -> None:
    facts(one_world, days(1, 2, 3), "A11")
    facts(one_world, days(1, 2, 3), "A21")
    matters = look(one_session)
    assert untied(one_session, matters) == matters
    first = problem(one_world, "A1")
    a2 = one_world.place("A2").id
    assert [each.area_id for each in untied(one_session, matters)] == [a2]
    problem(one_world, "A", "犬只管理")
    assert [each.area_id for each in untied(one_session, matters)] == [a2], "another matter"
    problem(one_world, "A11")
    assert [each.area_id for each in untied(one_session, matters)] == [a2], "below is not above"
    problem(one_world, "A")
    assert untied(one_session, matters) == []
    one_world.step(first, "drop", "office", note="并入县级")
    assert untied(one_session, matters) == []


def test_what_was_dropped_is_found_again(one_session: Session, one_world: World) -> None:
    facts(one_world, days(1, 2, 3), "A11")
    first = problem(one_world, "A1")
    assert untied(one_session, look(one_session)) == []
    one_world.step(first, "drop", "office", note="误立")
    assert len(untied(one_session, look(one_session))) == 1


# What is suggested


@pytest.mark.parametrize(
    ("signs", "remedy"),
    [
        (Signs(5, Level.TOWNSHIP, listed=False, places=3, most=5), Remedy.DUTY_LIST),
        (Signs(10, Level.TOWNSHIP, places=3, most=6), Remedy.PROJECT),
        (Signs(10, Level.TOWNSHIP, places=3, most=5, patrolled=6), Remedy.PATROL),
        (Signs(10, Level.TOWNSHIP, places=3, most=5, months=3), Remedy.PATROL),
        (Signs(10, Level.TOWNSHIP, places=3, most=5, months=2, voiced=6), Remedy.PUBLICITY),
        (Signs(10, Level.TOWNSHIP, places=2, most=5, months=2, voiced=6), Remedy.OTHER),
        (Signs(10, Level.TOWNSHIP, places=3, most=5, months=2, voiced=5), Remedy.OTHER),
        (Signs(10, Level.TOWNSHIP, places=1, most=10), Remedy.PROJECT),
        (Signs(10, Level.COMMUNITY, places=1, most=10), Remedy.PROJECT),
        (Signs(10, Level.COMMUNITY, places=1, most=10, patrolled=6), Remedy.PATROL),
        (Signs(10, Level.COMMUNITY, places=1, most=10, months=4), Remedy.PATROL),
    ],
)
def test_the_remedy_follows_from_the_signs(signs: Signs, remedy: Remedy) -> None:
    suggestion = suggest(signs)
    assert suggestion.remedy is remedy
    assert str(suggestion).endswith("。")
    assert "%" not in str(suggestion)


@given(
    st.builds(
        Signs,
        count=st.integers(1, 50),
        level=st.sampled_from(Level),
        listed=st.booleans(),
        patrolled=st.integers(0, 50),
        voiced=st.integers(0, 50),
        months=st.integers(1, 12),
        places=st.integers(0, 20),
        most=st.integers(0, 50),
    )
)
def test_there_is_always_a_reason(signs: Signs) -> None:
    suggestion = suggest(signs)
    assert str(suggestion)
    assert (suggestion.remedy is Remedy.DUTY_LIST) == (not signs.listed)


def test_signs_are_read_off_the_whistles(one_session: Session, one_world: World) -> None:
    facts(one_world, days(1, 40, 80), "A11", channel=Channel.PATROL)
    facts(one_world, days(2), "A12", channel=Channel.HOTLINE)
    (listed,) = look(one_session)
    assert listed.signs == Signs(4, Level.TOWNSHIP, True, 3, 1, 3, 2, 3)
    facts(one_world, days(1, 2, 3), "A11", matter="无人机扰民")
    other = next(each for each in look(one_session) if each.matter == "无人机扰民")
    assert not other.signs.listed


def test_both_databases_agree(backend: Backend) -> None:
    """Windows, distinct counts and pairs of values are written differently on each."""
    with session_factory(backend.app)() as session, acting_as(session, SYSTEM):
        world = World(session)
        ids = facts(world, days(0, 1, 31), "A11")
        ids += facts(world, days(5), "A12", channel=Channel.PATROL)
        facts(world, days(6), "A21")
        (only,) = look(session)
        assert (only.area_id, only.count) == (world.place("A1").id, 4)
        assert only.ticket_ids == (ids[0], ids[1], ids[3], ids[2])
        assert only.signs == Signs(4, Level.TOWNSHIP, True, 1, 0, 2, 2, 3)
        with acting_as(session, world.actor("community")):
            (own,) = look(session)
        assert own.count == 3
        assert {each.kind for each in [world.place("A1")]} == {K.TOWNSHIP}
