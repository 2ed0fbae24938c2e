"""The duty lists of a county's townships side by side (domain section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import request, send_file, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _
from sqlalchemy import select

from models.base import utcnow
from models.duty import DutyListType
from models.organization import Organization
from reports.duty_changes import THREE
from reports.duty_comparison import AREAS, Comparison, Township, compare, townships
from reports.duty_departments import Silent, Unnamed, name_items, silent, unnamed
from reports.workbook import MEDIA_TYPE, workbook
from rules.calendar import shanghai_date
from rules.errors import Invalid
from rules.policy import Action
from views import duty_tables, permissions
from views.context import actor, session
from views.duty_comparison_book import sheets
from views.listing import id_of
from views.presentation import Crumb, Filter, Link, MenuEntry

#: The choice of versions: those in force unless the address asks for the newest, with drafts.
NEWEST = "newest"
#: How many rows of a table the page shows; the workbook holds all.
SHOWN = 20
#: How many of a silent department's items the page names.
NAMED = 3


@dataclass(frozen=True)
class Asked:
    """What the address asks to be compared; ``counties`` are those that the reader may choose."""

    county: int | None
    counties: list[tuple[int, str]]
    places: list[Township]
    kinds: tuple[DutyListType, ...]
    newest: bool

    @property
    def county_name(self) -> str:
        """The name of the county that is looked at."""
        return dict(self.counties).get(self.county or 0, "")


class DutyComparisonView(BaseView):
    """The page that compares townships' lists, and all of it as a workbook."""

    route_base = "/duty-comparison"
    default_view = "summary"
    menu = (MenuEntry("履职清单", "乡镇清单比对", "fa-table-columns", 30, "summary"),)

    def __init__(self) -> None:
        super().__init__()
        demand = ("duty_list", Action.READ, AREAS)
        permissions.declare(self.class_permission_name, {"can_summary": demand})

    @expose("/")
    @has_access
    def summary(self) -> Any:
        """Show the lists side by side, what is in dispute, and what would reach nobody."""
        asked = _asked()
        found = compare(session(), asked.places, asked.kinds, newest=asked.newest)
        nameless = unnamed(session(), found.versions, SHOWN)
        quiet = silent(session(), found.versions)
        name_items(session(), found.versions, quiet[:SHOWN], NAMED)
        kept: dict[str, Any] = {key: value for key, value in request.args.items() if value}
        export = url_for("DutyComparisonView.export", **kept)
        return self.render_template(
            "duty_comparison.html",
            view_title=_("乡镇清单比对"),
            crumbs=[Crumb(_("乡镇清单比对"))],
            said=_said(asked),
            alone=_alone(asked),
            tiles=_tiles(found, nameless, quiet),
            filters=_filters(asked),
            reset_url=url_for("DutyComparisonView.summary"),
            matrix=duty_tables.matrix(found),
            grids=duty_tables.categories(found, SHOWN),
            parts=_parts(found, nameless, quiet),
            links=[Link(_("导出 Excel"), export, "fa-file-excel")],
            export_url=export,
        )

    @expose("/export")
    @has_access
    @permission_name("summary")
    def export(self) -> Any:
        """Send every table, whole, as a workbook."""
        asked = _asked()
        found = compare(session(), asked.places, asked.kinds, newest=asked.newest)
        today = shanghai_date(utcnow())
        name = _("乡镇清单比对") + f"-{asked.county_name or actor().organization_name}-{today}.xlsx"
        file = workbook(sheets(session(), found, silent(session(), found.versions)))
        return send_file(file, mimetype=MEDIA_TYPE, as_attachment=True, download_name=name)


# What is asked for


def _asked() -> Asked:
    """Read the address; raises ``Invalid`` for a county or list that there is not."""
    everywhere = townships(session())
    ids = list(dict.fromkeys(each.county_id for each in everywhere if each.county_id))
    query = select(Organization.id, Organization.name).where(Organization.id.in_(ids))
    names: dict[int, str] = dict(session().execute(query).all())
    county = _county(request.args.get("county", ""), ids)
    places = [each for each in everywhere if each.county_id == county]
    return Asked(county, [(each, names[each]) for each in ids], places, _kinds(), _newest())


