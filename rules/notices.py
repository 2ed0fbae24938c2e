"""Telling people inside the product: one notice for each person and step, in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Insert,
    Integer,
    Select,
    and_,
    bindparam,
    func,
    insert,
    inspect,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from models.account import Account
from models.base import utcnow
from models.notice import Notice
from models.organization import Organization
from models.registry import type_name
from presets.roles import Role
from rules.actor import SYSTEM, Actor, acting_as, current
from rules.scope import reviewed


@dataclass(frozen=True)
class Places:
    """Organisations that a statement gives. It is made once, and ``values`` are its parameters."""

    statement: Select[Any]
    values: Mapping[str, Any]


#: Some people: those of organisations, by ids or by a statement that gives them, who hold one of
#: the roles, or all of them where none is named.
People = tuple[Iterable[int] | Places, tuple[Role, ...]]
#: What such people are found by: the statement, none for ids, and the roles.
Group = tuple[Select[Any] | None, tuple[Role, ...]]


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
    return tell_people(session, [(wanted, tuple(roles))], title, record, key)


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
    return tell_people(session, [(bodies_of(realm_id), tuple(roles))], title, record, key)


def bodies_of(realm_id: int | None) -> Places:
    """Return a county and the bodies right below it."""
    return Places(_bodies(), {"realm": realm_id})


@lru_cache(maxsize=1)
def _bodies() -> Select[int]:
    realm = bindparam("realm", type_=Integer)
    return select(Organization.id).where(
        or_(Organization.id == realm, Organization.parent_id == realm)
    )


def tell_people(
    session: Session, people: Iterable[People], title: str, record: Any, key: str
) -> int:
    """Tell all who are among some people, in one statement, leaving out whoever acts or knows.

    Else as ``tell``.
    """
    now = utcnow()
    kind = type_name(type(record))
    groups: list[Group] = []
    values: dict[str, Any] = {
        "key": f"{kind}:{record.id}:{key}"[:100],
        "title": title[:200],
        "record_type": kind,
        "record_id": record.id,
        "created_at": now,
        "updated_at": now,
        "version": 1,
        "actor": current(session).user_id or 0,
    }
    for number, (where, roles) in enumerate(people):
        if isinstance(where, Places):
            groups.append((where.statement, roles))
            values |= where.values
        else:
            groups.append((None, roles))
            values[f"places{number}"] = list(where)
    session.flush()
    with acting_as(session, SYSTEM):
        done = session.execute(_telling(tuple(groups)), values, execution_options=_TELLING)
    return int(cast(Any, done).rowcount)


_COLUMNS = ("key", "title", "record_type", "record_id", "created_at", "updated_at", "version")
_TELLING: Any = reviewed("tells people of a record that they reach; shows nothing") | {
    "preserve_rowcount": True
}


@lru_cache(maxsize=256)
def _telling(groups: tuple[Group, ...]) -> Insert:
    """Return the statement that tells people of such groups: to put it together takes its time."""
    table, account = Notice.__table__, Account.__table__
    values = [bindparam(name, type_=table.c[name].type) for name in _COLUMNS]
    told = select(table.c.account_id).where(table.c.key == values[0])
    found = select(account.c.id, *values).where(
        or_(*(_among(account, number, *each) for number, each in enumerate(groups))),
        account.c.active.is_(True),
        account.c.id.not_in(told),
        account.c.id != bindparam("actor", type_=Integer),
    )
    return insert(table).from_select(["account_id", *_COLUMNS], found)


def _among(
    account: Any, number: int, places: Select[int] | None, roles: tuple[Role, ...]
) -> ColumnElement[bool]:
    ids: Any = bindparam(f"places{number}", expanding=True) if places is None else places
    there: ColumnElement[bool] = account.c.organization_id.in_(ids)
    if not roles:
        return there
    tie = inspect(Account).relationships["roles"]
    role, link = tie.mapper.local_table, tie.secondary
    holds = (
        select(link.c.user_id)
        .join(role, role.c.id == link.c.role_id)
        .where(link.c.user_id == account.c.id, or_(*(role.c.name == each.value for each in roles)))
    )
    return and_(there, holds.exists())


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
