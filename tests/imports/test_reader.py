"""Reading in a process of its own: values come through, and its death is only a sentence."""

from __future__ import annotations

import dataclasses
import datetime as dt
import resource
import zipfile
from pathlib import Path

import pytest

from imports.probe import LIMITS, WorkbookRefused
from imports.reader import Merge, Row, Sheet, read, stream
from tests.imports.books import make_book, replace_part
from tests.imports.hostile import SHEET, book_with, repeated, sheet_xml


def test_values_keep_their_types_and_rows_their_numbers(tmp_path: Path) -> None:
    when = dt.datetime(2025, 6, 1, 14, 5)  # noqa: DTZ001 - a cell has no zone
    rows = [[None], [None, "甲", 12, 0.5, True], [], [dt.date(2025, 6, 1), when, dt.time(9, 30)]]
    [sheet] = read(make_book(tmp_path / "a.xlsx", ("一", rows)))
    assert sheet.rows == [
        Row(2, ["", "甲", 12.0, 0.5, True]),
        Row(4, [dt.date(2025, 6, 1), when, dt.time(9, 30)]),
    ]


def test_columns_count_from_a_even_if_the_first_are_empty(tmp_path: Path) -> None:
    [sheet] = read(make_book(tmp_path / "a.xlsx", ("一", [[], [None, None, "丙"]])))
    assert sheet.rows == [Row(2, ["", "", "丙"])]


def test_merges_and_hidden_sheets(tmp_path: Path) -> None:
    path = make_book(
        tmp_path / "a.xlsx",
        ("一", [["甲", "乙"], [None, "丙"]]),
        ("旧稿", [["丁"]]),
        merges=["A1:A2"],
        hidden=["旧稿"],
    )
    shown, hidden = read(path)
    assert shown.merges == [Merge(1, 0, 2, 0)]
    assert (hidden.name, hidden.hidden, hidden.rows) == ("旧稿", True, [])


def test_text_that_looks_like_the_protocol_stays_text(tmp_path: Path) -> None:
    rows = [['{"done": true}', "[1, [2]]", "一行\n{二行}", "\u2028"]]
    [sheet] = read(make_book(tmp_path / "a.xlsx", ("一", rows)))
    assert sheet.rows[0].values == rows[0]


def test_a_declared_dimension_that_lies_is_not_believed(tmp_path: Path) -> None:
    path = make_book(tmp_path / "a.xlsx", ("一", [["甲"], ["乙"]]))
    content = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        '<dimension ref="A1"/><sheetData>'
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="5"><c r="C5"><v>2</v></c></row>'
        "</sheetData></worksheet>"
    )
    replace_part(path, "xl/worksheets/sheet1.xml", content.encode())
    [sheet] = read(path)
    assert [row.number for row in sheet.rows] == [1, 5]


def refusal(path: Path, **caps: float) -> str:
    with pytest.raises(WorkbookRefused) as caught:
        read(path, limits=dataclasses.replace(LIMITS, **caps), name="我的清单.xlsx")
    assert "我的清单.xlsx" in str(caught.value)
    return str(caught.value)


def test_cells_at_both_corners_kill_only_the_reading_process(tmp_path: Path) -> None:
    path = make_book(tmp_path / "a.xlsx", ("一", [["甲"]]))
    content = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1"><v>1</v></c></row>'
        '<row r="1048576"><c r="XFD1048576"><v>2</v></c></row></sheetData></worksheet>'
    )
    replace_part(path, "xl/worksheets/sheet1.xml", content.encode())
    assert "范围太大或内容已损坏" in refusal(path)


def test_a_text_repeated_beyond_the_memory_limit(tmp_path: Path) -> None:
    """One shared text of a megabyte in a thousand cells: small on disk, a gigabyte when read."""
    path = make_book(tmp_path / "a.xlsx", ("一", [["甲"]]))
    namespace = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    text = "甲" * (1 << 20)
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 1001))
    replace_part(
        path, "xl/sharedStrings.xml", f"<sst {namespace}><si><t>{text}</t></si></sst>".encode()
    )
    replace_part(
        path,
        "xl/worksheets/sheet1.xml",
        f"<worksheet {namespace}><sheetData>{cells}</sheetData></worksheet>".encode(),
    )
    assert "我的清单.xlsx" in refusal(path)


