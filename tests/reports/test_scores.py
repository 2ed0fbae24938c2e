"""Department scores against a slow and obvious computation; fairness; who reads whose."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from models.appeal import AppealStatus
from models.grade import Grade
from models.measure import GradeMonth, TicketFact
from models.rating import Rater, Rating
from models.ticket import Ticket
from reports.measures import Period
from reports.scores import Card, Scores, departments
from reports.shrinking import FLOOR, PRIOR
from rules.actor import SYSTEM, acting_as
from tests.factories.scored import DAY, Scored
from tests.factories.world import World

PERIOD = Period(DAY - dt.timedelta(days=20), DAY + dt.timedelta(days=20))
#: Two whole months, and some days of those beside them.
LONG = Period(dt.date(2026, 1, 20), dt.date(2026, 4, 12))
LOW, FAIR, GOOD, BEST = (
    Grade.DISSATISFIED,
    Grade.FAIR,
    Grade.SATISFIED,
    Grade.VERY_SATISFIED,
)
WORTH = {BEST: 100, GOOD: 85, FAIR: 60, LOW: 0}
READERS = {"admin": "AB", "office": "A", "leader": "A", "inspector": "A", "officeb": "B"}


@pytest.fixture
def scored(one_world: World) -> Scored:
    """Makes graded tickets."""
    return Scored(one_world)


# The slow way: every round of every ticket by itself


def slow(session: Session, counties: str, period: Period = PERIOD) -> dict[str, dict[str, Any]]:
    """Return by department's code: the scores of its rounds, its tickets, grades by dimension."""
    found: dict[str, dict[str, Any]] = {}
    facts = session.scalars(select(TicketFact)).all()
    days = {each.ticket_id: each.day for each in facts if each.current}
    for ticket in session.scalars(select(Ticket)):
        day = days.get(ticket.id)
        if day is None or not period.first <= day <= period.last:
            continue
        if ticket.organization.code[0] not in counties:
            continue
        latest: dict[Any, Rating] = {}
        for each in sorted(ticket.ratings, key=lambda one: one.revision):
            latest[each.organization_id, each.round, each.rater, each.dimension_id] = each
        rounds = defaultdict(list)
        for each in latest.values():
            rounds[each.organization.code, each.round, each.rater].append(each)
        for (code, _number, rater), grades in rounds.items():
            mine = found.setdefault(
                code, {"rounds": [], "tickets": set(), "led": [], "by_name": defaultdict(list)}
            )
            weight = sum(each.dimension.weight for each in grades)
            score = sum(WORTH[each.grade] * each.dimension.weight for each in grades) / weight
            if rater is Rater.LEAD:
                mine["led"].append(score)
                continue
            mine["rounds"].append(score)
            mine["tickets"].add(ticket.id)
            for each in grades:
                mine["by_name"][each.dimension.name].append(WORTH[each.grade])
    return {code: mine for code, mine in found.items() if mine["rounds"]}


def average(numbers: Any) -> float:
    some = list(numbers)
    return sum(some) / len(some)


def read(world: World, who: str, period: Period = PERIOD, **values: Any) -> Scores:
    with acting_as(world.session, world.actor(who)):
        return departments(world.session, period, **values)


def cards(world: World, who: str = "office", period: Period = PERIOD) -> dict[str, Card]:
    """Return cards by the department's code."""
    found = read(world, who, period).cards
    codes = {world.place(code).id: code for code in ("A-D1", "A-D2", "A-D3", "B-D1")}
    return {codes[each.id]: each for each in found}


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 10**6))
def test_scores_are_what_slow_counting_gives(
    one_session: Session, one_world: World, seed: int
) -> None:
    try:
        scored = Scored(one_world)
        scored.scatter(random.Random(seed), 25)
        scored.sum_up()
        for who, counties in READERS.items():
            for period in (PERIOD, LONG):
                _all_alike(one_session, one_world, who, counties, period)
    finally:
        one_session.rollback()


def test_sums_of_months_are_the_same_on_both_databases(session: Session, world: World) -> None:
    scored = Scored(world)
    scored.scatter(random.Random(7), 30)
    scored.sum_up()
    assert session.scalar(select(func.count(GradeMonth.id)))
    for who, counties in READERS.items():
        _all_alike(session, world, who, counties, LONG)


def _all_alike(session: Session, world: World, who: str, counties: str, period: Period) -> None:
    expected, found = slow(session, counties, period), cards(world, who, period)
    assert set(found) == set(expected), who
    everybody = [score for mine in expected.values() for score in mine["rounds"]]
    if not everybody:
        return
    mean = average(everybody)
    for code, mine in expected.items():
        _alike(found[code], mine, mean)


