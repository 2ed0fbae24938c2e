"""Meetings in the browser: agenda, decisions, minutes; owners follow up, and see no meeting."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from database import db
from jobs.follow_up import remind
from models.base import utcnow
from models.meeting import CoordinationMeeting, MeetingDecision, MeetingItem, MeetingKind
from models.meeting import DecisionStatus as D
from models.meeting import MeetingStatus as M
from models.notice import Notice
from models.recurring import ProblemStatus as P
from rules import meetings
from tests.conftest import Backend
from tests.factories import following as make
from tests.factories.files import opened, text_in
from tests.factories.following import days
from tests.factories.world import World
from tests.views.pages import words_of as listed

Client = Callable[[str], FlaskClient]


@pytest.fixture
def world(one_session: Session) -> World:
    return World(one_session)


def words_of(page: str) -> str:
    """Return all that a page says."""
    return " ".join(listed(page))


def items(session: Session) -> list[tuple[int, str]]:
    session.expire_all()
    found = session.scalars(select(MeetingItem).order_by(MeetingItem.position))
    return [(each.position, each.title) for each in found]


def test_a_meeting_from_the_first_form_to_its_minutes(
    one_session: Session, world: World, as_seen_by: Client
) -> None:
    ticket, record = world.raised(), make.problem(world)
    office = as_seen_by("office")
    form = office.get("/meetings/add")
    assert 'type="datetime-local"' in form.text
    answer = office.post(
        "/meetings/add",
        data={
            "title": "井盖调度会",
            "kind": "scheduling",
            "organization": world.place("A-CSB").id,
            "held_at": "2026-11-20T09:00",
            "place": "三楼",
            "chair": "王主任",
            "attendees": "住建局 李科长\n甲一镇 张镇长",
        },
    )
    assert answer.status_code == 302, words_of(answer.text)
    (called,) = one_session.scalars(select(CoordinationMeeting)).all()
    assert called.held_at == dt.datetime(2026, 11, 20, 1, tzinfo=dt.UTC)
    assert called.kind is MeetingKind.SCHEDULING
    # onto the agenda: from the ticket's page, from the meeting's, and in words
    page = office.get(f"/agenda/place?ticket={ticket.id}")
    assert str(ticket) in page.text
    placed = office.post(
        f"/agenda/place?ticket={ticket.id}", data={"meeting": called.id, "title": "东门路灯"}
    )
    assert placed.status_code == 302
    for data in ({"problem": record.id}, {"title": "其他事项"}):
        assert office.post(f"/agenda/add/{called.id}", data=data).status_code == 302
    assert items(one_session) == [(1, "东门路灯"), (2, "路灯常坏"), (3, "其他事项")]
    (last,) = one_session.scalars(select(MeetingItem).where(MeetingItem.title == "其他事项"))
    assert office.post(f"/agenda/move/{last.id}/up").status_code == 302
    assert [each for _n, each in items(one_session)] == ["东门路灯", "其他事项", "路灯常坏"]
    said = {"title": "其他", "discussion": "说了两件事。\r\n都同意。"}
    assert office.post(f"/agenda/discuss/{last.id}", data=said).status_code == 302
    first = one_session.scalars(select(MeetingItem).where(MeetingItem.position == 1)).one()
    _followed_up(one_session, world, as_seen_by, called, first)


def _followed_up(
    one_session: Session,
    world: World,
    as_seen_by: Client,
    called: CoordinationMeeting,
    first: MeetingItem,
) -> None:
    """Decide something on a point, hold the meeting, let the owner report, print, and close."""
    office, handler = as_seen_by("office"), as_seen_by("handler")
    decided = office.post(
        f"/decisions/add?meeting={called.id}",
        data={
            "meeting": called.id,
            "item": first.id,
            "text": "一周内更换路灯",
            "owner": world.place("A-D1").id,
            "due_on": days(7).isoformat(),
        },
    )
    assert decided.status_code == 302, words_of(decided.text)
    number = one_session.scalars(select(MeetingDecision.id)).one()
    told = select(Notice).where(Notice.record_type == "meeting_decision")
    assert one_session.scalars(told).all() == [], "nothing is decided yet"
    assert office.post(f"/meetings/step/{called.id}/hold", data={}).status_code == 302
    assert "一周内更换路灯" in words_of(handler.get("/decisions/list/").text)
    assert office.post(f"/meetings/step/{called.id}/close", data={}).status_code == 409
    report = {"report": "已经换好"}
    assert handler.post(f"/decisions/step/{number}/report", data=report).status_code == 302
    assert office.post(f"/decisions/step/{number}/done", data={}).status_code == 302
    minutes = office.get(f"/meetings/minutes/{called.id}")
    assert str(minutes.mimetype).endswith("wordprocessingml.document")
    text = text_in(minutes.data)
    for word in (
        "井盖调度会", "调度会纪要", "2026-11-20 09:00", "三楼", "王主任", "甲县吹哨办",
        "住建局 李科长、甲一镇 张镇长", "（1）东门路灯", "（2）其他", "说了两件事。\n都同意。",
        "（3）路灯常坏", "一周内更换路灯", "甲县住建局", days(7).isoformat(), "已落实：已经换好",
    ):  # fmt: skip
        assert word in text, word
    assert "{" not in text
    assert len(opened(minutes.data).tables[0].rows) == 2
    assert office.post(f"/meetings/step/{called.id}/close", data={}).status_code == 302
    assert office.post(f"/agenda/add/{called.id}", data={"title": "晚了"}).status_code == 409
    assert office.get(f"/meetings/edit/{called.id}").status_code == 409


def test_minutes_of_nothing_and_of_strange_words(world: World, as_seen_by: Client) -> None:
    bare = make.meeting(world)
    text = text_in(as_seen_by("office").get(f"/meetings/minutes/{bare.id}").data)
    assert "没有登记议题。" in text
    odd = make.meeting(world, title="<b>&{{ 7*7 }}{% raw %}", minutes="第一行\n第二行\x0b")
    meetings.add_item(world.session, odd, "{{ 会议名称.__class__ }}")
    make.decision(world, of=odd, text="<w:t>注入</w:t>")
    text = text_in(as_seen_by("office").get(f"/meetings/minutes/{odd.id}").data)
    for word in ("<b>&{{ 7*7 }}", "{{ 会议名称.__class__ }}", "<w:t>注入</w:t>", "第一行\n第二行"):
        assert word in text, word


def test_the_list_narrows_by_state(world: World, as_seen_by: Client) -> None:
    make.meeting(world, title="甲会")
    make.meeting(world, M.HELD, title="乙会")
    client = as_seen_by("office")
    held = words_of(client.get("/meetings/list/?tab=held").text)
    assert "乙会" in held
    assert "甲会" not in held
    assert "甲会" in words_of(client.get("/meetings/list/?q=甲").text)


# What is refused


def test_what_is_put_on_an_agenda_must_be_in_reach(
    one_session: Session, world: World, as_seen_by: Client
) -> None:
    called, other = make.meeting(world), world.draft("B11", number="乙2026-0001")
    draft = world.draft("A11")
    client = as_seen_by("office")
    for data in ({"ticket": other.id}, {"ticket": draft.id}, {"problem": 99}, {"ticket": "x"}, {}):
        assert client.post(f"/agenda/add/{called.id}", data=data).status_code == 422, data
    both = {"ticket": world.raised().id, "problem": make.problem(world).id}
    assert as_seen_by("office").post(f"/agenda/add/{called.id}", data=both).status_code == 422
    for query in (f"ticket={other.id}", f"ticket={draft.id}", "problem=99", "ticket=x", ""):
        assert client.get(f"/agenda/place?{query}").status_code == 404, query
    assert items(one_session) == []


def test_a_meeting_that_is_over_takes_nothing_more(
    one_session: Session, world: World, as_seen_by: Client
) -> None:
    over, ticket = make.meeting(world, M.CLOSED), world.raised()
    client = as_seen_by("office")
    data = {"meeting": over.id, "title": "x"}
    assert client.post(f"/agenda/place?ticket={ticket.id}", data=data).status_code == 422
    posted = {
        "meeting": over.id, "text": "x", "owner": world.place("A-D1").id,
        "due_on": days(1).isoformat(),
    }  # fmt: skip
    assert client.post(f"/decisions/add?meeting={over.id}", data=posted).status_code == 422
    assert client.post(f"/meetings/delete/{over.id}").status_code == 409
    assert not one_session.scalars(select(MeetingDecision)).all()


@pytest.mark.parametrize(
    ("who", "status"),
    [("officeb", 404), ("handler", 403), ("township", 403), ("leader", 403), ("inspector", 403)],
)
def test_only_its_own_office_arranges_a_meeting(
    one_session: Session, world: World, as_seen_by: Client, who: str, status: int
) -> None:
    called = make.meeting(world)
    item = meetings.add_item(world.session, called, "路灯")
    client, number = as_seen_by(who), item.id
    for path in (
        f"/agenda/add/{called.id}", f"/agenda/move/{number}/up", f"/agenda/discuss/{number}",
        f"/agenda/remove/{number}", f"/meetings/edit/{called.id}",
    ):  # fmt: skip
        assert client.post(path, data={"title": "x"}).status_code == status, path
    assert items(one_session) == [(1, "路灯")]
    for path in (f"/meetings/show/{called.id}", f"/meetings/minutes/{called.id}"):
        reads = 200 if who in ("leader", "inspector") else status
        assert client.get(path).status_code == reads, path


def test_a_point_with_a_decision_stays_and_says_why(world: World, as_seen_by: Client) -> None:
    called = make.meeting(world)
    item = meetings.add_item(world.session, called, "路灯")
    make.decision(world, of=called, item=item)
    answer = as_seen_by("office").post(f"/agenda/remove/{item.id}")
    assert answer.status_code == 409
    assert "已有议定事项" in words_of(answer.text)
    wrong = as_seen_by("office").post(f"/agenda/discuss/{item.id}", data={"title": " "})
    assert wrong.status_code == 422


@pytest.mark.parametrize("route", ["move", "discuss", "remove"])
@pytest.mark.parametrize("number", [999, 2**40])
def test_points_that_are_not_there(as_seen_by: Client, route: str, number: int) -> None:
    path = f"/agenda/{route}/{number}" + ("/up" if route == "move" else "")
    assert as_seen_by("office").post(path, data={"title": "x"}).status_code == 404


def test_select_boxes_offer_what_is_in_reach(world: World, as_seen_by: Client) -> None:
    mine, here = world.raised(title="井盖破损"), make.meeting(world, title="周会")
    make.meeting(world, M.CANCELLED, title="旧会")
    watched = make.problem(world)
    make.problem(world, P.DROPPED, place="A2")
    office, other = as_seen_by("office"), as_seen_by("officeb")

    def offered(client: FlaskClient, box: str, q: str = "") -> list[int]:
        answer = client.get(f"/agenda/{box}", query_string={"q": q}).get_json()
        return [each["id"] for each in answer["results"]]

    assert offered(office, "tickets", "井盖") == [mine.id]
    assert offered(office, "problems") == [watched.id]
    assert offered(office, "meetings") == offered(office, "meetings", "周") == [here.id]
    assert [offered(other, box) for box in ("tickets", "problems", "meetings")] == [[], [], []]


# Decisions


def test_an_owner_reads_its_decision_and_not_the_meeting(world: World, as_seen_by: Client) -> None:
    record = make.decision(world, of=make.meeting(world, M.HELD, title="机密调度会"))
    other = make.decision(world, owner="A-D2", text="别人的事")
    handler = as_seen_by("handler")
    page = handler.get(f"/decisions/show/{record.id}")
    assert page.status_code == 200
    assert "机密调度会" not in page.text
    assert "甲县吹哨办" in words_of(page.text)
    assert "反馈落实情况" in words_of(page.text)
    assert handler.get(f"/decisions/show/{other.id}").status_code == 404
    assert "别人的事" not in handler.get("/decisions/list/?tab=all").text
    assert handler.get("/meetings/list/").status_code == 403
    office = as_seen_by("office").get(f"/decisions/show/{record.id}")
    assert "机密调度会" in office.text


def test_tabs_of_decisions(world: World, as_seen_by: Client) -> None:
    called = make.meeting(world, M.HELD)
    late = make.decision(world, of=called, text="晚了的")
    late.due_on = days(-2)
    make.decision(world, D.REPORTED, called, text="报了的")
    make.decision(world, D.DONE, called, text="好了的")
    client = as_seen_by("office")
    for tab, seen in (
        ("", {"晚了的", "报了的"}), ("overdue", {"晚了的"}), ("reported", {"报了的"}),
        ("done", {"好了的"}), ("all", {"晚了的", "报了的", "好了的"}),
    ):  # fmt: skip
        page = client.get(f"/decisions/list/?tab={tab}").text
        assert {each for each in ("晚了的", "报了的", "好了的") if each in page} == seen, tab
    assert "逾期" in words_of(client.get(f"/meetings/show/{called.id}").text)


def test_a_decision_is_edited_in_words_and_moved_by_a_step(
    one_session: Session, world: World, as_seen_by: Client
) -> None:
    record = make.decision(world)
    client = as_seen_by("office")
    page = client.get(f"/decisions/edit/{record.id}")
    assert 'name="owner"' not in page.text
    data = {"text": "改了字", "item": "", "version": record.version}
    assert client.post(f"/decisions/edit/{record.id}", data=data).status_code == 302
    step = {"owner": world.place("A2").id, "due_on": days(3).isoformat(), "note": "换人"}
    assert client.post(f"/decisions/step/{record.id}/amend", data=step).status_code == 302
    one_session.expire_all()
    assert (record.text, record.owner.code, record.due_on) == ("改了字", "A2", days(3))
    assert as_seen_by("township2").get(f"/decisions/show/{record.id}").status_code == 200
    assert as_seen_by("handler").get(f"/decisions/show/{record.id}").status_code == 404


def test_what_was_decided_is_not_deleted_after_the_meeting(
    one_session: Session, world: World, as_seen_by: Client
) -> None:
    before = make.decision(world, of=make.meeting(world))
    after = make.decision(world)
    client = as_seen_by("office")
    assert "/decisions/delete/" in client.get(f"/decisions/show/{before.id}").text
    assert "/decisions/delete/" not in client.get(f"/decisions/show/{after.id}").text
    assert client.post(f"/decisions/delete/{after.id}").status_code == 409
    assert client.post(f"/decisions/delete/{before.id}").status_code == 302
    assert [each.id for each in one_session.scalars(select(MeetingDecision))] == [after.id]


@pytest.mark.parametrize(
    "wrong", [{"owner": "B-D1"}, {"owner": "A-U1"}, {"due_on": "2020-01-01"}, {"item": "999"}]
)
def test_a_wrong_decision_is_refused_at_its_field(
    one_session: Session, world: World, as_seen_by: Client, wrong: dict[str, Any]
) -> None:
    called = make.meeting(world)
    data: dict[str, Any] = {
        "meeting": called.id,
        "text": "x",
        "owner": world.place(wrong.get("owner", "A-D1")).id,
        "due_on": wrong.get("due_on", days(1).isoformat()),
        "item": wrong.get("item", ""),
    }
    answer = as_seen_by("office").post(f"/decisions/add?meeting={called.id}", data=data)
    assert answer.status_code == 422
    assert "field-error" in answer.text
    assert one_session.scalars(select(MeetingDecision)).all() == []


def test_the_worker_reminds_owners_once(
    sqlite: Backend, one_session: Session, world: World
) -> None:
    make.decision(world, due_on=days(2))
    one_session.commit()
    assert remind(sqlite.app) == 1
    assert remind(sqlite.app) == 0
    titles = one_session.scalars(select(Notice.title)).all()
    assert sum(title.startswith("还有 2 天到期") for title in titles) == 1


# What pages cost


def test_pages_ask_the_same_with_one_point_and_with_twenty(
    sqlite: Backend, world: World, as_seen_by: Client
) -> None:
    called = make.meeting(world, M.HELD)
    with sqlite.app.app_context():
        engine = db.engine
    asked: list[str] = []

    def note(*args: object) -> None:
        asked.append(str(args[2]))

    def grow(number: int) -> None:
        for _turn in range(number):
            item = meetings.add_item(world.session, called, "", ticket=world.raised())
            make.decision(world, of=called, item=item)

    def cost(url: str) -> int:
        client = as_seen_by("office")
        client.get(url)
        asked.clear()
        event.listen(engine, "before_cursor_execute", note)
        try:
            assert client.get(url).status_code == 200
        finally:
            event.remove(engine, "before_cursor_execute", note)
        return len(asked)

    urls = (f"/meetings/show/{called.id}", "/meetings/list/", "/decisions/list/")
    grow(2)
    few = [cost(url) for url in urls]
    grow(18)
    assert [cost(url) for url in urls] == few
    assert max(few) <= 22, few


def test_the_page_is_hinted_when_its_time_has_come(world: World, as_seen_by: Client) -> None:
    now, later = make.meeting(world), make.meeting(world, held_at=utcnow() + dt.timedelta(days=1))
    client = as_seen_by("office")
    assert "会议时间已到" in words_of(client.get(f"/meetings/show/{now.id}").text)
    page = client.get(f"/meetings/show/{later.id}").text
    assert "会议时间已到" not in page
    assert not re.search(r'id="step-hold"', page)
