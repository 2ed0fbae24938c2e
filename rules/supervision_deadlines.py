"""Tickets near their deadline and past it, on the rung that they have come to (domain section 8).

Tickets are walked by the index of what they owe next, in slices: as much work as there is owed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import Session, joinedload

from models.supervision import Supervision, SupervisionKind
from models.ticket import Ticket
from presets.supervision import USUAL, Rung, SupervisionPlan
from rules import clocks
from rules.proposals import (
    IN_FORCE,
    MOST,
    SLICE,
    C,
    Proposal,
    S,
    Sweep,
    about_ticket,
    internally,
    orders_of,
    propose,
    with_places,
)
from rules.supervision_rules import KINDS, next_rung, severity
from rules.wording import local

_CLOCKS = {"respond": "应哨", "arrive": "报到", "resolve": "办结"}


# Near a deadline


def near(sweep: Sweep) -> None:
    """Propose what is nearer to its deadline than the county's hours, and not past it."""
    widest = max((each.near_hours for each in (USUAL, *sweep.own.values())), default=0)
    window = (
        Ticket.next_due >= sweep.now,
        Ticket.next_due <= sweep.now + dt.timedelta(hours=widest),
    )
    made = 0
    for tickets in _slices(sweep.session, window, upwards=True):
        known = orders_of(sweep.session, tickets)
        proposals = [
            about_ticket(
                each,
                C.NEAR,
                SupervisionKind.ORDINARY,
                f"near:{each.id}:{_instant(each)}",
                _near_reason(each),
            )
            for each in tickets
            if _is_near(sweep, each) and not _already_near(sweep, each, known.get(each.id, []))
        ]
        made += propose(sweep, proposals)
        if made >= MOST:
            return


def _is_near(sweep: Sweep, ticket: Ticket) -> bool:
    """Tell whether a ticket's deadline is near by its county's rule.

    A term that is no longer than the rule's hours would be near from its first minute: what such a
    ticket owes is due for supervision once it is past, as all others'.
    """
    hours = dt.timedelta(hours=sweep.plan(ticket.organization).near_hours)
    due, sent = ticket.next_due, ticket.dispatched_at
    if due is None or not sweep.now <= due <= sweep.now + hours:
        return False
    return sent is None or due - sent > hours


def _already_near(sweep: Sweep, ticket: Ticket, orders: Sequence[Supervision]) -> bool:
    """Tell whether a ticket is before the office already, or under an order, or has been just now.

    The deadlines of one ticket lie close together: each of them is not news.
    """
    if ticket.next_due is None:
        return True
    hours = dt.timedelta(hours=sweep.plan(ticket.organization).near_hours)
    return any(
        each.status in (S.PROPOSED, *IN_FORCE)
        or (each.cause is C.NEAR and each.created_at >= ticket.next_due - hours)
        for each in orders
    )


def _near_reason(ticket: Ticket) -> str:
    return f"距{_owed(ticket)}已近，主办单位{_lead(ticket)}还没有办理这一步。"


# Past a deadline: the ladder


def overdue(sweep: Sweep) -> None:
    """Propose what is past its deadline, the latest first, each on the rung that it has come to."""
    made = 0
    window = (Ticket.next_due < sweep.now, ~_at_the_top())
    for tickets in _slices(sweep.session, window, upwards=False):
        known = orders_of(sweep.session, tickets)
        proposals = []
        for each in tickets:
            orders = known.get(each.id, [])
            waiting = next((order for order in orders if order.status is S.PROPOSED), None)
            if waiting is not None:
                sweep.changed += _graver(sweep, each, waiting)
                continue
            step = _rung_due(sweep, each, orders)
            if step is not None:
                proposals.append(_on_rung(each, *step))
        made += propose(sweep, proposals)
        if made + sweep.changed >= MOST:
            return


def _at_the_top() -> ColumnElement[bool]:
    """Return which tickets no rung is left for: what is long overdue is not looked at for ever."""
    return exists().where(
        Supervision.ticket_id == Ticket.id,
        Supervision.kind == KINDS[-1],
        Supervision.status.in_((S.PROPOSED, *IN_FORCE)),
    )


def _rung_due(
    sweep: Sweep, ticket: Ticket, orders: Sequence[Supervision]
) -> tuple[Rung, Supervision | None] | None:
    """Return the rung on which a ticket is due for an order, and the milder order that it follows.

    Under an order that is not closed it is the next more severe rung, from its hours on; an order that
    was issued late has as long as the ladder leaves it. After an order about this very deadline was
    closed nothing follows; after one that the office would not give, only a more severe rung.
    """
    plan, due = sweep.plan(ticket.organization), ticket.next_due
    if due is None:
        return None
    order = next((each for each in reversed(orders) if each.status in IN_FORCE), None)
    if order is not None:
        rung = next_rung(plan, order.kind)
        if rung is None or sweep.now < _from(plan, rung, due, order):
            return None
        return rung, order
    reached = [each for each in plan.ladder if due + _hours(each) <= sweep.now]
    about = [each for each in orders if (each.key or "").startswith(_stem(ticket))]
    if not reached or any(each.status is S.CLOSED for each in about):
        return None
    taken = max((severity(each.kind) for each in about), default=-1)
    return (reached[-1], None) if severity(reached[-1].kind) > taken else None


