"""What hangs from a ticket: photos, comments between its parties, requests for more time (domain 6)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Record, Titled, UTCDateTime, field, titled_type
from models.organization import Organization
from models.scoping import Through
from models.ticket import Ticket


class PhotoMoment(Titled):
    """When a photo was taken, as the timeline tells before from after."""

    BEFORE = "before", "吹哨时", "warning"
    ON_SITE = "on_site", "现场", "info"
    AFTER = "after", "办理后", "success"


class TicketPhoto(Record):
    """A photo of a ticket: re-encoded, without what the camera wrote into it, and kept by its hash.

    ``file_hash`` and ``thumb_hash`` are SHA-256 of JPEG files in the data directory; ``width`` and
    ``height`` count pixels, ``size`` bytes. ``step`` is the sequence of the event it came with.
    """

    __tablename__ = "ticket_photo"
    __label__ = "哨单照片"
    __scope__ = Through("ticket_id", "ticket")
    __audited__ = False
    __table_args__ = (UniqueConstraint("ticket_id", "file_hash", name="uq_ticket_photo_file"),)

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    moment: Mapped[PhotoMoment] = mapped_column(titled_type(PhotoMoment), info=field("阶段"))
    step: Mapped[int | None] = mapped_column(Integer, info=field("步骤序号"))
    file_hash: Mapped[str] = mapped_column(String(64), info=field("文件指纹（SHA-256）"))
    thumb_hash: Mapped[str] = mapped_column(String(64))
    width: Mapped[int] = mapped_column(Integer, info=field("宽（像素）"))
    height: Mapped[int] = mapped_column(Integer, info=field("高（像素）"))
    size: Mapped[int] = mapped_column(Integer, info=field("大小（字节）"))
    uploaded_by: Mapped[str] = mapped_column(String(100), info=field("上传人"))
    organization_name: Mapped[str] = mapped_column(String(100), info=field("上传单位"))

    ticket: Mapped[Ticket] = relationship(back_populates="photos")

    def __str__(self) -> str:
        return f"{self.moment.title}照片 {self.id}"


class TicketComment(Record):
    """A word from one party of a ticket to the others; it changes nothing of the ticket itself."""

    __tablename__ = "ticket_comment"
    __label__ = "哨单留言"
    __scope__ = Through("ticket_id", "ticket")
    __audited__ = False
    __table_args__ = (Index("ix_ticket_comment_ticket", "ticket_id", "id"),)

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    author_id: Mapped[int | None] = mapped_column(Integer)
    author_name: Mapped[str] = mapped_column(String(100), info=field("留言人"))
    organization_name: Mapped[str] = mapped_column(String(100), info=field("单位"))
    text: Mapped[str] = mapped_column(Text, info=field("留言"))

    ticket: Mapped[Ticket] = relationship(back_populates="comments")


class ExtensionStatus(Titled):
    """What became of a request for more time; only ``rules.workflow`` changes it."""

    REQUESTED = "requested", "待审核", "warning"
    APPROVED = "approved", "已同意", "success"
    REFUSED = "refused", "未同意", "danger"


class TicketExtension(Record):
    """A request for a later deadline to resolve: the old instant and the new one are both kept."""

    __tablename__ = "ticket_extension"
    __label__ = "延期申请"
    __scope__ = Through("ticket_id", "ticket")
    __audited__ = False
    __table_args__ = (Index("ix_ticket_extension_ticket", "ticket_id", "id"),)

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id"), info=field("申请单位")
    )
    status: Mapped[ExtensionStatus] = mapped_column(
        titled_type(ExtensionStatus), default=ExtensionStatus.REQUESTED, info=field("结果")
    )
    reason: Mapped[str] = mapped_column(Text, info=field("延期理由"))
    old_due: Mapped[dt.datetime] = mapped_column(UTCDateTime, info=field("原期限"))
    new_due: Mapped[dt.datetime] = mapped_column(UTCDateTime, info=field("申请延至"))
    opinion: Mapped[str | None] = mapped_column(Text, info=field("审核意见"))
    decided_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("审核时间"))

    ticket: Mapped[Ticket] = relationship(back_populates="extensions")
    organization: Mapped[Organization] = relationship(info=field("申请单位"))
