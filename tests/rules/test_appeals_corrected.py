"""What a corrected grade does to a ticket that a low one had sent back; two who decide at once."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.appeal import RatingAppeal
from models.grade import Grade
from models.mechanism import LowRating
from models.ticket import AssignmentStatus, Ticket
from models.ticket import TicketStatus as S
from rules import clocks, ledger, workflow
from rules.actor import SYSTEM, Actor, acting_as, actor_of
from rules.errors import Conflict
from tests.conftest import Backend
from tests.factories.appeals import FRIDAY, appealed, better, rated, stands
from tests.factories.race import Job, race
from tests.factories.roads import brought_to, grades
from tests.factories.world import World

LOW, FAIR, GOOD = Grade.DISSATISFIED, Grade.FAIR, Grade.SATISFIED


# A low rating that had sent the ticket back


@pytest.fixture
def sent_back(one_world: World) -> Ticket:
    """A ticket that its low rating has sent back."""
    ticket = brought_to(one_world, S.RESOLVED)
    ticket.whistle_class.mechanism.low_action = LowRating.REOPEN
    one_world.step(ticket, "rate", "community", now=FRIDAY, grades=grades(ticket, LOW))
    assert (ticket.status, ticket.reopen_count) == (S.REOPENED, 1)
    return ticket


def agrees(session: Session, ticket: Ticket) -> None:
    found = clocks.replay(ledger.events_of(session, ticket))
    assert found.due == {clock: getattr(ticket, f"{clock}_due") for clock in clocks.CLOCKS}


def corrected(world: World, ticket: Ticket, who: str, grade: Grade = GOOD) -> RatingAppeal:
    appeal = appealed(world, ticket, FRIDAY, who)
    world.step(appeal, "correct", "office", now=FRIDAY, grades=better(appeal, grade), note="属实")
    return appeal


def test_a_correction_takes_back_what_the_low_rating_did(
    one_session: Session, one_world: World, sent_back: Ticket
) -> None:
    """Only when no department's grade is low any more."""
    corrected(one_world, sent_back, "handler")
    assert sent_back.status is S.REOPENED
    corrected(one_world, sent_back, "handler2")
    assert (sent_back.status, sent_back.reopen_count) == (S.RESOLVED, 0)
    assert {each.status for each in sent_back.assignments} != {AssignmentStatus.DISPATCHED}
    agrees(one_session, sent_back)
    one_world.step(sent_back, "close", "office")
    assert sent_back.status is S.CLOSED


def test_work_that_has_begun_again_goes_on(
    one_session: Session, one_world: World, sent_back: Ticket
) -> None:
    one_world.step(sent_back, "accept", "handler")
    corrected(one_world, sent_back, "handler")
    corrected(one_world, sent_back, "handler2")
    assert (sent_back.status, sent_back.reopen_count) == (S.ACCEPTED, 1)
    assert stands(sent_back, "A-D1") == {GOOD}
    agrees(one_session, sent_back)


def test_a_closed_ticket_is_corrected_too(one_session: Session, one_world: World) -> None:
    ticket = rated(one_world)
    one_world.step(ticket, "close", "office")
    corrected(one_world, ticket, "handler")
    assert (ticket.status, stands(ticket, "A-D1")) == (S.CLOSED, {GOOD})


# At once


def decide(number: int, action: str) -> Job:
    """Return a decision of the office."""

    def job(session: Session, actor: Actor) -> str:
        appeal = session.get_one(RatingAppeal, number)
        values = {"note": "有依据", "grades": better(appeal)}
        workflow.apply(session, appeal, action, actor, values, seen_status="pending")
        return action

    return job


def test_of_two_deciders_at_once_one_wins(backend: Backend, session: Session, world: World) -> None:
    ticket = rated(world)
    appeal = appealed(world, ticket, FRIDAY)
    number = appeal.id
    session.commit()
    outcomes = race(backend, "office", [decide(number, "correct"), decide(number, "uphold")] * 2)
    won = [each for each in outcomes if isinstance(each, str)]
    assert len(won) == 1, outcomes
    assert all(isinstance(each, Conflict) for each in outcomes if each not in won)
    session.expire_all()
    assert stands(ticket, "A-D1") == ({GOOD} if won == ["correct"] else {FAIR})
    assert [each.action for each in ledger.events_of(session, appeal)] == ["create", *won]


def filing(number: int) -> Job:
    """Return an appeal about a ticket."""

    def job(session: Session, actor: Actor) -> str:
        with acting_as(session, SYSTEM):
            actor = actor_of(session, World(session).account("handler"))
        appealed(World(session), session.get_one(Ticket, number), FRIDAY)
        return actor.name

    return job


def test_of_two_appeals_at_once_one_is_made(
    backend: Backend, session: Session, world: World
) -> None:
    number = rated(world).id
    session.commit()
    outcomes = race(backend, "handler", [filing(number)] * 3)
    assert sum(isinstance(each, str) for each in outcomes) == 1, outcomes
    session.expire_all()
    assert len(session.scalars(select(RatingAppeal)).all()) == 1
