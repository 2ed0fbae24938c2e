"""The figures of one letter, three lists: of an area, of its units and of its communities."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import urlencode

from flask import request, send_file, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _
from flask_babel import pgettext
from markupsafe import Markup

from models.base import utcnow
from models.organization import Organization
from reports.numbers import (
    Asked,
    Figure,
    Line,
    Measure,
    Page,
    Period,
    Value,
    every_line,
    figures_of,
    page_of,
    year_of,
)
from reports.overview import overview, side_of
from reports.sums import KEPT, WHOLE, Side
from reports.workbook import MEDIA_TYPE, workbook
from rules.calendar import shanghai_date
from rules.errors import Invalid
from rules.policy import Action
from views import permissions
from views.charts import grouped
from views.context import actor, area_name, session
from views.listing import id_of
from views.number_charts import charts_of
from views.number_links import FigureUrls
from views.numbers_book import lines_sheets, overview_sheets
from views.presentation import Column, Crumb, Link, MenuEntry, Row, Tab, Table
from views.registry import view_of
from views.rendering import EMPTY, named

#: side → the name of its page
PAGES = {Side.UNIT: "units", Side.COMMUNITY: "communities"}
PAGE_LABELS = {"summary": "概况", "communities": "按村（社区）", "units": "按单位"}


class NumbersView(BaseView):
    """The figures on three pages, each with its workbook; the period stands in the address."""

    route_base = "/numbers"
    default_view = "summary"
    menu = (MenuEntry("一书三单", "一书三单统计", "fa-chart-column", 70, "summary"),)

    def __init__(self) -> None:
        super().__init__()
        demands: dict[str, permissions.Demand] = {"can_summary": ("need", Action.READ)}
        for side, route in PAGES.items():
            demands[f"can_{route}"] = (KEPT[side], Action.READ, WHOLE)
        permissions.declare(self.class_permission_name, demands)

    @expose("/")
    @has_access
    def summary(self) -> Any:
        """Show the figures taken together, with pictures."""
        period, today = asked_period(), shanghai_date(utcnow())
        found = overview(session(), period, today)
        urls, place = FigureUrls(found.side, period), own_place(found.side)
        return self.render_template(
            "numbers.html",
            tiles=[
                (
                    _(each.label),
                    written(each, found.values[each.name]),
                    measure(each),
                    urls.of(each, place) if found.values[each.name] else None,
                )
                for each in figures_of(found.side)
            ],
            charts=charts_of(found, period, today, place),
            **self._frame("summary", period, figures_of(found.side)),
        )

    @expose("/units/")
    @has_access
    def units(self) -> Any:
        """Show the figures of each unit."""
        return self._lines(Side.UNIT)

    @expose("/communities/")
    @has_access
    def communities(self) -> Any:
        """Show the figures of each community."""
        return self._lines(Side.COMMUNITY)

    @expose("/export")
    @has_access
    @permission_name("summary")
    def export(self) -> Any:
        """Send the figures taken together and the pictures' numbers as a workbook."""
        period, today = asked_period(), shanghai_date(utcnow())
        return self._send(
            "summary", period, overview_sheets(overview(session(), period, today), period)
        )

    @expose("/units/export")
    @has_access
    @permission_name("units")
    def units_export(self) -> Any:
        """Send the figures of each unit as a workbook."""
        return self._send_lines(Side.UNIT)

    @expose("/communities/export")
    @has_access
    @permission_name("communities")
    def communities_export(self) -> Any:
        """Send the figures of each community as a workbook."""
        return self._send_lines(Side.COMMUNITY)

    def _lines(self, side: Side) -> Any:
        period, asked = asked_period(), asked_lines()
        page = page_of(session(), side, period, asked)
        title = _(PAGE_LABELS[PAGES[side]])
        return self.render_template(
            "numbers_lines.html",
            table=LinesPage(side, period, asked, page).table(),
            q=asked.query,
            reset_url=self._url(PAGES[side], period),
            caption=title,
            hidden=[
                (name, request.args[name])
                for name in ("from", "until", "order", "direction")
                if name in request.args
            ],
            **self._frame(PAGES[side], period, figures_of(side)),
        )

    def _frame(self, route: str, period: Period, figures: list[Figure]) -> dict[str, Any]:
        """Return what the three pages have in common."""
        export = "export" if route == "summary" else f"{route}_export"
        crumbs = [Crumb(_("一书三单统计"), self._url("summary", period))]
        if route != "summary":
            crumbs.append(Crumb(_(PAGE_LABELS[route])))
        return {
            "view_title": _("一书三单统计"),
            "crumbs": crumbs,
            "area": _ground(),
            "period": period,
            "quick": [(label, self._url(route, each)) for label, each in quick_periods()],
            "tabs": [
                Tab(_(PAGE_LABELS[each]), self._url(each, period), each == route)
                for each in PAGE_LABELS
                if permissions.allowed(actor().roles, f"can_{each}", self.class_permission_name)
            ],
            "meanings": [(_(each.label), measure(each), _(each.help)) for each in figures],
            "links": [Link(_("导出 Excel"), self._url(export, period), "fa-file-excel")],
        }

    def _url(self, route: str, period: Period) -> str:
        base = url_for(f"{self.endpoint}.{route}")
        return f"{base}?{urlencode(period_args(period))}"

    def _send_lines(self, side: Side) -> Any:
        period = asked_period()
        lines = every_line(session(), side, period)
        return self._send(PAGES[side], period, lines_sheets(side, lines, period))

    def _send(self, route: str, period: Period, sheets: Any) -> Any:
        title = _("一书三单统计") + "-" + _(PAGE_LABELS[route])
        name = f"{title}-{_ground()}-{period.first}-{period.last}.xlsx"
        return send_file(
            workbook(sheets), mimetype=MEDIA_TYPE, as_attachment=True, download_name=name
        )


