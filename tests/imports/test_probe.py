"""Hostile and broken files: each is refused with a sentence, before a parser sees it."""

from __future__ import annotations

import dataclasses
import struct
import zipfile
from pathlib import Path

import pytest

from imports.probe import LIMITS, Kind, WorkbookRefused, probe
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
    assert probe(book).kind is Kind.XLSX
    assert "xl/worksheets/sheet1.xml" in probe(THREE_LISTS).parts


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.touch()
    assert "是空的" in refusal(path)


@pytest.mark.parametrize(
    ("part", "what"),
    [
        ("word/document.xml", "是Word 文档，不是"),
        ("ppt/presentation.xml", "是演示文稿，不是"),
        ("照片/1.jpg", "是压缩包，不是"),
        ("xl/workbook.bin", "二进制工作簿"),
    ],
)
def test_another_kind_of_zip(tmp_path: Path, part: str, what: str) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(part, "<w/>")
    assert what in refusal(path)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(100), "是图片，"),
        (b"%PDF-1.7\n1 0 obj\n", "是PDF 文件，"),
        (b"Rar!\x1a\x07\x01\x00" + bytes(100), "是压缩包，"),
        (b"{\\rtf1\\ansi ", "是Word 文档，"),
        (b"<?xml version='1.0'?><note/>", "网页或 XML 文件"),
        (b"MIME-Version: 1.0\nContent-Type: multipart/related", "网页或 XML 格式的表格"),
        (b"\x00\x01\x02\x03" * 50, "不是 Excel 工作簿"),
    ],
)
def test_another_kind_of_file_under_a_workbooks_name(
    tmp_path: Path, content: bytes, what: str
) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    assert what in refusal(path)


def test_a_table_that_begins_like_a_bitmap_is_text(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("BM编号,事项名称\n1,甲\n", encoding="gb18030")
    assert probe(path).kind is Kind.TEXT


def test_over_size(book: Path) -> None:
    assert "超过上限" in refusal(book, size=1_000)


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


def test_parts_that_say_they_are_too_big(book: Path) -> None:
    replace_part(book, "xl/sharedStrings.xml", b"<sst>" + bytes(8 << 20))
    assert book.stat().st_size < 100_000
    assert "展开后超过" in refusal(book, expanded=4 << 20)


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
