"""The bulletin (通报) as we deliver it: a Word template; ``python -m presets.bulletin`` makes it.

The words in double braces are the fields of ``reports.bulletins``; those of ``BLOCKS`` become a table or a
picture.
"""

from __future__ import annotations

from pathlib import Path

from docx import Document
from docx.document import Document as Bulletin

from presets.letter import drop_styles, page
from presets.official import MARGINS, SIZE, SPACING, foot, headed, line, part

MONTHLY_BULLETIN = Path(__file__).parent / "letters" / "bulletin.docx"
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
)


def build() -> Bulletin:
    """Return the template as a document."""
    bulletin: Bulletin = Document()
    # Pictures stand among the lines: a fixed height would cut them off.
    page(bulletin, "通报", margins=MARGINS, size=SIZE, spacing=SPACING, at_least=True)
    headed(bulletin, "{{ 标题 }}", "{{ 年份 }}年第 {{ 期号 }} 期")
    for heading, lines in SECTIONS:
        part(bulletin, heading)
        for text in lines:
            line(bulletin, text, indent=not any(f"{{{{ {name} }}}}" == text for name in BLOCKS))
    # Who demands nothing issues no such part.
    line(bulletin, "{%p if 工作要求 %}")
    part(bulletin, "五、工作要求")
    line(bulletin, "{{ 工作要求 }}", indent=True)
    line(bulletin, "{%p endif %}")
    foot(bulletin, "{{ 通报单位 }}　　{{ 生成日期 }}")
    drop_styles(bulletin)
    return bulletin


if __name__ == "__main__":
    MONTHLY_BULLETIN.parent.mkdir(exist_ok=True)
    build().save(str(MONTHLY_BULLETIN))
