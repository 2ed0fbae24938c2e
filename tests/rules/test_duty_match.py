"""Everyday words find the duty item: how often, for whom, on which lists, at what cost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bench.duty_match import fill, rates
from bench.timing import statements
from models.duty import DutyItem, DutyItemDepartment, DutyList, DutyListType
from models.mechanism import EligibilityRule
from models.organization import Organization
from models.ticket import Verdict
from presets.demo_county import COMMUNITY
from presets.everyday_words import EVERYDAY
from rules import duty_index, workflow
from rules.actor import SYSTEM, acting_as
from rules.duty_index import MOST_KEPT, prepared
from rules.duty_match import Match, lists_at, match, sounds_urgent
from rules.duty_words import grams, hear, plain
from rules.mechanisms import mechanism_for
from tests.conftest import Backend, session_factory
from tests.factories.world import World
from tests.rules.everyday_phrasings import HELD_BACK, TUNED

LIGHTS, DOGS, WALLS, QUARREL = "路灯安装与维修", "犬只管理", "拆除违法建筑", "调解邻里纠纷"


@pytest.fixture(scope="module")
def county(sqlite_backend: Backend) -> Iterator[Session]:
    """A session on a database that holds the demo county's lists; nothing of it is committed."""
    sqlite_backend.reset()
    with session_factory(sqlite_backend.app)() as session, acting_as(session, SYSTEM):
        fill(session)
        yield session
        session.rollback()


def home(county: Session) -> Organization:
    return county.scalars(select(Organization).where(Organization.code == COMMUNITY)).one()


def names(found: list[Match]) -> list[str]:
    return [each.item.name for each in found]


# Hit rates


def test_everyday_words_are_found(county: Session) -> None:
    place = home(county)
    tuned = rates(county, place, TUNED)
    assert tuned.count >= 60
    assert tuned.rate(5) >= 0.97, tuned.missed
    assert tuned.rate(1) >= 0.85, tuned.missed
    fresh = rates(county, place, HELD_BACK)
    assert fresh.count >= 30
    assert fresh.rate(5) >= 0.9, fresh.missed
    assert fresh.rate(1) >= 0.75, fresh.missed


@pytest.mark.parametrize(
    "text", ["你好", "今天天气不错", "asdf", "1", "的", "", "  ", "%", "。。。"]
)
def test_what_says_nothing_finds_nothing(county: Session, text: str) -> None:
    assert match(county, home(county), text) == []


@pytest.mark.parametrize(
    "text",
    ["路灯" * 4000, "'; DROP TABLE duty_item --", "<script>路灯</script>", "\x00路灯", "路%灯_"],
)
def test_hostile_text_is_only_text(county: Session, text: str) -> None:
    found = match(county, home(county), text)
    assert len(found) <= 5


def test_the_official_name_finds_itself(county: Session) -> None:
    place = home(county)
    for name in ("开展农村集体聚餐登记", "犬类准养证核发", "路灯安装与维修的监督检查与执法"):
        assert name in names(match(county, place, name))[:2]


def test_one_matter_does_not_fill_the_list(county: Session) -> None:
    """Six papers are called alike; the others keep their room."""
    found = names(match(county, home(county), "残疾人证"))
    assert sum(each.startswith("残疾人证") for each in found) <= 5
    stems = {each[:4] for each in names(match(county, home(county), "养猪场臭得不行"))}
    assert len(stems) >= 3


def test_papers_wait_until_papers_are_asked_for(county: Session) -> None:
    place = home(county)
    assert "犬类准养证核发" not in names(match(county, place, "狗咬人了"))[:2]
    assert "犬类准养证核发" in names(match(county, place, "养狗办证"))[:3]


def test_the_best_comes_first_and_no_more_than_asked_for(county: Session) -> None:
    place = home(county)
    found = match(county, place, "噪音扰民")
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    assert names(match(county, place, "噪音扰民", limit=1)) == names(found)[:1]


# Verdicts


