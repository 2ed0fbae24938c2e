"""Random records around the world's places, and the figures computed slowly and obviously."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from models.agreement import Agreement, AgreementKind, AgreementStatus
from models.base import utcnow
from models.check_in import CheckIn, CheckInActivity, CheckInStatus
from models.grade import Grade
from models.need import Need, NeedStatus
from models.resource import Category, Resource, ResourceOffer, ResourceStatus
from models.service import (
    ServiceNeed,
    ServiceProject,
    ServiceResource,
    ServiceSession,
    ServiceStatus,
)
from reports.numbers import Period, Value
from reports.sums import Side
from rules.scope import reviewed
from tests.factories.world import World

COMMUNITIES = ["A11", "A12", "A21", "B11"]
UNITS = ["A-U1", "A-U2", "A-D1", "A1-PCS", "A-CSB", "B-U1", "B-D1"]
FIRST = dt.date(2025, 10, 1)
PERIOD = Period(dt.date(2026, 1, 1), dt.date(2026, 6, 30))
TABLES: list[type[Any]] = [
    Agreement, Resource, ResourceOffer, Need, ServiceProject, ServiceNeed, ServiceResource,
    ServiceSession, CheckIn, CheckInActivity,
]  # fmt: skip


class Maker:
    """Writes random records, in states and on days of every kind, also some that no step leads to."""

    def __init__(self, world: World, seed: int) -> None:
        self.session, self.rng = world.session, random.Random(seed)
        self.communities = [world.place(code).id for code in COMMUNITIES]
        self.units = [world.place(code).id for code in UNITS]
        self.last: dict[type[Any], int] = {}

    def make(self, number: int) -> None:
        """Write ``number`` records of each kind, and twice as many needs and members."""
        for _turn in range(number):
            self.agreement()
            self.resource()
            for _twice in range(2):
                self.need()
                self.check_in()
            self.service()

    def next(self, model: type[Any]) -> int:
        """Return the number that the next record of a type gets."""
        return self.last.get(model, 0) + 1

    def add(self, model: type[Any], **values: Any) -> int:
        """Insert a row past the workflow, and return its id."""
        self.last[model] = self.next(model)
        row = {"id": self.last[model], "created_at": utcnow(), "updated_at": utcnow(), "version": 1}
        statement = insert(model.__table__).values(row | values)
        self.session.execute(statement, execution_options=reviewed("random rows of a test"))
        return self.last[model]

    def day(self) -> dt.date:
        return FIRST + dt.timedelta(days=self.rng.randrange(365))

    def maybe(self, make: Callable[[], Any]) -> Any:
        return make() if self.rng.random() < 0.7 else None

    def agreement(self) -> None:
        unit, community = self.rng.choice(self.units), self.rng.choice(self.communities)
        taken = self.session.scalar(
            select(Agreement.id).where(
                Agreement.unit_id == unit,
                Agreement.community_id == community,
                Agreement.status == AgreementStatus.IN_FORCE,
            )
        )
        states = [each for each in AgreementStatus if not taken or each.value != "in_force"]
        self.add(
            Agreement,
            number=f"协议{self.next(Agreement)}",
            community_id=community,
            unit_id=unit,
            kind=self.rng.choice(list(AgreementKind)),
            status=self.rng.choice([*states, *states[1:2] * 3]),
            valid_from=FIRST,
            valid_until=self.day() + dt.timedelta(days=200),
        )

    def resource(self) -> None:
        number = self.add(
            Resource,
            owner_id=self.rng.choice(self.units),
            name=f"资源{self.next(Resource)}",
            category=self.rng.choice(list(Category)),
            status=self.rng.choice([*ResourceStatus, ResourceStatus.AVAILABLE]),
            quantity=1,
        )
        for community in self.rng.sample(self.communities, self.rng.choice((0, 0, 1, 2))):
            self.add(ResourceOffer, resource_id=number, organization_id=community)

    def need(self) -> None:
        status = self.rng.choice(list(NeedStatus))
        self.add(
            Need,
            community_id=self.rng.choice(self.communities),
            title=f"需求{self.next(Need)}",
            category=self.rng.choice(list(Category)),
            is_wish=self.rng.random() < 0.5,
            urgency="normal",
            source="visit",
            status=status,
            published_on=self.maybe(self.day),
            claimed_by_id=self.maybe(lambda: self.rng.choice(self.units)),
            claimed_on=self.maybe(self.day),
            done_on=self.maybe(self.day),
            grade=self.maybe(lambda: self.rng.choice(list(Grade))),
        )

    def service(self) -> None:
        number = self.add(
            ServiceProject,
            title=f"服务{self.next(ServiceProject)}",
            category=self.rng.choice(list(Category)),
            provider_id=self.rng.choice(self.units),
            community_id=self.rng.choice(self.communities),
            status=self.rng.choice(list(ServiceStatus)),
            planned_from=self.day(),
            planned_until=self.day(),
            actual_from=self.maybe(self.day),
            funds=self.maybe(lambda: Decimal(self.rng.randrange(10**6)) / 100),
            people_served=self.rng.choice((None, 0, 7, 120)),
            grade=self.maybe(lambda: self.rng.choice(list(Grade))),
        )
        there = range(1, self.next(Resource))
        for used in self.rng.sample(there, min(len(there), self.rng.randrange(3))):
            self.add(ServiceResource, service_id=number, resource_id=used)
        for _each in range(self.rng.randrange(4)):
            start = self.rng.randrange(8, 18)
            self.add(
                ServiceSession,
                service_id=number,
                held_on=self.day(),
                starts_at=dt.time(start, self.rng.choice((0, 15, 45))),
                ends_at=dt.time(start + self.rng.randint(1, 4), self.rng.choice((0, 10, 30))),
                place="活动室",
                attended=self.rng.choice((None, 0, 5, 40)),
            )

    def check_in(self) -> None:
        number = self.add(
            CheckIn,
            member=f"党员{self.next(CheckIn)}",
            unit_id=self.rng.choice(self.units),
            community_id=self.rng.choice(self.communities),
            status=self.rng.choice(list(CheckInStatus)),
        )
        for _each in range(self.rng.randrange(4)):
            hours = Decimal(self.rng.randrange(1, 80)) / 10
            self.add(
                CheckInActivity, check_in_id=number, held_on=self.day(), hours=hours, content="服务"
            )


@dataclass
class Oracle:
    """All records in memory. ``sees`` tells whether the reader's gate lets a record through."""

    rows: dict[type[Any], list[Any]]
    sees: Callable[[Any], bool]

    @classmethod
    def of(cls, session: Session, sees: Callable[[Any], bool]) -> Oracle:
        """Read every table; the session must act for the system."""
        return cls({model: list(session.scalars(select(model))) for model in TABLES}, sees)

    def all(self, model: type[Any]) -> list[Any]:
        """Return the records of a type that the reader sees."""
        return [each for each in self.rows[model] if self.sees(each)]

    def figures(self, side: Side, places: set[int]) -> dict[str, Value]:
        """Return the figures of some places taken together, one condition after the other."""
        unit = side is Side.UNIT
        needs = [
            n for n in self.all(Need) if (n.claimed_by_id if unit else n.community_id) in places
        ]
        services = [
            s
            for s in self.all(ServiceProject)
            if (s.provider_id if unit else s.community_id) in places
        ]
        members = [
            c for c in self.all(CheckIn) if (c.unit_id if unit else c.community_id) in places
        ]
        agreements = [
            a
            for a in self.all(Agreement)
            if a.status.value == "in_force" and (a.unit_id if unit else a.community_id) in places
        ]
        begun = [s for s in services if self.counts(s)]
        held = self.held(services)
        graded = [n.grade for n in needs if within(n.done_on) and n.grade]
        graded += [s.grade for s in begun if s.grade]
        good = [grade for grade in graded if grade.value in ("very_satisfied", "satisfied")]
        result: dict[str, Value] = {
            "agreements": len(agreements),
            "resources": len(self.resources(unit, places, agreements)),
            "resources_used": len(self.used(begun)),
            "services": len(begun),
            "sessions": len(held),
            "hours": self.hours(members, held),
            "people": sum(self.people(s) for s in begun),
            "funds": sum((s.funds or Decimal(0) for s in begun), Decimal(0)),
            "satisfaction": Decimal(len(good)) / len(graded) if graded else None,
        }
        return result | self.asked(needs, unit)

    @staticmethod
    def asked(needs: list[Need], unit: bool) -> dict[str, Value]:
        """Return the figures of needs; a unit has published none."""
        states = [(n.status.value, n) for n in needs]
        published = sum(within(n.published_on) and state != "gathered" for state, n in states)
        met = sum(within(n.done_on) and state in ("done", "rated") for state, n in states)
        wishes = sum(n.is_wish and within(n.claimed_on) for n in needs)
        found: dict[str, Value] = {"needs_met": met, "wishes": wishes}
        return found if unit else found | {"needs_published": published}

    def held(self, services: list[ServiceProject]) -> list[ServiceSession]:
        """Return the sessions of some projects that were held in the period."""
        ids = {each.id for each in services}
        return [
            each
            for each in self.rows[ServiceSession]
            if each.service_id in ids and each.attended is not None and within(each.held_on)
        ]

    def used(self, services: list[ServiceProject]) -> set[int]:
        """Return the resources that some projects used."""
        ids = {each.id for each in services}
        return {link.resource_id for link in self.rows[ServiceResource] if link.service_id in ids}

    def resources(self, unit: bool, places: set[int], agreements: Iterable[Agreement]) -> set[int]:
        """Return the resources on offer: the units' own, or what partners offer the communities."""
        offered = [r for r in self.all(Resource) if r.status.value == "available"]
        if unit:
            return {r.id for r in offered if r.owner_id in places}
        found = set()
        for agreement in agreements:
            for resource in offered:
                if resource.owner_id == agreement.unit_id:
                    kept_for = [
                        o.organization_id
                        for o in self.rows[ResourceOffer]
                        if o.resource_id == resource.id
                    ]
                    if not kept_for or agreement.community_id in kept_for:
                        found.add(resource.id)
        return found

    @staticmethod
    def counts(service: ServiceProject) -> bool:
        """Tell whether a project was taken up and began in the period."""
        taken = service.status.value in ("under_way", "completed", "rated")
        return taken and within(service.actual_from or service.planned_from)

    def people(self, service: ServiceProject) -> int:
        """Return how many people a project served."""
        if service.people_served is not None:
            return service.people_served
        held = [each for each in self.rows[ServiceSession] if each.service_id == service.id]
        return sum(each.attended or 0 for each in held)

    def hours(self, members: list[CheckIn], held: list[ServiceSession]) -> Decimal:
        """Return the hours of members' activities and of sessions, to a tenth."""
        ids = {each.id for each in members}
        worked = sum(
            (
                each.hours
                for each in self.rows[CheckInActivity]
                if each.check_in_id in ids and within(each.held_on)
            ),
            Decimal(0),
        )
        day = dt.date(2026, 1, 1)
        for each in held:
            length = dt.datetime.combine(day, each.ends_at) - dt.datetime.combine(
                day, each.starts_at
            )
            worked += Decimal(int(length.total_seconds())) / 3600
        return worked.quantize(Decimal("0.1"), ROUND_HALF_UP)


def within(day: dt.date | None) -> bool:
    """Tell whether a day lies in the test's period."""
    return day is not None and PERIOD.first <= day <= PERIOD.last
