"""Bulletins as Word documents: fields of a template, tables and pictures in their places."""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from docx import Document
from docx.document import Document as Word
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Length, Mm, Pt

from presets.bulletin import BLOCKS, MONTHLY_BULLETIN
from presets.letter import BODY, HEADING, write
from reports import raster
from reports.bulletin_figures import BY_BODY, TREND, WHOLE, Figures, compared, said
from reports.drawing import Number
from reports.letter_templates import Purpose
from reports.letters import letter
from reports.measures import Line, measure
from reports.pictures import Bar, Chart, Lines, Series
from rules.letters import text_of

#: Field of a template → what it says.
FIELDS: dict[str, str] = {
    "标题": "通报的标题",
    "通报单位": "县（市、区）或市的名称",
    "年份": "四位数字",
    "期号": "当年第几期",
    "统计期间": "起止日期",
    **{each.title: each.meaning for each in WHOLE},
    "与上月比较": "一句话；上月没有哨单、本月还没有结束时为空",
    "与去年同期比较": "一句话；去年同期没有哨单、本月还没有结束时为空",
    "工作要求": "生成通报时填写的内容，分行的仍然分行",
    "生成日期": "生成文件的日期",
    **BLOCKS,
}
PURPOSE = Purpose("通报", FIELDS, letter, "工作要求")
NO_FONT = "（生成通报的服务器没有安装中文字体，图从略，数字见表。）"
NOTHING = "本月没有哨单。"
_WIDEST = Mm(160)
#: What keeps a paragraph in its place though it has no words.
_KEPT = ("drawing", "pict", "object", "br", "sectPr", "fldChar", "fldSimple")


def document(
    template: bytes | None, found: Figures, *, title: str, issue: int, remarks: str | None
) -> bytes:
    """Return a bulletin as the bytes of a .docx. ``template``: a county's own, which was checked."""
    # Nobody can have written these into a title or the remarks.
    marks = {name: f"〖{secrets.token_hex(8)}〗" for name in BLOCKS}
    values = texts(found, title=title, issue=issue, remarks=remarks) | marks
    word = Document(io.BytesIO(letter(template or MONTHLY_BULLETIN.read_bytes(), values)))
    for line in list(word.element.body.iter(qn("w:p"))):
        _fill(word, line, marks, found)
    word.core_properties.title = values["标题"]
    file = io.BytesIO()
    word.save(file)
    return file.getvalue()


def texts(found: Figures, *, title: str, issue: int, remarks: str | None) -> dict[str, str]:
    """Return what each plain field of a bulletin says."""
    over = found.over
    return {
        "标题": text_of(title),
        "通报单位": text_of(found.place),
        "年份": str(found.period.first.year),
        "期号": str(issue),
        "统计期间": f"{text_of(found.period.first)}至{text_of(found.until)}",
        **{each.title: said(each, found.values[each.code]) for each in WHOLE},
        "与上月比较": compared("上月", found.values, found.before) if over else "",
        "与去年同期比较": compared("去年同期", found.values, found.last_year) if over else "",
        "工作要求": text_of(remarks),
        "生成日期": text_of(found.today),
    }


# Where blocks stand

#: What a block becomes: paragraphs and tables, in their order.
Elements = list[Any]
Block = Callable[[Word, Figures, Length], Elements]


def _fill(word: Word, line: Any, marks: Mapping[str, str], found: Figures) -> None:
    """Put the blocks that a paragraph names behind it, and take their names away.

    The paragraph itself goes too if it says nothing else.
    """
    runs = list(line.iter(qn("w:t")))
    told = "".join(run.text or "" for run in runs)
    named = sorted(
        (name for name in marks if marks[name] in told), key=lambda n: told.find(marks[n])
    )
    if not named:
        return
    for run in runs:
        for name in named:
            run.text = (run.text or "").replace(marks[name], "")
    room = _room(word, line)
    made = [each for name in named for each in _BLOCKS[name](word, found, room)]
    at = line
    for each in _apart(word, made, line.getnext()):
        at.addnext(each)
        at = each
    before, after = line.getprevious(), line.getnext()
    tables = [each is not None and each.tag == qn("w:tbl") for each in (before, after)]
    if made and not all(tables) and not _says_anything(line):
        line.getparent().remove(line)


def _apart(word: Word, made: Iterable[Any], following: Any) -> Elements:
    """Return elements with a line between two tables, which Word would make one, and after the last.

    A cell, and a document, must end with a paragraph.
    """
    found: Elements = []
    for each in made:
        if found and found[-1].tag == each.tag == qn("w:tbl"):
            found.append(word.add_paragraph()._p)
        found.append(each)
    ends = following is None or following.tag != qn("w:p")
    if found and found[-1].tag == qn("w:tbl") and ends:
        found.append(word.add_paragraph()._p)
    return found


def _says_anything(line: Any) -> bool:
    if any((text.text or "").strip() for text in line.iter(qn("w:t"))):
        return True
    return any(True for _each in line.iter(*(qn(f"w:{name}") for name in _KEPT)))


def _room(word: Word, line: Any) -> Length:
    """Return how wide a picture may be: the page's text, or its share of a table's row."""
    section = word.sections[0]
    room: Length = _WIDEST
    if section.page_width and section.left_margin is not None and section.right_margin is not None:
        left = section.page_width - section.left_margin - section.right_margin
        room = Length(max(Mm(20), min(room, left)))
    for cell in line.iterancestors(qn("w:tc")):
        beside = len(cell.getparent().findall(qn("w:tc")))
        room = Length(int(room / beside * 0.94))
    return room


