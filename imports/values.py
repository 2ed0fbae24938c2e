"""Turn the rows of a recognised list into values, and say by cell what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, NoReturn, TypeVar

from imports.decisions import Watch, unwatched
from imports.directory import Directory
from imports.items import Checked as Checked
from imports.items import Item as Item
from imports.items import Key as Key
from imports.items import Seen, key_of
from imports.kinds import READERS, Unreadable, Value, is_nothing, read_choice
from imports.places import Places
from imports.shapes import Shapes
from imports.specs.base import Field, Kind
from imports.tables import Problem, RawCell, RawRow, Table
from imports.text import cell_ref, one_line, ordinal, split_chunks, split_names
from models.base import Titled

_SHOWN = 60

Member = TypeVar("Member", bound=Titled)

#: Rows between two reports of how far the check is.
STRIDE = 4096


class Spoken(NamedTuple):
    """What a row says of one field: its text, the cell it comes from, and the address to name."""

    field: Field
    text: str
    cell: RawCell | None
    ref: str


def member_of(members: type[Member], value: str) -> Member:
    """Return the member of a titled enum that has the value."""
    return next(each for each in members if each.value == value)


class _Faulty(Exception):
    """The row has an error that has been reported."""


def shorten(text: str) -> str:
    """Return a value short enough to be shown in a line."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


class Checker:
    """Checks the lists of one workbook; what must be unique is so across its sheets."""

    def __init__(
        self,
        directory: Directory | None = None,
        places: Places | None = None,
        watch: Watch = unwatched,
    ) -> None:
        """``directory`` finds departments, ``places`` organisations; lists may name none."""
        self.directory = directory
        self.places = places
        self.watch = watch
        self._seen: dict[str, Seen] = {}

    def check(self, table: Table) -> Checked:
        """Return the table's sound rows and its problems, in the order of the rows."""
        checked = Checked(table, errors=list(table.errors), warnings=list(table.warnings))
        seen = self._seen.setdefault(table.list_type, {})
        check = _TableCheck(checked, self.directory, self.places, seen)
        shapes = Shapes(table, self.directory)
        items, keys, total = checked.items, checked.keys, len(table.rows)
        rows: list[Any] = table.rows
        for at, row in enumerate(rows):
            if at % STRIDE == 0:
                self.watch("check", at, total)
            item = shapes.item(row)
            if item is None:
                check.row(row)
                continue
            keys.add(item.key)
            if item.key not in seen:
                seen[item.key] = item
            elif check.repeats(item):
                continue
            items.append(item)
            # Nothing is held twice: a plain row can be had from its item again (``imports.stage``).
            rows[at] = item
        self.watch("check", total, total)
        return checked


