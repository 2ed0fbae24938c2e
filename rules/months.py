"""Sums of whole months: who may read by them, which months lie in some days, and adding changes to them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, insert, or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.organization import Organization, OrganizationKind
from rules.actor import Actor, current
from rules.policy import Action, Scope, scopes

_DAY = dt.timedelta(days=1)
_AREA = "chuishao.area"
_WHOLE = (OrganizationKind.CITY, OrganizationKind.COUNTY)


@dataclass(frozen=True)
class Split:
    """Days as the whole months that lie in them, first and last as 202611, and the days that are left."""

    months: tuple[int, int] | None
    edges: tuple[tuple[dt.date, dt.date], ...]

    def within(self, month: Any) -> ColumnElement[bool]:
        """Return whether a month is one of the whole ones."""
        test: ColumnElement[bool] = month.between(*self.months) if self.months else false()
        return test

    def at_edges(self, month: Any, day: Any) -> ColumnElement[bool]:
        """Return whether a day is one of those left, told by its month as well, for the indexes."""
        tests = [
            and_(month.between(number(first), number(last)), day.between(first, last))
            for first, last in self.edges
        ]
        return or_(false(), *tests)


def number(day: dt.date) -> int:
    """Return a day's month as 202611."""
    return day.year * 100 + day.month


def split(first: dt.date, last: dt.date, today: dt.date) -> Split:
    """Return the whole months of some days, and what is left of them at either end.

    A month that still runs is whole with its last day that has come: none is of a day to come.
    """
    begun = first if first.day == 1 else _next_month(first)
    # The first day of the month that is not whole any more.
    ended = _next_month(last) if last >= today else (last + _DAY).replace(day=1)
    if begun >= ended:
        return Split(None, ((first, last),))
    edges = [(first, begun - _DAY)] if first < begun else []
    if ended <= last:
        edges.append((ended, last))
    return Split((number(begun), number(ended - _DAY)), tuple(edges))


def _next_month(day: dt.date) -> dt.date:
    return (day.replace(day=1) + 31 * _DAY).replace(day=1)


def area_kind(session: Session) -> OrganizationKind | None:
    """Return of what kind the actor's area is, looked up once for each actor that a session has."""
    actor = current(session)
    known: tuple[Actor, OrganizationKind | None] | None = session.info.get(_AREA)
    if known is None or known[0] is not actor:
        area = session.get(Organization, actor.area_id) if actor.area_id is not None else None
        known = session.info[_AREA] = (actor, area.kind if area else None)
    return known[1]


def reads_counties(session: Session) -> bool:
    """Tell whether the actor reads facts of whole counties: sums that are kept by place are his to read."""
    actor = current(session)
    granted = scopes(actor.roles, "ticket_fact", Action.READ)
    if actor.system or granted == {Scope.EVERYTHING}:
        return True
    return granted == {Scope.AREA} and area_kind(session) in _WHOLE


def add(
    session: Session, model: Any, rows: Select[Any], keys: Sequence[str], sums: Sequence[str]
) -> None:
    """Add sums to the kept ones of their keys; ``rows`` has the columns of both, in this order.

    Only for whoever folds facts, who is alone.
    """
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement: Any = make(model).from_select([*keys, *sums], rows)
    added = {name: getattr(model, name) + statement.excluded[name] for name in sums}
    session.execute(statement.on_conflict_do_update(index_elements=[*keys], set_=added))


def fill(
    session: Session, model: Any, rows: Select[Any], keys: Sequence[str], sums: Sequence[str]
) -> None:
    """Write all sums into an empty table; else as ``add``."""
    session.execute(insert(model).from_select([*keys, *sums], rows))
