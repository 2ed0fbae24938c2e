"""The mechanism that applies to a place, and the calendar with its overrides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from models.mechanism import CalendarOverride, Mechanism, RatingDimension, WhistleClass
from models.organization import Organization, OrganizationLine
from models.ticket import Ticket
from rules.calendar import WorkCalendar, read_spans
from rules.errors import Invalid


def mechanism_for(session: Session, organization_id: int) -> Mechanism:
    """Return the mechanism in force at a place: its county's, else its city's (domain section 3).

    Raises ``Invalid`` if neither has one.
    """
    found = _in_force_at(session, organization_id)
    if found is None:
        organization = session.get_one(Organization, organization_id)
        raise Invalid(
            f"“{organization.name}”所在的县（市、区）还没有启用吹哨机制，请联系系统管理员。"
        )
    return found


def _in_force_at(session: Session, organization_id: int) -> Mechanism | None:
    found: Mechanism | None = session.scalars(_nearest(), {"place": organization_id}).first()
    return found


@lru_cache(maxsize=1)
def _nearest() -> Select[Any]:
    """Return the statement that asks for the mechanism in force at a place: the nearest, the newest."""
    return (
        select(Mechanism)
        .join(OrganizationLine, OrganizationLine.ancestor_id == Mechanism.organization_id)
        .where(OrganizationLine.organization_id == bindparam("place"), Mechanism.in_force)
        .order_by(OrganizationLine.depth, Mechanism.number.desc())
        .limit(1)
    )


@lru_cache(maxsize=1)
def _number_of_nearest() -> Select[Any]:
    """Return the statement that asks for that mechanism's id alone."""
    return _nearest().with_only_columns(Mechanism.id)


@contextmanager
def asked_once(session: Session) -> Iterator[None]:
    """While a step is taken, ask once which mechanism is in force at a place."""
    before = session.info.get(_ASKED)
    session.info[_ASKED] = {} if before is None else before
    try:
        yield
    finally:
        session.info[_ASKED] = before


_ASKED = "chuishao.mechanisms"


def _number_in_force(session: Session, organization_id: int) -> int | None:
    asked: dict[int, int | None] | None = session.info.get(_ASKED)
    if asked is not None and organization_id in asked:
        return asked[organization_id]
    found: int | None = session.scalars(_number_of_nearest(), {"place": organization_id}).first()
    if asked is not None:
        asked[organization_id] = found
    return found


def present_class(session: Session, ticket: Ticket) -> WhistleClass:
    """Return the class under which a ticket is dispatched now; the ticket keeps it from then on.

    It is the class of the same code in the mechanism that is in force for the ticket's place; the
    ticket's own, where no mechanism is in force or the new version has no such class any more.
    """
    own = ticket.whistle_class
    number = _number_in_force(session, ticket.organization_id)
    if number is None or number == own.mechanism_id:
        return own
    classes = session.get_one(Mechanism, number).classes
    return next((each for each in classes if each.code == own.code), own)


def classes_for(session: Session, organization_id: int) -> list[WhistleClass]:
    """Return the whistle classes that a place may blow, in the mechanism's order."""
    return mechanism_for(session, organization_id).classes


def dimensions_of(whistle_class: WhistleClass) -> list[RatingDimension]:
    """Return the dimensions on which a ticket of this class is rated."""
    return whistle_class.mechanism.dimensions


def calendar(session: Session, mechanism: Mechanism | None = None) -> WorkCalendar:
    """Return the national calendar with the administrator's overrides and a mechanism's hours."""
    overrides: Any = session.execute(select(CalendarOverride.day, CalendarOverride.working)).all()
    spans = read_spans(mechanism.working_hours or ()) if mechanism else ()
    return WorkCalendar(dict(map(tuple, overrides)), spans)
