"""Deadlines of a ticket: fixed at dispatch, and derivable from its events at any time (design 2.4)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from models.ledger import Event
from models.mechanism import WhistleClass
from models.ticket import Ticket
from rules.calendar import WorkCalendar
from rules.deadlines import Term, due

CLOCKS = ("respond", "arrive", "resolve")


def start(ticket: Ticket, at: dt.datetime, calendar: WorkCalendar) -> dict[str, Any]:
    """Set the ticket's three deadlines from its class, and return what the event must remember.

    The result holds the start, each term and each due instant as ISO text, so that ``derive`` gives
    the same answer from the ledger alone, even after the mechanism was changed.
    """
    item_term = Term.parse(ticket.duty_item.time_limit or "") if ticket.duty_item else None
    terms = _terms(ticket.whistle_class)
    log: dict[str, Any] = {"start": at.isoformat(), "terms": {}, "due": {}}
    log["item_term"] = item_term.to_json() if item_term else None
    for clock in CLOCKS:
        term = terms[clock]
        instant = due(at, term, calendar, item_term=item_term) if term else None
        setattr(ticket, f"{clock}_due", instant)
        log["terms"][clock] = term.to_json() if term else None
        log["due"][clock] = instant.isoformat() if instant else None
    return log


def _terms(whistle_class: WhistleClass) -> dict[str, Term | None]:
    stored = {clock: getattr(whistle_class, f"{clock}_term") for clock in CLOCKS}
    return {clock: Term.from_json(value) if value else None for clock, value in stored.items()}


def derive(steps: Iterable[Event], calendar: WorkCalendar) -> dict[str, dt.datetime | None]:
    """Recompute the deadlines from a ticket's events, in order.

    A dispatch starts the clocks from the terms written in its event; a reopening moves the resolve
    deadline to its fix-by date; a return that is refused changes nothing.
    """
    result: dict[str, dt.datetime | None] = dict.fromkeys(CLOCKS)
    for step in steps:
        clocks = (step.data or {}).get("clocks")
        if clocks:
            began = dt.datetime.fromisoformat(clocks["start"])
            item = clocks.get("item_term")
            item_term = Term.from_json(item) if item else None
            for clock in CLOCKS:
                stored = clocks["terms"][clock]
                term = Term.from_json(stored) if stored else None
                result[clock] = due(began, term, calendar, item_term=item_term) if term else None
        fix_by = (step.data or {}).get("fix_by")
        if fix_by:
            result["resolve"] = dt.datetime.fromisoformat(fix_by)
    return result
