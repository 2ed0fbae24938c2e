"""Who is acting: the session carries exactly one actor, and one without reaches nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

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


def actor_of(session: Session, account: Account) -> Actor:
    """Return the actor that an account stands for; two statements, one without an organisation."""
    with acting_as(session, SYSTEM):
        organization = account.organization
        area_id = None
        if organization is not None:
            area_id = session.scalars(
                select(OrganizationLine.ancestor_id)
                .join(Organization, Organization.id == OrganizationLine.ancestor_id)
                .where(
                    OrganizationLine.organization_id == organization.id,
                    Organization.kind.in_(TERRITORIAL),
                )
                .order_by(OrganizationLine.depth)
                .limit(1)
            ).first()
        known = {role.value: role for role in Role}
        return Actor(
            user_id=account.id,
            name=account.get_full_name(),
            organization_id=organization.id if organization else None,
            organization_name=organization.name if organization else "",
            area_id=area_id,
            roles=frozenset(known[role.name] for role in account.roles if role.name in known),
        )
