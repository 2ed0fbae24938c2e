"""What all steps of a ticket ask of it: the departments at work, the calendar, names for the log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import object_session

from models.ledger import Event
from models.organization import Organization, OrganizationKind
from models.ticket import (
    OFF_WORK,
    AssignmentRole,
    AssignmentStatus,
    Ticket,
    TicketAssignment,
)
from rules import clocks, ledger
from rules.actor import SYSTEM, Actor, acting_as
from rules.calendar import WorkCalendar
from rules.locking import Aside
from rules.mechanisms import calendar
from rules.organizations import ids_above, keep_above
from rules.workflow import Context

#: Who can be sent: whoever stands on a duty list, which names departments, branches and companies.
DISPATCHABLE = (
    OrganizationKind.DEPARTMENT,
    OrganizationKind.STATION,
    OrganizationKind.UNIT,
    OrganizationKind.COORDINATION_OFFICE,
)
#: Where a ticket's place lies, asked along with the ticket.
PLACE_OF = Aside(
    ids_above(Ticket.organization_id),
    lambda session, ticket, ids: keep_above(session, ticket.organization_id, ids),
)


def active(ticket: Ticket) -> list[TicketAssignment]:
    """Return the departments at work on the ticket, the lead first."""
    session = object_session(ticket)
    if session is not None:
        # While a step is taken, the end of the chain is needed next.
        ledger.read_with_end(session, ticket, Ticket.assignments)
    return sorted(
        (each for each in ticket.assignments if each.status not in OFF_WORK),
        key=lambda each: each.role is not AssignmentRole.LEAD,
    )


def assisting(ticket: Ticket) -> list[TicketAssignment]:
    """Return the assisting departments at work on the ticket."""
    return [each for each in active(ticket) if each.role is AssignmentRole.ASSISTING]


def own_assignment(ticket: Ticket, actor: Actor) -> TicketAssignment | None:
    """Return the actor's own department's part as an assisting department."""
    return next(
        (each for each in assisting(ticket) if each.organization_id == actor.organization_id), None
    )


def lead_part(ticket: Ticket) -> TicketAssignment:
    """Return the lead's part; the ticket must be at a department."""
    return next(each for each in active(ticket) if each.role is AssignmentRole.LEAD)


def working_days(context: Context) -> WorkCalendar:
    """Return the calendar by which the ticket's terms are counted."""
    mechanism = context.record.whistle_class.mechanism
    key = f"calendar:{mechanism.id}"
    if key not in context.memo:
        with acting_as(context.session, SYSTEM):
            context.memo[key] = calendar(context.session, mechanism)
    found: WorkCalendar = context.memo[key]
    return found


def last_event(context: Context, *conditions: Any) -> Event | None:
    """Return the ticket's last event that satisfies the conditions."""
    query = _events(select(Event), context).where(*conditions).order_by(Event.sequence.desc())
    with acting_as(context.session, SYSTEM):
        return context.session.scalars(query.limit(1)).first()


def count_events(context: Context, *conditions: Any) -> int:
    """Return how many of the ticket's events satisfy the conditions."""
    query = _events(select(func.count(Event.id)), context).where(*conditions)
    with acting_as(context.session, SYSTEM):
        return context.session.scalar(query) or 0


def _events(query: Any, context: Context) -> Any:
    return query.where(Event.record_type == "ticket", Event.record_id == context.record.id)


def named(organizations: Iterable[Organization]) -> list[dict[str, Any]]:
    """Return organisations as an event remembers them: by number, and by name as it was then."""
    return [{"id": each.id, "name": each.name} for each in organizations]


def off_work(part: TicketAssignment, status: AssignmentStatus) -> int:
    """Take a department off the ticket; return its organisation's id."""
    part.status = status
    return part.organization_id


def move_deadlines(part: TicketAssignment, found: clocks.Deadlines) -> dict[str, Any]:
    """Change deadlines of a department at work, and return what an event remembers of it."""
    clocks.set_deadlines(part, found)
    return {"organization": part.organization_id, "due": clocks.written(found)}
