"""Read a workbook into sheets of plain values, in a process of its own that may die alone."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from imports.probe import LIMITS, Limits, WorkbookRefused, probe
from imports.text import CellValue

_CHILD = Path(__file__).with_name("reader_child.py")


class Row(NamedTuple):
    """One row that holds something: its number (from 1) and its values from column A on."""

    number: int
    values: list[CellValue]


class Merge(NamedTuple):
    """A merged range: rows from 1, columns from 0, both ends included."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass
class Sheet:
    """One worksheet. ``rows`` leaves out rows without a value; a hidden sheet is not read at all."""

    name: str
    hidden: bool = False
    rows: list[Row] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)


def read(path: Path, *, limits: Limits = LIMITS, name: str | None = None) -> list[Sheet]:
    """Probe and read an .xlsx, .xlsm, .xls or .ods file; raise ``WorkbookRefused`` if that fails.

    ``name`` is the name under which the person knows the file, for the sentence.
    """
    name = name or path.name
    probe(path, limits, name)
    return _sheets(_run_child(path, limits, name), name)


def _run_child(path: Path, limits: Limits, name: str) -> bytes:
    command = [
        sys.executable,
        "-I",
        str(_CHILD),
        str(path.resolve()),
        str(limits.memory),
        str(limits.cells),
    ]
    try:
        result = subprocess.run(  # noqa: S603 - our own reader, and a path that is no option
            command,
            check=False,
            capture_output=True,
            timeout=limits.seconds,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise WorkbookRefused(
            f"文件“{name}”读了 {limits.seconds:.0f} 秒还没有读完，已停止；"
            "请删去空白格式，或拆成几个文件再导入。"
        ) from error
    if result.returncode != 0:
        raise WorkbookRefused(
            f"文件“{name}”读不出来：表格范围太大或内容已损坏。"
            "请把有内容的部分复制到新的工作簿，另存为 .xlsx 再导入。"
        )
    return result.stdout


_REFUSALS = {
    "password": "文件“{name}”加了密码，请取消密码后再导入。",
    "cells": "文件“{name}”的内容太多，一次读不下，请拆成几个文件再导入。",
    "damaged": "文件“{name}”不完整或已损坏，请用 Excel 或 WPS 打开后另存为 .xlsx 再导入。",
}


def _sheets(output: bytes, name: str) -> list[Sheet]:
    sheets: list[Sheet] = []
    done = False
    loads = json.loads
    for line in output.decode("utf-8").split("\n"):
        if line.startswith("["):
            number, values = loads(line)
            if "{" in line:
                values = [_value(value) for value in values]
            sheets[-1].rows.append(Row(number, values))
        elif line:
            message: dict[str, Any] = loads(line)
            if "refused" in message:
                raise WorkbookRefused(_REFUSALS[message["refused"]].format(name=name))
            done = done or "done" in message
            if "sheet" in message:
                merges = [Merge(*merge) for merge in message["merges"]]
                sheets.append(Sheet(message["sheet"], message["hidden"], merges=merges))
    if not done:
        raise WorkbookRefused(_REFUSALS["damaged"].format(name=name))
    return sheets


def _value(value: Any) -> CellValue:
    """Turn the child's dates back into dates; everything else is a plain JSON value already."""
    if not isinstance(value, dict):
        return value
    kind, text = next(iter(value.items()))
    if kind == "dt":
        return dt.datetime.fromisoformat(text)
    if kind == "d":
        return dt.date.fromisoformat(text)
    return dt.time.fromisoformat(text)
