"""Old .xls files (BIFF in an OLE container): what they are, and their error cells.

For the reading process only. The fast reader gives an empty text for an error cell.
"""

from __future__ import annotations

import struct

import olefile

from imports.error_cells import RawFault, TooManyFaults

_BOUNDSHEET, _FILEPASS, _FORMULA, _BOOLERR, _EOF, _BOF = 0x85, 0x2F, 0x06, 0x0205, 0x0A, 0x0809
_HEADER = struct.Struct("<HH")
_CELL = struct.Struct("<HHH")
_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}


class Locked(Exception):
    """The file has a password."""


class NoWorkbook(Exception):
    """An OLE file that holds something else."""


def old_faults(path: str, limit: int) -> list[list[RawFault]]:
    """Return the error cells of each sheet, in the order of the workbook.

    Raises ``Locked``, ``NoWorkbook``, ``TooManyFaults``, or what a broken file makes of it
    (``OSError``, ``struct.error``).
    """
    with olefile.OleFileIO(path) as file:
        streams = {entry[0].lower(): entry[0] for entry in file.listdir() if len(entry) == 1}
        if "encryptedpackage" in streams or "encryptioninfo" in streams:
            raise Locked
        stream = streams.get("workbook") or streams.get("book")
        if stream is None:
            raise NoWorkbook("Word 文档" if "worddocument" in streams else "")
        content = file.openstream(stream).read()
    return [_sheet_faults(content, place, limit) for place in _sheet_places(content)]


def _sheet_places(content: bytes) -> list[int]:
    """Return where each sheet begins, from the records that open the workbook."""
    places: list[int] = []
    at = 0
    while at + 4 <= len(content):
        kind, size = _HEADER.unpack_from(content, at)
        at += 4
        if kind == _FILEPASS:
            raise Locked
        if kind == _BOUNDSHEET:
            places.append(int.from_bytes(content[at : at + 4], "little"))
        elif kind == _EOF:
            break
        at += size
    return places


def _sheet_faults(content: bytes, at: int, limit: int) -> list[RawFault]:
    faults: list[RawFault] = []
    depth = 0
    end = len(content)
    while at + 4 <= end:
        kind, size = _HEADER.unpack_from(content, at)
        at += 4
        if kind == _BOF:
            depth += 1  # a chart in the sheet is a sheet in itself
        elif kind == _EOF:
            depth -= 1
            if depth <= 0:
                break
        elif kind in (_BOOLERR, _FORMULA) and (code := _error(kind, content, at)) is not None:
            row, column, _style = _CELL.unpack_from(content, at)
            faults.append((row + 1, column, _ERRORS.get(code, "#ERROR!"), "error"))
            if len(faults) > limit:
                raise TooManyFaults
        at += size
    return faults


def _error(kind: int, content: bytes, at: int) -> int | None:
    """Return the code of the error that a cell's record holds, if it holds one."""
    if kind == _BOOLERR:
        return content[at + 6] if content[at + 7] == 1 else None
    result = content[at + 6 : at + 14]
    return result[2] if result[6:8] == b"\xff\xff" and result[0] == 2 else None
