"""The raise form as tests fill it in and send it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from models.ticket import Ticket
from tests.views.pages import record_form

Clients = Callable[[str], FlaskClient]
JSON = {"Accept": "application/json"}


def filled(client: FlaskClient, **changes: Any) -> dict[str, Any]:
    """Return the raise form as it is shown, with title and detail filled in."""
    form = record_form(client.get("/tickets/add").text)
    given = {"title": "路灯不亮", "detail": "东门三盏路灯不亮", "pictures": None} | changes
    return dict(form.data(**given))


def send(client: FlaskClient, data: dict[str, Any], *files: tuple[str, bytes], **more: Any) -> Any:
    """Post the raise form with photos."""
    uploads = [(io.BytesIO(content), name) for name, content in files]
    tokens = data.get("pictures", [])
    return client.post("/tickets/add", data=data | {"pictures": [*tokens, *uploads]}, **more)


def tickets(session: Session) -> list[Ticket]:
    """Return all tickets, oldest first, as they are now."""
    session.rollback()
    return list(session.scalars(select(Ticket).order_by(Ticket.id)))


def number_of(answer: TestResponse) -> int:
    """Return the id of the ticket that an answer leads to."""
    found = re.search(r"/tickets/show/(\d+)$", answer.headers["Location"])
    assert found, answer.headers
    return int(found[1])