def _from(plan: SupervisionPlan, rung: Rung, due: dt.datetime, order: Supervision) -> dt.datetime:
    """Return from when on a rung follows an order that is in force."""
    at = due + _hours(rung)
    hours = next((each.hours for each in plan.ladder if each.kind is order.kind), 0)
    if order.issued_at is None:
        return at
    return max(at, order.issued_at + dt.timedelta(hours=rung.hours - hours))


def _hours(rung: Rung) -> dt.timedelta:
    return dt.timedelta(hours=rung.hours)


def _on_rung(ticket: Ticket, rung: Rung, milder: Supervision | None) -> Proposal:
    reason = _overdue_reason(ticket, rung)
    if milder is not None:
        reason += f"此前的{milder.kind.title}（{milder.number}）尚未办结。"
    return about_ticket(
        ticket, C.OVERDUE, rung.kind, f"{_stem(ticket)}{rung.kind.value}", reason, milder
    )


def _overdue_reason(ticket: Ticket, rung: Rung) -> str:
    said = f"已超过{_owed(ticket)}"
    if rung.hours:
        said += f" {rung.hours} 小时"
    return f"{said}，主办单位{_lead(ticket)}还没有办理这一步。"


def _graver(sweep: Sweep, ticket: Ticket, waiting: Supervision) -> int:
    """Let a proposal that the office has not looked at say what has become of its ticket meanwhile."""
    plan, due = sweep.plan(ticket.organization), ticket.next_due
    reached = [each for each in plan.ladder if due is not None and due + _hours(each) <= sweep.now]
    if not reached or waiting.cause not in (C.NEAR, C.OVERDUE):
        return 0
    rung = reached[-1]
    was_near = waiting.cause is C.NEAR
    if not was_near and severity(rung.kind) <= severity(waiting.kind):
        return 0
    reason = _overdue_reason(ticket, rung)
    said = {
        "kind": max(rung.kind, waiting.kind, key=severity),
        "cause": C.OVERDUE,
        "key": f"{_stem(ticket)}{rung.kind.value}",
        "reason": reason,
        "note": reason,
    }
    return internally(sweep, waiting, "sharpen", said)


# What is no longer so


def lapse(sweep: Sweep) -> None:
    """Take back proposals that nobody has confirmed and whose reason is gone.

    What was near and was done in time; a low rating that was amended.
    """
    last = 0
    while waiting := list(sweep.session.scalars(_groundless(sweep, last))):
        last = waiting[-1].id
        for each in waiting:
            if each.cause is C.LOW_RATING:
                internally(sweep, each, "lapse", {"note": "评价已更正，不再督办。"})
            elif each.ticket is not None and not _within(sweep, each.ticket):
                internally(sweep, each, "lapse", {"note": "已在期限内办理，不再督办。"})


def _groundless(sweep: Sweep, last: int) -> Select[Supervision]:
    """Return the statement for a slice of the proposals whose tickets may have moved on."""
    done = or_(Ticket.next_due.is_(None), Ticket.next_due > sweep.now)
    return (
        select(Supervision)
        .join(Supervision.ticket)
        .where(
            Supervision.status == S.PROPOSED,
            Supervision.id > last,
            or_(
                and_(Supervision.cause == C.NEAR, done),
                and_(Supervision.cause == C.LOW_RATING, Ticket.supervised_at.is_(None)),
            ),
        )
        .options(
            joinedload(Supervision.ticket, innerjoin=True).joinedload(
                Ticket.organization, innerjoin=True
            )
        )
        .order_by(Supervision.id)
        .limit(SLICE)
    )


def _within(sweep: Sweep, ticket: Ticket) -> bool:
    """Tell whether what a ticket owes next is due within its county's hours."""
    hours = dt.timedelta(hours=sweep.plan(ticket.organization).near_hours)
    return ticket.next_due is not None and ticket.next_due <= sweep.now + hours


# What all of them share


def _slices(session: Session, window: Sequence[Any], *, upwards: bool) -> Iterator[list[Ticket]]:
    """Yield the tickets that a department has in hand and that owe a step in a window, by its instant."""
    beyond: tuple[dt.datetime, int] | None = None
    order = (Ticket.next_due, Ticket.id) if upwards else (Ticket.next_due.desc(), Ticket.id.desc())
    while True:
        statement = with_places(select(Ticket)).where(*window, Ticket.lead_id.is_not(None))
        if beyond is not None:
            due, number = beyond
            after = Ticket.next_due > due if upwards else Ticket.next_due < due
            further = Ticket.id > number if upwards else Ticket.id < number
            statement = statement.where(or_(after, and_(Ticket.next_due == due, further)))
        found = list(session.scalars(statement.order_by(*order).limit(SLICE)))
        if not found:
            return
        last = found[-1]
        if last.next_due is not None:
            beyond = (last.next_due, last.id)
        yield found
        if len(found) < SLICE:
            return


def _stem(ticket: Ticket) -> str:
    """Name a ticket's deadline that is past; the rung that it has come to follows."""
    return f"overdue:{ticket.id}:{_instant(ticket)}:"


def _instant(ticket: Ticket) -> str:
    return f"{ticket.next_due.astimezone(dt.UTC):%Y%m%dT%H%M%S}" if ticket.next_due else ""


def _owed(ticket: Ticket) -> str:
    """Return the deadline that a ticket owes a step by, in words."""
    found = clocks.owed(ticket)
    if found is None:
        return "期限"
    clock, instant = found
    return f"{_CLOCKS[clock]}期限（{local(instant)}）"


def _lead(ticket: Ticket) -> str:
    return f"“{ticket.lead.name}”" if ticket.lead is not None else ""
