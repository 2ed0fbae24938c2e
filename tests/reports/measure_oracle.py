"""Facts and measures computed slowly, one ticket at a time, as domain section 8 words them."""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy.orm import Session

from models.measure import TicketFact
from models.organization import Organization, OrganizationKind
from models.rating import Rater
from models.ticket import OFF_WORK, AssignmentRole, AssignmentStatus, Ticket, TicketStatus
from rules.calendar import SHANGHAI
from tests.factories.lives import events

Row = dict[str, Any]


@dataclass
class Turn:
    """A department's time as the lead, as the ledger tells it."""

    department: int
    at: dt.datetime
    left: dt.datetime | None = None


def turns(session: Session, ticket: Ticket) -> list[Turn]:
    """Return who led a ticket, in order."""
    found: list[Turn] = []
    for event in events(session, ticket):
        if event.data.get("lead") and event.data.get("clocks"):
            if found and found[-1].left is None:
                found[-1].left = event.at
            found.append(Turn(event.data["lead"]["id"], event.at))
        elif event.action == "approve_return":
            found[-1].left = event.at
    return found


def facts_of(session: Session, ticket: Ticket) -> list[Row]:
    """Return the rows that a ticket should have, by what its columns are called."""
    if ticket.raised_at is None:
        return []
    found = turns(session, ticket)
    parts = [each for each in ticket.assignments if each.role is AssignmentRole.LEAD]
    assert [each.organization_id for each in parts] == [each.department for each in found]
    merged = ticket.status is TicketStatus.MERGED
    if not parts:
        return [_common(session, ticket) | _day(ticket.raised_at)]
    rows = []
    for number, (turn, part) in enumerate(zip(found, parts, strict=True), 1):
        if part.organization_id in [each.organization_id for each in parts[number:]]:
            continue
        current = number == len(parts)
        mine = [each for each in parts if each.organization_id == part.organization_id]
        grades = _grades(ticket, part.organization_id)
        row = _common(session, ticket) | _day(turn.at)
        row |= {
            "position": number,
            "current": current,
            "department_id": part.organization_id,
            "dispatched": not merged,
            "closed": current and not merged and _ever_closed(session, ticket),
            "returned": any(each.status is AssignmentStatus.RETURNED for each in mine),
            "reopened": current and ticket.reopen_count > 0,
            "grades": len(grades),
            "satisfied": sum(grade in ("very_satisfied", "satisfied") for grade in grades),
            "stars": ticket.stars if current else None,
            "rating_id": row["rating_id"] if current else None,
        }
        if not merged:
            row |= _clocks(turn, part)
        rows.append(row)
    return rows


def _ever_closed(session: Session, ticket: Ticket) -> bool:
    return any(each.to_status == "closed" for each in events(session, ticket))


def _refused(session: Session, ticket: Ticket, township: int | None) -> bool:
    """Tell whether a whistle was declined by others than its own township."""
    at_home = any(
        each.action == "decline_review"
        and township in [line.ancestor_id for line in _lines(session, each.organization_id)]
        for each in events(session, ticket)
    )
    return ticket.status is TicketStatus.DECLINED and not at_home


def _lines(session: Session, organization_id: int | None) -> Sequence[Any]:
    found = session.get(Organization, organization_id) if organization_id else None
    return found.lines if found else ()


def _common(session: Session, ticket: Ticket) -> Row:
    above = {line.ancestor.kind: line.ancestor_id for line in ticket.organization.lines}
    row = {each.key: None for each in TicketFact.__mapper__.column_attrs if each.key != "id"}
    own = (
        "organization_id",
        "whistle_class_id",
        "theme",
        "channel",
        "nature",
        "emergency",
        "status",
    )
    return (
        row
        | {name: getattr(ticket, name) for name in own}
        | {
            "ticket_id": ticket.id,
            "position": 0,
            "current": True,
            "community_id": above.get(OrganizationKind.COMMUNITY),
            "township_id": above.get(OrganizationKind.TOWNSHIP),
            "county_id": above.get(OrganizationKind.COUNTY),
            "class_name": ticket.whistle_class.name,
            "matter": ticket.duty_item_name,
            "ticket_returned": ticket.return_count > 0,
            "refused": _refused(session, ticket, above.get(OrganizationKind.TOWNSHIP)),
            "rating_id": max((each.id for each in ticket.ratings), default=None),
            "grades": 0,
            "satisfied": 0,
        }
        | dict.fromkeys(("dispatched", "closed", "returned", "reopened"), False)
    )


