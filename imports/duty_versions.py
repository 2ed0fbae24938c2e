"""Writing a duty list into a draft version, and taking that back (domain section 5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from imports.kinds import Value
from imports.plan import MissingRow, PlannedRow, RowState, fingerprint
from models.base import utcnow
from models.duty import DutyItem, DutyItemDepartment, DutyList, DutyListStatus, DutyListType
from models.imports import ImportBatch, ImportChange
from models.organization import Organization
from rules.actor import SYSTEM, acting_as, current
from rules.errors import Conflict
from rules.workflow import begin

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
_NOTHING: dict[str, Value] = {**dict.fromkeys(TEXTS), "departments": []}
_TITLE_LENGTH: int = DutyList.title.type.length
_NAMED = 5


@dataclass
class Present:
    """An item of a version as plain values."""

    id: int
    position: int
    values: dict[str, Value]


@dataclass
class Draft:
    """Where a list is to be written: into ``record``, or a new version with ``number`` if None.

    ``present`` are the items, by id, of the version that the file was held against.
    """

    owner: Organization
    list_type: DutyListType
    title: str
    record: DutyList | None
    number: int
    present: dict[int, Present]


def items_of(session: Session, list_ids: Iterable[int]) -> dict[int, list[Present]]:
    """Return the items of the versions, by version and in order. Two statements."""
    ids = list(list_ids)
    columns = [getattr(DutyItem, name) for name in TEXTS]
    found: dict[int, list[Present]] = {each: [] for each in ids}
    departments: dict[int, list[int]] = {}
    for list_id, item_id, position, *texts in session.execute(
        select(DutyItem.duty_list_id, DutyItem.id, DutyItem.position, *columns)
        .where(DutyItem.duty_list_id.in_(ids))
        .order_by(DutyItem.position, DutyItem.id)
    ):
        departments[item_id] = []
        values = {**dict(zip(TEXTS, texts, strict=True)), "departments": departments[item_id]}
        found[list_id].append(Present(item_id, position, values))
    for item_id, organization_id in session.execute(
        select(DutyItemDepartment.item_id, DutyItemDepartment.organization_id)
        .join(DutyItem, DutyItem.id == DutyItemDepartment.item_id)
        .where(DutyItem.duty_list_id.in_(ids))
        .order_by(DutyItemDepartment.item_id, DutyItemDepartment.position)
    ):
        departments[item_id].append(organization_id)
    return found


def write_version(
    session: Session,
    batch: ImportBatch,
    draft: Draft,
    rows: Sequence[PlannedRow],
    missing: Sequence[MissingRow],
) -> DutyList:
    """Make the draft hold exactly the file's rows, and note in the batch what that changed.

    Fields that the file does not speak of keep the value of the item it matches. Flushes.
    """
    before = None
    if draft.record is None:
        version = DutyList(
            organization=draft.owner,
            list_type=draft.list_type,
            number=draft.number,
            title=draft.title[:_TITLE_LENGTH] or None,
        )
        session.add(version)
        records = [_new_item(draft, row, at) for at, row in enumerate(rows, 1)]
        version.items = records
    else:
        version = draft.record
        before = {
            "title": version.title,
            "item_count": version.item_count,
            "positions": {str(item.id): item.position for item in draft.present.values()},
        }
        records = _rewrite(session, version, draft, rows, missing)
        version.title = draft.title[:_TITLE_LENGTH] or version.title
    version.item_count = len(rows)
    # Always written, so that the lock notices a version that was published in the meantime.
    version.updated_at = utcnow()
    session.flush()
    if before is None:
        begin(session, version, current(session), note=f"导入“{batch.file_name}”")
    _note(batch, version, before, draft, rows, records, missing)
    return version


def _values(draft: Draft, row: PlannedRow) -> dict[str, Value]:
    match = draft.present.get(row.record_id) if row.record_id else None
    return {**(match.values if match else _NOTHING), **row.item.values}


def _new_item(draft: Draft, row: PlannedRow, position: int) -> DutyItem:
    return _make_item(_values(draft, row), position)


def _make_item(values: dict[str, Value], position: int) -> DutyItem:
    item = DutyItem(position=position, **{name: values.get(name) for name in TEXTS})
    item.departments = _links(values)
    return item


def _links(values: dict[str, Value]) -> list[DutyItemDepartment]:
    ids = cast(list[int], values.get("departments") or [])
    return [DutyItemDepartment(organization_id=each, position=at) for at, each in enumerate(ids)]


def _set_item(item: DutyItem, values: dict[str, Value]) -> None:
    for name in TEXTS:
        if name in values and getattr(item, name) != values[name]:
            setattr(item, name, values[name])
    if "departments" in values:
        wanted = cast(list[int], values["departments"])
        kept = {link.organization_id: link for link in item.departments}
        for link in [link for link in item.departments if link.organization_id not in wanted]:
            item.departments.remove(link)
        for position, organization_id in enumerate(wanted):
            if organization_id in kept:
                kept[organization_id].position = position
            else:
                item.departments.append(
                    DutyItemDepartment(organization_id=organization_id, position=position)
                )


def _load(session: Session, version: DutyList) -> dict[int, DutyItem]:
    """Load a version's items with their departments, in three statements."""
    items = session.scalars(
        select(DutyItem)
        .where(DutyItem.duty_list_id == version.id)
        .options(selectinload(DutyItem.departments))
    )
    return {item.id: item for item in items}


