"""Coordination meetings: the agenda with its order and discussions, and what is decided (domain 2)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.meeting import (
    CoordinationMeeting,
    DecisionStatus,
    MeetingDecision,
    MeetingItem,
    MeetingStatus,
)
from models.organization import Organization
from models.recurring import RecurringProblem
from models.ticket import Ticket
from rules import notices
from rules.actor import SYSTEM, acting_as
from rules.calendar import shanghai_date
from rules.errors import Conflict, Invalid
from rules.problems import OWNER_ROLES, owners

#: Points of one agenda, and decisions of one meeting.
MOST_ITEMS, MOST_DECISIONS = 60, 100
#: Characters of a point's title, and of what was said about it.
LONGEST, LONGEST_SAID = 200, 5000
#: While a meeting is in one of these its agenda and decisions are written.
ARRANGED = (MeetingStatus.PLANNED, MeetingStatus.HELD)
#: A decision in one of these keeps its meeting open.
PENDING = (DecisionStatus.OPEN, DecisionStatus.REPORTED)


def refuse_over(meeting: CoordinationMeeting) -> None:
    """Raise ``Conflict`` for a meeting that is over: its minutes stay as they are."""
    if meeting.status not in ARRANGED:
        raise Conflict(f"“{meeting}”已是“{meeting.status.title}”，议题和议定事项不能再改。")


def add_item(
    session: Session,
    meeting: CoordinationMeeting,
    title: str,
    *,
    ticket: Ticket | None = None,
    problem: RecurringProblem | None = None,
) -> MeetingItem:
    """Put a point at the end of the agenda: about a ticket, a problem, or words alone. Never commits.

    Raises ``Invalid`` without a title, and ``Conflict`` where it stands there already.
    """
    refuse_over(meeting)
    said = title.strip() or str(ticket or problem or "")
    if not said:
        raise Invalid("请填写议题，或选择哨单、共性问题。", title="请填写议题。")
    for each in meeting.items:
        same = (ticket and each.ticket_id == ticket.id) or (
            problem and each.problem_id == problem.id
        )
        if same:
            raise Conflict(f"“{said[:60]}”已在“{meeting}”的议题里，是第 {each.position} 项。")
    if len(meeting.items) >= MOST_ITEMS:
        raise Conflict(f"一次会议最多 {MOST_ITEMS} 个议题，请另开一次会。")
    item = MeetingItem(
        position=len(meeting.items) + 1,
        title=said[:LONGEST],
        ticket_id=ticket.id if ticket else None,
        problem_id=problem.id if problem else None,
    )
    meeting.items.append(item)
    session.flush()
    return item


def move_item(session: Session, item: MeetingItem, up: bool) -> None:
    """Change places with the point above, or below; at the end of the agenda nothing happens."""
    refuse_over(item.meeting)
    items = _in_order(item.meeting)
    here = items.index(item)
    there = here - 1 if up else here + 1
    if 0 <= there < len(items):
        items[here], items[there] = items[there], items[here]
    _number(items)
    session.flush()


def remove_item(session: Session, item: MeetingItem) -> None:
    """Take a point off the agenda. Raises ``Conflict`` if something was decided on it."""
    meeting = item.meeting
    refuse_over(meeting)
    decided = select(func.count(MeetingDecision.id)).where(MeetingDecision.item_id == item.id)
    if session.scalar(decided):
        raise Conflict(f"议题“{item}”已有议定事项，不能移出；请先删除议定事项。")
    meeting.items.remove(item)
    _number(_in_order(meeting))
    session.flush()


def _in_order(meeting: CoordinationMeeting) -> list[MeetingItem]:
    return sorted(meeting.items, key=lambda each: (each.position, each.id))


def _number(items: list[MeetingItem]) -> None:
    for place, each in enumerate(items, 1):
        each.position = place


def check_decision(session: Session, decision: MeetingDecision, now: dt.datetime) -> None:
    """Hold a new or changed decision to the rules; raises ``Conflict`` or ``Invalid``."""
    meeting = decision.meeting
    refuse_over(meeting)
    if decision.item is not None and decision.item.meeting_id != meeting.id:
        raise Invalid("所选的议题不是这次会议的，请重新选择。", item="请选择这次会议的议题。")
    if session.scalar(owners(decision).where(Organization.id == decision.owner.id)) is None:
        sentence = "责任单位应是本县（市、区）在用的部门、派驻机构或乡镇（街道），请重新选择。"
        raise Invalid(sentence, owner=sentence)
    if decision.id is None and decision.due_on < shanghai_date(now):
        raise Invalid("完成期限不能早于今天。", due_on="不能早于今天。")
    number = select(func.count(MeetingDecision.id)).where(MeetingDecision.meeting_id == meeting.id)
    with session.no_autoflush:
        full = decision.id is None and (session.scalar(number) or 0) >= MOST_DECISIONS
    if full:
        raise Conflict(f"一次会议最多 {MOST_DECISIONS} 条议定事项。")


def tell_owner(session: Session, decision: MeetingDecision) -> int:
    """Tell the owner what it has to carry out, once the meeting was held; return how many were told."""
    if meeting_state(session, decision) is not MeetingStatus.HELD:
        return 0
    title = f"会议议定事项：{decision}，{decision.due_on}前落实"
    owner, key = decision.owner.id, f"decided:{decision.owner.id}"
    return notices.tell(session, (owner,), title, decision, key, roles=OWNER_ROLES)


def meeting_state(session: Session, decision: MeetingDecision) -> MeetingStatus | None:
    """Return how far a decision's meeting has come: its owner may not see the meeting itself."""
    asked = select(CoordinationMeeting.status).where(CoordinationMeeting.id == decision.meeting_id)
    with acting_as(session, SYSTEM):
        return session.scalar(asked)


def still_open(session: Session, meeting: CoordinationMeeting) -> int:
    """Return how many decisions of a meeting are neither carried out nor dropped."""
    number = select(func.count(MeetingDecision.id)).where(
        MeetingDecision.meeting_id == meeting.id, MeetingDecision.status.in_(PENDING)
    )
    return session.scalar(number) or 0


def discuss(session: Session, item: MeetingItem, title: str, said: str) -> None:
    """Keep a point's title and what was said about it. Never commits."""
    refuse_over(item.meeting)
    if not title or len(title) > LONGEST:
        raise Invalid(f"请填写议题，最多 {LONGEST} 字。", title="请填写议题。")
    if len(said) > LONGEST_SAID or "\x00" in title + said:
        raise Invalid(f"讨论情况最多 {LONGEST_SAID} 字，现有 {len(said)} 字。", discussion="太长。")
    item.title, item.discussion = title, said or None
    session.flush()