def _alike(card: Card, mine: dict[str, Any], mean: float) -> None:
    number = len(mine["rounds"])
    assert (card.rounds, card.tickets) == (number, len(mine["tickets"]))
    assert card.score == pytest.approx(average(mine["rounds"]))
    assert card.estimate is not None
    drawn = (PRIOR * mean + sum(mine["rounds"])) / (PRIOR + number)
    assert card.estimate.value == pytest.approx(drawn)
    assert card.estimate.low <= drawn <= card.estimate.high
    by_name = {each.name: each for each in card.dimensions}
    assert set(by_name) == set(mine["by_name"])
    for name, points in mine["by_name"].items():
        assert by_name[name].score == pytest.approx(average(points))
        assert by_name[name].rounds == len(points)
    assert card.by_leads_rounds == len(mine["led"])
    if mine["led"]:
        assert card.by_leads == pytest.approx(average(mine["led"]))


def test_each_version_weighs_its_own_tickets(scored: Scored, one_world: World) -> None:
    """Best in what weighs 70 of a hundred under the second version; under the first it weighs less."""
    first = scored.mechanism("A").dimensions
    for version in ("A", "A second"):
        scored.graded("A-D1", [BEST, LOW, LOW, LOW], version=version)
    weight = first[0].weight
    card = cards(one_world)["A-D1"]
    assert card.score == pytest.approx((weight + 70) / 2)
    assert card.dimensions[0].weight == pytest.approx((weight + 70) / 2)


def test_every_round_counts_and_each_as_it_stands(scored: Scored, one_world: World) -> None:
    (ticket,) = scored.graded("A-D1", LOW)
    scored.grade(ticket, "A-D1", FAIR, number=2)
    scored.grade(ticket, "A-D1", BEST, number=2, revision=2)
    card = cards(one_world)["A-D1"]
    assert (card.score, card.rounds, card.tickets) == (50, 2, 1)


def test_who_assists_is_scored_like_who_leads_and_what_leads_say_stands_apart(
    scored: Scored, one_world: World
) -> None:
    (ticket,) = scored.graded("A-D1", BEST)
    scored.grade(ticket, "A-D2", GOOD)
    scored.grade(ticket, "A-D2", LOW, rater=Rater.LEAD)
    card = cards(one_world)["A-D2"]
    assert (card.score, card.by_leads, card.by_leads_rounds) == (85, 0, 1)


def test_stars_stand_apart(scored: Scored, one_world: World) -> None:
    scored.graded("A-D1", LOW, stars=5)
    scored.graded("A-D1", LOW, stars=2)
    card = cards(one_world)["A-D1"]
    assert (card.score, card.stars, card.starred) == (0, 3.5, 2)


def test_a_corrected_grade_counts_at_once_and_a_pending_appeal_is_marked(
    scored: Scored, one_world: World
) -> None:
    (ticket,) = scored.graded("A-D1", FAIR)
    scored.appeal(ticket, "A-D1", AppealStatus.PENDING)
    card = cards(one_world)["A-D1"]
    assert (card.score, card.pending) == (60, 1)
    appeal = scored.appeal(ticket, "A-D1", AppealStatus.UPHELD)
    assert appeal.status is AppealStatus.UPHELD
    assert cards(one_world)["A-D1"].pending == 1
    scored.grade(ticket, "A-D1", GOOD, revision=2)
    assert cards(one_world)["A-D1"].score == 85


def test_the_period_before_stands_beside(scored: Scored, one_world: World) -> None:
    before = PERIOD.before()
    scored.graded("A-D1", FAIR, 2, day=before.last)
    scored.graded("A-D1", BEST, 2, day=PERIOD.first)
    scored.graded("A-D2", BEST, day=PERIOD.last)
    scored.graded("A-D3", BEST, day=PERIOD.last + dt.timedelta(days=1))
    found = cards(one_world)
    assert set(found) == {"A-D1", "A-D2"}
    assert found["A-D1"].before == pytest.approx(60)
    assert found["A-D2"].before is None


# Fairness


def test_one_perfect_rating_does_not_outrank_fifty_nearly_perfect_ones(
    scored: Scored, one_world: World
) -> None:
    scored.graded("A-D1", BEST)
    scored.graded("A-D2", [BEST, BEST, BEST, GOOD], 50)
    scored.graded("A-D3", FAIR, 20)
    found = cards(one_world)
    one, fifty = found["A-D1"], found["A-D2"]
    assert one.score > fifty.score
    assert one.estimate is not None
    assert fifty.estimate is not None
    assert one.estimate.value < fifty.estimate.value
    assert (one.rank, fifty.rank, found["A-D3"].rank) == (None, 1, 2)
    assert [each.id for each in read(one_world, "office").cards][-1] == one.id
    assert one.estimate.high - one.estimate.low > fifty.estimate.high - fifty.estimate.low


def test_the_floor_is_a_number_of_tickets(scored: Scored, one_world: World) -> None:
    scored.graded("A-D1", BEST, FLOOR)
    (ticket, *_others) = scored.graded("A-D2", BEST, FLOOR - 1)
    scored.grade(ticket, "A-D2", BEST, number=2)
    found = cards(one_world)
    assert (found["A-D1"].rank, found["A-D2"].rank) == (1, None)
    assert (found["A-D1"].enough, found["A-D2"].enough) == (True, False)


