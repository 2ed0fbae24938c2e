"""Grades summed many at once, reached by the facts of their tickets (domain section 8).

Five million grades are not asked one by one whether their ticket may be read: whoever reads the fact
of a ticket (``TicketFact``, which the gate narrows) reads its grades, for both are reached by the place
that raised it. A department's own grades are its own to read, whoever led the ticket.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from models.base import utcnow
from models.grade import Grade
from models.measure import GradeMonth, TicketFact
from models.rating import Rater, Rating
from models.ticket import Ticket, TicketStatus
from rules.actor import current
from rules.calendar import shanghai_date
from rules.months import Split, reads_counties, split
from rules.policy import Action, Scope, scopes
from rules.scope import reviewed

#: What a grade is worth. 满意 is good work, 基本满意 a pass (及格), and 不满意 earns nothing: what is
#: graded so is to be done again.
POINTS = {
    Grade.VERY_SATISFIED: 100,
    Grade.SATISFIED: 85,
    Grade.FAIR: 60,
    Grade.DISSATISFIED: 0,
}
#: The first and the last of some days.
Days = tuple[dt.date, dt.date]
Narrow = Callable[[Select[Any], Days], Select[Any]]

GIVEN = _rating = Rating.__table__.alias("given")
_former = Rating.__table__.alias("former")
_fact = TicketFact.__table__
#: All of a grade's key but its round and its revision.
_WHOSE = ("ticket_id", "organization_id", "dimension_id", "rater")


def _points(grade: Any) -> ColumnElement[int]:
    return case(*((grade == each, points) for each, points in POINTS.items()), else_=0)


def _times(test: Any) -> ColumnElement[int]:
    return func.sum(case((test, 1), else_=0))


def _earlier(*same: str) -> list[ColumnElement[bool]]:
    return [_former.c[name] == _rating.c[name] for name in (*_WHOSE, *same)]


def _replaced(power: int) -> ColumnElement[int]:
    """Return the points of the grade that an amended one took the place of; 0 for all others."""
    before = _points(_former.c.grade)
    found = (
        select(before * before if power == 2 else before)
        .where(*_earlier("round"), _former.c.revision == _rating.c.revision - 1)
        .correlate(_rating)
        .scalar_subquery()
    )
    return func.sum(case((_rating.c.revision > 1, func.coalesce(found, 0)), else_=0))


def _graded_before() -> ColumnElement[bool]:
    """Return whether the department was graded on the ticket in an earlier round."""
    return exists().where(*_earlier(), _former.c.round < _rating.c.round).correlate(_rating)


_GIVEN = _points(_rating.c.grade)
#: Over all rows: rounds, tickets graded in their first round, points, squares.
_ALL = (
    _times(_rating.c.revision == 1),
    _times(and_(_rating.c.revision == 1, _rating.c.round == 1)),
    func.sum(_GIVEN),
    func.sum(_GIVEN * _GIVEN),
)
#: Over the few that were amended, or are of a further round: what the sums above have too little or
#: too much. Apart, for looking back row by row keeps the database from summing in parallel.
_AGAIN = or_(_rating.c.revision > 1, _rating.c.round > 1)
_FEW = (
    literal(0),
    func.sum(
        case((_rating.c.revision > 1, 0), (_rating.c.round == 1, 0), (_graded_before(), 0), else_=1)
    ),
    -_replaced(1),
    -_replaced(2),
)
#: All at once: rounds, tickets, points and squares of the grades that stand.
STANDING = (
    _ALL[0],
    func.sum(
        case((_rating.c.revision > 1, 0), (_rating.c.round == 1, 1), (_graded_before(), 0), else_=1)
    ),
    _ALL[2] - _replaced(1),
    _ALL[3] - _replaced(2),
)
_PARTS: tuple[tuple[Any, Any], ...] = ((_ALL, ()), (_FEW, (_AGAIN,)))
_KEYS = (_rating.c.organization_id, _rating.c.dimension_id, _rating.c.rater)


@dataclass
class GradeSum:
    """Grades of one department in one dimension by one side: how many, and their points.

    ``present``: of the later of the two spans asked for. ``rounds`` and ``tickets`` count each once,
    ``squares`` are of the points.
    """

    department_id: int
    dimension_id: int
    rater: Rater
    present: bool
    rounds: int = 0
    tickets: int = 0
    points: int = 0
    squares: int = 0


def _put_together(answers: Iterable[Any]) -> list[GradeSum]:
    found: dict[Any, GradeSum] = {}
    for row in answers:
        department_id, dimension_id, rater, present, rounds, tickets, points, squares = row
        key = (department_id, dimension_id, rater, present)
        mine = found.setdefault(key, GradeSum(department_id, dimension_id, rater, bool(present)))
        mine.rounds += int(rounds)
        mine.tickets += int(tickets)
        mine.points += int(points)
        mine.squares += int(squares)
    return list(found.values())


def own_only(session: Session) -> bool:
    """Tell whether the actor reads his own department's figures, and no area's."""
    actor = current(session)
    granted = scopes(actor.roles, "ticket_fact", Action.READ)
    return not actor.system and granted == {Scope.PARTY}


def _within(first: dt.date, last: dt.date) -> ColumnElement[bool]:
    """Return whether a ticket's present row lies in some days."""
    return and_(_fact.c.current, _fact.c.day.between(first, last))


