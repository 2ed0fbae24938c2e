"""How a record type stands in a workbook, declared by naming its columns (design section 2.1).

Everything else, headings, kinds of values, lengths, help, comes from the model. The template, the
import, the export and the undo of a record type follow from its declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

from sqlalchemy import Boolean, Date, Enum, Float, Integer, Numeric, Time, inspect
from sqlalchemy.orm import Session, selectinload

from imports import kinds
from imports.specs.base import Column, Field, Kind
from imports.specs.outward import SheetSpec, Shown
from models.base import Field as Info
from models.base import Sheet, Titled
from models.organization import Organization, OrganizationKind
from rules.actor import Actor
from rules.errors import Invalid

#: What a form takes in a column without a length of its own (views/forms.py).
LONGEST_TEXT = 5000
#: Digits of a column that holds a float, and how many of them are decimals: those of a degree.
DEGREES = (9, 6)


#: A rule that looks at many records at once, and says of each what is wrong with it.
CheckAll = Callable[[Session, Sequence[Any]], Sequence[Invalid | None]]


@dataclass(frozen=True)
class Links:
    """Rows of a link table that stand in one cell: which organisations a record is tied to.

    ``relation`` is the record's collection of ``model`` rows, whose ``organization`` is named.
    """

    label: str
    relation: str
    model: type[Any]
    help: str = ""


@dataclass(frozen=True)
class Parent:
    """What a record hangs from: the sheet names it by the key of its own declaration.

    ``relation`` leads to it; in the states ``open_in`` rows below it may be added and changed.
    """

    relation: str
    spec: RecordSpec
    open_in: tuple[Titled, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """The fields of the child's sheet that name the parent."""
        return tuple(f"{self.relation}.{name}" for name in self.spec.key)


def anything_goes(_record: Any) -> None:
    """Check nothing: for record types whose columns say all there is to keep."""


@dataclass(frozen=True, eq=False)
class RecordSpec(SheetSpec):
    """The declaration of one record type; ``declare`` makes it from the names of columns.

    ``check`` raises ``Invalid`` for an unsound record, as for the form; ``check_all`` returns what
    speaks against each of many, where the rule must ask the database. ``open_in`` are the states in
    which a record may be changed (none named: in all); its form asks the same. ``within`` names the
    relation whose organisations tell which records a file should have spoken of. ``parent``: what
    the records hang from, if the sheet has to name it.
    """

    links: Mapping[str, Links] = field(default_factory=dict)
    check: Callable[[Any], None] = anything_goes
    check_all: CheckAll | None = None
    open_in: tuple[Titled, ...] = ()
    within: str = ""
    parent: Parent | None = None

    @property
    def policy_type(self) -> str:
        """The record type whose permissions an import needs: a child's is its parent's."""
        return self.parent.spec.policy_type if self.parent else self.record_type

    @cached_property
    def places(self) -> tuple[str, ...]:
        """The fields that name one organisation each, which the record itself is tied to."""
        return tuple(name for name in self.named if "." not in name)

    @cached_property
    def named(self) -> tuple[str, ...]:
        """The fields that name one organisation each, a parent's among them."""
        return tuple(each.name for each in self.fields if each.kind is Kind.ORGANIZATION)

    def key_column(self, name: str) -> str:
        """Return the attribute that holds a field's value: a relation's is its foreign key."""
        return self._held_in.get(name, name)

    @cached_property
    def _held_in(self) -> dict[str, str]:
        """The foreign key of each relation to one record."""
        mapper = inspect(self.model)
        return {
            name: str(mapper.get_property_by_column(next(iter(relation.local_columns))).key)
            for name, relation in mapper.relationships.items()
            if not relation.uselist
        }

    @cached_property
    def live(self) -> dict[str, Callable[[Any], Any]]:
        """What makes a column's value of a plain one, for each field that holds more than text."""
        return {
            each.name: partial(kinds.live, each, members=self._members(each.name))
            for each in self.fields
            if each.kind in (Kind.DATE, Kind.TIME, Kind.DECIMAL, Kind.ENUM)
        }

    def _members(self, name: str) -> type[Titled] | None:
        """Return the enum of a field's column, if it has one."""
        column = inspect(self.model).columns.get(name)
        return getattr(column.type, "enum_class", None) if column is not None else None

    @property
    def apart(self) -> frozenset[str]:
        """The columns whose values are no attributes and need loading of their own."""
        return frozenset({*self.ways, *self.links})

    def loads(self) -> list[Any]:
        """Return loader options for every relation that a column leads over."""
        loads = super().loads()
        for links in self.links.values():
            way = selectinload(getattr(self.model, links.relation))
            loads.append(way.joinedload(links.model.organization))
        return loads

    def value(self, actor: Actor, record: Any, name: str) -> Any:
        """Return what a column holds of a record, as the actor reads it."""
        if name not in self.links:
            return super().value(actor, record, name)
        links = getattr(record, self.links[name].relation)
        return [link.organization for link in sorted(links, key=lambda each: each.id)]

    def locked(self, record: Any) -> str | None:
        """Return why an existing record may not be changed by an import, if so."""
        if self.parent is not None:
            return self.closed(getattr(record, self.parent.relation))
        if not self.open_in or record.status in self.open_in:
            return None
        states = "、".join(f"“{each.title}”" for each in self.open_in)
        return f"“{record}”已是“{record.status.title}”，只有{states}的才能修改。请把这一行改回原样或删去。"

    def closed(self, parent: Any) -> str | None:
        """Return why nothing below a parent may be added or changed any more, if so."""
        if self.parent is None or parent.status in self.parent.open_in:
            return None
        kind = self.parent.spec.label
        return (
            f"{kind}“{parent}”已是“{parent.status.title}”，{self.label}不能再增改。请删去这一行。"
        )


