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


def derive(steps: Iterable[Event]) -> dict[str, dt.datetime | None]:
    """Return the deadlines that a ticket's events give, in order, and they alone.

    A dispatch fixes them as its event says: neither a changed mechanism nor a day that is declared
    free later moves them. A reopening moves the resolve deadline to its fix-by date; a return that
    is refused changes nothing.
    """
    result: dict[str, dt.datetime | None] = dict.fromkeys(CLOCKS)
    for step in steps:
        clocks = (step.data or {}).get("clocks")
        if clocks:
            for clock in CLOCKS:
                stored = clocks["due"][clock]
                result[clock] = dt.datetime.fromisoformat(stored) if stored else None
        fix_by = (step.data or {}).get("fix_by")
        if fix_by:
            result["resolve"] = dt.datetime.fromisoformat(fix_by)
    return result
