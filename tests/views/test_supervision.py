"""The pages of supervision: the list, an order by hand, steps by their buttons, the rule, the ticket."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from docx import Document
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.orm import Session

from models.supervision import SupervisionKind, SupervisionStatus
from models.ticket import TicketStatus
from presets.order import SUPERVISION_ORDER, build
from reports.orders import order, values_of
from tests.factories.orders import FAR, brought_to, inputs, orders, proposed
from tests.factories.roads import brought_to as ticket_at
from tests.factories.world import World

K = SupervisionKind
S = SupervisionStatus
SeenBy = Callable[[str], FlaskClient]


@pytest.fixture
def world(one_session: Session) -> World:
    return World(one_session)


def written(world: World, **values: Any) -> dict[str, Any]:
    """Return what the form of an order takes without complaint."""
    return {
        "organization": str(world.place("A1").id),
        "matter": "井盖破损",
        "reason": "三处井盖破损，无人处理",
        "kind": "listed",
        "department": str(world.place("A-D1").id),
        "head": "张局长",
        "due_on": FAR.isoformat(),
    } | values


# The list


def test_tabs_hold_what_they_say(world: World, as_seen_by: SeenBy) -> None:
    for status in S:
        brought_to(world, status, matter=f"事项{status.value}")
    late = brought_to(world, S.ISSUED, matter="事项late")
    late.due_on = late.due_on and late.due_on.replace(year=2020)
    world.session.flush()
    client = as_seen_by("office")
    expected = {
        "all": {*(each.value for each in S), "late"},
        "proposed": {"proposed"},
        "issued": {"issued", "late"},
        "late": {"late"},
        "answered": {"answered"},
        "closed": {"closed"},
        "dismissed": {"dismissed"},
    }
    for tab, names in expected.items():
        page = client.get(f"/supervisions/list/?tab={tab}").text
        assert set(re.findall(r"事项(\w+)", page)) == names, tab


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        ("admin", {"A11", "A12", "B11"}),
        ("office", {"A11", "A12"}),
        ("inspector", {"A11", "A12"}),
        ("leader", {"A11", "A12"}),
        ("township", {"A11", "A12"}),
        ("community", {"A11"}),
        ("handler", {"A11"}),
        ("handler2", {"A12"}),
        ("officeb", {"B11"}),
        ("handlerb", {"B11"}),
        ("township2", set()),
    ],
)
def test_nobody_sees_an_order_out_of_his_scope(
    world: World, as_seen_by: SeenBy, who: str, sees: set[str]
) -> None:
    ids = {}
    for place, lead in (("A11", "A-D1"), ("A12", "A-D2"), ("B11", "B-D1")):
        record = proposed(world, matter=f"在{place}的事")
        record.organization = world.place(place)
        record.department = world.place(lead)
        ids[place] = record
    world.session.flush()
    numbers = {place: record.id for place, record in ids.items()}
    client = as_seen_by(who)
    page = client.get("/supervisions/list/").text
    assert set(re.findall(r"在(\w+?)的事", page)) == sees
    for place, number in numbers.items():
        status = client.get(f"/supervisions/show/{number}").status_code
        assert status == (200 if place in sees else 404), place
        step = client.post(f"/supervisions/step/{number}/dismiss", data={"note": "x"})
        may = place in sees and who in ("office", "inspector", "officeb")
        reads = 403 if place in sees else 404
        denied = 403 if who not in ("office", "inspector", "officeb", "handler", "handler2", "handlerb") else reads  # fmt: skip
        assert step.status_code == (302 if may else denied), place


@pytest.mark.parametrize("who", ["returns", "party", "duty", "unit", "auditor"])
def test_others_have_no_business_here(as_seen_by: SeenBy, who: str) -> None:
    client = as_seen_by(who)
    for path in ("/supervisions/list/", "/supervision-rules/list/", "/supervisions/add"):
        assert client.get(path).status_code == 403


def test_the_list_asks_as_much_for_many_as_for_one(
    world: World, one_session: Session, as_seen_by: SeenBy
) -> None:
    brought_to(world, S.ISSUED, world.dispatched())
    client = as_seen_by("office")
    client.get("/supervisions/list/")
    with counted(one_session) as one:
        client.get("/supervisions/list/")
    for number in range(5):
        brought_to(world, S.ISSUED, world.dispatched(title=f"路灯{number}"))
    one_session.commit()
    with counted(one_session) as many:
        client.get("/supervisions/list/")
    assert len(many) == len(one) <= 6, many


@contextmanager
def counted(session: Session) -> Iterator[list[str]]:
    """Yield the statements that are sent by whomever while the block runs."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        sent.append(statement)

    engine = type(session.get_bind())
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


# An order by hand


@pytest.mark.parametrize("who", ["office", "inspector"])
def test_an_order_by_hand_is_issued_at_once(
    world: World, one_session: Session, as_seen_by: SeenBy, who: str
) -> None:
    answer = as_seen_by(who).post("/supervisions/add", data=written(world))
    assert answer.status_code == 302
    (record,) = orders(one_session)
    assert (record.status, record.kind, record.head) == (S.ISSUED, K.LISTED, "张局长")
    assert (record.department_id, record.due_on) == (world.place("A-D1").id, FAR)
    assert record.number is not None
    assert record.number.startswith("甲县督〔")


