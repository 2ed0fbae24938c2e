"""Which other records refer to a record: asked before it is deleted or an import is undone."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session

from models.registry import record_types
from rules.actor import SYSTEM, acting_as
from rules.errors import Conflict

_SLICE = 500


def refuse_if_referenced(session: Session, record: Any) -> None:
    """Raise ``Conflict`` naming the record types that still refer to the record, and how many rows.

    Rows that go with it (children deleted in cascade) do not count. Rows that the actor may not see
    are only called "其他记录": their number is none of his business.
    """
    seen: dict[str, int] = {}
    hidden = False
    for model, column in _references(type(record)):
        mine = select(func.count(model.id)).where(column == record.id)
        visible = session.scalar(mine) or 0
        with acting_as(session, SYSTEM):
            total = session.scalar(mine) or 0
        if visible:
            seen[model.__label__] = seen.get(model.__label__, 0) + visible
        hidden = hidden or total > visible
    if not seen and not hidden:
        return
    named = [f"{number} 条{label}" for label, number in seen.items()]
    if hidden:
        named.append("其他记录")
    raise Conflict(f"“{record}”不能删除：还有{'、'.join(named)}在引用它。请先处理这些记录。")


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
    found = []
    for model in record_types().values():
        if not hasattr(model, "id") or model in owned:
            continue
        for column in inspect(model).columns:
            points_here = any(key.column.table is mapper.local_table for key in column.foreign_keys)
            derived = model is target and column.key == "realm_id"
            if points_here and not derived:
                found.append(
                    (model, getattr(model, inspect(model).get_property_by_column(column).key))
                )
    return found
