"""双报到、双报告: check-ins of party members and what they do (domain section 4)."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_babel import gettext as _
from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from imports.specs.check_ins import CHECK_INS
from models.base import utcnow
from models.check_in import CheckIn, CheckInActivity, CheckInStatus
from models.organization import Organization, OrganizationKind
from rules.agreements import SECOND_PARTIES
from rules.calendar import shanghai_date
from rules.check_ins import check, check_activity
from rules.policy import Action
from rules.workflows.check_ins import SERVING
from views.context import session
from views.flow import FlowView
from views.forms import RecordForm, prefill
from views.listing import Order, id_of
from views.presentation import Link, MenuEntry
from views.records import RecordView, RelatedList
from views.registry import view_of
from views.rendering import shown

S = CheckInStatus


class CheckInView(FlowView):
    """Party members in post who report to a community."""

    model = CheckIn
    route_base = "/check-ins"
    menu = (MenuEntry("一书三单", "双报到", "fa-id-badge", 50),)
    list_columns = ["member", "unit", "community", "post", "status", "reported_on"]
    search_columns = ["member", "unit.name", "community.name", "post"]
    filter_columns = ["status", "unit", "community"]
    order_columns = ["member"]
    wide_only = ["reported_on"]
    # Who reported where stays as it was.
    chosen_once = ["unit", "community"]
    labels = {"hours_served": "累计服务时长（小时）"}
    form_groups = [
        ("报到登记", ["member", "unit", "community", "post", "skills", "reported_on"]),
        ("联系方式", ["phone"]),
    ]
    show_groups = [
        ("报到登记", ["member", "unit", "community", "post", "skills", "reported_on", "phone"]),
        ("服务与评议", ["hours_served", "report", "grade"]),
    ]
    related = [RelatedList("CheckInActivityView", "check_in", "服务记录")]
    empty_text = "还没有双报到登记。登记在职党员到社区报到的情况，由社区确认。"

    def choices(self, field: str) -> Select[Any]:
        """Units on one side, communities on the other."""
        kinds = SECOND_PARTIES if field == "unit" else (OrganizationKind.COMMUNITY,)
        return super().choices(field).where(Organization.kind.in_(kinds), Organization.active)

    def fill(self, record: Any) -> None:
        """Start with one's own side, today."""
        for name in ("unit", "community"):
            setattr(record, name, self.own_place(name))
        record.reported_on = shanghai_date(utcnow())

    def before_save(self, record: Any, form: RecordForm) -> None:
        """Hold the check-in to the rules."""
        check(record)

    def detail_loads(self) -> list[Any]:
        """The page names both sides."""
        return [joinedload(CheckIn.unit), joinedload(CheckIn.community)]

    def detail_hours_served(self, record: Any) -> str:
        """Add up the hours of all activities."""
        total = select(func.sum(CheckInActivity.hours)).where(
            CheckInActivity.check_in_id == record.id
        )
        return str(shown(session().scalar(total) or 0))

    def extra_links(self, record: Any | None) -> list[Link]:
        """Offer to register an activity."""
        links = super().extra_links(record)
        activities = view_of(CheckInActivity)
        if record is None or activities is None or not activities.may("can_add"):
            return links
        if record.status not in SERVING:
            return links
        url = activities.url("add", check_in=record.id)
        return [*links, Link(_("登记服务"), url, "fa-clock", "primary")]

    def editable(self, record: Any) -> str | None:
        """A check-in that is over stays as it was."""
        if record.status not in CHECK_INS.open_in:
            return _(
                "%(member)s的报到已是“%(status)s”，不能再修改。",
                member=record.member,
                status=_(record.status.title),
            )
        return None


class CheckInActivityView(RecordView):
    """What members did on which day, and for how long."""

    model = CheckInActivity
    route_base = "/check-in-activities"
    policy_type = "check_in"
    menu = (MenuEntry("一书三单", "报到服务记录", "fa-clock", 55),)
    list_columns = ["held_on", "check_in", "content", "hours", "place"]
    search_columns = ["content", "place", "check_in.member"]
    filter_columns = ["check_in", "held_on"]
    order_columns = ["held_on"]
    default_order = Order("held_on", descending=True)
    wide_only = ["place"]
    form_groups = [("服务", ["check_in", "held_on", "hours", "content", "place"])]
    empty_text = "还没有服务记录。在双报到页面登记党员每次服务的日期和时长。"
    demands = RecordView.demands | {"can_delete": Action.EDIT}

    def choices(self, field: str) -> Select[Any]:
        """Activities belong to members at their posts."""
        found = super().choices(field).options(joinedload(CheckIn.unit))
        if request.endpoint != f"{self.endpoint}.list":
            return found.where(CheckIn.status.in_(SERVING))
        return found

    def fill(self, record: Any) -> None:
        """Start with the member that one comes from, today."""
        record.held_on = shanghai_date(utcnow())
        number = id_of(request.args.get("check_in", ""))
        if number is not None:
            chosen = self.choices("check_in").where(CheckIn.id == number)
            prefill(record, "check_in", session().scalars(chosen).first())

    def before_save(self, record: Any, form: RecordForm) -> None:
        """Hold the activity to the rules."""
        check_activity(record)

    def detail_loads(self) -> list[Any]:
        """The page names the member."""
        return [joinedload(CheckInActivity.check_in).joinedload(CheckIn.unit)]

    def editable(self, record: Any) -> str | None:
        """The record of a member who has left stays as it was."""
        if record.check_in.status in SERVING:
            return None
        return _("%(member)s已离岗，服务记录不能再修改。", member=record.check_in.member)
