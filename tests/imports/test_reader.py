"""Reading in a process of its own: values come through, and its death is only a sentence."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from imports.probe import LIMITS, WorkbookRefused
from imports.reader import Merge, Row, read
from tests.imports.books import make_book, replace_part


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
    assert "还没有读完" in refusal(path, patience=0.001)