class _TableCheck:
    """The check of one table, row by row, with a sentence for everything that is wrong."""

    def __init__(
        self,
        checked: Checked,
        directory: Directory | None,
        places: Places | None,
        seen: Seen,
    ) -> None:
        self.checked = checked
        self.directory = directory
        self.places = places
        self.seen = seen
        self.table = checked.table
        self.spec = checked.table.spec
        self.fields = {each.name: each for each in self.spec.fields}
        # A column of its own says more about a field than one that mentions it in passing.
        self.columns = sorted(self.table.columns.values(), key=lambda each: each.split is not None)
        self.has_category = self.table.place(self.spec.category) is not None

    def row(self, row: RawRow) -> None:
        """Add the row's item, or its errors, to what has been checked."""
        values: dict[str, Value] = {}
        cells: dict[str, str] = {}
        raw: dict[str, str] = {}
        faulty = False
        for spoken in self._spoken(row, row.cells):
            cells[spoken.field.name] = spoken.ref
            try:
                value = self._value(spoken)
            except _Faulty:
                faulty = True
                continue
            if value is not None or spoken.field.clearable:
                values[spoken.field.name] = value
            held = spoken.cell.value if spoken.cell else None
            if self.spec.literal and isinstance(held, str) and held != value:
                raw[spoken.field.name] = held
        key = self._key(values)
        if key is None:
            return
        self.checked.keys.add(key)
        item = Item(self.table.sheet, row.number, key, values, cells, raw)
        if not self.repeats(item) and not faulty:
            self.checked.items.append(item)

    def _spoken(self, row: RawRow, cells: dict[str, RawCell]) -> Iterator[Spoken]:
        """Yield what the row says, each field once."""
        category = self.fields.get(self.spec.category)
        done: set[str] = {self.spec.category}
        for column in self.columns:
            cell = cells.get(column.label)
            for name, text in column.texts(cell.text if cell else "").items():
                if name in self.fields and name not in done:
                    done.add(name)
                    yield Spoken(
                        self.fields[name], text, cell, cell.ref if cell else self._ref(row, name)
                    )
        if category is not None and (row.category or self.has_category):
            yield Spoken(category, row.category, None, self._ref(row, category.name))

    def _ref(self, row: RawRow, name: str) -> str:
        place = self.table.place(name)
        return cell_ref(row.number, min(self.table.columns) if place is None else place)

    def _value(self, spoken: Spoken) -> Value:
        if is_nothing(spoken.field, spoken.text, literal=self.spec.literal):
            if spoken.field.required:
                self._fail(spoken, "", f"“{spoken.field.label}”没有填写，请补上。")
            return [] if spoken.field.kind in _SEVERAL else None
        value = _READERS[spoken.field.kind](self, spoken)
        limit = spoken.field.max_length
        for text in value if isinstance(value, list) else [value]:
            if limit is not None and isinstance(text, str) and len(text) > limit:
                message = f"“{spoken.field.label}”有 {len(text)} 个字，最多 {limit} 个字，请缩短。"
                self._fail(spoken, text, message)
        return value

    def _fail(self, spoken: Spoken, value: str, message: str) -> NoReturn:
        self.checked.errors.append(Problem(spoken.ref, shorten(value), message))
        raise _Faulty

    def _read_text(self, spoken: Spoken) -> Value:
        return spoken.text if spoken.field.multiline else one_line(spoken.text)

    def _read_ordinal(self, spoken: Spoken) -> Value:
        number = ordinal(spoken.cell.value if spoken.cell else spoken.text)
        if number is not None:
            return str(number)
        message = f"“{spoken.field.label}”不是数字，按原文保留。"
        self.checked.warnings.append(Problem(spoken.ref, shorten(spoken.text), message))
        return spoken.text

    def _read_names(self, spoken: Spoken) -> Value:
        return split_names(spoken.text)

    def _read_choice(self, spoken: Spoken) -> Value:
        try:
            return read_choice(spoken.field, spoken.text, shorten(spoken.text))
        except Unreadable as wrong:
            self._fail(spoken, spoken.text, str(wrong))

    def _read_cell(self, spoken: Spoken) -> Value:
        value = spoken.cell.value if spoken.cell else spoken.text
        try:
            return READERS[spoken.field.kind](spoken.field, spoken.text, value)
        except Unreadable as wrong:
            self._fail(spoken, spoken.text, str(wrong))

    def _read_organization(self, spoken: Spoken) -> Value:
        return self._organization(spoken, one_line(spoken.text))

    def _read_organizations(self, spoken: Spoken) -> Value:
        ids = {self._organization(spoken, name) for name in split_chunks(spoken.text)}
        return sorted(ids)

    def _organization(self, spoken: Spoken, name: str) -> int:
        if self.places is None:
            raise ValueError(f"the list {self.spec.list_type} needs places")
        try:
            return self.places.find(name, spoken.field.kinds).id
        except Unreadable as wrong:
            self._fail(spoken, name, str(wrong))

    def _read_departments(self, spoken: Spoken) -> Value:
        if self.directory is None:
            raise ValueError(f"the list {self.spec.list_type} needs a directory")
        resolved = self.directory.resolve(spoken.text)
        for name in resolved.unknown:
            near = self.directory.nearest(name)
            hint = f"，相近的有：{'、'.join(near)}" if near else ""
            message = (
                f"没有找到部门“{shorten(name)}”{hint}。"
                "请改正名称，或先在组织机构中新增它或加为别名。"
            )
            self.checked.errors.append(Problem(spoken.ref, shorten(name), message))
        if resolved.unknown:
            raise _Faulty
        return list(resolved.ids)

    def _key(self, values: dict[str, Value]) -> Key | None:
        return key_of(self.spec, values)

    def repeats(self, item: Item) -> bool:
        """Report a row that repeats the key of one above, and tell whether it must be left out."""
        known = self.seen.setdefault(item.key, item)
        if known is item:
            return False
        above = known if isinstance(known, list) else [known]
        main = self.spec.key[-1]
        first = above[0]
        ref = item.cells[main]
        where = (
            first.cells[main] if first.sheet == item.sheet else f"{first.sheet}!{first.cells[main]}"
        )
        value = shorten(str(item.values[main]))
        names = self.spec.key if self.spec.literal else (main,)
        label = "、".join(self.spec.field(name).label for name in names)
        if self.spec.repeats and all(_content(item) != _content(each) for each in above):
            self.seen[item.key] = above = [*above, item]
            item.key = (*item.key, str(len(above)))
            self.checked.keys.add(item.key)
            message = f"“{label}”与 {where} 相同而其他内容不同，两项都保留，请核对。"
            self.checked.warnings.append(Problem(ref, value, message))
            return False
        message = f"“{label}”与 {where} 重复，请删去其中一项或改正。"
        self.checked.errors.append(Problem(ref, value, message))
        return True


def _content(item: Item) -> dict[str, Value]:
    """Return what a row says beside its running number."""
    return {name: value for name, value in item.values.items() if name != "serial"}


_SEVERAL = (Kind.NAMES, Kind.DEPARTMENTS, Kind.ORGANIZATIONS)
_READERS: dict[Kind, Callable[[_TableCheck, Spoken], Value]] = {
    **dict.fromkeys(READERS, _TableCheck._read_cell),
    Kind.TEXT: _TableCheck._read_text,
    Kind.ORDINAL: _TableCheck._read_ordinal,
    Kind.NAMES: _TableCheck._read_names,
    Kind.CHOICE: _TableCheck._read_choice,
    Kind.ENUM: _TableCheck._read_choice,
    Kind.ORGANIZATION: _TableCheck._read_organization,
    Kind.ORGANIZATIONS: _TableCheck._read_organizations,
    Kind.DEPARTMENTS: _TableCheck._read_departments,
    # Organisations may stand anywhere in the same file: imports.organizations looks them up.
    Kind.DEPARTMENT: _TableCheck._read_text,
    Kind.PARENT: _TableCheck._read_text,
}
