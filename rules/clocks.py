"""Deadlines of a ticket and its departments: fixed at dispatch, derivable from events (design 2.4).

Whatever moves a deadline writes what it moved into its event, under ``clocks``: ``due`` (the ticket's
own, as far as they change), ``parts`` (departments that come to work, in order, with theirs), ``moved``
(departments at work whose deadlines change) and ``leave`` (departments that are off work from then on).
So the events alone give every deadline again, whatever became of mechanism and calendar since.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import Session

from models.ledger import Event
from models.mechanism import WhistleClass
from models.ticket import AT_DEPARTMENT, OWING, AssignmentRole, Ticket, TicketAssignment
from rules.calendar import WorkCalendar
from rules.deadlines import Term, Unit, due, warn_at
from rules.locking import keep, kept

CLOCKS = ("respond", "arrive", "resolve")
#: When a step was taken, on the ticket: what is done is no longer owed.
DONE = {"respond": "accepted_at", "arrive": "arrived_at", "resolve": "resolved_at"}
#: The same on an assisting department's part.
PART_DONE = DONE | {"resolve": "reported_at"}
#: How long before a deadline it is near, where the class says nothing.
USUAL_WARNING = Term(Unit.hours, 24)
_MATTERS = ("status", *DONE.values(), *(f"{clock}_due" for clock in CLOCKS))

Deadlines = dict[str, dt.datetime | None]


def start(
    ticket: Ticket, at: dt.datetime, calendar: WorkCalendar, set_due: dt.datetime | None = None
) -> dict[str, Any]:
    """Set the ticket's three deadlines from its class, and return what the event must remember.

    ``set_due`` is the instant that the dispatcher set, for terms that leave it to him. The result
    holds the start, each term and each due instant as ISO text.
    """
    item_term = _item_term(ticket)
    terms = {clock: _term(ticket.whistle_class, f"{clock}_term") for clock in CLOCKS}
    found = {
        clock: _instant(term, at, calendar, item_term, set_due) for clock, term in terms.items()
    }
    for clock, instant in found.items():
        setattr(ticket, f"{clock}_due", instant)
    return {
        "start": at.isoformat(),
        "terms": {clock: term.to_json() if term else None for clock, term in terms.items()},
        "item_term": item_term.to_json() if item_term else None,
        "due": written(found),
    }


def start_part(
    ticket: Ticket,
    part: TicketAssignment,
    at: dt.datetime,
    calendar: WorkCalendar,
    set_due: dt.datetime | None = None,
) -> Deadlines:
    """Set the deadlines of a department that comes to work, and return them.

    The lead's are the ticket's own. An assisting department's are those of the class's terms for
    it; where there is none, the ticket's.
    """
    found: Deadlines = {}
    for clock in CLOCKS:
        own = None
        if part.role is AssignmentRole.ASSISTING:
            own = _term(ticket.whistle_class, f"assist_{clock}_term")
        found[clock] = (
            _instant(own, at, calendar, _item_term(ticket), set_due)
            if own
            else getattr(ticket, f"{clock}_due")
        )
    set_deadlines(part, found)
    return found


def set_deadlines(record: Ticket | TicketAssignment, found: Deadlines) -> None:
    """Write deadlines, as far as they are given, to a ticket or a department's part."""
    for clock, instant in found.items():
        setattr(record, f"{clock}_due", instant)


def joined(part: TicketAssignment, found: Deadlines) -> dict[str, Any]:
    """Return what an event remembers of a department that comes to work."""
    return {
        "organization": part.organization_id,
        "role": part.role.value,
        "due": written({clock: found.get(clock) for clock in CLOCKS}),
    }


def written(found: Deadlines) -> dict[str, str | None]:
    """Return deadlines as ISO text, for an event."""
    return {clock: instant.isoformat() if instant else None for clock, instant in found.items()}


def read(found: dict[str, str | None]) -> Deadlines:
    """Return deadlines from ISO text."""
    return {
        clock: dt.datetime.fromisoformat(text) if text else None for clock, text in found.items()
    }


def asks_for_date(ticket: Ticket, whistle_class: WhistleClass) -> bool | None:
    """Tell whether the dispatcher sets the deadline: True if he must, None if he may, else False.

    He must where a term, or the duty item's own limit, leaves it to the dispatch; he may where the
    limit should come from the item and the item has none.
    """
    item = _item_term(ticket)
    may = False
    for name in [f"{prefix}{clock}_term" for prefix in ("", "assist_") for clock in CLOCKS]:
        term = _term(whistle_class, name)
        if term and term.unit is Unit.per_item and item is None:
            may = True
        elif term and Unit.at_dispatch in (term.unit, _unit_of(term, item)):
            return True
    return None if may else False


def _unit_of(term: Term, item: Term | None) -> Unit | None:
    return item.unit if item and term.unit is Unit.per_item else None


def keep_limit(session: Session, item_id: int | None, words: str | None) -> None:
    """Keep a duty item's own limit, as its cell says it, for the step that is being taken."""
    keep(session, _LIMIT, item_id, (words,))


_LIMIT = "item_limit"


