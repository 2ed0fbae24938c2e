"""What a version of a duty list changes, told by hand for small lists, and kept cheap for large ones."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from models.duty import DutyList
from models.duty import DutyListType as T
from reports.duty_changes import VersionChanges, changes
from rules.actor import acting_as
from tests.factories.duty_versions import draft, publish, published
from tests.factories.world import World


def names(found: VersionChanges) -> dict[str, list[str]]:
    """Return the names of what was added, removed and changed."""
    return {
        "added": [each.name for each in found.added],
        "removed": [each.name for each in found.removed],
        "changed": [each.after.name for each in found.changed],
    }


def moves(found: VersionChanges) -> list[tuple[str, T, T]]:
    """Return what moved: (name, from, to)."""
    return [(each.matter.name, each.source, each.target) for each in found.moved]


def seen(world: World, version: DutyList) -> VersionChanges:
    """Return a version's changes as the county's duty-list officer sees them."""
    with acting_as(world.session, world.actor("duty")):
        return changes(world.session, version)


def test_added_removed_and_changed_field_by_field(session: Session, world: World) -> None:
    published(
        world,
        "A2",
        T.COORDINATING,
        [
            ("路灯安装与维修", {"departments": ("A-D1", "A-D2"), "superior_duty": "维修"}),
            "犬只管理",
            "河道清理",
        ],
    )
    made = draft(
        world,
        "A2",
        T.COORDINATING,
        [
            "养老服务",
            ("路灯安装 与维修", {"departments": ("A-D2", "A-D1"), "superior_duty": "维修养护"}),
            "犬只管理",
        ],
    )
    found = seen(world, made)
    assert found.former is not None
    assert found.former.number == 2
    assert names(found) == {
        "added": ["养老服务"],
        "removed": ["河道清理"],
        "changed": ["路灯安装 与维修"],
    }
    (edit,) = found.changed
    assert edit.fields == (
        ("name", "路灯安装与维修", "路灯安装 与维修"),
        ("superior_duty", "维修", "维修养护"),
        ("departments", "甲县住建局、甲县执法局", "甲县执法局、甲县住建局"),
    )
    # A number of its own is no content: one new item on top renumbers all that follow.
    assert found.renumbered == 2
    assert found.items == 3
    assert not found.nothing


def test_the_first_version_and_one_that_changes_nothing(session: Session, world: World) -> None:
    first = published(world, "A", T.CATALOGUE, ["路灯", "井盖"])
    found = seen(world, first)
    assert found.former is None
    assert len(found.added) == 2
    same = draft(world, "A", T.CATALOGUE, ["路灯", "井盖"])
    assert seen(world, same).nothing
    assert seen(world, same).former is first


def test_namesakes_are_told_apart_by_category_then_by_order(session: Session, world: World) -> None:
    published(
        world,
        "A",
        T.CATALOGUE,
        [("检查", {"category": "安全"}), ("检查", {"category": "环保", "time_limit": "3天"})],
    )
    made = draft(
        world,
        "A",
        T.CATALOGUE,
        [("检查", {"category": "环保", "time_limit": "5天"}), ("检查", {"category": "安全"})],
    )
    found = seen(world, made)
    assert names(found) == {"added": [], "removed": [], "changed": ["检查"]}
    assert found.changed[0].fields == (("time_limit", "3天", "5天"),)
    fewer = draft(world, "A", T.CATALOGUE, [("检查", {"category": "综合"})])
    found = seen(world, fewer)
    assert [each.fields for each in found.changed] == [(("category", "安全", "综合"),)]
    assert [each.category for each in found.removed] == ["环保"]


def test_what_moves_between_the_lists_seen_from_both(session: Session, world: World) -> None:
    # The world's A2 has 路灯… and 犬只… with it, 拆除违法建筑 taken back, 调解… of its own.
    mine = draft(world, "A2", T.BASIC, ["调解邻里纠纷", "犬只管理"])
    with_us = draft(world, "A2", T.COORDINATING, ["路灯安装与维修", "拆除违法建筑"])
    taken = draft(world, "A2", T.RECLAIMED, ["街面保洁"])
    expected = {
        mine.id: [("犬只管理", T.COORDINATING, T.BASIC)],
        with_us.id: [
            ("犬只管理", T.COORDINATING, T.BASIC),
            ("拆除违法建筑", T.RECLAIMED, T.COORDINATING),
        ],
        taken.id: [("拆除违法建筑", T.RECLAIMED, T.COORDINATING)],
    }
    for version in (mine, with_us, taken):
        assert moves(seen(world, version)) == expected[version.id], version
    # Published one after the other, each still says the same, also once all are in force.
    for version in (mine, with_us, taken):
        publish(world, version)
        for each in (mine, with_us, taken):
            assert moves(seen(world, each)) == expected[each.id], (version, each)
    assert seen(world, with_us).moves() == [
        (T.COORDINATING, T.BASIC, 1),
        (T.RECLAIMED, T.COORDINATING, 1),
    ]


def test_a_superseded_version_keeps_its_own_story(session: Session, world: World) -> None:
    second = published(world, "A2", T.BASIC, ["调解邻里纠纷", "犬只管理"])
    with_us = published(world, "A2", T.COORDINATING, ["路灯安装与维修"])
    third = published(world, "A2", T.BASIC, ["调解邻里纠纷", "路灯安装与维修"])
    draft(world, "A2", T.RECLAIMED, ["犬只管理"])
    found = seen(world, second)
    assert found.former is not None
    assert found.former.number == 1
    assert moves(found) == [("犬只管理", T.COORDINATING, T.BASIC)]
    # What came after it is another version's story: 犬只管理 went on, 路灯 came.
    assert seen(world, third).former is second
    assert moves(seen(world, third)) == [("犬只管理", T.BASIC, T.RECLAIMED)]
    # A version in force says where a matter stands now.
    assert moves(seen(world, with_us)) == [("犬只管理", T.COORDINATING, T.RECLAIMED)]


def test_an_item_in_two_lists_at_once_is_told(session: Session, world: World) -> None:
    made = draft(world, "A2", T.BASIC, ["调解邻里纠纷", "犬只 管理", "拆除违法建筑"])
    twice = {each.matter.name: each for each in seen(world, made).twice}
    assert set(twice) == {"犬只 管理", "拆除违法建筑"}
    assert [each.list_type for each in twice["犬只 管理"].elsewhere] == [T.COORDINATING]
    assert not twice["犬只 管理"].leaving
    # A draft that drops it mends that as soon as it is published.
    other = draft(world, "A2", T.COORDINATING, ["路灯安装与维修"])
    twice = {each.matter.name: each for each in seen(world, made).twice}
    assert twice["犬只 管理"].leaving
    publish(world, other)
    assert [each.matter.name for each in seen(world, made).twice] == ["拆除违法建筑"]


def test_another_place_and_another_reader(session: Session, world: World) -> None:
    made = draft(world, "A2", T.BASIC, ["调解邻里纠纷", "只在乙县的事"])
    published(world, "B1", T.COORDINATING, ["只在乙县的事"])
    found = seen(world, made)
    assert found.twice == []
    assert moves(found) == []
    # Whoever may not read the place's lists learns nothing of them.
    with acting_as(session, world.actor("townshipb")):
        hidden = changes(session, made)
    assert (hidden.former, hidden.added, hidden.removed, hidden.twice) == (None, [], [], [])


@pytest.mark.parametrize("size", [3, 400])
def test_few_statements_however_many_items(
    one_session: Session, one_world: World, size: int
) -> None:
    items: list[Any] = [(f"事项{n}", {"departments": ("A-D1", "A-D2")}) for n in range(size)]
    published(one_world, "A2", T.COORDINATING, items)
    made = draft(one_world, "A2", T.COORDINATING, [*items[1:], "新事项"])
    published(one_world, "A2", T.RECLAIMED, items[:1])
    one_session.commit()
    sent: list[str] = []

    def note(*arguments: Any) -> None:
        sent.append(arguments[2])

    with acting_as(one_session, one_world.actor("duty")):
        version = one_session.get_one(DutyList, made.id)
        event.listen(one_session.get_bind(), "before_cursor_execute", note)
        found = changes(one_session, version)
        event.remove(one_session.get_bind(), "before_cursor_execute", note)
    assert names(found) == {"added": ["新事项"], "removed": ["事项0"], "changed": []}
    assert found.renumbered == size - 1
    assert moves(found) == [("事项0", T.COORDINATING, T.RECLAIMED)]
    assert len(sent) == 4
