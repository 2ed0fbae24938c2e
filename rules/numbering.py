"""Numbers of tickets and orders: short, saying place and year; no two alike, however many at once."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.organization import Organization, OrganizationKind
from models.supervision import Supervision
from models.ticket import Ticket, TicketSequence
from rules.actor import SYSTEM, acting_as
from rules.calendar import SHANGHAI
from rules.scope import reviewed

_LONGEST = 40


def next_number(session: Session, organization: Organization, at: dt.datetime) -> str:
    """Return the next number of the township that a ticket is raised in: "城关镇2026-0012".

    A township whose name stands twice in the database says its county too. The sequence row is
    locked until the transaction ends, so a number that is rolled back is given out again.
    """
    with acting_as(session, SYSTEM):
        place = next(
            (
                line.ancestor
                for line in organization.lines
                if line.ancestor.kind is OrganizationKind.TOWNSHIP
            ),
            organization,
        )
        year = at.astimezone(SHANGHAI).year
        namesakes = session.scalar(
            select(func.count(Organization.id)).where(Organization.name == place.name)
        )
        name = place.name
        if (namesakes or 0) > 1 and place.realm is not None:
            name = f"{place.realm.name}{place.name}"
        while True:
            tail = f"{year}-{_advance(session, place.id, year):04d}"
            number = f"{name[: _LONGEST - len(tail)]}{tail}"
            # A place that took over another's former name must not repeat the other's numbers.
            if session.scalar(select(Ticket.id).where(Ticket.number == number)) is None:
                return number


def next_order_number(session: Session, place: Organization, at: dt.datetime) -> str:
    """Return the next number of a supervision order of a county's: "甲县督〔2026〕12号".

    Taken under the same lock as the numbers of tickets; a number that is rolled back is given out again.
    """
    with acting_as(session, SYSTEM):
        county = place.realm or place
        year = at.astimezone(SHANGHAI).year
        while True:
            # A county's orders have a row of their own beside its tickets': that of the year below zero.
            tail = f"督〔{year}〕{_advance(session, county.id, -year)}号"
            number = f"{county.name[: _LONGEST - len(tail)]}{tail}"
            # Two counties may be called alike.
            if session.scalar(select(Supervision.id).where(Supervision.number == number)) is None:
                return number


def _advance(session: Session, organization_id: int, year: int) -> int:
    dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    table = TicketSequence.__table__
    now = dt.datetime.now(dt.UTC)
    statement = dialect.insert(table).values(
        organization_id=organization_id,
        year=year,
        last=1,
        created_at=now,
        updated_at=now,
        version=1,
    )
    statement = statement.on_conflict_do_update(
        index_elements=[table.c.organization_id, table.c.year],
        set_={"last": table.c.last + 1, "updated_at": now},
    ).returning(table.c.last)
    last: int = session.execute(
        statement, execution_options=reviewed("advances a counter that holds nobody's data")
    ).scalar_one()
    return last
