"""What a version of a duty list changes against the one before it (domain section 5).

Publishing a version moves matters between "ours", "with us" and "theirs". So that whoever publishes
sees it before, a version is held against the version of its own list that is in force (or was,
before it), and against the place's two other lists.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.duty import DutyItem, DutyItemDepartment, DutyList, DutyListStatus, DutyListType
from models.organization import Organization
from rules.names import name_key

#: The three lists of a township, between which a matter may move.
THREE = (DutyListType.BASIC, DutyListType.COORDINATING, DutyListType.RECLAIMED)
#: What an item says. Its number in the list is not among it: one new item renumbers all below.
TEXTS = (
    "name",
    "category",
    "superior_duty",
    "township_duty",
    "work_method",
    "process",
    "time_limit",
)
DEPARTMENTS = "departments"


@dataclass(frozen=True)
class Matter:
    """An item of a version as plain values; ``departments`` are names, the first leads."""

    id: int
    serial: str
    texts: dict[str, str]
    departments: tuple[str, ...]

    @property
    def name(self) -> str:
        """The item's name as it is written."""
        return self.texts["name"]

    @property
    def category(self) -> str:
        """The item's category; "" if it has none."""
        return self.texts["category"]


@dataclass(frozen=True)
class Edit:
    """An item that says something else than before: (field, before, after) for each."""

    before: Matter
    after: Matter
    fields: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Move:
    """An item that left one of the place's lists and stands in another.

    ``item_id`` is the item where it stands now, ``matter`` what the version at hand, or the one
    before it, says of it.
    """

    matter: Matter
    source: DutyListType
    target: DutyListType
    item_id: int


@dataclass(frozen=True)
class Twice:
    """An item of the version that stands in another of the place's lists as well.

    ``elsewhere`` are the versions in which it does; ``leaving``: a draft of that list drops it.
    """

    matter: Matter
    elsewhere: tuple[DutyList, ...]
    leaving: bool


@dataclass
class VersionChanges:
    """What a version changes. ``former`` is None for the first of its list.

    ``renumbered`` counts items whose number alone is another. An item that moved here is among
    ``added`` too, one that moved away among ``removed``.
    """

    version: DutyList
    former: DutyList | None
    items: int = 0
    added: list[Matter] = field(default_factory=list)
    removed: list[Matter] = field(default_factory=list)
    changed: list[Edit] = field(default_factory=list)
    renumbered: int = 0
    moved: list[Move] = field(default_factory=list)
    twice: list[Twice] = field(default_factory=list)

    @property
    def nothing(self) -> bool:
        """Tell whether the version says just what the one before it says."""
        return not (self.added or self.removed or self.changed or self.moved)

    def moves(self) -> list[tuple[DutyListType, DutyListType, int]]:
        """Return how many items went from which list to which, the most first."""
        counted = Counter((each.source, each.target) for each in self.moved)
        return [(*way, number) for way, number in counted.most_common()]


def changes(session: Session, version: DutyList) -> VersionChanges:
    """Return what a version changes against the one that it supersedes, or would; four statements.

    The gate lets through what the session's actor may read.
    """
    around = _Around(session, version)
    found = VersionChanges(version, around.former)
    lists = [version.id, *([around.former.id] if around.former else [])]
    matters = _matters(session, lists)
    after = matters[version.id]
    before = matters[around.former.id] if around.former else []
    found.items = len(after)
    for old, new in _pairs(before, after):
        if old is None and new is not None:
            found.added.append(new)
        elif new is None and old is not None:
            found.removed.append(old)
        elif old is not None and new is not None:
            if fields := tuple(_differing(old, new)):
                found.changed.append(Edit(old, new, fields))
            found.renumbered += old.serial != new.serial
    if version.list_type in THREE:
        _across(session, around, found, after)
    return found


class _Around:
    """The versions beside one: its former, and of each other list of the place the telling ones."""

    def __init__(self, session: Session, version: DutyList) -> None:
        own = version.list_type
        kinds = THREE if own in THREE else (own,)
        self.versions = list(
            session.scalars(
                select(DutyList).where(
                    DutyList.organization_id == version.organization_id,
                    DutyList.list_type.in_(kinds),
                )
            )
        )
        self.version = version
        published = self._published(own)
        if version.published_at is None:
            earlier, later = published, []
        else:
            at = published.index(version)
            earlier, later = published[:at], published[at + 1 :]
        self.former: DutyList | None = earlier[-1] if earlier else None
        #: the version that took this one's place; what came after it is another story
        self.successor: DutyList | None = later[0] if later else None

    def _published(self, kind: DutyListType) -> list[DutyList]:
        """Return the versions of a list that are or were in force, in the order of publishing."""
        found = [
            each
            for each in self.versions
            if each.list_type is kind and each.published_at is not None
        ]
        return sorted(found, key=lambda each: (each.published_at, each.id))

    def now(self, kind: DutyListType) -> list[DutyList]:
        """Return the version of another list that stands beside this one, and its newest draft."""
        published = self._published(kind)
        if self.successor is not None:
            return [each for each in published if _before(each, self.successor)][-1:]
        drafts = [
            each
            for each in self.versions
            if each.list_type is kind and each.status is DutyListStatus.DRAFT
        ]
        return published[-1:] + sorted(drafts, key=lambda each: each.number)[-1:]

    def past(self, kind: DutyListType) -> list[DutyList]:
        """Return the last two versions of another list that were published before this one."""
        published = self._published(kind)
        if self.version.published_at is not None:
            published = [each for each in published if _before(each, self.version)]
        return published[-2:]


