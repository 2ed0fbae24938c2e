"""Deadlines that come near or are past: who owes the step is told of both, the office of the second.

A lead owes by the ticket's own clocks, each assisting department by those of its part.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from models.mechanism import WhistleClass
from models.notice import Notice
from models.queue import TICKET_HELPING
from models.registry import type_name
from models.ticket import AT_DEPARTMENT, OWING, AssignmentRole, Ticket, TicketAssignment
from presets.roles import Role
from rules.calendar import end_of_day, shanghai_date
from rules.clocks import PART_DONE, near_from, owed, owed_by, warning
from rules.deadlines import Unit, elapsed
from rules.mechanisms import Calendars
from rules.notices import People, bodies_of, tell_people
from rules.wording import local

#: Tickets, or parts in them, looked at in one go: never all of them.
SLICE = 500
#: What came near, or ran out, longer ago is told to nobody any more: figures and supervision show it.
LATE = dt.timedelta(days=3)

_TITLES = {"respond": "应哨期限", "arrive": "报到期限", "resolve": "办结期限"}
_TITLES_OF_PARTS = _TITLES | {"resolve": "反馈期限"}


@dataclass(frozen=True)
class _News:
    """What some people are to be told of a ticket; ``key`` names the deadline, and near or past."""

    ticket: Ticket
    key: str
    title: str
    people: Sequence[People]

    @property
    def whole(self) -> str:
        """The key as notices keep it."""
        return f"{type_name(Ticket)}:{self.ticket.id}:{self.key}"


def warn(session: Session, now: dt.datetime) -> int:
    """Tell of deadlines that have come near or run out; return how many people were told.

    Each person hears of each deadline at most once as near and once as past: the key names step and
    instant, so that a later one is told anew. The session acts for the system. Never commits.
    """
    near = (Ticket.next_due >= now, Ticket.next_warn <= now, Ticket.next_warn > now - LATE)
    past = (Ticket.next_due < now, Ticket.next_due > now - LATE)
    told = 0
    for late, tests in ((False, near), (True, past)):
        for part in _slices(session, tests):
            told += _tell(session, [_of_lead(each, late) for each in part])
    calendars = Calendars(session)
    for some in _parts(session, now, _last_near(session, now, calendars)):
        told += _tell(session, [news for each in some for news in _of_part(each, now, calendars)])
    return told


def _tell(session: Session, news: Iterable[_News]) -> int:
    """Tell what nobody has been told of yet, each piece once."""
    new = {each.whole: each for each in news}
    known = set(session.scalars(select(Notice.key).where(Notice.key.in_(new)).distinct()))
    return sum(
        tell_people(session, each.people, each.title, each.ticket, each.key)
        for whole, each in new.items()
        if whole not in known
    )


def _key(clock: str, due: dt.datetime, late: bool) -> str:
    return f"{'late' if late else 'near'}:{clock}:{due:%Y%m%d%H%M%S}"


# Of leads


def _of_lead(ticket: Ticket, late: bool) -> _News:
    # The fallback only if the row contradicts itself, which the nightly check of the ledger reports.
    clock, due = owed(ticket) or ("resolve", ticket.next_due or ticket.updated_at)
    word = "已超" if late else "临近"
    title = f"{word}{_TITLES[clock]}（{local(due)}）：{ticket}"
    people: list[People] = [([ticket.lead_id] if ticket.lead_id else [], _HANDLERS)]
    if late:
        people.append(_office(ticket))
    return _News(ticket, _key(clock, due, late), title, people)


_HANDLERS = (Role.DEPARTMENT_HANDLER,)


def _office(ticket: Ticket) -> People:
    return bodies_of(ticket.organization.realm_id), (Role.DISPATCHER,)


def _slices(session: Session, tests: Sequence[Any]) -> Iterator[list[Ticket]]:
    """Yield the tickets that pass by their deadlines, a slice at a time."""
    last: tuple[dt.datetime, int] | None = None
    while True:
        query = (
            select(Ticket)
            .where(*tests)
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


# Of assisting departments


def _of_part(part: TicketAssignment, now: dt.datetime, calendars: Calendars) -> Iterator[_News]:
    """Yield what is to be told of a part: to its department, and once for all late ones to the office."""
    found = owed_by(part)
    if found is None:
        return
    clock, due = found
    late, ticket = due < now, part.ticket
    if late and due <= now - LATE:
        return
    if not late:
        kind = ticket.whistle_class
        since = near_from(kind, clock, due, lambda: calendars.of(kind.mechanism))
        if not now - LATE < since <= now:
            return
    words, key = f"{_TITLES_OF_PARTS[clock]}（{local(due)}）：{ticket}", _key(clock, due, late)
    title = f"协办{'已超' if late else '临近'}{words}"
    yield _News(ticket, f"{key}:part{part.id}", title, [([part.organization_id], _HANDLERS)])
    if late:
        yield _News(ticket, f"{key}:parts", f"协办单位已超{words}", [_office(ticket)])


def _last_near(session: Session, now: dt.datetime, calendars: Calendars) -> dt.datetime:
    """Return an instant after which no deadline of any class is near yet."""
    last = now
    for kind in session.scalars(select(WhistleClass).options(joinedload(WhistleClass.mechanism))):
        for clock in PART_DONE:
            term = warning(kind, clock)
            if term.unit is Unit.working_days:
                days = calendars.of(kind.mechanism)
                end = days.add_working_days(shanghai_date(now), (term.amount or 0) + 1)
                last = max(last, end_of_day(end))
            elif term.unit is Unit.working_hours:
                # What falls between two spans is as near as the end of the first.
                hours = dt.timedelta(hours=term.amount or 0, seconds=1)
                last = max(last, calendars.of(kind.mechanism).add_working_time(now, hours))
            else:
                last = max(last, now + elapsed(term))
    return last


def _parts(
    session: Session, now: dt.datetime, until: dt.datetime
) -> Iterator[list[TicketAssignment]]:
    """Yield parts of assisting departments that may be near a deadline or past one, a slice at a time."""
    part, helping = TicketAssignment, TICKET_HELPING.c
    due = [
        and_(
            getattr(part, done).is_(None),
            getattr(part, f"{clock}_due") > now - LATE,
            getattr(part, f"{clock}_due") <= until,
        )
        for clock, done in PART_DONE.items()
    ]
    last = 0
    while True:
        query = (
            select(part)
            .join(
                TICKET_HELPING,
                and_(
                    helping.ticket_id == part.ticket_id,
                    helping.organization_id == part.organization_id,
                ),
            )
            .join(part.ticket)
            .where(
                part.id > last,
                part.role == AssignmentRole.ASSISTING,
                part.status.in_(OWING),
                or_(*due),
                # Once the lead has reported, who assists may still report, and no clock runs.
                Ticket.status.in_(AT_DEPARTMENT),
            )
            .options(
                contains_eager(part.ticket).options(
                    joinedload(Ticket.organization),
                    joinedload(Ticket.whistle_class).joinedload(WhistleClass.mechanism),
                )
            )
            .order_by(part.id)
            .limit(SLICE)
        )
        some = list(session.scalars(query))
        yield some
        if len(some) < SLICE:
            return
        last = some[-1].id
