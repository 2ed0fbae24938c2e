"""The items of one version, written many at once: imports, and taking them back (domain section 5).

The audit names each item that is changed or removed so, field by field. Items that come new with a whole
list are not listed one by one a second time: the batch that made them is their record, and the
version's own line says that it was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import utcnow
from models.duty import DutyItem, DutyItemDepartment, DutyList
from rules import audit, bulk

#: The text fields of an item; with ``departments`` (ids in order) they are all it says.
TEXTS = (
    "serial",
    "category",
    "name",
    "superior_duty",
    "township_duty",
    "work_method",
    "process",
    "time_limit",
)
#: All that an item says: its texts in the order of ``TEXTS``, and the ids of its departments.
Whole = tuple[Any, ...]
NOTHING: Whole = (*(None for _name in TEXTS), [])
DEPARTMENTS = len(TEXTS)
_LONG = 20
_NAME = TEXTS.index("name")


@dataclass(slots=True)
class Present:
    """An item of a version as it stands."""

    id: int
    position: int
    version: int
    whole: Whole

    @property
    def name(self) -> str:
        """Return how the item is called."""
        return str(self.whole[_NAME])

    @property
    def values(self) -> dict[str, Any]:
        """Return what it says, by field."""
        return dict(zip((*TEXTS, "departments"), self.whole, strict=True))


def items_of(
    session: Session, list_ids: Sequence[int], *, lock: bool = False
) -> dict[int, list[Present]]:
    """Return the items of the versions, by version and in order. Two statements.

    ``lock``: until the transaction ends nobody else writes them.
    """
    columns = [getattr(DutyItem, name) for name in TEXTS]
    found: dict[int, list[Present]] = {each: [] for each in list_ids}
    departments: dict[int, list[int]] = {}
    query = (
        select(DutyItem.duty_list_id, DutyItem.id, DutyItem.position, DutyItem.version, *columns)
        .where(DutyItem.duty_list_id.in_(list_ids))
        .order_by(DutyItem.position, DutyItem.id)
    )
    for list_id, item_id, position, version, *texts in session.execute(
        query.with_for_update() if lock else query
    ):
        links = departments[item_id] = []
        found[list_id].append(Present(item_id, position, version, (*texts, links)))
    for item_id, organization_id in session.execute(
        select(DutyItemDepartment.item_id, DutyItemDepartment.organization_id)
        .join(DutyItem, DutyItem.id == DutyItemDepartment.item_id)
        .where(DutyItem.duty_list_id.in_(list_ids))
        .order_by(DutyItemDepartment.item_id, DutyItemDepartment.position)
    ):
        departments[item_id].append(organization_id)
    return found


class Items:
    """Writes the items of one version, whose own row it writes first.

    So the gate judges the version, and of two people who write it at once one is refused
    (``StaleDataError``), as he is if an item has been written since it was read.
    """

    def __init__(self, session: Session, version: DutyList) -> None:
        """Write the version's row. Raises ``OutOfScope`` if the actor may not."""
        self.session, self.version = session, version
        session.add(version)
        # Always written, so that the lock notices a version that was published in the meantime.
        version.updated_at = utcnow()
        bulk.judge(session, version)

    def numbers(self, count: int) -> Sequence[int]:
        """Return the ids for so many new items, ascending."""
        return bulk.numbers(self.session, DutyItem, count)

    def add(self, rows: Sequence[tuple[int, int, Whole]]) -> None:
        """Add items: the id, the position and what it says of each."""
        list_id = self.version.id
        fresh = [
            dict(
                zip(TEXTS, map(_copied, whole), strict=False),
                id=id_,
                duty_list_id=list_id,
                position=position,
            )
            for id_, position, whole in rows
        ]
        bulk.add(self.session, DutyItem, fresh)
        self._link((id_, whole) for id_, _position, whole in rows)

    def _link(self, rows: Iterator[tuple[int, Whole]]) -> None:
        links = [
            {"item_id": id_, "organization_id": each, "position": at}
            for id_, whole in rows
            for at, each in enumerate(whole[DEPARTMENTS])
        ]
        bulk.add(self.session, DutyItemDepartment, links)

    def change(self, rows: Sequence[tuple[Present, int, Whole]]) -> None:
        """Change items: what each was, its position from now on, and what it says from now on."""
        written = [
            dict(
                zip(TEXTS, whole, strict=False),
                id=present.id,
                version=present.version,
                position=position,
            )
            for present, position, whole in rows
        ]
        bulk.change(self.session, DutyItem, written)
        named = [
            (present.id, whole)
            for present, _position, whole in rows
            if present.whole[DEPARTMENTS] != whole[DEPARTMENTS]
        ]
        bulk.clear(self.session, DutyItemDepartment, [id_ for id_, _whole in named])
        self._link(iter(named))
        lines = [audit.Line(each.id, each.name, _differences(each, new)) for each, _, new in rows]
        audit.note(self.session, DutyItem, "update", lines)

    def move(self, rows: Sequence[tuple[Present, int]]) -> None:
        """Give items another position, and nothing else."""
        bulk.change(
            self.session,
            DutyItem,
            [{"id": each.id, "version": each.version, "position": at} for each, at in rows],
        )

    def remove(self, rows: Sequence[Present]) -> None:
        """Remove items with their departments."""
        gone = [{"id": each.id, "version": each.version} for each in rows]
        bulk.remove(self.session, DutyItem, gone)
        lines = [audit.Line(each.id, each.name, _differences(each, NOTHING)) for each in rows]
        audit.note(self.session, DutyItem, "delete", lines)

    def clear(self) -> None:
        """Remove every item: of a version that goes as well, and whose own line in the audit tells."""
        bulk.clear(self.session, DutyItem, [self.version.id])

    def done(self) -> None:
        """Let the session see what has been written."""
        self.session.flush()
        self.session.expire(self.version, ["items"])
        bulk.forget(self.session, DutyItem, DutyItemDepartment)


def _copied(text: Any) -> Any:
    """Return a long text as another object.

    The databases' drivers leave in every text that they send its UTF-8, half as long again as itself: of
    a hundred thousand rows that a plan still holds, a hundred megabytes.
    """
    return (text + " ")[:-1] if type(text) is str and len(text) > _LONG else text


def _differences(present: Present, whole: Whole) -> dict[str, list[Any]]:
    texts = zip(TEXTS, present.whole, whole, strict=False)
    return {name: [old, new] for name, old, new in texts if old != new}