def _before(one: DutyList, other: DutyList) -> bool:
    return (one.published_at, one.id) < (other.published_at, other.id)


def _matters(session: Session, list_ids: Sequence[int]) -> dict[int, list[Matter]]:
    """Return the items of some versions in their order; two statements however many there are."""
    named: dict[int, list[str]] = {}
    for item_id, name in session.execute(
        select(DutyItemDepartment.item_id, Organization.name)
        .join(Organization, Organization.id == DutyItemDepartment.organization_id)
        .join(DutyItem, DutyItem.id == DutyItemDepartment.item_id)
        .where(DutyItem.duty_list_id.in_(list_ids))
        .order_by(DutyItemDepartment.item_id, DutyItemDepartment.position)
    ):
        named.setdefault(item_id, []).append(name)
    found: dict[int, list[Matter]] = {each: [] for each in list_ids}
    columns = [getattr(DutyItem, name) for name in TEXTS]
    for list_id, item_id, serial, *texts in session.execute(
        select(DutyItem.duty_list_id, DutyItem.id, DutyItem.serial, *columns)
        .where(DutyItem.duty_list_id.in_(list_ids))
        .order_by(DutyItem.position, DutyItem.id)
    ):
        said = {name: text or "" for name, text in zip(TEXTS, texts, strict=True)}
        departments = tuple(named.get(item_id, ()))
        found[list_id].append(Matter(item_id, serial or "", said, departments))
    return found


def _pairs(
    before: Iterable[Matter], after: Iterable[Matter]
) -> Iterator[tuple[Matter | None, Matter | None]]:
    """Yield the items that are one and the same in both versions, and those of one alone.

    By name; of namesakes, those of the same category first, then in their order.
    """
    old: dict[str, list[Matter]] = {}
    for each in before:
        old.setdefault(name_key(each.name), []).append(each)
    late: list[Matter] = []
    for new in after:
        namesakes = old.get(name_key(new.name), [])
        same = next((each for each in namesakes if each.category == new.category), None)
        if same is None:
            late.append(new)
        else:
            namesakes.remove(same)
            yield same, new
    for new in late:
        namesakes = old.get(name_key(new.name), [])
        yield (namesakes.pop(0) if namesakes else None), new
    for rest in old.values():
        for each in rest:
            yield each, None


def _differing(old: Matter, new: Matter) -> Iterator[tuple[str, str, str]]:
    for name in TEXTS:
        if old.texts[name] != new.texts[name]:
            yield name, old.texts[name], new.texts[name]
    if old.departments != new.departments:
        yield DEPARTMENTS, "、".join(old.departments), "、".join(new.departments)


def _across(
    session: Session, around: _Around, found: VersionChanges, after: Sequence[Matter]
) -> None:
    """Find what moved between the lists, and what stands in two of them; one statement."""
    others = [kind for kind in THREE if kind is not around.version.list_type]
    wanted = {each.id for kind in others for each in (*around.now(kind), *around.past(kind))}
    names = _names(session, wanted)
    here = {name_key(each.name) for each in after}
    gone = [each for each in found.removed if name_key(each.name) not in here]
    for kind in others:
        _moved(around, found, kind, names, gone)
    standing: dict[int, list[tuple[DutyList, bool]]] = {}
    for kind in others:
        now = around.now(kind)
        for each in after:
            key = name_key(each.name)
            if holding := [one for one in now if key in names[one.id]]:
                leaving = holding[-1] is not now[-1]
                standing.setdefault(each.id, []).append((holding[-1], leaving))
    found.twice = [
        Twice(
            each,
            tuple(one for one, _leaving in standing[each.id]),
            all(leaving for _one, leaving in standing[each.id]),
        )
        for each in after
        if each.id in standing
    ]


def _moved(
    around: _Around,
    found: VersionChanges,
    kind: DutyListType,
    names: dict[int, dict[str, int]],
    gone: Sequence[Matter],
) -> None:
    """Note the items that went from this list to another one, and the other way."""
    own = around.version.list_type
    now = around.now(kind)
    newest = names[now[-1].id] if now else {}
    stands = {key: item_id for one in now for key, item_id in names[one.id].items()}
    for each in gone:
        if (target := stands.get(name_key(each.name))) is not None:
            found.moved.append(Move(each, own, kind, target))
    past = [one for one in around.past(kind) if not now or one is not now[-1]]
    stood = {key for one in past for key in names[one.id]} - newest.keys()
    for each in found.added:
        if name_key(each.name) in stood:
            found.moved.append(Move(each, kind, own, each.id))


def _names(session: Session, list_ids: Iterable[int]) -> dict[int, dict[str, int]]:
    """Return the items of some versions by the key of their name; one statement."""
    ids = sorted(set(list_ids))
    found: dict[int, dict[str, int]] = {each: {} for each in ids}
    for list_id, item_id, name in session.execute(
        select(DutyItem.duty_list_id, DutyItem.id, DutyItem.name)
        .where(DutyItem.duty_list_id.in_(ids))
        .order_by(DutyItem.id)
    ):
        found[list_id].setdefault(name_key(name), item_id)
    return found
