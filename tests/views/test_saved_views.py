"""Kept filters: one's own alone, of every list, and never trusted when they are opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.saved_view import SavedView
from views.kept_lists import MOST

LIST = "/tickets/list/"


def keep(client: FlaskClient, name: str, query: str, view: str = "TicketView") -> Any:
    """Keep a list's filters under a name."""
    return client.post("/saved-views/keep", data={"view": view, "name": name, "query": query})


def kept(session: Session) -> dict[str, str]:
    session.rollback()
    return {each.name: each.query for each in session.scalars(select(SavedView))}


def test_filters_are_kept_shown_renamed_and_removed(
    session: Session, login: Callable[[str], FlaskClient]
) -> None:
    client = login("office")
    asked = f"{LIST}?tab=overdue&q=路灯"
    assert "存为常用" in client.get(asked).text
    assert "存为常用" not in client.get(LIST).text
    answer = keep(client, "  超期 路灯 ", "tab=overdue&q=路灯&after=zzz&page=3&x=1")
    assert answer.status_code == 302
    assert kept(session) == {"超期 路灯": "q=%E8%B7%AF%E7%81%AF&tab=overdue"}
    page = client.get(LIST).text
    assert "超期 路灯" in page
    shown = client.get(asked).text
    assert 'aria-current="true"' in shown[shown.index('class="chips"') :][:600]
    assert "存为常用" not in shown
    number = session.scalars(select(SavedView.id)).one()
    opened = client.get(f"/saved-views/show/{number}")
    assert opened.location == f"{LIST}?q=%E8%B7%AF%E7%81%AF&tab=overdue"
    assert "超期 路灯" in client.get("/saved-views/list/").text
    renamed = client.post(f"/saved-views/edit/{number}", data={"name": "夜里", "version": "1"})
    assert renamed.status_code == 302
    assert list(kept(session)) == ["夜里"]
    assert client.post(f"/saved-views/delete/{number}").status_code == 302
    assert kept(session) == {}


def test_another_list_has_its_own(session: Session, login: Callable[[str], FlaskClient]) -> None:
    client = login("party")
    assert keep(client, "草稿", "status=draft&tab=", "AgreementView").status_code == 302
    assert keep(client, "草稿", "q=礼堂", "ResourceView").status_code == 302
    assert "草稿" in client.get("/resources/list/").text
    with_chip = client.get("/agreements/list/").text
    assert "/agreements/list/?status=draft" in with_chip


def test_others_neither_see_nor_touch_them(
    session: Session, login: Callable[[str], FlaskClient]
) -> None:
    keep(login("office"), "我的秘密", "tab=overdue")
    number = session.scalars(select(SavedView.id)).one()
    other = login("returns")
    assert "我的秘密" not in other.get(LIST).text
    assert "我的秘密" not in other.get("/saved-views/list/").text
    for path in ("show", "edit"):
        assert other.get(f"/saved-views/{path}/{number}").status_code == 404
    assert other.post(f"/saved-views/delete/{number}").status_code == 404
    answer = other.post(f"/saved-views/edit/{number}", data={"name": "x", "version": "1"})
    assert answer.status_code == 404
    assert list(kept(session)) == ["我的秘密"]


def test_what_is_stored_is_not_trusted(
    session: Session, world: Any, login: Callable[[str], FlaskClient]
) -> None:
    stored = 'tab=overdue&next=//evil.example&after=xx&q="><script>&client_key=1'
    account = world.account("office")
    session.add(SavedView(account_id=account.id, view="TicketView", name="<b>坏</b>", query=stored))
    session.add(SavedView(account_id=account.id, view="NoView", name="无", query="q=1"))
    session.commit()
    client = login("office")
    page = client.get(LIST).text
    assert '<script>"' not in page
    assert "evil" not in page
    assert "&lt;b&gt;坏" in page
    ids = dict(session.execute(select(SavedView.view, SavedView.id)).all())
    opened = client.get(f"/saved-views/show/{ids['TicketView']}")
    assert opened.location.startswith(f"{LIST}?q=")
    assert "after" not in opened.location
    assert client.get(f"/saved-views/show/{ids['NoView']}").status_code == 404


@pytest.mark.parametrize(
    ("name", "query", "view", "status"),
    [
        ("", "tab=overdue", "TicketView", 422),
        ("   ", "tab=overdue", "TicketView", 422),
        ("长" * 41, "tab=overdue", "TicketView", 422),
        ("空", "", "TicketView", 422),
        ("空", "after=xyz&secret=1", "TicketView", 422),
        ("别的", "q=1", "NoView", 404),
        ("别的", "q=1", "MechanismImportView", 404),
    ],
)
def test_what_cannot_be_kept_is_refused(
    session: Session,
    login: Callable[[str], FlaskClient],
    name: str,
    query: str,
    view: str,
    status: int,
) -> None:
    assert keep(login("office"), name, query, view).status_code == status
    assert kept(session) == {}


def test_names_are_told_apart_and_few(
    session: Session, login: Callable[[str], FlaskClient]
) -> None:
    client = login("office")
    for number in range(MOST):
        assert keep(client, f"第{number}个", f"q=路灯{number}").status_code == 302
    answer = keep(client, "再来一个", "q=井盖")
    assert answer.status_code == 422
    assert "最多保存" in answer.text
    assert keep(client, "第1个", "q=井盖").status_code == 422
    assert len(kept(session)) == MOST


def test_a_list_out_of_reach_is_not_kept(login: Callable[[str], FlaskClient]) -> None:
    assert keep(login("handler"), "账号", "q=张", "AccountView").status_code == 404
