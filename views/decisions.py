"""议定事项: what meetings decided; owners see theirs and report, the office ticks them off."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import request
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import Select, and_, select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response
from wtforms import SelectField
from wtforms.validators import Optional

from models.base import utcnow
from models.meeting import (
    CoordinationMeeting,
    DecisionStatus,
    MeetingDecision,
    MeetingItem,
    MeetingStatus,
)
from models.organization import Organization
from rules import meetings
from rules.calendar import end_of_day, shanghai_date
from rules.errors import Conflict
from rules.meetings import ARRANGED, PENDING
from rules.policy import Action
from rules.problems import OWNERS
from rules.scope import reachable
from rules.wording import remaining
from views import steps
from views.context import actor, session
from views.flow import FlowView
from views.forms import RecordForm, options_of, prefill
from views.listing import Order, id_of
from views.presentation import Link, MenuEntry
from views.queries import Options, Tabs
from views.registry import view_of
from views.rendering import EMPTY

S = DecisionStatus


class DecisionView(FlowView):
    """What was decided: made on a meeting's page, followed up here."""

    model = MeetingDecision
    route_base = "/decisions"
    menu = (MenuEntry("跟踪问效", "议定事项", "fa-gavel", 51),)
    list_columns = ["text", "owner", "due_on", "remaining", "status"]
    search_columns = ["text", "owner.name"]
    filter_columns = ["status", "owner", "due_on"]
    order_columns = ["due_on"]
    default_order = Order("due_on", descending=False)
    labels = {"remaining": "剩余期限"}
    tabs: ClassVar[Tabs] = [
        ("", "未落实", MeetingDecision.status.in_(PENDING)),
        ("overdue", "逾期", lambda _actor: _overdue()),
        ("reported", "待核实", MeetingDecision.status == S.REPORTED),
        ("done", "已落实", MeetingDecision.status == S.DONE),
        ("all", "全部", None),
    ]
    form_groups = [
        ("议定事项", ["meeting", "item", "text"]),
        ("落实", ["owner", "due_on"]),
    ]
    show_groups = [
        ("议定事项", ["text", "meeting", "item"]),
        ("落实", ["owner", "due_on", "remaining", "report", "done_at"]),
    ]
    # Another owner or date is a step, of which both owners are told.
    chosen_once = ["meeting", "owner", "due_on"]
    demands = FlowView.demands | {"can_receivers": Action.ACT}
    empty_text = "还没有议定事项。在联席会议的页面上登记会议定下的事。"

    def choices(self, field: str) -> Select[Any]:
        """Meetings that are not over, their points, and the bodies of the actor's own area."""
        if field == "meeting":
            return select(CoordinationMeeting).where(CoordinationMeeting.status.in_(ARRANGED))
        if request.endpoint == f"{self.endpoint}.list":
            return super().choices(field)
        return select(Organization).where(
            Organization.kind.in_(OWNERS),
            Organization.active,
            reachable(actor(), "meeting_decision", Organization.id, Action.ADD),
        )

    def relation_fields(self) -> set[str]:
        """The points of one agenda are few: they need no box that asks the server."""
        return super().relation_fields() - {"item"}

    def extra_fields(self) -> dict[str, Any]:
        """The points of the meeting's agenda."""
        label, number = self.label("item"), self._meeting_number()
        points = session().scalars(
            select(MeetingItem)
            .where(MeetingItem.meeting_id == (number or 0))
            .order_by(MeetingItem.position)
        )
        choices = [("", _("不对应议题")), *((str(e.id), f"{e.position}. {e}") for e in points)]
        return {"item": SelectField(label, choices=choices, validators=[Optional()])}

    def extras_of(self, record: Any) -> dict[str, Any]:
        """Show the point that it belongs to, or that one comes from."""
        return {"item": str(record.item_id or request.args.get("item", ""))}

    def _meeting_number(self) -> int | None:
        """Return the meeting that a form is about: the decision's own, or that which is posted or named."""
        number = (request.view_args or {}).get("pk")
        if number is not None:
            asked = select(MeetingDecision.meeting_id).where(MeetingDecision.id == number)
            return session().scalar(asked)
        return id_of(request.form.get("meeting", "") or request.args.get("meeting", ""))

    def fill(self, record: Any) -> None:
        """Begin with the meeting that one comes from."""
        number = id_of(request.args.get("meeting", ""))
        if number is not None:
            chosen = self.choices("meeting").where(CoordinationMeeting.id == number)
            prefill(record, "meeting", session().scalars(chosen).first())

    def before_save(self, record: Any, form: RecordForm) -> None:
        """A decision lies where its meeting does."""
        number = id_of(form["item"].data or "")
        record.item = session().get(MeetingItem, number) if number is not None else None
        record.organization = record.meeting.organization
        meetings.check_decision(session(), record, utcnow())

    def after_save(self, record: Any, form: RecordForm, created: bool) -> None:
        """After the meeting the owner is told at once."""
        if created:
            meetings.tell_owner(session(), record)

    def editable(self, record: Any) -> str | None:
        """The words stay as they were once the owner has answered."""
        if record.status is S.OPEN:
            return None
        return _("议定事项已是“%(status)s”，不能再修改。", status=_(record.status.title))

    @expose("/delete/<int:pk>", methods=["POST"])
    @has_access
    def delete(self, pk: int) -> Response:
        """Delete what was written down before the meeting."""
        if meetings.meeting_state(session(), self.found(pk)) is not MeetingStatus.PLANNED:
            raise Conflict(_("会议已经召开，议定事项不能删除；不再执行的，请办理“不再执行”。"))
        answer: Response = super().delete(pk)
        return answer

    def shown(self, record: Any, status: int = 200, **more: Any) -> Any:
        """Offer deletion only before the meeting."""
        if meetings.meeting_state(session(), record) is not MeetingStatus.PLANNED:
            more = {"delete_url": None} | more
        return super().shown(record, status, **more)

    def detail_loads(self) -> Options:
        """The page names the owner, and the meeting to who may see it."""
        return [
            joinedload(MeetingDecision.organization),
            joinedload(MeetingDecision.owner),
            joinedload(MeetingDecision.meeting),
            joinedload(MeetingDecision.item),
        ]

    def step_loads(self, action: str) -> Options:
        """A step asks for the owner and for who called the meeting."""
        return [
            joinedload(MeetingDecision.organization),
            joinedload(MeetingDecision.owner),
        ]

    def detail_meeting(self, record: Any) -> Markup | str:
        """Name the meeting to who may see it; to an owner, who called it."""
        if record.meeting is None:
            return str(record.organization)
        view = view_of(CoordinationMeeting)
        if view is None or not view.may("can_show"):
            return str(record.meeting)
        link = Markup('<a href="{}">{}</a>')
        return link.format(view.url("show", pk=record.meeting.id), record.meeting)

    def cell_remaining(self, record: Any) -> Markup | str:
        """Show how long there is, in words and by colour, while it is not done."""
        if record.status not in PENDING:
            return EMPTY
        days = (record.due_on - shanghai_date(utcnow())).days
        tone = "danger" if days < 0 else "warning" if days <= 3 else "info"
        return Markup('<span class="badge badge-{}">{}</span>').format(
            tone, remaining(end_of_day(record.due_on), utcnow(), _)
        )

    def extra_links(self, record: Any | None) -> list[Link]:
        """Lead to the meetings."""
        links, view = super().extra_links(record), view_of(CoordinationMeeting)
        if record is not None or view is None or not view.may("can_list"):
            return links
        return [*links, Link(_("联席会议"), view.url("list"), "fa-people-group")]

    @expose("/receivers/<int:pk>")
    @has_access
    def receivers(self, pk: int) -> Response:
        """Answer the select box of bodies that may carry this decision out."""
        query = request.args.get("q", "")
        return options_of(steps.receivers(self.found(pk)), Organization, query)


def _overdue() -> Any:
    today = shanghai_date(utcnow())
    return and_(MeetingDecision.status.in_(PENDING), MeetingDecision.due_on < today)
