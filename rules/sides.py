"""How an actor stands to a record with two sides, a community and a unit (domain section 4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.organization import Organization
from presets.roles import Role
from rules.actor import Actor
from rules.policy import Action
from rules.reach import ground, partners
from rules.scope import criterion
from rules.workflow import Relation

Who = tuple[tuple[Role, Relation], ...]

#: Who keeps all the ledgers of domain section 4.
KEEPERS: Who = (
    (Role.ORGANIZATION_DEPARTMENT, Relation.ANY),
    (Role.SYSTEM_ADMINISTRATOR, Relation.ANY),
)
COMMUNITIES: Who = (
    (Role.COMMUNITY_STAFF, Relation.COMMUNITY),
    (Role.TOWNSHIP_REVIEWER, Relation.COMMUNITY),
)
UNITS: Who = (
    (Role.UNIT_LIAISON, Relation.UNIT),
    (Role.DEPARTMENT_HANDLER, Relation.UNIT),
)


def mine(session: Session, actor: Actor, organization_ids: Iterable[int | None]) -> set[int]:
    """Return which of the organisations are the actor's own or lie below it."""
    asked = [each for each in organization_ids if each is not None]
    inside = Organization.id.in_(ground(actor))
    return set(session.scalars(select(Organization.id).where(Organization.id.in_(asked), inside)))


def is_partner(session: Session, actor: Actor, organization_id: int) -> bool:
    """Tell whether an agreement in force binds the actor's organisation to another."""
    inside = Organization.id.in_(partners(actor))
    query = select(Organization.id).where(Organization.id == organization_id, inside)
    return session.scalar(query) is not None


def reaches(session: Session, record: Any, actor: Actor) -> bool:
    """Tell whether the gate lets the actor take steps on the record."""
    model = type(record)
    inside = criterion(actor, model, Action.ACT)
    return session.scalar(select(model.id).where(model.id == record.id, inside)) is not None


def relations(
    session: Session, record: Any, actor: Actor, *, community_id: int | None, unit_id: int | None
) -> frozenset[Relation]:
    """Return how the actor stands to a record of a community and a unit."""
    if not reaches(session, record, actor):
        return frozenset()
    own = mine(session, actor, (community_id, unit_id))
    found = {Relation.ANY}
    if community_id in own:
        found.add(Relation.COMMUNITY)
    if unit_id in own:
        found.add(Relation.UNIT)
    return frozenset(found)
