"""Queues hold what their states and the gate say, whichever way they are found, on both databases."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from models.queue import TICKET_HELPING
from models.ticket import FINAL, PartyRelation, Ticket, TicketParty
from models.ticket import TicketStatus as S
from rules.actor import SYSTEM, acting_as
from rules.queues import Waiting, has_own, numbers, waiting
from rules.scope import reviewed
from rules.ticket_lists import OPEN, past_due
from tests.factories.roads import ASSISTING, LEAD, brought_to
from tests.factories.world import World

ACCOUNTS = ("office", "returns", "township", "township2", "community", "community2", "handler",
            "handler2", "unit", "officeb", "inspector", "leader", "admin", "auditor")  # fmt: skip
WAITS = tuple(each for each in S if each not in FINAL)


@pytest.fixture
def city(session: Session, world: World) -> World:
    """Two tickets in each state, the later one late."""
    for status in S:
        for late in (False, True):
            ticket = brought_to(world, status)
            if late and status in OPEN:
                ticket.next_due = ticket.created_at - dt.timedelta(hours=1)
    session.commit()
    return world


def plainly(session: Session, test: ColumnElement[bool], order: Any = Ticket.id) -> list[int]:
    """Return what the gate lets through of all tickets that pass, in order."""
    return list(session.scalars(select(Ticket.id).where(test).order_by(order, Ticket.id)))


def helpers(session: Session, ticket: Ticket) -> set[int]:
    """Return which organisations the database knows to help with a ticket."""
    session.flush()
    kept = select(TICKET_HELPING.c.organization_id).where(TICKET_HELPING.c.ticket_id == ticket.id)
    return set(session.scalars(kept, execution_options=reviewed("looks what triggers kept")))


def test_a_queue_is_what_the_gate_lets_through(session: Session, city: World) -> None:
    by_deadline = func.coalesce(Ticket.next_due, Ticket.created_at)
    seen = 0
    for actor in (SYSTEM, *map(city.actor, ACCOUNTS)):
        with acting_as(session, actor):
            for states in (*((each,) for each in WAITS), WAITS):
                expected = plainly(session, Ticket.status.in_(states))
                assert waiting(session, Waiting(states), rows=99) == (expected, len(expected))
                newest = waiting(session, Waiting(states), rows=1, descending=True)
                assert newest == (expected[:-2:-1], len(expected))
                placed = waiting(session, Waiting(states), rows=99, order=by_deadline)
                assert placed[0] == plainly(session, Ticket.status.in_(states), by_deadline)
                seen += len(expected)
            late = waiting(session, Waiting(OPEN, late=True), rows=99)[0]
            assert late == plainly(session, past_due())
    assert seen > len(WAITS) * 10


def test_a_further_test_narrows(session: Session, city: World) -> None:
    department = city.place(LEAD).id
    for account in ("handler", "handler2", "office"):
        with acting_as(session, city.actor(account)):
            led = Ticket.lead_id == department
            found, number = waiting(session, Waiting([S.ACCEPTED], led), rows=1)
            expected = plainly(session, led & (Ticket.status == S.ACCEPTED))
            assert (found, number) == (expected[:1], 2)


def test_what_is_led_and_what_is_helped_with_are_apart(session: Session, city: World) -> None:
    for account in ("handler", "handler2", "office", "admin"):
        actor = city.actor(account)
        with acting_as(session, actor):
            led = plainly(
                session, Ticket.status.in_(OPEN) & (Ticket.lead_id == actor.organization_id)
            )
            parties = select(TicketParty.ticket_id).where(
                TicketParty.organization_id == actor.organization_id,
                TicketParty.relation == PartyRelation.ASSISTING,
            )
            helped = plainly(session, Ticket.status.in_(OPEN) & Ticket.id.in_(parties))
            assert waiting(session, Waiting(OPEN, whose="led"), rows=99)[0] == led
            assert waiting(session, Waiting(OPEN, whose="helped"), rows=99)[0] == helped
            assert bool(led) is (account == "handler")
            assert bool(helped) is (account == "handler2")
    with acting_as(session, SYSTEM):
        assert waiting(session, Waiting(OPEN, whose="led"), rows=9) == ([], 0)


def test_a_queue_goes_on_beyond_a_page(session: Session, city: World) -> None:
    with acting_as(session, city.actor("office")):
        whole = plainly(session, Ticket.status.in_(OPEN))
        asked, middle = Waiting(OPEN), whole[5]
        assert waiting(session, asked, rows=3, beyond=middle) == (whole[6:9], len(whole))
        back = waiting(session, asked, rows=3, beyond=middle, descending=True)
        assert back == (whole[4:1:-1], len(whole))


def test_numbers_stop_where_they_are_told_to(session: Session, city: World) -> None:
    asked = {"open": Waiting(OPEN), "late": Waiting(OPEN, late=True), "drafts": Waiting([S.DRAFT])}
    for account in ACCOUNTS:
        with acting_as(session, city.actor(account)):
            expected = {
                "open": len(plainly(session, Ticket.status.in_(OPEN))),
                "late": len(plainly(session, past_due())),
                "drafts": len(plainly(session, Ticket.status == S.DRAFT)),
            }
            assert numbers(session, asked, most=99) == expected
            assert numbers(session, asked, most=1) == {
                name: min(number, 1) for name, number in expected.items()
            }


def test_what_is_at_its_end_does_not_wait() -> None:
    for states in ((), (S.CLOSED,), (S.DISPATCHED, S.MERGED)):
        with pytest.raises(ValueError, match="no end"):
            Waiting(states)


def test_whose_reach_is_one_organisations(session: Session, world: World) -> None:
    own = {"office": True, "community": True, "handler": True, "admin": False}
    for account, expected in own.items():
        with acting_as(session, world.actor(account)):
            assert has_own(session) is expected
    with acting_as(session, SYSTEM):
        assert not has_own(session)


def test_helpers_are_known_while_a_ticket_is_open(session: Session, world: World) -> None:
    """From dispatch until its end, and again once it is reopened; not once they are off work."""
    helper = world.place(ASSISTING).id
    ticket = brought_to(world, S.PENDING_DISPATCH)
    assert helpers(session, ticket) == set()
    ticket = brought_to(world, S.DISPATCHED)
    assert helpers(session, ticket) == {helper}
    closed = brought_to(world, S.CLOSED)
    assert helpers(session, closed) == set()
    assert closed.status is S.CLOSED
    returned = brought_to(world, S.RETURN_PENDING)
    assert helpers(session, returned) == {helper}
    world.step(returned, "approve_return", "returns", note="同意")
    assert helpers(session, returned) == set()
    session.delete(ticket)
    session.flush()
    left = select(TICKET_HELPING.c.ticket_id).where(TICKET_HELPING.c.ticket_id == ticket.id)
    option = reviewed("looks what triggers left")
    assert session.scalars(left, execution_options=option).all() == []


def test_helpers_follow_the_state_however_it_is_written(session: Session, world: World) -> None:
    helper = world.place(ASSISTING).id
    ticket = brought_to(world, S.DISPATCHED)
    for status, expected in ((S.MERGED, set()), (S.DISPATCHED, {helper}), (S.ARRIVED, {helper})):
        rows = Ticket.__table__
        written = update(rows).where(rows.c.id == ticket.id).values(status=status)
        session.connection().execute(written)
        assert helpers(session, ticket) == expected
    other = world.place("A-D3")
    party = TicketParty(organization_id=other.id, relation=PartyRelation.ASSISTING)
    ticket.parties.append(party)
    assert helpers(session, ticket) == {helper, other.id}
    ticket.parties.remove(party)
    assert helpers(session, ticket) == {helper}


def test_a_queue_without_helpers_is_short_not_wide(session: Session, world: World) -> None:
    """The table is a way and no guard: what it does not name is missed, what it names is judged."""
    ticket = brought_to(world, S.DISPATCHED)
    session.commit()
    asked = Waiting([S.DISPATCHED])
    with acting_as(session, world.actor("handler2")):
        assert waiting(session, asked, rows=9) == ([ticket.id], 1)
    option = reviewed("takes the helpers away")
    session.execute(delete(TICKET_HELPING), execution_options=option)
    with acting_as(session, world.actor("handler2")):
        assert waiting(session, asked, rows=9) == ([], 0)
    stranger = world.account("officeb").organization_id
    row = {"ticket_id": ticket.id, "organization_id": stranger}
    session.execute(TICKET_HELPING.insert().values(row), execution_options=option)
    with acting_as(session, world.actor("officeb")):
        assert waiting(session, asked, rows=9) == ([], 0)
