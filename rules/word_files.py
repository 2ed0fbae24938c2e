"""Is it a Word document that can be read without harm? Asked before any parser sees the bytes."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass

DOCUMENT = "word/document.xml"
_CONTENT_TYPES = "[Content_Types].xml"
_CHUNK = 1 << 16
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    struct.error,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)


@dataclass(frozen=True)
class Limits:
    """How much a document may cost: entries of the archive, and bytes when it is expanded."""

    entries: int = 2_000
    expanded: int = 200 << 20


class NotAWordFile(ValueError):
    """The bytes are no sound .docx; the text says in Chinese what they are instead."""


def parts_of(content: bytes, limits: Limits | None = None) -> dict[str, int]:
    """Return the parts of a .docx with their expanded sizes; raises ``NotAWordFile``.

    The sizes that the archive declares are not believed: every part is expanded through a counter.
    """
    limits = limits or Limits()
    if not content.startswith(b"PK\x03\x04"):
        raise NotAWordFile("别种文件")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > limits.entries:
                raise NotAWordFile("部件太多的压缩文件")
            _check_kind(entries)
            return _expanded(archive, entries, limits)
    except NotAWordFile:
        raise
    except _DAMAGED as error:
        raise NotAWordFile("已损坏的压缩文件") from error


def _check_kind(entries: list[zipfile.ZipInfo]) -> None:
    names = {entry.filename for entry in entries}
    if any(entry.flag_bits & 1 for entry in entries):
        raise NotAWordFile("加了密码的压缩文件")
    if DOCUMENT not in names or _CONTENT_TYPES not in names:
        for folder, what in (("xl/", "Excel 工作簿"), ("ppt/", "PPT 演示文稿")):
            if any(name.startswith(folder) for name in names):
                raise NotAWordFile(what)
        raise NotAWordFile("普通的压缩文件")
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise NotAWordFile("带宏的 Word 文档")


def _expanded(
    archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], limits: Limits
) -> dict[str, int]:
    total, sizes = 0, {}
    for entry in entries:
        size = 0
        with archive.open(entry) as stream:
            while chunk := stream.read(_CHUNK):
                size += len(chunk)
                total += len(chunk)
                if total > limits.expanded:
                    raise NotAWordFile(f"展开后超过 {limits.expanded >> 20} MB 的压缩文件")
        sizes[entry.filename] = size
    if not sizes[DOCUMENT]:
        raise NotAWordFile("没有正文的 Word 文档")
    return sizes
