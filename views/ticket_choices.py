"""Select boxes of tickets: found by the same index as the ledger's search, the newest first."""

from __future__ import annotations

from typing import Any

from flask import jsonify, request
from sqlalchemy import Select
from werkzeug.wrappers import Response

from models.ticket import Ticket
from rules import search
from views.context import session

#: Tickets that a box offers at once.
MOST = 20


def ticket_options(statement: Select[Any]) -> Response:
    """Answer a select box with the newest tickets of a statement whose number, title or place say ``q``."""
    text = request.args.get("q", "").strip()[:50]
    if text:
        statement = statement.where(search.containing(session(), text))
    newest = statement.order_by(None).order_by(Ticket.id.desc()).limit(MOST + 1)
    rows = list(session().scalars(newest))
    return jsonify(
        results=[{"id": row.id, "text": str(row)} for row in rows[:MOST]], more=len(rows) > MOST
    )
