"""How notices leave the product: channels, what each person wants, and each attempt to deliver."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.account import Account
from models.base import Record, Titled, UTCDateTime, field, titled_type
from models.notice import Notice
from models.organization import Organization
from models.scoping import Anchored


class NoticeChannel(Titled):
    """Where a notice goes beside the bell."""

    EMAIL = "email", "电子邮件"
    WECOM = "wecom", "企业微信机器人"
    DINGTALK = "dingtalk", "钉钉机器人"
    FEISHU = "feishu", "飞书机器人"


class Digest(Titled):
    """How often somebody is written to."""

    AT_ONCE = "at_once", "逐条发送"
    DAILY = "daily", "每天汇总"
    NEVER = "never", "不发送"


class DeliveryState(Titled):
    """Where a delivery stands; only ``notifications`` changes it."""

    WAITING = "waiting", "待发送", "muted"
    SENT = "sent", "已发送", "success"
    DEAD = "dead", "发送失败", "danger"
    DROPPED = "dropped", "不再发送", "muted"


class NoticePreference(Record):
    """What one person wants of notices; quiet hours are "HH:MM" in Asia/Shanghai."""

    __tablename__ = "notice_preference"
    __label__ = "消息设置"
    __scope__ = Anchored((), user_column="account_id")
    __audited__ = False
    __table_args__ = (UniqueConstraint("account_id", name="uq_notice_preference"),)

    account_id: Mapped[int] = mapped_column(
        ForeignKey("ab_user.id", ondelete="CASCADE"), info=field("用户")
    )
    email: Mapped[Digest] = mapped_column(
        titled_type(Digest), default=Digest.NEVER, info=field("电子邮件")
    )
    quiet_from: Mapped[str | None] = mapped_column(String(5), info=field("免打扰开始"))
    quiet_until: Mapped[str | None] = mapped_column(String(5), info=field("免打扰结束"))


class NoticeRobot(Record):
    """A group robot of an organisation: what its people are told is said in the group, once a step.

    ``address`` is the webhook with its secret; it is shown to nobody again, not by the audit log either.
    """

    __tablename__ = "notice_robot"
    __label__ = "群机器人"
    __secret__ = frozenset({"address"})
    __scope__ = Anchored(("organization_id",))
    __table_args__ = (Index("ix_notice_robot_organization", "organization_id"),)

    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id"), info=field("所属单位")
    )
    name: Mapped[str] = mapped_column(String(100), info=field("名称"))
    channel: Mapped[NoticeChannel] = mapped_column(titled_type(NoticeChannel), info=field("类型"))
    address: Mapped[str] = mapped_column(String(500), info=field("机器人地址"))
    active: Mapped[bool] = mapped_column(default=True, info=field("启用"))

    organization: Mapped[Organization] = relationship(info=field("所属单位"))

    def __str__(self) -> str:
        return self.name


class Delivery(Record):
    """One notice on its way over one channel to one person or one robot; each at most once.

    ``key`` names step and receiver. ``attempts`` were made; the next is at ``next_at``.
    """

    __tablename__ = "delivery"
    __label__ = "消息发送"
    __scope__ = Anchored((), user_column="account_id")
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("key", name="uq_delivery_key"),
        Index("ix_delivery_next", "state", "next_at"),
    )

    key: Mapped[str] = mapped_column(String(160))
    notice_id: Mapped[int | None] = mapped_column(
        ForeignKey("notice.id", ondelete="CASCADE"), index=True, info=field("消息")
    )
    account_id: Mapped[int | None] = mapped_column(
        ForeignKey("ab_user.id", ondelete="CASCADE"), index=True, info=field("收件人")
    )
    robot_id: Mapped[int | None] = mapped_column(
        ForeignKey("notice_robot.id", ondelete="CASCADE"), index=True, info=field("群机器人")
    )
    channel: Mapped[NoticeChannel] = mapped_column(titled_type(NoticeChannel), info=field("渠道"))
    state: Mapped[DeliveryState] = mapped_column(
        titled_type(DeliveryState), default=DeliveryState.WAITING, info=field("状态")
    )
    attempts: Mapped[int] = mapped_column(Integer, default=0, info=field("尝试次数"))
    next_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, info=field("下次发送时间"))
    sent_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("发送时间"))
    problem: Mapped[str | None] = mapped_column(Text, info=field("失败原因"))

    notice: Mapped[Notice | None] = relationship(info=field("消息"))
    account: Mapped[Account | None] = relationship(info=field("收件人"))
    robot: Mapped[NoticeRobot | None] = relationship(info=field("群机器人"))

    def __str__(self) -> str:
        return str(self.notice) if self.notice else self.key
