"""Every way that we know of to get at rows, or to learn of them, through a session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import case, exists, func, literal, select, union_all
from sqlalchemy.orm import Session, aliased

from models.organization import Organization

#: Each opens a door to the rows of a model and returns the ids that come through.
DOORS: dict[str, Callable[[Session, Any], set[Any]]] = {
    "select": lambda s, m: {each.id for each in s.scalars(select(m)).unique()},
    "column": lambda s, m: set(s.scalars(select(m.id))),
    "query": lambda s, m: {each.id for each in s.query(m)},
    "alias": lambda s, m: through_alias(s, aliased(m)),
    "alias of a subquery": lambda s, m: through_alias(s, aliased(m, select(m).subquery())),
    "subquery": lambda s, m: set(s.scalars(select(select(m.id).subquery().c.id))),
    "cte": lambda s, m: set(s.scalars(select(select(m.id).cte().c.id))),
    "union": lambda s, m: set(s.scalars(union_all(select(m.id), select(m.id).where(m.id > 0)))),
    "join": lambda s, m: set(
        s.scalars(select(m.id).select_from(Organization).join(m, Organization.code == "A"))
    ),
    "outer join": lambda s, m: (
        set(
            s.scalars(select(m.id).select_from(Organization).outerjoin(m, Organization.code == "A"))
        )
        - {None}
    ),
    "self join": lambda s, m: _self_join(s, m),  # noqa: PLW0108 - it is defined below
    "case": lambda s, m: set(s.scalars(select(case((m.id > 0, m.id))))),
}
#: Each asks after one row by its id.
KNOCKS: dict[str, Callable[[Session, Any, int], Any]] = {
    "get": lambda s, m, each: s.get(m, each),
    "get for update": lambda s, m, each: s.get(m, each, with_for_update=True),
    "in": lambda s, m, each: s.scalar(select(literal(each).in_(select(m.id)))),
    "exists": lambda s, m, each: s.scalar(select(exists(select(m.id).where(m.id == each)))),
    "where exists": lambda s, m, each: s.scalar(
        select(literal(1)).where(exists(select(m.id).where(m.id == each)))
    ),
    "correlated exists": lambda s, m, each: s.scalar(
        select(Organization.id)
        .where(Organization.code == "A")
        .where(exists().where(m.id == each, Organization.id > 0))
    ),
    "scalar subquery": lambda s, m, each: s.scalar(
        select(select(m.id).where(m.id == each).scalar_subquery())
    ),
}
COUNTS: dict[str, Callable[[Session, Any], int | None]] = {
    "count": lambda s, m: s.scalar(select(func.count(m.id))),
    "count of a subquery": lambda s, m: s.scalar(
        select(func.count()).select_from(select(m).subquery())
    ),
    "count from": lambda s, m: s.scalar(select(func.count()).select_from(m)),
    "count from an alias": lambda s, m: s.scalar(select(func.count()).select_from(aliased(m))),
    "legacy count": lambda s, m: s.query(m).count(),
}


def through_alias(session: Session, alias: Any) -> set[int]:
    return set(session.scalars(select(alias.id)))


def _self_join(session: Session, model: Any) -> set[int]:
    other = aliased(model)
    return set(session.scalars(select(other.id).join(model, model.id == other.id)))
