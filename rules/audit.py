"""The audit of edits: every write to an audited record, field by field, in the same transaction.

A workflow step is no edit: where it changes nothing but what its event tells (the state, deadlines,
who is at work), the event is the line, chained and unchangeable, and there is no second one here.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import insert, inspect, select
from sqlalchemy.orm import Mapper, Session

from models.base import utcnow
from models.ledger import AuditEntry
from models.registry import type_name
from rules.actor import Actor, current
from rules.judging import is_changed
from rules.scope import reviewed
from rules.workflow import told_by_event

_KEPT_OUT = frozenset({"id", "created_at", "updated_at", "version", "changed_on", "created_on"})
_SECRET = frozenset({"password"})
_QUIET = frozenset({"last_login", "login_count", "fail_login_count", "changed_by_fk"})


def collect(session: Session, flush_context: Any, instances: Any) -> None:
    """Before a flush: note what is about to change, while the old values are still known."""
    pending: list[tuple[Any, str, dict[str, Any]]] = []
    for each in session.new:
        if _audited(each):
            pending.append((each, "create", {}))
    for each in session.dirty:
        if _audited(each) and is_changed(each) and not _is_told(each):
            pending.append((each, "update", _forgotten(session, each)))
    for each in session.deleted:
        if _audited(each):
            pending.append((each, "delete", _values(each, before=True)))
    session.info["chuishao.audit"] = pending


def write(session: Session, flush_context: Any) -> None:
    """After a flush: ids and foreign keys are known; write the entries in one statement."""
    pending = session.info.pop("chuishao.audit", [])
    if not pending:
        return
    actor = current(session)
    rows = []
    for record, action, before in pending:
        # Taken out of its parent's collection, a record looked like any changed one before.
        orphaned = action == "update" and flush_context.is_deleted(inspect(record))
        if orphaned:
            changes = _removed(record, before)
        elif action == "update":
            changes = _differences(record, before) | _relations(record)
            if changes.keys() <= told_by_event(record):
                continue
        elif action == "create":
            changes = _values(record, before=False) | _relations(record)
        else:
            changes = before
        if not changes:
            continue
        done = "delete" if orphaned else action
        kind = type_name(type(record))
        rows.append(_row(actor, kind, record.id, str(record), done, changes))
    _insert(session, rows)


def _row(
    actor: Actor, kind: str, record_id: int, title: str, action: str, changes: dict[str, Any]
) -> dict[str, Any]:
    return {
        "record_type": kind,
        "record_id": record_id,
        "record_title": title[:300],
        "action": action,
        "changes": changes,
        "actor_id": actor.user_id,
        "actor_name": actor.name,
        "organization_id": actor.organization_id,
        "organization_name": actor.organization_name,
        "at": utcnow(),
    }


def _insert(session: Session, rows: list[dict[str, Any]]) -> None:
    if rows:
        session.execute(
            insert(AuditEntry.__table__),
            rows,
            execution_options=reviewed("writes the audit log of what has just been written"),
        )


@dataclass(frozen=True)
class Line:
    """What has become of one record: its fields, each as it was and as it is."""

    record_id: int
    title: str
    changes: dict[str, list[Any]]


def note(session: Session, model: type[Any], action: str, lines: Sequence[Line]) -> None:
    """Write lines about records that are written past the session's objects (``rules.bulk``).

    ``action``: ``update`` or ``delete``. Lines without changes are left out.
    """
    kind = type_name(model)
    rows = [
        _row(current(session), kind, each.record_id, each.title, action, each.changes)
        for each in lines
        if each.changes
    ]
    _insert(session, rows)


def history(session: Session, record: Any, limit: int = 50) -> list[AuditEntry]:
    """Return the latest audit entries about a record that the actor reads, newest first."""
    return list(
        session.scalars(
            select(AuditEntry)
            .where(
                AuditEntry.record_type == type_name(type(record)),
                AuditEntry.record_id == record.id,
            )
            .order_by(AuditEntry.id.desc())
            .limit(limit)
        )
    )


def _is_told(record: Any) -> bool:
    """Tell whether the event that is being written tells of all that is set anew in a record."""
    told, state = told_by_event(record), inspect(record)
    return bool(told) and told.issuperset(state.committed_state.keys() & _watched(state.mapper))


def _audited(record: Any) -> bool:
    return bool(getattr(record, "__audited__", False))


def _columns(record: Any) -> tuple[str, ...]:
    return _audited_columns(inspect(record).mapper)


@lru_cache(maxsize=256)
def _watched(mapper: Mapper[Any]) -> frozenset[str]:
    """Return the names of all that the audit speaks of: columns, and what is tied by a link table."""
    tied = (each.key for each in mapper.relationships if each.secondary is not None)
    return frozenset((*_audited_columns(mapper), *tied))


@lru_cache(maxsize=256)
def _audited_columns(mapper: Mapper[Any]) -> tuple[str, ...]:
    return tuple(
        attribute.key
        for attribute in mapper.column_attrs
        if attribute.key not in _KEPT_OUT | _QUIET
    )


def _values(record: Any, *, before: bool) -> dict[str, list[Any]]:
    result = {}
    for key in _columns(record):
        value = _plain(record, key, getattr(record, key))
        if value is not None:
            result[key] = [value, None] if before else [None, value]
    return result


def _forgotten(session: Session, record: Any) -> dict[str, Any]:
    """Return the stored values of a record whose old ones the session no longer knows.

    A record that expired with the last commit and is assigned to unread forgets what it replaces.
    """
    state = inspect(record)
    keys = _columns(record)
    same = state.unmodified
    known = all(key in same or _knows_old(state, key) for key in keys)
    if known and state.unloaded.isdisjoint(keys):
        return {}
    table = type(record).__table__
    where = table.c.id == state.identity[0]
    row = session.connection().execute(select(table).where(where)).mappings().first()
    return {key: row[state.mapper.columns[key]] for key in keys} if row else {}


def _knows_old(state: Any, key: str) -> bool:
    history = state.attrs[key].history
    return bool(history.deleted) or not history.has_changes()


def _relations(record: Any) -> dict[str, list[Any]]:
    """Return the changes of what is tied by a link table and so is no column: an account's roles."""
    state = inspect(record)
    same = state.unmodified
    result = {}
    for relation in state.mapper.relationships:
        if relation.secondary is None or relation.viewonly or relation.key in same:
            continue
        history = state.attrs[relation.key].history
        if history.added or history.deleted:
            kept = list(history.unchanged or ())
            old = "、".join(sorted(str(each) for each in [*kept, *(history.deleted or ())]))
            new = "、".join(sorted(str(each) for each in [*kept, *(history.added or ())]))
            result[relation.key] = [old or None, new or None]
    return result


def _removed(record: Any, stored: dict[str, Any]) -> dict[str, list[Any]]:
    state = inspect(record)
    result = {}
    for key in _columns(record):
        history = state.attrs[key].history
        old = history.deleted[0] if history.deleted else stored.get(key, getattr(record, key))
        if old is not None:
            result[key] = [_plain(record, key, old), None]
    return result


def _differences(record: Any, stored: dict[str, Any]) -> dict[str, list[Any]]:
    state = inspect(record)
    same = state.unmodified
    result = {}
    for key in _columns(record):
        if key in same:
            continue
        history = state.attrs[key].history
        if history.has_changes():
            old = history.deleted[0] if history.deleted else stored.get(key)
            new = history.added[0] if history.added else None
            if old != new:
                result[key] = [_plain(record, key, old), _plain(record, key, new)]
    return result


def _plain(record: Any, key: str, value: Any) -> Any:
    if key in _SECRET or key in getattr(type(record), "__secret__", ()):
        return "（已更改）" if value else None
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return f"{value:f}"
    return value
