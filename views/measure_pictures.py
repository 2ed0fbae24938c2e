"""The pictures of the measures, and the heat table of two dimensions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from flask_babel import gettext as _

from reports.drawing import Number
from reports.heat_tables import HeatCell, HeatTable
from reports.measure_types import Key, Unit
from reports.measures import Dimension, Line, Measure, Period, Question
from reports.numbers import FIRST_DAY
from reports.pictures import Bar, Chart, Lines, Series
from views.charts import by_month
from views.measure_address import BY_CODE, months_before
from views.measure_links import TicketUrls
from views.measure_words import figure, rounded, written

#: How many months a picture follows, how many bars it has, and how much a heat table holds.
MONTHS, BARS, ROWS, COLUMNS = 12, 10, 40, 30
#: Of fewer tickets a share says little: who has fewer is not called weak.
ENOUGH = 5
COUNTED = ("dispatched", "closed")
SHARES = ("response_rate", "on_time_rate", "satisfaction")
FOLLOWED = tuple(BY_CODE[code] for code in (*COUNTED, *SHARES))


def months_asked(question: Question) -> Question:
    """Return the question about the last months of a period and the same months of the year before."""
    last = question.period.last
    after = months_before(last, -1)
    first = max(FIRST_DAY, months_before(last, 2 * MONTHS - 1))
    return Question(
        Period(first, after - dt.timedelta(days=1)), Dimension.MONTH, filters=question.filters
    )


def by_months(asked: Question, lines: Sequence[Line], urls: TicketUrls) -> list[Lines]:
    """Return the two pictures of the last months: how many, and how well."""
    last = asked.period.last
    shown = [months_before(last, MONTHS - 1 - turn) for turn in range(MONTHS)]
    names = by_month([(each.year, each.month) for each in shown])
    labels, marks = [label for label, _m in names], [mark for _l, mark in names]
    found = {line.key: line for line in lines}

    def series(code: str, title: str, *, before: bool = False) -> Series:
        measure = BY_CODE[code]
        numbers: list[Number | None] = []
        texts, links = [], []
        for day in shown:
            key = (day.year - before) * 100 + day.month
            line = found.get(key)
            value = line.values[code] if line else measure.valued(0, 0)
            numbers.append(value.value)
            texts.append(written(measure, value))
            links.append(urls.of(measure, asked.at(key), value))
        return Series(title, numbers, texts, before=before, urls=links)

    return [
        Lines(
            "months",
            _("派单和销号（近 12 个月）"),
            _("按派单的月份，每月派单数、其中已销号数，和去年同月的派单数。"),
            _("月份"),
            labels,
            [
                series("dispatched", _("派单数")),
                series("closed", _("销号数")),
                series("dispatched", _("去年同月派单数"), before=True),
            ],
            marks=marks,
            write=lambda number: figure(BY_CODE["dispatched"], Decimal(number)),
        ),
        Lines(
            "shares",
            _("办理质量（近 12 个月）"),
            _("按派单的月份，每月的响应率、按期办结率和满意度。"),
            _("月份"),
            labels,
            [series(code, _(BY_CODE[code].title)) for code in SHARES],
            marks=marks,
            write=lambda number: f"{Decimal(number).quantize(Decimal(1))}%",
            most=100,
        ),
    ]


#: The shares by which the weakest are named.
WEAK = (BY_CODE["on_time_rate"], BY_CODE["return_rate"])


def weakest(question: Question, lines: Sequence[Line], urls: TicketUrls) -> list[Chart]:
    """Return the pictures of those that close the least in time, and of those that give back the most."""
    kind = _(question.rows.title) if question.rows else ""
    in_time, given_back = WEAK
    charts = [
        Chart(
            "weakest",
            _("按期办结率最低的%(kind)s", kind=kind),
            _("销号的哨单中按期办结的比例，由低到高，最多 10 个。"),
            (kind, _(in_time.title)),
            _weak(question, in_time, lines, urls),
            note=_("括号里是按期办结数和应按期办结数；不足 %(n)s 件的不列。", n=ENOUGH),
            whole=100,
        ),
        Chart(
            "returned",
            _("退单率最高的%(kind)s", kind=kind),
            _("派出的哨单中同意退单的比例，由高到低，最多 10 个。"),
            (kind, _(given_back.title)),
            _weak(question, given_back, lines, urls),
            note=_("括号里是退单数和派单数；不足 %(n)s 件的不列。", n=ENOUGH),
        ),
    ]
    return [each for each in charts if each.bars]


def _weak(
    question: Question, measure: Measure, lines: Sequence[Line], urls: TicketUrls
) -> list[Bar]:
    """Return a bar for each of those that are worst at a share; who does nothing badly has none."""
    good = bool(measure.higher_is_better)
    known = []
    for line in lines:
        share, of = line.values[measure.code].value, line.values[measure.code].of
        best = Decimal(100 if good else 0)
        if line.key is not None and share is not None and (of or 0) >= ENOUGH and share != best:
            known.append((share, line))
    known.sort(key=lambda each: each[0], reverse=not good)
    bars = []
    for share, line in known[:BARS]:
        value = line.values[measure.code]
        text = f"{written(measure, value)}（{value.part or 0:,} / {value.of or 0:,}）"
        place = question.at(line.key)
        url = (urls.whole if good else urls.part)(measure, place, value)
        bars.append(Bar(line.title, share, text, url, "warning"))
    return bars


def ranking(question: Question, measure: Measure, lines: Sequence[Line], urls: TicketUrls) -> Chart:
    """Return the picture of the lines that a table begins with, in its order."""
    bars = []
    for line in lines[: BARS + 5]:
        value = line.values[measure.code]
        if value.value is not None:
            url = urls.of(measure, question.at(line.key), value)
            bars.append(Bar(line.title, value.value, written(measure, value), url))
    kind = _(question.rows.title) if question.rows else ""
    title = _("%(measure)s：按%(kind)s", measure=_(measure.title), kind=kind)
    heads = kind, _(measure.title)
    whole = 100 if measure.unit is Unit.PERCENT else None
    return Chart("ranking", title, _(measure.meaning), heads, bars, whole=whole)


def crossed(
    question: Question,
    measure: Measure,
    lines: Sequence[Line],
    columns: Sequence[tuple[Key, str]],
    urls: TicketUrls,
    room: tuple[int, int] = (ROWS, COLUMNS),
) -> HeatTable:
    """Return the heat table of a measure; of too many rows or columns those with the most tickets."""
    rows, heads = _heaviest(measure, lines, columns, room)

    def cell(line: Line, key: Key) -> HeatCell:
        value = line.cells[key][measure.code] if key in line.cells else measure.valued(0, 0)
        number = None if value.value is None else rounded(measure, value.value)
        url = urls.of(measure, question.at(line.key, key), value)
        return HeatCell(written(measure, value), url, number)

    row, column = (_(each.title) if each else "" for each in (question.rows, question.columns))
    note = _("颜色越深，数值越大。")
    if len(lines) > len(rows) or len(columns) > len(heads):
        words = _(
            "只列出哨单最多的 %(rows)s 行、%(columns)s 列。", rows=len(rows), columns=len(heads)
        )
        note += words
    return HeatTable(
        "crossing",
        _(
            "%(measure)s：%(rows)s × %(columns)s",
            measure=_(measure.title),
            rows=row,
            columns=column,
        ),
        _(measure.meaning),
        f"{row}＼{column}",
        [title for _key, title in heads],
        [(line.title, [cell(line, key) for key, _title in heads]) for line in rows],
        write=lambda number: figure(measure, Decimal(number)),
        note=note,
    )


def _heaviest(
    measure: Measure,
    lines: Sequence[Line],
    columns: Sequence[tuple[Key, str]],
    room: tuple[int, int],
) -> tuple[list[Line], list[tuple[Key, str]]]:
    """Return the lines and columns with the most tickets, in the order that they had."""

    def counted(line: Line, key: Key) -> Number:
        if key not in line.cells:
            return 0
        value = line.cells[key][measure.code]
        return (value.part if measure.unit is Unit.COUNT else value.of) or 0

    by_line = {line.key: sum(counted(line, key) for key, _title in columns) for line in lines}
    by_column = {key: sum(counted(line, key) for line in lines) for key, _title in columns}
    most_lines = set(sorted(by_line, key=lambda key: -by_line[key])[: room[0]])
    most_columns = set(sorted(by_column, key=lambda key: -by_column[key])[: room[1]])
    return (
        [line for line in lines if line.key in most_lines],
        [each for each in columns if each[0] in most_columns],
    )
