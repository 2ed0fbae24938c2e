"""A simulated city has its facts, and leaves no marks behind; the triggers work again afterwards."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bench.simulator import Simulator
from models.measure import FactMark, TicketFact
from models.ticket import Ticket
from reports import facts


def marks(session: Session) -> int:
    """Return how many marks wait."""
    return session.scalar(select(func.count(FactMark.id))) or 0


def test_facts_are_made_at_the_end_and_marks_come_again_then(session: Session, world: Any) -> None:
    Simulator(session, 200, 3, dt.date(2026, 11, 21)).run()
    assert marks(session) == 0
    assert facts.check(session) == []
    raised = select(func.count(Ticket.id)).where(Ticket.raised_at.is_not(None))
    counted = select(func.count(TicketFact.ticket_id.distinct()))
    assert session.scalar(counted) == session.scalar(raised)
    assert session.scalar(raised)
    world.raised()
    assert marks(session) >= 2
