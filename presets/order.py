"""The printed supervision order (督办单) as a Word template; ``python -m presets.order`` makes it.

One A4 page: what is known is filled in, and the lines for signatures stay empty. The words in double
braces are the fields of ``reports.orders``.
"""

from __future__ import annotations

from pathlib import Path

from docx import Document
from docx.document import Document as Slip
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Pt

from presets.letter import HEADING, NOTE, TITLE, drop_styles, page, set_widths
from presets.slip import BY_HAND, MARGINS, SIGNATURE, SIZE, SPACING, WIDTHS, line, row

SUPERVISION_ORDER = Path(__file__).parent / "letters" / "order.docx"
#: Lines of the upper part: one (label, field) across the page, or two side by side; height in mm.
FACTS: tuple[tuple[tuple[tuple[str, str], ...], int], ...] = (
    ((("督办事项", "督办事项"),), 14),
    ((("责任单位", "责任单位"), ("责任领导", "责任领导")), 11),
    ((("属地", "属地"), ("督办事由", "督办事由")), 11),
    ((("哨单编号", "哨单编号"), ("下达日期", "下达日期")), 11),
    ((("情况说明", "情况说明"),), 40),
    ((("办结期限", "办结期限"), ("由何升级", "由何升级")), 11),
    ((("整改情况", "整改情况"),), 50),
)
#: Lines to be written on: what is signed, and how tall the line is in mm.
SIGNED = (("下达单位", 16), ("责任领导签收", 16), ("办结审核", 16))
DEMAND = "请责任单位在办结期限前办理完毕，由责任领导审定后在系统中反馈整改情况。逾期未办结的，将按规定升级督办。"
FOOT = "本单与系统中的督办单同号。打印日期：{{ 打印日期 }}"


def build() -> Slip:
    """Return the template as a document."""
    order: Slip = Document()
    page(order, "督办单", margins=MARGINS, size=SIZE, spacing=SPACING)
    line(order.add_paragraph(), "{{ 督办方式 }}单", TITLE, Pt(20), WD_ALIGN_PARAGRAPH.CENTER)
    number = order.add_paragraph()
    line(number, "编号：{{ 编号 }}", NOTE, Pt(13), WD_ALIGN_PARAGRAPH.CENTER)
    table = order.add_table(rows=0, cols=4)
    table.style, table.alignment = "Table Grid", WD_TABLE_ALIGNMENT.CENTER
    set_widths(table, WIDTHS)
    for facts, height in FACTS:
        cells = row(table.add_row(), height)
        for place, (label, name) in enumerate(facts):
            line(cells[place * 2].paragraphs[0], label, HEADING)
            line(cells[place * 2 + 1].paragraphs[0], f"{{{{ {name} }}}}")
        if len(facts) == 1:
            cells[1].merge(cells[3])
    for label, height in SIGNED:
        cells = row(table.add_row(), height)
        whole = cells[1].merge(cells[3])
        line(cells[0].paragraphs[0], label, HEADING)
        whole.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.BOTTOM
        line(whole.paragraphs[0], SIGNATURE + BY_HAND)
    line(order.add_paragraph(), DEMAND, NOTE)
    line(order.add_paragraph(), FOOT, NOTE, Pt(9))
    drop_styles(order)
    return order


if __name__ == "__main__":
    SUPERVISION_ORDER.parent.mkdir(exist_ok=True)
    build().save(str(SUPERVISION_ORDER))