# Blocks


def _line(word: Word, text: str, *, middle: bool = False) -> Any:
    line = word.add_paragraph()
    write(line, text, BODY, Pt(12))
    if middle:
        line.alignment = WD_ALIGN_PARAGRAPH.CENTER
        line.paragraph_format.keep_with_next = True
        line.paragraph_format.space_before = Pt(8)
    return line._p


def _table(word: Word, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Elements:
    """Return a table with borders of its own: a stranger's template may not know any style."""
    if not rows:
        return [_line(word, NOTHING)]
    table = word.add_table(rows=0, cols=len(heads))
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    about = table._tbl.tblPr
    width = about.find(qn("w:tblW"))
    # As wide as what it stands in, be that a cell.
    for name, value in (("type", "pct"), ("w", "5000")):
        width.set(qn(f"w:{name}"), value)
    edges = OxmlElement("w:tblBorders")
    for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
        edge = OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", "4"), ("space", "0"), ("color", "808080")):
            edge.set(qn(f"w:{name}"), value)
        edges.append(edge)
    about.insert_element_before(
        edges, "w:shd", "w:tblLayout", "w:tblCellMar", "w:tblLook", "w:tblCaption"
    )
    for number, texts_ in enumerate([heads, *rows]):
        row = table.add_row()
        for place, (cell, text) in enumerate(zip(row.cells, texts_, strict=True)):
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.line_spacing = Pt(18)
            if place or not number:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
            write(paragraph, text, BODY if number else HEADING, Pt(10.5))
        whole = row._tr.get_or_add_trPr()
        whole.append(OxmlElement("w:cantSplit"))
        if not number:
            whole.append(OxmlElement("w:tblHeader"))
    _widen(table, heads)
    return [table._tbl]


def _widen(table: Any, heads: Sequence[str]) -> None:
    """Give names twice the width of a number; Word still widens what needs it."""
    whole = sum(each.width for each in table.columns)
    for number, column in enumerate(table.columns):
        column.width = Length(int(whole * (1 if number else 2) / (len(heads) + 1)))


def _picture(word: Word, drawn: Chart | Lines, room: Length) -> Elements:
    if drawn.empty:
        return []
    if not raster.can_write():
        return [_line(word, NO_FONT)]
    paragraph = word.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    # Lines of a fixed height, as official templates like them, would cut the picture off.
    paragraph.paragraph_format.line_spacing = 1.0
    paragraph.add_run().add_picture(io.BytesIO(raster.png(drawn.svg(640))), width=room)
    shape = paragraph._p.find(f".//{qn('wp:docPr')}")
    if shape is not None:
        # Who cannot see the picture is told what it shows.
        shape.set("descr", f"{drawn.title}：{drawn.description}")
    return [_line(word, drawn.title, middle=True), paragraph._p]


def _bodies(word: Word, found: Figures) -> Elements:
    cards = {card.id: card for card in found.scores.cards}
    rows = []
    for each in found.departments:
        card = cards.get(each.key) if isinstance(each.key, int) else None
        score, rank = (f"{card.compared:.1f}", str(card.rank)) if card and card.rank else _NEITHER
        rows.append([each.title, *_cells(each), score, rank])
    heads = ["承办单位", *(each.title for each in BY_BODY), "评价得分", "排名"]
    return _table(word, heads, rows)


_NEITHER = ("—", "—")


def _lines(word: Word, first: str, lines: Iterable[Line]) -> Elements:
    rows = [[each.title, *_cells(each)] for each in lines]
    return _table(word, [first, *(each.title for each in BY_BODY)], rows)


def _cells(line: Line) -> list[str]:
    return [said(each, line.values[each.code]) for each in BY_BODY]


def _whole(number: Number) -> str:
    return f"{Decimal(number).normalize():,f}"


def trend(found: Figures) -> Lines:
    """Return the picture of the last months: what was sent out, and what of it is closed."""
    series = [
        Series(
            each.title,
            [line.values[each.code].value for line in found.months],
            [said(each, line.values[each.code]) for line in found.months],
        )
        for each in TREND
    ]
    labels = [f"{int(each.key or 0) % 100}月" for each in found.months]
    about = "每月派单数，和其中已经销号的。"
    title = "最近六个月派单和销号（件）"
    return Lines("trend", title, about, "月份", labels, series, write=_whole)


def on_time(found: Figures) -> Chart:
    """Return the picture of the departments by how much they close in time, the lowest first."""
    which = measure("on_time_rate")
    known = [
        (value, each)
        for each in found.departments
        if (value := each.values[which.code].value) is not None
    ]
    known.sort(key=lambda pair: pair[0])
    bars = [
        Bar(each.title, value, said(which, each.values[which.code]), tone="progress")
        for value, each in known[:12]
    ]
    about = "按期办结率由低到高，最多十二个单位。"
    heads = ("承办单位", which.title)
    return Chart("on-time", "各承办单位按期办结率（%）", about, heads, bars, whole=100)


_BLOCKS: Mapping[str, Block] = {
    "部门表": lambda word, found, _room: _bodies(word, found),
    "属地表": lambda word, found, _room: _lines(word, found.places_are, found.places),
    "事项表": lambda word, found, _room: _lines(word, "履职事项", found.matters),
    "趋势图": lambda word, found, room: _picture(word, trend(found), room),
    "部门图": lambda word, found, room: _picture(word, on_time(found), room),
}
