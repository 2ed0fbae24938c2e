"""What the steps of the main road change besides a ticket's status, and when they do not fit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy.orm import object_session

from models.ticket import (
    AssignmentRole,
    AssignmentStatus,
    Ticket,
    TicketAssignment,
    TicketStatus,
)
from rules import clocks, ledger
from rules.actor import SYSTEM, acting_as
from rules.calendar import end_of_day, shanghai_date
from rules.eligibility import Judgement, judge, keep, usable
from rules.errors import Invalid
from rules.mechanisms import mechanism_for, present_class
from rules.numbering import next_number
from rules.parties import sync
from rules.workflow import Context
from rules.workflows import ticket_dispatch
from rules.workflows import ticket_review as review
from rules.workflows.ticket_base import (
    DISPATCHABLE,
    active,
    lead_part,
    named,
    own_assignment,
    working_days,
)
from rules.workflows.ticket_extensions import drop_pending
from rules.workflows.ticket_parts import put_to_work, receiver, receivers

__all__ = ["DISPATCHABLE", "active"]
A = AssignmentStatus


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
    """Direct classes go to the department, others along the review route above the raiser's level."""
    if context.log.get("registered_at_office"):
        return TicketStatus.DISPATCHED
    waits = context.record.review_position or context.log.get("first_review")
    return TicketStatus.PENDING_REVIEW if waits else TicketStatus.PENDING_DISPATCH


def raise_whistle(context: Context) -> Judgement:
    """Number the ticket if it has no number yet, and keep the verdict and who blew the whistle.

    A draft that is older than the mechanism in force goes by that one; without any, ``Invalid``.
    """
    ticket: Ticket = context.record
    if not ticket.whistle_class.mechanism.in_force:
        with acting_as(context.session, SYSTEM), context.session.no_autoflush:
            mechanism_for(context.session, ticket.organization_id)
            ticket.whistle_class = present_class(context.session, ticket)
    found = judgement(context)
    keep(ticket, found)
    if ticket.number is None:
        ticket.number = next_number(context.session, ticket.organization, context.now)
    ticket.raised_at = context.now
    if ticket.raised_by is None:
        ticket.raised_by, ticket.raised_by_id = context.actor.name, context.actor.user_id
    context.log["verdict"] = found.verdict.value
    return found


def blow(context: Context) -> None:
    """Blow the whistle, and send it at once if its class is direct."""
    ticket: Ticket = context.record
    found = raise_whistle(context)
    if context.log.get("paper_dispatched"):
        return
    if not ticket.whistle_class.direct_dispatch:
        step = review.first_step(context)
        ticket.review_position = step.position if step else 0
        context.log["first_review"] = step.name if step else None
        return
    lead_id = context.data.get("lead") or next((each.id for each in found.departments), None)
    if lead_id is None:
        message = f"“{ticket.whistle_class.name}”直派部门，请选择派往部门。"
        raise Invalid(message, lead=message)
    others = [each.id for each in found.departments if each.id != lead_id]
    send(context, lead_id, others)
    context.log["registered_at_office"] = True


def asks_for_date(ticket: Ticket) -> bool:
    """Tell whether the dispatch of this ticket has a deadline to set."""
    session = object_session(ticket)
    if session is None or not ticket.id:
        return False
    ticket_dispatch.read(session, ticket)
    with acting_as(session, SYSTEM):
        return clocks.asks_for_date(ticket, present_class(session, ticket)) is not False


def dispatch(context: Context) -> None:
    """Send the ticket to its lead and assisting departments, and start the clocks."""
    send(context, context.data["lead"], context.data.get("assisting", []))


