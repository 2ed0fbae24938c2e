"""Recurring problems in the browser: found, opened, tied, planned, judged; and who may not."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from database import db
from models.ledger import Event
from models.recurring import ProblemStatus as P
from models.recurring import ProblemTicket, RecurringProblem, Remedy
from models.ticket import TicketStatus
from tests.conftest import Backend
from tests.factories import following as make
from tests.factories.facts import LIGHTS, fact, facts
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


def problems(session: Session) -> list[RecurringProblem]:
    session.expire_all()
    return list(session.scalars(select(RecurringProblem).order_by(RecurringProblem.id)))


def tied(session: Session) -> set[int]:
    session.expire_all()
    return set(session.scalars(select(ProblemTicket.ticket_id)))


def test_whistles_of_a_matter_are_found_counted_and_opened_as_a_problem(
    one_session: Session, world: World, as_seen_by: Client
) -> None:
    """From real tickets: the page itself brings the figures up to date."""
    item = world.item(LIGHTS)
    tickets = [
        world.dispatched(title=f"路灯{n}", duty_item=item, duty_item_name=LIGHTS) for n in range(3)
    ]
    client = as_seen_by("office")
    page = client.get("/recurring/")
    assert page.status_code == 200
    words = words_of(page.text)
    assert f"{LIGHTS}" in words
    assert "90 天内达到 3 件" in words
    opened = re.search(r'href="(/problems/add\?[^"]+)"', page.text)
    assert opened is not None
    address = opened[1].replace("&amp;", "&")
    asked = parse_qs(urlsplit(address).query)
    assert asked == {"area": [str(world.place("A1").id)], "matter": [LIGHTS]}
    form = client.get(address)
    assert "甲一镇“路灯安装与维修”反复发生" in unquote(form.text)
    for ticket in tickets:
        assert f'<option value="{ticket.id}" selected>' in form.text
    answer = client.post(
        address,
        data={
            "title": "甲一镇路灯",
            "organization": world.place("A1").id,
            "matter": LIGHTS,
            "remedy": "project",
            "tickets": [ticket.id for ticket in tickets],
        },
    )
    assert answer.status_code == 302, words_of(answer.text)
    (made,) = problems(one_session)
    assert (made.status, made.found_count, made.remedy) == (P.OPEN, 3, Remedy.PROJECT)
    assert tied(one_session) == {ticket.id for ticket in tickets}
    assert LIGHTS not in words_of(client.get("/recurring/").text).split("规则发现")[1]


def test_every_number_opens_its_tickets(
    one_session: Session, world: World, as_seen_by: Client
) -> None:
    ids = facts(world, [days(-1), days(-1), days(-2)])
    facts(world, [days(-1)], status=TicketStatus.WITHDRAWN)
    facts(world, [days(-1)], matter="犬只管理")
    client = as_seen_by("office")
    for shape in ("matter-month", "matter-place", "place-month"):
        page = client.get(f"/recurring/?shape={shape}&matter={LIGHTS}")
        cells = re.findall(r'<td class="heat-\d"><a href="([^"]+)">(\d+)</a>', page.text)
        assert sum(int(number) for _url, number in cells) == 3, shape
        found: set[str] = set()
        for url, number in cells:
            rows = client.get(url.replace("&amp;", "&"))
            assert rows.status_code == 200
            shown = re.findall(r'class="row-link" href="/tickets/show/(\d+)"', rows.text)
            assert len(shown) == int(number)
            found |= set(shown)
        assert found == {str(each) for each in ids}, shape


@pytest.mark.parametrize(
    "argument",
    ["", "raised", "raised.2026-01-01.2026-13-01.1.x", "shiny.2026-01-01.2026-02-01.1.x", "....",
     "raised.2026-01-01.2026-02-01.x.y", "raised.2026-01-01.2026-02-01.9999999999.y"],
)  # fmt: skip
def test_an_argument_that_means_nothing_is_refused(as_seen_by: Client, argument: str) -> None:
    answer = as_seen_by("office").get("/tickets/list/", query_string={"cases": argument})
    assert answer.status_code == (200 if not argument else 422)


@pytest.mark.parametrize(
    "query",
    ["shape=x", "level=x", "weight=x", "months=5", "times=1", "days=0", "area=x", "area=99999999"],
)
def test_what_the_page_cannot_mean_is_refused(as_seen_by: Client, query: str) -> None:
    assert as_seen_by("office").get(f"/recurring/?{query}").status_code == 422


def test_weights_and_levels(world: World, as_seen_by: Client) -> None:
    facts(world, [days(-1)], reopened=True)
    facts(world, [days(-1), days(-2)], place="A12", status=TicketStatus.CLOSED)
    client = as_seen_by("office")

    def total(query: str) -> int:
        page = client.get(f"/recurring/?{query}").text
        return sum(int(n) for n in re.findall(r'<td class="heat-\d"><a [^>]*>(\d+)</a>', page))

    assert total("shape=matter-place&level=community") == 3
    assert total("weight=unclosed") == 1
    assert total("weight=reopened") == 1
    assert total(f"area={world.place('A12').id}") == 2
    assert total(f"area={world.place('A2').id}") == 0
    page = words_of(client.get("/recurring/?weight=reopened&level=community").text)
    assert "回流件数" in page


def test_only_those_who_look_after_an_area_may_look(world: World, as_seen_by: Client) -> None:
    facts(world, [days(-1), days(-2), days(-3)])
    facts(world, [days(-1), days(-2), days(-3)], place="B11")
    for who in ("office", "township", "community", "inspector", "leader", "admin"):
        page = as_seen_by(who).get("/recurring/")
        assert page.status_code == 200, who
        offers = "/problems/add?" in page.text
        assert offers == (who == "office"), who
        assert ("乙一镇" in page.text) == (who == "admin"), who
    for who in ("handler", "unit", "returns", "auditor"):
        assert as_seen_by(who).get("/recurring/").status_code == 403, who


# Opening one


def test_a_second_problem_for_the_same_is_refused_at_its_field(
    one_session: Session, world: World, as_seen_by: Client
) -> None:
    make.problem(world)
    client = as_seen_by("office")
    data = {
        "title": "又",
        "organization": world.place("A1").id,
        "matter": LIGHTS,
        "remedy": "other",
    }
    answer = client.post("/problems/add", data=data)
    assert answer.status_code == 422
    assert "已有在跟踪的共性问题" in answer.text
    assert len(problems(one_session)) == 1


@pytest.mark.parametrize(
    ("who", "place"), [("officeb", "A1"), ("office", "B1"), ("office", "A-D1")]
)
def test_a_problem_lies_in_one_s_own_area(
    one_session: Session, world: World, as_seen_by: Client, who: str, place: str
) -> None:
    data = {"title": "x", "organization": world.place(place).id, "matter": "x", "remedy": "other"}
    assert as_seen_by(who).post("/problems/add", data=data).status_code == 422
    assert problems(one_session) == []


def test_tickets_of_another_county_are_not_tied_while_opening(
    one_session: Session, world: World, as_seen_by: Client
) -> None:
    (other,) = facts(world, [days(-1)], place="B11")
    (next_door,) = facts(world, [days(-1)], place="A21")
    data = {"title": "x", "organization": world.place("A1").id, "matter": "x", "remedy": "other"}
    for ticket_id in (other, next_door):
        answer = as_seen_by("office").post("/problems/add", data=data | {"tickets": ticket_id})
        assert answer.status_code == 422
    assert problems(one_session) == []


# Its page


def test_tickets_are_tied_and_taken_out_again_with_a_line_each(
    one_session: Session, world: World, as_seen_by: Client
) -> None:
    record, ids = make.problem(world), facts(world, [days(-1), days(-2)])
    client = as_seen_by("office")
    page = client.get(f"/problems/show/{record.id}")
    assert f'name="tickets" value="{ids[0]}"' in page.text, "suggested"
    answer = client.post(f"/problems/tie/{record.id}", data={"tickets": [*ids, ""]})
    assert answer.status_code == 302
    assert tied(one_session) == set(ids)
    assert client.post(f"/problems/untie/{record.id}/{ids[0]}").status_code == 302
    assert client.post(f"/problems/untie/{record.id}/{ids[0]}").status_code == 404
    assert tied(one_session) == {ids[1]}
    lines = select(Event.label).where(Event.record_type == "recurring_problem")
    assert list(one_session.scalars(lines.order_by(Event.id))) == ["新建", "关联哨单", "移出哨单"]


def test_what_cannot_be_tied_is_said(
    one_session: Session, world: World, as_seen_by: Client
) -> None:
    record = make.problem(world)
    (other,) = facts(world, [days(-1)], place="B11")
    client = as_seen_by("office")
    for posted, says in (
        ([], "请选择"),
        (["x"], "请选择"),
        ([other], "范围内"),
        ([99999], "范围内"),
    ):
        answer = client.post(f"/problems/tie/{record.id}", data={"tickets": posted})
        assert answer.status_code == 422
        assert says in words_of(answer.text)
    assert tied(one_session) == set()


@pytest.mark.parametrize(
    ("who", "status"),
    [("handler", 403), ("township", 403), ("leader", 403), ("officeb", 404), ("unit", 403)],
)
def test_nobody_else_ties(world: World, as_seen_by: Client, who: str, status: int) -> None:
    record, (ticket_id,) = make.problem(world, P.PLANNED), facts(world, [days(-1)])
    client = as_seen_by(who)
    answer = client.post(f"/problems/tie/{record.id}", data={"tickets": [ticket_id]})
    assert answer.status_code == status
    assert client.post(f"/problems/untie/{record.id}/{ticket_id}").status_code == status


def test_the_select_box_offers_tickets_of_the_area_alone(world: World, as_seen_by: Client) -> None:
    record = make.problem(world)
    (here,), (there,), (far,) = (
        facts(world, [days(-1)], place=code) for code in ("A11", "A21", "B11")
    )
    client = as_seen_by("office")

    def offered(url: str) -> set[int]:
        return {each["id"] for each in client.get(url).get_json()["results"]}

    assert offered(f"/problems/cases/{record.id}") == {here}
    assert offered(f"/problems/cases/{record.id}?q=路灯") == {here}
    assert offered(f"/problems/cases/{record.id}?q=没有的字") == set()
    assert offered("/problems/cases") == {here, there}
    assert far not in offered("/problems/cases?q=路灯")


def test_before_and_after_are_said_in_a_sentence_and_drawn(
    world: World, as_seen_by: Client
) -> None:
    record = make.problem(world, P.DONE)
    facts(world, [days(-61 - n) for n in range(5)] + [days(-20)])
    page = as_seen_by("office").get(f"/problems/show/{record.id}")
    words = words_of(page.text)
    assert "整治前 30 天 5 件，整治后 30 天 1 件，下降 80.0%。" in words
    assert "<svg" in page.text
    sides = re.findall(r'<a href="([^"]+)">(\d+)</a> 件', page.text)
    assert [number for _url, number in sides] == ["5", "1"]
    for url, number in sides:
        assert f"共 {number} 条" in words_of(as_seen_by("office").get(url).text)
    assert "销号" in words


def test_what_keeps_a_problem_open_is_said(world: World, as_seen_by: Client) -> None:
    record = make.problem(world, P.DONE)
    facts(world, [days(-10), days(-11), days(-62)])
    words = words_of(as_seen_by("office").get(f"/problems/show/{record.id}").text)
    assert "没有下降" in words
    assert "上升 100.0%" in words
    answer = as_seen_by("office").post(f"/problems/step/{record.id}/close", data={})
    assert answer.status_code == 409


def test_a_problem_that_comes_again_is_shown_and_taken_up(
    one_session: Session, world: World, as_seen_by: Client
) -> None:
    record = make.problem(world, P.CLOSED)
    facts(world, [days(-3), days(-2), days(-1)])
    client = as_seen_by("office")
    assert "销号后又发生 3 件" in words_of(client.get("/recurring/").text)
    assert "又发生 3 件" in words_of(client.get(f"/problems/show/{record.id}").text)
    answer = client.post(f"/problems/step/{record.id}/reopen", data={"note": "又坏了"})
    assert answer.status_code == 302
    assert problems(one_session)[0].status is P.OPEN


def test_the_plan_is_made_by_the_step_and_the_owner_reports(
    one_session: Session, world: World, as_seen_by: Client
) -> None:
    record = make.problem(world)
    data = {
        "plan": "换线",
        "remedy": "project",
        "owner": world.place("A-D1").id,
        "due_on": days(9).isoformat(),
    }
    office, handler = as_seen_by("office"), as_seen_by("handler")
    assert handler.get(f"/problems/show/{record.id}").status_code == 404
    assert office.post(f"/problems/step/{record.id}/plan", data=data).status_code == 302
    assert handler.get(f"/problems/show/{record.id}").status_code == 200
    answer = handler.post(f"/problems/step/{record.id}/done", data={"result": "都换了"})
    assert answer.status_code == 302
    assert problems(one_session)[0].status is P.DONE
    owners = office.get(f"/problems/receivers/{record.id}").get_json()["results"]
    assert {each["text"] for each in owners} >= {"甲县住建局", "甲一镇"}
    assert not {each["text"] for each in owners} & {"乙县住建局", "甲一一社区", "甲县第一中学"}


def test_what_is_measured_is_not_edited(
    one_session: Session, world: World, as_seen_by: Client
) -> None:
    record = make.problem(world)
    client = as_seen_by("office")
    page = client.get(f"/problems/edit/{record.id}")
    assert 'name="matter"' not in page.text
    data = {"title": "新名", "remedy": "patrol", "matter": "别的", "version": record.version}
    assert client.post(f"/problems/edit/{record.id}", data=data).status_code == 302
    (kept,) = problems(one_session)
    assert (kept.title, kept.matter, kept.remedy) == ("新名", LIGHTS, Remedy.PATROL)


# On a ticket's page


def test_a_ticket_names_its_problems_to_who_may_see_them(world: World, as_seen_by: Client) -> None:
    ticket = world.dispatched(assisting=("A-D2",))
    fact(world, ticket)
    record = make.problem(world, P.PLANNED)
    world.session.add(ProblemTicket(problem_id=record.id, ticket_id=ticket.id))
    world.session.flush()
    for who, named in (
        ("office", True),
        ("township", True),
        ("handler", True),
        ("handler2", False),
        ("community", False),
    ):
        page = as_seen_by(who).get(f"/tickets/show/{ticket.id}")
        assert page.status_code == 200
        assert (f"/problems/show/{record.id}" in page.text) == named, who
        assert ("列入会议议题" in page.text) == (who == "office"), who


# What pages cost


def test_pages_ask_the_same_with_one_row_and_with_forty(
    sqlite: Backend, world: World, as_seen_by: Client
) -> None:
    record = make.problem(world, place="A2")
    with sqlite.app.app_context():
        engine = db.engine
    asked: list[str] = []

    def note(*args: object) -> None:
        asked.append(str(args[2]))

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

    urls = ("/recurring/", f"/problems/show/{record.id}", "/problems/list/")
    facts(world, [days(-1)] * 3)
    facts(world, [days(-1)] * 3, place="A21")
    few = [cost(url) for url in urls]
    for number in range(12):
        facts(world, [days(-1)] * 3, matter=f"事项{number}")
        ids = facts(world, [days(-2)] * 3, place="A21")
        world.session.add_all(ProblemTicket(problem_id=record.id, ticket_id=each) for each in ids)
    many = [cost(url) for url in urls]
    assert many == few
    assert max(many) <= 30, dict(zip(urls, many, strict=True))
