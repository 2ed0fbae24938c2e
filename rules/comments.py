"""Words between the parties of a ticket: kept beside it, told to the others, changing nothing of it."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import Integer, Select, bindparam, select
from sqlalchemy.orm import Session

from models.ticket import OFF_WORK, Ticket, TicketAssignment
from models.ticket_file import TicketComment
from presets.roles import Role
from rules.actor import Actor
from rules.errors import Invalid
from rules.notices import People, Places, bodies_of, tell_people

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
    realm = ticket.organization.realm_id
    people: list[People] = [
        (_places(ticket), ()),
        (_at_work(ticket), ()),
        (bodies_of(realm), (Role.DISPATCHER,)),
    ]
    tell_people(session, people, title, ticket, f"comment-{comment.id}")
    return comment


def _places(ticket: Ticket) -> list[int]:
    """Return the raising place, and whoever holds the ticket."""
    return [each for each in (ticket.organization_id, ticket.holder_id) if each is not None]


def _at_work(ticket: Ticket) -> Places:
    """Return the departments at work on the ticket."""
    return Places(_departments(), {"ticket": ticket.id})


@lru_cache(maxsize=1)
def _departments() -> Select[int]:
    return select(TicketAssignment.organization_id).where(
        TicketAssignment.ticket_id == bindparam("ticket", type_=Integer),
        TicketAssignment.status.not_in(OFF_WORK),
    )
