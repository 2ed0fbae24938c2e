"""The append-only log of steps: written here, chained by hash, and verified (design section 2.5)."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Integer, Select, String, bindparam, exists, insert, inspect, null, select
from sqlalchemy import event as sa_event
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.sql.dml import ReturningInsert

from models.base import Titled, utcnow
from models.ledger import AuditEntry, Event
from models.registry import type_name
from rules import locking, writes
from rules.actor import Actor, current
from rules.flushing import flush
from rules.scope import MADE_ONCE, reviewed

GENESIS = "0" * 64


class LedgerIsAppendOnly(Exception):
    """Somebody tried to change or remove a line of a log."""


def append(
    session: Session,
    record: Any,
    actor: Actor,
    *,
    action: str,
    label: str,
    from_status: Titled | None,
    to_status: Titled,
    note: str | None = None,
    data: dict[str, Any] | None = None,
    at: dt.datetime | None = None,
) -> SimpleNamespace:
    """Write one step of a record's chain, after the record as it has become; return the line.

    The record must have an id. The gate judges the record as it is flushed, and the line with it.
    Raises ``OutOfScope``, and what a flush raises where others were quicker. Never commits.
    """
    number, previous = _last(session, record)
    flush(session)
    row = _row(record, actor, number + 1, previous) | {
        "action": action,
        "label": label,
        "from_status": from_status.value if from_status else None,
        "to_status": to_status.value,
        "at": at or utcnow(),
        "note": note,
        "data": data or {},
    }
    row["hash"] = digest(SimpleNamespace(**row))
    written: int = session.execute(_adding(), row, execution_options=_LINE).scalar_one()
    writes.demand_line(session, Event, record, written)
    return SimpleNamespace(id=written, **row)


_LINE = reviewed("a step's line, which the gate judges at once by its record")


@lru_cache(maxsize=1)
def _adding() -> ReturningInsert[Any]:
    return insert(Event.__table__).returning(Event.__table__.c.id)


def append_first(
    session: Session, records: Iterable[Any], actor: Actor, *, to_status: Titled, note: str
) -> None:
    """Begin the chains of records that were made, and flushed, in this transaction: one statement.

    The gate has judged the records as they were flushed; nobody else can have written a step.
    """
    rows = []
    for record in records:
        row = _row(record, actor, 1, GENESIS) | {
            "action": "create",
            "label": "新建",
            "from_status": None,
            "to_status": to_status.value,
            "at": utcnow(),
            "note": note,
            "data": {},
        }
        rows.append(row | {"hash": digest(SimpleNamespace(**row))})
    if rows:
        why = "first steps of records that the gate has just judged"
        session.execute(insert(Event.__table__), rows, execution_options=reviewed(why))


def _row(record: Any, actor: Actor, number: int, previous: str) -> dict[str, Any]:
    """Return what a line says of its place in the chain, and of who writes it."""
    return {
        "record_type": type_name(type(record)),
        "record_id": record.id,
        "sequence": number,
        "actor_id": actor.user_id,
        "actor_name": actor.name,
        "organization_id": actor.organization_id,
        "organization_name": actor.organization_name,
        "previous_hash": previous,
    }


def data_of_last(session: Session, record: Any, action: str) -> dict[str, Any] | None:
    """Return the data of a record's last step of that name, whoever may read it.

    The same statement finds the chain's end, so that the step that is being taken need not ask.
    """
    number, fingerprint, data = _end(session, record, action)
    if locking.holds(session, record):
        _note_end(session, record, number, fingerprint)
    found: dict[str, Any] | None = data
    return found


def read_with_end(
    session: Session,
    record: Any,
    relation: Any,
    *whether: Any,
    beside: tuple[Any, Any] | None = None,
    loads: tuple[Any, ...] = (),
    asides: tuple[locking.Aside, ...] = (),
    values: Mapping[str, Any] | None = None,
) -> None:
    """Load what hangs from a locked record along with the end of its chain, in one statement.

    ``loads`` are options for that. The statement tells of ``whether``, further relations of the record,
    if anything hangs there at all: where nothing does, they count as loaded. It loads ``beside`` as
    well: another record, with a relation of its own; and ``asides``, which speak of the record by the
    parameter ``number``, and of what else they need by those in ``values``.

    Of a record that is not locked, or whose ``relation`` is loaded, nothing is read: what hangs from it
    is loaded when it is asked for, as ever.
    """
    if relation.key in inspect(record).dict or not locking.holds(session, record):
        return
    model: Any = type(record)
    actor = current(session)
    asks, about = _asked(actor, record)
    about |= values or {}
    loaded = [(record, relation)]
    if beside is not None and beside[1].key not in inspect(beside[0]).dict:
        loaded.append(beside)
        about["beside"] = beside[0].id
    hung = tuple(each for _owner, each in loaded)
    with session.no_autoflush:
        statement = _newest_with(asks, model, hung, whether, loads, asides)
        rows: Any = session.execute(statement, about).unique().all()
    if not rows:
        return
    for place, (owner, each) in enumerate(loaded):
        found = dict.fromkeys(row[place] for row in rows if row[place] is not None)
        set_committed_value(owner, each.key, list(found))
    number, fingerprint, _data, *told = rows[0][len(loaded) :]
    for aside in reversed(asides):
        aside.keep(session, record, told.pop())
    answers, there = told[: len(told) - len(whether)], told[len(told) - len(whether) :]
    _note_end(session, record, number, fingerprint)
    _remember(session, record, actor, answers)
    for each, some in zip(whether, there, strict=True):
        if not some and each.key not in inspect(record).dict:
            set_committed_value(record, each.key, [])


def _note_end(session: Session, record: Any, number: int, fingerprint: str) -> None:
    """Keep the end of a locked record's chain for the step that is being taken."""
    session.info[_END] = (locking.innermost(session), inspect(record).key, number, fingerprint)


