"""The list of overdue tickets and the remaining time that a ticket shows answer alike."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import utcnow
from models.ticket import Ticket, TicketStatus
from rules.calendar import WorkCalendar
from rules.clocks import settle
from tests.factories.roads import brought_to
from views.ticket_page import overdue


@pytest.mark.parametrize("status", list(TicketStatus), ids=lambda each: each.value)
def test_overdue_says_what_due_says(world: Any, session: Session, status: TicketStatus) -> None:
    """In every state, with every deadline a day ago."""
    ticket = brought_to(world, status)
    yesterday = utcnow() - dt.timedelta(days=1)
    ticket.respond_due = ticket.arrive_due = ticket.resolve_due = yesterday
    settle(ticket, WorkCalendar)
    session.flush()

    listed = session.scalars(select(Ticket.id).where(Ticket.id == ticket.id, overdue())).first()

    assert (listed is not None) == (ticket.due is not None)


def test_a_step_taken_in_time_is_not_overdue(world: Any, session: Session) -> None:
    """An accepted ticket whose only deadline was to respond waits for nothing that is late."""
    ticket = brought_to(world, TicketStatus.ACCEPTED)
    ticket.respond_due = utcnow() - dt.timedelta(days=1)
    ticket.arrive_due = ticket.resolve_due = None
    settle(ticket, WorkCalendar)
    session.flush()

    assert session.scalars(select(Ticket.id).where(overdue())).all() == []
