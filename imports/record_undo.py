"""Taking back the import of a declared record type: former values return, new records go."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session, selectinload

from imports.ledger import (
    load_by_id,
    load_places,
    named_places,
    set_values,
    values_of,
)
from imports.places import SLICE
from imports.specs.records import RecordSpec
from models.imports import ImportChange
from models.ledger import Event
from rules import bulk
from rules.errors import Conflict
from rules.references import referred_to

NAMED = 5


def undo_records(
    session: Session, spec: RecordSpec, changes: Sequence[ImportChange], *, own: bool
) -> None:
    """Put changed records back and remove new ones. Flushes. ``own``: the actor made the import.

    Raises ``Conflict`` naming the records that are no longer as the batch left them, that have been
    taken a step further, or that others refer to.
    """
    removed = [change for change in changes if change.after is None]
    changes = [change for change in changes if change.after is not None]
    records = load_by_id(session, spec, {change.record_id for change in changes})
    _refuse_gone(records, changes, own)
    _refuse_changed(spec, records, changes)
    _refuse_closed(spec, records)
    created = [change for change in changes if change.before is None]
    ids = {change.record_id for change in created}
    titles = {change.record_id: change.title for change in created}
    _refuse(titles, _stepped(session, spec, ids), "新增的记录已经办理了下一步")
    _refuse(titles, referred_to(session, spec.model, ids), "新增的记录已经被其他记录引用")
    _refuse(titles, _with_children(session, spec, ids), "新增的记录下面已经有了内容")
    restored = [change for change in changes if change.before is not None]
    places = load_places(
        session,
        {
            place
            for change in (*restored, *removed)
            for place in named_places(spec, change.before or {})
        },
    )
    for change in restored:
        set_values(spec, records[change.record_id], change.before or {}, places)
    session.flush()
    for change in created:
        session.delete(records[change.record_id])
    # Out before in: what is brought back may have what a new record was given.
    session.flush()
    free = bulk.free(session, spec.model, {change.record_id for change in removed})
    for change in removed:
        record = spec.model()
        set_values(spec, record, change.before or {}, places)
        if change.record_id in free:
            # Under its old number, so that the batch before this one can be undone as well.
            record.id = change.record_id
        session.add(record)
    session.flush()


def listed(titles: Iterable[str]) -> str:
    """Return titles as a sentence names them: the first few, and how many there are."""
    names = list(titles)
    shown = "”“".join(names[:NAMED])
    more = f"等 {len(names)} 条" if len(names) > NAMED else ""
    return f"“{shown}”{more}"


def _refuse_gone(records: dict[int, Any], changes: Sequence[ImportChange], own: bool) -> None:
    """Raise if a record is out of reach; only who brought it in is told what it was called."""
    gone = [change.title for change in changes if change.record_id not in records]
    if gone and own:
        raise Conflict(f"{listed(gone)}已被删除，或已不在您的权限范围内，不能撤销这次导入。")
    if gone:
        raise Conflict(
            f"这一批里有 {len(gone)} 条记录不在您的权限范围内或已被删除，不能撤销这次导入。"
        )


def _refuse_closed(spec: RecordSpec, records: dict[int, Any]) -> None:
    """Raise if what the records hang from is finished: its figures stand as they were reported."""
    if spec.parent is None:
        return
    above = {getattr(each, spec.parent.relation) for each in records.values()}
    if closed := sorted(str(each) for each in above if spec.closed(each)):
        raise Conflict(
            f"所属的{spec.parent.spec.label}{listed(closed)}已经结束，不能撤销这次导入。"
        )


def _refuse_changed(
    spec: RecordSpec, records: dict[int, Any], changes: Sequence[ImportChange]
) -> None:
    names = [change.title for change in changes if not _as_left(spec, records, change)]
    if names:
        raise Conflict(f"导入之后又有改动：{listed(names)}，不能撤销；请先改回这些记录。")


def _as_left(spec: RecordSpec, records: dict[int, Any], change: ImportChange) -> bool:
    """Tell whether a record still stands as the batch has left it; its links have no version."""
    record = records[change.record_id]
    if record.version != change.row_version:
        return False
    after = change.after or {}
    linked = [name for name in spec.links if name in after]
    return values_of(spec, record, linked) == {name: after[name] for name in linked}


def _refuse(titles: dict[int, str], found: Collection[int], why: str) -> None:
    if found:
        names = listed(titles[each] for each in sorted(found))
        raise Conflict(f"{why}：{names}，不能撤销；请先处理这些记录。")


def _stepped(session: Session, spec: RecordSpec, ids: Collection[int]) -> set[int]:
    """Return which records have been taken a step since they were made."""
    ordered, found = sorted(ids), set()
    for start in range(0, len(ordered), SLICE):
        part = ordered[start : start + SLICE]
        found |= set(
            session.scalars(
                select(Event.record_id).where(
                    Event.record_type == spec.record_type,
                    Event.record_id.in_(part),
                    Event.sequence > 1,
                )
            )
        )
    return found


def _with_children(session: Session, spec: RecordSpec, ids: Collection[int]) -> set[int]:
    """Return which records have rows that would go with them and that no import has made.

    Loads all that goes with a record, so that deleting many does not ask for each.
    """
    own = {each.relation for each in spec.links.values()}
    relations = [each for each in inspect(spec.model).relationships if "delete" in each.cascade]
    loads = [selectinload(getattr(spec.model, each.key)) for each in relations]
    ordered, found = sorted(ids), set()
    for start in range(0, len(ordered), SLICE):
        part = ordered[start : start + SLICE]
        query = select(spec.model).where(spec.model.id.in_(part)).options(*loads)
        for record in session.scalars(query.execution_options(populate_existing=bool(loads))):
            if any(getattr(record, each.key) for each in relations if each.key not in own):
                found.add(record.id)
    return found
