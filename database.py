"""The database handle: engine settings, and sessions that carry the gate."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import Flask
from flask_appbuilder import Model
from flask_appbuilder.utils.legacy import get_sqla_class
from flask_migrate import Migrate
from sqlalchemy import event
from sqlalchemy.engine import Engine

from models import registry  # noqa: F401 - maps every record type
from rules import audit, organizations, parties, scope, workflow
from rules import workflows as workflows  # registers the tables

db = get_sqla_class()(metadata=Model.metadata)
migrate = Migrate(compare_type=True, render_as_batch=True)


def install(session_factory: Any) -> None:
    """Hang the rules that hold for every flush and every read on sessions, in this order."""
    event.listen(session_factory, "before_flush", organizations.maintain)
    event.listen(session_factory, "before_flush", parties.maintain)
    event.listen(session_factory, "after_flush", parties.follow)
    event.listen(session_factory, "do_orm_execute", workflow.guard_bulk)
    scope.install(session_factory)
    event.listen(session_factory, "before_flush", audit.collect)
    event.listen(session_factory, "after_flush", audit.write)


def init_app(app: Flask) -> None:
    """Bind the database and the migrations to the application."""
    db.init_app(app)
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
