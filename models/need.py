"""治理需求清单与微心愿: what residents ask for (domain section 4)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Record, Titled, field, titled_type
from models.check_in import CheckIn
from models.grade import Grade
from models.organization import Organization
from models.resource import Category
from models.scoping import Anchored, Sharing


class NeedStatus(Titled):
    """A need's way; only ``rules.workflow`` changes it."""

    GATHERED = "gathered", "征集", "muted"
    PUBLISHED = "published", "公布", "info"
    CLAIMED = "claimed", "认领", "progress"
    IN_HAND = "in_hand", "办理", "progress"
    DONE = "done", "完成", "warning"
    RATED = "rated", "评价", "success"
    CANCELLED = "cancelled", "已取消", "muted"


#: What partners see: a need that is still being gathered is the community's own.
PUBLIC = tuple(
    each for each in NeedStatus if each not in (NeedStatus.GATHERED, NeedStatus.CANCELLED)
)


class NeedSource(Titled):
    """How a need came to be known."""

    VISIT = "visit", "入户走访"
    PATROL = "patrol", "网格巡查"
    MEETING = "meeting", "居民议事会"
    HOTLINE = "hotline", "热线、来访"
    SNAPSHOT = "snapshot", "随手拍"
    OTHER = "other", "其他"


class Urgency(Titled):
    """How soon a need should be met; the urgent ones come first."""

    NORMAL = "normal", "一般", "muted"
    URGENT = "urgent", "紧急", "danger"


class Need(Record):
    """A need of a community's residents; ``is_wish`` marks a small wish (微心愿)."""

    __tablename__ = "need"
    __label__ = "治理需求"
    __scope__ = Anchored(
        ("community_id",),
        sharing=Sharing(
            "community_id",
            statuses=tuple(each.value for each in PUBLIC),
            holders=("claimed_by_id",),
        ),
    )
    __table_args__ = (
        UniqueConstraint("community_id", "title", name="uq_need_community_title"),
        Index("ix_need_community", "community_id", "status", "id"),
        Index("ix_need_status", "status", "id"),
        Index("ix_need_done", "status", "done_on", "id"),
        Index("ix_need_claimed_by", "claimed_by_id", "status"),
        Index("ix_need_category", "category", "status", "id"),
    )

    community_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), info=field("所在社区"))
    title: Mapped[str] = mapped_column(
        String(100), info=field("需求名称", headings=("需求名称", "名称", "标题", "微心愿"))
    )
    category: Mapped[Category] = mapped_column(
        titled_type(Category), info=field("需求类别", headings=("类别", "需求类型"))
    )
    is_wish: Mapped[bool] = mapped_column(
        default=False,
        info=field("微心愿", help="可由单位或党员个人认领的小心愿", headings=("是否微心愿",)),
    )
    urgency: Mapped[Urgency] = mapped_column(
        titled_type(Urgency), default=Urgency.NORMAL, info=field("紧急程度")
    )
    source: Mapped[NeedSource] = mapped_column(
        titled_type(NeedSource), default=NeedSource.VISIT, info=field("发现渠道")
    )
    status: Mapped[NeedStatus] = mapped_column(
        titled_type(NeedStatus), default=NeedStatus.GATHERED, info=field("状态")
    )
    detail: Mapped[str | None] = mapped_column(
        Text, info=field("需求内容", widget="textarea", headings=("需求内容", "内容", "具体内容"))
    )
    beneficiaries: Mapped[str | None] = mapped_column(
        String(100), info=field("受益人群", help="例如：独居老人、放学后无人看护的儿童")
    )
    beneficiary_count: Mapped[int | None] = mapped_column(Integer, info=field("受益人数"))
    wanted_from: Mapped[dt.date | None] = mapped_column(Date, info=field("希望开始日期"))
    wanted_until: Mapped[dt.date | None] = mapped_column(Date, info=field("希望完成日期"))
    contact: Mapped[str | None] = mapped_column(String(40), info=field("联系人"))
    phone: Mapped[str | None] = mapped_column(String(40), info=field("联系电话", personal=True))
    published_on: Mapped[dt.date | None] = mapped_column(Date, info=field("公布日期"))
    claimed_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("organization.id"), info=field("认领单位")
    )
    check_in_id: Mapped[int | None] = mapped_column(
        ForeignKey("check_in.id"), info=field("认领党员")
    )
    claimed_on: Mapped[dt.date | None] = mapped_column(Date, info=field("认领日期"))
    due_on: Mapped[dt.date | None] = mapped_column(
        Date, info=field("认领期限", help="到这一天还没有开始办理，自动退回待认领")
    )
    done_on: Mapped[dt.date | None] = mapped_column(Date, info=field("完成日期"))
    result: Mapped[str | None] = mapped_column(Text, info=field("办理结果", widget="textarea"))
    grade: Mapped[Grade | None] = mapped_column(titled_type(Grade), info=field("评价"))

    community: Mapped[Organization] = relationship(
        foreign_keys=[community_id], info=field("所在社区")
    )
    claimed_by: Mapped[Organization | None] = relationship(
        foreign_keys=[claimed_by_id], info=field("认领单位")
    )
    check_in: Mapped[CheckIn | None] = relationship(info=field("认领党员"))

    def __str__(self) -> str:
        return self.title

    @property
    def choice_text(self) -> str:
        """What a select box shows: needs of several communities may be called alike."""
        return f"{self.title}（{self.community.name}）"
