"""共治资源清单: what units have to give, and to which communities (domain section 4)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Record, Titled, field, titled_type
from models.organization import Organization
from models.scoping import Anchored, Sharing, Through


class Category(Titled):
    """What a resource is and what a need asks for: the same seven words for both."""

    VENUE = "venue", "场地"
    TALENT = "talent", "人才"
    TECHNOLOGY = "technology", "技术"
    EQUIPMENT = "equipment", "设备"
    FUNDS = "funds", "资金"
    GOODS = "goods", "物资"
    SERVICE = "service", "服务"


class ResourceStatus(Titled):
    """Whether a resource may be asked for; only ``rules.workflow`` changes it."""

    DRAFT = "draft", "草拟", "muted"
    AVAILABLE = "available", "可用", "success"
    SUSPENDED = "suspended", "停用", "warning"


class Resource(Record):
    """Something that a unit offers: a hall, a doctor, a truck, money, goods, a service."""

    __tablename__ = "resource"
    __label__ = "共治资源"
    __scope__ = Anchored(
        ("owner_id",),
        sharing=Sharing(
            "owner_id",
            statuses=("available", "suspended"),
            offers=("resource_offer", "resource_id", "organization_id"),
        ),
    )
    __table_args__ = (
        UniqueConstraint("owner_id", "name", name="uq_resource_owner_name"),
        Index("ix_resource_category", "category", "status", "id"),
        Index("ix_resource_owner", "owner_id", "status"),
    )

    owner_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), info=field("所属单位"))
    name: Mapped[str] = mapped_column(
        String(100), info=field("资源名称", headings=("资源名称", "名称", "资源"))
    )
    category: Mapped[Category] = mapped_column(
        titled_type(Category), info=field("资源类别", headings=("类别", "资源类型"))
    )
    status: Mapped[ResourceStatus] = mapped_column(
        titled_type(ResourceStatus), default=ResourceStatus.DRAFT, info=field("状态")
    )
    quantity: Mapped[int] = mapped_column(
        Integer, default=1, info=field("数量", help="同一时间最多能供几处使用")
    )
    measure: Mapped[str | None] = mapped_column(
        String(20), info=field("计量单位", help="例如：间、人、台、元")
    )
    available_from: Mapped[dt.date | None] = mapped_column(
        Date, info=field("可用起始日期", help="不填表示随时")
    )
    available_until: Mapped[dt.date | None] = mapped_column(
        Date, info=field("可用截止日期", help="不填表示长期")
    )
    hours: Mapped[str | None] = mapped_column(
        String(100), info=field("可用时段", help="例如：周末 9:00–17:00")
    )
    description: Mapped[str | None] = mapped_column(
        Text, info=field("说明", widget="textarea", headings=("说明", "备注"))
    )
    contact: Mapped[str | None] = mapped_column(String(40), info=field("联系人"))
    phone: Mapped[str | None] = mapped_column(String(40), info=field("联系电话", personal=True))

    owner: Mapped[Organization] = relationship(info=field("所属单位"))
    offers: Mapped[list[ResourceOffer]] = relationship(
        back_populates="resource", cascade="all, delete-orphan", order_by="ResourceOffer.id"
    )

    def __str__(self) -> str:
        return self.name

    @property
    def choice_text(self) -> str:
        """What a select box shows: resources of several units may be called alike."""
        return f"{self.name}（{self.owner.name}）"


class ResourceOffer(Record):
    """A community that a resource is offered to; a resource without any is for all partners."""

    __tablename__ = "resource_offer"
    __label__ = "资源提供范围"
    __scope__ = Through("resource_id", "resource")
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("resource_id", "organization_id", name="uq_resource_offer"),
        Index("ix_resource_offer_organization", "organization_id"),
    )

    resource_id: Mapped[int] = mapped_column(ForeignKey("resource.id", ondelete="CASCADE"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))

    resource: Mapped[Resource] = relationship(back_populates="offers")
    organization: Mapped[Organization] = relationship()
