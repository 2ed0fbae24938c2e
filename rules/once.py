"""One filling-in of the form makes one ticket, however often its answer gets lost on the way."""

from __future__ import annotations

import re
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.ledger import Event
from models.ticket import Ticket
from rules.actor import SYSTEM, Actor, acting_as
from rules.errors import Invalid

_KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: Said of every key that is no good, whatever is wrong with it: it tells nothing of others' tickets.
_USED_UP = "这张表单已失效，内容还在，没有提交。请再提交一次。"


def new_key() -> str:
    """Return a key for a form that is opened now."""
    return str(uuid.uuid4())


def sent_before(session: Session, key: str, actor: Actor) -> Ticket | None:
    """Return the ticket that the actor has made with this key, or ``None`` if nobody has used it.

    Raises ``Invalid`` for a key that is none, that was somebody else's, or whose ticket is out of the
    actor's sight by now.
    """
    if not _KEY.fullmatch(key):
        raise Invalid(_USED_UP, client_key=_USED_UP)
    with acting_as(session, SYSTEM):
        found = session.execute(
            select(Ticket.id, Event.actor_id)
            .join(Event, (Event.record_type == "ticket") & (Event.record_id == Ticket.id))
            .where(Ticket.client_key == key)
            .order_by(Event.sequence)
            .limit(1)
        ).first()
    if found is None:
        return None
    number, maker = found
    ticket = session.scalars(select(Ticket).where(Ticket.id == number)).first()
    if maker != actor.user_id or ticket is None:
        raise Invalid(_USED_UP, client_key=_USED_UP)
    return ticket
