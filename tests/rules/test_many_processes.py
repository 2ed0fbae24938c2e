"""Fifty processes answer one ticket at once on PostgreSQL: one is taken, and no word is lost."""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import NullPool

import database
from models.ticket import Ticket
from models.ticket import TicketStatus as S
from models.ticket_file import TicketComment
from rules import ledger, workflow
from rules.actor import SYSTEM, Actor, acting_as
from rules.errors import Conflict
from tests.conftest import Backend, close, session_factory
from tests.factories.roads import brought_to
from tests.factories.world import World

PROCESSES = 50
FORK = multiprocessing.get_context("fork")


def answer(url: str, ticket_id: int, actor: Actor, number: int, start: Any, said: Any) -> None:
    """One process: say a word and accept, or the other way round; tell what became of it."""
    os.nice(10)  # the tests beside this one have to get on as well
    engine = create_engine(url, poolclass=NullPool)
    maker = sessionmaker(engine)
    database.install(maker)
    with maker() as session, acting_as(session, actor):
        session.connection()
        start.wait(60)
        deeds = [accept, comment] if number % 2 else [comment, accept]
        said.put((number, [deed(session, ticket_id, actor, number) for deed in deeds]))


def accept(session: Session, ticket_id: int, actor: Actor, number: int) -> str:
    """Answer the ticket in a transaction of its own."""
    try:
        ticket = session.scalars(select(Ticket).where(Ticket.id == ticket_id)).one()
        workflow.apply(session, ticket, "accept", actor, {"note": f"第{number}个"})
        session.commit()
    except Conflict:
        session.rollback()
        return "conflict"
    return "accepted"


def comment(session: Session, ticket_id: int, actor: Actor, number: int) -> str:
    """Write a word in a transaction of its own."""
    session.add(
        TicketComment(
            ticket_id=ticket_id,
            author_id=actor.user_id,
            author_name=actor.name,
            organization_name=actor.organization_name,
            text=f"第{number}句",
        )
    )
    session.commit()
    return "said"


@pytest.mark.postgresql
def test_fifty_processes_answer_one_ticket(postgresql_backend: Backend) -> None:
    backend = postgresql_backend
    backend.reset()
    with session_factory(backend.app)() as session, acting_as(session, SYSTEM):
        world = World(session)
        ticket_id = brought_to(world, S.DISPATCHED).id
        actor = world.actor("handler")
        session.commit()
    # No process may inherit a connection: they would speak over one another.
    close(backend.app)
    start, said = FORK.Barrier(PROCESSES), FORK.Queue()
    given = [(backend.url, ticket_id, actor, number, start, said) for number in range(PROCESSES)]
    processes = [FORK.Process(target=answer, args=each, daemon=True) for each in given]
    gc.freeze()  # else every process copies all that this one holds, by looking through it
    for each in processes:
        each.start()
    gc.unfreeze()
    outcomes = dict(said.get(timeout=120) for _each in processes)
    for each in processes:
        each.join(30)
    assert [each.exitcode for each in processes] == [0] * PROCESSES
    counted = Counter(word for words in outcomes.values() for word in words)
    assert counted == {"accepted": 1, "conflict": PROCESSES - 1, "said": PROCESSES}
    with session_factory(backend.app)() as session, acting_as(session, SYSTEM):
        ticket = session.get_one(Ticket, ticket_id)
        assert ticket.status is S.ACCEPTED
        events = ledger.events_of(session, ticket)
        assert ledger.faults(events) == []
        assert [each.action for each in events].count("accept") == 1
        texts = session.scalars(select(TicketComment.text)).all()
        assert sorted(texts) == sorted(f"第{number}句" for number in range(PROCESSES))