def send(context: Context, lead_id: int, assisting_ids: Iterable[int]) -> None:
    """Put departments to work under the mechanism in force now, which the ticket keeps."""
    ticket: Ticket = context.record
    with context.session.no_autoflush:
        lead = receiver(context, lead_id, "lead")
        others = receivers(context, assisting_ids, lead)
        # Whoever was at work before is read in the dispatcher's name, along with the chain's end.
        ledger.read_with_end(context.session, ticket, Ticket.assignments)
    ticket.lead_id = lead.id
    ticket.dispatched_at = context.now
    ticket.accepted_at = ticket.arrived_at = ticket.resolved_at = None
    context.log["lead"] = {"id": lead.id, "name": lead.name}
    context.log["assisting"] = named(others)
    # All at once at the end: every look-up on the way would write the ticket, and its audit, anew.
    with acting_as(context.session, SYSTEM), context.session.no_autoflush:
        # The clocks depend on the duty item whether or not the dispatcher may read its list.
        ticket.whistle_class = present_class(context.session, ticket)
        set_due = _date_set(context)
        days = working_days(context)
        log: dict[str, Any] = clocks.start(ticket, context.now, days, set_due)
        log["parts"] = [
            put_to_work(context, each, role, days=days, set_due=set_due)
            for role, sent in ((AssignmentRole.LEAD, [lead]), (AssignmentRole.ASSISTING, others))
            for each in sent
        ]
        mechanism = ticket.whistle_class.mechanism
        sync(context.session, ticket)
    context.log["clocks"] = log
    context.log["mechanism"] = {"id": mechanism.id, "number": mechanism.number}


def _date_set(context: Context) -> dt.datetime | None:
    """Return the end of the day that the dispatcher set; raise ``Invalid`` if he must and did not."""
    asked = clocks.asks_for_date(context.record, context.record.whistle_class)
    day = context.data.get("due")
    if day is None:
        direct = context.record.whistle_class.direct_dispatch
        if asked is True and not direct:
            message = "这类哨单的办结期限由派单人确定，请填写“办结期限”。"
            raise Invalid(message, due=message)
        return None
    if day < shanghai_date(context.now):
        message = "办结期限不能早于派单的日期，请重新填写。"
        raise Invalid(message, due=message)
    return end_of_day(day)


# At work


def _move(part: TicketAssignment, status: A, stamp: str, now: dt.datetime) -> None:
    """Move a department on; the first time counts, for that is what its deadline is about."""
    part.status = status
    setattr(part, stamp, getattr(part, stamp) or now)


def accept(context: Context) -> None:
    """The lead takes the ticket; the first time counts for the response rate."""
    ticket: Ticket = context.record
    _move(lead_part(ticket), A.ACCEPTED, "accepted_at", context.now)
    ticket.accepted_at = ticket.accepted_at or context.now


def arrive(context: Context) -> None:
    """The lead is on the spot."""
    ticket: Ticket = context.record
    _move(lead_part(ticket), A.ARRIVED, "arrived_at", context.now)
    ticket.arrived_at = ticket.arrived_at or context.now


def report_result(context: Context) -> None:
    """The lead reports the overall result."""
    ticket: Ticket = context.record
    lead = lead_part(ticket)
    _move(lead, A.REPORTED, "reported_at", context.now)
    lead.result = ticket.result = context.data["result"]
    ticket.resolved_at = context.now
    context.log["result"] = context.data["result"]


def assisting_not_at(status: AssignmentStatus) -> Callable[[Context], str | None]:
    """Return a guard: the actor's assisting department must stand at this point."""

    def guard(context: Context) -> str | None:
        part = own_assignment(context.record, context.actor)
        if part is None:
            return "贵单位不是这张哨单的协办单位。"
        if part.status is not status:
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


def close(context: Context) -> None:
    """Struck off the ledger."""
    context.record.closed_at = context.now
    drop_pending(context, "哨单已销号，延期申请自动终止。")


def supervise(context: Context) -> None:
    """An order about the ticket was issued: from then on it shows that it is supervised."""
    ticket: Ticket = context.record
    ticket.supervised_at = ticket.supervised_at or context.now
