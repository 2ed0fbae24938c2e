"""Mechanism presets (domain section 3): a county starts from one and edits it; no code of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models.mechanism import Mechanism, RatingDimension, WhistleClass
from models.organization import Organization

TermJSON = dict[str, Any]


@dataclass(frozen=True)
class ClassPreset:
    """A whistle class; a term is ``{"unit": …, "amount": …}`` or None for "not fixed"."""

    code: str
    name: str
    description: str
    direct_dispatch: bool
    respond: TermJSON | None = None
    arrive: TermJSON | None = None
    resolve: TermJSON | None = None


@dataclass(frozen=True)
class MechanismPreset:
    """A mechanism: its classes and its rating dimensions as (code, name, weight in percent)."""

    code: str
    name: str
    classes: tuple[ClassPreset, ...]
    dimensions: tuple[tuple[str, str, int], ...]


JIUJIANG = MechanismPreset(
    code="jiujiang",
    name="九江：急哨、平哨",
    classes=(
        ClassPreset(
            "urgent", "急哨",
            "突发事件和危及群众生命财产安全的事项：直派部门，同时报吹哨办登记，当日响应。",
            direct_dispatch=True, respond={"unit": "same_day", "amount": None},
        ),
        ClassPreset(
            "ordinary", "平哨",
            "一般事项：经街乡审核、吹哨办派单，部门两个工作日内响应。",
            direct_dispatch=False, respond={"unit": "working_days", "amount": 2},
        ),
    ),
    dimensions=(
        ("arrival", "报到效率", 25),
        ("handling", "事项办理", 25),
        ("satisfaction", "群众满意度", 25),
        ("duty", "履职尽责", 25),
    ),
)  # fmt: skip

PRESETS = {JIUJIANG.code: JIUJIANG}


def build(preset: MechanismPreset, organization: Organization, number: int = 1) -> Mechanism:
    """Return a new, unsaved mechanism of the county or city, copied from a preset."""
    return Mechanism(
        organization_id=organization.id,
        number=number,
        name=preset.name,
        preset=preset.code,
        classes=[
            WhistleClass(
                code=each.code,
                name=each.name,
                description=each.description,
                direct_dispatch=each.direct_dispatch,
                respond_term=each.respond,
                arrive_term=each.arrive,
                resolve_term=each.resolve,
                position=position,
            )
            for position, each in enumerate(preset.classes)
        ],
        dimensions=[
            RatingDimension(code=code, name=name, weight=weight, position=position)
            for position, (code, name, weight) in enumerate(preset.dimensions)
        ],
    )
