"""Grades summed many at once, reached by the facts of their tickets (domain section 8).

Five million grades are not asked one by one whether their ticket may be read: whoever reads the fact
of a ticket (``TicketFact``, which the gate narrows) reads its grades, for both are reached by the place
that raised it. A department's own grades are its own to read, whoever led the ticket.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, select
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


def _gain(power: int) -> ColumnElement[int]:
    """Return what a row adds: its points, less those that it took the place of.

    So an amended grade counts once, as it stands, and only amended ones cost a look at another row.
    """
    points, before = _points(_rating.c.grade), _points(_former.c.grade)
    same = [_former.c[name] == _rating.c[name] for name in (*_WHOSE, "round")]
    replaced = (
        select(before * before if power == 2 else before)
        .where(*same, _former.c.revision == _rating.c.revision - 1)
        .correlate(_rating)
        .scalar_subquery()
    )
    own = points * points if power == 2 else points
    return own - case((_rating.c.revision > 1, func.coalesce(replaced, 0)), else_=0)


def _first() -> ColumnElement[int]:
    """Return 1 for a ticket's first round of grades of a department, else 0: so tickets are counted."""
    same = [_former.c[name] == _rating.c[name] for name in _WHOSE]
    earlier = exists().where(*same, _former.c.round < _rating.c.round).correlate(_rating)
    return case(
        (_rating.c.revision > 1, 0),
        (_rating.c.round == 1, 1),
        (earlier, 0),
        else_=1,
    )


_SUMS = (
    func.sum(case((_rating.c.revision == 1, 1), else_=0)).label("rounds"),
    func.sum(_first()).label("tickets"),
    func.sum(_gain(1)).label("points"),
    func.sum(_gain(2)).label("squares"),
)
_KEYS = (_rating.c.organization_id.label("department_id"), _rating.c.dimension_id, _rating.c.rater)


def own_only(session: Session) -> bool:
    """Tell whether the actor reads his own department's figures, and no area's."""
    actor = current(session)
    granted = scopes(actor.roles, "ticket_fact", Action.READ)
    return not actor.system and granted == {Scope.PARTY}


def _within(first: dt.date, last: dt.date) -> ColumnElement[bool]:
    """Return whether a ticket's present row lies in some days."""
    return and_(_fact.c.current, _fact.c.day.between(first, last))


def sums(session: Session, narrow: Narrow, first: dt.date, last: dt.date) -> Sequence[Any]:
    """Return for each department, dimension and rater: rounds, tickets, points, their squares.

    ``narrow`` puts on a statement over ``TicketFact`` which tickets are meant. Whoever reads his own
    department's figures alone is given all of its grades on tickets of the days from ``first`` to
    ``last``, also where it assisted.
    """
    if own_only(session):
        own = (
            select(*_KEYS, *_SUMS)
            .select_from(_rating)
            .join(_fact, _fact.c.ticket_id == _rating.c.ticket_id)
            .where(
                _rating.c.organization_id == current(session).organization_id,
                _within(first, last),
            )
            .group_by(_rating.c.organization_id, _rating.c.dimension_id, _rating.c.rater)
        )
        return session.execute(
            own, execution_options=reviewed("the grades of the actor's own department")
        ).all()
    reached = (
        select(*_KEYS, *_SUMS)
        .select_from(TicketFact)
        .join(_rating, _rating.c.ticket_id == TicketFact.ticket_id)
        .group_by(_rating.c.organization_id, _rating.c.dimension_id, _rating.c.rater)
    )
    return session.execute(narrow(reached)).all()


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
    at_home = (
        exists()
        .where(
            event.c.record_type == "ticket",
            event.c.record_id == TicketFact.ticket_id,
            event.c.action == "decline_review",
            line.c.organization_id == event.c.organization_id,
            line.c.ancestor_id == TicketFact.township_id,
        )
        .correlate_except(event, line)
    )
    return case((TicketFact.status == TicketStatus.DECLINED, ~at_home), else_=False)


def left_unrated(before: dt.datetime) -> ColumnElement[bool]:
    """Return whether a fact's ticket has had its result since before a moment and is not graded."""
    ticket = Ticket.__table__.alias()
    waits = (
        exists()
        .where(ticket.c.id == TicketFact.ticket_id, ticket.c.resolved_at < before)
        .correlate_except(ticket)
    )
    idle = and_(TicketFact.status == TicketStatus.RESOLVED, TicketFact.grades == 0)
    return case((idle, waits), else_=False)
