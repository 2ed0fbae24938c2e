"""Workbooks to take away: sheets of plain values, written row by row."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from rules.workbook_cells import MEDIA_TYPE as MEDIA_TYPE
from rules.workbook_cells import fill
from rules.workbook_cells import title_of as title_of

#: What a cell may hold.
Content = str | int | Decimal | dt.date | None
#: How Excel writes a ratio, and money.
SHARE, MONEY = "0.0%", "#,##0.00"


@dataclass(frozen=True)
class Sheet:
    """A sheet: its headings, and its rows as wide as they are.

    ``formats`` are Excel's number formats by column, ``widths`` in characters; both may be shorter
    than the headings.
    """

    title: str
    headings: Sequence[str]
    rows: Iterable[Sequence[Content]]
    formats: Sequence[str] = ()
    widths: Sequence[int] = ()


def workbook(sheets: Iterable[Sheet]) -> io.BytesIO:
    """Return an .xlsx file with these sheets, ready to be read from its start."""
    book = Workbook(write_only=True)
    for sheet in sheets:
        made = book.create_sheet(title_of(sheet.title))
        made.freeze_panes = "B2"
        for number, heading in enumerate(sheet.headings):
            width = sheet.widths[number] if number < len(sheet.widths) else 12
            letter = get_column_letter(number + 1)
            made.column_dimensions[letter].width = max(width, 2 * len(heading) + 2)
        made.append([_heading(made, each) for each in sheet.headings])
        for row in sheet.rows:
            made.append([_cell(made, value, sheet, number) for number, value in enumerate(row)])
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def _heading(sheet: Any, text: str) -> Any:
    cell = fill(WriteOnlyCell(sheet), text)
    cell.font = Font(bold=True)
    cell.alignment = Alignment(wrap_text=True, vertical="center")
    return cell


def _cell(sheet: Any, value: Content, about: Sheet, column: int) -> Any:
    if isinstance(value, str):
        return fill(WriteOnlyCell(sheet), value)
    held: Any = value
    cell = WriteOnlyCell(sheet, held)
    if isinstance(value, dt.date):
        cell.number_format = "yyyy-mm-dd"
    elif column < len(about.formats) and about.formats[column]:
        cell.number_format = about.formats[column]
    return cell