# What the address asks


def asked_period() -> Period:
    """Return the period that the address names, the present year by default; raises ``Invalid``."""
    usual = year_of(shanghai_date(utcnow()))
    ends = []
    for name, otherwise in (("from", usual.first), ("until", usual.last)):
        text = request.args.get(name, "").strip()
        try:
            ends.append(dt.date.fromisoformat(text) if text else otherwise)
        except ValueError:
            raise Invalid(
                _("日期“%(text)s”无法识别，请按 2026-01-31 的格式填写。", text=text)
            ) from None
    return Period(*ends)


def asked_lines() -> Asked:
    """Return how the address wants the lines; a page that is no number is the first."""
    return Asked(
        query=request.args.get("q", "").strip()[:100],
        order=request.args.get("order", "name"),
        descending=request.args.get("direction") == "desc",
        page=id_of(request.args.get("page", "")) or 1,
    )


def _kept(*names: str) -> list[tuple[str, str]]:
    """Return what an address asks for by these names, for a form to ask it again."""
    return [(name, request.args[name]) for name in names if name in request.args]


def period_args(period: Period) -> dict[str, str]:
    """Return a period as an address writes it."""
    return {"from": period.first.isoformat(), "until": period.last.isoformat()}


def quick_periods() -> list[tuple[str, Period]]:
    """Return periods that are asked for often, by name."""
    today = shanghai_date(utcnow())
    this = year_of(today)
    month = Period(today.replace(day=1), today)
    last = year_of(this.first - dt.timedelta(days=1))
    return [(_("本年"), this), (_("上年"), last), (_("本月至今"), month)]


def own_place(side: Side) -> int | None:
    """Return the organisation whose lists a summary counts: a unit's own; None: all in reach."""
    return actor().organization_id if side is Side.UNIT else None


def _ground() -> str:
    """Return whose figures are told: a unit's own, for all others those of their area."""
    own = side_of(session()) is Side.UNIT
    return actor().organization_name if own else area_name()


# How figures are written


def written(figure: Figure, value: Value) -> str:
    """Return a figure's value as the page writes it, without its measure."""
    if value is None:
        return EMPTY
    if figure.measure is Measure.SHARE:
        percent = (Decimal(value) * 100).quantize(Decimal("0.1"), ROUND_HALF_UP)
        return f"{percent}%"
    return grouped(value)


def measure(figure: Figure) -> str:
    """Return the word behind a figure's number; a share carries its sign already."""
    return "" if figure.measure is Measure.SHARE else _(figure.measure.title)


class LinesPage:
    """A page of lines as a table: sorted by its headings, each figure leading to its records."""

    def __init__(self, side: Side, period: Period, asked: Asked, page: Page) -> None:
        self.side, self.period, self.asked, self.page = side, period, asked, page
        self.base = url_for(request.endpoint or "")
        self.figures = figures_of(side)
        self.urls = FigureUrls(side, period)

    def table(self) -> Table:
        """Return the table with its way to the other pages."""
        number, pages = self.page.number, self.page.pages
        place = pgettext("side", "单位") if self.side is Side.UNIT else _("村（社区）")
        return Table(
            [
                self._column("name", place),
                *(self._column(e.name, _(e.label)) for e in self.figures),
            ],
            self._rows(),
            str(self.page.total),
            first_url=self._url(page=1) if number > 1 else None,
            previous_url=self._url(page=number - 1) if number > 1 else None,
            next_url=self._url(page=number + 1) if number < pages else None,
            last_url=self._url(page=pages) if number < pages else None,
        )

    def _rows(self) -> list[Row]:
        view = view_of(Organization)
        shows = view is not None and view.may("can_show")
        rows = []
        for line in self.page.lines:
            url = view.url("show", pk=line.id) if view is not None and shows else None
            cells: list[Markup | str] = [named(line.name, in_use=line.active)]
            cells += [self._cell(each, line) for each in self.figures]
            rows.append(Row(line.id, url, cells))
        return rows

    def _cell(self, figure: Figure, line: Line) -> Markup | str:
        value, url = line.values[figure.name], self.urls.of(figure, line.id)
        text = written(figure, value)
        if not value or url is None:
            return text
        return Markup('<a href="{}">{}</a>').format(url, text)

    def _column(self, name: str, label: str) -> Column:
        current = name == self.asked.order
        # A name is looked for from its beginning, a figure from the most.
        first = "asc" if name == "name" else "desc"
        now = "desc" if self.asked.descending else "asc"
        turned = {"asc": "desc", "desc": "asc"}[now] if current else first
        return Column(
            name, label, self._url(order=name, direction=turned), now if current else None
        )

    def _url(self, **changes: Any) -> str:
        kept: Mapping[str, str] = {
            name: value
            for name, value in request.args.items()
            if name in ("q", "order", "direction", "from", "until")
        }
        return f"{self.base}?{urlencode({**kept, **changes})}"
