"""The minutes of a meeting (会议纪要) as a Word template; ``python -m presets.minutes`` makes it.

The words in double braces are the fields of ``reports.minutes``.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from docx import Document
from docx.document import Document as Minutes
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.shared import Mm, Pt
from docx.text.paragraph import Paragraph

from presets.letter import BODY, HEADING, NOTE, STYLES, TITLE, name_substitutes, set_font, write

MEETING_MINUTES = Path(__file__).parent / "letters" / "minutes.docx"
SIZE, SMALL = Pt(15), Pt(12)
FACTS = ("会议时间", "会议地点", "召集单位", "主持人", "参会单位和人员")
#: Heading, field of a decision, width.
COLUMNS = (
    ("序号", "{{ 项.序号 }}", Mm(14)),
    ("议定事项", "{{ 项.内容 }}", Mm(64)),
    ("责任单位", "{{ 项.责任单位 }}", Mm(32)),
    ("完成期限", "{{ 项.期限 }}", Mm(27)),
    ("落实情况", "{{ 项.落实 }}", Mm(29)),
)


def build() -> Minutes:
    """Return the template as a document."""
    minutes: Minutes = Document()
    _page(minutes)
    title = _line(minutes, "{{ 会议名称 }}", TITLE, Pt(20))
    title.alignment, title.paragraph_format.space_after = WD_ALIGN_PARAGRAPH.CENTER, Pt(4)
    title.paragraph_format.line_spacing = Pt(32)
    kind = _line(minutes, "{{ 会议类型 }}纪要", NOTE)
    kind.alignment, kind.paragraph_format.space_after = WD_ALIGN_PARAGRAPH.CENTER, Pt(12)
    for name in FACTS:
        fact = _line(minutes, f"{name}：", HEADING)
        write(fact, f"{{{{ {name} }}}}", BODY, SIZE)
    _heading(minutes, "一、议题和讨论情况")
    _line(minutes, "{%p for 项 in 议题 %}")
    _line(minutes, "（{{ 项.序号 }}）{{ 项.议题 }}", HEADING, indent=True)
    _line(minutes, "{{ 项.讨论 }}").paragraph_format.left_indent = SIZE * 2
    _line(minutes, "{%p endfor %}")
    _line(minutes, "{%p if not 议题 %}")
    _line(minutes, "没有登记议题。", indent=True)
    _line(minutes, "{%p endif %}")
    _heading(minutes, "二、议定事项")
    _decisions(minutes)
    _line(minutes, "{%p if 会议记录 %}")
    _heading(minutes, "三、其他记录")
    _line(minutes, "{{ 会议记录 }}").paragraph_format.left_indent = SIZE * 2
    _line(minutes, "{%p endif %}")
    foot = _line(minutes, "{{ 印发单位 }}　　{{ 打印日期 }}", NOTE, SMALL)
    foot.alignment, foot.paragraph_format.space_before = WD_ALIGN_PARAGRAPH.RIGHT, Pt(18)
    for style in list(minutes.styles):
        if style.name not in STYLES:
            style.delete()
    return minutes


def _page(minutes: Minutes) -> None:
    section = minutes.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(30), Mm(28)
    section.left_margin = section.right_margin = Mm(22)
    normal: Any = minutes.styles["Normal"]
    set_font(normal, BODY, SIZE)
    normal.paragraph_format.space_after = Pt(0)
    normal.paragraph_format.line_spacing_rule = WD_LINE_SPACING.EXACTLY
    normal.paragraph_format.line_spacing = Pt(26)
    about = minutes.core_properties
    about.author, about.title, about.comments = "吹哨报到", "会议纪要", ""
    about.created = about.modified = dt.datetime(2026, 1, 1)  # noqa: DTZ001 - Word's own has no zone
    name_substitutes(minutes)


def _line(
    minutes: Minutes, text: str, font: str = BODY, size: Pt = SIZE, *, indent: bool = False
) -> Paragraph:
    line = minutes.add_paragraph()
    if indent:
        line.paragraph_format.first_line_indent = SIZE * 2
    write(line, text, font, size)
    return line


def _heading(minutes: Minutes, text: str) -> None:
    line = _line(minutes, text, HEADING, indent=True)
    line.paragraph_format.space_before = Pt(8)
    line.paragraph_format.keep_with_next = True


def _decisions(minutes: Minutes) -> None:
    """Set the decisions as a table: a row for each, and a line that says so where there are none."""
    table = minutes.add_table(rows=4, cols=len(COLUMNS))
    table.style, table.alignment, table.autofit = "Table Grid", WD_TABLE_ALIGNMENT.CENTER, False
    texts = [
        [heading for heading, _field, _width in COLUMNS],
        ["{%tr for 项 in 议定事项 %}"],
        [field for _heading, field, _width in COLUMNS],
        ["{%tr endfor %}"],
    ]
    for number, (row, said) in enumerate(zip(table.rows, texts, strict=True)):
        for cell, (_heading, _field, width) in zip(row.cells, COLUMNS, strict=True):
            cell.width = width
        for cell, text in zip(row.cells, said, strict=False):
            line = cell.paragraphs[0]
            line.paragraph_format.line_spacing = Pt(18)
            write(line, text, BODY if number else HEADING, SMALL)


if __name__ == "__main__":
    MEETING_MINUTES.parent.mkdir(exist_ok=True)
    build().save(str(MEETING_MINUTES))
