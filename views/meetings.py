"""联席会议、调度会: prepared, held, minuted, and closed once everything decided is done."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import url_for
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload, selectinload
from werkzeug.wrappers import Response
from wtforms.validators import InputRequired

from models.base import utcnow
from models.meeting import (
    CoordinationMeeting,
    MeetingDecision,
    MeetingItem,
    MeetingKind,
    MeetingStatus,
)
from models.organization import Organization, OrganizationKind
from models.recurring import RecurringProblem
from models.ticket import Ticket
from reports.minutes import minutes
from rules.attachments import clean_name
from rules.calendar import shanghai_date
from rules.errors import Conflict
from rules.meetings import ARRANGED, PENDING
from rules.policy import Action
from views import steps
from views.context import actor, session
from views.details import DetailPage
from views.flow import FlowView
from views.forms import RecordForm
from views.letters import send_word_file
from views.listing import Order
from views.presentation import Link, MenuEntry
from views.queries import Options, Tabs
from views.registry import view_of
from views.step_fields import MomentField

S = MeetingStatus
#: Who calls a meeting.
CALLERS = (
    OrganizationKind.COORDINATION_OFFICE,
    OrganizationKind.COUNTY,
    OrganizationKind.CITY,
    OrganizationKind.TOWNSHIP,
)


class MeetingPage(DetailPage):
    """What ``meeting_show.html`` shows of one meeting."""

    record: CoordinationMeeting

    def context(self) -> dict[str, Any]:
        """Add the agenda and what was decided, with what may still be done to them."""
        context, record = super().context(), self.record
        mine = self._may("can_edit", Action.EDIT) and record.status in ARRANGED
        decisions = decisions_of(record)
        open_ones = sum(each.status in PENDING for each in decisions)
        if record.status is not S.PLANNED:
            context["delete_url"] = None
        return context | {
            "items": [_item(each) for each in record.items],
            "decisions": [_decision(each) for each in decisions],
            "mine": mine,
            "hint": self._hint(open_ones),
            "add_url": url_for("AgendaView.add", pk=record.id),
            "tickets_url": url_for("AgendaView.tickets"),
            "problems_url": url_for("AgendaView.problems"),
            "decide_url": _decide_url(record),
        }

    def _hint(self, open_ones: int) -> str:
        """Say what keeps the meeting where it is."""
        if self.record.status is S.HELD and open_ones:
            return _(
                "还有 %(n)s 条议定事项没有落实，全部落实或不再执行后会议才能办结。", n=open_ones
            )
        if self.record.status is S.PLANNED and self.record.held_at <= utcnow():
            return _("会议时间已到。开完会请点“会议已召开”，议定事项会通知到各责任单位。")
        return ""


def decisions_of(record: CoordinationMeeting) -> list[MeetingDecision]:
    """Return what was decided, in the agenda's order, with the owners."""
    found = session().scalars(
        select(MeetingDecision)
        .where(MeetingDecision.meeting_id == record.id)
        .options(joinedload(MeetingDecision.owner), joinedload(MeetingDecision.item))
    )
    last = len(record.items) + 1
    return sorted(found, key=lambda each: (each.item.position if each.item else last, each.id))


def _link(record: Any) -> str | None:
    view = view_of(type(record)) if record is not None else None
    return view.url("show", pk=record.id) if view is not None and view.may("can_show") else None


def _item(item: MeetingItem) -> dict[str, Any]:
    about: Ticket | RecurringProblem | None = item.ticket or item.problem
    return {
        "id": item.id,
        "position": item.position,
        "title": item.title,
        "discussion": item.discussion,
        "kind": _("哨单") if item.ticket else _("共性问题") if item.problem else "",
        "about": str(about) if about is not None else "",
        "status": about.status if about is not None else None,
        "url": _link(about),
        "move_url": lambda way: url_for("AgendaView.move", pk=item.id, way=way),
        "discuss_url": url_for("AgendaView.discuss", pk=item.id),
        "remove_url": url_for("AgendaView.remove", pk=item.id),
    }


def _decision(decision: MeetingDecision) -> dict[str, Any]:
    late = decision.status in PENDING and decision.due_on < shanghai_date(utcnow())
    return {
        "text": decision.text,
        "owner": decision.owner.name,
        "due_on": decision.due_on,
        "late": late,
        "status": decision.status,
        "report": decision.report,
        "position": decision.item.position if decision.item else None,
        "url": _link(decision),
    }


