"""What the figures are summed from: one grouped statement for each table that counts.

Every statement reads mapped classes through the session, so the gate narrows it; ``places`` narrows
it further to the organisations whose figures the actor is shown whole.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, extract, false, func, or_, select, true
from sqlalchemy.orm import Session

from models.agreement import Agreement, AgreementStatus
from models.base import Titled
from models.check_in import CheckIn, CheckInActivity
from models.grade import Grade
from models.need import Need, NeedStatus
from models.organization import Organization
from models.resource import Resource, ResourceOffer, ResourceStatus
from models.scoping import Anchored
from models.service import ServiceProject, ServiceResource, ServiceSession, ServiceStatus
from presets.roles import Role
from rules.actor import current
from rules.agreements import FIRST_PARTIES, SECOND_PARTIES
from rules.policy import Action, Scope, scopes
from rules.reach import reach

Number = int | Decimal
Sums = Mapping[str, Number]
#: Which organisations: a query for their ids, or the ids.
Among = Select[Any] | Sequence[int]
#: Stretches of days, both ends included.
Spans = Sequence[tuple[dt.date, dt.date]]

GOOD = (Grade.VERY_SATISFIED, Grade.SATISFIED)
MET = (NeedStatus.DONE, NeedStatus.RATED)
TAKEN_UP = (ServiceStatus.UNDER_WAY, ServiceStatus.COMPLETED, ServiceStatus.RATED)


class Side(Titled):
    """Whose figures: the second or the first party of an agreement."""

    UNIT = "unit", "单位"
    COMMUNITY = "community", "村（社区）"


#: Record type that says for which organisations of a side an actor reads all records there are.
KEPT = {Side.UNIT: "resource", Side.COMMUNITY: "need"}
#: Scopes that show all of an organisation's records: what partners share is only a part of theirs.
WHOLE = frozenset({Scope.EVERYTHING, Scope.AREA, Scope.OWN})
_KINDS = {Side.UNIT: SECOND_PARTIES, Side.COMMUNITY: FIRST_PARTIES}
_ANCHORS: dict[type[Any], dict[Side, str]] = {
    Agreement: {Side.UNIT: "unit_id", Side.COMMUNITY: "community_id"},
    Need: {Side.UNIT: "claimed_by_id", Side.COMMUNITY: "community_id"},
    ServiceProject: {Side.UNIT: "provider_id", Side.COMMUNITY: "community_id"},
    CheckIn: {Side.UNIT: "unit_id", Side.COMMUNITY: "community_id"},
}


def places(session: Session, side: Side, columns: tuple[str, ...] = ("id",)) -> Select[Any]:
    """Return the organisations of a side whose figures the session's actor is shown, by name.

    Units: those whose own resources he reads; communities: those whose needs he reads as his own or
    his area's (domain section 7).
    """
    actor = current(session)
    granted = kept(actor.roles, side)
    place = Anchored(("id",))
    within = [
        reach(actor, place, lambda _name: Organization.id, scope, every=False)
        for scope in sorted(granted)
    ]
    inside = true() if actor.system else or_(false(), *within)
    listed = select(*(getattr(Organization, name) for name in columns))
    listed = listed.where(Organization.kind.in_(_KINDS[side]), inside)
    return listed if columns == ("id",) else listed.order_by(Organization.name, Organization.id)


def kept(roles: frozenset[Role], side: Side) -> frozenset[Scope]:
    """Return the scopes within which people with these roles keep count of a side."""
    return scopes(roles, KEPT[side], Action.READ) & WHOLE


def sides(roles: frozenset[Role]) -> list[Side]:
    """Return the sides that people with these roles keep count of."""
    return [side for side in Side if kept(roles, side)]


def anchor(model: type[Any], side: Side) -> Any:
    """Return the column of a record type that holds the organisation of a side."""
    return getattr(model, _ANCHORS[model][side])


@dataclass(frozen=True)
class Source:
    """Rows that sums are taken over: ``sums`` are aggregates by name, ``key`` the organisation.

    ``ties``: (what is joined, how, whether rows without it stay).
    """

    key: Any
    base: Any
    sums: dict[str, ColumnElement[Any]]
    tests: tuple[ColumnElement[bool], ...] = ()
    ties: tuple[tuple[Any, ColumnElement[bool], bool], ...] = field(default=())

    def whole(self, among: Among) -> Select[Any]:
        """Return the sums over all these organisations' rows, as one row."""
        return self._select(among)

    def grouped(self, among: Among) -> Select[Any]:
        """Return the sums of each of these organisations, its id first."""
        return self.split(among, self.key)

    def split(self, among: Among, *columns: Any) -> Select[Any]:
        """Return the sums over these organisations' rows for each value of some columns."""
        return self._select(among, *columns).group_by(*columns)

    def _select(self, among: Among, *columns: Any) -> Select[Any]:
        named = [each.label(name) for name, each in self.sums.items()]
        statement = select(*columns, *named).select_from(self.base)
        for target, condition, outer in self.ties:
            statement = statement.join(target, condition, isouter=outer)
        return statement.where(self.key.in_(among), *self.tests)


def all_of(side: Side, first: dt.date, last: dt.date) -> list[Source]:
    """Return every source of a side over the days from ``first`` to ``last``, both included."""
    return [
        agreements(side),
        resources(side),
        resources_used(side, first, last),
        needs(side, first, last),
        services(side, first, last),
        sessions(side, first, last),
        activities(side, first, last),
    ]


