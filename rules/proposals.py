"""Proposals of supervision: what a sweep writes, each once, and the office then confirms or not.

``key`` names what was found. The database refuses a second one, so whoever comes second, a sweep beside
this one, has simply found nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, joinedload, load_only

from models.organization import Organization
from models.supervision import (
    Supervision,
    SupervisionCause,
    SupervisionKind,
    SupervisionStatus,
)
from models.ticket import Ticket
from presets.supervision import USUAL, SupervisionPlan
from rules import workflow
from rules.actor import SYSTEM
from rules.errors import Refused

S = SupervisionStatus
C = SupervisionCause
#: Tickets looked at in one go, and proposals of one cause that a sweep makes at most: what is left is
#: found by the next one.
SLICE, MOST = 500, 500
#: Issued, and not ended yet.
IN_FORCE = (S.ISSUED, S.ANSWERED)
_ASKED = (
    Ticket.id,
    Ticket.number,
    Ticket.title,
    Ticket.organization_id,
    Ticket.lead_id,
    Ticket.status,
    Ticket.dispatched_at,
    Ticket.accepted_at,
    Ticket.arrived_at,
    Ticket.resolved_at,
    Ticket.respond_due,
    Ticket.arrive_due,
    Ticket.resolve_due,
    Ticket.next_due,
    Ticket.reopen_count,
)
#: What a proposal says of itself.
Proposal = dict[str, Any]


@dataclass
class Sweep:
    """One sweep: when, by which rules, and what it has proposed so far."""

    session: Session
    now: dt.datetime
    own: Mapping[int, SupervisionPlan]
    made: list[Supervision] = field(default_factory=list)
    changed: int = 0

    def plan(self, organization: Organization) -> SupervisionPlan:
        """Return the rule that holds at a place: its county's, else the usual one."""
        return self.own.get(organization.realm_id or 0, USUAL)


def about_ticket(
    ticket: Ticket,
    cause: SupervisionCause,
    kind: SupervisionKind,
    key: str,
    reason: str,
    milder: Supervision | None = None,
) -> Proposal:
    """Return a proposal about a ticket; ``milder`` is the order in force that it would follow."""
    return {
        "organization_id": ticket.organization_id,
        "ticket_id": ticket.id,
        "cause": cause,
        "kind": kind,
        "matter": str(ticket)[:300],
        "reason": reason,
        "key": key,
        "escalated_from_id": milder.id if milder is not None else None,
    }


def propose(sweep: Sweep, proposals: Sequence[Proposal]) -> int:
    """Write those proposals that nobody has made yet, with their first events; return how many."""
    if not proposals:
        return 0
    session = sweep.session
    dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    rows = [each | {"created_at": sweep.now} for each in proposals]
    statement = (
        dialect.insert(Supervision)
        .values(rows)
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(Supervision.id)
    )
    ids = list(session.scalars(statement))
    new = list(
        session.scalars(
            select(Supervision)
            .where(Supervision.id.in_(ids))
            .options(joinedload(Supervision.organization, innerjoin=True))
            .order_by(Supervision.id)
        )
    )
    workflow.begin_many(session, new, SYSTEM, note="按督办规则提出，待吹哨办确认。")
    sweep.made += new
    return len(new)


def internally(sweep: Sweep, record: Supervision, action: str, data: dict[str, Any]) -> int:
    """Take a step that nobody asked for; return 0 if somebody has the record in hand already."""
    context = workflow.Context(sweep.session, record, SYSTEM, sweep.now)
    try:
        workflow.apply_internally(context, record, action, data)
    except Refused:
        return 0
    return 1


def with_places(statement: Any) -> Any:
    """Let a ticket come with what a sweep asks of it, its place, and the lead that the reason names."""
    return statement.options(
        load_only(*_ASKED),
        joinedload(Ticket.organization, innerjoin=True),
        joinedload(Ticket.lead),
    )


def orders_of(session: Session, tickets: Sequence[Ticket]) -> dict[int, list[Supervision]]:
    """Return the proposals and orders about some tickets, in the order in which they were made."""
    found: dict[int, list[Supervision]] = {}
    if not tickets:
        return found
    about = select(Supervision).where(Supervision.ticket_id.in_([each.id for each in tickets]))
    for each in session.scalars(about.order_by(Supervision.id)):
        found.setdefault(each.ticket_id or 0, []).append(each)
    return found
