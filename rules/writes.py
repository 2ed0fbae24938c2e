"""The gate on what is written: a row must be within reach as it was before a flush, and as it is after.

Nothing is asked twice. What was answered for a record that this transaction holds locked stands until
something is written that the answer speaks of (``rules.judging``); whoever may change a record may
write what hangs from it, for that is how such rows are judged (``models.scoping.Through``).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    bindparam,
    event,
    inspect,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.orm import ORMExecuteState, Session

from models.registry import record_types, type_name
from models.scoping import Anchored, Ledger, Parties, Through
from rules import locking
from rules.actor import Actor, current
from rules.errors import OutOfScope
from rules.judging import Written, is_changed, rows_may_undo
from rules.policy import Action
from rules.reach import some
from rules.scope import criterion, ledger_criterion
from rules.stand_ins import ids_of, stand_in

_CHANGING = (Action.EDIT, Action.ACT)
_READING = (Action.READ,)
_WRITTEN = "chuishao.written"
_ANSWERED = "chuishao.answered"
#: How the parameters of judgements begin, and of what is asked along with something else.
_JUDGED, _ASKED = "judged", "asked"
#: What is judged at once: a type, the type that a log's line is about, the actions.
Kind = tuple[Any, str | None, tuple[Action, ...]]
#: A record type and the ids of some of its records.
Rows = set[tuple[Any, int]]


def guard_old(session: Session, flush_context: Any, instances: Any) -> None:
    """Before a flush: rows about to be changed or removed must be within reach as they are now."""
    if current(session).system:
        return
    changed = [each for each in session.dirty if is_changed(each)]
    answered = _answered(session)
    ours = {(type(each), each.id) for each in changed} | _changeable(answered)
    judged = [each for each in changed if _parent(each) not in ours]
    wanted = _kinds((judged, _CHANGING), (session.deleted, (Action.DELETE,)))
    _demand(wanted, _judged(session, wanted, answered))
    session.info[_WRITTEN] = (list(session.new), changed)


def guard_new(session: Session, flush_context: Any) -> None:
    """After a flush: rows that were written must be within reach as they have become.

    A child that was taken out of its parent's collection counts as changed before the flush, and
    is gone after it: there is nothing left to judge. Nor is there where nothing was written that
    the judgement before the flush speaks of (``rules.judging``): it would be the same again; nor
    where an answer stands that the flush can only have confirmed.
    """
    added, changed = session.info.pop(_WRITTEN, ([], []))
    actor = current(session)
    if actor.system:
        session.info.pop(_ANSWERED, None)
        return
    done = Written(added, flush_context)
    lost = _keep(session, done)
    left = [each for each in changed if not flush_context.is_deleted(inspect(each))]
    stands = _changeable(_answered(session))
    again = [
        each
        for each in left
        for model, about in [_kind_of(each)]
        if (model, each.id) not in stands
        and done.bears_on(_judgement(actor, (model, about, _CHANGING)))
    ]
    # Either judged before and none the worse for it, or judged again below.
    ours = {(type(each), each.id) for each in left} | stands
    # Who moves a row to another place must be allowed to make one there.
    moved = [each for each in left if _moved(each)]
    fresh = [each for each in added if _parent(each) not in ours]
    again = [each for each in again if _parent(each) not in ours]
    wanted = _kinds(([*fresh, *moved], (Action.ADD,)), (again, _CHANGING))
    if wanted:
        found = _judged(session, _both(wanted, lost), {})
        _demand(wanted, found)
        _answered(session).update({kind: found[kind] & ids for kind, ids in lost.items()})


def demand_line(session: Session, log: type[Any], record: Any, number: int) -> None:
    """Judge a log's line that was just written past the session's objects; raise ``OutOfScope``.

    Lines may be added about a record that may be read (``ledger_criterion``). Where that is not
    answered for the record as it has become, the line is judged as one that a flush writes.
    """
    if current(session).system:
        return
    model, seen = type(record), _answered(session)
    by_record = isinstance(model.__scope__, Anchored | Parties) and type_name(model) != "account"
    if by_record and record.id in seen.get((model, None, _READING), ()):
        return
    wanted: dict[Kind, set[int]] = {(log, type_name(model), (Action.ADD,)): {number}}
    _demand(wanted, _judged(session, wanted, {}))


def _moved(record: Any) -> bool:
    rule = getattr(type(record), "__scope__", None)
    columns = rule.columns if isinstance(rule, Anchored) else ()
    state: Any = inspect(record)
    return any(state.attrs[name].history.has_changes() for name in columns if name != "id")


def _parent(record: Any) -> tuple[Any, int] | None:
    """Return the record that a row hangs from and is judged by, if the row has not been hung anew.

    Whoever may change the parent may write the row: ``criterion`` asks of the parent of a row that is
    written whether any kind of writing is allowed there. That the row hangs where the session saw it
    hang, its version says, by which it is written.
    """
    rule = getattr(type(record), "__scope__", None)
    if not isinstance(rule, Through):
        return None
    state: Any = inspect(record)
    hung: int | None = state.dict.get(rule.column)
    anew = rule.column not in state.unmodified and state.attrs[rule.column].history.deleted
    return None if hung is None or anew else (record_types()[rule.parent], hung)


def _kind_of(record: Any) -> tuple[type[Any], str | None]:
    """Return by what a row is judged: its type; a log's line by the type of its record as well."""
    model = type(record)
    rule = getattr(model, "__scope__", None)
    if rule is None:
        raise OutOfScope
    return model, record.record_type if isinstance(rule, Ledger) else None


