"""The shortest way to an actor's own records: by whose rows they are found, in order (design 5)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    and_,
    any_,
    case,
    exists,
    func,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.sql.expression import FromClause

from models.registry import type_name
from models.scoping import Parties
from models.ticket import TicketParty
from rules.actor import Actor, current
from rules.policy import Action, Scope, scopes
from rules.scope import reviewed


def whose_rows(actor: Actor, model: type[Any]) -> int | None:
    """Return the organisation whose party rows are all that the actor reads of a record type.

    ``None`` where no one organisation's are: everything is read, or what several scopes add up to.
    """
    granted = scopes(actor.roles, type_name(model), Action.READ)
    if not isinstance(model.__scope__, Parties) or len(granted) != 1 or actor.system:
        return None
    (scope,) = granted
    if scope is Scope.AREA:
        return actor.area_id
    return actor.organization_id if scope is Scope.PARTY else None


def way_to(actor: Actor, model: type[Any]) -> tuple[FromClause, Any, ColumnElement[bool]] | None:
    """Return the rows by which an actor finds his records in order: (rows, key, how to join them).

    There is one for each record in reach, and an index walks them by ``key``, the record's id. For a
    reader whose records lie thin among others' and a database that does not choose this way itself;
    the criterion still guards the statement. ``None`` where no one organisation's rows are all.
    """
    organization_id = whose_rows(actor, model)
    if organization_id is None:
        return None
    party, other = TicketParty.__table__.alias(), TicketParty.__table__.alias()
    again = exists().where(
        other.c.organization_id == organization_id,
        other.c.ticket_id == party.c.ticket_id,
        other.c.relation < party.c.relation,
    )
    joined = and_(
        party.c.ticket_id == model.id,
        party.c.organization_id == organization_id,
        ~again.correlate_except(other),
    )
    return party, party.c.ticket_id, joined


def _own_ids(actor: Actor, model: type[Any]) -> tuple[Select[Any], Any] | None:
    """Return the ids of all records in reach, each once, and the column that orders them.

    ``None`` where no one organisation's rows are the actor's whole reach.
    """
    organization_id = whose_rows(actor, model)
    if organization_id is None:
        return None
    party = TicketParty.__table__
    key = party.c.ticket_id
    return select(key.label("id")).where(party.c.organization_id == organization_id).distinct(), key


def newest(actor: Actor, model: type[Any], number: int) -> Select[Any] | None:
    """Return so many ids of the actor's own records, the newest: an index walk of that length.

    ``None`` where no one organisation's rows are his whole reach.
    """
    own = _own_ids(actor, model)
    if own is None:
        return None
    mine, key = own
    return mine.order_by(key.desc()).limit(number)


def first_ids(
    session: Session,
    model: type[Any],
    number: int,
    *,
    beyond: int | None = None,
    descending: bool = True,
    most: int,
) -> tuple[list[int], int] | None:
    """Return the first ids in reach, and how many there are in all, counted up to ``most``.

    ``beyond`` is the id to begin after. One statement, over nothing but the index of the actor's own
    party rows; ``None`` where these are not his whole reach. The rows themselves are read through
    the gate.
    """
    own = _own_ids(current(session), model)
    if own is None:
        return None
    mine, key = own
    first = mine.order_by(key.desc() if descending else key.asc()).limit(number)
    if beyond is not None:
        first = first.where(key < beyond if descending else key > beyond)
    counted = mine.order_by(key).limit(most).subquery()
    rows = session.scalars(
        union_all(select(first.subquery().c.id), select(-func.count(counted.c.id))),
        execution_options=reviewed("reads ids of the actor's own party rows"),
    ).all()
    ids = sorted((each for each in rows if each > 0), reverse=descending)
    return ids, -min(rows)


def first_among(
    session: Session,
    model: type[Any],
    narrowed: Select[Any],
    *,
    looked_at: int,
    enough: int,
    beyond: int | None = None,
    descending: bool = True,
) -> tuple[list[int], bool] | None:
    """Return the first ids in reach that a statement lets through, and whether they are all.

    As ``first_ids``, for what is common: it is looked for row by row among the ``looked_at`` records
    that come first, until ``enough`` are found, unless there are no more than these. ``narrowed``
    selects from ``model``.
    """
    own = _own_ids(current(session), model)
    if own is None:
        return None
    mine, key = own
    if beyond is not None:
        mine = mine.where(key < beyond if descending else key > beyond)
    mine = mine.order_by(key.desc() if descending else key.asc()).limit(looked_at)
    near = mine.cte("near").prefix_with("MATERIALIZED")
    every = select(func.count()).select_from(near)
    most = case((every.scalar_subquery() < looked_at, looked_at), else_=enough)
    passes = narrowed.with_only_columns(model.id)
    found = picked(session, near, passes, model.id, descending=descending).limit(most)
    rows = session.scalars(
        union_all(select(found.subquery().c.id), select(-func.count()).select_from(near)),
        execution_options=reviewed("reads ids of the actor's own party rows"),
    ).all()
    ids = sorted((each for each in rows if each > 0), reverse=descending)
    return ids, -min(rows) < looked_at


def picked(
    session: Session, near: CTE, passing: Select[Any], key: Any, *, descending: bool
) -> Select[Any]:
    """Return those of some ids whose row a statement lets through, in order, as ``id``.

    ``passing`` selects the ids of all rows that pass, ``key`` is that column. Neither database may
    read more rows than these, as it may for a join: PostgreSQL gets the ids as one array, by which
    one walk of the key's index finds them; SQLite is asked for each.
    """
    if session.get_bind().dialect.name == "sqlite":
        one = passing.where(key == near.c.id).correlate(near).scalar_subquery()
        found, key = select(near.c.id).where(one.is_not(None)), near.c.id
    else:
        ids = func.array(select(near.c.id).scalar_subquery(), type_=ARRAY(Integer))
        found = passing.with_only_columns(key.label("id")).where(key == any_(ids))
    return found.order_by(key.desc() if descending else key.asc())
