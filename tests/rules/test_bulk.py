"""Many rows of one parent in few statements: as guarded, and as audited, as one by one."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from models.duty import DutyItem, DutyItemDepartment, DutyList, DutyListType
from models.ledger import AuditEntry
from models.organization import Organization
from rules import bulk
from rules.actor import acting_as
from rules.duty_items import NOTHING, TEXTS, Items, Present, Whole, items_of
from rules.errors import OutOfScope
from tests.factories.world import World


def whole(name: str, *departments: int) -> Whole:
    """Return an item that says no more than its name and departments."""
    said = {**dict(zip(TEXTS, NOTHING, strict=False)), "name": name}
    return (*(said[each] for each in TEXTS), list(departments))


@pytest.fixture
def version(session: Session, world: World) -> DutyList:
    """A draft with two items in township A1."""
    draft = DutyList(organization=world.place("A1"), list_type=DutyListType.RECLAIMED, number=7)
    items = Items(session, draft)
    ids = items.numbers(2)
    place = world.place("A").id
    items.add([(ids[0], 1, whole("甲", place)), (ids[1], 2, whole("乙"))])
    items.done()
    session.commit()
    return draft


def present(session: Session, version: DutyList) -> list[Present]:
    return items_of(session, [version.id])[version.id]


def test_rows_that_were_added_are_records_like_any(session: Session, version: DutyList) -> None:
    assert [(each.name, each.position, each.version) for each in version.items] == [
        ("甲", 1, 1),
        ("乙", 2, 1),
    ]
    assert all(each.created_at.tzinfo and each.updated_at.tzinfo for each in version.items)
    assert [len(each.departments) for each in version.items] == [1, 0]
    version.items.append(DutyItem(position=3, name="丙"))
    session.commit()
    assert len({each.id for each in version.items}) == 3


def test_ids_of_removed_rows_are_not_given_again(session: Session, version: DutyList) -> None:
    items = Items(session, version)
    gone = present(session, version)
    items.remove(gone)
    assert min(items.numbers(2)) > max(each.id for each in gone)
    items.done()
    assert version.items == []
    assert (
        session.scalars(
            select(DutyItemDepartment).where(
                DutyItemDepartment.item_id.in_([each.id for each in gone])
            )
        ).all()
        == []
    )


@pytest.mark.parametrize("username", ["townshipb", "community", "auditor", "leader"])
def test_who_may_not_write_the_parent_writes_no_rows(
    session: Session, world: World, version: DutyList, username: str
) -> None:
    with acting_as(session, world.actor(username)), pytest.raises(OutOfScope):
        bulk.judge(session, version)
    with acting_as(session, world.actor(username)), pytest.raises(OutOfScope):
        Items(session, version)
    session.rollback()
    with acting_as(session, world.actor("township")):
        bulk.judge(session, version)


@pytest.mark.parametrize("how", ["change", "move", "remove"])
def test_a_row_that_somebody_else_has_written_is_not_overwritten(
    session: Session, version: DutyList, how: str
) -> None:
    [first, second] = present(session, version)
    version.items[1].work_method = "改过"
    session.commit()
    items = Items(session, version)
    calls = {
        "change": lambda: items.change([(first, 1, whole("新甲")), (second, 2, whole("新乙"))]),
        "move": lambda: items.move([(first, 2), (second, 1)]),
        "remove": lambda: items.remove([first, second]),
    }
    with pytest.raises(StaleDataError):
        calls[how]()
    session.rollback()
    assert [each.name for each in version.items] == ["甲", "乙"]


def test_changes_and_removals_are_audited_field_by_field(
    session: Session, world: World, version: DutyList
) -> None:
    [first, second] = present(session, version)
    with acting_as(session, world.actor("township")):
        items = Items(session, version)
        items.change([(first, 1, whole("新甲", world.place("B").id))])
        items.remove([second])
        items.done()
        session.commit()
    lines = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.record_type == "duty_item")
        .order_by(AuditEntry.id.desc())
        .limit(2)
    ).all()
    assert [(each.action, each.record_title, each.changes) for each in lines] == [
        ("delete", "乙", {"name": ["乙", None]}),
        ("update", "甲", {"name": ["甲", "新甲"]}),
    ]
    assert {each.actor_id for each in lines} == {world.actor("township").user_id}
    [item] = version.items
    assert (item.version, [link.organization_id for link in item.departments]) == (
        2,
        [world.place("B").id],
    )


def test_only_what_hangs_from_a_parent_is_written_so(session: Session) -> None:
    with pytest.raises(TypeError, match="does not hang"):
        bulk.add(session, Organization, [{"name": "甲"}])
    with pytest.raises(TypeError, match="does not hang"):
        bulk.clear(session, DutyList, [1])
