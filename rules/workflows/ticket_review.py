"""The review route between raising and dispatch, as the mechanism has it (domain section 3)."""

from __future__ import annotations

from models.mechanism import ReviewLevel
from models.organization import Organization, OrganizationKind
from models.ticket import Ticket, TicketStatus
from presets.roles import Role
from rules import ledger
from rules.mechanisms import Stage, route_of
from rules.organizations import above
from rules.workflow import Context

#: Who takes a level's steps.
REVIEWERS = {
    ReviewLevel.COMMUNITY: Role.COMMUNITY_STAFF,
    ReviewLevel.TOWNSHIP: Role.TOWNSHIP_REVIEWER,
    ReviewLevel.OFFICE: Role.DISPATCHER,
}
_RANKS = {ReviewLevel.COMMUNITY: 1, ReviewLevel.TOWNSHIP: 2, ReviewLevel.OFFICE: 3}
_PLACES = {
    OrganizationKind.GRID: 0,
    OrganizationKind.COMMUNITY: 1,
    OrganizationKind.TOWNSHIP: 2,
    OrganizationKind.COUNTY: 3,
    OrganizationKind.CITY: 3,
}


def due_step(ticket: Ticket) -> Stage | None:
    """Return the step of the route that a ticket waits for, if it is under review."""
    if ticket.status is not TicketStatus.PENDING_REVIEW:
        return None
    route = route_of(ticket.whistle_class.mechanism)
    return next((each for each in route if each.position == ticket.review_position), None)


def rank_of_raiser(context: Context) -> int:
    """Return the raiser's level: the higher of his place's kind and his role."""
    ticket: Ticket = context.record
    rank = _PLACES.get(ticket.organization.kind, 1)
    if context.actor.has(Role.TOWNSHIP_REVIEWER):
        rank = max(rank, 2)
    elif context.actor.has(Role.COMMUNITY_STAFF) and context.actor.area_id is not None:
        place = context.session.get(Organization, context.actor.area_id)
        rank = max(rank, min(_PLACES.get(place.kind, 1), 1) if place else 0)
    return rank


def first_step(context: Context) -> Stage | None:
    """Return the first step of the route above the raiser's own level, and log his level."""
    rank = rank_of_raiser(context)
    context.log["raiser_rank"] = rank
    return _next(context.record, None, rank)


def _next(ticket: Ticket, after: int | None, rank: int) -> Stage | None:
    for step in route_of(ticket.whistle_class.mechanism):
        if (after is None or step.position > after) and _RANKS[step.level] > rank:
            return step
    return None


def not_due(context: Context) -> str | None:
    """Say whose step is due, if it is not the actor's."""
    step = due_step(context.record)
    if step is None or context.actor.system:
        return None
    if context.actor.has(REVIEWERS[step.level]) and _stands(context, step.level):
        return None
    return f"现在是“{step.name}”环节，由{step.level.title}办理。"


def _stands(context: Context, level: ReviewLevel) -> bool:
    """A grid's own staff, of the same role, do not review for the community above them."""
    if level is not ReviewLevel.COMMUNITY:
        return True
    area_id = context.actor.area_id
    if area_id not in above(context.record.organization):
        return False
    place = context.session.get(Organization, area_id)
    return place is not None and place.kind is OrganizationKind.COMMUNITY


def approve(context: Context) -> None:
    """Take the step that is due, and let the next one fall due; after the last, the dispatch."""
    ticket: Ticket = context.record
    note_step(context)
    step = due_step(ticket)
    following = _next(ticket, step.position, _logged_rank(context)) if step else None
    context.log["next_review"] = following.name if following else None
    ticket.review_position = following.position if following else 0


def note_step(context: Context) -> None:
    """Write down which step of the route it was."""
    step = due_step(context.record)
    if step is not None:
        context.log["review"] = {
            "position": step.position,
            "name": step.name,
            "level": step.level.value,
        }


def after_approve(context: Context) -> TicketStatus:
    """Under review until the last step of the route is taken."""
    waits = context.log.get("next_review") is not None
    return TicketStatus.PENDING_REVIEW if waits else TicketStatus.PENDING_DISPATCH


def _logged_rank(context: Context) -> int:
    """Return the raiser's level as it was when the whistle was blown; 0 for older tickets."""
    data = ledger.data_of_last(context.session, context.record, "raise")
    return int(data.get("raiser_rank", 0)) if data else 0


def mark(ticket: Ticket) -> str:
    """Return which step of the review a person was shown, so that no click takes two."""
    under_review = ticket.status is TicketStatus.PENDING_REVIEW
    return str(ticket.review_position) if under_review else ""
