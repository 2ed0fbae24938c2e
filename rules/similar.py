"""Open tickets that may be about the same thing: said alike, close by, or at the same address.

Whoever is about to raise a whistle sees them first, and may add a word there instead.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Executable, select
from sqlalchemy.orm import Session

from models.organization import Organization, OrganizationKind, OrganizationLine
from models.ticket import FINAL, PartyRelation, Ticket, TicketParty, TicketStatus
from rules.actor import current
from rules.duty_words import hear, plain

#: So many of a place's newest tickets are walked, and so many open ones among them compared.
WALKED, CANDIDATES = 600, 200
#: What lies further off is something else. Metres.
NEAR = 300
#: How much of the shorter title must be in the other to be alike, and in how many pairs at least.
ALIKE, FEWEST = 0.5, 2
#: An address that is shorter says too little to be the same one.
SHORTEST = 4
#: Mean radius of the earth in metres.
_EARTH = 6_371_000


@dataclass(frozen=True)
class Cause:
    """Why a ticket is shown: a text with places for values."""

    label: str
    values: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return self.label % dict(self.values)


@dataclass(frozen=True)
class Similar:
    """An open ticket that may be the same, with its reasons; ``distance`` in metres if known."""

    ticket_id: int
    number: str | None
    title: str
    address: str | None
    status: TicketStatus
    raised_at: dt.datetime | None
    reasons: tuple[Cause, ...]
    score: float
    distance: float | None = None


def similar(
    session: Session,
    organization: Organization,
    title: str,
    *,
    latitude: float | None = None,
    longitude: float | None = None,
    address: str | None = None,
    exclude: int | None = None,
    limit: int = 5,
) -> list[Similar]:
    """Return open tickets of the place's township that may be the same, the likeliest first.

    Only tickets that the session's actor may read. ``exclude``: the id of the ticket in hand.
    Two statements, however large the ledger is: they walk the newest ``WALKED`` tickets of the
    township (or of the actor's own area within it) by index, and compare ``CANDIDATES`` open ones.
    """
    place = _place(session, organization)
    asked = _Asked(title, latitude, longitude, address)
    if place is None or not asked.says_something:
        return []
    found = [
        each
        for row in session.execute(_candidates(place, exclude))
        if (each := asked.compare(row)) is not None
    ]
    return sorted(found, key=lambda each: (-each.score, -each.ticket_id))[:limit]


def metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the distance between two places (WGS 84 degrees, latitude first) by the haversine."""
    (lat, lng), (lat2, lng2) = (
        (math.radians(here[0]), math.radians(here[1])) for here in (one, other)
    )
    half = (
        math.sin((lat2 - lat) / 2) ** 2
        + math.cos(lat) * math.cos(lat2) * math.sin((lng2 - lng) / 2) ** 2
    )
    return 2 * _EARTH * math.asin(min(1.0, math.sqrt(half)))


def _place(session: Session, organization: Organization) -> int | None:
    """Return whose party rows to walk: the township's, or the actor's own area if that is smaller.

    Walking the township's would mean stepping over all that the actor may not read.
    """
    rows = session.execute(
        select(OrganizationLine.ancestor_id, Organization.kind)
        .join(Organization, Organization.id == OrganizationLine.ancestor_id)
        .where(OrganizationLine.organization_id == organization.id)
        .order_by(OrganizationLine.depth)
    ).all()
    own = current(session).area_id
    for ancestor_id, kind in rows:  # the place itself first
        if kind is OrganizationKind.TOWNSHIP or ancestor_id == own:
            return int(ancestor_id)
    return organization.id if rows else None


def _candidates(place: int, exclude: int | None) -> Executable:
    newest = (
        select(TicketParty.ticket_id)
        .where(TicketParty.organization_id == place, TicketParty.relation == PartyRelation.AREA)
        .order_by(TicketParty.ticket_id.desc())
        .limit(WALKED)
    )
    wanted = (
        select(
            Ticket.id,
            Ticket.number,
            Ticket.title,
            Ticket.address,
            Ticket.latitude,
            Ticket.longitude,
            Ticket.status,
            Ticket.raised_at,
        )
        .where(Ticket.id.in_(newest), Ticket.status.not_in((*FINAL, TicketStatus.DRAFT)))
        .order_by(Ticket.id.desc())
        .limit(CANDIDATES)
    )
    return wanted if exclude is None else wanted.where(Ticket.id != exclude)


class _Asked:
    """What is known of the whistle that is being filled in."""

    def __init__(
        self,
        title: str,
        latitude: float | None,
        longitude: float | None,
        address: str | None,
    ) -> None:
        self.grams = hear(title).grams
        self.matters = _matters(title)
        self.here = (
            (latitude, longitude) if latitude is not None and longitude is not None else None
        )
        self.address = plain(address or "").replace(" ", "")

    @property
    def says_something(self) -> bool:
        """Tell whether there is anything to compare by."""
        return bool(self.grams or self.here or len(self.address) >= SHORTEST)

    def compare(self, row: Any) -> Similar | None:
        """Return a ticket with what it has in common, None if that is nothing."""
        reasons: list[Cause] = []
        score = self._likeness(row.title)
        if score:
            reasons.append(Cause("相似度高"))
        if self._same_address(row.address):
            score += 0.8
            reasons.append(Cause("同一地点"))
        distance = self._distance(row)
        if distance is not None and distance <= NEAR:
            score += 0.8 * (1 - distance / NEAR)
            reasons.append(_away(distance))
        if not reasons:
            return None
        return Similar(
            ticket_id=row.id,
            number=row.number,
            title=row.title,
            address=row.address,
            status=row.status,
            raised_at=row.raised_at,
            reasons=tuple(reasons),
            score=score,
            distance=distance,
        )

    def _likeness(self, title: str) -> float:
        """Return 0 for titles that are not alike, up to 1.5 for the same matter in the same words."""
        other = hear(title).grams
        shorter = min(len(self.grams), len(other))
        if not shorter:
            return 0.0
        common = len(self.grams & other)
        share = common / shorter
        same = bool(self.matters & _matters(title))
        if share >= ALIKE and common >= FEWEST:
            return share + 0.5 * same
        # Other words for the same matter, with one of its own in common: 路灯不亮, 路灯坏了.
        return 0.6 if same and common else 0.0

    def _same_address(self, address: str | None) -> bool:
        there = plain(address or "").replace(" ", "")
        if min(len(there), len(self.address)) < SHORTEST:
            return False
        return there in self.address or self.address in there

    def _distance(self, row: Any) -> float | None:
        if self.here is None or row.latitude is None or row.longitude is None:
            return None
        return metres(self.here, (row.latitude, row.longitude))


def _matters(title: str) -> frozenset[int]:
    """Return the rows of the table of everyday words that a title surely speaks of."""
    return frozenset(each.row for each in hear(title).meanings if each.strength >= 1)


def _away(distance: float) -> Cause:
    if distance < 10:
        return Cause("相距不到 10 米")
    return Cause("相距约 %(metres)s 米", (("metres", str(round(distance / 10) * 10)),))
