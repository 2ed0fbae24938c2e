"""Bulk actions: rows are ticked, the fields are asked once, and each record is judged by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from flask import abort, redirect, request
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from flask_babel import ngettext, pgettext
from sqlalchemy import select

from models.ticket import Ticket
from rules import workflow
from rules.errors import Invalid, Refused
from rules.step_inputs import fitting
from rules.workflow import Step
from rules.workflows.ticket_review import due_step
from views import kept_lists, listing, steps
from views.context import actor, session, unit_of_work
from views.flow import FlowView
from views.presentation import BulkAction, Crumb, FormGroup

#: Records that one page of results tells about.
MOST = 100


@dataclass(frozen=True)
class Outcome:
    """What became of one record: ``done``, or the sentence why not."""

    title: str
    url: str | None
    done: bool
    sentence: str


class StepsAtOnce(FlowView):
    """A view by which one step is taken on many records; each is judged by itself."""

    #: Steps that make sense for many at once: what they ask for is the same for all.
    bulk_actions: ClassVar[tuple[str, ...]] = ()

    def bulk_shared(self, step: Step) -> tuple[str, ...]:
        """Return which inputs of a step are asked once for all; ``bulk_values`` has the others."""
        return tuple(each.name for each in step.inputs)

    def bulk_values(self, record: Any, step: Step) -> dict[str, Any]:
        """Return what a step takes that is each record's own; raise ``Refused`` if it is not known."""
        return {}

    def bulk_state(self, record: Any) -> str:
        """Return how a record stands after its step, as the page of results says it."""
        return _(record.status.title)

    def bulk_offers(self) -> list[BulkAction]:
        """Return the steps that people with the actor's roles take at all, as buttons."""
        if not self.may("can_bulk"):
            return []
        return [
            BulkAction(pgettext("step", step.label), self._filtered("bulk", action=step.action))
            for step in map(self._bulk_step, self.bulk_actions)
            if step is not None and any(role in actor().roles for role, _relation in step.who)
        ]

    def _filtered(self, page: str, **values: Any) -> str:
        """Return an address that keeps the filters which the rows were ticked under."""
        asked = kept_lists.asked_of(self, request.args.items())
        return self.url(page, **values) + (f"?{asked}" if asked else "")

    def _bulk_step(self, action: str) -> Step | None:
        table = workflow.workflow_of(self.model)
        return table.step(action) if table and action in self.bulk_actions else None

    @expose("/bulk/<action>", methods=["GET", "POST"])
    @has_access
    def bulk(self, action: str) -> Any:
        """Ask for the step's fields once, or take the step on each record that was ticked."""
        step = self._bulk_step(action)
        if step is None or not any(role in actor().roles for role, _relation in step.who):
            abort(404)
        if request.method == "GET":
            return redirect(self._filtered("list"))
        ids = ticked()
        found = self._records(ids)
        step = _asking(step, found.values(), self.bulk_shared(step))
        form = self._bulk_form(step, found)
        if form is None:
            return self._results(step, [self._missing(each) for each in ids])
        if request.form.get("confirmed") != "1":
            return self._ask(step, form, ids, found)
        if not form.validate():
            return self._ask(step, form, ids, found), 422
        data = steps.data_of(next(iter(found.values())), step, form)
        return self._results(step, [self._take(each, step, data) for each in ids])

    def _records(self, ids: list[int]) -> dict[int, Any]:
        """Return the records in scope by id: others are as if they were not there."""
        statement = select(self.model).where(self.model.id.in_(ids)).options(*self.detail_loads())
        return {each.id: each for each in session().scalars(statement).unique()}

    def _bulk_form(self, step: Step, found: dict[int, Any]) -> steps.StepForm | None:
        """Return the step's form over the first of the records, whose places it offers."""
        if not found:
            return None
        confirmed = request.form.get("confirmed") == "1"
        form = steps.step_form(self, next(iter(found.values())), step, posted=confirmed)
        if not confirmed:
            for field in form:
                # What one ticket's duty item suggests is not meant for the others.
                if field.name in ("lead", "assisting"):
                    field.data = [] if field.name == "assisting" else None
        return form

    def _ask(self, step: Step, form: steps.StepForm, ids: list[int], found: dict[int, Any]) -> Any:
        label = pgettext("step", step.label)
        title = _("批量%(step)s", step=label)
        return self.render_template(
            "bulk.html",
            view_title=title,
            form=form,
            groups=[FormGroup("", [each.name for each in step.inputs])],
            ids=ids,
            noun=self.noun,
            records=[str(found[each]) for each in ids if each in found],
            missing=len(ids) - len(found),
            step_label=label,
            step_help=_(step.help) if step.help else "",
            action_url=self._filtered("bulk", action=step.action),
            cancel_url=self._filtered("list"),
            crumbs=[Crumb(self.titled("list", self.noun), self._filtered("list")), Crumb(title)],
        )

    def _take(self, number: int, step: Step, data: dict[str, Any]) -> Outcome:
        """Take the step on one record in a transaction of its own."""
        title, url = "", self.url("show", pk=number)
        try:
            with unit_of_work() as database:
                statement = select(self.model).where(self.model.id == number)
                record = database.scalars(statement.options(*self.detail_loads())).unique().first()
                if record is None:
                    return self._missing(number)
                title = str(record)
                whole = self._bulk_step(step.action) or step
                given = data | self.bulk_values(record, whole)
                workflow.apply(database, record, step.action, actor(), given)
                state = self.bulk_state(record)
        except Refused as refusal:
            return Outcome(title, url, False, refusal.message)
        return Outcome(title, url, True, _("已办理，现在是“%(state)s”。", state=state))

    def _missing(self, number: int) -> Outcome:
        return Outcome(
            _("编号 %(id)s", id=number), None, False, _("没有找到这一条。请回到列表重新勾选。")
        )

    def _results(self, step: Step, outcomes: list[Outcome]) -> Any:
        done = sum(each.done for each in outcomes)
        title = _("批量%(step)s的结果", step=pgettext("step", step.label))
        return self.render_template(
            "bulk_results.html",
            view_title=title,
            outcomes=outcomes,
            noun=self.noun,
            done_text=ngettext("办成 %(num)d 条", "办成 %(num)d 条", done),
            failed=len(outcomes) - done,
            list_url=self._filtered("list"),
            crumbs=[Crumb(self.titled("list", self.noun), self._filtered("list")), Crumb(title)],
        )


