"""Matters that come back, and low ratings, are put before the office once (domain section 8)."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.grade import Grade
from models.measure import TicketFact
from models.mechanism import LowRating
from models.recurring import RecurringProblem
from models.supervision import (
    Supervision,
    SupervisionCause,
    SupervisionKind,
    SupervisionRule,
    SupervisionStatus,
)
from models.ticket import Ticket, TicketStatus
from presets.supervision import USUAL
from reports import facts
from rules import supervision
from rules.supervision_rules import stored
from tests.factories.orders import orders
from tests.factories.roads import brought_to as ticket_at
from tests.factories.roads import grades
from tests.factories.world import World

C = SupervisionCause
K = SupervisionKind
S = SupervisionStatus
DAY = dt.timedelta(days=1)
MATTER = "路灯安装与维修"


@pytest.fixture
def session(one_session: Session) -> Session:
    return one_session


@pytest.fixture
def world(one_world: World) -> World:
    return one_world


def found(session: Session) -> list[tuple[C, K, S]]:
    return [(each.cause, each.kind, each.status) for each in orders(session)]


# Again and again


def reported(world: World, times: int, ago: int = 0, place: str = "A11") -> list[Ticket]:
    """Let a place report the matter so many times, so many days ago."""
    who = {"A11": "community", "A12": "community2", "A21": "township2"}[place]
    made = []
    for _turn in range(times):
        item = world.item(MATTER) if place != "A21" else None
        ticket = world.draft(place, duty_item=item, duty_item_name=MATTER)
        world.step(ticket, "raise", who)
        made.append(ticket)
    facts.catch_up(world.session)
    world.session.flush()
    if ago:
        _back(world.session, made, ago)
    return made


def _back(session: Session, tickets: list[Ticket], days: int) -> None:
    for fact in session.scalars(
        select(TicketFact).where(TicketFact.ticket_id.in_([each.id for each in tickets]))
    ):
        fact.day -= dt.timedelta(days=days)
        fact.month = fact.day.year * 100 + fact.day.month
    session.flush()


def again(session: Session) -> list[tuple[str, str]]:
    return [
        (each.organization.name, each.matter) for each in orders(session) if each.cause is C.AGAIN
    ]


def test_a_matter_comes_back_from_so_many_times_on(session: Session, world: World) -> None:
    now = dt.datetime.now(dt.UTC)
    reported(world, 2)
    assert supervision.find(session, now) == 0
    numbers = [each.number for each in reported(world, 1, place="A12")]
    assert supervision.find(session, now) == 1
    assert again(session) == [("甲一镇", MATTER)]
    assert str(numbers[0]) in orders(session)[0].reason
    assert supervision.find(session, now) == 0, "twice"


def test_places_of_two_townships_are_not_counted_together(session: Session, world: World) -> None:
    reported(world, 2)
    assert supervision.find(session, dt.datetime.now(dt.UTC)) == 0
    assert again(session) == []


@pytest.mark.parametrize(("ago", "is_found"), [(89, True), (90, False)])
def test_only_the_days_that_the_rule_names_are_counted(
    session: Session, world: World, ago: int, is_found: bool
) -> None:
    reported(world, 1, ago)
    reported(world, 2)
    supervision.find(session, dt.datetime.now(dt.UTC))
    assert again(session) == ([("甲一镇", MATTER)] if is_found else [])


def test_the_county_says_how_often_is_again(session: Session, world: World) -> None:
    rule = SupervisionRule(
        organization=world.place("A"), ladder=stored(USUAL.ladder), again_times=2, again_days=10
    )
    session.add(rule)
    session.flush()
    reported(world, 2)
    supervision.find(session, dt.datetime.now(dt.UTC))
    assert again(session) == [("甲一镇", MATTER)]


def test_a_matter_that_a_problem_watches_over_is_in_hand(session: Session, world: World) -> None:
    reported(world, 3)
    problem = RecurringProblem(organization=world.place("A1"), title="路灯", matter=MATTER)
    session.add(problem)
    session.flush()
    supervision.find(session, dt.datetime.now(dt.UTC))
    assert again(session) == []


@pytest.mark.parametrize(("place", "lapses"), [("A1", True), ("A", True), ("A2", False)])
def test_a_proposal_is_taken_back_once_a_problem_watches_over_its_matter(
    session: Session, world: World, place: str, lapses: bool
) -> None:
    reported(world, 3)
    now = dt.datetime.now(dt.UTC)
    supervision.find(session, now)
    problem = RecurringProblem(organization=world.place(place), title="路灯", matter=MATTER)
    session.add(problem)
    session.flush()
    supervision.find(session, now)
    expected = S.DISMISSED if lapses else S.PROPOSED
    assert [each.status for each in orders(session)] == [expected]


def test_a_matter_that_was_dismissed_comes_back_once_the_days_are_over(
    session: Session, world: World
) -> None:
    reported(world, 3)
    now = dt.datetime.now(dt.UTC)
    supervision.find(session, now)
    world.step(orders(session)[0], "dismiss", "office", note="已列入改造")
    supervision.find(session, now + DAY)
    assert len(again(session)) == 1
    orders(session)[0].created_at = now - 90 * DAY
    orders(session)[0].key = "again:before"
    session.flush()
    supervision.find(session, now)
    assert len(again(session)) == 2


# Low ratings


def rated_low(world: World, action: LowRating = LowRating.SUPERVISE) -> Ticket:
    ticket = ticket_at(world, TicketStatus.RESOLVED)
    ticket.whistle_class.mechanism.low_action = action
    world.session.flush()
    world.step(ticket, "rate", "community", grades=grades(ticket, Grade.DISSATISFIED))
    return ticket


def test_a_low_rating_is_put_before_the_office_with_the_rating_itself(
    session: Session, world: World
) -> None:
    ticket = rated_low(world)
    assert found(session) == [(C.LOW_RATING, K.ORDINARY, S.PROPOSED)]
    assert orders(session)[0].ticket_id == ticket.id
    assert supervision.find(session, dt.datetime.now(dt.UTC)) == 0


def test_a_mechanism_that_does_not_supervise_proposes_nothing(
    session: Session, world: World
) -> None:
    rated_low(world, LowRating.REOPEN)
    assert supervision.find(session, dt.datetime.now(dt.UTC)) == 0


def test_a_rating_that_was_put_right_is_not_supervised(session: Session, world: World) -> None:
    ticket = rated_low(world)
    world.step(ticket, "amend_rating", "community", grades=grades(ticket), note="填错了")
    supervision.find(session, dt.datetime.now(dt.UTC))
    assert found(session) == [(C.LOW_RATING, K.ORDINARY, S.DISMISSED)]


def test_a_low_rating_from_before_is_found_by_the_sweep(session: Session, world: World) -> None:
    ticket = rated_low(world)
    session.execute(delete(Supervision))
    assert ticket.status is TicketStatus.REOPENED
    assert supervision.find(session, dt.datetime.now(dt.UTC)) == 1
