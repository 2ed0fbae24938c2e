"""Coverage: who has signed and who has not, and which agreements run out when (domain section 4)."""

from __future__ import annotations

from typing import Any

from flask import request, send_file, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from models.agreement import AgreementStatus
from models.base import utcnow
from models.organization import Organization, OrganizationKind
from reports.coverage import (
    AREAS,
    COMMUNITY_KINDS,
    UNIT_KINDS,
    Coverage,
    Span,
    coverage,
    uncovered,
)
from reports.pictures import Bar, Chart
from reports.workbook import MEDIA_TYPE, workbook
from rules.calendar import shanghai_date
from rules.errors import Invalid
from rules.policy import Action
from views import listing, permissions, table_html
from views.charts import by_month, grouped, highest
from views.context import area_name, session
from views.coverage_book import sheets
from views.list_links import list_url
from views.presentation import Column, Crumb, Filter, Link, MenuEntry, Row, Table
from views.registry import view_of
from views.rendering import shown

IN_FORCE = AgreementStatus.IN_FORCE.value
#: How many organisations without an agreement the page itself shows.
SHOWN = 10
LOOKS_AFTER = ("agreement", Action.READ, AREAS)
#: route → (title, kinds, what an empty list says)
LISTS = {
    "units": ("未签协议的单位", UNIT_KINDS, "没有：本地区登记的单位都有生效的协议。"),
    "communities": (
        "未结对的村（社区）",
        COMMUNITY_KINDS,
        "没有：本地区的村（社区）都有签约单位。",
    ),
}
NONE_THERE = "本地区没有登记这类机构。"


class CoverageView(BaseView):
    """The page of coverage, the lists that it counts, and all of it as a workbook."""

    route_base = "/coverage"
    default_view = "summary"
    menu = (MenuEntry("一书三单", "协议覆盖", "fa-circle-half-stroke", 60, "summary"),)

    def __init__(self) -> None:
        super().__init__()
        names = ("can_summary", "can_units", "can_communities")
        permissions.declare(self.class_permission_name, dict.fromkeys(names, LOOKS_AFTER))

    @expose("/")
    @has_access
    def summary(self) -> Any:
        """Show the shares without an agreement, pairs by kind, and what runs out by month."""
        found = coverage(session(), shanghai_date(utcnow()))
        return self.render_template(
            "coverage.html",
            view_title=_("协议覆盖"),
            crumbs=[Crumb(_("协议覆盖"))],
            area=area_name(),
            tiles=tiles(found),
            shares=shares_table(found),
            pairs=pairs_table(found),
            chart=expiry_chart(found.expiry),
            lists=[_short(route, found) for route in LISTS],
            links=[Link(_("导出 Excel"), url_for("CoverageView.export"), "fa-file-excel")],
        )

    @expose("/units/")
    @has_access
    def units(self) -> Any:
        """List the units without an agreement in force, page by page."""
        return self._list("units")

    @expose("/communities/")
    @has_access
    def communities(self) -> Any:
        """List the communities without a partner, page by page."""
        return self._list("communities")

    @expose("/export")
    @has_access
    @permission_name("summary")
    def export(self) -> Any:
        """Send everything as a workbook."""
        today = shanghai_date(utcnow())
        file = workbook(sheets(coverage(session(), today), today))
        name = _("协议覆盖") + f"-{area_name()}-{today}.xlsx"
        return send_file(file, mimetype=MEDIA_TYPE, as_attachment=True, download_name=name)

    def _list(self, route: str) -> Any:
        title, kinds, empty = LISTS[route]
        asked = listing.parse(
            request.args, orders=(), default=listing.Order(descending=False), filters=("kind",)
        )
        statement = uncovered(session(), *_kinds(kinds, asked.filters.get("kind", "")))
        statement = statement.options(joinedload(Organization.parent))
        if asked.query:
            statement = statement.where(
                listing.matches(Organization, ("name", "code"), asked.query)
            )
        table = _paged(route, statement, asked)
        home = url_for("CoverageView.summary")
        return self.render_template(
            "list.html",
            view_title=_(title),
            crumbs=[Crumb(_("协议覆盖"), home), Crumb(_(title))],
            table=table,
            body=table_html.body(table),
            tabs=[],
            filters=_filters(kinds, asked),
            q=asked.query,
            search_placeholder=_("机构名称、机构代码"),
            reset_url=url_for(f"CoverageView.{route}"),
            links=[Link(_("协议覆盖"), home, "fa-angle-left")],
            empty_text=_("没有符合条件的记录，请换个条件试试。")
            if asked.query or asked.filters
            else _(empty),
        )


def _kinds(kinds: tuple[OrganizationKind, ...], wanted: str) -> tuple[OrganizationKind, ...]:
    if not wanted:
        return kinds
    chosen = tuple(kind for kind in kinds if kind.value == wanted)
    if not chosen:
        raise Invalid(_("筛选条件“%(value)s”无法识别，请重新选择。", value=wanted))
    return chosen


def _filters(kinds: tuple[OrganizationKind, ...], asked: listing.Request) -> list[Filter]:
    if len(kinds) == 1:
        return []
    options = [(kind.value, _(kind.title)) for kind in kinds]
    return [Filter("kind", _("机构类型"), "choice", asked.filters.get("kind", ""), options)]


