"""The uploaded workbook once more, with every cell that is wrong coloured and commented."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.utils.cell import coordinate_to_tuple

from imports.plan import Plan
from imports.probe import Kind, probe
from imports.reader import Sheet, read
from imports.sheets import new_book, text_cell, value_cell

_CHILD = Path(__file__).with_name("marker_child.py")
#: What the marking process may use: bytes of address space, seconds.
_MEMORY, _SECONDS = 1_500 << 20, 60.0
#: The sheet that lists all remarks, at the end.
LIST_SHEET = "错误清单"
ERROR, WARNING = "FFC7CE", "FFEB9C"


class Remark(NamedTuple):
    """What is said of a cell: the sheet, the address (may be empty), its value, the sentence."""

    sheet: str
    cell: str
    value: str
    message: str
    error: bool


def remarks_of(plan: Plan) -> list[Remark]:
    """Return everything that a plan says of cells, errors before warnings sheet by sheet."""
    return [
        Remark(sheet.sheet, *problem, error)
        for sheet in plan.sheets
        for error, problems in ((True, sheet.errors), (False, sheet.warnings))
        for problem in problems
    ]


def marked(path: Path, name: str, remarks: Sequence[Remark]) -> bytes:
    """Return an .xlsx file with the remarks: cells coloured and commented, and a list of them all.

    A workbook that openpyxl can write again keeps its looks; what it cannot (.xls, .ods, .csv, or
    too big for it) is made anew from its values. Raises ``WorkbookRefused`` if it cannot be read.
    """
    is_xlsx = probe(path, name=name).kind is Kind.XLSX
    if is_xlsx and (content := _marked_by_child(path, remarks)) is not None:
        return content
    return _made_anew(read(path, name=name), remarks)


def _marked_by_child(path: Path, remarks: Sequence[Remark]) -> bytes | None:
    """Let a process of its own write the marks: the file is a stranger's. ``None`` if it cannot."""
    with tempfile.TemporaryDirectory(prefix="chuishao-") as folder:
        target = Path(folder) / "marked.xlsx"
        command = [sys.executable, "-I", str(_CHILD), str(path), str(target), str(_MEMORY)]
        try:
            done = subprocess.run(  # noqa: S603 - our own script, and paths that are no options
                command,
                input=json.dumps([LIST_SHEET, ERROR, WARNING, remarks]).encode(),
                check=False,
                capture_output=True,
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return None
        return target.read_bytes() if done.returncode == 0 and target.is_file() else None


def _made_anew(sheets: Iterable[Sheet], remarks: Sequence[Remark]) -> bytes:
    book = new_book()
    for sheet in sheets:
        if sheet.hidden:
            continue
        page = book.create_sheet(sheet.name)
        said = _by_cell(each for each in remarks if each.sheet == sheet.name and each.cell)
        written = 0
        for row in sheet.rows:
            for _blank in range(written + 1, row.number):
                page.append(())
            page.append(_row(page, row.values, said.get(row.number, {})))
            written = row.number
    _list(book, remarks)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _by_cell(remarks: Iterable[Remark]) -> dict[int, dict[int, list[Remark]]]:
    """Return remarks by the row (from 1) and then the place (from 0) of their cell."""
    found: dict[int, dict[int, list[Remark]]] = {}
    for remark in remarks:
        row, column = coordinate_to_tuple(remark.cell)
        found.setdefault(row, {}).setdefault(column - 1, []).append(remark)
    return found


def _row(page: Any, values: Sequence[Any], said: dict[int, list[Remark]]) -> list[Any]:
    cells = [value_cell(page, value) for value in values]
    for place, remarks in said.items():
        cells += [None] * (place + 1 - len(cells))
        cells[place] = _mark(page, cells[place], remarks)
    return cells


def _mark(page: Any, cell: Any, remarks: Sequence[Remark]) -> Any:
    if not isinstance(cell, Cell):
        cell = WriteOnlyCell(page, cell)
    worst = any(each.error for each in remarks)
    cell.fill = PatternFill("solid", fgColor=ERROR if worst else WARNING)
    cell.comment = Comment("\n".join(each.message for each in remarks), "吹哨报到")
    return cell


def _list(book: Any, remarks: Sequence[Remark]) -> None:
    page = book.create_sheet(LIST_SHEET)
    for letter, width in zip("ABCDE", (8, 22, 10, 30, 70), strict=True):
        page.column_dimensions[letter].width = width
    page.append(["类别", "工作表", "单元格", "文件中的内容", "说明"])
    for each in remarks:
        texts = ("错误" if each.error else "提醒", each.sheet, each.cell, each.value, each.message)
        page.append([text_cell(page, text) for text in texts])
