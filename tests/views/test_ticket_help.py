"""While the title is typed: matching duty items and similar tickets, by HTTP, in reach only."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models.mechanism import EligibilityRule
from rules.mechanisms import mechanism_for
from tests.factories.world import World
from tests.views.test_ticket_road import Login

LIGHTS, DOGS, QUARREL = "路灯安装与维修", "犬只管理", "调解邻里纠纷"
TEXTS = [
    "",
    " ",
    "路灯" * 2000,
    "<script>alert(1)</script>路灯",
    "'; --",
    "\u202e路灯",
    "%%__",
]
NUMBERS = ["", "0", "-1", "1e9", "999999999999", "nan", "inf", "一", "1 OR 1=1"]

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def matches(client: FlaskClient, place: int, text: str, **more: Any) -> dict[str, Any]:
    query = {"organization": place, "text": text} | more
    answer = client.get("/tickets/matches", query_string=query)
    assert answer.status_code == 200
    found: Any = answer.json
    return dict(found)


def similars(client: FlaskClient, place: int, **query: Any) -> list[dict[str, Any]]:
    answer = client.get("/tickets/similar", query_string={"organization": place} | query)
    assert answer.status_code == 200
    found: Any = answer.json
    return list(found["tickets"])


def test_a_match_says_all_that_the_form_fills_in(login: Login, world: World) -> None:
    client, place = login("community"), world.place("A11").id
    (found,) = matches(client, place, "路灯不亮")["matches"]
    assert found["id"] == world.item(LIGHTS).id
    assert (found["item"], found["list_type"]) == (LIGHTS, "coordinating")
    assert [each["name"] for each in found["departments"]] == ["甲县住建局", "甲县执法局"]
    assert found["departments"][0]["id"] == world.place("A-D1").id
    assert (found["verdict"], found["may_blow"]) == ("listed", True)
    assert found["whistle_class"]["id"] == world.whistle_class("ordinary").id
    assert found["deadlines"] == ["应哨 2 个工作日"]


def test_danger_suggests_the_class_that_goes_at_once(login: Login, world: World) -> None:
    client, place = login("community"), world.place("A11").id
    answer = matches(client, place, "路灯杆漏电")
    assert answer["urgent"] == "漏电"
    found = answer["matches"][0]
    assert (found["verdict"], found["item"]) == ("emergency", LIGHTS)
    assert found["whistle_class"]["id"] == world.whistle_class("urgent").id
    page = client.get(
        "/tickets/matches",
        query_string={"organization": place, "text": "路灯杆漏电", "format": "html"},
    ).text
    assert "data-emergency" in page
    assert "119" in page
    ticked = matches(client, place, "路灯不亮", emergency="y")["matches"][0]
    assert ticked["verdict"] == "emergency"


def test_what_may_not_be_blown_says_why(login: Login, world: World) -> None:
    client, place = login("community"), world.place("A11").id
    own = matches(client, place, "邻居吵架")["matches"][0]
    assert (own["verdict"], own["may_blow"], own["deadlines"]) == ("own_duty", False, [])
    assert "不予吹哨" in own["reason"]
    local = matches(client, place, "狗没拴绳")["matches"][0]
    assert local["verdict"] == "local_first"
    tried = matches(client, place, "狗没拴绳", local_tried="y")["matches"][0]
    assert tried["verdict"] == "listed"
    page = client.get(
        "/tickets/matches",
        query_string={"organization": place, "text": "邻居吵架", "format": "html"},
    ).text
    assert own["reason"] in page
    assert f'data-duty-item="{world.item(QUARREL).id}"' in page


def test_where_lists_advise_nothing_is_forbidden(
    login: Login, session: Session, world: World
) -> None:
    place = world.place("A11").id
    mechanism_for(session, place).eligibility = EligibilityRule.ADVISORY
    session.commit()
    client = login("community")
    found = matches(client, place, "邻居吵架")["matches"][0]
    assert (found["verdict"], found["may_blow"]) == ("office_decides", True)
    said: Any = client.get(
        "/tickets/eligibility",
        query_string={"organization": place, "duty_item": world.item(QUARREL).id},
    ).json
    assert (said["verdict"], said["may_blow"]) == ("office_decides", True)


def test_a_place_out_of_reach_matches_nothing(login: Login, world: World) -> None:
    foreign = world.place("B11").id
    world.raised("B11", "communityb", title="路灯不亮")
    world.session.commit()
    client = login("community")
    for place in (foreign, world.place("A12").id, 999999):
        assert matches(client, place, "路灯不亮")["matches"] == []
        assert similars(client, place, text="路灯不亮") == []
    page = client.get(
        "/tickets/similar",
        query_string={"organization": foreign, "text": "路灯不亮", "format": "html"},
    )
    assert "路灯" not in page.text


@pytest.mark.parametrize("who", ["handler", "unit", "auditor", "office", "leader"])
def test_only_who_may_raise_is_helped(login: Login, world: World, who: str) -> None:
    client = login(who)
    for path in ("/tickets/matches", "/tickets/similar"):
        answer = client.get(
            path, query_string={"organization": world.place("A11").id, "text": "路灯"}
        )
        assert answer.status_code in (302, 403), path


def test_similar_tickets_are_shown_with_reason_and_link(login: Login, world: World) -> None:
    ticket = world.raised(
        title="东门路灯不亮", address="人民巷 12 号", latitude=38.4872, longitude=106.2309
    )
    world.session.commit()
    client, place = login("community"), world.place("A11").id
    asked = {
        "text": "路灯坏了",
        "address": "人民巷12号",
        "latitude": "38.48792",
        "longitude": "106.2309",
    }
    (found,) = similars(client, place, **asked)
    assert found["reasons"] == ["相似度高", "同一地点", "相距约 80 米"]
    assert found["url"] == f"/tickets/show/{ticket.id}"
    assert similars(client, place, exclude=ticket.id, **asked) == []
    page = client.get(
        "/tickets/similar", query_string={"organization": place, "format": "html"} | asked
    ).text
    assert f'href="/tickets/show/{ticket.id}"' in page
    assert "相距约 80 米" in page
    assert "留言补充" in page


def test_the_form_knows_where_to_ask(login: Login, world: World) -> None:
    page = login("community").get("/tickets/add").text
    assert 'data-matches="/tickets/matches"' in page
    assert 'data-similar="/tickets/similar"' in page
    draft = world.draft()
    world.session.commit()
    page = login("community").get(f"/tickets/edit/{draft.id}").text
    assert f'data-similar="/tickets/similar?exclude={draft.id}"' in page


def test_titles_are_shown_as_text(login: Login, world: World) -> None:
    world.raised(title="<b>路灯</b>不亮")
    world.session.commit()
    page = (
        login("community")
        .get(
            "/tickets/similar",
            query_string={
                "organization": world.place("A11").id,
                "text": "路灯不亮",
                "format": "html",
            },
        )
        .text
    )
    assert "<b>路灯" not in page
    assert "&lt;b&gt;路灯" in page


def test_hostile_questions_get_an_answer(login: Login, world: World) -> None:
    client, place = login("community"), world.place("A11").id
    for form in ("html", "json"):
        for text in TEXTS:
            for path in ("/tickets/matches", "/tickets/similar"):
                query = {"organization": place, "text": text, "address": text, "format": form}
                assert client.get(path, query_string=query).status_code == 200, (path, text)
        for number in NUMBERS:
            query = {
                "organization": number, "text": "路灯", "latitude": number, "longitude": number,
                "exclude": number, "emergency": number, "format": form,
            }  # fmt: skip
            for path in ("/tickets/matches", "/tickets/similar"):
                assert client.get(path, query_string=query).status_code == 200, (path, number)
                near = query | {"organization": place}
                assert client.get(path, query_string=near).status_code == 200, (path, number)
