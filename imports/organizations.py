"""Importing the organisation tree: records are found by their code, and never deleted.

What a file lacks is put out of use if the person asks for it, unless something in force needs it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from imports.decisions import NONE, Decisions, Watch, unwatched
from imports.judging import may_be_changed
from imports.kinds import NO, YES, Value, texts_of
from imports.places import SLICE
from imports.plan import MissingRow, Plan, PlannedRow, RowState, SheetPlan, compare
from imports.specs.organizations import ORGANIZATIONS
from imports.tables import Problem, Table
from imports.text import clean, is_blank, name_key, one_line, split_names
from imports.tree import Known, Tree, codes_in, load_known
from imports.values import Checked, Checker, Item, member_of
from models.imports import ImportBatch, ImportChange
from models.organization import Organization, OrganizationKind, OrganizationLine, OrganizationName
from rules.retirement import still_needed

_PLAIN = ("code", "name", "kind", "phone", "remarks", "active")


class OrganizationImport:
    """The import of organisations, from the check to the records."""

    kind = "organizations"

    def __init__(self, session: Session, decisions: Decisions = NONE) -> None:
        self.session = session
        self.decisions = decisions
        self.known = Known({}, {})
        self.watch: Watch = unwatched

    @property
    def finder(self) -> None:
        """Parents are named by their codes, which are no matter of likeness."""
        return None

    # Check and compare

    def check(self, tables: Sequence[Table]) -> list[Checked]:
        """Check every row by itself, then what rows say of each other: parents and names."""
        checker = Checker(watch=self.watch)
        checked = [checker.check(table) for table in tables]
        items = [item for each in checked for item in each.items]
        self.known = load_known(self.session, codes_in(items))
        for item in items:
            self._take_as_read(item)
        tree = Tree(self.known, items)
        for each in checked:
            sound = []
            for item in each.items:
                problems = tree.problems(item)
                each.errors += problems
                if not problems:
                    sound.append(item)
            each.items = sound
            each.errors.sort(key=lambda problem: int(re.sub(r"\D", "", problem.cell) or 0))
        return checked

    def compare(self, checked: Sequence[Checked]) -> list[SheetPlan]:
        """Hold each row against the organisation with its code."""
        labels = {field.name: field.label for field in ORGANIZATIONS.fields}
        plans = []
        for each in checked:
            plan = SheetPlan(
                each.table.sheet,
                ORGANIZATIONS.list_type,
                ORGANIZATIONS.label,
                each.table.title,
                retires=self.decisions.retire,
                retirable=True,
                errors=each.errors,
                warnings=each.warnings,
            )
            for item in each.items:
                record = self.known.by_code.get(str(item.values["code"]))
                present = self.known.values_of(record) if record else None
                state, changes = compare(item, present, labels, self.show)
                record_id = record.id if record else None
                plan.rows.append(
                    PlannedRow(state, item, str(item.values["name"]), record_id, changes)
                )
            plans.append(plan)
        if plans:
            plans[-1].missing = self._missing(checked)
        self._judge_endings(plans)
        return plans

    def _judge_endings(self, plans: Sequence[SheetPlan]) -> None:
        """Add what forbids that organisations are put out of use, by the file or for lacking in it."""
        rows = {
            row.record_id: (plan, row)
            for plan in plans
            for row in plan.rows
            if row.record_id is not None
            and any(change.field == "active" for change in row.changes)
            and row.item.values["active"] is False
        }
        missing = {gone.record_id: gone for plan in plans if plan.retires for gone in plan.missing}
        ids = {*rows, *missing}
        needed = still_needed(self.session, ids)
        for plan in plans:
            for item in (row.item for row in plan.rows):
                above = self.known.by_code.get(str(item.values.get("parent") or ""))
                if above is not None and above.id in ids and item.values.get("active", True):
                    needed.setdefault(above.id, [f"文件里的下级机构“{item.values['name']}”"])
        mine = may_be_changed(self.session, ORGANIZATIONS, missing.keys())
        for id_, (plan, row) in rows.items():
            if id_ in needed:
                sentence = (
                    f"“{row.title}”不能停用：还有{'、'.join(needed[id_])}。请先处理，或保留启用。"
                )
                plan.errors.append(Problem(row.item.cells["active"], NO, sentence))
        for id_, gone in missing.items():
            why = "不在您可以修改的范围内" if id_ not in mine else ""
            why = why or (f"还有{'、'.join(needed[id_])}" if id_ in needed else "")
            if why:
                sentence = f"文件里没有“{gone.title}”，但它不能停用：{why}。请把它补进文件，或不停用文件里没有的。"
                plans[-1].errors.append(Problem("", gone.title, sentence))

    def _take_as_read(self, item: Item) -> None:
        """Let a cell that says of an organisation what its own export says mean what is stored."""
        record = self.known.by_code.get(str(item.values["code"]))
        if record is None:
            return
        aliases = item.values.get("aliases")
        if isinstance(aliases, list):
            said = {*split_names("、".join(record.aliases))}
            if set(aliases) in (said, set(record.aliases)):
                item.values["aliases"] = [*record.aliases]
        for name in ("name", "phone", "remarks"):
            stored: str | None = getattr(record, name)
            held = clean(stored)
            text = held if ORGANIZATIONS.field(name).multiline else one_line(held)
            if name in item.values and item.values[name] == (None if is_blank(text) else text):
                item.values[name] = stored

    def _missing(self, checked: Sequence[Checked]) -> list[MissingRow]:
        """Return who stands below the file's topmost organisations without being in the file."""
        codes = {key[0] for each in checked for key in each.keys}
        tops = []
        for item in (item for each in checked for item in each.items):
            record = self.known.by_code.get(str(item.values["code"]))
            above = name_key(str(item.values.get("parent") or ""))
            if record is not None and above not in codes:
                tops.append(record.id)
        rows = self.session.execute(
            select(Organization.id, Organization.code, Organization.name)
            .join(OrganizationLine, OrganizationLine.organization_id == Organization.id)
            .where(OrganizationLine.ancestor_id.in_(tops), Organization.active)
            .distinct()
            .order_by(Organization.code)
        )
        return [MissingRow(id_, name) for id_, code, name in rows if name_key(code) not in codes]

    def show(self, name: str, value: Value) -> str:
        """Return a field's value as the page shows it."""
        if isinstance(value, list):
            return "、".join(str(each) for each in value)
        if isinstance(value, bool):
            return YES if value else NO
        if name == "kind" and value:
            return member_of(OrganizationKind, str(value)).title
        if name in ("parent", "home_department") and value in self.known.by_code:
            return f"{self.known.by_code[value].name}（{value}）"
        return str(value or "")

    def state(self) -> Any:
        """Return what the comparison was held against, for the plan's token."""
        return sorted([each.id, each.version] for each in self.known.by_code.values())

    # Apply

    def apply(self, plan: Plan, batch: ImportBatch, watch: Watch = unwatched) -> None:
        """Write the rows that differ, and the changes into the batch. Flushes."""
        rows = [
            row
            for sheet in plan.sheets
            for row in sheet.rows
            if row.state is not RowState.UNCHANGED
        ]
        records = dict(self.known.by_code)
        before: dict[str, dict[str, Value]] = {}
        for row in rows:
            code = str(row.item.values["code"])
            if code in records:
                before[code] = self.known.values_of(records[code])
                drop_names(records[code], row.item.values)
        # A name that one organisation gives up may be taken by another in the same file.
        self.session.flush()
        for row in rows:
            code = str(row.item.values["code"])
            if code not in records:
                records[code] = Organization(code=code, active=True)
        for row in rows:
            record = records[str(row.item.values["code"])]
            set_values(record, row.item.values, records)
            self.session.add(record)
        self.session.flush()
        known = Known.of(records.values())
        for row in rows:
            record = records[str(row.item.values["code"])]
            batch.changes.append(
                ImportChange(
                    record_type="organization",
                    record_id=record.id,
                    row_version=record.version,
                    cell=f"{row.item.sheet}!{row.item.cells['name']}",
                    title=row.title,
                    before=before.get(record.code),
                    after=known.values_of(record),
                )
            )
        batch.changes += self._retired([g for s in plan.sheets if s.retires for g in s.missing])

    def _retired(self, missing: Sequence[MissingRow]) -> list[ImportChange]:
        """Put what the file lacks out of use, and return the notes of it. Flushes."""
        ids = sorted(gone.record_id for gone in missing)
        records: list[Organization] = []
        for start in range(0, len(ids), SLICE):
            part = Organization.id.in_(ids[start : start + SLICE])
            query = select(Organization).where(part).options(selectinload(Organization.names))
            records += self.session.scalars(query)
        for record in records:
            record.active = False
        self.session.flush()
        return [
            ImportChange(
                record_type="organization",
                record_id=each.id,
                row_version=each.version,
                title=each.name,
                before={"code": each.code, "active": True},
                after={"code": each.code, "active": False},
            )
            for each in records
        ]


def drop_names(record: Organization, values: Mapping[str, Value]) -> None:
    """Take from an organisation the aliases that it is no longer given."""
    if "aliases" not in values:
        return
    wanted = set(texts_of(values["aliases"]))
    for name in [each for each in record.names if each.is_alias and each.name not in wanted]:
        record.names.remove(name)


def set_values(
    record: Organization, values: Mapping[str, Value], records: Mapping[str, Organization]
) -> None:
    """Give an organisation its values; ``records`` finds parents and departments by code."""
    for name in _PLAIN:
        if name in values:
            value: Any = values[name]
            if name == "kind":
                value = member_of(OrganizationKind, str(value))
            if getattr(record, name) != value:
                setattr(record, name, value)
    for name in ("parent", "home_department"):
        if name in values:
            other = records[str(values[name])] if values[name] else None
            if getattr(record, name) is not other:
                setattr(record, name, other)
    have = set(record.aliases)
    for alias in texts_of(values.get("aliases")):
        if alias not in have and alias != record.name:
            record.names.append(OrganizationName(name=alias, is_alias=True))
