"""Items of duty lists whose whistle would reach nobody: no department, or one that does not answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.duty import DutyItem, DutyItemDepartment, DutyListType
from models.organization import Organization, OrganizationKind
from reports.duty_comparison import Version
from rules.duty_lists import receiving
from rules.workflows.ticket_effects import DISPATCHABLE

#: The lists whose items are whistled for, and so must name a department (domain section 5).
WHISTLED = (DutyListType.COORDINATING, DutyListType.RECLAIMED)


@dataclass(frozen=True)
class Item:
    """An item of a version that is compared."""

    id: int
    name: str
    category: str
    version: Version


@dataclass(frozen=True)
class Unnamed:
    """Items that name no department: how many by version, and the first of them."""

    counts: list[tuple[Version, int]]
    items: list[Item]

    @property
    def total(self) -> int:
        """How many there are in all."""
        return sum(number for _version, number in self.counts)


@dataclass
class Silent:
    """A department that items name and that would not answer, with how many items name it.

    ``active``: in use; ``can_receive``: of a kind that tickets go to; if both are true, nobody
    there has an account that receives. ``items`` are the first of them, once ``name_items`` has
    been asked.
    """

    id: int
    name: str
    kind: OrganizationKind
    active: bool
    number: int
    items: list[Item] = field(default_factory=list)

    @property
    def can_receive(self) -> bool:
        """Tell whether tickets may be sent to organisations of its kind."""
        return self.kind in DISPATCHABLE


def unnamed(session: Session, versions: Sequence[Version], shown: int) -> Unnamed:
    """Return the items that name no department, ``shown`` of them by name; two statements."""
    listed = _whistled(versions)
    counted: dict[int, int] = dict(
        session.execute(
            _without(select(DutyItem.duty_list_id, func.count(DutyItem.id)), listed).group_by(
                DutyItem.duty_list_id
            )
        ).all()
    )
    counts = [(each, counted[each.id]) for each in listed if each.id in counted]
    return Unnamed(counts, list(unnamed_items(session, versions, shown)) if counts else [])


def unnamed_items(
    session: Session, versions: Sequence[Version], shown: int | None = None
) -> Iterator[Item]:
    """Yield the items that name no department, list by list; all of them if ``shown`` is None."""
    listed = {each.id: each for each in _whistled(versions)}
    query = _without(
        select(DutyItem.id, DutyItem.name, DutyItem.category, DutyItem.duty_list_id),
        listed.values(),
    ).order_by(DutyItem.duty_list_id, DutyItem.position, DutyItem.id)
    for item_id, name, category, list_id in session.execute(query.limit(shown)):
        yield Item(item_id, name, category or "", listed[list_id])


def _whistled(versions: Iterable[Version]) -> list[Version]:
    return [each for each in versions if each.list_type in WHISTLED]


def _without(query: Any, versions: Iterable[Version]) -> Any:
    return query.outerjoin(DutyItem.departments).where(
        DutyItem.duty_list_id.in_([each.id for each in versions]), DutyItemDepartment.id.is_(None)
    )


def silent(session: Session, versions: Sequence[Version]) -> list[Silent]:
    """Return the departments that would not answer, the most named first; three statements.

    Out of use, of a kind that no ticket goes to, or without an active account that receives.
    """
    query = (
        select(DutyItemDepartment.organization_id, func.count(DutyItemDepartment.id))
        .join(DutyItem, DutyItem.id == DutyItemDepartment.item_id)
        .where(DutyItem.duty_list_id.in_([each.id for each in versions]))
        .group_by(DutyItemDepartment.organization_id)
    )
    counted: dict[int, int] = dict(session.execute(query).all())
    answering = receiving(session, counted)
    found = {
        pk: Silent(pk, name, kind, active, counted[pk])
        for pk, name, kind, active in session.execute(
            select(Organization.id, Organization.name, Organization.kind, Organization.active)
            .where(Organization.id.in_(counted))
            .order_by(Organization.code)
        )
        if not active or kind not in DISPATCHABLE or pk not in answering
    }
    return sorted(found.values(), key=lambda each: -each.number)


def silent_items(
    session: Session, versions: Sequence[Version], departments: Iterable[Silent]
) -> Iterator[tuple[Silent, Item]]:
    """Yield all items that name these departments, department by department; one statement."""
    by_id = {each.id: each for each in departments}
    listed = {each.id: each for each in versions}
    place = DutyItemDepartment.organization_id
    query = _naming(
        select(place, DutyItem.id, DutyItem.name, DutyItem.category, DutyItem.duty_list_id),
        versions,
        by_id,
    ).order_by(place, DutyItem.id)
    for pk, item_id, name, category, list_id in session.execute(query):
        yield by_id[pk], Item(item_id, name, category or "", listed[list_id])


def name_items(
    session: Session, versions: Sequence[Version], departments: Sequence[Silent], shown: int
) -> None:
    """Give each department the first ``shown`` items that name it; two statements.

    Ranked by number alone: most of a county's items may have to be gone through for a few names.
    """
    by_id = {each.id: each for each in departments}
    place, item = DutyItemDepartment.organization_id, DutyItemDepartment.item_id
    nth = func.row_number().over(partition_by=place, order_by=item)
    ranked = _naming(
        select(place.label("department"), item.label("item"), nth.label("nth")), versions, by_id
    ).subquery()
    pairs = session.execute(
        select(ranked.c.department, ranked.c.item)
        .where(ranked.c.nth <= shown)
        .order_by(ranked.c.department, ranked.c.item)
    ).all()
    listed = {each.id: each for each in versions}
    items = {
        pk: Item(pk, name, category or "", listed[list_id])
        for pk, name, category, list_id in session.execute(
            select(DutyItem.id, DutyItem.name, DutyItem.category, DutyItem.duty_list_id).where(
                DutyItem.id.in_(sorted({each.item for each in pairs}))
            )
        )
    }
    for department, item_id in pairs:
        by_id[department].items.append(items[item_id])


def _naming(query: Any, versions: Iterable[Version], departments: Iterable[int]) -> Any:
    """Narrow a query of links to the items of some versions that name some departments."""
    return query.join(DutyItem, DutyItem.id == DutyItemDepartment.item_id).where(
        DutyItem.duty_list_id.in_([each.id for each in versions]),
        DutyItemDepartment.organization_id.in_(sorted(departments)),
    )
