"""The workbook with its errors marked: what openpyxl can write again, and what is made anew."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font

from imports.marked import ERROR, LIST_SHEET, WARNING, Remark, marked
from tests.imports.books import make_book, replace_part

ROWS: list[tuple[Any, ...]] = [("序号", "事项名称"), (1, "甲"), (2, "乙")]


def remark(
    cell: str, message: str = "有错。", *, sheet: str = "清单", error: bool = True
) -> Remark:
    return Remark(sheet, cell, "=值", message, error)


def opened(content: bytes) -> Any:
    return load_workbook(io.BytesIO(content))


def test_a_workbook_keeps_its_looks(tmp_path: Path) -> None:
    book = Workbook()
    sheet: Any = book.active
    sheet.title = "清单"
    for row in ROWS:
        sheet.append(row)
    sheet["A1"].font = Font(bold=True)
    sheet.column_dimensions["B"].width = 41
    book.save(tmp_path / "a.xlsx")
    found = opened(marked(tmp_path / "a.xlsx", "a.xlsx", [remark("B2"), remark("B3", error=False)]))
    page = found["清单"]
    assert page["A1"].font.bold
    assert page.column_dimensions["B"].width == 41
    assert page["B2"].fill.fgColor.rgb.endswith(ERROR)
    assert page["B3"].fill.fgColor.rgb.endswith(WARNING)
    assert page["B2"].comment.text == "有错。"
    assert page["A2"].comment is None


def test_a_merged_cell_is_marked_where_its_value_stands(tmp_path: Path) -> None:
    book = Workbook()
    sheet: Any = book.active
    sheet.title = "清单"
    for row in ROWS:
        sheet.append(row)
    sheet.merge_cells("B2:B3")
    book.save(tmp_path / "a.xlsx")
    found = opened(marked(tmp_path / "a.xlsx", "a.xlsx", [remark("B3", "在下面。")]))
    assert found["清单"]["B2"].comment.text == "在下面。"


def test_several_remarks_on_a_cell_stand_in_one_comment(tmp_path: Path) -> None:
    path = make_book(tmp_path / "a.xlsx", ("清单", ROWS))
    said = [remark("B2", "一。", error=False), remark("B2", "二。")]
    cell = opened(marked(path, "a.xlsx", said))["清单"]["B2"]
    assert cell.comment.text == "一。\n二。"
    assert cell.fill.fgColor.rgb.endswith(ERROR)


def test_a_csv_comes_back_as_a_workbook(tmp_path: Path) -> None:
    path = tmp_path / "清单.csv"
    path.write_text("序号,事项名称\n1,甲\n\n3,=1+1\n", encoding="gb18030")
    found = opened(marked(path, "清单.csv", [remark("B4"), remark("D4", "此处应有。")]))
    page = found["清单"]
    assert [cell.value for cell in page["B"]] == ["事项名称", "甲", None, "=1+1"]
    assert page["B4"].data_type == "s", "what was text stays text"
    assert page["B4"].comment.text == "有错。"
    assert page["D4"].comment.text == "此处应有。"


def test_every_remark_is_in_the_list(tmp_path: Path) -> None:
    path = make_book(tmp_path / "a.xlsx", ("清单", ROWS))
    said = [remark("B2"), remark("", "整张表。"), remark("A1", "别处。", sheet="没有这张")]
    page = opened(marked(path, "a.xlsx", said))[LIST_SHEET]
    rows = [[cell.value for cell in row] for row in page.iter_rows(min_row=2)]
    assert [row[-1] for row in rows] == ["有错。", "整张表。", "别处。"]
    assert page["D2"].value == "=值"
    assert page["D2"].data_type == "s", "a value of the file is not computed here"


def test_a_workbook_that_openpyxl_cannot_write_again_is_made_anew(tmp_path: Path) -> None:
    """What it says of its author is beyond repair, its values are not."""
    path = make_book(tmp_path / "a.xlsx", ("清单", ROWS))
    replace_part(path, "docProps/core.xml", b"<oops")
    found = opened(marked(path, "a.xlsx", [remark("B2")]))
    assert found["清单"]["B2"].comment.text == "有错。"
    assert found["清单"]["B3"].value == "乙"
