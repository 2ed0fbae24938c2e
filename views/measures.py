"""The measures of whistles: at a glance, by any dimension, and by two of them crossed (domain section 8)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import request, send_file, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from models.base import utcnow
from reports.facts import catch_up
from reports.measure_types import Unit
from reports.measures import MEASURES, Dimension, Measure, Question, Value, total
from reports.workbook import MEDIA_TYPE, workbook
from rules.calendar import shanghai_date
from rules.errors import Invalid
from rules.policy import Action
from views import measure_choices, permissions
from views.context import session, unit_of_work
from views.measure_address import BY_CODE, Asked, Span, Usual, parse
from views.measure_choices import Choosers
from views.measure_lines import LinesPage, counterparts
from views.measure_links import TicketUrls
from views.measure_names import ask, headings
from views.measure_pictures import (
    FOLLOWED,
    WEAK,
    by_months,
    crossed,
    months_asked,
    ranking,
    weakest,
)
from views.measure_readers import Reader, reader
from views.measure_words import Change, change, unit_of, written
from views.measures_book import crossing_sheets, lines_sheets
from views.presentation import Crumb, Link, MenuEntry, Tab

PAGES = {"overview": "概况", "lines": "分类统计", "crossing": "交叉统计", "about": "指标口径"}
#: What the first page shows: medians stand in the table.
TILES = tuple(each for each in MEASURES if not each.median)
#: How much of the heat table the first page shows.
GLANCE = (20, 14)
A_YEAR = 366
NOTHING = "这段时间没有哨单。请换个期间，或者清空筛选条件。"


@dataclass(frozen=True)
class Tile:
    """A measure at a glance. ``parts``: numerator and denominator with their lists, of shares of tickets."""

    title: str
    text: str
    unit: str
    url: str | None
    parts: list[tuple[str, str | None]]
    changes: list[tuple[str, Change | None]]
    meaning: str


class MeasuresView(BaseView):
    """Three pages of figures and what they mean; all that is asked stands in the address."""

    route_base = "/measures"
    default_view = "overview"
    menu = (MenuEntry("跟踪问效", "指标", "fa-gauge-high", 10, "overview"),)

    def __init__(self) -> None:
        super().__init__()
        reads = ("ticket_fact", Action.READ)
        permissions.declare(
            self.class_permission_name, dict.fromkeys([f"can_{route}" for route in PAGES], reads)
        )

    @expose("/")
    @has_access
    def overview(self) -> Any:
        """Show the place at a glance: every measure, the last months, who is weakest, a heat table."""
        who, asked, now = self._asked()
        question = Question(asked.period, filters=asked.filters)
        values = total(session(), question, TILES, now)
        if not values["raised"].part:
            return self._page("measures.html", "overview", who, asked, empty_text=_(NOTHING))
        urls, months = TicketUrls(), months_asked(question)
        weak = replace(question, rows=who.weak)
        heat = replace(question, rows=who.heat[0], columns=who.heat[1])
        counted = BY_CODE["dispatched"]
        cells = ask(session(), heat, [counted], now)
        return self._page(
            "measures.html",
            "overview",
            who,
            asked,
            tiles=tiles(question, values, now, urls),
            charts=[
                *by_months(months, ask(session(), months, FOLLOWED, now), urls),
                *weakest(weak, ask(session(), weak, WEAK, now), urls),
            ],
            heat=crossed(heat, counted, cells, headings(session(), heat, cells), urls, GLANCE),
            heat_url=replace(asked, rows=who.heat[0], columns=who.heat[1]).url(
                "crossing", "by", "across"
            ),
        )

    @expose("/lines")
    @has_access
    def lines(self) -> Any:
        """Show all measures by a dimension, sorted by one of them."""
        who, asked, now = self._asked()
        question = Question(asked.period, asked.rows, None, asked.filters)
        found = ask(session(), question, asked.shown, now)
        page = LinesPage(asked, question, found)
        against = counterparts(session(), asked, question, now)
        whole = total(session(), question, asked.shown, now) if found else {}
        measure = BY_CODE.get(asked.order, BY_CODE["dispatched"])
        urls = TicketUrls()
        in_time = asked.rows is Dimension.MONTH
        return self._page(
            "measures_lines.html",
            "lines",
            who,
            asked,
            caption=_("按%(kind)s", kind=_(asked.rows.title)),
            columns=page.columns(),
            rows=page.rows(urls, against, whole),
            table=page.table(),
            against=_(asked.against.title) if against is not None else "",
            chart=ranking(question, measure, page.shown, urls) if found and not in_time else None,
            empty_text=_(NOTHING),
        )

    @expose("/lines/export")
    @has_access
    @permission_name("lines")
    def lines_export(self) -> Response:
        """Send all lines with all measures as a workbook."""
        who, asked, now = self._asked()
        question = Question(asked.period, asked.rows, None, asked.filters)
        page = LinesPage(asked, question, ask(session(), question, MEASURES, now))
        whole = total(session(), question, MEASURES, now)
        said = measure_choices.said(who, asked)
        return self._send(who, asked, lines_sheets(asked, page.ordered, whole, said))

    @expose("/crossing")
    @has_access
    def crossing(self) -> Any:
        """Show one measure by two dimensions as a heat table."""
        who, asked, now = self._asked(crossing=True)
        question = Question(asked.period, asked.rows, asked.columns, asked.filters)
        found = ask(session(), question, [asked.measure], now)
        heads = headings(session(), question, found)
        return self._page(
            "measures_crossing.html",
            "crossing",
            who,
            asked,
            heat=crossed(question, asked.measure, found, heads, TicketUrls()),
            empty_text=_(NOTHING),
        )

    @expose("/crossing/export")
    @has_access
    @permission_name("crossing")
    def crossing_export(self) -> Response:
        """Send the crossing of two dimensions as a workbook, with all rows and columns."""
        who, asked, now = self._asked(crossing=True)
        question = Question(asked.period, asked.rows, asked.columns, asked.filters)
        found = ask(session(), question, [asked.measure], now)
        heads = headings(session(), question, found)
        said = measure_choices.said(who, asked)
        return self._send(who, asked, crossing_sheets(asked, found, heads, said))

    @expose("/about")
    @has_access
    def about(self) -> Any:
        """Say what every measure means."""
        return self.render_template(
            "measures_about.html",
            view_title=_("指标口径"),
            crumbs=[Crumb(_("指标"), url_for("MeasuresView.overview")), Crumb(_("指标口径"))],
            tabs=self._tabs("about", None),
            meanings=[(_(m.title), _(m.unit.title), _(m.meaning), better(m)) for m in MEASURES],
            rules=rules(),
        )

    @expose("/choices/<name>")
    @has_access
    @permission_name("overview")
    def choices(self, name: str) -> Response:
        """Answer a filter's select box with what the reader may narrow by."""
        return measure_choices.answer(name, request.args.get("q", ""))

    def _asked(self, *, crossing: bool = False) -> tuple[Reader, Asked, dt.datetime]:
        """Return who asks what, once the facts are up to date."""
        with unit_of_work() as database:
            catch_up(database)
        now = utcnow()
        who = reader(request.args)
        usual = Usual(who.heat[0], who.heat[1]) if crossing else who.usual
        asked = parse(request.args, usual, shanghai_date(now))
        if crossing and asked.rows is asked.columns:
            raise Invalid(_("行和列是同一种分类，请换一种。"))
        return who, asked, now

    def _page(self, template: str, route: str, who: Reader, asked: Asked, **shown: Any) -> Any:
        """Return a page with what the three have in common."""
        crumbs = [Crumb(_("指标"), asked.url("overview"))]
        links = []
        if route != "overview":
            crumbs.append(Crumb(_(PAGES[route])))
            keeps = Choosers.NAMES[route]
            address = asked.url(f"{route}_export", *keeps, *(["order"] if route == "lines" else []))
            links.append(Link(_("导出 Excel"), address, "fa-file-excel"))
        choosers = Choosers(route, who, asked)
        return self.render_template(
            template,
            **{"empty_text": "", "tiles": [], "charts": [], "heat": None} | shown,
            view_title=_("指标"),
            crumbs=crumbs,
            area=who.area,
            asked=asked,
            choosers=choosers,
            filters=measure_choices.filters(who, asked),
            quick=[
                (_(span.title), choosers.url(span=span.value), span is asked.span)
                for span in Span
                if span is not Span.FREE
            ],
            reset_url=replace(asked, filters={}).url(route, *choosers.kept),
            tabs=self._tabs(route, asked),
            links=links,
        )

    def _tabs(self, route: str, asked: Asked | None) -> list[Tab]:
        tabs = []
        for each, label in PAGES.items():
            plain = url_for(f"MeasuresView.{each}")
            url = plain if asked is None or each == "about" else asked.url(each)
            tabs.append(Tab(_(label), url, each == route))
        return tabs

    def _send(self, who: Reader, asked: Asked, sheets: Any) -> Response:
        days = f"{asked.period.first}-{asked.period.last}"
        name = f"{_('指标')}-{_(asked.rows.title)}-{who.area}-{days}.xlsx"
        return send_file(
            workbook(sheets), mimetype=MEDIA_TYPE, as_attachment=True, download_name=name
        )


