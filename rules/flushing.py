"""Writing what a step has changed: as the session's flush does, without what a step has no use for.

A flush asks each of a ticket's twelve relationships what hangs from it, and sorts all that is to be
written by what depends on what; that takes longer than the writing. A step changes columns of records
that are there, and hangs new rows from them: the order is plain. SQLAlchemy writes the rows all the
same, and the gate, the audit and whoever else listens to a flush hear of it as ever. What is not so
plain is left to the session's own flush.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import Mapper, RelationshipDirection, Session, UOWTransaction
from sqlalchemy.orm.persistence import _save_obj

from models.base import Record
from rules.locking import innermost

_UP = RelationshipDirection.MANYTOONE
_DOWN = RelationshipDirection.ONETOMANY


def flush(session: Session) -> None:
    """Write all that waits in the session, in the transaction that has begun.

    Raises what a flush raises: ``StaleDataError`` where others have changed a record, and what the
    gate and the database refuse.
    """
    transaction = innermost(session)
    if transaction is None or not _is_plain(session):
        session.flush()
        return
    context = UOWTransaction(session)
    context.transaction = transaction
    waiting = [inspect(each) for each in (*session.dirty, *session.new)]
    context.states = dict.fromkeys(waiting, (False, False))
    # Whoever listens may read, and a read would write what is being written.
    with session.no_autoflush:
        session.dispatch.before_flush(session, context, None)
        more = len(session.new) + len(session.dirty) != len(waiting)
        if not more and _is_plain(session):
            _write(waiting, context)
            session.dispatch.after_flush(session, context)
            context.finalize_flush_changes()
            return
    session.flush()


def _write(waiting: list[Any], context: UOWTransaction) -> None:
    """Write the rows of some objects, type by type: first what is there, then what hangs from it."""
    by_type: dict[Mapper[Any], list[Any]] = {}
    for state in waiting:
        by_type.setdefault(state.mapper, []).append(state)
        if state.key is None:
            _tie(state)
    for mapper, states in by_type.items():
        _save_obj(mapper, states, context)


def _is_plain(session: Session) -> bool:
    """Tell whether changed columns, and new rows that hang from what is there, are all there is."""
    if session.deleted:
        return False
    fresh = set(session.new)
    return all(_hangs(each, fresh) for each in fresh) and all(
        _stays(each, fresh) for each in session.dirty
    )


def _hangs(record: Any, fresh: set[Any]) -> bool:
    """Tell whether a new record hangs from what is there, and nothing hangs from it."""
    state: Any = inspect(record)
    return _is_row(state.mapper) and all(
        each.direction is _UP and state.dict[each.key] not in (None, *fresh)
        for each in state.mapper.relationships
        if each.key in state.dict
    )


def _stays(record: Any, fresh: set[Any]) -> bool:
    """Tell whether a record leads where it did, and has lost nothing that hung from it."""
    state: Any = inspect(record)
    if not _is_row(state.mapper):
        return False
    for relation in _relations(state.mapper):
        if relation.key not in state.committed_state:
            continue
        history = state.attrs[relation.key].history
        grown = relation.direction is _DOWN and not history.deleted
        if history.has_changes() and not (grown and fresh.issuperset(history.added)):
            return False
    return True


@lru_cache(maxsize=256)
def _is_row(mapper: Mapper[Any]) -> bool:
    """Tell whether records of a type are rows of a table of their own."""
    return issubclass(mapper.class_, Record) and mapper.base_mapper is mapper


@lru_cache(maxsize=256)
def _relations(mapper: Mapper[Any]) -> tuple[Any, ...]:
    return tuple(mapper.relationships)


def _tie(state: Any) -> None:
    """Let a new row name what it hangs from by its id."""
    for relation in _relations(state.mapper):
        above = state.dict.get(relation.key)
        for own, other in relation.local_remote_pairs if above is not None else ():
            name = state.mapper.get_property_by_column(own).key
            setattr(
                state.obj(), name, getattr(above, relation.mapper.get_property_by_column(other).key)
            )
