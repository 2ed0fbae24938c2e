"""An office whose notices leave, into the hands of the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy.orm import Session

from models.ticket import Ticket
from models.ticket import TicketStatus as S
from rules.actor import SYSTEM, acting_as
from tests.conftest import Backend, session_factory
from tests.factories.post import SMTP, Office
from tests.factories.roads import brought_to


@contextmanager
def opened(backend: Backend) -> Iterator[Office]:
    """Open an office over a database, with a mail server and a transport that keeps all."""
    app = backend.app
    before = app.config["SMTP"]
    with session_factory(app)() as session, acting_as(session, SYSTEM):
        office = Office(app, session)
        app.config["SMTP"] = SMTP
        app.extensions["transport"] = office.post
        try:
            yield office
        finally:
            app.config["SMTP"] = before
            app.extensions.pop("transport")


@pytest.fixture
def office(sqlite: Backend) -> Iterator[Office]:
    """An office on SQLite."""
    with opened(sqlite) as found:
        yield found


@pytest.fixture
def either(backend: Backend) -> Iterator[Office]:
    """An office on either database."""
    with opened(backend) as found:
        yield found


@pytest.fixture
def session(office: Office) -> Session:
    """The office's session, which acts for the system."""
    return office.session


@pytest.fixture
def ticket(office: Office) -> Ticket:
    """A ticket that A-D1 leads; what its steps have told does not count."""
    found = brought_to(
        office.world,
        S.DISPATCHED,
        title="王桂花家门前路灯不亮，电话13912345678",
        contact_name="王桂花",
    )
    office.session.commit()
    office.forget_steps()
    return found
