"""The supervision rule that holds where a county has set none (domain sections 2 and 8)."""

from __future__ import annotations

from dataclasses import dataclass

from models.supervision import SupervisionKind


@dataclass(frozen=True)
class Rung:
    """A rung of the ladder: from ``hours`` past the deadline on, of what kind, with ``days`` to put it right."""

    hours: int
    kind: SupervisionKind
    days: int


@dataclass(frozen=True)
class SupervisionPlan:
    """What a sweep looks for in a county, as ``models.supervision.SupervisionRule`` keeps it."""

    near_hours: int
    ladder: tuple[Rung, ...]
    again_times: int
    again_days: int
    quiet_from: str
    quiet_until: str


USUAL = SupervisionPlan(
    near_hours=24,
    ladder=(
        Rung(0, SupervisionKind.ORDINARY, 3),
        Rung(72, SupervisionKind.LISTED, 5),
        Rung(168, SupervisionKind.INTERVIEW, 7),
    ),
    again_times=3,
    again_days=90,
    quiet_from="22:00",
    quiet_until="07:00",
)
