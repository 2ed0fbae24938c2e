"""Who is acting: the session carries exactly one actor, and one without reaches nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, inspect, or_, select
from sqlalchemy.orm import Session

from models.account import Account, full_name, session_name
from models.base import listed
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


@dataclass(frozen=True)
class Identity:
    """An account as each request learns of it: as whom it acts, and what its sessions are called."""

    actor: Actor
    active: bool
    session_name: str


@lru_cache(maxsize=1)
def _who() -> Select[Any]:
    """Return the statement that learns of whoever asks: it begins every request.

    It asks for columns: an object of the account, which hardly a page needs, costs half as much again.
    """
    account, organization = Account.__table__.c, Organization.__table__
    line, place = OrganizationLine.__table__.c, organization.alias()
    nearest = (
        select(line.ancestor_id)
        .join(place, place.c.id == line.ancestor_id)
        .where(
            line.organization_id == account.organization_id,
            # Not as a list of values, whose words are put together anew each time.
            or_(*(place.c.kind == each for each in TERRITORIAL)),
        )
        .order_by(line.depth)
        .limit(1)
        .correlate(Account.__table__)
        .scalar_subquery()
    )
    roles: Any = inspect(Account).relationships["roles"]
    role, link = roles.entity.local_table.c, roles.secondary.c
    names = (
        select(listed(role.name))
        .join(roles.secondary, link.role_id == role.id)
        .where(link.user_id == account.id)
        .correlate(Account.__table__)
    )
    own = ("id", "last_name", "first_name", "organization_id")
    session_of = ("active", "session_generation", "password")
    return (
        select(
            *(account[name] for name in (*own, *session_of)),
            organization.c.name.label("organization_name"),
            nearest.label("area_id"),
            names.scalar_subquery().label("role_names"),
        )
        .outerjoin_from(
            Account.__table__, organization, organization.c.id == account.organization_id
        )
        .where(account.id == bindparam("who"))
    )


def actor_of(session: Session, account: Account) -> Actor:
    """Return the actor that an account stands for; one statement."""
    found = identified(session, account.id)
    if found is None:
        raise LookupError(account.id)
    return found.actor


def identified(session: Session, account_id: int) -> Identity | None:
    """Return whom an account stands for; one statement, below the ORM for it comes before any actor."""
    with acting_as(session, SYSTEM):
        session.flush()
    row = session.connection().execute(_who(), {"who": account_id}).first()
    if row is None:
        return None
    actor = Actor(
        user_id=row.id,
        name=full_name(row.last_name, row.first_name),
        organization_id=row.organization_id,
        organization_name=row.organization_name or "",
        area_id=row.area_id,
        roles=_roles(row.role_names or ""),
    )
    name = session_name(row.id, row.session_generation, row.password)
    return Identity(actor, bool(row.active), name)


@lru_cache(maxsize=256)
def _roles(names: str) -> frozenset[Role]:
    """Return the roles that the policy knows of those that an account holds."""
    known = {role.value: role for role in Role}
    return frozenset(known[name] for name in names.split(",") if name in known)
