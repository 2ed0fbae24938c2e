"""The life of duty lists: every state × step × account, and what publishing does to versions."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.duty import DutyItem, DutyList, DutyListType
from models.duty import DutyListStatus as S
from models.ticket import TicketStatus
from rules import ledger, workflow
from rules.actor import SYSTEM, acting_as
from rules.duty_lists import next_version, publish, recount, set_departments
from rules.errors import Conflict, Forbidden, OutOfScope, Refused
from rules.workflows.duty_lists import DUTY_LISTS
from tests.factories.roads import brought_to
from tests.factories.world import ACCOUNTS, World

T = DutyListType
#: Who may publish a draft of A1; nobody may take any other step on any version.
PUBLISHERS = {"duty", "township", "admin"}
ACTIONS = ("publish", "supersede")


def version(world: World, place: str = "A1", kind: T = T.COORDINATING, items: int = 1) -> DutyList:
    """Return a draft of a place's next version with so many items."""
    session, owner = world.session, world.place(place)
    with acting_as(session, SYSTEM):
        found = DutyList(
            organization=owner, list_type=kind, number=next_version(session, owner, kind)
        )
        found.items = [DutyItem(position=n, name=f"事项{n}") for n in range(1, items + 1)]
        session.add(found)
        recount(session, found)
        workflow.begin(session, found, SYSTEM)
        session.flush()
    return found


def in_state(world: World, status: S) -> DutyList:
    """Return a version of A1 in that state, by the workflow alone."""
    found = version(world)
    if status is not S.DRAFT:
        world.step(found, "publish", "duty")
    if status is S.SUPERSEDED:
        world.step(version(world), "publish", "township")
    assert found.status is status
    return found


def test_the_table_knows_the_same_steps() -> None:
    assert {step.action for step in DUTY_LISTS.steps} == set(ACTIONS)


@pytest.mark.parametrize("status", list(S))
def test_every_step_by_every_account(one_session: Session, one_world: World, status: S) -> None:
    found = in_state(one_world, status)
    one_session.commit()
    steps = len(ledger.events_of(one_session, found))
    for account in ACCOUNTS:
        actor = one_world.actor(account)
        for action in ACTIONS:
            allowed = action == "publish" and status is S.DRAFT and account in PUBLISHERS
            with one_session.begin_nested() as savepoint, acting_as(one_session, actor):
                if allowed:
                    workflow.apply(one_session, found, action, actor)
                    assert found.status is S.PUBLISHED
                    assert len(ledger.events_of(one_session, found)) == steps + 1
                else:
                    with pytest.raises(Refused) as refusal:
                        workflow.apply(one_session, found, action, actor)
                    may = action == "publish" and account in PUBLISHERS
                    assert type(refusal.value) is (Conflict if may else Forbidden)
                savepoint.rollback()
            one_session.expire_all()
            assert found.status is status


def test_publishing_supersedes_the_last_version_of_that_list_alone(
    session: Session, world: World
) -> None:
    now = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    published = select(DutyList).where(DutyList.status == S.PUBLISHED)
    before = {(each.organization_id, each.list_type): each for each in session.scalars(published)}
    place = world.place("A1").id
    old, new = before[place, T.COORDINATING], version(world)
    world.step(new, "publish", "duty", now=now)
    session.commit()
    assert (old.status, new.status, new.number) == (S.SUPERSEDED, S.PUBLISHED, 2)
    assert new.published_at == now
    after = {(each.organization_id, each.list_type): each for each in session.scalars(published)}
    assert after == before | {(place, T.COORDINATING): new}
    last = ledger.events_of(session, old)[-1]
    assert (last.action, last.actor_name, last.at) == ("supersede", "duty", now)
    assert ledger.events_of(session, new)[-1].data == {"supersedes": old.id}
    for each in (old, new):
        assert ledger.faults(ledger.events_of(session, each)) == []


def test_a_places_first_version_supersedes_nothing(one_session: Session, one_world: World) -> None:
    first = version(one_world, "A", T.CATALOGUE)
    one_world.step(first, "publish", "duty")
    assert (first.status, first.number) == (S.PUBLISHED, 1)
    assert ledger.events_of(one_session, first)[-1].data == {}


