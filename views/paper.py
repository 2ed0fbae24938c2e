"""Slips that were blown on paper, entered later with their true times beside those raised online."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from flask import flash, redirect, request
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from wtforms import DateField, RadioField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from models.grade import Grade
from models.organization import Organization
from models.ticket import Ticket
from presets.roles import Role
from rules import workflow
from rules.errors import Refused
from rules.mechanisms import dimensions_of
from rules.once import new_key
from rules.paper import Times, enter
from rules.workflows.ticket_paper import STAGES
from views import details
from views.context import actor, session, unit_of_work
from views.forms import RecordForm, RecordSelectField, chooser, populate, record_form
from views.photos import pictures_of
from views.presentation import FormGroup
from views.step_fields import MomentField
from views.ticket_form import FIRST, MORE, TicketForm

#: What only the township and the office enter: the stages after the raising.
LATER = [
    "dispatched_at",
    "lead",
    "assisting",
    "due",
    "accepted_at",
    "arrived_at",
    "resolved_at",
    "result",
    "closed_at",
    "grade",
]


class TicketPaper(TicketForm):
    """The page on which a paper slip is entered."""

    @expose("/paper", methods=["GET", "POST"])
    @has_access
    def paper(self) -> Any:
        """Show the empty slip, or enter the posted one: all of its stages, or none."""
        record = Ticket()
        self.fill(record)
        form = self._slip(record)
        if request.method == "GET":
            return self._slip_page(form, 200)
        try:
            there = self._sent_before()
            if there is None and not form.validate():
                return self._slip_page(form, 422)
            number = there.id if there else self._entered(form, record)
        except Refused as refusal:
            if not (refusal.fields and form.add_errors(refusal.fields)):
                flash(refusal.message, "danger")
            if "client_key" in refusal.fields:
                form["client_key"].data = new_key()
            return self._slip_page(form, refusal.status)
        flash(_("已补录，按纸面上的时间记入流程。"), "success")
        return redirect(self.url("show", pk=number))

    def _entered(self, form: RecordForm, record: Ticket) -> int:
        """Write the slip in one transaction; return the ticket's id."""
        with unit_of_work() as database, database.no_autoflush:
            populate(form, record, self._slip_extras())
            self.before_save(record, form)
            database.add(record)
            database.flush()
            workflow.begin(database, record, actor())
            given = {name: form[name].data for name in LATER if name in form}
            assisting = [each.id for each in given.get("assisting") or []]
            lead = given["lead"].id if given.get("lead") else None
            times = {each.name: form[each.name].data for each in fields(Times) if each.name in form}
            enter(
                database,
                record,
                actor(),
                Times(**times),
                lead=lead,
                assisting=assisting,
                due=given.get("due"),
                result=given.get("result"),
                grades=_grades(record, given.get("grade"), [lead, *assisting]),
                pictures=pictures_of(form["pictures"]),
            )
            return record.id

    def _slip(self, record: Ticket) -> RecordForm:
        """Return the slip's form, filled from the request if one was posted."""
        columns = [name for _title, names in [*FIRST, *MORE] for name in names if name != "lead"]
        kind = record_form(
            Ticket,
            [*columns, "raised_at", *(LATER if _enters_all() else []), "client_key"],
            source=lambda name: self.url("options", field=name),
            choose=self._chooser,
            extra=self._slip_extras(),
        )
        form = kind(obj=record)
        if not form.is_submitted():
            chosen: Any = form["whistle_class"]
            chosen.data = chosen.usual
            form["client_key"].data = new_key()
        return form

    def _slip_extras(self) -> dict[str, Any]:
        """Return the fields that are no columns, or that only the workflow writes."""
        needed = InputRequired(_("请填写“%(label)s”。", label=_("吹哨时间")))
        moments = {
            name: MomentField(_(label), validators=[needed if name == "raised_at" else Optional()])
            for name, label in STAGES
        }
        departments = chooser(session(), self.choices("lead"), Organization)
        source = self.url("options", field="lead")
        return (
            self.extra_fields()
            | moments
            | {
                "lead": RecordSelectField(
                    _("主办单位"),
                    source=source,
                    choose=departments,
                    description=_("纸面已派单的须填写。"),
                    validators=[Optional()],
                ),
                "assisting": RecordSelectField(
                    _("协办单位"),
                    source=source,
                    choose=departments,
                    multiple=True,
                    validators=[Optional()],
                ),
                "due": DateField(
                    _("办结期限"),
                    description=_("只有派单时定期限的哨种需要。"),
                    validators=[Optional()],
                ),
                "result": TextAreaField(
                    _("办理结果"),
                    description=_("纸面已反馈的须填写。"),
                    validators=[Optional(), Length(max=2000)],
                ),
                "grade": RadioField(
                    _("评价"),
                    choices=[("", _("没有评价")), *((each.value, _(each.title)) for each in Grade)],
                    default="",
                    description=_("各承办单位、各维度按同一档录入。"),
                    validators=[Optional()],
                ),
            }
        )

    def _slip_page(self, form: RecordForm, status: int) -> Any:
        title = self.titled("paper", _("线下补录"))
        problem, sorting = ([name for name in names if name != "lead"] for _title, names in FIRST)
        groups = [
            FormGroup(_("问题"), problem),
            FormGroup(_("纸面上的时间"), ["raised_at", *(LATER if _enters_all() else [])]),
            FormGroup(_("分类"), sorting),
            *(FormGroup(_(title), names) for title, names in MORE),
        ]
        return self.render_template(
            "form.html",
            view_title=title,
            form=form,
            form_help=_(
                "把纸质哨单照原样录入，时间按纸面填写，前后不能颠倒、中间不能空。"
                "社区只补录吹哨环节；派单及以后的环节由街乡补录。"
            ),
            groups=groups,
            cancel_url=self.url("list"),
            submit_label=_("补录"),
            clashes=[],
            crumbs=details.crumbs(self, None, title),
        ), status


def _enters_all() -> bool:
    return actor().has(Role.TOWNSHIP_REVIEWER, Role.DISPATCHER)


def _grades(ticket: Ticket, grade: str | None, departments: list[int | None]) -> dict[str, str]:
    """Return the one grade of the paper for every department and dimension."""
    if not grade:
        return {}
    return {
        f"{number}:{dimension.id}": grade
        for number in departments
        if number is not None
        for dimension in dimensions_of(ticket.whistle_class)
    }
