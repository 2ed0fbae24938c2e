"""The vocabulary in which a record type says how it stands in a workbook."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from imports.text import heading_key
from models.organization import OrganizationKind


class Kind(StrEnum):
    """How a cell's text becomes a value; ``imports.values`` holds one converter for each."""

    TEXT = "text"
    ORDINAL = "ordinal"
    NAMES = "names"
    CHOICE = "choice"
    DEPARTMENT = "department"
    DEPARTMENTS = "departments"
    PARENT = "parent"
    DATE = "date"
    TIME = "time"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLAG = "flag"
    ENUM = "enum"
    ORGANIZATION = "organization"
    ORGANIZATIONS = "organizations"


@dataclass(frozen=True, eq=False)
class Field:
    """One value of a record: how it is called, how its text is read, and what it may not be.

    ``required``: a row without it is an error. ``max_length`` counts characters. In a field that is
    not ``multiline``, line breaks only made the text fit its cell. ``digits`` are a decimal's in
    all and after its point; ``kinds`` are what an organisation named here should be. An empty cell
    clears a field that is ``clearable``; in any other it says nothing.
    """

    name: str
    label: str
    kind: Kind = Kind.TEXT
    required: bool = False
    max_length: int | None = None
    choices: Mapping[str, str] = field(default_factory=dict)
    multiline: bool = False
    digits: tuple[int, int] = (0, 0)
    kinds: tuple[OrganizationKind, ...] = ()
    clearable: bool = True
    personal: bool = False
    help: str = ""


@dataclass(frozen=True, eq=False)
class Column:
    """One column of a workbook: the fields it fills and every way its heading is written.

    ``headings`` are compared without blanks, brackets, width and case; ``pattern`` (a regular
    expression over such a heading) takes in what varies with a township's name. ``expected``: the
    sheet must have a column that fills these fields, though its cells may be empty. ``split``
    parts one cell into the texts of several fields.
    """

    label: str
    fields: tuple[str, ...]
    headings: tuple[str, ...] = ()
    pattern: str = ""
    expected: bool = False
    split: Callable[[str], dict[str, str]] | None = None

    def matches(self, key: str) -> bool:
        """Tell whether a heading, already normalised by ``heading_key``, is this column's."""
        if any(key == heading_key(heading) for heading in (self.label, *self.headings)):
            return True
        return bool(self.pattern) and re.fullmatch(self.pattern, key) is not None

    def texts(self, text: str) -> dict[str, str]:
        """Return the text of each field that a cell of this column speaks of."""
        return self.split(text) if self.split else {self.fields[0]: text}


@dataclass(frozen=True, eq=False)
class Spec:
    """One kind of list: its fields, its columns, and the words by which a sheet of it is known.

    ``hints`` (a regular expression) is searched in the sheet's name and title; ``weak_hints``
    counts only where no other spec has a hint. ``key`` names the fields that identify a row within
    its list; with ``repeats`` the same key may stand for several rows that differ otherwise.
    ``banners``: a row of its own may name the category of the rows below it. ``literal``: texts
    stand as a form would take them, and keys are told apart to the letter. ``decided``: for a row of
    headings (``headings.fingerprint``), the columns that a person has said its headings are.
    """

    list_type: str
    label: str
    fields: tuple[Field, ...]
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    hints: str
    weak_hints: str = ""
    repeats: bool = False
    banners: bool = False
    literal: bool = False
    decided: Mapping[str, Mapping[str, Column]] = field(default_factory=dict)
    serial: str = "serial"
    name: str = "name"
    category: str = "category"

    def field(self, name: str) -> Field:
        """Return the field called ``name``."""
        return next(field for field in self.fields if field.name == name)


def model_field(
    attribute: Any, kind: Kind = Kind.TEXT, *, required: bool = False, **more: Any
) -> Field:
    """Return the field of a mapped column: its name, label and length as the model states them."""
    column = attribute.property.columns[0]
    info = column.info["field"]
    return Field(
        attribute.key,
        info.label,
        kind,
        required,
        getattr(column.type, "length", None) if kind in (Kind.TEXT, Kind.ORDINAL) else None,
        multiline=info.widget == "textarea",
        **more,
    )


def model_column(
    attribute: Any,
    *headings: str,
    pattern: str = "",
    expected: bool = False,
    fields: tuple[str, ...] = (),
    split: Callable[[str], dict[str, str]] | None = None,
) -> Column:
    """Return the workbook column of a mapped column: the model's headings and ``headings``."""
    own = attribute.property.columns[0].info["field"]
    return Column(
        own.label, fields or (attribute.key,), (*own.headings, *headings), pattern, expected, split
    )
