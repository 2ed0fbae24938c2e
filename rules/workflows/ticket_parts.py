"""The departments at work on a ticket: who may be sent, who comes, who leaves (domain section 6)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from models.organization import Organization
from models.ticket import AssignmentRole, AssignmentStatus, Ticket, TicketAssignment
from rules import clocks
from rules.calendar import WorkCalendar
from rules.errors import Invalid
from rules.organizations import above
from rules.parties import sync
from rules.workflow import Context
from rules.workflows.ticket_base import (
    DISPATCHABLE,
    assisting,
    lead_part,
    named,
    off_work,
    working_days,
)
from rules.workflows.ticket_extensions import drop_pending

A = AssignmentStatus


def may_receive(ticket: Ticket, organization: Organization) -> bool:
    """Tell whether an organisation can be sent to: a department in use, of the ticket's own county."""
    return (
        organization.active
        and organization.kind in DISPATCHABLE
        and organization.realm_id in above(ticket.organization)
    )


def receiver(context: Context, organization_id: int, field: str) -> Organization:
    """Return the department to send to; only one of the ticket's own county or city will do."""
    ticket: Ticket = context.record
    organization = context.session.get(Organization, organization_id)
    if organization is None or not may_receive(ticket, organization):
        name = f"“{organization.name}”" if organization else "所选单位"
        message = f"{name}不能承办这张哨单，请选择本县（市、区）在用的职能部门或单位。"
        raise Invalid(message, **{field: message})
    return organization


def receivers(context: Context, ids: Iterable[int], lead: Organization) -> list[Organization]:
    """Return the assisting departments to send to: each once, and none of them the lead."""
    found = []
    for each in dict.fromkeys(ids):
        if each == lead.id:
            message = f"“{lead.name}”已是主办单位，不能同时协办。"
            raise Invalid(message, assisting=message)
        found.append(receiver(context, each, "assisting"))
    return found


def put_to_work(
    context: Context,
    organization: Organization,
    role: AssignmentRole,
    found: clocks.Deadlines | None = None,
    *,
    days: WorkCalendar | None = None,
    set_due: dt.datetime | None = None,
) -> dict[str, Any]:
    """Give a department its part, with deadlines that are given or start now; return what to log."""
    ticket: Ticket = context.record
    part = TicketAssignment(organization_id=organization.id, role=role)
    ticket.assignments.append(part)
    if found is None:
        found = clocks.start_part(ticket, part, context.now, days or working_days(context), set_due)
    else:
        clocks.set_deadlines(part, found)
    return clocks.joined(part, found)


# Hand-over, more departments, fewer


def hand_over(context: Context) -> None:
    """Give the lead to another department. The clocks run on; what the ticket has met is met."""
    ticket: Ticket = context.record
    new = receiver(context, context.data["lead"], "lead")
    old = lead_part(ticket)
    if new.id == old.organization_id:
        message = f"“{new.name}”已是主办单位，请选择另一个单位。"
        raise Invalid(message, lead=message)
    leave = [off_work(old, A.HANDED_OVER)]
    for part in assisting(ticket):
        if part.organization_id == new.id:
            leave.append(off_work(part, A.REMOVED))
    owes = {
        clock: getattr(ticket, f"{clock}_due") if getattr(ticket, done) is None else None
        for clock, done in clocks.DONE.items()
    }
    joined = put_to_work(context, new, AssignmentRole.LEAD, owes)
    ticket.lead_id = new.id
    context.log |= {
        "lead": {"id": new.id, "name": new.name},
        "handed_over_by": named([old.organization])[0],
        "clocks": {"leave": leave, "parts": [joined]},
    }
    drop_pending(context, "主办单位已移交，延期申请自动终止。")
    sync(context.session, ticket)


def add_assisting(context: Context) -> None:
    """Call in further departments; their clocks start now."""
    ticket: Ticket = context.record
    lead = lead_part(ticket).organization
    others = receivers(context, context.data["assisting"], lead)
    there = {part.organization_id for part in assisting(ticket)}
    twice = [each.name for each in others if each.id in there]
    if twice:
        message = f"{'、'.join(twice)}已是协办单位，请选择其他单位。"
        raise Invalid(message, assisting=message)
    days = working_days(context)
    parts = [put_to_work(context, each, AssignmentRole.ASSISTING, days=days) for each in others]
    context.log |= {"assisting": named(others), "clocks": {"parts": parts}}
    sync(context.session, ticket)


def nobody_assists(context: Context) -> str | None:
    """Say that there is nobody to be taken off, if so."""
    return None if assisting(context.record) else "这张哨单没有协办单位。"


def remove_assisting(context: Context) -> None:
    """Let departments that assist go; what they did stays on record."""
    ticket: Ticket = context.record
    parts = {part.organization_id: part for part in assisting(ticket)}
    strangers = [each for each in context.data["assisting"] if each not in parts]
    if strangers:
        message = "所选单位不是这张哨单的协办单位，请从现有协办单位中选择。"
        raise Invalid(message, assisting=message)
    gone = [parts[each] for each in dict.fromkeys(context.data["assisting"])]
    context.log["removed"] = named(part.organization for part in gone)
    context.log["clocks"] = {"leave": [off_work(part, A.REMOVED) for part in gone]}
    sync(context.session, ticket)
