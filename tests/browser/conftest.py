"""A live server over the demo county, and a browser with a page for every account."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import flask_migrate
import pytest
from playwright.sync_api import Browser, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

import config
from app import create_app
from cli.demo import load
from database import db
from rules.actor import SYSTEM, acting_as
from tests.browser.person import PASSWORD, Person

CANDIDATES = ("chromium", "chromium-browser", "google-chrome")
#: Date boxes as a Chinese browser shows them, wherever the tests run.
FLAGS = ["--no-sandbox", "--disable-gpu", "--enable-blink-features=LangAttributeAwareFormControlUI"]
Visit = Callable[[str], Person]


class Live(config.Testing):
    """As a county runs it: forms guarded, errors answered with a page; only the hashes are quick."""

    TESTING = False
    WTF_CSRF_ENABLED = True

    def __init__(self, folder: Path) -> None:
        os.environ["CHUISHAO_DATA_DIR"] = str(folder)
        super().__init__()
        self.SQLALCHEMY_DATABASE_URI = f"sqlite:///{folder / 'chuishao.db'}"


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the tests' own words are enough."""


@pytest.fixture(scope="session")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a freshly built demo county; nobody works in it."""
    folder = tmp_path_factory.mktemp("county")
    app = create_app(Live(folder))
    with app.app_context():
        flask_migrate.upgrade(directory=str(Path(app.root_path) / "migrations"))
        with acting_as(db.session(), SYSTEM):
            load(db.session(), PASSWORD)
            db.session.commit()
        db.session.remove()
        db.engine.dispose()
    return folder


@pytest.fixture(scope="module")
def server(county: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on a free port over the module's own copy of the county; yields its address."""
    folder = tmp_path_factory.mktemp("live") / "data"
    shutil.copytree(county, folder)
    app = create_app(Live(folder))
    made = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=made.serve_forever, name="server")
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    thread.join()
    made.server_close()
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; without one the tests are skipped on a desk, and fail in continuous integration."""
    found = next((path for name in CANDIDATES if (path := shutil.which(name))), None)
    if found is None:
        reason = f"没有找到浏览器（{'、'.join(CANDIDATES)}），浏览器测试没有运行；请安装 chromium。"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def visit(browser: Browser, server: str) -> Iterator[Visit]:
    """Return an account's person at his own browser, logged in; the same one when asked again."""
    people: dict[str, Person] = {}

    def arrive(account: str) -> Person:
        if account not in people:
            people[account] = Person(browser, server, account)
            people[account].log_in()
        return people[account]

    yield arrive
    for person in people.values():
        person.leave()
