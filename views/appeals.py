"""评价申诉: a department answers the grades it was given; the office decides (domain section 8)."""

from __future__ import annotations

from typing import Any

from flask import abort, request
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from models.appeal import AppealStatus, RatingAppeal
from models.base import utcnow
from models.rating import Rater
from models.ticket import Ticket
from presets.roles import Role
from rules import appeals
from rules.errors import Conflict
from rules.policy import Action
from rules.wording import local
from rules.workflows.ticket_ratings import standing
from views.context import actor, session
from views.details import DetailPage
from views.flow import FlowView
from views.forms import RecordForm
from views.listing import Order
from views.presentation import Button, Column, Crumb, Link, MenuEntry, Row, Table
from views.queries import Options
from views.records import FormGroups
from views.registry import view_of
from views.rendering import badge, label_of, shown
from views.steps import StepForm
from views.ticket_grades import of_round

S = AppealStatus


class AppealPage(DetailPage):
    """An appeal with the grades that it is about."""

    record: RatingAppeal

    def context(self) -> dict[str, Any]:
        """Add the grades as they stand, and as they were."""
        record = self.record
        return super().context() | {
            "grades": of_round(record.ticket, record.department_id, record.round)
            if record.ticket is not None
            else None,
        }

    def buttons(self) -> list[Button]:
        """Begin a correction with the grades as they stand."""
        found = super().buttons()
        for button in found:
            if button.name == "correct" and not button.form.errors:
                _as_they_stand(self.record, button.form)
        return found


def _as_they_stand(record: RatingAppeal, form: Any) -> None:
    for each in standing(record.ticket, Rater.RAISER, record.round):
        name = f"grade-{each.organization_id}-{each.dimension_id}"
        if name in form and form[name].data is None:
            form[name].data = each.grade.value


class AppealView(FlowView):
    """Appeals against grades: made on a ticket's page, decided here."""

    model = RatingAppeal
    route_base = "/appeals"
    menu = (MenuEntry("跟踪问效", "评价申诉", "fa-scale-balanced", 70),)
    list_columns = ["ticket", "department", "organization", "status", "created_at", "decided_at"]
    wide_only = ["decided_at"]
    search_columns = ["ticket.title", "ticket.number", "department.name"]
    filter_columns = ["status", "department", "organization", "ticket"]
    order_columns = ["created_at"]
    default_order = Order("id")
    labels = {"created_at": "申诉时间"}
    tabs = [
        ("", "全部", None),
        ("pending", "待复核", RatingAppeal.status == S.PENDING),
        ("decided", "已复核", RatingAppeal.status.in_((S.CORRECTED, S.UPHELD))),
    ]
    form_groups = [("申诉", ["reason"])]
    show_groups = [
        ("申诉", ["ticket", "department", "organization", "round", "created_at", "reason"]),
        ("复核", ["decision", "decided_at"]),
    ]
    show_template = "appeal_show.html"
    exclude_route_methods = {"add", "edit", "delete"}
    demands = FlowView.demands | {"can_file": Action.ADD}
    empty_text = "还没有评价申诉。承办单位对评价有异议的，在哨单页面点“申诉评价”提出。"

    @expose("/file/<int:pk>", methods=["GET", "POST"])
    @has_access
    def file(self, pk: int) -> Any:
        """Show the form of an appeal about a ticket's grades, or make the appeal of the posted one."""
        ticket = self._ticket(pk)
        record = RatingAppeal(ticket=ticket)
        form = self.form(record)
        if request.method == "GET":
            if refusal := self._refusal(ticket):
                raise Conflict(refusal)
            return self.form_page(form, None)
        return self._save(form, record, created=True)

    def _ticket(self, pk: int) -> Ticket:
        view = view_of(Ticket)
        found: Ticket = view.found(pk, []) if view is not None else abort(404)
        return found

    def _refusal(self, ticket: Ticket) -> str | None:
        return appeals.may_not_appeal(session(), ticket, actor().organization_id, utcnow())

    def form_page(
        self, form: RecordForm, record: Any | None, status: int = 200, *more: Any, **others: Any
    ) -> Any:
        """Say beside the form what is appealed against, and until when that may be done."""
        ticket = self._ticket(int((request.view_args or {})["pk"]))
        grades = appeals.graded(ticket, actor().organization_id)
        view = view_of(Ticket)
        back = view.url("show", pk=ticket.id) if view is not None else self.url("list")
        title = _("申诉评价")
        return super().form_page(
            form,
            record,
            status,
            *more,
            view_title=title,
            form_help=self._refusal(ticket) or _help(ticket, grades),
            cancel_url=back,
            submit_label=_("提交申诉"),
            crumbs=[Crumb(str(ticket), back), Crumb(title)],
            **others,
        )

    def before_save(self, record: Any, form: RecordForm) -> None:
        """Hold the appeal to the rules, under the ticket's lock."""
        appeals.file(session(), record, actor(), utcnow())

    def after_save(self, record: Any, form: RecordForm, created: bool) -> None:
        """Tell the office, and the raising place."""
        appeals.announce(session(), record)

    def saved_text(self, record: Any) -> str:
        """Say what comes next."""
        return _("申诉已提交，等待吹哨办复核。")

    def groups_for(self, record: Any) -> FormGroups:
        """An appeal has its reason alone to write."""
        return self.form_groups

    def detail_loads(self) -> Options:
        """The page names both sides."""
        return [
            joinedload(RatingAppeal.ticket),
            joinedload(RatingAppeal.department),
            joinedload(RatingAppeal.organization),
        ]

    def page_of(self, record: Any, refused: tuple[str, StepForm] | None = None) -> DetailPage:
        """Return an appeal's own page, also after a step that was refused."""
        return AppealPage(self, record, refused)


