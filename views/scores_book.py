"""The yearly appraisal as a workbook: departments by dimension, townships by share, and the method."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from flask_babel import gettext as _

from reports.scores import Card, Scores
from reports.shrinking import written
from reports.township_scores import PARTS, TownshipCard
from reports.workbook import SHARE, Content, Sheet
from views.score_words import department_meanings, township_meanings

POINTS = "0.0"


def sheets(found: Scores, places: Sequence[TownshipCard]) -> list[Sheet]:
    """Return the sheets: departments, townships, how both are reckoned."""
    return [_departments(found), _townships(places), _method(found)]


def _points(value: float | None) -> Decimal | None:
    return None if value is None else written(value)


def _departments(found: Scores) -> Sheet:
    headings = (
        _("部门"), _("名次"), _("得分"), _("区间下限"), _("区间上限"), _("上期得分"),
        _("评价哨单"), _("评价轮数"), _("本单位均分"), *found.dimensions,
        _("群众星级"), _("主办单位评协办"), _("待复核申诉"),
    )  # fmt: skip
    formats = ("", "", *[POINTS] * 4, "", "", *[POINTS] * (1 + len(found.dimensions) + 2), "")
    rows = [_department(found, each) for each in found.cards]
    return Sheet(_("部门"), headings, rows, formats, (30,))


def _department(found: Scores, card: Card) -> Sequence[Content]:
    by_name = {each.name: each.score for each in card.dimensions}
    span = card.estimate
    return (
        card.title,
        card.rank if card.rank is not None else _("样本不足"),
        _points(card.compared),
        _points(span.low if span else None),
        _points(span.high if span else None),
        _points(card.before),
        card.tickets,
        card.rounds,
        _points(card.score),
        *(_points(by_name.get(name)) for name in found.dimensions),
        _points(card.stars),
        _points(card.by_leads),
        card.pending,
    )


def _townships(places: Sequence[TownshipCard]) -> Sheet:
    headings = [_("乡镇（街道）"), _("名次"), _("得分"), _("上期得分"), _("吹哨数")]
    formats = ["", "", POINTS, POINTS, ""]
    for each in PARTS:
        headings += [_(each.title), _("%(title)s（件数）", title=_(each.title))]
        formats += [SHARE, ""]
    rows: list[Sequence[Content]] = []
    for card in places:
        line: list[Content] = [
            card.title,
            card.rank if card.rank is not None else _("样本不足"),
            _points(card.estimate.value if card.estimate else None),
            _points(card.before),
            card.raised,
        ]
        for each in PARTS:
            share = card.shares[each.code]
            ratio = None if share.value is None else Decimal(share.good) / share.of
            line += [ratio, share.of]
        rows.append(line)
    return Sheet(_("乡镇（街道）"), headings, rows, formats, (30,))


def _method(found: Scores) -> Sheet:
    rows: list[Sequence[Content]] = [
        (_("统计期间"), f"{found.period.first} — {found.period.last}"),
        (_("全部单位均分"), _points(found.mean)),
        *((f"{_('部门')}：{label}", said) for label, _unit, said in department_meanings()),
        *(
            (f"{_('乡镇（街道）')}：{label} {unit}".strip(), said)
            for label, unit, said in township_meanings()
        ),
    ]
    return Sheet(_("计算方法"), (_("项目"), _("说明")), rows, ("", POINTS), (36, 110))
