"""The letter of an agreement as we deliver it: a Word template; ``python -m presets.letter`` makes it.

The words in double braces are the fields of ``rules.letters``. The fonts are those of official
letters; a computer without them takes the ones that the font table names in their place.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from docx import Document
from docx.document import Document as Letter
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.oxml import serialize_part_xml
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import qn
from docx.shared import Length, Mm, Pt
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph

AGREEMENT_LETTER = Path(__file__).parent / "letters" / "agreement.docx"
TITLE, BODY, HEADING, NOTE = "方正小标宋简体", "仿宋_GB2312", "黑体", "楷体_GB2312"
#: What stands in for a font that the computer does not have.
SUBSTITUTES = {TITLE: "宋体", BODY: "仿宋", NOTE: "楷体"}
SIZE, SPACING = Pt(16), Pt(28)
#: The styles that the letter uses; each one more costs time in every letter of a batch.
STYLES = ("Normal", "Default Paragraph Font", "Normal Table", "No List", "Table Grid")

SECTIONS = (
    ("一、协议期限", "本协议自{{ 生效日期 }}起，至{{ 到期日期 }}止。"),
    ("二、共建目标", "{% if 共建目标 %}{{ 共建目标 }}{% else %}由双方另行商定。{% endif %}"),
    ("三、甲方承诺", "{% if 甲方承诺 %}{{ 甲方承诺 }}{% else %}由双方另行商定。{% endif %}"),
    ("四、乙方承诺", "{% if 乙方承诺 %}{{ 乙方承诺 }}{% else %}由双方另行商定。{% endif %}"),
)
CLOSING = (
    "本协议一式两份，甲乙双方各执一份，自双方签字盖章之日起生效。期满前，双方协商一致可以续签。"
)
SIGNED = "{% if 签订日期 %}{{ 签订日期 }}{% else %}\u3000\u3000\u3000\u3000年\u3000\u3000月\u3000\u3000日{% endif %}"


def build() -> Letter:
    """Return the template as a document."""
    letter = Document()
    page(letter, "共驻共建协议书", margins=(37, 35, 28, 26))
    _line(letter, "共驻共建协议书", TITLE, Pt(22), WD_ALIGN_PARAGRAPH.CENTER, after=Pt(6))
    _line(letter, "编号：{{ 协议编号 }}", NOTE, Pt(14), WD_ALIGN_PARAGRAPH.CENTER, after=Pt(18))
    for side in ("甲方", "乙方"):
        party = _line(letter, f"{side}：", HEADING)
        write(party, f"{{{{ {side} }}}}", BODY)
    _line(
        letter,
        "为落实党建引领基层治理，推动资源共享、服务共办、难题共解，甲乙双方协商一致，"
        "结为{{ 协议类型 }}关系，订立本协议。",
        indent=True,
    )
    for heading, text in SECTIONS:
        _line(letter, heading, HEADING, indent=True)
        _line(letter, text, block=True)
    _line(letter, "五、联络机制", HEADING, indent=True)
    _line(letter, "双方各明确一名联络员，负责日常联系和事项对接。", indent=True, after=Pt(6))
    _liaisons(letter)
    _line(letter, "六、其他", HEADING, indent=True, before=Pt(8))
    _line(letter, "{%p if 续签自 %}")
    _line(letter, "本协议由“{{ 续签自 }}”续签而来，自生效起接替原协议。", indent=True)
    _line(letter, "{%p endif %}")
    _line(letter, CLOSING, indent=True, after=Pt(20))
    _signatures(letter)
    drop_styles(letter)
    return letter


def page(
    document: Letter,
    title: str,
    *,
    margins: tuple[int, int, int, int],
    size: Pt = SIZE,
    spacing: Pt = SPACING,
    at_least: bool = False,
) -> None:
    """Give a template its A4 page, its letters, and nothing that says when it was made.

    ``margins`` are top, bottom, left and right in mm. Lines are ``spacing`` high, or ``at_least`` so
    high where pictures stand among them.
    """
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    top, bottom, left, right = margins
    section.top_margin, section.bottom_margin = Mm(top), Mm(bottom)
    section.left_margin, section.right_margin = Mm(left), Mm(right)
    normal: Any = document.styles["Normal"]
    set_font(normal, BODY, size)
    normal.paragraph_format.space_after = Pt(0)
    rule = WD_LINE_SPACING.AT_LEAST if at_least else WD_LINE_SPACING.EXACTLY
    normal.paragraph_format.line_spacing_rule = rule
    normal.paragraph_format.line_spacing = spacing
    about = document.core_properties
    about.author, about.title, about.comments = "吹哨报到", title, ""
    about.created = about.modified = dt.datetime(2026, 1, 1)  # noqa: DTZ001 - Word's own has no zone
    name_substitutes(document)


def drop_styles(document: Letter) -> None:
    """Drop the styles that no template uses: each one costs time in every print."""
    for style in list(document.styles):
        if style.name not in STYLES:
            style.delete()


def name_substitutes(letter: Letter) -> None:
    """Name in the font table what stands in for fonts that a computer may lack."""
    rels = letter.part.rels.values()
    table: Any = next(
        rel.target_part for rel in rels if rel.reltype == RELATIONSHIP_TYPE.FONT_TABLE
    )
    fonts = parse_xml(table.blob)
    for name, other in SUBSTITUTES.items():
        font, instead = OxmlElement("w:font"), OxmlElement("w:altName")
        font.set(qn("w:name"), name)
        instead.set(qn("w:val"), other)
        font.append(instead)
        fonts.append(font)
    table._blob = serialize_part_xml(fonts)


def set_font(holder: Any, name: str, size: Pt) -> None:
    """Set a run's or a style's font for Chinese and Latin alike."""
    holder.font.name, holder.font.size = name, size
    fonts = holder.element.get_or_add_rPr().get_or_add_rFonts()
    for script in ("w:eastAsia", "w:hAnsi", "w:cs"):
        fonts.set(qn(script), name)


def set_widths(table: Table, widths: Sequence[Length]) -> None:
    """Make a table's columns so wide: Word goes by its cells, WPS and LibreOffice by its grid."""
    table.autofit = False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    for row in table.rows:
        for cell, width in zip(row.cells, widths, strict=True):
            cell.width = width


