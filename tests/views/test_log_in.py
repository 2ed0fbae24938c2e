"""Logging in and out, lock-out, passwords, and sessions that end when they should."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from models.account import Account
from models.base import utcnow
from tests.conftest import PASSWORD
from tests.factories.world import World
from tests.views.pages import errors_of, record_form

Login = Callable[[str], FlaskClient]
on_sqlite = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def attempt(app: Flask, username: str, password: str) -> tuple[FlaskClient, TestResponse]:
    """Try to log in, and follow to the page that is shown."""
    client = app.test_client()
    data = {"username": username, "password": password}
    return client, client.post("/login/", data=data, follow_redirects=True)


def inside(client: FlaskClient) -> bool:
    """Tell whether a client is logged in."""
    answer = client.get("/")
    assert answer.status_code in (200, 302)
    return answer.status_code == 200


def account(session: Session, username: str) -> Account:
    """Return an account as it stands in the database now."""
    session.expire_all()
    return World(session).account(username)


def test_a_log_in_leads_home(app: Flask, session: Session) -> None:
    client, page = attempt(app, "office", PASSWORD)
    assert page.request.path == "/"
    assert "office，您好" in page.text
    assert inside(client)
    assert account(session, "office").login_count == 1


@on_sqlite
@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("office", "wrong-pass-1"),
        ("nobody", PASSWORD),
        ("office", ""),
        ("", PASSWORD),
        ("office", PASSWORD + " "),
        ("office", PASSWORD.upper()),
        ("OFFICE ", PASSWORD),
        ("%", PASSWORD),
        ("office' OR '1'='1", "x' OR '1'='1"),
    ],
)
def test_a_refused_log_in_says_no_more_than_that(app: Flask, username: str, password: str) -> None:
    client, page = attempt(app, username, password)
    assert page.request.path == "/login/"
    assert not inside(client)
    said = errors_of(page.text)
    assert re.search(r"[\u4e00-\u9fff]{4,}", said)
    assert "不存在" not in said, "it must not tell which names exist"


def test_five_failures_lock_an_account(app: Flask, session: Session) -> None:
    for _time in range(5):
        _client, page = attempt(app, "office", "wrong-pass-1")
        assert "锁定" not in errors_of(page.text)
    locked = account(session, "office").locked_until
    assert locked is not None
    assert dt.timedelta(minutes=14) < locked - utcnow() <= dt.timedelta(minutes=15)

    client, page = attempt(app, "office", PASSWORD)
    assert not inside(client), "the right password does not open a locked account"
    assert "账号已锁定到" in errors_of(page.text)
    assert inside(attempt(app, "community", PASSWORD)[0]), "others are not locked out"


@pytest.mark.parametrize("name", ["office", "office@example.invalid"])
def test_a_lock_has_no_back_door(app: Flask, session: Session, name: str) -> None:
    """The name may be the account's or its e-mail address: counted and locked alike."""
    for number in range(5):
        attempt(app, ("office", "office@example.invalid")[number % 2], "wrong-pass-1")
    client, page = attempt(app, name, PASSWORD)
    assert not inside(client)
    assert "账号已锁定到" in errors_of(page.text)


def test_a_lock_ends_by_itself(app: Flask, session: Session) -> None:
    for _time in range(5):
        attempt(app, "office", "wrong-pass-1")
    account(session, "office").locked_until = utcnow() - dt.timedelta(seconds=1)
    session.commit()
    attempt(app, "office", "wrong-pass-1")
    assert inside(attempt(app, "office", PASSWORD)[0]), "one failure after the lock is one failure"
    assert account(session, "office").locked_until is None
    assert account(session, "office").fail_login_count == 0


@on_sqlite
def test_a_success_starts_the_count_anew(app: Flask, session: Session) -> None:
    for _round in range(2):
        for _time in range(4):
            attempt(app, "office", "wrong-pass-1")
        assert inside(attempt(app, "office", PASSWORD)[0])


@on_sqlite
def test_an_inactive_account_is_nobody(app: Flask, session: Session, login: Login) -> None:
    client = login("office")
    account(session, "office").active = False
    session.commit()
    assert not inside(client), "its sessions end"
    assert not inside(attempt(app, "office", PASSWORD)[0])


@on_sqlite
def test_roles_that_were_taken_away_count_at_once(
    app: Flask, session: Session, login: Login
) -> None:
    client = login("office")
    assert client.get("/tickets/list/").status_code == 200
    account(session, "office").roles = []
    session.commit()
    assert client.get("/tickets/list/").status_code == 403


def copied(app: Flask, client: FlaskClient) -> FlaskClient:
    """Return a client with a copy of another's cookie."""
    cookie = client.get_cookie("chuishao")
    assert cookie is not None
    thief = app.test_client()
    thief.set_cookie("chuishao", cookie.value)
    return thief


def test_logging_out_ends_copied_cookies_too(app: Flask, login: Login) -> None:
    client = login("office")
    thief = copied(app, client)
    assert inside(thief)
    answer = client.post("/logout/", follow_redirects=True)
    assert answer.request.path == "/login/"
    assert "您已退出登录" in answer.text
    assert not inside(client)
    assert not inside(thief)


@on_sqlite
def test_a_link_logs_nobody_out(app: Flask, login: Login) -> None:
    client = login("office")
    for method in ("get", "head"):
        assert getattr(client, method)("/logout/").status_code == 405
    assert inside(client)
    assert app.test_client().post("/logout/").status_code == 302, "a stranger may, in vain"


