"""How a record type stands in a workbook, declared by naming its columns (design section 2.1).

Everything else, headings, kinds of values, lengths, help, comes from the model. The template, the
import, the export and the undo of a record type follow from its declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import Boolean, Date, Enum, Integer, Numeric, Time, inspect
from sqlalchemy.orm import Session

from imports.specs.base import Column, Field, Kind, Spec
from models.base import Field as Info
from models.base import Titled
from models.organization import Organization, OrganizationKind
from models.registry import type_name
from rules.errors import Invalid

#: What a form takes in a column without a length of its own (views/forms.py).
LONGEST_TEXT = 5000


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
class Shown:
    """A column that is only exported: its label, and the way to its value, dotted over relations."""

    name: str
    label: str


@dataclass(frozen=True, eq=False)
class RecordSpec(Spec):
    """The declaration of one record type; ``declare`` makes it from the names of columns.

    ``order`` are all columns, ``shown`` those that are exported only. ``check`` raises ``Invalid``
    for an unsound record, as for the form; ``check_all`` returns what speaks against each of many,
    where the rule must ask the database. ``open_in`` are the states in which a record may be changed
    (none named: in all). ``within`` names the relation whose organisations tell which records a
    file should have spoken of. ``examples`` stand on the template's sheet of notes. ``imported``:
    there is a template and an import, not only an export.
    """

    model: type[Any] = field(kw_only=True)
    order: tuple[str, ...] = field(kw_only=True)
    shown: tuple[Shown, ...] = ()
    links: Mapping[str, Links] = field(default_factory=dict)
    check: Callable[[Any], None] = field(kw_only=True)
    check_all: CheckAll | None = None
    open_in: tuple[Titled, ...] = ()
    within: str = ""
    examples: Mapping[str, str] = field(default_factory=dict)
    imported: bool = True

    @property
    def record_type(self) -> str:
        """The record type's name in the policy."""
        return type_name(self.model)

    @cached_property
    def places(self) -> tuple[str, ...]:
        """The fields that name one organisation each."""
        return tuple(each.name for each in self.fields if each.kind is Kind.ORGANIZATION)

    def key_column(self, name: str) -> str:
        """Return the attribute that holds a field's value: a relation's is its foreign key."""
        mapper = inspect(self.model)
        if name not in mapper.relationships:
            return name
        (local,) = mapper.relationships[name].local_columns
        return str(mapper.get_property_by_column(local).key)

    def members(self, name: str) -> type[Titled] | None:
        """Return the enum of a field's column, if it has one."""
        column = inspect(self.model).columns.get(name)
        return getattr(column.type, "enum_class", None) if column is not None else None

    def locked(self, record: Any) -> str | None:
        """Return why an existing record may not be changed by an import, if so."""
        if not self.open_in or record.status in self.open_in:
            return None
        states = "、".join(f"“{each.title}”" for each in self.open_in)
        return f"“{record}”已是“{record.status.title}”，只有{states}的才能修改。请把这一行改回原样或删去。"


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
    **more: Any,
) -> RecordSpec:
    """Return the declaration of a record type.

    ``columns`` are the names in the order of the sheet: columns, relations to an organisation, and
    ``links``; those that are ``shown`` are exported and ignored by the import (a mapping gives
    labels to dotted ways). ``kinds`` say what organisations a field is about; ``headings`` add ways
    in which a heading is written. ``key`` identifies a record; the last of it is what rows are
    called by. ``more`` are further fields of ``RecordSpec``, as they stand there.
    """
    labels = dict(shown) if isinstance(shown, Mapping) else dict.fromkeys(shown, "")
    outs = tuple(Shown(name, label or info_of(model, name).label) for name, label in labels.items())
    tied, of = links or {}, kinds or {}
    fields = tuple(
        _linked(name, tied[name], of.get(name, ()))
        if name in tied
        else _field(model, name, of.get(name, ()))
        for name in columns
        if name not in labels
    )
    return RecordSpec(
        list_type=list_type,
        label=model.__label__,
        fields=fields,
        columns=(
            Column("序号", ("serial",), ("顺序号",)),
            *(_column(model, each, (headings or {}).get(each.name, ())) for each in fields),
            *(Column(each.label, (each.name,)) for each in outs),
        ),
        key=key,
        literal=True,
        name=key[-1],
        category="",
        model=model,
        order=columns,
        shown=outs,
        links=tied,
        **({"hints": model.__label__} | more),
    )


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
    digits = (column.type.precision or 0, column.type.scale or 0) if kind is Kind.DECIMAL else None
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


def _linked(name: str, links: Links, kinds: tuple[OrganizationKind, ...]) -> Field:
    return Field(name, links.label, Kind.ORGANIZATIONS, kinds=kinds, help=links.help)


def _column(model: type[Any], each: Field, more: tuple[str, ...]) -> Column:
    own = () if each.kind is Kind.ORGANIZATIONS else info_of(model, each.name).headings
    return Column(each.label, (each.name,), (*own, *more), expected=each.required)
