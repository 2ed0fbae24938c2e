"""Many rows of one parent in few statements, where the session would make an object of each.

What is written here hangs from one record, its parent (``models.scoping.Through``), and writing a child
is writing its parent in some way. So the gate is asked about the parent, by the same criterion as at
a flush, before each call; what the children say is not looked at by any listener. Whoever writes so must
see to the rest: that the parent's own row has been written in the transaction, which makes two people
wait for each other, and that objects of the session are read anew.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import (
    Insert,
    bindparam,
    column,
    delete,
    func,
    insert,
    literal,
    select,
    table,
    update,
)
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from models.registry import type_name
from models.scoping import Through
from rules import writes
from rules.actor import SYSTEM, acting_as, current
from rules.errors import OutOfScope
from rules.scope import WRITES, criterion, reviewed

Values = Mapping[str, Any]

_WHY = "rows of a parent that the gate has just been asked about"
#: Some databases take no more than a thousand values in a statement.
_SLICE = 500
_KEY, _VERSION = "key_", "version_"


def judge(session: Session, parent: Any) -> None:
    """Flush, and raise ``OutOfScope`` unless the actor may write the parent.

    Where that is answered already (``rules.writes``), it is not asked again.
    """
    session.flush()
    actor = current(session)
    if actor.system or writes.may_change(session, parent):
        return
    model = type(parent)
    allowed = select(model.id).where(model.id == parent.id, criterion(actor, model, *WRITES))
    if session.scalar(allowed) is None:
        raise OutOfScope


def numbers(session: Session, model: type[Any], count: int) -> Sequence[int]:
    """Return ``count`` new ids, ascending, which nobody else gets.

    SQLite must have written in this transaction: then nobody else writes until it ends.
    """
    name = model.__table__.name
    if session.get_bind().dialect.name == "sqlite":
        last = table("sqlite_sequence", column("name"), column("seq"))
        query = select(last.c.seq).where(last.c.name == name)
        begun = session.execute(query, execution_options=reviewed("the table's last id")).scalar()
        return range((begun or 0) + 1, (begun or 0) + 1 + count)
    sequence = func.nextval(func.pg_get_serial_sequence(name, "id"))
    query = select(sequence).select_from(func.generate_series(literal(1), count))
    found = session.execute(query, execution_options=reviewed("numbers of a sequence"))
    return sorted(found.scalars())


def free(session: Session, model: type[Any], ids: Collection[int]) -> set[int]:
    """Return which of these ids no row has, whoever may see it: a statement a slice."""
    ordered, taken = sorted(ids), set[int]()
    with acting_as(session, SYSTEM):
        for start in range(0, len(ordered), _SLICE):
            part = ordered[start : start + _SLICE]
            taken |= set(session.scalars(select(model.id).where(model.id.in_(part))))
    return set(ordered) - taken


def add(session: Session, model: type[Any], rows: Sequence[Values]) -> None:
    """Insert rows of a type that hangs from a parent (``judge`` it first); each names the same columns.

    The times and the version are set here.
    """
    if not rows:
        return
    fresh = [{**row, "version": 1} for row in rows]
    # Several are written in batches, for which a single one would wait as well.
    given = fresh if len(fresh) > 1 else fresh[0]
    session.execute(_adding(cast(Any, model)), given, execution_options=reviewed(_WHY))


@lru_cache(maxsize=64)
def _adding(model: type[Any]) -> Insert:
    _must_hang(model)
    return insert(model.__table__).values(created_at=func.now(), updated_at=func.now())


def change(session: Session, model: type[Any], rows: Sequence[Values]) -> None:
    """Update rows by ``id``, each naming the same columns (``judge`` their parent first).

    ``version`` is what each row's was when it was read; it is counted up. Raises ``StaleDataError`` if
    one of them has been written or removed by somebody else since.
    """
    if not rows:
        return
    _must_hang(model)
    own = model.__table__
    names = [name for name in rows[0] if name not in ("id", "version")]
    statement = (
        update(own)
        .where(own.c.id == bindparam(_KEY), own.c.version == bindparam(_VERSION))
        .values(
            {name: bindparam(name) for name in names}
            | {"version": own.c.version + 1, "updated_at": func.now()}
        )
    )
    given = [
        {_KEY: row["id"], _VERSION: row["version"], **{name: row[name] for name in names}}
        for row in rows
    ]
    _all(session.execute(statement, given, execution_options=reviewed(_WHY)), len(rows))


def remove(session: Session, model: type[Any], rows: Sequence[Values]) -> None:
    """Delete rows by ``id`` and the ``version`` they had; errors as of ``change``."""
    if not rows:
        return
    _must_hang(model)
    own = model.__table__
    statement = delete(own).where(own.c.id == bindparam(_KEY), own.c.version == bindparam(_VERSION))
    given = [{_KEY: row["id"], _VERSION: row["version"]} for row in rows]
    _all(session.execute(statement, given, execution_options=reviewed(_WHY)), len(rows))


def clear(session: Session, model: type[Any], parents: Sequence[int]) -> None:
    """Delete every row of a type that hangs from one of these parents, by the parents' ids."""
    rule = _must_hang(model)
    own = model.__table__
    for start in range(0, len(parents), _SLICE):
        statement = delete(own).where(own.c[rule.column].in_(parents[start : start + _SLICE]))
        session.execute(statement, execution_options=reviewed(_WHY))


def forget(session: Session, *models: type[Any]) -> None:
    """Let the session read its objects of these types anew when they are next looked at."""
    for each in list(session.identity_map.values()):
        if isinstance(each, models):
            session.expire(each)


def _must_hang(model: type[Any]) -> Through:
    rule = model.__scope__
    if not isinstance(rule, Through):
        raise TypeError(f"a {type_name(model)} does not hang from a parent")
    return rule


def _all(result: Any, count: int) -> None:
    written = cast("CursorResult[Any]", result).rowcount
    if written != count:
        raise StaleDataError(f"{count - written} of {count} rows have been changed since")
