"""The figures of one letter, three lists as a workbook; every sheet says what its figures mean."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import pgettext

from reports.numbers import Figure, Line, Measure, Period, figures_of
from reports.overview import Overview
from reports.sums import Side
from reports.workbook import MONEY, SHARE, Content, Sheet

FORMATS = {Measure.SHARE: SHARE, Measure.MONEY: MONEY, Measure.HOURS: "#,##0.0"}


def heading(figure: Figure) -> str:
    """Return a figure's heading with its measure."""
    if figure.measure is Measure.SHARE:
        return _(figure.label)
    return _("%(label)s（%(measure)s）", label=_(figure.label), measure=_(figure.measure.title))


def lines_sheets(side: Side, lines: Sequence[Line], period: Period) -> list[Sheet]:
    """Return the sheet of a side's organisations, and the one of meanings."""
    figures = figures_of(side)
    place = pgettext("side", "单位") if side is Side.UNIT else _("村（社区）")
    rows: list[Sequence[Content]] = [
        (line.name, *(line.values[each.name] for each in figures)) for line in lines
    ]
    formats = ("", *(FORMATS.get(each.measure, "") for each in figures))
    titles = (place, *(heading(each) for each in figures))
    return [Sheet(place, titles, rows, formats, (30,)), meanings(figures, period)]


def overview_sheets(found: Overview, period: Period) -> list[Sheet]:
    """Return the figures taken together, and the numbers behind each picture."""
    figures = figures_of(found.side)
    return [
        *_totals(found, figures),
        Sheet(
            _("需求（按状态）"),
            (_("状态"), _("条数")),
            [(_(status.title), number) for status, number in found.by_status],
        ),
        Sheet(
            _("需求（按类别）"),
            (_("类别"), _("条数")),
            [(_(category.title), number) for category, number in found.by_category],
        ),
        Sheet(
            _("服务时长（按月）"),
            (_("月份"), _("小时")),
            [(f"{year}-{month:02}", hours) for year, month, hours in found.hours],
            ("", "#,##0.0"),
        ),
        *_units(found),
        meanings(figures, period),
    ]


def _totals(found: Overview, figures: Sequence[Figure]) -> list[Sheet]:
    """Return the figures, one below the other; shares by themselves, in a format of their own."""
    counted = [each for each in figures if each.measure is not Measure.SHARE]
    shares = [each for each in figures if each.measure is Measure.SHARE]
    heads = (_("指标"), _("数值"), pgettext("measure", "单位"))
    return [
        Sheet(
            _("合计"),
            heads,
            [(_(each.label), found.values[each.name], _(each.measure.title)) for each in counted],
            widths=(20, 16, 10),
        ),
        *(
            Sheet(_(each.label), heads[:2], [(_(each.label), found.values[each.name])], ("", SHARE))
            for each in shares
        ),
    ]


def _units(found: Overview) -> list[Sheet]:
    if found.side is Side.UNIT:
        return []
    rows = [(name, hours) for _number, name, hours in found.units]
    return [
        Sheet(
            _("单位服务时长"), (pgettext("side", "单位"), _("小时")), rows, ("", "#,##0.0"), (30,)
        )
    ]


def meanings(figures: Sequence[Figure], period: Period) -> Sheet:
    """Return the sheet that says what the figures mean, and over which period they were taken."""
    rows: list[Sequence[Content]] = [
        (_("统计期间"), f"{period.first} — {period.last}"),
        *((heading(each), _(each.help)) for each in figures),
    ]
    return Sheet(_("指标口径"), (_("指标"), _("口径")), rows, widths=(24, 100))
