"""What stands in the editor's form, as text and ticks, and the mechanism that it says."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from flask_babel import gettext as _

from models.base import Titled
from models.grade import Grade
from models.mechanism import EligibilityRule, LowRating, ReviewLevel
from presets.mechanism_plan import (
    TERMS,
    ClassPlan,
    DimensionPlan,
    MechanismPlan,
    StepPlan,
    TermJSON,
)
from rules.deadlines import Unit

#: Everything on the form as text and ticks: settings by name, and a list of rows for each list.
Values = dict[str, Any]
#: Place in the plan (``rules.mechanism_checks``) → what is wrong there.
Faults = dict[str, str]


_FLAGS = ("returns_allowed", "grid_route", "lead_rates_assisting", "resident_stars")
_NUMBERS = ("return_cap", "extension_cap", "amend_hours")
_ENUMS: dict[str, type[Titled]] = {
    "eligibility": EligibilityRule,
    "low_grade": Grade,
    "low_action": LowRating,
}


def values_of(plan: MechanismPlan) -> Values:
    """Return a plan as the form shows it."""
    values: Values = {name: getattr(plan, name) for name in _FLAGS}
    values |= {name: getattr(plan, name).value for name in _ENUMS}
    values |= {name: _text(getattr(plan, name)) for name in _NUMBERS}
    values["name"] = plan.name
    values["working_hours"] = _("，").join("–".join(span) for span in plan.working_hours)
    values["fix_term"] = _term_values(plan.fix_term)
    values["classes"] = [
        {
            "name": each.name,
            "code": each.code,
            "description": each.description or "",
            "direct_dispatch": each.direct_dispatch,
        }
        | {name: _term_values(getattr(each, name)) for name in TERMS}
        for each in plan.classes
    ]
    values["route"] = [{"name": each.name, "level": each.level.value} for each in plan.route]
    values["dimensions"] = [
        {"name": each.name, "code": each.code, "weight": _text(each.weight)}
        for each in plan.dimensions
    ]
    return values


def _text(number: int | None) -> str:
    return "" if number is None else str(number)


def _term_values(stored: TermJSON | None) -> dict[str, str]:
    if stored is None:
        return {"amount": "", "unit": ""}
    return {"amount": _text(stored["amount"]), "unit": stored["unit"]}


def plan_from(values: Values, preset: str) -> tuple[MechanismPlan, Faults]:
    """Return what the form says, and what cannot be understood of it, by place.

    Only what no plan can hold is a fault here: a choice that is none, an amount without its unit.
    Whether the plan will do is for ``rules.mechanism_checks``.
    """
    faults: Faults = {}
    settings: dict[str, Any] = {name: bool(values[name]) for name in _FLAGS}
    settings |= {name: _number(values[name]) for name in _NUMBERS}
    settings |= {name: _member(kind, values[name], name, faults) for name, kind in _ENUMS.items()}
    plan = MechanismPlan(
        preset=preset,
        name=_line(values["name"]),
        **settings,
        fix_term=_term(values["fix_term"], "fix_term", faults),
        working_hours=_spans(values["working_hours"]),
        classes=_class_plans(values["classes"], faults),
        route=tuple(
            StepPlan(
                _line(row["name"]),
                _member(ReviewLevel, row["level"], f"route-{index}-level", faults),
            )
            for index, row in enumerate(values["route"])
        ),
        dimensions=tuple(
            DimensionPlan(code, _line(row["name"]), _number(row["weight"]))
            for row, code in _coded(values["dimensions"], "dimension")
        ),
    )
    return plan, faults


def _class_plans(rows: list[Values], faults: Faults) -> tuple[ClassPlan, ...]:
    return tuple(
        ClassPlan(
            code,
            _line(row["name"]),
            (row["description"] or "").replace("\r\n", "\n").strip() or None,
            bool(row["direct_dispatch"]),
            **{name: _term(row[name], f"classes-{index}-{name}", faults) for name in TERMS},
        )
        for index, (row, code) in enumerate(_coded(rows, "class"))
    )


def _coded(rows: list[Values], stem: str) -> list[tuple[Values, str]]:
    """Return each row with its code; a row without one gets one that no other row has."""
    taken = {_line(row["code"]) for row in rows}
    found = []
    for row in rows:
        code = _line(row["code"])
        number = len(rows)
        while not code:
            free = f"{stem}-{number}"
            code = "" if free in taken else free
            number += 1
        taken.add(code)
        found.append((row, code))
    return found


def _line(text: str | None) -> str:
    return " ".join((text or "").split())


def _plain(text: str | None) -> str:
    """Return digits and marks in their plain width, without blanks."""
    return "".join(unicodedata.normalize("NFKC", text or "").split())


def _number(text: str | None) -> int | None:
    plain = _plain(text)
    return int(plain) if plain.isascii() and plain.isdecimal() and len(plain) < 10 else None


def _member(kind: type[Titled], value: str | None, place: str, faults: Faults) -> Any:
    members = {member.value: member for member in kind}
    if value not in members:
        faults[place] = _("请选择。")
        return next(iter(kind))
    return members[value]


def _term(row: Values, place: str, faults: Faults) -> TermJSON | None:
    amount, unit = _plain(row["amount"]), row["unit"] or ""
    if not unit:
        if amount:
            faults[place] = _("填了数量，还要选择单位；不设时限请清空数量。")
        return None
    if unit not in set(Unit):
        faults[place] = _("请选择。")
        return None
    number = _number(amount)
    # What is no number stays as typed: the rule's own sentence says what it should be.
    return {"unit": unit, "amount": (number if number is not None else amount) if amount else None}


def _spans(text: str | None) -> tuple[tuple[str, ...], ...]:
    pieces = re.split(r"[,、;]", unicodedata.normalize("NFKC", text or ""))
    return tuple(
        tuple(
            word.strip().rjust(5, "0") if re.fullmatch(r"\d:\d\d", word.strip()) else word.strip()
            for word in re.split(r"[-–—~\u81f3\u5230]+", piece)
        )
        for piece in pieces
        if piece.strip()
    )
