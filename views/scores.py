"""评分: departments and townships by what they are rated, ranked so that small numbers are not luck."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from flask import abort, request, send_file, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_babel import gettext as _
from sqlalchemy import select

from models.appeal import AppealStatus
from models.base import utcnow
from models.organization import Organization, OrganizationKind, OrganizationLine
from reports.facts import catch_up
from reports.measures import Period
from reports.scores import Card, Scores, departments
from reports.township_scores import TownshipCard, own_place, townships
from reports.workbook import MEDIA_TYPE, workbook
from rules.calendar import shanghai_date
from rules.errors import Invalid
from rules.grade_sums import own_only
from rules.policy import Action, Scope, scopes
from views import permissions, score_tables, score_words
from views.context import actor, area_name, session, unit_of_work
from views.list_links import list_url
from views.listing import LARGEST_ID, id_of
from views.measure_address import Span
from views.numbers import asked_period, period_args, quick_periods
from views.presentation import Crumb, Link, MenuEntry, Tab
from views.scores_book import sheets

#: Who reads an area's bulletins before they are issued reads its rankings; who is only sent what was
#: issued reads his own card.
WHOLE = frozenset({Scope.EVERYTHING, Scope.AREA})
PAGES = {"summary": "部门", "townships": "乡镇（街道）"}
NOTHING = "这段时间没有评价。请换个期间；哨单办结后由吹哨单位评价，评价后在这里计分。"


def _quarter() -> Period:
    return Span.QUARTER.period(shanghai_date(utcnow()))


def _year_of(period: Period) -> Period:
    """Return the calendar year in which a period ends: appraisals are of years."""
    year = period.last.year
    return Period(dt.date(year, 1, 1), dt.date(year, 12, 31))


def _usual_periods() -> list[tuple[str, Period]]:
    """Return the periods that are asked for often: years whole, for the appraisal."""
    today = shanghai_date(utcnow())
    spans = (Span.QUARTER, Span.LAST_MONTH, Span.MONTH)
    return [*quick_periods()[:2], *((_(each.title), each.period(today)) for each in spans)]


class ScoresView(BaseView):
    """Rankings for those who read an area; for all others their own card."""

    route_base = "/scores"
    default_view = "summary"
    menu = (MenuEntry("跟踪问效", "评分", "fa-ranking-star", 20, "summary"),)

    def __init__(self) -> None:
        super().__init__()
        ranking = ("bulletin", Action.READ, WHOLE)
        permissions.declare(
            self.class_permission_name,
            {
                "can_summary": ("ticket_fact", Action.READ),
                "can_townships": ranking,
                "can_department": ranking,
                "can_township": ranking,
                "can_export": ranking,
            },
        )

    @expose("/")
    @has_access
    def summary(self) -> Any:
        """Show the departments' ranking, or the reader's own card."""
        period, county = self._asked()
        if not self._ranks():
            return self._own(period)
        found = departments(session(), period, county)
        return self._page(
            "summary",
            period,
            county,
            table=score_tables.departments(found, lambda pk: self._card("department", pk, period)),
            mean=score_words.points(found.mean) if found.cards else None,
            few=sum(not each.enough for each in found.cards),
            meanings=score_words.department_meanings(),
        )

    @expose("/townships/")
    @has_access
    def townships(self) -> Any:
        """Show the townships' ranking."""
        period, county = self._asked()
        found = townships(session(), period, utcnow(), county)
        return self._page(
            "townships",
            period,
            county,
            table=score_tables.townships(
                found, period, lambda pk: self._card("township", pk, period)
            ),
            mean=None,
            few=sum(not each.enough for each in found),
            meanings=score_words.township_meanings(),
        )

    @expose("/department/<int:pk>")
    @has_access
    def department(self, pk: int) -> Any:
        """Show one department's card."""
        period, county = self._asked()
        found = departments(session(), period, county)
        card = next((each for each in found.cards if each.id == pk), None)
        title = card.title if card else self._name(pk, ())
        return self._department("department", period, title, found, card, pk)

    @expose("/township/<int:pk>")
    @has_access
    def township(self, pk: int) -> Any:
        """Show one township's card."""
        period, county = self._asked()
        found = townships(session(), period, utcnow(), county)
        card = next((each for each in found if each.id == pk), None)
        title = card.title if card else self._name(pk, (OrganizationKind.TOWNSHIP,))
        return self._place("township", period, title, card, len(found), pk)

    @expose("/export")
    @has_access
    def export(self) -> Any:
        """Send departments, townships and the method as a workbook: a year's is the appraisal's."""
        period, county = self._asked(whole_year=True)
        found = departments(session(), period, county)
        places = townships(session(), period, utcnow(), county)
        title = _("年度考核评分") if period == _year_of(period) else _("评分")
        name = f"{title}-{self._area(county)}-{period.first}-{period.last}.xlsx"
        return send_file(
            workbook(sheets(found, places)),
            mimetype=MEDIA_TYPE,
            as_attachment=True,
            download_name=name,
        )

    # What is asked, and by whom

    def _asked(self, *, whole_year: bool = False) -> tuple[Period, int | None]:
        """Return the period and county that the address asks for, once the facts are up to date.

        Without a period it is the present quarter; the appraisal's is the year.
        """
        named = any(request.args.get(name, "").strip() for name in ("from", "until"))
        period = asked_period() if named or whole_year else _quarter()
        text = request.args.get("county", "").strip()
        county = id_of(text) if text else None
        if text and county is None:
            raise Invalid(_("筛选条件“%(value)s”无法识别，请重新选择。", value=text[:100]))
        with unit_of_work() as database:
            catch_up(database)
        return period, county

    def _ranks(self) -> bool:
        return permissions.allowed(actor().roles, "can_townships", self.class_permission_name)

    def _name(self, pk: int, kinds: tuple[OrganizationKind, ...]) -> str:
        """Return what a body is called that has no card: names are for everybody to read."""
        found = session().get(Organization, pk) if pk <= LARGEST_ID else None
        if found is None or (kinds and found.kind not in kinds):
            abort(404)
        return found.name

    # Pages

    def _page(self, route: str, period: Period, county: int | None, **more: Any) -> Any:
        counties = self._counties()
        return self.render_template(
            "scores.html",
            caption=_(PAGES[route]),
            counties=counties,
            county=county,
            empty_text=_(NOTHING),
            **self._frame(route, period, **more),
        )

    def _frame(self, route: str, period: Period, **more: Any) -> dict[str, Any]:
        """Return what all pages have in common."""
        kept = {"county": request.args["county"]} if request.args.get("county") else {}
        ranks = self._ranks()
        return {
            "view_title": _("评分"),
            "crumbs": [Crumb(_("评分"))],
            "area": self._area(id_of(kept.get("county", ""))),
            "period": period,
            "kept": list(kept.items()),
            "quick": [
                (label, self._here(each, kept), each == period) for label, each in _usual_periods()
            ],
            "tabs": [
                Tab(_(label), self._url(each, period, **kept), each == route)
                for each, label in PAGES.items()
            ]
            if ranks
            else [],
            "links": self._exports(period, kept) if ranks else [],
            "kind": route,
        } | more

    def _area(self, county: int | None) -> str:
        """Return what the reader's ground is called, or the county that he asks for."""
        place = session().get(Organization, county) if county else None
        return place.name if place is not None else area_name()

    def _exports(self, period: Period, kept: dict[str, str]) -> list[Link]:
        """Return the buttons of the workbooks: of what is shown, and of its whole year."""
        year = _year_of(period)
        whole = _("导出 %(year)s 年度考核表", year=year.last.year)
        shown = (
            [Link(_("导出 Excel"), self._url("export", period, **kept), "fa-file-excel")]
            if period != year
            else []
        )
        return [*shown, Link(whole, self._url("export", year, **kept), "fa-file-excel")]

    def _here(self, period: Period, kept: dict[str, str]) -> str:
        return f"{request.path}?{urlencode(period_args(period) | kept)}"

    def _url(self, route: str, period: Period, **values: Any) -> str:
        asked: dict[str, Any] = {**period_args(period), **values}
        return url_for(f"{self.endpoint}.{route}", **asked)

    def _card(self, route: str, pk: int, period: Period) -> str:
        county = request.args.get("county")
        return self._url(route, period, pk=pk, **({"county": county} if county else {}))

    def _own(self, period: Period) -> Any:
        """Show the reader's own department's card, or his own place's."""
        if own_only(session()):
            found = departments(session(), period)
            card = found.cards[0] if found.cards else None
            name, number = actor().organization_name, actor().organization_id or 0
            return self._department("summary", period, name, found, card, number)
        name = area_name()
        return self._place(
            "summary", period, name, own_place(session(), period, utcnow(), name), 0, 0
        )

    def _department(
        self, route: str, period: Period, title: str, found: Scores, card: Card | None, pk: int
    ) -> Any:
        """Show a department's card."""
        appeals = list_url("AppealView", {"department": pk, "status": AppealStatus.PENDING.value})
        return self._shown(
            route,
            period,
            title,
            tiles=score_tables.department_tiles(card, found, appeals) if card else [],
            chart=score_tables.dimension_chart(card) if card else None,
            table=score_tables.dimension_table(card) if card else None,
            meanings=score_words.department_meanings(),
        )

    def _place(
        self,
        route: str,
        period: Period,
        title: str,
        card: TownshipCard | None,
        number: int,
        pk: int,
    ) -> Any:
        """Show a township's card, or that of a place within it."""
        there = card if card and card.raised else None
        return self._shown(
            route,
            period,
            title,
            tiles=score_tables.township_tiles(there, number, period) if there else [],
            chart=None,
            table=score_tables.part_table(there, period) if there else None,
            meanings=score_words.township_meanings(),
        )

    def _shown(self, route: str, period: Period, title: str, **more: Any) -> Any:
        home = "townships" if route == "township" else "summary"
        frame = self._frame(home if route != "summary" else "summary", period, **more)
        if route != "summary":
            frame["crumbs"] = [Crumb(_("评分"), self._url(home, period)), Crumb(title)]
        return self.render_template(
            "score_card.html", **(frame | {"view_title": title, "empty_text": _(NOTHING)})
        )

    def _counties(self) -> list[tuple[int, str]]:
        """Return the counties that the reader may ask for one by one, if there are several."""
        found = select(Organization.id, Organization.name).where(
            Organization.kind == OrganizationKind.COUNTY
        )
        if Scope.EVERYTHING not in scopes(actor().roles, "ticket_fact", Action.READ):
            found = found.join(
                OrganizationLine, OrganizationLine.organization_id == Organization.id
            ).where(OrganizationLine.ancestor_id == actor().area_id)
        counties = [
            (number, name) for number, name in session().execute(found.order_by(Organization.code))
        ]
        return counties if len(counties) > 1 else []
