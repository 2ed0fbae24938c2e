"""The one gate: what an actor may see and write, as SQL (design section 2.2).

``criterion`` turns (actor, record type, action) into one boolean expression. ``install`` hangs it on
every ORM read, every bulk UPDATE and DELETE of a session, and ``rules.writes`` on every flush. There
is no by-pass: a statement that is not ORM is refused unless it is named in ``reviewed``.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, cast

from flask_appbuilder.security.sqla.models import User as FabUser
from sqlalchemy import (
    ColumnElement,
    and_,
    event,
    false,
    or_,
    select,
    true,
)
from sqlalchemy.orm import ORMExecuteState, Session
from sqlalchemy.sql.expression import FromClause

from models.account import Account
from models.registry import record_types, type_name
from models.scoping import Anchored, Ledger, Parties, Reference, Through
from rules.actor import Actor, current
from rules.gate import Criteria, Gate
from rules.policy import Action, Scope, scopes
from rules.reach import ColumnOf, ground, partners, reach, some
from rules.stand_ins import ids_of, stand_in

#: Execution option that names why a statement may go past the gate; see ``reviewed``.
REVIEWED = "chuishao_reviewed"

#: Execution option of a statement that is made once: what the gate makes of it is kept as well.
MADE_ONCE = {"chuishao_made_once": True}

_KEPT = "chuishao.gate"
#: How the gate's parameters begin.
_GATE = "gate"
WRITES = (Action.ADD, Action.EDIT, Action.ACT, Action.DELETE)


class UnreviewedStatement(Exception):
    """A statement that the gate cannot guard was sent through a guarded session."""


def reviewed(reason: str) -> dict[str, str]:
    """Return the execution option that lets a statement pass, with the reason for a reader.

    Only for statements that carry the criterion themselves or touch no scoped rows.
    """
    return {REVIEWED: reason}


def criterion(
    actor: Actor, model: type[Any], *actions: Action, rows: FromClause | None = None
) -> ColumnElement[bool]:
    """Return what a row must satisfy for the actor to do any of the actions to it.

    ``rows`` is an alias of the model's table to speak of instead of the mapped class.
    """
    if actor.system:
        return true()
    wanted = actions or (Action.READ,)
    column: ColumnOf = (lambda name: rows.c[name]) if rows is not None else _attribute(model)
    rule = model.__scope__
    reading = wanted == (Action.READ,)
    adding = wanted == (Action.ADD,)
    if reading and not isinstance(rule, Parties | Ledger) and _is_open(rule):
        return true() if actor.user_id is not None else false()
    if isinstance(rule, Through):
        return _through(actor, rule, column, reading)
    if isinstance(rule, Ledger):
        return ledger_criterion(actor, model, rule, column, wanted)
    granted = _granted(actor, model, wanted)
    if isinstance(rule, Reference):
        return true() if Scope.EVERYTHING in granted else false()
    parts = [
        reach(actor, rule, column, scope, every=not reading, adding=adding)
        for scope in sorted(granted)
    ]
    return or_(*parts) if parts else false()


def _attribute(model: type[Any]) -> ColumnOf:
    return lambda name: getattr(model, name)


def _is_open(rule: Reference | Anchored | Through) -> bool:
    return isinstance(rule, Reference) or rule.open_read


def _granted(actor: Actor, model: type[Any], actions: Iterable[Action]) -> set[Scope]:
    kind = type_name(model)
    return {scope for action in actions for scope in scopes(actor.roles, kind, action)}


def _through(actor: Actor, rule: Through, column: ColumnOf, reading: bool) -> ColumnElement[bool]:
    """Reach the child by its parent; writing a child is writing its parent in some way."""
    parent = record_types()[rule.parent]
    rows = parent.__table__.alias()
    actions = (Action.READ,) if reading else WRITES
    inside = criterion(actor, parent, *actions, rows=rows)
    return some(column(rule.column), rows, rows.c.id, inside)


def ledger_criterion(
    actor: Actor,
    model: type[Any],
    rule: Ledger,
    column: ColumnOf,
    actions: tuple[Action, ...],
    about: str | None = None,
) -> ColumnElement[bool]:
    """Reach a log line by the record it is about; a grant on the log itself reaches by place.

    Lines may be added about a record that may be read, and are never changed by anybody. ``about``
    names the type that the record must be of, if there is only one in question.
    """
    if any(action in (Action.EDIT, Action.DELETE) for action in actions):
        return false()
    parts: list[ColumnElement[bool]] = []
    for kind, target in record_types().items():
        if (
            about in (None, kind)
            and isinstance(target.__scope__, Anchored | Parties)
            and kind != "account"
        ):
            rows = target.__table__.alias()
            inside = criterion(actor, target, rows=rows)
            found = some(column(rule.id_column), rows, rows.c.id, inside)
            parts.append(and_(column(rule.type_column) == kind, found))
    place = Anchored((rule.organization_column,))
    for scope in sorted(_granted(actor, model, (Action.READ,))):
        parts.append(reach(actor, place, column, scope, every=False))
    return or_(*parts) if parts else false()


@lru_cache(maxsize=1024)
def read_options(actor: Actor, *actions: Action) -> tuple[Any, ...]:
    """Return what puts the criteria of every scoped record type on a statement, for one actor."""
    models = tuple(record_types().values())
    return (Gate(_criteria(stand_in(actor, _GATE), actions, models), ids_of(actor, _GATE)),)


@lru_cache(maxsize=256)
def _criteria(actor: Actor, actions: tuple[Action, ...], models: tuple[type[Any], ...]) -> Criteria:
    """Build the criteria once for all actors of some roles: they took half the time of a request."""
    criteria: list[tuple[type[Any], ColumnElement[bool]]] = []
    for model in models:
        target, inside = model, criterion(actor, model, *actions)
        if model is Account:
            # FAB's own relationships lead to its base class, which must be guarded as well.
            rows = Account.__table__.alias()
            target = FabUser
            allowed = criterion(actor, Account, *actions, rows=rows)
            inside = FabUser.id.in_(select(rows.c.id).where(allowed))
        criteria.append((target, inside))
    return Criteria(criteria)


def _reading(session: Session, actor: Actor) -> tuple[Any, ...]:
    """Return ``read_options`` for reading, looked up once for each actor that a session has."""
    kept: tuple[Actor, tuple[Any, ...]] | None = session.info.get(_KEPT)
    if kept is None or kept[0] is not actor:
        kept = session.info[_KEPT] = (actor, read_options(actor, Action.READ))
    return kept[1]


def guard_statement(state: ORMExecuteState) -> None:
    """Put the criterion on an ORM statement, or refuse what cannot be guarded."""
    actor = current(state.session)
    if actor.system or REVIEWED in state.execution_options:
        return
    if not state.is_orm_statement or state.is_insert or state.is_from_statement:
        raise UnreviewedStatement(f"{_kind(state)} that the gate cannot read: name mapped classes")
    if state.is_column_load:
        # Refreshing columns of an object that this session has already been given: a row that
        # the actor has just moved away must still be nameable in the answer.
        return
    if state.is_select:
        options = _reading(state.session, actor)
    elif state.is_update:
        _guard_update(state)
        options = read_options(actor, Action.EDIT)
    else:
        options = read_options(actor, Action.DELETE)
    if "chuishao_made_once" in state.execution_options:
        state.statement = _narrowed(state.statement, options)
    else:
        state.statement = state.statement.options(*options)


@lru_cache(maxsize=1024)
def _narrowed(statement: Any, options: tuple[Any, ...]) -> Any:
    """Return a statement with its criteria: put on anew, its cache key would be worked out anew."""
    return statement.options(*options)


def _kind(state: ORMExecuteState) -> str:
    # Not the statement's text: some cannot be written out before they are compiled.
    return type(state.statement).__name__


def _guard_update(state: ORMExecuteState) -> None:
    """Refuse bulk UPDATEs whose result the criterion cannot vouch for: it only sees rows as they were.

    That is rows named by key in a list of values, and columns that tie a row to its place.
    """
    by_key = isinstance(state.parameters, list)
    if by_key or state.execution_options.get("dml_strategy", "auto") not in ("auto", "orm"):
        raise UnreviewedStatement("bulk UPDATE by primary key: the criterion does not apply to it")
    mapper = state.bind_mapper
    if mapper is not None and named_columns(state) & _anchors(mapper.class_):
        raise UnreviewedStatement("bulk UPDATE that moves rows: change the objects instead")


def named_columns(state: ORMExecuteState) -> set[str]:
    """Return the columns that an UPDATE sets, by its VALUES and by its parameters."""
    # SQLAlchemy has no public name for the SET clause; the tests try every way of writing one.
    named = {getattr(each, "key", each) for each in cast(Any, state.statement)._values or ()}
    parameters = state.parameters or ()
    for each in parameters if isinstance(parameters, list) else [parameters]:
        named |= set(each)
    return named


def _anchors(model: type[Any]) -> set[str]:
    rule = getattr(model, "__scope__", None)
    if isinstance(rule, Anchored):
        return {*rule.columns, rule.user_column or "id", "id"}
    if isinstance(rule, Through):
        return {rule.column, "id"}
    if isinstance(rule, Parties):
        return {rule.raiser_column, "id"}
    return {"id"}


def install(session_factory: Any) -> None:
    """Hang the gate for statements on a session class, sessionmaker or scoped session."""
    event.listen(session_factory, "do_orm_execute", guard_statement)


def reachable(actor: Actor, record_type: str, column: Any, *actions: Action) -> ColumnElement[bool]:
    """Return which organisations, by an id column, the actor may tie such a record to.

    This narrows select boxes to what a write would be allowed; the gate still checks the write.
    """
    if actor.system:
        return true()
    granted = {scope for action in actions for scope in scopes(actor.roles, record_type, action)}
    place = Anchored(("id",))
    sided = {Scope.SIDE, Scope.SHARED}
    parts = [
        reach(actor, place, lambda _name: column, each, every=False) for each in granted - sided
    ]
    if granted & sided:
        parts += [column.in_(ground(actor)), column.in_(partners(actor))]
    return or_(*parts) if parts else false()
