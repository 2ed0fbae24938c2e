"""What templates and exports have in common: columns, heading rows, and cells that compute nothing."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ERROR_CODES, ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from imports.kinds import NO, YES
from imports.specs.base import Field, Kind
from imports.specs.records import RecordSpec
from models.base import Titled

#: A spreadsheet computes a text that begins so, if it is ever typed or pasted again.
_LEADS = ("=", "+", "-", "@", "\t", "\r", "\n")
#: The first day that every spreadsheet program counts alike.
_FIRST_DAY = dt.date(1900, 3, 1)
_LONGEST_CELL = 32_767
#: How a workbook writes characters that it cannot hold; a text that says so itself is escaped.
_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_WIDTHS = {
    Kind.DATE: 13,
    Kind.TIME: 10,
    Kind.INTEGER: 10,
    Kind.DECIMAL: 12,
    Kind.FLAG: 10,
    Kind.ENUM: 12,
    Kind.ORGANIZATION: 22,
    Kind.ORGANIZATIONS: 28,
}
_HEAD = Font(bold=True, color="FFFFFF")
_HEAD_FILL = PatternFill("solid", fgColor="1F4E87")
_SHOWN_FILL = PatternFill("solid", fgColor="7F8A99")
_WRAP = Alignment(vertical="center", wrap_text=True)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Out:
    """A column of a sheet: its name in the declaration, its heading, and the field it fills."""

    name: str
    label: str
    field: Field | None


def columns_of(spec: RecordSpec, *, shown: bool) -> list[Out]:
    """Return a declaration's columns in order, with or without those that are only exported."""
    fields = {each.name: each for each in spec.fields}
    labels = {each.name: each.label for each in spec.shown}
    return [
        Out(name, fields[name].label if name in fields else labels[name], fields.get(name))
        for name in spec.order
        if shown or name in fields
    ]


def sheet_name(spec: RecordSpec) -> str:
    """Return the name of a declaration's sheet: what Excel forbids is not in a label."""
    return re.sub(r"[\\/*?:\[\]]", "", spec.label)[:31]


def heading(sheet: Any, out: Out) -> Any:
    """Return the heading cell of a column for a streamed sheet."""
    cell = WriteOnlyCell(sheet, out.label)
    dress(cell, out)
    return cell


def dress(cell: Any, out: Out) -> None:
    """Give a heading its looks: what is only exported is paler than what is imported."""
    cell.font, cell.alignment = _HEAD, _WRAP
    cell.fill = _HEAD_FILL if out.field is not None else _SHOWN_FILL


def set_widths(sheet: Any, outs: list[Out]) -> None:
    """Give the columns widths by what they hold. Before the first row, where rows are streamed."""
    for number, out in enumerate(outs, 1):
        kind = out.field.kind if out.field else Kind.TEXT
        width = _WIDTHS.get(kind, 16)
        if out.field is not None and kind is Kind.TEXT:
            width = 40 if out.field.multiline else 24 if (out.field.max_length or 0) > 60 else 16
        sheet.column_dimensions[get_column_letter(number)].width = width


def text_cell(sheet: Any, text: str) -> Any:
    """Return what to append for a text so that it stays one, whatever it begins with.

    ``quotePrefix`` is the apostrophe that a person would type before it: Excel shows the text
    without, and leaves it a text when the cell is edited. Control characters that no sheet can hold
    are dropped.
    """
    text = _ESCAPED.sub("_x005F_", ILLEGAL_CHARACTERS_RE.sub("", text))[:_LONGEST_CELL]
    if not text:
        return None
    computes = text.startswith(_LEADS)
    if not computes and text not in ERROR_CODES:
        return text
    cell = WriteOnlyCell(sheet)
    cell.value = text
    cell.data_type = "s"
    cell.quotePrefix = computes
    return cell


def value_cell(sheet: Any, value: Any) -> Any:
    """Return what to append for a value: dates and numbers as such, all else as text."""
    if value is None or value == "":
        return None
    if isinstance(value, Titled):
        return text_cell(sheet, value.title)
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, dt.datetime):
        return text_cell(sheet, value.isoformat(sep=" ", timespec="minutes"))
    if isinstance(value, dt.date) and value < _FIRST_DAY:
        return value.isoformat()
    if isinstance(value, str):
        return text_cell(sheet, value)
    return value


def new_book() -> Any:
    """Return a workbook whose rows are written as they are appended, and not kept."""
    return Workbook(write_only=True)