def _paged(route: str, statement: Any, asked: listing.Request) -> Table:
    page = listing.fetch(session(), Organization, statement, asked)
    kept: dict[str, Any] = {
        key: value for key, value in request.args.items() if key in ("q", "kind")
    }

    def url(**moves: Any) -> str:
        return url_for(f"CoverageView.{route}", **kept, **moves)

    return Table(
        _columns(),
        _rows(page.rows),
        listing.count(session(), Organization, statement, page),
        first_url=url() if page.has_previous else None,
        previous_url=url(before=page.first_cursor) if page.has_previous else None,
        next_url=url(after=page.last_cursor) if page.has_next else None,
        last_url=url(last="1") if page.has_next else None,
    )


def _columns() -> list[Column]:
    return [
        Column("name", _("机构名称")),
        Column("kind", _("机构类型")),
        Column("parent", _("上级机构")),
    ]


def _rows(records: list[Organization]) -> list[Row]:
    view = view_of(Organization)
    leads = view is not None and view.may("can_show")
    return [
        Row(
            each.id,
            view.url("show", pk=each.id) if view is not None and leads else None,
            [each.name, shown(each.kind), shown(each.parent)],
        )
        for each in records
    ]


def _short(route: str, found: Coverage) -> tuple[str, int, Table, str]:
    """Return the first organisations of a list: title, how many there are, the rows, nothing's word."""
    title, kinds, empty = LISTS[route]
    number = found.without(*kinds)
    records: list[Organization] = []
    if number:
        statement = uncovered(session(), *kinds).options(joinedload(Organization.parent))
        records = list(session().scalars(statement.order_by(Organization.id).limit(SHOWN)))
    more = url_for(f"CoverageView.{route}") if number > SHOWN else None
    said = empty if found.total(*kinds) else NONE_THERE
    return _(title), number, Table(_columns(), _rows(records), more_url=more), _(said)


# What the page says


def tiles(found: Coverage) -> list[tuple[str, str, str, str | None, str]]:
    """Return the four numbers on top: (label, value, tone, address, note)."""
    units, communities = found.total(*UNIT_KINDS), found.total(*COMMUNITY_KINDS)
    bare, alone = found.without(*UNIT_KINDS), found.without(*COMMUNITY_KINDS)
    overdue = found.expiry[0]
    return [
        (
            _("未签协议的单位"),
            grouped(bare),
            "warning" if bare else "success",
            url_for("CoverageView.units"),
            _("共 %(total)s 家，覆盖 %(share)s", total=grouped(units), share=share(units, bare)),
        ),
        (
            _("未结对的村（社区）"),
            grouped(alone),
            "warning" if alone else "success",
            url_for("CoverageView.communities"),
            _(
                "共 %(total)s 个，覆盖 %(share)s",
                total=grouped(communities),
                share=share(communities, alone),
            ),
        ),
        (
            _("现行协议"),
            grouped(sum(each.agreements for each in found.pairs)),
            "info",
            list_url("AgreementView", {"status": IN_FORCE}),
            _("状态为“生效”的协议"),
        ),
        (
            _("已过到期日仍为“生效”"),
            grouped(overdue.agreements),
            "danger" if overdue.agreements else "success",
            span_url(overdue),
            _("请续签，或办理到期"),
        ),
    ]


def share(total: int, without: int) -> str:
    """Return which share of all has an agreement in force, in words."""
    return f"{(total - without) / total:.1%}" if total else "—"


def span_url(span: Span) -> str | None:
    """Return the list of the agreements that run out in a span of time."""
    ends: dict[str, Any] = {}
    if span.first is not None:
        ends["valid_until_from"] = span.first
    if span.last is not None:
        ends["valid_until_until"] = span.last
    return list_url("AgreementView", {"status": IN_FORCE, **ends})


def shares_table(found: Coverage) -> list[tuple[str, int, int, str, str | None]]:
    """Return a line for each kind of organisation: name, total, without, share with, address."""
    return [
        (
            _(each.kind.title),
            each.total,
            each.without,
            share(each.total, each.without),
            url_for("CoverageView.communities")
            if each.kind in COMMUNITY_KINDS
            else url_for("CoverageView.units", kind=each.kind.value),
        )
        for each in found.shares
    ]


def pairs_table(found: Coverage) -> list[tuple[str, int, int, int, str | None]]:
    """Return a line for each kind of agreement: name, agreements, communities, units, address."""
    return [
        (
            _(each.kind.title),
            each.agreements,
            each.communities,
            each.units,
            list_url("AgreementView", {"status": IN_FORCE, "kind": each.kind.value}),
        )
        for each in found.pairs
    ]


def expiry_chart(spans: list[Span]) -> Chart:
    """Return the picture of the agreements that run out in each of the next twelve months."""
    coming = [each for each in spans if each.first is not None and each.last is not None]
    names = by_month([(each.first.year, each.first.month) for each in coming if each.first])
    bars = [
        Bar(label, each.agreements, grouped(each.agreements), span_url(each), "warning", mark)
        for each, (label, mark) in zip(coming, names, strict=True)
    ]
    late, later = spans[0].agreements, spans[-1].agreements
    return Chart(
        "expiry",
        _("今后 12 个月到期的协议"),
        _(
            "每月到期的现行协议份数。另有 %(late)s 份已过到期日，%(later)s 份在此之后到期。",
            late=grouped(late),
            later=grouped(later),
        ),
        (_("月份"), _("份数")),
        bars,
        columns=True,
        caption=highest(bars),
    )
