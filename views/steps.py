"""Workflow steps as buttons with just the fields that each step needs."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flask_babel import get_locale, pgettext
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload
from wtforms import DateField, HiddenField, IntegerField, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from models.base import Titled
from models.check_in import CheckIn
from models.grade import Grade
from models.meeting import MeetingDecision
from models.organization import Organization
from models.rating import Rater, Rating
from models.recurring import RecurringProblem
from models.ticket import Ticket
from rules import workflow
from rules.mechanisms import dimensions_of
from rules.organizations import above
from rules.problems import owners
from rules.wording import local
from rules.workflow import Input, Step
from rules.workflows.check_ins import SERVING
from rules.workflows.ticket_base import active, assisting
from rules.workflows.ticket_merge import OPEN
from rules.workflows.ticket_ratings import to_grade
from views.context import actor, session
from views.form_base import Form
from views.forms import RecordSelectField, TitledField, choice_text, chooser
from views.photos import PhotosField, pictures_of
from views.presentation import Button, FormGroup
from views.step_fields import (
    MomentField,
    Photographed,
    StarsField,
    StepSelectField,
    thumbnails,
)
from views.ticket_choices import receiver_of, receivers_in

if TYPE_CHECKING:
    from views.records import RecordView


class StepForm(Form):
    """The fields of one step; ``seen_status`` is the state that the person was shown."""

    seen_status = HiddenField()


def buttons(
    view: RecordView, record: Any, refused: tuple[str, StepForm] | None = None
) -> list[Button]:
    """Return the steps that the actor may take now; what is refused is not shown.

    ``refused`` is a step with the form that was not accepted: it is shown again as it was filled in.
    """
    action, posted = refused or ("", None)
    return [
        Button(
            name=step.action,
            label=pgettext("step", step.label),
            url=view.url("step", pk=record.id, action=step.action),
            tone=step.tone,
            form=posted if posted and step.action == action else step_form(view, record, step),
            groups=_groups(record, step),
            help=_(step.help) if step.help else "",
        )
        for step in workflow.available(session(), record, actor())
    ]


def take_back(
    form: StepForm, record: Any, step: Step, message: str, fields: dict[str, str]
) -> None:
    """Make a refused form ready to be sent again: with the reason, and for the state as it is now."""
    for name, sentence in fields.items():
        if name in form:
            form[name].errors = [*form[name].errors, sentence]
    if not form.errors:
        form.form_errors.append(message)
    form.seen_status.raw_data = None
    form.seen_status.data = _seen(record, step)


def _seen(record: Any, step: Step) -> str:
    """Return the state that a form is for.

    A step that leaves the state as it is does not grow stale when others move it on: an assisting
    department may report while the lead arrives.
    """
    return workflow.seen(record) if step.to is not None else ""


def receivers(record: Any, action: str = "") -> Select[Any]:
    """Return the organisations that a step may name: the ticket's own county's or city's.

    Who is to be taken off is at work on it; who is to come is not yet.
    """
    if action == "remove_assisting":
        ids = [part.organization_id for part in assisting(record)]
        return select(Organization).where(Organization.id.in_(ids))
    if isinstance(record, MeetingDecision | RecurringProblem):
        return owners(record)
    found = receivers_in(above(record.organization))
    if action == "hand_over":
        return found.where(Organization.id != record.lead_id)
    if action == "add_assisting":
        at_work = [part.organization_id for part in active(record)]
        return found.where(Organization.id.not_in(at_work))
    return found


def claimants(need: Any) -> Select[Any]:
    """Return the party members at their posts in a need's community; the gate narrows them."""
    return (
        select(CheckIn)
        .where(CheckIn.community_id == need.community_id, CheckIn.status.in_(SERVING))
        .options(joinedload(CheckIn.unit))
    )


def twins(ticket: Any) -> Select[Any]:
    """Return the open tickets of a ticket's own county or city, newest first, without itself."""
    return (
        select(Ticket)
        .join(Ticket.organization)
        .where(
            Ticket.id != ticket.id,
            Ticket.status.in_(OPEN),
            Organization.realm_id == ticket.organization.realm_id,
        )
        .order_by(Ticket.id.desc())
    )


