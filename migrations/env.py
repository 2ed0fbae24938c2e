"""Alembic's environment: the schema of every table, FAB's included, on SQLite and PostgreSQL."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from alembic import context
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import Connection

from models.base import Model, UTCDateTime

target_metadata = Model.metadata


def render_item(kind: str, item: Any, autogen: Any) -> str | bool:
    """Write down our column types as what they are in the database."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, sa.Enum):
        return f"sa.String(length={item.length})"
    return False


def compare_type(
    context: Any, inspected: Any, metadata: Any, found: Any, declared: Any
) -> bool | None:
    """A titled enum is text of its length."""
    if isinstance(declared, sa.Enum):
        return getattr(found, "length", None) != declared.length
    return None


def include_name(name: str | None, kind: str, parents: Any) -> bool:
    """Leave out the index of searches: each database has its own kind, which no model declares."""
    of_searches = {"table": "ticket_gram", "index": "ix_ticket_search_grams"}
    return not (kind in of_searches and (name or "").startswith(of_searches[kind]))


def number(migration: Any, revision: Any, directives: list[Any]) -> None:
    """Give a new revision the number after the last one's, unless it was given one."""
    new = directives[0]
    if not re.fullmatch(r"\d{4}", new.rev_id):
        last = ScriptDirectory.from_config(context.config).get_current_head()
        new.rev_id = f"{int(last or 0) + 1:04}"


def run(connection: Connection) -> None:
    """Run the asked migrations in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=target_metadata,
        compare_type=compare_type,
        render_item=render_item,
        include_name=include_name,
        render_as_batch=True,
        process_revision_directives=number,
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    context.configure(
        url=current_app.config["SQLALCHEMY_DATABASE_URI"],
        target_metadata=target_metadata,
        literal_binds=True,
    )
    with context.begin_transaction():
        context.run_migrations()
else:
    with current_app.extensions["migrate"].db.engine.connect() as connection:
        run(connection)
        connection.commit()
