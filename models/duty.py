"""The three duty lists and the catalogue of matters, kept as versions (domain section 5)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Record, Titled, UTCDateTime, field, titled_type
from models.organization import Organization
from models.scoping import Anchored, Through


class DutyListType(Titled):
    """The three duty lists of a township, and a county's or city's catalogue."""

    BASIC = "basic", "基本履职事项清单", "info"
    COORDINATING = "coordinating", "配合履职事项清单", "progress"
    RECLAIMED = "reclaimed", "上级部门收回事项清单", "warning"
    CATALOGUE = "catalogue", "事项清单", "muted"


class DutyListStatus(Titled):
    """A version's life: publishing one supersedes the last; only ``rules.workflow`` changes it."""

    DRAFT = "draft", "草稿", "muted"
    PUBLISHED = "published", "已发布", "success"
    SUPERSEDED = "superseded", "已被替代", "warning"


class DutyList(Record):
    """One version of one list of one place. Tickets keep pointing at the version they used."""

    __tablename__ = "duty_list"
    __label__ = "履职事项清单"
    __scope__ = Anchored(("organization_id",))
    __table_args__ = (
        UniqueConstraint("organization_id", "list_type", "number", name="uq_duty_list_number"),
    )

    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id"), info=field("所属地区")
    )
    list_type: Mapped[DutyListType] = mapped_column(
        titled_type(DutyListType), info=field("清单类型")
    )
    number: Mapped[int] = mapped_column(Integer, info=field("版本号"))
    status: Mapped[DutyListStatus] = mapped_column(
        titled_type(DutyListStatus), default=DutyListStatus.DRAFT, info=field("状态")
    )
    title: Mapped[str | None] = mapped_column(String(200), info=field("清单标题"))
    item_count: Mapped[int] = mapped_column(Integer, default=0, info=field("事项数"))
    published_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("发布时间"))

    organization: Mapped[Organization] = relationship(info=field("所属地区"))
    items: Mapped[list[DutyItem]] = relationship(
        back_populates="duty_list", cascade="all, delete-orphan", order_by="DutyItem.position"
    )

    def __str__(self) -> str:
        return f"{self.organization.name}{self.list_type.title}第{self.number}版"


class DutyItem(Record):
    """One matter of a list. ``time_limit`` is the cell's own words ("3个工作日")."""

    __tablename__ = "duty_item"
    __label__ = "履职事项"
    __scope__ = Through("duty_list_id", "duty_list")
    __table_args__ = (Index("ix_duty_item_list", "duty_list_id", "position"),)

    duty_list_id: Mapped[int] = mapped_column(
        ForeignKey("duty_list.id", ondelete="CASCADE"), info=field("所属清单")
    )
    position: Mapped[int] = mapped_column(Integer, info=field("排序"))
    serial: Mapped[str | None] = mapped_column(
        String(20), info=field("序号", headings=("序号", "编号"))
    )
    category: Mapped[str | None] = mapped_column(
        String(100), info=field("类别", headings=("类别", "事项类别"))
    )
    name: Mapped[str] = mapped_column(
        String(300), index=True, info=field("事项名称", headings=("事项名称", "职权名称", "名称"))
    )
    superior_duty: Mapped[str | None] = mapped_column(
        Text, info=field("上级部门职责", widget="textarea")
    )
    township_duty: Mapped[str | None] = mapped_column(
        Text, info=field("乡镇（街道）配合职责", widget="textarea")
    )
    work_method: Mapped[str | None] = mapped_column(Text, info=field("工作方式", widget="textarea"))
    process: Mapped[str | None] = mapped_column(Text, info=field("办理流程", widget="textarea"))
    time_limit: Mapped[str | None] = mapped_column(String(100), info=field("办理时限"))

    duty_list: Mapped[DutyList] = relationship(back_populates="items", info=field("所属清单"))
    departments: Mapped[list[DutyItemDepartment]] = relationship(
        back_populates="item",
        cascade="all, delete-orphan",
        order_by="DutyItemDepartment.position",
        info=field("对应部门"),
    )

    def __str__(self) -> str:
        return self.name


class DutyItemDepartment(Record):
    """A department that an item names; the first is the one to dispatch to."""

    __tablename__ = "duty_item_department"
    __label__ = "事项对应部门"
    __scope__ = Through("item_id", "duty_item")
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("item_id", "organization_id", name="uq_duty_item_department"),
    )

    item_id: Mapped[int] = mapped_column(ForeignKey("duty_item.id", ondelete="CASCADE"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    position: Mapped[int] = mapped_column(Integer, default=0)

    item: Mapped[DutyItem] = relationship(back_populates="departments")
    organization: Mapped[Organization] = relationship()

    def __str__(self) -> str:
        return self.organization.name