def test_who_shows_the_same_points_shares_a_place(scored: Scored, one_world: World) -> None:
    for code in ("A-D1", "A-D2"):
        scored.graded(code, GOOD, 6)
    scored.graded("A-D3", FAIR, 6)
    found = cards(one_world)
    assert [found[f"A-D{n}"].rank for n in (1, 2, 3)] == [1, 1, 3]


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.tuples(*[st.sampled_from([LOW, FAIR, GOOD, BEST])] * 3), min_size=FLOOR, max_size=9)
)
def test_more_of_the_same_turns_no_order(
    one_session: Session, one_world: World, rounds: list[tuple[Grade, ...]]
) -> None:
    """Departments with as many grades each: repeating all of them leaves the places as they are."""
    try:
        scored = Scored(one_world)
        found = []
        for _again in range(2):
            for grades in rounds:
                for code, grade in zip(("A-D1", "A-D2", "A-D3"), grades, strict=True):
                    scored.graded(code, grade)
            found.append(cards(one_world))
        first, second = found
        for one in first:
            for other in first:
                if first[one].score > first[other].score:
                    assert first[one].rank <= first[other].rank  # type: ignore[operator]
                    assert second[one].rank <= second[other].rank  # type: ignore[operator]
            assert first[one].score == pytest.approx(second[one].score)
    finally:
        one_session.rollback()


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from([LOW, FAIR, GOOD, BEST]), min_size=1, max_size=8))
def test_a_further_best_grade_lowers_nobody_who_gets_it(
    one_session: Session, one_world: World, grades: list[Grade]
) -> None:
    try:
        scored = Scored(one_world)
        for grade in grades:
            scored.graded("A-D1", grade)
            scored.graded("A-D2", FAIR)
        before = cards(one_world)["A-D1"].compared
        scored.graded("A-D1", BEST)
        assert cards(one_world)["A-D1"].compared >= before - 1e-9
    finally:
        one_session.rollback()


# Who reads whose


def test_a_handler_reads_his_own_department_alone_and_nothing_that_tells_of_others(
    scored: Scored, one_world: World
) -> None:
    scored.scatter(random.Random(7), 30)
    scored.graded("A-D2", GOOD)
    scored.graded("B-D1", GOOD, place="B11")
    (ticket,) = scored.graded("A-D2", GOOD)
    scored.grade(ticket, "A-D1", FAIR)
    whole = cards(one_world)
    for who, code in (("handler", "A-D1"), ("handler2", "A-D2"), ("handlerb", "B-D1")):
        found = read(one_world, who)
        (card,) = found.cards
        assert card.id == one_world.place(code).id
        assert (card.estimate, card.rank, found.mean) == (None, None, None)
        if code in whole:
            assert card.score == pytest.approx(whole[code].score)
            assert (card.rounds, card.tickets) == (whole[code].rounds, whole[code].tickets)
            assert card.dimensions == whole[code].dimensions


def test_who_reads_no_facts_reads_no_scores(scored: Scored, one_world: World) -> None:
    scored.graded("A-D1", BEST, 6)
    for who in ("unit", "auditor", "party", "returns", "duty"):
        assert read(one_world, who).cards == []


def test_a_county_may_be_asked_for_alone(scored: Scored, one_world: World) -> None:
    scored.graded("A-D1", BEST, 6)
    scored.graded("B-D1", BEST, 6, place="B11", version="B")
    found = read(one_world, "admin", county_id=one_world.place("B").id)
    assert [each.title for each in found.cards] == ["乙县住建局"]
    assert read(one_world, "office", county_id=one_world.place("B").id).cards == []


def test_nothing_graded_is_nothing_said(one_world: World) -> None:
    found = read(one_world, "office")
    assert (found.cards, found.mean) == ([], None)


# Cost


@pytest.mark.parametrize("who", ["office", "handler"])
def test_statements_do_not_grow_with_the_grades(scored: Scored, one_world: World, who: str) -> None:
    counts = []
    for number in (25, 60):
        scored.scatter(random.Random(number), number)
        one_world.session.flush()
        one_world.session.expire_all()
        actor = one_world.actor(who)
        seen: list[str] = []

        def note(*given: Any, seen: list[str] = seen) -> None:
            seen.append(given[2])

        engine = one_world.session.get_bind()
        event.listen(engine, "before_cursor_execute", note)
        try:
            with acting_as(one_world.session, actor):
                departments(one_world.session, PERIOD)
        finally:
            event.remove(engine, "before_cursor_execute", note)
        counts.append(len(seen))
    assert counts[1] <= counts[0] + 1
    assert counts[1] <= 13


def test_the_same_on_both_databases(session: Session, world: World) -> None:
    with acting_as(session, SYSTEM):
        Scored(world).scatter(random.Random(11), 30)
    expected, found = slow(session, "A"), cards(world)
    assert set(found) == set(expected)
    for code, mine in expected.items():
        assert found[code].score == pytest.approx(average(mine["rounds"]))
        assert found[code].tickets == len(mine["tickets"])
    (own,) = read(world, "handler").cards
    assert own.score == pytest.approx(found["A-D1"].score)
