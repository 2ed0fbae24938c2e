"""Importing duty lists: a file's list becomes the draft version of its owner's (domain section 5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from imports.decisions import NONE, Decisions, Watch, unwatched
from imports.directory import Directory
from imports.duty_versions import Draft, write_version
from imports.items import Checked, Item, Key
from imports.kinds import Value
from imports.plan import (
    Finder,
    MissingRow,
    Plan,
    PlannedRow,
    RowState,
    SheetPlan,
    compare,
    fingerprint,
    sheet_differs,
)
from imports.specs.base import Spec
from imports.tables import Problem, Table
from imports.text import name_key
from imports.values import STRIDE, Checker, member_of
from models.duty import DutyList, DutyListStatus, DutyListType
from models.imports import ImportBatch
from models.organization import Organization, OrganizationKind
from rules.duty_items import TEXTS, Present, Whole, items_of

_PLACES = {name: at for at, name in enumerate((*TEXTS, "departments"))}
_TOWNSHIP: tuple[OrganizationKind, ...] = (OrganizationKind.TOWNSHIP,)
_OWNERS: dict[str, tuple[OrganizationKind, ...]] = {
    "basic": _TOWNSHIP,
    "coordinating": _TOWNSHIP,
    "reclaimed": _TOWNSHIP,
    "catalogue": (OrganizationKind.COUNTY, OrganizationKind.CITY),
}


@dataclass
class Former:
    """The newest version of one list: the draft if there is one, else the published one."""

    record: DutyList | None
    last_number: int = 0
    items: dict[Key, Present] = field(default_factory=dict)

    @property
    def draft(self) -> DutyList | None:
        """Return the version to be changed in place, if it is still a draft."""
        record = self.record
        return record if record is not None and record.status is DutyListStatus.DRAFT else None


def _keyed(items: Sequence[Present], spec: Spec) -> dict[Key, Present]:
    """Return the items by their key; repeats get the same endings as ``imports.values`` gives."""
    keyed: dict[Key, Present] = {}
    times: Counter[Key] = Counter()
    for item in items:
        key = tuple(name_key(str(item.whole[TEXTS.index(name)] or "")) for name in spec.key)
        times[key] += 1
        keyed[key if times[key] == 1 else (*key, str(times[key]))] = item
    return keyed


class DutyListImport:
    """The import of one owner's lists, from the check to the records."""

    kind = "duty-items"

    def __init__(self, session: Session, owner: Organization, decisions: Decisions = NONE) -> None:
        self.session = session
        self.owner = owner
        self.decisions = decisions
        self.directory = Directory.around(session, owner, decisions.names)
        self.formers: dict[str, Former] = {}
        self.watch: Watch = unwatched

    @property
    def finder(self) -> Finder:
        """Departments are found in the directory of the owner's county."""
        return self.directory

    # Check and compare

    def check(self, tables: Sequence[Table]) -> list[Checked]:
        """Check the rows of every list; departments are looked up in the owner's county."""
        checker = Checker(self.directory, watch=self.watch)
        checked = [checker.check(table) for table in tables]
        for each in checked:
            each.warnings += self._doubts(each.table)
            for item in each.items:
                if item.get("departments") == []:
                    message = "没有写明对应部门，吹哨时需要人工指定派单单位。"
                    name = str(item.get("name"))
                    each.warnings.append(Problem(item.cells["departments"], name, message))
        return checked

    def _doubts(self, table: Table) -> list[Problem]:
        """Warn of a list that seems to belong to somebody else than the owner."""
        messages = []
        kinds = _OWNERS[table.list_type]
        if self.owner.kind not in kinds:
            titles = "或".join(kind.title for kind in kinds)
            messages.append(
                f"{table.spec.label}一般属于{titles}，现在导入的是{self.owner.kind.title}"
                f"“{self.owner.name}”，请核对。"
            )
        others = [
            name
            for name in self.directory.titles_of(OrganizationKind.TOWNSHIP)
            if name != self.owner.name and name in table.title
        ]
        if others and self.owner.name not in table.title:
            messages.append(f"标题写的是“{others[0]}”，现在导入到“{self.owner.name}”，请核对。")
        return [Problem("", table.title, message) for message in messages]

    def compare(self, checked: Sequence[Checked]) -> list[SheetPlan]:
        """Hold each list against the newest version of its owner's."""
        self._load(checked)
        plans = [self._compare_one(each) for each in checked]
        last = {plan.list_type: plan for plan in plans}
        for list_type, plan in last.items():
            parts = [each.keys for each in checked if each.table.list_type == list_type]
            # Nearly always one: a hundred thousand keys are not gathered once more.
            keys = parts[0] if len(parts) == 1 else set().union(*parts)
            # A heading without a row below it is a form not filled in: it lacks nothing.
            plan.missing = [
                MissingRow(item.id, item.name)
                for key, item in self.formers[list_type].items.items()
                if keys and key not in keys
            ]
        return plans

    def _compare_one(self, checked: Checked) -> SheetPlan:
        table, spec = checked.table, checked.table.spec
        plan = SheetPlan(
            table.sheet,
            spec.list_type,
            spec.label,
            table.title,
            retires=self.decisions.retire,
            retirable=True,
            errors=checked.errors,
            warnings=checked.warnings,
        )
        present = self.formers[spec.list_type].items
        labels = {field.name: field.label for field in spec.fields}
        picks: dict[tuple[str, ...], Callable[[Whole], tuple[Value, ...]]] = {}
        total = len(checked.items)
        for at, item in enumerate(checked.items):
            if at % STRIDE == 0:
                self.watch("compare", at, total)
            match = present.get(item.key)
            plan.rows.append(self._row(item, match, labels, picks))
        return plan

    def _row(
        self,
        item: Item,
        match: Present | None,
        labels: dict[str, str],
        picks: dict[tuple[str, ...], Callable[[Whole], tuple[Value, ...]]],
    ) -> PlannedRow:
        """Hold a row against the item that it matches; ``picks`` find the fields it speaks of."""
        title = str(item.get("name"))
        if match is None:
            return PlannedRow(RowState.NEW, item, title)
        if (pick := picks.get(item.names)) is None:
            pick = picks[item.names] = _pick(item.names)
        if pick(match.whole) == item.texts:
            return PlannedRow(RowState.UNCHANGED, item, title, match.id)
        state, changes = compare(item, match.values, labels, self.show)
        return PlannedRow(state, item, title, match.id, changes)

    def _load(self, checked: Sequence[Checked]) -> None:
        """Find the newest version of each list and its items."""
        specs = {each.table.list_type: each.table.spec for each in checked}
        for list_type in specs:
            self.formers[list_type] = Former(None)
        versions = self.session.scalars(
            select(DutyList)
            .where(DutyList.organization_id == self.owner.id, DutyList.list_type.in_(specs))
            .order_by(DutyList.number)
        ).all()
        for version in versions:
            former = self.formers[version.list_type.value]
            former.last_number = version.number
            if version.status is DutyListStatus.SUPERSEDED:
                continue
            if former.draft is None:
                former.record = version
        records = {
            former.record.id: list_type
            for list_type, former in self.formers.items()
            if former.record is not None
        }
        for list_id, items in items_of(self.session, list(records)).items():
            list_type = records[list_id]
            self.formers[list_type].items = _keyed(items, specs[list_type])

    def show(self, name: str, value: Value) -> str:
        """Return a field's value as the page shows it."""
        if name == "departments" and isinstance(value, list):
            return "、".join(self.directory.title(int(each)) for each in value)
        return str(value or "")

    def state(self) -> Any:
        """Return what the comparison was held against, for the plan's token."""
        versions = [
            [list_type, former.last_number]
            + ([former.record.id, former.record.status.value] if former.record else [])
            for list_type, former in sorted(self.formers.items())
        ]
        # Who is meant by a name may be another by the time that the preview is confirmed.
        return [versions, fingerprint(self.directory.answers())]

    # Apply

    def apply(self, plan: Plan, batch: ImportBatch, watch: Watch = unwatched) -> None:
        """Write each list that differs into its draft version, and the changes into the batch."""
        for list_type, former in self.formers.items():
            parts = [sheet for sheet in plan.sheets if sheet.list_type == list_type]
            if not any(sheet_differs(sheet) for sheet in parts):
                continue
            missing = [row.record_id for sheet in parts for row in sheet.missing]
            write_version(
                self.session,
                batch,
                Draft(
                    owner=self.owner,
                    list_type=member_of(DutyListType, list_type),
                    title=next((sheet.title for sheet in parts if sheet.title), ""),
                    record=former.draft,
                    number=former.last_number + 1,
                    present={item.id: item for item in former.items.values()},
                    gone=frozenset(missing if self.decisions.retire else ()),
                ),
                [row for sheet in parts for row in sheet.rows],
                watch,
            )


def _pick(names: tuple[str, ...]) -> Callable[[Whole], tuple[Value, ...]]:
    """Return what takes these fields, as a tuple, of all that an item says."""
    places = [_PLACES[name] for name in names]
    if len(places) == 1:
        return lambda whole: (whole[places[0]],)
    return itemgetter(*places)
