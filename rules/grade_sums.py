"""Grades summed many at once, reached by the facts of their tickets (domain section 8).

Five million grades are not asked one by one whether their ticket may be read: whoever reads the fact
of a ticket (``TicketFact``, which the gate narrows) reads its grades, for both are reached by the place
that raised it. A department's own grades are its own to read, whoever led the ticket.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, or_, select
from sqlalchemy.orm import Session

from models.grade import Grade
from models.ledger import Event
from models.measure import TicketFact
from models.organization import OrganizationLine
from models.rating import Rater, Rating
from models.ticket import Ticket, TicketStatus
from rules.actor import current
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
Narrow = Callable[[Select[Any]], Select[Any]]

_rating = Rating.__table__.alias("given")
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
    session: Session, narrow: Narrow, first: dt.date, since: dt.date, last: dt.date
) -> list[GradeSum]:
    """Return the sums of grades by department, dimension and side, of two spans of days at once.

    ``present`` for tickets from ``since`` to ``last``, else of those before, from ``first`` on. ``narrow``
    puts on a statement over ``TicketFact`` which tickets are meant. Whoever reads his own department's
    figures alone is given all of its grades on tickets of these days, also where it assisted.
    """
    if own_only(session):
        keys = (*_KEYS, _present(_fact.c.day, since))
        ours = _rating.c.organization_id == current(session).organization_id
        statements = [
            select(*keys, *parts)
            .select_from(_rating)
            .join(_fact, _fact.c.ticket_id == _rating.c.ticket_id)
            .where(ours, _within(first, last), *tests)
            .group_by(*keys)
            for parts, tests in ((_ALL, ()), (_FEW, (_AGAIN,)))
        ]
        past = reviewed("the grades of the actor's own department")
        return _put_together(
            row for each in statements for row in session.execute(each, execution_options=past)
        )
    # Tickets of a time have numbers of a time: the database need not walk all grades there are.
    ends: Any = select(func.min(TicketFact.ticket_id), func.max(TicketFact.ticket_id))
    lowest, highest = cast(Any, session.execute(narrow(ends)).one())
    if lowest is None:
        return []
    keys = (*_KEYS, _present(TicketFact.day, since))
    near = _rating.c.ticket_id.between(lowest, highest)
    statements = [
        select(*keys, *parts)
        .select_from(TicketFact)
        .join(_rating, _rating.c.ticket_id == TicketFact.ticket_id)
        .where(near, *tests)
        .group_by(*keys)
        for parts, tests in ((_ALL, ()), (_FEW, (_AGAIN,)))
    ]
    return _put_together(row for each in statements for row in session.execute(narrow(each)))


def _present(day: Any, since: dt.date) -> Any:
    return case((day >= since, 1), else_=0).label("present")


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


def declined_by_others() -> ColumnElement[bool]:
    """Return whether a fact's whistle was declined, and not in its own township's review.

    A township that stops a whistle of its own has done what reviews are for.
    """
    event, line = Event.__table__.alias(), OrganizationLine.__table__.alias()
    # Counted row by row: of an EXISTS, PostgreSQL would gather the events of all tickets first.
    at_home = (
        select(func.count(event.c.id))
        .where(
            event.c.record_type == "ticket",
            event.c.record_id == TicketFact.ticket_id,
            event.c.action == "decline_review",
            line.c.organization_id == event.c.organization_id,
            line.c.ancestor_id == TicketFact.township_id,
        )
        .correlate(TicketFact)
        .scalar_subquery()
    )
    return case((TicketFact.status == TicketStatus.DECLINED, at_home == 0), else_=False)


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
