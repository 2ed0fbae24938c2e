"""The append-only ledger: chains that verify, every way of tampering found, nothing rewritten."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import DDL, delete, text, update
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from models.ledger import AuditEntry, Event
from models.ticket import Ticket
from models.ticket import TicketStatus as S
from rules import ledger
from rules.actor import SYSTEM, acting_as
from rules.chain_ends import broken_ends
from rules.ledger import GENESIS, LedgerIsAppendOnly
from rules.scope import UnreviewedStatement
from tests.conftest import Backend
from tests.factories.roads import brought_to, rate
from tests.factories.world import World

LOGS = [Event, AuditEntry]


def chain(session: Session, ticket: Ticket) -> list[Event]:
    session.expire_all()
    return ledger.events_of(session, ticket)


def verify(app: Flask) -> Any:
    """Run the command as a person would."""
    return app.test_cli_runner().invoke(args=["ledger", "verify"])


def drop_triggers(session: Session) -> None:
    """Take away what keeps the logs from being rewritten, as the owner of the database could."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        for verb in ("update", "delete"):
            connection.execute(text(f"DROP TRIGGER event_no_{verb}"))
    else:
        connection.execute(text("DROP TRIGGER event_append_only ON event"))


def test_a_chain_runs_from_the_first_step_to_the_last(session: Session, world: World) -> None:
    ticket = brought_to(world, S.RESOLVED)
    session.commit()
    steps = chain(session, ticket)
    assert [step.sequence for step in steps] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [step.previous_hash for step in steps] == [GENESIS, *(step.hash for step in steps[:-1])]
    assert len({step.hash for step in steps}) == 8
    assert ledger.faults(steps) == []


def test_each_record_has_a_chain_of_its_own(one_session: Session, one_world: World) -> None:
    one, other = one_world.raised(), one_world.raised()
    assert [step.sequence for step in chain(one_session, one)] == [1, 2]
    assert chain(one_session, other)[0].previous_hash == GENESIS


def test_an_instant_from_any_zone_verifies_after_it_was_stored(
    session: Session, world: World
) -> None:
    shanghai = dt.timezone(dt.timedelta(hours=8))
    ticket = world.draft()
    world.step(ticket, "raise", "community", now=dt.datetime(2026, 3, 1, 9, 0, tzinfo=shanghai))
    session.commit()
    steps = chain(session, ticket)
    assert steps[-1].at == dt.datetime(2026, 3, 1, 1, 0, tzinfo=dt.UTC)
    assert ledger.faults(steps) == []


def test_notes_and_data_of_every_kind_verify_after_they_were_stored(
    session: Session, world: World
) -> None:
    ticket = brought_to(world, S.RESOLVED)
    note = "第一行\r\n第二行\t“引号”\\ 𠮷 😀 1e5"
    rate(world, ticket, "township")
    world.step(ticket, "reopen", "office", fix_by=dt.date(2099, 1, 1), note=note)
    session.commit()
    steps = chain(session, ticket)
    assert steps[-1].note == note
    assert ledger.faults(steps) == []


def test_the_ledger_in_order_verifies(session: Session, world: World, app: Flask) -> None:
    brought_to(world, S.CLOSED)
    brought_to(world, S.RETURN_PENDING)
    world.agreement("A11", "A-U1", "1号")
    session.commit()
    answer = verify(app)
    assert (answer.exit_code, answer.output) == (0, "已核对 12 条流转链，0 处问题。\n")


#: How somebody with the database in hands might tamper with the fifth step of eight.
TAMPERING: dict[str, tuple[str, str]] = {
    "another note": ("UPDATE event SET note = '改' {}", "第5步（派单）：内容与指纹不符"),
    "another person": ("UPDATE event SET actor_name = '某' {}", "第5步（派单）：内容与指纹不符"),
    "another office": (
        "UPDATE event SET organization_id = 1 {}",
        "第5步（派单）：内容与指纹不符",
    ),
    "another state": (
        "UPDATE event SET to_status = 'closed' {}",
        "第5步（派单）：内容与指纹不符",
    ),
    "other data": ("UPDATE event SET data = '{{}}' {}", "第5步（派单）：内容与指纹不符"),
    "a step taken out": ("DELETE FROM event {}", "第6步（应哨签收）：序号应为5，中间缺少步骤"),
}


@pytest.mark.parametrize("how", TAMPERING)
def test_tampering_is_found(
    one_session: Session, one_world: World, sqlite: Backend, how: str
) -> None:
    session, ticket = one_session, brought_to(one_world, S.RESOLVED)
    drop_triggers(session)
    statement, sentence = TAMPERING[how]
    where = f"WHERE record_type = 'ticket' AND record_id = {ticket.id} AND sequence = 5"
    session.connection().execute(text(statement.format(where)))
    session.commit()
    assert any(sentence in fault for fault in ledger.faults(chain(session, ticket)))
    answer = verify(sqlite.app)
    assert answer.exit_code == 1
    assert f"ticket {ticket.id} {sentence}" in answer.output


