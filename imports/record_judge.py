"""What forbids a row of a declared ledger: its place, its state, or a rule that its form keeps too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy.orm import Session

from imports import kinds
from imports.judging import (
    Anchors,
    anchor_columns,
    may_be_changed,
    may_be_made,
    taken_elsewhere,
)
from imports.ledger import Found, Values, load_places, named_places, trial
from imports.places import Places
from imports.plan import PlannedRow, SheetPlan
from imports.specs.base import Kind
from imports.specs.records import Parent, RecordSpec
from imports.tables import Problem
from imports.values import Item, Key, shorten
from models.organization import Organization
from rules.errors import Invalid
from rules.policy import Action
from rules.references import referred_to


@dataclass
class Row:
    """A row of a sheet with the record that it speaks of, and its present values."""

    plan: SheetPlan
    planned: PlannedRow
    record: Any | None
    present: Values

    @property
    def item(self) -> Item:
        """The row as it was read."""
        return self.planned.item

    @property
    def changed(self) -> Values:
        """Return the values that the row would write."""
        if self.record is None:
            return self.item.values
        return {each.field: self.item.values[each.field] for each in self.planned.changes}


def shown(spec: RecordSpec, places: Places, name: str, value: kinds.Value) -> str:
    """Return a field's value as the page shows it; organisations must have been learnt."""
    if isinstance(value, list):
        return places.titles(each for each in value if isinstance(each, int))
    if spec.field(name).kind is Kind.ORGANIZATION:
        return places.titles([value]) if isinstance(value, int) else ""
    return kinds.shown(spec.field(name), value)


