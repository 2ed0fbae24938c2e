"""The gate where two sides share: partners, offers, holders, and what either side may write."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.check_in import CheckIn
from models.need import Need
from models.organization import Organization
from models.resource import Resource, ResourceOffer
from models.service import ServiceProject, ServiceSession
from rules import workflow
from rules.actor import acting_as
from rules.errors import OutOfScope
from rules.policy import Action
from rules.scope import reachable
from tests.factories import ledgers as make
from tests.factories.world import World


def sees(world: World, account: str, model: type[Any]) -> set[str]:
    with acting_as(world.session, world.actor(account)):
        return {str(each) for each in world.session.scalars(select(model))}


def refused(world: World, account: str, write: Callable[[], object]) -> None:
    """Assert that a write is refused at the flush."""
    with acting_as(world.session, world.actor(account)), world.session.no_autoflush:
        write()
        with pytest.raises(OutOfScope):
            world.session.flush()
    world.session.rollback()


def granted(world: World, account: str, write: Callable[[], object]) -> None:
    with acting_as(world.session, world.actor(account)), world.session.no_autoflush:
        write()
        world.session.flush()


# Reading


def test_partners_see_each_others_rows_only_while_an_agreement_is_in_force(world: World) -> None:
    make.resource(world, "A-U1", "礼堂")
    make.need(world, "A11", "想有活动室")
    agreement = world.agreement("A11", "A-U1", "1号")
    assert sees(world, "community", Resource) == sees(world, "unit", Need) == set()
    make.stepped(world, agreement, "bring_into_force")
    assert sees(world, "community", Resource) == {"礼堂"}
    assert sees(world, "unit", Need) == {"想有活动室"}
    assert sees(world, "community2", Resource) == sees(world, "unit2", Need) == set()
    make.stepped(world, agreement, "terminate", note="单位迁走")
    assert sees(world, "community", Resource) == sees(world, "unit", Need) == set()


def test_a_draft_resource_and_a_gathered_need_are_their_owners_alone(one_world: World) -> None:
    make.in_force(one_world, "A11", "A-U1")
    make.resource(one_world, "A-U1", "礼堂", offer=False)
    make.need(one_world, "A11", "想有活动室", publish=False)
    assert sees(one_world, "community", Resource) == sees(one_world, "unit", Need) == set()
    assert sees(one_world, "unit", Resource) == {"礼堂"}
    assert sees(one_world, "community", Need) == {"想有活动室"}


def test_a_resource_for_one_community_is_not_shown_to_another_partner(one_world: World) -> None:
    make.in_force(one_world, "A11", "A-U1")
    make.in_force(one_world, "A12", "A-U1")
    make.resource(one_world, "A-U1", "礼堂", to="A12")
    make.resource(one_world, "A-U1", "操场")
    assert sees(one_world, "community", Resource) == {"操场"}
    assert sees(one_world, "community2", Resource) == {"礼堂", "操场"}
    assert sees(one_world, "township", Resource) == {"礼堂", "操场"}
    assert sees(one_world, "township2", Resource) == set()
    # Which communities it is offered to is as hidden as the resource.
    assert len(sees(one_world, "community", ResourceOffer)) == 0


def test_a_unit_keeps_what_it_holds_when_its_agreement_ends(one_world: World) -> None:
    agreement = make.in_force(one_world, "A11", "A-U1")
    mine, other = make.need(one_world, "A11", "想有活动室"), make.need(one_world, "A11", "想借轮椅")
    one_world.step(mine, "claim", "unit")
    make.stepped(one_world, agreement, "terminate", note="单位迁走")
    assert sees(one_world, "unit", Need) == {"想有活动室"}
    one_world.step(mine, "start", "unit")
    with pytest.raises(workflow.Forbidden):
        one_world.step(other, "claim", "unit")


def test_select_boxes_offer_oneself_and_ones_partners(one_world: World) -> None:
    make.in_force(one_world, "A11", "A-U1")
    choices = {}
    for account in ("community", "unit", "unit2"):
        actor = one_world.actor(account)
        inside = reachable(actor, "service_project", Organization.id, Action.READ)
        with acting_as(one_world.session, actor):
            found = one_world.session.scalars(select(Organization.code).where(inside))
            choices[account] = set(found)
    assert choices["community"] - {"A111"} == {"A11", "A-U1"}
    assert choices["unit"] == {"A-U1", "A11"}
    assert choices["unit2"] == {"A-U2"}


# Writing


def test_a_service_is_made_with_partners_only(world: World) -> None:
    make.in_force(world, "A11", "A-U1")
    world.session.commit()

    def made(unit: str, place: str) -> Callable[[], None]:
        service = ServiceProject(
            title="义诊",
            provider=world.place(unit),
            community=world.place(place),
            planned_from=make.today(),
            planned_until=make.days(3),
        )
        return lambda: world.session.add(service)

    refused(world, "unit", made("A-U1", "A12"))
    refused(world, "unit", made("A-U2", "A11"))
    refused(world, "unit2", made("A-U2", "A11"))
    refused(world, "community", made("A-U2", "A11"))
    refused(world, "community", made("A-U1", "A12"))
    refused(world, "party", made("B-U1", "A11"))
    refused(world, "leader", made("A-U1", "A11"))
    granted(world, "unit", made("A-U1", "A11"))
    world.session.rollback()
    granted(world, "community", made("A-U1", "A11"))
    world.session.rollback()
    # The organisation department binds whom it likes, in its county.
    granted(world, "party", made("A-U2", "A12"))


def test_either_side_keeps_a_service_up_and_nobody_moves_it(world: World) -> None:
    agreement = make.in_force(world, "A11", "A-U1")
    make.in_force(world, "A12", "A-U1")
    service = make.service(world, "A-U1", "A11")
    world.session.commit()

    def set_to(**values: Any) -> Callable[[], None]:
        def write() -> None:
            for name, value in values.items():
                setattr(service, name, value)

        return write

    # Where an agreement binds, a side may make one there, and so move one there.
    granted(world, "unit", set_to(community=world.place("A12")))
    world.session.rollback()
    refused(world, "unit", set_to(community=world.place("A21")))
    refused(world, "unit", set_to(community_id=world.place("B11").id))
    refused(world, "unit", set_to(provider=world.place("A-U2")))
    refused(world, "community", set_to(community=world.place("A12")))
    refused(world, "unit2", set_to(content="改"))
    make.stepped(world, agreement, "terminate", note="单位迁走")
    world.session.commit()
    for account in ("unit", "community"):
        granted(world, account, set_to(content=f"由{account}改"))
    row = ServiceSession(
        service_id=service.id,
        held_on=make.today(),
        starts_at=dt.time(14),
        ends_at=dt.time(16),
        place="活动室",
    )
    granted(world, "unit", lambda: world.session.add(row))


def test_a_unit_writes_its_own_resources_and_no_need(one_world: World) -> None:
    make.in_force(one_world, "A11", "A-U1")
    need = make.need(one_world, "A11")
    resource = make.resource(one_world, "A-U2", "设备")
    one_world.session.commit()

    def named(record: Any, name: str) -> Callable[[], None]:
        return lambda: setattr(record, name, "改")

    refused(one_world, "unit", named(resource, "name"))
    granted(one_world, "unit2", named(resource, "name"))
    one_world.session.rollback()
    new = Need(community=one_world.place("A11"), title="新", category=need.category)
    refused(one_world, "unit", lambda: one_world.session.add(new))
    stranger = CheckIn(member="李", unit=one_world.place("A-U1"), community=one_world.place("A12"))
    refused(one_world, "unit", lambda: one_world.session.add(stranger))


def test_a_need_is_not_moved_by_whom_it_is_shared_with(
    one_world: World, one_session: Session
) -> None:
    make.in_force(one_world, "A11", "A-U1")
    make.in_force(one_world, "A12", "A-U1")
    need = make.need(one_world, "A11")
    one_session.commit()
    refused(one_world, "unit", lambda: setattr(need, "community", one_world.place("A12")))
