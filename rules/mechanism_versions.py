"""Versions of a place's mechanism: adopted, saved, taken back; a version in use never changes.

A ticket keeps the version that it was dispatched under, so saving a version that any ticket uses
makes the next one and takes the former out of force, in one transaction and under a lock on the
place. A version that no ticket uses yet is changed in place. Nothing here commits.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session

from models.base import utcnow
from models.mechanism import Mechanism, RatingDimension, ReviewStep, WhistleClass
from models.organization import REALMS, Organization
from models.ticket import Ticket
from presets.mechanism_plan import MechanismPlan
from presets.mechanisms import build, fill, plan_of
from rules import locking
from rules.actor import SYSTEM, acting_as
from rules.errors import Conflict, Invalid, Stale
from rules.judging import is_changed
from rules.mechanism_checks import check


def in_force_of(session: Session, organization_id: int) -> Mechanism | None:
    """Return the version that a county or city itself has in force, if any."""
    return session.scalars(
        select(Mechanism)
        .where(Mechanism.organization_id == organization_id, Mechanism.in_force)
        .order_by(Mechanism.number.desc())
        .limit(1)
    ).first()


def adopt(session: Session, place: Organization, plan: MechanismPlan) -> Mechanism:
    """Give a county or city that has no mechanism in force one that says what the plan says.

    Raises ``Invalid`` for a place of another kind, ``Conflict`` where one is in force.
    """
    if place.kind not in REALMS:
        raise Invalid(
            f"“{place.name}”是{place.kind.title}，吹哨机制只能由市或县（市、区）启用。",
            organization="吹哨机制只能由市或县（市、区）启用，请重新选择。",
        )
    locking.lock(session, place)
    running = in_force_of(session, place.id)
    if running is not None:
        raise Conflict(f"“{place.name}”已在用{running}，请先在“吹哨机制”页面停用它。")
    return _next(session, place, plan)


def save(session: Session, mechanism: Mechanism, seen: int, plan: MechanismPlan) -> Mechanism:
    """Let a mechanism say what the plan says, and return the version that does so from now on.

    ``seen`` is the mechanism's ``version`` as it was shown. Raises ``Invalid`` with a sentence per
    field (named as ``rules.mechanism_checks`` says), and ``Stale`` if somebody else was faster.
    """
    check(plan)
    _hold(session, mechanism)
    if mechanism.version != seen:
        raise Stale(f"{mechanism}刚刚被别人保存过，您的修改没有写入。请对照后再保存。")
    if plan_of(mechanism) == plan:
        return mechanism
    if used(session, mechanism):
        mechanism.in_force = False
        return _next(session, mechanism.organization, plan)
    fill(mechanism, plan)
    session.flush()
    return mechanism


def restore(session: Session, former: Mechanism) -> Mechanism:
    """Bring back what an earlier version said, as a new version, and return that.

    Raises ``Conflict`` if it is in force already, or the version in force says just the same.
    """
    locking.lock(session, former.organization)
    session.refresh(former)
    if former.in_force:
        raise Conflict(f"{former}就是现行版本，不需要恢复。")
    plan = plan_of(former)
    running = in_force_of(session, former.organization_id)
    if running is not None:
        if replace(plan_of(running), preset=plan.preset) == plan:
            raise Conflict(f"现行的{running}与第{former.number}版内容相同，不需要恢复。")
        running.in_force = False
    return _next(session, former.organization, plan)


def retire(session: Session, mechanism: Mechanism) -> None:
    """Take a version out of force; the place then has its city's, or none (``Stale`` if it is out)."""
    _hold(session, mechanism)
    mechanism.in_force = False
    session.flush()


_PARTS = ("route", "classes", "dimensions")


def maintain(session: Session, flush_context: Any, instances: Any) -> None:
    """Before a flush: whoever changes a part of a version moves the version's own ``version``.

    By that what was read of it is known again (``rules.mechanisms.route_of``).
    """
    for each in [*session.new, *session.dirty, *session.deleted]:
        found = each
        if isinstance(each, ReviewStep | WhistleClass | RatingDimension):
            found = each.mechanism if each in session.deleted or is_changed(each) else None
        elif not isinstance(each, Mechanism) or not _parts_changed(each):
            continue
        if found is not None and inspect(found).persistent:
            found.updated_at = utcnow()


def _parts_changed(mechanism: Mechanism) -> bool:
    state: Any = inspect(mechanism)
    return any(state.attrs[name].history.has_changes() for name in _PARTS)


def used(session: Session, mechanism: Mechanism) -> bool:
    """Tell whether any ticket, a draft included, has a class of this version.

    The rows of its classes are held until the transaction ends, so that no ticket can take one
    meanwhile. Looks past the gate: who edits mechanisms need not see a single ticket.
    """
    classes = select(WhistleClass.id).where(WhistleClass.mechanism_id == mechanism.id)
    ids = list(session.scalars(classes.with_for_update()))
    with acting_as(session, SYSTEM):
        ticket = select(Ticket.id).where(Ticket.whistle_class_id.in_(ids)).limit(1)
        return session.scalar(ticket) is not None


def _hold(session: Session, mechanism: Mechanism) -> None:
    """Keep others from changing the place's mechanisms, and refuse if this one is in force no more."""
    locking.lock(session, mechanism.organization)
    session.refresh(mechanism)
    if not mechanism.in_force:
        raise Stale(f"{mechanism}已经停用，您的操作没有生效。请以现行版本为准。")


def _next(session: Session, place: Organization, plan: MechanismPlan) -> Mechanism:
    """Add the plan as the place's next version, in force; raises ``Invalid`` for a bad plan."""
    check(plan)
    last = session.scalar(
        select(func.max(Mechanism.number)).where(Mechanism.organization_id == place.id)
    )
    # The former version is out of force before the next one is in.
    session.flush()
    mechanism = build(plan, place, (last or 0) + 1)
    session.add(mechanism)
    session.flush()
    return mechanism
