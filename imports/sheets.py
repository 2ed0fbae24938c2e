"""What templates and exports have in common: columns, heading rows, and cells that compute nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from imports.kinds import NO, YES
from imports.specs.base import Kind
from imports.specs.outward import Out, SheetSpec
from models.base import Titled
from rules.wording import local
from rules.workbook_cells import MEDIA_TYPE as XLSX
from rules.workbook_cells import fill, text_cell, title_of

__all__ = [
    "TITLE",
    "XLSX",
    "Out",
    "dress",
    "heading",
    "new_book",
    "set_widths",
    "sheet_name",
    "text_cell",
    "title_cell",
    "value_cell",
]

#: The first day that every spreadsheet program counts alike.
_FIRST_DAY = dt.date(1900, 3, 1)
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
TITLE = Font(bold=True, size=13)
_HEAD = Font(bold=True, color="FFFFFF")
_HEAD_FILL = PatternFill("solid", fgColor="1F4E87")
_SHOWN_FILL = PatternFill("solid", fgColor="7F8A99")
_WRAP = Alignment(vertical="center", wrap_text=True)


def sheet_name(spec: SheetSpec) -> str:
    """Return the name of a declaration's sheet: what Excel forbids is not in a label."""
    return title_of(spec.label)


def heading(sheet: Any, out: Out) -> Any:
    """Return the heading cell of a column for a streamed sheet."""
    cell = fill(WriteOnlyCell(sheet), out.label)
    dress(cell, out)
    return cell


def title_cell(sheet: Any, text: str) -> Any:
    """Return the cell of a list's title for a streamed sheet."""
    cell = fill(WriteOnlyCell(sheet), text)
    cell.font = TITLE
    return cell


def dress(cell: Any, out: Out) -> None:
    """Give a heading its looks: what is only exported is paler than what is imported."""
    cell.font, cell.alignment = _HEAD, _WRAP
    cell.fill = _HEAD_FILL if out.field is not None else _SHOWN_FILL


def set_widths(sheet: Any, outs: Sequence[Out]) -> None:
    """Give the columns widths by what they hold. Before the first row, where rows are streamed."""
    for number, out in enumerate(outs, 1):
        kind = out.field.kind if out.field else Kind.TEXT
        width = _WIDTHS.get(kind, 16)
        if out.field is not None and kind is Kind.TEXT:
            width = 40 if out.field.multiline else 24 if (out.field.max_length or 0) > 60 else 16
        sheet.column_dimensions[get_column_letter(number)].width = width


def value_cell(sheet: Any, value: Any) -> Any:
    """Return what to append for a value: dates and numbers as such, all else as text.

    Instants are texts, in Shanghai's time as on the pages.
    """
    if value is None or value == "":
        return None
    if isinstance(value, Titled):
        return text_cell(sheet, value.title)
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, dt.datetime):
        return local(value)
    if isinstance(value, dt.date) and value < _FIRST_DAY:
        return value.isoformat()
    if isinstance(value, str):
        return text_cell(sheet, value)
    return value


def new_book() -> Any:
    """Return a workbook whose rows are written as they are appended, and not kept."""
    return Workbook(write_only=True)
