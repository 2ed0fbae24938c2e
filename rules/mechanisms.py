"""The mechanism that applies to a place, and the calendar with its overrides."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, inspect, select
from sqlalchemy.orm import Session

from models.mechanism import (
    CalendarOverride,
    Mechanism,
    RatingDimension,
    ReviewLevel,
    WhistleClass,
)
from models.organization import Organization, OrganizationLine
from models.ticket import Ticket
from rules.calendar import Spans, WorkCalendar, read_spans
from rules.errors import Invalid
from rules.locking import keep, kept, let_go


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
        if before is None:
            let_go(session, _DAYS, "item_limit", "parties", "receiver")


_ASKED = "chuishao.mechanisms"
_DAYS = "calendar"


def is_asking(session: Session) -> bool:
    """Tell whether a step is being taken, for which things are asked once."""
    return session.info.get(_ASKED) is not None


def keep_number(session: Session, organization_id: int, number: int | None) -> None:
    """Keep, while a step is taken, which mechanism is in force at a place."""
    asked: dict[int, int | None] | None = session.info.get(_ASKED)
    if asked is not None:
        asked[organization_id] = number


def keep_days(session: Session, words: str | None) -> None:
    """Keep, while a step is taken, the administrator's days: each as 2026-10-10=1, =0 if it is off."""
    keep(session, _DAYS, None, words or "")


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


@dataclass(frozen=True)
class Stage:
    """A step of a mechanism's review route."""

    position: int
    name: str
    level: ReviewLevel


#: Routes by what their versions were when they were read. A version that changes, in whatever part
#: and whichever process, moves its own ``version`` (``rules.mechanism_versions.maintain``); the
#: instant tells apart what was rolled back.
_ROUTES: dict[tuple[Any, ...], tuple[Stage, ...]] = {}
_MOST_ROUTES = 1000


def route_of(mechanism: Mechanism) -> tuple[Stage, ...]:
    """Return the review route of a mechanism's version, in order; read once for all tickets."""
    key = (mechanism.id, mechanism.version, mechanism.updated_at)
    known = "route" not in inspect(mechanism).dict and None not in key
    if known and key in _ROUTES:
        return _ROUTES[key]
    route = tuple(Stage(each.position, each.name, each.level) for each in mechanism.route)
    if known:
        if len(_ROUTES) >= _MOST_ROUTES:
            _ROUTES.clear()
        _ROUTES[key] = route
    return route


def classes_for(session: Session, organization_id: int) -> list[WhistleClass]:
    """Return the whistle classes that a place may blow, in the mechanism's order."""
    return mechanism_for(session, organization_id).classes


def dimensions_of(whistle_class: WhistleClass) -> list[RatingDimension]:
    """Return the dimensions on which a ticket of this class is rated."""
    return whistle_class.mechanism.dimensions


def calendar(session: Session, mechanism: Mechanism | None = None) -> WorkCalendar:
    """Return the national calendar with the administrator's overrides and a mechanism's hours."""
    spans = read_spans(mechanism.working_hours or ()) if mechanism else ()
    told: str | None = kept(session, _DAYS, None)
    if told is not None:
        return _calendar(told, spans)
    overrides: Any = session.execute(select(CalendarOverride.day, CalendarOverride.working)).all()
    return WorkCalendar(dict(map(tuple, overrides)), spans)


class Calendars:
    """Calendars of mechanisms, each asked for when it is needed, and once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[int, WorkCalendar] = {}

    def of(self, mechanism: Mechanism) -> WorkCalendar:
        """Return the calendar by which a mechanism counts."""
        if mechanism.id not in self._known:
            self._known[mechanism.id] = calendar(self._session, mechanism)
        return self._known[mechanism.id]


@lru_cache(maxsize=64)
def _calendar(days: str, spans: Spans) -> WorkCalendar:
    """Make the calendar of days in words, once for all who are told the same."""
    told = (each.split("=") for each in days.split(",") if each)
    return WorkCalendar(
        {dt.date.fromisoformat(day): bool(int(works)) for day, works in told}, spans
    )
