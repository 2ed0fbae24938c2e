"""The database handle: engine settings, and sessions that carry the gate."""

from __future__ import annotations

import select
import sqlite3
import statistics
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import psycopg
from flask import Flask
from flask_appbuilder import Model
from flask_appbuilder.utils.legacy import get_sqla_class
from flask_migrate import Migrate
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import InvalidatePoolError, SQLAlchemyError
from sqlalchemy.orm import ORMExecuteState, Session

from models import registry  # noqa: F401 - maps every record type
from rules import audit, mechanism_versions, organizations, parties, scope, workflow, writes
from rules import workflows as workflows  # registers the tables

_WRITTEN_IN = "chuishao.written_in"
db = get_sqla_class()(metadata=Model.metadata)
migrate = Migrate(compare_type=True, render_as_batch=True)


def install(session_factory: Any) -> None:
    """Hang the rules that hold for every flush and every read on sessions, in this order."""
    event.listen(session_factory, "before_flush", organizations.maintain)
    event.listen(session_factory, "before_flush", parties.maintain)
    event.listen(session_factory, "before_flush", mechanism_versions.maintain)
    event.listen(session_factory, "after_flush", parties.follow)
    event.listen(session_factory, "do_orm_execute", workflow.guard_bulk)
    scope.install(session_factory)
    writes.install(session_factory)
    event.listen(session_factory, "before_flush", audit.collect)
    event.listen(session_factory, "after_flush", audit.write)
    event.listen(session_factory, "after_flush", _note_writing)
    event.listen(session_factory, "do_orm_execute", _note_statement)


def _note_writing(session: Session, *_arguments: Any) -> None:
    session.info[_WRITTEN_IN] = session.get_transaction()


def _note_statement(state: ORMExecuteState) -> None:
    if not state.is_select:
        _note_writing(state.session)


def end_reading(error: BaseException | None = None) -> None:
    """End a request's transaction that has written nothing by COMMIT: there is nothing to undo.

    psycopg lets go of all prepared statements at a ROLLBACK, and PostgreSQL would plan every statement
    of every page anew. What has been written and not committed is rolled back, as ever.
    """
    session: Session = db.session()
    begun = session.get_transaction()
    if error is not None or begun is None or not begun.is_active:
        return
    pending = session.new or session.dirty or session.deleted
    if not pending and session.info.get(_WRITTEN_IN) is not begun:
        session.expire_on_commit = False
        # Lost on the way, the connection is no loss to what has been answered.
        with suppress(SQLAlchemyError):
            session.commit()


def init_app(app: Flask) -> None:
    """Bind the database and the migrations to the application."""
    db.init_app(app)
    # Of such functions the last is called first: before the session is closed.
    app.teardown_appcontext(end_reading)
    migrate.init_app(app, db, directory=str(app.root_path) + "/migrations")
    factory = db.session.session_factory
    if not getattr(factory, "chuishao_installed", False):
        install(factory)
        factory.chuishao_installed = True


@event.listens_for(Engine, "connect")
def _sqlite_settings(connection: Any, record: Any) -> None:
    """Make SQLite enforce foreign keys, wait for its one writer, and let readers go on meanwhile."""
    if isinstance(connection, sqlite3.Connection):
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute("PRAGMA busy_timeout = 10000")
        cursor.close()
        connection.create_aggregate("middle", 1, _Middle)  # type: ignore[arg-type]


class _Middle:
    """The median, an aggregate that SQLite lacks (``reports.instants.Middle``)."""

    def __init__(self) -> None:
        self.values: list[int] = []

    def step(self, value: int | None) -> None:
        if value is not None:
            self.values.append(value)

    def finalize(self) -> float | None:
        return statistics.median(self.values) if self.values else None


#: How many statements a connection keeps prepared, of 150 KB of the server's memory each: every page
#: of every role has some of its own.
_PREPARED = 250


@event.listens_for(Engine, "connect")
def _postgresql_settings(connection: Any, record: Any) -> None:
    if isinstance(connection, psycopg.Connection):
        connection.prepared_max = _PREPARED
        connection.cursor_factory = _Cursor


class _Columns(Sequence[Any]):
    """The columns of a cursor's result, described one by one when somebody asks."""

    def __init__(self, cursor: _Cursor, length: int) -> None:
        self._cursor, self._length = cursor, length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(self._length))]
        if not -self._length <= place < self._length:
            raise IndexError(place)
        return psycopg.Column(self._cursor, place % self._length)


class _Cursor(psycopg.Cursor[Any]):
    """psycopg's cursor, whose description costs nothing until it is read.

    SQLAlchemy reads a statement's columns once and keeps them; psycopg would describe a hundred of
    them for each ticket that is locked, which took a twentieth of a step.
    """

    @property
    def description(self) -> Any:
        """The columns of the result, None where there is none."""
        result = self.pgresult
        if result is None or not result.nfields:
            return super().description
        return _Columns(self, result.nfields)


#: A connection that has lain idle for so many seconds is asked whether its server is still there.
_TRUSTED = 10.0


@event.listens_for(Engine, "checkin")
def _laid_down(connection: Any, record: Any) -> None:
    record.info["chuishao.idle_since"] = time.monotonic()


@event.listens_for(Engine, "checkout")
def _still_there(connection: Any, record: Any, fairy: Any) -> None:
    """Before a pooled connection is used: if it may have been lost, ask; a lost one is replaced.

    To ask at every request costs a round trip. A server that stops or throws a connection out says
    so, which the socket tells at once; one that vanishes says nothing, so long silence is asked too.
    """
    since = record.info.get("chuishao.idle_since")
    if since is None or not isinstance(connection, psycopg.Connection):
        return
    if time.monotonic() - since < _TRUSTED and _is_silent(connection):
        return
    try:
        usual, connection.autocommit = connection.autocommit, True
        connection.execute("")
        connection.autocommit = usual
    except psycopg.Error:
        raise InvalidatePoolError from None


def _is_silent(connection: psycopg.Connection[Any]) -> bool:
    """Tell whether nothing waits to be read; the end of a connection counts as something."""
    try:
        return not select.select([connection], [], [], 0)[0]
    except (ValueError, OSError, psycopg.Error):
        # Closed, or of a number that the system's call does not take.
        return False
