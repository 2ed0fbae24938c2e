"""What every page keeps: addresses, the reader's catalogue, constant parts of pages."""

from __future__ import annotations

import pytest
from flask import Flask, request, url_for
from flask_babel import Domain, force_locale, get_domain, gettext, refresh
from werkzeug.routing import BuildError

from tests.conftest import Backend
from views.flask_app import MOST, App, Kept


def plain(app: Flask, endpoint: str, **values: object) -> str:
    """Return the address as Flask itself makes it."""
    return Flask.url_for(app, endpoint, **values)  # type: ignore[arg-type]


CASES: list[tuple[str, dict[str, object]]] = [
    ("TicketView.list", {}),
    ("TicketView.list", {"tab": "open", "q": "路灯 & 井盖"}),
    ("TicketView.show", {"pk": 7}),
    ("TicketView.show", {"pk": 0}),
    ("TicketView.list", {"after": 7}),
    ("TicketView.list", {"flag": True}),
    ("TicketView.list", {"many": ["a", "b"]}),
    ("TicketView.show", {"pk": 7, "_anchor": "words"}),
    ("TicketView.list", {"_external": True}),
    ("static", {"filename": "app.js"}),
]


def test_addresses_from_memory_are_those_that_flask_makes(sqlite: Backend) -> None:
    app = sqlite.app
    assert isinstance(app, App)
    for _turn in range(2):
        for root in ("", "/county"):
            with app.test_request_context(
                "/tickets/list/", environ_overrides={"SCRIPT_NAME": root}
            ):
                for endpoint, values in CASES:
                    assert url_for(endpoint, **values) == plain(app, endpoint, **values)  # type: ignore[arg-type]


def test_each_record_has_its_own_address(sqlite: Backend) -> None:
    with sqlite.app.test_request_context("/"):
        found = [url_for("TicketView.show", pk=each) for each in (1, 12, 1)]
    assert found == ["/tickets/show/1", "/tickets/show/12", "/tickets/show/1"]


def test_an_address_that_does_not_exist_is_still_an_error(sqlite: Backend) -> None:
    with sqlite.app.test_request_context("/"), pytest.raises(BuildError):
        url_for("TicketView.nowhere", pk=1)


def test_what_readers_type_does_not_fill_the_memory(sqlite: Backend) -> None:
    app = sqlite.app
    assert isinstance(app, App)
    with app.test_request_context("/"):
        for each in range(MOST + 10):
            url_for("TicketView.list", q=f"路灯{each}")
        before = len(app._addresses)
        url_for("TicketView.list", q="长" * 1000)
    assert len(app._addresses) == before <= MOST


def test_the_catalogue_follows_the_language_at_once(sqlite: Backend) -> None:
    with sqlite.app.test_request_context("/?_l_=zh"):
        assert type(get_domain()) is not Domain
        assert gettext("保存") == "保存"
        with force_locale("en"):
            assert gettext("保存") == "Save"
        assert gettext("保存") == "保存"
        request.args = request.args.__class__([("_l_", "en")])
        refresh()
        assert gettext("保存") == "Save"


def test_a_kept_part_is_made_once_for_each_key() -> None:
    app = Flask("kept")
    app.jinja_env.add_extension(Kept)
    template = app.jinja_env.from_string('{% kept "part", key %}{{ make() }}{% endkept %}')
    made: list[int] = []

    def make() -> str:
        made.append(1)
        return f"<b>{len(made)}"

    pages = [template.render(key=key, make=make) for key in ("zh", "zh", "en", "zh")]
    assert pages == [f"&lt;b&gt;{each}" for each in (1, 1, 2, 1)]
