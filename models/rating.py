"""What is said of the departments at work on a ticket: one grade for each dimension (domain 8)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Record, Titled, UTCDateTime, field, titled_type, utcnow
from models.grade import Grade
from models.mechanism import RatingDimension
from models.organization import Organization
from models.scoping import Through
from models.ticket import Ticket


class Rater(Titled):
    """On whose behalf a grade is given."""

    RAISER = "raiser", "吹哨单位"
    LEAD = "lead", "主办单位"


class Rating(Record):
    """One grade for one department in one dimension.

    The raising place grades every department, the lead its assisting ones. A grade is amended by a
    further row with a higher ``revision``: the one before stays, the highest counts.
    """

    __tablename__ = "rating"
    __label__ = "评价"
    __scope__ = Through("ticket_id", "ticket")
    __audited__ = False
    __table_args__ = (
        UniqueConstraint(
            "ticket_id",
            "organization_id",
            "dimension_id",
            "round",
            "rater",
            "revision",
            name="uq_rating",
        ),
    )

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id"), index=True, info=field("被评单位")
    )
    dimension_id: Mapped[int] = mapped_column(
        ForeignKey("rating_dimension.id"), info=field("评价维度")
    )
    round: Mapped[int] = mapped_column(Integer, default=1, info=field("轮次"))
    rater: Mapped[Rater] = mapped_column(
        titled_type(Rater), default=Rater.RAISER, server_default="raiser", info=field("评价方")
    )
    revision: Mapped[int] = mapped_column(
        Integer, default=1, server_default="1", info=field("第几次")
    )
    grade: Mapped[Grade] = mapped_column(titled_type(Grade), info=field("评价"))
    rated_by: Mapped[str] = mapped_column(String(100), info=field("评价人"))
    rated_at: Mapped[dt.datetime] = mapped_column(
        UTCDateTime, default=utcnow, info=field("评价时间")
    )

    ticket: Mapped[Ticket] = relationship(back_populates="ratings")
    organization: Mapped[Organization] = relationship(info=field("被评单位"))
    dimension: Mapped[RatingDimension] = relationship(info=field("评价维度"))
