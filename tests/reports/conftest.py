"""A world with sessions on both databases, and on SQLite alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from rules.actor import SYSTEM, acting_as
from tests.conftest import Backend, session_factory
from tests.factories.world import World


@pytest.fixture
def one_session(sqlite: Backend) -> Iterator[Session]:
    """A session on SQLite that acts for the system."""
    with session_factory(sqlite.app)() as opened, acting_as(opened, SYSTEM):
        yield opened


@pytest.fixture
def one_world(one_session: Session) -> World:
    """The seeded world on SQLite."""
    return World(one_session)
