"""The agenda of a meeting: points are added, moved, discussed and removed by the office."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_babel import gettext as _
from sqlalchemy import Select, select
from werkzeug.wrappers import Response
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from models.meeting import CoordinationMeeting, MeetingItem
from models.recurring import RecurringProblem
from models.ticket import Ticket
from rules import meetings as agenda
from rules.errors import Invalid, Refused
from rules.policy import Action
from rules.recurring import WATCHED
from rules.scope import criterion
from views import permissions
from views.context import actor, session, unit_of_work
from views.details import writable
from views.form_base import Form
from views.forms import RecordSelectField, chooser, options_of
from views.listing import LARGEST_ID, id_of
from views.presentation import Crumb, FormGroup
from views.registry import view_of
from views.ticket_choices import ticket_options

ARRANGES = ("coordination_meeting", Action.EDIT)
ROUTES = ("place", "add", "move", "discuss", "remove", "tickets", "problems", "meetings")


class AgendaView(BaseView):
    """Routes that write a meeting's agenda, for whoever may edit the meeting."""

    route_base = "/agenda"

    def __init__(self) -> None:
        super().__init__()
        demands = {f"can_{name}": ARRANGES for name in ROUTES}
        permissions.declare(self.class_permission_name, demands)

    # From a ticket's or a problem's page

    @expose("/place", methods=["GET", "POST"])
    @has_access
    def place(self) -> Any:
        """Ask on which meeting's agenda a ticket or a problem is to be put, and put it there."""
        ticket, problem = self._named()
        about = ticket or problem
        form = self._place_form(str(about))
        if request.method == "POST" and form.validate():
            meeting: CoordinationMeeting = form["meeting"].data
            try:
                with unit_of_work() as database:
                    agenda.add_item(
                        database, meeting, form["title"].data, ticket=ticket, problem=problem
                    )
                    title, number = str(meeting), meeting.id
            except Refused as refusal:
                form.form_errors.append(refusal.message)
            else:
                flash(_("已列入“%(meeting)s”的议题。", meeting=title), "success")
                return redirect(url_for("MeetingView.show", pk=number) + "#agenda")
        page = view_of(type(about))
        back = page.url("show", pk=about.id) if page is not None and about is not None else None
        title = _("列入会议议题")
        return self.render_template(
            "form.html",
            view_title=title,
            form=form,
            groups=[FormGroup("", ["meeting", "title"])],
            cancel_url=back,
            submit_label=_("列入议题"),
            clashes=[],
            crumbs=[Crumb(str(about), back), Crumb(title)],
        ), 422 if form.errors else 200

    def _place_form(self, title: str) -> Form:
        fields = {
            "meeting": RecordSelectField(
                _("会议"),
                source=url_for("AgendaView.meetings"),
                choose=chooser(session(), _open_meetings(), CoordinationMeeting),
                description=_("筹备中或已召开、还没有办结的会议。没有的话，先新增会议。"),
                validators=[InputRequired(_("请选择会议。"))],
            ),
            "title": StringField(
                _("议题"),
                validators=[
                    InputRequired(_("请填写议题。")),
                    Length(max=200, message=_("议题最多 200 字。")),
                ],
            ),
        }
        kind = type("PlaceForm", (Form,), fields)
        form: Form = kind(data={"title": title[:200]})
        return form

    def _named(self) -> tuple[Ticket | None, RecurringProblem | None]:
        """Return the ticket or the problem that the address names, or answer 404."""
        for name, model in (("ticket", Ticket), ("problem", RecurringProblem)):
            number = id_of(request.args.get(name, ""))
            found: Any = session().get(model, number) if number is not None else None
            if isinstance(found, Ticket) and found.number is not None:
                return found, None
            if isinstance(found, RecurringProblem):
                return None, found
        abort(404)

    # On the meeting's page

    @expose("/add/<int:pk>", methods=["POST"])
    @has_access
    def add(self, pk: int) -> Any:
        """Put the posted ticket, problem or words at the end of a meeting's agenda."""
        meeting = self._meeting(pk)
        try:
            ticket = self._chosen("ticket", Ticket)
            problem = self._chosen("problem", RecurringProblem)
            title = request.form.get("title", "")
            with unit_of_work() as database:
                if ticket is not None and problem is not None:
                    raise Invalid(_("哨单和共性问题请分两次列入。"))
                agenda.add_item(database, meeting, title, ticket=ticket, problem=problem)
        except Refused as refusal:
            return self._refused(pk, refusal)
        flash(_("已列入议题。"), "success")
        return self._back(pk)

    def _chosen(self, name: str, model: type[Any]) -> Any:
        """Return the posted record of a kind, looked up through the gate; None if none was chosen."""
        text = request.form.get(name, "").strip()
        if not text:
            return None
        number = id_of(text)
        found = session().get(model, number) if number is not None else None
        if found is None or (isinstance(found, Ticket) and found.number is None):
            raise Invalid(_("所选的记录不存在，或不在您的权限范围内，请重新选择。"))
        return found

    @expose("/move/<int:pk>/<any(up, down):way>", methods=["POST"])
    @has_access
    def move(self, pk: int, way: str) -> Any:
        """Move a point up or down."""
        item = self._item(pk)
        number = item.meeting_id
        with unit_of_work() as database:
            agenda.move_item(database, item, way == "up")
        return self._back(number, f"item-{pk}")

    @expose("/discuss/<int:pk>", methods=["POST"])
    @has_access
    def discuss(self, pk: int) -> Any:
        """Keep a point's title and what was said about it."""
        item = self._item(pk)
        number = item.meeting_id
        title = request.form.get("title", "").strip()
        said = request.form.get("discussion", "").replace("\r\n", "\n").strip()
        try:
            with unit_of_work() as database:
                agenda.discuss(database, item, title, said)
        except Refused as refusal:
            return self._refused(number, refusal)
        flash(_("已保存。"), "success")
        return self._back(number, f"item-{pk}")

    @expose("/remove/<int:pk>", methods=["POST"])
    @has_access
    def remove(self, pk: int) -> Any:
        """Take a point off the agenda."""
        item = self._item(pk)
        number = item.meeting_id
        try:
            with unit_of_work() as database:
                agenda.remove_item(database, item)
        except Refused as refusal:
            return self._refused(number, refusal)
        flash(_("已移出议题。"), "success")
        return self._back(number)

    # Select boxes

    @expose("/tickets")
    @has_access
    def tickets(self) -> Response:
        """Answer the select box of tickets, the newest first."""
        return ticket_options(select(Ticket).where(Ticket.number.is_not(None)))

    @expose("/problems")
    @has_access
    def problems(self) -> Response:
        """Answer the select box of problems that are still watched."""
        statement = select(RecurringProblem).where(RecurringProblem.status.in_(WATCHED))
        return options_of(statement, RecurringProblem, request.args.get("q", ""))

    @expose("/meetings")
    @has_access
    def meetings(self) -> Response:
        """Answer the select box of meetings that are not over."""
        return options_of(_open_meetings(), CoordinationMeeting, request.args.get("q", ""))

    # How the routes work

    def _meeting(self, pk: int) -> CoordinationMeeting:
        """Return a meeting that the actor may edit, or answer 404."""
        page: Any = view_of(CoordinationMeeting)
        meeting: CoordinationMeeting = page.found(pk)
        if not writable(page, meeting, Action.EDIT):
            abort(404)
        return meeting

    def _item(self, pk: int) -> MeetingItem:
        found = session().get(MeetingItem, pk) if pk <= LARGEST_ID else None
        if found is None:
            abort(404)
        self._meeting(found.meeting_id)
        return found

    def _refused(self, pk: int, refusal: Refused) -> Any:
        flash(refusal.message, "danger")
        page: Any = view_of(CoordinationMeeting)
        return page.shown(page.found(pk), refusal.status)

    def _back(self, pk: int, at: str = "agenda") -> Response:
        return redirect(f"{url_for('MeetingView.show', pk=pk)}#{at}")


def _open_meetings() -> Select[Any]:
    """Return the meetings whose agenda the actor may still write."""
    return select(CoordinationMeeting).where(
        CoordinationMeeting.status.in_(agenda.ARRANGED),
        criterion(actor(), CoordinationMeeting, Action.EDIT),
    )
