"""Versions of duty lists with items written out, drafts and published."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models.duty import DutyItem, DutyItemDepartment, DutyList, DutyListType
from models.organization import Organization, OrganizationKind
from rules import workflow
from rules.actor import SYSTEM, acting_as
from rules.duty_lists import next_version
from tests.factories.world import World

#: A name, or a name with what else the item says: ``departments`` are codes, the first leads.
Said = str | tuple[str, dict[str, Any]]


def township(world: World, code: str, name: str, county: str = "A") -> Organization:
    """Return a new township of a county."""
    place = Organization(
        code=code, name=name, kind=OrganizationKind.TOWNSHIP, parent=world.place(county)
    )
    with acting_as(world.session, SYSTEM):
        world.session.add(place)
        world.session.flush()
    return place


def draft(world: World, place: str, kind: DutyListType, items: Sequence[Said]) -> DutyList:
    """Return a draft of a place's next version of a list with these items."""
    session, owner = world.session, world.place(place)
    with acting_as(session, SYSTEM):
        made = DutyList(
            organization=owner, list_type=kind, number=next_version(session, owner, kind)
        )
        for number, said in enumerate(items, 1):
            name, more = (said, {}) if isinstance(said, str) else said
            values = {"serial": str(number), "category": "类别", **more}
            codes = values.pop("departments", ())
            item = DutyItem(position=number, name=name, **values)
            item.departments = [
                DutyItemDepartment(organization=world.place(code), position=at)
                for at, code in enumerate(codes)
            ]
            made.items.append(item)
        made.item_count = len(items)
        session.add(made)
        session.flush()
        workflow.begin(session, made, SYSTEM)
        session.flush()
    return made


def published(world: World, place: str, kind: DutyListType, items: Sequence[Said]) -> DutyList:
    """Return such a version in force; the last of its list is superseded."""
    made = draft(world, place, kind, items)
    publish(world, made)
    return made


def publish(world: World, version: DutyList) -> None:
    """Put a draft in force."""
    with acting_as(world.session, SYSTEM):
        workflow.apply(world.session, version, "publish", SYSTEM)
        world.session.flush()
