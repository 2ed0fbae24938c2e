"""What a version changes, on its own page and on the page of changes: numbers, warnings, workbook."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models.duty import DutyListType as T
from tests.factories.duty_versions import draft, published
from tests.factories.world import World
from tests.views.figure_pages import count_statements, sheets_of, unsafe
from views import duty_changes

Clients = Callable[[str], FlaskClient]


@pytest.fixture
def world(one_session: Session) -> World:
    """The seeded world in the session whose commits the clients see."""
    return World(one_session)


def chips(page: str) -> dict[str, int]:
    """Return the numbers of the summary by their labels."""
    found = re.findall(r'<span class="count[^"]*">(.*?) <strong>(\d+)</strong>', page)
    return {label: int(number) for label, number in found}


def test_the_publisher_sees_what_moves_before_pressing(world: World, as_seen_by: Clients) -> None:
    made = draft(world, "A2", T.COORDINATING, ["路灯安装与维修", "拆除违法建筑", "调解邻里纠纷"])
    draft(world, "A2", T.RECLAIMED, ["街面保洁"])
    client = as_seen_by("township2")
    page = client.get(f"/duty-lists/show/{made.id}").text
    assert chips(page) == {
        "新增": 2,
        "移出": 1,
        "内容变化": 1,
        "序号变化": 1,
        "从“上级收回”转入“配合履职”": 1,
    }
    assert "与现行的第 1 版相比" in page
    assert "有 1 项同时列在本地区的两张清单里" in page
    assert "“调解邻里纠纷”" in page
    assert "有 1 项还在另一张现行清单里，那张清单的草稿已移出：“拆除违法建筑”" in page
    assert page.index("本版变化") < page.index(f"/duty-lists/step/{made.id}/publish")
    assert f"/duty-lists/changes/{made.id}" in page


def test_the_page_names_them_with_category_and_departments(
    world: World, as_seen_by: Clients
) -> None:
    more = {"departments": ("A-D2",), "category": "城乡建设"}
    made = draft(world, "A2", T.COORDINATING, ["路灯安装与维修", ("拆除违法建筑", more)])
    draft(world, "A2", T.RECLAIMED, ["街面保洁"])
    page = as_seen_by("duty").get(f"/duty-lists/changes/{made.id}").text
    assert unsafe(page) == []
    titles = re.findall(r'id="part-(\w+)">', page)
    assert titles == ["twice", "moved", "added", "removed", "changed"]
    assert page.count("城乡建设") == 3
    assert "从“上级收回”转入" in page
    assert "甲县住建局、甲县执法局" in page, "the departments that 路灯… no longer names"
    assert "（清空）" in page


def test_a_published_version_and_one_without_a_former(world: World, as_seen_by: Clients) -> None:
    made = published(world, "A2", T.BASIC, [("调解邻里纠纷", {"serial": None})])
    first = published(world, "A", T.CATALOGUE, ["路灯"])
    client = as_seen_by("leader")
    page = client.get(f"/duty-lists/show/{made.id}").text
    assert "与它替代的第 1 版相比：没有变化。" in page
    page = client.get(f"/duty-lists/changes/{first.id}").text
    assert "第一个版本，共 1 项" in page
    assert chips(page) == {}


def test_a_version_that_is_past_is_not_to_be_mended(world: World, as_seen_by: Clients) -> None:
    past = published(world, "A2", T.BASIC, ["调解邻里纠纷", "犬只管理"])
    client = as_seen_by("duty")
    assert "请在其中一张清单里移出" in client.get(f"/duty-lists/show/{past.id}").text
    published(world, "A2", T.BASIC, ["调解邻里纠纷"])
    client = as_seen_by("duty")
    page = client.get(f"/duty-lists/show/{past.id}").text
    assert "请在其中一张清单里移出" not in page
    assert chips(page)["新增"] == 1


def test_long_parts_are_folded_and_cut_but_exported_whole(
    world: World, as_seen_by: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duty_changes, "SHOWN", 3)
    monkeypatch.setattr(duty_changes, "FOLDED", 4)
    items = [f"新事项{n}" for n in range(9)]
    published(world, "A2", T.BASIC, [(each, {"township_duty": "前"}) for each in items])
    made = draft(
        world, "A2", T.BASIC, [*((each, {"township_duty": "后"}) for each in items), "=1+1"]
    )
    removing = draft(world, "A2", T.BASIC, ["=1+1"])
    client = as_seen_by("duty")
    page = client.get(f"/duty-lists/changes/{made.id}").text
    assert "其余 4 项" in page
    assert "还有 2 项没有列出" in page
    assert "新事项6" in page
    assert "新事项7" not in page
    found = sheets_of(client, f"/duty-lists/changes/{made.id}/export")
    assert len(found["内容变化"]) == 1 + 9
    assert found["内容变化"][1] == ("新事项0", "乡镇（街道）配合职责", "前", "后")
    assert found["新增"][1:] == [("=1+1", "类别", None)]
    assert ("内容变化", 9) in found["汇总"]
    page = client.get(f"/duty-lists/changes/{removing.id}").text
    assert "其余 4 项" in page
    assert "还有 2 项没有列出" in page
    assert "新事项7" not in page
    assert len(sheets_of(client, f"/duty-lists/changes/{removing.id}/export")["移出"]) == 1 + 9


def test_who_may_not_read_the_version_reads_no_changes(world: World, as_seen_by: Clients) -> None:
    made = draft(world, "A2", T.BASIC, ["调解邻里纠纷"])
    for account in ("duty", "township2", "leader", "office"):
        for path in (f"/duty-lists/changes/{made.id}", f"/duty-lists/changes/{made.id}/export"):
            assert as_seen_by(account).get(path).status_code == 200, (account, path)
    for account in ("township", "townshipb", "community", "handler", "party"):
        for path in (f"/duty-lists/changes/{made.id}", f"/duty-lists/changes/{made.id}/export"):
            assert as_seen_by(account).get(path).status_code in (403, 404), (account, path)


def test_more_items_cost_no_more_statements(world: World, as_seen_by: Clients) -> None:
    few = draft(world, "A2", T.COORDINATING, ["路灯安装与维修"])
    names = [(f"事项{n}", {"departments": ("A-D1",)}) for n in range(60)]
    many = draft(world, "A2", T.COORDINATING, names)
    client = as_seen_by("duty")
    for path in ("show", "changes"):
        found = [count_statements(client, f"/duty-lists/{path}/{one.id}") for one in (few, many)]
        assert found[0] == found[1] <= {"show": 22, "changes": 10}[path]


def test_the_form_offers_only_places_where_one_may_make_a_list(
    world: World, as_seen_by: Clients
) -> None:
    client = as_seen_by("township")
    page = client.get("/duty-lists/add").text
    (source,) = re.findall(r'data-source="([^"]*organization[^"]*)"', page)
    offered = [each["text"] for each in client.get(source).json["results"]]  # type: ignore[index]
    assert offered == ["甲一镇"]
    county = str(world.place("A").id)
    answer = client.post("/duty-lists/add", data={"organization": county, "list_type": "catalogue"})
    assert answer.status_code == 422
    assert "请重新选择" in answer.text
    # Filters go by what may be read: the county's catalogue too.
    answer = client.get("/duty-lists/options/organization")
    assert [each["text"] for each in answer.json["results"]] == ["甲县", "甲一镇"]  # type: ignore[index]
    own = str(world.place("A1").id)
    answer = client.post("/duty-lists/add", data={"organization": own, "list_type": "basic"})
    assert answer.status_code == 302
