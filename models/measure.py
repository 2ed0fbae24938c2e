"""What the measures are summed from: one narrow row for each department that a ticket was led by (domain 8)."""

from __future__ import annotations

import datetime as dt

from flask_appbuilder import Model
from sqlalchemy import (
    BigInteger,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    column,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import UTCDateTime, titled_type
from models.rating import Rater
from models.scoping import Anchored, Reference
from models.ticket import Channel, Nature, Theme, TicketStatus

#: index → which rows of ``ticket_fact`` are in it
_WAITING = {
    "ix_ticket_fact_unanswered": column("responded_on_time").is_(None)
    & column("respond_due").is_not(None),
    "ix_ticket_fact_unarrived": column("arrived_on_time").is_(None)
    & column("arrive_due").is_not(None),
    "ix_ticket_fact_unrated": column("status") == "resolved",
}


class TicketFact(Model):
    """A raised ticket as one department had it; ``current`` marks the row of who leads it now.

    A ticket that has never been sent out has one row without a department. Places are those of the
    raising organisation, each empty above or beside its level. ``day`` is the Shanghai day of the
    dispatch to this department, or of the whistle while there is none; ``month`` is 202611 for
    November 2026. Minutes count from this dispatch. ``closed``: it was closed at some time, and the status
    tells whether it still is. ``returned``: this department gave it back;
    ``ticket_returned``: some department did. ``refused``: the whistle was declined, and not in the review
    of its own township. ``rating_id``: the last of the ticket's ratings there were when its rows were made,
    whose sums are in ``GradeMonth``; on the current row only. ``grades`` counts the raising place's grades of this
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
        # The few that something is still waited for, found apart from the many of their months.
        *(
            Index(name, "month", sqlite_where=test, postgresql_where=test)
            for name, test in _WAITING.items()
        ),
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
    refused: Mapped[bool] = mapped_column(default=False)
    rating_id: Mapped[int | None] = mapped_column(Integer)
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


#: What tells the rows of ``FactMonth``, and those of ``GradeMonth``, apart.
FACT_KEYS = (
    "place_id",
    "month",
    "department_id",
    "class_name",
    "current",
    "township_id",
    "county_id",
)
GRADE_KEYS = ("place_id", "month", "department_id", "dimension_id", "rater")


class FactMonth(Model):
    """The rows of ``ticket_fact`` of a month, a place, a department and a class, added up.

    ``place_id`` is the raising township, or what raised whistles above the townships; other ids are 0
    where a fact has none. Each sum is named for the measure whose numerator it is, "_of" its denominator
    as far as the time of asking says nothing in it; ``return_rate_own`` is the numerator by department.
    Derived with the facts, never edited: ``reports.fact_months``.
    """

    __tablename__ = "fact_month"
    __label__ = "哨单统计月计"
    __audited__ = False
    __scope__ = Anchored(("place_id",), party_column="department_id")
    __table_args__ = (UniqueConstraint(*FACT_KEYS, name="uq_fact_month"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    place_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    month: Mapped[int] = mapped_column(Integer)
    department_id: Mapped[int] = mapped_column(Integer)
    class_name: Mapped[str] = mapped_column(String(100))
    current: Mapped[bool]
    township_id: Mapped[int] = mapped_column(Integer)
    county_id: Mapped[int] = mapped_column(Integer)
    raised: Mapped[int] = mapped_column(Integer)
    dispatched: Mapped[int] = mapped_column(Integer)
    response_rate: Mapped[int] = mapped_column(Integer)
    response_rate_of: Mapped[int] = mapped_column(Integer)
    arrival_rate: Mapped[int] = mapped_column(Integer)
    arrival_rate_of: Mapped[int] = mapped_column(Integer)
    closed: Mapped[int] = mapped_column(Integer)
    closed_on_time: Mapped[int] = mapped_column(Integer)
    closing_rate: Mapped[int] = mapped_column(Integer)
    closing_rate_of: Mapped[int] = mapped_column(Integer)
    on_time_rate: Mapped[int] = mapped_column(Integer)
    on_time_rate_of: Mapped[int] = mapped_column(Integer)
    return_rate: Mapped[int] = mapped_column(Integer)
    return_rate_own: Mapped[int] = mapped_column(Integer)
    return_rate_of: Mapped[int] = mapped_column(Integer)
    reopen_rate: Mapped[int] = mapped_column(Integer)
    reopen_rate_of: Mapped[int] = mapped_column(Integer)
    satisfaction: Mapped[int] = mapped_column(Integer)
    satisfaction_of: Mapped[int] = mapped_column(Integer)
    stars: Mapped[int] = mapped_column(Integer)
    stars_of: Mapped[int] = mapped_column(Integer)
    respond_hours: Mapped[int] = mapped_column(BigInteger)
    respond_hours_of: Mapped[int] = mapped_column(Integer)
    arrive_hours: Mapped[int] = mapped_column(BigInteger)
    arrive_hours_of: Mapped[int] = mapped_column(Integer)
    resolve_hours: Mapped[int] = mapped_column(BigInteger)
    resolve_hours_of: Mapped[int] = mapped_column(Integer)
    graded: Mapped[int] = mapped_column(Integer)
    decided: Mapped[int] = mapped_column(Integer)
    refused: Mapped[int] = mapped_column(Integer)


class GradeMonth(Model):
    """The grades of a month's tickets of a county, by department, dimension and rater, added up.

    ``place_id`` is the county of the raising place, or what raised whistles above the counties.
    ``rounds`` and ``tickets`` count each once, points and their squares are those of the grades that
    stand. Derived with the facts, never edited: ``rules.grade_months``.
    """

    __tablename__ = "grade_month"
    __label__ = "评价月计"
    __audited__ = False
    __scope__ = Anchored(("place_id",), party_column="department_id")
    __table_args__ = (UniqueConstraint(*GRADE_KEYS, name="uq_grade_month"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    place_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    month: Mapped[int] = mapped_column(Integer)
    department_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    dimension_id: Mapped[int] = mapped_column(ForeignKey("rating_dimension.id"))
    rater: Mapped[Rater] = mapped_column(titled_type(Rater))
    rounds: Mapped[int] = mapped_column(Integer)
    tickets: Mapped[int] = mapped_column(Integer)
    points: Mapped[int] = mapped_column(BigInteger)
    squares: Mapped[int] = mapped_column(BigInteger)
