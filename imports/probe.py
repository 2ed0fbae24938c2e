"""Look at a file before any parser does: refuse what is no table, locked, too big or a bomb.

Nothing is expanded and nothing is parsed here but a zip's directory: the rest is the business of the
reading process, which may die alone.
"""

from __future__ import annotations

import codecs
import re
import struct
import zipfile
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, NamedTuple

import filetype

_HEAD = 1 << 16
_BLOCK = 1 << 20
_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
_ZIP_ENTRY = b"PK\x01\x02"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1f]")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_SAVE_AGAIN = "请用 Excel 或 WPS 打开后另存为 .xlsx 再导入"


@dataclass(frozen=True)
class Limits:
    """How much a workbook may cost. An honest one of 100,000 rows × 6 long columns stays below all.

    ``size``: bytes on disk; ``entries``: parts of the zip; ``expanded``: bytes that they say, or a
    sheet turns out, to hold. Of the reading process: ``memory`` its address space in bytes,
    ``seconds`` its processor time, ``patience`` how long it is waited for: a machine that has much
    else to do must not refuse an honest file. Of what it may hand over:
    ``rows``, ``cells``, ``text`` in bytes, ``faults`` (error cells), ``characters`` of one cell
    (Excel's own limit).
    """

    size: int = 100 << 20
    entries: int = 2_000
    expanded: int = 512 << 20
    memory: int = 300 << 20
    seconds: float = 8.0
    patience: float = 30.0
    rows: int = 200_000
    cells: int = 1_500_000
    text: int = 128 << 20
    faults: int = 20_000
    characters: int = 32_767


LIMITS = Limits()


class WorkbookRefused(ValueError):
    """The file cannot be imported at all; the text is the Chinese sentence for the person."""


class Kind(StrEnum):
    """What a file is by its content, whatever its name ends in."""

    XLSX = "xlsx"
    ODS = "ods"
    XLS = "xls"
    TEXT = "text"
    HTML = "html"


class Part(NamedTuple):
    """Where one entry of a zip lies: its local header, its size as stored, and how it is packed."""

    offset: int
    stored: int
    method: int


@dataclass(frozen=True)
class Probed:
    """What the file is and, of a zip, the parts that hold XML, by their names."""

    kind: Kind
    parts: dict[str, Part] = field(default_factory=dict)


def probe(path: Path, limits: Limits = LIMITS, name: str | None = None) -> Probed:
    """Tell what the file is, or raise ``WorkbookRefused``; costs a few milliseconds.

    ``name`` is the name under which the person knows the file.
    """
    name = name or path.name
    size = path.stat().st_size
    if size == 0:
        raise WorkbookRefused(f"文件“{name}”是空的，请重新选择文件。")
    if size > limits.size:
        raise WorkbookRefused(
            f"文件“{name}”有 {size / (1 << 20):.1f} MB，超过上限 {limits.size / (1 << 20):.0f} MB，"
            "请删去图片和空白格式，或拆成几个文件再导入。"
        )
    with path.open("rb") as file:
        head = file.read(_HEAD)
        if head.startswith(_OLE_MAGIC):
            return Probed(Kind.XLS)
        if head.startswith(_ZIP_MAGICS):
            return _probe_zip(file, limits, name)
    return Probed(_text_kind(head, name))


# Zip


def _probe_zip(file: BinaryIO, limits: Limits, name: str) -> Probed:
    # Counted in the raw bytes, before zipfile builds an object for each entry of the directory.
    if _count_entries(file, limits.entries) > limits.entries:
        raise WorkbookRefused(f"文件“{name}”里的部件太多，不像正常的工作簿，没有读取。")
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, EOFError, struct.error, OSError, ValueError) as error:
        raise WorkbookRefused(damaged(name)) from error
    except NotImplementedError as error:
        raise WorkbookRefused(
            f"文件“{name}”的压缩方式不是 Excel 所用的，{_SAVE_AGAIN}。"
        ) from error
    kind = _zip_kind(entries, name)
    if any(entry.compress_type not in _METHODS for entry in entries):
        raise WorkbookRefused(f"文件“{name}”的压缩方式不是 Excel 所用的，{_SAVE_AGAIN}。")
    if sum(entry.file_size for entry in entries) > limits.expanded:
        raise WorkbookRefused(expands_too_far(name, limits))
    parts = {
        entry.filename: Part(entry.header_offset, entry.compress_size, entry.compress_type)
        for entry in entries
        if entry.filename.lower().endswith((".xml", ".rels"))
    }
    return Probed(kind, parts)


