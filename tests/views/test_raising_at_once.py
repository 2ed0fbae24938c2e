"""A form that is sent several times at the same moment makes one ticket, on both databases."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.ticket import Ticket
from rules import ledger
from rules.actor import Actor
from rules.once import sent_before
from tests.factories.photos import photo
from tests.views.pages import record_form
from views import ticket_form

MANY = 4


def test_one_form_sent_many_times_at_once(
    login: Callable[[str], FlaskClient], session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All are past the first look for the key before any of them has written its ticket."""
    clients = [login("community") for _each in range(MANY)]
    form = record_form(clients[0].get("/tickets/add").text).data(
        title="路灯不亮", detail="东门", pictures=None
    )
    data = form | {"submit_action": "raise"}
    barrier = threading.Barrier(MANY, timeout=30)
    answers: list[tuple[int, str]] = []
    looked: set[int] = set()

    def look(database: Session, key: str, actor: Actor) -> Ticket | None:
        found = sent_before(database, key, actor)
        if threading.get_ident() not in looked:
            looked.add(threading.get_ident())
            barrier.wait()
            assert found is None
        return found

    monkeypatch.setattr(ticket_form, "sent_before", look)

    def post(client: FlaskClient) -> None:
        files = {"pictures": [(io.BytesIO(photo()), "a.jpg")]}
        answer = client.post("/tickets/add", data=data | files)
        answers.append((answer.status_code, answer.headers.get("Location", answer.text)))

    threads = [threading.Thread(target=post, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a posting waits for ever"
    ticket = session.scalars(select(Ticket)).one()
    assert answers == [(302, f"/tickets/show/{ticket.id}")] * MANY
    assert ticket.client_key == form["client_key"][0]
    assert len(ticket.photos) == 1
    assert [each.action for each in ledger.events_of(session, ticket)] == ["create", "raise"]
