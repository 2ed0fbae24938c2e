"""The empty workbook of a record type: headings, drop-downs, and a sheet that explains them."""

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
from imports.places import within
from imports.sheets import Out, columns_of, dress, set_widths, sheet_name
from imports.specs.base import Field, Kind
from imports.specs.records import RecordSpec
from models.organization import Organization
from rules.actor import current
from rules.policy import Action

#: Names in a drop-down at most; a longer list is found no faster than it is typed.
MOST_NAMES = 2_000
#: Rows that have drop-downs and formats prepared.
ROWS = 2_000

_FORMS = {
    Kind.TEXT: "文字",
    Kind.DATE: "日期，如 2026-11-21、2026/11/21 或 2026年11月21日",
    Kind.TIME: "时间，如 14:05",
    Kind.INTEGER: "整数，不写单位",
    Kind.DECIMAL: "数字，不写单位",
    Kind.FLAG: f"{YES}或{NO}",
    Kind.ORGANIZATION: "机构的名称、别名或代码；同名的写成“名称（代码）”",
    Kind.ORGANIZATIONS: "机构的名称、别名或代码，几个用顿号隔开",
}
_SAMPLES = {
    Kind.DATE: "2026-01-01",
    Kind.TIME: "09:00",
    Kind.INTEGER: "1",
    Kind.DECIMAL: "1.5",
    Kind.FLAG: NO,
}
#: Excel formats of columns in which a cell must not be taken for something else.
_FORMATS = {Kind.TEXT: "@", Kind.DATE: "yyyy-mm-dd", Kind.TIME: "hh:mm"}
_HELP_LENGTH = 250


def template(session: Session, spec: RecordSpec, file: IO[bytes]) -> None:
    """Write the empty workbook of a record type for the actor: a statement a column of places."""
    outs = columns_of(spec, shown=False)
    names = _names_in_reach(session, spec)
    book = Workbook()
    sheet: Any = book.active
    sheet.title = sheet_name(spec)
    set_widths(sheet, outs)
    for number, out in enumerate(outs, 1):
        _prepare(sheet, number, out)
    sheet.freeze_panes = "A2"
    options = _Options(book, sheet)
    for number, out in enumerate(outs, 1):
        assert out.field is not None  # noqa: S101 - only fields are asked for
        options.offer(number, out.field, names.get(out.name, ()))
    _notes(book, spec, outs, names)
    book.move_sheet(OPTIONS_SHEET, len(book.sheetnames))
    book.save(file)


def _prepare(sheet: Any, number: int, out: Out) -> None:
    """Write a column's heading, marked if it is required, and set the format of the cells below."""
    needed = out.field is not None and out.field.required
    dress(sheet.cell(1, number, f"{out.label}*" if needed else out.label), out)
    kind = out.field.kind if out.field else Kind.TEXT
    if kind in _FORMATS:
        sheet.column_dimensions[get_column_letter(number)].number_format = _FORMATS[kind]


def _names_in_reach(session: Session, spec: RecordSpec) -> dict[str, list[str]]:
    """Return the organisations that each column may name, by name, in the order of their codes."""
    inside = within(current(session), spec.record_type, Action.IMPORT)
    found = {}
    for field in spec.fields:
        if field.kind is Kind.ORGANIZATION:
            names = session.scalars(
                select(Organization.name)
                .where(inside, Organization.active, Organization.kind.in_(field.kinds))
                .order_by(Organization.code)
                .limit(MOST_NAMES + 1)
            )
            found[field.name] = list(dict.fromkeys(names))
    return found


