"""Making a record ours until the transaction ends, and seeing it as it is under that lock."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import Integer, Select, bindparam, inspect, select, update
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import RelationshipDirection, Session, SessionTransaction

from rules.errors import Conflict
from rules.scope import MADE_ONCE, reviewed

_HELD = "chuishao.locked"


def found(session: Session, model: Any, number: int, loads: tuple[Any, ...] = ()) -> Any | None:
    """Return the record of that number within reach, ours already where rows have locks.

    ``loads`` join to it only what its row must lead to. SQLite, which has but one lock, takes that
    when the step is taken (``lock``).
    """
    named = {"number": number}
    if _is_sqlite(session):
        return session.scalars(_one(model, loads), named).unique().first()
    held = _one_held(model, loads)
    # While we waited for another, the row may have come to lead elsewhere than to what was joined to
    # it before: then it is not found. Now it is locked, and asked for as it has become.
    record = session.scalars(held, named).unique().first()
    if record is None:
        record = session.scalars(held, named).unique().first()
    if record is not None:
        _hold(session, record)
    return record


@lru_cache(maxsize=256)
def _one(model: Any, loads: tuple[Any, ...]) -> Select[Any]:
    named = select(model).where(model.id == bindparam("number", type_=Integer))
    return named.options(*loads).execution_options(**MADE_ONCE)


@lru_cache(maxsize=256)
def _one_held(model: Any, loads: tuple[Any, ...]) -> Select[Any]:
    held = _one(model, loads).with_for_update(of=model)
    return held.execution_options(populate_existing=True)


def lock(session: Session, record: Any) -> None:
    """Make the record ours until the transaction ends, and see it as it is now.

    Nothing is asked again of a record that this transaction has locked: nobody can have changed it.
    Raises ``Conflict`` if it is gone.
    """
    session.flush()
    if holds(session, record):
        return
    if _is_sqlite(session):
        # SQLite has no row locks: writing anything takes the one write lock there is.
        session.execute(
            update(type(record).__table__)
            .where(type(record).__table__.c.id == inspect(record).identity[0])
            .values(version=type(record).__table__.c.version),
            execution_options=reviewed("takes the write lock, changes nothing"),
        )
    mapper = inspect(type(record))
    ties = {each.key: each for each in mapper.relationships if each.key in inspect(record).dict}
    before = {key: _tie(record, each) for key, each in ties.items()}
    try:
        session.refresh(record, [each.key for each in mapper.column_attrs], with_for_update=True)
    except InvalidRequestError:
        raise Conflict("这条记录刚刚被别人删除，不能再办理。请返回列表。") from None
    # What hangs from the row is read again when it is asked for: others may have changed it.
    gone = [key for key, old in before.items() if old is None or old != _tie(record, ties[key])]
    if gone:
        session.expire(record, gone)
    _hold(session, record)


def holds(session: Session, record: Any) -> bool:
    """Tell whether this transaction, or its innermost savepoint, has locked the record."""
    transaction, held = session.info.get(_HELD, (None, ()))
    same = transaction is not None and transaction is innermost(session)
    return same and inspect(record).key in held


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def innermost(session: Session) -> SessionTransaction | None:
    """Return the transaction, or savepoint, with whose rollback a lock taken now would go."""
    return session.get_nested_transaction() or session.get_transaction()


def _hold(session: Session, record: Any) -> None:
    transaction, held = session.info.get(_HELD, (None, ()))
    now = innermost(session)
    session.info[_HELD] = (now, {*(held if transaction is now else ()), inspect(record).key})


def _tie(record: Any, relation: Any) -> tuple[Any, ...] | None:
    """Return the row's own columns that lead to another record; None for what hangs from it."""
    if relation.direction is not RelationshipDirection.MANYTOONE:
        return None
    columns = inspect(record).mapper.get_property_by_column
    return tuple(getattr(record, columns(each).key) for each in relation.local_columns)
