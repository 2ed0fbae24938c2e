"""Sending a ticket back to its departments with a fix-by date, and taking that back (domain 6)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from models.ledger import Event
from models.mechanism import LowRating
from models.ticket import AssignmentStatus, Ticket, TicketStatus
from rules import clocks
from rules.calendar import end_of_day, shanghai_date
from rules.deadlines import Term, Unit, due
from rules.errors import Invalid
from rules.workflow import Context
from rules.workflows.ticket_base import active, last_event, move_deadlines, working_days
from rules.workflows.ticket_extensions import drop_pending

A = AssignmentStatus
#: How long there is to put things right, where the mechanism says nothing.
USUAL_FIX = Term(Unit.working_days, 5)


def reopen(context: Context) -> None:
    """Send the ticket back by a person's word, by the date that he sets."""
    day = context.data["fix_by"]
    if day < shanghai_date(context.now):
        message = "限期整改日期不能早于今天。"
        raise Invalid(message, fix_by=message)
    send_back(context, end_of_day(day))


def send_back(context: Context, fix_by: dt.datetime) -> None:
    """Send the same ticket back; every department starts over, and it is counted.

    What it was before is logged, so that it can be taken back.
    """
    ticket: Ticket = context.record
    parts = active(ticket)
    context.log["before"] = {
        "clocks": clocks.written({"resolve": ticket.resolve_due}),
        "resolved_at": _text(ticket.resolved_at),
        "supervised_at": _text(ticket.supervised_at),
        "parts": [
            {
                "organization": part.organization_id,
                "status": part.status.value,
                "reported_at": _text(part.reported_at),
                "resolve": _text(part.resolve_due),
            }
            for part in parts
        ],
    }
    ticket.resolve_due = fix_by
    ticket.reopen_count += 1
    ticket.resolved_at = ticket.closed_at = None
    moved = []
    for part in parts:
        part.status, part.reported_at = A.DISPATCHED, None
        moved.append(move_deadlines(part, {"resolve": fix_by}))
    context.log["fix_by"] = fix_by.isoformat()
    context.log["clocks"] = {"due": clocks.written({"resolve": fix_by}), "moved": moved}
    drop_pending(context, "哨单已退回重办，延期申请自动终止。")


def by_rating(context: Context) -> bool:
    """Send the ticket back because of a low rating, if the mechanism does so by itself."""
    ticket: Ticket = context.record
    mechanism = ticket.whistle_class.mechanism
    if mechanism.low_action is LowRating.DECIDE:
        return False
    term = Term.from_json(mechanism.fix_term) if mechanism.fix_term else USUAL_FIX
    days = working_days(context)
    # A term without a length of its own, such as the duty item's, ends nowhere here.
    fix_by = due(context.now, term, days) or due(context.now, USUAL_FIX, days)
    send_back(context, fix_by or context.now)
    context.log["reopened_by_rating"] = True
    if mechanism.low_action is LowRating.SUPERVISE:
        ticket.supervised_at = context.now
        context.log["supervised"] = True
    return True


def last_by_rating(context: Context) -> Event | None:
    """Return the event by which a rating sent the ticket back, if nobody has accepted since."""
    last = last_event(
        context,
        Event.action.in_(("rate", "amend_rating", "reopen")),
        Event.to_status == TicketStatus.REOPENED.value,
    )
    untouched = all(part.status is A.DISPATCHED for part in active(context.record))
    return last if last and last.data.get("reopened_by_rating") and untouched else None


def take_back(context: Context, event: Event) -> None:
    """Put the ticket where it was before a rating sent it back; the count goes back as well."""
    ticket: Ticket = context.record
    before: dict[str, Any] = event.data["before"]
    ticket.resolve_due = clocks.read(before["clocks"])["resolve"]
    ticket.resolved_at = _instant(before["resolved_at"])
    ticket.supervised_at = _instant(before["supervised_at"])
    ticket.reopen_count -= 1
    known = {each["organization"]: each for each in before["parts"]}
    moved = []
    for part in active(ticket):
        was = known.get(part.organization_id)
        if was is None:
            continue
        part.status = A(was["status"])  # type: ignore[call-arg]
        part.reported_at = _instant(was["reported_at"])
        moved.append(move_deadlines(part, {"resolve": _instant(was["resolve"])}))
    context.log["taken_back"] = event.sequence
    context.log["clocks"] = {
        "due": clocks.written({"resolve": ticket.resolve_due}),
        "moved": moved,
    }


def _text(instant: dt.datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _instant(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None
