"""Cells that only look empty: failed formulas and uncomputed ones are told by cell."""

from __future__ import annotations

from pathlib import Path

import pytest

from imports.error_cells import shows_fault
from imports.faults import problems_of
from imports.layout import recognise
from imports.reader import Fault, Sheet, read
from imports.specs import SPECS
from tests.imports.books import ROOT, make_book
from tests.imports.hostile import MAIN, SHEET, book_with, ods_with, sheet_xml

XLS = ROOT / "tests" / "samples" / "formats" / "清水镇_基本清单.xls"
HEADING = ["序号", "事项名称", "事项类别"]


def only(path: Path) -> Sheet:
    [sheet] = read(path)
    return sheet


def faults_of(tmp_path: Path, rows: str) -> list[Fault]:
    return only(book_with(tmp_path / "a.xlsx", {SHEET: sheet_xml(rows)})).faults


def test_an_error_and_what_it_says(tmp_path: Path) -> None:
    rows = (
        '<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="e"><v>#REF!</v></c></row>'
        '<row r="9"><c r="AB9" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>'
    )
    assert faults_of(tmp_path, rows) == [
        Fault(2, 1, "#REF!", "error"),
        Fault(9, 27, "#DIV/0!", "error"),
    ]


def test_a_formula_without_a_value_even_right_of_everything(tmp_path: Path) -> None:
    """As a program writes it: no value, and nothing else in its column or row."""
    path = make_book(tmp_path / "a.xlsx", ("一", [["甲", 1, None], [2, 3, "=A2+B2"]]))
    sheet = only(path)
    assert sheet.faults == [Fault(2, 2, "=A2+B2", "uncalculated")]
    assert [len(row.values) for row in sheet.rows] == [2, 2]


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="A1"><f>1+1</f><v>2</v></c>',
        '<c r="A1" t="str"><f>IF(1,"")</f><v></v></c>',
        '<c r="A1" t="inlineStr"><is><t>#N/A</t></is></c>',
        '<c r="A1" t="inlineStr"><is><t>&lt;f&gt; t="e"</t></is></c>',
        '<c r="A1" t="b"><f t="shared" ref="A1:A2" si="0">TRUE</f><v>1</v></c>',
    ],
)
def test_what_is_no_fault(tmp_path: Path, cell: str) -> None:
    assert faults_of(tmp_path, f'<row r="1">{cell}<c r="B1"/></row>') == []


def test_text_that_officers_typed_stays_text(tmp_path: Path) -> None:
    sheet = only(make_book(tmp_path / "a.xlsx", ("一", [["'#N/A", "#REF", "＝A1"]])))
    assert (sheet.rows[0].values, sheet.faults) == (["'#N/A", "#REF", "＝A1"], [])


def test_cells_and_rows_that_leave_out_their_address(tmp_path: Path) -> None:
    rows = (
        '<row><c><v>1</v></c><c t="e"><v>#N/A</v></c></row>'
        '<row r="5"><c r="C5"/><c><f t="shared" si="0"/></c></row><row><c><f>A1</f><v/></c></row>'
    )
    assert faults_of(tmp_path, rows) == [
        Fault(1, 1, "#N/A", "error"),
        Fault(5, 3, "=", "uncalculated"),
        Fault(6, 0, "=A1", "uncalculated"),
    ]


def test_another_prefix_and_other_quotes(tmp_path: Path) -> None:
    content = (
        f"<?xml version='1.0'?><x:worksheet {MAIN.replace('xmlns', 'xmlns:x')}><x:sheetData>"
        "<x:row r='1'><x:c r='A1' t='e'><x:v>#NUM!</x:v></x:c><x:c r='B1'><x:f>A1</x:f></x:c>"
        "</x:row></x:sheetData></x:worksheet>"
    )
    assert only(book_with(tmp_path / "a.xlsx", {SHEET: content})).faults == [
        Fault(1, 0, "#NUM!", "error"),
        Fault(1, 1, "=A1", "uncalculated"),
    ]


@pytest.mark.parametrize(
    "cell",
    [
        b'<c r="A1" t="e"><v>#REF!</v></c>',
        b'<c r="A1"><f>B1</f></c>',
        b'<c r="A1"><f>B1</f><v></v></c>',
        b"<c><f>B1</f>\n <v/></c>",
        b'<x:c r="A1"><x:f t="shared" ref="A1:A9" si="0">B1</x:f ></x:c>',
        b'<c r="A1"><f t="shared" si="0"/></c>',
        b"<c><f/><v> </v></c>",
        b"<c><f>B1</f><!-- --></c>",
    ],
)
def test_a_sign_is_seen_wherever_the_bytes_are_cut(cell: bytes) -> None:
    text = b'<row r="1">' + cell + b"<c><v>1</v></c></row>"
    for cut in range(len(text)):
        assert shows_fault([text[:cut], text[cut:]], errors=True)


@pytest.mark.parametrize(
    "cell",
    [
        b"<c><f>B1</f><v>1</v></c>",
        b'<x:c t="str"><x:f>B1</x:f>\n<x:v>e</x:v></x:c>',
        b'<c><f t="shared" si="0"/><v>1</v></c>',
        b'<c t="inlineStr"><is><t>\xe7\x94\xb2 f</t></is></c><font/><formula1>1</formula1>',
    ],
)
def test_a_computed_formula_is_no_sign(cell: bytes) -> None:
    assert not shows_fault([b"<row>" + cell + b"</row>"], errors=True)


