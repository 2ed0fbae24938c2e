"""What keeps the organisation tree true: its lines, its realms, its names, on every flush."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from models.organization import (
    REALMS,
    Organization,
    OrganizationKind,
    OrganizationLine,
    OrganizationName,
)
from rules.actor import SYSTEM, acting_as
from rules.errors import Invalid

K = OrganizationKind
#: What an organisation may hang from; the empty tuple means: stands at the top.
PARENTS: dict[OrganizationKind, tuple[OrganizationKind, ...]] = {
    K.CITY: (),
    K.COUNTY: (K.CITY,),
    K.TOWNSHIP: (K.COUNTY, K.CITY),
    K.COMMUNITY: (K.TOWNSHIP,),
    K.GRID: (K.COMMUNITY,),
    K.DEPARTMENT: (K.COUNTY, K.CITY),
    K.STATION: (K.TOWNSHIP,),
    K.UNIT: (K.CITY, K.COUNTY, K.TOWNSHIP, K.COMMUNITY),
    K.COORDINATION_OFFICE: (K.COUNTY, K.CITY),
}
MAY_STAND_ALONE = (K.CITY, K.COUNTY)


def maintain(session: Session, flush_context: Any, instances: Any) -> None:
    """Before a flush: derive lines, realm and name rows of every organisation about to be written.

    Raises ``Invalid`` with a sentence for a parent of the wrong kind, a cycle, or a name or alias
    that another organisation of the same county already goes by.
    """
    touched = [each for each in session.new if isinstance(each, Organization)]
    touched += [
        each
        for each in session.dirty
        if isinstance(each, Organization) and session.is_modified(each)
    ]
    if not touched:
        return
    with acting_as(session, SYSTEM):
        done: set[int] = set()
        for organization in touched:
            _settle(session, organization, done)
        _refuse_clashes(session, touched)


def _settle(session: Session, organization: Organization, done: set[int]) -> None:
    """Settle an organisation after its parent, so that lines are copied from true ones."""
    if id(organization) in done:
        return
    done.add(id(organization))
    parent = _parent(session, organization)
    if parent is not None and parent in session.new:
        _settle(session, parent, done)
    _check_parent(organization, parent)
    moved: bool = inspect(organization).persistent and _line_is_stale(organization, parent)
    if moved or not organization.lines:
        _draw_line(organization, parent)
    _set_realm(organization, parent)
    _set_name(organization)
    if moved:
        for below in _below(session, organization):
            _draw_line(below, _parent(session, below))
            _set_realm(below, _parent(session, below))


def _parent(session: Session, organization: Organization) -> Organization | None:
    """Return the parent, whether it was set as an object or as an id."""
    state: Any = inspect(organization)
    if "parent" in state.dict and not state.attrs.parent_id.history.has_changes():
        return organization.parent
    if state.attrs.parent.history.has_changes():
        return organization.parent
    if organization.parent_id is None:
        return None
    return session.get(Organization, organization.parent_id)


def _check_parent(organization: Organization, parent: Organization | None) -> None:
    kind = organization.kind
    if parent is None:
        if kind not in MAY_STAND_ALONE:
            raise Invalid(
                f"“{organization.name}”是{kind.title}，必须填写上级机构。",
                parent="请选择上级机构。",
            )
        return
    if parent is organization or any(
        line.ancestor is organization for line in parent.lines if line.depth > 0
    ):
        message = f"“{organization.name}”不能挂在自己或自己的下级之下。"
        raise Invalid(message, parent=message)
    if parent.kind not in PARENTS[kind]:
        allowed = "、".join(each.title for each in PARENTS[kind]) or "（没有上级）"
        message = (
            f"“{organization.name}”是{kind.title}，不能挂在{parent.kind.title}"
            f"“{parent.name}”之下，上级应为：{allowed}。"
        )
        raise Invalid(message, parent=message)


def _line_is_stale(organization: Organization, parent: Organization | None) -> bool:
    drawn = next((line.ancestor for line in organization.lines if line.depth == 1), None)
    return drawn is not parent


def _draw_line(organization: Organization, parent: Organization | None) -> None:
    """Write down the organisation's ancestors; lines that stay keep their rows."""
    wanted = [organization]
    if parent is not None:
        wanted += [line.ancestor for line in sorted(parent.lines, key=lambda line: line.depth)]
    have = {id(line.ancestor): line for line in organization.lines}
    for line in list(organization.lines):
        if all(line.ancestor is not ancestor for ancestor in wanted):
            organization.lines.remove(line)
    for depth, ancestor in enumerate(wanted):
        if id(ancestor) in have:
            have[id(ancestor)].depth = depth
        else:
            organization.lines.append(OrganizationLine(ancestor=ancestor, depth=depth))


def _set_realm(organization: Organization, parent: Organization | None) -> None:
    realm = organization if organization.kind in REALMS else parent.realm if parent else None
    if organization.realm is not realm:
        organization.realm = realm
    for name in organization.names:
        if name.realm is not realm:
            name.realm = realm


def _set_name(organization: Organization) -> None:
    main = next((name for name in organization.names if not name.is_alias), None)
    if main is None:
        organization.names.append(
            OrganizationName(name=organization.name, is_alias=False, realm=organization.realm)
        )
    elif main.name != organization.name:
        main.name = organization.name


def _below(session: Session, organization: Organization) -> Iterable[Organization]:
    return session.scalars(
        select(Organization)
        .join(OrganizationLine, OrganizationLine.organization_id == Organization.id)
        .where(OrganizationLine.ancestor_id == organization.id, OrganizationLine.depth > 0)
        .order_by(OrganizationLine.depth)
    ).all()


def _refuse_clashes(session: Session, touched: Iterable[Organization]) -> None:
    """Say which name clashes with whose, before the database refuses it without a sentence."""
    claims: dict[tuple[int, str], Organization] = {}
    for organization in touched:
        for name in organization.names:
            other = claims.setdefault((id(organization.realm), name.name), organization)
            if other is not organization or _repeats(organization, name):
                _clash(name.name, other)
    texts = {name.name for each in touched for name in each.names}
    ours = {id(each) for each in touched}
    for start in range(0, len(texts), 400):
        part = sorted(texts)[start : start + 400]
        rows = session.scalars(select(OrganizationName).where(OrganizationName.name.in_(part)))
        for row in rows:
            if id(row.organization) in ours:
                continue
            if (id(row.organization.realm), row.name) in claims:
                _clash(row.name, row.organization)


def _repeats(organization: Organization, name: OrganizationName) -> bool:
    return sum(1 for each in organization.names if each.name == name.name) > 1


def _clash(text: str, other: Organization) -> None:
    message = f"名称或别名“{text}”与“{other.name}”（{other.code}）重复，请换一个。"
    raise Invalid(message, name=message)
