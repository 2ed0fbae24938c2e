"""Reminders of what a body has in hand: decisions of meetings, and plans against recurring problems."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, joinedload

from models.meeting import CoordinationMeeting, DecisionStatus, MeetingDecision, MeetingStatus
from models.recurring import ProblemStatus, RecurringProblem
from rules.notices import tell
from rules.problems import OWNER_ROLES

#: Days before the last one on which an owner is reminded, and the last day itself.
DAYS_BEFORE = (3, 0)
#: Records looked at in one go.
SLICE = 200


def remind(session: Session, today: dt.date) -> int:
    """Remind owners of what is due in three days, and of what is due today; return how many were told.

    Everybody is told each once for a date, on whatever day the sweep runs; a date that was changed is
    another date. The session acts for the system. Never commits.
    """
    until = today + dt.timedelta(days=max(DAYS_BEFORE))
    told = 0
    decided = (
        MeetingDecision.status == DecisionStatus.OPEN,
        MeetingDecision.due_on.between(today, until),
        MeetingDecision.meeting.has(CoordinationMeeting.status == MeetingStatus.HELD),
    )
    for decision in _slices(session, MeetingDecision, decided):
        told += _remind(session, decision, f"会议议定事项“{decision}”", today)
    planned = (
        RecurringProblem.status == ProblemStatus.PLANNED,
        RecurringProblem.due_on.between(today, until),
    )
    for problem in _slices(session, RecurringProblem, planned):
        told += _remind(session, problem, f"共性问题“{problem}”", today)
    return told


def _remind(session: Session, record: Any, what: str, today: dt.date) -> int:
    left = (record.due_on - today).days
    mark = min(days for days in DAYS_BEFORE if left <= days)
    when = f"还有 {left} 天到期" if left else "今天到期"
    key = f"due-{mark}:{record.due_on}"
    return tell(session, (record.owner_id,), f"{when}：{what}", record, key, roles=OWNER_ROLES)


def _slices(
    session: Session, model: type[Any], tests: Sequence[ColumnElement[bool]]
) -> Iterator[Any]:
    """Yield the records that pass, a slice at a time."""
    last = 0
    while True:
        query = select(model).where(*tests, model.id > last).options(joinedload(model.owner))
        part = list(session.scalars(query.order_by(model.id).limit(SLICE)))
        if not part:
            return
        last = part[-1].id
        yield from part
