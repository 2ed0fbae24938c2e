"""Find error cells and uncomputed formulas in the XML of a sheet, for the reading process only.

The fast reader gives an empty text for both. First the bytes are searched for signs of either;
only a sheet that shows one is parsed a second time.
"""

from __future__ import annotations

import xml.parsers.expat as expat
from collections.abc import Callable, Iterable

from imports.zip_parts import ZipParts

RawFault = tuple[int, int, str, str]

# More than any sign is long: a formula's attributes are few.
_OVERLAP = 256
# The end of a formula, and then something else than a value that is not empty.
_UNCOMPUTED = rb"(?:</(?:\w+:)?f\s*>|<(?:\w+:)?f(?:\s[^<>]*)?/>)\s*<(?!(?:\w+:)?v>[^<\s])"
_ODS_FAULT = rb"""formula=["']|value-type=["']error["']"""
_ERROR_TEXT = r"#(?:REF|DIV/0|VALUE|NAME|NUM|NULL|N/A)[!?]?|(?:Err|错误)[:：]\d{3}"


class Doctype(Exception):
    """The XML declares a document type: workbooks have none, attacks do."""


class TooManyFaults(Exception):
    """There are more faulty cells than the limit."""


def _parse(chunks: Iterable[bytes], start: Callable[[str, dict[str, str]], None]) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    _feed(parser, chunks)


def _feed(parser: expat.XMLParserType, chunks: Iterable[bytes]) -> None:
    def refuse(*_what: object) -> None:
        raise Doctype

    parser.StartDoctypeDeclHandler = refuse
    for chunk in chunks:
        parser.Parse(chunk, False)
    parser.Parse(b"", True)


def _shows(block: bytes, sign: bytes) -> bool:
    """Search for a pattern; the module that does it is loaded only where it is needed."""
    import re

    return re.search(sign, block) is not None


def _local(name: str) -> str:
    return name.rpartition(":")[2]


# Signs


def shows_fault(chunks: Iterable[bytes], *, errors: bool) -> bool:
    """Tell whether a sheet's bytes show a formula without a value or, if ``errors``, an error cell.

    It may be wrong in saying yes, never in saying no. Reads to the end: the size is checked on the
    way.
    """
    found = False
    tail = b""
    single = None
    for chunk in chunks:
        if found:
            continue
        if single is None:
            single = b"='" in chunk
        block = tail + chunk
        # One letter is found ten times as fast as a tag, and most sheets hardly have it.
        found = b"f" in block and _shows(block, _UNCOMPUTED)
        if errors and not found:
            found = b't="e"' in block or (single and b"t='e'" in block)
        tail = block[-_OVERLAP:]
    return found


# Excel


def sheet_parts(parts: ZipParts) -> dict[str, str]:
    """Return the name of the part that holds each worksheet, by the sheet's name."""
    by_lower = {name.replace("\\", "/").lower(): name for name in parts.parts}
    books = [name for name in by_lower if name.rpartition("/")[2] == "workbook.xml"]
    if not books:
        return {}
    book = "xl/workbook.xml" if "xl/workbook.xml" in books else books[0]
    folder, _, file = book.rpartition("/")
    relations = by_lower.get(f"{folder}/_rels/{file}.rels".lstrip("/"))
    if relations is None:
        return {}
    sheets: dict[str, str] = {}
    targets: dict[str, str] = {}

    def sheet(name: str, values: dict[str, str]) -> None:
        if _local(name) == "sheet":
            link = next((text for key, text in values.items() if _local(key) == "id"), "")
            sheets[values.get("name", "")] = link

    def relation(name: str, values: dict[str, str]) -> None:
        if _local(name) == "Relationship":
            target = values.get("Target", "").replace("\\", "/").lower()
            whole = target if target.startswith("/") else f"{folder}/{target}"
            targets[values.get("Id", "")] = whole.lstrip("/")

    _parse(parts.chunks(by_lower[book]), sheet)
    _parse(parts.chunks(relations), relation)
    return {
        name: by_lower[target]
        for name, link in sheets.items()
        if (target := targets.get(link, "")) in by_lower
    }


