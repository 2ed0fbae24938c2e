"""The quick way through a list says what the slow one says, of sound rows and of every other."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from imports.engine import preview
from imports.findings import findings
from imports.plan import Plan
from imports.shapes import Shapes
from tests.imports.books import CATALOGUE, MESSY, THREE_LISTS, make_book
from tests.imports.conftest import Place

HEAD = ["序号", "类别", "事项名称", "对应上级部门", "上级部门职责", "乡镇（街道）配合职责"]
#: What cells may hold, by column: nearly all is sound, and some is not.
CELLS: list[list[Any]] = [
    [1, 2.0, "3", "４", "5.", "（6）", "七", 8.5, "", None, "0123456789", True],
    ["党的建设", "一、平安法治（3项）", "", "无", " 民生 服务 ", "长" * 101],
    [
        "修路",
        "修路",
        "Ａ\u3000ｂ",
        "a b",
        "断\n行",
        "\u200b隐\ufeff形",
        "无",
        "",
        12,
        "长" * 301,
        "合计",
    ],
    ["县教育局", "县教育局、县公安局", "县公安局\n县教育局", "没有的局", "", "无", "县 教 育 局"],
    ["一\n二", " 首尾 ", "甲 \n 乙", "_x000D_换行", "", "／", "—", "1.按季\t上报"],
    ["按月上报。", "", 3, 2.5, "\u3000缩进"],
]


def told(plan: Plan) -> Any:
    """Return everything that a plan says."""
    return [
        [
            (row.item.row, row.item.key, row.item.values, row.item.cells, row.title)
            for row in sheet.rows
        ]
        for sheet in plan.sheets
    ], findings(plan)


def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no row go the quick way."""
    monkeypatch.setattr(Shapes, "item", lambda self, row: None)


@pytest.mark.parametrize(
    ("book", "owner"),
    [
        (THREE_LISTS, "城关镇"),
        (CATALOGUE, "示范县"),
        (MESSY / "红旗街道_配合清单_类别竖向合并.xlsx", "红旗街道"),
        (MESSY / "清水镇_基本清单_表头在第四行.xlsx", "清水镇"),
        (MESSY / "和平镇_收回清单_五处错误.xlsx", "和平镇"),
    ],
)
def test_samples(
    county: Session, place: Place, monkeypatch: pytest.MonkeyPatch, book: Path, owner: str
) -> None:
    quick = preview(county, "duty-items", book, owner=place(owner))
    slowly(monkeypatch)
    slow = preview(county, "duty-items", book, owner=place(owner))
    assert told(quick) == told(slow)
    assert quick.token == slow.token


@pytest.mark.parametrize("seed", range(8))
def test_rows_of_every_kind(
    county: Session, place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    rows: list[list[Any]] = [HEAD]
    for number in range(120):
        row = [number + 1, "党的建设", f"第{number}件事", "县教育局", "牵头", "配合"]
        for column in chance.sample(range(6), chance.choice([0, 0, 1, 1, 2, 6])):
            row[column] = chance.choice(CELLS[column])
        rows.append(row[: chance.choice([6, 6, 6, 4])])
        if number == 60:
            rows.append(HEAD)
    path = make_book(tmp_path / "a.xlsx", ("配合", rows))
    quick = preview(county, "duty-items", path, owner=place("城关镇"))
    slowly(monkeypatch)
    slow = preview(county, "duty-items", path, owner=place("城关镇"))
    assert told(quick) == told(slow)
    assert any(sheet.rows for sheet in quick.sheets)
