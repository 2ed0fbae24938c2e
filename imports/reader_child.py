"""The reading process: one workbook in, JSON lines out. Run by ``imports.reader``, never imported.

It imports nothing of the application, so that it starts in a few dozen milliseconds, and binds
itself to the memory limit before it touches the file: calamine aborts the process on hostile
sheets, and only this process dies.

Lines: ``{"sheet", "hidden", "merges"}`` opens a sheet, ``[row, [values…]]`` is a row with
something in it (rows count from 1, trailing blanks are cut), ``{"done": true}`` ends the output.
``{"refused": reason}`` says why there is nothing to read: ``password``, ``cells`` or ``damaged``.
Dates come as ``{"d": …}``, ``{"dt": …}``, ``{"t": …}`` in ISO form.
"""

from __future__ import annotations

import datetime as dt
import json
import resource
import sys
from typing import Any

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

_BATCH = 2_000


class _TooManyCells(Exception):
    """The sheets hold more cells than the limit."""


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return {"dt": value.isoformat()}
    if isinstance(value, dt.date):
        return {"d": value.isoformat()}
    if isinstance(value, dt.time):
        return {"t": value.isoformat()}
    if isinstance(value, dt.timedelta):
        return str(value)
    raise TypeError(type(value).__name__)


_encode = json.JSONEncoder(ensure_ascii=False, default=_plain, separators=(",", ":")).encode


def _filled(values: list[Any]) -> list[Any]:
    """Cut trailing blanks; a blank between values stays, as the empty text."""
    end = len(values)
    while end and (values[end - 1] == "" or values[end - 1] is None):
        end -= 1
    return values[:end]


def _write_sheet(sheet: CalamineSheet, budget: int) -> int:
    """Write the sheet's rows and return how many more cells may be written."""
    start = sheet.start
    if start is None:
        return budget
    # iter_rows begins at the sheet's first row, but at the first column that holds something.
    left: list[Any] = [""] * start[1]
    lines: list[str] = []
    for number, values in enumerate(sheet.iter_rows(), 1):
        row = _filled(values)
        if not row:
            continue
        row = left + row if left else row
        budget -= len(row)
        if budget < 0:
            raise _TooManyCells
        lines.append(_encode([number, row]))
        if len(lines) == _BATCH:
            print("\n".join(lines))
            lines.clear()
    if lines:
        print("\n".join(lines))
    return budget


def _write(path: str, budget: int) -> None:
    with CalamineWorkbook.from_path(path) as workbook:
        for index, meta in enumerate(workbook.sheets_metadata):
            if meta.typ != SheetTypeEnum.WorkSheet:
                continue
            hidden = meta.visible != SheetVisibleEnum.Visible
            if hidden:
                print(_encode({"sheet": meta.name, "hidden": True, "merges": []}))
                continue
            sheet = workbook.get_sheet_by_index(index)
            merges = [
                (top + 1, left, bottom + 1, right)
                for (top, left), (bottom, right) in sheet.merged_cell_ranges or ()
            ]
            print(_encode({"sheet": meta.name, "hidden": False, "merges": merges}))
            budget = _write_sheet(sheet, budget)
    print(_encode({"done": True}))


def main(path: str, memory: int, budget: int) -> None:
    """Write the workbook at ``path`` to standard output under the limits given."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    try:
        _write(path, budget)
    except PasswordError:
        print(_encode({"refused": "password"}))
    except (_TooManyCells, MemoryError):
        print(_encode({"refused": "cells"}))
    except (CalamineError, OSError, ValueError):
        print(_encode({"refused": "damaged"}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
