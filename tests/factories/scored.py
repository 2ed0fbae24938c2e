"""Tickets with grades and the facts that scores find them by, written as they would stand."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select, update

from models.appeal import AppealStatus, RatingAppeal
from models.grade import Grade
from models.measure import TicketFact
from models.mechanism import Mechanism, WhistleClass
from models.organization import Organization, OrganizationKind
from models.rating import Rater, Rating
from models.ticket import Ticket, TicketStatus
from presets.mechanisms import JIUJIANG
from presets.mechanisms import build as build_mechanism
from reports.facts import sum_up
from rules.actor import SYSTEM, acting_as
from rules.parties import sync
from tests.factories.world import World

DAY = dt.date(2026, 3, 10)
#: Grades of one round: a grade for each dimension's code.
Round = Mapping[str, Grade]
GRADES = list(Grade)


@dataclass
class Scored:
    """Writes graded tickets into the seeded world, under two versions of county A's mechanism."""

    world: World
    classes: dict[str, WhistleClass] = field(default_factory=dict)

    def __post_init__(self) -> None:
        session = self.world.session
        for county in ("A", "B"):
            self.classes[county] = self.world.whistle_class("ordinary", county)
        second = build_mechanism(JIUJIANG, self.world.place("A"))
        second.number, second.in_force = 2, False
        for each, weight in zip(second.dimensions, (70, 10, 10, 10), strict=True):
            each.weight = weight
        session.add(second)
        session.flush()
        self.classes["A second"] = next(e for e in second.classes if e.code == "ordinary")

    def mechanism(self, version: str) -> Mechanism:
        """Return a version of a county's mechanism: "A", "A second" or "B"."""
        return self.classes[version].mechanism

    def ticket(self, place: str = "A11", version: str = "", **fact: Any) -> Ticket:
        """Return a flushed ticket with one fact, which ``fact`` says more of; ``lead`` is a code."""
        session, at = self.world.session, self.world.place(place)
        kind = self.classes[version or place[0]]
        ticket = Ticket(
            title="路灯不亮",
            detail="三盏",
            organization=at,
            whistle_class=kind,
            resolved_at=fact.pop("resolved_at", None),
        )
        sync(session, ticket)
        session.add(ticket)
        session.flush()
        day = fact.pop("day", DAY)
        lead = fact.pop("lead", f"{place[0]}-D1")
        values = {
            "status": TicketStatus.CLOSED,
            "dispatched": True,
            "grades": 0,
            "satisfied": 0,
            "current": True,
            "refused": fact.get("status") is TicketStatus.DECLINED,
        } | fact
        row = TicketFact(
            ticket_id=ticket.id,
            position=1,
            organization_id=at.id,
            department_id=self.world.place(lead).id if lead else None,
            whistle_class_id=kind.id,
            class_name=kind.name,
            theme=ticket.theme,
            channel=ticket.channel,
            nature=ticket.nature,
            emergency=False,
            day=day,
            month=day.year * 100 + day.month,
            closed=True,
            returned=False,
            ticket_returned=False,
            reopened=False,
            **_places(at),
            **values,
        )
        session.add(row)
        session.flush()
        return ticket

    def grade(
        self,
        ticket: Ticket,
        department: str,
        grades: Grade | Round | Sequence[Grade],
        *,
        number: int = 1,
        revision: int = 1,
        rater: Rater = Rater.RAISER,
    ) -> None:
        """Write a department's grades of a round: one for all dimensions, by code, or in their order."""
        dimensions = ticket.whistle_class.mechanism.dimensions
        if isinstance(grades, Grade):
            grades = [grades] * len(dimensions)
        by_code = (
            grades
            if isinstance(grades, Mapping)
            else dict(zip([each.code for each in dimensions], grades, strict=True))
        )
        place = self.world.place(department)
        self.world.session.add_all(
            Rating(
                ticket=ticket,
                organization=place,
                dimension=each,
                round=number,
                revision=revision,
                rater=rater,
                grade=by_code[each.code],
                rated_by="社区",
            )
            for each in dimensions
            if each.code in by_code
        )
        self.world.session.flush()

    def graded(
        self, department: str, grade: Grade | Sequence[Grade], times: int = 1, **fact: Any
    ) -> list[Ticket]:
        """Return tickets of a department that were graded once, each alike."""
        found = []
        for _turn in range(times):
            ticket = self.ticket(lead=department, **fact)
            self.grade(ticket, department, grade)
            found.append(ticket)
        return found

    def appeal(self, ticket: Ticket, department: str, status: AppealStatus) -> RatingAppeal:
        """Return a flushed appeal, decided as said without touching a grade."""
        from rules import workflow

        appeal = RatingAppeal(
            ticket=ticket,
            organization=ticket.organization,
            department=self.world.place(department),
            reason="按时修好了",
        )
        session = self.world.session
        session.add(appeal)
        session.flush()
        workflow.begin(session, appeal, self.world.actor("handler"))
        if status is AppealStatus.UPHELD:
            self.world.step(appeal, "uphold", "office", note="属实")
        return appeal

    def scatter(self, rng: random.Random, number: int) -> None:
        """Write tickets of all places, departments, days and fates, graded in rounds and revisions."""
        for _turn in range(number):
            place = rng.choice(["A11", "A12", "A21", "B11"])
            county = place[0]
            version = rng.choice(["A", "A second"]) if county == "A" else "B"
            bodies = ["A-D1", "A-D2", "A-D3"] if county == "A" else ["B-D1"]
            lead = rng.choice(bodies)
            ticket = self.ticket(
                place,
                version,
                lead=lead,
                day=DAY + dt.timedelta(days=rng.randint(-60, 60)),
                stars=rng.choice([None, 1, 3, 5]),
            )
            for department in sorted({lead, rng.choice(bodies)}):
                for round_ in range(1, rng.choice([1, 1, 1, 2, 3]) + 1):
                    self._round(rng, ticket, department, round_, Rater.RAISER)
                if department != lead and rng.random() < 0.5:
                    self._round(rng, ticket, department, 1, Rater.LEAD)

    def sum_up(self) -> None:
        """Let the facts count the grades that there are, and keep the sums of their months."""
        session = self.world.session
        last = select(func.max(Rating.id)).where(Rating.ticket_id == TicketFact.ticket_id)
        counted = update(TicketFact).values(rating_id=last.scalar_subquery())
        with acting_as(session, SYSTEM):
            session.flush()
            session.execute(counted, execution_options={"synchronize_session": False})
            sum_up(session)

    def _round(
        self, rng: random.Random, ticket: Ticket, department: str, number: int, rater: Rater
    ) -> None:
        codes = [each.code for each in ticket.whistle_class.mechanism.dimensions]
        changed = {code: rng.choice(GRADES) for code in codes}
        for revision in range(1, rng.choice([1, 1, 2, 3]) + 1):
            self.grade(ticket, department, changed, number=number, revision=revision, rater=rater)
            # Only what was amended once is amended again: revisions follow one another.
            changed = {code: rng.choice(GRADES) for code in changed if rng.random() < 0.6}


def _places(at: Organization) -> dict[str, int | None]:
    """Return the levels of a place as a fact has them."""
    levels = {
        OrganizationKind.COMMUNITY: "community_id",
        OrganizationKind.TOWNSHIP: "township_id",
        OrganizationKind.COUNTY: "county_id",
    }
    found: dict[str, int | None] = {}
    place: Organization | None = at
    while place is not None:
        if place.kind in levels:
            found[levels[place.kind]] = place.id
        place = place.parent
    return found
