"""共性问题: from solving one to solving a kind; what the office opens, plans, watches and closes."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import abort, flash, redirect, request
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import Select, and_, select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

from models.base import utcnow
from models.organization import Organization
from models.recurring import ProblemStatus, ProblemTicket, RecurringProblem
from models.ticket import Ticket
from reports.facts import catch_up
from rules import ledger, problems
from rules.calendar import shanghai_date
from rules.errors import Refused
from rules.policy import Action
from rules.recurring import WATCHED, suggest
from views import listing, steps
from views.agenda_links import agenda_links
from views.context import actor, session, unit_of_work
from views.details import writable
from views.flow import FlowView
from views.forms import RecordForm, RecordSelectField, chooser, options_of, prefill
from views.heat import heat_links
from views.listing import id_of
from views.presentation import Link, MenuEntry
from views.problem_page import ProblemPage
from views.queries import Options, Tabs
from views.records import FormGroups
from views.ticket_choices import ticket_options

S = ProblemStatus


class RecurringProblemView(FlowView):
    """The office's ledger of problems that come back."""

    model = RecurringProblem
    route_base = "/problems"
    menu = (MenuEntry("跟踪问效", "共性问题", "fa-arrows-rotate", 40),)
    list_columns = ["title", "organization", "matter", "remedy", "owner", "due_on", "status"]
    wide_only = ["matter", "remedy"]
    search_columns = ["title", "matter", "organization.name"]
    filter_columns = ["status", "organization", "owner", "remedy", "due_on"]
    tabs: ClassVar[Tabs] = [
        ("", "跟踪中", RecurringProblem.status.in_(WATCHED)),
        ("open", "待定方案", RecurringProblem.status == S.OPEN),
        ("planned", "整治中", RecurringProblem.status == S.PLANNED),
        ("overdue", "逾期", lambda _actor: _overdue()),
        ("done", "待检验", RecurringProblem.status == S.DONE),
        ("closed", "已销号", RecurringProblem.status == S.CLOSED),
        ("all", "全部", None),
    ]
    labels = {"tickets": "关联哨单", "found": "发现情况"}
    form_groups = [
        ("问题", ["title", "organization", "matter"]),
        ("分析", ["remedy", "cause"]),
        ("哨单", ["tickets"]),
    ]
    show_groups = [
        ("问题", ["organization", "matter", "found"]),
        ("方案", ["remedy", "owner", "due_on", "planned_on", "cause", "plan"]),
        ("成效", ["done_on", "result"]),
    ]
    # What is measured stays what it was.
    chosen_once = ["organization", "matter", "tickets"]
    demands = FlowView.demands | {
        "can_receivers": Action.ACT,
        "can_cases": Action.EDIT,
        "can_tie": Action.EDIT,
        "can_untie": Action.EDIT,
    }
    show_template = "problem_show.html"
    empty_text = (
        "还没有共性问题。在“反复发生的事项”里把反复出现的事项立为共性问题，也可以直接新增。"
    )

    # The form

    def choices(self, field: str) -> Select[Any]:
        """A problem is about a city, a county, a township or a community of the actor's own area."""
        found = super().choices(field)
        if field == "organization" and request.endpoint != f"{self.endpoint}.list":
            return found.where(Organization.kind.in_(problems.AREAS), Organization.active)
        return found

    def relation_fields(self) -> set[str]:
        """Cases are looked for among tickets, by a route of their own."""
        return super().relation_fields() - {"tickets"}

    def groups_for(self, record: Any) -> FormGroups:
        """Leave out groups of which nothing may be changed any more."""
        return [(title, names) for title, names in super().groups_for(record) if names]

    def extra_fields(self) -> dict[str, Any]:
        """The tickets that are its first cases."""
        return {
            "tickets": RecordSelectField(
                self.label("tickets"),
                source=self.url("cases"),
                choose=chooser(session(), select(Ticket), Ticket),
                multiple=True,
                wide=True,
                description=_("先关联有代表性的几张，以后还可以增减。"),
            )
        }

    def fill(self, record: Any) -> None:
        """Begin with what the rule found, if one comes from there."""
        area_id = id_of(request.args.get("area", ""))
        matter = request.args.get("matter", "").strip()[:300]
        if request.method != "GET" or area_id is None or not matter:
            return
        place = (
            session()
            .scalars(self.choices("organization").where(Organization.id == area_id))
            .first()
        )
        if place is None:
            return
        prefill(record, "organization", place)
        record.matter, record.title = (
            matter,
            _("%(place)s“%(matter)s”反复发生", place=place.name, matter=matter)[:200],
        )
        found = problems.look(session(), place, matter, utcnow())
        if found is not None:
            record.remedy = suggest(found.signs).remedy

    def extras_of(self, record: Any) -> dict[str, Any]:
        """Show the newest whistles that the rule found as chosen."""
        area_id = id_of(request.args.get("area", ""))
        if record.id is not None or area_id is None or not record.matter:
            return {"tickets": []} if record.id is None else {}
        place = session().get(Organization, area_id)
        found = problems.look(session(), place, record.matter, utcnow()) if place else None
        ids = found.ticket_ids if found else ()
        asked = select(Ticket).where(Ticket.id.in_(ids)).order_by(Ticket.id.desc())
        return {"tickets": list(session().scalars(asked))}

    def form(self, record: Any) -> RecordForm:
        """Say how the matter must be written to be counted."""
        form = super().form(record)
        if "matter" in form:
            form["matter"].description = _(
                "写成清单里的事项名称，才能自动统计整治前后的件数；没有对应履职事项的哨单统计不到。"
            )
        return form

    def before_save(self, record: Any, form: RecordForm) -> None:
        """Hold it to the rules, and keep what the rule finds on the day that it is opened."""
        if record.id is not None:
            return
        problems.check(session(), record)
        found = problems.look(session(), record.organization, record.matter, utcnow())
        if found is not None:
            record.found_count = found.count
            record.found_from, record.found_until = found.first, found.last

    def after_save(self, record: Any, form: RecordForm, created: bool) -> None:
        """Tie its first cases."""
        if created:
            ids = [each.id for each in form["tickets"].data or []]
            problems.tie(session(), record, ids, actor(), utcnow())

    def editable(self, record: Any) -> str | None:
        """What is over stays as it was."""
        if record.status in WATCHED:
            return None
        return _(
            "共性问题“%(title)s”已是“%(status)s”，不能再修改。",
            title=record.title,
            status=_(record.status.title),
        )

    # The page

    def detail_loads(self) -> Options:
        """The page names the area and the owner."""
        return [joinedload(RecurringProblem.organization), joinedload(RecurringProblem.owner)]

    def page_of(
        self, record: Any, refused: tuple[str, steps.StepForm] | None = None
    ) -> ProblemPage:
        """Return a problem's own page."""
        return ProblemPage(self, record, refused)

    def shown(self, record: Any, status: int = 200, **more: Any) -> Any:
        """Bring the figures up to date first: the page counts them."""
        if request.method == "GET":
            with unit_of_work() as database:
                catch_up(database)
            record = self.found(record.id)
        return super().shown(record, status, **more)

    def detail_found(self, record: Any) -> Markup | str:
        """Say how often it had come up when it was opened."""
        if not record.found_count or record.found_from is None or record.found_until is None:
            return _("人工立项")
        return _(
            "%(first)s 至 %(last)s 共 %(count)s 件",
            first=record.found_from,
            last=record.found_until,
            count=record.found_count,
        )

    def extra_links(self, record: Any | None) -> list[Link]:
        """Lead on to what the rule finds; from a problem, onto the agenda of a meeting."""
        links = super().extra_links(record)
        return [*links, *(heat_links() if record is None else agenda_links(problem=record))]

    # Its tickets

    @expose("/receivers/<int:pk>")
    @has_access
    def receivers(self, pk: int) -> Response:
        """Answer the select box of bodies that may have this problem in hand."""
        query = request.args.get("q", "")
        return options_of(steps.receivers(self.found(pk)), Organization, query)

    @expose("/cases")
    @expose("/cases/<int:pk>")
    @has_access
    def cases(self, pk: int | None = None) -> Response:
        """Answer the select box of tickets that may be tied to this problem, or to a new one."""
        raised = select(Ticket).where(Ticket.number.is_not(None))
        statement = raised if pk is None else problems.tieable(self.found(pk))
        return ticket_options(statement)

    @expose("/tie/<int:pk>", methods=["POST"])
    @has_access
    def tie(self, pk: int) -> Any:
        """Tie the posted tickets to a problem."""
        record = self._mine(pk)
        ids = [listing.id_of(each) for each in request.form.getlist("tickets") if each.strip()]
        known = [each for each in ids if each is not None]
        if not known or len(known) < len(ids):
            flash(_("请选择要关联的哨单。"), "danger")
            return self.shown(record, 422)
        try:
            with unit_of_work() as database:
                number = problems.tie(database, record, known, actor(), utcnow())
                self._write_down(record, "tie", "关联哨单", _numbers(known))
        except Refused as refusal:
            flash(refusal.message, "danger")
            return self.shown(self.found(pk), refusal.status)
        flash(_("已关联 %(n)s 张哨单。", n=number), "success")
        return redirect(self.url("show", pk=pk) + "#cases")

    @expose("/untie/<int:pk>/<int:ticket_id>", methods=["POST"])
    @has_access
    def untie(self, pk: int, ticket_id: int) -> Any:
        """Take a ticket from a problem."""
        record = self._mine(pk)
        problems.refuse_over(record)
        if ticket_id > listing.LARGEST_ID:
            abort(404)
        row = (
            session()
            .scalars(
                select(ProblemTicket)
                .join(ProblemTicket.ticket)
                .where(ProblemTicket.problem_id == pk, ProblemTicket.ticket_id == ticket_id)
            )
            .first()
        )
        if row is None:
            abort(404)
        with unit_of_work() as database:
            self._write_down(record, "untie", "移出哨单", _numbers([ticket_id]))
            database.delete(row)
        flash(_("已移出这张哨单。"), "success")
        return redirect(self.url("show", pk=pk) + "#cases")

    def _mine(self, pk: int) -> RecurringProblem:
        """Return the problem if the actor may change it: its owner reads it, and no more."""
        record: RecurringProblem = self.found(pk)
        if not writable(self, record, Action.EDIT):
            abort(404)
        return record

    def _write_down(self, record: Any, action: str, label: str, note: str) -> None:
        """Leave a line in the problem's story: who ties what decides which cases are looked at."""
        ledger.append(
            session(),
            record,
            actor(),
            action=action,
            label=label,
            from_status=record.status,
            to_status=record.status,
            note=note,
        )


def _overdue() -> Any:
    today = shanghai_date(utcnow())
    return and_(RecurringProblem.status == S.PLANNED, RecurringProblem.due_on < today)


def _numbers(ids: list[int]) -> str:
    """Return the numbers of tickets, to be written down."""
    asked = select(Ticket.number).where(Ticket.id.in_(ids)).order_by(Ticket.id)
    return "、".join(str(each) for each in session().scalars(asked))
