"""Notices to a person inside the product: the bell (domain section 4: reminders, parties told)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Record, UTCDateTime, field
from models.scoping import Anchored


class Notice(Record):
    """One thing told to one person, once: ``key`` names what it is about and which step of it.

    It is written with the step itself, and so is the outbox too: ``routed_at`` is empty until the worker
    has seen to it that it leaves by the channels that the person wants. ``urgent`` ones wait for no
    quiet hours to end.
    """

    __tablename__ = "notice"
    __label__ = "消息"
    __scope__ = Anchored((), user_column="account_id")
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("key", "account_id", name="uq_notice_account_key"),
        Index("ix_notice_unread", "account_id", "read_at", "id"),
        Index("ix_notice_routed", "routed_at", "id"),
    )

    account_id: Mapped[int] = mapped_column(
        ForeignKey("ab_user.id", ondelete="CASCADE"), info=field("收件人")
    )
    key: Mapped[str] = mapped_column(String(100))
    title: Mapped[str] = mapped_column(String(200), info=field("消息"))
    record_type: Mapped[str] = mapped_column(String(40))
    record_id: Mapped[int] = mapped_column(Integer)
    read_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("阅读时间"))
    routed_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    urgent: Mapped[bool] = mapped_column(default=False, server_default=false())

    def __str__(self) -> str:
        return self.title
