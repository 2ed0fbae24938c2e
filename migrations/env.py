"""Alembic's environment: the schema of every table, FAB's included, on SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context
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


def run(connection: Connection) -> None:
    """Run the asked migrations in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=target_metadata,
        compare_type=compare_type,
        render_item=render_item,
        render_as_batch=True,
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
