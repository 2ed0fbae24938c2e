"""Home: what waits for the reader and for nobody else, nearest deadline first."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from sqlalchemy import func, select

from models.base import utcnow
from models.notice import Notice
from models.ticket import AssignmentRole, Ticket
from rules.actor import SYSTEM, acting_as
from rules.calendar import shanghai_date
from tests.factories.world import World
from tests.views.pages import row_ids, words_of
from tests.views.stage import PEOPLE, Stage, Watch


def queues(html: str) -> dict[str, list[int]]:
    """Return the rows of each queue, by its title; those in which nothing waits have none."""
    found = {}
    for part in re.findall(r'<section class="card card-list queue".*?</section>', html, re.S):
        title = re.search(r'<h3 class="card-title"[^>]*>([^<]+)', part)
        assert title
        found[title[1].strip()] = row_ids(part)
    for part in re.findall(r'<ul class="queues-empty">.*?</ul>', html, re.S):
        for name, told in re.findall(r'<li><a href="[^"]+">([^<]+)</a><span>([^<]+)</span>', part):
            assert told
            found[name] = []
    return found


def figures(html: str) -> dict[str, str]:
    """Return the figures above the queues."""
    tiles = re.findall(
        r'<p class="tile-label">([^<]+)</p>\s*<p class="tile-value"><a href="[^"]+">([^<]+)</a>',
        html,
    )
    return dict(tiles)


#: account → queue → what waits in it on the stage, by hand
WAITING: dict[str, dict[str, str]] = {
    "community": {
        "草稿": "d11",
        "待公布的需求": "n11d",
        "待评价的需求": "",
        "待评价的服务": "",
        "待确认的报到": "",
    },
    "township2": {"待审核的哨单": ""},
    "office": {
        "待派单的哨单": "",
        "待销号": "",
        "待确认的督办": "U11 U12",
        "待复核的申诉": "E11 E12",
        "待定方案的共性问题": "P11 P12",
        "筹备中的会议": "MA",
    },
    "handler": {
        "待应哨": "t11",
        "办理中": "",
        "协办事项": "",
        "待反馈的督办": "",
        "等申诉复核结果": "E11",
        "待反馈的议定事项": "DA",
    },
    "handler2": {"待应哨": "t21", "协办事项": "t11"},
    "double": {"待应哨": "t11", "本单位的协议": ""},
    "handlerb": {"待应哨": "tb"},
    "party": {"草拟中的协议": "e11 g21"},
    "partyb": {"草拟中的协议": ""},
    "unit": {
        "本单位的协议": "g11",
        "待接单的服务": "s11",
        "本单位认领的需求": "",
        "实施中的服务": "",
        "可以认领的微心愿": "",
    },
    "unit2": {"待接单的服务": "s12"},
    "duty": {"待发布的清单": "l1 l2"},
    "dutyb": {"待发布的清单": "lb"},
    "township": {"待发布的清单": "l1", "待审核的哨单": ""},
    "returns": {"退单待审": "", "延期待审": ""},
    "inspector": {"已超期的哨单": "", "待确认的督办": "U11 U12", "等反馈的督办": ""},
    "leader": {"已超期的哨单": "", "等反馈的议定事项": "DA", "整治中的共性问题": ""},
}


@pytest.mark.parametrize("account", WAITING)
def test_what_waits_for_whom(stage: Stage, account: str) -> None:
    found = queues(stage.client(account).get("/").text)
    for title, names in WAITING[account].items():
        assert sorted(found[title]) == sorted(stage.id(name) for name in names.split()), title


def test_who_has_nothing_to_do_is_told_so(stage: Stage) -> None:
    for account in ("admin", "auditor", "blank"):
        page = stage.client(account).get("/").text
        assert queues(page) == {}
        assert "目前没有等您处理的事项" in page


#: account → tickets in hand that it sees
IN_HAND = {"office": 3, "township": 2, "community": 1, "handler": 1, "handler2": 2, "admin": 4}
#: Nothing is closed yet, so that nothing was closed in time: how much was closed is told instead.
SHARES = ["响应率", "办结率", "满意度"]


@pytest.mark.parametrize("account", PEOPLE)
def test_figures_count_what_is_in_scope(stage: Stage, account: str) -> None:
    shown = figures(stage.client(account).get("/").text)
    if account in IN_HAND:
        system = ["发送失败的消息"] if account == "admin" else []
        assert list(shown) == [*SHARES, "在办哨单", *system]
        assert shown["在办哨单"] == str(IN_HAND[account])
    if account in ("party", "duty", "unit", "auditor", "blank"):
        assert shown == {}, "no figures of tickets for who sees none"
    if account == "returns":
        assert list(shown) == ["在办哨单"], "no measures for who may not open them"


def test_the_nearest_deadline_comes_first(stage: Stage, watch: Watch) -> None:
    """What is owed soonest stands on top, whatever was raised first."""
    with stage.session() as session, acting_as(session, SYSTEM):
        world = World(session)
        later = world.dispatched()
        sooner = world.dispatched()
        assert sooner.respond_due is not None
        first = session.get_one(Ticket, stage.id("t11")).respond_due
        assert first is not None
        for each, year in ((later, 2098), (sooner, 2020)):
            each.respond_due = each.next_due = first.replace(year=year)
        session.commit()
        wanted = [sooner.id, stage.id("t11"), later.id]
    page = stage.client("handler").get("/").text
    assert queues(page)["待应哨"] == wanted
    assert any("超期" in word for word in words_of(page))
    overdue = queues(stage.client("inspector").get("/").text)["已超期的哨单"]
    assert overdue == [wanted[0]]


def test_who_assists_has_its_own_deadlines_on_its_workbench(stage: Stage, watch: Watch) -> None:
    """In their order, whatever the leads still have time for; once it has answered, its next one."""
    now = utcnow()
    with stage.session() as session, acting_as(session, SYSTEM):
        world = World(session)
        tickets = [world.dispatched(assisting=("A-D2",)) for _number in range(2)]
        for ticket, hours in zip(tickets, (90, -5), strict=True):
            (part,) = (p for p in ticket.assignments if p.role is AssignmentRole.ASSISTING)
            part.respond_due = now + dt.timedelta(hours=hours, minutes=1)
            part.arrive_due = now + dt.timedelta(hours=hours + 200)
        session.commit()
        ids = [each.id for each in tickets]
    first = queues(stage.client("handler2").get("/").text)["协办事项"]
    assert first.index(ids[1]) < first.index(ids[0])
    page = stage.client("handler2").get("/").text
    part_of = page[page.index("协办事项") :].split("</section>")[0]
    assert "超期 4 小时" in part_of
    assert "剩 3 天" in part_of
    with stage.session() as session, acting_as(session, SYSTEM):
        world = World(session)
        world.step(session.get_one(Ticket, ids[1]), "assist_accept", "handler2")
        session.commit()
    page = stage.client("handler2").get("/").text
    assert queues(page)["协办事项"].index(ids[1]) > first.index(ids[1])
    assert "剩 8 天" in page[page.index("协办事项") :].split("</section>")[0]


def test_grades_of_the_lead_are_not_those_of_the_raising_place(stage: Stage, watch: Watch) -> None:
    """Once the lead has graded its assisting departments, the ticket still waits to be rated."""
    with stage.session() as session, acting_as(session, SYSTEM):
        world = World(session)
        ticket = world.dispatched(assisting=("A-D2",))
        for action in ("accept", "arrive"):
            world.step(ticket, action, "handler")
        world.step(ticket, "report_result", "handler", result="修好了")
        given = {
            f"{world.place('A-D2').id}:{dimension.id}": "satisfied"
            for dimension in ticket.whistle_class.mechanism.dimensions
        }
        world.step(ticket, "rate_assisting", "handler", grades=given)
        session.commit()
        number = ticket.id
    assert number in queues(stage.client("community").get("/").text)["待评哨"]
    assert number not in queues(stage.client("office").get("/").text)["待销号"]


def test_an_extension_waits_for_the_reviewer(stage: Stage, watch: Watch) -> None:
    """It stands in his queue, and behind its tab."""
    with stage.session() as session, acting_as(session, SYSTEM):
        ticket = session.get_one(Ticket, stage.id("t11"))
        ticket.resolve_due = utcnow() + dt.timedelta(days=2)
        session.flush()
        day = shanghai_date(utcnow()) + dt.timedelta(days=9)
        World(session).step(ticket, "request_extension", "handler", new_due=day, note="等备件")
        session.commit()
    client = stage.client("returns")
    assert queues(client.get("/").text)["延期待审"] == [stage.id("t11")]
    assert row_ids(client.get("/tickets/list/?tab=extension").text) == [stage.id("t11")]


def test_a_queue_shows_eight_and_counts_all(stage: Stage, watch: Watch) -> None:
    with stage.session() as session, acting_as(session, SYSTEM):
        world = World(session)
        for _number in range(9):
            world.raised()
        session.commit()
    page = stage.client("township").get("/").text
    assert len(queues(page)["待审核的哨单"]) == 8
    part = page[page.index("待审核的哨单") :]
    assert re.search(r'<span class="tab-count">9</span>', part[:200])
    link: Any = re.search(r'href="(/tickets/list/\?tab=review)"', page)
    assert link
    assert len(row_ids(stage.client("township").get(link[1]).text)) == 9


def test_the_navigation_counts_what_waits_and_the_bell_what_is_unread(stage: Stage) -> None:
    client = stage.client("party")
    client.get("/")
    page = client.get("/agreements/list/").text
    todo = client.get("/").text.split("我在等和关注的")[0]
    waiting = sum(len(rows) for rows in queues(todo).values())
    assert re.search(rf'<span class="nav-count">{waiting}<', page)
    with stage.session() as session, acting_as(session, SYSTEM):
        account = World(session).account("community").id
        query = select(func.count(Notice.id)).where(Notice.account_id == account)
        unread = session.scalar(query)
    assert f"未读消息：{unread} 条" in stage.client("community").get("/").text
