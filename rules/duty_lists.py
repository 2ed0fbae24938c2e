"""Versions of duty lists: numbering, counting, publishing all drafts of a place, who receives."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from models.account import Account
from models.base import utcnow
from models.duty import DutyItem, DutyItemDepartment, DutyList, DutyListStatus, DutyListType
from models.organization import Organization
from presets.roles import Role
from rules.actor import SYSTEM, Actor, acting_as
from rules.errors import Invalid
from rules.policy import Action, Scope, scopes
from rules.workflow import apply


def publish(
    session: Session,
    owner: Organization,
    actor: Actor,
    list_type: DutyListType | None = None,
) -> list[DutyList]:
    """Publish the place's draft versions, all or of one type; returns them, maybe none."""
    query = select(DutyList).where(
        DutyList.organization_id == owner.id, DutyList.status == DutyListStatus.DRAFT
    )
    if list_type is not None:
        query = query.where(DutyList.list_type == list_type)
    drafts = list(session.scalars(query.order_by(DutyList.id)))
    for draft in drafts:
        apply(session, draft, "publish", actor)
    return drafts


def next_version(session: Session, owner: Organization, list_type: DutyListType) -> int:
    """Return the number of a place's next version of a list, from 1."""
    last = session.scalar(
        select(func.max(DutyList.number)).where(
            DutyList.organization_id == owner.id, DutyList.list_type == list_type
        )
    )
    return (last or 0) + 1


def recount(session: Session, duty_list: DutyList) -> None:
    """Write down how many items a version holds."""
    session.flush()
    duty_list.item_count = (
        session.scalar(select(func.count(DutyItem.id)).where(DutyItem.duty_list_id == duty_list.id))
        or 0
    )


def set_departments(item: DutyItem, departments: Iterable[Organization]) -> None:
    """Make these, in this order, the departments that an item names.

    Raises ``Invalid`` for one of another county: no ticket of this place could go to it. A change
    of them is a change of the item: its version moves, for others to see.
    """
    wanted = list(departments)
    realms = {line.ancestor_id for line in item.duty_list.organization.lines}
    if strangers := [each for each in wanted if each.realm_id not in realms]:
        message = f"“{strangers[0].name}”不属于清单所在的县（市、区），请选择本县（市、区）的部门。"
        raise Invalid(message, departments=message)
    if wanted != [link.organization for link in item.departments]:
        item.updated_at = utcnow()
    for link in list(item.departments):
        if link.organization not in wanted:
            item.departments.remove(link)
    links = {link.organization: link for link in item.departments}
    for position, department in enumerate(wanted):
        if department in links:
            links[department].position = position
        else:
            item.departments.append(DutyItemDepartment(organization=department, position=position))


def receiver_roles() -> tuple[Role, ...]:
    """Return the roles that answer tickets dispatched to their organisation (domain section 7)."""
    return tuple(
        role for role in Role if Scope.PARTY in scopes(frozenset({role}), "ticket", Action.ACT)
    )


def receiving(session: Session, organization_ids: Iterable[int]) -> set[int]:
    """Return which of these organisations have anybody who would receive a ticket; one statement.

    That is an active account with a receiver's role. Asked for the system: who looks after the lists
    need not see accounts, and learns nothing of them but that there is one.
    """
    named = (Account.roles.any(name=role.value) for role in receiver_roles())
    query = select(Account.organization_id).where(
        Account.organization_id.in_(sorted(set(organization_ids))),
        Account.active.is_(True),
        or_(*named),
    )
    with acting_as(session, SYSTEM), session.no_autoflush:
        return {each for each in session.scalars(query.distinct()) if each is not None}
