"""Workflow steps as buttons with just the fields that each step needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from flask_babel import pgettext
from flask_wtf import FlaskForm
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload
from wtforms import DateField, HiddenField, IntegerField, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from models.check_in import CheckIn
from models.grade import Grade
from models.organization import Organization
from rules import workflow
from rules.mechanisms import dimensions_of
from rules.workflow import Input, Step
from rules.workflows.check_ins import SERVING
from rules.workflows.ticket_effects import DISPATCHABLE, active
from views.context import actor, session
from views.forms import RecordSelectField, choice_text, chooser
from views.presentation import Button, FormGroup

if TYPE_CHECKING:
    from views.records import RecordView


class StepForm(FlaskForm):
    """The fields of one step; ``seen_status`` is the state that the person was shown."""

    seen_status = HiddenField()


def buttons(view: RecordView, record: Any) -> list[Button]:
    """Return the steps that the actor may take now; what is refused is not shown."""
    return [
        Button(
            name=step.action,
            label=pgettext("step", step.label),
            url=view.url("step", pk=record.id, action=step.action),
            tone=step.tone,
            form=step_form(view, record, step),
            groups=_groups(record, step),
            help=_(step.help) if step.help else "",
        )
        for step in workflow.available(session(), record, actor())
    ]


def receivers(record: Any) -> Select[Any]:
    """Return the organisations that a ticket may be sent to: its own county's or city's."""
    realms = [line.ancestor_id for line in record.organization.lines]
    return select(Organization).where(
        Organization.kind.in_(DISPATCHABLE),
        Organization.active,
        Organization.realm_id.in_(realms),
    )


def claimants(need: Any) -> Select[Any]:
    """Return the party members at their posts in a need's community; the gate narrows them."""
    return (
        select(CheckIn)
        .where(CheckIn.community_id == need.community_id, CheckIn.status.in_(SERVING))
        .options(joinedload(CheckIn.unit))
    )


#: Kind of input → the route that answers its select box, what may be chosen, the record type.
_CHOSEN: dict[str, tuple[str, Callable[[Any], Select[Any]], type[Any]]] = {
    "organization": ("receivers", receivers, Organization),
    "organizations": ("receivers", receivers, Organization),
    "check_in": ("claimants", claimants, CheckIn),
}


def _groups(record: Any, step: Step) -> list[FormGroup]:
    """Return a step's fields in groups: the grades of each department, then everything else."""
    by_department: dict[str, list[str]] = {}
    if any(each.kind == "grades" for each in step.inputs):
        for name, department, _dimension in _grades(record):
            by_department.setdefault(department, []).append(name)
    others = [each.name for each in step.inputs if each.kind != "grades"]
    groups = [FormGroup(department, names) for department, names in by_department.items()]
    return [*groups, FormGroup("", others)]


def field_names(record: Any, step: Step) -> list[str]:
    """Return a step's fields; a grades input is one field for each department and dimension."""
    return [name for group in _groups(record, step) for name in group.fields]


def _grades(record: Any) -> list[tuple[str, str, str]]:
    """Return the grades to give: (field's name, department, dimension)."""
    return [
        (
            f"grade-{part.organization_id}-{dimension.id}",
            part.organization.name,
            dimension.name,
        )
        for part in active(record)
        for dimension in dimensions_of(record.whistle_class)
    ]


