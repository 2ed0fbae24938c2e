"""服务项目清单 and its sessions (domain section 4)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload, selectinload

from models.base import utcnow
from models.need import Need, NeedStatus
from models.organization import Organization, OrganizationKind
from models.resource import Resource, ResourceStatus
from models.service import (
    OPEN,
    ServiceNeed,
    ServiceProject,
    ServiceResource,
    ServiceSession,
    ServiceStatus,
)
from rules.agreements import SECOND_PARTIES
from rules.calendar import shanghai_date
from rules.policy import Action
from rules.services import attendance, check, check_session, tie
from views.context import actor, session
from views.flow import FlowView
from views.forms import RecordForm, RecordSelectField, chooser, prefill
from views.listing import Order, id_of
from views.presentation import Link, MenuEntry
from views.records import RecordView, RelatedList
from views.registry import view_of
from views.rendering import shown
from views.tables import links_to

S = ServiceStatus
#: Form fields that are rows between the project and what it is tied to.
LINKS: dict[str, type[Any]] = {"need_links": Need, "resource_links": Resource}


class ServiceProjectView(FlowView):
    """Services that units provide to communities, with the needs that they answer."""

    model = ServiceProject
    route_base = "/services"
    menu = (MenuEntry("一书三单", "服务项目清单", "fa-people-carry-box", 40),)
    list_columns = ["title", "provider", "community", "status", "planned_from", "planned_until"]
    search_columns = ["title", "provider.name", "community.name"]
    filter_columns = ["status", "category", "provider", "community", "planned_from"]
    quiet_filters = ["actual_from"]
    order_columns = ["title", "planned_from", "planned_until"]
    # The two sides are the project's for good.
    chosen_once = ["provider", "community"]
    labels = {"need_links": "对应需求", "resource_links": "使用资源"}
    tabs = [
        ("", "全部", None),
        ("planned", "待接单", ServiceProject.status == S.PLANNED),
        ("taken_up", "已接单", ServiceProject.status.in_((S.UNDER_WAY, S.COMPLETED, S.RATED))),
        ("under_way", "实施中", ServiceProject.status == S.UNDER_WAY),
        ("completed", "待评价", ServiceProject.status == S.COMPLETED),
        ("rated", "已评价", ServiceProject.status == S.RATED),
    ]
    form_groups = [
        ("项目", ["title", "category", "provider", "community", "content"]),
        ("需求与资源", ["need_links", "resource_links"]),
        ("计划", ["planned_from", "planned_until", "funds"]),
        ("联系人", ["contact", "phone"]),
    ]
    show_groups = [
        *form_groups,
        ("成效", ["actual_from", "actual_until", "people_served", "outcome", "grade"]),
    ]
    related = [RelatedList("ServiceSessionView", "service", "场次")]
    empty_text = "还没有服务项目。在需求页面匹配资源，一键生成；也可以直接新增。"

    def choices(self, field: str) -> Select[Any]:
        """Both sides in reach; open needs of theirs, and resources that are offered."""
        if field == "need_links":
            states = (NeedStatus.PUBLISHED, NeedStatus.CLAIMED, NeedStatus.IN_HAND)
            return select(Need).where(Need.status.in_(states)).options(joinedload(Need.community))
        if field == "resource_links":
            usable = Resource.status == ResourceStatus.AVAILABLE
            return select(Resource).where(usable).options(joinedload(Resource.owner))
        kinds = SECOND_PARTIES if field == "provider" else (OrganizationKind.COMMUNITY,)
        return super().choices(field).where(Organization.kind.in_(kinds), Organization.active)

    def target(self, field: str) -> type[Any]:
        """Needs and resources are chosen as such; the rows between are made on saving."""
        return LINKS[field] if field in LINKS else super().target(field)

    def extra_fields(self) -> dict[str, Any]:
        """The needs that it answers and the resources that it uses are two select boxes."""
        helps = {
            "need_links": _("选中的需求随项目派单、办理和评价。"),
            "resource_links": _("只能选提供单位自己的资源。"),
        }
        return {
            name: RecordSelectField(
                self.label(name),
                source=self.url("options", field=name),
                choose=chooser(session(), self._choosable(name), target),
                multiple=True,
                description=helps[name],
            )
            for name, target in LINKS.items()
        }

    def _choosable(self, field: str) -> Select[Any]:
        """What is tied already may stay tied, whatever has become of it."""
        target = LINKS[field]
        place = joinedload(Need.community) if target is Need else joinedload(Resource.owner)
        return select(target).options(place)

    def extras_of(self, record: Any) -> dict[str, Any]:
        """Show the needs and resources as such."""
        return {
            "need_links": [link.need for link in record.need_links],
            "resource_links": [link.resource for link in record.resource_links],
        }

    def fill(self, record: Any) -> None:
        """Start with one's own side, for a month from today."""
        for name in ("provider", "community"):
            setattr(record, name, self.own_place(name))
        today = shanghai_date(utcnow())
        record.planned_from, record.planned_until = today, today + dt.timedelta(days=30)

    def before_save(self, record: Any, form: RecordForm) -> None:
        """Hold the project to the rules."""
        check(record)

    def after_save(self, record: Any, form: RecordForm, created: bool) -> None:
        """Tie the needs and resources that were chosen."""
        needs, resources = form["need_links"].data or [], form["resource_links"].data or []
        tie(session(), record, needs, resources, actor())

    def detail_loads(self) -> list[Any]:
        """The page names both sides, the needs and the resources."""
        return [
            joinedload(ServiceProject.provider),
            joinedload(ServiceProject.community),
            selectinload(ServiceProject.need_links)
            .joinedload(ServiceNeed.need)
            .joinedload(Need.community),
            selectinload(ServiceProject.resource_links)
            .joinedload(ServiceResource.resource)
            .joinedload(Resource.owner),
        ]

    def detail_need_links(self, record: Any) -> Markup | str:
        """Lead to the needs."""
        return links_to([link.need for link in record.need_links])

    def detail_resource_links(self, record: Any) -> Markup | str:
        """Lead to the resources that the reader sees."""
        return links_to([link.resource for link in record.resource_links])

    def detail_people_served(self, record: Any) -> str:
        """Until the project is completed, those who came to its sessions so far."""
        if record.people_served is not None:
            return str(record.people_served)
        came = attendance(session(), record)
        return ngettext("各场次到场 %(num)s 人次", "各场次到场 %(num)s 人次", came)

    def extra_links(self, record: Any | None) -> list[Link]:
        """Offer to schedule a session."""
        links = super().extra_links(record)
        sessions = view_of(ServiceSession)
        if record is None or sessions is None or not sessions.may("can_add"):
            return links
        if record.status not in OPEN:
            return links
        url = sessions.url("add", service=record.id)
        return [*links, Link(_("安排场次"), url, "fa-calendar-plus", "primary")]

    def editable(self, record: Any) -> str | None:
        """What is finished stays as it was reported."""
        if record.status in OPEN:
            return None
        return _(
            "服务项目“%(title)s”已是“%(status)s”，不能再修改或删除。",
            title=record.title,
            status=_(record.status.title),
        )


