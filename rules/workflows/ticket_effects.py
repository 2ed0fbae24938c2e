"""What each step of a ticket changes besides its status, and when it does not fit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable

from models.base import Titled
from models.grade import Grade
from models.organization import Organization, OrganizationKind
from models.rating import Rating
from models.ticket import (
    AssignmentRole,
    AssignmentStatus,
    Ticket,
    TicketAssignment,
    TicketStatus,
)
from presets.roles import Role
from rules import clocks
from rules.actor import SYSTEM, Actor, acting_as
from rules.calendar import end_of_day, shanghai_date
from rules.eligibility import Judgement, judge, keep, usable
from rules.errors import Invalid
from rules.mechanisms import calendar, dimensions_of
from rules.numbering import next_number
from rules.parties import sync
from rules.workflow import Context, last_status_before

A = AssignmentStatus
#: Who can be sent: whoever stands on a duty list, which names departments, branches and companies.
DISPATCHABLE = (
    OrganizationKind.DEPARTMENT,
    OrganizationKind.STATION,
    OrganizationKind.UNIT,
    OrganizationKind.COORDINATION_OFFICE,
)


def judgement(context: Context) -> Judgement:
    """Judge the ticket by its duty item as things stand now."""
    ticket: Ticket = context.record
    with acting_as(context.session, SYSTEM):
        return judge(
            context.session,
            ticket.organization,
            ticket.duty_item,
            emergency=ticket.emergency,
            local_tried=ticket.local_tried,
        )


def may_not_blow(context: Context) -> str | None:
    """Say why the whistle may not be blown (domain section 5), if so."""
    ticket: Ticket = context.record
    with acting_as(context.session, SYSTEM):
        item = None if ticket.emergency else ticket.duty_item
        if item is not None and not usable(context.session, ticket.organization, item):
            return (
                f"“{item.name}”不在本地现行的清单里（清单可能已经更新），请重新选择对应的清单事项。"
            )
    found = judgement(context)
    return None if found.may_blow else found.reason


def after_raise(context: Context) -> TicketStatus:
    """Direct classes go to the department; a township's own whistle needs no township review."""
    ticket: Ticket = context.record
    if ticket.whistle_class.direct_dispatch:
        return TicketStatus.DISPATCHED
    if (
        context.actor.has(Role.TOWNSHIP_REVIEWER)
        or ticket.organization.kind is OrganizationKind.TOWNSHIP
    ):
        return TicketStatus.PENDING_DISPATCH
    return TicketStatus.PENDING_REVIEW


def blow(context: Context) -> None:
    """Number the ticket, keep the verdict, and send it at once if its class is direct."""
    ticket: Ticket = context.record
    found = judgement(context)
    keep(ticket, found)
    ticket.number = next_number(context.session, ticket.organization, context.now)
    ticket.raised_at = context.now
    ticket.raised_by = context.actor.name
    ticket.raised_by_id = context.actor.user_id
    context.log["verdict"] = found.verdict.value
    if ticket.whistle_class.direct_dispatch:
        lead_id = context.data.get("lead") or next((each.id for each in found.departments), None)
        if lead_id is None:
            message = f"“{ticket.whistle_class.name}”直派部门，请选择派往部门。"
            raise Invalid(message, lead=message)
        assisting = [each.id for each in found.departments if each.id != lead_id]
        _send(context, lead_id, assisting)
        context.log["registered_at_office"] = True


def dispatch(context: Context) -> None:
    """Send the ticket to its lead and assisting departments, and start the clocks."""
    _send(context, context.data["lead"], context.data.get("assisting", []))


def _send(context: Context, lead_id: int, assisting_ids: Iterable[int]) -> None:
    ticket: Ticket = context.record
    lead = _receiver(context, lead_id, "lead")
    others = []
    for each in dict.fromkeys(assisting_ids):
        if each == lead.id:
            message = f"“{lead.name}”已是主办单位，不能同时协办。"
            raise Invalid(message, assisting=message)
        others.append(_receiver(context, each, "assisting"))
    ticket.lead_id = lead.id
    ticket.assignments.append(TicketAssignment(organization_id=lead.id, role=AssignmentRole.LEAD))
    for other in others:
        ticket.assignments.append(
            TicketAssignment(organization_id=other.id, role=AssignmentRole.ASSISTING)
        )
    ticket.dispatched_at = context.now
    ticket.accepted_at = ticket.arrived_at = ticket.resolved_at = None
    context.log["lead"] = {"id": lead.id, "name": lead.name}
    context.log["assisting"] = [{"id": each.id, "name": each.name} for each in others]
    with acting_as(context.session, SYSTEM):
        # The clocks depend on the duty item whether or not the dispatcher may read its list.
        context.log["clocks"] = clocks.start(ticket, context.now, calendar(context.session))
    sync(context.session, ticket)


def _receiver(context: Context, organization_id: int, field: str) -> Organization:
    """Return the department to send to; only one of the ticket's own county or city will do."""
    ticket: Ticket = context.record
    organization = context.session.get(Organization, organization_id)
    realms = {line.ancestor_id for line in ticket.organization.lines}
    if (
        organization is None
        or not organization.active
        or organization.kind not in DISPATCHABLE
        or organization.realm_id not in realms
    ):
        name = f"“{organization.name}”" if organization else "所选单位"
        message = f"{name}不能承办这张哨单，请选择本县（市、区）在用的职能部门或单位。"
        raise Invalid(message, **{field: message})
    return organization


def active(ticket: Ticket) -> list[TicketAssignment]:
    """Return the departments at work on the ticket, the lead first."""
    return sorted(
        (each for each in ticket.assignments if each.status is not A.RETURNED),
        key=lambda each: each.role is not AssignmentRole.LEAD,
    )