class _Options:
    """The drop-downs of a sheet; what they offer stands in columns of a hidden sheet."""

    def __init__(self, book: Any, sheet: Any) -> None:
        self.sheet = sheet
        self.hidden = book.create_sheet(OPTIONS_SHEET)
        self.hidden.sheet_state = "hidden"
        self.columns = 0

    def offer(self, number: int, field: Field, names: Sequence[str]) -> None:
        """Put a drop-down, or at least a hint, on a column."""
        titles = _titles(field, names)
        check = DataValidation(type="list", allow_blank=True) if titles else DataValidation()
        if titles:
            check.formula1 = self._list(field, titles)
            # Organisations also go by aliases and codes: any text may be right.
            check.showErrorMessage = field.kind is not Kind.ORGANIZATION
            check.errorTitle, check.error = field.label[:32], "请从下拉列表中选择。"
        check.showInputMessage = True
        check.promptTitle = field.label[:32]
        check.prompt = _explained(field)[:_HELP_LENGTH]
        letter = get_column_letter(number)
        check.add(f"{letter}2:{letter}{ROWS + 1}")
        self.sheet.add_data_validation(check)

    def _list(self, field: Field, titles: Sequence[str]) -> str:
        self.columns += 1
        self.hidden.cell(1, self.columns, field.label)
        for row, title in enumerate(titles, 2):
            cell = self.hidden.cell(row, self.columns, title)
            cell.data_type = "s"
        letter = get_column_letter(self.columns)
        return f"'{OPTIONS_SHEET}'!${letter}$2:${letter}${len(titles) + 1}"


def _titles(field: Field, names: Sequence[str]) -> Sequence[str]:
    if field.kind is Kind.FLAG:
        return (YES, NO)
    if field.kind is Kind.ENUM:
        return tuple(field.choices)
    return names[:MOST_NAMES] if field.kind is Kind.ORGANIZATION else ()


def _explained(field: Field) -> str:
    """Return what a column wants: its help, and the form of its values."""
    form = "、".join(field.choices) if field.kind is Kind.ENUM else _FORMS[field.kind]
    if field.kind is Kind.TEXT and field.max_length:
        form = f"文字，最多 {field.max_length} 字"
    return "。".join(part for part in (field.help, form) if part)


_TITLE = Font(bold=True, size=13)
_BOLD = Font(bold=True)
_TOP = Alignment(vertical="top", wrap_text=True)


def _notes(book: Any, spec: RecordSpec, outs: list[Out], names: dict[str, list[str]]) -> None:
    """Write the sheet that explains the columns, with an example for each."""
    sheet = book.create_sheet(NOTES_SHEET)
    sheet.append([f"{spec.label}：怎样填写"])
    sheet["A1"].font = _TITLE
    for line in _rules(spec, names):
        sheet.append([line])
    sheet.append([])
    sheet.append(["列名", "必填", "填什么", "例如"])
    first = sheet.max_row
    for out in outs:
        assert out.field is not None  # noqa: S101 - only fields are asked for
        needed = "必填" if out.field.required else ""
        sheet.append([out.label, needed, _explained(out.field), _example(spec, out.field)])
    for row in sheet.iter_rows(min_row=first):
        for cell in row:
            cell.alignment = _TOP
            cell.data_type = "s" if isinstance(cell.value, str) else cell.data_type
    for cell in sheet[first]:
        cell.font = _BOLD
    for letter, width in zip("ABCD", (20, 8, 52, 36), strict=True):
        sheet.column_dimensions[letter].width = width


def _rules(spec: RecordSpec, names: dict[str, list[str]]) -> list[str]:
    key = "、".join(spec.field(name).label for name in spec.key)
    lines = [
        f"在“{sheet_name(spec)}”表里从第 2 行起填写，一行一条；带 * 的列必须填写。",
        f"按“{key}”对应：已有的更新，没有的新增；文件里没有的不会删除。有一处错误，整个文件都不导入。",
    ]
    if any(each.name == "status" for each in spec.shown):
        lines.append("“状态”不能导入：新增的从第一个状态开始，以后在页面上逐步办理。")
    shown = [each.label for each in spec.shown if each.name != "status"]
    if shown:
        lines.append(f"导出的文件还有“{'、'.join(shown)}”等列，只供查看，导入时不看。")
    if any(each.personal for each in spec.fields):
        lines.append("中间几位是 **** 的电话是隐去的，再导入时号码保持不变。")
    for name, known in names.items():
        if len(known) > MOST_NAMES:
            label = spec.field(name).label
            lines.append(f"“{label}”的下拉列表只列出前 {MOST_NAMES} 个，其余请直接填写名称。")
    return lines


def _example(spec: RecordSpec, field: Field) -> str:
    if field.name in spec.examples:
        return spec.examples[field.name]
    if field.kind is Kind.ENUM:
        return next(iter(field.choices))
    if field.personal:
        return "13800000000"
    return _SAMPLES.get(field.kind, "")
