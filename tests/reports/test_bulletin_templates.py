"""A template of one's own: where blocks may stand, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from docx.document import Document as Word
from docx.oxml.ns import qn
from docx.shared import Pt

from reports import raster
from reports.bulletins import PURPOSE
from reports.letter_templates import check_template
from rules.errors import Invalid
from tests.factories.bulletins import docx_of
from tests.factories.world import World
from tests.reports.bulletin_words import of_month, parts_of, some, told, written


def filled(world: World, fill: Callable[[Word], Any], **more: Any) -> Word:
    """Return the document of a template that was checked."""
    template = docx_of(fill)
    check_template("自备.docx", template, PURPOSE)
    some(world)
    return written(of_month(world), template, **more)


def test_a_block_in_a_cell_leaves_the_cell_a_paragraph_at_its_end(
    one_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raster, "can_write", lambda: True)

    def fill(word: Word) -> None:
        table = word.add_table(1, 2)
        table.cell(0, 0).text, table.cell(0, 1).text = "{{ 部门表 }}", "{{ 趋势图 }}"

    (outer,) = filled(one_world, fill).tables
    cell = outer.cell(0, 0)
    assert cell.tables[0].cell(1, 0).text == "甲县住建局"
    for each in outer._tbl.iter(qn("w:tc")):
        assert each[-1].tag == qn("w:p"), "else Word calls the file broken"
    beside = outer.cell(0, 1)._tc
    (picture,) = beside.iter(qn("wp:extent"))
    assert int(picture.get("cx")) < 80 * 36000, "no wider than its half of the page"


def test_a_block_within_a_sentence_stands_behind_it(one_world: World) -> None:
    word = filled(one_world, lambda word: word.add_paragraph("情况见{{ 部门表 }}，望周知。"))
    assert told(word) == ["情况见，望周知。"]
    assert parts_of(word)[:2] == ["p", "tbl"]


def test_lines_of_a_fixed_height_cut_no_picture_off(
    one_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(word: Word) -> None:
        word.styles["Normal"].paragraph_format.line_spacing = Pt(28)
        word.add_paragraph("{{ 趋势图 }}")

    monkeypatch.setattr(raster, "can_write", lambda: True)
    word = filled(one_world, fill)
    (with_picture,) = (each for each in word.paragraphs if list(each._p.iter(qn("wp:inline"))))
    assert with_picture.paragraph_format.line_spacing == 1.0


def test_several_blocks_keep_their_order_and_stay_apart(one_world: World) -> None:
    def fill(word: Word) -> None:
        word.add_paragraph("{{ 属地表 }}{{ 部门表 }}")
        word.add_paragraph("{{ 事项表 }}")

    word = filled(one_world, fill)
    assert [each.cell(0, 0).text for each in word.tables] == [
        "乡镇（街道）",
        "承办单位",
        "履职事项",
    ]
    names = parts_of(word)
    assert ("tbl", "tbl") not in pairwise(names), "Word would join them"
    assert names[-2] == "p"


def test_nobody_writes_a_table_by_his_remarks(one_world: World) -> None:
    marks = "〖部门表〗{{ 部门表 }}"
    word = filled(one_world, lambda word: word.add_paragraph("{{ 工作要求 }}"), remarks=marks)
    assert (told(word), word.tables) == ([marks], [])


def test_a_condition_may_ask_for_a_field(one_world: World) -> None:
    def fill(word: Word) -> None:
        word.add_paragraph("{%p if 工作要求 %}")
        word.add_paragraph("{{ 部门表 }}")
        word.add_paragraph("{%p endif %}")
        word.add_paragraph("完")

    assert filled(one_world, fill).tables == []
    assert len(filled(one_world, fill, remarks="整改").tables) == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{{ 标題 }}", "不认识的字段：“标題”（相近的有“标题”）"),
        ("{{ 协议编号 }}", "不认识的字段"),
        ("{{ 部门表.x }}", "取属性"),
        ("{{ 部门表", "没有成对"),
        ("{% for 行 in 部门表 %}{% endfor %}", "循环"),
    ],
)
def test_a_template_that_cannot_be_filled_in_is_refused(text: str, sentence: str) -> None:
    template = docx_of(lambda word: word.add_paragraph(text))
    with pytest.raises(Invalid, match=r"“红头\.docx”") as refused:
        check_template("红头.docx", template, PURPOSE)
    assert sentence in refused.value.message


def test_advice_on_conditions_names_a_field_of_bulletins() -> None:
    def fill(word: Word) -> None:
        word.add_table(1, 1).cell(0, 0).text = "{% if 工作要求 %}"
        word.add_paragraph("{% endif %}")

    with pytest.raises(Invalid, match="if 工作要求"):
        check_template("红头.docx", docx_of(fill), PURPOSE)
