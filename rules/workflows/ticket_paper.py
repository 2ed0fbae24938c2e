"""A whistle slip from paper, entered later: its stages are taken with their true times (domain 9).

The entry itself is a step, made now; what the paper shows follows as steps of their own, each at the
time that stands on the paper and marked as such. Clocks and number are those of the true times.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from presets.roles import Role
from rules.calendar import SHANGHAI
from rules.errors import Conflict, Forbidden, Invalid
from rules.step_inputs import Input
from rules.workflow import Context, follow
from rules.workflows import ticket_effects as effects
from rules.workflows.ticket_photos import PHOTOS

Stage = tuple[str, dt.datetime, dict[str, Any]]
#: The stages of a slip in order: input, label.
STAGES = (
    ("raised_at", "吹哨时间"),
    ("dispatched_at", "派单时间"),
    ("accepted_at", "应哨时间"),
    ("arrived_at", "报到时间"),
    ("resolved_at", "反馈时间"),
    ("closed_at", "销号时间"),
)
INPUTS = (
    *(Input(name, label, "moment", required=name == "raised_at") for name, label in STAGES),
    Input("lead", "主办单位", "organization", required=False, help="纸面已派单的须填写。"),
    Input("assisting", "协办单位", "organizations", required=False),
    Input("due", "办结期限", "date", required=False, asked=effects.asks_for_date),
    Input("result", "办理结果", required=False, help="纸面已反馈的须填写。"),
    Input("grades", "评价", "grades", required=False),
    PHOTOS,
    Input("note", "说明", required=False),
)


def announce(context: Context) -> None:
    """Judge the slip as a whole, mark the ticket, and keep the times as they were entered."""
    data = context.data
    _judge_times(data, context.now)
    if "dispatched_at" in data:
        allowed = context.actor.has(Role.TOWNSHIP_REVIEWER, Role.DISPATCHER)
        if not (allowed or context.actor.system):
            raise Forbidden("社区只能补录吹哨环节；派单及以后的环节请由街乡补录。")
        _needed(data, "lead", "纸面已经派单，请选择“主办单位”。")
    else:
        sentence = effects.may_not_blow(context)
        if sentence:
            raise Conflict(sentence)
    if "resolved_at" in data:
        _needed(data, "result", "纸面已经反馈，请填写“办理结果”。")
    context.record.paper = True
    context.log["paper"] = True
    context.log["times"] = {name: data[name].isoformat() for name, _ in STAGES if name in data}


def _needed(data: dict[str, Any], name: str, message: str) -> None:
    if not data.get(name):
        raise Invalid(message, **{name: message})


def _judge_times(data: dict[str, Any], now: dt.datetime) -> None:
    """Refuse a gap between the stages, times that run backwards, and the future."""
    problems: dict[str, str] = {}
    last: tuple[str, dt.datetime] | None = None
    gap: str | None = None
    for name, label in STAGES:
        at = data.get(name)
        if at is None:
            gap = gap or label
            continue
        if gap:
            problems[name] = f"填了“{label}”，还要填写“{gap}”。"
        elif at > now:
            problems[name] = f"“{label}”不能晚于现在。"
        elif last and at < last[1]:
            problems[name] = f"“{label}”不能早于“{last[0]}”（{_local(last[1])}）。"
        last = (label, at)
    if problems:
        raise Invalid("".join(problems.values()), **problems)


def _local(at: dt.datetime) -> str:
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def follow_slip(context: Context) -> None:
    """Take the stages that the paper shows, each at its own time."""
    stages = _stages(context.data)
    log = {"paper": True, "entered_at": context.now.isoformat()}
    for number, (action, at, data) in enumerate(stages):
        more = {"paper_dispatched": True} if action == "raise" and len(stages) > 1 else {}
        quiet = {"quiet": number < len(stages) - 1}
        follow(context, action, data | quiet, now=at, log=log | more)


def _stages(data: dict[str, Any]) -> list[Stage]:
    """Return the steps to take: action, time, input."""
    sent: dict[str, Any] = {
        name: data[name] for name in ("lead", "assisting", "due") if name in data
    }
    first = {"lead": data["lead"]} if "lead" in data else {}
    found: list[Stage] = [("raise", data["raised_at"], first)]
    reported = {"result": data.get("result")}
    later: list[tuple[str, str, dict[str, Any]]] = [
        ("dispatched_at", "dispatch", sent),
        ("accepted_at", "accept", {}),
        ("arrived_at", "arrive", {}),
        ("resolved_at", "report_result", reported),
    ]
    found += [(action, data[name], given) for name, action, given in later if name in data]
    if "closed_at" in data:
        if data.get("grades"):
            found.append(("rate", data["closed_at"], {"grades": data["grades"]}))
        found.append(("close", data["closed_at"], {}))
    return found