class TicketBulk(StepsAtOnce):
    """The part of the ticket's view that takes one step on many tickets."""

    bulk_actions: ClassVar[tuple[str, ...]] = ("approve", "dispatch", "accept", "close")

    def bulk_state(self, record: Ticket) -> str:
        """Under review, say for which step: the same people may have to take that one too."""
        step, state = due_step(record), super().bulk_state(record)
        return _("%(state)s（%(step)s）", state=state, step=step.name) if step else state


def _asking(step: Step, records: Iterable[Any], shared: tuple[str, ...]) -> Step:
    """Return the step with the inputs that are asked once for all, of any of the records."""
    asked = {each for record in records for each in fitting(step.inputs, record)}
    return replace(
        step, inputs=tuple(each for each in step.inputs if each in asked and each.name in shared)
    )


def ticked() -> list[int]:
    """Return the ids that were ticked, each once; all of the page's, if that was ticked.

    Raises ``Invalid`` for none, for too many, and for what is no id.
    """
    names = ["ids", "page_ids"] if request.form.get("all") == "1" else ["ids"]
    texts = [text for name in names for text in request.form.getlist(name)]
    ids = [listing.id_of(text) for text in dict.fromkeys(texts)]
    known = [each for each in ids if each is not None]
    if not known or len(known) < len(ids):
        raise Invalid(_("请先在列表里勾选要办理的。"))
    if len(known) > MOST:
        raise Invalid(_("一次最多办理 %(n)s 条，请分几次办理。", n=MOST))
    return known
