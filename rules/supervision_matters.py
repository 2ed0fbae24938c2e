"""Matters that a township reports again and again, and tickets that were rated too low (domain 8)."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from models.organization import Organization, OrganizationKind, OrganizationLine
from models.recurring import RecurringProblem
from models.supervision import Supervision, SupervisionKind
from models.ticket import Ticket, TicketStatus
from rules import recurring
from rules.actor import SYSTEM, acting_as
from rules.proposals import (
    IN_FORCE,
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
from rules.wording import local

#: So many tickets are named in the reason of a proposal.
_NAMED = 10


# Low ratings


def low_ratings(sweep: Sweep) -> None:
    """Propose tickets that a low rating has sent back under a mechanism that supervises such."""
    tickets = list(
        sweep.session.scalars(
            with_places(
                select(Ticket).where(
                    Ticket.status == TicketStatus.REOPENED, Ticket.supervised_at.is_not(None)
                )
            )
            .order_by(Ticket.id.desc())
            .limit(SLICE)
        )
    )
    known = orders_of(sweep.session, tickets)
    propose(
        sweep,
        [
            _low_rating(each)
            for each in tickets
            if each.reopen_count
            and not any(
                order.key == _rating_key(each) or order.status in (S.PROPOSED, *IN_FORCE)
                for order in known.get(each.id, [])
            )
        ],
    )


def after_low_rating(session: Session, ticket: Ticket, now: dt.datetime) -> None:
    """Propose a ticket at once that its mechanism supervises for a low rating. Never commits.

    Part of the rating: whoever rates need not be one who supervises.
    """
    with acting_as(session, SYSTEM):
        propose(Sweep(session, now, {}), [_low_rating(ticket)])


def _low_rating(ticket: Ticket) -> Proposal:
    fix = f"，限期 {local(ticket.resolve_due)} 前整改" if ticket.resolve_due else ""
    reason = f"评价不过关，第 {ticket.reopen_count} 次退回重办{fix}，按本地机制督办。"
    return about_ticket(ticket, C.LOW_RATING, SupervisionKind.ORDINARY, _rating_key(ticket), reason)


def _rating_key(ticket: Ticket) -> str:
    return f"rating:{ticket.id}:{ticket.reopen_count}"


# Again and again


def again(sweep: Sweep) -> None:
    """Propose matters that a township reports again and again, county by county."""
    townships: dict[int, list[Organization]] = {}
    places = select(Organization).where(
        Organization.kind == OrganizationKind.TOWNSHIP, Organization.active
    )
    for each in sweep.session.scalars(places):
        townships.setdefault(each.realm_id or 0, []).append(each)
    for _county, within in sorted(townships.items()):
        plan = sweep.plan(within[0])
        areas, days = [each.id for each in within], plan.again_days
        found = recurring.found(sweep.session, areas, sweep.now, plan.again_times, days)
        fresh = _not_proposed(sweep, recurring.untied(sweep.session, found), days)
        names = _numbers(sweep.session, fresh)
        propose(sweep, [_matter(sweep, each, days, names) for each in fresh])


def in_hand(sweep: Sweep) -> None:
    """Take back proposals that nobody has confirmed about matters that a problem watches over by now."""
    watched = (
        select(Supervision)
        .join(OrganizationLine, OrganizationLine.organization_id == Supervision.organization_id)
        .join(
            RecurringProblem,
            and_(
                RecurringProblem.organization_id == OrganizationLine.ancestor_id,
                RecurringProblem.matter == Supervision.matter,
                RecurringProblem.status.in_(recurring.WATCHED),
            ),
        )
        .where(Supervision.status == S.PROPOSED, Supervision.cause == C.AGAIN)
        .limit(SLICE)
    )
    for each in sweep.session.scalars(watched).unique().all():
        internally(sweep, each, "lapse", {"note": "已立为共性问题，不再另行督办。"})


def _not_proposed(
    sweep: Sweep, matters: Sequence[recurring.Found], days: int
) -> list[recurring.Found]:
    """Return those that were not proposed in as many days as the rule looks back, and are not open."""
    since = sweep.now - dt.timedelta(days=days)
    before = select(Supervision.organization_id, Supervision.matter).where(
        Supervision.organization_id.in_({each.area_id for each in matters}),
        Supervision.cause == C.AGAIN,
        or_(
            Supervision.created_at > since,
            Supervision.status.in_((S.PROPOSED, *IN_FORCE)),
        ),
    )
    known = {(area, matter) for area, matter in sweep.session.execute(before)} if matters else set()
    return [each for each in matters if (each.area_id, each.matter) not in known]


def _numbers(session: Session, matters: Iterable[recurring.Found]) -> dict[int, str]:
    ids = {number for each in matters for number in each.ticket_ids[:_NAMED]}
    if not ids:
        return {}
    rows = session.execute(select(Ticket.id, Ticket.number).where(Ticket.id.in_(ids)))
    return {number: name for number, name in rows if name}


def _matter(sweep: Sweep, found: recurring.Found, days: int, names: Mapping[int, str]) -> Proposal:
    named = "、".join(names[each] for each in found.ticket_ids[:_NAMED] if each in names)
    more = " 等" if found.count > _NAMED else ""
    digest = hashlib.sha256(found.matter.encode()).hexdigest()[:16]
    # The same for all who sweep at the same time, and another one after as many days again.
    turn = sweep.now.date().toordinal() // days
    return {
        "organization_id": found.area_id,
        "cause": C.AGAIN,
        "kind": SupervisionKind.ORDINARY,
        "matter": found.matter,
        "reason": f"{found.first} 至 {found.last} 上报 {found.count} 次：{named}{more}。",
        "key": f"again:{found.area_id}:{digest}:{days}:{turn}",
    }
