"""The page that compares townships' lists: who opens it, what it counts, its filters, its workbook."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models.duty import DutyListType as T
from models.organization import Organization, OrganizationKind
from tests.factories.duty_versions import draft, published, township
from tests.factories.world import World
from tests.views.figure_pages import count_statements, leads, listed, sheets_of, unsafe
from views import duty_comparison

Clients = Callable[[str], FlaskClient]
PAGE, EXPORT = "/duty-comparison/", "/duty-comparison/export"
COMPARING = ["admin", "office", "duty", "inspector", "leader", "township", "township2"]
OTHERS = ["community", "handler", "unit", "party", "returns", "auditor"]


@pytest.fixture
def county(one_session: Session) -> World:
    """County A with a third township whose lists say otherwise, and a fourth without any."""
    world = World(one_session)
    township(world, "A3", "甲三镇")
    township(world, "A4", "甲四镇")
    published(world, "A3", T.BASIC, ["犬只管理", *(f"内务{n}" for n in range(9))])
    published(world, "A3", T.RECLAIMED, ["拆除违法建筑", "街面保洁"])
    return world


def tiles(page: str) -> dict[str, int]:
    """Return the numbers on top by their labels."""
    found = re.findall(r'tile-label">([^<]+)</span><span class="tile-value">(\d+)<', page)
    return {label: int(number) for label, number in found}


def part(page: str, name: str) -> str:
    """Return the text of one section of the page."""
    body = re.split("</section>|</details>", page.split(f'id="{name}"', 1)[1], maxsplit=1)[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_who_opens_it(county: World, as_seen_by: Clients) -> None:
    for account in COMPARING:
        for route in (PAGE, EXPORT):
            assert as_seen_by(account).get(route).status_code == 200, (account, route)
        assert PAGE in as_seen_by(account).get("/").text
    for account in OTHERS:
        for route in (PAGE, EXPORT):
            assert as_seen_by(account).get(route).status_code == 403, (account, route)
        assert PAGE not in as_seen_by(account).get("/").text


def test_what_the_county_reads(county: World, as_seen_by: Clients) -> None:
    client = as_seen_by("duty")
    page = client.get(PAGE).text
    assert unsafe(page) == []
    assert "甲县的 4 个乡镇（街道），按现行版比对" in page
    assert tiles(page) == {
        "缺少清单": 4,
        "归类不一的事项": 1,
        "未写明部门的事项": 2,
        "无法接哨的部门": 1,
    }
    dispute = part(page, "part-disputes")
    assert "犬只管理" in dispute
    assert "甲一镇 、 甲二镇" in dispute
    assert "甲三镇拆" not in dispute
    assert "甲三镇上级收回 2 项" in part(page, "part-unnamed")
    silent = part(page, "part-silent")
    assert "甲县公安局" in silent
    assert "没有接哨员" in silent
    grid = part(page, "grid-basic")
    assert "+6 偏多" in grid
    assert "−3 偏少" in grid
    assert "乙" not in page.split('id="main"')[1]


def test_its_numbers_lead_to_what_they_count(county: World, as_seen_by: Clients) -> None:
    client = as_seen_by("duty")
    found = leads(client.get(PAGE).text)
    items = [(url, number) for url, number in found if url.startswith("/duty-items/list/")]
    assert len(items) == 8
    for url, number in items:
        assert listed(client, url) == number, url
    page = client.get(PAGE).text
    pages = set(re.findall(r'href="(/(?:duty|org)[^"]+/show/\d+)"', page))
    assert len(pages) > 8
    for url in pages:
        assert client.get(url).status_code == 200, url


def test_a_township_is_told_that_it_sees_its_own_only(county: World, as_seen_by: Clients) -> None:
    client = as_seen_by("township")
    page = client.get(PAGE).text
    assert "您只能查看甲一镇的清单" in page
    assert "甲二镇" not in page
    assert "甲三镇" not in page
    words = {str(c) for rows in sheets_of(client, EXPORT).values() for row in rows for c in row}
    assert "甲一镇" in words
    assert not {word for word in words if "甲二镇" in word or "甲三镇" in word or "乙" in word}


def test_filters_by_list_version_and_county(county: World, as_seen_by: Clients) -> None:
    draft(county, "A4", T.BASIC, ["拆除违法建筑"])
    client = as_seen_by("duty")
    assert 'name="county"' not in client.get(PAGE).text
    page = client.get(f"{PAGE}?type=basic").text
    assert tiles(page)["缺少清单"] == 1
    assert tiles(page)["未写明部门的事项"] == 0
    assert 'id="grid-reclaimed"' not in page
    page = client.get(f"{PAGE}?type=basic&versions=newest").text
    assert tiles(page)["缺少清单"] == 0
    assert tiles(page)["归类不一的事项"] == 2
    assert "按最新版（含草稿）比对" in page
    for wrong in ("type=catalogue", "versions=all", "county=1000000", "county=x"):
        assert client.get(f"{PAGE}?{wrong}").status_code == 422, wrong
    # Whoever sees several counties looks at one at a time.
    client = as_seen_by("admin")
    page = client.get(PAGE).text
    assert 'name="county"' in page
    assert "乙一镇" not in page
    other = county.place("B").id
    page = client.get(f"{PAGE}?county={other}").text
    assert "乙县的 1 个乡镇" in page or "您只能查看乙一镇" in page
    assert "甲一镇" not in page
    own = as_seen_by("officeb").get(PAGE).text
    assert "乙一镇" in own
    assert as_seen_by("officeb").get(f"{PAGE}?county={county.place('A').id}").status_code == 422


def test_tables_are_cut_and_the_workbook_is_whole(
    county: World, as_seen_by: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duty_comparison, "SHOWN", 2)
    names = [f"共管事项{n}" for n in range(5)]
    published(county, "A1", T.RECLAIMED, [*names, "=cmd|' /C calc'!A0"])
    published(county, "A2", T.BASIC, names)
    client = as_seen_by("duty")
    page = client.get(PAGE).text
    assert "还有 4 行没有列出" in page, "six matters in dispute"
    found = sheets_of(client, EXPORT)
    assert list(found) == [
        "清单概况",
        "类别比对",
        "归类不一的事项",
        "未写明部门的事项",
        "无法接哨的部门",
        "无法接哨的事项",
    ]
    assert len(found["归类不一的事项"]) == 1 + 6
    assert found["归类不一的事项"][2][:4] == ("共管事项0", "甲二镇", None, "甲一镇")
    assert len(found["未写明部门的事项"]) == 1 + 2 + 6
    assert "=cmd|' /C calc'!A0" in {row[0] for row in found["未写明部门的事项"]}
    assert ("甲四镇", "基本履职", None, None, "没有", None) in found["清单概况"]
    assert [row[0] for row in found["无法接哨的事项"][1:]] == ["甲县公安局"] * 2


def test_more_townships_and_items_cost_no_more_statements(
    county: World, as_seen_by: Clients
) -> None:
    client = as_seen_by("duty")
    few = count_statements(client, PAGE)
    for number in range(6):
        code = f"A5{number}"
        township(county, code, f"新{number}镇")
        names = [(f"事项{n}", {"departments": ("A-D3",)}) for n in range(30)]
        published(county, code, T.COORDINATING if number % 2 else T.RECLAIMED, names)
        silent = Organization(
            code=f"A-S{number}",
            name=f"哑巴局{number}",
            kind=OrganizationKind.DEPARTMENT,
            parent=county.place("A"),
        )
        county.session.add(silent)
        county.session.flush()
        published(county, code, T.BASIC, [(f"事项{number}", {"departments": (silent.code,)})])
    as_seen_by("duty")
    assert count_statements(client, PAGE) == few <= 18


def test_whoever_sees_no_township_is_told_so(county: World, as_seen_by: Clients) -> None:
    county.place("B1").active = False
    page = as_seen_by("officeb").get(PAGE).text
    assert "没有清单可以比对" in page
    assert sheets_of(as_seen_by("officeb"), EXPORT)["清单概况"][1:] == []