def _line(
    holder: Letter | _Cell,
    text: str,
    font: str = BODY,
    size: Pt = SIZE,
    align: WD_ALIGN_PARAGRAPH | None = None,
    *,
    indent: bool = False,
    block: bool = False,
    before: Pt | None = None,
    after: Pt | None = None,
) -> Paragraph:
    """Add a paragraph; ``indent`` its first line, or all of a ``block`` that may have several."""
    line = holder.add_paragraph()
    line.alignment = align
    form = line.paragraph_format
    if indent:
        form.first_line_indent = SIZE * 2
        # A heading stays with what it is over.
        form.keep_with_next = True if font == HEADING else None
    if block:
        form.left_indent = SIZE * 2
    form.space_before, form.space_after = before, after
    write(line, text, font, size)
    return line


def write(line: Paragraph, text: str, font: str, size: Pt = SIZE) -> None:
    """Add a text to a paragraph in one font."""
    set_font(line.add_run(text), font, size)


def _liaisons(letter: Letter) -> None:
    table = letter.add_table(rows=3, cols=3)
    table.style, table.alignment = "Table Grid", WD_TABLE_ALIGNMENT.CENTER
    rows = [("", "联络员", "联系电话")]
    rows += [
        (side, f"{{{{ {side}联络员 }}}}", f"{{{{ {side}联系电话 }}}}") for side in ("甲方", "乙方")
    ]
    set_widths(table, (Mm(30), Mm(58), Mm(58)))
    for row, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            line = cell.paragraphs[0]
            line.alignment = WD_ALIGN_PARAGRAPH.CENTER
            write(line, text, HEADING if text in ("甲方", "乙方", *rows[0]) else BODY, Pt(14))


def _signatures(letter: Letter) -> None:
    """Set both sides' lines for seal, signature and date beside each other."""
    table = letter.add_table(rows=1, cols=2)
    for cell, side in zip(table.rows[0].cells, ("甲方", "乙方"), strict=True):
        first = cell.paragraphs[0]
        write(first, f"{side}（盖章）：", BODY, Pt(15))
        for text in ("", "负责人（签字）：", "", SIGNED):
            _line(cell, text, BODY, Pt(15))
        for line in cell.paragraphs:
            line.paragraph_format.keep_together = line.paragraph_format.keep_with_next = True


if __name__ == "__main__":
    AGREEMENT_LETTER.parent.mkdir(exist_ok=True)
    build().save(str(AGREEMENT_LETTER))
