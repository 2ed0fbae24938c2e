"""Finding tickets by any part of their words, from two characters on (decision 0020).

Most Chinese words have two characters, so what is indexed are pairs of characters. A pair that is
rare is found by the index; a common one at once by looking through the newest tickets in reach. Both
answers are held against the text itself: what is found contains what was asked, as it stands.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    case,
    cast,
    delete,
    false,
    func,
    insert,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.orm import Session

from models.search import TICKET_GRAM, TICKET_SEARCH
from models.ticket import Ticket, TicketParty
from rules.actor import current
from rules.rarity import frequencies
from rules.scope import criterion, reviewed
from rules.ways import picked, whose_rows

#: So many of the newest tickets in reach are looked through for what is common.
NEAR = 1500
#: What no more tickets of the whole ledger contain is rare, and the index is asked for it at once.
RARE = 4000
#: A single character has no index: this many of the newest tickets in reach are looked through.
NEAR_ONE = 5000
#: Pairs of a query that the index is asked for; the text itself settles the rest.
_MOST_PAIRS = 12
_FOLD = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


@dataclass(frozen=True)
class Near:
    """What was found among the tickets in reach that come first.

    ``ids`` are those that contain the text, in the order asked for; ``whole`` tells that there are
    no more tickets in reach than were looked through.
    """

    ids: list[int]
    whole: bool


def folded(text: str) -> str:
    """Return a query as the texts are folded: A–Z made small, nothing else touched."""
    return text.strip().translate(_FOLD)


def pairs(text: str) -> list[str]:
    """Return the pairs of characters that follow each other in a text, each once, in order."""
    return list(dict.fromkeys(text[at : at + 2] for at in range(len(text) - 1)))


def containing(session: Session, text: str) -> ColumnElement[bool]:
    """Return which tickets contain a text in number, title or address, as the index finds them.

    A criterion on ``Ticket``, for a statement that the gate narrows. A single character is sought
    in every text.
    """
    wanted = folded(text)
    if not _possible(wanted):
        return false()
    return Ticket.id.in_(_indexed(session, wanted))


def seems_rare(session: Session, text: str) -> bool | None:
    """Tell whether few tickets of the whole ledger contain a text; None if nothing is known of it."""
    known, asked = frequencies(session), pairs(folded(text))
    return known.holding(asked) <= RARE if known is not None and asked else None


def indexed(
    session: Session, text: str, *, beyond: int | None = None, descending: bool = True, most: int
) -> Near:
    """Find the first ``most`` tickets in reach that contain a text, by their ids.

    One statement, which begins with what the index finds in the whole ledger; a single character has
    no index. ``beyond`` is the id to begin after.
    """
    wanted = folded(text)
    if not _possible(wanted):
        return Near([], whole=True)
    # First the index, then whose they are: in one breath, PostgreSQL may go the other way round.
    hits = _indexed(session, wanted).with_only_columns(TICKET_SEARCH.c.ticket_id.label("id"))
    found = hits.cte("hits").prefix_with("MATERIALIZED")
    reach, key = _in_reach(session)
    if beyond is not None:
        reach = reach.where(key < beyond if descending else key > beyond)
    mine = picked(session, found, reach.distinct(), key, descending=descending)
    ids = session.scalars(
        mine.limit(most),
        execution_options=reviewed("reads ids of the actor's own party rows, or by the criterion"),
    ).all()
    return Near(list(ids), whole=len(ids) < most)


def near(
    session: Session,
    text: str,
    *,
    beyond: int | None = None,
    descending: bool = True,
    enough: int | None = None,
) -> Near:
    """Look for a text in the ``NEAR`` tickets in reach that come first, by their ids.

    ``beyond`` is the id to begin after, ``descending`` begins with the newest; so many as are
    ``enough`` are looked for, unless these are all tickets in reach. One statement, whose cost does
    not depend on how many tickets there are.
    """
    wanted = folded(text)
    if not _possible(wanted):
        return Near([], whole=True)
    most = NEAR if len(wanted) > 1 else NEAR_ONE
    reach, key = _in_reach(session)
    if beyond is not None:
        reach = reach.where(key < beyond if descending else key > beyond)
    order = key.desc() if descending else key.asc()
    looked_at = (
        reach.distinct().order_by(order).limit(most).cte("looked_at").prefix_with("MATERIALIZED")
    )
    texts = TICKET_SEARCH
    holding = select(texts.c.ticket_id).where(_place(session, wanted) > 0)
    hits = picked(session, looked_at, holding, texts.c.ticket_id, descending=descending)
    number = select(-func.count()).select_from(looked_at)
    if enough is not None:
        all_there = select(func.count()).select_from(looked_at).scalar_subquery() < most
        hits = hits.limit(case((all_there, most), else_=enough))
    rows = session.scalars(
        union_all(select(hits.subquery().c.id), number),
        execution_options=reviewed("reads ids of the actor's own party rows, or by the criterion"),
    ).all()
    ids = sorted((each for each in rows if each > 0), reverse=descending)
    return Near(ids, whole=-min(rows) < most)


def rebuild(session: Session) -> int:
    """Make what searches look through anew from the tickets, and return how many there are.

    The triggers keep it true; this is for a database whose triggers were taken off meanwhile.
    """
    option = reviewed("derives the searched texts from the tickets, for the system")
    ticket, texts = Ticket.__table__, TICKET_SEARCH
    session.execute(delete(texts), execution_options=option)
    words = [
        func.coalesce(ticket.c.number, ""),
        ticket.c.title,
        func.coalesce(ticket.c.address, ""),
    ]
    joined = words[0] + "\n" + words[1] + "\n" + words[2]
    small = func.lower(joined if _is_sqlite(session) else joined.collate("C"))
    rows = insert(texts).from_select(["ticket_id", "text"], select(ticket.c.id, small))
    session.execute(rows, execution_options=option)
    return session.scalar(select(func.count(Ticket.id))) or 0


def _possible(wanted: str) -> bool:
    """Tell whether any text can contain it: none holds a NUL, and no hit spans two of its lines."""
    return bool(wanted) and not set(wanted) & {"\x00", "\n"}


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def _place(session: Session, wanted: str) -> Any:
    place = func.instr if _is_sqlite(session) else func.strpos
    return place(TICKET_SEARCH.c.text, wanted)


def _indexed(session: Session, wanted: str) -> Select[Any]:
    """Return the statement for the ids of all tickets that contain a text, by the index."""
    texts = TICKET_SEARCH
    found: Select[Any] = select(texts.c.ticket_id).where(_place(session, wanted) > 0)
    if len(wanted) < 2:
        return found
    asked = pairs(wanted)[:_MOST_PAIRS]
    if _is_sqlite(session):
        match = " AND ".join(each.encode().hex().upper() for each in asked)
        grams = TICKET_GRAM
        return found.join(grams, grams.c.rowid == texts.c.ticket_id).where(
            grams.c.ticket_gram.match(match)
        )
    held = func.search_grams(texts.c.text).op("@>")(cast(array(asked), ARRAY(Text)))
    return found.where(held)


def _in_reach(session: Session) -> tuple[Select[Any], Any]:
    """Return the statement for the ids of all tickets in reach, and the column that orders them.

    Where one organisation's party rows are the whole reach, these alone are walked: an organisation
    may have two of a ticket, and each id comes as often.
    """
    actor = current(session)
    organization_id = whose_rows(actor, Ticket)
    if organization_id is not None:
        party = TicketParty.__table__
        mine = party.c.organization_id == organization_id
        return select(party.c.ticket_id.label("id")).where(mine), party.c.ticket_id
    rows = Ticket.__table__.alias()
    return select(rows.c.id).where(criterion(actor, Ticket, rows=rows)), rows.c.id
