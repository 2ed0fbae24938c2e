"""The ledger's ready-made filters: what each holds, and that its number is the list's own."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models.base import utcnow
from models.ticket import Theme, Ticket, TicketStatus
from rules import search
from tests.factories.roads import brought_to
from tests.views.pages import count_text, link, row_ids
from views.ticket_list import TicketList

ACCOUNTS = ("office", "township", "community", "handler", "admin", "officeb")
LIST = "/tickets/list/"


@pytest.fixture
def tickets(session: Session, world: Any) -> dict[str, int]:
    """A ticket in every state, and some that are late, near their deadline, supervised."""
    made = {status.value: brought_to(world, status) for status in TicketStatus}
    now, hour = utcnow(), dt.timedelta(hours=1)
    made["soon"] = brought_to(world, TicketStatus.ACCEPTED)
    made["soon"].next_warn, made["soon"].next_due = now - hour, now + hour
    made["late"] = brought_to(world, TicketStatus.ACCEPTED)
    made["late"].next_warn, made["late"].next_due = now - 2 * hour, now - hour
    made["late"].supervised_at = now
    made["late"].title, made["late"].address = "桥头路灯不亮", "胜利桥"
    session.commit()
    return {name: each.id for name, each in made.items()}


def shown(client: FlaskClient, query: str) -> list[int]:
    """Return the tickets of a list's first page."""
    answer = client.get(f"{LIST}?{query}")
    assert answer.status_code == 200, query
    return row_ids(answer.text)


def counts(client: FlaskClient, query: str = "") -> dict[str, int]:
    """Return the numbers behind the tabs."""
    answer = client.get(f"/tickets/counts?{query}")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private, max-age=15"
    assert answer.json is not None
    return {name: int(text) for name, text in answer.json.items()}


@pytest.mark.parametrize("query", ["", "q=路灯", "theme=livelihood&q=0001", "organization=4"])
def test_the_numbers_are_the_lists(
    tickets: dict[str, int], login: Callable[[str], FlaskClient], query: str
) -> None:
    assert tickets
    for account in ACCOUNTS:
        client = login(account)
        found = counts(client, query)
        assert set(found) == {name for name, _label, _test in TicketList.tabs}
        for tab, number in found.items():
            page = client.get(f"{LIST}?tab={tab}&{query}").text
            told = count_text(page)
            assert len(row_ids(page)) == min(number, 25), f"{account} {tab}"
            assert told is None or int(told) == number, f"{account} {tab}"


def test_each_tab_holds_its_own(
    tickets: dict[str, int], login: Callable[[str], FlaskClient]
) -> None:
    office = login("office")
    late = tickets["late"]
    assert shown(office, "tab=overdue") == [late]
    assert shown(office, "tab=soon") == [tickets["soon"]]
    assert shown(office, "tab=supervised") == [late]
    assert shown(office, "tab=local") == [tickets["local"]]
    assert shown(office, "tab=merged") == [tickets["merged"]]
    assert shown(office, "tab=return") == [tickets["return_pending"]]
    assert tickets["reopened"] in shown(office, "tab=reopened")
    assert tickets["closed"] not in shown(office, "tab=open")
    assert tickets["draft"] not in shown(office, "tab=open")
    assert shown(office, "tab=mine") == []
    community = login("community")
    assert tickets["accepted"] in shown(community, "tab=mine")
    assert set(shown(community, "tab=unit")) == set(shown(community, ""))
    handler = login("handler")
    assert shown(handler, "tab=mine") == []
    assert tickets["accepted"] in shown(handler, "tab=unit")


def test_a_draft_is_its_makers(
    session: Session, world: Any, login: Callable[[str], FlaskClient]
) -> None:
    """The system has made one; the community another, on the form's way."""
    others = world.draft().id
    session.commit()
    client = login("community")
    assert others in shown(client, "")
    assert others not in shown(client, "tab=mine")


def test_filters_narrow_and_stay(
    tickets: dict[str, int], session: Session, world: Any, login: Callable[[str], FlaskClient]
) -> None:
    office = login("office")
    township, other = world.place("A1").id, world.place("A2").id
    everything = shown(office, "")
    assert shown(office, f"area={township}") == everything
    assert shown(office, f"area={other}") == []
    assert shown(office, "paper=1") == []
    today = (utcnow() + dt.timedelta(hours=8)).date()
    raised = shown(office, f"raised_at_from={today}&raised_at_until={today}")
    assert tickets["accepted"] in raised
    assert tickets["draft"] not in raised
    assert shown(office, f"raised_at_from={today + dt.timedelta(days=1)}") == []
    assert set(shown(office, "item=路灯")) <= set(everything)
    page = office.get(f"{LIST}?tab=work&area={township}&channel=patrol").text
    tabs = re.findall(r'data-tab="(\w+)"', page)
    assert tabs == [name for name, _label, _test in TicketList.tabs]
    assert (
        f"area={township}&amp;channel=patrol" in page
        or f"channel=patrol&amp;area={township}" in page
    )
    places = office.get("/tickets/options/area?q=甲").json
    assert places is not None
    assert {each["text"] for each in places["results"]} >= {"甲一镇", "甲二镇"}


