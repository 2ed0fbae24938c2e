"""One step on many tickets: each is judged by itself, and the page says what became of each."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.ticket import Ticket, TicketStatus
from tests.factories.roads import brought_to
from tests.factories.world import World
from views.bulk import MOST

S = TicketStatus


def post(client: FlaskClient, action: str, ids: list[Any], **more: Any) -> Any:
    """Take a step on tickets."""
    return client.post(f"/tickets/bulk/{action}", data={"ids": [str(each) for each in ids]} | more)


def states(session: Session, ids: list[int]) -> list[TicketStatus]:
    session.rollback()
    found = dict(session.execute(select(Ticket.id, Ticket.status).where(Ticket.id.in_(ids))).all())
    return [found[each] for each in ids]


def test_only_steps_of_the_actors_roles_show(
    session: Session, world: Any, login: Callable[[str], FlaskClient]
) -> None:
    brought_to(world, S.ACCEPTED)
    session.commit()
    offers = {
        "office": {"dispatch", "close"},
        "township": {"approve"},
        "handler": {"accept"},
        "leader": set(),
    }
    for account, expected in offers.items():
        client = login(account)
        page = client.get("/tickets/list/").text
        shown = set(re.findall(r'formaction="/tickets/bulk/(\w+)"', page))
        assert expected <= shown, account
        assert bool(shown) == ('name="ids"' in page)
    assert set(re.findall(r"bulk/(\w+)", login("leader").get("/tickets/list/").text)) == set()


def test_each_ticket_is_judged_by_itself(
    session: Session, world: Any, login: Callable[[str], FlaskClient]
) -> None:
    waiting = [brought_to(world, S.PENDING_DISPATCH).id for _ in range(2)]
    gone = brought_to(world, S.WITHDRAWN).id
    session.commit()
    client = login("office")
    ids = [waiting[0], gone, waiting[1], 999_999]
    asking = post(client, "dispatch", ids)
    assert asking.status_code == 200
    assert 'name="confirmed"' in asking.text
    assert "有 1 条没有找到" in asking.text
    assert states(session, waiting) == [S.PENDING_DISPATCH] * 2
    lead = world.place("A-D1").id
    done = post(client, "dispatch", ids, confirmed="1", lead=str(lead))
    assert done.status_code == 200
    assert "办成 2 条" in done.text
    assert "2 条没有办成" in done.text
    assert "不能再办理" in done.text
    assert states(session, [*waiting, gone]) == [S.DISPATCHED, S.DISPATCHED, S.WITHDRAWN]
    assert {session.get_one(Ticket, each).lead_id for each in waiting} == {lead}


def test_a_field_that_is_missing_is_asked_again(
    session: Session, world: Any, login: Callable[[str], FlaskClient]
) -> None:
    ids = [brought_to(world, S.PENDING_DISPATCH).id]
    session.commit()
    answer = post(login("office"), "dispatch", ids, confirmed="1")
    assert answer.status_code == 422
    assert 'name="confirmed"' in answer.text
    assert states(session, ids) == [S.PENDING_DISPATCH]


def test_the_list_is_come_back_to_as_it_was_filtered(
    session: Session, world: Any, login: Callable[[str], FlaskClient]
) -> None:
    ids = [brought_to(world, S.PENDING_DISPATCH).id]
    session.commit()
    client, kept = login("office"), "paper=0&amp;tab=dispatch"
    page = client.get("/tickets/list/?tab=dispatch&paper=0&unheard=of").text
    assert f'formaction="/tickets/bulk/dispatch?{kept}"' in page
    filters = {"tab": "dispatch", "paper": "0"}
    asking = client.post("/tickets/bulk/dispatch", data={"ids": ids}, query_string=filters)
    assert f'action="/tickets/bulk/dispatch?{kept}"' in asking.text
    given = {"ids": ids, "confirmed": "1", "lead": world.place("A-D1").id}
    done = client.post("/tickets/bulk/dispatch", data=given, query_string=filters)
    assert f'href="/tickets/list/?{kept}"' in done.text


def test_what_is_out_of_scope_is_not_there(
    session: Session, world: Any, login: Callable[[str], FlaskClient]
) -> None:
    theirs = brought_to(world, S.PENDING_DISPATCH)
    title, number = theirs.title, theirs.id
    session.commit()
    lead = str(world.place("B-D1").id)
    client = login("officeb")
    for answer in (
        post(client, "dispatch", [number]),
        post(client, "dispatch", [number], confirmed="1", lead=lead),
    ):
        assert answer.status_code == 200
        assert "没有找到" in answer.text
        assert title not in answer.text
        nowhere = post(client, "dispatch", [999_998], confirmed="1", lead=lead).text
        assert answer.text.count("没有找到") == nowhere.count("没有找到")
    assert states(session, [number]) == [S.PENDING_DISPATCH]


def test_steps_of_others_are_not_there(
    session: Session, world: Any, login: Callable[[str], FlaskClient]
) -> None:
    ids = [brought_to(world, S.PENDING_DISPATCH).id]
    session.commit()
    for account, action in (
        ("township", "dispatch"),
        ("handler", "dispatch"),
        ("office", "withdraw"),
        ("office", "nothing"),
    ):
        answer = post(login(account), action, ids, confirmed="1")
        assert answer.status_code == 404, (account, action)
    assert post(login("leader"), "dispatch", ids, confirmed="1").status_code in (302, 403)
    assert login("office").get("/tickets/bulk/dispatch").status_code == 302
    assert states(session, ids) == [S.PENDING_DISPATCH]


@pytest.mark.parametrize(
    "ids", [[], ["x"], ["1", "' OR 1=1"], ["-1"], ["99999999999999"], list(range(1, MOST + 2))]
)
def test_hostile_ids_are_refused(login: Callable[[str], FlaskClient], ids: list[Any]) -> None:
    assert post(login("office"), "dispatch", ids).status_code == 422


def test_all_of_the_page_without_a_script(
    session: Session, world: Any, login: Callable[[str], FlaskClient]
) -> None:
    made = [brought_to(world, S.RESOLVED).id for _ in range(2)]
    session.commit()
    client = login("office")
    page_ids = re.findall(r'name="page_ids" value="(\d+)"', client.get("/tickets/list/").text)
    assert {int(each) for each in page_ids} == set(made)
    asking = client.post("/tickets/bulk/close", data={"all": "1", "page_ids": page_ids})
    assert sorted(re.findall(r'name="ids" value="(\d+)"', asking.text)) == sorted(page_ids)
    done = post(client, "close", page_ids, confirmed="1")
    assert done.status_code == 200
    closed = states(session, made).count(S.CLOSED)
    assert f"办成 {closed} 条" in done.text


def test_a_review_of_several_steps_says_which_comes_next(
    one_session: Session, as_seen_by: Callable[[str], FlaskClient]
) -> None:
    ticket = brought_to(World(one_session), S.PENDING_REVIEW)
    done = post(as_seen_by("township"), "approve", [ticket.id], confirmed="1")
    assert "现在是“待审核（审批上报）”" in done.text