def sums(
    session: Session, narrow: Narrow, spans: Sequence[Days], county_id: int | None
) -> list[GradeSum]:
    """Return the sums of grades by department, dimension and side, of spans of days.

    ``present`` for the last of the spans. ``narrow`` puts on a statement over ``TicketFact`` which
    tickets of some days are meant, ``county_id`` says of which county. Whoever reads his own department's
    figures alone is given all of its grades on tickets of these days, also where it assisted. Whole
    months are read as they were added up, the other days grade by grade.
    """
    found: list[Any] = []
    kept: list[Select[Any]] = []
    own = own_only(session)
    for present, (first, last) in zip(range(1 - len(spans), 1), spans, strict=True):
        parts = Split(None, ((first, last),))
        if own or reads_counties(session):
            parts = split(first, last, shanghai_date(utcnow()))
        keys = (literal(present == 0).label("present"),)
        if parts.months is not None:
            kept.append(_of_months(parts, keys, county_id))
        if own and parts.edges:
            found += _own_grades(session, parts, keys)
            continue
        for edge in parts.edges:
            found += _given(session, narrow, edge, keys)
    if kept:
        found += session.execute(union_all(*kept))
    return _put_together(found)


def _of_months(parts: Split, keys: Sequence[Any], county_id: int | None) -> Select[Any]:
    """Return the kept sums of whole months."""
    of = (GradeMonth.department_id, GradeMonth.dimension_id, GradeMonth.rater)
    added = (GradeMonth.rounds, GradeMonth.tickets, GradeMonth.points, GradeMonth.squares)
    found = (
        select(*of, *keys, *(func.sum(each) for each in added))
        .where(parts.within(GradeMonth.month), GradeMonth.rounds > 0)
        .group_by(*of)
    )
    return found if county_id is None else found.where(GradeMonth.place_id == county_id)


def _own_grades(session: Session, parts: Split, keys: Sequence[Any]) -> Iterable[Any]:
    """Return the sums of all grades of the actor's own department on tickets of some days."""
    ours = _rating.c.organization_id == current(session).organization_id
    joined = _fact.c.ticket_id == _rating.c.ticket_id
    edges = parts.at_edges(_fact.c.month, _fact.c.day)
    statements = [
        select(*_KEYS, *keys, *parts_of)
        .select_from(_rating)
        .join(_fact, joined)
        .where(ours, _fact.c.current, edges, *tests)
        .group_by(*_KEYS)
        for parts_of, tests in _PARTS
    ]
    past = reviewed("the grades of the actor's own department")
    return session.execute(union_all(*statements), execution_options=past)


def _given(session: Session, narrow: Narrow, days: Days, keys: Sequence[Any]) -> Iterable[Any]:
    """Return the sums of the grades on the tickets of some days."""
    # Tickets of a time have numbers of a time: the database need not walk all grades there are.
    ends: Any = select(func.min(TicketFact.ticket_id), func.max(TicketFact.ticket_id))
    lowest, highest = cast(Any, session.execute(narrow(ends, days)).one())
    if lowest is None:
        return ()
    near = _rating.c.ticket_id.between(lowest, highest)
    joined = _rating.c.ticket_id == TicketFact.ticket_id
    statements = [
        select(*_KEYS, *keys, *parts_of)
        .select_from(TicketFact)
        .join(_rating, joined)
        .where(near, *tests)
        .group_by(*_KEYS)
        for parts_of, tests in _PARTS
    ]
    return session.execute(union_all(*(narrow(each, days) for each in statements)))


def graded_tickets(department_id: int, first: dt.date, last: dt.date) -> Select[Any]:
    """Return the ids of tickets of some days on which a raising place has graded a department.

    To narrow tickets by, which the gate narrows.
    """
    return (
        select(_rating.c.ticket_id)
        .join(_fact, _fact.c.ticket_id == _rating.c.ticket_id)
        .where(
            _rating.c.organization_id == department_id,
            _rating.c.rater == Rater.RAISER,
            _within(first, last),
        )
    )


def tickets_within(first: dt.date, last: dt.date, county_id: int | None = None) -> Select[Any]:
    """Return the ids of tickets of some days, of one county or of all; to narrow other rows by."""
    found = select(_fact.c.ticket_id).where(_within(first, last))
    return found if county_id is None else found.where(_fact.c.county_id == county_id)


# What a township answers for


def left_unrated(before: dt.datetime) -> ColumnElement[bool]:
    """Return whether a fact's ticket has had its result since before a moment and is not graded."""
    ticket = Ticket.__table__.alias()
    result = (
        select(ticket.c.resolved_at)
        .where(ticket.c.id == TicketFact.ticket_id)
        .correlate(TicketFact)
        .scalar_subquery()
    )
    idle = and_(TicketFact.status == TicketStatus.RESOLVED, TicketFact.grades == 0)
    return case((idle, result < before), else_=False)