@pytest.mark.parametrize(
    "query", ["area=x", "raised_at_from=yesterday", "channel=pigeon", "paper=2x"]
)
def test_what_a_filter_cannot_be_is_refused(
    login: Callable[[str], FlaskClient], query: str
) -> None:
    answer = login("office").get(f"{LIST}?{query}")
    assert answer.status_code in (200, 422)
    if query != "paper=2x":
        assert answer.status_code == 422


@pytest.mark.parametrize(
    "text", ["路灯", "桥头路灯", "胜利", "0001", "%", "_路", "'", '"', "OR 1", "灯*"]
)
def test_a_search_shows_what_contains_the_text(
    tickets: dict[str, int], session: Session, login: Callable[[str], FlaskClient], text: str
) -> None:
    client = login("office")
    found = client.get(LIST, query_string={"q": text}).text
    late = tickets["late"] in row_ids(found)
    assert late == (text in "桥头路灯不亮" or text in "胜利桥")
    assert tickets["late"] not in row_ids(login("officeb").get(LIST, query_string={"q": text}).text)


def test_the_numbers_are_for_readers(app: Flask, login: Callable[[str], FlaskClient]) -> None:
    assert app.test_client().get("/tickets/counts").status_code == 302
    assert login("party").get("/tickets/counts").status_code in (302, 403)


def test_one_character_is_sought_among_the_newest(
    tickets: dict[str, int],
    login: Callable[[str], FlaskClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = login("office")
    assert tickets["late"] in shown(client, "q=桥")
    assert "再写一个字" not in client.get(f"{LIST}?q=桥").text
    monkeypatch.setattr(search, "NEAR_ONE", 2)
    page = client.get(f"{LIST}?q=亮").text
    assert "再写一个字" in page
    assert len(row_ids(page)) <= 2


def test_a_search_goes_on_beyond_the_newest(
    session: Session,
    world: Any,
    login: Callable[[str], FlaskClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is rare among the newest is found by the index, page by page."""
    monkeypatch.setattr(search, "NEAR", 5)
    rare = [world.draft(title=f"第{number}处塌陷").id for number in range(30)]
    for number in range(10):
        world.draft(title=f"第{number}处积水")
    session.commit()
    client = login("office")
    first = client.get(f"{LIST}?q=塌陷").text
    assert row_ids(first) == rare[:4:-1]
    assert count_text(first) == "30"
    following = link(first, "下一页")
    assert following is not None
    second = client.get(following).text
    assert row_ids(second) == rare[4::-1]
    back = link(second, "上一页")
    assert back is not None
    assert row_ids(client.get(back).text) == rare[:4:-1]
    assert row_ids(client.get(f"{LIST}?q=塌陷&last=1").text) == rare[24::-1]


def test_a_common_state_is_walked_page_by_page(
    session: Session,
    world: Any,
    login: Callable[[str], FlaskClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Within the newest while they fill the page, beyond them where they do not."""
    monkeypatch.setattr(search, "NEAR", 40)
    made = [world.draft(title=f"第{number}件").id for number in range(70)]
    for number in (10, 30, 50):
        session.get_one(Ticket, made[number]).theme = Theme.CARE
    session.commit()
    client = login("office")
    wanted = [each for at, each in enumerate(made) if at not in (10, 30, 50)][::-1]
    html = client.get(f"{LIST}?theme=livelihood").text
    assert count_text(html) == "38+"
    pages = [row_ids(html)]
    while (following := link(html, "下一页")) is not None:
        html = client.get(following).text
        pages.append(row_ids(html))
    assert [each for page in pages for each in page] == wanted
    html = client.get(f"{LIST}?theme=livelihood&last=1").text
    back = [row_ids(html)]
    while (previous := link(html, "上一页")) is not None:
        html = client.get(previous).text
        back.append(row_ids(html))
    assert [each for page in back[::-1] for each in page] == wanted
    assert shown(client, "theme=care") == [made[50], made[30], made[10]]
