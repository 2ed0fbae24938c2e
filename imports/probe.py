"""Look at a file before any parser does: refuse what is no workbook, locked, too big or a bomb."""

from __future__ import annotations

import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

_CHUNK = 1 << 16
_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP_MAGIC = b"PK\x03\x04"
_ZIP_ENTRY = b"PK\x01\x02"
_ENCRYPTED_OLE = ("EncryptedPackage".encode("utf-16-le"), "EncryptionInfo".encode("utf-16-le"))
_XLS_STREAMS = ("Workbook".encode("utf-16-le"), "Book".encode("utf-16-le"))
_WORKBOOK_PARTS = ("workbook.xml", "workbook.bin")
_SAVE_AGAIN = "请用 Excel 或 WPS 打开后另存为 .xlsx 再导入"


@dataclass(frozen=True)
class Limits:
    """How much a workbook may cost: bytes on disk, zip entries, bytes expanded; then the child's.

    ``memory`` is the address space of the reading process in bytes, ``seconds`` its wall time.
    """

    size: int = 20 << 20
    entries: int = 2_000
    expanded: int = 256 << 20
    memory: int = 300 << 20
    seconds: float = 10.0
    cells: int = 3_000_000


LIMITS = Limits()


class WorkbookRefused(ValueError):
    """The file cannot be imported at all; the text is the Chinese sentence for the person."""


def probe(path: Path, limits: Limits = LIMITS, name: str | None = None) -> None:
    """Read the file once as a stream, with caps, and raise ``WorkbookRefused`` if it is unusable.

    ``name`` is the name under which the person knows the file. Declared sizes are not believed:
    every zip entry is expanded through a counter, which also checks its check sum.
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
        magic = file.read(8)
    if magic == _OLE_MAGIC:
        _probe_ole(path, name)
    elif magic.startswith(_ZIP_MAGIC):
        _probe_zip(path, limits, name)
    else:
        raise WorkbookRefused(f"文件“{name}”不是 Excel 工作簿，{_SAVE_AGAIN}。")


def _probe_ole(path: Path, name: str) -> None:
    """An OLE compound file is an old .xls, a workbook locked by a password, or something else."""
    content = path.read_bytes()
    if any(mark in content for mark in _ENCRYPTED_OLE):
        raise WorkbookRefused(f"文件“{name}”加了密码，请在 Excel 或 WPS 中取消密码后再导入。")
    if not any(mark in content for mark in _XLS_STREAMS):
        raise WorkbookRefused(f"文件“{name}”不是 Excel 工作簿，{_SAVE_AGAIN}。")


def _probe_zip(path: Path, limits: Limits, name: str) -> None:
    # Counted in the raw bytes, before zipfile builds an object for each entry of the directory.
    if path.read_bytes().count(_ZIP_ENTRY) > limits.entries:
        raise WorkbookRefused(f"文件“{name}”里的部件太多，不像正常的工作簿，没有读取。")
    try:
        with zipfile.ZipFile(path) as archive:
            _check_kind(archive, name)
            _expand(archive, limits, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, OSError) as error:
        raise WorkbookRefused(
            f"文件“{name}”不完整或已损坏，请重新下载或拷贝；能打开的话，{_SAVE_AGAIN}。"
        ) from error
    except (NotImplementedError, UnicodeDecodeError) as error:
        raise WorkbookRefused(
            f"文件“{name}”的压缩方式不是 Excel 所用的，{_SAVE_AGAIN}。"
        ) from error


def _check_kind(archive: zipfile.ZipFile, name: str) -> None:
    entries = archive.infolist()
    if any(entry.flag_bits & 1 for entry in entries):
        raise WorkbookRefused(f"文件“{name}”加了密码，请取消密码后再导入。")
    names = {entry.filename.replace("\\", "/").lower() for entry in entries}
    is_excel = any(part.rsplit("/", 1)[-1] in _WORKBOOK_PARTS for part in names)
    is_ods = "content.xml" in names and "mimetype" in names
    if not is_excel and not is_ods:
        raise WorkbookRefused(f"文件“{name}”不是 Excel 工作簿，{_SAVE_AGAIN}。")


def _expand(archive: zipfile.ZipFile, limits: Limits, name: str) -> None:
    total = 0
    for entry in archive.infolist():
        with archive.open(entry) as stream:
            while chunk := stream.read(_CHUNK):
                total += len(chunk)
                if total > limits.expanded:
                    raise WorkbookRefused(
                        f"文件“{name}”展开后超过 {limits.expanded / (1 << 20):.0f} MB，"
                        "不像正常的工作簿，没有读取；请删去空白格式后另存再导入。"
                    )
