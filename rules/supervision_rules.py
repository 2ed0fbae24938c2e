"""The supervision rule of a county: what holds there, and whether what was written down will do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.organization import Organization
from models.supervision import SupervisionKind, SupervisionRule
from presets.supervision import USUAL, Rung, SupervisionPlan
from rules.errors import Invalid

#: Kinds, mildest first; their places in it say which of two is more severe.
KINDS = tuple(SupervisionKind)
#: The largest amounts that make sense: a quarter for hours, a year for days.
MOST_HOURS, MOST_DAYS, MOST_TIMES = 2160, 366, 1000
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def severity(kind: SupervisionKind) -> int:
    """Return how severe a kind of order is: 0 is the mildest."""
    return KINDS.index(kind)


def plan_of(rule: SupervisionRule) -> SupervisionPlan:
    """Return what a county's rule says."""
    return SupervisionPlan(
        near_hours=rule.near_hours,
        ladder=rungs(rule.ladder),
        again_times=rule.again_times,
        again_days=rule.again_days,
        quiet_from=rule.quiet_from,
        quiet_until=rule.quiet_until,
    )


def rungs(stored: Iterable[Mapping[str, Any]]) -> tuple[Rung, ...]:
    """Return a ladder as the database holds it, rung by rung."""
    return tuple(
        Rung(int(each["hours"]), SupervisionKind(each["kind"]), int(each["days"]))  # type: ignore[call-arg]
        for each in stored
    )


def stored(ladder: Iterable[Rung]) -> list[dict[str, Any]]:
    """Return a ladder as the database holds it."""
    return [{"hours": each.hours, "kind": each.kind.value, "days": each.days} for each in ladder]


def plan_for(session: Session, realm_id: int | None) -> SupervisionPlan:
    """Return what holds in a county, or a city: its own rule, else the usual one."""
    found = session.scalars(
        select(SupervisionRule).where(SupervisionRule.organization_id == realm_id)
    ).first()
    return plan_of(found) if found is not None else USUAL


def plan_at(session: Session, organization: Organization) -> SupervisionPlan:
    """Return what holds at a place or for a body: the rule of its county."""
    return plan_for(session, organization.realm_id)


def plans(session: Session) -> dict[int, SupervisionPlan]:
    """Return every county's own rule by the county's id; elsewhere ``USUAL`` holds."""
    return {
        each.organization_id: plan_of(each) for each in session.scalars(select(SupervisionRule))
    }


def days_for(plan: SupervisionPlan, kind: SupervisionKind) -> int:
    """Return how many days an order of a kind leaves: its rung's, else those of the usual rule."""
    known = {each.kind: each.days for each in (*USUAL.ladder, *plan.ladder)}
    return known[kind]


def next_rung(plan: SupervisionPlan, kind: SupervisionKind) -> Rung | None:
    """Return the first rung that is more severe than a kind; None from the top on."""
    return next((each for each in plan.ladder if severity(each.kind) > severity(kind)), None)


def faults(plan: SupervisionPlan) -> dict[str, str]:
    """Return what is wrong with a plan, a sentence by place: a column, or "ladder-1-hours"."""
    found: dict[str, str] = {}
    numbers = {
        "near_hours": ("临近期限", MOST_HOURS),
        "again_times": ("反复上报（次）", MOST_TIMES),
        "again_days": ("反复上报（天内）", MOST_DAYS),
    }
    for name, (label, most) in numbers.items():
        if not 1 <= getattr(plan, name) <= most:
            found[name] = f"“{label}”应是 1 到 {most} 之间的整数。"
    if "again_times" not in found and plan.again_times < 2:
        found["again_times"] = "同一事项至少两次才算反复，请填 2 或更大的数。"
    for name, label in (("quiet_from", "免打扰开始"), ("quiet_until", "免打扰结束")):
        if not _TIME.fullmatch(getattr(plan, name)):
            found[name] = f"“{label}”应写成 22:00 这样的时刻。"
    return found | _ladder_faults(plan.ladder)


def _ladder_faults(ladder: tuple[Rung, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    if not ladder:
        found["ladder"] = "督办升级至少要有一级，请填写“超期小时”和“整改天数”。"
    for place, rung in enumerate(ladder):
        title = rung.kind.title
        if not 0 <= rung.hours <= MOST_HOURS:
            found[f"ladder-{place}-hours"] = (
                f"“{title}”的超期小时应是 0 到 {MOST_HOURS} 之间的整数。"
            )
        if not 1 <= rung.days <= MOST_DAYS:
            found[f"ladder-{place}-days"] = f"“{title}”的整改天数应是 1 到 {MOST_DAYS} 之间的整数。"
        before = ladder[place - 1] if place else None
        if before is None:
            continue
        if rung.hours <= before.hours:
            found.setdefault(
                f"ladder-{place}-hours",
                f"“{title}”的超期小时应大于“{before.kind.title}”的 {before.hours} 小时，逐级加重。",
            )
        if severity(rung.kind) <= severity(before.kind):
            found[f"ladder-{place}-kind"] = "督办方式应逐级加重：督办、挂牌督办、约谈。"
    return found


def check(rule: SupervisionRule) -> None:
    """Raise ``Invalid``, with a sentence for each field, for a rule that will not do."""
    missing = {
        each.name: "请填写。"
        for each in fields(SupervisionPlan)
        if getattr(rule, each.name, None) is None
    }
    wrong = missing or faults(plan_of(rule))
    if wrong:
        raise Invalid(" ".join(wrong.values()), **wrong)
