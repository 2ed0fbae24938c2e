"""Supervision orders (督办) and the rule of a county that finds what is due for one (domain 8)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Record, Titled, UTCDateTime, field, titled_type
from models.organization import Organization
from models.scoping import Anchored
from models.ticket import Ticket

if TYPE_CHECKING:
    from models.recurring import RecurringProblem


class SupervisionKind(Titled):
    """How severe an order is, mildest first (domain section 2)."""

    ORDINARY = "ordinary", "督办", "warning"
    LISTED = "listed", "挂牌督办", "danger"
    INTERVIEW = "interview", "约谈", "danger"


class SupervisionCause(Titled):
    """Why supervision is due: the three that must be (三个必督), a low rating, or somebody's word."""

    NEAR = "near", "临近期限"
    OVERDUE = "overdue", "超过期限"
    AGAIN = "again", "反复上报"
    LOW_RATING = "low_rating", "评价不过关"
    MANUAL = "manual", "人工发起"


class SupervisionStatus(Titled):
    """An order's own small workflow; only ``rules.workflow`` changes it."""

    PROPOSED = "proposed", "待确认", "warning"
    ISSUED = "issued", "督办中", "progress"
    ANSWERED = "answered", "已反馈", "info"
    CLOSED = "closed", "已办结", "success"
    DISMISSED = "dismissed", "不予督办", "muted"


class Supervision(Record):
    """One order to one body about one ticket or one matter, with a date and a responsible head.

    ``organization_id`` is the raising place of the ticket, or the place that the matter is about.
    ``key`` names what the rule found: the same is never proposed twice. ``escalated_from`` is the
    milder order that this one follows.
    """

    __tablename__ = "supervision"
    __label__ = "督办单"
    __scope__ = Anchored(("organization_id",), party_column="department_id")
    __table_args__ = (
        UniqueConstraint("key", name="uq_supervision_key"),
        Index("ix_supervision_organization", "organization_id", "status", "id"),
        Index("ix_supervision_department", "department_id", "status", "id"),
        Index("ix_supervision_ticket", "ticket_id"),
        Index("ix_supervision_status", "status", "id"),
    )

    number: Mapped[str | None] = mapped_column(
        String(40), unique=True, info=field("督办编号", help="下达时自动生成")
    )
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), info=field("属地"))
    ticket_id: Mapped[int | None] = mapped_column(
        ForeignKey("ticket.id", ondelete="CASCADE"), info=field("哨单")
    )
    problem_id: Mapped[int | None] = mapped_column(
        ForeignKey("recurring_problem.id"), index=True, info=field("共性问题")
    )
    department_id: Mapped[int | None] = mapped_column(
        ForeignKey("organization.id"), info=field("责任单位")
    )
    kind: Mapped[SupervisionKind] = mapped_column(
        titled_type(SupervisionKind), default=SupervisionKind.ORDINARY, info=field("督办方式")
    )
    cause: Mapped[SupervisionCause] = mapped_column(
        titled_type(SupervisionCause), default=SupervisionCause.MANUAL, info=field("督办事由")
    )
    matter: Mapped[str] = mapped_column(String(300), info=field("督办事项"))
    reason: Mapped[str] = mapped_column(Text, info=field("情况说明", widget="textarea"))
    head: Mapped[str | None] = mapped_column(String(100), info=field("责任领导"))
    due_on: Mapped[dt.date | None] = mapped_column(Date, info=field("办结期限"))
    status: Mapped[SupervisionStatus] = mapped_column(
        titled_type(SupervisionStatus), default=SupervisionStatus.PROPOSED, info=field("状态")
    )
    key: Mapped[str | None] = mapped_column(String(120))
    escalated_from_id: Mapped[int | None] = mapped_column(
        ForeignKey("supervision.id"), index=True, info=field("由哪份督办升级")
    )
    issued_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("下达时间"))
    answered_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("反馈时间"))
    answer: Mapped[str | None] = mapped_column(Text, info=field("整改情况", widget="textarea"))
    closed_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("办结时间"))

    organization: Mapped[Organization] = relationship(
        foreign_keys=[organization_id], info=field("属地")
    )
    department: Mapped[Organization | None] = relationship(
        foreign_keys=[department_id], info=field("责任单位")
    )
    ticket: Mapped[Ticket | None] = relationship(info=field("哨单"))
    problem: Mapped[RecurringProblem | None] = relationship(info=field("共性问题"))
    escalated_from: Mapped[Supervision | None] = relationship(
        remote_side="Supervision.id", info=field("由哪份督办升级")
    )

    def __str__(self) -> str:
        return f"{self.number or '（待下达）'} {self.matter}"


class SupervisionRule(Record):
    """What a county's sweep looks for, and how its orders grow more severe; one for a county.

    ``near_hours``: a deadline that is nearer than this is due for supervision. ``ladder`` is a list of
    ``{"hours": hours past the deadline, "kind": SupervisionKind, "days": days to put it right}``, mildest
    first. The same matter in one place at least ``again_times`` within ``again_days`` is one that
    comes back: for supervision, and for the office to open a recurring problem. Quiet hours are "HH:MM"
    in Asia/Shanghai; what is told in them waits until they are over, but for emergencies.
    """

    __tablename__ = "supervision_rule"
    __label__ = "督办规则"
    __scope__ = Anchored(("organization_id",))
    __table_args__ = (UniqueConstraint("organization_id", name="uq_supervision_rule"),)

    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id"), info=field("所属县（市、区）")
    )
    near_hours: Mapped[int] = mapped_column(
        Integer, default=24, info=field("临近期限（小时）", help="期限不足这些小时即列入必督")
    )
    ladder: Mapped[list[dict[str, Any]]] = mapped_column(JSON, info=field("督办升级"))
    again_times: Mapped[int] = mapped_column(
        Integer, default=3, info=field("反复上报（次）", help="同一事项在同一地区达到的次数")
    )
    again_days: Mapped[int] = mapped_column(Integer, default=90, info=field("反复上报（天内）"))
    quiet_from: Mapped[str] = mapped_column(String(5), default="22:00", info=field("免打扰开始"))
    quiet_until: Mapped[str] = mapped_column(String(5), default="07:00", info=field("免打扰结束"))

    organization: Mapped[Organization] = relationship(info=field("所属县（市、区）"))

    def __str__(self) -> str:
        return f"{self.organization}督办规则"
