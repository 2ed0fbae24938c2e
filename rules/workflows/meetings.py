"""The way of a coordination meeting (domain section 2): 筹备、召开、办结."""

from __future__ import annotations

from sqlalchemy import select

from models.meeting import CoordinationMeeting, MeetingDecision, MeetingStatus
from rules.meetings import PENDING, still_open, tell_owner
from rules.wording import local
from rules.workflow import Context, Input, Step, Workflow, apply_internally, register
from rules.workflows.following import OFFICE, relations

S = MeetingStatus


def _begun(context: Context) -> str | None:
    at = context.record.held_at
    if at <= context.now:
        return None
    return f"会议时间是 {local(at)}，还没有到；提前召开的，请先修改会议时间。"


def _decisions(context: Context) -> list[MeetingDecision]:
    asked = select(MeetingDecision).where(
        MeetingDecision.meeting_id == context.record.id, MeetingDecision.status.in_(PENDING)
    )
    return list(context.session.scalars(asked.order_by(MeetingDecision.id)))


def _hold(context: Context) -> None:
    meeting = context.record
    meeting.attendees = context.data.get("attendees") or meeting.attendees


def _tell_owners(context: Context) -> None:
    """Tell every owner, now that what was written down has been decided."""
    for each in _decisions(context):
        tell_owner(context.session, each)


def _nothing_open(context: Context) -> str | None:
    number = still_open(context.session, context.record)
    return f"还有 {number} 条议定事项没有落实，会议不能办结。" if number else None


def _cancel(context: Context) -> None:
    said = {"note": f"会议取消：{context.data['note']}"}
    for each in _decisions(context):
        apply_internally(context, each, "void", said)


MEETINGS = register(
    Workflow(
        model=CoordinationMeeting,
        initial=S.PLANNED,
        relations=relations,
        steps=(
            Step(
                "hold", "会议已召开", (S.PLANNED,), S.HELD, OFFICE, tone="success",
                inputs=(
                    Input(
                        "attendees", "参会单位和人员", required=False, help="一行一个。",
                        known=lambda meeting: meeting.attendees,
                    ),
                ),
                help="议定事项会通知到各责任单位。", when=_begun, effect=_hold,
                then=_tell_owners,
            ),
            Step(
                "close", "会议办结", (S.HELD,), S.CLOSED, OFFICE, tone="success",
                help="议定事项都已落实或不再执行。", when=_nothing_open,
            ),
            Step(
                "cancel", "取消会议", (S.PLANNED,), S.CANCELLED, OFFICE, tone="danger",
                inputs=(Input("note", "取消原因"),), effect=_cancel,
            ),
        ),
    )
)  # fmt: skip