def matched(world: World, text: str, place: str = "A11", **values: bool) -> dict[str, Verdict]:
    found = match(world.session, world.place(place), text, **values)
    return {each.item.name: each.verdict for each in found}


def test_each_match_has_the_verdict_of_its_list(world: World) -> None:
    assert matched(world, "路灯不亮") == {LIGHTS: Verdict.LISTED}
    assert matched(world, "邻居吵架") == {QUARREL: Verdict.OWN_DUTY}
    assert matched(world, "狗没拴绳") == {DOGS: Verdict.LOCAL_FIRST}
    assert matched(world, "楼顶有违建") == {WALLS: Verdict.LISTED}
    assert matched(world, "狗没拴绳", local_tried=True) == {DOGS: Verdict.LISTED}
    (lights,) = match(world.session, world.place("A11"), "路灯不亮")
    assert [each.code for each in lights.departments] == ["A-D1", "A-D2"]
    assert lights.list_type is DutyListType.COORDINATING
    assert "派往：甲县住建局、甲县执法局" in lights.reason


def test_what_sounds_urgent_is_judged_as_urgent_unless_told_otherwise(one_world: World) -> None:
    assert sounds_urgent("路灯杆漏电") == "漏电"
    assert sounds_urgent("路灯不亮") is None
    assert matched(one_world, "路灯杆漏电")[LIGHTS] is Verdict.EMERGENCY
    assert matched(one_world, "路灯杆漏电", emergency=False)[LIGHTS] is Verdict.LISTED
    assert matched(one_world, "路灯不亮", emergency=True)[LIGHTS] is Verdict.EMERGENCY


def test_lists_that_only_advise_forbid_nothing(one_world: World) -> None:
    place = one_world.place("A11")
    mechanism_for(one_world.session, place.id).eligibility = EligibilityRule.ADVISORY
    one_world.session.flush()
    assert matched(one_world, "邻居吵架") == {QUARREL: Verdict.OFFICE_DECIDES}
    assert matched(one_world, "狗没拴绳") == {DOGS: Verdict.OFFICE_DECIDES}
    assert matched(one_world, "路灯不亮") == {LIGHTS: Verdict.LISTED}
    (found,) = match(one_world.session, place, "邻居吵架")
    assert "属于本级职责" in found.reason
    assert "本地清单只作提示" in found.reason


# Lists in reach


def add_list(world: World, owner: str, kind: DutyListType, *items: DutyItem) -> DutyList:
    """Publish a new version of a list."""
    version = DutyList(organization=world.place(owner), list_type=kind, number=9)
    version.items = list(items)
    version.item_count = len(items)
    world.session.add(version)
    world.session.flush()
    workflow.begin(world.session, version, SYSTEM)
    workflow.apply(world.session, version, "publish", SYSTEM)
    world.session.commit()
    return version


def item(name: str, *departments: Organization, **values: str) -> DutyItem:
    found = DutyItem(position=1, name=name, **values)
    found.departments = [
        DutyItemDepartment(organization=each, position=at) for at, each in enumerate(departments)
    ]
    return found


def test_a_catalogue_says_who_and_by_when(one_world: World) -> None:
    world = one_world
    add_list(
        world,
        "A",
        DutyListType.CATALOGUE,
        item("路灯照明设施维护", world.place("A-D1"), time_limit="3个工作日"),
        item("井盖巡查", world.place("A1")),
    )
    place = world.place("A11")
    by_name = {each.item.name: each for each in match(world.session, place, "路灯不亮")}
    assert set(by_name) == {LIGHTS, "路灯照明设施维护"}
    found = by_name["路灯照明设施维护"]
    assert (found.verdict, found.deadline) == (Verdict.LISTED, "3个工作日")
    assert found.reason.endswith("派往：甲县住建局，办理时限：3个工作日。")
    (own,) = match(world.session, place, "井盖丢了")
    assert own.verdict is Verdict.OWN_DUTY, "the township itself stands on the catalogue"
    assert "由甲一镇负责" in own.reason
    elsewhere = match(world.session, world.place("B11"), "井盖丢了")
    assert elsewhere == [], "another county's catalogue"


