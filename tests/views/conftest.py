"""The stage of the matrices, and a recorder of SQL statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from rules.actor import SYSTEM, acting_as
from tests.conftest import Backend, close, logger_in, session_factory
from tests.factories.pairs import Pairs
from tests.factories.world import World
from tests.views.stage import Stage, Watch, set_up


@pytest.fixture(scope="module")
def stage(sqlite_backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A populated world of the module's own, on SQLite; who writes to it puts it back."""
    found = set_up(sqlite_backend, tmp_path_factory.mktemp("stage"))
    yield found
    close(found.app)


@pytest.fixture
def watch(stage: Stage) -> Iterator[Watch]:
    """Tells whether a request has written anything to the stage; what was written is undone."""
    found = Watch(stage)
    yield found
    if found.touched():
        found.restore()
    found.close()


@pytest.fixture
def one_session(sqlite: Backend) -> Iterator[Session]:
    """A session for the system on SQLite; its commits are seen by the clients' requests."""
    with session_factory(sqlite.app)() as opened, acting_as(opened, SYSTEM):
        yield opened


@pytest.fixture
def pairs(one_session: Session) -> Pairs:
    """Makes needs and resources that fit in the seeded world."""
    return Pairs(World(one_session))


@pytest.fixture
def as_seen_by(sqlite: Backend, one_session: Session) -> Callable[[str], FlaskClient]:
    """Return an account's client; what the test has made until then is committed."""
    log_in = logger_in(sqlite.app)
    clients: dict[str, FlaskClient] = {}

    def client(who: str) -> FlaskClient:
        one_session.commit()
        if who not in clients:
            clients[who] = log_in(who)
        return clients[who]

    return client
