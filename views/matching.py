"""Matches of a need or a resource, with a button that makes a service of each (domain section 4)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from markupsafe import Markup
from wtforms import DateField, HiddenField
from wtforms.validators import InputRequired

from models.base import utcnow
from models.need import Need, NeedStatus
from models.resource import Resource, ResourceStatus
from models.service import ServiceProject
from rules.arranging import BROKERS, arrange
from rules.calendar import shanghai_date
from rules.errors import Refused
from rules.matching import Match, Reason, needs_for, resources_for, span_of
from rules.policy import Action, allows
from views import details, permissions
from views.context import actor, session, unit_of_work
from views.listing import id_of
from views.presentation import Column, Crumb, Detail, Link, Related, Row, Table
from views.records import RecordView
from views.registry import view_of
from views.rendering import EMPTY, badge, shown

#: So many stand in the panel of a record's own page.
PANEL = 5
ADD = ("service_project", Action.ADD)


class ArrangeForm(FlaskForm):
    """Which need with which resource, and when; ``origin`` is the page that one comes from."""

    need = HiddenField()
    resource = HiddenField()
    origin = HiddenField()
    planned_from = DateField()
    planned_until = DateField()


@dataclass(frozen=True)
class Item:
    """A match on the page. ``form`` is None where the reader may not arrange it."""

    id: int
    title: str
    url: str
    side: str
    facts: str
    reasons: list[Markup]
    partner: bool
    free: bool
    form: ArrangeForm | None
    open: bool


class MatchView(BaseView):
    """What fits a need or a resource, best first, with the reasons."""

    route_base = "/matching"

    def __init__(self) -> None:
        super().__init__()
        names = ("can_need", "can_resource", "can_arrange")
        permissions.declare(self.class_permission_name, dict.fromkeys(names, ADD))

    @expose("/need/<int:pk>")
    @has_access
    def need(self, pk: int) -> Any:
        """Show the resources that fit a need."""
        return self._page(_found(Need, pk))

    @expose("/resource/<int:pk>")
    @has_access
    def resource(self, pk: int) -> Any:
        """Show the needs that a resource fits."""
        return self._page(_found(Resource, pk))

    @expose("/arrange", methods=["POST"])
    @has_access
    def arrange(self) -> Any:
        """Make a service project of a match; a refusal is shown over the page that one came from."""
        form = arrange_form()
        need, resource = _named(Need, form.need.data), _named(Resource, form.resource.data)
        start = need if form.origin.data != "resource" else resource
        if not form.validate():
            sentences = [text for errors in form.errors.values() for text in errors]
            flash(" ".join(dict.fromkeys(sentences)), "danger")
            return self._page(start, 422, form)
        try:
            with unit_of_work() as database:
                service = arrange(
                    database,
                    need,
                    resource,
                    actor(),
                    planned_from=form.planned_from.data,
                    planned_until=form.planned_until.data,
                )
                service_id, title = service.id, service.title
        except Refused as refusal:
            flash(refusal.message, "danger")
            return self._page(_found(type(start), start.id), refusal.status, form)
        flash(_("已生成服务项目“%(title)s”，并通知双方。", title=title), "success")
        view = view_of(ServiceProject)
        return redirect(view.url("show", pk=service_id) if view else "/")

    def _page(self, record: Need | Resource, status: int = 200, posted: Any = None) -> Any:
        matches = _matches(record)
        title = _("匹配资源") if isinstance(record, Need) else _("匹配需求")
        context = {
            "view_title": _("%(title)s：%(record)s", title=title, record=str(record)),
            "crumbs": [*_way(record), Crumb(title)],
            "summary": _summary(record),
            "items": [_item(record, each, posted) for each in matches],
            "empty_text": _nothing(record),
            "record_url": _show_url(record),
            "arrange_url": url_for("MatchView.arrange"),
        }
        return self.render_template("matching.html", **context), status


def arrange_form(**values: Any) -> ArrangeForm:
    """Return the form, filled from the request, or with values instead if any are given."""

    class Labelled(ArrangeForm):
        planned_from = DateField(
            _("计划开始"), validators=[InputRequired(_("请填写“%(label)s”。", label=_("计划开始")))]
        )
        planned_until = DateField(
            _("计划结束"), validators=[InputRequired(_("请填写“%(label)s”。", label=_("计划结束")))]
        )

    return Labelled(formdata=None, data=values) if values else Labelled()


# Panels on the records' own pages


def panel_for_need(record: Need) -> Related | None:
    """Return the best resources for a published need, if the reader may arrange services."""
    if record.status is not NeedStatus.PUBLISHED or not allows(actor().roles, *ADD):
        return None
    matches = _matches(record, PANEL)
    return Related(_("匹配资源"), _panel(record, matches, _("所属单位")))


def panel_for_resource(record: Resource) -> Related | None:
    """Return the needs that an available resource fits, if the reader may arrange services."""
    if record.status is not ResourceStatus.AVAILABLE or not allows(actor().roles, *ADD):
        return None
    matches = _matches(record, PANEL)
    return Related(_("匹配需求"), _panel(record, matches, _("所在社区")))


def match_link(record: Need | Resource) -> list[Link]:
    """Return the button that leads to what fits, where ``panel_for_…`` would show something."""
    waiting = record.status in (NeedStatus.PUBLISHED, ResourceStatus.AVAILABLE)
    if not waiting or not allows(actor().roles, *ADD):
        return []
    kind, label = (
        ("need", _("匹配资源")) if isinstance(record, Need) else ("resource", _("匹配需求"))
    )
    return [Link(label, url_for(f"MatchView.{kind}", pk=record.id), "fa-puzzle-piece", "primary")]


def _panel(record: Need | Resource, matches: list[Match], side: str) -> Table:
    kind = "need" if isinstance(record, Need) else "resource"
    page = url_for(f"MatchView.{kind}", pk=record.id)
    first = _("资源名称") if isinstance(record, Need) else _("需求名称")
    columns = [
        Column("name", first),
        Column("side", side),
        Column("why", _("匹配理由"), named=True),
        Column("arrange", _("办理")),
    ]
    rows = []
    for each in matches:
        # Words, not badges: these do not break, and the panel is narrow.
        words = _("；").join(_words(reason) for reason in each.reasons)
        link = Markup(
            '<a class="btn btn-default btn-small" href="{}#match-{}">{}'
            '<span class="sr-only">{}</span></a>'
        ).format(page, each.record.id, _("安排服务"), str(each.record))
        allowed = each.partner or actor().has(*BROKERS)
        url = _show_url(each.record)
        cells = [str(each.record), _side(each.record), words, link if allowed else EMPTY]
        rows.append(Row(each.record.id, url, cells))
    return Table(columns, rows, more_url=page if rows else None)


# What the page is made of


def _matches(record: Need | Resource, limit: int = 20) -> list[Match]:
    today = shanghai_date(utcnow())
    if isinstance(record, Need):
        if record.status is not NeedStatus.PUBLISHED:
            return []
        return resources_for(session(), record, today=today, limit=limit)
    if record.status is not ResourceStatus.AVAILABLE:
        return []
    return needs_for(session(), record, today=today, limit=limit)


def _item(record: Need | Resource, match: Match, posted: Any) -> Item:
    other = match.record
    need, resource = (record, other) if isinstance(record, Need) else (other, record)
    form: ArrangeForm | None = None
    mine = posted is not None and (posted.need.data, posted.resource.data) == (
        str(need.id),
        str(resource.id),
    )
    if mine:
        form = posted
    elif match.partner or actor().has(*BROKERS):
        form = arrange_form(
            need=str(need.id),
            resource=str(resource.id),
            origin="need" if record is need else "resource",
            planned_from=match.span.start,
            planned_until=match.span.end,
        )
    return Item(
        id=other.id,
        title=str(other),
        url=_show_url(other),
        side=_side(other),
        facts=_("；").join(_facts(other)),
        reasons=[_badge(each) for each in match.reasons],
        partner=match.partner,
        free=match.free > 0,
        form=form,
        open=mine,
    )


def _badge(reason: Reason) -> Markup:
    return Markup('<span class="badge badge-{}">{}</span>').format(reason.tone, _words(reason))


def _words(reason: Reason) -> str:
    """Return a reason in words; a category is a word of the interface, all else is data."""
    values = {name: _(text) if name == "category" else text for name, text in reason.values}
    said: str = _(reason.label, **values)
    return said


def _side(record: Need | Resource) -> str:
    return record.community.name if isinstance(record, Need) else record.owner.name


def _facts(record: Need | Resource) -> list[str]:
    if isinstance(record, Need):
        span = (record.wanted_from, record.wanted_until)
        found = [_days(_("希望时间"), *span)] if any(span) else []
        if record.beneficiaries:
            found.append(_("受益人群：%(who)s", who=record.beneficiaries))
        return found
    amount = f"{record.quantity} {record.measure or ''}".strip()
    found = [_("数量：%(amount)s", amount=amount)]
    if record.hours:
        found.append(_("时段：%(hours)s", hours=record.hours))
    if record.available_from or record.available_until:
        found.append(_days(_("可用时间"), record.available_from, record.available_until))
    return found


def _days(label: str, start: dt.date | None, end: dt.date | None) -> str:
    return _(
        "%(label)s：%(start)s 至 %(end)s",
        label=label,
        start=start.isoformat() if start else "…",
        end=end.isoformat() if end else "…",
    )


def _summary(record: Need | Resource) -> list[Detail]:
    """Return what is looked for, in a few values."""
    found = [Detail(_("类别"), _(record.category.title)), Detail(_("状态"), badge(record.status))]
    if isinstance(record, Need):
        span = span_of(record, shanghai_date(utcnow()))
        days = _("%(start)s 至 %(end)s", start=span.start.isoformat(), end=span.end.isoformat())
        found.insert(0, Detail(_("所在社区"), record.community.name))
        return [*found, Detail(_("匹配时段"), days)]
    amount = f"{record.quantity} {record.measure or ''}".strip()
    found.insert(0, Detail(_("所属单位"), record.owner.name))
    return [*found, Detail(_("数量"), amount), Detail(_("可用时段"), shown(record.hours))]


def _nothing(record: Need | Resource) -> str:
    """Return why there is no match, and what to do next."""
    if isinstance(record, Need):
        if record.status is NeedStatus.GATHERED:
            return _("这条需求还没有公布。公布之后再匹配资源。")
        if record.status is not NeedStatus.PUBLISHED:
            holder = record.claimed_by.name if record.claimed_by else ""
            status = _(record.status.title)
            if holder:
                return _(
                    "这条需求现在是“%(status)s”（认领单位：%(name)s），不再匹配资源。",
                    status=status,
                    name=holder,
                )
            return _("这条需求现在是“%(status)s”，不再匹配资源。", status=status)
        return _(
            "没有找到“%(category)s”类的可用资源。可以请签约单位补充资源，或由组织部门在全县统筹。",
            category=_(record.category.title),
        )
    if record.status is not ResourceStatus.AVAILABLE:
        return _("这项资源还没有提供，或已停用。提供之后再匹配需求。")
    return _(
        "签约社区目前没有“%(category)s”类的待认领需求。有新的需求公布时可以再来看看。",
        category=_(record.category.title),
    )


def _way(record: Need | Resource) -> list[Crumb]:
    view = view_of(type(record))
    return details.crumbs(view, record, "")[:-1] if view else []


def _show_url(record: Any) -> str:
    view = view_of(type(record))
    return view.url("show", pk=record.id) if view else ""


def _found(model: type[Any], pk: int) -> Any:
    view: RecordView | None = view_of(model)
    if view is None:
        abort(404)
    return view.found(pk)


def _named(model: type[Any], text: str | None) -> Any:
    number = id_of(text or "")
    if number is None:
        abort(404)
    return _found(model, number)
