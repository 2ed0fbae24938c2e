"""Bulletins as Word document and workbook: fields of a template, tables and pictures in their places."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from docx import Document
from docx.document import Document as Word
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from docx.text.paragraph import Paragraph

from models.base import utcnow
from presets.bulletin import BLOCKS, MONTHLY_BULLETIN
from presets.letter import BODY, HEADING, write
from reports import raster
from reports.bulletin_figures import BY_BODY, WHOLE, Figures, compared, said
from reports.letter_templates import Purpose
from reports.letters import letter
from reports.measure_types import Unit
from reports.measures import Line, measure
from reports.pictures import Bar, Chart, Lines, Series
from reports.workbook import SHARE, Content, Sheet, workbook
from rules.letters import text_of
from rules.wording import local

#: Field of a template → what it says.
FIELDS: dict[str, str] = {
    "标题": "通报的标题",
    "通报单位": "县（市、区）或市的名称",
    "年份": "四位数字",
    "期号": "当年第几期",
    "统计期间": "起止日期",
    **{each.title: each.meaning for each in WHOLE},
    "与上月比较": "一句话；上月没有哨单时为空",
    "与去年同期比较": "一句话；去年同期没有哨单时为空",
    "工作要求": "生成通报时填写的内容，分行的仍然分行",
    "生成日期": "生成文件的日期",
    **BLOCKS,
}
PURPOSE = Purpose("通报", FIELDS, letter)
NO_FONT = "（生成通报的服务器没有安装中文字体，图从略，数字见表。）"
NOTHING = "本月没有哨单。"
_WIDE = Mm(160)


def document(
    template: bytes | None, found: Figures, *, title: str, issue: int, remarks: str | None
) -> bytes:
    """Return a bulletin as the bytes of a .docx. ``template``: a county's own, which was checked."""
    marks = {name: f"〖{name}〗" for name in BLOCKS}
    values = texts(found, title=title, issue=issue, remarks=remarks) | marks
    word = Document(io.BytesIO(letter(template or MONTHLY_BULLETIN.read_bytes(), values)))
    for name, mark in marks.items():
        _put(word, mark, _BLOCKS[name], found)
    file = io.BytesIO()
    word.save(file)
    return file.getvalue()


def texts(found: Figures, *, title: str, issue: int, remarks: str | None) -> dict[str, str]:
    """Return what each plain field of a bulletin says."""
    return {
        "标题": text_of(title),
        "通报单位": text_of(found.place),
        "年份": str(found.period.first.year),
        "期号": str(issue),
        "统计期间": f"{found.period.first}至{found.period.last}",
        **{each.title: said(each, found.values[each.code]) for each in WHOLE},
        "与上月比较": compared("上月", found.values, found.before),
        "与去年同期比较": compared("去年同期", found.values, found.last_year),
        "工作要求": text_of(remarks),
        "生成日期": local(utcnow(), with_time=False),
    }


# Blocks

Block = Callable[[Word, Figures], Any]


def _put(word: Word, mark: str, block: Block, found: Figures) -> None:
    """Put a block behind every paragraph that names it, and take the name away."""
    for line in list(word.element.body.iter(qn("w:p"))):
        runs = [text for text in line.iter(qn("w:t")) if mark in (text.text or "")]
        for text in runs:
            text.text = text.text.replace(mark, "")
        if runs:
            line.addnext(block(word, found))


def _line(word: Word, text: str) -> Any:
    line = word.add_paragraph()
    write(line, text, BODY, Pt(12))
    return line._p