def test_an_order_on_a_ticket_begins_with_what_the_ticket_says(
    world: World, one_session: Session, as_seen_by: SeenBy
) -> None:
    ticket = world.dispatched()
    client = as_seen_by("office")
    page = client.get(f"/tickets/show/{ticket.id}").text
    address = f"/supervisions/add?ticket={ticket.id}"
    assert address in page
    form = client.get(address).text
    for text in (str(ticket), "甲一一社区", "甲县住建局"):
        assert text in form
    # The place is the ticket's, whatever was chosen.
    data = written(world, ticket=str(ticket.id), organization=str(world.place("A21").id))
    assert client.post(address, data=data).status_code == 302
    (record,) = orders(one_session)
    assert (record.ticket_id, record.organization_id) == (ticket.id, ticket.organization_id)
    one_session.expire_all()
    assert ticket.supervised_at is not None


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"head": ""}, "head"),
        ({"due_on": "2020-01-01"}, "due_on"),
        ({"department": ""}, "department"),
        ({"reason": ""}, "reason"),
        ({"kind": "worst"}, "kind"),
    ],
)
def test_a_refused_order_is_shown_again_and_nothing_is_kept(
    world: World, one_session: Session, as_seen_by: SeenBy, values: dict[str, str], field: str
) -> None:
    answer = as_seen_by("office").post("/supervisions/add", data=written(world, **values))
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert "三处井盖" in answer.text or field == "reason"
    assert orders(one_session) == []


def test_nobody_issues_orders_in_another_county(
    world: World, one_session: Session, as_seen_by: SeenBy
) -> None:
    client = as_seen_by("officeb")
    for values in ({}, {"organization": str(world.place("B1").id)}):
        answer = client.post("/supervisions/add", data=written(world, **values))
        assert answer.status_code == 422
    ticket = world.dispatched()
    own = {"organization": world.place("B1").id, "department": world.place("B-D1").id}
    data = written(world, ticket=str(ticket.id), **{key: str(own[key]) for key in own})
    assert as_seen_by("officeb").post("/supervisions/add", data=data).status_code == 422
    assert orders(one_session) == []


def test_only_a_proposals_words_are_edited(
    world: World, one_session: Session, as_seen_by: SeenBy
) -> None:
    proposal, issued = proposed(world), brought_to(world, S.ISSUED)
    client = as_seen_by("office")
    page = client.get(f"/supervisions/edit/{proposal.id}").text
    assert set(re.findall(r'name="(matter|reason|head|kind|department)"', page)) == {"matter", "reason"}  # fmt: skip
    data = {
        "version": str(proposal.version),
        "matter": "路灯",
        "reason": "改过",
        "kind": "interview",
    }
    assert client.post(f"/supervisions/edit/{proposal.id}", data=data).status_code == 302
    assert client.get(f"/supervisions/edit/{issued.id}").status_code == 409
    one_session.expire_all()
    assert (proposal.reason, proposal.kind) == ("改过", K.ORDINARY)


# Steps


def test_a_proposals_way_by_its_buttons(
    world: World, one_session: Session, as_seen_by: SeenBy
) -> None:
    record = proposed(world, world.dispatched(), kind=K.LISTED)
    office, handler = as_seen_by("office"), as_seen_by("handler")
    assert handler.get(f"/supervisions/show/{record.id}").status_code == 404, "not issued yet"
    page = office.get(f"/supervisions/show/{record.id}").text
    assert '<option value="listed" selected>' in page.replace('selected value="listed"', 'value="listed" selected')  # fmt: skip
    given = {
        "kind": "listed",
        "department": str(world.place("A-D1").id),
        "head": "张局长",
        "due_on": FAR.isoformat(),
        "seen_status": "proposed",
    }
    step = f"/supervisions/step/{record.id}"
    assert office.post(f"{step}/confirm", data=given).status_code == 302
    assert office.post(f"{step}/confirm", data=given).status_code == 409
    assert handler.post(f"{step}/answer", data={"answer": ""}).status_code == 422
    assert handler.post(f"{step}/answer", data={"answer": "已修好"}).status_code == 302
    assert handler.post(f"{step}/accept", data={}).status_code == 403
    assert "已修好" in office.get(f"/supervisions/show/{record.id}").text
    assert office.post(f"{step}/accept", data={}).status_code == 302
    one_session.expire_all()
    assert record.status is S.CLOSED


def test_an_order_leads_to_those_before_and_after_it(world: World, as_seen_by: SeenBy) -> None:
    first = brought_to(world, S.ISSUED, world.dispatched())
    world.step(first, "escalate", "office", **inputs(world, "escalate"))
    second = orders(world.session)[-1]
    client = as_seen_by("handler")
    assert f"/supervisions/show/{second.id}" in client.get(f"/supervisions/show/{first.id}").text
    page = client.get(f"/supervisions/show/{second.id}").text
    assert f"/supervisions/show/{first.id}" in page
    assert str(first.number) in page


