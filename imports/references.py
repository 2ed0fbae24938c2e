"""Which other records refer to some records: asked before an undo removes them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from models.registry import record_types
from rules.actor import SYSTEM, acting_as

_SLICE = 500


def referred_to(session: Session, model: type[Any], ids: Collection[int]) -> dict[int, set[str]]:
    """Return, for each id that others refer to, the Chinese names of their record types.

    Rows that go with a record (deleted in cascade) and records among the ids do not count. Looks
    past the gate: the answer holds names of record types only.
    """
    found: dict[int, set[str]] = {}
    ordered = sorted(ids)
    with acting_as(session, SYSTEM):
        for other, column in _references(model):
            for start in range(0, len(ordered), _SLICE):
                part = ordered[start : start + _SLICE]
                query = select(column, other.id).where(column.in_(part))
                for target, row_id in session.execute(query):
                    if other is not model or row_id not in ids:
                        found.setdefault(target, set()).add(other.__label__)
    return found


def _references(target: type[Any]) -> list[tuple[type[Any], Any]]:
    """Return (record type, foreign key) pairs that point at a record type and do not go with it."""
    mapper = inspect(target)
    owned = {
        relation.mapper.class_ for relation in mapper.relationships if "delete" in relation.cascade
    }
    pairs = []
    for model in record_types().values():
        if model in owned or not hasattr(model, "id"):
            continue
        other = inspect(model)
        for column in other.columns:
            if any(key.column.table is mapper.local_table for key in column.foreign_keys):
                pairs.append((model, getattr(model, other.get_property_by_column(column).key)))
    return pairs
