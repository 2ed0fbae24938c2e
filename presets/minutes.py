"""The minutes of a meeting (会议纪要) as a Word template; ``python -m presets.minutes`` makes it.

The words in double braces are the fields of ``reports.minutes``.
"""

from __future__ import annotations

from pathlib import Path

from docx import Document
from docx.document import Document as Minutes
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.shared import Mm, Pt

from presets.letter import BODY, HEADING, drop_styles, page, set_widths, write
from presets.official import MARGINS, SIZE, SMALL, SPACING, foot, headed, line, part

MEETING_MINUTES = Path(__file__).parent / "letters" / "minutes.docx"
FACTS = ("会议时间", "会议地点", "召集单位", "主持人", "参会单位和人员")
#: Heading, field of a decision, width.
COLUMNS = (
    ("序号", "{{ 项.序号 }}", Mm(14)),
    ("议定事项", "{{ 项.内容 }}", Mm(60)),
    ("责任单位", "{{ 项.责任单位 }}", Mm(32)),
    ("完成期限", "{{ 项.期限 }}", Mm(31)),
    ("落实情况", "{{ 项.落实 }}", Mm(29)),
)


def build() -> Minutes:
    """Return the template as a document."""
    minutes: Minutes = Document()
    page(minutes, "会议纪要", margins=MARGINS, size=SIZE, spacing=SPACING)
    headed(minutes, "{{ 会议名称 }}", "{{ 会议类型 }}纪要")
    for name in FACTS:
        fact = line(minutes, f"{name}：", HEADING)
        write(fact, f"{{{{ {name} }}}}", BODY, SIZE)
    part(minutes, "一、议题和讨论情况")
    line(minutes, "{%p for 项 in 议题 %}")
    line(minutes, "（{{ 项.序号 }}）{{ 项.议题 }}", HEADING, indent=True)
    line(minutes, "{{ 项.讨论 }}").paragraph_format.left_indent = SIZE * 2
    line(minutes, "{%p endfor %}")
    line(minutes, "{%p if not 议题 %}")
    line(minutes, "没有登记议题。", indent=True)
    line(minutes, "{%p endif %}")
    part(minutes, "二、议定事项")
    _decisions(minutes)
    line(minutes, "{%p if 会议记录 %}")
    part(minutes, "三、其他记录")
    line(minutes, "{{ 会议记录 }}").paragraph_format.left_indent = SIZE * 2
    line(minutes, "{%p endif %}")
    foot(minutes, "{{ 印发单位 }}　　{{ 打印日期 }}")
    drop_styles(minutes)
    return minutes


def _decisions(minutes: Minutes) -> None:
    """Set the decisions as a table: a row for each, and a line that says so where there are none."""
    table = minutes.add_table(rows=4, cols=len(COLUMNS))
    table.style, table.alignment = "Table Grid", WD_TABLE_ALIGNMENT.CENTER
    set_widths(table, [width for _heading, _field, width in COLUMNS])
    texts = [
        [heading for heading, _field, _width in COLUMNS],
        ["{%tr for 项 in 议定事项 %}"],
        [field for _heading, field, _width in COLUMNS],
        ["{%tr endfor %}"],
    ]
    for number, (row, said) in enumerate(zip(table.rows, texts, strict=True)):
        for cell, text in zip(row.cells, said, strict=False):
            said_here = cell.paragraphs[0]
            said_here.paragraph_format.line_spacing = Pt(18)
            write(said_here, text, BODY if number else HEADING, SMALL)


if __name__ == "__main__":
    MEETING_MINUTES.parent.mkdir(exist_ok=True)
    build().save(str(MEETING_MINUTES))