def _decide_url(record: CoordinationMeeting) -> str | None:
    view = view_of(MeetingDecision)
    if view is None or not view.may("can_add"):
        return None
    return view.url("add", meeting=record.id)


class MeetingView(FlowView):
    """The office's ledger of meetings."""

    model = CoordinationMeeting
    route_base = "/meetings"
    menu = (MenuEntry("跟踪问效", "联席会议", "fa-people-group", 50),)
    list_columns = ["title", "kind", "held_at", "place", "organization", "status"]
    wide_only = ["place", "organization"]
    search_columns = ["title", "place", "chair"]
    filter_columns = ["status", "kind", "organization", "held_at"]
    order_columns = ["held_at"]
    default_order = Order("held_at", descending=True)
    tabs: ClassVar[Tabs] = [
        ("", "全部", None),
        ("planned", "筹备中", CoordinationMeeting.status == S.PLANNED),
        ("held", "待落实", CoordinationMeeting.status == S.HELD),
        ("closed", "已办结", CoordinationMeeting.status == S.CLOSED),
    ]
    form_groups = [
        ("会议", ["title", "kind", "organization", "held_at", "place", "chair"]),
        ("参会", ["attendees"]),
        ("记录", ["minutes"]),
    ]
    show_groups = [
        ("会议", ["kind", "organization", "held_at", "place", "chair", "attendees"]),
        ("记录", ["minutes"]),
    ]
    demands = FlowView.demands | {"can_minutes": Action.READ}
    show_template = "meeting_show.html"
    empty_text = "还没有会议。新增一次会议，把需要协调的哨单和共性问题列入议题。"

    def choices(self, field: str) -> Select[Any]:
        """Meetings are called by offices, counties and townships of the actor's own area."""
        return super().choices(field).where(Organization.kind.in_(CALLERS), Organization.active)

    def fill(self, record: Any) -> None:
        """Start with one's own office, and with what is held most often."""
        record.organization = self.own_place("organization")
        record.kind = MeetingKind.SCHEDULING

    def extra_fields(self) -> dict[str, Any]:
        """The instant is asked for in local time."""
        needed = InputRequired(_("请填写“%(label)s”。", label=self.label("held_at")))
        return {"held_at": MomentField(self.label("held_at"), validators=[needed])}

    def extras_of(self, record: Any) -> dict[str, Any]:
        """Show the instant as it stands."""
        return {"held_at": record.held_at}

    def before_save(self, record: Any, form: RecordForm) -> None:
        """Keep the instant."""
        record.held_at = form["held_at"].data

    def editable(self, record: Any) -> str | None:
        """What is over stays as it was minuted."""
        if record.status in ARRANGED:
            return None
        return _(
            "会议“%(title)s”已是“%(status)s”，不能再修改。",
            title=record.title,
            status=_(record.status.title),
        )

    @expose("/delete/<int:pk>", methods=["POST"])
    @has_access
    def delete(self, pk: int) -> Response:
        """Delete a meeting that was never held."""
        if self.found(pk).status is not S.PLANNED:
            raise Conflict(_("已召开、办结或取消的会议不能删除。"))
        answer: Response = super().delete(pk)
        return answer

    def detail_loads(self) -> Options:
        """The page names who called it, and its agenda with what that is about."""
        items = selectinload(CoordinationMeeting.items)
        return [
            joinedload(CoordinationMeeting.organization),
            items.joinedload(MeetingItem.ticket),
            items.joinedload(MeetingItem.problem),
        ]

    def step_loads(self, action: str) -> Options:
        """A step asks for who called it."""
        return [joinedload(CoordinationMeeting.organization)]

    def page_of(self, record: Any, refused: tuple[str, steps.StepForm] | None = None) -> DetailPage:
        """Return a meeting's own page."""
        return MeetingPage(self, record, refused)

    def extra_links(self, record: Any | None) -> list[Link]:
        """Offer the minutes."""
        links = super().extra_links(record)
        if record is None:
            return links
        url = self.url("minutes", pk=record.id)
        return [*links, Link(_("会议纪要"), url, "fa-file-word")]

    @expose("/minutes/<int:pk>")
    @has_access
    def minutes(self, pk: int) -> Response:
        """Send the minutes as a Word document."""
        meeting = self.found(pk)
        content = minutes(meeting, decisions_of(meeting), actor().organization_name)
        return send_word_file(content, clean_name(f"{meeting.title}.docx", "会议纪要.docx"))
