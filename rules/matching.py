"""Matching needs with resources, best first, and why (domain section 4).

What must hold: the same category, the resource available, the need published, the resource offered
to that community (one that names no community is for all), and either an agreement in force between
owner and community or the same county. What decides the order: an agreement in force, then free at
the time, then near, then alike by name, then the older record.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, contains_eager

from models.agreement import Agreement
from models.need import Need, NeedStatus
from models.organization import Organization, OrganizationKind, OrganizationLine
from models.resource import Resource, ResourceStatus

#: So many candidates are weighed; the database cuts them, partners and neighbours first.
POOL = 200
#: A need without dates is taken to be for so many days from now.
USUAL_DAYS = 30
#: From this likeness of the names on (0 to 100) it is worth saying.
ALIKE = 60
#: How much nearer it is to share this place, nearest first.
RINGS = {
    OrganizationKind.COMMUNITY: 4,
    OrganizationKind.TOWNSHIP: 3,
    OrganizationKind.COUNTY: 2,
    OrganizationKind.CITY: 1,
}
#: Weights: each outweighs all that come after it.
PARTNER, FREE, RING, LIKE = 1000, 100, 20, 10


@dataclass(frozen=True)
class Reason:
    """Why two fit, or do not quite: a text with named places, their values, and a badge's tone."""

    label: str
    values: tuple[tuple[str, str], ...] = ()
    tone: str = "muted"

    def __str__(self) -> str:
        return self.label % dict(self.values)


@dataclass(frozen=True)
class Span:
    """The days from ``start`` to ``end``, both included."""

    start: dt.date
    end: dt.date


@dataclass(frozen=True)
class Match:
    """A resource for a need, or a need for a resource; ``free``: 2 for the whole time, 1 in part."""

    record: Any
    score: float
    reasons: tuple[Reason, ...]
    partner: bool
    free: int
    span: Span


@dataclass(frozen=True)
class _Use:
    service_id: int
    span: Span


def span_of(need: Need, today: dt.date) -> Span:
    """Return the days for which a need asks, from today on; a month if it does not say."""
    start = max(need.wanted_from or today, today)
    if need.wanted_until is not None and need.wanted_until >= start:
        return Span(start, need.wanted_until)
    return Span(start, start + dt.timedelta(days=USUAL_DAYS))


def resources_for(session: Session, need: Need, *, today: dt.date, limit: int = 20) -> list[Match]:
    """Return the resources that fit a need and that the session's actor may see, best first.

    Four statements, however many rows there are: the places around the community; at most ``POOL``
    candidates with their owner, agreement and nearness; what uses them in that time; and the titles
    of such projects, as far as the actor may read them.
    """
    community = need.community
    rings = _rings(session, community.id)
    nearness = _nearness(Resource.owner_id, rings)
    offered = _offered(Resource.id, community.id)
    span = span_of(need, today)
    query = (
        select(Resource, Agreement.number, nearness.label("ring"), offered.label("offered"))
        .join(Resource.owner)
        .outerjoin(Agreement, _in_force(community.id, Resource.owner_id))
        .where(
            Resource.category == need.category,
            Resource.status == ResourceStatus.AVAILABLE,
            or_(offered, ~_offered(Resource.id)),
            or_(Agreement.id.is_not(None), Organization.realm_id == community.realm_id),
            Organization.active,
        )
        .order_by(Agreement.id.is_(None), _shut(span), nearness.desc(), Resource.id)
        .options(contains_eager(Resource.owner))
        .limit(POOL)
    )
    rows = session.execute(query).all()
    uses = _uses(session, {each.id for each, *_rest in rows}, span)
    found = []
    for resource, number, ring, is_offered in rows:
        pair = _Pair(need, resource, span, number, rings.get(ring), is_offered)
        found.append(pair.match(resource, uses.get(resource.id, [])))
    return _best(session, found, limit)


def needs_for(
    session: Session, resource: Resource, *, today: dt.date, limit: int = 20
) -> list[Match]:
    """Return the published needs that a resource fits and that the session's actor may see.

    Four statements, as in ``resources_for``: only what uses this one resource is looked up.
    """
    rings = _rings(session, resource.owner_id)
    nearness = _nearness(Need.community_id, rings)
    offered = _offered(resource.id, Need.community_id)
    query = (
        select(Need, Agreement.number, nearness.label("ring"), offered.label("offered"))
        .join(Need.community)
        .outerjoin(Agreement, _in_force(Need.community_id, resource.owner_id))
        .where(
            Need.category == resource.category,
            Need.status == NeedStatus.PUBLISHED,
            or_(offered, ~_offered(resource.id)),
            or_(Agreement.id.is_not(None), Organization.realm_id == resource.owner.realm_id),
        )
        .order_by(Agreement.id.is_(None), nearness.desc(), Need.id)
        .options(contains_eager(Need.community))
        .limit(POOL)
    )
    rows = session.execute(query).all()
    spans = {need.id: span_of(need, today) for need, *_rest in rows}
    last = max((span.end for span in spans.values()), default=today)
    uses = _uses(session, {resource.id} if rows else set(), Span(today, last))
    found = []
    for need, number, ring, is_offered in rows:
        pair = _Pair(need, resource, spans[need.id], number, rings.get(ring), is_offered)
        found.append(pair.match(need, uses.get(resource.id, [])))
    return _best(session, found, limit)


# Statements


def _rings(session: Session, organization_id: int) -> dict[int, str]:
    """Return the names of the places around an organisation, by how near it is to share them."""
    query = (
        select(Organization.id, Organization.kind, Organization.name)
        .join(OrganizationLine, OrganizationLine.ancestor_id == Organization.id)
        .where(
            OrganizationLine.organization_id == organization_id,
            Organization.kind.in_(RINGS),
        )
    )
    return {RINGS[kind]: _Named(name, id) for id, kind, name in session.execute(query)}


class _Named(str):
    """A place's name that knows its id."""

    id: int

    def __new__(cls, name: str, id: int) -> _Named:
        named = super().__new__(cls, name)
        named.id = id
        return named
