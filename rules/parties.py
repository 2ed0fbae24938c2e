"""Who is party to a ticket: the indexed rows by which it is found and guarded (design section 5)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models.organization import Organization
from models.ticket import (
    AssignmentRole,
    AssignmentStatus,
    PartyRelation,
    Ticket,
    TicketParty,
)
from rules.actor import SYSTEM, acting_as


def sync(session: Session, ticket: Ticket) -> None:
    """Make the party rows what the ticket says: raising place and its ancestors, departments at work.

    A department whose return was approved is no longer party. Writes only the differences.
    """
    with acting_as(session, SYSTEM), session.no_autoflush:
        organization = ticket.organization or session.get_one(Organization, ticket.organization_id)
        wanted = {(organization.id, PartyRelation.RAISER)}
        wanted |= {(line.ancestor_id, PartyRelation.AREA) for line in organization.lines}
        for assignment in ticket.assignments:
            if assignment.status is not AssignmentStatus.RETURNED:
                lead = assignment.role is AssignmentRole.LEAD
                relation = PartyRelation.LEAD if lead else PartyRelation.ASSISTING
                organization_id = assignment.organization_id or assignment.organization.id
                wanted.add((organization_id, relation))
        for party in list(ticket.parties):
            if (party.organization_id, party.relation) in wanted:
                wanted.discard((party.organization_id, party.relation))
            else:
                ticket.parties.remove(party)
        for organization_id, relation in sorted(wanted):
            ticket.parties.append(TicketParty(organization_id=organization_id, relation=relation))
