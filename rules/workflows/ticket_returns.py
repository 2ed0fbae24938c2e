"""Giving a ticket back: a reviewer decides, and after the cap his word is final (domain section 6)."""

from __future__ import annotations

from models.base import Titled
from models.ledger import Event
from models.ticket import AssignmentStatus, Ticket, TicketStatus
from rules.parties import sync
from rules.workflow import Context, last_status_before
from rules.workflows.ticket_base import active, count_events, named, off_work
from rules.workflows.ticket_extensions import drop_pending


def may_not_request(context: Context) -> str | None:
    """Say why the ticket can not be given back, if so: first asked, or refused often enough."""
    ticket: Ticket = context.record
    mechanism = ticket.whistle_class.mechanism
    if not mechanism.returns_allowed:
        return "本地实行首问负责制，接到哨单的单位不得退单；不属本单位职责的，请联系吹哨办移交。"
    if _refused(context) >= mechanism.return_cap:
        return (
            f"贵单位对这张哨单的退单申请已被驳回 {mechanism.return_cap} 次，"
            "以审核员的决定为准，不能再申请退单。"
        )
    return None


def _refused(context: Context) -> int:
    """Return how many returns of this ticket by its present lead were refused."""
    return count_events(
        context,
        Event.action == "refuse_return",
        Event.data["department"]["id"].as_integer() == context.record.lead_id,
    )


def approve(context: Context) -> None:
    """The ticket leaves its departments and waits for dispatch again; counted once."""
    ticket: Ticket = context.record
    lead = ticket.lead
    leave = [off_work(part, AssignmentStatus.RETURNED) for part in active(ticket)]
    context.log["returned_by"] = named([lead])[0] if lead else {"id": None}
    context.log["clocks"] = {"leave": leave}
    ticket.lead_id = None
    ticket.return_count += 1
    drop_pending(context, "退单已获同意，延期申请自动终止。")
    sync(context.session, ticket)


def refuse(context: Context) -> None:
    """Nothing moves; whose request it was is written down, for it counts against the cap."""
    lead = context.record.lead
    context.log["department"] = named([lead])[0] if lead else {"id": None}


def before_return(context: Context) -> Titled:
    """A refused return goes back to where it was: the clock never stopped."""
    pending, merged = TicketStatus.RETURN_PENDING, TicketStatus.MERGED
    return last_status_before(context.session, context.record, pending, aside=(merged,))