def _count_entries(file: BinaryIO, most: int) -> int:
    """Count the directory entries, whatever the directory says of itself; stop above ``most``."""
    count = 0
    tail = b""
    file.seek(0)
    while count <= most and (block := file.read(_BLOCK)):
        count += (tail + block).count(_ZIP_ENTRY)
        tail = block[1 - len(_ZIP_ENTRY) :]
    file.seek(0)
    return count


def _zip_kind(entries: list[zipfile.ZipInfo], name: str) -> Kind:
    if any(entry.flag_bits & 1 for entry in entries):
        raise WorkbookRefused(f"文件“{name}”加了密码，请取消密码后再导入。")
    names = {entry.filename.replace("\\", "/").lower() for entry in entries}
    if any(part.rsplit("/", 1)[-1] == "workbook.xml" for part in names):
        return Kind.XLSX
    if any(part.rsplit("/", 1)[-1] == "workbook.bin" for part in names):
        raise WorkbookRefused(f"文件“{name}”是二进制工作簿（.xlsb），{_SAVE_AGAIN}。")
    if "content.xml" in names and "mimetype" in names:
        return Kind.ODS
    if "word/document.xml" in names:
        raise WorkbookRefused(no_table(name, "Word 文档"))
    if "ppt/presentation.xml" in names:
        raise WorkbookRefused(no_table(name, "演示文稿"))
    raise WorkbookRefused(no_table(name, "压缩包"))


# Text


def _text_kind(head: bytes, name: str) -> Kind:
    """Tell a text with separators from a web page; refuse what is neither, by its right name."""
    if head.startswith(_UTF_16):
        text = head.decode("utf-16", errors="replace")
    elif _CONTROL.search(head) or head.startswith(b"%PDF"):
        # Only now: a table whose first heading begins with "BM" is no bitmap.
        guess = filetype.guess(head)
        raise WorkbookRefused(no_table(name, _what(guess.mime if guess else "")))
    else:
        # Only Latin letters count here, and they are the same in UTF-8 and GB18030.
        text = head.decode("latin-1").removeprefix("\xef\xbb\xbf")
    start = text.lstrip().lower()
    if start.startswith("{\\rtf"):
        raise WorkbookRefused(no_table(name, "Word 文档"))
    if start.startswith("mime-version:") or "urn:schemas-microsoft-com:office:spreadsheet" in start:
        raise WorkbookRefused(f"文件“{name}”是网页或 XML 格式的表格，{_SAVE_AGAIN}。")
    if not start.startswith("<"):
        return Kind.TEXT
    if "<table" in start or "<html" in start:
        return Kind.HTML
    raise WorkbookRefused(no_table(name, "网页或 XML 文件"))


def _what(mime: str) -> str:
    """Return what a person calls a file of this media type; empty if we cannot say."""
    named = {
        "application/pdf": "PDF 文件",
        "application/rtf": "Word 文档",
        "application/x-rar-compressed": "压缩包",
        "application/x-7z-compressed": "压缩包",
        "application/gzip": "压缩包",
        "application/x-tar": "压缩包",
    }
    groups = {"image": "图片", "video": "视频", "audio": "录音"}
    return named.get(mime) or groups.get(mime.partition("/")[0], "")


# Sentences that the reading process's refusals share


def no_table(name: str, what: str) -> str:
    """Say that the file is no table, and what it is if that is known."""
    is_what = f"是{what}，" if what else ""
    return f"文件“{name}”{is_what}不是 Excel 工作簿，{_SAVE_AGAIN}。"


def damaged(name: str) -> str:
    """Say that the file is broken."""
    return f"文件“{name}”不完整或已损坏，请重新下载或拷贝；能打开的话，{_SAVE_AGAIN}。"


def expands_too_far(name: str, limits: Limits) -> str:
    """Say that the file is a bomb, or looks like one."""
    return (
        f"文件“{name}”展开后超过 {limits.expanded / (1 << 20):.0f} MB，"
        "不像正常的工作簿，没有读取；请删去空白格式后另存再导入。"
    )
