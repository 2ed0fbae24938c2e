"""Read a workbook into sheets of plain values, in a process of its own that may die alone."""

from __future__ import annotations

import math
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgpack

from imports.packing import unpack_date
from imports.probe import (
    LIMITS,
    Kind,
    Limits,
    Probed,
    WorkbookRefused,
    damaged,
    expands_too_far,
    no_table,
    probe,
)
from imports.text import CellValue

_ROOT = Path(__file__).parents[1]
_READ = 1 << 18
_LONGEST_MESSAGE = 64 << 20
#: How often ``watch`` is called while the file is read, in seconds.
PULSE = 0.2
#: Characters of a text that probably stands in other cells too, and how many of them are remembered.
_SHORT, _MOST_SHORT = 24, 20_000


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


class Fault(NamedTuple):
    """A cell that only looks empty: its row (from 1), its column (from 0), and what it shows.

    An ``error`` shows ``#REF!`` or the like, an ``uncalculated`` formula itself, ``=A1+B1``.
    """

    row: int
    column: int
    text: str
    kind: Literal["error", "uncalculated"]


@dataclass
class Sheet:
    """One worksheet. ``rows`` leaves out rows without a value; a hidden sheet is not read at all."""

    name: str
    hidden: bool = False
    rows: list[Row] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


Watch = Callable[[], None]


def read(
    path: Path, *, limits: Limits = LIMITS, name: str | None = None, watch: Watch | None = None
) -> list[Sheet]:
    """Probe and read a workbook (.xlsx, .xlsm, .xls, .et, .ods), a .csv or a saved web table.

    The content decides, not the name. ``name`` is the name under which the person knows the file,
    for the sentence. ``watch`` is called every ``PULSE`` seconds or so; if it raises, the reading
    ends with that exception. Raises ``WorkbookRefused`` if the file cannot be read.
    """
    sheets: list[Sheet] = []
    for sheet, rows in stream(path, limits=limits, name=name, watch=watch):
        if not sheets or sheets[-1] is not sheet:
            sheets.append(sheet)
        sheet.rows += rows
    return sheets


def stream(
    path: Path, *, limits: Limits = LIMITS, name: str | None = None, watch: Watch | None = None
) -> Iterator[tuple[Sheet, list[Row]]]:
    """Read like ``read``, but hand over some hundred rows at a time and keep none of them.

    Each sheet comes at least once, perhaps without rows. Its ``faults`` are known when the next
    sheet comes, or the end. The file is refused at any time until the end, even after rows.
    """
    name = name or path.name
    probed = probe(path, limits, name)
    sheet: Sheet | None = None
    short: dict[str, str] = {}
    with _named_by_content(path.resolve(), probed.kind) as target:
        for kind, payload in _Child(target, probed, limits, name, watch).messages():
            if kind == "rows" and sheet is not None:
                _share(payload, short)
                yield sheet, list(map(Row._make, payload))
            elif kind == "sheet":
                title, hidden, merges = payload
                sheet = Sheet(title, hidden, merges=[Merge(*merge) for merge in merges])
                yield sheet, []
            elif kind == "faults" and sheet is not None:
                sheet.faults = [Fault(*fault) for fault in payload]


def _share(rows: list[tuple[int, list[CellValue]]], short: dict[str, str]) -> None:
    """Hold a short text once, however many cells say it: categories and departments repeat."""
    if len(short) > _MOST_SHORT:
        short.clear()
    share = short.setdefault
    for _number, values in rows:
        for place, value in enumerate(values):
            if type(value) is str and len(value) <= _SHORT:
                values[place] = share(value, value)


@contextmanager
def _named_by_content(path: Path, kind: Kind) -> Iterator[Path]:
    """Give the file a name that tells its kind: calamine believes the name."""
    fits = {Kind.XLSX: (".xlsx", ".xlsm"), Kind.XLS: (".xls",), Kind.ODS: (".ods",)}
    suffixes = fits.get(kind)
    if suffixes is None or path.suffix.lower() in suffixes:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder, f"workbook{suffixes[0]}")
        link.symlink_to(path)
        yield link