_END = "chuishao.chain_end"


def _last(session: Session, record: Any) -> tuple[int, str]:
    """Return number and hash of a record's last step."""
    # Known of a record that was locked then: nobody but this transaction has taken a step since,
    # and its first step forgets it.
    transaction, key, *end = session.info.pop(_END, (None, None))
    if transaction is locking.innermost(session) and key == inspect(record).key:
        return end[0], end[1]
    return _end(session, record, None)[:2]


def _end(session: Session, record: Any, action: str | None) -> tuple[int, str, Any]:
    """Return number and hash of a record's last step, and the data of its last one of a name.

    The same statement asks whether the actor may write the record, for the gate's use.
    """
    actor = current(session)
    model: Any = type(record)
    asks, about = _asked(actor, record)
    if action is not None:
        about["action"] = action
    # What waits to be written besides goes with this step, not before it.
    statement = _newest(asks, model, action is not None)
    found: Any = session.connection().execute(statement, about).first()
    if found is None:
        return 0, GENESIS, None
    number, fingerprint, data, *answers = found
    _remember(session, record, actor, answers)
    return number, fingerprint, data


def _remember(session: Session, record: Any, actor: Actor, answers: Sequence[bool]) -> None:
    if answers:
        writes.remember(session, record, actor, answers)


def _asked(actor: Actor, record: Any) -> tuple[Actor, dict[str, Any]]:
    """Return for whom the question about a record's chain is made, and with what it is sent."""
    asks, ids = writes.asker(actor)
    return asks, {"kind": type_name(type(record)), "number": record.id, **ids}


