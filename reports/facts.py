"""What the measures are summed from, derived from tickets: folded as they change, or all anew (domain 8).

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

Triggers mark what has changed (migration 0007); nothing here commits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    delete,
    extract,
    func,
    insert,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, aliased

from models.grade import Grade
from models.ledger import Event
from models.measure import FactMark, TicketFact
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
from reports.instants import Fold, FoldIfFree, Loops, Seconds, ShanghaiDay
from rules.actor import SYSTEM, acting_as

#: Which tickets, by a column that holds their ids.
Within = Callable[[Any], ColumnElement[bool]]
GOOD = (Grade.VERY_SATISFIED, Grade.SATISFIED)
#: So many marks are read, and so many tickets rebuilt, by one statement.
SLICE = 1_500
REBUILT = 10_000
#: So many marks are folded while a reader waits: a second, should the worker have been idle for long.
USUAL = 5_000
_PLACES = {
    "community_id": OrganizationKind.COMMUNITY,
    "township_id": OrganizationKind.TOWNSHIP,
    "county_id": OrganizationKind.COUNTY,
}
_CLOCKS = {"respond": "accepted_at", "arrive": "arrived_at", "resolve": "reported_at"}
_WORDS = {"respond": "responded", "arrive": "arrived", "resolve": "resolved"}
#: Columns that are the ticket's own.
_OWN = ("organization_id", "whistle_class_id", "theme", "channel", "nature", "emergency", "status")


# Folding


def catch_up(session: Session, limit: int | None = USUAL) -> int:
    """Make the rows of marked tickets anew, at most ``limit`` marks; return how many tickets that were.

    The usual limit is what a reader may wait for; None: all. Who comes while another folds, or while
    another holds SQLite, leaves it to him and returns 0. A mark that is written meanwhile stays for the
    next time, so nothing is lost. Acts for the system; never commits.
    """
    session.flush()
    with acting_as(session, SYSTEM):
        if session.scalar(select(FactMark.id).limit(1)) is None or not _alone(session):
            return 0
        done = read = last = 0
        while limit is None or read < limit:
            size = SLICE if limit is None else min(SLICE, limit - read)
            found = select(FactMark.id, FactMark.ticket_id).where(FactMark.id > last)
            marks = session.execute(found.order_by(FactMark.id).limit(size)).all()
            if not marks:
                break
            read, last = read + len(marks), marks[-1].id
            held = _held_by_others(session, {each.ticket_id for each in marks})
            taken = [each for each in marks if each.ticket_id not in held]
            done += _fold(session, {each.ticket_id for each in taken})
            gone = delete(FactMark).where(FactMark.id.in_([each.id for each in taken]))
            session.execute(gone, execution_options=_APART)
    return done


def _held_by_others(session: Session, tickets: set[int]) -> set[int]:
    """Return which tickets somebody takes a step on right now, and hold the others.

    His step is not to wait for us, nor we for him: what he does is marked, and folded next time.
    """
    some = select(Ticket.id).where(Ticket.id.in_(sorted(tickets)))
    free = session.scalars(some.with_for_update(read=True, key_share=True, skip_locked=True))
    missing = tickets - set(free)
    if not missing:
        return missing
    return set(session.scalars(select(Ticket.id).where(Ticket.id.in_(sorted(missing)))))


def _alone(session: Session) -> bool:
    """Be the only one who folds until the transaction ends, if nobody else does."""
    try:
        # Nothing is deleted: SQLite's one writer is whoever has begun to write.
        session.execute(delete(FactMark).where(FactMark.id < 0), execution_options=_APART)
    except OperationalError as error:
        if "locked" in str(error.orig):
            return False
        raise
    return bool(session.scalar(select(FoldIfFree())))


#: Rows are deleted and made by statements; nobody holds them as objects.
_APART = {"synchronize_session": False}


def _fold(session: Session, tickets: set[int]) -> int:
    ids = sorted(tickets)

    def within(column: Any) -> ColumnElement[bool]:
        found: ColumnElement[bool] = column.in_(ids)
        return found

    old = delete(TicketFact).where(within(TicketFact.ticket_id))
    session.execute(old, execution_options=_APART)
    _write(session, within)
    return len(ids)


def rebuild(session: Session) -> int:
    """Make all rows anew, and drop the marks that are done with; return how many tickets there are.

    Waits for whoever folds. Acts for the system; never commits.
    """
    session.flush()
    with acting_as(session, SYSTEM):
        session.execute(delete(FactMark).where(FactMark.id < 0), execution_options=_APART)
        session.scalar(select(Fold()))
        session.execute(delete(FactMark), execution_options=_APART)
        session.execute(delete(TicketFact), execution_options=_APART)
        session.scalar(select(Loops("off")))
        for first, last in _stretches(session):
            _write(session, _between(first, last))
        session.scalar(select(Loops("on")))
        return session.scalar(select(func.count(TicketFact.ticket_id.distinct()))) or 0


def _between(first: int, last: int) -> Within:
    return lambda column: cast("ColumnElement[bool]", column.between(first, last))


def _stretches(session: Session) -> Iterator[tuple[int, int]]:
    """Yield spans of ids that hold all tickets."""
    first, last = session.execute(select(func.min(Ticket.id), func.max(Ticket.id))).one()
    for start in range(first or 0, (last or -1) + 1, REBUILT):
        yield start, start + REBUILT - 1


def check(session: Session) -> list[str]:
    """Return, as sentences, where the rows that are kept differ from those made anew.

    Tickets that are marked are left out: their rows are known to be old.
    """
    found: list[str] = []
    with acting_as(session, SYSTEM):
        for first, last in _stretches(session):
            found += _differences(session, first, last)
    return found


def _differences(session: Session, first: int, last: int) -> list[str]:
    def within(column: Any) -> ColumnElement[bool]:
        marked = select(FactMark.ticket_id).where(FactMark.ticket_id.between(first, last))
        return and_(column.between(first, last), column.not_in(marked))

    names = list(_columns())
    kept = select(*(getattr(TicketFact, name) for name in names))
    have = _by_turn(session.execute(kept.where(within(TicketFact.ticket_id))).all(), names)
    made = derived(within, _left(session, within)).subquery()
    shown = select(*(type_coerce(made.c[name], getattr(TicketFact, name).type) for name in names))
    want = _by_turn(session.execute(shown).all(), names)
    said = []
    for key in sorted(have.keys() | want.keys()):
        ours, right = have.get(key), want.get(key)
        if ours == right:
            continue
        if ours is None or right is None:
            said.append(f"哨单 {key[0]} 的第 {key[1]} 行统计{'缺失' if ours is None else '多余'}。")
            continue
        off = [name for name in names if ours[name] != right[name]]
        said.append(f"哨单 {key[0]} 的第 {key[1]} 行统计不符：{'、'.join(off)}。")
    return said


def _by_turn(rows: Sequence[Any], names: list[str]) -> dict[tuple[int, int], dict[str, Any]]:
    found = [dict(zip(names, row, strict=True)) for row in rows]
    return {(each["ticket_id"], each["position"]): each for each in found}


# Deriving


def _columns() -> list[str]:
    """Return the names of what a row says, all but its own number."""
    return [each.key for each in TicketFact.__mapper__.column_attrs if each.key != "id"]


def _write(session: Session, within: Within) -> None:
    names = _columns()
    rows = derived(within, _left(session, within))
    session.execute(insert(TicketFact).from_select(names, rows))


def _left(session: Session, within: Within) -> Sequence[int]:
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
        "closed": and_(with_lead, current, Ticket.status == TicketStatus.CLOSED),
        "returned": func.coalesce(lead.c.gave_back, 0) > 0,
        "ticket_returned": Ticket.return_count > 0,
        "reopened": and_(with_lead, current, Ticket.reopen_count > 0),
        "grades": func.coalesce(grade.c.grades, 0),
        "satisfied": func.coalesce(grade.c.satisfied, 0),
        "stars": case((and_(with_lead, current), Ticket.stars)),
    }
    for clock, done in _CLOCKS.items():
        values |= _clock(clock, lead, lead.c[done], sent, turn.c.until)
    rows = select(*(values[name].label(name) for name in _columns()))
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
