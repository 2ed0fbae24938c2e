"""More time for a ticket: asked for before the deadline, decided by the reviewer (domain section 6).

A request that is granted holds from when it was made: a deadline that passed while the request
waited was not missed. Old and new deadline are both kept.
"""

from __future__ import annotations

import datetime as dt

from models.ticket import AssignmentRole, Ticket
from models.ticket_file import ExtensionStatus, TicketExtension
from rules import clocks
from rules.calendar import SHANGHAI, end_of_day, shanghai_date
from rules.errors import Conflict, Invalid
from rules.workflow import Context
from rules.workflows.ticket_base import active, move_deadlines

E = ExtensionStatus


def pending(context: Context) -> TicketExtension | None:
    """Return the request that waits for the reviewer, if any."""
    return next((each for each in _requests(context) if each.status is E.REQUESTED), None)


def _requests(context: Context) -> list[TicketExtension]:
    """Return the ticket's requests as they are now, in order."""
    # What the step has changed so far goes with its event, not before it.
    with context.session.no_autoflush:
        return list(context.record.extensions)


def may_not_request(context: Context) -> str | None:
    """Say why no more time can be asked for, if so."""
    ticket: Ticket = context.record
    cap = ticket.whistle_class.mechanism.extension_cap
    if cap == 0:
        return "本地机制不允许延期，请在期限内办结。"
    if ticket.resolve_due is None:
        return "这张哨单没有办结期限，不需要延期。"
    if context.now > ticket.resolve_due:
        return "办结期限已过，延期只能在期限届满前申请。"
    requests = _requests(context)
    if any(each.status is E.REQUESTED for each in requests):
        return "已有一份延期申请在等待审核，请等审核结果。"
    if len(requests) >= cap:
        return f"本哨单的延期申请已用完（最多 {cap} 次），请按期办结。"
    return None


def request(context: Context) -> None:
    """Ask for a later date, and say why."""
    ticket: Ticket = context.record
    old, new = ticket.resolve_due, end_of_day(context.data["new_due"])
    if old is None:
        raise Conflict("这张哨单没有办结期限，不需要延期。")
    _later(old, new, "new_due")
    ticket.extensions.append(
        TicketExtension(
            organization_id=ticket.lead_id,
            reason=context.data["note"],
            old_due=old,
            new_due=new,
        )
    )
    context.log["extension"] = {"old": old.isoformat(), "asked": new.isoformat()}


def _later(old: dt.datetime, new: dt.datetime, field: str) -> None:
    if new <= old:
        message = f"新期限应晚于现在的办结期限（{old.astimezone(SHANGHAI):%Y-%m-%d %H:%M}）。"
        raise Invalid(message, **{field: message})


def nothing_pending(context: Context) -> str | None:
    """Say that no request waits, if so."""
    return None if pending(context) else "没有等待审核的延期申请。"


def _waiting(context: Context) -> TicketExtension:
    found = pending(context)
    if found is None:
        raise Conflict("没有等待审核的延期申请。")
    return found


def approve(context: Context) -> None:
    """Move the deadline to the date that was asked for, or to an earlier one.

    Departments that shared the ticket's deadline and have not reported share the new one.
    """
    ticket: Ticket = context.record
    found = _waiting(context)
    new = end_of_day(context.data["new_due"]) if "new_due" in context.data else found.new_due
    _later(found.old_due, new, "new_due")
    if new > found.new_due:
        message = f"准予的期限不能晚于申请的日期（{shanghai_date(found.new_due)}）。"
        raise Invalid(message, new_due=message)
    context.log["extension"] = {"old": found.old_due.isoformat(), "new": new.isoformat()}
    moved = [
        move_deadlines(part, {"resolve": new})
        for part in active(ticket)
        if part.role is AssignmentRole.LEAD
        or (part.reported_at is None and part.resolve_due == ticket.resolve_due)
    ]
    ticket.resolve_due = new
    context.log["clocks"] = {"due": clocks.written({"resolve": new}), "moved": moved}
    _decide(context, found, E.APPROVED, context.data.get("note"))
    found.new_due = new


def refuse(context: Context) -> None:
    """Leave the deadline where it is."""
    _decide(context, _waiting(context), E.REFUSED, context.data.get("note"))


def drop_pending(context: Context, sentence: str) -> None:
    """Refuse a request that still waits, because the ticket has left whoever asked."""
    found = pending(context)
    if found is not None:
        _decide(context, found, E.REFUSED, sentence)
        context.log["extension_dropped"] = sentence


def _decide(
    context: Context, found: TicketExtension, status: ExtensionStatus, opinion: str | None
) -> None:
    found.status, found.opinion, found.decided_at = status, opinion, context.now