def _rewrite(
    session: Session,
    version: DutyList,
    draft: Draft,
    rows: Sequence[PlannedRow],
    missing: Sequence[MissingRow],
) -> list[DutyItem]:
    """Change a draft in place: only rows that differ or move are written."""
    loaded = _load(session, version)
    for gone in missing:
        version.items.remove(loaded[gone.record_id])
    records = []
    for position, row in enumerate(rows, 1):
        if row.record_id is None:
            item = _new_item(draft, row, position)
            version.items.append(item)
        else:
            item = loaded[row.record_id]
            _set_item(item, row.item.values)
            if item.position != position:
                item.position = position
        records.append(item)
    return records


def _note(
    batch: ImportBatch,
    version: DutyList,
    before: dict[str, Any] | None,
    draft: Draft,
    rows: Sequence[PlannedRow],
    records: Sequence[DutyItem],
    missing: Sequence[MissingRow],
) -> None:
    """Write into the batch what changed, and how the version's items stood afterwards."""
    prints = {
        str(item.id): fingerprint(_values(draft, row))
        for row, item in zip(rows, records, strict=True)
    }
    batch.changes.append(
        ImportChange(
            record_type="duty_list",
            record_id=version.id,
            row_version=version.version,
            title=str(version),
            before=before,
            after={"items": prints},
        )
    )
    for row, item in zip(rows, records, strict=True):
        if row.state is not RowState.UNCHANGED:
            batch.changes.append(_item_change(draft, row, item))
    batch.changes.extend(_removal(version, draft.present[row.record_id]) for row in missing)


def _item_change(draft: Draft, row: PlannedRow, item: DutyItem) -> ImportChange:
    """Return the note on a new row (nothing before) or a changed one (its fields that differ)."""
    match = draft.present.get(row.record_id) if row.record_id else None
    fields = [change.field for change in row.changes]
    return ImportChange(
        record_type="duty_item",
        record_id=item.id,
        row_version=item.version,
        cell=f"{row.item.sheet}!{row.item.cells['name']}",
        title=row.title,
        before={name: match.values.get(name) for name in fields} if match else None,
        after={name: row.item.values[name] for name in fields},
    )


def _removal(version: DutyList, gone: Present) -> ImportChange:
    """Return the note on an item that the file lacks: all of it before, nothing after."""
    return ImportChange(
        record_type="duty_item",
        record_id=gone.id,
        row_version=0,
        title=str(gone.values["name"]),
        before={**gone.values, "duty_list_id": version.id, "position": gone.position},
        after=None,
    )


# Undo


def undo_version(session: Session, change: ImportChange, changes: Sequence[ImportChange]) -> None:
    """Put a version back as it was before the batch, or remove it if the batch made it.

    Raises ``Conflict`` and names the items if the version has been published or changed since.
    """
    version = session.get(DutyList, change.record_id)
    if version is None:
        raise Conflict(f"“{change.title}”已经不在了，不能撤销这次导入。")
    if version.status is not DutyListStatus.DRAFT:
        raise Conflict(
            f"“{version}”是“{version.status.title}”状态，不能撤销这次导入；"
            "如需改回，请重新导入原来的清单并发布。"
        )
    _refuse_changed(session, version, change, changes)
    loaded = _load(session, version)
    if change.before is None:
        session.delete(version)
    else:
        _restore(session, version, loaded, change.before, changes)
    session.flush()


def _refuse_changed(
    session: Session, version: DutyList, change: ImportChange, changes: Sequence[ImportChange]
) -> None:
    """Raise if an item was added, edited or removed after the batch."""
    then: dict[str, str] = (change.after or {}).get("items", {})
    now = {str(item.id): item for item in items_of(session, [version.id])[version.id]}
    titles = {str(each.record_id): each.title for each in changes}
    names = [
        str(item.values["name"])
        for key, item in now.items()
        if then.get(key) != fingerprint(item.values)
    ]
    names += [titles.get(key, f"#{key}") for key in then if key not in now]
    if names:
        shown = "”“".join(names[:_NAMED])
        more = f"等 {len(names)} 项" if len(names) > _NAMED else ""
        raise Conflict(
            f"导入之后“{version}”又有改动：“{shown}”{more}，不能撤销；请先改回这些事项。"
        )


def _restore(
    session: Session,
    version: DutyList,
    loaded: dict[int, DutyItem],
    before: dict[str, Any],
    changes: Sequence[ImportChange],
) -> None:
    """Put a draft back: new items out, changed ones as they were, removed ones in again."""
    rows = [each for each in changes if each.record_type == "duty_item"]
    for each in rows:
        item = loaded.get(each.record_id)
        if item is not None and each.after is not None:
            if each.before is None:
                version.items.remove(item)
            else:
                _set_item(item, each.before)
    # Out before in: the numbers of the removed items may have been given to the new ones.
    session.flush()
    removed = {
        each.record_id: each.before
        for each in rows
        if each.after is None and each.before and each.before["duty_list_id"] == version.id
    }
    free = _free_ids(session, removed)
    for record_id, values in removed.items():
        item = _make_item(values, values["position"])
        if record_id in free:
            # Under its old number, so that the batch before this one can be undone as well.
            item.id = record_id
        version.items.append(item)
    for key, position in before["positions"].items():
        moved = loaded.get(int(key))
        if moved is not None and moved.position != position:
            moved.position = position
    version.title, version.item_count = before["title"], before["item_count"]
    version.updated_at = utcnow()


def _free_ids(session: Session, ids: Iterable[int]) -> set[int]:
    """Return which item numbers nobody has, whoever may see them."""
    wanted = set(ids)
    with acting_as(session, SYSTEM):
        taken = session.scalars(select(DutyItem.id).where(DutyItem.id.in_(wanted)))
        return wanted - set(taken)
