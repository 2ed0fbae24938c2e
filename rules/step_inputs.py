"""What a workflow step asks for, and whether what came will do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from models.base import Titled
from models.grade import Grade
from rules.errors import Invalid

Data = dict[str, Any]

#: The largest number that a step takes: far more than any county counts.
MOST = 100_000_000
MOST_STARS = 5
_TYPES: dict[str, type[Any]] = {
    "text": str,
    "note": str,
    "date": dt.date,
    "moment": dt.datetime,
    "number": int,
    "stars": int,
    "grade": Grade,
    "choice": Titled,
    "check_in": int,
    "organization": int,
    "ticket": int,
    "organizations": list,
    "photos": list,
    "grades": dict,
}


@dataclass(frozen=True)
class Input:
    """A value that a step asks for.

    ``kind``: ``text``, ``note`` (several lines), ``date``, ``moment`` (an aware datetime), ``number``
    (0 or more), ``stars`` (1 to 5), ``grade``, ``organization``, ``organizations``, ``check_in``,
    ``ticket`` (ids of records), ``photos`` (a list of ``rules.photos.Picture``), ``grades`` (a grade
    for each department and dimension), ``choice`` (one of ``members``). ``asked`` tells whether it is
    asked of this record at all; ``known`` what the form shows as filled in already.
    """

    name: str
    label: str
    kind: str = "note"
    required: bool = True
    help: str = ""
    max_length: int = 2000
    asked: Callable[[Any], bool] | None = None
    members: type[Titled] | None = None
    known: Callable[[Any], Any] | None = None


def fitting(inputs: tuple[Input, ...], record: Any) -> tuple[Input, ...]:
    """Return those inputs that are asked of this record."""
    return tuple(each for each in inputs if each.asked is None or each.asked(record))


def checked(inputs: tuple[Input, ...], data: Data) -> Data:
    """Return the values of the inputs, and drop what nobody asked for.

    Raises ``Invalid``, with a sentence for each field, for what is missing, too long or of another
    kind.
    """
    values: Data = {}
    problems: dict[str, str] = {}
    for each in inputs:
        value = data.get(each.name)
        if type(value) is str:
            value = value.strip()
        if value in (None, "", [], {}):
            if each.required:
                problems[each.name] = f"请填写“{each.label}”。"
            continue
        problem = _problem(each, value)
        if problem:
            problems[each.name] = problem
        values[each.name] = value
    if problems:
        raise Invalid("".join(problems.values()), **problems)
    return values


def _problem(each: Input, value: Any) -> str | None:
    """Return what is wrong with a value that was given, if anything."""
    kind: type[Any] = each.members or _TYPES[each.kind]
    if not isinstance(value, kind) or "\x00" in str(value):
        return f"“{each.label}”的内容无效，请重新填写。"
    if each.kind == "date" and isinstance(value, dt.datetime):
        return f"“{each.label}”应是日期，不带时间。"
    if each.kind == "moment" and value.utcoffset() is None:
        return f"“{each.label}”的时间没有时区，请重新填写。"
    if isinstance(value, str) and len(value) > each.max_length:
        return f"“{each.label}”最多 {each.max_length} 字，现有 {len(value)} 字。"
    if each.kind == "number" and not 0 <= value <= MOST:
        return f"“{each.label}”应是 0 到 {MOST} 之间的整数。"
    if each.kind == "stars" and not 1 <= value <= MOST_STARS:
        return f"“{each.label}”应是 1 到 {MOST_STARS} 颗星。"
    return None
