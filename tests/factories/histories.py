"""Histories of published size, as rows written in bulk: what became of each whistle, and nothing more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from models.grade import Grade
from models.mechanism import RatingDimension
from models.rating import Rater, Rating
from models.ticket import (
    AssignmentRole,
    AssignmentStatus,
    Ticket,
    TicketAssignment,
    TicketStatus,
)
from rules.scope import reviewed
from tests.factories.world import World

HOUR = dt.timedelta(hours=1)
_PAST_THE_GATE = reviewed("writes a published history, for the system")


@dataclass(frozen=True)
class Fate:
    """What became of a whistle.

    ``reported``: hours after the dispatch at which the result was reported, with the deadline at 100;
    ``grades``: one for each dimension of the mechanism.
    """

    status: TicketStatus = TicketStatus.ACCEPTED
    reported: int | None = None
    returned: bool = False
    grades: tuple[Grade, ...] = ()
    matter: str | None = None


CLOSED = Fate(TicketStatus.CLOSED, reported=50)
LATE = Fate(TicketStatus.CLOSED, reported=150)
OPEN = Fate()
RETURNED = Fate(TicketStatus.PENDING_DISPATCH, returned=True)


def load(
    world: World, fates: Sequence[Fate], begun: dt.datetime, place: str = "A11", lead: str = "A-D1"
) -> None:
    """Write a history: dispatches an hour apart from ``begun`` on, over and over for 200 days."""
    session = world.session
    first = 1 + (session.scalar(select(Ticket.id).order_by(Ticket.id.desc()).limit(1)) or 0)
    common = {
        "organization_id": world.place(place).id,
        "whistle_class_id": world.whistle_class("ordinary", place[0]).id,
        "detail": "情况",
    }
    leads = world.place(lead).id
    ids = range(first, first + len(fates))
    at = {number: begun + HOUR * ((number - first) % 4800) for number in ids}
    pairs = list(zip(ids, fates, strict=True))
    _write(session, Ticket, [common | _ticket(n, fate, at[n], leads) for n, fate in pairs])
    _write(session, TicketAssignment, [_part(n, fate, at[n], leads) for n, fate in pairs])
    dimensions = session.scalars(
        select(RatingDimension.id)
        .where(RatingDimension.mechanism_id == world.whistle_class("ordinary").mechanism_id)
        .order_by(RatingDimension.position)
    ).all()
    ratings = [
        _rating(n, leads, dimension, grade, at[n])
        for n, fate in pairs
        for dimension, grade in zip(dimensions, fate.grades, strict=False)
    ]
    _write(session, Rating, ratings)


def _write(session: Session, model: type[Any], rows: list[Mapping[str, Any]]) -> None:
    if rows:
        session.execute(insert(model.__table__), rows, execution_options=_PAST_THE_GATE)


def _ticket(number: int, fate: Fate, at: dt.datetime, lead: int) -> dict[str, Any]:
    return {
        "id": number,
        "number": f"哨{number}",
        "title": f"哨单{number}",
        "status": fate.status,
        "lead_id": None if fate.returned else lead,
        "raised_at": at - HOUR,
        "dispatched_at": at,
        "duty_item_name": fate.matter,
        "return_count": int(fate.returned),
        "reopen_count": 0,
    }


def _part(number: int, fate: Fate, at: dt.datetime, lead: int) -> dict[str, Any]:
    done = AssignmentStatus.REPORTED if fate.reported else AssignmentStatus.ACCEPTED
    return {
        "ticket_id": number,
        "organization_id": lead,
        "role": AssignmentRole.LEAD,
        "status": AssignmentStatus.RETURNED if fate.returned else done,
        "respond_due": at + 2 * HOUR,
        "accepted_at": None if fate.returned else at + HOUR,
        "arrived_at": at + 3 * HOUR if fate.reported else None,
        "resolve_due": at + 100 * HOUR,
        "reported_at": at + fate.reported * HOUR if fate.reported else None,
    }


def _rating(
    number: int, lead: int, dimension: int, grade: Grade, at: dt.datetime
) -> dict[str, Any]:
    return {
        "ticket_id": number,
        "organization_id": lead,
        "dimension_id": dimension,
        "round": 1,
        "revision": 1,
        "rater": Rater.RAISER,
        "grade": grade,
        "rated_by": "社区",
        "rated_at": at + 200 * HOUR,
    }