@lru_cache(maxsize=1024)
def _newest(actor: Actor, model: Any, named: bool) -> Select[Any]:
    step, former = Event.__table__.c, Event.__table__.alias().c
    kind, number = bindparam("kind", type_=String), bindparam("number", type_=Integer)
    data: Any = null()
    if named:
        data = (
            select(former.data)
            .where(former.record_type == kind, former.record_id == number)
            .where(former.action == bindparam("action"))
            .order_by(former.sequence.desc())
            .limit(1)
            .scalar_subquery()
        )
    asked: list[Any] = [step.sequence, step.hash, data]
    if not actor.system:
        asked += writes.may(actor, model, number)
    return (
        select(*asked)
        .where(step.record_type == kind, step.record_id == number)
        .order_by(step.sequence.desc())
        .limit(1)
    )


@lru_cache(maxsize=1024)
def _newest_with(
    actor: Actor,
    model: Any,
    hung: tuple[Any, ...],
    whether: tuple[Any, ...],
    loads: tuple[Any, ...],
    asides: tuple[locking.Aside, ...],
) -> Select[Any]:
    """Return the statement for the chain's end with all that hangs from the record.

    What may be read of it, the gate says. Whether there is anything at all is asked of all rows: what
    is not there, nobody would be shown.
    """
    end = _newest(actor, model, False).subquery()
    number, beside = (bindparam(name, type_=Integer) for name in ("number", "beside"))
    there = [exists().where(_tie(each, each.property.target.alias()) == number) for each in whether]
    values: list[Any] = [each.value for each in asides]
    found = select(*(each.entity.class_ for each in hung), *end.c, *there, *values).select_from(end)
    for each, owner in zip(hung, (number, beside), strict=False):
        found = found.outerjoin(each.entity.class_, _tie(each) == owner)
    for aside in asides:
        found = found if aside.tie is None else found.outerjoin(aside.value, aside.tie)
    order = [column for each in hung for column in each.property.order_by]
    return found.order_by(*order).options(*loads).execution_options(**MADE_ONCE)


def _tie(relation: Any, rows: Any = None) -> Any:
    """Return the column by which rows hang from a record, of an alias of their table if one is given."""
    (column,) = relation.property.remote_side
    return column if rows is None else rows.c[column.key]


def digest(step: Event | SimpleNamespace) -> str:
    """Return the SHA-256 (hex) over a step's contents and the hash before it."""
    content = {
        "record": [step.record_type, step.record_id, step.sequence],
        "step": [step.action, step.label, step.from_status, step.to_status],
        "who": [step.actor_id, step.actor_name, step.organization_id, step.organization_name],
        # In UTC, as it comes back from the database, whatever zone it was given in.
        "at": step.at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        "note": step.note,
        "data": step.data,
        "previous": step.previous_hash,
    }
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def events_of(session: Session, record: Any) -> list[Event]:
    """Return a record's steps in order, as far as the actor reads the record."""
    return list(
        session.scalars(
            select(Event)
            .where(Event.record_type == type_name(type(record)), Event.record_id == record.id)
            .order_by(Event.sequence)
        )
    )


def faults(steps: Iterable[Event]) -> list[str]:
    """Return a sentence for each changed, missing or reordered step of one record's chain."""
    found = []
    previous, number = GENESIS, 0
    for step in steps:
        number += 1
        where = f"{step.record_type} {step.record_id} 第{step.sequence}步（{step.label}）"
        if step.sequence != number:
            found.append(f"{where}：序号应为{number}，中间缺少步骤。")
            number = step.sequence
        if step.previous_hash != previous:
            found.append(f"{where}：与上一步的指纹不衔接。")
        if step.hash != digest(step):
            found.append(f"{where}：内容与指纹不符，可能被改动。")
        previous = step.hash
    return found


def _refuse(mapper: Any, connection: Any, target: Any) -> None:
    raise LedgerIsAppendOnly(
        f"{type(target).__name__} {target.id} can be neither changed nor removed"
    )


for _log in (Event, AuditEntry):
    sa_event.listen(_log, "before_update", _refuse)
    sa_event.listen(_log, "before_delete", _refuse)