def _table(word: Word, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Any:
    """Return a table with borders of its own: a stranger's template may not know any style."""
    if not rows:
        return _line(word, NOTHING)
    table = word.add_table(rows=0, cols=len(heads))
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    edges = OxmlElement("w:tblBorders")
    for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
        edge = OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", "4"), ("space", "0"), ("color", "808080")):
            edge.set(qn(f"w:{name}"), value)
        edges.append(edge)
    table._tbl.tblPr.append(edges)
    for number, texts_ in enumerate([heads, *rows]):
        for cell, text in zip(table.add_row().cells, texts_, strict=True):
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.line_spacing = Pt(18)
            write(paragraph, text, BODY if number else HEADING, Pt(10.5))
    repeat = OxmlElement("w:tblHeader")
    table.rows[0]._tr.get_or_add_trPr().append(repeat)
    return table._tbl


def _picture(word: Word, drawn: Chart | Lines) -> Any:
    if drawn.empty:
        return _line(word, "")
    if not raster.can_write():
        return _line(word, NO_FONT)
    paragraph: Paragraph = word.add_paragraph()
    paragraph.add_run().add_picture(io.BytesIO(raster.png(drawn.svg(640))), width=_WIDE)
    shape = paragraph._p.find(f".//{qn('wp:docPr')}")
    if shape is not None:
        # Who cannot see the picture is told what it shows.
        shape.set("descr", f"{drawn.title}：{drawn.description}")
    return paragraph._p


def _bodies(word: Word, found: Figures) -> Any:
    places = {card.id: card for card in found.scores.cards}
    rows = []
    for each in found.departments:
        card = places.get(each.key) if isinstance(each.key, int) else None
        score = f"{card.compared:.1f}" if card and card.rank else "—"
        rank = str(card.rank) if card and card.rank else "—"
        rows.append([each.title, *_cells(each), score, rank])
    heads = ["承办单位", *(each.title for each in BY_BODY), "评价得分", "排名"]
    return _table(word, heads, rows)


def _places(word: Word, found: Figures) -> Any:
    heads = [
        "县（市、区）" if found.by_county else "乡镇（街道）",
        *(each.title for each in BY_BODY),
    ]
    known = [each for each in found.places if each.key is not None]
    return _table(word, heads, [[each.title, *_cells(each)] for each in known])


def _matters(word: Word, found: Figures) -> Any:
    heads = ["履职事项", *(each.title for each in BY_BODY)]
    return _table(word, heads, [[each.title, *_cells(each)] for each in found.matters])


def _cells(line: Line) -> list[str]:
    return [said(each, line.values[each.code]) for each in BY_BODY]


def trend(found: Figures) -> Lines:
    """Return the picture of the last months: what was sent out, and what of it is closed."""
    series = []
    for code in ("dispatched", "closed"):
        which = measure(code)
        numbers = [each.values[code].value for each in found.months]
        shown = [said(which, each.values[code]) for each in found.months]
        series.append(Series(which.title, numbers, shown))
    labels = [f"{int(each.key or 0) % 100}月" for each in found.months]
    about = "每月派单数，和其中已经销号的。"
    return Lines("trend", "最近六个月派单和销号（件）", about, "月份", labels, series)


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
    "部门表": _bodies,
    "属地表": _places,
    "事项表": _matters,
    "趋势图": lambda word, found: _picture(word, trend(found)),
    "部门图": lambda word, found: _picture(word, on_time(found)),
}


# Workbook


def book(found: Figures) -> bytes:
    """Return a bulletin's figures as the bytes of an .xlsx: numbers as numbers, formulas in words."""
    formats = ["", *(SHARE if each.unit is Unit.PERCENT else "" for each in BY_BODY)]
    heads = [each.title for each in BY_BODY]

    def sheet(title: str, first: str, lines: Sequence[Line]) -> Sheet:
        known = [each for each in lines if each.key is not None]
        rows = [[each.title, *(_number(each, which) for which in BY_BODY)] for each in known]
        return Sheet(title, [first, *heads], rows, formats, [28])

    whole: list[list[Content]] = [
        [
            each.title,
            *(
                said(each, values[each.code])
                for values in (found.values, found.before, found.last_year)
            ),
            each.meaning,
        ]
        for each in WHOLE
    ]
    months: list[list[Content]] = [
        [str(each.key), *(int(each.values[code].part or 0) for code in ("dispatched", "closed"))]
        for each in found.months
    ]
    scores: list[list[Content]] = [
        [card.title, card.rank, card.tickets, Decimal(f"{card.compared:.1f}")]
        for card in found.scores.cards
    ]
    place = "县（市、区）" if found.by_county else "乡镇（街道）"
    sheets = [
        Sheet(
            "总体情况",
            ["指标", "本月", "上月", "去年同期", "口径"],
            whole,
            (),
            [16, 12, 12, 12, 80],
        ),
        sheet("承办单位", "承办单位", found.departments),
        sheet("属地", place, found.places),
        sheet("集中事项", "履职事项", found.matters),
        Sheet("逐月", ["月份", "派单数", "销号数"], months),
        Sheet("评价得分", ["承办单位", "排名", "评价的哨单", "得分"], scores, (), [28]),
    ]
    return workbook(sheets).getvalue()


def _number(line: Line, which: Any) -> Content:
    value = line.values[which.code].value
    if value is None:
        return None
    return value / 100 if which.unit is Unit.PERCENT else value