def test_a_part_that_is_no_xml(tmp_path: Path) -> None:
    path = make_book(tmp_path / "a.xlsx", ("一", [["甲"]]))
    replace_part(path, "xl/workbook.xml", b"\x00\x01 not xml <<<")
    assert "我的清单.xlsx" in refusal(path)


def test_too_many_cells(tmp_path: Path) -> None:
    path = make_book(tmp_path / "a.xlsx", ("一", [["甲", "乙"]] * 6))
    assert "内容太多" in refusal(path, cells=10)


def test_too_slow(tmp_path: Path) -> None:
    path = make_book(tmp_path / "a.xlsx", ("一", [["甲"]]))
    assert "还没有读完" in refusal(path, patience=0)


def test_too_much_processor_time(tmp_path: Path) -> None:
    head, tail = sheet_xml("|").split("|")
    path = book_with(tmp_path / "a.xlsx", {SHEET: repeated(head, "<row/>", 30_000_000, tail)})
    assert "读了 1 秒还没有读完" in refusal(path, seconds=1)


def test_too_many_rows_and_too_much_text(tmp_path: Path) -> None:
    path = make_book(tmp_path / "a.xlsx", ("一", [["甲" * 100]] * 6))
    assert "内容太多" in refusal(path, rows=5)
    assert "内容太多" in refusal(path, text=1_000)


def test_a_cell_longer_than_excel_allows(tmp_path: Path) -> None:
    row = '<row r="{}"><c r="A{}" t="inlineStr"><is><t>{}</t></is></c></row>'
    [sheet] = read(
        book_with(tmp_path / "a.xlsx", {SHEET: sheet_xml(row.format(1, 1, "甲" * 32_767))})
    )
    assert [len(str(value)) for value in sheet.rows[0].values] == [32_767]
    path = book_with(tmp_path / "b.xlsx", {SHEET: sheet_xml(row.format(7, 7, "甲" * 32_768))})
    assert "有一格超过 32767 字" in refusal(path)


def test_damaged_in_the_middle(tmp_path: Path) -> None:
    path = make_book(tmp_path / "a.xlsx", ("一", [["甲"]]))
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(SHEET)
    at = entry.header_offset + 30 + len(entry.filename) + entry.compress_size // 2
    content[at : at + 8] = bytes(8)
    path.write_bytes(content)
    assert "不完整或已损坏" in refusal(path)


def test_a_stream_hands_over_rows_and_keeps_none(tmp_path: Path) -> None:
    rows = [[number, "甲" * 200] for number in range(3_000)]
    path = make_book(tmp_path / "a.xlsx", ("一", rows), ("空", []), ("二", [["乙", "=A1"]]))
    batches: list[tuple[Sheet, list[Row]]] = list(stream(path))
    assert list(dict.fromkeys(sheet.name for sheet, _rows in batches)) == ["一", "空", "二"]
    assert all(sheet.rows == [] for sheet, _rows in batches)
    assert len(batches) > 6
    whole = read(path)
    assert [row for _sheet, some in batches for row in some] == [
        row for sheet in whole for row in sheet.rows
    ]
    assert [len(sheet.rows) for sheet in whole] == [3_000, 0, 1]
    assert batches[-1][0].faults == whole[2].faults != []


def test_a_stream_that_nobody_wants_any_more_ends_its_process(tmp_path: Path) -> None:
    rows = [[number, "甲" * 200] for number in range(3_000)]
    path = make_book(tmp_path / "a.xlsx", ("一", rows))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt
    half = stream(path)
    next(half)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt == before
    half.close()
    # Only a process that has been waited for is counted.
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt > before


def test_the_watch_is_called_while_the_file_is_read(tmp_path: Path) -> None:
    head, tail = sheet_xml("|").split("|")
    path = book_with(tmp_path / "a.xlsx", {SHEET: repeated(head, "<row/>", 8_000_000, tail)})
    calls: list[None] = []
    [sheet] = read(path, watch=lambda: calls.append(None))
    assert sheet.rows == []
    assert len(calls) >= 2