def test_an_empty_version_is_not_published(one_world: World) -> None:
    empty = version(one_world, items=0)
    with pytest.raises(Conflict, match="清单里还没有事项，不能发布"):
        one_world.step(empty, "publish", "duty")
    assert empty.status is S.DRAFT


@pytest.mark.parametrize(("account", "place"), [("township", "A"), ("township", "A2")])
def test_a_township_publishes_its_own_lists_only(
    one_world: World, account: str, place: str
) -> None:
    """It reads its county's catalogue too, but the county's officer publishes that."""
    found = version(one_world, place, T.CATALOGUE if place == "A" else T.BASIC)
    with pytest.raises(Forbidden):
        one_world.step(found, "publish", account)
    assert found.status is S.DRAFT


def test_another_countys_list_is_out_of_an_officers_reach(session: Session, world: World) -> None:
    foreign = version(world, "B1")
    session.commit()
    with pytest.raises(OutOfScope):
        world.step(foreign, "publish", "duty")
    session.rollback()
    assert foreign.status is S.DRAFT


def test_tickets_keep_pointing_at_the_version_they_were_raised_under(
    one_session: Session, one_world: World
) -> None:
    item = one_world.item("路灯安装与维修")
    ticket = brought_to(one_world, TicketStatus.PENDING_REVIEW, duty_item=item)
    one_world.step(version(one_world), "publish", "duty")
    one_session.commit()
    assert item.duty_list.status is S.SUPERSEDED
    assert ticket.duty_item is item
    one_world.reviewed(ticket)
    one_world.step(ticket, "dispatch", "office", lead=one_world.place("A-D1").id)
    assert ticket.status is TicketStatus.DISPATCHED


def test_publishing_all_drafts_of_a_place(one_session: Session, one_world: World) -> None:
    drafts = [version(one_world, kind=T.BASIC), version(one_world, kind=T.RECLAIMED)]
    elsewhere = version(one_world, "A2", T.BASIC)
    with acting_as(one_session, one_world.actor("township")):
        done = publish(one_session, one_world.place("A1"), one_world.actor("township"))
    assert done == drafts
    assert {each.status for each in drafts} == {S.PUBLISHED}
    assert elsewhere.status is S.DRAFT
    assert publish(one_session, one_world.place("A1"), SYSTEM) == []


def test_publishing_one_type_leaves_the_others(one_session: Session, one_world: World) -> None:
    basic, reclaimed = version(one_world, kind=T.BASIC), version(one_world, kind=T.RECLAIMED)
    assert publish(one_session, one_world.place("A1"), SYSTEM, T.RECLAIMED) == [reclaimed]
    assert basic.status is S.DRAFT


def test_two_drafts_of_one_list_leave_the_later_in_force(
    one_session: Session, one_world: World
) -> None:
    earlier, later = version(one_world), version(one_world)
    assert publish(one_session, one_world.place("A1"), SYSTEM) == [earlier, later]
    assert (earlier.status, later.status) == (S.SUPERSEDED, S.PUBLISHED)


def test_versions_are_numbered_by_place_and_type(one_session: Session, one_world: World) -> None:
    for place, kind, expected in (
        ("A1", T.BASIC, 2),
        ("A1", T.CATALOGUE, 1),
        ("A2", T.BASIC, 2),
        ("A12", T.BASIC, 1),
    ):
        assert next_version(one_session, one_world.place(place), kind) == expected
    assert version(one_world, items=3).item_count == 3


def test_departments_keep_their_order_and_their_rows(session: Session, world: World) -> None:
    item = world.item("路灯安装与维修")
    kept = {link.organization.code: link.id for link in item.departments}
    assert list(kept) == ["A-D1", "A-D2"]
    set_departments(item, [world.place(code) for code in ("A-D3", "A-D2")])
    session.flush()
    session.expire(item)
    found = {link.organization.code: link.id for link in item.departments}
    assert list(found) == ["A-D3", "A-D2"]
    assert found["A-D2"] == kept["A-D2"]
