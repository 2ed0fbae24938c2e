"""Facts of tickets written down by hand, for rules that count them."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

from sqlalchemy import delete

from models.base import utcnow
from models.measure import FactMark, TicketFact
from models.organization import OrganizationKind as K
from models.ticket import Channel, Nature, Theme, Ticket, TicketStatus
from rules.actor import SYSTEM, acting_as
from rules.calendar import shanghai_date
from tests.factories.world import World

LIGHTS = "路灯安装与维修"
_numbers = itertools.count(1)


def today() -> dt.date:
    """Return today in Shanghai."""
    return shanghai_date(utcnow())


def fact(
    world: World,
    ticket: Ticket,
    day: dt.date | None = None,
    place: str | None = None,
    **more: Any,
) -> TicketFact:
    """Return a flushed fact of a ticket as ``reports.facts`` would derive it, of any day and place."""
    day = day or today()
    with acting_as(world.session, SYSTEM):
        raiser = world.place(place) if place else ticket.organization
        line = {each.ancestor.kind: each.ancestor_id for each in raiser.lines}
        values: dict[str, Any] = {
            "position": 0,
            "current": True,
            "department_id": world.place("A-D1").id,
            "channel": Channel.VISIT,
            "matter": LIGHTS,
            "status": TicketStatus.DISPATCHED,
            "reopened": False,
        } | more
        made = TicketFact(
            ticket_id=ticket.id,
            organization_id=raiser.id,
            community_id=line.get(K.COMMUNITY),
            township_id=line.get(K.TOWNSHIP),
            county_id=line.get(K.COUNTY),
            whistle_class_id=ticket.whistle_class_id,
            class_name="平哨",
            theme=Theme.LIVELIHOOD,
            nature=Nature.PUBLIC,
            emergency=False,
            day=day,
            month=day.year * 100 + day.month,
            dispatched=True,
            closed=False,
            returned=False,
            ticket_returned=False,
            grades=0,
            satisfied=0,
            **values,
        )
        world.session.add(made)
        world.session.flush()
        # Else a page would derive the ticket's own facts in place of these.
        world.session.execute(delete(FactMark))
    return made


def facts(world: World, days: list[dt.date], place: str = "A11", **more: Any) -> list[int]:
    """Make a raised ticket of a place for each day with its fact, and return the tickets' ids."""
    ids: list[int] = []
    for day in days:
        ticket = world.draft(place, number=f"{place}-{day}-{next(_numbers)}")
        fact(world, ticket, day, **more)
        ids.append(ticket.id)
    return ids
