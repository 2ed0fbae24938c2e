"""Hostile workbooks, made on the spot: small on disk, whatever they become when somebody reads them."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.imports.books import make_book

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"

XXE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "haha">'
    + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghe", strict=True)
    )
    + "]>"
)


class Deflated(NamedTuple):
    """A part that is packed already, and the size and check sum that its entry claims."""

    content: bytes
    claims: int
    check: int


def repeated(head: str, unit: str, times: int, tail: str, claims: int | None = None) -> Deflated:
    """Pack ``unit`` ``times`` over without ever holding it all: each block is packed once.

    The entry tells the truth, unless it ``claims`` another size.
    """
    block = unit.encode() * (1 + (1 << 18) // len(unit.encode()))
    blocks = -(-times * len(unit.encode()) // len(block))
    packed = [_flushed(head.encode()), _flushed(block) * blocks]
    last = zlib.compressobj(wbits=-15)
    packed.append(last.compress(tail.encode()) + last.flush())
    if claims is not None:
        return Deflated(b"".join(packed), claims, 0)
    check = zlib.crc32(head.encode())
    for _ in range(blocks):
        check = zlib.crc32(block, check)
    size = len(head.encode()) + blocks * len(block) + len(tail.encode())
    return Deflated(b"".join(packed), size, zlib.crc32(tail.encode(), check))


def _flushed(content: bytes) -> bytes:
    packer = zlib.compressobj(9, wbits=-15)
    return packer.compress(content) + packer.flush(zlib.Z_FULL_FLUSH)


def write_zip(path: Path, parts: Mapping[str, bytes | Deflated]) -> Path:
    """Write a zip; of a part that is packed already, the entry says what it claims."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            if isinstance(part, Deflated):
                archive.writestr(name, part.content)
            else:
                archive.writestr(name, part, zipfile.ZIP_DEFLATED)
        entries = archive.infolist()
        start = archive.start_dir
    content = bytearray(path.read_bytes())
    place = start
    for entry in entries:
        part = parts[entry.filename]
        if isinstance(part, Deflated):
            struct.pack_into("<H", content, entry.header_offset + 8, zipfile.ZIP_DEFLATED)
            struct.pack_into("<I", content, entry.header_offset + 14, part.check)
            struct.pack_into("<I", content, entry.header_offset + 22, part.claims)
            struct.pack_into("<H", content, place + 10, zipfile.ZIP_DEFLATED)
            struct.pack_into("<I", content, place + 16, part.check)
            struct.pack_into("<I", content, place + 24, part.claims)
        place += 46 + len(entry.filename.encode())
    path.write_bytes(content)
    return path


def book_with(path: Path, parts: Mapping[str, bytes | str | Deflated]) -> Path:
    """Write a workbook of one sheet, 基本履职, in which some parts are others."""
    make_book(path, ("基本履职", [["序号", "事项名称"], [1, "甲"]]))
    with zipfile.ZipFile(path) as archive:
        whole: dict[str, bytes | Deflated] = {n: archive.read(n) for n in archive.namelist()}
    for name, part in parts.items():
        whole[name] = part.encode() if isinstance(part, str) else part
    return write_zip(path, whole)


def sheet_xml(rows: str, prolog: str = "", after: str = "") -> str:
    """Return a worksheet's XML around its rows."""
    return f"{prolog}<worksheet {MAIN}><sheetData>{rows}</sheetData>{after}</worksheet>"


def strings_xml(texts: str, prolog: str = "") -> str:
    """Return the XML of the shared texts."""
    return f"{prolog}<sst {MAIN}>{texts}</sst>"


def ods_with(path: Path, rows: str, prolog: str = "") -> Path:
    """Write an OpenDocument of one sheet, 基本履职."""
    spaces = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    calc = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?>{prolog}<office:document-content{spaces}'
        f' xmlns:calcext="{calc}" office:version="1.2"><office:body><office:spreadsheet>'
        f'<table:table table:name="基本履职">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    return write_zip(
        path,
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": b"<manifest/>",
            "content.xml": content.encode(),
        },
    )


