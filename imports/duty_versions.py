"""Writing a duty list into a draft version (domain section 5)."""

from __future__ import annotations

import base64
import hashlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from imports.decisions import Watch, unwatched
from imports.plan import PlannedRow, RowState
from models.duty import DutyList, DutyListType
from models.imports import ImportBatch, ImportChange
from models.organization import Organization
from rules import bulk
from rules.actor import current
from rules.duty_items import DEPARTMENTS, NOTHING, TEXTS, Items, Present, Whole
from rules.workflow import begin

#: New items that a batch lists one by one; the version holds them all.
NOTED = 1000
_TITLE_LENGTH: int = DutyList.title.type.length
_SLICE = 1000
#: Notes written at once: as JSON their texts are three times as long.
_NOTES = 100
_AT = {name: at for at, name in enumerate((*TEXTS, "departments"))}


@dataclass
class Draft:
    """Where a list is to be written: into ``record``, or a new version with ``number`` if None.

    ``present`` are the items, by id and in order, of the version that the file was held against;
    ``gone`` those that go because the file lacks them.
    """

    owner: Organization
    list_type: DutyListType
    title: str
    record: DutyList | None
    number: int
    present: Mapping[int, Present]
    gone: frozenset[int]


class _Entry(NamedTuple):
    """An item of the version as it is to be: a row of the file, or an item that the file lacks."""

    row: PlannedRow | None
    present: Present | None

    def whole(self) -> Whole:
        """Return all that it says; of what the file does not speak, the item it matches."""
        known = self.present.whole if self.present else NOTHING
        if self.row is None or self.row.state is RowState.UNCHANGED:
            return known
        item, found = self.row.item, list(known)
        for name, value in zip(item.names, item.texts, strict=True):
            found[_AT[name]] = value
        return tuple(found)


@dataclass
class _Work:
    """What is to be done to a draft, and the notes that the batch keeps of it."""

    ids: array[int] = field(default_factory=lambda: array("q"))
    prints: bytearray = field(default_factory=bytearray)
    fresh: array[int] = field(default_factory=lambda: array("q"))
    positions: dict[str, int] = field(default_factory=dict)
    changes: list[dict[str, Any]] = field(default_factory=list)


def fingerprint(whole: Whole) -> bytes:
    """Return a short hash (8 bytes) of all that an item says."""
    texts = [text or "" for text in whole[:DEPARTMENTS]]
    said = "\x1f".join([*texts, *map(str, whole[DEPARTMENTS])])
    return hashlib.blake2b(said.encode(), digest_size=8).digest()


def spans(numbers: Iterable[int]) -> list[list[int]]:
    """Return numbers as runs of [first, count], in their order."""
    found: list[list[int]] = []
    for each in numbers:
        if found and sum(found[-1]) == each:
            found[-1][1] += 1
        else:
            found.append([each, 1])
    return found


def arrange(draft: Draft, rows: Sequence[PlannedRow]) -> Iterator[_Entry]:
    """Give the version's items in order: the file's, and between them those that it lacks and keeps.

    An item that the file lacks stays behind the item that it followed before.
    """
    named = {row.record_id for row in rows if row.record_id is not None}
    kept: dict[int | None, list[_Entry]] = {}
    before: int | None = None
    for id_, present in draft.present.items():
        if id_ in named:
            before = id_
        elif id_ not in draft.gone:
            kept.setdefault(before, []).append(_Entry(None, present))
    yield from kept.get(None, ())
    for row in rows:
        known = draft.present.get(row.record_id) if row.record_id is not None else None
        yield _Entry(row, known)
        if kept and row.record_id is not None:
            yield from kept.get(row.record_id, ())


def write_version(
    session: Session,
    batch: ImportBatch,
    draft: Draft,
    rows: Sequence[PlannedRow],
    watch: Watch = unwatched,
) -> DutyList:
    """Make the draft hold the file's rows, and note in the batch what that changed. Flushes.

    Fields that the file does not speak of keep the value of the item it matches.
    """
    session.add(batch)
    bulk.judge(session, batch)
    named = {row.record_id for row in rows}
    kept = sum(1 for each in draft.present if each not in named and each not in draft.gone)
    entries, total = arrange(draft, rows), len(rows) + kept
    before: dict[str, Any] | None = None
    if draft.record is None:
        version = DutyList(
            organization=draft.owner,
            list_type=draft.list_type,
            number=draft.number,
            title=draft.title[:_TITLE_LENGTH] or None,
            item_count=total,
        )
        items = Items(session, version)
        begin(session, version, current(session), note=f"导入“{batch.file_name}”")
        work = _fill(items, entries, total, watch)
    else:
        version = draft.record
        before = {"title": version.title, "item_count": version.item_count, "positions": {}}
        version.title = draft.title[:_TITLE_LENGTH] or version.title
        version.item_count = total
        items = Items(session, version)
        work = _rewrite(items, draft, entries, total, watch)
        before["positions"] = work.positions
    items.done()
    _note(session, batch, version, before, work)
    return version


