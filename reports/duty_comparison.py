"""The duty lists of a county's townships side by side (domain section 5).

A township's lists decide what it may blow the whistle for. Where two townships put the same matter
on different lists, or a matter names no department that answers, the county has something to mend.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.duty import DutyItem, DutyList, DutyListStatus, DutyListType
from models.organization import Organization, OrganizationKind
from presets.roles import Role
from reports.duty_changes import THREE
from rules.actor import current
from rules.names import name_key
from rules.policy import Action, Scope, scopes
from rules.scope import reachable

#: A comparison is a matter of an area: who reads the lists of his own line only has none to compare.
AREAS = frozenset({Scope.EVERYTHING, Scope.AREA})
#: A category deviates when a township has so much more or less of it than the mean, and so many.
FAR, FEW = Decimal("0.3"), 2


def compares(roles: frozenset[Role]) -> bool:
    """Tell whether people with these roles compare lists at all."""
    return not scopes(roles, "duty_list", Action.READ).isdisjoint(AREAS)


@dataclass(frozen=True)
class Township:
    """A township in use whose lists the reader may see; ``county_id`` is its county or city."""

    id: int
    name: str
    county_id: int | None


@dataclass(frozen=True)
class Version:
    """The version of a township's list that is compared, and how many items it holds."""

    id: int
    township: Township
    list_type: DutyListType
    number: int
    status: DutyListStatus
    published_at: dt.datetime | None
    items: int


@dataclass(frozen=True)
class Category:
    """How many items of one category each township's list holds.

    ``mean`` is over the townships that have the list, also those without such an item.
    """

    list_type: DutyListType
    name: str
    counts: dict[int, int]
    mean: Decimal

    def deviation(self, township_id: int) -> Decimal:
        """Return by how much a township's count lies above the mean (below: negative)."""
        return self.counts[township_id] - self.mean

    def far(self, township_id: int) -> int:
        """Return 1 where a township lies far above the mean, -1 far below, else 0."""
        off = self.deviation(township_id)
        if abs(off) < FEW or abs(off) < FAR * self.mean:
            return 0
        return 1 if off > 0 else -1


@dataclass(frozen=True)
class Standing:
    """An item in a township's list."""

    township: Township
    item_id: int


@dataclass(frozen=True)
class Dispute:
    """A matter that stands in different lists, with the townships of each list."""

    name: str
    places: dict[DutyListType, list[Standing]]

    @property
    def disagreeing(self) -> int:
        """How many townships' lists say otherwise than most of them."""
        numbers = [len(each) for each in self.places.values()]
        return sum(numbers) - max(numbers)

    @property
    def twice(self) -> list[str]:
        """The townships that have it in two of their own lists at once."""
        seen: dict[int, int] = {}
        names: dict[int, str] = {}
        for each in self.places.values():
            for one in each:
                seen[one.township.id] = seen.get(one.township.id, 0) + 1
                names[one.township.id] = one.township.name
        return [names[key] for key, number in seen.items() if number > 1]


@dataclass
class Comparison:
    """A county's lists side by side.

    ``missing``: townships without a list of a type; in the choice "in force" that is one in force.
    """

    townships: list[Township]
    kinds: tuple[DutyListType, ...]
    versions: list[Version] = field(default_factory=list)
    categories: list[Category] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)

    def version(self, township: Township, kind: DutyListType) -> Version | None:
        """Return a township's version of a list, if it has one."""
        return next(
            (
                each
                for each in self.versions
                if each.township.id == township.id and each.list_type is kind
            ),
            None,
        )

    def having(self, kind: DutyListType) -> list[Township]:
        """Return the townships that have a list of a type."""
        there = {each.township.id for each in self.versions if each.list_type is kind}
        return [each for each in self.townships if each.id in there]

    @property
    def missing(self) -> list[tuple[Township, DutyListType]]:
        """The townships that lack a list, and which."""
        return [
            (township, kind)
            for kind in self.kinds
            for township in self.townships
            if self.version(township, kind) is None
        ]


def townships(session: Session) -> list[Township]:
    """Return the townships in use whose lists the session's actor reads; one statement."""
    within = reachable(current(session), "duty_list", Organization.id, Action.READ)
    found = session.execute(
        select(Organization.id, Organization.name, Organization.realm_id)
        .where(Organization.kind == OrganizationKind.TOWNSHIP, Organization.active, within)
        .order_by(Organization.code)
    )
    return [Township(*row) for row in found]


