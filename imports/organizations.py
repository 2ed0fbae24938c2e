"""Importing the organisation tree: records are found by their code, and never deleted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from imports.decisions import NONE, Decisions, Watch, unwatched
from imports.kinds import Value, texts_of
from imports.plan import MissingRow, Plan, PlannedRow, RowState, SheetPlan, compare
from imports.specs.organizations import ORGANIZATIONS
from imports.tables import Table
from imports.text import clean, is_blank, name_key, one_line, split_names
from imports.tree import Known, Tree, codes_in, load_known
from imports.values import Checked, Checker, Item, member_of
from models.imports import ImportBatch, ImportChange
from models.organization import Organization, OrganizationKind, OrganizationLine, OrganizationName

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
                errors=each.errors,
                warnings=each.warnings,
            )
            for item in each.items:
                record = self.known.by_code.get(str(item.values["code"]))
                present = self._present(record, item) if record else None
                state, changes = compare(item, present, labels, self.show)
                record_id = record.id if record else None
                plan.rows.append(
                    PlannedRow(state, item, str(item.values["name"]), record_id, changes)
                )
            plans.append(plan)
        if plans:
            plans[-1].missing = self._missing(checked)
        return plans

    def _present(self, record: Organization, item: Item) -> dict[str, Value]:
        """Return the record's values; what its own export says of them is the same."""
        present = self.known.values_of(record)
        aliases = item.values.get("aliases")
        if isinstance(aliases, list):
            said = {*split_names("、".join(texts_of(present["aliases"])))}
            if set(aliases) in (said, set(texts_of(present["aliases"]))):
                present["aliases"] = aliases
        for name in ("phone", "remarks"):
            held = clean(str(present[name] or ""))
            field = ORGANIZATIONS.field(name)
            said_of = held if field.multiline else one_line(held)
            if name in item.values and item.values[name] == (None if is_blank(held) else said_of):
                present[name] = item.values[name]
        return present

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
