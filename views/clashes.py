"""What two people changed at once: each field's two texts, as typed and as saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from wtforms import Field, PasswordField, SelectField

from views.forms import RecordForm, TitledField
from views.presentation import Clash
from views.rendering import plain

if TYPE_CHECKING:
    from views.records import RecordView


def clashes(view: RecordView, form: RecordForm, record: Any) -> list[Clash]:
    """Return the fields in which a posted form differs from the record as it stands now."""
    extra, standing = view.extra_fields(), view.extras_of(record)
    found = []
    for name in (name for _title, group in view.form_groups for name in group):
        field = form[name]
        if isinstance(field, PasswordField) or (name in extra and name not in standing):
            continue
        mine = _text(field, field.data)
        theirs = _text(field, standing[name] if name in extra else getattr(record, name))
        if mine != theirs:
            found.append(Clash(str(field.label.text), mine, theirs))
    return found


def _text(field: Field, value: Any) -> str:
    """Return a field's value in words: a choice by its label."""
    if isinstance(field, SelectField) and not isinstance(field, TitledField):
        choices: Any = field.choices or []
        titles = {str(each[0]): str(each[1]) for each in choices}
        chosen = value if isinstance(value, list) else [value]
        return _("、").join(titles.get(str(each), "") for each in chosen)
    return plain(value)
