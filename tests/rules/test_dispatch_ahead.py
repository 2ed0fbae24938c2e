"""A dispatch that reads at once what it depends on comes out as one that asks for each thing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bench.timing import statements
from models.mechanism import CalendarOverride
from models.ticket import Ticket, TicketParty
from rules import clocks, ledger, locking, mechanisms, workflow
from rules.actor import SYSTEM, acting_as
from rules.mechanisms import asked_once
from rules.workflows import ticket_dispatch
from tests.factories.world import World

#: A Monday, four days before a day off that the administrator has declared.
NOW = dt.datetime(2026, 3, 2, 2, 0, tzinfo=dt.UTC)


def waiting(world: World) -> Ticket:
    """Return a ticket that waits for dispatch, of an item with a limit of its own."""
    ticket = world.raised(duty_item=world.item("路灯安装与维修"))
    world.reviewed(ticket)
    return ticket


def outcome(session: Session, ticket: Ticket) -> Any:
    """Return what a dispatch has made of a ticket: deadlines, departments, parties, what it says."""
    rows = session.scalars(select(TicketParty).where(TicketParty.ticket_id == ticket.id))
    data = ledger.events_of(session, ticket)[-1].data
    return (
        [getattr(ticket, f"{clock}_due") for clock in clocks.CLOCKS],
        [(part.organization_id, part.role, part.resolve_due) for part in ticket.assignments],
        sorted((each.organization_id, each.relation) for each in rows),
        data,
    )


def test_what_is_read_ahead_is_what_is_asked_for(
    session: Session, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with acting_as(session, SYSTEM):
        session.add(CalendarOverride(day=dt.date(2026, 3, 3), working=False))
        session.add(CalendarOverride(day=dt.date(2026, 3, 7), working=True))
        day = {"unit": "per_item", "amount": None}
        world.whistle_class("ordinary").resolve_term = day
        world.item("路灯安装与维修").time_limit = "3个工作日"
    ahead, singly = waiting(world), waiting(world)
    lead, office = world.place("A-D1"), world.actor("office")
    sent = {"lead": lead.id, "assisting": [world.place("A-D2").id]}
    session.commit()
    with acting_as(session, office), asked_once(session):
        locking.lock(session, ahead)
        assert ahead.duty_item_id
        with statements(session.get_bind()) as seen:
            ticket_dispatch.read(session, ahead, lead.id)
            assert ticket_dispatch.receiver(session, lead.id) is lead
            with acting_as(session, SYSTEM):
                mechanisms.calendar(session)
                clocks.asks_for_date(ahead, ahead.whistle_class)
        assert sum("duty_item" in each or "calendar_override" in each for each in seen) == 1
        workflow.apply(session, ahead, "dispatch", office, sent, now=NOW)
    assert ticket_dispatch.receiver(session, lead.id) is None
    with monkeypatch.context() as patched:
        patched.setattr(mechanisms, "is_asking", lambda _session: False)
        world.step(singly, "dispatch", "office", now=NOW, **sent)
    session.commit()
    with acting_as(session, SYSTEM):
        found, wanted = outcome(session, ahead), outcome(session, singly)
    assert found == wanted
    assert found[0][2] == dt.datetime(2026, 3, 6, 15, 59, 59, tzinfo=dt.UTC)
    assert len(found[2]) >= 5
