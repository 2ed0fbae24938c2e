"""Forgery: with the protection on, as in production, nothing is posted without the page's token."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

import config
from app import create_app
from tests.conftest import PASSWORD, Settings, close
from tests.views.pages import errors_of, record_form, step_forms
from tests.views.routes import rules
from tests.views.stage import Stage, Watch

REFUSED = "页面停留太久或登录已改变，请刷新后重新提交。"


@pytest.fixture(scope="module")
def guarded(stage: Stage) -> Iterator[Flask]:
    """The stage's application with the protection that the tests' settings leave off."""
    settings = Settings(f"sqlite:///{stage.path}", stage.path.parent)
    settings.WTF_CSRF_ENABLED = True
    app = create_app(settings)
    yield app
    close(app)


def logged_in(app: Flask, username: str) -> FlaskClient:
    """Log in as a browser does: with the token of the page."""
    client = app.test_client()
    form = record_form(client.get("/login/").text)
    answer = client.post("/login/", data=form.data(username=username, password=PASSWORD))
    assert answer.status_code == 302
    return client


def test_production_has_it_on() -> None:
    for kind in (config.Config, config.Production):
        assert getattr(kind, "WTF_CSRF_ENABLED", True) is True
        assert getattr(kind, "WTF_CSRF_CHECK_DEFAULT", True) is True


def test_no_route_takes_a_post_without_the_token(
    guarded: Flask, stage: Stage, watch: Watch
) -> None:
    client = logged_in(guarded, "admin")
    watch.written()
    driven = 0
    for rule in rules(guarded):
        if "POST" not in (rule.methods or ()):
            continue
        path = rule.rule.replace("<int:pk>", "1").replace("<action>", "withdraw")
        path = path.replace("<any(up, down):way>", "up").replace("<int:ticket_id>", "1")
        for data in ({}, {"csrf_token": ""}, {"csrf_token": "x"}):
            answer = client.post(path, data=data)
            assert answer.status_code == 400, f"{path}: {answer.status_code}"
            assert REFUSED in errors_of(answer.text), path
            driven += 1
    assert driven > 60
    assert not watch.written()


def test_a_log_in_needs_it_too(guarded: Flask) -> None:
    client = guarded.test_client()
    data = {"username": "office", "password": PASSWORD}
    answer = client.post("/login/", data=data)
    assert answer.status_code == 400
    assert REFUSED in errors_of(answer.text)
    assert client.get("/").status_code == 302


def test_another_session_s_token_is_none(guarded: Flask, stage: Stage, watch: Watch) -> None:
    mine, theirs = logged_in(guarded, "community"), logged_in(guarded, "township")
    show = f"/tickets/show/{stage.id('d11')}"
    form = step_forms(theirs.get(show).text)["withdraw"]
    watch.written()
    answer = mine.post(form.action, data=form.data(note="不需要了"))
    assert answer.status_code == 400
    assert REFUSED in errors_of(answer.text)
    assert not watch.written()
    own = step_forms(mine.get(show).text)["withdraw"]
    assert mine.post(own.action, data=own.data(note="不需要了")).status_code == 302


def test_what_was_written_is_given_back(guarded: Flask, stage: Stage) -> None:
    """The cookie is gone, or the account was signed out elsewhere: the text is there to be copied."""
    path, text = f"/tickets/comment/{stage.id('d11')}", "<b>已与物业联系</b>，等待答复"
    stranger = guarded.test_client().post(path, data={"text": text, "password": "不显示 1"})
    assert stranger.status_code == 400
    assert "&lt;b&gt;已与物业联系&lt;/b&gt;，等待答复</textarea>" in stranger.text
    assert "不显示" not in stranger.text
    here = logged_in(guarded, "community")
    show = f"/tickets/show/{stage.id('d11')}"
    token = re.findall(r'name="csrf_token" value="([^"]+)"', here.get(show).text)[0]
    with here.session_transaction() as kept:
        del kept["_user_id"]
    data = {"csrf_token": token, "text": "不需要了"}
    answer = here.post(path, data=data, headers={"Referer": f"http://localhost{show}"})
    assert answer.status_code == 401
    assert ">不需要了</textarea>" in answer.text
    assert f'href="/login/?next={show}"' in answer.text


def test_forms_work_with_it(guarded: Flask, stage: Stage, watch: Watch) -> None:
    client = logged_in(guarded, "party")
    path = f"/agreements/edit/{stage.id('e11')}"
    form = record_form(client.get(path).text)
    assert client.post(path, data=form.data(objectives="新目标")).status_code == 302
    page = client.get(f"/agreements/show/{stage.id('e11')}").text
    (token,) = set(record_form(client.get(path).text).data()["csrf_token"])
    assert "新目标" in page
    answer = client.post(f"/agreements/delete/{stage.id('e11')}", data={"csrf_token": token})
    assert answer.status_code == 302
    assert client.post("/logout/", data={"csrf_token": token}).status_code == 302


def test_the_language_is_kept_and_links_change_nothing_else(guarded: Flask) -> None:
    client = logged_in(guarded, "office")
    assert client.get("/lang/en").status_code == 302
    assert '<html lang="en">' in client.get("/").text
    assert client.get("/lang/zh").status_code == 302
    assert '<html lang="zh-CN">' in client.get("/").text
