"""Telling people inside the product: one notice for each person and step, in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.orm import Session

from models.account import Account
from models.base import utcnow
from models.notice import Notice
from models.registry import type_name
from presets.roles import Role
from rules.actor import SYSTEM, Actor, acting_as, current
from rules.scope import reviewed


def tell(
    session: Session,
    organization_ids: Iterable[int | None],
    title: str,
    record: Any,
    key: str,
    *,
    roles: Iterable[Role] = (),
) -> int:
    """Tell the people of some organisations about a record, and return how many were told.

    ``key`` names the step that is told of: nobody is told the same step of the same record twice.
    ``roles`` narrows to accounts that hold one of them. Whoever acts is not told of his own deed.
    The record must have an id. Never commits.
    """
    actor = current(session)
    wanted = sorted({each for each in organization_ids if each is not None})
    key = f"{type_name(type(record))}:{record.id}:{key}"[:100]
    session.flush()
    with acting_as(session, SYSTEM), session.no_autoflush:
        query = select(Account.id).where(
            Account.organization_id.in_(wanted), Account.active.is_(True)
        )
        names = [role.value for role in roles]
        if names:
            query = query.where(or_(*(Account.roles.any(name=name) for name in names)))
        told = select(Notice.account_id).where(Notice.key == key)
        people = set(session.scalars(query)) - set(session.scalars(told)) - {actor.user_id}
    if not people:
        return 0
    now = utcnow()
    common = {
        "key": key,
        "title": title[:200],
        "record_type": type_name(type(record)),
        "record_id": record.id,
        "created_at": now,
        "updated_at": now,
        "version": 1,
    }
    session.execute(
        insert(Notice.__table__),
        [{"account_id": each} | common for each in sorted(people)],
        execution_options=reviewed("tells people of a record that they reach; shows nothing"),
    )
    return len(people)


def unread(session: Session, actor: Actor, cap: int = 99) -> int:
    """Return how many notices the actor has not read, at most ``cap`` + 1."""
    if actor.user_id is None:
        return 0
    some = (
        select(Notice.id)
        .where(Notice.account_id == actor.user_id, Notice.read_at.is_(None))
        .limit(cap + 1)
        .subquery()
    )
    return session.scalar(select(func.count(some.c.id))) or 0


def mark_read(session: Session, actor: Actor) -> None:
    """Mark all of the actor's notices as read. Never commits."""
    session.execute(
        update(Notice)
        .where(Notice.account_id == actor.user_id, Notice.read_at.is_(None))
        .values(read_at=utcnow())
        .execution_options(synchronize_session=False)
    )
