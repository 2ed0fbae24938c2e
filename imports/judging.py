"""Asking the gate beforehand: whether rows that are not written yet would lie within reach.

The flush judges every row as well, and has the last word; but it refuses a file as a whole, and
cannot say at which row.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Integer, String, column, select, values
from sqlalchemy.orm import Session

from imports.specs.outward import SheetSpec
from imports.specs.records import RecordSpec
from models.organization import Organization
from models.scoping import Anchored
from rules.actor import SYSTEM, acting_as, current
from rules.policy import Action
from rules.scope import criterion

#: Some databases take no more than a thousand values in a statement.
_SLICE = 200

#: The organisations that a row would be tied to, by the columns of its scope.
Anchors = tuple[int | None, ...]


def anchor_columns(spec: RecordSpec) -> tuple[str, ...]:
    """Return the columns that tie a record type's rows to organisations."""
    rule = spec.model.__scope__
    return rule.columns if isinstance(rule, Anchored) else ()


def may_be_made(session: Session, spec: RecordSpec, wanted: Collection[Anchors]) -> set[Anchors]:
    """Return which rows the actor may make, told by their anchors: a statement a slice."""
    actor, names = current(session), anchor_columns(spec)
    if actor.system or not names:
        return set(wanted)
    ordered = sorted(wanted, key=str)
    allowed: set[Anchors] = set()
    for start in range(0, len(ordered), _SLICE):
        part = ordered[start : start + _SLICE]
        rows = (
            values(
                column("place", Integer),
                column("id", Integer),
                column("status", String),
                *(column(name, Integer) for name in names),
                name="imagined",
            )
            .data([(place, None, None, *each) for place, each in enumerate(part)])
            .cte("imagined")
        )
        query = (
            select(rows.c.place)
            .select_from(Organization)
            .join(rows, rows.c[names[0]] == Organization.id)
            .where(
                criterion(actor, spec.model, Action.ADD, rows=rows),
                criterion(actor, spec.model, Action.IMPORT, rows=rows),
            )
        )
        allowed |= {part[place] for place in session.scalars(query)}
    return allowed


def may_be_changed(
    session: Session, spec: SheetSpec, ids: Collection[int], action: Action = Action.EDIT
) -> set[int]:
    """Return which records the actor may change by an import, or delete: a statement a slice."""
    actor, model = current(session), spec.model
    if actor.system:
        return set(ids)
    ordered, allowed = sorted(ids), set()
    for start in range(0, len(ordered), _SLICE):
        part = ordered[start : start + _SLICE]
        query = select(model.id).where(
            model.id.in_(part),
            criterion(actor, model, action),
            criterion(actor, model, Action.IMPORT),
        )
        allowed |= set(session.scalars(query))
    return allowed


def taken_elsewhere(session: Session, spec: RecordSpec, keys: Collection[Any]) -> set[Any]:
    """Return which of a unique column's values a record out of reach has: only that it is so."""
    attribute: Any = getattr(spec.model, spec.key_column(spec.key[0]))
    ordered, taken = sorted(keys), set()
    with acting_as(session, SYSTEM):
        for start in range(0, len(ordered), _SLICE):
            part = ordered[start : start + _SLICE]
            taken |= set(session.scalars(select(attribute).where(attribute.in_(part))))
    return taken
