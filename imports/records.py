"""Importing a record type by its declaration: upsert by key, and the rules that its form keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from imports import kinds
from imports.decisions import NONE, Decisions, Watch, unwatched
from imports.judging import (
    Anchors,
    anchor_columns,
    may_be_changed,
    may_be_made,
    taken_elsewhere,
)
from imports.kinds import Value
from imports.ledger import (
    Values,
    load_by_key,
    load_places,
    named_places,
    set_values,
    trial,
    values_of,
)
from imports.places import SLICE, Places
from imports.plan import Finder, MissingRow, Plan, PlannedRow, RowState, SheetPlan, compare
from imports.specs.base import Kind
from imports.specs.records import RecordSpec
from imports.tables import Problem, Table
from imports.text import split_chunks
from imports.values import Checked, Checker, Item, Key, shorten
from models.imports import ImportBatch, ImportChange
from models.organization import Organization
from rules.actor import current
from rules.errors import Invalid
from rules.personal import HIDDEN, masked, may_read
from rules.workflow import begin, workflow_of


@dataclass
class _Row:
    """A row of a sheet with the record that it speaks of, and its present values."""

    plan: SheetPlan
    planned: PlannedRow
    record: Any | None
    present: Values

    @property
    def item(self) -> Item:
        return self.planned.item

    @property
    def changed(self) -> Values:
        """Return the values that the row would write."""
        if self.record is None:
            return self.item.values
        return {each.field: self.item.values[each.field] for each in self.planned.changes}


class RecordImport:
    """The import of one declared record type, from the check to the records."""

    def __init__(self, session: Session, spec: RecordSpec, decisions: Decisions = NONE) -> None:
        self.session, self.spec = session, spec
        self.kind = spec.list_type
        self.places = Places(session, spec.record_type, decisions.names)
        self.records: dict[Key, Any] = {}
        self.organizations: dict[int, Organization] = {}
        self.trials: list[tuple[_Row, Any]] = []

    @property
    def finder(self) -> Finder:
        """Organisations are found among those that the actor may tie such a record to."""
        return self.places

    # Check and compare

    def check(self, tables: Sequence[Table]) -> list[Checked]:
        """Turn rows into values; every organisation that they name is looked up at once."""
        self.places.load(self._named(tables))
        checker = Checker(places=self.places)
        return [checker.check(table) for table in tables]

    def _named(self, tables: Sequence[Table]) -> Iterator[str]:
        names = {*self.spec.places, *self.spec.links}
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
        self.records = load_by_key(
            self.session, self.spec, (item for each in checked for item in each.items)
        )
        present = {key: values_of(self.spec, each) for key, each in self.records.items()}
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
                errors=each.errors,
                warnings=each.warnings,
            )
            rows += [self._row(plan, item, present.get(item.key, {})) for item in each.items]
            plans.append(plan)
        self._judge([row for row in rows if row.planned.state is not RowState.UNCHANGED])
        for plan in plans:
            plan.errors.sort(key=lambda problem: int(re.sub(r"\D", "", problem.cell) or 0))
        if plans and not any(plan.errors for plan in plans):
            plans[-1].missing = self._missing(checked)
        return plans

    def _row(self, plan: SheetPlan, item: Item, present: Values) -> _Row:
        record = self.records.get(item.key)
        self._leave_masked(plan, item, record, present)
        self._take_as_read(item, present)
        labels = {field.name: field.label for field in self.spec.fields}
        state, changes = compare(item, present if record is not None else None, labels, self._show)
        title = shorten(str(item.values[self.spec.name]))
        planned = PlannedRow(state, item, title, record.id if record else None, changes)
        plan.rows.append(planned)
        return _Row(plan, planned, record, present)

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

    def _show(self, name: str, value: Value) -> str:
        """Return a value as the page shows it."""
        field = self.spec.field(name)
        if isinstance(value, list):
            return self.places.titles(each for each in value if isinstance(each, int))
        if field.kind is Kind.ORGANIZATION:
            return self.places.titles([value]) if isinstance(value, int) else ""
        return kinds.shown(field, value)

    # Judging

    def _judge(self, rows: list[_Row]) -> None:
        """Add what forbids a row: its place, its state, or the rules that the form keeps too."""
        named = {place for row in rows for place in named_places(self.spec, row.item.values)}
        named |= {place for row in rows for place in named_places(self.spec, row.present)}
        self.organizations = load_places(self.session, named)
        changed = {row.record.id for row in rows if row.record is not None}
        editable = may_be_changed(self.session, self.spec, changed)
        moved = {self._anchors(row) for row in rows if self._moves(row)}
        made = may_be_made(self.session, self.spec, moved)
        taken = self._taken(rows)
        for row in rows:
            if row.record is not None and row.record.id not in editable:
                self._refuse(row, f"“{row.planned.title}”不在您可以修改的范围内，请删去这一行。")
            elif row.record is not None and (reason := self.spec.locked(row.record)):
                self._refuse(row, reason)
            elif self._moves(row) and self._anchors(row) not in made:
                self._refuse_place(row)
            elif row.record is None and row.item.values[self.spec.key[0]] in taken:
                label = self.spec.field(self.spec.key[0]).label
                self._refuse(row, f"“{label}”与您权限范围之外的一条记录重复，请换一个。")
            else:
                self._check(row)
        if self.spec.check_all is not None and self.trials:
            refusals = self.spec.check_all(self.session, [record for _row, record in self.trials])
            for (row, _record), refusal in zip(self.trials, refusals, strict=True):
                if refusal is not None:
                    self._refuse_for(row, refusal)

    def _moves(self, row: _Row) -> bool:
        """Tell whether the row would put a record where there was none."""
        return row.record is None or not row.changed.keys().isdisjoint(self.spec.places)

    def _anchors(self, row: _Row) -> Anchors:
        values = {**row.present, **row.item.values}
        by_column = {self.spec.key_column(name): values.get(name) for name in self.spec.places}
        return tuple(
            value if isinstance(value := by_column.get(name), int) else None
            for name in anchor_columns(self.spec)
        )

    def _taken(self, rows: list[_Row]) -> set[Any]:
        """Return the keys of new rows that are taken out of reach; others' keys name their place."""
        if not set(self.spec.key).isdisjoint(self.spec.places):
            return set()
        keys = {row.item.values[self.spec.key[0]] for row in rows if row.record is None}
        return taken_elsewhere(self.session, self.spec, keys)

    def _refuse(self, row: _Row, message: str, name: str = "") -> None:
        cells = row.item.cells
        ref = cells.get(name) or cells[self.spec.name]
        value = row.item.values.get(name or self.spec.name)
        text = self._show(name or self.spec.name, value)
        row.plan.errors.append(Problem(ref, shorten(text), message))

    def _refuse_place(self, row: _Row) -> None:
        """Blame the cells that name an organisation out of reach, or the row as a whole."""
        far = [
            name
            for name in self.spec.places
            if isinstance(value := row.item.values.get(name), int)
            and not self.places.by_id[value].near
        ]
        for name in far:
            field = self.spec.field(name)
            title = self.places.titles([int(str(row.item.values[name]))])
            near = self.places.nearest(title, field.kinds)
            hint = f"可以填的有：{'、'.join(near)}等。" if near else ""
            self._refuse(row, f"“{title}”不在您可以登记{self.spec.label}的范围内。{hint}", name)
        if not far:
            sentence = "这一行的各方中没有本单位，或有一方不是签约对方，您不能登记。"
            self._refuse(row, sentence, self.spec.places[0])

    def _check(self, row: _Row) -> None:
        """Hold the row to the rules of its record type, as its form does."""
        faults = self._idle(row)
        for name in faults:
            title = self.organizations[faults[name]].name
            self._refuse(row, f"“{title}”已停用，请改为在用的机构。", name)
        if faults:
            return
        record = trial(self.spec, row.record, row.changed, self.organizations)
        try:
            self.spec.check(record)
        except Invalid as refusal:
            self._refuse_for(row, refusal)
        else:
            self.trials.append((row, record))

    def _refuse_for(self, row: _Row, refusal: Invalid) -> None:
        """Put a refusal's sentences at the cells of the fields that they are about."""
        known = {field.name for field in self.spec.fields}
        for name, sentence in refusal.fields.items():
            self._refuse(row, sentence, name if name in known else "")
        if not refusal.fields:
            self._refuse(row, refusal.message)

    def _idle(self, row: _Row) -> dict[str, int]:
        """Return the fields by which the row would tie its record to an organisation out of use."""
        return {
            name: place
            for name in (*self.spec.places, *self.spec.links)
            if name in row.changed
            for place in named_places(self.spec, {name: row.changed[name]})
            - named_places(self.spec, {name: row.present.get(name)})
            if not self.organizations[place].active
        }

    # What the file lacks

    def _missing(self, checked: Sequence[Checked]) -> list[MissingRow]:
        """Return the records of the file's organisations that it does not speak of."""
        model, spec = self.spec.model, self.spec
        if not spec.within:
            return []
        keys = {key for each in checked for key in each.keys}
        known = {self.records[key].id for key in keys if key in self.records}
        owners = sorted(
            {
                owner
                for each in checked
                for item in each.items
                if isinstance(owner := item.values.get(spec.within), int)
            }
        )
        column = getattr(model, spec.key_column(spec.within))
        called = getattr(model, spec.name)
        found: list[MissingRow] = []
        for start in range(0, len(owners), SLICE):
            part = owners[start : start + SLICE]
            query = select(model.id, called).where(column.in_(part)).order_by(model.id)
            rows = self.session.execute(query)
            found += [MissingRow(id_, title) for id_, title in rows if id_ not in known]
        return found

    def state(self) -> Any:
        """Return what the comparison was held against, for the plan's token."""
        return sorted([each.id, each.version] for each in self.records.values())

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
        written = []
        for row in rows:
            record = self.records.get(row.item.key)
            before: Values | None = None
            values = row.item.values
            if record is None:
                record = self.spec.model()
            else:
                names = [each.field for each in row.changes]
                values = {name: values[name] for name in names}
                before = values_of(self.spec, record, names)
            set_values(self.spec, record, values, self.organizations)
            self.session.add(record)
            written.append((row, record, before, values))
        self.session.flush()
        self._begin([record for _, record, before, _ in written if before is None], batch)
        for row, record, before, values in written:
            batch.changes.append(
                ImportChange(
                    record_type=self.spec.record_type,
                    record_id=record.id,
                    row_version=record.version,
                    cell=self._where(row),
                    title=str(record)[:300],
                    before=before,
                    after=values,
                )
            )

    def _where(self, row: PlannedRow) -> str:
        """Return the cells that changed, or the one that names a new row."""
        changed = [each.cell for each in row.changes if each.cell]
        cells = "、".join(changed) or row.item.cells[self.spec.name]
        return f"{row.item.sheet}!{cells}"[:80]

    def _begin(self, records: list[Any], batch: ImportBatch) -> None:
        """Write the first event of each new record."""
        if workflow_of(self.spec.model) is None:
            return
        actor, note = current(self.session), f"导入“{batch.file_name}”"
        with self.session.no_autoflush:
            for record in records:
                begin(self.session, record, actor, note=note, among_many=True)
