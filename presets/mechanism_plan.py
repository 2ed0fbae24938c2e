"""What a mechanism says, as plain values: presets are written in them, the editor fills them in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models.grade import Grade
from models.mechanism import EligibilityRule, LowRating, ReviewLevel

#: ``rules.deadlines.Term`` as JSON: ``{"unit": …, "amount": …}``.
TermJSON = dict[str, Any]

#: The deadlines of a class in the order in which they come.
CLOCKS = ("respond", "arrive", "resolve")
#: Every term of a class, as ``ClassPlan`` and ``WhistleClass`` call them.
TERMS = (
    *(f"{clock}_term" for clock in CLOCKS),
    *(f"{clock}_warn" for clock in CLOCKS),
    *(f"assist_{clock}_term" for clock in CLOCKS),
)


@dataclass(frozen=True)
class ClassPlan:
    """A whistle class. A term is None where nothing is fixed; an assisting department then has the
    lead's. A ``…_warn`` says how long before its deadline the clock turns yellow.
    """

    code: str
    name: str
    description: str | None = None
    direct_dispatch: bool = False
    respond_term: TermJSON | None = None
    arrive_term: TermJSON | None = None
    resolve_term: TermJSON | None = None
    respond_warn: TermJSON | None = None
    arrive_warn: TermJSON | None = None
    resolve_warn: TermJSON | None = None
    assist_respond_term: TermJSON | None = None
    assist_arrive_term: TermJSON | None = None
    assist_resolve_term: TermJSON | None = None


@dataclass(frozen=True)
class StepPlan:
    """A step of the review route, in the order of the tuple that holds it."""

    name: str
    level: ReviewLevel


@dataclass(frozen=True)
class DimensionPlan:
    """A rating dimension; the weights of a mechanism sum to 100. None: not a number yet."""

    code: str
    name: str
    weight: int | None


@dataclass(frozen=True)
class MechanismPlan:
    """All that one version of a mechanism says. A number that is None has not been given yet.

    ``preset`` is the code of the preset that it came from, ``working_hours`` the spans of a working
    day as pairs of "HH:MM"; the other names are those of ``models.mechanism.Mechanism``.
    """

    preset: str
    name: str
    classes: tuple[ClassPlan, ...]
    dimensions: tuple[DimensionPlan, ...]
    route: tuple[StepPlan, ...] = ()
    eligibility: EligibilityRule = EligibilityRule.LISTS
    returns_allowed: bool = True
    return_cap: int | None = 2
    extension_cap: int | None = 1
    grid_route: bool = False
    lead_rates_assisting: bool = True
    resident_stars: bool = False
    low_grade: Grade = Grade.DISSATISFIED
    low_action: LowRating = LowRating.DECIDE
    fix_term: TermJSON | None = None
    amend_hours: int | None = 12
    working_hours: tuple[tuple[str, ...], ...] = ()


#: What a mechanism says once, under the names of its columns.
SETTINGS = (
    "name",
    "eligibility",
    "returns_allowed",
    "return_cap",
    "extension_cap",
    "grid_route",
    "lead_rates_assisting",
    "resident_stars",
    "low_grade",
    "low_action",
    "fix_term",
    "amend_hours",
)
