"""Townships' lists side by side, counted by hand for a small county."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from models.duty import DutyListType as T
from models.organization import OrganizationKind
from reports.duty_comparison import Comparison, compare, compares, townships
from reports.duty_departments import name_items, silent, silent_items, unnamed, unnamed_items
from rules.actor import acting_as
from rules.duty_lists import receiver_roles, receiving
from tests.factories.duty_versions import draft, published, township
from tests.factories.world import World


@pytest.fixture
def county(session: Session, world: World) -> World:
    """County A with two more townships: A3 has lists that say otherwise, A4 has none but a draft."""
    township(world, "A3", "甲三镇")
    township(world, "A4", "甲四镇")
    published(
        world,
        "A3",
        T.BASIC,
        [
            "路灯 安装与维修",
            "犬只管理",
            ("防汛", {"category": "安全"}),
            ("防火", {"category": "安全"}),
        ],
    )
    published(world, "A3", T.RECLAIMED, ["拆除违法建筑", "犬只管理", "街面保洁"])
    draft(world, "A4", T.BASIC, ["犬只管理"])
    return world


def seen(
    world: World, who: str = "duty", kinds: tuple[T, ...] = tuple(T)[:3], **how: bool
) -> Comparison:
    """Return the comparison of all townships that an account reads."""
    with acting_as(world.session, world.actor(who)):
        return compare(world.session, townships(world.session), kinds, **how)


def test_which_townships_one_compares(session: Session, county: World) -> None:
    def names(who: str) -> list[str]:
        with acting_as(session, county.actor(who)):
            return [each.name for each in townships(session)]

    assert names("duty") == names("leader") == ["甲一镇", "甲二镇", "甲三镇", "甲四镇"]
    assert names("admin") == [*names("duty"), "乙一镇"]
    assert names("township") == ["甲一镇"]
    assert names("handler") == []
    county.place("A4").active = False
    session.flush()
    assert names("duty") == ["甲一镇", "甲二镇", "甲三镇"]


def test_who_compares_at_all(one_world: World) -> None:
    yes = {"admin", "office", "duty", "township", "inspector", "leader"}
    for account in (*yes, "community", "unit", "handler", "party", "returns", "auditor"):
        assert compares(one_world.actor(account).roles) == (account in yes), account


def test_the_matrix_and_what_is_missing(session: Session, county: World) -> None:
    found = seen(county)
    listed = {
        (each.township.name, each.list_type): (each.number, each.items) for each in found.versions
    }
    assert listed == {
        ("甲一镇", T.BASIC): (1, 1),
        ("甲一镇", T.COORDINATING): (1, 2),
        ("甲一镇", T.RECLAIMED): (1, 1),
        ("甲二镇", T.BASIC): (1, 1),
        ("甲二镇", T.COORDINATING): (1, 2),
        ("甲二镇", T.RECLAIMED): (1, 1),
        ("甲三镇", T.BASIC): (1, 4),
        ("甲三镇", T.RECLAIMED): (1, 3),
    }
    assert [(place.name, kind) for place, kind in found.missing] == [
        ("甲四镇", T.BASIC),
        ("甲三镇", T.COORDINATING),
        ("甲四镇", T.COORDINATING),
        ("甲四镇", T.RECLAIMED),
    ]
    # Drafts count where they are asked for, and a newer draft stands for its list.
    draft(county, "A3", T.BASIC, ["防汛"])
    newest = seen(county, newest=True, kinds=(T.BASIC,))
    assert newest.missing == []
    assert [each.items for each in newest.versions] == [1, 1, 1, 1]
    assert [each.number for each in newest.versions if each.township.name == "甲三镇"] == [2]


def test_categories_against_the_mean_of_those_that_have_the_list(
    session: Session, county: World
) -> None:
    found = seen(county)
    basic = {each.name: each for each in found.categories if each.list_type is T.BASIC}
    first, third = (county.place(code).id for code in ("A1", "A3"))
    assert basic["类别"].mean == Decimal(4) / 3
    assert basic["安全"].mean == Decimal(2) / 3
    assert basic["安全"].counts[first] == 0
    assert basic["安全"].deviation(third) == Decimal(2) - Decimal(2) / 3
    assert county.place("A4").id not in basic["安全"].counts, "it has no such list"
    assert [each.far(first) for each in basic.values()] == [0, 0], "off by less than two"
    published(county, "A3", T.BASIC, [(f"安全{n}", {"category": "安 全"}) for n in range(9)])
    found = seen(county)
    basic = {each.name: each for each in found.categories if each.list_type is T.BASIC}
    assert basic["安 全"].mean == 3
    assert (basic["安 全"].far(third), basic["安 全"].far(first)) == (1, -1)


def test_matters_in_different_lists(session: Session, county: World) -> None:
    found = seen(county)
    told = {
        each.name: {kind: [one.township.name for one in some] for kind, some in each.places.items()}
        for each in found.disputes
    }
    assert told == {
        "犬只管理": {
            T.COORDINATING: ["甲一镇", "甲二镇"],
            T.BASIC: ["甲三镇"],
            T.RECLAIMED: ["甲三镇"],
        },
        "路灯安装与维修": {T.COORDINATING: ["甲一镇", "甲二镇"], T.BASIC: ["甲三镇"]},
    }
    assert [(each.name, each.disagreeing, each.twice) for each in found.disputes] == [
        ("犬只管理", 2, ["甲三镇"]),
        ("路灯安装与维修", 1, []),
    ]
    # A filter keeps what its list has a part in, and still says where else it stands.
    only = seen(county, kinds=(T.RECLAIMED,))
    assert [each.name for each in only.disputes] == ["犬只管理"]
    assert set(only.disputes[0].places) == {T.BASIC, T.COORDINATING, T.RECLAIMED}
    # The other county's lists are no part of it, whatever they say.
    published(county, "B1", T.BASIC, ["拆除违法建筑"])
    assert len(seen(county).disputes) == 2


def test_items_that_name_no_department(session: Session, county: World) -> None:
    with acting_as(session, county.actor("duty")):
        versions = seen(county).versions
        found = unnamed(session, versions, 2)
        assert [(each.township.name, number) for each, number in found.counts] == [("甲三镇", 3)]
        assert (found.total, [each.name for each in found.items]) == (
            3,
            ["拆除违法建筑", "犬只管理"],
        )
        assert len(list(unnamed_items(session, versions))) == 3
        # Basic items are the township's own: they need not name anybody.
        basic = seen(county, kinds=(T.BASIC,)).versions
        assert unnamed(session, basic, 2).total == 0


def test_departments_that_would_not_answer(session: Session, county: World) -> None:
    with acting_as(session, county.actor("duty")):
        versions = seen(county).versions
        found = silent(session, versions)
        name_items(session, versions, found, 1)
    # handler and handler2 receive for A-D1 and A-D2; nobody does for A-D3.
    assert [(each.name, each.active, each.can_receive, each.number) for each in found] == [
        ("甲县公安局", True, True, 2)
    ]
    assert [each.name for each in found[0].items] == ["犬只管理"]
    county.place("A-D1").active = False
    county.account("handler2").active = False
    published(county, "A3", T.COORDINATING, [("巡河", {"departments": ("A11",)})])
    session.flush()
    with acting_as(session, county.actor("duty")):
        versions = seen(county).versions
        found = silent(session, versions)
        name_items(session, versions, found, 5)
        whole = list(silent_items(session, versions, found))
    assert {each.name: (each.number, each.active, each.can_receive) for each in found} == {
        "甲县执法局": (4, True, True),
        "甲县住建局": (2, False, True),
        "甲县公安局": (2, True, True),
        "甲一一社区": (1, True, False),
    }
    assert sum(each.number for each in found) == len(whole) == 9
    assert [len(each.items) for each in found] == [each.number for each in found]


def test_a_department_receives_by_its_handlers_alone(session: Session, county: World) -> None:
    assert [role.value for role in receiver_roles()] == ["department_handler"]
    ids = [county.place(code).id for code in ("A-D1", "A-D3", "A-U1", "A-CSB")]
    # Asked by somebody who sees no accounts: there is a handler all the same.
    with acting_as(session, county.actor("duty")):
        assert receiving(session, ids) == {county.place("A-D1").id}
    assert county.place("A-U1").kind is OrganizationKind.UNIT
