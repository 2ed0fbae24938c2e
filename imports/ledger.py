"""Reading and setting a record's values by its declaration, and finding records by their keys."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import inspect, select, tuple_
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from imports import kinds
from imports.kinds import Value
from imports.places import SLICE
from imports.specs.base import Kind
from imports.specs.records import Parent, RecordSpec
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
            found[field.name] = kinds.plain(field, _held(spec, record, field.name))
    return found


def _held(spec: RecordSpec, record: Any, name: str) -> Any:
    """Return what a column holds, of the record or of its parent."""
    if spec.parent is None or "." not in name:
        return getattr(record, spec.key_column(name))
    _relation, own = name.split(".")
    return getattr(getattr(record, spec.parent.relation), spec.parent.spec.key_column(own))


def set_values(
    spec: RecordSpec, record: Any, values: Values, places: dict[int, Organization]
) -> None:
    """Give a record plain values; only what differs is assigned. ``places``: every one named.

    What names the parent finds it, and changes nothing.
    """
    for field in spec.fields:
        name = field.name
        if name not in values or "." in name:
            continue
        value = values[name]
        if field.kind is Kind.ORGANIZATIONS:
            _set_links(spec, record, name, value, places)
        elif field.kind is Kind.ORGANIZATION:
            wanted = places[value] if isinstance(value, int) else None
            if getattr(record, name) is not wanted:
                setattr(record, name, wanted)
        else:
            live = spec.live[name](value) if name in spec.live else value
            if getattr(record, name) != live:
                setattr(record, name, live)


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
            if "." in name:
                continue
            if kind is Kind.ORGANIZATION:
                known = places[value] if isinstance(value, int) else None
                set_committed_value(copy, name, known)
            elif kind is Kind.ORGANIZATIONS:
                _set_links(spec, copy, name, value, places)
    set_values(spec, copy, values, places)
    return copy


def named_places(spec: RecordSpec, values: Values) -> set[int]:
    """Return the organisations that plain values name, a parent's among them."""
    found: set[int] = set()
    for name in (*spec.named, *spec.links):
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
    loads = [selectinload(getattr(spec.model, each.relation)) for each in spec.links.values()]
    if spec.parent is not None:
        loads.append(joinedload(getattr(spec.model, spec.parent.relation)))
    return loads


def load_by_id(session: Session, spec: RecordSpec, ids: Collection[int]) -> dict[int, Any]:
    """Return the records within reach by id, with their links: a few statements a slice."""
    ordered = sorted(ids)
    found: dict[int, Any] = {}
    for start in range(0, len(ordered), SLICE):
        part = ordered[start : start + SLICE]
        query = select(spec.model).where(spec.model.id.in_(part)).options(*link_loads(spec))
        found.update((each.id, each) for each in session.scalars(query))
    return found


@dataclass
class Found:
    """The records that rows speak of by their key, the keys of several, and what rows hang from."""

    records: dict[Key, Any]
    several: set[Key]
    parents: dict[Key, Any]

    def add(self, key: Key, record: Any) -> None:
        """Take in a record; of two with one key neither is meant for sure."""
        if key in self.records and self.records[key] is not record:
            self.several.add(key)
        self.records[key] = record


def load_by_key(session: Session, spec: RecordSpec, items: Iterable[Item]) -> Found:
    """Return the records within reach that rows speak of, by the rows' keys.

    A text is also looked up as the cell holds it: a record's may carry marks that no key keeps.
    """
    if spec.parent is not None:
        return _children(session, spec, spec.parent, list(items))
    return _by_columns(session, spec, _wanted(spec, spec.key, items))


def _wanted(spec: RecordSpec, names: Sequence[str], items: Iterable[Item]) -> set[tuple[Any, ...]]:
    """Return the values of the columns ``names`` of rows, as they were read and as they were held."""
    texts = {name for name in names if spec.field(name).kind is Kind.TEXT}
    wanted: set[tuple[Any, ...]] = set()
    for item in items:
        wanted.add(tuple(item.values[name] for name in names))
        held = {name: item.raw[name] for name in names if name in texts and name in item.raw}
        if held:
            wanted.add(tuple(held.get(name, item.values[name]) for name in names))
    return wanted


def _by_columns(session: Session, spec: RecordSpec, wanted: set[tuple[Any, ...]]) -> Found:
    """Return the records whose key columns hold one of these values: a statement a slice."""
    columns = [getattr(spec.model, spec.key_column(name)) for name in spec.key]
    ordered = sorted(wanted, key=str)
    found = Found({}, set(), {})
    for start in range(0, len(ordered), SLICE // len(columns)):
        part = [
            tuple(
                spec.live[name](value) if name in spec.live else value
                for name, value in zip(spec.key, each, strict=True)
            )
            for each in ordered[start : start + SLICE // len(columns)]
        ]
        test = (
            columns[0].in_([each[0] for each in part])
            if len(columns) == 1
            else tuple_(*columns).in_(part)
        )
        query = select(spec.model).where(test).options(*link_loads(spec))
        for record in session.scalars(query):
            found.add(key_of(spec, record), record)
    return found


def _children(session: Session, spec: RecordSpec, parent: Parent, items: list[Item]) -> Found:
    """Return the parents that rows name, and the records below them that the rows speak of."""
    above = _by_columns(session, parent.spec, _wanted(spec, parent.key, items))
    found = Found({}, set(), above.records)
    keys = {item.key for item in items}
    attribute = getattr(spec.model, spec.key_column(parent.relation))
    ids = sorted({each.id for each in above.records.values()})
    for start in range(0, len(ids), SLICE):
        part = attribute.in_(ids[start : start + SLICE])
        query = select(spec.model).where(part).options(*link_loads(spec))
        for record in session.scalars(query):
            if (key := key_of(spec, record)) in keys:
                found.add(key, record)
    return found


def key_of(spec: RecordSpec, record: Any) -> Key:
    """Return a record's key as that of a row that was exported from it."""
    values = values_of(spec, record, spec.key)
    return tuple(str(kinds.as_read(spec.field(name), values[name])) for name in spec.key)
