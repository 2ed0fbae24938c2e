"""What the measures are summed from: one narrow row for each department that a ticket was led by (domain 8)."""

from __future__ import annotations

import datetime as dt

from flask_appbuilder import Model
from sqlalchemy import Date, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import UTCDateTime, titled_type
from models.scoping import Anchored, Reference
from models.ticket import Channel, Nature, Theme, TicketStatus


class TicketFact(Model):
    """A raised ticket as one department had it; ``current`` marks the row of who leads it now.

    A ticket that has never been sent out has one row without a department. Places are those of the
    raising organisation, each empty above or beside its level. ``day`` is the Shanghai day of the
    dispatch to this department, or of the whistle while there is none; ``month`` is 202611 for
    November 2026. Minutes count from this dispatch. ``returned``: this department gave it back;
    ``ticket_returned``: some department did. ``grades`` counts the raising place's grades of this
    department that stand, ``satisfied`` those at or above 满意. Derived, never edited: ``reports.facts``.
    """

    __tablename__ = "ticket_fact"
    __label__ = "哨单统计"
    __audited__ = False
    __scope__ = Anchored(("organization_id",), party_column="department_id")
    __table_args__ = (
        UniqueConstraint("ticket_id", "position", name="uq_ticket_fact"),
        Index("ix_ticket_fact_county", "county_id", "month"),
        Index("ix_ticket_fact_township", "township_id", "month"),
        Index("ix_ticket_fact_organization", "organization_id", "month"),
        Index("ix_ticket_fact_department", "department_id", "month"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    current: Mapped[bool]
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    community_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    township_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    county_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    whistle_class_id: Mapped[int] = mapped_column(ForeignKey("whistle_class.id"))
    class_name: Mapped[str] = mapped_column(String(100))
    theme: Mapped[Theme] = mapped_column(titled_type(Theme))
    channel: Mapped[Channel] = mapped_column(titled_type(Channel))
    nature: Mapped[Nature] = mapped_column(titled_type(Nature))
    emergency: Mapped[bool]
    matter: Mapped[str | None] = mapped_column(String(300))
    status: Mapped[TicketStatus] = mapped_column(titled_type(TicketStatus))
    day: Mapped[dt.date] = mapped_column(Date)
    month: Mapped[int] = mapped_column(Integer)
    dispatched: Mapped[bool]
    respond_due: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    arrive_due: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    resolve_due: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    respond_minutes: Mapped[int | None] = mapped_column(Integer)
    arrive_minutes: Mapped[int | None] = mapped_column(Integer)
    resolve_minutes: Mapped[int | None] = mapped_column(Integer)
    responded_on_time: Mapped[bool | None]
    arrived_on_time: Mapped[bool | None]
    resolved_on_time: Mapped[bool | None]
    closed: Mapped[bool]
    returned: Mapped[bool]
    ticket_returned: Mapped[bool]
    reopened: Mapped[bool]
    grades: Mapped[int] = mapped_column(Integer)
    satisfied: Mapped[int] = mapped_column(Integer)
    stars: Mapped[int | None] = mapped_column(Integer)


class FactMark(Model):
    """A ticket whose rows of ``ticket_fact`` are to be made anew; triggers write these."""

    __tablename__ = "fact_mark"
    __label__ = "待更新的统计"
    __audited__ = False
    __scope__ = Reference()

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(Integer)