def compare(
    session: Session,
    places: Sequence[Township],
    kinds: tuple[DutyListType, ...] = THREE,
    *,
    newest: bool = False,
) -> Comparison:
    """Return some townships' lists side by side; four statements.

    ``newest`` takes drafts too: the version with the highest number that is not superseded. The
    matters in dispute are looked for across all three lists, and kept if one of ``kinds`` is
    among theirs.
    """
    found = Comparison(list(places), kinds)
    chosen = _chosen(session, places, newest)
    counted = _counted(session, chosen)
    for each in chosen.values():
        total = sum(counted.get(each.id, {}).values())
        if each.list_type in kinds:
            found.versions.append(_version(each, places, total))
    for kind in kinds:
        found.categories += _categories(found, kind, counted)
    found.disputes = [
        each
        for each in _disputes(session, chosen, places)
        if not each.places.keys().isdisjoint(kinds)
    ]
    return found


def _chosen(
    session: Session, places: Sequence[Township], newest: bool
) -> dict[tuple[int, DutyListType], DutyList]:
    """Return the version of each township's each list that is compared."""
    states = [DutyListStatus.PUBLISHED, *([DutyListStatus.DRAFT] if newest else [])]
    found = session.scalars(
        select(DutyList)
        .where(
            DutyList.organization_id.in_([each.id for each in places]),
            DutyList.list_type.in_(THREE),
            DutyList.status.in_(states),
        )
        .order_by(DutyList.number)
    )
    # The last of them has the highest number.
    return {(each.organization_id, each.list_type): each for each in found}


def _version(record: DutyList, places: Iterable[Township], items: int) -> Version:
    township = next(each for each in places if each.id == record.organization_id)
    return Version(
        record.id,
        township,
        record.list_type,
        record.number,
        record.status,
        record.published_at,
        items,
    )


def _counted(
    session: Session, chosen: dict[tuple[int, DutyListType], DutyList]
) -> dict[int, dict[str, int]]:
    """Return the numbers of items by version and category."""
    counted: dict[int, dict[str, int]] = {}
    for list_id, category, number in session.execute(
        select(DutyItem.duty_list_id, DutyItem.category, func.count(DutyItem.id))
        .where(DutyItem.duty_list_id.in_([each.id for each in chosen.values()]))
        .group_by(DutyItem.duty_list_id, DutyItem.category)
    ):
        counted.setdefault(list_id, {})[category or ""] = number
    return counted


def _categories(
    found: Comparison, kind: DutyListType, counted: dict[int, dict[str, int]]
) -> list[Category]:
    """Return a list's categories, the largest first; spellings of one are taken together."""
    versions = [each for each in found.versions if each.list_type is kind]
    names: dict[str, str] = {}
    numbers: dict[str, dict[int, int]] = {}
    for version in versions:
        for name, number in counted.get(version.id, {}).items():
            key = name_key(name)
            names.setdefault(key, name)
            of_place = numbers.setdefault(key, dict.fromkeys((v.township.id for v in versions), 0))
            of_place[version.township.id] += number
    made = [
        Category(kind, names[key], counts, Decimal(sum(counts.values())) / len(versions))
        for key, counts in numbers.items()
    ]
    return sorted(made, key=lambda each: (-each.mean, each.name))


def _disputes(
    session: Session,
    chosen: dict[tuple[int, DutyListType], DutyList],
    places: Iterable[Township],
) -> list[Dispute]:
    """Return the matters that stand in different lists, those that most disagree about first."""
    kinds = {each.id: each.list_type for each in chosen.values()}
    bits = {each.id: 1 << THREE.index(each.list_type) for each in chosen.values()}
    rows = session.execute(
        select(DutyItem.duty_list_id, DutyItem.id, DutyItem.name)
        .where(DutyItem.duty_list_id.in_(kinds))
        .order_by(DutyItem.duty_list_id, DutyItem.position)
    ).all()
    # Most names are written alike in most lists: each spelling is looked at once.
    spelled: dict[str, int] = {}
    for list_id, _item, name in rows:
        spelled[name] = spelled.get(name, 0) | bits[list_id]
    keys = {name: name_key(name) for name in spelled}
    stands: dict[str, int] = {}
    for name, mask in spelled.items():
        stands[keys[name]] = stands.get(keys[name], 0) | mask
    # More than one bit: more than one list.
    disputed = {name for name, key in keys.items() if stands[key] & (stands[key] - 1)}
    township = {each.id: each for each in places}
    owner = {each.id: township[each.organization_id] for each in chosen.values()}
    found: dict[str, Dispute] = {}
    told: set[tuple[str, int]] = set()
    for list_id, item_id, name in rows:
        if name in disputed and (keys[name], list_id) not in told:
            told.add((keys[name], list_id))
            dispute = found.setdefault(keys[name], Dispute(name, {}))
            standing = Standing(owner[list_id], item_id)
            dispute.places.setdefault(kinds[list_id], []).append(standing)
    return sorted(
        found.values(),
        key=lambda each: (
            -each.disagreeing,
            -sum(len(some) for some in each.places.values()),
            each.name,
        ),
    )
