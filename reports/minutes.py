"""The minutes of a meeting as a Word document: agenda, discussions, decisions, who was there."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from docxtpl import DocxTemplate

from models.base import utcnow
from models.meeting import CoordinationMeeting, MeetingDecision
from presets.minutes import MEETING_MINUTES
from reports.letters import environment
from rules.letters import text_of
from rules.wording import local

NOTHING = "（没有登记）"


def minutes(
    meeting: CoordinationMeeting, decisions: Sequence[MeetingDecision], issued_by: str
) -> bytes:
    """Return a meeting's minutes as the bytes of a .docx, with the decisions in the order given."""
    document = DocxTemplate(io.BytesIO(MEETING_MINUTES.read_bytes()))
    document.render(values_of(meeting, decisions, issued_by), environment(), autoescape=True)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def values_of(
    meeting: CoordinationMeeting, decisions: Sequence[MeetingDecision], issued_by: str
) -> dict[str, Any]:
    """Return what each field of the minutes says; the two lists hold one entry for each line."""
    return {
        "会议名称": text_of(meeting.title),
        "会议类型": meeting.kind.title,
        "会议时间": local(meeting.held_at),
        "会议地点": text_of(meeting.place) or NOTHING,
        "召集单位": text_of(meeting.organization.name),
        "主持人": text_of(meeting.chair) or NOTHING,
        "参会单位和人员": "、".join(text_of(meeting.attendees).split("\n")) or NOTHING,
        "议题": [
            {
                "序号": str(each.position),
                "议题": text_of(each.title),
                "讨论": text_of(each.discussion) or NOTHING,
            }
            for each in meeting.items
        ],
        "议定事项": [_decision(place, each) for place, each in enumerate(decisions, 1)],
        "会议记录": text_of(meeting.minutes),
        "印发单位": text_of(issued_by),
        "打印日期": local(utcnow(), with_time=False),
    }


def _decision(place: int, decision: MeetingDecision) -> dict[str, str]:
    state = decision.status.title
    said = text_of(decision.report)
    return {
        "序号": str(place),
        "内容": text_of(decision.text),
        "责任单位": text_of(decision.owner.name),
        "期限": decision.due_on.isoformat(),
        "落实": f"{state}：{said}" if said else state,
    }