#: Kind of input → the route that answers its select box, what may be chosen, the record type.
_CHOSEN: dict[str, tuple[str, Callable[[Any, str], Select[Any]], type[Any]]] = {
    "organization": ("receivers", receivers, Organization),
    "organizations": ("receivers", receivers, Organization),
    "check_in": ("claimants", lambda record, _action: claimants(record), CheckIn),
    "ticket": ("twins", lambda record, _action: twins(record), Ticket),
}


def _groups(record: Any, step: Step) -> list[FormGroup]:
    """Return a step's fields in groups: the grades of each department, then everything else."""
    by_department: dict[str, list[str]] = {}
    if any(each.kind == "grades" for each in step.inputs):
        for name, department, _dimension in _grades(record, step.action):
            by_department.setdefault(department, []).append(name)
    others = [each.name for each in step.inputs if each.kind != "grades"]
    groups = [FormGroup(department, names) for department, names in by_department.items()]
    return [*groups, FormGroup("", others)]


def field_names(record: Any, step: Step) -> list[str]:
    """Return a step's fields; a grades input is one field for each department and dimension."""
    return [name for group in _groups(record, step) for name in group.fields]


def _grades(record: Any, action: str) -> list[tuple[str, str, str]]:
    """Return the grades to give: (field's name, department, dimension)."""
    return [
        (
            f"grade-{part.organization_id}-{dimension.id}",
            part.organization.name,
            dimension.name,
        )
        for part in to_grade(record, action)
        for dimension in dimensions_of(record.whistle_class)
    ]


def step_form(view: RecordView, record: Any, step: Step, posted: bool = False) -> StepForm:
    """Return the form of a step, filled from the request only if it was this step's that came."""
    kind = _kind(record, step)
    # Several forms stand on one page: their fields must not share ids.
    asked = {"asked": (view, record)}
    form: StepForm = kind(meta=asked) if posted else kind(formdata=None, meta=asked)
    for field in form:
        field.id = f"{step.action}-{field.name}"
    if not posted:
        form.seen_status.data = _seen(record, step)
        _suggest(record, step, form)
    return form


def _kind(record: Any, step: Step) -> type[StepForm]:
    """Return the class of a step's form, which is made once for each that asks the same."""
    graded = any(each.kind == "grades" for each in step.inputs)
    grades = tuple(_grades(record, step.action)) if graded else ()
    return _kept_kind(step.inputs, step.action, grades, str(get_locale()))


@lru_cache(maxsize=512)
def _kept_kind(
    inputs: tuple[Input, ...],
    action: str,
    grades: tuple[tuple[str, str, str], ...],
    _locale: str,
) -> type[StepForm]:
    """Make the class of a form, in the words of one language: of these things, and of nothing else.

    A grades input is one field for each department and dimension.
    """
    fields: dict[str, Any] = {}
    for each in inputs:
        if each.kind == "grades":
            for name, department, dimension in grades:
                fields[name] = _grade_field(department, dimension, each.required)
        elif each.kind in _CHOSEN:
            fields[each.name] = _choosing(action, each)
        else:
            fields[each.name] = _field(each)
    return type("StepForm", (StepForm,), fields)


def _grade_field(department: str, dimension: str, required: bool) -> RadioField:
    choices = [(grade.value, _(grade.title)) for grade in Grade]
    full = _("%(department)s的%(dimension)s", department=department, dimension=dimension)
    needed = InputRequired(_("请评价“%(label)s”。", label=full))
    return RadioField(dimension, choices=choices, validators=[needed if required else Optional()])


#: Steps that change what was given before, and on whose behalf it was.
_AMENDING = {"amend_rating": Rater.RAISER, "amend_assisting": Rater.LEAD}


def _suggest(record: Any, step: Step, form: StepForm) -> None:
    """Fill in what is known: the departments that the duty item names, the grades as they stand."""
    for each in step.inputs:
        if each.known is not None:
            form[each.name].data = each.known(record)
    if step.action in _AMENDING:
        _as_it_stands(record, step.action, form)
    if step.action != "dispatch" or record.duty_item is None:
        return
    named = [link.organization for link in record.duty_item.departments]
    if named:
        form["lead"].data = named[0]
        form["assisting"].data = named[1:]


