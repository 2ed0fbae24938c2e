"""Hostile and broken files: each is refused with a sentence, before a parser sees it."""

from __future__ import annotations

import dataclasses
import struct
import zipfile
from pathlib import Path

import pytest

from imports.probe import LIMITS, WorkbookRefused, probe
from tests.imports.books import THREE_LISTS, make_book, replace_part


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return make_book(tmp_path / "清单.xlsx", ("基本", [["序号", "事项名称"], [1, "甲"]]))


def refusal(path: Path, **caps: int) -> str:
    with pytest.raises(WorkbookRefused) as caught:
        probe(path, dataclasses.replace(LIMITS, **caps), "我的清单.xlsx")
    text = str(caught.value)
    assert "我的清单.xlsx" in text
    assert text.endswith("。")
    return text


def test_a_real_workbook_passes(book: Path) -> None:
    probe(book)
    probe(THREE_LISTS)


def test_text_renamed(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_text("序号,事项名称\n1,甲\n", encoding="utf-8")
    assert "不是 Excel 工作簿" in refusal(path)


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.touch()
    assert "是空的" in refusal(path)


def test_another_kind_of_zip(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    assert "不是 Excel 工作簿" in refusal(path)


def test_over_size(book: Path) -> None:
    assert "超过上限" in refusal(book, size=1_000)


def test_encrypted_package(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    name = "EncryptedPackage".encode("utf-16-le")
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + name + bytes(600))
    assert "加了密码" in refusal(path)


def test_ole_file_that_is_no_workbook(tmp_path: Path) -> None:
    path = tmp_path / "a.xls"
    name = "WordDocument".encode("utf-16-le")
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + name)
    assert "不是 Excel 工作簿" in refusal(path)


def test_zip_entry_with_a_password(book: Path) -> None:
    content = bytearray(book.read_bytes())
    start = content.rindex(b"PK\x01\x02")
    flags = struct.unpack_from("<H", content, start + 8)[0]
    struct.pack_into("<H", content, start + 8, flags | 1)
    book.write_bytes(content)
    assert "加了密码" in refusal(book)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_truncated(book: Path, share: float) -> None:
    content = book.read_bytes()
    book.write_bytes(content[: int(len(content) * share)])
    assert "不完整或已损坏" in refusal(book)


def test_damaged_in_the_middle(book: Path) -> None:
    content = bytearray(book.read_bytes())
    with zipfile.ZipFile(book) as archive:
        entry = archive.getinfo("xl/worksheets/sheet1.xml")
    at = entry.header_offset + 30 + len(entry.filename) + entry.compress_size // 2
    content[at : at + 8] = bytes(8)
    book.write_bytes(content)
    assert "不完整或已损坏" in refusal(book)


def test_bomb(book: Path) -> None:
    replace_part(book, "xl/sharedStrings.xml", b"<sst>" + bytes(8 << 20))
    assert book.stat().st_size < 100_000
    assert "展开后超过" in refusal(book, expanded=4 << 20)


def test_bomb_that_declares_a_small_size(book: Path) -> None:
    """The counter looks at what comes out, not at the directory's word for it."""
    replace_part(book, "xl/sharedStrings.xml", b"<sst>" + bytes(8 << 20))
    content = bytearray(book.read_bytes())
    at = content.index(b"PK\x01\x02")
    while at >= 0:
        struct.pack_into("<I", content, at + 24, 100)
        at = content.find(b"PK\x01\x02", at + 4)
    book.write_bytes(content)
    with pytest.raises(WorkbookRefused):
        probe(book, dataclasses.replace(LIMITS, expanded=4 << 20))


def test_too_many_parts(book: Path) -> None:
    with zipfile.ZipFile(book, "a") as archive:
        for number in range(50):
            archive.writestr(f"xl/extra{number}.xml", "")
    assert "部件太多" in refusal(book, entries=40)


def test_unknown_compression(book: Path) -> None:
    content = bytearray(book.read_bytes())
    struct.pack_into("<H", content, content.index(b"PK\x01\x02") + 10, 97)
    book.write_bytes(content)
    assert "压缩方式" in refusal(book)