def own_assignment(ticket: Ticket, actor: Actor) -> TicketAssignment | None:
    """Return the actor's own department's part as an assisting department."""
    return next(
        (
            each
            for each in active(ticket)
            if each.organization_id == actor.organization_id
            and each.role is AssignmentRole.ASSISTING
        ),
        None,
    )


def _lead(ticket: Ticket) -> TicketAssignment:
    return next(each for each in active(ticket) if each.role is AssignmentRole.LEAD)


def _move(part: TicketAssignment, status: A, stamp: str, now: dt.datetime) -> None:
    part.status = status
    setattr(part, stamp, now)


def accept(context: Context) -> None:
    """The lead takes the ticket; the first time counts for the response rate."""
    ticket: Ticket = context.record
    _move(_lead(ticket), A.ACCEPTED, "accepted_at", context.now)
    ticket.accepted_at = ticket.accepted_at or context.now


def arrive(context: Context) -> None:
    """The lead is on the spot."""
    ticket: Ticket = context.record
    _move(_lead(ticket), A.ARRIVED, "arrived_at", context.now)
    ticket.arrived_at = ticket.arrived_at or context.now


def report_result(context: Context) -> None:
    """The lead reports the overall result."""
    ticket: Ticket = context.record
    lead = _lead(ticket)
    _move(lead, A.REPORTED, "reported_at", context.now)
    lead.result = ticket.result = context.data["result"]
    ticket.resolved_at = context.now
    context.log["result"] = context.data["result"]


def assisting_not_at(status: str) -> Callable[[Context], str | None]:
    """Return a guard: the actor's assisting department must stand at this point."""
    wanted = A(status)  # type: ignore[call-arg]

    def guard(context: Context) -> str | None:
        part = own_assignment(context.record, context.actor)
        if part is None:
            return "贵单位不是这张哨单的协办单位。"
        if part.status is not wanted:
            return f"贵单位的协办进度是“{part.status.title}”，现在不能办理这一步。"
        return None

    return guard


def _own(context: Context) -> TicketAssignment:
    part = own_assignment(context.record, context.actor)
    if part is None:
        raise Invalid("贵单位不是这张哨单的协办单位。")
    return part


def assist_accept(context: Context) -> None:
    """An assisting department takes its part."""
    _move(_own(context), A.ACCEPTED, "accepted_at", context.now)


def assist_arrive(context: Context) -> None:
    """An assisting department is on the spot."""
    _move(_own(context), A.ARRIVED, "arrived_at", context.now)


def assist_report(context: Context) -> None:
    """An assisting department reports what it did."""
    part = _own(context)
    _move(part, A.REPORTED, "reported_at", context.now)
    part.result = context.data["result"]
    context.log["result"] = context.data["result"]


def approve_return(context: Context) -> None:
    """The ticket leaves its departments and waits for dispatch again; counted once."""
    ticket: Ticket = context.record
    for part in active(ticket):
        part.status = A.RETURNED
    context.log["returned_by"] = {"id": ticket.lead_id}
    ticket.lead_id = None
    ticket.return_count += 1
    sync(context.session, ticket)


def before_return(context: Context) -> Titled:
    """A refused return goes back to where it was: the clock never stopped."""
    return last_status_before(context.session, context.record, TicketStatus.RETURN_PENDING)


def _round(ticket: Ticket) -> int:
    return ticket.reopen_count + 1


def grades_of(ticket: Ticket) -> list[Rating]:
    """Return the ratings of the present round."""
    return [each for each in ticket.ratings if each.round == _round(ticket)]


def already_rated(context: Context) -> str | None:
    """Each round is rated once."""
    return "这张哨单本轮已经评价。" if grades_of(context.record) else None


def rate(context: Context) -> None:
    """Grade every department at work in every dimension of the mechanism (domain section 8).

    ``grades`` maps "department id:dimension id" to a grade's value; none may be missing.
    """
    ticket: Ticket = context.record
    given = context.data["grades"]
    known = {grade.value: grade for grade in Grade}
    missing = []
    for part in active(ticket):
        for dimension in dimensions_of(ticket.whistle_class):
            grade = known.get(given.get(f"{part.organization_id}:{dimension.id}", ""))
            if grade is None:
                missing.append(f"{part.organization.name}的“{dimension.name}”")
                continue
            ticket.ratings.append(
                Rating(
                    organization_id=part.organization_id,
                    dimension_id=dimension.id,
                    round=_round(ticket),
                    grade=grade,
                    rated_by=f"{context.actor.organization_name} {context.actor.name}",
                )
            )
    if missing:
        message = f"请评价：{'、'.join(missing)}。"
        raise Invalid(message, grades=message)
    context.log["grades"] = dict(given)


def may_not_close(context: Context) -> str | None:
    """Only what was rated, and by nobody as 不满意, is struck off the ledger."""
    grades = grades_of(context.record)
    if not grades:
        return "还没有评哨，评价后才能销号。"
    if any(each.grade is Grade.DISSATISFIED for each in grades):
        return "有“不满意”的评价，应退回重办，不能销号。"
    return None


def close(context: Context) -> None:
    """Struck off the ledger."""
    context.record.closed_at = context.now


def reopen(context: Context) -> None:
    """Send the same ticket back with a fix-by date; every department starts over."""
    ticket: Ticket = context.record
    day = context.data["fix_by"]
    if day < shanghai_date(context.now):
        message = "限期整改日期不能早于今天。"
        raise Invalid(message, fix_by=message)
    ticket.resolve_due = end_of_day(day)
    ticket.reopen_count += 1
    ticket.resolved_at = ticket.closed_at = None
    for part in active(ticket):
        part.status = A.DISPATCHED
        part.reported_at = None
    context.log["fix_by"] = ticket.resolve_due.isoformat()
