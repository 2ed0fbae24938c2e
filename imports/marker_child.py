"""The marking process: a workbook in, the same with marks out. Run by ``imports.marked`` alone.

It binds itself to the memory limit before it touches the file, and imports nothing of the
application. Standard input: ``[list sheet, colour of errors, of warnings, [[sheet, cell, value,
sentence, is an error]…]]`` as JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import warnings
from typing import Any

from openpyxl import load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill

_LEADS = ("=", "+", "-", "@", "\t", "\r", "\n")


def _cell(sheet: Any, ref: str) -> Any:
    """Return the cell of an address; of a merged one, that which carries the value."""
    cell = sheet[ref]
    if not isinstance(cell, MergedCell):
        return cell
    area = next(area for area in sheet.merged_cells.ranges if ref in area)
    return sheet.cell(area.min_row, area.min_col)


def _mark(book: Any, remarks: list[Any], error: str, warning: str) -> None:
    said: dict[tuple[str, str], list[Any]] = {}
    for remark in remarks:
        if remark[0] in book.sheetnames and remark[1]:
            said.setdefault((remark[0], remark[1]), []).append(remark)
    for (sheet, ref), found in said.items():
        cell = _cell(book[sheet], ref)
        worst = any(each[4] for each in found)
        cell.fill = PatternFill("solid", fgColor=error if worst else warning)
        cell.comment = Comment("\n".join(each[3] for each in found), "吹哨报到", 160, 320)


def _list(book: Any, name: str, remarks: list[Any]) -> None:
    page = book.create_sheet(name)
    for letter, width in zip("ABCDE", (8, 22, 10, 30, 70), strict=True):
        page.column_dimensions[letter].width = width
    page.append(["类别", "工作表", "单元格", "文件中的内容", "说明"])
    for number, (sheet, ref, value, message, wrong) in enumerate(remarks, 2):
        for place, text in enumerate(("错误" if wrong else "提醒", sheet, ref, value, message), 1):
            cell = page.cell(number, place)
            cell.value = ILLEGAL_CHARACTERS_RE.sub("", text)
            cell.data_type = "s"
            cell.quotePrefix = text.startswith(_LEADS)


def main(source: str, target: str, memory: int) -> None:
    """Write the workbook at ``source`` to ``target`` with the marks that standard input names."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    warnings.simplefilter("ignore")
    name, error, warning, remarks = json.load(sys.stdin)
    book = load_workbook(source, keep_links=False)
    _mark(book, remarks, error, warning)
    _list(book, name, remarks)
    book.save(target)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
