"""What a workbook holds, once its headings are recognised: lists with rows, and remarks by cell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from imports.specs.base import Column, Spec
from imports.text import CellValue, cell_ref, clean, is_blank


class Problem(NamedTuple):
    """Something to tell the person: the cell (empty: the whole sheet), its value, a sentence."""

    cell: str
    value: str
    message: str


class RawCell(NamedTuple):
    """What a cell says: its clean text, the value as stored, and where it stands."""

    text: str
    value: CellValue
    row: int
    column: int

    @property
    def ref(self) -> str:
        """Return the cell's address, such as B13."""
        return cell_ref(self.row, self.column)


@dataclass(slots=True)
class RawRow:
    """One item of a list: its row, its values as they were read, its category.

    A category that stands in a column of its own, filled down, is here like a banner's. ``columns``
    are those of the list where the row stands. ``held`` are the cells of a row that is not just its
    own values, as merged cells or further rows are part of it.
    """

    number: int
    category: str
    values: list[CellValue]
    columns: dict[int, Column]
    literal: bool = False
    held: dict[str, RawCell] | None = None

    @property
    def cells(self) -> dict[str, RawCell]:
        """Return the cells that say something, by the label of their column."""
        if self.held is not None:
            return self.held
        found = {}
        for place, column in self.columns.items():
            text = clean(self.values[place]) if place < len(self.values) else ""
            if text and (self.literal or not is_blank(text)):
                found[column.label] = RawCell(text, self.values[place], self.number, place)
        return found

    def hold(self) -> dict[str, RawCell]:
        """Return the cells, to be changed: from now on they are what the row says."""
        if self.held is None:
            self.held = self.cells
        return self.held


@dataclass
class Table:
    """One list found in a sheet. ``columns`` maps a column's place (from 0) to what it holds."""

    sheet: str
    spec: Spec
    title: str
    heading_row: int
    columns: dict[int, Column]
    rows: list[RawRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    _places: dict[str, int] = field(init=False, repr=False)

    @property
    def list_type(self) -> str:
        """Return the type of the list, as the results name it."""
        return self.spec.list_type

    def __post_init__(self) -> None:
        self.move_columns(self.columns)

    def move_columns(self, columns: dict[int, Column]) -> None:
        """Take the columns of a heading that is repeated further down, perhaps elsewhere."""
        self.columns = columns
        self._places = {name: place for place, column in columns.items() for name in column.fields}

    def place(self, name: str) -> int | None:
        """Return the place of the column that fills the field ``name``, if the sheet has one."""
        return self._places.get(name)


class SheetProblem(NamedTuple):
    """A remark on a sheet in which no list was recognised."""

    sheet: str
    problem: Problem


@dataclass(frozen=True)
class Offer:
    """A row of headings that could not be read for sure, and what a person may say of it.

    ``mark`` is what the row is remembered by (``headings.fingerprint``); ``list_type`` the list that
    it seems to head, empty if that cannot be told; ``lists`` those it may head. ``headings``: the
    cell, the text, its key, and the label of the column that it is taken for, empty for none.
    ``missing`` are the columns that the list needs and nothing has been taken for.
    """

    sheet: str
    row: int
    mark: str
    list_type: str
    lists: tuple[str, ...]
    headings: tuple[tuple[str, str, str, str], ...]
    missing: tuple[str, ...] = ()


@dataclass
class Layout:
    """The lists of a workbook, in order, the remarks on sheets without one, and what is open."""

    tables: list[Table] = field(default_factory=list)
    errors: list[SheetProblem] = field(default_factory=list)
    warnings: list[SheetProblem] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)
