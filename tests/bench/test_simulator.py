"""Simulated tickets are what the engine would have left: chains, steps, clocks, parties, numbers."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from bench.simulator import Simulator
from cli.simulate import simulate
from models.ledger import Event
from models.organization import OrganizationLine
from models.rating import Rating
from models.ticket import (
    AssignmentStatus,
    Ticket,
    TicketAssignment,
    TicketParty,
    TicketStatus,
)
from rules import clocks
from rules.actor import SYSTEM, acting_as
from rules.chain_ends import TicketCheck, broken_ends
from rules.ledger import faults
from rules.mechanisms import calendar
from rules.scope import reviewed
from rules.workflows.tickets import TICKETS
from tests.conftest import Backend, close, make_app, session_factory

TICKETS_MADE = 400
UNTIL = dt.date(2026, 11, 21)
TABLES = (Ticket, TicketAssignment, TicketParty, Event, Rating)


@pytest.fixture
def simulated(session: Session) -> Session:
    """A session on the world with simulated tickets."""
    Simulator(session, TICKETS_MADE, 3, UNTIL).run()
    return session


def chains(session: Session) -> dict[int, list[Event]]:
    """Return every ticket's events, by ticket."""
    found: dict[int, list[Event]] = {}
    ordered = select(Event).where(Event.record_type == "ticket")
    for each in session.scalars(ordered.order_by(Event.record_id, Event.sequence)):
        found.setdefault(each.record_id, []).append(each)
    return found


def test_every_chain_holds_and_ends_where_the_ticket_stands(simulated: Session) -> None:
    found = chains(simulated)
    tickets = simulated.scalars(select(Ticket)).all()
    assert len(found) == len(tickets) == TICKETS_MADE
    for ticket in tickets:
        assert faults(found[ticket.id]) == []
        assert found[ticket.id][-1].to_status == ticket.status.value


def test_every_step_is_one_that_the_table_allows(simulated: Session) -> None:
    taken: Counter[str] = Counter()
    for chain in chains(simulated).values():
        before = None
        for each in chain:
            assert each.from_status == before
            before = each.to_status
            if each.action == "create":
                assert (each.sequence, each.to_status) == (1, TICKETS.initial.value)
                continue
            step = TICKETS.step(each.action)
            assert step is not None
            assert each.from_status in {state.value for state in step.froms}
            if step.to is None:
                assert each.to_status == each.from_status
            elif not callable(step.to):
                assert each.to_status == step.to.value
            taken[each.action] += 1
    main_road = {
        "raise",
        "approve",
        "dispatch",
        "accept",
        "arrive",
        "report_result",
        "rate",
        "close",
    }
    side_roads = {
        "decline",
        "request_return",
        "approve_return",
        "refuse_return",
        "reopen",
        "assist_report",
    }
    assert main_road | side_roads <= set(taken)


def test_deadlines_are_those_that_the_events_give(simulated: Session) -> None:
    found = chains(simulated)
    for ticket in simulated.scalars(select(Ticket).where(Ticket.dispatched_at.is_not(None))):
        derived = clocks.replay(found[ticket.id]).due
        stored = {clock: getattr(ticket, f"{clock}_due") for clock in clocks.CLOCKS}
        assert stored == derived


def test_the_ledger_finds_nothing_wrong(simulated: Session) -> None:
    check = TicketCheck(simulated)
    said = [each for id, chain in chains(simulated).items() for each in check.add(id, chain)]
    assert said + check.finish() + broken_ends(simulated) == []


def test_warnings_are_those_that_settling_gives(simulated: Session) -> None:
    waiting = simulated.scalars(select(Ticket).where(Ticket.next_due.is_not(None))).all()
    assert waiting
    stored = {each.id: (each.next_due, each.next_warn) for each in waiting}
    for ticket in waiting:
        flag_modified(ticket, "respond_due")
        clocks.settle(ticket, lambda: calendar(simulated))
        assert stored[ticket.id] == (ticket.next_due, ticket.next_warn)
    simulated.expire_all()