def ole_with(path: Path, streams: Mapping[str, bytes]) -> Path:
    """Write an OLE compound file; its streams are padded to 4,096 bytes, the least outside a mini FAT."""
    end, free, fat_mark = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
    fat = [fat_mark, end]
    entries = [_ole_entry("Root Entry", 5, 1 if streams else free, end, 0)]
    data = b""
    for place, (name, content) in enumerate(streams.items(), 1):
        padded = content.ljust(max(4096, -(-len(content) // 512) * 512), b"\0")
        start = len(fat)
        fat += [*range(start + 1, start + len(padded) // 512), end]
        right = place + 1 if place < len(streams) else free
        entries.append(_ole_entry(name, 2, free, start, len(padded), right))
        data += padded
    fat += [free] * (128 - len(fat))
    header = struct.pack(
        "<8s16sHHHHH6sIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, b"",
        0, 1, 1, 0, 4096, end, 0, end, 0,
    )  # fmt: skip
    header += struct.pack("<109I", 0, *[free] * 108)
    directory = b"".join(entries).ljust(512, b"\0")
    path.write_bytes(header + struct.pack("<128I", *fat) + directory + data)
    return path


def _ole_entry(
    name: str, kind: int, child: int, start: int, size: int, right: int = 0xFFFFFFFF
) -> bytes:
    text = name.encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16sIQQIQ",
        text, len(text) + 2, kind, 1, 0xFFFFFFFF, right, child, b"", 0, 0, 0, start, size,
    )  # fmt: skip


# The bombs and their like, by name: each writes its file and returns it


def _two_corners(path: Path) -> Path:
    rows = (
        '<row r="1"><c r="A1"><v>1</v></c></row>'
        '<row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
    )
    return book_with(path, {SHEET: sheet_xml(rows)})


def _one_text_everywhere(path: Path) -> Path:
    """Shared once, repeated in each of 20,000 cells: half a gigabyte when read."""
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 20_001))
    text = "甲" * 32_000
    return book_with(
        path, {STRINGS: strings_xml(f"<si><t>{text}</t></si>"), SHEET: sheet_xml(cells)}
    )


def _giant_cell(times: int) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        head, tail = sheet_xml(
            '<row r="1"><c r="A1" t="inlineStr"><is><t>|</t></is></c></row>'
        ).split("|")
        return book_with(path, {SHEET: repeated(head, "甲", times, tail)})

    return write


def _many_rows(unit: str, times: int, claims: int | None = None) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        head, tail = sheet_xml("|").split("|")
        return book_with(path, {SHEET: repeated(head, unit, times, tail, claims)})

    return write


def _shared_texts(times: int, claims: int | None) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        head, tail = strings_xml("|").split("|")
        return book_with(
            path, {STRINGS: repeated(head, "<si><t>炸弹炸弹</t></si>", times, tail, claims)}
        )

    return write


def _sheets_without_end(path: Path) -> Path:
    """One part, claimed by a hundred thousand sheets."""
    sheets = "".join(f'<sheet name="{n}" sheetId="{n}" r:id="rId1"/>' for n in range(1, 100_001))
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    book = f'<workbook {MAIN} xmlns:r="{relations}"><sheets>{sheets}</sheets></workbook>'
    return book_with(path, {"xl/workbook.xml": book})


def _merges_without_end(path: Path) -> Path:
    merges = "".join(f'<mergeCell ref="A{n}:B{n}"/>' for n in range(1, 1_000_001))
    row = '<row r="1"><c r="A1"><v>1</v></c></row>'
    return book_with(path, {SHEET: sheet_xml(row, after=f"<mergeCells>{merges}</mergeCells>")})


def _many_parts(path: Path) -> Path:
    return book_with(path, {f"xl/extra{number}.xml": b"" for number in range(3_000)})


def _entity(prolog: str, part: str) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        if part == "content.xml":
            cell = '<table:table-cell office:value-type="string"><text:p>甲&e;</text:p></table:table-cell>'
            return ods_with(path, f"<table:table-row>{cell}</table:table-row>", prolog)
        if part == STRINGS:
            row = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
            strings = strings_xml("<si><t>甲&e;</t></si>", prolog)
            return book_with(path, {STRINGS: strings, SHEET: sheet_xml(row)})
        row = '<row r="1"><c r="A1" t="inlineStr"><is><t>甲&e;</t></is></c></row>'
        return book_with(path, {SHEET: sheet_xml(row, prolog)})

    return write


def _ods_repeats(path: Path) -> Path:
    cell = (
        '<table:table-cell office:value-type="string" table:number-columns-repeated="16384">'
        "<text:p>甲</text:p></table:table-cell>"
    )
    row = f'<table:table-row table:number-rows-repeated="1048576">{cell}</table:table-row>'
    return ods_with(path, row)


def _one_endless_line(path: Path) -> Path:
    path.write_bytes("序号".encode() + b",1" * (20 << 20))
    return path


def _page_of_spans(path: Path) -> Path:
    row = '<tr><td colspan="16384" rowspan="16384">甲</td></tr>'
    path.write_text(f"<html><table>{row * 20_000}</table></html>", encoding="utf-8")
    return path


def _nested(path: Path) -> Path:
    inner = write_zip(path, {"0": repeated("", "0", 1 << 30, "")})
    for level in range(1, 4):
        packed = inner.read_bytes()
        inner = write_zip(path, {f"{level}{n}.zip": packed for n in range(16)})
    return inner


_ROW = "<row><c><v>1</v></c><c><v>2</v></c><c><v>3</v></c></row>"

#: Each with the words by which its sentence is known.
HOSTILE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "two corners": (_two_corners, "范围太大或内容已损坏"),
    "one text everywhere": (_one_text_everywhere, ""),
    "a giant cell": (_giant_cell(150 << 20), ""),
    "a long cell": (_giant_cell(1 << 20), "有一格超过 32767 字"),
    "rows that are announced": (_many_rows(_ROW, 10_000_000, 3 << 30), "展开后超过"),
    "rows that stay below": (_many_rows(_ROW, 9_000_000), ""),
    "rows that are not announced": (_many_rows(_ROW, 60_000_000, 1_000), ""),
    "a million rows": (_many_rows(_ROW, 1_050_000), "内容太多"),
    "empty rows below": (_many_rows("<row/>", 80_000_000), ""),
    "empty rows without end": (_many_rows("<row/>", 400_000_000, 1_000), ""),
    "spaces below": (_many_rows(" ", 500 << 20), ""),
    "spaces without end": (_many_rows(" ", 4 << 30, 1_000), ""),
    "shared texts below": (_shared_texts(14_000_000, None), ""),
    "shared texts without end": (_shared_texts(40_000_000, 1_000), ""),
    "sheets without end": (_sheets_without_end, "内容太多"),
    "merges without end": (_merges_without_end, ""),
    "many parts": (_many_parts, "部件太多"),
    "formulas without end": (
        _many_rows("<row><c><f>1/0</f></c></row>", 200_000),
        "公式超过",
    ),
    "an OpenDocument that repeats": (_ods_repeats, "内容太多"),
    "a line without end": (_one_endless_line, "内容太多"),
    "a page of spans": (_page_of_spans, "内容太多"),
    "a zip of zips": (_nested, "是压缩包，"),
    "an entity of a file in a sheet": (_entity(XXE, SHEET), "XML 实体"),
    "an entity of a file in the texts": (_entity(XXE, STRINGS), "XML 实体"),
    "an entity of a file in an OpenDocument": (_entity(XXE, "content.xml"), "XML 实体"),
    "laughs in a sheet": (_entity(LAUGHS, SHEET), "XML 实体"),
    "laughs in the texts": (_entity(LAUGHS, STRINGS), "XML 实体"),
    "laughs in an OpenDocument": (_entity(LAUGHS, "content.xml"), "XML 实体"),
}