@on_sqlite
def test_a_forged_cookie_is_nobody(app: Flask, login: Login) -> None:
    client = login("office")
    cookie = client.get_cookie("chuishao")
    assert cookie is not None
    for value in (cookie.value[:-2], "x" + cookie.value, "", "." * 40):
        forged = app.test_client()
        forged.set_cookie("chuishao", value)
        assert not inside(forged)


@on_sqlite
def test_the_cookie_is_kept_from_scripts_and_other_sites(app: Flask) -> None:
    answer = app.test_client().post("/login/", data={"username": "office", "password": PASSWORD})
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


NEW = "neues-Wort-2026"


def change(client: FlaskClient, **data: Any) -> TestResponse:
    """Post the form for one's own password."""
    form = record_form(client.get("/my-password/").text)
    assert form.names >= {"old", "new", "again"}
    values = {"old": PASSWORD, "new": NEW, "again": NEW} | data
    return client.post("/my-password/", data=form.data(**values))


def test_a_new_password_ends_the_other_sessions(app: Flask, login: Login) -> None:
    client, other = login("office"), login("office")
    answer = change(client)
    assert answer.status_code == 302
    assert inside(client), "one's own session goes on"
    assert not inside(other)
    assert not inside(attempt(app, "office", PASSWORD)[0])
    assert inside(attempt(app, "office", NEW)[0])


@on_sqlite
@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"old": "wrong-pass-1"}, "原密码不对"),
        ({"old": ""}, "请填写原密码"),
        ({"new": "", "again": ""}, "请填写新密码"),
        ({"again": "something-2026"}, "两次输入的新密码不一致"),
        ({"new": "short-1", "again": "short-1"}, "密码至少 10 位"),
        ({"new": "onlyletters", "again": "onlyletters"}, "同时含有字母和数字"),
        ({"new": "1234567890", "again": "1234567890"}, "同时含有字母和数字"),
    ],
)
def test_a_password_that_is_refused(
    app: Flask, login: Login, data: dict[str, str], sentence: str
) -> None:
    client, other = login("office"), login("office")
    answer = change(client, **data)
    assert answer.status_code == 422
    assert sentence in errors_of(answer.text)
    assert PASSWORD not in answer.text, "a password is not sent back"
    assert inside(other)
    assert inside(attempt(app, "office", PASSWORD)[0])


@on_sqlite
def test_an_administrator_sets_a_password(app: Flask, login: Login, session: Session) -> None:
    admin, office = login("admin"), login("office")
    path = f"/accounts/edit/{account(session, 'office').id}"
    form = record_form(admin.get(path).text)
    assert form.data()["password"] == [""]
    weak = admin.post(path, data=form.data(password="short-1"))
    assert weak.status_code == 422
    assert "密码至少 10 位" in errors_of(weak.text)
    assert inside(office)
    assert admin.post(path, data=form.data(password=NEW)).status_code == 302
    assert not inside(office)
    assert inside(attempt(app, "office", NEW)[0])
    kept = record_form(admin.get(path).text)
    assert admin.post(path, data=kept.data(last_name="王五")).status_code == 302
    assert inside(attempt(app, "office", NEW)[0]), "an empty field changes no password"


@on_sqlite
def test_a_new_account_needs_a_password(login: Login, session: Session) -> None:
    admin = login("admin")
    form = record_form(admin.get("/accounts/add").text)
    place = World(session).place("A11").id
    data = form.data(username="neu", last_name="新人", organization=place, active="y")
    answer = admin.post("/accounts/add", data=data)
    assert answer.status_code == 422
    assert "必须设置密码" in errors_of(answer.text)
    answer = admin.post("/accounts/add", data=data | {"password": [NEW], "username": ["office"]})
    assert answer.status_code == 422
    assert "已被使用" in errors_of(answer.text)
    answer = admin.post(
        "/accounts/add", data=data | {"password": [NEW], "role_names": ["community_staff"]}
    )
    assert answer.status_code == 302
    assert NEW not in admin.get(answer.headers["Location"]).text
    assert [role.name for role in account(session, "neu").roles] == ["community_staff"]


ELSEWHERE = [
    "http://evil.example/",
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "http://localhost.evil.example/",
    "http://localhost@evil.example/",
    "/%09/evil.example",
    "\t//evil.example",
    "http:///evil.example",
]


@on_sqlite
def test_next_leads_nowhere_else(app: Flask, login: Login) -> None:
    for target in ELSEWHERE:
        for logged_in in (False, True):
            client = login("office") if logged_in else app.test_client()
            data = {"username": "office", "password": PASSWORD}
            answer = client.post("/login/", query_string={"next": target}, data=data)
            assert answer.status_code == 302
            location = answer.headers["Location"]
            # As browsers read it: blanks within go, and a backslash is a slash.
            read = re.sub(r"[\t\r\n]", "", location).replace("\\", "/")
            assert urlsplit(urljoin("http://localhost/login/", read)).netloc == "localhost", target


@on_sqlite
def test_next_leads_back_to_the_page_that_was_asked_for(app: Flask) -> None:
    client = app.test_client()
    asked = client.get("/tickets/list/?tab=work")
    assert asked.status_code == 302
    data = {"username": "office", "password": PASSWORD}
    answer = client.post(asked.headers["Location"], data=data, follow_redirects=True)
    assert answer.request.path == "/tickets/list/"
    assert answer.request.args["tab"] == "work"
