"""Values as people read them: badges, dates, yes and no, names."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup, escape
from sqlalchemy import inspect

from models.base import Field, Titled
from rules.wording import local

EMPTY = "—"


def label_of(model: type[Any], name: str) -> str:
    """Return the Chinese label that a column or relation carries, translated for the reader."""
    info: Field | None = inspect(model).all_orm_descriptors[name].info.get("field")
    return _(info.label) if info else name


def help_of(model: type[Any], name: str) -> str:
    """Return the help line that a column or relation carries."""
    info: Field | None = inspect(model).all_orm_descriptors[name].info.get("field")
    return _(info.help) if info and info.help else ""


def badge(member: Titled) -> Markup:
    """Return a titled member as a badge: colour and text."""
    return Markup('<span class="badge badge-{}">{}</span>').format(member.tone, _(member.title))


def named(name: str, *, in_use: bool) -> Markup | str:
    """Return a record's name, with a badge if it is no longer in use."""
    if in_use:
        return name
    return Markup('{} <span class="badge badge-muted">{}</span>').format(name, _("已停用"))


def shown(value: Any) -> Markup | str:
    """Return a value as a cell or a detail shows it; never trusts its text."""
    if value is None or value == "":
        return EMPTY
    if isinstance(value, Titled):
        return badge(value)
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, dt.datetime):
        return local(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, dt.time):
        return f"{value:%H:%M}"
    if isinstance(value, decimal.Decimal):
        return f"{value:,f}"
    if isinstance(value, list):
        return _("、").join(str(each) for each in value) or EMPTY
    return str(value)


def paragraphs(text: str) -> Markup:
    """Return text with its line breaks kept."""
    return Markup("<br>").join(escape(line) for line in text.splitlines())


def plain(value: Any) -> str:
    """Return a value as text without markup, for comparisons and audit lines."""
    if isinstance(value, Titled):
        return _(value.title)
    return str(shown(value))
