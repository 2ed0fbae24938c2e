"""Texts on their way out stay texts: in streamed sheets and in ordinary ones, as the file says it."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from rules.workbook_cells import LONGEST_CELL, fill, text_cell, title_of

LEADING = ["=1+1", "+86 951", "-5", "@SUM(A1)", "\tTab", "\r=1", "\n=1", '=HYPERLINK("表!A1")']
#: What a program could compute, run or fetch, wherever it stands in the file.
COMPUTED = re.compile(rb"<f[ >/]|<ddeLink|<oleLink|externalLink|<hyperlink")


def written(*texts: str, streamed: bool) -> bytes:
    """Return a workbook with these texts below each other."""
    book: Any = Workbook(write_only=streamed)
    page = book.create_sheet("表") if streamed else book.active
    for row, text in enumerate(texts, 1):
        if streamed:
            page.append([text_cell(page, text)])
        else:
            fill(page.cell(row, 1), text)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def parts(content: bytes) -> dict[str, bytes]:
    """Return the parts of a workbook as they are in the zip."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return {name: book.read(name) for name in book.namelist()}


@pytest.mark.parametrize("streamed", [True, False])
def test_what_begins_like_a_formula_is_quoted_in_the_file_itself(streamed: bool) -> None:
    content = written(*LEADING, streamed=streamed)
    found = parts(content)
    assert not any(COMPUTED.search(each) for each in found.values())
    sheet = found["xl/worksheets/sheet1.xml"]
    cells = re.findall(rb'<c r="A\d+"([^>]*)>', sheet)
    assert len(cells) == len(LEADING)
    quoted = [
        number
        for number, style in enumerate(
            re.findall(rb"<xf [^>]*>", found["xl/styles.xml"].split(b"<cellXfs")[1])
        )
        if b'quotePrefix="1"' in style
    ]
    for cell in cells:
        style = re.search(rb's="(\d+)"', cell)
        assert style is not None
        assert int(style[1]) in quoted
        assert re.search(rb't="(s|inlineStr)"', cell)
    page: Any = load_workbook(io.BytesIO(content)).active
    for row, text in enumerate(LEADING, 1):
        cell = page.cell(row, 1)
        assert (cell.data_type, cell.quotePrefix) == ("s", True)
        # XML reads a carriage return as the end of a line.
        assert str(cell.value).replace("\r", "\n") == text.replace("\r", "\n")


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("text", ["#N/A", "#REF!", "TRUE", "001", "1e5", "'=1", "普通"])
def test_what_could_be_taken_for_something_else_is_read_as_it_is(streamed: bool, text: str) -> None:
    page: Any = load_workbook(io.BytesIO(written(text, streamed=streamed))).active
    assert (page["A1"].value, page["A1"].data_type) == (text, "s")
    assert not page["A1"].quotePrefix


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=60))
def test_no_text_is_ever_computed(text: str) -> None:
    for streamed in (True, False):
        found = parts(written(text, streamed=streamed))
        assert b"<f>" not in found["xl/worksheets/sheet1.xml"]


def test_a_text_that_looks_like_an_escape_is_escaped() -> None:
    """Excel and our own reader take _x0041_ for an A; openpyxl shows what stands in the file."""
    page: Any = load_workbook(io.BytesIO(written("a_x0041_b", streamed=True))).active
    assert page["A1"].value == "a_x005F_x0041_b"


def test_what_no_cell_holds_is_left_out() -> None:
    page: Any = load_workbook(
        io.BytesIO(written("甲\x00\x07乙", "长" * 40_000, streamed=True))
    ).active
    assert page["A1"].value == "甲乙"
    assert len(page["A2"].value) == LONGEST_CELL


def test_titles_are_such_as_excel_takes() -> None:
    assert title_of("村[社区]:*?/\\'协议") == "村社区协议"
    assert len(title_of("很长" * 40)) == 31
