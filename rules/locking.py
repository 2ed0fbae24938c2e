"""Making a record ours until the transaction ends, and seeing it as it is under that lock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Integer, Select, bindparam, inspect, select, update
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import RelationshipDirection, Session, SessionTransaction

from rules.errors import Conflict
from rules.scope import MADE_ONCE, reviewed

_HELD = "chuishao.locked"


@dataclass(frozen=True, eq=False)
class Aside:
    """What is asked along with a record: a value, and where it is kept.

    Made once for a type of records: the statements that ask for it are. The value may be another
    record, joined by ``tie`` where there is such a one.
    """

    value: Any
    keep: Callable[[Session, Any, Any], None]
    tie: Any = None


def found(
    session: Session,
    model: Any,
    number: int,
    loads: tuple[Any, ...] = (),
    asides: tuple[Aside, ...] = (),
) -> Any | None:
    """Return the record of that number within reach, ours already where rows have locks.

    ``loads`` join to it only what its row must lead to. SQLite, which has but one lock, takes that
    when the step is taken (``lock``).
    """
    named = {"number": number}
    sqlite = _is_sqlite(session)
    statement = (_one if sqlite else _one_held)(model, loads, asides)
    row = session.execute(statement, named).unique().first()
    if row is None and not sqlite:
        # While we waited for another, the row may have come to lead elsewhere than to what was joined
        # to it before: then it is not found. Now it is locked, and asked for as it has become.
        row = session.execute(statement, named).unique().first()
    if row is None:
        return None
    record = row[0]
    if not sqlite:
        _hold(session, record)
    for each, value in zip(asides, row[1:], strict=True):
        each.keep(session, record, value)
    return record


@lru_cache(maxsize=256)
def _one(model: Any, loads: tuple[Any, ...], asides: tuple[Aside, ...]) -> Select[Any]:
    asked = select(model, *(each.value for each in asides))
    named = asked.where(model.id == bindparam("number", type_=Integer))
    return named.options(*loads).execution_options(**MADE_ONCE)


@lru_cache(maxsize=256)
def _one_held(model: Any, loads: tuple[Any, ...], asides: tuple[Aside, ...]) -> Select[Any]:
    held = _one(model, loads, asides).with_for_update(of=model)
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


def keep(session: Session, what: str, of: Any, value: Any) -> None:
    """Keep what was asked along with a record, by what and of whom, until the transaction ends."""
    session.info[f"chuishao.kept.{what}"] = (innermost(session), of, value)


def kept(session: Session | None, what: str, of: Any) -> Any | None:
    """Return what was kept in this transaction, or in its innermost savepoint; None if nothing was."""
    known = session.info.get(f"chuishao.kept.{what}") if session is not None else None
    if known is None or session is None or known[1] != of:
        return None
    return known[2] if known[0] is innermost(session) else None


def let_go(session: Session, *names: str) -> None:
    """Keep some things no more: they are about to be changed, or the step is over."""
    for each in names:
        session.info.pop(f"chuishao.kept.{each}", None)


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
