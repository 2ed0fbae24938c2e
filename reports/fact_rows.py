"""What a row of ``ticket_fact`` says, derived from tickets, departments at work, grades and the ledger (domain 8).

A row of ``ticket_fact`` is one ticket as one department had it. What counts:

- *Raised* is a ticket whose whistle was blown, whatever became of it: declined, withdrawn and merged
  ones have rows, drafts and what a grid has in hand have none.
- *Dispatched* is what a department was sent as its lead. A ticket merged into another counts as raised
  only: the work is done, and counted, with the other.
- A department that has led a ticket twice has one row, about its last turn. The row of the last turn
  of all is ``current``, also while the ticket waits to be sent out again.
- Minutes run from the dispatch, or hand-over, to this department until its own first acceptance, its
  first arrival and its last report. On time is what was done by the deadline that stands.
- A department that has left owes what it had not done only if the deadline was past when it left.
- Grades are the raising place's, of the last round in which it graded this department, each in its
  last revision. Stars, closing and reopening belong to the current row.
- *Closed* is what was closed at some time, also if it came back; its status tells what is closed now.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, extract, func, insert, or_, select
from sqlalchemy.orm import Session, aliased

from models.grade import Grade
from models.ledger import Event
from models.measure import TicketFact
from models.mechanism import WhistleClass
from models.organization import Organization, OrganizationKind, OrganizationLine
from models.rating import Rater, Rating
from models.ticket import (
    OFF_WORK,
    AssignmentRole,
    AssignmentStatus,
    Ticket,
    TicketAssignment,
    TicketStatus,
)
from reports.instants import Seconds, ShanghaiDay
from rules.ticket_lists import ever_closed

#: Which tickets, by a column that holds their ids.
Within = Callable[[Any], ColumnElement[bool]]
GOOD = (Grade.VERY_SATISFIED, Grade.SATISFIED)
_PLACES = {
    "community_id": OrganizationKind.COMMUNITY,
    "township_id": OrganizationKind.TOWNSHIP,
    "county_id": OrganizationKind.COUNTY,
}
_CLOCKS = {"respond": "accepted_at", "arrive": "arrived_at", "resolve": "reported_at"}
_WORDS = {"respond": "responded", "arrive": "arrived", "resolve": "resolved"}
#: Columns that are the ticket's own.
_OWN = ("organization_id", "whistle_class_id", "theme", "channel", "nature", "emergency", "status")


def columns() -> list[str]:
    """Return the names of what a row says, all but its own number."""
    return [each.key for each in TicketFact.__mapper__.column_attrs if each.key != "id"]


def write(session: Session, within: Within) -> None:
    """Derive the rows of some tickets and write them; there must be none of them."""
    names = columns()
    rows = derived(within, left_by(session, within))
    session.execute(insert(TicketFact).from_select(names, rows))


def left_by(session: Session, within: Within) -> Sequence[int]:
    """Return which of some tickets a lead has left: only of these the ledger must be read."""
    part = TicketAssignment
    gone = select(part.ticket_id).where(
        within(part.ticket_id), part.role == AssignmentRole.LEAD, part.status.in_(OFF_WORK)
    )
    return session.scalars(gone.distinct()).all()


def derived(within: Within, left: Sequence[int]) -> Select[Any]:
    """Return the statement that derives the rows of some tickets, its columns those of ``TicketFact``.

    ``left``: which of them a lead has left.
    """
    lead, turn, place, grade = _leads(within), _turns(left), _place(within), _grades(within)
    last = _last_rating(within)
    sent = func.coalesce(turn.c.at, Ticket.dispatched_at, lead.c.created_at)
    with_lead = lead.c.ticket_id.is_not(None)
    current = or_(~with_lead, lead.c.nth == lead.c.many)
    begun = ShanghaiDay(func.coalesce(sent, Ticket.raised_at))
    values: dict[str, Any] = {name: getattr(Ticket, name) for name in _OWN}
    values |= {name: place.c[name] for name in _PLACES}
    values |= {
        "ticket_id": Ticket.id,
        "position": func.coalesce(lead.c.nth, 0),
        "current": current,
        "department_id": lead.c.organization_id,
        "class_name": WhistleClass.name,
        "matter": Ticket.duty_item_name,
        "day": begun,
        "month": extract("year", begun) * 100 + extract("month", begun),
        "dispatched": and_(with_lead, Ticket.status != TicketStatus.MERGED),
        "closed": and_(with_lead, current, ever_closed()),
        "returned": func.coalesce(lead.c.gave_back, 0) > 0,
        "ticket_returned": Ticket.return_count > 0,
        "reopened": and_(with_lead, current, Ticket.reopen_count > 0),
        "refused": _refused(place),
        "rating_id": case((current, last.c.id)),
        "grades": func.coalesce(grade.c.grades, 0),
        "satisfied": func.coalesce(grade.c.satisfied, 0),
        "stars": case((and_(with_lead, current), Ticket.stars)),
    }
    for clock, done in _CLOCKS.items():
        values |= _clock(clock, lead, lead.c[done], sent, turn.c.until)
    rows = select(*(values[name].label(name) for name in columns()))
    return (
        rows.select_from(Ticket)
        .join(WhistleClass, WhistleClass.id == Ticket.whistle_class_id)
        .join(place, place.c.organization_id == Ticket.organization_id)
        .outerjoin(lead, and_(lead.c.ticket_id == Ticket.id, lead.c.back == 1))
        .outerjoin(turn, and_(turn.c.record_id == Ticket.id, turn.c.nth == lead.c.nth))
        .outerjoin(
            grade,
            and_(grade.c.ticket_id == Ticket.id, grade.c.organization_id == lead.c.organization_id),
        )
        .outerjoin(last, last.c.ticket_id == Ticket.id)
        .where(within(Ticket.id), Ticket.raised_at.is_not(None))
        .where(Ticket.status != TicketStatus.DRAFT)
    )


def _clock(clock: str, lead: Any, done: Any, sent: Any, until: Any) -> dict[str, Any]:
    """Return a clock's deadline, how long it took, and whether that was in time."""
    due = lead.c[f"{clock}_due"]
    counts = Ticket.status != TicketStatus.MERGED
    owed = or_(done.is_not(None), lead.c.status.not_in(OFF_WORK), due <= until)
    took = (Seconds(done) - Seconds(sent)) // 60
    return {
        f"{clock}_due": case((and_(counts, owed), due)),
        f"{clock}_minutes": case((and_(counts, took > 0), took), (and_(counts, took <= 0), 0)),
        f"{_WORDS[clock]}_on_time": case((and_(counts, done.is_not(None)), done <= due)),
    }


