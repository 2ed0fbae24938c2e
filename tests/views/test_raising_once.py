"""One form makes one ticket, however often it comes, and whoever sends it."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from sqlalchemy.orm import Session

from rules.once import new_key
from tests.factories.photos import photo
from tests.factories.world import World
from tests.views.pages import record_form
from tests.views.raising import JSON, Clients, filled, number_of, send, tickets


def test_the_same_form_twice_is_one_ticket(as_seen_by: Clients, one_session: Session) -> None:
    client = as_seen_by("community")
    data = filled(client) | {"submit_action": "raise"}
    first = number_of(send(client, data, ("a.jpg", photo())))
    second = send(client, data, ("a.jpg", photo()))
    assert number_of(second) == first
    assert "先前已经收到，没有重复" in client.get(f"/tickets/show/{first}").text
    (ticket,) = tickets(one_session)
    assert ticket.client_key == data["client_key"][0]
    assert len(ticket.photos) == 1


def test_a_script_is_told_where_the_ticket_is(as_seen_by: Clients, one_session: Session) -> None:
    """Also when the text has been edited on the server since: the device's copy is done with."""
    client = as_seen_by("community")
    data = filled(client)
    first = send(client, data, headers=JSON)
    second = send(client, data | {"title": ["先前的标题"]}, headers=JSON)
    assert first.json == second.json == {"url": f"/tickets/show/{tickets(one_session)[0].id}"}


def test_a_script_is_told_what_is_wrong(as_seen_by: Clients, one_session: Session) -> None:
    client = as_seen_by("community")
    answer = send(client, filled(client, title="", detail=""), ("a.jpg", photo()), headers=JSON)
    assert answer.status_code == 422
    said: Any = answer.json
    assert said["fields"]["title"] == "请填写“标题”。"
    assert list(said["fields"]) == ["title", "detail"], "as they stand in the form"
    (kept,) = said["pictures"]
    assert client.get(kept["url"]).status_code == 200
    answer = send(
        client,
        filled(client, client_key=said["client_key"], whistle_class=None) | {"pictures": []},
        headers=JSON,
    )
    assert answer.json["fields"] == {"whistle_class": "请选择哨种。"}


def test_another_matter_under_a_used_key_is_asked_about(
    as_seen_by: Clients, one_session: Session
) -> None:
    """Going back in the browser and writing something else must not lose it."""
    client = as_seen_by("community")
    data = filled(client)
    send(client, data)
    answer = send(client, data | {"title": ["下水道堵塞"]}, ("a.jpg", photo()))
    assert answer.status_code == 409
    assert "这张表单已经提交过一次（（草稿） 路灯不亮）" in unescape(answer.text)
    again = record_form(answer.text).data()
    assert again["title"] == ["下水道堵塞"]
    assert again["client_key"] != data["client_key"]
    assert len(again["pictures"]) == 1
    assert send(client, again).status_code == 302
    assert [each.title for each in tickets(one_session)] == ["路灯不亮", "下水道堵塞"]


@pytest.mark.parametrize("who", ["community2", "communityb", "township"])
def test_somebody_elses_key_is_refused_and_tells_nothing(
    who: str, as_seen_by: Clients, one_session: Session
) -> None:
    """The sentence is that for a key that is none."""
    client = as_seen_by("community")
    data = filled(client, title="别人不知道的事")
    send(client, data)
    other = as_seen_by(who)
    mine = filled(other, title="自己的事")
    nonsense = send(other, mine | {"client_key": ["not a key"]})
    refused = send(other, mine | {"client_key": data["client_key"]})
    assert refused.status_code == nonsense.status_code == 422
    for answer in (nonsense, refused):
        assert "这张表单已失效，内容还在，没有提交。请再提交一次。" in answer.text
        assert "别人不知道的事" not in answer.text
    assert len(tickets(one_session)) == 1
    again = record_form(refused.text).data()
    assert send(other, again).status_code == 302
    assert [each.title for each in tickets(one_session)] == ["别人不知道的事", "自己的事"]


def test_a_form_that_another_account_filled_in_is_not_sent_unseen(
    as_seen_by: Clients, one_session: Session
) -> None:
    written = filled(as_seen_by("community"))
    answer = send(as_seen_by("community2"), written | {"organization": [""]}, headers=JSON)
    assert answer.status_code == 409
    assert "填写时登录的是另一个账号" in answer.json["message"]
    assert not tickets(one_session)


def test_a_page_learns_who_is_logged_in(as_seen_by: Clients, world: World) -> None:
    answer = as_seen_by("community").get("/tickets/ready", headers=JSON)
    said: Any = answer.json
    assert said["account"] == world.account("community").id
    assert len(said["csrf_token"]) > 20
    assert answer.headers["Cache-Control"] == "no-store"
    assert as_seen_by("handler").get("/tickets/ready").status_code == 403


def test_a_form_without_a_key_still_works(as_seen_by: Clients, one_session: Session) -> None:
    client = as_seen_by("community")
    data = filled(client) | {"client_key": [""]}
    assert send(client, data).status_code == 302
    assert send(client, data).status_code == 302
    assert [each.client_key for each in tickets(one_session)] == [None, None]


def test_a_key_is_a_uuid() -> None:
    assert len({new_key() for _each in range(50)}) == 50
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", new_key())
