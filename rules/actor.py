"""Who is acting: the session carries exactly one actor, and one without reaches nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, func, inspect, or_, select
from sqlalchemy.orm import Session, aliased

from models.account import Account
from models.organization import TERRITORIAL, Organization, OrganizationLine
from presets.roles import Role

_KEY = "chuishao.actor"


@dataclass(frozen=True)
class Actor:
    """A person with roles in one organisation, or the system itself.

    ``area_id`` is the nearest territory that contains the organisation (itself, for a place): a
    coordinating office's area is its county. Names are kept for the ledger.
    """

    user_id: int | None
    name: str
    organization_id: int | None
    organization_name: str
    area_id: int | None
    roles: frozenset[Role]
    system: bool = False

    def has(self, *roles: Role) -> bool:
        """Tell whether the actor holds any of the roles."""
        return not self.roles.isdisjoint(roles)

    @property
    def role_titles(self) -> list[str]:
        """The roles' Chinese names in the order of domain section 7."""
        return [role.title for role in Role if role in self.roles]


NOBODY = Actor(None, "未登录", None, "", None, frozenset())
SYSTEM = Actor(None, "系统", None, "系统", None, frozenset(), system=True)


def current(session: Session) -> Actor:
    """Return the session's actor; ``NOBODY``, who reaches nothing, if none was set."""
    actor: Actor = session.info.get(_KEY, NOBODY)
    return actor


def set_actor(session: Session, actor: Actor) -> None:
    """Let the session act for somebody from now on; the edge does this once."""
    session.info[_KEY] = actor


@contextmanager
def acting_as(session: Session, actor: Actor) -> Iterator[None]:
    """Let the session act for somebody else for a while. Commands and jobs say ``SYSTEM`` aloud."""
    before = session.info.get(_KEY, NOBODY)
    session.info[_KEY] = actor
    try:
        yield
    finally:
        session.info[_KEY] = before


@lru_cache(maxsize=1)
def _who() -> Select[Any]:
    """Return the statement that learns everything of whoever asks: it begins every request."""
    line, place = aliased(OrganizationLine), aliased(Organization)
    nearest = (
        select(line.ancestor_id)
        .join(place, place.id == line.ancestor_id)
        .where(
            line.organization_id == Account.organization_id,
            # Not as a list of values, whose words are put together anew each time.
            or_(*(place.kind == each for each in TERRITORIAL)),
        )
        .order_by(line.depth)
        .limit(1)
        .correlate(Account)
        .scalar_subquery()
    )
    roles: Any = inspect(Account).relationships["roles"]
    role, link = roles.entity.class_, roles.secondary.c
    names = (
        select(func.aggregate_strings(role.name, ","))
        .join(roles.secondary, link.role_id == role.id)
        .where(link.user_id == Account.id)
        .correlate(Account)
    )
    return (
        select(Account, Organization.name, nearest, names.scalar_subquery())
        .outerjoin(Organization, Organization.id == Account.organization_id)
        .where(Account.id == bindparam("who"))
    )


def actor_of(session: Session, account: Account) -> Actor:
    """Return the actor that an account stands for; one statement."""
    found = identified(session, account.id)
    if found is None:
        raise LookupError(account.id)
    return found[1]


def identified(session: Session, account_id: int) -> tuple[Account, Actor] | None:
    """Return an account with the actor that it stands for; one statement."""
    with acting_as(session, SYSTEM):
        row: Any = session.execute(_who(), {"who": account_id}).first()
    if row is None:
        return None
    account, organization_name, area_id, names = row
    return account, Actor(
        user_id=account.id,
        name=account.get_full_name(),
        organization_id=account.organization_id,
        organization_name=organization_name or "",
        area_id=area_id,
        roles=_roles(names or ""),
    )


@lru_cache(maxsize=256)
def _roles(names: str) -> frozenset[Role]:
    """Return the roles that the policy knows of those that an account holds."""
    known = {role.value: role for role in Role}
    return frozenset(known[name] for name in names.split(",") if name in known)