@dataclass
class RowJudge:
    """Judges the rows of one file that would write something; what forbids them goes to the plans.

    ``organizations`` are, afterwards, all that the rows name, and ``made`` the sound new records by
    the keys of their rows; they belong to no session yet.
    """

    session: Session
    spec: RecordSpec
    places: Places
    found: Found
    organizations: dict[int, Organization] = field(default_factory=dict)
    trials: list[tuple[Row, Any]] = field(default_factory=list)
    made: dict[Key, Any] = field(default_factory=dict)

    def judge(self, rows: Sequence[Row]) -> None:
        """Add what forbids a row, at the cells that it is about."""
        self._refuse_doubtful(rows)
        rows = [row for row in rows if row.item.key not in self.found.several]
        named = {place for row in rows for place in named_places(self.spec, row.item.values)}
        named |= {place for row in rows for place in named_places(self.spec, row.present)}
        self.organizations = load_places(self.session, named)
        if self.spec.parent is not None:
            rows = self._below_open_parents(rows, self.spec.parent)
        else:
            rows = self._within_reach(rows)
        for row in rows:
            self._check(row)
        if self.spec.check_all is not None and self.trials:
            refusals = self.spec.check_all(self.session, [record for _row, record in self.trials])
            for (row, _record), refusal in zip(self.trials, refusals, strict=True):
                if refusal is not None:
                    self._refuse_for(row, refusal)

    def refuse_removals(self, plan: SheetPlan) -> None:
        """Add what forbids that the records which the file lacks are removed."""
        ids = {gone.record_id for gone in plan.missing}
        allowed = may_be_changed(self.session, self.spec, ids, Action.DELETE)
        referred = referred_to(self.session, self.spec.model, ids)
        for gone in plan.missing:
            if gone.record_id not in allowed:
                why = "不在您可以删除的范围内"
            elif gone.record_id in referred:
                why = f"还有{'、'.join(sorted(referred[gone.record_id]))}在引用它"
            else:
                continue
            sentence = f"文件里没有“{gone.title}”，但它不能移除：{why}。请把它补进文件，或不移除文件里没有的。"
            plan.errors.append(Problem("", gone.title, sentence))

    def _refuse_doubtful(self, rows: Sequence[Row]) -> None:
        names = "、".join(self.spec.field(name).label for name in self.spec.key)
        for row in rows:
            if row.item.key in self.found.several:
                sentence = f"系统里有几条记录的“{names}”与这一行相同，看不出说的是哪一条；请在页面上修改，并删去这一行。"
                self._refuse(row, sentence)

    def _within_reach(self, rows: Sequence[Row]) -> list[Row]:
        """Return the rows that the actor may write; the others are refused."""
        spec = self.spec
        changed = {row.record.id for row in rows if row.record is not None}
        editable = may_be_changed(self.session, spec, changed)
        made = may_be_made(self.session, spec, {self._anchors(r) for r in rows if self._moves(r)})
        taken = self._taken(rows)
        sound = []
        for row in rows:
            if row.record is not None and row.record.id not in editable:
                self._refuse(row, f"“{row.planned.title}”不在您可以修改的范围内，请删去这一行。")
            elif row.record is not None and (reason := spec.locked(row.record)):
                self._refuse(row, reason)
            elif self._moves(row) and self._anchors(row) not in made:
                self._refuse_place(row)
            elif row.record is None and row.item.values[spec.key[0]] in taken:
                label = spec.field(spec.key[0]).label
                self._refuse(row, f"“{label}”与您权限范围之外的一条记录重复，请换一个。")
            else:
                sound.append(row)
        return sound

    def _below_open_parents(self, rows: Sequence[Row], parent: Parent) -> list[Row]:
        """Return the rows whose parent is there, in reach, and still open; the others are refused."""
        width = len(parent.key)
        above = [self.found.parents.get(row.item.key[:width]) for row in rows]
        ids = {each.id for each in above if each is not None}
        editable = may_be_changed(self.session, parent.spec, ids)
        sound = []
        for row, record in zip(rows, above, strict=True):
            if record is None:
                named = "、".join(self._show(row, name) for name in parent.key)
                sentence = (
                    f"没有找到这一行所属的{parent.spec.label}（{named}），或不在您的权限范围内。"
                    f"请核对，或先登记{parent.spec.label}。"
                )
                self._refuse(row, sentence, parent.key[-1])
            elif record.id not in editable:
                sentence = f"{parent.spec.label}“{record}”不在您可以修改的范围内，请删去这一行。"
                self._refuse(row, sentence, parent.key[-1])
            elif reason := self.spec.closed(record):
                self._refuse(row, reason, parent.key[-1])
            else:
                sound.append(row)
        return sound

    def _moves(self, row: Row) -> bool:
        """Tell whether the row would put a record where there was none."""
        return row.record is None or not row.changed.keys().isdisjoint(self.spec.places)

    def _anchors(self, row: Row) -> Anchors:
        given, present = row.item.values, row.present
        found = (given.get(name, present.get(name)) if name else None for name in self._tied)
        return tuple(value if isinstance(value, int) else None for value in found)

    @cached_property
    def _tied(self) -> tuple[str, ...]:
        """The fields that tie a row to its organisations, in the order of the scope's columns."""
        names = {self.spec.key_column(name): name for name in self.spec.places}
        return tuple(names.get(column, "") for column in anchor_columns(self.spec))

    def _taken(self, rows: Sequence[Row]) -> set[Any]:
        """Return the keys of new rows that are taken out of reach; others' keys name their place."""
        named = not set(self.spec.key).isdisjoint(self.spec.places)
        if named or not anchor_columns(self.spec):
            return set()
        keys = {row.item.values[self.spec.key[0]] for row in rows if row.record is None}
        return taken_elsewhere(self.session, self.spec, keys)

    def _refuse(self, row: Row, message: str, name: str = "") -> None:
        cells = row.item.cells
        ref = cells.get(name) or cells[self.spec.name]
        text = self._show(row, name or self.spec.name)
        row.plan.errors.append(Problem(ref, shorten(text), message))

    def _show(self, row: Row, name: str) -> str:
        return shown(self.spec, self.places, name, row.item.values.get(name))

    def _refuse_place(self, row: Row) -> None:
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

    def _check(self, row: Row) -> None:
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
            if row.record is None:
                self.made[row.item.key] = record

    def _refuse_for(self, row: Row, refusal: Invalid) -> None:
        """Put a refusal's sentences at the cells of the fields that they are about."""
        known = {field.name for field in self.spec.fields}
        for name, sentence in refusal.fields.items():
            self._refuse(row, sentence, name if name in known else "")
        if not refusal.fields:
            self._refuse(row, refusal.message)

    def _idle(self, row: Row) -> dict[str, int]:
        """Return the fields by which the row would tie its record to an organisation out of use."""
        return {
            name: place
            for name in (*self.spec.places, *self.spec.links)
            if name in row.changed
            for place in named_places(self.spec, {name: row.changed[name]})
            - named_places(self.spec, {name: row.present.get(name)})
            if not self.organizations[place].active
        }
