"""Formulas that failed, or were never computed, as errors of the list in which they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from imports.reader import Fault, Sheet
from imports.specs.base import Column
from imports.tables import Problem, Table
from imports.text import cell_ref


def problems_of(
    faults: Iterable[Fault], columns: Mapping[int, Column], first_row: int, last_row: int
) -> list[Problem]:
    """Return an error for each faulty cell of a list's columns, between two rows, both included.

    What a formula failed to say must not be read as "nothing": the person decides. A formula
    outside the list's columns is nobody's business.
    """
    return [
        Problem(cell_ref(fault.row, fault.column), fault.text, _sentence(fault, column.label))
        for fault in faults
        if first_row <= fault.row <= last_row and (column := columns.get(fault.column)) is not None
    ]


def add_faults(sheet: Sheet, tables: Sequence[Table]) -> None:
    """Add the faults of a sheet to the errors of its lists, given from top to bottom.

    A list reaches from below its heading to the heading of the next.
    """
    if not sheet.faults:
        return
    ends = [table.heading_row - 1 for table in tables[1:]] + [
        max(each.row for each in sheet.faults)
    ]
    for table, last_row in zip(tables, ends, strict=False):
        first_row = table.heading_row + 1
        table.errors += problems_of(sheet.faults, table.columns, first_row, last_row)


def _sentence(fault: Fault, label: str) -> str:
    if fault.kind == "error":
        return f"“{label}”是出错的公式（{fault.text}），请改正公式，或直接填写内容后再导入。"
    return (
        f"“{label}”的公式（{fault.text}）没有计算结果，"
        "请用 Excel 或 WPS 打开并保存一次，或直接填写内容后再导入。"
    )
