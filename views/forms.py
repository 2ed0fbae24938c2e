"""Forms from record types: each column's own label, help, length and kind of widget."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable, Container, Iterable
from typing import Any

from flask import jsonify, request
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import Select, inspect
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value
from werkzeug.wrappers import Response
from wtforms import (
    BooleanField,
    DateField,
    DecimalField,
    Field,
    FloatField,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
    TimeField,
    ValidationError,
)
from wtforms.form import BaseForm
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import html_params

from models.base import Field as Info
from models.base import Titled
from views.context import session
from views.form_base import Form
from views.listing import id_of, matches
from views.registry import view_of

Source = Callable[[str], str]
#: Records whose names may be as long as this are chosen in a box of the form's whole width.
LONG_NAME = 300
#: field name → the record of that id if the actor may choose it, else None
Chooser = Callable[[int], Any]


class RecordSelectWidget:
    """A select that holds the present choice only; the page's script fetches the rest in scope."""

    def __call__(self, field: RecordSelectField, **attributes: Any) -> Markup:
        attributes.setdefault("id", field.id)
        classes = f"record-select {attributes.pop('class_', attributes.pop('class', ''))}".strip()
        options = Markup("").join(
            Markup('<option value="{}" selected>{}</option>').format(each.id, choice_text(each))
            for each in field.chosen()
        )
        if not field.multiple:
            options = Markup('<option value=""></option>') + options
        if field.multiple:
            attributes["multiple"] = True
        params = html_params(
            name=field.name,
            class_=classes,
            data_source=field.address(),
            data_placeholder=_("输入名称查找"),
            **attributes,
        )
        # html_params escapes every value that it joins.
        return Markup("<select {}>{}</select>").format(Markup(params), options)  # noqa: S704


