"""The pictures of an overview."""

from __future__ import annotations

import datetime as dt

from flask_babel import gettext as _
from flask_babel import pgettext

from reports.coverage import expiry
from reports.numbers import Period
from reports.overview import Overview
from reports.pictures import Bar, Chart
from reports.sums import Side
from views.charts import by_month, grouped, highest
from views.context import session
from views.coverage import expiry_chart
from views.list_links import list_url


def charts_of(found: Overview, period: Period, today: dt.date, place: int | None) -> list[Chart]:
    """Return the pictures of an overview; ``place``: the unit that it is of, if it is of one."""
    tied = {} if place is None else {"claimed_by": place}
    charts = [
        needs_by_status(found, tied),
        needs_by_category(found, period, tied),
        hours_by_month(found),
        expiry_chart(expiry(session(), today)),
    ]
    return charts + ([units_by_hours(found)] if found.side is Side.COMMUNITY else [])


def needs_by_status(found: Overview, tied: dict[str, int]) -> Chart:
    """Return the picture of where needs stand today."""
    bars = [
        Bar(
            _(status.title),
            number,
            grouped(number),
            list_url("NeedView", {"status": status.value, **tied}),
            status.tone,
        )
        for status, number in found.by_status
    ]
    mine = found.side is Side.UNIT
    return Chart(
        "status",
        _("本单位认领的需求（按状态）") if mine else _("治理需求（按状态）"),
        _("各状态的需求条数，截至今天。"),
        (_("状态"), _("条数")),
        bars,
        note=_("截至今天的全部需求，不随统计期间变化。"),
    )


def needs_by_category(found: Overview, period: Period, tied: dict[str, int]) -> Chart:
    """Return the picture of what was asked for: published in the period, or met by the unit."""
    mine = found.side is Side.UNIT
    day = "done_on" if mine else "published_on"
    span = {f"{day}_from": period.first, f"{day}_until": period.last}
    bars = [
        Bar(
            _(category.title),
            number,
            grouped(number),
            list_url("NeedView", {"category": category.value, **span, **tied}),
        )
        for category, number in found.by_category
    ]
    return Chart(
        "category",
        _("本单位办成的需求（按类别）") if mine else _("公布的需求（按类别）"),
        _("统计期间内各类别的需求条数。"),
        (_("类别"), _("条数")),
        bars,
        note=_("统计期间内的需求。"),
    )


def hours_by_month(found: Overview) -> Chart:
    """Return the picture of the hours served in each of the period's last months."""
    names = by_month([(year, number) for year, number, _hours in found.hours])
    bars = [
        Bar(label, hours, grouped(hours), tone="success", mark=mark)
        for (label, mark), (_year, _number, hours) in zip(names, found.hours, strict=True)
    ]
    return Chart(
        "hours",
        _("服务时长（按月）"),
        _("统计期间内每月的服务时长，单位：小时；最多显示最近 12 个月。"),
        (_("月份"), _("小时")),
        bars,
        columns=True,
        caption=highest(bars),
    )


def units_by_hours(found: Overview) -> Chart:
    """Return the picture of the units that served longest."""
    bars = [
        Bar(name, hours, grouped(hours), tone="progress") for _number, name, hours in found.units
    ]
    return Chart(
        "units",
        _("服务时长前 10 位的单位"),
        _("统计期间内为这些村（社区）服务时间最长的单位，单位：小时。"),
        (pgettext("side", "单位"), _("小时")),
        bars,
    )
