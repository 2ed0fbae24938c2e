"""Personal telephone numbers: whole for the parties and the organisation department, else masked."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from sqlalchemy import inspect

from models.base import Field
from models.registry import record_types, type_name
from models.scoping import Anchored, Through
from presets.roles import Role
from rules.actor import Actor

#: What stands in place of the digits that are not shown.
HIDDEN = "****"


def personal_fields(model: type[Any]) -> frozenset[str]:
    """Return the names of a record type's columns that hold personal telephone numbers."""
    return _personal_fields(type_name(model))


@cache
def _personal_fields(record_type: str) -> frozenset[str]:
    model = record_types()[record_type]
    return frozenset(
        column.key
        for column in inspect(model).column_attrs
        if isinstance(info := column.columns[0].info.get("field"), Field) and info.personal
    )


def may_read(actor: Actor, record: Any) -> bool:
    """Tell whether the actor reads the personal numbers of a record that he reads at all.

    That is the parties, by their own organisation, and the organisation department of the place
    (domain section 4). An administrator or a leader sees them masked.
    """
    if actor.system or actor.has(Role.ORGANIZATION_DEPARTMENT):
        return True
    return actor.organization_id is not None and actor.organization_id in _parties(record)


def _parties(record: Any) -> set[int | None]:
    rule = type(record).__scope__
    if isinstance(rule, Through):
        model = record_types()[rule.parent]
        relation = next(
            each.key for each in inspect(type(record)).relationships if each.mapper.class_ is model
        )
        return _parties(getattr(record, relation))
    if not isinstance(rule, Anchored):
        return set()
    columns = (*rule.columns, *(rule.sharing.holders if rule.sharing else ()))
    return {getattr(record, name) for name in columns}


def masked(number: str | None) -> str | None:
    """Return a number with its middle hidden: ``13812345678`` → ``138****5678``.

    A short one loses all but its last two characters. None and "" stay what they are.
    """
    if not number:
        return number
    digits = re.sub(r"\s", "", number)
    if len(digits) < 8:
        return f"{HIDDEN}{digits[-2:]}"
    return f"{digits[:3]}{HIDDEN}{digits[-4:]}"


def value_for(actor: Actor, record: Any, name: str) -> Any:
    """Return a column's value as the actor may read it."""
    value = getattr(record, name)
    if value and name in personal_fields(type(record)) and not may_read(actor, record):
        return masked(value)
    return value
