"""Matching needs with resources, best first, and why (domain section 4).

What must hold: the same category, the resource available, the need published, the resource offered
to that community (one that names no community is for all), and either an agreement in force between
owner and community or the same county. What decides the order: an agreement in force, then free at
the time, then near, then alike by name, then the older record.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rapidfuzz import fuzz
from sqlalchemy import ColumnElement, and_, case, exists, func, literal, or_, select
from sqlalchemy.orm import Session, contains_eager

from models.agreement import Agreement, AgreementStatus
from models.need import Need, NeedStatus
from models.organization import Organization, OrganizationKind, OrganizationLine
from models.resource import Resource, ResourceOffer, ResourceStatus
from models.service import OPEN, ServiceProject, ServiceResource
from rules.actor import SYSTEM, acting_as

#: So many candidates are weighed; the database cuts them, partners and neighbours first.
POOL = 200
#: A need without dates is taken to be for so many days from now.
USUAL_DAYS = 30
#: From this likeness of the names on (0 to 100) it is worth saying.
ALIKE = 60
#: How near it is to share a place of this kind.
NEARNESS = {
    OrganizationKind.COMMUNITY: 4,
    OrganizationKind.TOWNSHIP: 3,
    OrganizationKind.COUNTY: 2,
    OrganizationKind.CITY: 1,
}
#: Each step outweighs all that comes after it: likeness ends below ``NEAR``, nearness below ``FREE``.
PARTNER, FREE, NEAR, LIKE = 1000, 100, 20, 10


@dataclass(frozen=True)
class Reason:
    """Why two fit, or do not quite: a text with places for values, and a badge's tone."""

    label: str
    values: tuple[tuple[str, str], ...] = ()
    tone: str = "muted"

    def __str__(self) -> str:
        return self.label % dict(self.values)


#: What is said of a resource that is taken by projects which the reader may not see.
TAKEN = Reason(label="该时段已被占用", tone="warning")


@dataclass(frozen=True)
class Span:
    """The days from ``start`` to ``end``, both included."""

    start: dt.date
    end: dt.date

    def meets(self, other: Span) -> bool:
        """Tell whether the two have a day in common."""
        return self.start <= other.end and other.start <= self.end


@dataclass(frozen=True)
class Use:
    """An open service project that uses a resource for some days."""

    service_id: int
    span: Span


@dataclass(frozen=True)
class Match:
    """A resource for a need, or a need for a resource, with the days it is about.

    ``free``: 2 for the whole time, 1 for part of it, 0 not.
    """

    record: Any
    score: float
    reasons: tuple[Reason, ...]
    partner: bool
    free: int
    span: Span
    blockers: tuple[int, ...] = ()


def span_of(need: Need, today: dt.date) -> Span:
    """Return the days for which a need asks, from today on; a month if it does not say."""
    start = max(need.wanted_from or today, today)
    if need.wanted_until is not None and need.wanted_until >= start:
        return Span(start, need.wanted_until)
    return Span(start, start + dt.timedelta(days=USUAL_DAYS))


def resources_for(session: Session, need: Need, *, today: dt.date, limit: int = 20) -> list[Match]:
    """Return the resources that fit a need and that the session's actor may see, best first.

    At most four statements, however many rows there are: the places around the community; ``POOL``
    candidates with owner, agreement and nearness; what uses them in that time; and the titles of
    those projects, as far as the actor may read them.
    """
    community, span = need.community, span_of(need, today)
    places = _places(session, community.id)
    near, offered = _near(Resource.owner_id, places), _offered(Resource.id, community.id)
    query = (
        select(Resource, Agreement.number, near.label("near"), offered.label("offered"))
        .join(Resource.owner)
        .outerjoin(Agreement, _in_force(community.id, Resource.owner_id))
        .where(
            Resource.category == need.category,
            Resource.status == ResourceStatus.AVAILABLE,
            or_(offered, ~_offered(Resource.id)),
            or_(Agreement.id.is_not(None), Organization.realm_id == community.realm_id),
            Organization.active,
        )
        .order_by(Agreement.id.is_(None), _shut(span), near.desc(), Resource.id)
        .options(contains_eager(Resource.owner))
        .limit(POOL)
    )
    rows = session.execute(query).all()
    uses = uses_of(session, {resource.id for resource, *_rest in rows}, span)
    found = []
    for resource, number, level, is_offered in rows:
        bond = _Bond(number, places.get(level), level, is_offered)
        used = uses.get(resource.id, [])
        found.append(_weighed(resource, need, resource, span, used, bond))
    return _best(session, found, limit)


