"""The way of what a meeting decided: the owner reports, the office ticks it off (domain section 2)."""

from __future__ import annotations

from models.meeting import DecisionStatus, MeetingDecision, MeetingStatus
from presets.roles import Role
from rules import notices
from rules.meetings import ARRANGED, meeting_state, tell_owner
from rules.problems import OWNER_ROLES
from rules.workflow import Context, Input, Step, Workflow, register
from rules.workflows.following import OFFICE, OWNER, chosen_owner, coming_day, relations

S = DecisionStatus


def _held(context: Context) -> str | None:
    """Nothing is carried out before it was decided: the meeting must have been held."""
    state = meeting_state(context.session, context.record)
    return None if state is MeetingStatus.HELD else "会议还没有召开，或者已经办结、取消。"


def _arranged(context: Context) -> str | None:
    state = meeting_state(context.session, context.record)
    return None if state in ARRANGED else "会议已经办结或取消。"


def _report(context: Context) -> None:
    decision = context.record
    decision.report = context.data["report"]
    context.log["result"] = decision.report
    realm, title = decision.organization.realm_id, f"议定事项“{decision}”已反馈，请核实"
    notices.tell_county(
        context.session,
        realm,
        title,
        decision,
        f"report:{decision.version}",
        roles=(Role.DISPATCHER,),
    )


def _done(context: Context) -> None:
    context.record.done_at = context.now
    _tell(context, f"议定事项“{context.record}”已落实", "done")


def _back(context: Context) -> None:
    _tell(context, f"议定事项“{context.record}”退回继续落实", "back")


def _drop(context: Context) -> None:
    _tell(context, f"议定事项“{context.record}”不再执行", "drop")


def _amend(context: Context) -> None:
    decision, before = context.record, context.record.owner_id
    decision.owner, decision.due_on = chosen_owner(context), coming_day(context)
    context.log |= {"lead": {"name": decision.owner.name}, "until": decision.due_on.isoformat()}
    if decision.owner.id != before:
        title = f"议定事项“{decision}”改由{decision.owner.name}落实"
        _tell(context, title, "moved", before)
        tell_owner(context.session, decision)
    else:
        _tell(context, f"议定事项“{decision}”期限改为 {decision.due_on}", "amend")


def _tell(context: Context, title: str, key: str, owner_id: int | None = None) -> None:
    """Tell the owner, or whose it was before; of a meeting that was not held nobody was told."""
    decision = context.record
    if meeting_state(context.session, decision) is not MeetingStatus.HELD:
        return
    told, key = (owner_id or decision.owner_id,), f"{key}:{decision.version}"
    notices.tell(context.session, told, title, decision, key, roles=OWNER_ROLES)


DECISIONS = register(
    Workflow(
        model=MeetingDecision,
        initial=S.OPEN,
        relations=relations,
        steps=(
            Step(
                "report", "反馈落实情况", (S.OPEN,), S.REPORTED, (*OWNER, *OFFICE),
                inputs=(Input("report", "落实情况"),), when=_held, effect=_report,
            ),
            Step(
                "done", "确认落实", (S.REPORTED,), S.DONE, OFFICE, tone="success",
                inputs=(Input("note", "说明", required=False),), when=_held, effect=_done,
            ),
            Step(
                "back", "退回继续落实", (S.REPORTED,), S.OPEN, OFFICE, tone="danger",
                inputs=(Input("note", "哪里没有落实"),), when=_held, effect=_back,
            ),
            Step(
                "amend", "调整单位或期限", (S.OPEN,), None, OFFICE, tone="default",
                inputs=(
                    Input(
                        "owner", "责任单位", "organization", known=lambda each: each.owner
                    ),
                    Input("due_on", "完成期限", "date", known=lambda each: each.due_on),
                    Input("note", "调整原因"),
                ),
                when=_arranged, effect=_amend,
            ),
            Step(
                "drop", "不再执行", (S.OPEN, S.REPORTED), S.DROPPED, OFFICE, tone="danger",
                inputs=(Input("note", "原因"),), when=_held, effect=_drop,
            ),
            Step("void", "随会议取消", (S.OPEN, S.REPORTED), S.DROPPED, (), effect=_drop),
        ),
    )
)  # fmt: skip
