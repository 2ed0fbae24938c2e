"""Needs and resources that fit, agreements that bind, and services that take the time."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select

from models.agreement import Agreement
from models.need import Need
from models.organization import Organization, OrganizationKind
from models.resource import Category, Resource, ResourceOffer
from models.service import ServiceNeed, ServiceProject, ServiceResource
from rules import workflow
from rules.actor import SYSTEM, acting_as
from tests.factories.world import World

TODAY = dt.date(2026, 6, 1)


def day(number: int) -> dt.date:
    """Return the day so many days after ``TODAY``."""
    return TODAY + dt.timedelta(days=number)


class Pairs:
    """Makes what matching looks at, under the system's name."""

    def __init__(self, world: World) -> None:
        self.world, self.session = world, world.session

    def begun(self, record: Any, *steps: str, **data: Any) -> Any:
        """Add a record, write its first event and take some steps with it."""
        with acting_as(self.session, SYSTEM):
            self.session.add(record)
            self.session.flush()
            workflow.begin(self.session, record, SYSTEM)
            for action in steps:
                workflow.apply(self.session, record, action, SYSTEM, data)
            self.session.flush()
        return record

    def unit(self, code: str, name: str, parent: str) -> Organization:
        """Return a new unit below a place."""
        unit = Organization(
            code=code, name=name, kind=OrganizationKind.UNIT, parent=self.world.place(parent)
        )
        with acting_as(self.session, SYSTEM):
            self.session.add(unit)
            self.session.flush()
        return unit

    def bond(self, community: str, unit: str, number: str = "") -> Agreement:
        """Return an agreement in force."""
        agreement = self.world.agreement(community, unit, number or f"协-{community}-{unit}")
        with acting_as(self.session, SYSTEM):
            workflow.apply(self.session, agreement, "bring_into_force", SYSTEM)
            self.session.flush()
        return agreement

    def need(self, place: str = "A11", title: str = "放学后托管", **values: Any) -> Need:
        """Return a published need; ``gathered=True`` leaves it unpublished."""
        steps = () if values.pop("gathered", False) else ("publish",)
        values.setdefault("category", Category.VENUE)
        need = Need(community=self.world.place(place), title=title, **values)
        return self.begun(need, *steps)

    def resource(self, owner: str = "A-U1", name: str = "会议室", **values: Any) -> Resource:
        """Return a resource on offer; ``draft=True`` leaves it a draft, ``to`` are communities."""
        steps = () if values.pop("draft", False) else ("offer",)
        offers = [
            ResourceOffer(organization=self.world.place(code)) for code in values.pop("to", ())
        ]
        values.setdefault("category", Category.VENUE)
        resource = Resource(owner=self.world.place(owner), name=name, offers=offers, **values)
        return self.begun(resource, *steps)

    def service(
        self,
        resource: Resource,
        place: str,
        title: str,
        days: tuple[int, int],
        *,
        need: Need | None = None,
        steps: tuple[str, ...] = (),
    ) -> ServiceProject:
        """Return a project that uses a resource from one day to another, counted from ``TODAY``."""
        service = ServiceProject(
            title=title,
            provider=resource.owner,
            community=self.world.place(place),
            planned_from=day(days[0]),
            planned_until=day(days[1]),
            resource_links=[ServiceResource(resource=resource)],
            need_links=[ServiceNeed(need=need)] if need else [],
        )
        return self.begun(service, *steps, note="取消")

    def all_of(self, model: type[Any]) -> list[Any]:
        """Return all rows of a type."""
        with acting_as(self.session, SYSTEM):
            return list(self.session.scalars(select(model).order_by(model.id)))
