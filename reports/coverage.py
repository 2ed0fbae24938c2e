"""Who has signed and who has not, and which agreements run out when (domain section 4)."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, or_, select, true
from sqlalchemy.orm import Session

from models.agreement import Agreement, AgreementKind, AgreementStatus
from models.organization import Organization, OrganizationKind
from models.scoping import Anchored
from presets.roles import Role
from rules.actor import current
from rules.agreements import FIRST_PARTIES, SECOND_PARTIES
from rules.policy import Action, Scope, scopes
from rules.reach import reach

#: Bodies that are expected to sign; a coordinating office may, but is not.
UNIT_KINDS = tuple(
    kind for kind in SECOND_PARTIES if kind is not OrganizationKind.COORDINATION_OFFICE
)
COMMUNITY_KINDS = FIRST_PARTIES
#: Coverage is a matter of an area: who reads his own agreements only has none to look after.
AREAS = frozenset({Scope.EVERYTHING, Scope.AREA})
MONTHS = 12


def looks_after(roles: frozenset[Role]) -> frozenset[Scope]:
    """Return the scopes within which people with these roles look after coverage; empty: not."""
    return scopes(roles, "agreement", Action.READ) & AREAS


@dataclass(frozen=True)
class Share:
    """How many organisations of a kind there are, and how many of them have no agreement in force."""

    kind: OrganizationKind
    total: int
    without: int


@dataclass(frozen=True)
class Pairs:
    """Agreements in force of one kind, and how many communities and units they bind."""

    kind: AgreementKind
    agreements: int
    communities: int
    units: int


@dataclass(frozen=True)
class Span:
    """Agreements in force that end from ``first`` to ``last``; without a bound, before or after."""

    first: dt.date | None
    last: dt.date | None
    agreements: int = 0


@dataclass(frozen=True)
class Coverage:
    """The coverage of the actor's area.

    ``expiry``: one span for what has run out already, one for each of the next twelve months (the
    first begins today), one for what comes after.
    """

    shares: list[Share]
    pairs: list[Pairs]
    expiry: list[Span]

    def total(self, *kinds: OrganizationKind) -> int:
        """Return how many organisations of these kinds there are."""
        return sum(each.total for each in self.shares if each.kind in kinds)

    def without(self, *kinds: OrganizationKind) -> int:
        """Return how many organisations of these kinds have no agreement in force."""
        return sum(each.without for each in self.shares if each.kind in kinds)


def coverage(session: Session, today: dt.date) -> Coverage:
    """Return the coverage of the area of the session's actor; three statements."""
    return Coverage(_shares(session), _pairs(session), expiry(session, today))


def uncovered(session: Session, *kinds: OrganizationKind) -> Select[Any]:
    """Return the organisations in use of these kinds in the actor's area without one in force."""
    listed = select(Organization).where(Organization.kind.in_(kinds))
    return listed.where(_listed(session), ~_covered())


def _listed(session: Session) -> ColumnElement[bool]:
    """Return which organisations are in use and in the area of the session's actor."""
    actor = current(session)
    place = Anchored(("id",))
    within = [
        reach(actor, place, lambda _name: Organization.id, scope, every=False)
        for scope in sorted(looks_after(actor.roles))
    ]
    inside = true() if actor.system else or_(false(), *within)
    return and_(Organization.active, inside)


def _covered() -> ColumnElement[bool]:
    """Return whether an organisation is a side of an agreement in force.

    By lists, not by EXISTS: the gate narrows what a query selects from, so these name the class.
    """
    in_force = Agreement.status == AgreementStatus.IN_FORCE
    return or_(
        Organization.id.in_(select(Agreement.unit_id).where(in_force)),
        Organization.id.in_(select(Agreement.community_id).where(in_force)),
    )


def _shares(session: Session) -> list[Share]:
    kinds = (*UNIT_KINDS, *COMMUNITY_KINDS)
    without = func.sum(case((_covered(), 0), else_=1))
    found = session.execute(
        select(Organization.kind, func.count(Organization.id), without)
        .where(Organization.kind.in_(kinds), _listed(session))
        .group_by(Organization.kind)
    )
    numbers = {kind: (total, missing) for kind, total, missing in found}
    return [Share(kind, *numbers.get(kind, (0, 0))) for kind in kinds]


def _pairs(session: Session) -> list[Pairs]:
    found = session.execute(
        select(
            Agreement.kind,
            func.count(Agreement.id),
            func.count(Agreement.community_id.distinct()),
            func.count(Agreement.unit_id.distinct()),
        )
        .where(Agreement.status == AgreementStatus.IN_FORCE)
        .group_by(Agreement.kind)
    )
    numbers = {kind: counts for kind, *counts in found}
    return [Pairs(kind, *numbers.get(kind, (0, 0, 0))) for kind in AgreementKind]


def spans(today: dt.date) -> list[Span]:
    """Return the stretches of time that agreements run out in, the past first; none counted yet."""
    firsts = [today, *(_month(today, turn) for turn in range(1, MONTHS + 1))]
    day = dt.timedelta(days=1)
    coming = [Span(first, after - day) for first, after in itertools.pairwise(firsts)]
    return [Span(None, today - day), *coming, Span(firsts[-1], None)]


def _month(day: dt.date, ahead: int) -> dt.date:
    """Return the first day of the month so many months after a day's own."""
    number = day.year * 12 + day.month - 1 + ahead
    return dt.date(number // 12, number % 12 + 1, 1)


def expiry(session: Session, today: dt.date) -> list[Span]:
    """Return how many agreements in force run out in each stretch of time; one statement."""
    parts = spans(today)
    counted: list[Any] = [
        func.sum(case((_ends(each), 1), else_=0)).label(f"span{number}")
        for number, each in enumerate(parts)
    ]
    query = select(*counted).where(Agreement.status == AgreementStatus.IN_FORCE)
    row = session.execute(query).one()
    return [
        Span(each.first, each.last, number or 0) for each, number in zip(parts, row, strict=True)
    ]


def _ends(span: Span) -> ColumnElement[bool]:
    tests = []
    if span.first is not None:
        tests.append(Agreement.valid_until >= span.first)
    if span.last is not None:
        tests.append(Agreement.valid_until <= span.last)
    return and_(*tests)


def running_out(until: dt.date) -> Select[Any]:
    """Return the agreements in force that end on a day or before it, the first to end first."""
    listed = select(Agreement).where(
        Agreement.status == AgreementStatus.IN_FORCE, Agreement.valid_until <= until
    )
    return listed.order_by(Agreement.valid_until, Agreement.id)
