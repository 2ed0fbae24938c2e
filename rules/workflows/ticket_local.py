"""The grid route: what is found in a grid is solved where it can be, or handed up (domain section 6)."""

from __future__ import annotations

from models.base import Titled
from models.organization import Organization, OrganizationKind
from models.ticket import Ticket, TicketStatus
from rules.actor import Actor
from rules.numbering import next_number
from rules.workflow import Context
from rules.workflows import ticket_effects as effects

#: Who holds a ticket on its way up, lowest first; above the township stands the office.
LEVELS = (OrganizationKind.GRID, OrganizationKind.COMMUNITY, OrganizationKind.TOWNSHIP)


def is_holder(ticket: Ticket, actor: Actor) -> bool:
    """Tell whether the actor's own area has the ticket in hand.

    Many grids have nobody of their own: what a grid has in hand, its community may act on too.
    """
    holder = ticket.holder
    if ticket.status is not TicketStatus.LOCAL or holder is None or actor.area_id is None:
        return False
    above = holder.parent_id if holder.kind is OrganizationKind.GRID else None
    return actor.area_id in (holder.id, above)


def may_not_hold(context: Context) -> str | None:
    """Say why the ticket does not go the grid route, if so."""
    ticket: Ticket = context.record
    if not ticket.whistle_class.mechanism.grid_route:
        return "本地机制没有网格处置环节，请直接吹哨。"
    if ticket.whistle_class.direct_dispatch or ticket.emergency:
        return "紧急事项不走属地处置，请直接吹哨。"
    return None


def hold(context: Context) -> None:
    """Number the ticket, and let the raising place have it in hand."""
    ticket: Ticket = context.record
    ticket.number = next_number(context.session, ticket.organization, context.now)
    ticket.raised_by, ticket.raised_by_id = context.actor.name, context.actor.user_id
    ticket.holder = ticket.organization
    context.log["holder"] = _named(ticket.organization)


def solve(context: Context) -> None:
    """What was done is the ticket's result."""
    ticket: Ticket = context.record
    ticket.result = context.log["result"] = context.data["result"]
    ticket.resolved_at = context.now
    context.log["solved_by"] = _named(ticket.holder)


def _above(ticket: Ticket) -> Organization | None:
    """Return the next level up; None is the office."""
    holder = ticket.holder
    if holder is None:
        return None
    places = [line.ancestor for line in ticket.organization.lines]
    above = [place for place in places if place.kind in LEVELS]
    ids = [place.id for place in above]
    after = above[ids.index(holder.id) + 1 :] if holder.id in ids else above
    return after[0] if after else None


def may_not_hand_up(context: Context) -> str | None:
    """Above the township it is a whistle, and judged as one."""
    return None if _above(context.record) else effects.may_not_blow(context)


def hand_up(context: Context) -> None:
    """The next level has it in hand; above the township, the whistle is blown."""
    ticket: Ticket = context.record
    above = _above(ticket)
    context.log["handed_up_by"] = _named(ticket.holder)
    ticket.holder = above
    context.log["holder"] = _named(above)
    if above is None:
        effects.raise_whistle(context)


def after_hand_up(context: Context) -> Titled:
    """In hand somewhere, or waiting for dispatch."""
    return TicketStatus.LOCAL if context.record.holder else TicketStatus.PENDING_DISPATCH


def _named(place: Organization | None) -> dict[str, object] | None:
    return {"id": place.id, "name": place.name} if place else None
