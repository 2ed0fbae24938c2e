"""The reading process: one file in, messages out. Started by ``imports.reader``, never imported.

It loads little, so that it starts in a few dozen milliseconds, and binds itself to its limits before
it touches the file: calamine aborts the process on hostile sheets, and only this process dies.

What to read comes as one msgpack map on standard input. What is read goes to standard output as
msgpack pairs: ``["sheet", [name, hidden, merges]]`` opens a sheet; ``["rows", [[row, values]…]]``
are rows with something in them (counted from 1, trailing blanks cut); ``["faults", [[row, column,
text, kind]…]]`` ends a sheet that has any; ``["done", null]`` ends it all, or ``["refused", [reason,
detail]]``. Dates and times are packed by ``imports.packing``.
"""

from __future__ import annotations

import os
import resource
import struct
import sys
import zlib
from collections.abc import Iterable

import msgpack
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from imports.error_cells import (
    Doctype,
    RawFault,
    TooManyFaults,
    excel_faults,
    ods_faults,
    sheet_parts,
    shows_fault,
)
from imports.packing import pack_date
from imports.zip_parts import ExpandsTooFar, ZipParts

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself takes as long to load as calamine
    from typing import Any, BinaryIO

_BATCH = 1 << 17
_MOST_SHEETS = 1_000