def test_a_new_version_is_searched_at_once(one_world: World) -> None:
    """What was prepared of a list is good for that version of it and for no other."""
    world = one_world
    assert matched(world, "路灯不亮") == {LIGHTS: Verdict.LISTED}
    add_list(world, "A1", DutyListType.COORDINATING, item("城市照明管理", world.place("A-D1")))
    assert matched(world, "路灯不亮") == {"城市照明管理": Verdict.LISTED}


def test_a_draft_is_not_searched(one_world: World) -> None:
    world = one_world
    draft = DutyList(organization=world.place("A"), list_type=DutyListType.CATALOGUE, number=1)
    draft.items = [item("路灯照明设施维护")]
    world.session.add(draft)
    world.session.commit()
    assert matched(world, "路灯不亮") == {LIGHTS: Verdict.LISTED}


@pytest.mark.parametrize(
    ("who", "place", "expected"),
    [
        ("community", "A11", [LIGHTS]),
        ("community", "B11", []),
        ("township2", "A11", []),
        ("communityb", "A11", []),
        ("communityb", "B11", [LIGHTS]),
        ("office", "A11", [LIGHTS]),
        ("handler", "A11", []),
    ],
)
def test_nobody_finds_items_of_lists_that_he_may_not_read(
    one_world: World, who: str, place: str, expected: list[str]
) -> None:
    """Not even of a list that somebody else has just had prepared."""
    world = one_world
    for code in ("A11", "B11"):
        assert matched(world, "路灯不亮", code)
    with acting_as(world.session, world.actor(who)):
        found = match(world.session, world.place(place), "路灯不亮")
    assert names(found) == expected


# Cost


def test_the_statements_do_not_grow_with_the_lists(county: Session) -> None:
    place = home(county)
    match(county, place, "路灯不亮")
    county.expire_all()
    place = home(county)
    with statements(county.get_bind()) as few:
        match(county, place, "路灯不亮")
    county.expire_all()
    place = home(county)
    with statements(county.get_bind()) as many:
        match(county, place, "敬老院饭菜不干净，楼道里堆满杂物，工地夜里打桩")
    assert len(many) <= len(few) + 2 <= 12, many


def test_what_is_kept_of_lists_is_bounded(one_world: World) -> None:
    shelf = duty_index._Shelf()
    (first, *_rest) = prepared(
        one_world.session, lists_at(one_world.session, one_world.place("A11"))
    )
    for number in range(MOST_KEPT + 5):
        shelf.put((number, 1, None), first)
    assert shelf.get((0, 1, None)) is None
    assert shelf.get((MOST_KEPT + 4, 1, None)) is first
    assert len(shelf._kept) == MOST_KEPT


# The words


def test_a_word_is_not_heard_inside_a_longer_one() -> None:
    crossing = {each.row: each.strength for each in hear("红绿灯坏了").meanings}
    lights = next(row for row, each in enumerate(EVERYDAY) if "路灯" in each.said)
    signals = next(row for row, each in enumerate(EVERYDAY) if "红绿灯" in each.said)
    assert crossing[signals] >= 1
    both = {each.row: each.strength for each in hear("红绿灯边上的路灯不亮").meanings}
    assert both[signals] >= 1
    assert both[lights] >= 1


def test_texts_are_read_in_one_form() -> None:
    assert plain("ＫＴＶ，太吵！") == "ktv 太吵"
    assert grams("ktv 太吵了") == {"ktv", "太吵", "吵了"}


def test_the_table_is_well_kept() -> None:
    """No empty word, no word twice in a row, nothing that could never be heard."""
    for row in EVERYDAY:
        assert row.said
        assert row.meant
        assert len(set(row.said)) == len(row.said), row.said
        for each in (*row.said, *row.meant):
            for part in each.removeprefix("~").split("+"):
                assert part, row
                assert plain(part).replace(" ", "") in part.replace("（", "").replace("）", "")
