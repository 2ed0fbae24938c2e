"""The editor's form over a whole mechanism: every cell as it was typed, until all of it is right."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from flask_babel import gettext as _
from wtforms import (
    BooleanField,
    Field,
    FieldList,
    Form,
    FormField,
    SelectField,
    StringField,
    TextAreaField,
)

from models.base import Titled
from models.grade import Grade
from models.mechanism import (
    EligibilityRule,
    LowRating,
    Mechanism,
    RatingDimension,
    ReviewLevel,
    ReviewStep,
    WhistleClass,
)
from presets.mechanism_plan import SETTINGS
from rules.deadlines import WARNING_UNITS, Unit
from views.forms import RecordForm
from views.mechanism_values import Faults, Values
from views.rendering import help_of, label_of

LISTS = ("classes", "route", "dimensions")
_MODELS: dict[str, type[Any]] = {
    "classes": WhistleClass,
    "route": ReviewStep,
    "dimensions": RatingDimension,
}
#: What a mechanism's own clock cannot wait for once a ticket is sent back.
_FIX_UNITS = tuple(unit for unit in Unit if unit not in (Unit.per_item, Unit.at_dispatch))

Choices = Callable[[], list[tuple[str, str]]]


def _units(units: Iterable[Unit]) -> Choices:
    def choices() -> list[tuple[str, str]]:
        named = [(unit.value, _(unit.label)) for unit in Unit if unit in units]
        return [("", _("不设")), *named]

    return choices


def _members(members: type[Titled]) -> Choices:
    return lambda: [(member.value, _(member.title)) for member in members]


def _select(choices: Choices) -> SelectField:
    # What was posted is judged with all the rest, so that every fault is told at once.
    return SelectField(choices=choices, validate_choice=False)


class TermFields(Form):
    """A time limit: how many of what."""

    amount = StringField()
    unit = _select(_units(Unit))


class WarnFields(TermFields):
    """How long before a deadline."""

    unit = _select(_units(WARNING_UNITS))


class FixFields(TermFields):
    """A time limit that runs from the rating."""

    unit = _select(_units(_FIX_UNITS))


class ClassFields(Form):
    """A whistle class with its nine terms."""

    name = StringField()
    code = StringField()
    description = TextAreaField()
    direct_dispatch = BooleanField()
    respond_term = FormField(TermFields)
    arrive_term = FormField(TermFields)
    resolve_term = FormField(TermFields)
    respond_warn = FormField(WarnFields)
    arrive_warn = FormField(WarnFields)
    resolve_warn = FormField(WarnFields)
    assist_respond_term = FormField(TermFields)
    assist_arrive_term = FormField(TermFields)
    assist_resolve_term = FormField(TermFields)


class StepFields(Form):
    """A step of the review route."""

    name = StringField()
    level = _select(_members(ReviewLevel))


class DimensionFields(Form):
    """A rating dimension."""

    name = StringField()
    code = StringField()
    weight = StringField()


class MechanismForm(RecordForm):
    """All of a mechanism; ``version`` says which state of it the person was shown."""

    name = StringField()
    eligibility = _select(_members(EligibilityRule))
    working_hours = StringField()
    grid_route = BooleanField()
    returns_allowed = BooleanField()
    return_cap = StringField()
    extension_cap = StringField()
    lead_rates_assisting = BooleanField()
    resident_stars = BooleanField()
    low_grade = _select(_members(Grade))
    low_action = _select(_members(LowRating))
    fix_term = FormField(FixFields)
    amend_hours = StringField()
    classes = FieldList(FormField(ClassFields))
    route = FieldList(FormField(StepFields))
    dimensions = FieldList(FormField(DimensionFields))


def posted() -> Values:
    """Return what the request's form holds."""
    return _without_noise(MechanismForm().data)


def form_of(values: Values, version: int) -> MechanismForm:
    """Return the form that shows the values, its rows numbered from 0 and its fields named."""
    form = MechanismForm(formdata=None, data=values | {"version": str(version)})
    for field in form:
        if field.short_name in (*SETTINGS, "working_hours"):
            field.label.text = label_of(Mechanism, field.short_name)
            field.description = help_of(Mechanism, field.short_name)
    form.working_hours.description = _(
        "写成 08:30–12:00，14:00–18:00；用到“工作小时”时必填，其他时候可以不填。"
    )
    form.fix_term.description = _("自动退回重办时必填，从评价之时算起。")
    for name in LISTS:
        for row in form[name]:
            for field in row.form:
                field.label.text = label_of(_MODELS[name], field.short_name)
    for name in ("classes", "dimensions"):
        for row in form[name]:
            row.form["code"].label.text = _("代码")
    return form


def _without_noise(values: Values) -> Values:
    return {name: value for name, value in values.items() if name not in ("csrf_token", "version")}


# Rows


def move_row(values: Values, wanted: str) -> Values:
    """Return the values with a row added, removed or moved.

    ``wanted`` is "classes-add", or "route-2-remove", "…-up", "…-down"; anything else changes nothing.
    """
    found = re.fullmatch(r"(classes|route|dimensions)-(?:(\d{1,3})-)?(add|remove|up|down)", wanted)
    if found is None:
        return values
    name, number, action = found.groups()
    rows = list(values[name])
    if action == "add":
        rows.append({})
        return values | {name: rows}
    index = int(number or 0)
    other = {"up": index - 1, "down": index + 1}.get(action, index)
    if not (0 <= index < len(rows) and 0 <= other < len(rows)):
        return values
    row = rows.pop(index)
    if action == "remove":
        return values | {name: rows}
    rows.insert(other, row)
    return values | {name: rows}


# Faults


def mark(form: MechanismForm, faults: Faults) -> list[tuple[str, str, str]]:
    """Put each sentence at its field; return (field's id, its name, sentence) for the summary."""
    told = []
    for place, sentence in faults.items():
        field, name = _field_at(form, place)
        field.errors = [*field.errors, sentence]
        told.append((field.id, name, sentence))
    return told


def _field_at(form: MechanismForm, place: str) -> tuple[Field, str]:
    """Return the field of a place in the plan, and what the summary calls it."""
    titles = {"classes": _("哨种"), "route": _("审核环节"), "dimensions": _("评价维度")}
    if place in titles:
        return form[place], titles[place]
    if "-" in place:
        name, index, column = place.split("-", 2)
        field = form[name][int(index)].form[column]
        called = _(
            "%(list)s %(n)s · %(field)s",
            list=titles[name],
            n=int(index) + 1,
            field=field.label.text,
        )
    else:
        field = form[place]
        called = str(field.label.text)
    return (field.form["amount"] if isinstance(field, FormField) else field), called