def _as_it_stands(record: Any, action: str, form: StepForm) -> None:
    """Show the grades and stars that are to be changed."""
    known: dict[str, Rating] = {}
    for each in record.ratings:
        if each.rater is _AMENDING[action]:
            # In the order of rounds and revisions: the last one stands.
            known[f"grade-{each.organization_id}-{each.dimension_id}"] = each
    for name, grade in known.items():
        if name in form:
            form[name].data = grade.grade.value
    for name in ("stars", "stars_comment"):
        if name in form:
            form[name].data = getattr(record, name)


def _narrowed(action: str) -> dict[str, str]:
    """Return what the address of a select box says of the step, where that narrows its choices."""
    narrow = ("hand_over", "add_assisting", "remove_assisting")
    return {"step": action} if action in narrow else {}


def _choosing(action: str, each: Input) -> Any:
    label = _(each.label)
    route, choices_of, target = _CHOSEN[each.kind]
    must_choose = InputRequired(_("请选择“%(label)s”。", label=label))

    def address(asked: tuple[RecordView, Any]) -> str:
        view, record = asked
        return view.url(route, pk=record.id, **_narrowed(action))

    def choose(asked: tuple[RecordView, Any], number: int) -> Any:
        record = asked[1]
        if action == "dispatch" and isinstance(record, Ticket):
            return receiver_of(session(), record, number)
        return chooser(session(), choices_of(record, action), target)(number)

    return StepSelectField(
        label,
        address_of=address,
        choose_of=choose,
        multiple=each.kind == "organizations",
        description=_(each.help) if each.help else "",
        validators=[must_choose if each.required else Optional()],
    )


def _field(each: Input) -> Any:
    label = _(each.label)
    help_text = _(each.help) if each.help else ""
    must_choose = InputRequired(_("请选择“%(label)s”。", label=label))
    needed = InputRequired(_("请填写“%(label)s”。", label=label))
    validators: list[Any] = [needed if each.required else Optional(strip_whitespace=True)]
    if each.kind == "grade":
        choices = [(grade.value, _(grade.title)) for grade in Grade]
        return RadioField(label, choices=choices, description=help_text, validators=[must_choose])
    if each.members is not None:
        return TitledField(label, each.members, description=help_text, validators=[must_choose])
    if each.kind == "photos":
        chosen = (
            [Photographed(_("请拍照或选择“%(label)s”。", label=label))] if each.required else []
        )
        return PhotosField(label, description=help_text, validators=chosen)
    if each.kind == "moment":
        return MomentField(label, description=help_text, validators=validators)
    if each.kind == "stars":
        needed_stars = [must_choose] if each.required else [Optional()]
        return StarsField(
            label, required=each.required, description=help_text, validators=needed_stars
        )
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
                for name, _department, _dimension in _grades(record, step.action)
                if form[name].data
            }
        elif each.kind in ("organization", "check_in", "ticket"):
            data[each.name] = form[each.name].data.id if form[each.name].data else None
        elif each.kind == "photos":
            data[each.name] = pictures_of(form[each.name])
        elif each.kind == "grade":
            given = form[each.name].data
            data[each.name] = next((grade for grade in Grade if grade.value == given), None)
        elif each.kind == "organizations":
            data[each.name] = [organization.id for organization in form[each.name].data or []]
        else:
            data[each.name] = form[each.name].data
    return data


def typed(record: Any, step: Step, form: StepForm) -> list[tuple[str, Markup | str]]:
    """Return what the person wrote or chose, label by label, so that a refusal loses none of it."""
    kept = []
    for name in field_names(record, step):
        text = _said(form[name]) if not name.startswith("grade-") else ""
        if text:
            kept.append((str(form[name].label.text), text))
    return kept


def _said(field: Any) -> Markup | str:
    """Return a field's content as people read it."""
    value = field.data
    if value in (None, "", []):
        return ""
    if isinstance(field, PhotosField):
        return thumbnails(pictures_of(field))
    if isinstance(field, MomentField):
        return local(value)
    if isinstance(value, Titled):
        return _(value.title)
    if isinstance(field, RadioField):
        return next((str(choice.label.text) for choice in field if choice.checked), "")
    if isinstance(field, RecordSelectField):
        return _("、").join(choice_text(each) for each in (value if field.multiple else [value]))
    return str(value).strip()
