"""Which tickets the ready-made filters of the ledger hold, as SQL: whose they are, what is due.

Each is a criterion on ``Ticket`` for a statement that the gate narrows.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, false, func, or_, select

from models.ledger import Event
from models.organization import OrganizationLine
from models.ticket import (
    AT_DEPARTMENT,
    FINAL,
    OWING,
    AssignmentRole,
    PartyRelation,
    Ticket,
    TicketAssignment,
    TicketParty,
    TicketStatus,
)
from models.ticket_file import ExtensionStatus, TicketExtension
from rules.actor import Actor
from rules.clocks import PART_DONE

#: What is neither a draft nor at its end.
OPEN = tuple(each for each in TicketStatus if each not in (*FINAL, TicketStatus.DRAFT))


def mine(actor: Actor) -> ColumnElement[bool]:
    """Return which tickets the actor has raised for his organisation, or is drafting."""
    if actor.organization_id is None or actor.user_id is None:
        return false()
    event = Event.__table__
    drafted = exists().where(
        event.c.record_type == "ticket",
        event.c.record_id == Ticket.id,
        event.c.sequence == 1,
        event.c.actor_id == actor.user_id,
    )
    return and_(
        Ticket.organization_id == actor.organization_id,
        or_(
            Ticket.raised_by_id == actor.user_id,
            and_(Ticket.status == TicketStatus.DRAFT, drafted.correlate_except(event)),
        ),
    )


def of_unit(actor: Actor) -> ColumnElement[bool]:
    """Return which tickets the actor's organisation has raised, leads or assists on."""
    if actor.organization_id is None:
        return false()
    party = TicketParty.__table__.alias()
    return Ticket.id.in_(
        select(party.c.ticket_id).where(
            party.c.organization_id == actor.organization_id,
            party.c.relation != PartyRelation.AREA,
        )
    )


def raised_within(organization_id: int) -> ColumnElement[bool]:
    """Return which tickets were raised by an organisation or one below it."""
    return Ticket.organization_id.in_(
        select(OrganizationLine.organization_id).where(
            OrganizationLine.ancestor_id == organization_id
        )
    )


def due_soon() -> ColumnElement[bool]:
    """Return which tickets owe a step whose warning time has come and whose deadline has not."""
    now: Any = func.current_timestamp()
    return and_(Ticket.next_warn <= now, Ticket.next_due >= now)


def past_due() -> ColumnElement[bool]:
    """Return which tickets are past the earliest deadline of a step not yet taken."""
    return Ticket.next_due < func.current_timestamp()


def more_time() -> ColumnElement[bool]:
    """Return which tickets wait for a decision about a later deadline."""
    asked = select(TicketExtension.ticket_id).where(
        TicketExtension.status == ExtensionStatus.REQUESTED
    )
    return Ticket.id.in_(asked)


def in_state(*states: TicketStatus) -> ColumnElement[bool]:
    """Return which tickets are in one of the states."""
    return Ticket.status == states[0] if len(states) == 1 else Ticket.status.in_(states)


def returned() -> ColumnElement[bool]:
    """Return which tickets wait for a department again, because one has given them back."""
    return and_(in_state(TicketStatus.PENDING_DISPATCH), Ticket.return_count > 0)


def taken_up_again() -> ColumnElement[bool]:
    """Return which tickets are at work again after a result that was not good enough."""
    return and_(in_state(*OPEN), Ticket.reopen_count > 0)


def supervised() -> ColumnElement[bool]:
    """Return which open tickets are under supervision."""
    return and_(in_state(*OPEN), Ticket.supervised_at.is_not(None))


def ever_closed() -> ColumnElement[bool]:
    """Return which tickets were struck off the ledger at least once: they are, or came back since."""
    event = Event.__table__
    struck_off = exists().where(
        event.c.record_type == "ticket",
        event.c.record_id == Ticket.id,
        event.c.to_status == TicketStatus.CLOSED.value,
    )
    came_back = and_(Ticket.reopen_count > 0, Ticket.status != TicketStatus.MERGED)
    return or_(
        in_state(TicketStatus.CLOSED),
        # Asked of no others: to read the ledger takes long.
        case((came_back, struck_off.correlate_except(event)), else_=false()),
    )


def own_deadline(actor: Actor) -> ColumnElement[Any]:
    """Return the earliest deadline that the actor's organisation owes as one that assists on a ticket.

    Empty where it owes none, or once the lead has reported: no clock runs then.
    """
    part = TicketAssignment.__table__
    dues = [
        case((part.c[done].is_(None), part.c[f"{clock}_due"])) for clock, done in PART_DONE.items()
    ]
    earliest: Any = dues[0]
    for due in dues[1:]:
        # The databases' own words for the least of some do not agree about what is empty.
        earliest = case((or_(earliest.is_(None), due < earliest), due), else_=earliest)
    found = select(earliest).where(
        part.c.ticket_id == Ticket.id,
        part.c.organization_id == actor.organization_id,
        part.c.role == AssignmentRole.ASSISTING,
        part.c.status.in_(OWING),
    )
    return case((Ticket.status.in_(AT_DEPARTMENT), found.limit(1).scalar_subquery()))