def test_a_step_moved_in_time_is_found(session: Session, world: World, app: Flask) -> None:
    ticket = brought_to(world, S.RESOLVED)
    drop_triggers(session)
    fifth, sixth = chain(session, ticket)[4:6]
    for step, number in ((fifth, 99), (sixth, 5), (fifth, 6)):
        session.connection().execute(
            update(Event.__table__).where(Event.__table__.c.id == step.id).values(sequence=number)
        )
    session.commit()
    faults = ledger.faults(chain(session, ticket))
    assert any("与上一步的指纹不衔接" in fault for fault in faults)
    assert verify(app).exit_code == 1


def test_a_rewritten_hash_does_not_cover_a_rewritten_step(
    session: Session, world: World, app: Flask
) -> None:
    """Whoever mends one step's hash breaks the link to the next."""
    ticket = brought_to(world, S.RESOLVED)
    session.commit()
    drop_triggers(session)
    step = chain(session, ticket)[4]
    with session.no_autoflush:
        step.note = "改"
        forged = ledger.digest(step)
        session.expire(step)
    table = Event.__table__
    session.connection().execute(
        update(table).where(table.c.id == step.id).values(note="改", hash=forged)
    )
    session.commit()
    assert ledger.faults(chain(session, ticket)) == [
        f"ticket {ticket.id} 第6步（应哨签收）：与上一步的指纹不衔接。"
    ]
    assert verify(app).exit_code == 1


def test_a_chain_whose_end_was_cut_off_is_found(session: Session, world: World, app: Flask) -> None:
    """Its hashes hold, but the record stands where no step has brought it."""
    ticket = brought_to(world, S.RESOLVED)
    drop_triggers(session)
    table = Event.__table__
    for left in (6, 3, 0):
        cut = (table.c.record_type == "ticket") & (table.c.sequence > left)
        session.connection().execute(delete(table).where(cut))
        session.commit()
        assert ledger.faults(chain(session, ticket)) == []
        (sentence,) = broken_ends(session)
        assert sentence.startswith(f"ticket {ticket.id} 现为“待评价”")
        answer = verify(app)
        assert (answer.exit_code, sentence in answer.output) == (1, True)


def test_a_status_that_was_written_past_the_workflow_is_found(
    session: Session, world: World, app: Flask
) -> None:
    ticket = brought_to(world, S.RESOLVED)
    session.connection().execute(update(Ticket.__table__).values(status=S.CLOSED))
    session.commit()
    assert broken_ends(session) == [
        f"ticket {ticket.id} 现为“已销号”，流转记录最后一步却是“resolved”，"
        "可能缺少步骤或状态被改动。"
    ]
    assert verify(app).exit_code == 1


# Nothing is rewritten


REWRITES: dict[str, Callable[[type[Any]], Any]] = {
    "update": lambda log: update(log.__table__).values(actor_name="某"),
    "delete": lambda log: delete(log.__table__),
    "truncate": lambda log: DDL("TRUNCATE %(table)s", context={"table": log.__tablename__}),
}


def test_the_database_refuses_to_rewrite_a_log(session: Session, world: World) -> None:
    brought_to(world, S.PENDING_REVIEW)
    session.commit()
    for verb, log in itertools.product(REWRITES, LOGS):
        if verb == "truncate" and session.get_bind().dialect.name == "sqlite":
            continue  # SQLite empties a table by DELETE alone
        with pytest.raises(DatabaseError, match=f"{log.__tablename__} is append-only"):
            session.connection().execute(REWRITES[verb](log))
        session.rollback()


@pytest.mark.parametrize("log", LOGS)
def test_the_mapper_refuses_before_the_database_does(
    one_session: Session, one_world: World, log: type[Any]
) -> None:
    brought_to(one_world, S.PENDING_REVIEW)
    one_session.commit()
    line = one_session.query(log).first()
    line.actor_name = "某"
    with pytest.raises(LedgerIsAppendOnly):
        one_session.flush()
    one_session.rollback()
    one_session.delete(one_session.query(log).first())
    with pytest.raises(LedgerIsAppendOnly):
        one_session.flush()


@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize("account", ["admin", "auditor", "office"])
def test_no_role_may_rewrite_a_log_in_bulk(
    one_session: Session, one_world: World, log: type[Any], account: str
) -> None:
    brought_to(one_world, S.DISPATCHED)
    one_session.commit()
    with acting_as(one_session, one_world.actor(account)):
        for statement in (update(log).values(actor_name="某"), delete(log)):
            assert one_session.execute(statement).rowcount == 0
    assert one_session.query(log).where(log.actor_name == "某").count() == 0


@pytest.mark.parametrize("account", ["admin", "auditor", "office"])
def test_no_role_may_reach_a_log_past_its_class(
    one_session: Session, one_world: World, account: str
) -> None:
    with (
        acting_as(one_session, one_world.actor(account)),
        pytest.raises(UnreviewedStatement),
    ):
        one_session.execute(delete(Event.__table__))
    with acting_as(one_session, SYSTEM):
        assert one_session.query(Event).count() == 18