def _help(ticket: Ticket, grades: list[Any]) -> str:
    said = _("；").join(f"{each.dimension.name} {_(each.grade.title)}" for each in grades)
    return _(
        "对哨单“%(ticket)s”的评价：%(grades)s。请在 %(until)s 前提出，写明事实和依据；复核只有一次。",
        ticket=str(ticket),
        grades=said,
        until=local(appeals.open_until(grades)),
    )


# On a ticket's page


def appeal_links(ticket: Ticket) -> list[Link]:
    """Return the button by which the reader's department appeals against its grades, if it may now."""
    view = view_of(RatingAppeal)
    me = actor()
    if view is None or not me.has(Role.DEPARTMENT_HANDLER) or not view.may("can_file"):
        return []
    ours = appeals.graded(ticket, me.organization_id)
    if not ours or appeals.may_not_appeal(session(), ticket, me.organization_id, utcnow()):
        return []
    return [Link(_("申诉评价"), view.url("file", pk=ticket.id), "fa-scale-balanced")]


def appeals_of(ticket: Ticket) -> list[tuple[str, Table]]:
    """Return the appeals about a ticket's grades as a titled table; nothing where there are none."""
    view = view_of(RatingAppeal)
    if view is None or not view.may("can_list") or not ticket.ratings:
        return []
    statement = (
        select(RatingAppeal)
        .where(RatingAppeal.ticket_id == ticket.id)
        .options(joinedload(RatingAppeal.department))
        .order_by(RatingAppeal.id)
    )
    rows: list[Row] = []
    for each in session().scalars(statement):
        cells: list[Markup | str] = [
            each.department.name,
            badge(each.status),
            local(each.created_at),
            shown(each.decision),
        ]
        rows.append(Row(each.id, view.url("show", pk=each.id), cells))
    if not rows:
        return []
    columns = [
        Column("department", label_of(RatingAppeal, "department")),
        Column("status", label_of(RatingAppeal, "status")),
        Column("created_at", view.label("created_at")),
        Column("decision", label_of(RatingAppeal, "decision")),
    ]
    return [(_("评价申诉"), Table(columns, rows))]
