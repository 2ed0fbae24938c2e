"""Recurring problems (共性问题): their area, the tickets tied to them, the counts before and after.

A problem is measured by all whistles of its matter in its area, not by those that somebody tied to
it: these are cases to look at, and whoever forgets to tie one must not make the figures better.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, select, tuple_
from sqlalchemy.orm import Session, joinedload

from models.measure import TicketFact
from models.organization import Organization, OrganizationKind, OrganizationLine
from models.recurring import ProblemStatus, ProblemTicket, RecurringProblem
from models.ticket import Ticket
from presets.roles import Role
from rules.actor import SYSTEM, Actor, acting_as
from rules.calendar import shanghai_date
from rules.errors import Conflict, Invalid
from rules.recurring import LEVEL_OF, WATCHED, Found, Level, area_of, counted, window
from rules.recurring import found as find
from rules.supervision_rules import plan_for

#: Kinds of organisation that a problem may be about.
AREAS = tuple(LEVEL_OF)
#: Who may have a problem in hand, or a decision to carry out.
OWNERS = (
    OrganizationKind.DEPARTMENT,
    OrganizationKind.STATION,
    OrganizationKind.TOWNSHIP,
)
#: Whose people answer for what their body has in hand.
OWNER_ROLES = (Role.DEPARTMENT_HANDLER, Role.TOWNSHIP_REVIEWER)
#: Days that must pass after the work was reported done before the office may say that it helped.
TRIAL = 14
#: Tickets that one problem may have tied to it.
MOST_TIED = 500
#: Months that the picture of a problem goes back.
MONTHS = 12
_ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Again:
    """What a county calls coming back: so many times in so many days."""

    times: int
    days: int


@dataclass(frozen=True)
class Turn:
    """How often a matter came up in equally many days before and after the work.

    ``days`` is how long each side is: the county's days, or what has passed since. ``done`` tells
    whether the work is over: else "after" begins with the plan. ``sides`` are the first and last
    day before and after.
    """

    before: int
    after: int
    days: int
    done: bool
    sides: tuple[tuple[dt.date, dt.date], ...] = ()

    @property
    def change(self) -> Decimal | None:
        """By how many percent it changed, one decimal, minus for less; None with nothing before."""
        if not self.before:
            return None
        share = Decimal(self.after - self.before) * 100 / self.before
        return share.quantize(Decimal("0.1"))


def again_of(session: Session, area: Organization | None) -> Again:
    """Return the rule of an area's county, or the usual one where it has none.

    Everybody is measured by it, whether he may read the county's settings or not.
    """
    with acting_as(session, SYSTEM):
        plan = plan_for(session, area.realm_id if area is not None else None)
    return Again(plan.again_times, plan.again_days)


def within(area: Organization) -> ColumnElement[bool]:
    """Return which facts lie in an area."""
    level = LEVEL_OF.get(area.kind)
    if level in (Level.COUNTY, Level.TOWNSHIP):
        found: ColumnElement[bool] = getattr(TicketFact, f"{level.value}_id") == area.id
        return found
    # Facts do not name their city, and no index leads to a community's but that of what lies in it.
    below = select(OrganizationLine.organization_id).where(OrganizationLine.ancestor_id == area.id)
    return TicketFact.organization_id.in_(below)


def look(
    session: Session, area: Organization, matter: str, now: dt.datetime, times: int = 1
) -> Found | None:
    """Return what the rule finds of one matter in one area in the county's days, if anything."""
    level = LEVEL_OF.get(area.kind)
    if level is None:
        return None
    days = again_of(session, area).days
    matters = find(session, [area.id], now, times, days, level, matter=matter)
    return matters[0] if matters else None


def raised_in(area_id: int) -> ColumnElement[bool]:
    """Return which tickets were raised in an area."""
    below = select(OrganizationLine.organization_id).where(OrganizationLine.ancestor_id == area_id)
    return Ticket.organization_id.in_(below)


def times_in(session: Session, problem: RecurringProblem, first: dt.date, last: dt.date) -> int:
    """Return how often a problem's matter was raised in its area on these days, both included.

    Of the whistles whose figures the session's actor may read.
    """
    if last < first:
        return 0
    number = select(func.count(TicketFact.id)).where(*_of(problem), counted(first, last))
    return session.scalar(number) or 0


def _of(problem: RecurringProblem) -> tuple[ColumnElement[bool], ...]:
    return TicketFact.matter == problem.matter, within(problem.organization)