def tiles(
    question: Question, values: Mapping[str, Value], now: dt.datetime, urls: TicketUrls
) -> list[Tile]:
    """Return every measure at a glance, against the period before and the same days a year ago."""
    then = [
        (label, total(session(), other, TILES, now)) for label, other in counterparts_of(question)
    ]
    found = []
    for measure in TILES:
        value = values[measure.code]
        found.append(
            Tile(
                _(measure.title),
                written(measure, value),
                unit_of(measure) if value.value is not None else "",
                urls.of(measure, question, value),
                parts(measure, question, value, urls),
                [(label, change(measure, value, old[measure.code])) for label, old in then],
                _(measure.meaning),
            )
        )
    return found


def counterparts_of(question: Question) -> list[tuple[str, Question]]:
    """Return what a period is compared with: the one before, and the same days a year ago.

    Of about a year these are the same days; of more than a year the latter lie within it.
    """
    days = (question.period.last - question.period.first).days + 1
    before = (_("比上期"), question.before())
    year = (_("比去年同期"), question.last_year())
    if days > A_YEAR:
        return [before]
    return [year] if days > A_YEAR - 31 else [before, year]


def parts(
    measure: Measure, question: Question, value: Value, urls: TicketUrls
) -> list[tuple[str, str | None]]:
    """Return numerator and denominator of a share of tickets, each with its list."""
    if measure.unit is not Unit.PERCENT or measure.good is None or not value.of:
        return []
    return [
        (f"{value.part or 0:,}", urls.part(measure, question, value)),
        (f"{value.of:,}", urls.whole(measure, question, value)),
    ]


def better(measure: Measure) -> str:
    """Return in words which way a measure is good."""
    if measure.higher_is_better is None:
        return _("不分好坏")
    return _("越高越好") if measure.higher_is_better else _("越低越好")


def rules() -> Sequence[str]:
    """Return what holds of all measures, a sentence each."""
    return [
        _("哨单按派给承办单位的那一天归入期间；还没有派单的，按吹哨的那一天。日期按北京时间。"),
        _(
            "按承办单位统计时，主办过这张哨单的每个单位各计一次，退回和移交的也在内；按其他分类统计时，每张哨单只计一次，计给现在的主办单位。"
        ),
        _("应当应哨、报到的，是已经做到的，加上期限已过还没有做到的；期限没到的暂不计。"),
        _("没有可计的哨单时显示“—”，不是 0。"),
        _(
            "“上期”是紧挨在前面、同样长短的期间；“去年同期”是去年的同一段日子。期间在一年左右的，只比去年同期；超过一年的，只比上期。"
        ),
        _("您看到的数字只包括您有权查看的哨单；点数字可以看到它数的是哪些。"),
    ]
