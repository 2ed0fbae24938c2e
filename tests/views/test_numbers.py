"""The pages of figures: who opens which, what they show, where they lead, and their workbooks."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from flask.testing import FlaskClient

from models.grade import Grade
from models.organization import Organization, OrganizationKind
from tests.factories import ledgers
from tests.factories.ledgers import days
from tests.factories.pairs import Pairs
from tests.factories.world import World
from tests.views.figure_pages import count_statements, leads, listed, pictures, sheets_of, unsafe

Clients = Callable[[str], FlaskClient]
SUMMARY, UNITS, COMMUNITIES = "/numbers/", "/numbers/units/", "/numbers/communities/"
#: account → the pages that it opens
READERS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ["admin", "office", "party", "inspector", "leader"], (SUMMARY, UNITS, COMMUNITIES)
    ),
    **dict.fromkeys(["township", "community"], (SUMMARY, COMMUNITIES)),
    **dict.fromkeys(["unit", "handler"], (SUMMARY, UNITS)),
    **dict.fromkeys(["duty", "returns", "auditor"], ()),
}


def period(first: int = -300, last: int = 0) -> str:
    """Return an address's period, in days from today."""
    return f"from={days(first)}&until={days(last)}"


@pytest.fixture
def lives(pairs: Pairs) -> World:
    """Needs, services and members of two counties on all stages of their way."""
    world = pairs.world
    for community, unit in (("A11", "A-U1"), ("A12", "A-U1"), ("A21", "A-U2"), ("B11", "B-U1")):
        pairs.bond(community, unit).valid_until = days(40)
    for place, who, staff in (("A11", "unit", "community"), ("A21", "unit2", None)):
        for turn in range(4):
            need = ledgers.need(world, place, f"{place}需求{turn}", is_wish=turn % 2 == 0)
            if turn:
                world.step(need, "claim", who)
            if turn > 1:
                world.step(need, "start", who)
                world.step(need, "complete", who, result="办好了")
            if turn > 2 and staff:
                world.step(need, "rate", staff, grade=Grade.SATISFIED)
    recalled = ledgers.need(world, "A11", "撤回的需求")
    world.step(recalled, "recall", "community", note="再议")
    ledgers.need(world, "B11", "乙县的需求")
    for owner in ("A-U1", "A-U2", "B-U1"):
        used = ledgers.resource(world, owner)
        ledgers.resource(world, owner, "草拟的资源", offer=False)
        place = {"A-U1": "A11", "A-U2": "A21", "B-U1": "B11"}[owner]
        service = ledgers.service(world, owner, place, resources=[used], funds=Decimal("1200.50"))
        ledgers.stepped(world, service, "start")
        ledgers.session_of(world, service)
        ledgers.session_of(world, service, attended=None)
        ledgers.service(world, owner, place, "还没接单的")
        ledgers.activity(world, ledgers.check_in(world, owner, place), 1.5)
    ended = ledgers.stepped(world, ledgers.service(world, "A-U1", "A12", "不办了"), "start")
    ledgers.stepped(world, ended, "cancel", note="场地不合适")
    world.session.flush()
    return world


def test_who_opens_which_page(lives: World, as_seen_by: Clients) -> None:
    for account, pages in READERS.items():
        client = as_seen_by(account)
        home = client.get("/").text
        assert ('href="/numbers/"' in home) == bool(pages), account
        for page in (SUMMARY, UNITS, COMMUNITIES):
            expected = 200 if page in pages else 403
            assert client.get(page).status_code == expected, (account, page)
            assert client.get(f"{page}export").status_code == expected, (account, page)


@pytest.mark.parametrize("account", [name for name, pages in READERS.items() if pages])
def test_every_number_leads_to_the_records_that_it_counts(
    lives: World, as_seen_by: Clients, account: str
) -> None:
    client, followed = as_seen_by(account), 0
    for page in READERS[account]:
        for url, number in leads(client.get(f"{page}?{period()}").text):
            if "/list/" in url:
                assert listed(client, url) == number, (page, url)
                followed += 1
    assert followed > (5 if account != "handler" else -1)


def cells(page: str, name: str) -> list[str]:
    """Return the figures that stand in an organisation's row."""
    row = page.split(f">{name}</a>")[1].split("</tr>")[0]
    parts = row.split("<td")[1:]
    return [
        part.split(">", 1)[1].split("</td>")[0].split(">")[-1]
        if "<a" not in part
        else part.split("</a>")[0].split(">")[-1]
        for part in parts
    ]


def test_a_row_shows_the_figures_in_their_order(lives: World, as_seen_by: Clients) -> None:
    page = as_seen_by("party").get(f"{UNITS}?{period()}").text
    # agreements, resources, used, met, wishes, services, sessions, hours, people, funds, satisfied
    assert cells(page, "甲县第一中学") == [
        "2", "1", "1", "2", "1", "1", "1", "3.5", "10", "1,200.5", "100.0%",
    ]  # fmt: skip
    page = as_seen_by("community").get(f"{COMMUNITIES}?{period()}").text
    assert cells(page, "甲一一社区") == [
        "1", "1", "1", "4", "2", "1", "1", "1", "3.5", "10", "1,200.5", "100.0%",
    ]  # fmt: skip
    assert "甲一二社区" not in page
    page = as_seen_by("unit").get(f"{UNITS}?{period(-300, -200)}").text
    assert cells(page, "甲县第一中学") == ["2", "1", *["0"] * 8, "—"]
    assert "甲县医院" not in page


