"""Words between the parties of a ticket: kept beside it, told to the others, changing nothing of it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models.ticket import OFF_WORK, Ticket
from models.ticket_file import TicketComment
from presets.roles import Role
from rules.actor import Actor
from rules.errors import Invalid
from rules.notices import tell, tell_county

LONGEST = 1000


def say(session: Session, ticket: Ticket, actor: Actor, text: str) -> TicketComment:
    """Keep what a party says, and tell the others. Never commits.

    No step is taken and nothing of the ticket is written: nobody's step grows stale by it. Raises
    ``Invalid`` for a text that is empty or longer than 1,000 characters.
    """
    said = text.replace("\r\n", "\n").strip()
    if not said:
        raise Invalid("请写下要说的话再发出。", text="请写下要说的话再发出。")
    if len(said) > LONGEST:
        message = f"留言最多 {LONGEST} 字，现有 {len(said)} 字，请分成几条发出。"
        raise Invalid(message, text=message)
    comment = TicketComment(
        ticket_id=ticket.id,
        author_id=actor.user_id,
        author_name=actor.name[:100],
        organization_name=actor.organization_name[:100],
        text=said,
    )
    session.add(comment)
    session.flush()
    short = said.replace("\n", " ")
    title = f"{ticket.number or ticket.title}有新留言：{short[:60]}{'…' if len(short) > 60 else ''}"
    key = f"comment-{comment.id}"
    tell(session, _parties(ticket), title, ticket, key)
    realm = ticket.organization.realm_id
    tell_county(session, realm, title, ticket, key, roles=(Role.DISPATCHER,))
    return comment


def _parties(ticket: Ticket) -> set[int | None]:
    """Return the raising place, whoever holds the ticket, and the departments at work on it."""
    at_work = {each.organization_id for each in ticket.assignments if each.status not in OFF_WORK}
    return {ticket.organization_id, ticket.holder_id, *at_work}