def test_parties_are_the_raiser_its_areas_and_the_departments_at_work(simulated: Session) -> None:
    areas: dict[int, set[int]] = {}
    for line in simulated.scalars(select(OrganizationLine)):
        areas.setdefault(line.organization_id, set()).add(line.ancestor_id)
    for ticket in simulated.scalars(select(Ticket)):
        wanted = {(ticket.organization_id, "raiser")}
        wanted |= {(area, "area") for area in areas[ticket.organization_id]}
        wanted |= {
            (part.organization_id, part.role.value)
            for part in ticket.assignments
            if part.status is not AssignmentStatus.RETURNED
        }
        assert {(each.organization_id, each.relation.value) for each in ticket.parties} == wanted


def test_ratings_are_complete_and_nobody_dissatisfied_was_struck_off(simulated: Session) -> None:
    closed = simulated.scalars(select(Ticket).where(Ticket.status == TicketStatus.CLOSED)).all()
    assert closed
    for ticket in closed:
        last = [each for each in ticket.ratings if each.round == ticket.reopen_count + 1]
        active = [p for p in ticket.assignments if p.status is not AssignmentStatus.RETURNED]
        assert len(last) == 4 * len(active)
        assert not any(each.grade.value == "dissatisfied" for each in last)


def test_the_next_real_ticket_gets_the_next_number_and_an_id_of_its_own(world: Any) -> None:
    Simulator(world.session, TICKETS_MADE, 3, UNTIL).run()
    with acting_as(world.session, SYSTEM):
        top = world.session.scalar(select(func.max(Ticket.id)))
        draft = world.draft()
    assert draft.id == top + 1
    world.step(draft, "raise", "community", now=dt.datetime(2026, 11, 21, 11, tzinfo=dt.UTC))
    with acting_as(world.session, SYSTEM):
        place = world.place("A1").name
        pattern = f"{place}2026-%"
        numbers = world.session.scalars(
            select(Ticket.number).where(Ticket.number.like(pattern))
        ).all()
    assert draft.number == f"{place}2026-{len(numbers):04d}"


def fingerprint(session: Session) -> str:
    """Return a digest over every row that was written but for the audit."""
    made = hashlib.sha256()
    for model in TABLES:
        table: Table = model.__table__
        statement = select(table).order_by(table.c.id)
        for row in session.execute(statement, execution_options=reviewed("compares two runs")):
            made.update(repr(tuple(row)).encode())
    return made.hexdigest()


def test_the_same_seed_gives_the_same_rows_and_another_does_not(sqlite: Backend) -> None:
    prints = []
    for seed in (3, 3, 4):
        with session_factory(sqlite.app)() as session, acting_as(session, SYSTEM):
            Simulator(session, 60, seed, UNTIL).run()
            prints.append(fingerprint(session))
            session.rollback()
    assert prints[0] == prints[1] != prints[2]


def run(app: Flask, *words: object) -> Result:
    """Run the command."""
    return app.test_cli_runner().invoke(simulate, [str(word) for word in words])


def test_production_is_refused(sqlite: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sqlite.app.config, "ENVIRONMENT", "production")
    answer = run(sqlite.app, "--tickets", 5)
    assert (answer.exit_code, answer.output) == (1, "生产环境不能生成模拟数据。\n")


def test_a_database_with_tickets_asks_for_a_yes(sqlite: Backend) -> None:
    assert run(sqlite.app, "--tickets", 5).exit_code == 0
    answer = run(sqlite.app, "--tickets", 5)
    assert answer.exit_code == 1
    assert "--yes" in answer.output
    assert run(sqlite.app, "--tickets", 5, "--yes").exit_code == 0
    with session_factory(sqlite.app)() as session, acting_as(session, SYSTEM):
        assert session.scalar(select(func.count(Ticket.id))) == 10


def test_an_empty_database_gets_a_city_whose_people_can_work(tmp_path: Path) -> None:
    app = make_app(f"sqlite:///{tmp_path / 'empty.db'}", tmp_path)
    with app.app_context():
        flask_migrate.upgrade(directory=str(Path(app.root_path) / "migrations"))
    size = ("--counties", 1, "--townships", 1, "--communities", 2)
    assert run(app, "--tickets", 30, *size).exit_code == 2  # no password given
    answer = run(app, "--tickets", 30, *size, "--password", "pass-word-2026")
    assert answer.exit_code == 0, answer.output
    for name in ("admin", "office1", "township1-1", "community1-1-1", "handler1-1"):
        client = app.test_client()
        client.post("/login/", data={"username": name, "password": "pass-word-2026"})
        page = client.get("/tickets/list/")
        assert page.status_code == 200
        assert "兴宁" in page.text
    close(app)