def test_an_area_shows_no_other(lives: World, as_seen_by: Clients) -> None:
    for page in (SUMMARY, UNITS, COMMUNITIES):
        for path in (page, f"{page}export"):
            for account, strangers in (("party", "乙"), ("partyb", "甲")):
                client = as_seen_by(account)
                if path == page:
                    assert strangers not in client.get(f"{path}?{period()}").text
                else:
                    found = sheets_of(client, f"{path}?{period()}")
                    words = [str(c) for rows in found.values() for row in rows for c in row]
                    assert not [word for word in words if strangers in word]


def test_the_pages_say_whose_figures_they_tell(lives: World, as_seen_by: Clients) -> None:
    """An office's are the area's; a unit's are its own."""
    for account, ground in (("party", "甲县，"), ("unit", "甲县第一中学，")):
        assert f'period-said">{ground}' in as_seen_by(account).get(f"{SUMMARY}?{period()}").text


def test_workbooks_hold_what_the_pages_show(lives: World, as_seen_by: Clients) -> None:
    lives.session.add(
        Organization(
            code="A-EVIL", name="=2+2", kind=OrganizationKind.UNIT, parent=lives.place("A")
        )
    )
    lives.session.flush()
    client = as_seen_by("party")
    units = sheets_of(client, f"{UNITS}export?{period()}")
    rows = {row[0]: row[1:] for row in units["单位"]}
    assert rows["甲县第一中学"] == (2, 1, 1, 2, 1, 1, 1, 3.5, 10, 1200.5, 1)
    assert "=2+2" in rows
    assert rows["单位"][0] == "现行协议（份）"
    assert units["指标口径"][1] == ("统计期间", f"{days(-300)} — {days(0)}")
    whole = sheets_of(client, f"{SUMMARY}export?{period()}")
    total = {row[0]: row[1] for row in whole["合计"]}
    assert (total["现行协议"], total["办成需求"], total["经费"]) == (3, 4, 2401)
    assert dict(whole["需求（按状态）"][1:])["征集"] == 1  # type: ignore[arg-type]
    assert [row[0] for row in whole["单位服务时长"][1:]] == ["甲县第一中学", "甲县医院"]


def test_pictures_have_words_and_nothing_inline(lives: World, as_seen_by: Clients) -> None:
    for account, number in (("party", 5), ("community", 5), ("unit", 4)):
        page = as_seen_by(account).get(f"{SUMMARY}?{period()}").text
        found = pictures(page)
        assert len(found) == number, account
        assert all(title and told.endswith("。") for title, told in found)
        assert unsafe(page) == []
        # Each picture's numbers stand in a table as well.
        assert page.count('<table class="chart-table">') == number


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("from=2026-13-01", "无法识别"),
        ("from=gestern", "无法识别"),
        ("from=2026-02-01&until=2026-01-01", "不应晚于"),
        ("from=0001-01-01", "统计期间应在"),
        ("until=9999-12-31", "统计期间应在"),
    ],
)
def test_a_period_that_makes_no_sense_is_refused(
    as_seen_by: Clients, query: str, said: str
) -> None:
    client = as_seen_by("party")
    for page in (SUMMARY, UNITS, f"{UNITS}export"):
        answer = client.get(f"{page}?{query}")
        assert answer.status_code == 422
        assert said in answer.text


def test_orders_pages_and_searches(lives: World, as_seen_by: Clients) -> None:
    client = as_seen_by("party")
    answer = client.get(f"{UNITS}?{period()}&order=funds&direction=desc")
    assert answer.text.index("甲县第一中学</a>") < answer.text.index("甲县公安局</a>")
    assert 'aria-sort="descending"' in answer.text
    assert client.get(f"{UNITS}?order=password").status_code == 422
    for page in ("x", "-1", "0", "99999999999999"):
        assert client.get(f"{UNITS}?page={page}").status_code == 200
    found = client.get(f"{UNITS}?q=<b>医院").text
    assert "没有符合条件的记录" in found
    assert "<b>医院" not in found
    for number in range(50):
        Pairs(lives).unit(f"A-N{number:02}", f"新单位{number:02}", "A")
    first = as_seen_by("party").get(f"{UNITS}?{period()}&q=位").text
    assert "共 50 条" in first
    assert "page=2" not in first
    first = as_seen_by("party").get(f"{UNITS}?{period()}").text
    assert "共 57 条" in first
    assert "page=2" in first


def test_more_records_cost_no_more_statements(lives: World, as_seen_by: Clients) -> None:
    client = as_seen_by("party")
    paths = [f"{page}?{period()}{order}" for page, order in (
        (SUMMARY, ""), (UNITS, ""), (UNITS, "&order=hours"), (COMMUNITIES, "&order=satisfaction"),
    )]  # fmt: skip
    few = [count_statements(client, path) for path in paths]
    for number in range(30):
        code = f"A-N{number:02}"
        Pairs(lives).unit(code, f"新单位{number:02}", "A")
        Pairs(lives).bond("A21", code)
        need = ledgers.need(lives, "A21", f"又一条需求{number}")
        assert need.published_on == days(0)
        service = ledgers.service(lives, code, "A21", f"又一项服务{number}")
        ledgers.session_of(lives, ledgers.stepped(lives, service, "start"))
        ledgers.activity(lives, ledgers.check_in(lives, code, "A21", f"党员{number}"))
    as_seen_by("party")
    assert [count_statements(client, path) for path in paths] == few
    assert max(few) <= 16
