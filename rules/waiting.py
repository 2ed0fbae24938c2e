"""What waits for somebody, of whatever kind: the first of each queue and how many there are, at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, literal, select, union_all
from sqlalchemy.orm import Session

from models.meeting import CoordinationMeeting, MeetingDecision, MeetingStatus
from models.rating import Rater, Rating
from models.ticket import Ticket


@dataclass
class Front:
    """The first ids of a queue, in its order, and how many wait in it."""

    ids: list[int] = field(default_factory=list)
    number: int = 0


def fronts(session: Session, gathered: Mapping[str, Select[Any]], *, rows: int) -> dict[str, Front]:
    """Return the front of each queue, by its name. One statement through the gate.

    ``gathered`` selects of each queue ``id`` and ``place``, by which it is put in order; ties go by
    the id. Each is gathered once and for itself, then counted and cut: asked for in one breath,
    PostgreSQL may walk everybody's records in that order.
    """
    found = {name: Front() for name in gathered}
    if not gathered:
        return found
    parts = []
    for turn, (name, some) in enumerate(gathered.items()):
        every = some.cte(f"gathered_{turn}").prefix_with("MATERIALIZED")
        first = (
            select(
                literal(name).label("name"),
                every.c.id,
                func.count().over().label("number"),
                func.row_number().over(order_by=(every.c.place, every.c.id)).label("turn"),
            )
            .order_by(every.c.place, every.c.id)
            .limit(rows)
            .subquery()
        )
        parts.append(select(first))
    for row in sorted(session.execute(union_all(*parts)), key=lambda each: each.turn):
        found[row.name].ids.append(row.id)
        found[row.name].number = row.number
    return found


def rated(*, yes: bool) -> ColumnElement[bool]:
    """Return whether a ticket has ratings of its raising place in this round, or has none."""
    one = exists().where(
        Rating.ticket_id == Ticket.id,
        Rating.round == Ticket.reopen_count + 1,
        Rating.rater == Rater.RAISER,
    )
    return one if yes else ~one


def of_a_held_meeting() -> ColumnElement[bool]:
    """Return whether a decision's meeting was held: its owner, who may not see the meeting, can act."""
    meeting = CoordinationMeeting.__table__
    return exists().where(
        meeting.c.id == MeetingDecision.meeting_id, meeting.c.status == MeetingStatus.HELD
    )
