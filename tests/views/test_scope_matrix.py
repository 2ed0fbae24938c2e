"""Every account on every route, against what is its own, a sibling's and another county's.

What is due stands in ``expectations``, how a route is driven in ``routes``. No page, error page,
select box, count, related list or search may contain the mark of a record that the reader may not
see.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.views import expectations as due
from tests.views.pages import count_text, record_form, row_ids, text_of
from tests.views.routes import KINDS, PUBLIC, Try, UnknownRoute, rules, tries
from tests.views.stage import PEOPLE, Stage, Watch, mark

#: Where a list shows the marks, and so can be searched for them.
SEARCHED = {
    "/tickets/list/": "ticket",
    "/agreements/list/": "agreement",
    "/duty-lists/list/": "duty_list",
    "/duty-items/list/": "duty_item",
    "/import-batches/list/": "import_batch",
    "/accounts/list/": "account",
    "/resources/list/": "resource",
    "/needs/list/": "need",
    "/services/list/": "service_project",
    "/sessions/list/": "service_session",
    "/check-ins/list/": "check_in",
    "/check-in-activities/list/": "check_in_activity",
    "/supervisions/list/": "supervision",
    "/problems/list/": "recurring_problem",
    "/meetings/list/": "coordination_meeting",
    "/decisions/list/": "meeting_decision",
}
#: Nothing in these needs a mark, or takes one: names and numbers.
UNMARKED = ("mechanism", "organization", "supervision_rule")


def test_the_table_speaks_of_everybody_on_the_stage() -> None:
    assert sorted(PEOPLE) == sorted(due.EVERYBODY.split())


def leaks(stage: Stage, account: str, answer: TestResponse) -> list[str]:
    """Return the names of hidden records whose mark stands in an answer."""
    text = text_of(answer) + answer.headers.get("Location", "")
    hidden = set(stage.records) - due.visible(account)
    return sorted(name for name in hidden if mark(name) in text)


def send(client: FlaskClient, attempt: Try) -> TestResponse:
    """Make one request of the matrix."""
    return client.open(
        attempt.path, method=attempt.method, data=attempt.data or None, buffered=True
    )


def reads(stage: Stage, account: str) -> Iterator[Try]:
    for rule in rules(stage.app):
        for attempt in tries(stage, rule, account):
            if attempt.method == "GET":
                yield attempt


def writes(stage: Stage, account: str) -> Iterator[Try]:
    for rule in rules(stage.app):
        for attempt in tries(stage, rule, account):
            if attempt.method != "GET":
                yield attempt


@pytest.mark.parametrize("account", PEOPLE)
def test_reading(stage: Stage, watch: Watch, account: str) -> None:
    client = stage.client(account)
    watch.written()
    wrong = []
    for attempt in reads(stage, account):
        answer = send(client, attempt)
        if answer.status_code not in attempt.due:
            wrong.append(f"{attempt.path} {attempt.name}: {answer.status_code}, due {attempt.due}")
        if found := leaks(stage, account, answer):
            wrong.append(f"{attempt.path} {attempt.name} shows {found}")
        if attempt.name in due.visible(account) and answer.status_code == 200:
            text = text_of(answer)
            named = stage.records[attempt.name][0] not in UNMARKED
            if named and answer.mimetype == "text/html" and mark(attempt.name) not in text:
                wrong.append(f"{attempt.path} does not show {attempt.name}")
    assert not wrong, "\n".join(wrong)
    assert not watch.written(), "reading wrote to the database"


@pytest.mark.parametrize("account", PEOPLE)
def test_lists_show_exactly_what_is_in_scope(stage: Stage, account: str) -> None:
    client = stage.client(account)
    for path, kind in SEARCHED.items():
        names = due.READ[kind].get(account)
        if names is None:
            continue
        page = client.get(f"{path}?q=zq").text
        wanted = {stage.id(name) for name in names}
        assert set(row_ids(page)) == wanted, f"{path} for {account}"
        assert count_text(page) == (str(len(wanted)) if wanted else None)


def filled(stage: Stage, attempt: Try) -> Try:
    """Return an edit as somebody who may make it would post it: the whole form, one word changed."""
    kind = next(kind for kind in due.EDIT if attempt.name in stage.of(kind))
    for other, names in due.EDIT[kind].items():
        if attempt.name in names and attempt.name not in due.LOCKED:
            form = record_form(stage.client(other).get(attempt.path).text)
            texts = (
                "content",
                "objectives",
                "superior_duty",
                "remarks",
                "note",
                "post",
                "title",
                "name",
                "text",
                "matter",
            )
            changed = next((name for name in texts if name in form.names), None)
            changes = {changed: "改过的文字"} if changed else {}
            if kind == "organization":
                changes = {"remarks": "改过的文字"}
            if kind == "supervision_rule":
                changes = {"near_hours": "36"}
            return Try(
                attempt.method, attempt.path, attempt.due, form.data(**changes), attempt.name
            )
    return attempt


@pytest.mark.parametrize("account", PEOPLE)
def test_writing(stage: Stage, watch: Watch, account: str) -> None:
    client = stage.client(account)
    wrong = []
    for planned in writes(stage, account):
        attempt = filled(stage, planned) if "/edit/" in planned.path else planned
        watch.written()
        answer = send(client, attempt)
        written = watch.written()
        if answer.status_code not in attempt.due:
            said = f"{answer.status_code}, due {attempt.due}"
            wrong.append(f"{attempt.method} {attempt.path} {attempt.name}: {said}")
        if found := leaks(stage, account, answer):
            wrong.append(f"{attempt.method} {attempt.path} {attempt.name} shows {found}")
        if written != (answer.status_code == 302):
            wrong.append(f"{attempt.path} {attempt.name}: {answer.status_code}, written: {written}")
        if written:
            watch.restore()
    assert not wrong, "\n".join(wrong)


def test_nothing_is_for_strangers(stage: Stage, watch: Watch) -> None:
    stranger = stage.app.test_client()
    driven = 0
    for rule in rules(stage.app):
        if rule.endpoint in PUBLIC:
            continue
        paths = {(t.method, t.path) for t in tries(stage, rule, "admin")}
        paths |= {(t.method, t.path) for t in tries(stage, rule, "community")}
        assert {method for method, _path in paths} >= set(rule.methods or ()) - {
            "HEAD",
            "OPTIONS",
            "POST",
        }
        for method, path in paths:
            driven += 1
            answer = stranger.open(path, method=method, buffered=True)
            if answer.status_code in (301, 302):
                assert answer.headers["Location"].startswith("/login/"), path
            else:
                assert answer.status_code in (401, 403), f"{method} {path}: {answer.status_code}"
            assert "qz" not in answer.text, path
    assert driven > 200
    assert not watch.written()


def test_public_routes_lead_to_login_or_show_nothing(stage: Stage) -> None:
    stranger = stage.app.test_client()
    for path in ("/back", "/lang/zh", "/lang/en"):
        answer = stranger.get(path, follow_redirects=True)
        assert answer.request.path == "/login/", path
        assert "qz" not in answer.text
    assert stranger.get("/lang/xx").status_code == 404
    assert stranger.get("/static/../config.py").status_code == 404
    assert stranger.get("/static/..%2fconfig.py").status_code == 404
    assert stranger.get("/logout/").status_code == 405


def test_a_new_route_must_be_made_known(stage: Stage) -> None:
    """The matrix refuses what it cannot drive, instead of leaving it out."""
    other = Flask("other")
    other.add_url_rule("/tickets/nowhere/", "TicketView.nowhere")
    other.add_url_rule("/visits/list/", "VisitView.list")
    for rule in rules(other):
        if rule.endpoint != "static":
            with pytest.raises(UnknownRoute, match=rule.endpoint):
                list(tries(stage, rule, "admin"))


def test_every_view_of_records_is_in_the_table(stage: Stage) -> None:
    views = stage.app.extensions["appbuilder"].baseviews
    named = {type(view).__name__ for view in views if hasattr(view, "list_columns")}
    assert named == set(KINDS)
    assert set(KINDS.values()) == set(due.READ)
