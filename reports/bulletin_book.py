"""A bulletin's figures as a workbook: numbers as numbers, formulas in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from reports.bulletin_figures import BY_BODY, TREND, WHOLE, Figures
from reports.measure_types import Unit
from reports.measures import Line, Measure, Value
from reports.workbook import SHARE, Content, Sheet, workbook
from rules.letters import text_of


def book(found: Figures) -> bytes:
    """Return a bulletin's figures as the bytes of an .xlsx. Shares are numbers from 0 to 1."""
    until = f"{text_of(found.period.first)}至{text_of(found.until)}"
    whole = [
        [name, *(_number(each, values[each.code]) for each in WHOLE)]
        for name, values in (
            (f"本月（{until}）", found.values),
            ("上月", found.before),
            ("去年同期", found.last_year),
        )
    ]
    months = [
        [str(each.key), *(_number(which, each.values[which.code]) for which in TREND)]
        for each in found.months
    ]
    scores: list[list[Content]] = [
        [card.title, card.rank or "样本不足", card.tickets, Decimal(f"{card.compared:.1f}")]
        for card in found.scores.cards
    ]
    sheets = [
        _sheet("总体情况", "期间", WHOLE, whole, 44),
        _by("承办单位", "承办单位", found.departments),
        _by("属地", found.places_are, found.places),
        _by("集中事项", "履职事项", found.matters),
        _sheet("逐月", "月份", TREND, months, 12),
        Sheet("评价得分", ["承办单位", "排名", "评价的哨单", "得分"], scores, (), [28]),
        Sheet("口径", ["指标", "怎样计算"], [[m.title, m.meaning] for m in WHOLE], (), [16, 90]),
    ]
    return workbook(sheets).getvalue()


def _by(title: str, first: str, lines: Iterable[Line]) -> Sheet:
    rows = [
        [line.title, *(_number(each, line.values[each.code]) for each in BY_BODY)] for line in lines
    ]
    return _sheet(title, first, BY_BODY, rows, 28)


def _sheet(
    title: str,
    first: str,
    measures: Sequence[Measure],
    rows: Sequence[Sequence[Content]],
    width: int,
) -> Sheet:
    formats = ["", *(SHARE if each.unit is Unit.PERCENT else "" for each in measures)]
    return Sheet(title, [first, *(each.title for each in measures)], rows, formats, [width])


def _number(which: Measure, value: Value) -> Content:
    found = value.value
    if found is None:
        return None
    return found / 100 if which.unit is Unit.PERCENT else found