def _kinds(*groups: tuple[Iterable[Any], tuple[Action, ...]]) -> dict[Kind, set[int]]:
    """Return the ids of objects to judge, by what they are and what is done to them."""
    wanted: dict[Kind, set[int]] = {}
    for objects, actions in groups:
        for each in objects:
            wanted.setdefault((*_kind_of(each), actions), set()).add(each.id)
    return wanted


def _both(one: dict[Kind, set[int]], other: dict[Kind, set[int]]) -> dict[Kind, set[int]]:
    return {kind: one.get(kind, set()) | other.get(kind, set()) for kind in one | other}


def _demand(wanted: dict[Kind, set[int]], found: dict[Kind, set[int]]) -> None:
    """Raise ``OutOfScope`` if a row that is written is not among those that may be."""
    if any(not ids <= found[kind] for kind, ids in wanted.items()):
        raise OutOfScope


def _judged(
    session: Session, wanted: dict[Kind, set[int]], answered: dict[Kind, set[int]]
) -> dict[Kind, set[int]]:
    """Return which of some rows the actor may do that to: one statement for several types.

    In slices, for databases cap parameters. What is ``answered`` already is not asked.
    """
    actor = current(session)
    found = {kind: ids & answered.get(kind, set()) for kind, ids in wanted.items()}
    parts = [
        (kind, ordered[start : start + 500])
        for kind, ids in wanted.items()
        for ordered in [sorted(ids - found[kind])]
        for start in range(0, len(ordered), 500)
    ]
    for start in range(0, len(parts), 4):
        slices = parts[start : start + 4]
        judgement = _judgements(stand_in(actor, _JUDGED), tuple(kind for kind, _ids in slices))
        named = {f"written{place}": ids for place, (_kind, ids) in enumerate(slices)}
        sent: dict[str, Any] = named | ids_of(actor, _JUDGED)
        for place, number in session.connection().execute(judgement, sent):
            found[slices[place][0]].add(number)
    return found


def _judgement(actor: Actor, kind: Kind) -> Select[Any]:
    """Return the statement by which an actor's rows of a kind are judged, to see what it speaks of."""
    return _statement(stand_in(actor, _JUDGED), *cast(Any, kind), 0)


@lru_cache(maxsize=4096)
def _statement(
    actor: Actor, model: type[Any], about: str | None, actions: tuple[Action, ...], place: int
) -> Select[Any]:
    """Return the statement that tells which of some rows a stand-in's actors may write, made once.

    To put its words together took two thirds of a submitted step. Its rows are named by their ids
    in the parameter ``written`` with the number of its ``place``.
    """
    rows = model.__table__.alias()
    if about is None:
        inside = criterion(actor, model, *actions, rows=rows)
    else:
        columns = rows.c
        inside = ledger_criterion(
            actor, model, model.__scope__, lambda name: columns[name], actions, about
        )
    named: BindParameter[Any] = bindparam(f"written{place}", expanding=True)
    what = literal_column(str(place), Integer).label("place")
    return select(what, rows.c.id).where(rows.c.id.in_(named), inside)


