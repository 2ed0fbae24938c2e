"""The route by which a person takes a workflow step, for every record type that has a workflow."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from flask_babel import pgettext

from rules import workflow
from rules.errors import Refused
from views import steps
from views.context import actor, unit_of_work
from views.presentation import Detail
from views.records import RecordView


class FlowView(RecordView):
    """A record view whose records have a status kept by ``rules.workflow``."""

    @expose("/step/<int:pk>/<action>", methods=["POST"])
    @has_access
    def step(self, pk: int, action: str) -> Any:
        """Take a step; what was typed is shown again if it is refused."""
        record = self.found(pk)
        table = workflow.workflow_of(self.model)
        step = table.step(action) if table else None
        if step is None or not step.who:
            abort(404)
        label = pgettext("step", step.label)
        form = steps.step_form(self, record, step, posted=True)
        typed = [Detail(label, text, wide=True) for label, text in steps.typed(record, step, form)]
        if not form.validate():
            sentences = [text for errors in form.errors.values() for text in errors]
            flash(_("%(step)s：%(problems)s", step=label, problems=" ".join(sentences)), "danger")
            return self.shown(self.found(pk), 422, kept=typed)
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
            return self.shown(self.found(pk), refusal.status, kept=typed)
        flash(_("已办理“%(step)s”。", step=label), "success")
        return redirect(self.after_step(pk))

    def after_step(self, pk: int) -> str:
        """Return where a step leads: the record, or the list if it left the actor's scope."""
        return self.url("show", pk=pk)