def declare(
    list_type: str,
    model: type[Any],
    *,
    columns: tuple[str, ...],
    shown: Mapping[str, str] | tuple[str, ...] = (),
    kinds: Mapping[str, tuple[OrganizationKind, ...]] | None = None,
    headings: Mapping[str, tuple[str, ...]] | None = None,
    links: Mapping[str, Links] | None = None,
    key: tuple[str, ...],
    parent: Parent | None = None,
    **more: Any,
) -> RecordSpec:
    """Return the declaration of a record type.

    ``columns`` are the names in the order of the sheet: columns, relations to an organisation, and
    ``links``; those that are ``shown`` are exported and ignored by the import (a mapping gives
    labels to dotted ways; without any columns it is all there is). ``kinds`` say what organisations
    a field is about; ``headings`` add ways in which a heading is written. ``key`` identifies a
    record, below its ``parent`` if it has one; the last of it is what rows are called by. ``more``
    are further fields of ``RecordSpec``, as they stand there.
    """
    labels = dict(shown) if isinstance(shown, Mapping) else dict.fromkeys(shown, "")
    outs = tuple(Shown(name, label or info_of(model, name).label) for name, label in labels.items())
    tied, of, above = links or {}, kinds or {}, parent.key if parent else ()
    own = [
        _linked(name, tied[name], of.get(name, ()))
        if name in tied
        else _field(model, name, of.get(name, ()))
        for name in columns
        if name not in labels
    ]
    fields = (*(_parents(parent) if parent else ()), *own)
    return RecordSpec(
        list_type=list_type,
        label=model.__label__,
        fields=fields,
        columns=_columns(model, fields, outs, headings or {}),
        key=(*above, *key),
        literal=True,
        name=key[-1],
        category="",
        model=model,
        order=(*above, *(columns or labels)),
        parent=parent,
        shown=outs,
        links=tied,
        **({"hints": model.__label__} | more),
    )


def plain(model: type[Any]) -> RecordSpec:
    """Return the declaration of a record type whose model says how it stands in a workbook."""
    sheet: Sheet = model.__sheet__
    columns = sheet.columns or _labelled(model)
    places = [name for name in sheet.key if name in _organizations(model).values()]
    return declare(
        model.__tablename__.replace("_", "-"),
        model,
        columns=columns,
        key=sheet.key,
        kinds=dict.fromkeys(columns, tuple(OrganizationKind)),
        within=next(iter(places), ""),
    )


def _labelled(model: type[Any]) -> tuple[str, ...]:
    """Return the columns of a model that people fill in, organisations by their relations."""
    places = _organizations(model)
    named = [
        places.get(each.key, each.key)
        for each in inspect(model).column_attrs
        if each.key not in _KEPT and (each.key in places or not each.columns[0].foreign_keys)
    ]
    return tuple(name for name in named if _says(model, name))