def _day(instant: dt.datetime) -> Row:
    day = instant.astimezone(SHANGHAI).date()
    return {"day": day, "month": int(f"{day:%Y%m}")}


def _grades(ticket: Ticket, department: int) -> list[str]:
    """Return the grades that stand: of the last round, each as it was amended last."""
    given = [
        each
        for each in ticket.ratings
        if each.rater is Rater.RAISER and each.organization_id == department
    ]
    last = max((each.round for each in given), default=0)
    ordered = sorted((each for each in given if each.round == last), key=lambda e: e.revision)
    return list({each.dimension_id: each.grade.value for each in ordered}.values())


def _clocks(turn: Turn, part: Any) -> Row:
    found: Row = {}
    for clock, word, done in (
        ("respond", "responded", part.accepted_at),
        ("arrive", "arrived", part.arrived_at),
        ("resolve", "resolved", part.reported_at),
    ):
        due = getattr(part, f"{clock}_due")
        if done is None and part.status in OFF_WORK and due and (not turn.left or due > turn.left):
            due = None
        took = None if done is None else int(done.timestamp()) - int(turn.at.timestamp())
        found[f"{clock}_due"] = due
        found[f"{clock}_minutes"] = None if took is None else max(0, took // 60)
        found[f"{word}_on_time"] = None if done is None or due is None else done <= due
    return found


# Measures


def value(
    code: str, rows: Sequence[Row], now: dt.datetime, *, by_department: bool
) -> Fraction | Decimal | None:
    """Return a measure over some rows; None where there is nothing to divide by."""
    if code.endswith("_median"):
        minutes = [r[f"{code.split('_')[0]}_minutes"] for r in rows]
        known = [each for each in minutes if each is not None]
        return Fraction(statistics.median(known)) / 60 if known else None
    if code.endswith("_hours"):
        minutes = [r[f"{code.split('_')[0]}_minutes"] for r in rows]
        known = [each for each in minutes if each is not None]
        return Fraction(sum(known), len(known) * 60) if known else None
    part, of = counted(code, rows, now, by_department=by_department)
    if of is None:
        return Fraction(part)
    scale = 1 if code == "stars" else 100
    return Fraction(part * scale, of) if of else None


def counted(
    code: str, rows: Sequence[Row], now: dt.datetime, *, by_department: bool
) -> tuple[int, int | None]:
    """Return numerator and denominator of a measure over some rows."""
    sent = [r for r in rows if r["dispatched"]]
    closed = [r for r in rows if r["closed"] and r["status"] is TicketStatus.CLOSED]
    if code == "raised":
        return len(rows), None
    if code == "dispatched":
        return len(sent), None
    if code == "closed":
        return len(closed), None
    if code == "closed_on_time":
        return sum(r["resolved_on_time"] is True for r in closed), None
    if code in ("response_rate", "arrival_rate"):
        clock, word = ("respond", "responded") if code == "response_rate" else ("arrive", "arrived")
        met = f"{word}_on_time"
        due = [r for r in sent if r[met] is not None or (r[f"{clock}_due"] or now + _DAY) <= now]
        return sum(r[met] is True for r in due), len(due)
    if code == "closing_rate":
        return len([r for r in sent if r in closed]), len(sent)
    if code == "on_time_rate":
        judged = [r for r in closed if r["resolved_on_time"] is not None]
        return sum(r["resolved_on_time"] for r in judged), len(judged)
    if code == "return_rate":
        name = "returned" if by_department else "ticket_returned"
        return sum(r[name] for r in sent), len(sent)
    if code == "reopen_rate":
        ever = [r for r in rows if r["closed"]]
        return sum(r["reopened"] for r in ever), len(ever)
    if code == "satisfaction":
        return sum(r["satisfied"] for r in rows), sum(r["grades"] for r in rows)
    assert code == "stars"
    given = [r["stars"] for r in rows if r["stars"] is not None]
    return sum(given), len(given)


_DAY = dt.timedelta(days=1)