def _item_term(ticket: Ticket) -> Term | None:
    """Return the duty item's own limit; one that only points back at the item is none."""
    # Benchmarks reckon with tickets that are no records.
    state: Any = inspect(ticket, raiseerr=False)
    known = kept(state.session, _LIMIT, ticket.duty_item_id) if state is not None else None
    if known is not None:
        (text,) = known
    else:
        text = ticket.duty_item.time_limit if ticket.duty_item else None
    term = Term.parse(text) if text else None
    return None if term is None or term.unit is Unit.per_item else term


def _instant(
    term: Term | None,
    at: dt.datetime,
    calendar: WorkCalendar,
    item_term: Term | None,
    set_due: dt.datetime | None,
) -> dt.datetime | None:
    if term is None:
        return None
    if term.unit is Unit.per_item and item_term is None:
        return set_due
    return due(at, term, calendar, item_term=item_term, at_dispatch=set_due)


def _term(whistle_class: WhistleClass, name: str) -> Term | None:
    stored = getattr(whistle_class, name)
    return Term.from_json(stored) if stored else None


# What is owed next


def owed(ticket: Any) -> tuple[str, dt.datetime] | None:
    """Return the clock and the instant of the earliest deadline that the lead has not met yet."""
    return _earliest(ticket, DONE) if ticket.status in AT_DEPARTMENT else None


def owed_by(part: TicketAssignment) -> tuple[str, dt.datetime] | None:
    """Return the clock and the instant of the earliest deadline that an assisting part has not met."""
    return _earliest(part, PART_DONE) if part.status in OWING else None


def _earliest(record: Any, steps: Mapping[str, str]) -> tuple[str, dt.datetime] | None:
    known = [
        (instant, clock)
        for clock, done in steps.items()
        if getattr(record, done) is None
        and (instant := getattr(record, f"{clock}_due")) is not None
    ]
    if not known:
        return None
    instant, clock = min(known, key=lambda each: each[0])
    return clock, instant


def settle(ticket: Ticket, calendar: Callable[[], WorkCalendar]) -> None:
    """Make ``next_due`` and ``next_warn`` true for the ticket as it is now.

    ``calendar`` is asked only if the warning is counted in working time.
    """
    attributes: Any = inspect(ticket).attrs
    if not any(attributes[name].history.has_changes() for name in _MATTERS):
        return
    found = owed(ticket)
    if found is None:
        ticket.next_due = ticket.next_warn = None
        return
    clock, ticket.next_due = found
    ticket.next_warn = near_from(ticket.whistle_class, clock, ticket.next_due, calendar)


def warning(whistle_class: WhistleClass, clock: str) -> Term:
    """Return how long before a deadline of a class it is near; for its assisting departments the same."""
    return _term(whistle_class, f"{clock}_warn") or USUAL_WARNING


def near_from(
    whistle_class: WhistleClass,
    clock: str,
    instant: dt.datetime,
    calendar: Callable[[], WorkCalendar],
) -> dt.datetime:
    """Return from when on a deadline of a class is near. ``calendar`` as in ``settle``."""
    term = warning(whistle_class, clock)
    counted = term.unit in (Unit.working_days, Unit.working_hours)
    return warn_at(instant, term, calendar() if counted else _PLAIN)


#: For warnings in elapsed time, which no calendar changes.
_PLAIN = WorkCalendar()


# From the events alone


@dataclass
class Part:
    """A department's deadlines as the events give them; ``exact`` if its own events say so."""

    organization_id: int
    role: str
    due: Deadlines
    at_work: bool = True
    exact: bool = True


@dataclass
class Clocks:
    """Deadlines of a ticket, and of its departments in the order in which they came to work."""

    due: Deadlines = field(default_factory=lambda: dict.fromkeys(CLOCKS))
    parts: list[Part] = field(default_factory=list)

    def at_work(self, organization_id: int) -> Part | None:
        """Return the part of a department that is at work."""
        return next(
            (
                part
                for part in self.parts
                if part.at_work and part.organization_id == organization_id
            ),
            None,
        )


def replay(steps: Iterable[Event]) -> Clocks:
    """Return the deadlines that a ticket's events give, in order, and they alone.

    A dispatch fixes them as its event says: neither a changed mechanism nor a day that is declared
    free later moves them. A return that is refused changes nothing.
    """
    found = Clocks()
    for step in steps:
        data = step.data or {}
        clocks = data.get("clocks")
        if clocks:
            _follow(found, data, clocks)
        elif data.get("fix_by"):
            found.due["resolve"] = dt.datetime.fromisoformat(data["fix_by"])
        elif "returned_by" in data:
            for part in found.parts:
                part.at_work = False
    return found


def _follow(found: Clocks, data: dict[str, Any], clocks: dict[str, Any]) -> None:
    found.due |= read(clocks.get("due", {}))
    for organization_id in clocks.get("leave", ()):
        part = found.at_work(organization_id)
        if part:
            part.at_work = False
    for each in clocks.get("parts", ()):
        found.parts.append(Part(each["organization"], each["role"], read(each["due"])))
    for each in clocks.get("moved", ()):
        part = found.at_work(each["organization"])
        if part:
            part.due |= read(each["due"])
    if "parts" not in clocks and "terms" in clocks:
        # Before departments had deadlines of their own, a dispatch named them apart.
        for role, named in (("lead", [data.get("lead")]), ("assisting", data.get("assisting", []))):
            for each in filter(None, named):
                found.parts.append(Part(each["id"], role, dict(found.due), exact=False))
