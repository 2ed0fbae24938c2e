"""A department's appeal against the grades it was given, and what was decided (domain section 8)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Record, Titled, UTCDateTime, field, titled_type
from models.mechanism import WhistleClass
from models.organization import Organization
from models.scoping import Anchored
from models.ticket import Ticket


class AppealStatus(Titled):
    """How far an appeal has come; only ``rules.workflow`` changes it."""

    PENDING = "pending", "待复核", "warning"
    CORRECTED = "corrected", "已改评", "success"
    UPHELD = "upheld", "维持原评价", "muted"
    WITHDRAWN = "withdrawn", "已撤回", "muted"


class RatingAppeal(Record):
    """One appeal of one department about one ticket's round of grades.

    ``organization_id`` is the ticket's raising place. Corrected grades are further rows of
    ``Rating``: those before stay.
    """

    __tablename__ = "rating_appeal"
    __label__ = "评价申诉"
    __scope__ = Anchored(("organization_id",), party_column="department_id")
    __table_args__ = (
        Index("ix_rating_appeal_organization", "organization_id", "status", "id"),
        Index("ix_rating_appeal_department", "department_id", "status", "id"),
        Index("ix_rating_appeal_ticket", "ticket_id"),
    )

    ticket_id: Mapped[int] = mapped_column(
        ForeignKey("ticket.id", ondelete="CASCADE"), info=field("哨单")
    )
    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id"), info=field("吹哨单位")
    )
    department_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id"), info=field("申诉单位")
    )
    round: Mapped[int] = mapped_column(Integer, default=1, info=field("轮次"))
    reason: Mapped[str] = mapped_column(Text, info=field("申诉理由", widget="textarea"))
    status: Mapped[AppealStatus] = mapped_column(
        titled_type(AppealStatus), default=AppealStatus.PENDING, info=field("状态")
    )
    decision: Mapped[str | None] = mapped_column(Text, info=field("复核意见", widget="textarea"))
    decided_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, info=field("复核时间"))

    ticket: Mapped[Ticket] = relationship(info=field("哨单"))
    organization: Mapped[Organization] = relationship(
        foreign_keys=[organization_id], info=field("吹哨单位")
    )
    department: Mapped[Organization] = relationship(
        foreign_keys=[department_id], info=field("申诉单位")
    )

    @property
    def whistle_class(self) -> WhistleClass:
        """The class by whose mechanism the ticket is rated, and its grades are corrected."""
        return self.ticket.whistle_class

    def __str__(self) -> str:
        return f"{self.department}对{self.ticket or '哨单'}的申诉"
