"""Taking the import of a duty list back: the version as it was, or refused with what has changed."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from imports import plan
from imports.duty_versions import fingerprint
from models.duty import DutyItem, DutyList, DutyListStatus
from models.imports import ImportChange
from models.ledger import AuditEntry
from rules import bulk
from rules.actor import SYSTEM, acting_as
from rules.duty_items import TEXTS, Items, Present, Whole, items_of
from rules.errors import Conflict

_NAMED = 5
#: Bytes of a fingerprint.
_PRINT = 8


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
    # Its own row first: whoever publishes or imports at the same time is refused, or refuses this.
    items = Items(session, version)
    now = {each.id: each for each in items_of(session, [version.id], lock=True)[version.id]}
    _refuse_changed(session, version, now, change, changes)
    if change.before is None:
        items.clear()
        items.done()
        session.delete(version)
    else:
        _restore(session, items, now, change, changes)
    session.flush()


def undone(changes: Sequence[ImportChange]) -> tuple[int, int]:
    """Return how many items undoing a batch removes, and how many it puts back."""
    rows = [each for each in changes if each.record_type == "duty_item"]
    notes = [each.after or {} for each in changes if each.record_type == "duty_list"]
    listed = sum(1 for each in rows if each.before is None)
    if all("new" in note for note in notes):
        listed = sum(count for note in notes for _first, count in note["new"])
    return listed, sum(1 for each in rows if each.before is not None)


def _noted(note: dict[str, Any]) -> dict[int, str]:
    """Return the fingerprint of each item as the batch left it, by id."""
    if "prints" not in note:
        return {int(key): mark for key, mark in note.get("items", {}).items()}
    marks = base64.b64decode(note["prints"])
    ids = _numbers(note["items"])
    return {
        id_: marks[at : at + _PRINT].hex()
        for id_, at in zip(ids, range(0, len(marks), _PRINT), strict=True)
    }


def _numbers(spans: Iterable[Sequence[int]]) -> list[int]:
    return [each for first, count in spans for each in range(first, first + count)]


def _titles(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """Return how items were called that are gone, by what the audit says of them."""
    if not ids:
        return {}
    query = select(AuditEntry.record_id, AuditEntry.record_title).where(
        AuditEntry.record_type == "duty_item", AuditEntry.record_id.in_(ids)
    )
    with acting_as(session, SYSTEM):
        return dict(session.execute(query).tuples().all())


def _refuse_changed(
    session: Session,
    version: DutyList,
    now: dict[int, Present],
    change: ImportChange,
    changes: Sequence[ImportChange],
) -> None:
    """Raise if an item was added, edited or removed after the batch."""
    note = change.after or {}
    then = _noted(note)
    # A batch of a former release holds another kind of mark.
    formerly = "prints" not in note
    names = [
        each.name
        for id_, each in now.items()
        if then.get(id_)
        != (plan.fingerprint(each.values) if formerly else fingerprint(each.whole).hex())
    ]
    titles = {each.record_id: each.title for each in changes if each.record_type == "duty_item"}
    gone = [id_ for id_ in then if id_ not in now]
    titles |= _titles(session, [id_ for id_ in gone if id_ not in titles][:_NAMED])
    names += [titles.get(id_, f"#{id_}") for id_ in gone]
    if names:
        shown = "”“".join(names[:_NAMED])
        more = f"等 {len(names)} 项" if len(names) > _NAMED else ""
        raise Conflict(
            f"导入之后“{version}”又有改动：“{shown}”{more}，不能撤销；请先改回这些事项。"
        )


def _restore(
    session: Session,
    items: Items,
    now: dict[int, Present],
    change: ImportChange,
    changes: Sequence[ImportChange],
) -> None:
    """Put a draft back: new items out, changed ones as they were, removed ones in again."""
    before = change.before or {}
    positions = {int(key): position for key, position in before["positions"].items()}
    rows = [each for each in changes if each.record_type == "duty_item"]
    noted = (change.after or {}).get("new")
    new = [each.record_id for each in rows if each.after is not None and each.before is None]
    items.remove([now[id_] for id_ in (_numbers(noted) if noted else new) if id_ in now])
    changed = [each for each in rows if each.after is not None and each.before is not None]
    edited = {each.record_id for each in changed if each.record_id in now}
    items.change(
        [
            (was, positions.get(was.id, was.position), _with(was, each.before or {}))
            for each in changed
            if (was := now.get(each.record_id)) is not None
        ]
    )
    items.move(
        [
            (now[id_], position)
            for id_, position in positions.items()
            if id_ in now and id_ not in edited and now[id_].position != position
        ]
    )
    version = items.version
    removed = {
        each.record_id: each.before
        for each in rows
        if each.after is None and each.before and each.before["duty_list_id"] == version.id
    }
    _put_in(session, items, removed)
    version.title, version.item_count = before["title"], before["item_count"]
    items.done()


def _with(present: Present, values: dict[str, Any]) -> Whole:
    said = {**present.values, **values}
    return (*(said[name] for name in TEXTS), list(said["departments"] or []))


def _put_in(session: Session, items: Items, removed: dict[int, dict[str, Any]]) -> None:
    """Add removed items again, under their old numbers: so the batch before can be undone as well."""
    free = bulk.free(session, DutyItem, removed.keys())
    others = iter(items.numbers(len(removed) - len(free)))
    back = []
    for record_id, values in removed.items():
        whole = (*(values.get(name) for name in TEXTS), values.get("departments") or [])
        back.append((record_id if record_id in free else next(others), values["position"], whole))
    items.add(back)
