"""What an import would do: shown before it is done, and checked again when it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from imports.decisions import NONE, Decisions, Watch
from imports.items import Checked, Item
from imports.kinds import Value
from imports.tables import Layout, Offer, Problem, Table
from models.imports import ImportBatch


class RowState(StrEnum):
    """What applying would do with a row of the file."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class FieldChange:
    """One field of one row, as the page shows it: empty texts stand for nothing."""

    field: str
    label: str
    cell: str
    before: str
    after: str


@dataclass(slots=True)
class PlannedRow:
    """One sound row of the file. ``record_id`` is the record it matches, if there is one."""

    state: RowState
    item: Item
    title: str
    record_id: int | None = None
    changes: Sequence[FieldChange] = ()


@dataclass(frozen=True)
class MissingRow:
    """A record that the file lacks."""

    record_id: int
    title: str


@dataclass
class SheetPlan:
    """One list of the file: its rows, what the file lacks, and every remark by cell.

    ``retires``: what the file lacks would go; ``retirable``: it could, if asked. ``main`` is the
    field by which rows are called.
    """

    sheet: str
    list_type: str
    label: str
    title: str = ""
    main: str = "name"
    retires: bool = False
    retirable: bool = False
    rows: list[PlannedRow] = field(default_factory=list)
    missing: list[MissingRow] = field(default_factory=list)
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def count(self, state: RowState) -> int:
        """Return how many rows are in a state."""
        return sum(1 for row in self.rows if row.state is state)

    def result(self) -> dict[str, Any]:
        """Return the sheet's part of the JSON of a run."""
        return {
            "sheet": self.sheet,
            "list_type": self.list_type,
            "new": self.count(RowState.NEW),
            "changed": self.count(RowState.CHANGED),
            "unchanged": self.count(RowState.UNCHANGED),
            "missing": len(self.missing),
            "errors": [problem._asdict() for problem in self.errors],
            "warnings": [problem._asdict() for problem in self.warnings],
        }


class Finder(Protocol):
    """Finds organisations by name, and remembers the names that nobody goes by."""

    def unknown(self) -> list[str]:
        """Return the names that nobody goes by, of all that have been asked about."""

    def nearest_known(self, name: str) -> list[tuple[int, str]]:
        """Return the organisations that are called most alike: id and name."""


class Importer(Protocol):
    """What a kind of import does between reading and writing."""

    @property
    def finder(self) -> Finder | None:
        """Return who finds the organisations that rows name, if rows do."""

    #: Told how far the check and the comparison are.
    watch: Watch

    def check(self, tables: Sequence[Table]) -> list[Checked]:
        """Turn rows into values, and say by cell what is wrong."""

    def compare(self, checked: Sequence[Checked]) -> list[SheetPlan]:
        """Hold the rows against the records."""

    def state(self) -> Any:
        """Return what the rows were held against, as plain JSON."""

    def apply(self, plan: Plan, batch: ImportBatch, watch: Watch) -> None:
        """Write what differs, and the changes into the batch."""


@dataclass
class Plan:
    """What importing one file would do; nothing has been written.

    ``layout`` is what has been read of the file, and ``decisions`` what a person has said of it.
    ``token`` stands for the file and for every record the plan speaks of: a plan made later with
    the same token would do the same.
    """

    kind: str
    path: Path
    file_name: str
    file_hash: str
    owner_id: int | None
    importer: Importer
    layout: Layout = field(default_factory=Layout)
    decisions: Decisions = NONE
    sheets: list[SheetPlan] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)
    token: str = ""

    @property
    def errors(self) -> list[Problem]:
        """Return the errors of all sheets; a plan with one cannot be applied."""
        return [problem for sheet in self.sheets for problem in sheet.errors]

    @property
    def empty(self) -> bool:
        """Tell whether the file has lists, but not a single row in them."""
        return not self.errors and not any(sheet.rows for sheet in self.sheets)

    @property
    def differs(self) -> bool:
        """Tell whether applying would change anything."""
        return any(sheet_differs(sheet) for sheet in self.sheets)

    def result(self, batch_id: int | None = None) -> dict[str, Any]:
        """Return the JSON of a run: ``batch_id`` is the batch that applying it has written."""
        return {
            "batch": batch_id,
            "applied": batch_id is not None,
            "sheets": [sheet.result() for sheet in self.sheets],
        }

    def seal(self, state: Any) -> None:
        """Set the token, from the file, the rows' outcome and the ``state`` they were held against."""
        mark = hashlib.sha256()
        missing = [row.record_id for sheet in self.sheets if sheet.retires for row in sheet.missing]
        mark.update(_json([self.kind, self.file_hash, self.owner_id, missing, state]))
        for sheet in self.sheets:
            mark.update(_json([sheet.list_type, len(sheet.rows)]))
            for row in sheet.rows:
                if row.changes:
                    before = [[each.field, each.before] for each in row.changes]
                    mark.update(_json([row.state, row.record_id, before]))
                elif row.record_id is None:
                    mark.update(b"+")
                else:
                    mark.update(b"=%d" % row.record_id)
        self.token = mark.hexdigest()[:32]


def sheet_differs(sheet: SheetPlan) -> bool:
    """Tell whether a sheet would change anything; where rows retire, a missing one does."""
    changed = any(row.state is not RowState.UNCHANGED for row in sheet.rows)
    return changed or (sheet.retires and bool(sheet.missing))


def fingerprint(content: Any) -> str:
    """Return a short hash (32 hex digits) of a plain JSON value."""
    return hashlib.sha256(_json(content)).hexdigest()[:32]


def _json(content: Any) -> bytes:
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def compare(
    item: Item,
    present: dict[str, Value] | None,
    labels: dict[str, str],
    show: Callable[[str, Value], str],
) -> tuple[RowState, Sequence[FieldChange]]:
    """Hold a row against the record it matches. Fields that the sheet does not speak of are equal."""
    if present is None:
        return RowState.NEW, ()
    changes = [
        FieldChange(
            name, labels[name], item.cells[name], show(name, present.get(name)), show(name, value)
        )
        for name, value in item.values.items()
        if present.get(name) != value
    ]
    return (RowState.CHANGED if changes else RowState.UNCHANGED), changes
