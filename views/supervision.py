"""Supervision orders: what the sweep proposes, what the office issues, what departments answer (domain 8)."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from flask import request
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import ColumnElement, Select, and_, select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response
from wtforms import DateField, StringField
from wtforms.validators import InputRequired, Length

from models.base import utcnow
from models.organization import TERRITORIAL, Organization
from models.supervision import Supervision, SupervisionCause, SupervisionRule, SupervisionStatus
from models.ticket import Ticket
from reports.heat import Cases, Weight
from reports.orders import order
from rules import workflow
from rules.actor import Actor
from rules.attachments import clean_name
from rules.calendar import shanghai_date
from rules.errors import Conflict, Invalid
from rules.policy import Action
from rules.problems import again_of
from rules.recurring import window
from rules.scope import reachable
from rules.supervision_rules import days_for, plan_at
from rules.workflows.supervision import IN_FORCE
from rules.workflows.ticket_base import DISPATCHABLE
from views import steps
from views.bulk import StepsAtOnce
from views.context import actor, own_area, session
from views.details import DetailPage
from views.forms import RecordForm, RecordSelectField, options_of, prefill
from views.letters import send_word_file
from views.listing import id_of
from views.occurrences import cases_url
from views.presentation import Link, MenuEntry
from views.queries import Tabs
from views.records import FormGroups, Options
from views.registry import view_of
from views.rendering import EMPTY
from views.supervision_page import SupervisionPage, remaining_days

S = SupervisionStatus
#: What an order says when it is issued; asked for in the form, and written by the step.
ISSUED_WITH = ("department", "head", "due_on")


def late(who: Actor) -> ColumnElement[bool]:
    """Return which orders are in force past their date."""
    return and_(Supervision.status.in_(IN_FORCE), Supervision.due_on < shanghai_date(utcnow()))


class SupervisionView(StepsAtOnce):
    """The list of proposals and orders, the page of each, and an order written by hand."""

    model = Supervision
    route_base = "/supervisions"
    menu = (MenuEntry("跟踪问效", "督办", "fa-flag", 30),)
    list_columns = ["matter", "number", "status", "kind", "cause", "department", "organization", "due_on"]  # fmt: skip
    wide_only = ["organization"]
    search_columns = ["number", "matter", "head"]
    filter_columns = ["status", "kind", "cause", "department", "organization", "due_on"]
    quiet_filters = ["ticket"]
    tabs: ClassVar[Tabs] = [
        ("all", "全部", None),
        ("proposed", "待确认", Supervision.status == S.PROPOSED),
        ("issued", "督办中", Supervision.status == S.ISSUED),
        ("late", "逾期未结", late),
        ("answered", "已反馈", Supervision.status == S.ANSWERED),
        ("closed", "已办结", Supervision.status == S.CLOSED),
        ("dismissed", "不予督办", Supervision.status == S.DISMISSED),
    ]
    form_groups = [
        ("督办事项", ["ticket", "organization", "matter", "reason"]),
        ("督办要求", ["kind", *ISSUED_WITH]),
    ]
    show_groups = [
        ("督办事项", ["matter", "ticket", "problem", "organization", "cause", "reason"]),
        ("督办要求", ["kind", "department", "head", "due_on", "issued_at"]),
        ("整改", ["answer", "answered_at", "closed_at"]),
    ]
    labels = {"due_on": "办结期限"}
    bulk_actions = ("confirm", "dismiss", "accept")
    exclude_route_methods = {"delete"}
    show_template = "supervision_show.html"
    demands = StepsAtOnce.demands | {
        "can_bulk": Action.ACT,
        "can_receivers": Action.ACT,
        "can_order": Action.READ,
    }
    empty_text = (
        "还没有督办。系统按督办规则找出临近期限、超过期限和反复上报的事项，列在“待确认”里；也可以在哨单"
        "页面点“督办”，或在这里新增。"
    )

    # What may be chosen

    def choices(self, field: str) -> Select[Any]:
        """Tickets that were raised, places of one's own area, bodies that can be sent."""
        if field == "ticket":
            return select(Ticket).where(Ticket.number.is_not(None))
        if field == "problem":
            return super().choices(field)
        kinds = DISPATCHABLE if field == "department" else TERRITORIAL
        within = reachable(actor(), "supervision", Organization.id, Action.READ)
        mine = Organization.id == actor().organization_id
        return select(Organization).where(
            Organization.kind.in_(kinds), Organization.active, within | mine
        )

    def titled(self, route: str, otherwise: str) -> str:
        """To write an order is to issue it."""
        return _("发起督办") if route == "add" else super().titled(route, otherwise)

    # Writing an order

    def fill(self, record: Any) -> None:
        """Begin with the ticket that one comes from, or with a place and its matter."""
        ticket = self._chosen("ticket", Ticket)
        area = ticket.organization if ticket else self._chosen("area", Organization)
        if ticket is not None:
            prefill(record, "ticket", ticket)
            record.matter = str(ticket)
        elif matter := request.args.get("matter", "").strip():
            record.matter = matter[:300]
        if area is not None:
            prefill(record, "organization", area)

    def _chosen(self, name: str, model: type[Any]) -> Any:
        """Return the record that the address begins the form with, if the actor may choose it."""
        number = id_of(request.args.get(name, ""))
        if number is None or request.method != "GET":
            return None
        field = "ticket" if model is Ticket else "organization"
        return session().scalars(self.choices(field).where(model.id == number)).first()

    def extra_fields(self) -> dict[str, Any]:
        """What the step that issues an order asks for; a proposal is edited without."""
        needed = _("请填写“%(label)s”。")
        labels = {name: self.label(name) for name in ISSUED_WITH}
        must = {name: InputRequired(needed % {"label": label}) for name, label in labels.items()}
        limit = _("“%(label)s”最多 %(n)s 字。", label=labels["head"], n=100)
        return {
            "department": RecordSelectField(
                labels["department"],
                source=self.url("options", field="department"),
                choose=self._chooser("department"),
                validators=[must["department"]],
            ),
            "head": StringField(
                labels["head"],
                description=_("责任单位分管这件事的领导"),
                validators=[must["head"], Length(max=100, message=limit)],
            ),
            "due_on": DateField(labels["due_on"], validators=[must["due_on"]]),
        }

    def extras_of(self, record: Any) -> dict[str, Any]:
        """Suggest the ticket's lead, and the date that the county's ladder leaves."""
        if record.id is not None:
            return {}
        place = record.organization or own_area()
        today, found = shanghai_date(utcnow()), {}
        if place is not None:
            kind = Supervision.kind.default.arg
            days = days_for(plan_at(session(), place), kind)
            found["due_on"] = today + dt.timedelta(days=days)
        if record.ticket is not None:
            found["department"] = record.ticket.lead
        return found

    def groups_for(self, record: Any) -> FormGroups:
        """A proposal's words may be made better; what it is about stays."""
        if record.id is None:
            return self.form_groups
        return [("督办事项", ["matter", "reason"])]

    def form_page(self, form: RecordForm, record: Any | None, *args: Any, **more: Any) -> Any:
        """Say what the button does."""
        if record is None:
            more.setdefault("submit_label", _("下达督办"))
        return super().form_page(form, record, *args, **more)

    def before_save(self, record: Any, form: RecordForm) -> None:
        """An order about a ticket lies where the ticket does."""
        if record.id is not None:
            return
        if record.ticket is not None:
            record.organization = record.ticket.organization

    def after_save(self, record: Any, form: RecordForm, created: bool) -> None:
        """Issue the order that was written."""
        if not created:
            return
        department = form["department"].data
        data = {
            "kind": record.kind,
            "department": department.id if department is not None else None,
            "head": form["head"].data,
            "due_on": form["due_on"].data,
        }
        workflow.apply(session(), record, "confirm", actor(), data)

    def saved_text(self, record: Any) -> str:
        """Name the order."""
        if record.status is S.PROPOSED:
            return super().saved_text(record)
        return _("已下达%(number)s。", number=record.number)

    def editable(self, record: Any) -> str | None:
        """What was issued stays as it was issued."""
        if record.status is S.PROPOSED:
            return None
        return _("督办已是“%(status)s”，不能再修改。", status=_(record.status.title))

    # Reading

    def detail_loads(self) -> Options:
        """The page names all that an order hangs from."""
        return [
            joinedload(Supervision.organization),
            joinedload(Supervision.department),
            joinedload(Supervision.ticket),
            joinedload(Supervision.problem),
            joinedload(Supervision.escalated_from),
        ]

    def page_of(self, record: Any, refused: tuple[str, steps.StepForm] | None = None) -> DetailPage:
        """Return an order's own page."""
        return SupervisionPage(self, record, refused)

    def shown(self, record: Any, status: int = 200, **more: Any) -> Any:
        """Name the record in the title by its number or, before it has one, by its matter."""
        title = record.number or record.matter
        return super().shown(record, status, **({"view_title": title} | more))

    def cell_due_on(self, record: Any) -> Markup | str:
        """Say the date, and how many days are left or over while the order is in force."""
        return remaining_days(record)

    def detail_due_on(self, record: Any) -> Markup | str:
        """Say the date, and how many days are left or over while the order is in force."""
        return remaining_days(record)

    def cell_number(self, record: Any) -> Markup | str:
        """A number stays on one line."""
        if not record.number:
            return EMPTY
        return Markup('<span class="short">{}</span>').format(record.number)

    def extra_links(self, record: Any | None) -> list[Link]:
        """Lead to the rule; print an order; let a matter that comes back become a problem."""
        if record is None:
            rules = view_of(SupervisionRule)
            if rules is None or not rules.may("can_list"):
                return []
            return [Link(_("督办规则"), rules.url("list"), "fa-stairs")]
        found = []
        if record.cause is SupervisionCause.AGAIN:
            found += self._cases_link(record)
            found += self._problem_link(record) if record.problem_id is None else []
        if record.number is not None:
            found.append(Link(_("打印督办单"), self.url("order", pk=record.id), "fa-file-word"))
        return found

    def _cases_link(self, record: Supervision) -> list[Link]:
        """Lead to the whistles that made the rule propose it."""
        days = again_of(session(), record.organization).days
        span = window(record.created_at, days)
        cases = Cases(Weight.RAISED, *span, record.organization_id, record.matter)
        url = cases_url(cases)
        return [Link(_("同类哨单"), url, "fa-bullhorn")] if url else []

    def _problem_link(self, record: Supervision) -> list[Link]:
        relation = self.target("problem")
        problems = view_of(relation)
        if problems is None or not problems.may("can_add"):
            return []
        url = problems.url("add", area=record.organization_id, matter=record.matter)
        return [Link(_("立为共性问题"), url, "fa-layer-group")]

    # Further routes

    @expose("/receivers/<int:pk>")
    @has_access
    def receivers(self, pk: int) -> Response:
        """Answer the select box of bodies that an order may be issued to."""
        found = steps.receivers(self.found(pk))
        return options_of(found, Organization, request.args.get("q", ""))

    @expose("/order/<int:pk>")
    @has_access
    def order(self, pk: int) -> Response:
        """Send an order as a Word document."""
        record = self.found(pk)
        if record.number is None:
            raise Conflict(_("督办还没有下达，没有编号，不能打印。"))
        return send_word_file(order(record), clean_name(f"{record.number}.docx", "督办单.docx"))

    # Many at once

    def bulk_values(self, record: Any, step: workflow.Step) -> dict[str, Any]:
        """Issue each proposal as it was proposed: its kind, its likely body, its county's days."""
        if step.action != "confirm":
            return {}
        known = {each.name: each.known(record) for each in step.inputs if each.known is not None}
        department = known.pop("department")
        if department is None:
            raise Invalid(_("这件事没有主办单位，请打开它，选择责任单位后单独下达。"))
        known.pop("head")
        return known | {"department": department.id}

    def bulk_shared(self, step: workflow.Step) -> tuple[str, ...]:
        """Of an order many at once have the head and a remark in common."""
        return ("head", "note") if step.action == "confirm" else super().bulk_shared(step)