def test_the_body_is_chosen_among_those_of_the_county(world: World, as_seen_by: SeenBy) -> None:
    record = proposed(world)
    found = as_seen_by("office").get(f"/supervisions/receivers/{record.id}?q=局").get_json()
    names = {each["text"] for each in found["results"]}
    assert any("甲县住建局" in each for each in names)
    assert not any("乙县" in each for each in names)
    assert as_seen_by("officeb").get(f"/supervisions/receivers/{record.id}").status_code == 404


def test_many_are_confirmed_each_by_itself(
    world: World, one_session: Session, as_seen_by: SeenBy
) -> None:
    good = proposed(world, world.dispatched(), kind=K.LISTED)
    nobodys = proposed(world, matter="没有主办单位的事")
    over = brought_to(world, S.DISMISSED, world.dispatched())
    client = as_seen_by("office")
    ids = [str(each.id) for each in (good, nobodys, over)]
    asking = client.post("/supervisions/bulk/confirm", data={"ids": ids})
    assert asking.status_code == 200
    assert set(re.findall(r'name="(kind|department|head|due_on|note)"', asking.text)) == {"head", "note"}  # fmt: skip
    data = {"ids": ids, "confirmed": "1", "head": "张局长"}
    done = client.post("/supervisions/bulk/confirm", data=data)
    assert "办成 1 条" in done.text
    assert "2 条没有办成" in done.text
    assert "没有主办单位，请打开它" in done.text
    one_session.expire_all()
    assert (good.status, good.kind, good.head) == (S.ISSUED, K.LISTED, "张局长")
    assert good.department_id == world.place("A-D1").id
    assert [nobodys.status, over.status] == [S.PROPOSED, S.DISMISSED]


def test_those_who_only_read_are_offered_no_bulk(world: World, as_seen_by: SeenBy) -> None:
    proposed(world, department=world.place("A-D1"))
    for who in ("leader", "handler", "township"):
        client = as_seen_by(who)
        assert "/supervisions/bulk/" not in client.get("/supervisions/list/").text
        answer = client.post("/supervisions/bulk/confirm", data={"ids": ["1"]})
        assert answer.status_code in (403, 404)


# The printed order


def test_an_order_is_printed_with_all_that_it_says(world: World, as_seen_by: SeenBy) -> None:
    record = brought_to(world, S.ANSWERED, world.dispatched(), matter="路灯不亮")
    unissued = proposed(world)
    client = as_seen_by("handler")
    answer = client.get(f"/supervisions/order/{record.id}")
    document = Document(io.BytesIO(answer.data))
    said = "\n".join(each.text for each in document.paragraphs)
    cells = {cell.text for row in document.tables[0].rows for cell in row.cells}
    assert "督办单" in said
    assert str(record.number) in said
    for text in ("路灯不亮", "甲县住建局", "张局长", "2099-01-01", "已经修好", "人工发起"):
        assert text in cells, text
    assert as_seen_by("office").get(f"/supervisions/order/{unissued.id}").status_code == 409
    with pytest.raises(ValueError, match="not issued"):
        order(unissued)


def test_a_long_reason_leaves_room_for_the_signatures(world: World) -> None:
    record = brought_to(world, S.ISSUED, reason="很长的情况" * 200)
    assert len(values_of(record)["情况说明"]) <= 255
    assert values_of(record)["情况说明"].endswith("（全文见系统）")


def test_the_template_is_the_one_that_the_code_builds() -> None:
    kept, made = Document(str(SUPERVISION_ORDER)), build()
    assert kept.element.xml == made.element.xml


# The ticket


def test_a_ticket_shows_its_orders_to_those_who_may_see_them(
    world: World, as_seen_by: SeenBy
) -> None:
    ticket = ticket_at(world, TicketStatus.ACCEPTED)
    record = brought_to(world, S.ISSUED, ticket)
    waiting = proposed(world, ticket)
    path = f"/tickets/show/{ticket.id}"
    order_page, proposal_page = (f"/supervisions/show/{each.id}" for each in (record, waiting))
    for who in ("office", "inspector"):
        page = as_seen_by(who).get(path).text
        assert order_page in page
        assert proposal_page in page
    for who in ("handler", "community", "township", "leader"):
        page = as_seen_by(who).get(path).text
        assert order_page in page, who
        assert proposal_page not in page, who
        assert "/supervisions/add" not in page
    assisting = as_seen_by("handler2").get(path)
    assert assisting.status_code == 200
    assert order_page not in assisting.text
    assert "张局长" not in assisting.text


def test_a_supervised_ticket_is_marked_in_the_list(world: World, as_seen_by: SeenBy) -> None:
    brought_to(world, S.ISSUED, world.dispatched(title="井盖破损"))
    world.dispatched(title="路灯不亮")
    rows = re.findall(r"<tr>.*?</tr>", as_seen_by("office").get("/tickets/list/").text, re.S)
    marked = [row for row in rows if ">督办</span>" in row]
    assert len(marked) == 1
    assert "井盖破损" in marked[0]