class Refused(Exception):
    """There is nothing to read: a reason that ``imports.reader`` has a sentence for, a detail."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


def _plain(value: Any) -> msgpack.ExtType | str:
    """Pack what msgpack has no type for: a date, and what calamine alone knows as its text."""
    try:
        return pack_date(value)
    except TypeError:
        return str(value)


class _Output:
    """Standard output, and the count of what may still be written to it."""

    def __init__(self, file: BinaryIO, task: dict[str, Any]) -> None:
        self.file = file
        self.packer = msgpack.Packer(default=_plain)
        self.room: int = task["rows"]
        self.cells: int = task["cells"]
        self.text: int = task["text"]
        self.faults: int = task["faults"]
        self.characters: int = task["characters"]
        self.blanks = False

    def send(self, kind: str, payload: Any) -> None:
        """Write one message."""
        self.file.write(self.packer.pack((kind, payload)))

    def spend(self, cells: int) -> None:
        """Count cells, or what is worth as much."""
        self.cells -= cells
        if self.cells < 0:
            raise Refused("cells")

    def rows(self, rows: Iterable[list[Any]], left: int = 0) -> None:
        """Write rows, of which the first is row 1; all stand ``left`` columns further right.

        Notes in ``blanks`` whether any cell was empty.
        """
        pack = self.packer.pack
        margin = [""] * left
        batch: list[bytes] = []
        size = 0
        for number, values in enumerate(rows, 1):
            if "" in values:
                self.blanks = True
                while values and values[-1] == "":
                    values.pop()
                if not values:
                    continue
            packed = pack((number, margin + values if left else values))
            batch.append(packed)
            size += len(packed)
            self.spend(left + len(values))
            if len(packed) > self.characters:
                self._check_length(number, values)
            if size > _BATCH:
                self._write(batch, size)
                batch, size = [], 0
        if batch:
            self._write(batch, size)

    def _check_length(self, number: int, values: list[Any]) -> None:
        for value in values:
            if isinstance(value, str) and len(value) > self.characters:
                raise Refused("long", str(number))

    def _write(self, batch: list[bytes], size: int) -> None:
        self.text -= size
        self.room -= len(batch)
        if self.text < 0 or self.room < 0:
            raise Refused("cells")
        # A pair by hand: its second half is packed already.
        head = b"\x92" + self.packer.pack("rows") + self.packer.pack_array_header(len(batch))
        self.file.write(head + b"".join(batch))


def _read_workbook(task: dict[str, Any], output: _Output) -> None:
    path, kind = task["path"], task["kind"]
    parts = ZipParts(path, task["parts"], task["expanded"])
    finder = _FaultFinder(path, kind, parts, output.faults)
    with CalamineWorkbook.from_path(path) as workbook:
        sheets = workbook.sheets_metadata
        if len(sheets) > _MOST_SHEETS:
            raise Refused("cells")
        for index, meta in enumerate(sheets):
            if meta.typ != SheetTypeEnum.WorkSheet:
                continue
            hidden = meta.visible != SheetVisibleEnum.Visible
            if hidden:
                output.send("sheet", (meta.name, True, ()))
                continue
            sheet = workbook.get_sheet_by_index(index)
            merges = _merges(sheet)
            output.spend(4 * len(merges))
            output.send("sheet", (meta.name, False, merges))
            output.blanks = False
            if (start := sheet.start) is not None:
                # iter_rows begins at the first row, but at the first column that holds something.
                output.rows(sheet.iter_rows(), start[1])
            del sheet  # its values; what follows needs room of its own
            if faults := finder.of(index, meta.name, blanks=output.blanks):
                output.faults -= len(faults)
                if output.faults < 0:
                    raise TooManyFaults
                output.send("faults", faults)


def _merges(sheet: CalamineSheet) -> list[tuple[int, int, int, int]]:
    return [
        (top + 1, left, bottom + 1, right)
        for (top, left), (bottom, right) in sheet.merged_cell_ranges or ()
    ]


class _FaultFinder:
    """Finds the error cells that calamine has read as empty, by the kind of file."""

    def __init__(self, path: str, kind: str, parts: ZipParts, limit: int) -> None:
        self.kind = kind
        self.parts = parts
        self.limit = limit
        self.by_name: dict[str, list[RawFault]] = {}
        self.by_index: list[list[RawFault]] = []
        self.names: dict[str, str] = {}
        if kind == "xlsx":
            self.names = sheet_parts(parts)
        elif kind == "ods":
            self.by_name = ods_faults(parts, limit)
        else:
            self.by_index = _old_faults(path, limit)

    def of(self, index: int, name: str, *, blanks: bool) -> list[RawFault]:
        """Return the faults of a sheet; ``blanks`` says whether any of its cells was empty."""
        if self.kind == "ods":
            return self.by_name.get(name, [])
        if self.kind != "xlsx":
            return self.by_index[index] if index < len(self.by_index) else []
        part = self.names.get(name)
        if part is None:
            raise Refused("damaged")
        # An error is a value to calamine: a sheet without a blank cell has none.
        if not shows_fault(self.parts.chunks(part), errors=blanks):
            return []
        return excel_faults(self.parts.chunks(part), self.limit)


def _old_faults(path: str, limit: int) -> list[list[RawFault]]:
    from imports.old_excel import Locked, NoWorkbook, old_faults

    try:
        return old_faults(path, limit)
    except Locked:
        raise Refused("password") from None
    except NoWorkbook as error:
        raise Refused("other", str(error)) from None


def _read_text(task: dict[str, Any], output: _Output) -> None:
    import csv

    from imports.delimited import UnknownEncoding, delimited_rows

    output.send("sheet", (task["title"], False, ()))
    try:
        output.rows(delimited_rows(task["path"], output.characters))
    except UnknownEncoding:
        raise Refused("encoding") from None
    except csv.Error:
        raise Refused("quotes") from None


def _read_page(task: dict[str, Any], output: _Output) -> None:
    from imports.delimited import UnknownEncoding
    from imports.web_tables import web_tables

    number = 0
    try:
        for number, (rows, merges) in enumerate(web_tables(task["path"]), 1):
            name = task["title"] if number == 1 else f"{task['title']} {number}"
            output.spend(4 * len(merges))
            output.send("sheet", (name, False, merges))
            output.rows(rows)
    except UnknownEncoding:
        raise Refused("encoding") from None
    if number == 0:
        raise Refused("page")


def _read(task: dict[str, Any], output: _Output) -> None:
    """Write what the file holds, or why it is refused."""
    readers = {"text": _read_text, "html": _read_page}
    try:
        readers.get(task["kind"], _read_workbook)(task, output)
        output.send("done", None)
    except Refused as refused:
        output.send("refused", (refused.reason, refused.detail))
    except PasswordError:
        output.send("refused", ("password", ""))
    except MemoryError:
        output.send("refused", ("cells", ""))
    except TooManyFaults:
        output.send("refused", ("faults", ""))
    except ExpandsTooFar:
        output.send("refused", ("expanded", ""))
    except Doctype:
        output.send("refused", ("entities", ""))
    except (CalamineError, OSError, ValueError, LookupError, struct.error, zlib.error) as error:
        output.send("refused", (_reason(str(error)), ""))


def _reason(message: str) -> str:
    """Tell by calamine's words what was wrong, where that is more than damage."""
    if "unrecognized entity" in message:
        return "entities"
    return "cells" if "Cell limit exceeded" in message else "damaged"


def main() -> None:
    """Do the task on standard input under its limits."""
    task = msgpack.unpackb(sys.stdin.buffer.read())
    resource.setrlimit(resource.RLIMIT_AS, (task["memory"], task["memory"]))
    resource.setrlimit(resource.RLIMIT_CPU, (task["seconds"], task["seconds"] + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _read(task, _Output(sys.stdout.buffer, task))
    sys.stdout.buffer.flush()
    os._exit(0)  # the system takes the memory back faster than it is freed piece by piece
