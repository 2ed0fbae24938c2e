"""Importing a record type by its declaration: upsert by key, and the rules that its form keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from imports import kinds
from imports.decisions import NONE, Decisions, Watch, unwatched
from imports.ledger import (
    Found,
    Values,
    load_by_id,
    load_by_key,
    named_places,
    set_values,
    values_of,
)
from imports.places import SLICE, Places
from imports.plan import Finder, MissingRow, Plan, PlannedRow, RowState, SheetPlan, compare
from imports.record_judge import Row, RowJudge, shown
from imports.specs.records import RecordSpec
from imports.tables import Problem, Table
from imports.text import split_chunks
from imports.values import Checked, Checker, Item, Key, shorten
from models.imports import ImportBatch, ImportChange
from rules import bulk
from rules.actor import current
from rules.personal import HIDDEN, masked, may_read
from rules.workflow import begin_many, workflow_of


class RecordImport:
    """The import of one declared record type, from the check to the records."""

    def __init__(self, session: Session, spec: RecordSpec, decisions: Decisions = NONE) -> None:
        self.session, self.spec = session, spec
        self.kind = spec.list_type
        self.decisions = decisions
        self.places = Places(session, spec.policy_type, decisions.names)
        self.watch: Watch = unwatched
        self.found = Found({}, set(), {})
        self.labels = {field.name: field.label for field in spec.fields}
        self.judge = RowJudge(session, spec, self.places, self.found)

    @property
    def finder(self) -> Finder:
        """Organisations are found among those that the actor may tie such a record to."""
        return self.places

    # Check and compare

    def check(self, tables: Sequence[Table]) -> list[Checked]:
        """Turn rows into values; every organisation that they name is looked up at once."""
        self.places.load(self._named(tables))
        checker = Checker(places=self.places, watch=self.watch)
        return [checker.check(table) for table in tables]

    def _named(self, tables: Sequence[Table]) -> Iterator[str]:
        names = {*self.spec.named, *self.spec.links}
        for table in tables:
            labels = [
                column.label
                for column in table.columns.values()
                if not names.isdisjoint(column.fields)
            ]
            for cell in (row.cells.get(label) for row in table.rows for label in labels):
                if cell is not None:
                    yield cell.text
                    yield from split_chunks(cell.text)

    def compare(self, checked: Sequence[Checked]) -> list[SheetPlan]:
        """Hold each row against the record with its key, and judge those that would be written."""
        self.found = load_by_key(
            self.session, self.spec, [item for each in checked for item in each.items]
        )
        present = {key: values_of(self.spec, each) for key, each in self.found.records.items()}
        self.places.load_ids(
            {place for each in present.values() for place in named_places(self.spec, each)}
        )
        plans, rows = [], []
        for each in checked:
            plan = SheetPlan(
                each.table.sheet,
                self.spec.list_type,
                self.spec.label,
                each.table.title,
                main=self.spec.name,
                retires=self.spec.retirable and self.decisions.retire,
                retirable=self.spec.retirable,
                errors=each.errors,
                warnings=each.warnings,
            )
            rows += [self._row(plan, item, present.get(item.key, {})) for item in each.items]
            plans.append(plan)
        self.judge.found = self.found
        self.judge.judge([row for row in rows if row.planned.state is not RowState.UNCHANGED])
        for plan in plans:
            plan.errors.sort(key=lambda problem: int(re.sub(r"\D", "", problem.cell) or 0))
        if plans and not any(plan.errors for plan in plans):
            plans[-1].missing = self._missing(checked)
            if plans[-1].retires:
                self.judge.refuse_removals(plans[-1])
        return plans

    def _row(self, plan: SheetPlan, item: Item, present: Values) -> Row:
        record = self.found.records.get(item.key)
        self._leave_masked(plan, item, record, present)
        self._take_as_read(item, present)
        state, changes = compare(
            item, present if record is not None else None, self.labels, self._show
        )
        title = shorten(str(item.values[self.spec.name]))
        planned = PlannedRow(state, item, title, record.id if record else None, changes)
        plan.rows.append(planned)
        return Row(plan, planned, record, present)

    def _leave_masked(
        self, plan: SheetPlan, item: Item, record: Any | None, present: Values
    ) -> None:
        """A number that was exported with its middle hidden says nothing about the number.

        As in the form, who reads a record's numbers masked does not change them.
        """
        reads = record is None or may_read(current(self.session), record)
        for field in self.spec.fields:
            if not field.personal or field.name not in item.values:
                continue
            value = str(item.values[field.name] or "")
            if reads and HIDDEN not in value:
                continue
            ref = item.cells[field.name]
            if record is None:
                message = f"“{field.label}”隐去了几位，新增的记录请填写完整的号码，或留空。"
                plan.errors.append(Problem(ref, value, message))
            elif not reads and value and HIDDEN not in value:
                message = f"您看不到这条记录的“{field.label}”，也不能修改，号码保持不变。"
                plan.warnings.append(Problem(ref, value, message))
            elif reads and masked(str(present[field.name] or "")) != value:
                message = f"“{field.label}”隐去了几位，与现有的号码也对不上，号码保持不变。"
                plan.warnings.append(Problem(ref, value, message))
            del item.values[field.name]

    def _take_as_read(self, item: Item, present: Values) -> None:
        """What is stored is equal to what its own export says of it."""
        for name, value in item.values.items():
            if name in present and kinds.as_read(self.spec.field(name), present[name]) == value:
                present[name] = value

    def _show(self, name: str, value: kinds.Value) -> str:
        return shown(self.spec, self.places, name, value)

    # What the file lacks

    def _missing(self, checked: Sequence[Checked]) -> list[MissingRow]:
        """Return the records of the file's organisations that it does not speak of."""
        model, spec = self.spec.model, self.spec
        known = {
            self.found.records[key].id
            for each in checked
            for key in each.keys
            if key in self.found.records
        }
        column, owners = self._spoken_of(checked)
        query = select(model.id, getattr(model, spec.name)).order_by(model.id)
        if column is None:
            rows = list(self.session.execute(query)) if spec.retirable else []
        else:
            rows = []
            for start in range(0, len(owners), SLICE):
                part = column.in_(owners[start : start + SLICE])
                rows += self.session.execute(query.where(part))
        return [MissingRow(id_, str(title)) for id_, title in rows if id_ not in known]

    def _spoken_of(self, checked: Sequence[Checked]) -> tuple[Any, list[int]]:
        """Return the column that says which records a file should have spoken of, and its values.

        No column: of all of them.
        """
        spec, items = self.spec, [item for each in checked for item in each.items]
        if spec.parent is not None:
            width, parents = len(spec.parent.key), self.found.parents
            ids = {parents[i.key[:width]].id for i in items if i.key[:width] in parents}
            return getattr(spec.model, spec.key_column(spec.parent.relation)), sorted(ids)
        if not spec.within:
            return None, []
        values = {item.values.get(spec.within) for item in items}
        column = getattr(spec.model, spec.key_column(spec.within))
        return column, sorted(each for each in values if isinstance(each, int))

    def state(self) -> Any:
        """Return what the comparison was held against, for the plan's token."""
        above = sorted([each.id, each.version] for each in self.found.parents.values())
        return [*sorted([each.id, each.version] for each in self.found.records.values()), *above]

    # Apply

    def apply(self, plan: Plan, batch: ImportBatch, watch: Watch = unwatched) -> None:
        """Write the rows that differ, and the changes into the batch. Flushes."""
        actor = current(self.session)
        batch.organization_id = actor.organization_id
        rows = [
            row
            for sheet in plan.sheets
            for row in sheet.rows
            if row.state is not RowState.UNCHANGED
        ]
        # Written first: then nobody else gives out the numbers that the new records get.
        self.session.add(batch)
        self.session.flush()
        new = [row for row in rows if row.record_id is None]
        made = self._added(new)
        written = []
        for row in rows:
            record = made.get(row.item.key)
            before: Values | None = None
            values = row.item.values
            if record is None:
                record = self.found.records[row.item.key]
                names = [each.field for each in row.changes]
                values = {name: values[name] for name in names}
                before = values_of(self.spec, record, names)
                set_values(self.spec, record, values, self.judge.organizations)
            written.append((row, record, before, values))
        missing = [gone for sheet in plan.sheets if sheet.retires for gone in sheet.missing]
        removed = self._removed(missing)
        self.session.flush()
        self._begin(list(made.values()), batch)
        changes = [
            {
                "record_id": record.id,
                "row_version": record.version,
                "cell": self._where(row),
                "title": str(record)[:300],
                "before": before,
                "after": values,
            }
            for row, record, before, values in written
        ]
        note_changes(self.session, batch, self.spec.record_type, [*changes, *removed])

    def _added(self, rows: Sequence[PlannedRow]) -> dict[Key, Any]:
        """Put the new records of the rows into the session, each with its number, by their keys.

        Numbered beforehand they are inserted together; SQLite would else be asked for each.
        """
        numbers = bulk.numbers(self.session, self.spec.model, len(rows)) if rows else ()
        found: dict[Key, Any] = {}
        for row, number in zip(rows, numbers, strict=True):
            record = self.judge.made[row.item.key]
            record.id = number
            if (parent := self.spec.parent) is not None:
                above = self.found.parents[row.item.key[: len(parent.key)]]
                setattr(record, self.spec.key_column(parent.relation), above.id)
            found[row.item.key] = record
        self.session.add_all(found.values())
        return found

    def _removed(self, missing: Sequence[MissingRow]) -> list[dict[str, Any]]:
        """Delete what the file lacks, and return the notes of it: all of it before, nothing after."""
        records = load_by_id(self.session, self.spec, {gone.record_id for gone in missing})
        changes = []
        for record in records.values():
            changes.append(
                {
                    "record_id": record.id,
                    "row_version": record.version,
                    "cell": None,
                    "title": str(record)[:300],
                    "before": values_of(self.spec, record),
                    "after": None,
                }
            )
            self.session.delete(record)
        return changes

    def _where(self, row: PlannedRow) -> str:
        """Return the cells that changed, or the one that names a new row."""
        changed = [each.cell for each in row.changes if each.cell]
        cells = "、".join(changed) or row.item.cells[self.spec.name]
        return f"{row.item.sheet}!{cells}"[:80]

    def _begin(self, records: list[Any], batch: ImportBatch) -> None:
        """Write the first event of each new record."""
        if workflow_of(self.spec.model) is None:
            return
        note = f"导入“{batch.file_name}”"
        begin_many(self.session, records, current(self.session), note=note)


def note_changes(
    session: Session, batch: ImportBatch, record_type: str, changes: Sequence[dict[str, Any]]
) -> None:
    """Write down what a batch changed; it must have been flushed."""
    bulk.judge(session, batch)
    rows = [{"batch_id": batch.id, "record_type": record_type, **each} for each in changes]
    bulk.add(session, ImportChange, rows)
    session.expire(batch, ["changes"])
