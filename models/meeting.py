"""Coordination meetings (联席会议、调度会): agenda, decisions with owner and date, minutes (domain 2)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Date, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Record, Titled, UTCDateTime, field, titled_type
from models.organization import Organization
from models.recurring import RecurringProblem
from models.scoping import Anchored, Through
from models.ticket import Ticket


class MeetingKind(Titled):
    """What a meeting is called."""

    JOINT = "joint", "联席会议"
    SCHEDULING = "scheduling", "调度会"


class MeetingStatus(Titled):
    """How far a meeting has come; only ``rules.workflow`` changes it."""

    PLANNED = "planned", "筹备中", "warning"
    HELD = "held", "已召开", "progress"
    CLOSED = "closed", "已办结", "success"
    CANCELLED = "cancelled", "已取消", "muted"


class DecisionStatus(Titled):
    """How far the owner of a decision has come; only ``rules.workflow`` changes it."""

    OPEN = "open", "落实中", "progress"
    REPORTED = "reported", "已反馈", "info"
    DONE = "done", "已落实", "success"
    DROPPED = "dropped", "不再执行", "muted"


class CoordinationMeeting(Record):
    """A meeting of a county's or a city's office. ``attendees`` are names, one body a line."""

    __tablename__ = "coordination_meeting"
    __label__ = "联席会议"
    __scope__ = Anchored(("organization_id",))
    __table_args__ = (Index("ix_coordination_meeting_organization", "organization_id", "id"),)

    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id"), info=field("召集单位")
    )
    title: Mapped[str] = mapped_column(String(200), info=field("会议名称"))
    kind: Mapped[MeetingKind] = mapped_column(
        titled_type(MeetingKind), default=MeetingKind.SCHEDULING, info=field("会议类型")
    )
    held_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, info=field("会议时间"))
    place: Mapped[str | None] = mapped_column(String(200), info=field("会议地点"))
    chair: Mapped[str | None] = mapped_column(String(100), info=field("主持人"))
    attendees: Mapped[str | None] = mapped_column(
        Text, info=field("参会单位和人员", widget="textarea")
    )
    minutes: Mapped[str | None] = mapped_column(Text, info=field("会议记录", widget="textarea"))
    status: Mapped[MeetingStatus] = mapped_column(
        titled_type(MeetingStatus), default=MeetingStatus.PLANNED, info=field("状态")
    )

    organization: Mapped[Organization] = relationship(info=field("召集单位"))
    items: Mapped[list[MeetingItem]] = relationship(
        back_populates="meeting", cascade="all, delete-orphan", order_by="MeetingItem.position"
    )
    decisions: Mapped[list[MeetingDecision]] = relationship(
        back_populates="meeting", cascade="all, delete-orphan", order_by="MeetingDecision.id"
    )

    def __str__(self) -> str:
        return self.title


class MeetingItem(Record):
    """One point of the agenda: a ticket, a recurring problem, or words alone."""

    __tablename__ = "meeting_item"
    __label__ = "会议议题"
    __scope__ = Through("meeting_id", "coordination_meeting")
    __table_args__ = (Index("ix_meeting_item_meeting", "meeting_id", "position"),)

    meeting_id: Mapped[int] = mapped_column(
        ForeignKey("coordination_meeting.id", ondelete="CASCADE"), info=field("会议")
    )
    position: Mapped[int] = mapped_column(Integer, default=0, info=field("顺序"))
    title: Mapped[str] = mapped_column(String(200), info=field("议题"))
    ticket_id: Mapped[int | None] = mapped_column(
        ForeignKey("ticket.id", ondelete="SET NULL"), index=True, info=field("哨单")
    )
    problem_id: Mapped[int | None] = mapped_column(
        ForeignKey("recurring_problem.id", ondelete="SET NULL"), index=True, info=field("共性问题")
    )
    discussion: Mapped[str | None] = mapped_column(Text, info=field("讨论情况", widget="textarea"))

    meeting: Mapped[CoordinationMeeting] = relationship(back_populates="items", info=field("会议"))
    ticket: Mapped[Ticket | None] = relationship(info=field("哨单"))
    problem: Mapped[RecurringProblem | None] = relationship(info=field("共性问题"))

    def __str__(self) -> str:
        return self.title


class MeetingDecision(Record):
    """What was decided, who owns it, and by when; the owner reports, the office ticks it off.

    ``organization_id`` is the meeting's. Nobody carries out, or sees, what is written down for a meeting
    that was not held.
    """

    __tablename__ = "meeting_decision"
    __label__ = "议定事项"
    __scope__ = Anchored(
        ("organization_id",),
        party_column="owner_id",
        party_when=("meeting_id", "coordination_meeting", ("held", "closed")),
    )
    __table_args__ = (
        Index("ix_meeting_decision_meeting", "meeting_id"),
        Index("ix_meeting_decision_organization", "organization_id", "status", "id"),
        Index("ix_meeting_decision_owner", "owner_id", "status", "id"),
    )

    meeting_id: Mapped[int] = mapped_column(
        ForeignKey("coordination_meeting.id", ondelete="CASCADE"), info=field("会议")
    )
    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id"), info=field("召集单位")
    )
    item_id: Mapped[int | None] = mapped_column(
        ForeignKey("meeting_item.id", ondelete="SET NULL"), info=field("议题")
    )
    text: Mapped[str] = mapped_column(Text, info=field("议定事项", widget="textarea"))
    owner_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), info=field("责任单位"))
    due_on: Mapped[dt.date] = mapped_column(Date, info=field("完成期限"))
    status: Mapped[DecisionStatus] = mapped_column(
        titled_type(DecisionStatus), default=DecisionStatus.OPEN, info=field("状态")
    )
    report: Mapped[str | None] = mapped_column(Text, info=field("落实情况", widget="textarea"))
    done_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("落实时间"))

    meeting: Mapped[CoordinationMeeting] = relationship(
        back_populates="decisions", info=field("会议")
    )
    organization: Mapped[Organization] = relationship(
        foreign_keys=[organization_id], info=field("召集单位")
    )
    owner: Mapped[Organization] = relationship(foreign_keys=[owner_id], info=field("责任单位"))
    item: Mapped[MeetingItem | None] = relationship(info=field("议题"))

    def __str__(self) -> str:
        return self.text[:60]