class _ExcelFaults:
    """The walk over a sheet's elements. A cell is judged when the next one begins."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.found: list[RawFault] = []
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self.start
        self.row = 0
        self.column = -1
        self.kind = ""
        self.formula: list[str] | None = None
        self.value: list[str] = []

    def start(self, name: str, values: dict[str, str]) -> None:
        self.parser.CharacterDataHandler = None
        name = _local(name)
        if name == "c":
            self.close()
            self.column = _column(values["r"]) if "r" in values else self.column + 1
            self.kind = values.get("t", "")
        elif name == "row":
            self.close()
            self.row = int(values["r"]) if "r" in values else self.row + 1
            self.column = -1
        elif name == "f":
            self.formula = []
            self.parser.CharacterDataHandler = self.formula.append
        elif name == "v" and (self.formula is not None or self.kind == "e"):
            self.parser.CharacterDataHandler = self.value.append

    def close(self) -> None:
        """Judge the cell that has ended."""
        value = "".join(self.value).strip() if self.value else ""
        if self.kind == "e":
            self.found.append((self.row, self.column, value or "#ERROR!", "error"))
        elif self.formula is not None and not value and self.kind != "str":
            # A text that a formula has computed may be empty; a number may not.
            text = "=" + "".join(self.formula)
            self.found.append((self.row, self.column, text, "uncalculated"))
        if len(self.found) > self.limit:
            raise TooManyFaults
        self.kind = ""
        self.formula = None
        self.value = []


def _column(ref: str) -> int:
    """Return the column (from 0) of an address such as AB12."""
    column = 0
    for letter in ref.rstrip("0123456789").upper():
        column = column * 26 + ord(letter) - 64
    return column - 1


def excel_faults(chunks: Iterable[bytes], limit: int) -> list[RawFault]:
    """Return the faulty cells of a worksheet's part."""
    walk = _ExcelFaults(limit)
    _feed(walk.parser, chunks)
    walk.close()
    return walk.found


# OpenDocument


class _OdsFaults:
    """The same for an OpenDocument, whose sheets are all in one part, and whose cells repeat."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.found: dict[str, list[RawFault]] = {}
        self.count = 0
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.sheet = ""
        self.next_row = 1
        self.rows = range(0)
        self.next_column = 0
        self.columns = range(0)
        self.cell: dict[str, str] = {}
        self.text: list[str] = []

    def start(self, name: str, values: dict[str, str]) -> None:
        name = _local(name)
        if name == "table":
            self.sheet = values.get("table:name", "")
            self.next_row = 1
        elif name == "table-row":
            self.rows = range(
                self.next_row, self.next_row + int(values.get("table:number-rows-repeated", "1"))
            )
            self.next_row = self.rows.stop
            self.next_column = 0
        elif name in ("table-cell", "covered-table-cell"):
            self.columns = range(
                self.next_column,
                self.next_column + int(values.get("table:number-columns-repeated", "1")),
            )
            self.next_column = self.columns.stop
            self.cell = {_local(key): text for key, text in values.items() if "value" not in key}
            self.cell |= {key: text for key, text in values.items() if "value" in key}
            self.text = []
        elif name == "p" and ("formula" in self.cell or _is_error(self.cell)):
            self.parser.CharacterDataHandler = self.text.append

    def end(self, name: str) -> None:
        name = _local(name)
        if name == "p":
            self.parser.CharacterDataHandler = None
        elif name in ("table-cell", "covered-table-cell"):
            self.close()

    def close(self) -> None:
        """Judge the cell that has ended."""
        import re

        text = "".join(self.text).strip()
        formula = self.cell.get("formula")
        error = formula is not None and re.fullmatch(_ERROR_TEXT, text)
        if error or _is_error(self.cell):
            self.add(text or "#ERROR!", "error")
        elif formula is not None and not text and "office:value-type" not in self.cell:
            self.add("=" + formula.partition("=")[2], "uncalculated")
        self.cell = {}

    def add(self, text: str, kind: str) -> None:
        """Add the cell as often as it is repeated."""
        self.count += len(self.rows) * len(self.columns)
        if self.count > self.limit:
            raise TooManyFaults
        self.found.setdefault(self.sheet, []).extend(
            (row, column, text, kind) for row in self.rows for column in self.columns
        )


def _is_error(cell: dict[str, str]) -> bool:
    return cell.get("calcext:value-type") == "error"


def ods_faults(parts: ZipParts, limit: int) -> dict[str, list[RawFault]]:
    """Return the faulty cells of an OpenDocument by the name of their sheet."""
    name = next(part for part in parts.parts if part.lower() == "content.xml")
    found = False
    tail = b""
    for chunk in parts.chunks(name):
        if not found:
            block = tail + chunk
            found = _shows(block, _ODS_FAULT)
            tail = block[-_OVERLAP:]
    if not found:
        return {}
    walk = _OdsFaults(limit)
    _feed(walk.parser, parts.chunks(name))
    return walk.found
