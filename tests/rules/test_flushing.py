"""Writing what a step has changed past the unit of work: the same rows, the same refusals."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, inspect, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from models.ticket import PartyRelation, Ticket, TicketAssignment, TicketParty
from models.ticket import TicketStatus as S
from rules import flushing
from rules.actor import SYSTEM, acting_as
from rules.errors import OutOfScope
from rules.scope import reviewed
from tests.factories.roads import brought_to
from tests.factories.world import World


@pytest.fixture
def ticket(one_world: World) -> Ticket:
    """A ticket at its departments, as the database holds it."""
    found = brought_to(one_world, S.DISPATCHED)
    one_world.session.commit()
    assert found.assignments
    return found


def own_flushes(session: Session) -> list[Any]:
    """Return a list that grows by each flush that the session itself does to the end."""
    seen: list[Any] = []
    event.listen(session, "after_flush_postexec", lambda _session, context: seen.append(context))
    return seen


def test_columns_and_new_rows_are_written_and_the_objects_are_as_new(
    one_session: Session, ticket: Ticket
) -> None:
    part, version, former = ticket.assignments[0], ticket.version, ticket.updated_at
    party = TicketParty(organization_id=part.organization_id, relation=PartyRelation.AREA)
    ticket.parties.append(party)
    seen = own_flushes(one_session)
    ticket.address, part.result = "北门", "已修好"
    flushing.flush(one_session)
    assert seen == []
    assert not one_session.new
    assert not one_session.dirty
    assert (ticket.version, party.version, party.ticket_id) == (version + 1, 1, ticket.id)
    assert ticket.updated_at > former
    one_session.commit()
    assert (ticket.address, part.result, party in ticket.parties) == ("北门", "已修好", True)


def test_what_others_have_changed_is_not_written_over(one_session: Session, ticket: Ticket) -> None:
    table = Ticket.__table__
    with acting_as(one_session, SYSTEM):
        one_session.execute(
            update(table)
            .where(table.c.id == ticket.id, table.c.version == ticket.version)
            .values(version=99),
            execution_options=reviewed("somebody else was faster"),
        )
        ticket.address = "北门"
        with pytest.raises(StaleDataError):
            flushing.flush(one_session)


def test_the_gate_judges_what_is_written(
    one_session: Session, one_world: World, ticket: Ticket
) -> None:
    with acting_as(one_session, one_world.actor("officeb")):
        assert ticket.title
        ticket.address = "北门"
        with pytest.raises(OutOfScope):
            flushing.flush(one_session)


def test_a_savepoint_takes_it_back(one_session: Session, ticket: Ticket) -> None:
    part = ticket.assignments[0]
    with acting_as(one_session, SYSTEM):
        savepoint = one_session.begin_nested()
        ticket.address = "北门"
        new = TicketParty(organization_id=part.organization_id, relation=PartyRelation.AREA)
        ticket.parties.append(new)
        flushing.flush(one_session)
        savepoint.rollback()
        assert ticket.address != "北门"
        assert new not in ticket.parties
        assert inspect(new).transient


@pytest.mark.parametrize("change", ["moved", "left", "gone"])
def test_what_is_not_so_plain_is_left_to_the_session(
    one_session: Session, one_world: World, ticket: Ticket, change: str
) -> None:
    seen = own_flushes(one_session)
    parties, parts = len(ticket.parties), len(ticket.assignments)
    with acting_as(one_session, SYSTEM):
        if change == "moved":
            ticket.organization = one_world.place("A12")
        elif change == "left":
            ticket.parties.pop()
        else:
            one_session.delete(one_session.get_one(TicketAssignment, ticket.assignments[0].id))
        flushing.flush(one_session)
        assert len(seen) == 1
        one_session.commit()
        if change == "moved":
            assert ticket.organization_id == one_world.place("A12").id
        else:
            left, gone = change == "left", change == "gone"
            assert (len(ticket.parties), len(ticket.assignments)) == (parties - left, parts - gone)