class _Child:
    """The reading process at work on one file."""

    def __init__(
        self, path: Path, probed: Probed, limits: Limits, name: str, watch: Watch | None
    ) -> None:
        self.limits = limits
        self.name = name
        self.watch = watch
        self.task = {
            "path": str(path),
            "kind": str(probed.kind),
            "title": Path(name).stem.encode("utf-8", "replace").decode(),
            "parts": probed.parts,
            "memory": limits.memory,
            "seconds": max(1, math.ceil(limits.seconds)),
            "expanded": limits.expanded,
            "rows": limits.rows,
            "cells": limits.cells,
            "text": limits.text,
            "faults": limits.faults,
            "characters": limits.characters,
        }

    def messages(self) -> Iterator[tuple[str, Any]]:
        """Give the process's messages up to the last; kill it if they are not wanted any more."""
        process = _start()
        try:
            with suppress(BrokenPipeError):
                process.stdin.write(msgpack.packb(self.task))
                process.stdin.close()
            unpacker = msgpack.Unpacker(ext_hook=unpack_date, max_buffer_size=_LONGEST_MESSAGE)
            for chunk in self._chunks(process):
                unpacker.feed(chunk)
                for kind, payload in unpacker:
                    if kind == "done":
                        return
                    if kind == "refused":
                        raise WorkbookRefused(
                            _refusal(payload[0], payload[1], self.name, self.limits)
                        )
                    yield kind, payload
            raise WorkbookRefused(_died(process.wait(), self.name, self.limits))
        except msgpack.BufferFull as error:
            raise WorkbookRefused(_refusal("cells", "", self.name, self.limits)) from error
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
            with suppress(BrokenPipeError):
                process.stdin.close()

    def _chunks(self, process: _Process) -> Iterator[bytes]:
        """Give what the process writes; only the time that we wait for it counts as its own."""
        output = process.stdout.fileno()
        poll = select.poll()  # select() itself knows no file beyond the 1,024th
        poll.register(output, select.POLLIN)
        waited = 0.0
        last = time.monotonic()
        while True:
            before = time.monotonic()
            if self.watch is not None and before - last >= PULSE:
                self.watch()
                last = before
            left = self.limits.patience - waited
            if left <= 0:
                raise WorkbookRefused(_too_slow(self.name, self.limits.patience))
            ready = poll.poll(1000 * min(PULSE, left))
            waited += time.monotonic() - before
            if ready:
                chunk = os.read(output, _READ)
                if not chunk:
                    return
                yield chunk


class _Process(subprocess.Popen[bytes]):
    """A process whose standard input and output are pipes."""

    stdin: Any
    stdout: Any


def _start() -> _Process:
    # -S spares it the site packages' start-up files; where the packages are, it is told.
    paths = [str(_ROOT), *(path for path in sys.path if path)]
    code = "import sys; sys.path += sys.argv[1:]; from imports.reader_child import main; main()"
    return _Process(
        [sys.executable, "-I", "-S", "-c", code, *paths],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # Where memory has run out, there is none for a backtrace either: the process would hang.
        env=os.environ | {"RUST_BACKTRACE": "0"},
    )


# Sentences


def _refusal(reason: str, detail: str, name: str, limits: Limits) -> str:
    """Return the sentence for what the process has refused."""
    sentences = {
        "password": f"文件“{name}”加了密码，请在 Excel 或 WPS 中取消密码后再导入。",
        "cells": f"文件“{name}”的内容太多，一次读不下，请拆成几个文件再导入。",
        "long": (
            f"文件“{name}”第 {detail} 行有一格超过 {limits.characters} 字，"
            "不是正常的表格，没有读取；请改短后再导入。"
        ),
        "quotes": (
            f"文件“{name}”里有一格超过 {limits.characters} 字，多半是引号没有成对，没有读取；"
            "请改正后再导入，或用 Excel、WPS 打开后另存为 .xlsx。"
        ),
        "page": no_table(name, "没有表格的网页"),
        "faults": (
            f"文件“{name}”里出错或没有计算结果的公式超过 {limits.faults} 个，"
            "请改正公式，或把公式粘贴为数值后再导入。"
        ),
        "encoding": (
            f"文件“{name}”的文字编码认不出来，"
            "请用 Excel 或 WPS 打开，看到的文字无误后另存为 .xlsx 再导入。"
        ),
        "entities": (
            f"文件“{name}”里有 Excel 不会写入的 XML 实体，可能不安全，没有读取；"
            "请用 Excel 或 WPS 打开后另存为 .xlsx 再导入。"
        ),
        "expanded": expands_too_far(name, limits),
        "other": no_table(name, detail),
    }
    return sentences.get(reason) or damaged(name)


def _died(code: int, name: str, limits: Limits) -> str:
    if code == -signal.SIGXCPU:
        return _too_slow(name, limits.seconds)
    return (
        f"文件“{name}”读不出来：表格范围太大或内容已损坏。"
        "请把有内容的部分复制到新的工作簿，另存为 .xlsx 再导入。"
    )


def _too_slow(name: str, seconds: float) -> str:
    return (
        f"文件“{name}”读了 {seconds:.0f} 秒还没有读完，已停止；"
        "请删去空白格式，或拆成几个文件再导入。"
    )
