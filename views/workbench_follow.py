"""Queues of what follows tickets: orders, decisions of meetings, recurring problems, appeals, bulletins."""

from __future__ import annotations

from collections.abc import Iterator

from models.appeal import AppealStatus, RatingAppeal
from models.bulletin import Bulletin, BulletinStatus
from models.meeting import (
    CoordinationMeeting,
    DecisionStatus,
    MeetingDecision,
    MeetingStatus,
)
from models.recurring import ProblemStatus, RecurringProblem
from models.supervision import Supervision, SupervisionStatus
from presets.roles import Role
from rules.actor import Actor
from rules.waiting import of_a_held_meeting
from views.workbench_queues import LOOK, Args, Queue, some_of

S, D, P = SupervisionStatus, DecisionStatus, ProblemStatus
ORDER, DECISION, PROBLEM = Supervision.due_on, MeetingDecision.due_on, RecurringProblem.due_on
OWNERS = (Role.DEPARTMENT_HANDLER, Role.TOWNSHIP_REVIEWER)
WATCHING = (Role.DISPATCHER, Role.INSPECTOR, Role.LEADER)


def following(who: Actor) -> Iterator[Queue]:
    """Yield the queues of whoever answers, owns, decides or watches."""
    if who.has(Role.DISPATCHER, Role.INSPECTOR):
        yield from _orders()
    if who.has(Role.DEPARTMENT_HANDLER):
        yield from _answering(who)
    if who.has(*OWNERS):
        yield from _owning(who)
    if who.has(Role.DISPATCHER):
        yield from _office()
    if who.has(*WATCHING):
        yield from _watching()
    elif who.has(Role.TOWNSHIP_REVIEWER, Role.COMMUNITY_STAFF):
        yield _orders_out("本地区督办中")


def _tab(name: str) -> Args:
    return (("tab", name),)


def _orders() -> Iterator[Queue]:
    """Yield what the office and the inspectors decide on orders."""
    proposed = some_of(Supervision, Supervision.status == S.PROPOSED)
    empty = "没有待确认的督办。临近期限、超过期限和反复上报的事项，系统会列到这里。"
    yield Queue("待确认的督办", Supervision, proposed, empty, _tab("proposed"), step="confirm")
    answered = some_of(Supervision, Supervision.status == S.ANSWERED, day=ORDER)
    empty = "没有待审核的督办反馈。"
    yield Queue(
        "待审核的督办反馈", Supervision, answered, empty, _tab("answered"), day=ORDER, look=LOOK
    )


def _orders_out(title: str) -> Queue:
    issued = some_of(Supervision, Supervision.status == S.ISSUED, day=ORDER)
    empty = "没有等反馈的督办。"
    return Queue(title, Supervision, issued, empty, _tab("issued"), False, day=ORDER)


def _answering(who: Actor) -> Iterator[Queue]:
    """Yield the orders to a department, and its appeals."""
    mine = Supervision.department_id == who.organization_id
    issued = some_of(Supervision, mine, Supervision.status == S.ISSUED, day=ORDER)
    empty = "没有需要反馈的督办。"
    yield Queue(
        "待反馈的督办", Supervision, issued, empty, _tab("issued"), day=ORDER, step="answer"
    )
    answered = some_of(Supervision, mine, Supervision.status == S.ANSWERED, day=ORDER)
    empty = "没有等审核的督办反馈。"
    yield Queue("等督办审核结果", Supervision, answered, empty, _tab("answered"), False, day=ORDER)
    own = RatingAppeal.department_id == who.organization_id
    appeals = some_of(RatingAppeal, own, RatingAppeal.status == AppealStatus.PENDING)
    empty = "没有等复核的申诉。"
    yield Queue("等申诉复核结果", RatingAppeal, appeals, empty, _tab("pending"), False)


def _owning(who: Actor) -> Iterator[Queue]:
    """Yield what a department or a township carries out: decisions of meetings, recurring problems."""
    own = MeetingDecision.owner_id == who.organization_id
    tests = (own, MeetingDecision.status == D.OPEN, of_a_held_meeting())
    decided = some_of(MeetingDecision, *tests, day=DECISION)
    empty = "没有需要反馈的议定事项。"
    args = (("status", "open"), ("owner", str(who.organization_id)))
    yield Queue(
        "待反馈的议定事项", MeetingDecision, decided, empty, args, day=DECISION, step="report"
    )
    mine = RecurringProblem.owner_id == who.organization_id
    planned = some_of(RecurringProblem, mine, RecurringProblem.status == P.PLANNED, day=PROBLEM)
    empty = "没有牵头整治的共性问题。"
    args = (("status", "planned"), ("owner", str(who.organization_id)))
    yield Queue(
        "牵头整治的共性问题", RecurringProblem, planned, empty, args, day=PROBLEM, step="done"
    )


def _office() -> Iterator[Queue]:
    """Yield what the office alone decides."""
    appeals = some_of(RatingAppeal, RatingAppeal.status == AppealStatus.PENDING)
    yield Queue(
        "待复核的申诉", RatingAppeal, appeals, "没有待复核的申诉。", _tab("pending"), look="去复核"
    )
    reported = some_of(MeetingDecision, MeetingDecision.status == D.REPORTED, day=DECISION)
    empty = "没有待核实的议定事项。"
    yield Queue(
        "待核实的议定事项",
        MeetingDecision,
        reported,
        empty,
        _tab("reported"),
        day=DECISION,
        look="去核实",
    )
    opened = some_of(RecurringProblem, RecurringProblem.status == P.OPEN)
    empty = "没有待定方案的共性问题。在“反复发生的事项”里看看有没有该立的。"
    yield Queue("待定方案的共性问题", RecurringProblem, opened, empty, _tab("open"), step="plan")
    done = some_of(RecurringProblem, RecurringProblem.status == P.DONE, day=PROBLEM)
    empty = "没有待检验的共性问题。"
    yield Queue("待检验的共性问题", RecurringProblem, done, empty, _tab("done"), look="去检验")
    planned = some_of(
        CoordinationMeeting,
        CoordinationMeeting.status == MeetingStatus.PLANNED,
        day=CoordinationMeeting.held_at,
    )
    empty = "没有筹备中的会议。"
    yield Queue("筹备中的会议", CoordinationMeeting, planned, empty, _tab("planned"), look="去筹备")
    ready = some_of(Bulletin, Bulletin.status == BulletinStatus.READY)
    args = (("status", "ready"),)
    yield Queue("待签发的通报", Bulletin, ready, "没有待签发的通报。", args, look="去签发")


def _watching() -> Iterator[Queue]:
    """Yield what the office, the inspectors and leaders wait for."""
    yield _orders_out("等反馈的督办")
    open_ = (MeetingDecision.status == D.OPEN, of_a_held_meeting())
    decided = some_of(MeetingDecision, *open_, day=DECISION)
    empty, args = "没有等反馈的议定事项。", (("status", "open"),)
    yield Queue("等反馈的议定事项", MeetingDecision, decided, empty, args, False, day=DECISION)
    planned = some_of(RecurringProblem, RecurringProblem.status == P.PLANNED, day=PROBLEM)
    empty = "没有整治中的共性问题。"
    yield Queue(
        "整治中的共性问题", RecurringProblem, planned, empty, _tab("planned"), False, day=PROBLEM
    )
