"""What waits for a reader, found by his own: its ids and their number, in one statement.

A queue is made of tickets in a few states. Asked plainly, a database begins with all tickets of these
states in the city and asks of each whether it is in reach. Here it begins with the ids of the
reader's own: of the places below his, of what his organisation leads, and of what it helps with. The
gate stands beside them, and is asked of no more than these (decision 0021).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    any_,
    false,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from models.organization import OrganizationLine
from models.queue import TICKET_HELPING
from models.ticket import FINAL, Ticket, TicketStatus
from rules.actor import current
from rules.ways import whose_rows

#: Made once: to name its fifty columns takes longer than to put the statement together.
_ROWS = Ticket.__table__.alias("own")
_LINE, _HELPING = OrganizationLine.__table__, TICKET_HELPING


@dataclass(frozen=True)
class Waiting:
    """Tickets that wait: in which states, none of them an end, and which of those.

    ``test`` is a criterion on ``Ticket``. ``late``: only those past the deadline of their next step,
    which are found by it. ``whose``: all in the reader's reach, or only what his own organisation
    leads, or what it helps with.
    """

    states: Collection[TicketStatus]
    test: ColumnElement[bool] | None = None
    late: bool = False
    whose: Literal["reach", "led", "helped"] = "reach"

    def __post_init__(self) -> None:
        if not self.states or set(self.states) & set(FINAL):
            raise ValueError("what waits is in states that are no end")

    def criteria(self, rows: Any) -> list[ColumnElement[bool]]:
        """Return what states and deadline ask of a ticket's columns."""
        states = tuple(self.states)
        found = [rows.status == states[0] if len(states) == 1 else rows.status.in_(states)]
        return [*found, rows.next_due < func.current_timestamp()] if self.late else found

    def of(self, session: Session, *columns: Any) -> Select[Any]:
        """Return these columns of the tickets that wait and are the reader's own."""
        own = _own(session, self)
        asked = select(*columns).where(*(self.criteria(Ticket) if own is None else [own]))
        return asked if self.test is None else asked.where(self.test)


def waiting(
    session: Session,
    asked: Waiting,
    *,
    rows: int,
    order: Any = Ticket.id,
    descending: bool = False,
    beyond: int | None = None,
) -> tuple[list[int], int]:
    """Return the first ids of what waits in the reader's reach, and how many there are in all.

    ``order``: a column or expression on ``Ticket``; the id breaks ties, the same way. ``beyond``: the
    id to begin after, of what is in the order of ids. One statement through the gate; its cost grows
    with what waits for this reader.
    """
    some = asked.of(session, Ticket.id.label("id"), order.label("place"))
    gathered = some.cte("gathered").prefix_with("MATERIALIZED")
    by = (gathered.c.place, gathered.c.id)
    first = select(gathered.c.id).order_by(*(each.desc() if descending else each for each in by))
    if beyond is not None:
        first = first.where(gathered.c.id < beyond if descending else gathered.c.id > beyond)
    number = select(-func.count()).select_from(gathered)
    # The number is told by its sign: ids begin at 1.
    found = session.scalars(union_all(select(first.limit(rows).subquery().c.id), number)).all()
    return [each for each in found if each > 0], -min(found)


def has_own(session: Session) -> bool:
    """Tell whether one organisation's tickets are the reader's whole reach: then these are found by it.

    Of a reader of the whole city, what waits is gathered from all that is in its states.
    """
    return whose_rows(current(session), Ticket) is not None


def numbers(session: Session, asked: Mapping[str, Waiting], *, most: int) -> dict[str, int]:
    """Return how many tickets wait in the reader's reach, by name, counted up to ``most`` each.

    One statement through the gate.
    """
    counts = []
    for name, each in asked.items():
        some = each.of(session, Ticket.id).limit(most).subquery()
        counts.append(select(literal(name), func.count()).select_from(some))
    found: dict[str, int] = {row[0]: row[1] for row in session.execute(union_all(*counts))}
    return found


def _own(session: Session, asked: Waiting) -> ColumnElement[bool] | None:
    """Return whether a ticket is in the states asked for and the reader's own; None: any may be.

    A way to find them and no guard: it lets through all that the gate does.
    """
    actor = current(session)
    reach = whose_rows(actor, Ticket) if asked.whose == "reach" else actor.organization_id
    if reach is None:
        return None if asked.whose == "reach" else false()
    below = select(_LINE.c.organization_id).where(_LINE.c.ancestor_id == reach)
    helped = select(_HELPING.c.ticket_id).where(_HELPING.c.organization_id == reach)
    some = select(_ROWS.c.id).where(*asked.criteria(_ROWS.c))
    parts = {
        "raised": some.where(_one_of(session, _ROWS.c.organization_id, below)),
        "led": some.where(_ROWS.c.lead_id == reach),
        "helped": some.where(_one_of(session, _ROWS.c.id, helped)),
    }
    chosen = parts.values() if asked.whose == "reach" else [parts[asked.whose]]
    ids = union_all(*chosen).subquery()
    return _one_of(session, Ticket.id, select(ids.c.id))


def _one_of(session: Session, key: Any, ids: Select[Any]) -> ColumnElement[bool]:
    """Return whether a column is one of some ids: on PostgreSQL as one array, sought by an index.

    Of a subquery, PostgreSQL may read all tickets of a state and look each up among the ids, or all
    party rows of the reader; an array it takes for short, however it plans.
    """
    if session.get_bind().dialect.name == "sqlite":
        found: ColumnElement[bool] = key.in_(ids)
    else:
        found = key == any_(func.array(ids.scalar_subquery(), type_=ARRAY(Integer)))
    return found