def agreements(side: Side) -> Source:
    """Agreements in force."""
    return Source(
        anchor(Agreement, side),
        Agreement,
        {"agreements": func.count(Agreement.id)},
        (Agreement.status == AgreementStatus.IN_FORCE,),
    )


def resources(side: Side) -> Source:
    """Resources on offer: a unit's own; a community's from its partners, unless kept for others."""
    offered = Resource.status == ResourceStatus.AVAILABLE
    if side is Side.UNIT:
        return Source(
            Resource.owner_id, Resource, {"resources": func.count(Resource.id)}, (offered,)
        )
    ours = ResourceOffer.organization_id == Agreement.community_id
    return Source(
        Agreement.community_id,
        Agreement,
        {"resources": func.count(Resource.id.distinct())},
        (
            Agreement.status == AgreementStatus.IN_FORCE,
            offered,
            or_(ResourceOffer.id.is_(None), ours),
        ),
        (
            (Resource, Resource.owner_id == Agreement.unit_id, False),
            (ResourceOffer, ResourceOffer.resource_id == Resource.id, True),
        ),
    )


def _begun(first: dt.date, last: dt.date) -> tuple[ColumnElement[bool], ...]:
    """Return which service projects count in a period: each in the one that it began in."""
    begun = func.coalesce(ServiceProject.actual_from, ServiceProject.planned_from)
    return ServiceProject.status.in_(TAKEN_UP), begun.between(first, last)


def resources_used(side: Side, first: dt.date, last: dt.date) -> Source:
    """Resources that services used."""
    return Source(
        anchor(ServiceProject, side),
        ServiceProject,
        {"resources_used": func.count(ServiceResource.resource_id.distinct())},
        _begun(first, last),
        ((ServiceResource, ServiceResource.service_id == ServiceProject.id, False),),
    )


def _times(test: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((test, 1), else_=0))


def needs(side: Side, first: dt.date, last: dt.date) -> Source:
    """Needs published, met, wished for and graded; a unit's are those that it claimed."""
    published = and_(Need.published_on.between(first, last), Need.status != NeedStatus.GATHERED)
    done = Need.done_on.between(first, last)
    return Source(
        anchor(Need, side),
        Need,
        {
            "needs": func.count(Need.id),
            "published": _times(published),
            "met": _times(and_(done, Need.status.in_(MET))),
            "wishes": _times(and_(Need.is_wish, Need.claimed_on.between(first, last))),
            "graded": _times(and_(done, Need.grade.is_not(None))),
            "good": _times(and_(done, Need.grade.in_(GOOD))),
        },
    )


def services(side: Side, first: dt.date, last: dt.date) -> Source:
    """Service projects with their funds, the people they served, and their grades."""
    came = (
        select(
            ServiceSession.service_id.label("service_id"),
            func.sum(ServiceSession.attended).label("attended"),
        )
        .group_by(ServiceSession.service_id)
        .subquery()
    )
    served = func.coalesce(ServiceProject.people_served, came.c.attended, 0)
    return Source(
        anchor(ServiceProject, side),
        ServiceProject,
        {
            "services": func.count(ServiceProject.id),
            "people": func.sum(served),
            "funds": func.sum(ServiceProject.funds),
            "graded": _times(ServiceProject.grade.is_not(None)),
            "good": _times(ServiceProject.grade.in_(GOOD)),
        },
        _begun(first, last),
        ((came, came.c.service_id == ServiceProject.id, True),),
    )


def sessions(side: Side, first: dt.date, last: dt.date, spans: Spans = ()) -> Source:
    """Sessions that were held, and how many minutes they lasted; of each span as ``minutes0``, …"""
    begins, ends = ServiceSession.starts_at, ServiceSession.ends_at
    hours = extract("hour", ends) - extract("hour", begins)
    minutes = hours * 60 + extract("minute", ends) - extract("minute", begins)
    return Source(
        anchor(ServiceProject, side),
        ServiceSession,
        {
            "sessions": func.count(ServiceSession.id),
            "minutes": func.sum(minutes),
            **_parts("minutes", minutes, ServiceSession.held_on, spans),
        },
        (ServiceSession.attended.is_not(None), ServiceSession.held_on.between(first, last)),
        ((ServiceProject, ServiceProject.id == ServiceSession.service_id, False),),
    )


def activities(side: Side, first: dt.date, last: dt.date, spans: Spans = ()) -> Source:
    """Hours that party members served; of each span as ``hours0``, ``hours1``, …"""
    hours, day = CheckInActivity.hours, CheckInActivity.held_on
    return Source(
        anchor(CheckIn, side),
        CheckInActivity,
        {"hours": func.sum(hours), **_parts("hours", hours, day, spans)},
        (day.between(first, last),),
        ((CheckIn, CheckIn.id == CheckInActivity.check_in_id, False),),
    )


def _parts(name: str, term: Any, day: Any, spans: Spans) -> dict[str, ColumnElement[Any]]:
    """Return the sums of a term over each span of days.

    In the same statement: to ask again for the months would walk all rows a second time, and to ask
    the database for every row's month costs more than to compare its day.
    """
    return {
        f"{name}{number}": func.sum(case((day.between(*span), term)))
        for number, span in enumerate(spans)
    }
