"""Serving: on this machine only, and with a proxy's word on HTTPS only where HTTPS is set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import waitress
from flask import Flask
from waitress.adjustments import Adjustments
from waitress.proxy_headers import proxy_headers_middleware
from werkzeug.test import Client, TestResponse

from cli import sweep
from cli.server import serve
from tests.conftest import Backend

FORWARDED = {"Host": "hall.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "10.0.0.9"}


@pytest.fixture
def app(sqlite: Backend) -> Iterator[Flask]:
    yield sqlite.app
    sqlite.app.config["SESSION_COOKIE_SECURE"] = False


def settings(app: Flask, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return what waitress was started with."""
    seen: dict[str, Any] = {}
    monkeypatch.setattr(waitress, "serve", lambda app, **given: seen.update(given))
    monkeypatch.setattr(sweep, "start_clock", lambda app: seen.update(clock=app))
    result = app.test_cli_runner().invoke(serve)
    assert result.exit_code == 0, result.output
    assert seen.pop("clock") is app, "the hourly sweep starts with the server"
    return seen


def ask(app: Flask, given: dict[str, Any], came_from: str = "127.0.0.1") -> TestResponse:
    """Return the answer to somebody who is not logged in, as waitress would pass it on."""
    known = Adjustments(**given)
    behind = proxy_headers_middleware(
        app,
        trusted_proxy=known.trusted_proxy,
        trusted_proxy_count=known.trusted_proxy_count,
        trusted_proxy_headers=known.trusted_proxy_headers,
        clear_untrusted=known.clear_untrusted_proxy_headers,
    )
    address = {"REMOTE_ADDR": came_from}
    return Client(behind).get("/tickets/list/", headers=FORWARDED, environ_overrides=address)


def test_it_listens_on_this_machine_only(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    given = settings(app, monkeypatch)
    assert (given["host"], given["port"]) == ("127.0.0.1", app.config["PORT"])
    assert "trusted_proxy" not in given


def test_behind_https_redirects_stay_on_https(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    app.config["SESSION_COOKIE_SECURE"] = True
    given = settings(app, monkeypatch)
    answer = ask(app, given)
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith("next=https://hall.example/tickets/list/")


def test_nobody_else_may_claim_to_be_the_proxy(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    app.config["SESSION_COOKIE_SECURE"] = True
    given = settings(app, monkeypatch)
    answer = ask(app, given, came_from="10.0.0.66")
    assert answer.headers["Location"].endswith("next=http://hall.example/tickets/list/")
