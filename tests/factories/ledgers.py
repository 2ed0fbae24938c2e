"""Agreements in force, resources, needs, services and check-ins of the seeded world (domain 4)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from models.agreement import Agreement
from models.base import utcnow
from models.check_in import CheckIn, CheckInActivity
from models.need import Need
from models.resource import Category, Resource, ResourceOffer
from models.service import ServiceNeed, ServiceProject, ServiceResource, ServiceSession
from rules import workflow
from rules.actor import SYSTEM, acting_as
from rules.calendar import shanghai_date
from tests.factories.world import World


def today() -> dt.date:
    """Return today in Shanghai."""
    return shanghai_date(utcnow())


def days(number: int) -> dt.date:
    """Return the day that many days from today."""
    return today() + dt.timedelta(days=number)


def made(world: World, record: Any) -> Any:
    """Return a record, flushed under the system's name and begun."""
    with acting_as(world.session, SYSTEM):
        world.session.add(record)
        world.session.flush()
        if workflow.workflow_of(type(record)):
            workflow.begin(world.session, record, SYSTEM)
            world.session.flush()
    return record


def stepped(world: World, record: Any, *actions: str, **data: Any) -> Any:
    """Take steps under the system's name."""
    with acting_as(world.session, SYSTEM):
        for action in actions:
            workflow.apply(world.session, record, action, SYSTEM, data)
        world.session.flush()
    return record


def in_force(world: World, community: str, unit: str, number: str = "") -> Agreement:
    """Return an agreement in force between a community and a unit."""
    agreement = world.agreement(community, unit, number or f"{community}-{unit}")
    found: Agreement = stepped(world, agreement, "bring_into_force")
    return found


def resource(
    world: World,
    owner: str,
    name: str = "会议室",
    *,
    offer: bool = True,
    to: str = "",
    **values: Any,
) -> Resource:
    """Return a resource of a unit; ``to`` names communities that alone it is offered to."""
    found: Resource = made(
        world,
        Resource(
            owner=world.place(owner),
            name=name,
            category=values.pop("category", Category.VENUE),
            offers=[ResourceOffer(organization=world.place(code)) for code in to.split()],
            **values,
        ),
    )
    return stepped(world, found, "offer") if offer else found


def need(
    world: World, place: str, title: str = "想有个活动室", *, publish: bool = True, **values: Any
) -> Need:
    """Return a need of a community, published unless told otherwise."""
    category = values.pop("category", Category.VENUE)
    record = Need(community=world.place(place), title=title, category=category, **values)
    found: Need = made(world, record)
    return stepped(world, found, "publish") if publish else found


def check_in(
    world: World,
    unit: str,
    place: str,
    member: str = "张党员",
    *,
    confirm: bool = True,
    **values: Any,
) -> CheckIn:
    """Return a party member's check-in, confirmed unless told otherwise."""
    record = CheckIn(member=member, unit=world.place(unit), community=world.place(place), **values)
    found: CheckIn = made(world, record)
    return stepped(world, found, "confirm") if confirm else found


def activity(world: World, member: CheckIn, hours: float = 2, ago: int = 1) -> CheckInActivity:
    """Return an activity of a party member."""
    row = CheckInActivity(check_in=member, held_on=days(-ago), hours=hours, content="助老")
    found: CheckInActivity = made(world, row)
    return found


def service(
    world: World,
    provider: str,
    place: str,
    title: str = "活动室开放",
    *,
    needs: list[Need] | None = None,
    resources: list[Resource] | None = None,
    **values: Any,
) -> ServiceProject:
    """Return a planned service project; its needs keep their states."""
    record = ServiceProject(
        title=title,
        provider=world.place(provider),
        community=world.place(place),
        planned_from=values.pop("planned_from", today()),
        planned_until=values.pop("planned_until", days(30)),
        need_links=[ServiceNeed(need=each) for each in needs or []],
        resource_links=[ServiceResource(resource=each) for each in resources or []],
        **values,
    )
    found: ServiceProject = made(world, record)
    return found


def session_of(
    world: World, project: ServiceProject, ago: int = 1, attended: int | None = 10
) -> ServiceSession:
    """Return a session of a service, two hours in the afternoon."""
    row = ServiceSession(
        service=project,
        held_on=days(-ago),
        starts_at=dt.time(14),
        ends_at=dt.time(16),
        place="活动室",
        attended=attended,
    )
    found: ServiceSession = made(world, row)
    return found
