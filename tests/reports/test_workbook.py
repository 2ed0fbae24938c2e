"""Workbooks hold what they were given: text stays text, dates dates, numbers numbers."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.workbook import SHARE, Sheet, title_of, workbook


def read_back(*sheets: Sheet) -> openpyxl.Workbook:
    """Return the workbook as a reader opens it."""
    return openpyxl.load_workbook(workbook(sheets))


@pytest.mark.parametrize(
    "text", ["=1+1", "+86 10", "-5", "@SUM(A1)", "\t=1", '=HYPERLINK("x")', "普通", "'=1"]
)
def test_no_text_becomes_a_formula(text: str) -> None:
    book = read_back(Sheet("表", [text], [[text]]))
    for row in (1, 2):
        cell = book["表"].cell(row, 1)
        assert (cell.value, cell.data_type) == (text, "s")
    starts = text[0] in "=+-@\t"
    assert book["表"].cell(2, 1).quotePrefix is starts


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=40))
def test_any_text_can_be_written_and_is_never_calculated(text: str) -> None:
    cell = read_back(Sheet("表", ["列"], [[text]]))["表"].cell(2, 1)
    assert cell.data_type in ("s", "n")
    assert cell.value is None or isinstance(cell.value, str)


def test_numbers_dates_and_formats() -> None:
    rows = [["甲", 3, Decimal("0.875"), dt.date(2026, 11, 21), None]]
    sheet = read_back(
        Sheet("表", ["名称", "份数", "比例", "日期", "空"], rows, ("", "", SHARE), (30,))
    )["表"]
    name, number, share, day, nothing = sheet[2]
    assert (name.value, number.value, share.value) == ("甲", 3, 0.875)
    assert share.number_format == "0.0%"
    assert day.value == dt.datetime(2026, 11, 21)  # noqa: DTZ001 - a day, as openpyxl reads it
    assert day.number_format == "yyyy-mm-dd"
    assert nothing.value is None
    assert sheet.freeze_panes == "B2"
    assert sheet.column_dimensions["A"].width == 30
    assert sheet["A1"].font.bold


def test_titles_are_such_as_excel_takes() -> None:
    assert title_of("村[社区]:*?/\\'协议") == "村社区协议"
    assert len(title_of("很长" * 40)) == 31
    assert read_back(Sheet("a/b", ["列"], [])).sheetnames == ["ab"]
