"""What is left open of a workbook: headings that nobody knows, and whose lists they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from imports.decisions import Decisions, Headings
from imports.headings import fingerprint, heading_keys
from imports.layout import recognise
from imports.reader import Row, Sheet
from imports.specs import SPECS
from imports.tables import Layout
from imports.whose import named
from models.organization import Organization, OrganizationKind

KNOWN = ["序号", "事项名称", "对应上级部门", "上级部门职责", "乡镇配合职责"]
ODD = ["序号", "工作事项", "由谁牵头", "他们做什么", "我们做什么"]
ITEM = [1, "甲", "县公安局", "查", "报"]


def sheet(name: str, *rows: list[Any]) -> Sheet:
    return Sheet(name, rows=[Row(number, values) for number, values in enumerate(rows, 1)])


def read(*sheets: Sheet, **decisions: Any) -> Layout:
    return recognise(list(sheets), SPECS["duty-items"], Decisions(**decisions))


def said(list_type: str = "coordinating", **columns: str) -> dict[str, Headings]:
    mark = fingerprint(heading_keys(ODD).values())
    return {mark: Headings(list_type, columns)}


def test_headings_that_explain_themselves_leave_nothing_open() -> None:
    layout = read(sheet("配合履职事项清单", KNOWN, ITEM))
    assert layout.offers == []
    assert [table.list_type for table in layout.tables] == ["coordinating"]


def test_headings_that_nobody_knows_are_offered() -> None:
    layout = read(sheet("配合", ["甲镇配合履职事项清单"], ODD, ITEM))
    assert layout.tables == []
    (offer,) = layout.offers
    assert (offer.sheet, offer.row, offer.list_type) == ("配合", 2, "coordinating")
    assert [text for _cell, text, _key, _taken in offer.headings] == ODD
    assert offer.headings[0][3] == "序号", "what is known is filled in"


def test_an_unknown_column_is_offered_beside_those_that_are_known() -> None:
    layout = read(sheet("配合履职事项清单", [*KNOWN, "分管领导意见"], [*ITEM, "同意"]))
    (offer,) = layout.offers
    assert [taken for *_cell, taken in offer.headings][:2] == ["序号", "事项名称"]
    assert offer.headings[-1][3] == ""
    assert offer.missing == ()
    assert len(layout.tables[0].rows) == 1, "it is read all the same"


def test_a_missing_column_is_named() -> None:
    layout = read(
        sheet("配合履职事项清单", ["序号", "事项名称", "归谁管的"], [1, "甲", "县公安局"])
    )
    (offer,) = layout.offers
    assert "对应上级部门" in offer.missing


def test_what_has_been_said_of_headings_counts() -> None:
    columns = dict(zip(ODD, ["序号", "事项名称", "对应上级部门", "上级部门职责", ""], strict=True))
    layout = read(sheet("配合", ODD, ITEM), headings=said(**columns))
    assert layout.offers == []
    (table,) = layout.tables
    assert not table.errors
    assert not table.warnings, "a column that was left out on purpose is no surprise"
    assert set(table.rows[0].cells) >= {"序号", "事项名称", "对应上级部门"}


def test_what_was_said_of_one_layout_says_nothing_of_another() -> None:
    columns = dict.fromkeys(ODD, "") | {"工作事项": "事项名称", "由谁牵头": "对应上级部门"}
    other = [*ODD, "备用"]
    layout = read(sheet("配合", other, [*ITEM, "x"]), headings=said(**columns))
    assert layout.tables == []


def test_a_sheet_can_be_said_to_hold_another_list() -> None:
    layout = read(
        sheet("表一", ["序号", "类别", "事项名称"], [1, "民生", "甲"]), lists={"表一": "basic"}
    )
    assert [table.list_type for table in layout.tables] == ["basic"]


def test_a_sheet_can_be_left_out() -> None:
    layout = read(
        sheet("配合履职事项清单", KNOWN, ITEM), sheet("收支", ODD, ITEM), lists={"收支": ""}
    )
    assert layout.offers == []
    assert [problem.message for _sheet, problem in layout.warnings] == [
        "工作表“收支”按您的选择没有导入。"
    ]


def test_decisions_survive_as_json() -> None:
    decisions = Decisions({"表": "basic"}, said(工作事项="事项名称"), {"县住建委": 7}, True)
    assert Decisions.of_json(decisions.to_json()) == decisions
    assert Decisions.of_json({}) == Decisions()


@dataclass
class Place:
    """A place as far as its names go."""

    id: int
    name: str
    kind: OrganizationKind = OrganizationKind.TOWNSHIP
    aliases: list[str] = field(default_factory=list)


COUNTY = Place(1, "示范县", OrganizationKind.COUNTY)
PLACES = [COUNTY, Place(2, "和平镇"), Place(3, "新和平镇"), Place(4, "城关镇", aliases=["城关"])]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("示范县事项清单.xlsx", 1),
        ("示范县和平镇三张清单.xlsx", 2),
        ("新和平镇.xls", 3),
        ("城关 清单（终稿）.xlsx", 4),
        ("三张清单.xlsx", None),
        ("和平镇、城关镇.xlsx", None),
    ],
)
def test_whose_lists_a_file_name_says_they_are(text: str, number: int | None) -> None:
    found = named([text], cast("list[Organization]", PLACES))
    assert (found.id if found else None) == number
