"""The other formats: old .xls, WPS, OpenDocument, text, web pages, and macros, which are ignored."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from imports.archive import keep
from imports.layout import recognise
from imports.probe import WorkbookRefused
from imports.reader import Merge, Row, read
from imports.specs import SPECS
from imports.tables import Table
from tests.imports.books import ROOT, THREE_LISTS, make_book, replace_part
from tests.imports.hostile import ole_with

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


def test_a_wps_file_is_an_old_workbook(tmp_path: Path) -> None:
    path = tmp_path / "清水镇.et"
    shutil.copyfile(XLS, path)
    assert read(path) == read(XLS)


@pytest.mark.parametrize("suffix", [".xls", ".ods", ".et", ".bin", ""])
def test_the_content_counts_and_not_the_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"清单{suffix}"
    shutil.copyfile(THREE_LISTS, path)
    assert read(path) == read(THREE_LISTS)


def test_an_old_workbook_under_a_new_ones_name(tmp_path: Path) -> None:
    path = tmp_path / "清单.xlsx"
    shutil.copyfile(XLS, path)
    assert read(path) == read(XLS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_text_with_separators(tmp_path: Path, encoding: str, separator: str) -> None:
    lines = [["序号", "事项名称"], ["1", "甲，含逗号"], ["", ""], ["2", "𠮷镇；乙"]]
    text = "\r\n".join(separator.join(line) for line in lines)
    path = tmp_path / "upload.csv"
    path.write_bytes(text.encode(encoding))
    [sheet] = read(path, name="清水镇基本履职.csv")
    assert sheet.name == "清水镇基本履职"
    assert sheet.rows == [Row(1, lines[0]), Row(2, lines[1]), Row(4, lines[3])]


def test_text_with_quotation_marks_and_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes('序号,事项名称\n1,"甲,""乙""\n丙"\n2,=1+1\n3,-5\n'.encode())
    [sheet] = read(path)
    values = [row.values for row in sheet.rows]
    assert values[1:] == [["1", '甲,"乙"\n丙'], ["2", "=1+1"], ["3", "-5"]]


def test_a_list_in_a_text_is_recognised_under_any_name(tmp_path: Path) -> None:
    path = tmp_path / "基本履职.xlsx"
    rows = "\n".join(",".join(str(value) for value in row) for row in ROWS)
    path.write_bytes(rows.encode("gb18030"))
    assert [row.cells["事项名称"].text for row in only(path).rows] == ["甲", "乙"]


@pytest.mark.parametrize(
    "content",
    [
        "序号,事项名称\n1,".encode("gb18030") + b"\xff\xff\n",
        "序号,事项名称\n1,垃圾分类管理\n".encode()[:-3],
        "序号,事项名称\n1,垃圾".encode() + b"\xa1\xa1" + "分类管理\n".encode(),
    ],
)
def test_text_that_is_broken_is_not_read_as_other_words(tmp_path: Path, content: bytes) -> None:
    """The last two are GB18030 by chance, and would come out as 鍨冨溇."""
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(WorkbookRefused, match="文字编码认不出来"):
        read(path)


def test_a_quotation_mark_that_nothing_closes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(('序号,事项名称\n1,"甲\n' + "2,乙\n" * 20_000).encode())
    with pytest.raises(WorkbookRefused, match="引号"):
        read(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_web_page_saved_as_a_workbook(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "基本履职.xls"
    page = (
        '<html><head><meta charset="gb2312"><title>无</title></head><body><table><tr><td>'
        '<table><tr><td colspan="2">基本履职事项清单</td></tr>'
        "<tr><th>序号</th><th>事项<br>名称</th></tr>"
        '<tr><td>1</td><td rowspan="2">甲&nbsp;&amp; 乙</td></tr><tr><td>2</td></tr>'
        "<tr><td>3</td><td>丙</td></tr></table></td></tr></table></body></html>"
    )
    path.write_bytes(page.encode(encoding))
    [sheet] = read(path)
    assert [row.values for row in sheet.rows] == [
        ["基本履职事项清单"],
        ["序号", "事项\n名称"],
        ["1", "甲 & 乙"],
        ["2"],
        ["3", "丙"],
    ]
    assert sheet.merges == [Merge(1, 0, 1, 1), Merge(3, 1, 4, 1)]


def test_a_page_without_a_table_holds_no_sheet(tmp_path: Path) -> None:
    path = tmp_path / "a.xls"
    path.write_bytes("<html><body>请先登录</body></html>".encode())
    with pytest.raises(WorkbookRefused, match="没有表格"):
        read(path)


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        ("EncryptedPackage", "加了密码"),
        ("WordDocument", "是Word 文档，不是 Excel 工作簿"),
        ("Anything", "不是 Excel 工作簿"),
    ],
)
def test_other_files_in_an_ole_container(tmp_path: Path, stream: str, words: str) -> None:
    path = ole_with(tmp_path / "a.xlsx", {stream: b"?", "Other": b"!"})
    with pytest.raises(WorkbookRefused, match=words):
        read(path)


def test_an_old_workbook_with_a_password(tmp_path: Path) -> None:
    """Its first records are readable, and one of them says that the rest is not."""
    records = bytes.fromhex("09081000 00060500 00000000 00000000 00000000 2f000600 000000000000")
    path = ole_with(tmp_path / "a.xls", {"Workbook": records})
    with pytest.raises(WorkbookRefused, match="加了密码"):
        read(path)


def test_links_to_other_files_are_not_followed(tmp_path: Path) -> None:
    """What Excel last saw there is the value."""
    path = make_book(tmp_path / "a.xlsx", ("一", [["甲"]]))
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    cell = '<c r="A1" t="str"><f>\'[1]表\'!A1</f><v>来自别处</v></c>'
    sheet = f'<worksheet {main}><sheetData><row r="1">{cell}</row></sheetData></worksheet>'
    replace_part(path, "xl/worksheets/sheet1.xml", sheet.encode())
    replace_part(path, "xl/externalLinks/externalLink1.xml", b"<externalLink/>")
    [read_sheet] = read(path)
    assert (read_sheet.rows, read_sheet.faults) == ([Row(1, ["来自别处"])], [])


def test_the_archive_keeps_what_kind_a_file_is(tmp_path: Path) -> None:
    for suffix, kept in ((".ET", ".et"), (".csv", ".csv"), (".exe", ".bin")):
        path = tmp_path / f"清单{suffix}"
        path.write_text("甲", encoding="utf-8")
        assert keep(path, tmp_path / "archive", "0" * 64) == "0" * 64 + kept


def test_an_opendocument_with_a_password(tmp_path: Path) -> None:
    space = 'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"'
    entry = '<manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/>'
    path = tmp_path / "a.ods"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml",
            f"<manifest:manifest {space}>{entry}</manifest:file-entry></manifest:manifest>",
        )
        archive.writestr("content.xml", bytes(range(256)))
    with pytest.raises(WorkbookRefused, match="加了密码"):
        read(path)