@lru_cache(maxsize=4096)
def _judgements(actor: Actor, kinds: tuple[Kind, ...]) -> Select[Any] | CompoundSelect[Any]:
    """Return one statement that judges rows of several types for a stand-in's actors, each by its place."""
    parts = [_statement(actor, *kind, place) for place, kind in enumerate(kinds)]
    return parts[0] if len(parts) == 1 else union_all(*parts)


# Asked along with something else


def may(actor: Actor, model: type[Any], key: Any) -> tuple[ColumnElement[bool], ...]:
    """Return what tells, in a statement about a record, whether an actor may change and read it.

    ``key`` is the column that names the record. ``actor`` is one that ``asker`` returns, so that the
    statement serves all of the same roles. What comes back is for ``remember``.
    """
    return tuple(
        some(key, rows, rows.c.id, criterion(actor, model, *actions, rows=rows))
        for actions in (_CHANGING, _READING)
        for rows in [model.__table__.alias()]
    )


def asker(actor: Actor) -> tuple[Actor, dict[str, int]]:
    """Return who asks ``may`` in an actor's place, and the parameters that it is sent with."""
    return stand_in(actor, _ASKED), ids_of(actor, _ASKED)


def remember(session: Session, record: Any, actor: Actor, answers: Iterable[bool]) -> None:
    """Keep what ``may`` told of a record, if this transaction holds it locked.

    It holds for this actor and this transaction, until something is written that it speaks of. Of a
    record that is not locked, the gate asks when it is written.
    """
    if not locking.holds(session, record):
        return
    kept = {
        (type(record), None, actions): {record.id} if allowed else set()
        for actions, allowed in zip((_CHANGING, _READING), answers, strict=True)
    }
    session.info[_ANSWERED] = (actor, locking.innermost(session), kept)


def may_change(session: Session, record: Any) -> bool:
    """Tell whether it is answered that the actor may change a record: no means that it must be asked."""
    return (type(record), record.id) in _changeable(_answered(session))


def _answered(session: Session) -> dict[Kind, set[int]]:
    actor, transaction, kept = session.info.get(_ANSWERED, (None, None, {}))
    same = actor == current(session) and transaction is locking.innermost(session)
    found: dict[Kind, set[int]] = kept if same else {}
    return found


def _changeable(answered: dict[Kind, set[int]]) -> Rows:
    return {
        (model, each)
        for (model, _about, actions), ids in answered.items()
        if actions == _CHANGING
        for each in ids
    }


def _keep(session: Session, done: Written) -> dict[Kind, set[int]]:
    """Keep of the answers what a flush has left as it was; return what it has not."""
    answered = _answered(session)
    actor = current(session)
    lost = {kind: ids for kind, ids in answered.items() if done.may_undo(_judgement(actor, kind))}
    stays = {kind: ids for kind, ids in answered.items() if kind not in lost}
    session.info[_ANSWERED] = (actor, locking.innermost(session), stays)
    return lost


def forget(state: ORMExecuteState) -> None:
    """Keep no answer over a statement that writes: it writes past the objects that a flush knows.

    New rows of a table of which an answer does not speak, such as lines of a log, leave it as it was,
    and so do those of which it asks only that there be one.
    """
    known = state.session.info.get(_ANSWERED)
    if state.is_select or known is None:
        return
    actor, transaction, kept = known
    added = cast(Any, state.statement).table if state.is_insert else None
    stays = {
        kind: ids
        for kind, ids in kept.items()
        if added is not None and not rows_may_undo(_judgement(actor, kind), added)
    }
    # Whoever acts by now: the answers may be asked for again by whom they were given to.
    state.session.info[_ANSWERED] = (actor, transaction, stays)


def install(session_factory: Any) -> None:
    """Hang the gate for what is written on a session class, sessionmaker or scoped session."""
    event.listen(session_factory, "do_orm_execute", forget)
    event.listen(session_factory, "before_flush", guard_old)
    event.listen(session_factory, "after_flush", guard_new)
