"""Recurring problems (共性问题): from solving one to solving a kind (domain sections 2 and 8)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Record, Titled, UTCDateTime, field, titled_type
from models.organization import Organization
from models.scoping import Anchored, Through
from models.ticket import Ticket


class ProblemStatus(Titled):
    """How far the office has come with a recurring problem; only ``rules.workflow`` changes it."""

    OPEN = "open", "待定方案", "warning"
    PLANNED = "planned", "整治中", "progress"
    DONE = "done", "待检验", "info"
    CLOSED = "closed", "已销号", "success"
    DROPPED = "dropped", "不再跟踪", "muted"


class Remedy(Titled):
    """What the rule suggests against a problem's coming back."""

    DUTY_LIST = "duty_list", "纳入履职事项清单"
    PATROL = "patrol", "定期巡查"
    PROJECT = "project", "立项整治"
    PUBLICITY = "publicity", "宣传引导"
    OTHER = "other", "其他"


class RecurringProblem(Record):
    """The same matter in one area, found again and again, with a plan, an owner and a date.

    ``organization_id`` is the area: a city, county, township or community. ``found_count`` tickets were
    raised from ``found_from`` to ``found_until`` when it was opened. ``planned_on`` and ``done_on`` divide the
    counts into before and after.
    """

    __tablename__ = "recurring_problem"
    __label__ = "共性问题"
    __scope__ = Anchored(("organization_id",), party_column="owner_id")
    __table_args__ = (
        Index("ix_recurring_problem_organization", "organization_id", "status", "id"),
        Index("ix_recurring_problem_owner", "owner_id", "status", "id"),
    )

    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), info=field("地区"))
    title: Mapped[str] = mapped_column(String(200), info=field("问题名称"))
    matter: Mapped[str] = mapped_column(String(300), info=field("事项"))
    cause: Mapped[str | None] = mapped_column(Text, info=field("成因分析", widget="textarea"))
    remedy: Mapped[Remedy] = mapped_column(
        titled_type(Remedy), default=Remedy.OTHER, info=field("治理方式")
    )
    plan: Mapped[str | None] = mapped_column(Text, info=field("整治方案", widget="textarea"))
    owner_id: Mapped[int | None] = mapped_column(
        ForeignKey("organization.id"), info=field("牵头单位")
    )
    due_on: Mapped[dt.date | None] = mapped_column(Date, info=field("完成期限"))
    found_count: Mapped[int] = mapped_column(Integer, default=0, info=field("发现时件数"))
    found_from: Mapped[dt.date | None] = mapped_column(Date, info=field("发现时段起"))
    found_until: Mapped[dt.date | None] = mapped_column(Date, info=field("发现时段止"))
    planned_on: Mapped[dt.date | None] = mapped_column(Date, info=field("定方案日期"))
    done_on: Mapped[dt.date | None] = mapped_column(Date, info=field("完成日期"))
    result: Mapped[str | None] = mapped_column(Text, info=field("整治成效", widget="textarea"))
    status: Mapped[ProblemStatus] = mapped_column(
        titled_type(ProblemStatus), default=ProblemStatus.OPEN, info=field("状态")
    )

    organization: Mapped[Organization] = relationship(
        foreign_keys=[organization_id], info=field("地区")
    )
    owner: Mapped[Organization | None] = relationship(
        foreign_keys=[owner_id], info=field("牵头单位")
    )
    tickets: Mapped[list[ProblemTicket]] = relationship(
        back_populates="problem", cascade="all, delete-orphan", order_by="ProblemTicket.id"
    )

    def __str__(self) -> str:
        return self.title


class ProblemTicket(Record):
    """A ticket that is a case of a recurring problem; ``added_by`` names who tied it."""

    __tablename__ = "problem_ticket"
    __label__ = "共性问题哨单"
    __scope__ = Through("problem_id", "recurring_problem")
    __audited__ = False
    __table_args__ = (UniqueConstraint("problem_id", "ticket_id", name="uq_problem_ticket"),)

    problem_id: Mapped[int] = mapped_column(ForeignKey("recurring_problem.id", ondelete="CASCADE"))
    ticket_id: Mapped[int] = mapped_column(
        ForeignKey("ticket.id", ondelete="CASCADE"), index=True, info=field("哨单")
    )
    added_by: Mapped[str] = mapped_column(String(100), default="", info=field("关联人"))
    added_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("关联时间"))

    problem: Mapped[RecurringProblem] = relationship(back_populates="tickets")
    ticket: Mapped[Ticket] = relationship()
