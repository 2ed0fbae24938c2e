"""The route by which a person takes a workflow step, for every record type that has a workflow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import abort, flash, redirect, request
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from flask_babel import pgettext

from rules import locking, workflow
from rules.errors import Refused
from rules.mechanisms import asked_once
from rules.step_inputs import fitting
from views import steps
from views.context import actor, session, unit_of_work
from views.details import DetailPage
from views.listing import LARGEST_ID
from views.presentation import Detail
from views.queries import Options
from views.records import RecordView


class FlowView(RecordView):
    """A record view whose records have a status kept by ``rules.workflow``."""

    #: What is asked along with a record for a step, besides ``step_loads``.
    step_asides: tuple[locking.Aside, ...] = ()

    @expose("/step/<int:pk>/<action>", methods=["POST"])
    @has_access
    def step(self, pk: int, action: str) -> Any:
        """Take a step; what was typed is shown again if it is refused."""
        table = workflow.workflow_of(self.model)
        step = table.step(action) if table else None
        if step is None or not step.who:
            abort(404)
        record = self.found_to_act(pk, action)
        with asked_once(session()):
            self.look_ahead(record, action)
            return self._taken(record, replace(step, inputs=fitting(step.inputs, record)))

    def _taken(self, record: Any, step: workflow.Step) -> Any:
        action, pk = step.action, record.id
        label = pgettext("step", step.label)
        form = steps.step_form(self, record, step, posted=True)
        typed = [Detail(label, text, wide=True) for label, text in steps.typed(record, step, form)]
        if not form.validate():
            sentences = [text for errors in form.errors.values() for text in errors]
            flash(_("%(step)s：%(problems)s", step=label, problems=" ".join(sentences)), "danger")
            return self.shown(self.found(pk), 422, kept=typed, refused=(action, form))
        try:
            with unit_of_work() as database:
                workflow.apply(
                    database,
                    record,
                    action,
                    actor(),
                    steps.data_of(record, step, form),
                    seen_status=form.seen_status.data or None,
                )
        except Refused as refusal:
            flash(refusal.message, "danger")
            fresh = self.found(pk)
            steps.take_back(form, fresh, step, refusal.message, refusal.fields)
            return self.shown(fresh, refusal.status, kept=typed, refused=(action, form))
        flash(_("已办理“%(step)s”。", step=label), "success")
        return redirect(self.after_step(pk))

    def shown(self, record: Any, status: int = 200, **more: Any) -> Any:
        """Render a record's page; a step that was ``refused`` is shown as it was filled in.

        Where the step is over, what was written for it is ``kept`` to be copied.
        """
        refused, kept = more.pop("refused", None), more.pop("kept", [])
        context = self.page_of(record, refused).context()
        if refused and any(button.name == refused[0] for button in context["buttons"]):
            kept = []
        return self.render_template(self.show_template, **(context | more | {"kept": kept})), status

    def page_of(self, record: Any, refused: tuple[str, steps.StepForm] | None = None) -> DetailPage:
        """Return the page of a record; ``refused`` is a step whose form was not accepted."""
        return DetailPage(self, record, refused)

    def found_to_act(self, pk: int, action: str) -> Any:
        """Return the record for a step, or answer 404. It is locked as it is found.

        Unless files came along: to look through pictures takes longer than others should wait.
        """
        if request.files:
            return self.found(pk, self.step_loads(action))
        if pk > LARGEST_ID:
            abort(404)
        loads = tuple(self.step_loads(action))
        return locking.found(session(), self.model, pk, loads, self.step_asides) or abort(404)

    def step_loads(self, action: str) -> Options:
        """Return loader options for taking a step: records that the row must lead to, joined.

        What hangs from it is read under its lock.
        """
        return []

    def look_ahead(self, record: Any, action: str) -> None:
        """Read at once what a step is going to ask for; by itself it asks for one thing at a time."""

    def after_step(self, pk: int) -> str:
        """Return where a step leads: the record, or the list if it left the actor's scope."""
        return self.url("show", pk=pk)