def _county(text: str, known: Sequence[int]) -> int | None:
    if text:
        if (number := id_of(text)) not in known:
            raise Invalid(_("筛选条件“%(value)s”无法识别，请重新选择。", value=text))
        return number
    own = actor().area_id
    return own if own in known else next(iter(known), None)


def _kinds() -> tuple[DutyListType, ...]:
    text = request.args.get("type", "")
    chosen = tuple(each for each in THREE if text in ("", each.value))
    if not chosen:
        raise Invalid(_("筛选条件“%(value)s”无法识别，请重新选择。", value=text))
    return chosen


def _newest() -> bool:
    text = request.args.get("versions", "")
    if text not in ("", NEWEST):
        raise Invalid(_("筛选条件“%(value)s”无法识别，请重新选择。", value=text))
    return text == NEWEST


def _filters(asked: Asked) -> list[Filter]:
    """Return the filters; what is shown without any is the first choice, and has no value."""
    one = asked.kinds[0].value if len(asked.kinds) == 1 else ""
    versions = [("", _("现行版")), (NEWEST, _("最新版（含草稿）"))]
    filters = [
        Filter("type", _("清单类型"), "choice", one, [(e.value, _(e.title)) for e in THREE]),
        Filter("versions", _("版本"), "choice", NEWEST if asked.newest else "", versions),
    ]
    if len(asked.counties) > 1:
        usual = _county("", [pk for pk, _name in asked.counties])
        options = [("" if pk == usual else str(pk), name) for pk, name in asked.counties]
        chosen = "" if asked.county == usual else str(asked.county)
        options.sort(key=lambda each: each[0] != "")
        filters.insert(0, Filter("county", _("县（市、区）"), "choice", chosen, options))
    return filters


# What the page says


def _said(asked: Asked) -> str:
    versions = _("最新版（含草稿）") if asked.newest else _("现行版")
    return _(
        "%(county)s的 %(n)s 个乡镇（街道），按%(versions)s比对。带链接的数字可以点开。",
        county=asked.county_name,
        n=len(asked.places),
        versions=versions,
    )


def _alone(asked: Asked) -> str:
    """Return what a reader is told who has nothing to compare."""
    if not asked.places:
        return _("您能查看的范围内没有乡镇（街道），没有清单可以比对。")
    if len(asked.places) == 1:
        return _(
            "您只能查看%(place)s的清单，这里只列出它自己的情况；与其他乡镇（街道）的比对由县级查看。",
            place=asked.places[0].name,
        )
    return ""


def _tiles(
    found: Comparison, nameless: Unnamed, quiet: Sequence[Silent]
) -> list[tuple[str, int, str, str, str]]:
    """Return the four numbers on top: (label, value, tone, address on the page, note)."""
    told = [
        ("missing", _("缺少清单"), len(found.missing), _("乡镇缺的清单张数")),
        ("disputes", _("归类不一的事项"), len(found.disputes), _("同一事项列在不同清单")),
        ("unnamed", _("未写明部门的事项"), nameless.total, _("配合、收回清单里没有对应部门")),
        ("silent", _("无法接哨的部门"), len(quiet), _("已停用，或没有接哨员账号")),
    ]
    return [
        (label, number, "warning" if number else "success", f"#part-{name}", note)
        for name, label, number, note in told
    ]


def _parts(found: Comparison, nameless: Unnamed, quiet: Sequence[Silent]) -> list[duty_tables.Part]:
    return [
        duty_tables.missing(found, SHOWN),
        duty_tables.disputes(found, SHOWN),
        duty_tables.unnamed(nameless),
        duty_tables.silent(quiet, SHOWN),
    ]