def test_each_sheet_has_its_own_and_hidden_ones_have_none(tmp_path: Path) -> None:
    path = make_book(
        tmp_path / "a.xlsx",
        ("甲", [[1, "=A1"]]),
        ("乙 & “丙”", [[1], [2, "=A2"]]),
        ("旧稿", [["=A1"]]),
        hidden=["旧稿"],
    )
    found = {sheet.name: [(each.row, each.column) for each in sheet.faults] for sheet in read(path)}
    assert found == {"甲": [(1, 1)], "乙 & “丙”": [(2, 1)], "旧稿": []}


def test_opendocument(tmp_path: Path) -> None:
    """As LibreOffice writes it; a cell may stand for several."""
    text = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    rows = (
        f"<table:table-row>{text.format('#REF!')}"
        '<table:table-cell table:number-columns-repeated="2"/>'
        '<table:table-cell table:formula="of:=1/0" office:value-type="string"'
        ' office:string-value="" calcext:value-type="error"><text:p>#DIV/0!</text:p>'
        "</table:table-cell></table:table-row>"
        '<table:table-row table:number-rows-repeated="3"><table:table-cell/></table:table-row>'
        '<table:table-row><table:table-cell table:formula="of:=[.A1]"'
        ' table:number-columns-repeated="2"/>'
        '<table:table-cell table:formula="of:=1+1" office:value-type="float" office:value="2">'
        "<text:p>2</text:p></table:table-cell></table:table-row>"
    )
    sheet = only(ods_with(tmp_path / "a.ods", rows))
    assert sheet.faults == [
        Fault(1, 3, "#DIV/0!", "error"),
        Fault(5, 0, "=[.A1]", "uncalculated"),
        Fault(5, 1, "=[.A1]", "uncalculated"),
    ]
    assert sheet.rows[0].values == ["#REF!"]


def test_old_excel(tmp_path: Path) -> None:
    """A text cell of the sample is turned into an error cell, byte by byte."""
    content = bytearray(XLS.read_bytes())
    label = b"\xfd\x00\x0a\x00"
    place = content.index(label, content.index(label, content.index(label) + 1) + 200)
    row, column = (int.from_bytes(content[place + n : place + n + 2], "little") for n in (4, 6))
    content[place : place + 2] = b"\x05\x02"
    content[place + 10 : place + 12] = b"\x17\x01"
    path = tmp_path / "清单.xls"
    path.write_bytes(content)
    before = {sheet.name: sheet for sheet in read(XLS)}
    [changed] = [sheet for sheet in read(path) if sheet.faults]
    assert changed.faults == [Fault(row + 1, column, "#REF!", "error")]
    assert before[changed.name].faults == []
    lines = {each.number: each.values for each in changed.rows}
    assert lines[row + 1][column : column + 1] in ([], [""])


def test_a_fault_in_a_column_of_the_list_is_an_error_by_cell(tmp_path: Path) -> None:
    rows = [
        ["=TODAY()"],
        [*HEADING, "备忘"],
        [1, "甲", "公共服务", "=A3"],
        ["2", "=B3&B4", "公共服务"],
    ]
    path = make_book(tmp_path / "a.xlsx", ("基本履职", rows))
    [table] = recognise(read(path), SPECS["duty-items"]).tables
    [problem] = table.errors
    assert problem.cell == "B4"
    assert problem.value == "=B3&B4"
    assert "“事项名称”的公式（=B3&B4）没有计算结果" in problem.message


def test_each_list_answers_for_its_own_rows(tmp_path: Path) -> None:
    rows = [
        HEADING,
        [1, "甲", "公共服务"],
        ["=1/0", "乙", "公共服务"],
        HEADING,
        [1, "丙", "=B2"],
    ]
    path = make_book(tmp_path / "a.xlsx", ("基本履职", rows))
    tables = recognise(read(path), SPECS["duty-items"]).tables
    assert sorted(each.cell for table in tables for each in table.errors) == ["A3", "C5"]


def test_an_error_names_its_column_and_what_to_do() -> None:
    columns = dict(enumerate(SPECS["duty-items"][0].columns))
    faults = [
        Fault(3, 0, "#N/A", "error"),
        Fault(2, 0, "#N/A", "error"),
        Fault(3, 99, "=", "error"),
    ]
    [problem] = problems_of(faults, columns, 3, 8)
    assert (problem.cell, problem.value) == ("A3", "#N/A")
    assert "是出错的公式（#N/A），请改正公式" in problem.message
    assert problems_of([Fault(9, 0, "#N/A", "error")], columns, 3, 8) == []


@pytest.mark.parametrize(
    "target", ["worksheets/sheet1.xml", "/xl/worksheets/sheet1.xml", "Worksheets/Sheet1.xml"]
)
def test_a_sheet_is_found_however_its_part_is_named(tmp_path: Path, target: str) -> None:
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{kind}" Target="{target}"/></Relationships>'
    )
    row = '<row r="1"><c r="A1"><v>1</v></c><c r="B1"><f>A1</f></c></row>'
    parts = {SHEET: sheet_xml(row), "xl/_rels/workbook.xml.rels": relations}
    sheet = only(book_with(tmp_path / "a.xlsx", parts))
    assert sheet.faults == [Fault(1, 1, "=A1", "uncalculated")]
