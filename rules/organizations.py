"""What keeps the organisation tree true: its lines, its realms, its names, on every flush."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ScalarSelect, String, cast, inspect, select
from sqlalchemy.orm import Session, aliased, object_session, selectinload

from models.base import listed
from models.organization import (
    REALMS,
    Organization,
    OrganizationKind,
    OrganizationLine,
    OrganizationName,
)
from rules.actor import SYSTEM, acting_as
from rules.errors import Invalid
from rules.locking import keep, kept, let_go

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


#: Where a flush leaves the ids of organisations whose ancestors it has changed.
MOVED = "chuishao.moved"
_ABOVE = "above"


def above(place: Organization) -> frozenset[int]:
    """Return the ids of a place and of all that it lies in."""
    found: frozenset[int] | None = kept(object_session(place), _ABOVE, place.id)
    return frozenset(line.ancestor_id for line in place.lines) if found is None else found


def ids_above(place_id: Any) -> ScalarSelect[str]:
    """Return what asks for ``above`` along with something else, by a column: for ``keep_above``.

    As one value: to join the lines would bring all that is asked besides once for each of them.
    """
    line = aliased(OrganizationLine)
    ids = listed(cast(line.ancestor_id, String))
    return select(ids).where(line.organization_id == place_id).scalar_subquery()


def keep_above(session: Session, place_id: int, ids: str | None) -> None:
    """Keep what lies above a place until the transaction ends, or the tree is changed."""
    if ids:
        keep(session, _ABOVE, place_id, frozenset(map(int, ids.split(","))))


def maintain(session: Session, flush_context: Any, instances: Any) -> None:
    """Before a flush: derive lines, realm and name rows of every organisation about to be written.

    Raises ``Invalid`` with a sentence for a parent of the wrong kind, a cycle, or a name or alias
    that another organisation of the same county already goes by. A move redraws everything below;
    ancestors are always walked up to, so that several moves in one flush may come in any order.
    """
    touched = [each for each in session.new if isinstance(each, Organization)]
    touched += [
        each
        for each in session.dirty
        if isinstance(each, Organization) and session.is_modified(each)
    ]
    if not touched:
        return
    let_go(session, _ABOVE)
    with acting_as(session, SYSTEM):
        moved = [each for each in touched if _is_new(each) or _changed(each, *_PLACE)]
        for organization in moved:
            _check_place(session, organization)
        below = _below(session, [each for each in moved if not _is_new(each)])
        redrawn = list(dict.fromkeys([*moved, *below]))
        for organization in redrawn:
            _draw_line(organization, _chain(session, organization))
        for organization in dict.fromkeys([*touched, *redrawn]):
            _set_name(organization)
            _spread_realm(organization)
        _refuse_clashes(session, list(dict.fromkeys([*touched, *redrawn])))
        session.info[MOVED] = {each.id for each in redrawn if not _is_new(each)}


_PLACE = ("parent", "parent_id", "kind")


def _is_new(organization: Organization) -> bool:
    return not inspect(organization).persistent


def _changed(organization: Organization, *names: str) -> bool:
    attributes: Any = inspect(organization).attrs
    return any(attributes[name].history.has_changes() for name in names)


def _parent(session: Session, organization: Organization) -> Organization | None:
    """Return the parent, whether it was set as an object or as an id."""
    if _changed(organization, "parent"):
        return organization.parent
    if organization.parent_id is None:
        return None
    return session.get(Organization, organization.parent_id)


def _chain(session: Session, organization: Organization) -> list[Organization]:
    """Return the organisation and its ancestors, nearest first, as they will be."""
    found = [organization]
    while (above := _parent(session, found[-1])) is not None:
        if above in found:
            message = f"“{organization.name}”不能挂在自己或自己的下级之下。"
            raise Invalid(message, parent=message)
        found.append(above)
    return found


def _check_place(session: Session, organization: Organization) -> None:
    """Refuse a parent that does not fit, and a kind that does not fit those below."""
    _chain(session, organization)
    _check_parent(organization, _parent(session, organization))
    if _is_new(organization) or not _changed(organization, "kind"):
        return
    children = select(Organization).where(Organization.parent_id == organization.id)
    for child in session.scalars(children):
        if _parent(session, child) is organization and organization.kind not in PARENTS[child.kind]:
            message = (
                f"“{organization.name}”之下有{child.kind.title}“{child.name}”，"
                f"不能改为{organization.kind.title}；请先移走下级机构。"
            )
            raise Invalid(message, kind=message)


def _check_parent(organization: Organization, parent: Organization | None) -> None:
    kind = organization.kind
    if parent is None:
        if kind not in MAY_STAND_ALONE:
            raise Invalid(
                f"“{organization.name}”是{kind.title}，必须填写上级机构。",
                parent="请选择上级机构。",
            )
        return
    if parent.kind not in PARENTS[kind]:
        allowed = "、".join(each.title for each in PARENTS[kind]) or "（没有上级）"
        message = (
            f"“{organization.name}”是{kind.title}，不能挂在{parent.kind.title}"
            f"“{parent.name}”之下，上级应为：{allowed}。"
        )
        raise Invalid(message, parent=message)


def _draw_line(organization: Organization, wanted: list[Organization]) -> None:
    """Write down the organisation's ancestors and realm; lines that stay keep their rows."""
    have = {id(line.ancestor): line for line in organization.lines}
    for line in list(organization.lines):
        if all(line.ancestor is not ancestor for ancestor in wanted):
            organization.lines.remove(line)
    for depth, ancestor in enumerate(wanted):
        if id(ancestor) in have:
            have[id(ancestor)].depth = depth
        else:
            organization.lines.append(OrganizationLine(ancestor=ancestor, depth=depth))
    realm = next((each for each in wanted if each.kind in REALMS), None)
    if organization.realm is not realm:
        organization.realm = realm


def _spread_realm(organization: Organization) -> None:
    for name in organization.names:
        if name.realm is not organization.realm:
            name.realm = organization.realm


def _set_name(organization: Organization) -> None:
    main = next((name for name in organization.names if not name.is_alias), None)
    if main is None:
        organization.names.append(OrganizationName(name=organization.name, is_alias=False))
    elif main.name != organization.name:
        main.name = organization.name


def _below(session: Session, moved: Iterable[Organization]) -> Iterable[Organization]:
    """Return what stands below these in the database, with lines and names at hand."""
    ids = [each.id for each in moved]
    if not ids:
        return []
    return session.scalars(
        select(Organization)
        .join(OrganizationLine, OrganizationLine.organization_id == Organization.id)
        .where(OrganizationLine.ancestor_id.in_(ids), OrganizationLine.depth > 0)
        .options(selectinload(Organization.lines), selectinload(Organization.names))
        .order_by(OrganizationLine.depth, Organization.id)
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