def step_form(view: RecordView, record: Any, step: Step, posted: bool = False) -> StepForm:
    """Return the form of a step, filled from the request only if it was this step's that came."""
    fields: dict[str, Any] = {}
    for each in step.inputs:
        if each.kind == "grades":
            for name, department, dimension in _grades(record):
                choices = [(grade.value, _(grade.title)) for grade in Grade]
                full = _(
                    "%(department)s的%(dimension)s", department=department, dimension=dimension
                )
                needed = [InputRequired(_("请评价“%(label)s”。", label=full))]
                fields[name] = RadioField(dimension, choices=choices, validators=needed)
        else:
            fields[each.name] = _field(view, record, each)
    kind = type("StepForm", (StepForm,), fields)
    # Several forms stand on one page: their fields must not share ids.
    form: StepForm = kind() if posted else kind(formdata=None)
    for field in form:
        field.id = f"{step.action}-{field.name}"
    if not posted:
        # A step that leaves the state as it is does not grow stale when others move it on: an
        # assisting department may report while the lead arrives.
        form.seen_status.data = record.status.value if step.to is not None else ""
        _suggest(record, step, form)
    return form


def _suggest(record: Any, step: Step, form: StepForm) -> None:
    """Fill in the departments that the duty item names: the first leads, the others assist."""
    if step.action != "dispatch" or record.duty_item is None:
        return
    named = [link.organization for link in record.duty_item.departments]
    if named:
        form["lead"].data = named[0]
        form["assisting"].data = named[1:]


def _field(view: RecordView, record: Any, each: Input) -> Any:
    label = _(each.label)
    help_text = _(each.help) if each.help else ""
    must_choose = InputRequired(_("请选择“%(label)s”。", label=label))
    if each.kind in _CHOSEN:
        route, choices_of, target = _CHOSEN[each.kind]
        return RecordSelectField(
            label,
            source=view.url(route, pk=record.id),
            choose=chooser(session(), choices_of(record), target),
            multiple=each.kind == "organizations",
            description=help_text,
            validators=[must_choose if each.required else Optional()],
        )
    needed = InputRequired(_("请填写“%(label)s”。", label=label))
    validators: list[Any] = [needed if each.required else Optional(strip_whitespace=True)]
    if each.kind == "grade":
        choices = [(grade.value, _(grade.title)) for grade in Grade]
        return RadioField(label, choices=choices, description=help_text, validators=[must_choose])
    if each.kind == "date":
        return DateField(label, description=help_text, validators=validators)
    if each.kind == "number":
        return IntegerField(label, description=help_text, validators=validators)
    limit = _("“%(label)s”最多 %(n)s 字。", label=label, n=each.max_length)
    validators.append(Length(max=each.max_length, message=limit))
    kind = TextAreaField if each.kind == "note" else StringField
    return kind(label, description=help_text, validators=validators)


def data_of(record: Any, step: Step, form: StepForm) -> dict[str, Any]:
    """Return what ``workflow.apply`` takes: organisations as ids, grades by department and dimension."""
    data: dict[str, Any] = {}
    for each in step.inputs:
        if each.kind == "grades":
            data[each.name] = {
                name.removeprefix("grade-").replace("-", ":"): form[name].data
                for name, _department, _dimension in _grades(record)
                if form[name].data
            }
        elif each.kind == "organization" or each.kind == "check_in":
            data[each.name] = form[each.name].data.id if form[each.name].data else None
        elif each.kind == "grade":
            data[each.name] = next(grade for grade in Grade if grade.value == form[each.name].data)
        elif each.kind == "organizations":
            data[each.name] = [organization.id for organization in form[each.name].data or []]
        else:
            data[each.name] = form[each.name].data
    return data


def typed(record: Any, step: Step, form: StepForm) -> list[tuple[str, str]]:
    """Return what the person wrote or chose, label by label, so that a refusal loses none of it."""
    kept = []
    for name in field_names(record, step):
        text = _said(form[name]) if not name.startswith("grade-") else ""
        if text:
            kept.append((str(form[name].label.text), text))
    return kept


def _said(field: Any) -> str:
    """Return a field's content as people read it."""
    value = field.data
    if value in (None, "", []):
        return ""
    if isinstance(field, RadioField):
        return next((str(choice.label.text) for choice in field if choice.checked), "")
    if isinstance(field, RecordSelectField):
        return _("、").join(choice_text(each) for each in (value if field.multiple else [value]))
    return str(value).strip()
