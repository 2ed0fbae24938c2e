"""What a dispatch depends on besides the ticket itself, asked in one statement under its lock.

Whether or not the dispatcher may read the list that an item stands in, the clocks depend on it
(domain section 3); so these tables are asked past the gate, each by the ticket alone.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer, String, bindparam, case, cast, literal, select
from sqlalchemy.orm import Session

from models.base import listed
from models.duty import DutyItem
from models.mechanism import CalendarOverride, Mechanism
from models.organization import Organization, OrganizationLine
from models.ticket import Ticket, TicketParty
from rules import clocks, ledger, mechanisms, parties
from rules.locking import Aside, keep, kept

_TICKET = Ticket.__table__.c
_THIS = _TICKET.id == bindparam("number", type_=Integer)


def _number() -> Any:
    """The mechanism in force at the ticket's place: the nearest, the newest."""
    line, mechanism = OrganizationLine.__table__.c, Mechanism.__table__.c
    return (
        select(mechanism.id)
        .join(OrganizationLine.__table__, line.ancestor_id == mechanism.organization_id)
        .join(Ticket.__table__, _TICKET.organization_id == line.organization_id)
        .where(_THIS, mechanism.in_force)
        .order_by(line.depth, mechanism.number.desc())
        .limit(1)
        .scalar_subquery()
    )


def _limit() -> Any:
    """The duty item's own limit, as its cell says it."""
    item = DutyItem.__table__.c
    ticket = Ticket.__table__
    return (
        select(item.time_limit)
        .join(ticket, _TICKET.duty_item_id == item.id)
        .where(_THIS)
        .scalar_subquery()
    )


def _days() -> Any:
    """The administrator's working days and days off."""
    day = CalendarOverride.__table__.c
    works = case((day.working, literal("=1")), else_=literal("=0"))
    return select(listed(cast(day.day, String) + works)).scalar_subquery()


def _parties() -> Any:
    """Who is party to the ticket."""
    party = TicketParty.__table__.c
    words = cast(party.organization_id, String) + "=" + cast(party.relation, String)
    number = bindparam("number", type_=Integer)
    return select(listed(words)).where(party.ticket_id == number).scalar_subquery()


_ASIDES = (
    Aside(_number(), lambda session, ticket, number: mechanisms.keep_number(
        session, ticket.organization_id, number)),
    Aside(_limit(), lambda session, ticket, words: clocks.keep_limit(
        session, ticket.duty_item_id, words)),
    Aside(_days(), lambda session, _ticket, words: mechanisms.keep_days(session, words)),
    Aside(_parties(), parties.keep),
)  # fmt: skip


#: The department to send to, where it is named already; the gate says whether it may be seen.
_RECEIVER = Aside(
    Organization,
    lambda session, _ticket, found: keep(session, "receiver", found and found.id, found),
    Organization.id == bindparam("receiver", type_=Integer),
)


def read(session: Session, ticket: Ticket, receiver_id: int | None = None) -> None:
    """Ask for all that a dispatch depends on, if a step is being taken and the ticket is locked.

    Else nothing is asked here: whoever needs it asks for it.
    """
    if not mechanisms.is_asking(session):
        return
    if receiver_id is None:
        ledger.read_with_end(session, ticket, Ticket.assignments, asides=_ASIDES)
    else:
        named = {"receiver": receiver_id}
        asides = (*_ASIDES, _RECEIVER)
        ledger.read_with_end(session, ticket, Ticket.assignments, asides=asides, values=named)


def receiver(session: Session, number: int) -> Organization | None:
    """Return the department that was read along with what else a dispatch depends on."""
    found: Organization | None = kept(session, "receiver", number)
    return found
