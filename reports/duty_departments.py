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
    """A department that items name and that would not answer, with how many items, and some of them.

    ``active``: in use; ``can_receive``: of a kind that tickets go to; if both are true, nobody
    there has an account that receives.
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


def silent(session: Session, versions: Sequence[Version], shown: int) -> list[Silent]:
    """Return the departments that would not answer, the most named first; four statements.

    Out of use, of a kind that no ticket goes to, or without an active account that receives. Each
    comes with the first ``shown`` items that name it.
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
    if found and shown:
        for pk, item in _items(session, versions, found, shown):
            found[pk].items.append(item)
    return sorted(found.values(), key=lambda each: -each.number)


def silent_items(
    session: Session, versions: Sequence[Version], departments: Iterable[Silent]
) -> Iterator[tuple[Silent, Item]]:
    """Yield all items that name these departments, department by department."""
    by_id = {each.id: each for each in departments}
    for pk, item in _items(session, versions, by_id, None):
        yield by_id[pk], item


def _items(
    session: Session, versions: Sequence[Version], departments: Iterable[int], shown: int | None
) -> Iterator[tuple[int, Item]]:
    """Yield the items that name the departments, at most ``shown`` of each; one statement."""
    listed = {each.id: each for each in versions}
    place = DutyItemDepartment.organization_id
    nth = func.row_number().over(partition_by=place, order_by=DutyItem.id)
    ranked = (
        select(
            place.label("department"),
            DutyItem.id.label("item"),
            DutyItem.name.label("name"),
            DutyItem.category.label("category"),
            DutyItem.duty_list_id.label("list"),
            nth.label("nth"),
        )
        .join(DutyItem, DutyItem.id == DutyItemDepartment.item_id)
        .where(DutyItem.duty_list_id.in_(listed), place.in_(sorted(departments)))
    ).subquery()
    query = select(ranked).order_by(ranked.c.department, ranked.c.item)
    if shown is not None:
        query = query.where(ranked.c.nth <= shown)
    for department, item_id, name, category, list_id, _nth in session.execute(query):
        yield department, Item(item_id, name, category or "", listed[list_id])
