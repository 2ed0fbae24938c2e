"""Who is party to a ticket: raising place, its line, departments at work; also after moves."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.organization import Organization
from models.organization import OrganizationKind as K
from models.ticket import PartyRelation as P
from models.ticket import Ticket, TicketParty
from models.ticket import TicketStatus as S
from rules import parties
from rules.actor import acting_as
from rules.errors import OutOfScope
from tests.factories.roads import brought_to
from tests.factories.world import World

AREA_OF_A11 = {("A11", P.RAISER), ("A11", P.AREA), ("A1", P.AREA), ("A", P.AREA)}


def stored(session: Session, ticket: Ticket) -> set[tuple[str, P]]:
    """Return the party rows as the database has them."""
    session.flush()
    rows = session.execute(
        select(Organization.code, TicketParty.relation)
        .join(Organization, Organization.id == TicketParty.organization_id)
        .where(TicketParty.ticket_id == ticket.id)
    ).all()
    assert len(rows) == len(set(rows))
    return {(code, relation) for code, relation in rows}


def sees(world: World, account: str, ticket: Ticket) -> bool:
    session = world.session
    with acting_as(session, world.actor(account)):
        return session.scalar(select(Ticket.id).where(Ticket.id == ticket.id)) is not None


def test_a_new_ticket_has_the_raising_place_and_its_line(session: Session, world: World) -> None:
    """Nobody needs to ask for it: the flush itself derives the rows."""
    ticket = Ticket(
        title="路灯不亮",
        detail="三盏",
        organization=world.place("A11"),
        whistle_class=world.whistle_class("ordinary"),
    )
    session.add(ticket)
    assert stored(session, ticket) == AREA_OF_A11


def test_departments_come_with_dispatch_and_go_with_a_return(
    one_session: Session, one_world: World
) -> None:
    ticket = brought_to(one_world, S.PENDING_DISPATCH)
    assert stored(one_session, ticket) == AREA_OF_A11
    lead, other = one_world.place("A-D1").id, one_world.place("A-D2").id
    one_world.step(ticket, "dispatch", "office", lead=lead, assisting=[other])
    departments = {("A-D1", P.LEAD), ("A-D2", P.ASSISTING)}
    assert stored(one_session, ticket) == AREA_OF_A11 | departments
    one_world.step(ticket, "request_return", "handler", note="不属本部门")
    assert stored(one_session, ticket) == AREA_OF_A11 | departments
    one_world.step(ticket, "approve_return", "returns", note="同意")
    assert stored(one_session, ticket) == AREA_OF_A11


def test_a_department_may_come_back_in_another_part(one_session: Session, one_world: World) -> None:
    ticket = brought_to(one_world, S.RETURN_PENDING)
    one_world.step(ticket, "approve_return", "returns", note="同意")
    lead, other = one_world.place("A-D2").id, one_world.place("A-D1").id
    one_world.step(ticket, "dispatch", "office", lead=lead, assisting=[other])
    assert stored(one_session, ticket) == AREA_OF_A11 | {("A-D2", P.LEAD), ("A-D1", P.ASSISTING)}


def test_deriving_again_changes_nothing(one_session: Session, one_world: World) -> None:
    ticket = brought_to(one_world, S.DISPATCHED)
    one_session.flush()
    rows = {party.id for party in ticket.parties}
    parties.sync(one_session, ticket)
    assert not one_session.dirty
    assert not one_session.new
    assert {party.id for party in ticket.parties} == rows


@pytest.mark.parametrize("by", ["object", "id"])
def test_a_draft_that_is_raised_from_elsewhere_moves_with_its_rows(
    one_session: Session, one_world: World, by: str
) -> None:
    ticket = one_world.draft("A11")
    one_session.commit()
    assert ticket.organization.code == "A11"
    if by == "object":
        ticket.organization = one_world.place("A21")
    else:
        ticket.organization_id = one_world.place("A21").id
    wanted = {("A21", P.RAISER), ("A21", P.AREA), ("A2", P.AREA), ("A", P.AREA)}
    assert stored(one_session, ticket) == wanted
    assert not sees(one_world, "community", ticket)
    assert sees(one_world, "township2", ticket)


@pytest.mark.parametrize("by", ["object", "id"])
def test_a_person_cannot_move_a_ticket_out_of_their_area(
    session: Session, world: World, by: str
) -> None:
    """The rows move with the ticket, so the gate judges it by where it would be."""
    ticket = world.draft("A11")
    session.commit()
    place, foreign = ticket.organization, world.place("B11")
    with acting_as(session, world.actor("community")):
        if by == "object":
            ticket.organization = foreign
        else:
            ticket.organization_id = foreign.id
        with pytest.raises(OutOfScope):
            session.flush()
    session.rollback()
    assert ticket.organization is place
    assert stored(session, ticket) == AREA_OF_A11


# The tree moves under the tickets


def test_tickets_follow_their_township_to_another_county(session: Session, world: World) -> None:
    moved = [world.raised("A11"), brought_to(world, S.RESOLVED), world.raised("A111")]
    stays = world.raised("A21", "township2")
    session.commit()
    assert all(len(ticket.parties) > 3 for ticket in moved)
    before = stored(session, stays)
    kept = set(session.scalars(select(TicketParty.id).where(TicketParty.ticket_id == moved[0].id)))
    world.place("A1").parent = world.place("B")
    session.commit()
    in_b = (AREA_OF_A11 - {("A", P.AREA)}) | {("B", P.AREA)}
    assert stored(session, moved[0]) == in_b
    assert stored(session, moved[1]) == in_b | {("A-D1", P.LEAD), ("A-D2", P.ASSISTING)}
    assert stored(session, moved[2]) == {
        ("A111", P.RAISER),
        ("A111", P.AREA),
        ("A11", P.AREA),
        ("A1", P.AREA),
        ("B", P.AREA),
    }
    assert stored(session, stays) == before
    after = set(session.scalars(select(TicketParty.id).where(TicketParty.ticket_id == moved[0].id)))
    assert len(after & kept) == len(kept) - 1
    for ticket in moved:
        assert sees(world, "officeb", ticket)
        assert not sees(world, "office", ticket)
        assert {party.organization_id for party in ticket.parties} == {
            world.place(code).id for code, _relation in stored(session, ticket)
        }


def test_a_ticket_that_was_moved_goes_on(one_session: Session, one_world: World) -> None:
    """Rows that were loaded before the move are not in the way of the next step."""
    ticket = brought_to(one_world, S.DISPATCHED)
    assert len(ticket.parties) == 6
    one_world.place("A1").parent = one_world.place("B")
    one_session.flush()
    one_world.step(ticket, "accept", "handler")
    one_world.step(ticket, "request_return", "handler", note="已划走")
    one_session.commit()
    reviewer = one_world.account("returns")
    reviewer.organization = one_world.place("B-CSB")
    one_session.commit()
    one_world.step(ticket, "approve_return", "returns", note="同意")
    one_session.commit()
    assert stored(one_session, ticket) == (AREA_OF_A11 - {("A", P.AREA)}) | {("B", P.AREA)}


def test_a_new_level_above_is_a_party_too(session: Session, world: World) -> None:
    ticket = world.raised("A11")
    session.commit()
    city = Organization(code="C", name="丙市", kind=K.CITY)
    world.place("A").parent = city
    session.commit()
    assert stored(session, ticket) == AREA_OF_A11 | {("C", P.AREA)}
    world.place("A").parent = None
    session.commit()
    assert stored(session, ticket) == AREA_OF_A11


def test_what_does_not_move_the_tree_touches_no_row(one_session: Session, one_world: World) -> None:
    ticket = one_world.raised("A11")
    one_session.commit()
    rows = {party.id for party in ticket.parties}
    one_world.place("A1").phone = "0793-1"
    one_world.place("A1").name = "甲一街道"
    one_session.commit()
    assert {party.id for party in ticket.parties} == rows
