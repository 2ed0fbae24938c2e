"""Mechanisms as data: whistle classes with deadlines, rating dimensions, the calendar (domain 3)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    JSON,
    Date,
    ForeignKey,
    Integer,
    String,
    Text,
    UniqueConstraint,
    false,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Record, Titled, field, titled_type
from models.grade import Grade
from models.organization import Organization
from models.scoping import Anchored, Reference


class EligibilityRule(Titled):
    """What decides whether a whistle may be blown (domain section 5)."""

    LISTS = "lists", "按履职清单判定"
    ADVISORY = "advisory", "清单只作提示，由吹哨办研判"


class LowRating(Titled):
    """What follows when a department is rated at or below the bar (domain section 6)."""

    DECIDE = "decide", "由街乡或吹哨办决定"
    REOPEN = "reopen", "自动退回重办"
    SUPERVISE = "supervise", "退回重办并督办"


class ReviewLevel(Titled):
    """Who takes a step of the review route."""

    COMMUNITY = "community", "社区"
    TOWNSHIP = "township", "街乡"
    OFFICE = "office", "吹哨办"


class Mechanism(Record):
    """One version of a county's or city's mechanism; the newest ``in_force`` one is applied.

    ``low_grade`` is the bar: a grade as bad as it, or worse, is a low rating. ``fix_term`` is a
    ``rules.deadlines.Term`` as JSON, ``working_hours`` the spans of a working day in Asia/Shanghai
    as pairs of "HH:MM"; both caps count one ticket's requests.
    """

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
    eligibility: Mapped[EligibilityRule] = mapped_column(
        titled_type(EligibilityRule),
        default=EligibilityRule.LISTS,
        server_default="lists",
        info=field("吹哨资格"),
    )
    returns_allowed: Mapped[bool] = mapped_column(
        default=True,
        server_default=true(),
        info=field("允许退单", help="不允许即首问负责：接到哨单的部门不得退回"),
    )
    return_cap: Mapped[int] = mapped_column(
        Integer,
        default=2,
        server_default="2",
        info=field("退单申请上限（次）", help="同一部门申请满次数后，以审核员的决定为准"),
    )
    extension_cap: Mapped[int] = mapped_column(
        Integer,
        default=1,
        server_default="1",
        info=field("延期申请上限（次）", help="填 0 即不允许延期"),
    )
    grid_route: Mapped[bool] = mapped_column(
        default=False,
        server_default=false(),
        info=field("网格哨逐级处置", help="网格、社区、街乡能解决的就地解决，不能解决的逐级上报"),
    )
    lead_rates_assisting: Mapped[bool] = mapped_column(
        default=True, server_default=true(), info=field("主办评协办")
    )
    resident_stars: Mapped[bool] = mapped_column(
        default=False,
        server_default=false(),
        info=field("群众星级", help="评哨时记下群众给的一至五星"),
    )
    low_grade: Mapped[Grade] = mapped_column(
        titled_type(Grade),
        default=Grade.DISSATISFIED,
        server_default="dissatisfied",
        info=field("不过关的评价"),
    )
    low_action: Mapped[LowRating] = mapped_column(
        titled_type(LowRating),
        default=LowRating.DECIDE,
        server_default="decide",
        info=field("评价不过关时"),
    )
    fix_term: Mapped[dict[str, Any] | None] = mapped_column(JSON, info=field("重办整改时限"))
    amend_hours: Mapped[int] = mapped_column(
        Integer,
        default=12,
        server_default="12",
        info=field("评价可修改（小时）", help="修改前后的评价都保留"),
    )
    working_hours: Mapped[list[list[str]] | None] = mapped_column(
        JSON, info=field("工作时间", help="按“工作小时”计的时限只在这些时段内走")
    )

    organization: Mapped[Organization] = relationship(info=field("所属县（市、区）"))
    route: Mapped[list[ReviewStep]] = relationship(
        back_populates="mechanism", cascade="all, delete-orphan", order_by="ReviewStep.position"
    )
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
    """A class of whistle with its route and terms; a term is ``rules.deadlines.Term`` as JSON.

    A ``…_warn`` term says how long before its deadline the clock turns yellow. An assisting
    department's own term, where none is set, is the lead's.
    """

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
    respond_warn: Mapped[dict[str, Any] | None] = mapped_column(JSON, info=field("应哨预警"))
    arrive_warn: Mapped[dict[str, Any] | None] = mapped_column(JSON, info=field("报到预警"))
    resolve_warn: Mapped[dict[str, Any] | None] = mapped_column(JSON, info=field("办结预警"))
    assist_respond_term: Mapped[dict[str, Any] | None] = mapped_column(
        JSON, info=field("协办应哨时限")
    )
    assist_arrive_term: Mapped[dict[str, Any] | None] = mapped_column(
        JSON, info=field("协办报到时限")
    )
    assist_resolve_term: Mapped[dict[str, Any] | None] = mapped_column(
        JSON, info=field("协办反馈时限")
    )
    position: Mapped[int] = mapped_column(Integer, default=0)

    mechanism: Mapped[Mechanism] = relationship(back_populates="classes")

    def __str__(self) -> str:
        return self.name


class ReviewStep(Record):
    """A step between raising and dispatch, taken by its level; the raiser's own and lower are skipped."""

    __tablename__ = "review_step"
    __label__ = "审核环节"
    __scope__ = Reference()
    __table_args__ = (UniqueConstraint("mechanism_id", "position", name="uq_review_step_position"),)

    mechanism_id: Mapped[int] = mapped_column(ForeignKey("mechanism.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(40), info=field("环节"))
    level: Mapped[ReviewLevel] = mapped_column(titled_type(ReviewLevel), info=field("由谁办理"))

    mechanism: Mapped[Mechanism] = relationship(back_populates="route")

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
