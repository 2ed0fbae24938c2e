"""Supervision orders brought to every stage of their lives, by the workflow and by nothing else."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.supervision import Supervision, SupervisionKind, SupervisionStatus
from models.ticket import Ticket
from rules import workflow
from rules.actor import SYSTEM, acting_as
from tests.factories.world import World

S = SupervisionStatus
FAR = dt.date(2099, 1, 1)
#: state → (state before, step, account)
_LAST: dict[S, tuple[S, str, str]] = {
    S.ISSUED: (S.PROPOSED, "confirm", "office"),
    S.ANSWERED: (S.ISSUED, "answer", "handler"),
    S.CLOSED: (S.ANSWERED, "accept", "office"),
    S.DISMISSED: (S.PROPOSED, "dismiss", "office"),
}


def inputs(world: World, action: str, **values: Any) -> dict[str, Any]:
    """Return input that a step takes without complaint."""
    known: dict[str, dict[str, Any]] = {
        "confirm": {
            "kind": SupervisionKind.ORDINARY,
            "department": world.place("A-D1").id,
            "head": "张局长",
            "due_on": FAR,
        },
        "answer": {"answer": "已经修好"},
        "escalate": {"head": "李局长", "due_on": FAR, "note": "仍未办结"},
    }
    return known.get(action, {"note": "有依据"}) | values


def proposed(world: World, ticket: Ticket | None = None, **values: Any) -> Supervision:
    """Return a proposal about a ticket, or about a matter of A1, made under the system's name."""
    with acting_as(world.session, SYSTEM):
        record = Supervision(
            organization=ticket.organization if ticket else world.place("A1"),
            ticket=ticket,
            matter=values.pop("matter", "路灯不亮"),
            reason=values.pop("reason", "超过期限"),
            **values,
        )
        world.session.add(record)
        world.session.flush()
        workflow.begin(world.session, record, SYSTEM)
        world.session.flush()
    return record


def brought_to(world: World, status: S, ticket: Ticket | None = None, **values: Any) -> Supervision:
    """Return an order in that state, to A-D1."""
    if status is S.PROPOSED:
        return proposed(world, ticket, **values)
    before, action, who = _LAST[status]
    record = brought_to(world, before, ticket, **values)
    world.step(record, action, who, **inputs(world, action))
    assert record.status is status
    return record


def orders(session: Session) -> list[Supervision]:
    """Return all proposals and orders, in the order in which they were made."""
    return list(session.scalars(select(Supervision).order_by(Supervision.id)))