class RecordSelectField(Field):
    """Chooses one record, or several; what is posted is looked up through the gate."""

    widget = RecordSelectWidget()

    def __init__(
        self,
        label: str,
        *,
        source: str,
        choose: Chooser,
        multiple: bool = False,
        wide: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(label, **kwargs)
        self.source, self.choose, self.multiple, self.wide = source, choose, multiple, wide

    def address(self) -> str:
        """Return the address that answers the box."""
        return self.source

    def chosen(self) -> list[Any]:
        """Return the chosen records."""
        if self.multiple:
            return list(self.data or [])
        return [self.data] if self.data is not None else []

    def process_formdata(self, valuelist: list[str]) -> None:
        """Look the posted ids up; what the actor may not choose is as good as not there."""
        found = []
        for text in [each for each in valuelist if each.strip()]:
            number = id_of(text)
            record = self.choose(number) if number is not None else None
            if record is None:
                self.data = [] if self.multiple else None
                raise ValueError(_("所选的记录不存在，或不在您的权限范围内，请重新选择。"))
            found.append(record)
        self.data = found if self.multiple else (found[0] if found else None)


class TitledField(SelectField):
    """Chooses a member of a titled enum; gives the member, not its text."""

    def __init__(
        self, label: str, members: type[Titled], blank: bool = False, **kwargs: Any
    ) -> None:
        self.members = {member.value: member for member in members}
        self.pairs = [(member.value, _(member.title)) for member in members]
        if blank:
            self.pairs.insert(0, ("", _("请选择")))
        super().__init__(
            label,
            choices=self.pairs,
            coerce=self._member,
            **kwargs,
        )

    def _member(self, value: Any) -> Titled | None:
        if isinstance(value, Titled) or value in (None, ""):
            return value or None
        if str(value) not in self.members:
            raise ValueError(_("请选择。"))
        return self.members[str(value)]

    def iter_choices(self) -> Any:
        """Mark the chosen member."""
        for value, label in self.pairs:
            selected = (self.data.value if self.data else "") == value
            yield value, label, selected, {}

    def pre_validate(self, form: Any) -> None:
        """Refuse what is no member."""
        if self.data is None and not any(value == "" for value, _label in self.pairs):
            raise ValidationError(_("请选择。"))


class RecordForm(Form):
    """A form over a record; ``version`` says which state of it the person was shown."""

    version = HiddenField()

    def __setattr__(self, name: str, value: Any) -> None:
        """Columns may be called as the form's own methods are; ``form[name]`` finds them all."""
        if not (isinstance(value, Field) and hasattr(BaseForm, name)):
            super().__setattr__(name, value)

    def add_errors(self, fields: dict[str, str]) -> bool:
        """Put a refusal's sentences at their fields; tells whether all found their place."""
        placed = True
        for name, sentence in fields.items():
            if name in self._fields:
                self._fields[name].errors = [*self._fields[name].errors, sentence]
            else:
                placed = False
        return placed


def field_for(
    model: type[Any], name: str, *, source: Source, choose: Callable[[str], Chooser]
) -> Any:
    """Return the unbound form field of a column or relation."""
    mapper = inspect(model)
    info: Info | None = mapper.all_orm_descriptors[name].info.get("field")
    label = _(info.label) if info else name
    common: dict[str, Any] = {"description": _(info.help) if info and info.help else ""}
    if name in mapper.relationships:
        relation = mapper.relationships[name]
        (column,) = relation.local_columns
        required = not column.nullable
        common["validators"] = (
            [InputRequired(_("请选择“%(label)s”。", label=label))] if required else [Optional()]
        )
        called = mapper.relationships[name].mapper.columns.get("name")
        wide = called is not None and (getattr(called.type, "length", None) or 0) >= LONG_NAME
        return RecordSelectField(
            label, source=source(name), choose=choose(name), wide=wide, **common
        )
    column = mapper.columns[name]
    return _simple(label, column, info, common)


def _simple(label: str, column: Any, info: Info | None, common: dict[str, Any]) -> Any:
    kind = column.type
    optional = column.nullable or column.default is not None
    if hasattr(kind, "enum_class") and kind.enum_class is not None:
        return TitledField(label, kind.enum_class, blank=column.nullable, **common)
    if kind.python_type is bool:
        return BooleanField(label, default=bool(column.default and column.default.arg), **common)
    needed = InputRequired(_("请填写“%(label)s”。", label=label))
    validators: list[Any] = [Optional(strip_whitespace=True) if optional else needed]
    if kind.python_type is dt.date:
        return DateField(label, validators=validators, **common)
    if kind.python_type is dt.time:
        return TimeField(label, validators=validators, **common)
    if kind.python_type is int:
        return IntegerField(label, validators=validators, **common)
    if kind.python_type is float:
        return FloatField(label, validators=validators, **common)
    if kind.python_type is decimal.Decimal:
        return DecimalField(label, places=kind.scale, validators=validators, **common)
    length = getattr(kind, "length", None)
    if length:
        validators.append(
            Length(max=length, message=_("“%(label)s”最多 %(n)s 字。", label=label, n=length))
        )
    area = length is None or (info is not None and info.widget == "textarea")
    if area and not length:
        validators.append(
            Length(max=5000, message=_("“%(label)s”最多 %(n)s 字。", label=label, n=5000))
        )
    kind_of = TextAreaField if area else StringField
    return kind_of(label, validators=validators, filters=[_tidy], **common)


def _tidy(value: str | None) -> str | None:
    """Strip blanks at both ends; an empty text is no text."""
    if value is None:
        return None
    return value.replace("\r\n", "\n").strip() or None


def record_form(
    model: type[Any],
    names: Iterable[str],
    *,
    source: Source,
    choose: Callable[[str], Chooser],
    extra: dict[str, Any] | None = None,
) -> type[RecordForm]:
    """Return the form class for some columns and relations of a record type, and extra fields."""
    extra = extra or {}
    fields = {
        name: extra[name] if name in extra else field_for(model, name, source=source, choose=choose)
        for name in names
    }
    kind: Any = type(f"{model.__name__}Form", (RecordForm,), {})
    # Not as class attributes: a column called "process" would take the place of the form's method.
    kind._unbound_fields = [("version", RecordForm.version), *fields.items()]
    form: type[RecordForm] = kind
    return form


def populate(form: RecordForm, record: Any, extra: Container[str] = ()) -> None:
    """Put the form's columns and relations on the record, and nothing else."""
    known = inspect(type(record)).all_orm_descriptors
    for field in form:
        if field.name in known and field.name not in ("version", "id") and field.name not in extra:
            field.populate_obj(record, field.name)


def prefill(record: Any, relation: str, chosen: Any) -> None:
    """Let an empty form show a record as chosen already, without tying the new record to it.

    A real assignment would put the new record, which nobody has saved, into the other's list.
    """
    if request.method == "GET":
        set_committed_value(record, relation, chosen)


def chooser(session: Session, statement: Any, model: type[Any]) -> Chooser:
    """Return a look-up that finds an id only among the rows of a statement."""

    def choose(number: int) -> Any:
        return session.scalars(statement.where(model.id == number)).unique().first()

    return choose


def choice_text(record: Any) -> str:
    """Return what a select box calls a record: its name, with its place where it has a say in that."""
    text: str = getattr(record, "choice_text", None) or str(record)
    return text


def options_of(statement: Select[Any], target: type[Any], query: str) -> Response:
    """Answer a select box with at most twenty rows, found by what their own list is searched by."""
    if query.strip():
        view = view_of(target)
        columns = view.search_columns if view else ["name"]
        statement = statement.where(matches(target, columns, query.strip()[:50]))
    rows = list(session().scalars(statement.order_by(target.id).limit(21)).unique())
    return jsonify(
        results=[{"id": row.id, "text": choice_text(row)} for row in rows[:20]],
        more=len(rows) > 20,
    )
