"""Telling people inside the product: one notice for each person and step, in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from sqlalchemy import func, insert, literal, or_, select, update
from sqlalchemy.orm import Session

from models.account import Account
from models.base import utcnow
from models.notice import Notice
from models.organization import Organization
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
    wanted = sorted({each for each in organization_ids if each is not None})
    return _tell(session, Account.organization_id.in_(wanted), title, record, key, roles)


def tell_county(
    session: Session,
    realm_id: int | None,
    title: str,
    record: Any,
    key: str,
    *,
    roles: Iterable[Role],
) -> int:
    """Tell a county's own people of some roles: those of the county and of the bodies right below it.

    So its office, its reviewers and its inspectors are found wherever they sit. Else as ``tell``.
    """
    bodies = select(Organization.id).where(
        or_(Organization.id == realm_id, Organization.parent_id == realm_id)
    )
    return _tell(session, Account.organization_id.in_(bodies), title, record, key, roles)


def _tell(
    session: Session, where: Any, title: str, record: Any, key: str, roles: Iterable[Role]
) -> int:
    """Insert a notice for each account, in one statement, leaving out whoever acts or knows."""
    actor = current(session)
    key = f"{type_name(type(record))}:{record.id}:{key}"[:100]
    now = utcnow()
    table = Notice.__table__
    common = {
        "key": key,
        "title": title[:200],
        "record_type": type_name(type(record)),
        "record_id": record.id,
        "created_at": now,
        "updated_at": now,
        "version": 1,
    }
    values = [literal(value, table.c[name].type) for name, value in common.items()]
    told = select(table.c.account_id).where(table.c.key == key)
    people = select(Account.id, *values).where(
        where, Account.active.is_(True), Account.id.not_in(told)
    )
    if actor.user_id is not None:
        people = people.where(Account.id != actor.user_id)
    names = [role.value for role in roles]
    if names:
        people = people.where(or_(*(Account.roles.any(name=name) for name in names)))
    session.flush()
    with acting_as(session, SYSTEM):
        done = session.execute(
            insert(table).from_select(["account_id", *common], people),
            execution_options=reviewed("tells people of a record that they reach; shows nothing")
            | {"preserve_rowcount": True},
        )
    return int(cast(Any, done).rowcount)


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