def needs_for(
    session: Session, resource: Resource, *, today: dt.date, limit: int = 20
) -> list[Match]:
    """Return the published needs that a resource fits and that the session's actor may see.

    As many statements as ``resources_for`` sends. Whether it is free is asked for each need's days.
    """
    owner = resource.owner
    places = _places(session, owner.id)
    near, offered = _near(Need.community_id, places), _offered(resource.id, Need.community_id)
    query = (
        select(Need, Agreement.number, near.label("near"), offered.label("offered"))
        .join(Need.community)
        .outerjoin(Agreement, _in_force(Need.community_id, owner.id))
        .where(
            Need.category == resource.category,
            Need.status == NeedStatus.PUBLISHED,
            or_(offered, ~_offered(resource.id)),
            or_(Agreement.id.is_not(None), Organization.realm_id == owner.realm_id),
        )
        .order_by(Agreement.id.is_(None), near.desc(), Need.id)
        .options(contains_eager(Need.community))
        .limit(POOL)
    )
    rows = session.execute(query).all()
    spans = {need.id: span_of(need, today) for need, *_rest in rows}
    last = max((span.end for span in spans.values()), default=today)
    used = uses_of(session, {resource.id} if rows else set(), Span(today, last))
    found = []
    for need, number, level, is_offered in rows:
        bond = _Bond(number, places.get(level), level, is_offered)
        uses = used.get(resource.id, [])
        found.append(_weighed(need, need, resource, spans[need.id], uses, bond))
    return _best(session, found, limit)


# What the database is asked


def _places(session: Session, organization_id: int) -> dict[int, tuple[int, str]]:
    """Return the (id, name) of the places that an organisation lies in, by their nearness."""
    query = (
        select(Organization.id, Organization.kind, Organization.name)
        .join(OrganizationLine, OrganizationLine.ancestor_id == Organization.id)
        .where(OrganizationLine.organization_id == organization_id, Organization.kind.in_(NEARNESS))
    )
    return {NEARNESS[kind]: (number, name) for number, kind, name in session.execute(query)}


def _near(column: Any, places: dict[int, tuple[int, str]]) -> ColumnElement[int]:
    """Return how near an organisation is: the nearest of the places that it lies in as well."""
    rings = [
        (
            exists().where(
                OrganizationLine.organization_id == column, OrganizationLine.ancestor_id == number
            ),
            literal(level),
        )
        for level, (number, _name) in sorted(places.items(), reverse=True)
    ]
    return case(*rings, else_=0) if rings else literal(0)


def _offered(resource_id: Any, community_id: Any = None) -> ColumnElement[bool]:
    """Return whether a resource names the community; without one, whether it names any."""
    test = ResourceOffer.resource_id == resource_id
    if community_id is not None:
        test = and_(test, ResourceOffer.organization_id == community_id)
    return exists().where(test)


def _in_force(community_id: Any, unit_id: Any) -> ColumnElement[bool]:
    """Return which agreement binds the two; there is one in force at most."""
    return and_(
        Agreement.status == AgreementStatus.IN_FORCE,
        Agreement.community_id == community_id,
        Agreement.unit_id == unit_id,
    )


def _shut(span: Span) -> ColumnElement[bool]:
    """Return whether a resource is not to be had on any of the days, or not said to be."""
    return or_(
        func.coalesce(Resource.available_from, span.start) > span.end,
        func.coalesce(Resource.available_until, span.end) < span.start,
    )


def uses_of(session: Session, resource_ids: Collection[int], span: Span) -> dict[int, list[Use]]:
    """Return the open service projects that use some resources in a time, by resource.

    All of them, also those out of the actor's reach: a resource that is taken is taken. What is
    returned says when and by which project, not what it is.
    """
    if not resource_ids:
        return {}
    query = (
        select(
            ServiceResource.resource_id,
            ServiceProject.id,
            ServiceProject.planned_from,
            ServiceProject.planned_until,
        )
        .join(ServiceResource.service)
        .where(
            ServiceResource.resource_id.in_(resource_ids),
            ServiceProject.status.in_(OPEN),
            ServiceProject.planned_from <= span.end,
            ServiceProject.planned_until >= span.start,
        )
        .order_by(ServiceProject.planned_from, ServiceProject.id)
    )
    found: dict[int, list[Use]] = {}
    with acting_as(session, SYSTEM), session.no_autoflush:
        for resource_id, service_id, start, end in session.execute(query):
            found.setdefault(resource_id, []).append(Use(service_id, Span(start, end)))
    return found