class ServiceSessionView(RecordView):
    """The sessions of services: when, where, who serves, how many came."""

    model = ServiceSession
    route_base = "/sessions"
    policy_type = "service_project"
    menu = (MenuEntry("一书三单", "服务场次", "fa-calendar-days", 45),)
    list_columns = ["held_on", "time", "service", "place", "staff", "attended"]
    search_columns = ["place", "staff", "service.title"]
    filter_columns = ["service", "held_on"]
    order_columns = ["held_on"]
    default_order = Order("held_on", descending=True)
    wide_only = ["staff"]
    labels = {"time": "时间"}
    form_groups = [
        ("场次", ["service", "held_on", "starts_at", "ends_at", "place", "staff", "expected"]),
        ("开展情况", ["attended", "note"]),
    ]
    empty_text = "还没有服务场次。在服务项目页面安排场次。"
    demands = RecordView.demands | {"can_delete": Action.EDIT}

    def choices(self, field: str) -> Select[Any]:
        """Sessions belong to projects that are not finished."""
        found = super().choices(field)
        if field == "service" and request.endpoint != f"{self.endpoint}.list":
            return found.where(ServiceProject.status.in_(OPEN))
        return found

    def fill(self, record: Any) -> None:
        """Start with the project that one comes from."""
        number = id_of(request.args.get("service", ""))
        if number is not None:
            chosen = self.choices("service").where(ServiceProject.id == number)
            prefill(record, "service", session().scalars(chosen).first())

    def before_save(self, record: Any, form: RecordForm) -> None:
        """Hold the session to the rules, and to a project that is not finished."""
        check_session(record)

    def loads(self) -> list[Any]:
        """The project is named in every row."""
        return [joinedload(ServiceSession.service)]

    def detail_loads(self) -> list[Any]:
        """The page names the project."""
        return [joinedload(ServiceSession.service)]

    def cell_time(self, record: Any) -> Markup:
        """Show from when until when, never on two lines."""
        text = f"{record.starts_at:%H:%M}–{record.ends_at:%H:%M}"
        return Markup('<span class="stamp">{}</span>').format(text)

    def cell_attended(self, record: Any) -> Markup | str:
        """Say that a session is still to come."""
        return shown(record.attended) if record.attended is not None else _("待开展")

    def editable(self, record: Any) -> str | None:
        """The sessions of a finished project stay as they were."""
        if record.service.status in OPEN:
            return None
        return _("服务项目“%(title)s”已经结束，场次不能再修改。", title=record.service.title)
