"""The printed whistle slip (哨单) as a Word template; ``python -m presets.slip`` makes it.

One A4 page that goes along on paper under the same number: what is known is filled in, and the
lines for signatures stay empty (domain section 9). The words in double braces are the fields of
``reports.slips``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docx import Document
from docx.document import Document as Slip
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_ROW_HEIGHT_RULE, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Mm, Pt
from docx.table import _Cell, _Row

from presets.letter import BODY, HEADING, NOTE, TITLE, drop_styles, page, set_widths, write

WHISTLE_SLIP = Path(__file__).parent / "letters" / "slip.docx"
SIZE, SPACING = Pt(11), Pt(16)
#: Top, bottom, left and right, in mm.
MARGINS = (14, 14, 18, 18)
#: Widths of the four columns: label, value, label, value.
WIDTHS = (Mm(25), Mm(62), Mm(25), Mm(62))
#: Lines of the upper part: one (label, field) across the page, or two side by side; height in mm.
FACTS: tuple[tuple[tuple[tuple[str, str], ...], int], ...] = (
    ((("标题", "标题"),), 11),
    ((("吹哨单位", "吹哨单位"), ("吹哨时间", "吹哨时间")), 9),
    ((("地点", "地点"),), 9),
    ((("现场联系人", "现场联系人"), ("联系电话", "联系电话")), 9),
    ((("哨种", "哨种"), ("主题", "主题")), 9),
    ((("情况说明", "情况说明"),), 40),
    ((("清单依据", "清单依据"),), 13),
    ((("主办单位", "主办单位"), ("协办单位", "协办单位")), 13),
    ((("派单时间", "派单时间"), ("应哨期限", "应哨期限")), 9),
    ((("报到期限", "报到期限"), ("办结期限", "办结期限")), 9),
)
#: Lines to be signed: what, how tall the line is in mm, and the field of when it was done.
SIGNED = (
    ("审核、派单", 11, "派单时间"),
    ("应哨签收", 11, "应哨时间"),
    ("现场报到", 11, "报到时间"),
    ("办理结果", 28, "反馈时间"),
    ("评哨", 13, ""),
)
GRADES = "□非常满意  □满意  □基本满意  □不满意"
BY_HAND = "\u3000\u3000月\u3000\u3000日\u3000\u3000时\u3000\u3000分"
SIGNATURE = "签字：\u3000\u3000\u3000\u3000\u3000\u3000\u3000时间："
FOOT = (
    "本单与系统中的哨单同号。线下办理后，请把各步骤的实际时间补录进系统。打印日期：{{ 打印日期 }}"
)


def build() -> Slip:
    """Return the template as a document."""
    slip: Slip = Document()
    page(slip, "哨单", margins=MARGINS, size=SIZE, spacing=SPACING)
    line(slip.add_paragraph(), "吹哨报到哨单", TITLE, Pt(20), WD_ALIGN_PARAGRAPH.CENTER)
    line(slip.add_paragraph(), "编号：{{ 编号 }}", NOTE, Pt(13), WD_ALIGN_PARAGRAPH.CENTER)
    table = slip.add_table(rows=0, cols=4)
    table.style, table.alignment = "Table Grid", WD_TABLE_ALIGNMENT.CENTER
    set_widths(table, WIDTHS)
    for facts, height in FACTS:
        cells = row(table.add_row(), height)
        for number, (label, name) in enumerate(facts):
            line(cells[number * 2].paragraphs[0], label, HEADING)
            line(cells[number * 2 + 1].paragraphs[0], f"{{{{ {name} }}}}")
        if len(facts) == 1:
            cells[1].merge(cells[3])
    for label, height, done in SIGNED:
        cells = row(table.add_row(), height)
        whole = cells[1].merge(cells[3])
        line(cells[0].paragraphs[0], label, HEADING)
        whole.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.BOTTOM
        above = {"评哨": GRADES, "办理结果": "{{ 办理结果 }}"}.get(label)
        if above:
            line(whole.paragraphs[0], above)
        when = (
            f"{{% if {done} %}}{{{{ {done} }}}}{{% else %}}{BY_HAND}{{% endif %}}"
            if done
            else BY_HAND
        )
        line(whole.add_paragraph() if above else whole.paragraphs[0], SIGNATURE + when)
    line(slip.add_paragraph(), FOOT, NOTE, Pt(9))
    drop_styles(slip)
    return slip


def row(made: _Row, height: int) -> tuple[_Cell, ...]:
    """Give a row its height; a longer text makes it taller, never cuts it."""
    made.height, made.height_rule = Mm(height), WD_ROW_HEIGHT_RULE.AT_LEAST
    cells = made.cells
    for cell, width in zip(cells, WIDTHS, strict=True):
        cell.width, cell.vertical_alignment = width, WD_CELL_VERTICAL_ALIGNMENT.CENTER
    return cells


def line(paragraph: Any, text: str, font: str = BODY, size: Pt = SIZE, align: Any = None) -> None:
    """Write a line of a slip; a large one stands free."""
    paragraph.alignment = align
    if size > Pt(14):
        paragraph.paragraph_format.line_spacing = Pt(30)
    write(paragraph, text, font, size)


if __name__ == "__main__":
    WHISTLE_SLIP.parent.mkdir(exist_ok=True)
    build().save(str(WHISTLE_SLIP))
