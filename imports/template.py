"""Empty workbooks to fill in: headings, drop-downs, and a sheet that explains them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from sqlalchemy import select
from sqlalchemy.orm import Session

from imports.kinds import NO, YES
from imports.layout import NOTES_SHEET, OPTIONS_SHEET
from imports.places import around, within
from imports.sheets import TITLE, Out, dress, set_widths, sheet_name
from imports.specs.base import Field, Kind
from imports.specs.outward import SheetSpec
from models.organization import Organization
from rules.actor import current
from rules.policy import Action
from rules.workbook_cells import fill

#: Names in a drop-down at most; a longer list is found no faster than it is typed.
MOST_NAMES = 2_000
#: Rows that have drop-downs and formats prepared.
ROWS = 2_000

_FORMS = {
    Kind.TEXT: "文字",
    Kind.ORDINAL: "序号，从 1 起",
    Kind.NAMES: "名称，几个用顿号隔开",
    Kind.DEPARTMENT: "派出它的部门的名称；同名的写成“名称（代码）”",
    Kind.DEPARTMENTS: "部门的名称或别名，几个用顿号隔开或分行写，主办的写在最前面",
    Kind.PARENT: "上级机构的代码；上级也可以写在同一张表里",
    Kind.DATE: "日期，如 2026-11-21、2026/11/21 或 2026年11月21日",
    Kind.TIME: "时间，如 14:05",
    Kind.INTEGER: "整数，不写单位",
    Kind.DECIMAL: "数字，不写单位",
    Kind.FLAG: f"{YES}或{NO}",
    Kind.ORGANIZATION: "机构的名称、别名或代码；同名的写成“名称（代码）”",
    Kind.ORGANIZATIONS: "机构的名称、别名或代码，几个用顿号隔开",
}
#: Kinds whose drop-down only helps: other texts are right as well, as aliases and codes are.
_OPEN = (Kind.ORGANIZATION, Kind.DEPARTMENT, Kind.DEPARTMENTS, Kind.CHOICE)
#: Excel formats of columns in which a cell must not be taken for something else.
_FORMATS = {
    Kind.DATE: "yyyy-mm-dd",
    Kind.TIME: "hh:mm",
    **dict.fromkeys((Kind.TEXT, Kind.PARENT, Kind.NAMES), "@"),
}
_HELP_LENGTH = 250
_BOLD = Font(bold=True)
_TOP = Alignment(vertical="top", wrap_text=True)

#: What the columns of each kind may name, by the record type that asks.
Names = dict[str, list[str]]


def template(session: Session, specs: SheetSpec | Sequence[SheetSpec], file: IO[bytes]) -> None:
    """Write the empty workbook for the actor, a sheet each: a statement a column of places."""
    several = [specs] if isinstance(specs, SheetSpec) else list(specs)
    book: Any = Workbook()
    book.remove(book.active)
    options = _Options(book)
    notes = _Notes(book)
    known: dict[tuple[Any, ...], list[str]] = {}
    for spec in several:
        sheet = book.create_sheet(sheet_name(spec))
        names = {
            each.name: _names(session, spec, each, known)
            for each in spec.fields
            if each.kind in (Kind.ORGANIZATION, Kind.DEPARTMENT, Kind.DEPARTMENTS)
        }
        _head(sheet, spec)
        for number, out in enumerate(spec.outs(shown=False), 1):
            assert out.field is not None  # noqa: S101 - only fields are asked for
            options.offer(sheet, spec.heading_row, number, out, names.get(out.name, ()))
        notes.explain(spec, names)
    for name in (NOTES_SHEET, OPTIONS_SHEET):
        book.move_sheet(name, len(book.sheetnames))
    book.active = 0
    book.save(file)


def _head(sheet: Any, spec: SheetSpec) -> None:
    """Write the title and the headings, marked where required, and set the cells' formats."""
    outs = spec.outs(shown=False)
    set_widths(sheet, outs)
    if spec.titled:
        fill(sheet.cell(1, 1), spec.label).font = TITLE
    for number, out in enumerate(outs, 1):
        assert out.field is not None  # noqa: S101 - only fields are asked for
        label = f"{out.label}*" if out.field.required else out.label
        dress(fill(sheet.cell(spec.heading_row, number), label), out)
        if out.field.kind in _FORMATS:
            letter = get_column_letter(number)
            sheet.column_dimensions[letter].number_format = _FORMATS[out.field.kind]
    sheet.freeze_panes = f"A{spec.heading_row + 1}"


def _names(
    session: Session, spec: SheetSpec, wanted: Field, known: dict[tuple[Any, ...], list[str]]
) -> list[str]:
    """Return the organisations that a column may name, in the order of their codes."""
    departments = wanted.kind is not Kind.ORGANIZATION
    key = (spec.policy_type, departments, wanted.kinds)
    if key not in known:
        inside = (
            around(current(session))
            if departments
            else within(current(session), spec.policy_type, Action.IMPORT)
        )
        found = session.scalars(
            select(Organization.name)
            .where(inside, Organization.active, Organization.kind.in_(wanted.kinds))
            .order_by(Organization.code)
            .limit(MOST_NAMES + 1)
        )
        known[key] = list(dict.fromkeys(found))
    return known[key]