def _refused(place: Any) -> ColumnElement[bool]:
    """Return whether a whistle was declined, and not in its own township's review.

    A township that stops a whistle of its own has done what reviews are for.
    """
    line = aliased(OrganizationLine)
    # Counted row by row: of an EXISTS, PostgreSQL would gather the events of all tickets first.
    at_home = (
        select(func.count(Event.id))
        .join(line, line.organization_id == Event.organization_id)
        .where(
            Event.record_type == "ticket",
            Event.record_id == Ticket.id,
            Event.action == "decline_review",
            line.ancestor_id == place.c.township_id,
        )
        .correlate(Ticket, place)
        .scalar_subquery()
    )
    return case((Ticket.status == TicketStatus.DECLINED, at_home == 0), else_=False)


def _last_rating(within: Within) -> Any:
    """Return the last rating of each of some tickets, whoever gave it."""
    return (
        select(Rating.ticket_id, func.max(Rating.id).label("id"))
        .where(within(Rating.ticket_id))
        .group_by(Rating.ticket_id)
        .subquery()
    )


def _leads(within: Within) -> Any:
    """Return the turns of the leads of some tickets; ``back`` is 1 for a department's last one."""
    part = aliased(TicketAssignment)
    whose = [part.ticket_id, part.organization_id]
    returned = case((part.status == AssignmentStatus.RETURNED, 1), else_=0)
    names = [f"{clock}_due" for clock in _CLOCKS] + list(_CLOCKS.values())
    return (
        select(
            *whose,
            part.status,
            part.created_at,
            *(getattr(part, name) for name in names),
            func.row_number().over(partition_by=part.ticket_id, order_by=part.id).label("nth"),
            func.count().over(partition_by=part.ticket_id).label("many"),
            func.row_number().over(partition_by=whose, order_by=part.id.desc()).label("back"),
            func.max(returned).over(partition_by=whose).label("gave_back"),
        )
        .where(within(part.ticket_id), part.role == AssignmentRole.LEAD)
        .subquery()
    )


def _turns(left: Sequence[int]) -> Any:
    """Return when each turn of a lead began and ended, of tickets that a department has left.

    Of others the ticket itself says when they were sent out; to read the ledger takes long.
    """
    sent_out = and_(Event.action == "raise", Event.to_status == TicketStatus.DISPATCHED.value)
    order: dict[str, Any] = {"partition_by": Event.record_id, "order_by": Event.sequence}
    moves = (
        select(
            Event.record_id,
            Event.sequence,
            Event.action,
            Event.at,
            func.lead(Event.at).over(**order).label("until"),
        )
        .where(Event.record_type == "ticket", Event.record_id.in_(left))
        .where(or_(Event.action.in_(("dispatch", "hand_over", "approve_return")), sent_out))
        .subquery()
    )
    nth = func.row_number().over(partition_by=moves.c.record_id, order_by=moves.c.sequence)
    return (
        select(moves.c.record_id, moves.c.at, moves.c.until, nth.label("nth"))
        .where(moves.c.action != "approve_return")
        .subquery()
    )


def _place(within: Within) -> Any:
    """Return the community, township and county of the organisations that raised some tickets."""
    line, above = aliased(OrganizationLine), aliased(Organization)
    raisers = select(Ticket.organization_id).where(within(Ticket.id))
    levels = [
        func.max(case((above.kind == kind, above.id))).label(name) for name, kind in _PLACES.items()
    ]
    return (
        select(line.organization_id, *levels)
        .join(above, above.id == line.ancestor_id)
        .where(line.organization_id.in_(raisers))
        .group_by(line.organization_id)
        .subquery()
    )


def _grades(within: Within) -> Any:
    """Return how many grades of each department of some tickets stand, and how many are good."""
    whose = [Rating.ticket_id, Rating.organization_id]
    latest = func.row_number().over(
        partition_by=[*whose, Rating.dimension_id],
        order_by=[Rating.round.desc(), Rating.revision.desc()],
    )
    given = (
        select(
            *whose,
            Rating.grade,
            Rating.round,
            func.max(Rating.round).over(partition_by=whose).label("last_round"),
            latest.label("latest"),
        )
        .where(within(Rating.ticket_id), Rating.rater == Rater.RAISER)
        .subquery()
    )
    good = func.sum(case((given.c.grade.in_(GOOD), 1), else_=0))
    return (
        select(
            given.c.ticket_id,
            given.c.organization_id,
            func.count().label("grades"),
            good.label("satisfied"),
        )
        .where(given.c.latest == 1, given.c.round == given.c.last_round)
        .group_by(given.c.ticket_id, given.c.organization_id)
        .subquery()
    )
