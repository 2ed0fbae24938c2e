"""Who is party to a ticket: the indexed rows by which it is found and guarded (design section 5)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, and_, delete, exists, insert, inspect, literal, select
from sqlalchemy.orm import Session

from models.base import utcnow
from models.organization import Organization, OrganizationLine
from models.ticket import OFF_WORK, AssignmentRole, PartyRelation, Ticket, TicketParty
from rules import bulk, locking
from rules.actor import SYSTEM, acting_as
from rules.locking import kept, let_go
from rules.organizations import MOVED, above
from rules.scope import reviewed


def sync(session: Session, ticket: Ticket) -> None:
    """Make the party rows what the ticket says: raising place and its ancestors, departments at work.

    A department that is off work (returned, handed over, removed) is no longer party. Writes only
    the differences.
    """
    known: set[tuple[int, PartyRelation]] | None = kept(session, _KNOWN, inspect(ticket).key)
    let_go(session, _KNOWN)
    with acting_as(session, SYSTEM), session.no_autoflush:
        organization = _raiser(session, ticket)
        wanted = {(organization.id, PartyRelation.RAISER)}
        wanted |= {(each, PartyRelation.AREA) for each in above(organization)}
        for assignment in ticket.assignments:
            if assignment.status not in OFF_WORK:
                lead = assignment.role is AssignmentRole.LEAD
                relation = PartyRelation.LEAD if lead else PartyRelation.ASSISTING
                organization_id = assignment.organization_id or assignment.organization.id
                wanted.add((organization_id, relation))
        if known is not None and known <= wanted and "parties" not in inspect(ticket).dict:
            # Nobody leaves: who is there already need not be read as records, nor who comes be made one.
            # The step that is being taken writes the ticket's own row, by which the gate judges these.
            comes = [
                {"ticket_id": ticket.id, "organization_id": each, "relation": relation}
                for each, relation in sorted(wanted - known)
            ]
            bulk.add(session, TicketParty, comes)
            return
        for party in list(ticket.parties):
            if (party.organization_id, party.relation) in wanted:
                wanted.discard((party.organization_id, party.relation))
            else:
                ticket.parties.remove(party)
        for organization_id, relation in sorted(wanted):
            ticket.parties.append(TicketParty(organization_id=organization_id, relation=relation))


_KNOWN = "parties"


def keep(session: Session, ticket: Ticket, words: str | None) -> None:
    """Keep who is party to a ticket, for the step that is being taken: each as 12=area."""
    pairs = (each.split("=") for each in (words or "").split(",") if each)
    relations = {each.value: each for each in PartyRelation}
    known = {(int(number), relations[relation]) for number, relation in pairs}
    locking.keep(session, _KNOWN, inspect(ticket).key, known)


def _raiser(session: Session, ticket: Ticket) -> Organization:
    """Return the raising place, whether it was set as an object or as an id."""
    attributes: Any = inspect(ticket).attrs
    by_id = attributes.organization_id.history.has_changes()
    if ticket.organization is None or (by_id and not attributes.organization.history.has_changes()):
        return session.get_one(Organization, ticket.organization_id)
    return ticket.organization


def maintain(session: Session, flush_context: Any, instances: Any) -> None:
    """Before a flush: a new ticket, or one raised from elsewhere now, gets its party rows.

    Without them the gate would go on judging a moved ticket by the place that it came from.
    """
    for each in [*session.new, *session.dirty]:
        if isinstance(each, Ticket):
            attributes: Any = inspect(each).attrs
            if any(
                attributes[name].history.has_changes()
                for name in ("organization", "organization_id")
            ):
                sync(session, each)


def follow(session: Session, flush_context: Any) -> None:
    """After a flush: tickets raised below an organisation that has moved lie in its new area.

    Two statements however many tickets there are; rows that stay true are not touched.
    """
    moved = sorted(session.info.pop(MOVED, ()))
    for start in range(0, len(moved), 500):
        _redraw(session, moved[start : start + 500])
    if moved:
        for each in session.identity_map.values():
            if isinstance(each, Ticket):
                session.expire(each, ["parties"])


def _redraw(session: Session, organization_ids: Iterable[int]) -> None:
    party, line, ticket = TicketParty.__table__, OrganizationLine.__table__, Ticket.__table__
    area = literal(PartyRelation.AREA, party.c.relation.type)
    now = literal(utcnow(), party.c.created_at.type)
    wanted: Select[Any] = (
        select(ticket.c.id, line.c.ancestor_id)
        .join(line, line.c.organization_id == ticket.c.organization_id)
        .where(ticket.c.organization_id.in_(organization_ids))
    )
    option = reviewed("derives party rows from the tree; touches nothing that anybody wrote")
    session.execute(
        delete(party).where(
            party.c.relation == PartyRelation.AREA,
            party.c.ticket_id.in_(
                select(ticket.c.id).where(ticket.c.organization_id.in_(organization_ids))
            ),
            ~exists(wanted.where(_same(party, ticket, line)).correlate(party)),
        ),
        execution_options=option,
    )
    there = exists().where(_same(party, ticket, line), party.c.relation == PartyRelation.AREA)
    columns = ["ticket_id", "organization_id", "relation", "created_at", "updated_at", "version"]
    session.execute(
        insert(party).from_select(
            columns,
            wanted.add_columns(area, now, now, literal(1)).where(~there.correlate(ticket, line)),
        ),
        execution_options=option,
    )


def _same(party: Any, ticket: Any, line: Any) -> Any:
    return and_(ticket.c.id == party.c.ticket_id, line.c.ancestor_id == party.c.organization_id)
