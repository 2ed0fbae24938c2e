"""Recognising lists: headings wherever they stand, banners in either form, merges, notes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from imports.layout import recognise
from imports.reader import Merge, Row, Sheet, read
from imports.specs import SPECS
from imports.tables import Layout, Table
from tests.imports.books import CATALOGUE, MESSY, ORGANIZATIONS, THREE_LISTS

DUTY = SPECS["duty-items"]


def sheet(rows: Sequence[Sequence[Any]], name: str = "基本", merges: Sequence[Merge] = ()) -> Sheet:
    filled = [Row(number, list(row)) for number, row in enumerate(rows, 1) if any(row)]
    return Sheet(name, rows=filled, merges=list(merges))


def only(*sheets: Sheet) -> Table:
    layout = recognise(sheets, DUTY)
    assert layout.errors == []
    [table] = layout.tables
    return table


def names(table: Table) -> list[tuple[str, str]]:
    return [(row.category, row.cells["事项名称"].text) for row in table.rows]


# The samples


def test_three_lists_of_a_township() -> None:
    tables = recognise(read(THREE_LISTS), DUTY).tables
    found = [(t.list_type, len(t.rows), len({row.category for row in t.rows})) for t in tables]
    assert found == [("basic", 129, 10), ("coordinating", 103, 12), ("reclaimed", 138, 10)]
    assert [table.errors + table.warnings for table in tables] == [[], [], []]
    assert tables[0].rows[0].category == "党的建设"


def test_catalogue() -> None:
    [table] = recognise(read(CATALOGUE), DUTY).tables
    assert (table.list_type, len(table.rows)) == ("catalogue", 1568)
    assert len({row.category for row in table.rows}) == 18


def test_organizations() -> None:
    [table] = recognise(read(ORGANIZATIONS), SPECS["organizations"]).tables
    assert (table.list_type, len(table.rows), table.warnings) == ("organizations", 95, [])


@pytest.mark.parametrize(
    "name", ["清水镇_基本清单_表头在第四行.xlsx", "红旗街道_配合清单_类别竖向合并.xlsx"]
)
def test_messy_lists(name: str) -> None:
    expected = json.loads((MESSY / "expected.json").read_text(encoding="utf-8"))[name]
    [table] = recognise(read(MESSY / name), DUTY).tables
    assert len(table.rows) == expected[table.list_type]
    assert len({row.category for row in table.rows}) == expected["categories"]
    assert table.errors == []
    texts = [row.cells["事项名称"].text for row in table.rows]
    if "first" in expected:
        assert (texts[0], texts[-1]) == (expected["first"], expected["last"])


# Headings


def test_heading_written_with_blanks_breaks_and_full_width() -> None:
    table = only(
        sheet([["附件1"], ["说明文字"], ["序 号", "职权\n名称：", "备　注"], [1, "甲", ""]])
    )
    assert table.heading_row == 3
    assert names(table) == [("", "甲")]
    assert [(p.cell, p.value) for p in table.warnings] == [("C3", "备 注".replace(" ", "\u3000"))]


@pytest.mark.parametrize("word", ["收回", "回收", "上收"])
def test_reclaimed_is_spelt_in_three_ways(word: str) -> None:
    rows = [
        [f"和平镇{word}事项清单"],
        ["序号", "事项名称", "承接部门", "工作方式"],
        [1, "甲", "乙", "丙"],
    ]
    assert only(sheet(rows, "Sheet1")).list_type == "reclaimed"


@pytest.mark.parametrize(
    ("headings", "list_type"),
    [
        (["序号", "事项名称", "承接部门及工作方式"], "reclaimed"),
        (["序号", "事项名称"], "basic"),
        (["序号", "类别", "事项名称", "办理流程", "责任部门", "办理时限"], "catalogue"),
        (["序号", "事项", "对应上级部门", "上级部门职责", "街道配合职责"], "coordinating"),
    ],
)
def test_columns_tell_the_list_where_no_word_does(headings: list[str], list_type: str) -> None:
    table = only(sheet([headings, [1, *["甲"] * (len(headings) - 1)]], "Sheet1"))
    assert table.list_type == list_type


def test_a_heading_that_suits_several_lists_is_an_error() -> None:
    rows = [["序号", "事项名称", "责任部门"], [1, "甲", "县教育局"]]
    layout = recognise([sheet(rows, "Sheet1")], DUTY)
    assert layout.tables == []
    [(name, problem)] = layout.errors
    assert (name, problem.cell) == ("Sheet1", "A1")
    assert "看不出这是哪一张清单" in problem.message


def test_a_missing_column_is_an_error_of_the_list() -> None:
    layout = recognise([sheet([["序号", "事项名称"], [1, "甲"]], "配合履职")], DUTY)
    [table] = layout.tables
    [problem] = table.errors
    assert "没有找到“对应上级部门”这一列" in problem.message


def test_nothing_to_import() -> None:
    layout = recognise([sheet([["今天", "天气"], ["很", "好"]])], DUTY)
    assert layout.tables == []
    assert "没有可以导入的内容" in layout.errors[0].problem.message


def test_hidden_and_foreign_sheets_are_left_out_and_named() -> None:
    hidden = Sheet("旧稿", hidden=True)
    foreign = sheet([["填表须知"], ["请认真填写"]], "说明")
    layout = recognise([sheet([["序号", "事项名称"], [1, "甲"]]), hidden, foreign], DUTY)
    assert [table.sheet for table in layout.tables] == ["基本"]
    assert [warning.sheet for warning in layout.warnings] == ["旧稿", "说明"]
    assert "隐藏" in layout.warnings[0].problem.message


def test_heading_repeated_with_columns_elsewhere_and_numbers_restarted() -> None:
    rows = [
        ["序号", "事项名称", ""],
        [1, "甲", ""],
        ["序 号", "", "事 项 名 称"],
        [1, "", "乙"],
    ]
    assert names(only(sheet(rows))) == [("", "甲"), ("", "乙")]


def test_several_lists_in_one_sheet() -> None:
    rows = [
        ["城关镇基本履职事项清单"],
        ["序号", "事项名称"],
        [1, "甲"],
        ["二、城关镇上级部门收回事项清单（1项）"],
        ["序号", "事项名称", "承接部门"],
        [1, "乙", "县教育局"],
    ]
    layout = recognise([sheet(rows, "Sheet1")], DUTY)
    assert [(t.list_type, len(t.rows), t.warnings) for t in layout.tables] == [
        ("basic", 1, []),
        ("reclaimed", 1, []),
    ]


# Banners


@pytest.mark.parametrize(
    "banner",
    [
        ["一、党的建设（1项）", ""],
        ["一、党的建设(共1项)", ""],
        ["一、", "党的建设（1项）"],
        ["一", "党的建设"],
        ["（一）党的建设", ""],
        ["", "一、党的建设"],
        ["第一类", "党的建设（1项）"],
        ["党的建设（1项）", ""],
        ["党的建设", ""],
    ],
)
def test_banners(banner: list[str]) -> None:
    table = only(sheet([["序号", "事项名称"], banner, [1, "甲"]]))
    assert names(table) == [("党的建设", "甲")]
    assert table.warnings == []


def test_a_chinese_numeral_out_of_turn_is_an_items_own_number() -> None:
    rows = [
        ["序号", "事项名称"],
        ["一", "党的建设"],
        [1, "甲"],
        ["十五", "乙"],
        ["二", "民生"],
        [2, "丙"],
    ]
    assert names(only(sheet(rows))) == [("党的建设", "甲"), ("党的建设", "乙"), ("民生", "丙")]


def test_a_chinese_number_beside_a_merged_category_is_an_items_own() -> None:
    rows = [["类别", "序号", "事项名称"], ["党建", 1, "甲"], ["", "十五", "乙"]]
    assert names(only(sheet(rows, merges=[Merge(2, 0, 3, 0)]))) == [("党建", "甲"), ("党建", "乙")]


def test_a_banner_that_miscounts_is_a_warning() -> None:
    rows = [["序号", "事项名称"], ["一、党的建设（3项）"], [1, "甲"], [2, "乙"]]
    [problem] = only(sheet(rows)).warnings
    assert (problem.cell, "写明 3 项" in problem.message) == ("A2", True)


# Merged cells


def test_a_category_merged_downwards_reaches_its_rows_and_no_further() -> None:
    rows = [["类别", "序号", "事项名称"], ["党建", 1, "甲"], ["", 2, "乙"], ["民生", 3, "丙"]]
    assert names(only(sheet(rows, merges=[Merge(2, 0, 3, 0)]))) == [
        ("党建", "甲"),
        ("党建", "乙"),
        ("民生", "丙"),
    ]


def test_one_item_over_several_rows() -> None:
    rows = [
        ["序号", "事项名称", "承接部门", "工作方式"],
        [1, "甲", "县教育局", "直接办理"],
        ["", "", "县公安局", ""],
        [2, "乙", "县民政局", ""],
    ]
    table = only(sheet(rows, "收回", [Merge(2, 0, 3, 0), Merge(2, 1, 3, 1)]))
    assert [row.cells["承接部门"].text for row in table.rows] == ["县教育局\n县公安局", "县民政局"]


def test_a_department_merged_over_two_items_belongs_to_both() -> None:
    rows = [["序号", "事项名称", "承接部门"], [1, "甲", "县教育局"], [2, "乙", ""]]
    table = only(sheet(rows, "收回", [Merge(2, 2, 3, 2)]))
    assert [row.cells["承接部门"].text for row in table.rows] == ["县教育局", "县教育局"]


# What is no item


def test_totals_notes_and_signatures_are_no_items() -> None:
    rows = [
        ["序号", "事项名称", "承接部门"],
        ["合计", "2项", ""],
        [1, "甲", "县教育局"],
        ["", "备注说明制度建设", "县教育局"],
        ["备注：本清单实行动态调整。"],
        ["填表人：张三", "", "联系电话：123"],
    ]
    table = only(sheet(rows, "收回"))
    assert [row.number for row in table.rows] == [3, 4]
    assert table.notes == ["备注：本清单实行动态调整。", "填表人：张三 联系电话：123"]


def test_a_numbered_row_without_content_is_skipped_aloud() -> None:
    table = only(sheet([["序号", "事项名称"], [1, "甲"], [2, ""]]))
    assert len(table.rows) == 1
    assert [problem.cell for problem in table.warnings] == ["A3"]


def test_a_row_without_its_name_stays_a_row() -> None:
    """It must be reported by cell, not taken for a banner or dropped."""
    table = only(sheet([["序号", "事项名称", "承接部门"], [4, "", "县教育局"]], "收回"))
    assert [row.number for row in table.rows] == [2]


def test_nothing_written_as_a_word() -> None:
    table = only(sheet([["序号", "事项名称", "承接部门"], [1, "甲", "无"]], "收回"))
    assert "承接部门" not in table.rows[0].cells


def test_empty_layout_for_no_sheets() -> None:
    layout: Layout = recognise([], DUTY)
    assert len(layout.errors) == 1
