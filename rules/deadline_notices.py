"""Deadlines that come near or are past: the lead is told of both, the office of the second."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models.notice import Notice
from models.registry import type_name
from models.ticket import Ticket
from presets.roles import Role
from rules.clocks import owed
from rules.notices import bodies_of, tell_people
from rules.wording import local

#: Tickets looked at in one go: never all of them.
SLICE = 500
#: What came near, or ran out, longer ago is told to nobody any more: figures and supervision show it.
LATE = dt.timedelta(days=3)

_TITLES = {"respond": "应哨期限", "arrive": "报到期限", "resolve": "办结期限"}


def warn(session: Session, now: dt.datetime) -> int:
    """Tell of deadlines that have come near or run out; return how many people were told.

    Each person hears of each deadline at most once as near and once as past: the key names step and
    instant, so that a later one is told anew. The session acts for the system. Never commits.
    """
    near = (Ticket.next_due >= now, Ticket.next_warn <= now, Ticket.next_warn > now - LATE)
    past = (Ticket.next_due < now, Ticket.next_due > now - LATE)
    return sum(
        _tell(session, part, late)
        for late, tests in ((False, near), (True, past))
        for part in _slices(session, tests)
    )


def _tell(session: Session, tickets: Sequence[Ticket], late: bool) -> int:
    """Tell of those of some tickets of which nobody has been told yet; whoever knows is left out."""
    kind = type_name(Ticket)
    keys = {each.id: _key(each, late) for each in tickets}
    whole = {f"{kind}:{number}:{key}": number for number, key in keys.items()}
    known = set(session.scalars(select(Notice.key).where(Notice.key.in_(whole)).distinct()))
    told = {whole[each] for each in known}
    return sum(
        _announce(session, each, keys[each.id], late) for each in tickets if each.id not in told
    )


def _key(ticket: Ticket, late: bool) -> str:
    clock, due = _owed(ticket)
    return f"{'late' if late else 'near'}:{clock}:{due:%Y%m%d%H%M%S}"


def _owed(ticket: Ticket) -> tuple[str, dt.datetime]:
    found = owed(ticket)
    if found is not None:
        return found
    # Only if the row contradicts itself, which the nightly check of the ledger reports.
    return "resolve", ticket.next_due or ticket.updated_at


def _announce(session: Session, ticket: Ticket, key: str, late: bool) -> int:
    clock, due = _owed(ticket)
    word = "已超" if late else "临近"
    title = f"{word}{_TITLES[clock]}（{local(due)}）：{ticket}"
    people: list[Any] = [([ticket.lead_id], (Role.DEPARTMENT_HANDLER,))]
    if late:
        people.append((bodies_of(ticket.organization.realm_id), (Role.DISPATCHER,)))
    return tell_people(session, people, title, ticket, key)


def _slices(session: Session, tests: Sequence[object]) -> Iterator[list[Ticket]]:
    """Yield the tickets that pass by their deadlines, a slice at a time."""
    last: tuple[dt.datetime, int] | None = None
    while True:
        query = (
            select(Ticket)
            .where(*tests)  # type: ignore[arg-type]
            .options(joinedload(Ticket.organization))
            .order_by(Ticket.next_due, Ticket.id)
            .limit(SLICE)
        )
        if last is not None:
            due, number = last
            query = query.where(
                (Ticket.next_due > due) | ((Ticket.next_due == due) & (Ticket.id > number))
            )
        part = list(session.scalars(query))
        yield part
        end = part[-1].next_due if len(part) == SLICE else None
        if end is None:
            return
        last = (end, part[-1].id)
