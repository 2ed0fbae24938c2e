"""Files that people attach, and files that are not what they are called."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import Any

import docx
from PIL import Image

PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< >>\n%%EOF\n"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600


def picture(kind: str, colour: str = "white") -> bytes:
    """Return a small picture: ``JPEG``, ``PNG``, ``GIF``, …"""
    file = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(file, kind)
    return file.getvalue()


def word(*paragraphs: str, header: str = "", title: str = "") -> bytes:
    """Return a Word document of some paragraphs."""
    document = docx.Document()
    for text in paragraphs:
        document.add_paragraph(text)
    if header:
        document.sections[0].header.paragraphs[0].text = header
    document.core_properties.title = title
    return saved(document)


def saved(document: Any) -> bytes:
    """Return a document's bytes."""
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def zipped(parts: dict[str, bytes]) -> bytes:
    """Return a zip file of named parts."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return file.getvalue()


def with_part(content: bytes, name: str, part: bytes) -> bytes:
    """Return a zip file with one part replaced or added."""
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        parts = {each: old.read(each) for each in old.namelist()}
    return zipped(parts | {name: part})


def huge_png(width: int = 40_000, height: int = 40_000) -> bytes:
    """Return a PNG of few bytes that says it has more pixels than any memory holds."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\x00"))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + body + chunk(b"IEND", b"")


def opened(content: bytes) -> Any:
    """Return a letter as Word would open it."""
    return docx.Document(io.BytesIO(content))


def text_in(content: bytes) -> str:
    """Return all the words of a letter, its tables' too; line breaks are "\\n"."""
    document = opened(content)
    lines = [each.text for each in document.paragraphs]
    for table in document.tables:
        lines += [cell.text for row in table.rows for cell in row.cells]
    return "\n".join(lines)
