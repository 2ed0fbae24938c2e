"""What the tables of issues that the office follows up have in common: who stands how to them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from models.organization import Organization
from presets.roles import Role
from rules.actor import Actor
from rules.calendar import shanghai_date
from rules.errors import Invalid
from rules.problems import OWNER_ROLES, owners
from rules.sides import reaches
from rules.workflow import Context, Relation

OFFICE = ((Role.DISPATCHER, Relation.AREA),)
#: The body that has it in hand: a department or a township.
OWNER = tuple((role, Relation.LEAD) for role in OWNER_ROLES)


def relations(session: Session, record: Any, actor: Actor) -> frozenset[Relation]:
    """Tell the office from the owner: the body named in ``owner_id`` has the record in hand."""
    if not reaches(session, record, actor):
        return frozenset()
    found = set()
    if actor.system or actor.has(Role.DISPATCHER):
        found.add(Relation.AREA)
    owner = getattr(record, "owner_id", None)
    if owner is not None and owner == actor.organization_id:
        found.add(Relation.LEAD)
    return frozenset(found)


def chosen_owner(context: Context) -> Organization:
    """Return the owner that was chosen; raises ``Invalid`` for one of another county, or of no use."""
    wanted = owners(context.record).where(Organization.id == context.data["owner"])
    found = context.session.scalars(wanted).first()
    if found is None:
        sentence = "责任单位应是本县（市、区）在用的部门、派驻机构或乡镇（街道），请重新选择。"
        raise Invalid(sentence, owner=sentence)
    return found


def coming_day(context: Context) -> dt.date:
    """Return the date that was set; raises ``Invalid`` for one that is over."""
    day: dt.date = context.data["due_on"]
    if day < shanghai_date(context.now):
        raise Invalid("完成期限不能早于今天。", due_on="不能早于今天。")
    return day
