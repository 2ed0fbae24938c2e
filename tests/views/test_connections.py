"""Connections of the pool: asked only when they may be lost, and with what they have prepared kept."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from flask import Flask
from sqlalchemy import create_engine, func, select, text

import database
from database import db
from models.organization import Organization, OrganizationKind
from rules.actor import SYSTEM, acting_as
from tests.conftest import Backend, logger_in

pytestmark = pytest.mark.postgresql


@pytest.fixture
def app(postgresql_backend: Backend) -> Iterator[Flask]:
    """The application over PostgreSQL, freshly seeded."""
    postgresql_backend.reset()
    yield postgresql_backend.app
    with postgresql_backend.app.app_context():
        db.engine.dispose()


def throw_out(app: Flask) -> None:
    """End all connections but the one that says so, as a server does that is told to."""
    with app.app_context():
        other = create_engine(db.engine.url)
    with other.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    other.dispose()


@pytest.mark.parametrize("trusted", [10.0, 0.0])
def test_a_connection_that_was_lost_is_replaced(
    app: Flask, monkeypatch: pytest.MonkeyPatch, trusted: float
) -> None:
    """By what it says itself, or because it has been silent for too long."""
    monkeypatch.setattr(database, "_TRUSTED", trusted)
    client = logger_in(app)("office")
    throw_out(app)
    assert client.get("/tickets/list/").status_code == 200


def test_a_connection_that_was_just_used_is_not_asked(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    ask = psycopg.Connection.execute

    def count(self: psycopg.Connection[tuple[object, ...]], query: str) -> object:
        asked.append(query)
        return ask(self, query)

    client = logger_in(app)("office")
    monkeypatch.setattr(psycopg.Connection, "execute", count)
    assert client.get("/tickets/list/").status_code == 200
    assert asked == []
    monkeypatch.setattr(database, "_TRUSTED", 0.0)
    assert client.get("/tickets/list/").status_code == 200
    assert asked == [""]


def test_pages_leave_their_statements_prepared(app: Flask) -> None:
    client = logger_in(app)("office")
    for _time in range(8):
        assert client.get("/tickets/list/").status_code == 200
    with app.app_context(), db.engine.connect() as connection:
        prepared = connection.scalar(text("SELECT count(*) FROM pg_prepared_statements"))
    assert prepared


@pytest.mark.parametrize("way", ["object", "statement"])
def test_what_is_written_and_not_committed_is_gone(app: Flask, way: str) -> None:
    with app.app_context(), acting_as(db.session(), SYSTEM):
        before = db.session.scalar(select(func.count(Organization.id)))
        if way == "object":
            db.session.add(Organization(code="X9", name="某市", kind=OrganizationKind.CITY))
            db.session.flush()
        else:
            db.session.execute(Organization.__table__.update().values(phone="0793-9"))
    with app.app_context(), acting_as(db.session(), SYSTEM):
        assert db.session.scalar(select(func.count(Organization.id))) == before
        assert not db.session.scalars(
            select(Organization.id).where(Organization.phone == "0793-9")
        ).all()
