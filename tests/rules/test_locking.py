"""Finding a record under its lock: one statement where rows have locks, and as it has become."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, joinedload

from bench.timing import statements
from models.ticket import Ticket
from models.ticket import TicketStatus as S
from rules import ledger, locking, workflow
from rules.actor import SYSTEM, Actor, acting_as
from rules.errors import Conflict
from tests.conftest import Backend, session_factory
from tests.factories.race import Job, race
from tests.factories.roads import brought_to
from tests.factories.world import World

MANY = 6


#: What a step's route asks for with a ticket: its class.
LOADS = (joinedload(Ticket.whistle_class, innerjoin=True),)


def accepting(ticket_id: int) -> Job:
    """Return a job that accepts a ticket as a request does."""

    def job(session: Session, actor: Actor) -> str:
        record = locking.found(session, Ticket, ticket_id, LOADS)
        return str(workflow.apply(session, record, "accept", actor, {}))

    return job


def test_what_is_found_under_its_lock_is_not_read_again(
    backend: Backend, session: Session, world: World
) -> None:
    ticket = brought_to(world, S.DISPATCHED)
    number = ticket.id
    session.commit()
    with statements(session.get_bind()) as seen:
        found = locking.found(session, Ticket, number, LOADS)
        locking.lock(session, found)
    selects = [each for each in seen if each.startswith("SELECT") and "FROM ticket" in each]
    assert found is ticket
    assert len(selects) == (1 if backend.name == "postgresql" else 2)


def test_the_next_transaction_locks_anew(session: Session, world: World) -> None:
    ticket = brought_to(world, S.DISPATCHED)
    locking.lock(session, ticket)
    assert locking.holds(session, ticket)
    session.commit()
    assert not locking.holds(session, ticket)
    locking.lock(session, ticket)
    session.rollback()
    assert not locking.holds(session, ticket)


def test_a_lock_goes_with_its_savepoint(session: Session, world: World) -> None:
    ticket = brought_to(world, S.DISPATCHED)
    session.commit()
    inner = session.begin_nested()
    locking.lock(session, ticket)
    assert locking.holds(session, ticket)
    inner.rollback()
    assert not locking.holds(session, ticket)


def test_of_many_that_find_it_under_its_lock_one_takes_the_step(
    backend: Backend, session: Session, world: World
) -> None:
    ticket = brought_to(world, S.DISPATCHED)
    session.commit()
    outcomes = race(backend, "handler", [accepting(ticket.id)] * MANY)
    lost = [each for each in outcomes if isinstance(each, Conflict)]
    assert len(lost) == MANY - 1, outcomes
    assert outcomes.count(S.ACCEPTED.value) == 1
    session.expire_all()
    assert ledger.faults(ledger.events_of(session, ticket)) == []


@pytest.mark.postgresql
def test_who_waited_sees_the_record_where_it_leads_now(postgresql_backend: Backend) -> None:
    """While they wait for the lock, the ticket comes under another class than was joined to it."""
    postgresql_backend.reset()
    with session_factory(postgresql_backend.app)() as session, acting_as(session, SYSTEM):
        ticket = brought_to(World(session), S.DISPATCHED)
        others = (each for each in ticket.whistle_class.mechanism.classes)
        other = next(each.id for each in others if each is not ticket.whistle_class)
        ticket_id = ticket.id
        session.commit()

    changed = threading.Event()

    def first(session: Session, actor: Actor) -> Any:
        with acting_as(session, SYSTEM):
            ticket = locking.found(session, Ticket, ticket_id, LOADS)
            assert ticket is not None
            ticket.whistle_class_id = other
            session.flush()
        changed.set()
        until_they_wait(session)
        return other, other

    def second(session: Session, actor: Actor) -> Any:
        assert changed.wait(60)
        ticket = locking.found(session, Ticket, ticket_id, LOADS)
        assert ticket is not None
        return ticket.whistle_class_id, ticket.whistle_class.id

    assert race(postgresql_backend, "office", [first, second, second]) == [(other, other)] * 3


def until_they_wait(session: Session) -> None:
    """Look, as often as it takes, until somebody waits for a lock; the lock may be asked for late."""
    asked = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    for _look in range(20_000):
        if session.connection().scalar(asked):
            return
    raise AssertionError("nobody came to wait")
