"""The bulletin (通报) as we deliver it: a Word template; ``python -m presets.bulletin`` makes it.

The words in double braces are the fields of ``reports.bulletins``; those of ``BLOCKS`` become a table or a
picture.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from docx import Document
from docx.document import Document as Bulletin
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.shared import Mm, Pt
from docx.text.paragraph import Paragraph

from presets.letter import BODY, HEADING, NOTE, STYLES, TITLE, name_substitutes, set_font, write

MONTHLY_BULLETIN = Path(__file__).parent / "letters" / "bulletin.docx"
SIZE, SMALL = Pt(15), Pt(12)
#: What becomes a table or a picture, with what it shows.
BLOCKS = {
    "部门表": "各承办单位的派单、响应、按期办结、退单、满意度和得分排名",
    "属地表": "各乡镇（街道）的情况；全市的通报按县（市、区）",
    "事项表": "哨单最多的履职事项",
    "趋势图": "最近六个月派单数和销号数",
    "部门图": "各承办单位按期办结率，由低到高",
}
SECTIONS = (
    (
        "一、总体情况",
        (
            "{{ 统计期间 }}，共吹哨 {{ 吹哨数 }} 件，派单 {{ 派单数 }} 件，销号 {{ 销号数 }} 件，办结率 {{ 办结率 }}。"
            "响应率 {{ 响应率 }}，报到率 {{ 报到率 }}，按期办结率 {{ 按期办结率 }}，满意度 {{ 满意度 }}；"
            "退单率 {{ 退单率 }}，回流率 {{ 回流率 }}。",
            "{%p if 与上月比较 %}",
            "{{ 与上月比较 }}",
            "{%p endif %}",
            "{%p if 与去年同期比较 %}",
            "{{ 与去年同期比较 }}",
            "{%p endif %}",
            "{{ 趋势图 }}",
        ),
    ),
    ("二、承办单位情况", ("{{ 部门表 }}", "{{ 部门图 }}")),
    ("三、属地情况", ("{{ 属地表 }}",)),
    ("四、群众反映集中的事项", ("{{ 事项表 }}",)),
    ("五、工作要求", ("{% if 工作要求 %}{{ 工作要求 }}{% else %}无。{% endif %}",)),
)


def build() -> Bulletin:
    """Return the template as a document."""
    bulletin: Bulletin = Document()
    _page(bulletin)
    title = _line(bulletin, "{{ 标题 }}", TITLE, Pt(20))
    title.alignment, title.paragraph_format.space_after = WD_ALIGN_PARAGRAPH.CENTER, Pt(4)
    title.paragraph_format.line_spacing = Pt(32)
    issue = _line(bulletin, "{{ 年份 }}年第 {{ 期号 }} 期", NOTE)
    issue.alignment, issue.paragraph_format.space_after = WD_ALIGN_PARAGRAPH.CENTER, Pt(12)
    for heading, lines in SECTIONS:
        head = _line(bulletin, heading, HEADING, indent=True)
        head.paragraph_format.space_before = Pt(8)
        head.paragraph_format.keep_with_next = True
        for text in lines:
            _line(bulletin, text, indent=not any(f"{{{{ {name} }}}}" == text for name in BLOCKS))
    foot = _line(bulletin, "{{ 通报单位 }}　　{{ 生成日期 }}", NOTE, SMALL)
    foot.alignment, foot.paragraph_format.space_before = WD_ALIGN_PARAGRAPH.RIGHT, Pt(18)
    for style in list(bulletin.styles):
        if style.name not in STYLES:
            style.delete()
    return bulletin


def _page(bulletin: Bulletin) -> None:
    section = bulletin.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(30), Mm(28)
    section.left_margin = section.right_margin = Mm(22)
    normal: Any = bulletin.styles["Normal"]
    set_font(normal, BODY, SIZE)
    normal.paragraph_format.space_after = Pt(0)
    normal.paragraph_format.line_spacing_rule = WD_LINE_SPACING.AT_LEAST
    normal.paragraph_format.line_spacing = Pt(26)
    about = bulletin.core_properties
    about.author, about.title, about.comments = "吹哨报到", "通报", ""
    about.created = about.modified = dt.datetime(2026, 1, 1)  # noqa: DTZ001 - Word's own has no zone
    name_substitutes(bulletin)


def _line(
    bulletin: Bulletin, text: str, font: str = BODY, size: Pt = SIZE, *, indent: bool = False
) -> Paragraph:
    line = bulletin.add_paragraph()
    if indent:
        line.paragraph_format.first_line_indent = SIZE * 2
    write(line, text, font, size)
    return line


if __name__ == "__main__":
    MONTHLY_BULLETIN.parent.mkdir(exist_ok=True)
    build().save(str(MONTHLY_BULLETIN))
