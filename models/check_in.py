"""双报到、双报告: party members in post who report to a community (domain section 4)."""

from __future__ import annotations

import datetime as dt
import decimal

from sqlalchemy import Date, ForeignKey, Index, Numeric, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Record, Titled, field, titled_type
from models.grade import Grade
from models.organization import Organization
from models.scoping import Anchored, Through


class CheckInStatus(Titled):
    """Where a check-in stands; only ``rules.workflow`` changes it."""

    REGISTERED = "registered", "待确认", "info"
    ACTIVE = "active", "在岗", "success"
    REPORTED = "reported", "已报告", "progress"
    APPRAISED = "appraised", "已评议", "success"
    DECLINED = "declined", "未接收", "muted"
    ENDED = "ended", "已离岗", "muted"


class CheckIn(Record):
    """A party member's report for duty at a community, with the post taken there."""

    __tablename__ = "check_in"
    __label__ = "双报到"
    __scope__ = Anchored(("unit_id", "community_id"))
    __table_args__ = (
        UniqueConstraint("unit_id", "community_id", "member", name="uq_check_in_member"),
        # With the unit, so that sums over members' activities read no more of them than this.
        Index("ix_check_in_community", "community_id", "status", "unit_id"),
    )

    member: Mapped[str] = mapped_column(
        String(40), info=field("党员姓名", headings=("党员姓名", "姓名", "党员"))
    )
    unit_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), info=field("所在单位"))
    community_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), info=field("报到社区"))
    status: Mapped[CheckInStatus] = mapped_column(
        titled_type(CheckInStatus), default=CheckInStatus.REGISTERED, info=field("状态")
    )
    post: Mapped[str | None] = mapped_column(
        String(60), info=field("认领岗位", help="例如：政策宣传岗、文明劝导岗、助老帮困岗")
    )
    skills: Mapped[str | None] = mapped_column(String(100), info=field("特长"))
    phone: Mapped[str | None] = mapped_column(String(40), info=field("联系电话", personal=True))
    reported_on: Mapped[dt.date | None] = mapped_column(Date, info=field("报到日期"))
    report: Mapped[str | None] = mapped_column(
        Text, info=field("服务报告", widget="textarea", help="同时向所在单位和报到社区报告")
    )
    grade: Mapped[Grade | None] = mapped_column(titled_type(Grade), info=field("社区评议"))

    unit: Mapped[Organization] = relationship(foreign_keys=[unit_id], info=field("所在单位"))
    community: Mapped[Organization] = relationship(
        foreign_keys=[community_id], info=field("报到社区")
    )
    activities: Mapped[list[CheckInActivity]] = relationship(
        back_populates="check_in", cascade="all, delete-orphan", order_by="CheckInActivity.id"
    )

    def __str__(self) -> str:
        return self.member

    @property
    def choice_text(self) -> str:
        """What a select box shows: two members may share a name."""
        return f"{self.member}（{self.unit.name}）"


class CheckInActivity(Record):
    """What a member did on a day, and for how many hours."""

    __tablename__ = "check_in_activity"
    __label__ = "报到服务记录"
    __scope__ = Through("check_in_id", "check_in")
    # With the hours, so that sums of a period walk the index alone.
    __table_args__ = (Index("ix_check_in_activity", "check_in_id", "held_on", "hours"),)

    check_in_id: Mapped[int] = mapped_column(
        ForeignKey("check_in.id", ondelete="CASCADE"), info=field("党员")
    )
    held_on: Mapped[dt.date] = mapped_column(Date, info=field("服务日期"))
    hours: Mapped[decimal.Decimal] = mapped_column(
        Numeric(5, 1), info=field("服务时长（小时）", help="可填半小时，例如 1.5")
    )
    content: Mapped[str] = mapped_column(String(300), info=field("服务内容", widget="textarea"))
    place: Mapped[str | None] = mapped_column(String(100), info=field("地点"))

    check_in: Mapped[CheckIn] = relationship(back_populates="activities", info=field("党员"))

    def __str__(self) -> str:
        return f"{self.held_on:%Y-%m-%d} {self.content[:30]}"
