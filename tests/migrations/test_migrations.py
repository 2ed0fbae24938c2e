"""The numbered revisions make the schema that the models declare, from empty and back, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import Column, Engine, Integer, String, Table, create_engine, inspect, text
from sqlalchemy.exc import DatabaseError

from database import db
from models.base import Model, UTCDateTime
from tests.conftest import Backend, close, make_app

SETTINGS = {
    "compare_server_default": True,
    "include_name": lambda name, _kind, _parents: (
        not str(name).startswith(("ticket_gram", "ix_ticket_search_grams"))
    ),
}
MIGRATIONS = str(Path(__file__).resolve().parents[2] / "migrations")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """An application over a database without a single table."""
    if request.param == "sqlite":
        app = make_app(f"sqlite:///{tmp_path / 'empty.db'}", tmp_path)
        yield app
        close(app)
        return
    server: str = request.getfixturevalue("postgresql_server")
    admin = create_engine(server.format(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS migrated WITH (FORCE)"))
        connection.execute(text("CREATE DATABASE migrated ENCODING 'UTF8' TEMPLATE template0"))
    app = make_app(server.format(database="migrated"), tmp_path)
    yield app
    close(app)
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE migrated WITH (FORCE)"))
    admin.dispose()


def revisions() -> list[str]:
    """Return the revisions' numbers, first to last."""
    script = ScriptDirectory(MIGRATIONS)
    return [each.revision for each in reversed(list(script.walk_revisions()))]


def tables(engine: Engine) -> set[str]:
    """Return the tables but those in which SQLite keeps its full-text index."""
    names = inspect(engine).get_table_names()
    return {each for each in names if not each.startswith("ticket_gram")}


def differences(engine: Engine) -> list[object]:
    """Return what Alembic finds with server defaults compared as well."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=SETTINGS)
        return [each for each in compare_metadata(context, Model.metadata) if _told(each)]


def _told(difference: object) -> bool:
    # Types are compared by the settings of env.py, which know titled enums.
    kinds = difference if isinstance(difference, list) else [difference]
    return any(each[0] != "modify_type" for each in kinds)


def test_revisions_are_numbered_in_one_line() -> None:
    found = revisions()
    assert found == [f"{number:04}" for number in range(1, len(found) + 1)]
    assert ScriptDirectory(MIGRATIONS).get_heads() == [found[-1]]
    files = sorted(path.name for path in (Path(MIGRATIONS) / "versions").glob("*.py"))
    assert [name[:4] for name in files] == found


def test_from_empty_to_what_the_models_declare_and_back(empty: Flask) -> None:
    with empty.app_context():
        assert tables(db.engine) == set()
        for _turn in range(2):
            flask_migrate.upgrade(MIGRATIONS)
            assert tables(db.engine) == {*Model.metadata.tables, "alembic_version"}
            flask_migrate.check(MIGRATIONS)
            assert differences(db.engine) == []
            flask_migrate.downgrade(MIGRATIONS, "base")
            assert tables(db.engine) == {"alembic_version"}
            assert _left_over(db.engine) == 0


def _is_sqlite(engine: Engine) -> bool:
    return engine.dialect.name == "sqlite"


def _left_over(engine: Engine) -> int:
    """Return how many triggers, functions and sequences outlived their tables."""
    query = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"
    if not _is_sqlite(engine):
        query = (
            "SELECT (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace)"
            " + (SELECT count(*) FROM pg_class WHERE relkind = 'S'"
            " AND relnamespace = 'public'::regnamespace)"
        )
    with engine.connect() as connection:
        return int(connection.execute(text(query)).scalar_one())


def test_every_single_step_up_and_down(empty: Flask) -> None:
    with empty.app_context():
        for revision in revisions():
            flask_migrate.upgrade(MIGRATIONS, revision)
        flask_migrate.check(MIGRATIONS)
        for _revision in revisions():
            flask_migrate.downgrade(MIGRATIONS, "-1")
        assert tables(db.engine) == {"alembic_version"}


def test_the_check_finds_a_table_and_a_column_that_no_revision_makes(
    empty: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    """Or it would say nothing about the models either."""
    with empty.app_context():
        flask_migrate.upgrade(MIGRATIONS)
        extra = Table("forgotten", Model.metadata, Column("id", Integer, primary_key=True))
        try:
            with pytest.raises(SystemExit):
                flask_migrate.check(MIGRATIONS)
            assert "add_table', Table('forgotten'" in caplog.text
            assert differences(db.engine)
        finally:
            Model.metadata.remove(extra)
        ticket = Model.metadata.tables["ticket"]
        kept = ticket.c.number.type
        ticket.c.number.type = String(99)
        try:
            with pytest.raises(SystemExit):
                flask_migrate.check(MIGRATIONS)
            assert "modify_type" in caplog.text
        finally:
            ticket.c.number.type = kept
        flask_migrate.check(MIGRATIONS)


def test_the_logs_are_append_only_from_the_last_revision_on(empty: Flask) -> None:
    with empty.app_context():
        flask_migrate.upgrade(MIGRATIONS)
        flask_migrate.downgrade(MIGRATIONS, "0001")
        flask_migrate.upgrade(MIGRATIONS)
        insert = text(
            "INSERT INTO audit_entry (record_type, record_id, record_title, action, changes,"
            " actor_name, organization_name, at)"
            " VALUES ('x', 1, 'x', 'x', '{}', 'x', 'x', '2026-01-01')"
        )
        with db.engine.begin() as connection:
            connection.execute(insert)
        for verb in ("UPDATE audit_entry SET action = 'y'", "DELETE FROM audit_entry"):
            with (
                pytest.raises(DatabaseError, match="append-only"),
                db.engine.begin() as connection,
            ):
                connection.execute(text(verb))


def test_instants_keep_their_zone_in_postgresql(empty: Flask) -> None:
    with empty.app_context():
        flask_migrate.upgrade(MIGRATIONS)
        if _is_sqlite(db.engine):
            return
        inspector = inspect(db.engine)
        for table in Model.metadata.tables.values():
            columns = {each["name"]: each["type"] for each in inspector.get_columns(table.name)}
            for column in table.columns:
                if isinstance(column.type, UTCDateTime):
                    assert columns[column.name].timezone is True, column


def test_the_working_databases_are_at_the_head(backend: Backend) -> None:
    with backend.app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert context.get_current_revision() == revisions()[-1]
        flask_migrate.check(MIGRATIONS)