def _fill(items: Items, entries: Iterator[_Entry], total: int, watch: Watch) -> _Work:
    """Write every item of a new version."""
    work = _Work()
    ids = items.numbers(total)
    for start in range(0, total, _SLICE):
        watch("write", start, total)
        part = []
        for at, entry in enumerate(islice(entries, _SLICE), start):
            whole = entry.whole()
            part.append((ids[at], at + 1, whole))
            work.prints += fingerprint(whole)
            if entry.present is None:
                work.fresh.append(ids[at])
            _remark(work, entry, ids[at], 1)
        items.add(part)
    work.ids = array("q", ids)
    watch("write", total, total)
    return work


def _rewrite(
    items: Items, draft: Draft, entries: Iterator[_Entry], total: int, watch: Watch
) -> _Work:
    """Change a draft in place: only items that differ or move are written."""
    work = _Work()
    gone = [draft.present[each] for each in draft.gone]
    items.remove(gone)
    ids = iter(items.numbers(total - len(draft.present) + len(gone)))
    for start in range(0, total, _SLICE):
        watch("write", start, total)
        new, changed, moved = [], [], []
        for position, entry in enumerate(islice(entries, _SLICE), start + 1):
            whole, present = entry.whole(), entry.present
            id_ = next(ids) if present is None else present.id
            work.ids.append(id_)
            work.prints += fingerprint(whole)
            if present is None:
                new.append((id_, position, whole))
                work.fresh.append(id_)
            elif entry.row is not None and entry.row.state is RowState.CHANGED:
                changed.append((present, position, whole))
            elif present.position != position:
                moved.append((present, position))
            if present is not None and present.position != position:
                work.positions[str(id_)] = present.position
            _remark(work, entry, id_, present.version + 1 if present else 1)
        items.change(changed)
        items.move(moved)
        items.add(new)
    work.changes += [_removal(items.version, each) for each in gone]
    watch("write", total, total)
    return work


def _remark(work: _Work, entry: _Entry, id_: int, version: int) -> None:
    """Note a new row (nothing before) or a changed one (its fields that differ)."""
    row = entry.row
    if row is None or row.state is RowState.UNCHANGED:
        return
    if row.state is RowState.NEW and len(work.changes) >= NOTED:
        return
    values, match = row.item.values, entry.present
    fields = [change.field for change in row.changes]
    work.changes.append(
        {
            "record_type": "duty_item",
            "record_id": id_,
            "row_version": version,
            "cell": f"{row.item.sheet}!{row.item.cells['name']}"[:80],
            "title": row.title,
            "before": {name: match.whole[_AT[name]] for name in fields} if match else None,
            "after": {name: values[name] for name in fields},
        }
    )


def _removal(version: DutyList, gone: Present) -> dict[str, Any]:
    """Return the note on an item that the file lacks: all of it before, nothing after."""
    return {
        "record_type": "duty_item",
        "record_id": gone.id,
        "row_version": 0,
        "cell": None,
        "title": gone.name,
        "before": {**gone.values, "duty_list_id": version.id, "position": gone.position},
        "after": None,
    }


def _note(
    session: Session,
    batch: ImportBatch,
    version: DutyList,
    before: dict[str, Any] | None,
    work: _Work,
) -> None:
    """Write into the batch what changed, and how the version's items stood afterwards.

    ``after`` of the version: the items' numbers in their order, as runs, and the fingerprints, in base64;
    ``new`` are the numbers of those that were in no version before.
    """
    whole = {
        "record_type": "duty_list",
        "record_id": version.id,
        "row_version": version.version,
        "cell": None,
        "title": str(version),
        "before": before,
        "after": {
            "items": spans(work.ids),
            "prints": base64.b64encode(work.prints).decode("ascii"),
            "new": spans(work.fresh),
        },
    }
    bulk.judge(session, batch)
    notes = chain((whole,), work.changes)
    while part := [{**each, "batch_id": batch.id} for each in islice(notes, _NOTES)]:
        bulk.add(session, ImportChange, part)
