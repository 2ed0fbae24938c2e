"""治理需求清单与微心愿 (domain section 4)."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import Select, and_, select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

from imports.specs.needs import NEEDS
from models.base import utcnow
from models.check_in import CheckIn
from models.need import Need, NeedStatus
from models.organization import Organization, OrganizationKind
from models.service import ServiceNeed, ServiceProject
from rules.calendar import shanghai_date
from rules.needs import check
from rules.policy import Action
from views.context import session
from views.flow import FlowView
from views.forms import RecordForm, options_of
from views.matching import match_link, panel_for_need
from views.presentation import Link, MenuEntry
from views.rendering import badge, shown
from views.steps import claimants
from views.tables import links_to

S = NeedStatus


class NeedView(FlowView):
    """What residents ask for; units see what is published in their partners' communities."""

    model = Need
    route_base = "/needs"
    menu = (MenuEntry("一书三单", "治理需求清单", "fa-hand-holding-heart", 30),)
    list_columns = ["title", "community", "category", "status", "claimed_by", "published_on"]
    search_columns = ["title", "detail", "community.name"]
    filter_columns = ["status", "category", "is_wish", "urgency", "community", "claimed_by"]
    quiet_filters = ["published_on", "claimed_on", "done_on"]
    order_columns = ["title"]
    wide_only = ["published_on"]
    tabs = [
        ("", "全部", None),
        ("published", "待认领", Need.status == S.PUBLISHED),
        ("wish", "微心愿", and_(Need.is_wish.is_(True), Need.status == S.PUBLISHED)),
        ("claimed", "已认领", Need.status == S.CLAIMED),
        ("in_hand", "办理中", Need.status == S.IN_HAND),
        ("done", "待评价", Need.status == S.DONE),
        ("rated", "已评价", Need.status == S.RATED),
    ]
    form_groups = [
        ("需求", ["title", "community", "category", "is_wish", "urgency", "source", "detail"]),
        ("受益与时间", ["beneficiaries", "beneficiary_count", "wanted_from", "wanted_until"]),
        ("联系人", ["contact", "phone"]),
    ]
    show_groups = [
        *form_groups,
        (
            "认领与办理",
            [
                "published_on",
                "claimed_by",
                "check_in",
                "claimed_on",
                "due_on",
                "services",
                "done_on",
                "result",
                "grade",
            ],
        ),
    ]
    labels = {"services": "服务项目"}
    demands = FlowView.demands | {"can_claimants": Action.ACT}
    empty_text = "还没有治理需求。登记居民的需求和微心愿，公布之后由签约单位认领。"

    def choices(self, field: str) -> Select[Any]:
        """Needs belong to communities."""
        found = super().choices(field)
        if field == "community":
            kind = OrganizationKind.COMMUNITY
            return found.where(Organization.kind == kind, Organization.active)
        return found

    def fill(self, record: Any) -> None:
        """Community staff register for their own community."""
        record.community = self.own_place("community")
        record.is_wish = request.args.get("wish") == "1"

    def before_save(self, record: Any, form: RecordForm) -> None:
        """Hold the need to the rules."""
        check(record)

    def detail_loads(self) -> list[Any]:
        """The page names both sides and the party member."""
        return [
            joinedload(Need.community),
            joinedload(Need.claimed_by),
            joinedload(Need.check_in).joinedload(CheckIn.unit),
        ]

    def cell_title(self, record: Any) -> Markup | str:
        """Mark wishes and what is urgent."""
        marks = [_("微心愿")] if record.is_wish else []
        text = Markup("{}").format(record.title)
        for mark in marks:
            text += Markup(' <span class="badge badge-info">{}</span>').format(mark)
        if record.urgency.value == "urgent":
            text += Markup(" ") + badge(record.urgency)
        return text

    def detail_title(self, record: Any) -> str:
        """On its own page the title stands alone."""
        return str(record.title)

    def extra_links(self, record: Any | None) -> list[Link]:
        """Lead to what fits."""
        return match_link(record) if record is not None else []

    def shown(self, record: Any, status: int = 200, **more: Any) -> Any:
        """Show what resources fit a published need, with the way to arrange a service."""
        panel = panel_for_need(record)
        return super().shown(record, status, related=[panel] if panel else [], **more)

    def detail_services(self, record: Any) -> Markup | str:
        """Lead to the projects that answer the need."""
        tied = ServiceNeed.service_id == ServiceProject.id
        query = select(ServiceProject).join(ServiceNeed, tied)
        return links_to(session().scalars(query.where(ServiceNeed.need_id == record.id)).all())

    def detail_due_on(self, record: Any) -> Markup | str:
        """Say so when a claim is overdue."""
        late = (
            record.status is S.CLAIMED
            and record.due_on is not None
            and record.due_on < shanghai_date(utcnow())
        )
        if not late:
            return shown(record.due_on)
        return Markup('{} <span class="badge badge-danger">{}</span>').format(
            record.due_on.isoformat(), _("已逾期")
        )

    def editable(self, record: Any) -> str | None:
        """What has been published stays as it was read; recall it to change it."""
        if record.status in NEEDS.open_in:
            return None
        return _(
            "需求“%(title)s”已是“%(status)s”，不能再修改或删除；公布未认领的可以先撤回公布。",
            title=record.title,
            status=_(record.status.title),
        )

    @expose("/claimants/<int:pk>")
    @has_access
    def claimants(self, pk: int) -> Response:
        """Answer the select box of party members who may claim the need."""
        return options_of(claimants(self.found(pk)), CheckIn, request.args.get("q", ""))
