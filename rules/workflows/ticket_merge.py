"""Duplicates: one ticket is linked to another that stays open, and the link can be taken back."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from models.base import Titled
from models.ticket import FINAL, Ticket, TicketStatus
from rules.actor import SYSTEM, acting_as
from rules.errors import Conflict, Invalid
from rules.workflow import Context, apply_internally, last_status_before

S = TicketStatus
#: A ticket in one of these may be merged into another; drafts are just deleted or withdrawn.
OPEN = tuple(each for each in S if each not in (*FINAL, S.DRAFT))


def merge(context: Context) -> None:
    """Link the ticket to the one that stays open; its clocks run on meanwhile."""
    ticket: Ticket = context.record
    main = _main(context, context.data["ticket"])
    ticket.merged_into = main
    context.log["merged_into"] = _called(main)
    said = {"note": context.data.get("note"), "merged": _called(ticket)}
    apply_internally(context, main, "take_in", said)


def _main(context: Context, ticket_id: int) -> Ticket:
    """Return the other ticket, locked; raise ``Invalid`` if it will not do."""
    ticket: Ticket = context.record
    if ticket_id == ticket.id:
        message = "不能把哨单并入它自己，请选择另一张哨单。"
        raise Invalid(message, ticket=message)
    main = context.session.get(Ticket, ticket_id)
    if main is None:
        raise _unfit("没有找到要并入的哨单，请重新选择。")
    if main.organization.realm_id != ticket.organization.realm_id:
        raise _unfit("只能并入同一县（市、区）的哨单，请重新选择。")
    _hold(context, main)
    if main.status not in OPEN:
        raise _unfit(f"“{main}”现在是“{main.status.title}”，不能再并入，请选择还在办理的哨单。")
    if _has_merged(context, ticket):
        raise _unfit(f"已有其他哨单并入“{ticket}”，请先撤销那些并单，或反过来把本单作为主单。")
    return main


def _unfit(message: str) -> Invalid:
    return Invalid(message, ticket=message)


def _hold(context: Context, main: Ticket) -> None:
    """Lock the other ticket without waiting: two that are merged crosswise would wait for ever."""
    try:
        context.session.execute(
            select(Ticket.id).where(Ticket.id == main.id).with_for_update(nowait=True)
        )
    except OperationalError:
        raise Conflict(f"“{main}”刚刚有别人在办理，请稍后再试。") from None
    context.session.refresh(main)


def _has_merged(context: Context, ticket: Ticket) -> bool:
    """Tell whether others are merged into the ticket, wherever they come from."""
    with acting_as(context.session, SYSTEM):
        found = context.session.scalars(
            select(Ticket.id).where(Ticket.merged_into_id == ticket.id).limit(1)
        ).first()
    return found is not None


def merged_into(context: Context, ticket: Ticket) -> list[Ticket]:
    """Return the tickets that are merged into one, for telling those who raised them."""
    with acting_as(context.session, SYSTEM):
        return list(ticket.duplicates)


def take_in(context: Context) -> None:
    """The main ticket remembers what was merged into it."""
    context.log["merged"] = context.data["merged"]


def unmerge(context: Context) -> None:
    """Take the link back: the ticket stands where it stood, with its clocks as they ran."""
    ticket: Ticket = context.record
    with acting_as(context.session, SYSTEM):
        main = ticket.merged_into
        ticket.merged_into = None
        if main is None:
            raise Conflict("这张哨单没有并入其他哨单。")
    context.log["unmerged_from"] = _called(main)
    _hold(context, main)
    said = {"note": context.data.get("note"), "merged": _called(ticket)}
    apply_internally(context, main, "give_back", said)


def give_back(context: Context) -> None:
    """The main ticket remembers what was taken out of it again."""
    context.log["unmerged"] = context.data["merged"]


def before_merge(context: Context) -> Titled:
    """Return where the ticket stood when it was merged."""
    return last_status_before(context.session, context.record, S.MERGED)


def _called(ticket: Ticket) -> dict[str, object]:
    return {"id": ticket.id, "number": ticket.number}
