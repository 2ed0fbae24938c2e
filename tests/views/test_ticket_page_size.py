"""A ticket's page sends few statements, however long its story is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from bench.timing import statements
from database import db
from models.ticket import Ticket, TicketStatus
from models.ticket_file import PhotoMoment
from rules import ledger
from tests.conftest import Backend
from tests.views.tickets_at import Tickets

#: The most that a page sends: who asks, the bell, the ticket and what hangs from it.
MOST = 14
Client = Callable[[str], FlaskClient]


@pytest.fixture
def sent(sqlite: Backend) -> Iterator[list[str]]:
    """Collects what is sent to the database."""
    with sqlite.app.app_context():
        engine = db.engine
    with statements(engine) as found:
        yield found


def grown(tickets: Tickets, ticket: Ticket) -> None:
    """Give a ticket a life of 200 events, 50 words and 20 photos."""
    office = tickets.world.actor("office")
    for number in range(200):
        ledger.append(
            tickets.session, ticket, office, action="approve", label="审核通过",
            from_status=TicketStatus.PENDING_REVIEW, to_status=TicketStatus.PENDING_REVIEW,
            note=f"第{number}步",
        )  # fmt: skip
        tickets.session.flush()
    for number in range(50):
        tickets.say(ticket, "handler", f"第{number}句")
    for number in range(10):
        tickets.photo(ticket, "community", PhotoMoment.BEFORE, number)
        tickets.photo(ticket, "handler", PhotoMoment.AFTER, 100 + number)


@pytest.mark.parametrize("who", ["office", "handler", "community", "returns", "leader"])
def test_a_long_life_costs_no_more_statements(
    sqlite: Backend, one_session: Session, as_seen_by: Client, sent: list[str], who: str
) -> None:
    tickets = Tickets(one_session, Path(sqlite.app.config["DATA_DIR"]))
    ticket = tickets.resolved("A-D2", "A-D3")
    grades = tickets.grades(ticket, "rate", "satisfied")
    tickets.take(ticket, "community", "rate", grades=grades)
    numbers = []
    for _time in range(2):
        client = as_seen_by(who)
        path = f"/tickets/show/{ticket.id}"
        client.get(path)
        sent.clear()
        answer = client.get(path)
        assert answer.status_code == 200
        numbers.append(len(sent))
        if len(numbers) == 1:
            grown(tickets, ticket)
    assert numbers[1] <= MOST, "\n".join(sent)
    assert numbers[1] <= numbers[0]
    assert answer.text.count('class="timeline-head"') <= 30
    assert answer.text.count("/tickets/thumb/") >= 20