# How they are weighed


@dataclass(frozen=True)
class _Bond:
    """What ties owner and community: an agreement's number, the nearest place they share."""

    agreement: str | None
    place: tuple[int, str] | None
    nearness: int
    offered: bool


def most_at_once(uses: Sequence[Use], span: Span) -> int:
    """Return how many of the uses meet on the fullest day of a time."""
    within = [use.span for use in uses if use.span.meets(span)]
    days = [max(each.start, span.start) for each in within]
    return max((sum(each.start <= day <= each.end for each in within) for day in days), default=0)


def _free(
    resource: Resource, uses: Sequence[Use], span: Span
) -> tuple[int, list[Reason], tuple[int, ...]]:
    """Return whether a resource is free (as in ``Match``), in words, and what stands in the way."""
    offered = Span(resource.available_from or span.start, resource.available_until or span.end)
    if not offered.meets(span):
        days = (("from", _day(resource.available_from)), ("until", _day(resource.available_until)))
        return (
            0,
            [
                Reason(
                    label="该时段不提供（可用：%(from)s 至 %(until)s）", values=days, tone="warning"
                )
            ],
            (),
        )
    within = [use for use in uses if use.span.meets(span)]
    left = max(resource.quantity - most_at_once(within, span), 0)
    if not left:
        return 0, [TAKEN], tuple(use.service_id for use in within)
    covers = offered.start <= span.start and offered.end >= span.end
    if covers:
        reasons = [Reason(label="该时段空闲", tone="success")]
    else:
        start, end = max(offered.start, span.start), min(offered.end, span.end)
        days = (("from", start.isoformat()), ("until", end.isoformat()))
        reasons = [
            Reason(label="该时段部分可用（%(from)s 至 %(until)s）", values=days, tone="info")
        ]
    if resource.quantity > 1:
        numbers = (("left", str(left)), ("all", str(resource.quantity)))
        reasons.append(Reason(label="数量 %(left)s/%(all)s 可用", values=numbers))
    return 2 if covers else 1, reasons, ()


def _day(day: dt.date | None) -> str:
    return day.isoformat() if day else "…"


def _weighed(
    record: Any, need: Need, resource: Resource, span: Span, uses: Sequence[Use], bond: _Bond
) -> Match:
    partner = bond.agreement is not None
    free, words, blockers = _free(resource, uses, span)
    likeness = fuzz.partial_ratio(need.title, resource.name)
    reasons = [Reason(label="同类别（%(category)s）", values=(("category", need.category.title),))]
    if bond.agreement is not None:
        number = (("number", bond.agreement),)
        reasons.insert(0, Reason(label="协议生效中（%(number)s）", values=number, tone="success"))
    if bond.offered:
        reasons.append(Reason(label="指定提供给本社区", tone="success"))
    reasons += words
    if bond.place is not None:
        reasons.append(Reason(label="同在%(place)s", values=(("place", bond.place[1]),)))
    if likeness >= ALIKE:
        reasons.append(Reason(label="名称相近"))
    score = partner * PARTNER + free * FREE + bond.nearness * NEAR + likeness / 100 * LIKE
    return Match(record, round(score, 2), tuple(reasons), partner, free, span, blockers)


def _best(session: Session, found: list[Match], limit: int) -> list[Match]:
    """Return the best, and name what stands in their way as far as the actor may read it."""
    found.sort(key=lambda each: (-each.score, each.record.id))
    best = found[:limit]
    wanted = {number for each in best for number in each.blockers}
    titles: dict[int, str] = {}
    if wanted:
        query = select(ServiceProject.id, ServiceProject.title).where(ServiceProject.id.in_(wanted))
        titles = dict(session.execute(query).all())
    return [_blocked(each, titles) if each.blockers else each for each in best]


def _blocked(match: Match, titles: dict[int, str]) -> Match:
    """Return the match with the name of what stands in its way, if there is one to be told."""
    known = [titles[number] for number in match.blockers if number in titles]
    if not known:
        return match
    values = (("title", known[0]), ("number", str(len(match.blockers))))
    said = Reason(label="该时段已被“%(title)s”占用", values=values, tone="warning")
    if len(match.blockers) > 1:
        said = Reason(
            label="该时段已被“%(title)s”等 %(number)s 个项目占用", values=values, tone="warning"
        )
    reasons = tuple(said if each is TAKEN else each for each in match.reasons)
    return replace(match, reasons=reasons)
