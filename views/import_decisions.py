"""The forms by which a person settles what a workbook leaves open: columns, and who is meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from flask_babel import gettext as _
from flask_wtf import FlaskForm
from sqlalchemy import Select, select
from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField
from wtforms.validators import Length, Optional

from imports.decisions import Decisions, Headings
from imports.text import name_key
from models.import_job import ImportJob
from models.organization import Organization, OrganizationKind
from rules.errors import Invalid
from rules.policy import Action, allows
from rules.scope import reachable
from views.context import actor, session
from views.forms import RecordSelectField, chooser

#: What may be said of an unknown name, beside one of the names like it.
LATER, OTHER, CREATE = "", "other", "create"
_LEFT_OUT = ""


class DecisionForm(FlaskForm):
    """A form over one state of a job: ``version`` says which the person has seen."""

    version = HiddenField()

    def about(self, job: ImportJob) -> Self:
        """Note which state of the job the page shows, unless the form has been sent; return it."""
        if not self.is_submitted():
            self.version.data = str(job.version)
        return self


@dataclass(frozen=True)
class HeadingLine:
    """A heading with its cell, and the name of the field that says which column it is."""

    cell: str
    text: str
    field: str


@dataclass(frozen=True)
class HeadingGroup:
    """A row of headings to be settled: the field that names the list, and a line a heading."""

    sheet: str
    row: int
    missing: list[str]
    list_field: str
    lines: list[HeadingLine]


def headings_form(job: ImportJob) -> tuple[FlaskForm, list[HeadingGroup]]:
    """Return the form that maps headings to columns, and how it is laid out."""
    fields: dict[str, Any] = {}
    groups = []
    for number, offer in enumerate(job.findings.get("offers", ())):
        list_field = f"list_{number}"
        lists = [(value, _(label)) for value, label in offer["lists"]]
        fields[list_field] = SelectField(
            _("这张表是"),
            choices=[("", _("请选择")), *lists, ("-", _("不导入这张表"))],
            default=offer["list_type"],
        )
        labels = dict.fromkeys(each for known in offer["columns"].values() for each in known)
        columns = [(_LEFT_OUT, _("不导入这一列")), *((each, _(each)) for each in labels)]
        lines = []
        for place, (cell, text, _key, taken) in enumerate(offer["headings"]):
            name = f"column_{number}_{place}"
            fields[name] = SelectField(text, choices=columns, default=taken)
            lines.append(HeadingLine(cell, text, name))
        groups.append(
            HeadingGroup(offer["sheet"], offer["row"], offer["missing"], list_field, lines)
        )
    kind: type[DecisionForm] = type("HeadingsForm", (DecisionForm,), fields)
    return kind().about(job), groups


def decided_headings(job: ImportJob, form: FlaskForm) -> tuple[dict[str, str], dict[str, Headings]]:
    """Return what the form says: sheet → list type (empty: left out), layout → its columns.

    Raises ``Invalid`` for a column that the chosen list does not have, or that is named twice.
    """
    lists: dict[str, str] = {}
    headings: dict[str, Headings] = {}
    for number, offer in enumerate(job.findings.get("offers", ())):
        chosen = form[f"list_{number}"].data
        if chosen == "-":
            lists[offer["sheet"]] = ""
            continue
        if not chosen:
            continue
        lists[offer["sheet"]] = chosen
        columns: dict[str, str] = {}
        for place, (cell, _text, key, _taken) in enumerate(offer["headings"]):
            label = form[f"column_{number}_{place}"].data
            if label and label not in offer["columns"][chosen]:
                title = dict(map(tuple, offer["lists"]))[chosen]
                raise Invalid(_("“%(list)s”没有“%(column)s”这一列（%(cell)s），请另选。", list=_(title), column=_(label), cell=cell))  # fmt: skip
            if label and label in columns.values():
                raise Invalid(_("“%(column)s”选了两次（%(cell)s），一列只能对应一次。", column=_(label), cell=cell))  # fmt: skip
            columns[key] = label
        headings[offer["mark"]] = Headings(chosen, columns)
    return lists, headings


@dataclass(frozen=True)
class NameLine:
    """An unknown name with its cells, and the names of the fields that say who is meant."""

    name: str
    count: int
    cells: list[str]
    choice: str
    other: str
    alias: str
    code: str


def may_name() -> bool:
    """Tell whether the actor may add organisations and aliases at all."""
    roles = actor().roles
    return allows(roles, "organization", Action.EDIT) and allows(roles, "organization", Action.ADD)


def candidates() -> Select[Any]:
    """Return who may be meant by a name: whoever is in use."""
    return select(Organization).where(Organization.active)


def names_form(job: ImportJob, source: Callable[..., str]) -> tuple[FlaskForm, list[NameLine]]:
    """Return the form that says who is meant by unknown names, and how it is laid out."""
    fields: dict[str, Any] = {}
    lines = []
    for number, unknown in enumerate(job.findings.get("unknown", ())):
        line = NameLine(
            unknown["name"],
            unknown["count"],
            unknown["cells"],
            *(f"{part}_{number}" for part in ("choice", "other", "alias", "code")),
        )
        choices = [(str(id_), title) for id_, title in unknown["nearest"]]
        choices.append((OTHER, _("其他机构")))
        if may_name():
            choices.append((CREATE, _("新建为部门")))
            fields[line.alias] = BooleanField(_("同时加为别名，以后自动识别"))
            fields[line.code] = StringField(
                _("新部门的机构代码"), validators=[Optional(), Length(max=40)]
            )
        fields[line.choice] = RadioField(
            unknown["name"], choices=[*choices, (LATER, _("先不处理"))], default=LATER
        )
        fields[line.other] = RecordSelectField(
            _("其他机构"),
            source=source("organizations"),
            choose=chooser(session(), candidates(), Organization),
        )
        lines.append(line)
    kind: type[DecisionForm] = type("NamesForm", (DecisionForm,), fields)
    return kind().about(job), lines


def decided_names(job: ImportJob, form: FlaskForm, lines: list[NameLine]) -> dict[str, int]:
    """Return who is meant by each name that the form settles; makes aliases and departments.

    Raises ``Invalid`` where something is missing, and what the rules on organisations raise.
    """
    chosen: dict[str, int] = {}
    for line in lines:
        choice = form[line.choice].data
        if not choice:
            continue
        if choice == CREATE:
            place = _made(job, line.name, (form[line.code].data or "").strip())
        elif choice == OTHER:
            place = form[line.other].data
            if place is None:
                raise Invalid(_("“%(name)s”选了“其他机构”，请在框里选出是哪一个。", name=line.name))
        else:
            place = session().get_one(Organization, int(choice))
        if choice != CREATE and line.alias in form and form[line.alias].data:
            _add_alias(place, line.name)
        chosen[name_key(line.name)] = place.id
    return chosen


def _add_alias(place: Organization, name: str) -> None:
    inside = reachable(actor(), "organization", Organization.id, Action.EDIT)
    if session().scalar(select(Organization.id).where(Organization.id == place.id, inside)) is None:
        raise Invalid(_("“%(place)s”不在您可以修改的范围内，不能加别名；只为这次导入选定即可。", place=place.name))  # fmt: skip
    place.set_aliases([*place.aliases, name])


def _made(job: ImportJob, name: str, code: str) -> Organization:
    """Make a department of the county that the job's place belongs to."""
    if not code:
        raise Invalid(_("新建“%(name)s”要填写机构代码。", name=name))
    place = job.organization_id or actor().area_id
    home = session().get(Organization, place) if place else None
    if home is not None and home.kind not in (OrganizationKind.COUNTY, OrganizationKind.CITY):
        home = session().get(Organization, home.realm_id) if home.realm_id else None
    if home is None:
        raise Invalid(_("不知道“%(name)s”属于哪个县，请先在组织机构中新增它。", name=name))
    if session().scalar(select(Organization.id).where(Organization.code == code)) is not None:
        raise Invalid(_("机构代码“%(code)s”已经有了，请换一个。", code=code))
    made = Organization(
        code=code, name=name, kind=OrganizationKind.DEPARTMENT, parent=home, active=True
    )
    session().add(made)
    session().flush()
    return made


def merged(job: ImportJob, **more: Mapping[str, Any]) -> dict[str, Any]:
    """Return the job's decisions with new ones among them, as JSON."""
    before = Decisions.of_json(job.decisions)
    return Decisions(
        {**before.lists, **more.get("lists", {})},
        {**before.headings, **more.get("headings", {})},
        {**before.names, **more.get("names", {})},
        before.retire,
    ).to_json()
