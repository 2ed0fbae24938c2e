"""Addresses and query strings that nobody types by accident: a Chinese sentence, never a 500."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from tests.views.routes import KINDS, rules, view_of
from tests.views.stage import Stage

Login = Callable[[str], FlaskClient]
CHINESE = re.compile(r"[\u4e00-\u9fff]{4,}[^<]*。")
#: On PostgreSQL too: a list by number, one by texts and dates, one with relations.
FEWER_LISTS = ["/tickets/list/", "/agreements/list/"]
LISTS = [
    "/tickets/list/",
    "/agreements/list/",
    "/duty-lists/list/",
    "/duty-items/list/",
    "/organizations/list/",
    "/accounts/list/",
    "/mechanisms/list/",
    "/calendar/list/",
    "/import-batches/list/",
    "/audit/list/",
]
HUGE = "99999999999999999999"
NUMBERS = ["0", "-1", "2147483648", HUGE, "1.5", "abc", "²", "١", "", " ", "\x00"]
TEXTS = [
    "\x00",
    "%",
    "_",
    "\\",
    "'",
    "';drop table ticket;--",
    "<script>alert(1)</script>",
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    "龘" * 3000,
    "\u202e\u0000\uffff",
]


def words(text: str) -> list[str]:
    """Return the words of a text."""
    return text.split()


def cursor(*values: Any) -> str:
    """Return a cursor as a list makes it, of any values."""
    return base64.urlsafe_b64encode(json.dumps(list(values)).encode()).decode()


CURSORS = [
    "x",
    "=",
    "é",
    "\x00",
    "W10=",
    base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    base64.urlsafe_b64encode(b"[" * 5000).decode(),
    base64.urlsafe_b64encode(b"{}").decode(),
    base64.urlsafe_b64encode(b"[NaN, 1]").decode(),
    cursor(),
    cursor(1),
    cursor(1, 1, 1),
    cursor("1", 1),
    cursor(None, 1),
    cursor([], 1),
    cursor({}, 1),
    cursor(True, 1),
    cursor(1.5, 1),
    cursor(10**30, 1),
    cursor(1, 10**30),
    cursor(1, -1),
    cursor("\x00", 1),
    cursor("x" * 5000, 1),
    cursor("2026-02-30", 1),
    cursor(1, "1"),
    cursor(1, None),
]


def check(answer: TestResponse, what: str) -> None:
    """Hold an answer to a page, or to a refusal with a sentence."""
    assert answer.status_code < 500, f"{what}: {answer.status_code}"
    if answer.status_code >= 400:
        text = answer.get_data(as_text=True)
        if answer.mimetype == "application/json":
            text = json.dumps(answer.json, ensure_ascii=False)
        assert CHINESE.search(text), f"{what}: {text[:200]}"
        assert "Traceback" not in text


def ask(client: FlaskClient, path: str, **args: str) -> TestResponse:
    """Get a path with a query string and hold the answer to the rule."""
    answer = client.get(path, query_string=MultiDict(args))
    check(answer, f"{path} {args}")
    return answer


def test_ids_beyond_any_record_are_not_found(app: Flask, login: Login) -> None:
    clients = {name: login(name) for name in ("admin", "community")}
    driven = 0
    for rule in rules(app):
        if "<int:pk>" not in rule.rule:
            continue
        for method in set(rule.methods or ()) & {"GET", "POST"}:
            # The router takes every digit of Unicode for one: these are just other ways to say 1.
            for text in set(NUMBERS) - {"١"}:
                path = rule.rule.replace("<int:pk>", text.replace("\x00", "%00"))
                path = path.replace("<action>", "withdraw")
                for name, client in clients.items():
                    answer = client.open(path, method=method)
                    check(answer, f"{method} {path} as {name}")
                    said = f"{method} {path} as {name}: {answer.status_code}"
                    assert answer.status_code in (400, 403, 404, 405, 308), said
                    driven += 1
    assert driven > 500


def test_bad_cursors(login: Login, app: Flask) -> None:
    client = login("admin")
    for path in (
        LISTS if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite") else FEWER_LISTS
    ):
        bad_cursors(client, app, path)


def bad_cursors(client: FlaskClient, app: Flask, path: str) -> None:
    orders = ["", *view_of(app, _view(path)).order_columns]
    for name, by in (("after", orders), ("before", orders[-1:])):
        for token in CURSORS:
            for order in by:
                ask(client, path, **{name: token, "order": order})
        refused = ask(client, path, **{name: "x"})
        assert refused.status_code == 422
        assert "翻页地址不完整" in refused.text


def _view(path: str) -> str:
    names = {"/import-batches/list/": "ImportBatchView", "/calendar/list/": "CalendarOverrideView"}
    stem = path.split("/")[1].title().replace("-", "")
    return names.get(path) or next(name for name in KINDS if name == f"{stem.rstrip('s')}View")


def test_bad_orders_filters_and_searches(login: Login, app: Flask) -> None:
    client = login("admin")
    for path in (
        LISTS if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite") else FEWER_LISTS
    ):
        bad_questions(client, app, path)


def bad_questions(client: FlaskClient, app: Flask, path: str) -> None:
    for order in ("password", "id;--", "organization", "created_by.password", "__class__", "\x00"):
        refused = ask(client, path, order=order, direction="up")
        assert refused.status_code == 422 or order == "\x00"
        assert "排序" in refused.text or order == "\x00"
    for text in [*TEXTS, *NUMBERS]:
        ask(client, path, q=text, tab=text, direction=text)
    for name in view_of(app, _view(path)).filter_names():
        for text in [*TEXTS[:2], *NUMBERS, "2026-02-30", "99999-01-01"]:
            ask(client, path, **{name: text})
    assert ask(client, path, unknown="1", id="1", password="x", _flt_0_id="1").status_code == 200


def test_select_boxes_and_eligibility(login: Login, app: Flask) -> None:
    client = login("community")
    for text in [*TEXTS, *NUMBERS]:
        ask(client, "/tickets/options/organization", q=text)
        ask(client, "/tickets/options/duty_item", q=text)
        ask(client, "/agreements/options/unit", q=text)
        for form in ("json", "html"):
            ask(client, "/tickets/eligibility", organization=text, duty_item=text, format=form)
    for field in (
        "id",
        "status",
        "nothing",
        "parties",
        "assignments",
        "__dict__",
        "organization_id",
    ):
        assert ask(client, f"/tickets/options/{field}").status_code == 404


def test_posted_ids_that_are_none(login: Login, app: Flask) -> None:
    client = login("party")
    for text in [*TEXTS, *NUMBERS]:
        data = {"number": "协1", "community": text, "unit": text, "kind": text, "valid_from": text}
        answer = client.post("/agreements/add", data=data)
        check(answer, f"posted {text[:20]!r}")
        assert answer.status_code == (400 if "\x00" in text else 422)
        assert "invalid literal" not in answer.text


@pytest.mark.parametrize("field", ["number", "objectives", "unit_phone"])
def test_posted_texts_that_no_keyboard_makes(
    login: Login, app: Flask, field: str, world: Any
) -> None:
    client = login("party")
    data = {
        "number": "协1",
        "kind": "co_building",
        "community": world.place("A11").id,
        "unit": world.place("A-U1").id,
        "valid_from": "2026-01-01",
        "valid_until": "2027-01-01",
    }
    for text in TEXTS:
        answer = client.post("/agreements/add", data=data | {field: text})
        check(answer, f"{field} {text[:20]!r}")
        if answer.status_code == 302:
            page = client.get(answer.headers["Location"])
            assert page.status_code == 200
            assert "<script>alert" not in page.text
            data["number"] += "一"


def test_log_in_with_anything(app: Flask) -> None:
    client = app.test_client()
    for text in [*TEXTS, *NUMBERS, "office"]:
        answer = client.post("/login/", data={"username": text, "password": text})
        check(answer, f"log-in {text[:20]!r}")
        assert answer.status_code in (200, 302, 400)
        assert client.get("/", follow_redirects=True).request.path == "/login/"


def test_a_query_string_does_not_fill_in_a_form(login: Login, app: Flask, world: Any) -> None:
    unit = world.place("A-U1")
    page = login("party").get(
        f"/agreements/add?number=prefilled&unit={unit.id}&status=in_force&objectives=prefilled"
    )
    assert page.status_code == 200
    assert "prefilled" not in page.text
    assert unit.name not in page.text


text_of_queries = st.text(max_size=40) | st.integers().map(str) | st.sampled_from(CURSORS)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    path=st.sampled_from(LISTS),
    args=st.dictionaries(
        st.sampled_from(
            words(
                "q after before last order direction tab status organization valid_until_from "
                "valid_until_until kind active parent list_type"
            )
        ),
        text_of_queries,
        max_size=4,
    ),
)
def test_any_query_string(stage: Stage, path: str, args: dict[str, str]) -> None:
    clean = {name: text.encode("utf-8", "replace").decode() for name, text in args.items()}
    ask(stage.client("admin"), path, **clean)