#: Columns that no person fills in.
_KEPT = ("id", "created_at", "updated_at", "version", "status")


def _organizations(model: type[Any]) -> dict[str, str]:
    """Return the relations to one organisation, by the column that holds it."""
    mapper = inspect(model)
    return {
        str(mapper.get_property_by_column(next(iter(relation.local_columns))).key): name
        for name, relation in mapper.relationships.items()
        if not relation.uselist and relation.mapper.class_ is Organization
    }


def _says(model: type[Any], name: str) -> bool:
    return "field" in inspect(model).all_orm_descriptors[name].info


def info_of(model: type[Any], name: str) -> Info:
    """Return what a column or relation says of itself; a relation's foreign key helps it out."""
    info: Info | None = inspect(model).all_orm_descriptors[name].info.get("field")
    if info is None:
        raise ValueError(f"{model.__name__}.{name} has no label")
    return info


_KINDS: tuple[tuple[type[Any], Kind], ...] = (
    (Enum, Kind.ENUM),
    (Boolean, Kind.FLAG),
    (Date, Kind.DATE),
    (Time, Kind.TIME),
    (Integer, Kind.INTEGER),
    (Numeric, Kind.DECIMAL),
    (Float, Kind.DECIMAL),
)


def _field(model: type[Any], name: str, kinds: tuple[OrganizationKind, ...]) -> Field:
    """Return the field of a column, or of a relation to an organisation."""
    mapper, info = inspect(model), info_of(model, name)
    if name in mapper.relationships:
        relation = mapper.relationships[name]
        if relation.mapper.class_ is not Organization:
            raise ValueError(f"{model.__name__}.{name} leads to no organisation")
        (column,) = relation.local_columns
        required = not column.nullable
        return Field(
            name,
            info.label,
            Kind.ORGANIZATION,
            required,
            kinds=kinds,
            clearable=not required,
            help=info.help,
        )
    column = mapper.columns[name]
    kind = next((each for of, each in _KINDS if isinstance(column.type, of)), Kind.TEXT)
    length = getattr(column.type, "length", None) or LONGEST_TEXT
    members: type[Titled] | None = getattr(column.type, "enum_class", None)
    digits = None
    if isinstance(column.type, Float):
        digits = DEGREES
    elif kind is Kind.DECIMAL:
        digits = (column.type.precision or 0, column.type.scale or 0)
    return Field(
        name,
        info.label,
        kind,
        required=not column.nullable and column.default is None,
        max_length=length if kind is Kind.TEXT else None,
        choices={each.title: each.value for each in members} if members else {},
        multiline=info.widget == "textarea",
        digits=digits or (0, 0),
        clearable=column.nullable,
        personal=info.personal,
        help=info.help,
    )


def _parents(parent: Parent) -> list[Field]:
    """Return the fields that name a parent: those of its own key, all of them needed."""
    label = parent.spec.label
    known = [parent.spec.field(name) for name in parent.spec.key]
    return [
        replace(
            each,
            name=f"{parent.relation}.{each.name}",
            required=True,
            clearable=False,
            help=f"与{label}登记的一致，用来找到是哪一条",
        )
        for each in known
    ]


def _linked(name: str, links: Links, kinds: tuple[OrganizationKind, ...]) -> Field:
    return Field(name, links.label, Kind.ORGANIZATIONS, kinds=kinds, help=links.help)


def _columns(
    model: type[Any],
    fields: Sequence[Field],
    outs: Sequence[Shown],
    headings: Mapping[str, tuple[str, ...]],
) -> tuple[Column, ...]:
    """Return the columns that a sheet may have: a running number, the fields, what is only shown."""
    return (
        Column("序号", ("serial",), ("顺序号",)),
        *(_column(model, each, headings.get(each.name, ())) for each in fields),
        *(Column(each.label, (each.name,)) for each in outs),
    )


def _column(model: type[Any], each: Field, more: tuple[str, ...]) -> Column:
    own: tuple[str, ...] = ()
    if each.kind is not Kind.ORGANIZATIONS and "." not in each.name:
        own = info_of(model, each.name).headings
    return Column(each.label, (each.name,), (*own, *more), expected=each.required)
