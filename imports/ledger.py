"""Reading and setting a record's values by its declaration, and finding records by their keys."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import inspect, select, tuple_
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from imports import kinds
from imports.kinds import Value
from imports.places import SLICE
from imports.specs.base import Kind
from imports.specs.records import RecordSpec
from imports.values import Item, Key
from models.base import utcnow
from models.organization import Organization

Values = dict[str, Value]


def values_of(spec: RecordSpec, record: Any, names: Collection[str] | None = None) -> Values:
    """Return a record's plain values, all or those of some fields. Its links must be loaded."""
    found: Values = {}
    for field in spec.fields:
        if names is not None and field.name not in names:
            continue
        if field.kind is Kind.ORGANIZATIONS:
            links = getattr(record, spec.links[field.name].relation)
            found[field.name] = sorted(link.organization_id for link in links)
        else:
            found[field.name] = kinds.plain(field, getattr(record, spec.key_column(field.name)))
    return found


def set_values(
    spec: RecordSpec, record: Any, values: Values, places: dict[int, Organization]
) -> None:
    """Give a record plain values; only what differs is assigned. ``places``: every one named."""
    for field in spec.fields:
        if field.name not in values:
            continue
        value = values[field.name]
        if field.kind is Kind.ORGANIZATIONS:
            _set_links(spec, record, field.name, value, places)
        elif field.kind is Kind.ORGANIZATION:
            wanted = places[value] if isinstance(value, int) else None
            if getattr(record, field.name) is not wanted:
                setattr(record, field.name, wanted)
        else:
            live = kinds.live(field, value, spec.members(field.name))
            if getattr(record, field.name) != live:
                setattr(record, field.name, live)


def _set_links(
    spec: RecordSpec, record: Any, name: str, value: Value, places: dict[int, Organization]
) -> None:
    links = spec.links[name]
    rows = getattr(record, links.relation)
    wanted = {each for each in value if isinstance(each, int)} if isinstance(value, list) else set()
    present = {row.organization_id or row.organization.id: row for row in rows}
    if present.keys() == wanted:
        return
    for organization_id in present.keys() - wanted:
        rows.remove(present[organization_id])
    for organization_id in sorted(wanted - present.keys()):
        rows.append(links.model(organization=places[organization_id]))
    if inspect(record).persistent:
        # The record itself is written as well, so that its version tells of the change.
        record.updated_at = utcnow()


def trial(
    spec: RecordSpec, record: Any | None, values: Values, places: dict[int, Organization]
) -> Any:
    """Return a record as it would become, for the rules to look at; it belongs to no session."""
    copy = spec.model()
    if record is not None:
        for attribute in inspect(spec.model).column_attrs:
            set_committed_value(copy, attribute.key, getattr(record, attribute.key))
        for name, value in values_of(spec, record).items():
            kind = spec.field(name).kind
            if kind is Kind.ORGANIZATION:
                known = places[value] if isinstance(value, int) else None
                set_committed_value(copy, name, known)
            elif kind is Kind.ORGANIZATIONS:
                _set_links(spec, copy, name, value, places)
    set_values(spec, copy, values, places)
    return copy


def named_places(spec: RecordSpec, values: Values) -> set[int]:
    """Return the organisations that plain values name."""
    found: set[int] = set()
    for name in (*spec.places, *spec.links):
        value = values.get(name)
        named = value if isinstance(value, list) else [value]
        found |= {each for each in named if isinstance(each, int)}
    return found


def load_places(session: Session, ids: Collection[int]) -> dict[int, Organization]:
    """Return organisations by id: a statement a slice."""
    ordered = sorted(ids)
    found: dict[int, Organization] = {}
    for start in range(0, len(ordered), SLICE):
        part = ordered[start : start + SLICE]
        query = select(Organization).where(Organization.id.in_(part))
        found.update((each.id, each) for each in session.scalars(query))
    return found


def link_loads(spec: RecordSpec) -> list[Any]:
    """Return loader options for what ``values_of`` reads beside columns."""
    return [selectinload(getattr(spec.model, each.relation)) for each in spec.links.values()]


def load_by_id(session: Session, spec: RecordSpec, ids: Collection[int]) -> dict[int, Any]:
    """Return the records within reach by id, with their links: a few statements a slice."""
    ordered = sorted(ids)
    found: dict[int, Any] = {}
    for start in range(0, len(ordered), SLICE):
        part = ordered[start : start + SLICE]
        query = select(spec.model).where(spec.model.id.in_(part)).options(*link_loads(spec))
        found.update((each.id, each) for each in session.scalars(query))
    return found


def load_by_key(session: Session, spec: RecordSpec, items: Iterable[Item]) -> dict[Key, Any]:
    """Return the records within reach that rows speak of, by the rows' keys.

    A text is also looked up as the cell holds it: a record's may carry marks that no key keeps.
    """
    columns = [getattr(spec.model, spec.key_column(name)) for name in spec.key]
    texts = {name for name in spec.key if spec.field(name).kind is Kind.TEXT}
    wanted: set[tuple[Any, ...]] = set()
    for item in items:
        wanted.add(tuple(item.values[name] for name in spec.key))
        held = {name: item.raw[name] for name in spec.key if name in texts and name in item.raw}
        wanted.add(tuple(held.get(name, item.values[name]) for name in spec.key))
    ordered = sorted(wanted, key=str)
    found: dict[Key, Any] = {}
    for start in range(0, len(ordered), SLICE // len(columns)):
        part = ordered[start : start + SLICE // len(columns)]
        test = (
            columns[0].in_([each[0] for each in part])
            if len(columns) == 1
            else tuple_(*columns).in_(part)
        )
        query = select(spec.model).where(test).options(*link_loads(spec))
        for record in session.scalars(query):
            found[key_of(spec, record)] = record
    return found


def key_of(spec: RecordSpec, record: Any) -> Key:
    """Return a record's key as that of a row that was exported from it."""
    values = values_of(spec, record, spec.key)
    return tuple(str(kinds.as_read(spec.field(name), values[name])) for name in spec.key)
