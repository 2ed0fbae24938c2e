"""反复发生的事项: where which matter comes up how often, and what the rule finds (domain section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_babel import gettext as _
from sqlalchemy import select

from models.base import Titled, utcnow
from models.organization import Organization, OrganizationKind
from models.recurring import RecurringProblem
from reports.facts import catch_up
from reports.heat import LONGEST, Axis, Cases, Heat, Key, Sought, Weight, heat, month_days
from reports.heat_tables import HeatCell, HeatTable
from rules import problems
from rules.calendar import shanghai_date
from rules.errors import Invalid
from rules.policy import Action, Scope
from rules.recurring import LEVEL_OF, Found, Level, found, suggest, untied
from views import permissions
from views.context import actor, own_area, session, unit_of_work
from views.listing import id_of
from views.occurrences import cases_url
from views.permissions import allowed
from views.presentation import Crumb, Filter, Link, MenuEntry, Tab
from views.registry import view_of
from views.rendering import badge

#: Who looks after an area: an owner sees its own problems, and no area's.
LOOKS_AFTER = ("recurring_problem", Action.READ, frozenset({Scope.EVERYTHING, Scope.AREA}))
MONTHS = (6, 3, 12)
#: Matters that the page lists, those with the most whistles.
SHOWN = 50
TIMES, DAYS = (2, 3, 5, 10, 20), (30, 60, 90, 180, 365)


class Shape(Titled):
    """Which two of matter, place and month the table crosses."""

    MATTER_MONTH = "matter-month", "事项 × 月份"
    MATTER_PLACE = "matter-place", "事项 × 地区"
    PLACE_MONTH = "place-month", "地区 × 月份"


#: The level that a reader's own area is divided into.
_BELOW = {
    OrganizationKind.CITY: Level.COUNTY,
    OrganizationKind.COUNTY: Level.TOWNSHIP,
    OrganizationKind.TOWNSHIP: Level.COMMUNITY,
}


@dataclass(frozen=True)
class Usual:
    """What a reader is shown who asks for nothing: his own area, by the rule of his county.

    ``levels`` are those that he may choose: only who looks after a city has whole cities before him.
    """

    levels: tuple[Level, ...]
    level: Level
    times: int
    days: int


@dataclass(frozen=True)
class Asked:
    """What the address asks for."""

    usual: Usual
    shape: Shape
    level: Level
    weight: Weight
    months: int
    times: int
    days: int
    area: Organization | None
    matter: str

    @property
    def sought(self) -> Sought:
        """What the table is made of."""
        rows, columns = (Axis(each) for each in self.shape.value.split("-"))  # type: ignore[call-arg]
        months = problems.last_months(shanghai_date(utcnow()), self.months)
        return Sought(
            rows, columns, self.level, self.weight, months, self.area, self.matter or None
        )

    def url(self, **changes: Any) -> str:
        """Return the address of the same page with something changed."""
        kept = {name: value for name, value in request.args.items() if name in KEPT} | changes
        said = {name: str(value) for name, value in kept.items() if value not in (None, "")}
        return f"{url_for('HeatView.summary')}?{urlencode(said)}"


#: What the address of the page says.
KEPT = ("shape", "level", "weight", "months", "times", "days", "area", "matter")


class HeatView(BaseView):
    """The heat table, and below it what the rule finds that nobody watches over yet."""

    route_base = "/recurring"
    default_view = "summary"
    menu = (MenuEntry("跟踪问效", "反复发生的事项", "fa-fire", 41, "summary"),)

    def __init__(self) -> None:
        super().__init__()
        permissions.declare(self.class_permission_name, {"can_summary": LOOKS_AFTER})

    @expose("/")
    @has_access
    def summary(self) -> Any:
        """Show the table and the list, brought up to date first."""
        with unit_of_work() as database:
            catch_up(database)
        asked = _asked()
        table = _table(asked, heat(session(), asked.sought))
        return self.render_template(
            "heat.html",
            view_title=_("反复发生的事项"),
            crumbs=[Crumb(_("反复发生的事项"))],
            table=table,
            shapes=_shapes(asked),
            filters=_filters(asked),
            hidden=[("shape", asked.shape.value)] if "shape" in request.args else [],
            reset_url=url_for("HeatView.summary"),
            found=_found(asked),
            rule=_(
                "同一事项在同一个%(level)s %(days)s 天内达到 %(times)s 件，就列在这里。"
                "没有对应履职事项的哨单不参与统计，需要时请直接新增共性问题。",
                level=_(asked.level.title),
                days=asked.days,
                times=asked.times,
            ),
            links=_links(),
        )


def heat_links() -> list[Link]:
    """Return the button that leads here, for those who may come."""
    if not allowed(actor().roles, "can_summary", "HeatView"):
        return []
    return [Link(_("反复发生的事项"), url_for("HeatView.summary"), "fa-fire")]


def _links() -> list[Link]:
    view = view_of(RecurringProblem)
    if view is None or not view.may("can_list"):
        return []
    return [Link(_("共性问题"), view.url("list"), "fa-arrows-rotate")]


# What is asked for


def _asked() -> Asked:
    usual = _usual()
    return Asked(
        usual,
        _member(Shape, "shape", Shape.MATTER_MONTH),
        _member(usual.levels, "level", usual.level),
        _member(Weight, "weight", Weight.RAISED),
        _number("months", MONTHS[0], MONTHS),
        _number("times", usual.times, TIMES),
        _number("days", usual.days, DAYS),
        _area(),
        request.args.get("matter", "").strip()[:LONGEST],
    )


def _usual() -> Usual:
    own = own_area()
    again = problems.again_of(session(), own)
    below = _BELOW.get(own.kind, Level.COMMUNITY) if own is not None else Level.TOWNSHIP
    whole = own is None or own.kind is OrganizationKind.CITY
    levels = tuple(each for each in Level if whole or each is not Level.CITY)
    return Usual(levels, below, again.times, again.days)


def _member(members: Any, name: str, usual: Any) -> Any:
    value = request.args.get(name, "")
    if not value:
        return usual
    for member in members:
        if member.value == value:
            return member
    raise Invalid(_("筛选条件“%(value)s”无法识别，请重新选择。", value=value))


def _number(name: str, usual: int, known: tuple[int, ...]) -> int:
    value = request.args.get(name, "")
    if not value:
        return usual
    number = id_of(value)
    if number not in known:
        raise Invalid(_("筛选条件“%(value)s”无法识别，请重新选择。", value=value))
    return number


def _area() -> Organization | None:
    value = request.args.get("area", "")
    if not value:
        return None
    number = id_of(value)
    place = session().get(Organization, number) if number is not None else None
    if place is None:
        raise Invalid(_("筛选条件“%(value)s”无法识别，请重新选择。", value=value))
    return place


def _filters(asked: Asked) -> list[Filter]:
    view, usual = view_of(RecurringProblem), asked.usual
    source = view.url("options", field="organization") if view is not None else None
    place = asked.area
    return [
        _choice(
            "level", _("地区级别"), usual.level, [(each, _(each.title)) for each in usual.levels]
        ),
        _choice("weight", _("统计"), Weight.RAISED, [(each, _(each.title)) for each in Weight]),
        _choice(
            "months",
            _("月份"),
            MONTHS[0],
            [(each, _("最近 %(n)s 个月", n=each)) for each in MONTHS],
        ),
        Filter(
            "area",
            _("地区"),
            "record",
            str(place.id) if place else "",
            source=source,
            text=place.name if place else "",
        ),
        Filter("matter", _("事项"), "text", asked.matter),
        _choice(
            "days",
            _("时段"),
            usual.days,
            [(each, _("%(n)s 天内", n=each)) for each in sorted({*DAYS, usual.days})],
        ),
        _choice(
            "times",
            _("至少"),
            usual.times,
            [(each, _("%(n)s 件", n=each)) for each in sorted({*TIMES, usual.times})],
        ),
    ]


def _choice(name: str, label: str, usual: Any, options: list[tuple[Any, str]]) -> Filter:
    """Return a filter that always has a value: the usual one stands first, and is not in the address."""
    pairs = [(str(value), title) for value, title in options if value != usual]
    first = [("", title) for value, title in options if value == usual]
    return Filter(name, label, "choice", request.args.get(name, ""), [*first, *pairs])


def _shapes(asked: Asked) -> list[Tab]:
    return [Tab(_(each.title), asked.url(shape=each.value), each is asked.shape) for each in Shape]


# What is shown


def _table(asked: Asked, found: Heat) -> HeatTable:
    sought = asked.sought
    corner = f"{_(sought.rows.title)} × {_(sought.columns.title)}"
    title = _("%(corner)s：%(weight)s", corner=corner, weight=_(sought.weight.title))
    if asked.area is not None:
        title = f"{title}，{asked.area.name}"
    if asked.matter:
        title = f"{title}，{asked.matter}"
    return HeatTable(
        name="recurring",
        title=title,
        description=_("颜色越深，件数越多。"),
        corner=corner,
        columns=[_named(sought.columns, *each) for each in found.columns],
        rows=[
            (
                _named(sought.rows, *row),
                [_cell(sought, found, row[0], column[0]) for column in found.columns],
            )
            for row in found.rows
        ],
        note=_("只列出件数最多的。") if found.more else "",
    )


def _named(axis: Axis, key: Key, title: str) -> str:
    if axis is not Axis.MONTH:
        return title
    return _("%(year)s年%(month)s月", year=int(key) // 100, month=int(key) % 100)


def _cell(sought: Sought, found: Heat, row: Key, column: Key) -> HeatCell:
    number = found.cells.get((row, column), 0)
    if not number:
        return HeatCell("")
    at = {sought.rows: row, sought.columns: column}
    month = int(at[Axis.MONTH]) if Axis.MONTH in at else None
    first, last = month_days(month) if month is not None else sought.days
    place = at.get(Axis.PLACE, sought.area.id if sought.area else None)
    matter = at.get(Axis.MATTER, sought.matter)
    cases = Cases(
        sought.weight,
        first,
        last,
        int(place) if place is not None else None,
        str(matter) if matter is not None else None,
    )
    return HeatCell(str(number), cases_url(cases), number)


@dataclass(frozen=True)
class Line:
    """A matter that the rule found, as the page shows it."""

    place: str
    matter: str
    count: int
    first: Any
    last: Any
    url: str | None
    remedy: Any
    reason: str
    open_url: str | None
    closed_url: str | None
    closed_note: str


def _found(asked: Asked) -> list[Line]:
    """Return what the rule finds in the reader's area that no open problem watches over."""
    now, areas = utcnow(), [asked.area.id] if asked.area is not None else None
    level = LEVEL_OF.get(asked.area.kind, asked.level) if asked.area is not None else asked.level
    matters = untied(
        session(),
        found(
            session(),
            areas,
            now,
            asked.times,
            asked.days,
            level,
            matter=asked.matter or None,
            limit=SHOWN,
            named=0,
        ),
    )
    closed = problems.returned(session(), matters, now, asked.days, level)
    ids = {each.area_id for each in matters}
    names = {
        row.id: row.name
        for row in session().execute(
            select(Organization.id, Organization.name).where(Organization.id.in_(ids))
        )
    }
    lines = []
    for each in matters:
        back = closed.get((each.area_id, each.matter))
        if back is None or back.since >= asked.times:
            lines.append(_line(each, names[each.area_id], back))
    return lines


def _line(each: Found, place: str, back: problems.Return | None) -> Line:
    view, remedy = view_of(RecurringProblem), suggest(each.signs)
    may_open = back is None and view is not None and view.may("can_add")
    return Line(
        place,
        each.matter,
        each.count,
        each.first,
        each.last,
        cases_url(Cases(Weight.RAISED, each.first, each.last, each.area_id, each.matter)),
        badge(remedy.remedy),
        _(remedy.label, **dict(remedy.values)) if remedy.values else _(remedy.label),
        view.url("add", area=each.area_id, matter=each.matter) if view and may_open else None,
        view.url("show", pk=back.problem.id) if view and back else None,
        _("曾立为共性问题，销号后又发生 %(n)s 件", n=back.since) if back else "",
    )
