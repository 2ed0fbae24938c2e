"""Pictures of figures: well-formed, every number readable, lengths and places as the numbers say."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
import resvg_py
from lxml import etree

from reports.drawing import SMALL, cut, ems, nice_top
from reports.heat_tables import SHADES, HeatCell, HeatTable
from reports.pictures import Bar, Cell, Chart, Groups, Lines, Picture, Series
from reports.raster import can_write, png

LONG = "示范县城关镇东关社区老旧小区综合改造与长效管理联合服务中心ABCDEFGHIJKLMNOPQRSTUVWXYZ"
NS = "{http://www.w3.org/2000/svg}"
WIDTHS = [None, 640]


def chart(numbers: list[int], *, columns: bool = False, label: str = "项") -> Chart:
    bars = [Bar(f"{label}{turn}", n, f"{n:,}", f"/l?{turn}") for turn, n in enumerate(numbers)]
    return Chart("some", "标题", "说明。", ("名称", "件数"), bars, columns=columns)


def lines(*series: Series, labels: int = 3, most: int | None = None) -> Lines:
    names = [f"{turn + 1}月" for turn in range(labels)]
    return Lines(
        "many",
        "走势",
        "说明。",
        "月份",
        names,
        series,
        write=lambda n: f"<{float(n):g}>",
        most=most,
    )


def tree(picture: Picture | HeatTable, width: int | None) -> Any:
    markup = picture.svg(width) if width else picture.svg()
    return etree.fromstring(markup)


def said(root: Any) -> list[str]:
    return [(each.text or "") for each in root.iter(f"{NS}text")]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("numbers", [[], [0], [7], [0, 0], [3, 0, 12, 1200]])
def test_bars_say_their_numbers(numbers: list[int], columns: bool, width: int | None) -> None:
    picture = chart(numbers, columns=columns)
    root = tree(picture, width)
    for turn, number in enumerate(numbers):
        assert f"项{turn}" in said(root)
        if number or not columns:
            assert f"{number:,}" in said(root)
    assert picture.empty is (not any(numbers))
    assert [row.cells for row in picture.rows] == [
        [Cell(f"{n:,}", f"/l?{turn}" if n else None)] for turn, n in enumerate(numbers)
    ]


@pytest.mark.parametrize("columns", [False, True])
def test_a_bar_is_as_long_as_its_number_and_what_is_little_is_seen(columns: bool) -> None:
    root = tree(chart([1000, 500, 1, 0], columns=columns), 640)
    side = "height" if columns else "width"
    longest, half, least, none = (float(each.get(side, "")) for each in root.iter(f"{NS}rect"))
    assert half == pytest.approx(longest / 2, abs=0.2)
    assert 0 < least < 5
    assert none == 0


def test_bars_of_shares_are_parts_of_a_whole() -> None:
    bars = [Bar("甲局", 40, "40.0%"), Bar("乙局", 20, "20.0%")]
    heads = ("部门", "率")
    first, second = (
        [float(each.get("width", "")) for each in tree(picture, 640).iter(f"{NS}rect")]
        for picture in (
            Chart("a", "t", "d", heads, bars),
            Chart("a", "t", "d", heads, bars, whole=100),
        )
    )
    assert second[0] == pytest.approx(first[0] * 0.4, abs=0.2)
    assert first[1] == pytest.approx(first[0] / 2, abs=0.2)
    nothing = [Bar("甲局", 0, "0.0%")]
    assert not Chart("a", "t", "d", heads, nothing, whole=100).empty
    assert Chart("a", "t", "d", heads, [], whole=100).empty


@pytest.mark.parametrize("columns", [False, True])
def test_long_numbers_stand_within_the_picture(columns: bool) -> None:
    text = "40.0%（1,006 / 2,515）"
    labels = ["甲县住房和城乡建设局", "乙局"]
    pictures = [
        Chart("a", "t", "d", ("部门", "率"), [Bar(label, 40, text) for label in labels]),
        Groups(
            "g", "t", "d", "部门", labels, [Series("本期", [40, 40], [text] * 2)], columns=columns
        ),
    ]
    for picture in pictures:
        for each in tree(picture, 300).iter(f"{NS}text"):
            if each.get("class") == "chart-value":
                end = float(each.get("x")) + 5 + ems(text) * int(each.get("font-size"))
                assert end <= 301


@pytest.mark.parametrize("width", WIDTHS)
def test_a_picture_is_named_and_holds_nothing_that_is_not_a_picture(width: int | None) -> None:
    rude = '<script>alert("1")</script>&\x00'
    hostile = Bar(rude, 1, rude)
    picture = Chart('a"b', rude, rude, ("名称", "件数"), [hostile])
    markup = picture.svg(width)
    root = etree.fromstring(markup)
    assert root.get("role") == "img"
    names = (root.get("aria-labelledby") or "").split()
    told = {each.get("id"): each.text for each in root if each.tag in (f"{NS}title", f"{NS}desc")}
    assert [told[name] for name in names] == [rude.rstrip("\x00")] * 2
    assert not re.search(r"<script|style=|\son\w+=", markup)
    assert {each.tag.removeprefix(NS) for each in root.iter()} <= {
        "svg", "title", "desc", "rect", "text",
    }  # fmt: skip


def test_long_labels_are_cut_and_whole_when_pointed_at() -> None:
    for width in WIDTHS:
        root = tree(chart([5], label=LONG), width)
        (label, _number) = root.iter(f"{NS}text")
        if width is None:
            assert label.text.endswith("…")
            assert label.find(f"{NS}title").text == f"{LONG}0"
        assert ems(label.text or "") * 13 <= (width or 300)
    assert cut("路灯", 2) == "路灯"
    assert cut("路灯不亮", 3) == "路灯…"


def test_no_text_is_smaller_than_eleven_pixels() -> None:
    groups = Groups("g", "t", "d", "h", ["一", "二"], [series("本期", 1, 2), series("上期", 2, 1)])
    for picture in (chart([1, 2], columns=True), chart([1]), groups, lines(series("a", 1, 2, 3))):
        for each in tree(picture, None).iter(f"{NS}text"):
            assert int(each.get("font-size", "0")) >= 11


def series(title: str, *numbers: int | None, before: bool = False) -> Series:
    texts = ["—" if number is None else str(number) for number in numbers]
    return Series(title, numbers, texts, before=before, urls=[f"/l?{n}" for n in numbers])


@pytest.mark.parametrize("width", WIDTHS)
def test_lines_break_where_there_is_no_number(width: int | None) -> None:
    picture = lines(series("本期", 1, None, 3), series("上期", 1, 2, 3, before=True))
    root = tree(picture, width)
    traces = [each.get("class") for each in root.iter(f"{NS}line")]
    # one in the legend each; two of the whole series, none of the broken one
    assert traces.count("trace-info") == 1
    assert traces.count("trace-before") == 3
    dashed = [e for e in root.iter(f"{NS}line") if e.get("class") == "trace-before"]
    assert all(each.get("stroke-dasharray") for each in dashed)
    # the middle of an axis is a whole number too
    assert {"本期", "上期", "1月", "2月", "3月", "<4>", "<2>", "<0>"} <= set(said(root))
    assert picture.rows[1].cells == [Cell("—", None), Cell("2", "/l?2")]
    assert picture.heads == ("月份", "本期", "上期")


def test_points_lie_as_high_as_their_numbers() -> None:
    root = tree(lines(series("一条", 0, 2, 4)), 600)
    heights = [float(each.get("cy", "")) for each in root.iter(f"{NS}circle")]
    assert heights[0] > heights[1] > heights[2]
    assert heights[1] == pytest.approx((heights[0] + heights[2]) / 2)


@pytest.mark.parametrize("numbers", [(), (None,), (0,), (5,)])
def test_lines_of_little_are_drawn_all_the_same(numbers: tuple[int | None, ...]) -> None:
    picture = lines(series("一条", *numbers), labels=len(numbers))
    assert picture.empty is all(number is None for number in numbers)
    assert len(list(tree(picture, None).iter(f"{NS}circle"))) == len(
        [n for n in numbers if n is not None]
    )


def test_an_axis_of_shares_ends_at_the_whole() -> None:
    one = Series("率", [Decimal("0.97")], ["97.0%"])
    assert "<1>" in said(tree(lines(one, labels=1, most=1), None))
    assert [nice_top(n) for n in (0, 1, 7, 11, 97, 101, Decimal("0.3"))] == [
        1, 1, 8, 12, 100, 120, Decimal("0.3"),
    ]  # fmt: skip


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("columns", [False, True])
def test_groups_set_series_side_by_side(columns: bool, width: int | None) -> None:
    both = [series("本期", 8, 0), series("上期", 4, None, before=True)]
    picture = Groups("g", "标题", "说明。", "部门", ["甲局", "乙局"], both, columns=columns)
    root = tree(picture, width)
    assert {"甲局", "乙局", "本期", "上期", "8", "4", "0", "—"} <= set(said(root))
    kinds = [each.get("class") for each in root.iter(f"{NS}rect")]
    assert kinds.count("bar-before") == 3
    names = [LONG, "乙局"]
    lying = Groups("g", "t", "d", "h", names, both, columns=columns)
    assert max(ems(text) for text in said(tree(lying, width))) * 13 <= (width or 300)


def test_more_series_than_fit_in_a_row_of_the_legend_are_told_below() -> None:
    many = [series(f"第{number}个系列的名称", 1, 2, 3) for number in range(6)]
    root = tree(lines(*many), None)
    keys = [e for e in root.iter(f"{NS}text") if "chart-key" in (e.get("class") or "")]
    assert len(keys) == 6
    assert len({each.get("y") for each in keys}) > 2
    shown = [(e.get("stroke"), e.get("stroke-dasharray")) for e in root.iter(f"{NS}line")]
    assert len({each for each in shown if each[1]}) >= 4


def heat(rows: dict[str, list[int | None]]) -> HeatTable:
    made = [
        (label, [HeatCell("—" if n is None else f"{n}件", None, n) for n in numbers])
        for label, numbers in rows.items()
    ]
    wide = max((len(numbers) for numbers in rows.values()), default=0)
    names = [f"列{number}" for number in range(wide)]
    return HeatTable("heat", "热力", "说明。", "分类", names, made, write=lambda n: f"{n}件")


def test_a_heat_table_shades_from_little_to_much() -> None:
    table = heat({"甲": [0, 25, 50], "乙": [75, 100, None]})
    assert [table.level(n) for n in (0, 25, 50, 75, 100, None)] == [0, 1, 2, 3, 4, None]
    assert [level for level, _span in table.legend()] == [0, 1, 2, 3, 4]
    assert table.legend()[0] == (0, "0件")
    root = tree(table, 640)
    assert {"甲", "乙", "列0", "0件", "100件", "—", "分类"} <= set(said(root))
    shown = [each.get("fill") for each in root.iter(f"{NS}rect")]
    assert shown[:5] == [shade for shade, _ink in SHADES]


@pytest.mark.parametrize("rows", [{}, {"甲": []}, {"甲": [None]}, {"甲": [7]}, {LONG: [0, 0]}])
def test_a_heat_table_of_little(rows: dict[str, list[int | None]]) -> None:
    table = heat(rows)
    known = [n for numbers in rows.values() for n in numbers if n is not None]
    assert table.empty is (not known)
    assert len(table.legend()) == min(1, len(known))
    tree(table, 640)
    for text in said(tree(table, 640)):
        assert ems(text) * SMALL <= 640 * 0.4


def test_shades_differ_without_colour() -> None:
    def light(shade: str) -> float:
        red, green, blue = (int(shade[at : at + 2], 16) for at in (1, 3, 5))
        return 0.299 * red + 0.587 * green + 0.114 * blue

    found = [light(shade) for shade, _ink in SHADES]
    assert all(one - other > 20 for one, other in pairwise(found))


def test_a_document_gets_a_png() -> None:
    data = png(chart([1, 2, 3]).svg(600), zoom=2)
    assert data.startswith(b"\x89PNG")
    assert int.from_bytes(data[16:20]) == 1200


def test_a_machine_without_a_chinese_font_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = resvg_py.svg_to_bytes
    monkeypatch.setattr(
        resvg_py, "svg_to_bytes", lambda **asked: real(**asked, skip_system_fonts=True)
    )
    can_write.cache_clear()
    assert can_write() is False
    can_write.cache_clear()