def turn(session: Session, problem: RecurringProblem, now: dt.datetime) -> Turn | None:
    """Return the counts before the plan and after the work; None while there is no plan.

    Both sides are equally long: the county's days, or as many as have passed since.
    """
    planned = problem.planned_on
    if planned is None:
        return None
    since, today = problem.done_on or planned, shanghai_date(now)
    days = max(0, min(again_of(session, problem.organization).days, (today - since).days))
    sides = (
        (planned - days * _ONE_DAY, planned - _ONE_DAY),
        (since + _ONE_DAY, since + days * _ONE_DAY),
    )
    before, after = (times_in(session, problem, *side) for side in sides)
    return Turn(before, after, days, problem.done_on is not None, sides)


def by_month(
    session: Session, problem: RecurringProblem, now: dt.datetime
) -> list[tuple[int, int]]:
    """Return (month such as 202611, how often) for the last ``MONTHS`` months, oldest first."""
    months = last_months(shanghai_date(now), MONTHS)
    first = dt.date(months[0] // 100, months[0] % 100, 1)
    rows = session.execute(
        select(TicketFact.month, func.count(TicketFact.id).label("number"))
        .where(*_of(problem), counted(first, shanghai_date(now)))
        .group_by(TicketFact.month)
    )
    known = {each.month: each.number for each in rows}
    return [(month, known.get(month, 0)) for month in months]


def last_months(day: dt.date, number: int) -> list[int]:
    """Return the last ``number`` months up to a day's own, such as 202611, oldest first."""
    last = day.year * 12 + day.month - 1
    return [each // 12 * 100 + each % 12 + 1 for each in range(last - number + 1, last + 1)]


@dataclass(frozen=True)
class Return:
    """A closed problem whose matter the rule finds again, and how often it came up since it was done."""

    problem: RecurringProblem
    since: int


def returned(
    session: Session, matters: Sequence[Found], now: dt.datetime, days: int, level: Level
) -> dict[tuple[int, str], Return]:
    """Return, by area and matter, the closed problems among what the rule found; two statements.

    What was raised before the work was done is no return, however near it is.
    """
    pairs = [(each.area_id, each.matter) for each in matters]
    if not pairs:
        return {}
    asked = select(RecurringProblem).where(
        tuple_(RecurringProblem.organization_id, RecurringProblem.matter).in_(pairs),
        RecurringProblem.status == ProblemStatus.CLOSED,
    )
    closed = {each.id: each for each in session.scalars(asked.order_by(RecurringProblem.id))}
    again = and_(
        area_of(session, level) == RecurringProblem.organization_id,
        TicketFact.matter == RecurringProblem.matter,
        TicketFact.day > RecurringProblem.done_on,
        counted(*window(now, days)),
    )
    number = select(RecurringProblem.id, func.count(TicketFact.id).label("number"))
    number = number.join(TicketFact, again)
    rows = session.execute(
        number.where(RecurringProblem.id.in_(closed)).group_by(RecurringProblem.id)
    )
    since = {each.id: each.number for each in rows}
    return {
        (each.organization_id, each.matter): Return(each, since.get(each.id, 0))
        for each in closed.values()
    }


def why_not_closed(session: Session, problem: RecurringProblem, now: dt.datetime) -> str | None:
    """Return why a problem that was reported done may not be closed yet; None if it may.

    It must have been watched for ``TRIAL`` days, and the matter must have come up less often since.
    """
    done = problem.done_on
    if done is None:
        return "还没有报告完成，不能销号。"
    free = done + TRIAL * _ONE_DAY
    if shanghai_date(now) < free:
        return f"报告完成后要观察满 {TRIAL} 天，{free} 起才能销号。"
    seen = turn(session, problem, now)
    if seen is not None and seen.before and seen.after >= seen.before:
        return (
            f"整治前 {seen.days} 天 {seen.before} 件，整治后 {seen.days} 天 {seen.after} 件，没有下降，"
            "不能销号；请退回整治。"
        )
    return None


def check(session: Session, problem: RecurringProblem) -> None:
    """Hold a problem to the rules; raise ``Invalid`` for an area or a matter that will not do.

    One open problem for a matter in an area: a second one would divide its cases.
    """
    area = problem.organization
    if area is None or area.kind not in AREAS:
        sentence = "地区应选市、县（市、区）、乡镇（街道）或村（社区）。"
        raise Invalid(sentence, organization=sentence)
    twin = session.scalars(
        select(RecurringProblem)
        .where(
            RecurringProblem.organization_id == area.id,
            RecurringProblem.matter == problem.matter,
            RecurringProblem.status.in_(WATCHED),
            RecurringProblem.id != (problem.id or 0),
        )
        .limit(1)
    ).first()
    if twin is not None:
        sentence = f"{area.name}的“{problem.matter}”已有在跟踪的共性问题“{twin}”，请在那里办理。"
        raise Invalid(sentence, matter=sentence)


def tie(
    session: Session, problem: RecurringProblem, ticket_ids: Iterable[int], actor: Actor, at: Any
) -> int:
    """Tie tickets to a problem, and return how many were not tied before. Never commits.

    Raises ``Invalid`` for tickets out of reach, outside the problem's area, or drafts, and
    ``Conflict`` where the problem is over or full.
    """
    refuse_over(problem)
    wanted = sorted(set(ticket_ids))
    here = select(Ticket.id).where(
        Ticket.id.in_(wanted), raised_in(problem.organization_id), Ticket.number.is_not(None)
    )
    known = set(session.scalars(here))
    if len(known) < len(wanted):
        raise Invalid(
            f"所选的哨单里有的不在“{problem.organization.name}”范围内，或者还是草稿，不能关联。请重新选择。"
        )
    tied = set(
        session.scalars(
            select(ProblemTicket.ticket_id).where(ProblemTicket.problem_id == problem.id)
        )
    )
    fresh = [each for each in wanted if each not in tied]
    if len(tied) + len(fresh) > MOST_TIED:
        raise Conflict(f"一个共性问题最多关联 {MOST_TIED} 张哨单，请只关联有代表性的。")
    session.add_all(
        ProblemTicket(problem_id=problem.id, ticket_id=each, added_by=actor.name, added_at=at)
        for each in fresh
    )
    session.flush()
    return len(fresh)


def refuse_over(problem: RecurringProblem) -> None:
    """Raise ``Conflict`` for a problem whose tickets stay as they are."""
    if problem.status not in WATCHED:
        raise Conflict(f"“{problem}”已是“{problem.status.title}”，关联的哨单不能再改。")


def tieable(problem: RecurringProblem) -> Select[Any]:
    """Return the tickets that may still be tied to a problem, the newest first."""
    tied = select(ProblemTicket.ticket_id).where(ProblemTicket.problem_id == problem.id)
    return (
        select(Ticket)
        .where(
            raised_in(problem.organization_id), Ticket.number.is_not(None), Ticket.id.not_in(tied)
        )
        .order_by(Ticket.id.desc())
    )


def suggested(
    session: Session, problem: RecurringProblem, now: dt.datetime, limit: int = 10
) -> list[Ticket]:
    """Return the newest tickets of a problem's matter and area that are not tied to it yet."""
    if problem.status not in WATCHED:
        return []
    months = last_months(shanghai_date(now), MONTHS)
    first = dt.date(months[0] // 100, months[0] % 100, 1)
    tied = select(ProblemTicket.ticket_id).where(ProblemTicket.problem_id == problem.id)
    newest = (
        select(TicketFact.ticket_id)
        .where(
            *_of(problem),
            counted(first, shanghai_date(now)),
            TicketFact.ticket_id.not_in(tied),
        )
        .order_by(TicketFact.day.desc(), TicketFact.ticket_id.desc())
        .limit(limit)
    )
    ids = list(session.scalars(newest))
    asked = select(Ticket).where(Ticket.id.in_(ids)).options(joinedload(Ticket.organization))
    found = {each.id: each for each in session.scalars(asked)}
    return [found[each] for each in ids if each in found]


def problems_of(session: Session, ticket_id: int) -> list[RecurringProblem]:
    """Return the problems that a ticket is a case of, of those that the session's actor may read."""
    tied = select(ProblemTicket.problem_id).where(ProblemTicket.ticket_id == ticket_id)
    asked = select(RecurringProblem).where(RecurringProblem.id.in_(tied))
    return list(session.scalars(asked.order_by(RecurringProblem.id)))


def owners(record: Any) -> Select[Any]:
    """Return the bodies of a record's county or city that may have it in hand."""
    place: Organization | None = record.organization
    if place is None:
        return select(Organization).where(false())
    realms = [line.ancestor_id for line in place.lines]
    return select(Organization).where(
        and_(Organization.kind.in_(OWNERS), Organization.active, Organization.realm_id.in_(realms))
    )
