"""The other formats: old .xls, OpenDocument, and workbooks with macros, which are ignored."""

from __future__ import annotations

import zipfile
from pathlib import Path

from imports.layout import recognise
from imports.reader import read
from imports.specs import SPECS
from imports.tables import Table
from tests.imports.books import ROOT, make_book, replace_part

XLS = ROOT / "tests" / "samples" / "formats" / "清水镇_基本清单.xls"
ROWS = [["序号", "事项名称"], [1, "甲"], [2, "乙"]]

ODS = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2">
<office:body><office:spreadsheet><table:table table:name="基本履职">{rows}
<table:table-row table:number-rows-repeated="1048000"><table:table-cell
 table:number-columns-repeated="1024"/></table:table-row>
</table:table></office:spreadsheet></office:body></office:document-content>"""


def only(path: Path) -> Table:
    [table] = recognise(read(path), SPECS["duty-items"]).tables
    assert table.errors == []
    return table


def test_xls_with_merged_titles_and_a_hidden_sheet() -> None:
    layout = recognise(read(XLS), SPECS["duty-items"])
    [table] = layout.tables
    assert (table.list_type, len(table.rows), table.heading_row) == ("basic", 60, 4)
    assert len({row.category for row in table.rows}) == 5
    assert [warning.sheet for warning in layout.warnings] == ["旧稿"]


def test_ods_with_a_million_repeated_empty_rows(tmp_path: Path) -> None:
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    rows = "".join(
        f"<table:table-row>{''.join(cell.format(value) for value in row)}</table:table-row>"
        for row in ROWS
    )
    path = tmp_path / "清单.ods"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", ODS.format(rows=rows))
    assert [row.cells["事项名称"].text for row in only(path).rows] == ["甲", "乙"]


def test_macros_are_ignored(tmp_path: Path) -> None:
    path = make_book(tmp_path / "清单.xlsm", ("基本履职", ROWS))
    replace_part(path, "xl/vbaProject.bin", b"\xd0\xcf\x11\xe0 not run, not read")
    assert len(only(path).rows) == 2


def test_thousands_of_empty_formatted_rows_cost_nothing(tmp_path: Path) -> None:
    """Rows that hold a style and no value do not even reach the application."""
    path = make_book(tmp_path / "清单.xlsx", ("基本履职", ROWS))
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    empty = "".join(f'<row r="{n}"><c r="A{n}" s="0"/></row>' for n in range(4, 20_004))
    replace_part(
        path,
        "xl/worksheets/sheet1.xml",
        sheet.replace("</sheetData>", empty + "</sheetData>").encode(),
    )
    [read_sheet] = read(path)
    assert len(read_sheet.rows) == 3
    assert len(only(path).rows) == 2
