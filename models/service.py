"""服务项目清单: needs, resources and a provider brought together, session by session (domain 4)."""

from __future__ import annotations

import datetime as dt
import decimal

from sqlalchemy import (
    Date,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    String,
    Text,
    Time,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Record, Titled, field, titled_type
from models.grade import Grade
from models.need import Need
from models.organization import Organization
from models.resource import Category, Resource
from models.scoping import Anchored, Through


class ServiceStatus(Titled):
    """A service project's way; only ``rules.workflow`` changes it."""

    PLANNED = "planned", "待接单", "info"
    UNDER_WAY = "under_way", "实施中", "progress"
    COMPLETED = "completed", "待评价", "warning"
    RATED = "rated", "已评价", "success"
    CANCELLED = "cancelled", "已取消", "muted"


#: States in which a project still answers its needs, and may be planned anew.
OPEN = (ServiceStatus.PLANNED, ServiceStatus.UNDER_WAY)


class ServiceProject(Record):
    """A service that a unit provides to a community: what for, with what, when, and what came of it."""

    __tablename__ = "service_project"
    __label__ = "服务项目"
    __scope__ = Anchored(("provider_id", "community_id"))
    __table_args__ = (
        UniqueConstraint("community_id", "provider_id", "title", name="uq_service_project_title"),
        Index("ix_service_project_community", "community_id", "status", "id"),
        Index("ix_service_project_provider", "provider_id", "status", "id"),
        Index("ix_service_project_status", "status", "id"),
    )

    title: Mapped[str] = mapped_column(
        String(100), info=field("项目名称", headings=("项目名称", "名称", "服务项目"))
    )
    category: Mapped[Category] = mapped_column(
        titled_type(Category), default=Category.SERVICE, info=field("项目类别", headings=("类别",))
    )
    provider_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), info=field("提供单位"))
    community_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), info=field("服务社区"))
    status: Mapped[ServiceStatus] = mapped_column(
        titled_type(ServiceStatus), default=ServiceStatus.PLANNED, info=field("状态")
    )
    planned_from: Mapped[dt.date] = mapped_column(Date, info=field("计划开始日期"))
    planned_until: Mapped[dt.date] = mapped_column(Date, info=field("计划结束日期"))
    actual_from: Mapped[dt.date | None] = mapped_column(Date, info=field("实际开始日期"))
    actual_until: Mapped[dt.date | None] = mapped_column(Date, info=field("实际结束日期"))
    funds: Mapped[decimal.Decimal | None] = mapped_column(
        Numeric(12, 2), info=field("经费（元）", help="单位投入或购买服务的金额")
    )
    people_served: Mapped[int | None] = mapped_column(
        Integer, info=field("服务人次", help="完成时填写；不填则按各场次到场人数合计")
    )
    content: Mapped[str | None] = mapped_column(Text, info=field("服务内容", widget="textarea"))
    outcome: Mapped[str | None] = mapped_column(Text, info=field("服务成效", widget="textarea"))
    grade: Mapped[Grade | None] = mapped_column(titled_type(Grade), info=field("评价"))
    contact: Mapped[str | None] = mapped_column(String(40), info=field("联系人"))
    phone: Mapped[str | None] = mapped_column(String(40), info=field("联系电话", personal=True))

    provider: Mapped[Organization] = relationship(
        foreign_keys=[provider_id], info=field("提供单位")
    )
    community: Mapped[Organization] = relationship(
        foreign_keys=[community_id], info=field("服务社区")
    )
    need_links: Mapped[list[ServiceNeed]] = relationship(
        back_populates="service", cascade="all, delete-orphan", order_by="ServiceNeed.id"
    )
    resource_links: Mapped[list[ServiceResource]] = relationship(
        back_populates="service", cascade="all, delete-orphan", order_by="ServiceResource.id"
    )
    sessions: Mapped[list[ServiceSession]] = relationship(
        back_populates="service", cascade="all, delete-orphan", order_by="ServiceSession.held_on"
    )

    def __str__(self) -> str:
        return self.title


class ServiceNeed(Record):
    """A need that a service answers."""

    __tablename__ = "service_need"
    __label__ = "服务对应的需求"
    __scope__ = Through("service_id", "service_project")
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("service_id", "need_id", name="uq_service_need"),
        Index("ix_service_need_need", "need_id"),
    )

    service_id: Mapped[int] = mapped_column(ForeignKey("service_project.id", ondelete="CASCADE"))
    need_id: Mapped[int] = mapped_column(ForeignKey("need.id"))

    service: Mapped[ServiceProject] = relationship(back_populates="need_links")
    need: Mapped[Need] = relationship()


class ServiceResource(Record):
    """A resource that a service uses."""

    __tablename__ = "service_resource"
    __label__ = "服务使用的资源"
    __scope__ = Through("service_id", "service_project")
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("service_id", "resource_id", name="uq_service_resource"),
        Index("ix_service_resource_resource", "resource_id"),
    )

    service_id: Mapped[int] = mapped_column(ForeignKey("service_project.id", ondelete="CASCADE"))
    resource_id: Mapped[int] = mapped_column(ForeignKey("resource.id"))

    service: Mapped[ServiceProject] = relationship(back_populates="resource_links")
    resource: Mapped[Resource] = relationship()


class ServiceSession(Record):
    """One session of a service (精准排班): when, where, who serves, and how many came."""

    __tablename__ = "service_session"
    __label__ = "服务场次"
    __scope__ = Through("service_id", "service_project")
    __table_args__ = (Index("ix_service_session", "service_id", "held_on"),)

    service_id: Mapped[int] = mapped_column(
        ForeignKey("service_project.id", ondelete="CASCADE"), info=field("服务项目")
    )
    held_on: Mapped[dt.date] = mapped_column(Date, info=field("日期"))
    starts_at: Mapped[dt.time] = mapped_column(Time, info=field("开始时间"))
    ends_at: Mapped[dt.time] = mapped_column(Time, info=field("结束时间"))
    place: Mapped[str] = mapped_column(String(100), info=field("地点"))
    staff: Mapped[str | None] = mapped_column(
        String(200), info=field("服务人员", help="姓名用顿号隔开")
    )
    expected: Mapped[int | None] = mapped_column(Integer, info=field("预计人数"))
    attended: Mapped[int | None] = mapped_column(
        Integer, info=field("到场人数", help="结束后填写；填了才计入服务人次和时长")
    )
    note: Mapped[str | None] = mapped_column(String(300), info=field("备注", widget="textarea"))

    service: Mapped[ServiceProject] = relationship(
        back_populates="sessions", info=field("服务项目")
    )

    def __str__(self) -> str:
        return f"{self.held_on:%Y-%m-%d} {self.place}"