class _Options:
    """The drop-downs of a workbook; what they offer stands in columns of a hidden sheet."""

    def __init__(self, book: Any) -> None:
        self.hidden = book.create_sheet(OPTIONS_SHEET)
        self.hidden.sheet_state = "hidden"
        self.columns = 0
        self.lists: dict[tuple[str, ...], str] = {}

    def offer(self, sheet: Any, head: int, number: int, out: Out, names: Sequence[str]) -> None:
        """Put a drop-down, or at least a hint, on the cells below a heading."""
        assert out.field is not None  # noqa: S101 - only fields are asked for
        titles = _titles(out.field, names)
        check = DataValidation(type="list", allow_blank=True) if titles else DataValidation()
        if titles:
            check.formula1 = self._list(out.label, tuple(titles))
            check.showErrorMessage = out.field.kind not in _OPEN
            check.errorTitle, check.error = out.label[:32], "请从下拉列表中选择。"
        check.showInputMessage = True
        check.promptTitle = out.label[:32]
        check.prompt = _explained(out.field)[:_HELP_LENGTH]
        letter = get_column_letter(number)
        check.add(f"{letter}{head + 1}:{letter}{head + ROWS}")
        sheet.add_data_validation(check)

    def _list(self, label: str, titles: tuple[str, ...]) -> str:
        if titles not in self.lists:
            self.columns += 1
            fill(self.hidden.cell(1, self.columns), label)
            for row, title in enumerate(titles, 2):
                fill(self.hidden.cell(row, self.columns), title)
            letter = get_column_letter(self.columns)
            self.lists[titles] = f"'{OPTIONS_SHEET}'!${letter}$2:${letter}${len(titles) + 1}"
        return self.lists[titles]


def _titles(wanted: Field, names: Sequence[str]) -> Sequence[str]:
    if wanted.kind is Kind.FLAG:
        return (YES, NO)
    if wanted.kind in (Kind.ENUM, Kind.CHOICE):
        return _choices(wanted)
    return names[:MOST_NAMES]


def _choices(wanted: Field) -> list[str]:
    """Return one title of each value: the first, where several are understood."""
    first: dict[str, str] = {}
    for title, value in wanted.choices.items():
        first.setdefault(value, title)
    return list(first.values())


def _explained(wanted: Field) -> str:
    """Return what a column wants: its help, and the form of its values."""
    choosing = wanted.kind in (Kind.ENUM, Kind.CHOICE)
    form = "、".join(_choices(wanted)) if choosing else _FORMS[wanted.kind]
    if wanted.kind is Kind.TEXT and wanted.max_length:
        form = f"文字，最多 {wanted.max_length} 字"
    return "。".join(part for part in (wanted.help, form) if part)


class _Notes:
    """The sheet that explains the others: the rules, every column, and an example for each."""

    def __init__(self, book: Any) -> None:
        self.sheet = book.create_sheet(NOTES_SHEET)
        for letter, width in zip("ABCD", (20, 8, 52, 36), strict=True):
            self.sheet.column_dimensions[letter].width = width
        self.row = 0

    def explain(self, spec: SheetSpec, names: Names) -> None:
        """Write down how one sheet is filled in."""
        self._write([f"{spec.label}：怎样填写"], TITLE)
        begins = f"在“{sheet_name(spec)}”表里从第 {spec.heading_row + 1} 行起填写"
        self._write([f"{begins}，一行一条；带 * 的列必须填写。"])
        for line in spec.rules():
            self._write([line])
        for name, known in names.items():
            if len(known) > MOST_NAMES:
                label = spec.field(name).label
                self._write([f"“{label}”的下拉列表只列出前 {MOST_NAMES} 个，其余请直接填写名称。"])
        self.row += 1
        self._write(["列名", "必填", "填什么", "例如"], _BOLD)
        outs = spec.outs(shown=False)
        for out in outs:
            assert out.field is not None  # noqa: S101 - only fields are asked for
            needed = "必填" if out.field.required else ""
            told = [out.label, needed, _explained(out.field), spec.example(out.field)]
            self._write(told, wraps=True)
        if spec.rows:
            self.row += 1
            self._write(["整行的例子"], _BOLD)
            self._write([out.label for out in outs], _BOLD)
            for row in spec.rows:
                self._write([row.get(out.name, "") for out in outs])
        self.row += 1

    def _write(
        self, texts: Sequence[str], font: Font | None = None, *, wraps: bool = False
    ) -> None:
        self.row += 1
        for column, text in enumerate(texts, 1):
            cell = fill(self.sheet.cell(self.row, column), text)
            if font is not None:
                cell.font = font
            if wraps:
                cell.alignment = _TOP
