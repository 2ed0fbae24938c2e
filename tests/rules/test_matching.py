"""Matching: what fits, in which order, with which reasons, and never more than the reader may see."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from bench.timing import statements
from models.resource import Category, Resource
from rules import workflow
from rules.actor import SYSTEM, acting_as
from rules.matching import (
    Match,
    Span,
    Use,
    most_at_once,
    needs_for,
    resources_for,
    span_of,
)
from tests.factories.pairs import TODAY, Pairs, day
from tests.factories.world import World


@pytest.fixture
def pairs(one_world: World) -> Pairs:
    return Pairs(one_world)


def found(pairs: Pairs, who: str, record: Any, **options: Any) -> list[Match]:
    """Return the matches of a need or a resource as an account sees them."""
    search = resources_for if hasattr(record, "community_id") else needs_for
    with acting_as(pairs.session, pairs.world.actor(who)):
        return search(pairs.session, record, today=TODAY, **options)


def names(matches: list[Match]) -> list[str]:
    return [str(each.record) for each in matches]


def reasons(match: Match) -> list[str]:
    return [str(each) for each in match.reasons]


# What fits


def test_only_what_is_of_the_same_category_and_on_offer_fits(pairs: Pairs) -> None:
    pairs.bond("A11", "A-U1")
    need = pairs.need()
    pairs.resource(name="会议室")
    pairs.resource(name="医生", category=Category.TALENT)
    pairs.resource(name="没有发布的", draft=True)
    suspended = pairs.resource(name="停用的")
    workflow.apply(pairs.session, suspended, "suspend", SYSTEM, {"note": "维修"})
    assert names(found(pairs, "party", need)) == ["会议室"]
    assert names(found(pairs, "community", need)) == ["会议室"]


def test_only_published_needs_of_the_same_category_fit(pairs: Pairs) -> None:
    pairs.bond("A11", "A-U1")
    resource = pairs.resource()
    pairs.need(title="公布的")
    pairs.need(title="征集中的", gathered=True)
    pairs.need(title="别的类别", category=Category.FUNDS)
    workflow.apply(
        pairs.session, pairs.need(title="取消的"), "cancel", SYSTEM, {"note": "不需要了"}
    )
    assert names(found(pairs, "party", resource)) == ["公布的"]
    assert names(found(pairs, "unit", resource)) == ["公布的"]


def test_what_is_offered_to_others_only_does_not_fit(pairs: Pairs) -> None:
    pairs.bond("A11", "A-U1")
    pairs.bond("A12", "A-U1")
    need = pairs.need("A11")
    other = pairs.resource(name="给别人的", to=("A12",))
    ours = pairs.resource(name="给我们的", to=("A11", "A12"))
    matches = found(pairs, "party", need)
    assert names(matches) == ["给我们的"]
    assert "指定提供给本社区" in reasons(matches[0])
    assert names(found(pairs, "unit", other)) == []
    assert names(found(pairs, "unit", ours)) == ["放学后托管"]


def test_the_rest_of_the_county_fits_and_the_rest_of_the_world_does_not(pairs: Pairs) -> None:
    need = pairs.need()
    pairs.resource("A-U2", "县里的")
    pairs.resource("B-U1", "邻县的")
    assert names(found(pairs, "party", need)) == ["县里的"]
    assert names(found(pairs, "admin", need)) == ["县里的"]
    pairs.bond("A11", "B-U1")
    assert names(found(pairs, "party", need)) == ["县里的"], "no reach over the border"
    assert names(found(pairs, "admin", need)) == ["邻县的", "县里的"], "bound by an agreement"
    assert names(found(pairs, "community", need)) == ["邻县的"]


def test_a_unit_that_is_closed_offers_nothing(pairs: Pairs) -> None:
    need = pairs.need()
    pairs.resource().owner.active = False
    pairs.session.flush()
    assert found(pairs, "party", need) == []


# Who sees what


def test_nobody_is_offered_what_he_may_not_see(pairs: Pairs) -> None:
    need = pairs.need("A11")
    resource = pairs.resource("A-U1")
    assert names(found(pairs, "party", need)) == ["会议室"]
    for who in ("community", "community2", "township", "unit2", "partyb", "communityb"):
        assert found(pairs, who, need) == [], who
    for who in ("unit", "unit2", "handler", "community2", "partyb", "handlerb"):
        assert found(pairs, who, resource) == [], who
    pairs.bond("A11", "A-U1")
    assert names(found(pairs, "community", need)) == ["会议室"]
    assert names(found(pairs, "township", need)) == ["会议室"]
    assert names(found(pairs, "unit", resource)) == ["放学后托管"]
    for who in ("community2", "unit2", "partyb"):
        assert found(pairs, who, need) == [], who
        assert found(pairs, who, resource) == [], who


def test_a_project_out_of_reach_takes_the_time_without_saying_its_name(pairs: Pairs) -> None:
    pairs.bond("A11", "A-U1")
    pairs.bond("A12", "A-U1")
    need, resource = pairs.need("A11"), pairs.resource("A-U1")
    pairs.service(resource, "A12", "暑期托管班", (0, 90))
    taken = [each for each in reasons(found(pairs, "community", need)[0]) if "占用" in each]
    assert taken == ["该时段已被占用"]
    for who in ("party", "township"):
        taken = [each for each in reasons(found(pairs, who, need)[0]) if "占用" in each]
        assert taken == ["该时段已被“暑期托管班”占用"], who
    assert "该时段已被“暑期托管班”占用" in reasons(found(pairs, "unit", resource)[0])
    pairs.service(resource, "A11", "我们的讲座", (3, 3))
    taken = [each for each in reasons(found(pairs, "community", need)[0]) if "占用" in each]
    assert taken == ["该时段已被“我们的讲座”等 2 个项目占用"]


def test_an_agreement_that_is_not_in_force_binds_nobody(pairs: Pairs) -> None:
    agreement = pairs.bond("A11", "A-U1", "协议一号")
    need = pairs.need()
    pairs.resource()
    match = found(pairs, "party", need)[0]
    assert match.partner
    assert reasons(match)[0] == "协议生效中（协议一号）"
    workflow.apply(pairs.session, agreement, "terminate", SYSTEM, {"note": "单位迁走"})
    match = found(pairs, "party", need)[0]
    assert not match.partner
    assert reasons(match)[0] == "同类别（场地）"


# In which order


def test_partners_come_before_all_others(pairs: Pairs) -> None:
    """However busy and far off the partner is, and however free, near and alike the other."""
    pairs.unit("A11-U", "隔壁幼儿园", "A11")
    need = pairs.need(title="放学后托管")
    pairs.resource("A11-U", "放学后托管")
    partner = pairs.resource("A-U1", "会议室")
    pairs.service(partner, "A12", "别处的", (0, 90))
    assert names(found(pairs, "party", need)) == ["放学后托管", "会议室"]
    pairs.bond("A11", "A-U1")
    assert names(found(pairs, "party", need)) == ["会议室", "放学后托管"]


def test_what_is_free_comes_before_what_is_near(pairs: Pairs) -> None:
    pairs.unit("A11-U", "隔壁幼儿园", "A11")
    need = pairs.need(wanted_from=day(0), wanted_until=day(10))
    near = pairs.resource("A11-U", "近处的")
    pairs.resource("A-U1", "远处的")
    assert names(found(pairs, "party", need)) == ["近处的", "远处的"]
    service = pairs.service(near, "A12", "讲座", (10, 12))
    matches = found(pairs, "party", need)
    assert names(matches) == ["远处的", "近处的"]
    assert [each.free for each in matches] == [2, 0]
    workflow.apply(pairs.session, service, "cancel", SYSTEM, {"note": "不办了"})
    assert names(found(pairs, "party", need)) == ["近处的", "远处的"]


def test_the_whole_time_comes_before_a_part_of_it_and_that_before_none(pairs: Pairs) -> None:
    need = pairs.need(wanted_from=day(10), wanted_until=day(20))
    for name, first, last in (
        ("没有的", day(21), None),
        ("过了的", None, day(9)),
        ("一天的", day(20), day(40)),
        ("全程的", day(10), day(20)),
        ("随时的", None, None),
    ):
        pairs.resource(name=name, available_from=first, available_until=last)
    matches = found(pairs, "party", need)
    assert names(matches) == ["全程的", "随时的", "一天的", "没有的", "过了的"]
    said = {str(each.record): reasons(each) for each in matches}
    assert "该时段空闲" in said["全程的"]
    assert "该时段空闲" in said["随时的"]
    assert "该时段部分可用（2026-06-21 至 2026-06-21）" in said["一天的"]
    assert "该时段不提供（可用：2026-06-22 至 …）" in said["没有的"]
    assert "该时段不提供（可用：… 至 2026-06-10）" in said["过了的"]


def test_the_nearer_comes_first(pairs: Pairs) -> None:
    for code, parent in (("U-A1", "A1"), ("U-A11", "A11"), ("U-A12", "A12"), ("U-A2", "A2")):
        pairs.unit(code, f"单位{code}", parent)
        pairs.resource(code, f"资源{code}")
    need = pairs.need("A11")
    matches = found(pairs, "party", need)
    assert names(matches) == ["资源U-A11", "资源U-A1", "资源U-A12", "资源U-A2"]
    shared = [reasons(each)[-1] for each in matches]
    assert shared == ["同在甲一一社区", "同在甲一镇", "同在甲一镇", "同在甲县"]


def test_the_nearer_need_comes_first(pairs: Pairs) -> None:
    pairs.unit("U-A1", "镇里的单位", "A1")
    resource = pairs.resource("U-A1")
    for place in ("A21", "A11", "A12"):
        pairs.need(place, f"需求{place}")
    matches = found(pairs, "party", resource)
    assert names(matches) == ["需求A11", "需求A12", "需求A21"]
    assert [reasons(each)[-1] for each in matches] == ["同在甲一镇", "同在甲一镇", "同在甲县"]


def test_likeness_of_the_names_decides_between_equals_and_then_the_older_one(pairs: Pairs) -> None:
    need = pairs.need(title="羽毛球场地")
    for name in ("会议室一", "会议室二", "羽毛球馆"):
        pairs.resource(name=name)
    matches = found(pairs, "party", need)
    assert names(matches) == ["羽毛球馆", "会议室一", "会议室二"]
    assert "名称相近" in reasons(matches[0])
    assert "名称相近" not in reasons(matches[1])


# Free at the time


def test_a_resource_is_taken_when_as_many_use_it_as_there_are_of_it(pairs: Pairs) -> None:
    need = pairs.need(wanted_from=day(10), wanted_until=day(20))
    resource = pairs.resource(quantity=2)

    def said() -> list[str]:
        match = found(pairs, "party", need)[0]
        return [each for each in reasons(match) if "数量" in each or "占用" in each]

    assert said() == ["数量 2/2 可用"]
    pairs.service(resource, "A12", "早了的", (0, 9))
    pairs.service(resource, "A12", "晚了的", (21, 30))
    assert said() == ["数量 2/2 可用"]
    first = pairs.service(resource, "A12", "甲", (0, 10))
    assert said() == ["数量 1/2 可用"]
    pairs.service(resource, "A12", "乙", (11, 15))
    assert said() == ["数量 1/2 可用"], "the two are never at once"
    pairs.service(resource, "A21", "丙", (15, 20))
    assert said() == ["该时段已被“甲”等 3 个项目占用"]
    workflow.apply(pairs.session, first, "cancel", SYSTEM, {"note": "不办了"})
    assert said() == ["该时段已被“乙”等 2 个项目占用"]


def test_a_project_under_way_takes_the_time_and_one_that_is_over_does_not(pairs: Pairs) -> None:
    need = pairs.need(wanted_from=day(0), wanted_until=day(5))
    service = pairs.service(pairs.resource(), "A12", "讲座", (0, 5), steps=("start",))
    assert found(pairs, "party", need)[0].free == 0
    workflow.apply(pairs.session, service, "complete", SYSTEM, {"outcome": "办完了"})
    assert found(pairs, "party", need)[0].free == 2


def test_each_need_is_asked_for_its_own_days(pairs: Pairs) -> None:
    resource = pairs.resource()
    pairs.service(resource, "A12", "讲座", (5, 6))
    pairs.need(title="当时的", wanted_from=day(4), wanted_until=day(5))
    pairs.need(title="之后的", wanted_from=day(7), wanted_until=day(8))
    matches = found(pairs, "party", resource)
    assert [(str(each.record), each.free) for each in matches] == [("之后的", 2), ("当时的", 0)]
    assert matches[1].span == Span(day(4), day(5))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ((None, None), (0, 30)),
        ((5, None), (5, 35)),
        ((None, 5), (0, 5)),
        ((3, 5), (3, 5)),
        ((-3, 5), (0, 5)),
        ((-9, -3), (0, 30)),
        ((0, 0), (0, 0)),
    ],
)
def test_a_need_asks_for_days_from_today_on(
    pairs: Pairs, wanted: tuple[int | None, int | None], expected: tuple[int, int]
) -> None:
    first, last = (None if each is None else day(each) for each in wanted)
    need = pairs.need(wanted_from=first, wanted_until=last)
    assert span_of(need, TODAY) == Span(day(expected[0]), day(expected[1]))


def test_the_fullest_day_counts() -> None:
    def use(first: int, last: int) -> Use:
        return Use(1, Span(day(first), day(last)))

    assert most_at_once([], Span(day(0), day(9))) == 0
    assert most_at_once([use(0, 2), use(3, 5), use(6, 9)], Span(day(0), day(9))) == 1
    assert most_at_once([use(0, 3), use(3, 5), use(5, 9)], Span(day(0), day(9))) == 2
    assert most_at_once([use(0, 9), use(1, 3), use(2, 2)], Span(day(0), day(9))) == 3
    assert most_at_once([use(0, 9), use(1, 3), use(2, 2)], Span(day(3), day(9))) == 2
    assert most_at_once([use(0, 4)], Span(day(5), day(9))) == 0


def test_both_databases_find_the_same(world: World) -> None:
    """The order, the span and the agreements are asked of the database."""
    pairs = Pairs(world)
    pairs.bond("A11", "A-U1")
    need = pairs.need(wanted_from=day(0), wanted_until=day(9))
    for number, values in enumerate(
        ({"available_from": day(20)}, {"to": ("A11",)}, {"quantity": 3}, {"to": ("A12",)})
    ):
        pairs.resource(name=f"资源{number}", **values)
    for unit in ("A-U2", "B-U1"):
        pairs.resource(unit, f"资源{unit}")
    resource = pairs.resource(name="占用的")
    pairs.service(resource, "A12", "讲座", (9, 12))
    for who, expected in (
        ("party", ["资源1", "资源2", "资源0", "占用的", "资源A-U2"]),
        ("community", ["资源1", "资源2", "资源0", "占用的"]),
        ("unit", ["资源1", "资源2", "资源0", "占用的"]),
    ):
        assert names(found(pairs, who, need)) == expected, who
    assert names(found(pairs, "unit", resource)) == ["放学后托管"]


# How much it costs


def test_more_rows_cost_no_more_statements(pairs: Pairs) -> None:
    pairs.bond("A11", "A-U1")
    need = pairs.need()
    first: Resource = pairs.resource()
    actor = pairs.world.actor("party")
    numbers = []
    for batch in range(2):
        for number in range(3 + 30 * batch):
            each = pairs.resource(name=f"资源{batch}-{number}", to=("A11",))
            pairs.service(each, "A12", f"服务{batch}-{number}", (0, 90))
            pairs.need(title=f"需求{batch}-{number}")
        pairs.service(first, "A12", f"服务{batch}", (0, 90))
        pairs.session.commit()
        for record in (need, first):
            _ = record.category, getattr(record, "community", None), getattr(record, "owner", None)
            with acting_as(pairs.session, actor), statements(pairs.session.get_bind()) as sent:
                search: Any = resources_for if record is need else needs_for
                matches = search(pairs.session, record, today=dt.date(2026, 6, 1), limit=40)
                for match in matches:
                    assert str(match.record)
                    _ = getattr(match.record, "owner", None) or match.record.community.name
            numbers.append((len(matches), len(sent)))
    assert [matches for matches, _sent in numbers] == [4, 4, 37, 37]
    assert [sent for _matches, sent in numbers] == [4, 4, 4, 4]


def test_no_more_are_shown_than_asked_for(pairs: Pairs) -> None:
    need = pairs.need()
    for number in range(4):
        pairs.resource(name=f"资源{number}")
    assert names(found(pairs, "party", need, limit=3)) == ["资源0", "资源1", "资源2"]
