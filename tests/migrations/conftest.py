"""The seeded application on SQLite alone, for what no database can change."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from rules.actor import SYSTEM, acting_as
from tests.conftest import Backend, session_factory


@pytest.fixture
def one_app(sqlite: Backend) -> Flask:
    """The application over the seeded SQLite file."""
    return sqlite.app


@pytest.fixture
def one_session(one_app: Flask) -> Iterator[Session]:
    """A session for the system on it."""
    with session_factory(one_app)() as opened, acting_as(opened, SYSTEM):
        yield opened
