"""Mechanisms as data: whistle classes with deadlines, rating dimensions, the calendar (domain 3)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Record, field
from models.organization import Organization
from models.scoping import Anchored, Reference


class Mechanism(Record):
    """One version of a county's or city's mechanism; the newest ``in_force`` one is applied."""

    __tablename__ = "mechanism"
    __label__ = "吹哨机制"
    __scope__ = Anchored(("organization_id",), open_read=True)
    __table_args__ = (UniqueConstraint("organization_id", "number", name="uq_mechanism_number"),)

    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id"), info=field("所属县（市、区）")
    )
    number: Mapped[int] = mapped_column(Integer, default=1, info=field("版本号"))
    name: Mapped[str] = mapped_column(String(100), info=field("机制名称"))
    preset: Mapped[str] = mapped_column(String(40), info=field("来源预设"))
    in_force: Mapped[bool] = mapped_column(default=True, info=field("现行"))

    organization: Mapped[Organization] = relationship(info=field("所属县（市、区）"))
    classes: Mapped[list[WhistleClass]] = relationship(
        back_populates="mechanism",
        cascade="all, delete-orphan",
        order_by="WhistleClass.position",
    )
    dimensions: Mapped[list[RatingDimension]] = relationship(
        back_populates="mechanism",
        cascade="all, delete-orphan",
        order_by="RatingDimension.position",
    )

    def __str__(self) -> str:
        return f"{self.name}（第{self.number}版）"


class WhistleClass(Record):
    """A class of whistle with its route and terms; a term is ``rules.deadlines.Term`` as JSON."""

    __tablename__ = "whistle_class"
    __label__ = "哨种"
    __scope__ = Reference()
    __table_args__ = (UniqueConstraint("mechanism_id", "code", name="uq_whistle_class_code"),)

    mechanism_id: Mapped[int] = mapped_column(ForeignKey("mechanism.id", ondelete="CASCADE"))
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(40), info=field("哨种"))
    description: Mapped[str | None] = mapped_column(Text, info=field("适用情形"))
    direct_dispatch: Mapped[bool] = mapped_column(default=False, info=field("直派"))
    respond_term: Mapped[dict[str, Any] | None] = mapped_column(JSON, info=field("应哨时限"))
    arrive_term: Mapped[dict[str, Any] | None] = mapped_column(JSON, info=field("报到时限"))
    resolve_term: Mapped[dict[str, Any] | None] = mapped_column(JSON, info=field("办结时限"))
    position: Mapped[int] = mapped_column(Integer, default=0)

    mechanism: Mapped[Mechanism] = relationship(back_populates="classes")

    def __str__(self) -> str:
        return self.name


class RatingDimension(Record):
    """What a department is rated on, and how much it weighs (weights of a mechanism sum to 100)."""

    __tablename__ = "rating_dimension"
    __label__ = "评价维度"
    __scope__ = Reference()
    __table_args__ = (UniqueConstraint("mechanism_id", "code", name="uq_rating_dimension_code"),)

    mechanism_id: Mapped[int] = mapped_column(ForeignKey("mechanism.id", ondelete="CASCADE"))
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(40), info=field("评价维度"))
    weight: Mapped[int] = mapped_column(Integer, info=field("权重（%）"))
    position: Mapped[int] = mapped_column(Integer, default=0)

    mechanism: Mapped[Mechanism] = relationship(back_populates="dimensions")

    def __str__(self) -> str:
        return self.name


class CalendarOverride(Record):
    """A day that counts otherwise than the national calendar says; the administrator's word wins."""

    __tablename__ = "calendar_override"
    __label__ = "工作日调整"
    __scope__ = Reference()

    day: Mapped[dt.date] = mapped_column(Date, unique=True, info=field("日期"))
    working: Mapped[bool] = mapped_column(info=field("是工作日"))
    note: Mapped[str | None] = mapped_column(String(100), info=field("说明"))

    def __str__(self) -> str:
        return f"{self.day.isoformat()}{'上班' if self.working else '放假'}"
