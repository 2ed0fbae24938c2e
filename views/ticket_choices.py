"""Select boxes of tickets, and of whom they may be sent to."""

from __future__ import annotations

from typing import Any

from flask import jsonify, request
from sqlalchemy import Select, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from models.organization import Organization
from models.ticket import Ticket
from rules import search
from rules.workflows import ticket_dispatch
from rules.workflows.ticket_base import DISPATCHABLE
from rules.workflows.ticket_parts import may_receive
from views.context import session

#: Tickets that a box offers at once.
MOST = 20


def ticket_options(statement: Select[Any]) -> Response:
    """Answer a select box with the newest tickets of a statement whose number, title or place say ``q``.

    They are found by the same index as the ledger's search.
    """
    text = request.args.get("q", "").strip()[:50]
    if text:
        statement = statement.where(search.containing(session(), text))
    newest = statement.order_by(None).order_by(Ticket.id.desc()).limit(MOST + 1)
    rows = list(session().scalars(newest))
    return jsonify(
        results=[{"id": row.id, "text": str(row)} for row in rows[:MOST]], more=len(rows) > MOST
    )


def receivers_in(realms: Any) -> Select[Any]:
    """Return the organisations of some counties or cities, by their ids, that may be sent to."""
    return select(Organization).where(
        Organization.kind.in_(DISPATCHABLE),
        Organization.active,
        Organization.realm_id.in_(realms),
    )


def receiver_of(session: Session, ticket: Ticket, number: int) -> Organization | None:
    """Return the organisation of that number, if the ticket may be sent to it."""
    found = ticket_dispatch.receiver(session, number) or session.get(Organization, number)
    return found if found is not None and may_receive(ticket, found) else None
