"""One simulated ticket: born, and taken along the roads of domain section 6 until time is up.

``rules.workflow`` takes a step in some milliseconds, with a dozen statements; a hundred thousand
tickets need half a million steps. So the steps are written here as rows, and a test holds them
against the workflow's table, the ledger, the clocks and the party rules.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from bench.city import Department, Place
from bench.matters import (
    DECLINE_REASONS,
    REOPEN_REASONS,
    RETURN_REASONS,
    WITHDRAW_REASONS,
    Matter,
)
from models.grade import Grade
from models.ledger import Event
from models.organization import OrganizationKind
from models.rating import Rater
from models.ticket import (
    AssignmentRole,
    AssignmentStatus,
    Ticket,
    TicketStatus,
    Verdict,
)
from rules import clocks
from rules.actor import Actor
from rules.calendar import WorkCalendar, end_of_day, shanghai_date
from rules.ledger import GENESIS, digest
from rules.workflows.tickets import TICKETS

S, A = TicketStatus, AssignmentStatus
Row = dict[str, Any]
HOUR = 3600.0
DAY = 24 * HOUR
LABELS = {"create": "新建"} | {step.action: step.label for step in TICKETS.steps}
_BEIJING = 8 * HOUR
#: People act between half past seven and half past nine in the evening, except in an emergency.
_MORNING, _EVENING = 7.5 * HOUR, 21.5 * HOUR


@dataclass
class Part:
    """One department's part: the department and its assignment row."""

    department: Department
    row: Row

    @property
    def lead(self) -> bool:
        """Tell whether the department leads."""
        return self.row["role"] is AssignmentRole.LEAD


@dataclass
class Life:
    """A ticket's rows as they stand at ``now`` (seconds since 1970)."""

    rng: random.Random
    calendar: WorkCalendar
    next_number: Callable[[Place, dt.datetime], str]
    place: Place
    matter: Matter
    emergency: bool
    row: Row
    now: float
    at: dt.datetime = field(init=False)
    events: list[Row] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    ratings: list[Row] = field(default_factory=list)

    def live(self, until: float) -> None:
        """Take every step that falls before ``until``; ``at`` is the instant of the one under way."""
        self.at = dt.datetime.fromtimestamp(self.now, dt.UTC)
        self.write("create", self.place.staff, S.DRAFT)
        for wait in self.road():
            self.now += wait
            if not self.emergency:
                self._sleep()
            if self.now > until:
                break
            self.at = dt.datetime.fromtimestamp(self.now, dt.UTC)
        self.row["next_due"] = cast(Any, Ticket).due.fget(SimpleNamespace(**self.row))
        self.row["updated_at"] = self.events[-1]["at"]
        self.row["version"] = len(self.events)

    def _sleep(self) -> None:
        clock = (self.now + _BEIJING) % DAY
        if clock < _MORNING:
            self.now += _MORNING - clock + self.rng.random() * HOUR
        elif clock > _EVENING:
            self.now += DAY - clock + _MORNING + self.rng.random() * 2 * HOUR

    # The roads: every ``yield`` waits that many seconds before what follows it happens.

    def road(self) -> Iterator[float]:
        """From draft to the end; whoever stops listening leaves the ticket where it is."""
        chance = self.rng.random
        # One draft in two hundred is forgotten; the others are blown within the hour.
        yield self.wait(0.2) if chance() > 0.005 else 500 * DAY
        if self.row["whistle_class"].direct_dispatch:
            self.blow_directly()
        else:
            self.blow()
            if self.row["status"] is S.PENDING_REVIEW:
                yield self.wait(3)
                if chance() < 0.03:
                    self.refuse("decline_review", self.place.reviewer)
                    return
                self.write("approve", self.place.reviewer, S.PENDING_DISPATCH)
            yield self.wait(5)
            if chance() < 0.015:
                self.write("withdraw", self.place.staff, S.WITHDRAWN, self.pick(WITHDRAW_REASONS))
                return
            if chance() < 0.03:
                self.refuse("decline", self.place.county.dispatcher)
                return
            self.dispatch(self.place.county.department(self.matter.lead))
        yield from self.work()

    def work(self) -> Iterator[float]:
        """From dispatch on, round by round, until it is struck off."""
        chance = self.rng.random
        while True:
            yield self.wait(10, self.lead.department)
            if (
                self.row["status"] is S.DISPATCHED
                and not self.row["return_count"]
                and chance() < 0.12
            ):
                self.write(
                    "request_return", self.handler, S.RETURN_PENDING, self.pick(RETURN_REASONS)
                )
                yield self.wait(14)
                if chance() < 0.6:
                    self.approve_return()
                    yield self.wait(6)
                    self.dispatch(self.rng.choice(self.place.county.departments))
                    continue
                note = "依据清单属于本单位职责，请按期办理。"
                self.write("refuse_return", self.place.county.reviewer, S.DISPATCHED, note)
                yield self.wait(4, self.lead.department)
            yield from self.handle()
            yield self.wait(30)
            happy = self.rate()
            yield self.wait(16)
            if happy:
                self.write("close", self.place.county.dispatcher, S.CLOSED)
                self.row["closed_at"] = self.at
                if chance() > 0.02:
                    return
                yield self.wait(400)
            self.reopen()

    def handle(self) -> Iterator[float]:
        """Accept, arrive, report; assisting departments come along, or do nothing."""
        helping = [part for part in self.parts if not part.lead and self.active(part)]
        helping = [part for part in helping if self.rng.random() > 0.25]
        self.advance(self.lead, A.ACCEPTED)
        self.write("accept", self.handler, S.ACCEPTED)
        self.row["accepted_at"] = self.row["accepted_at"] or self.at
        for part in helping:
            yield self.wait(3, part.department)
            self.assist(part, "assist_accept", A.ACCEPTED)
        yield self.wait(8, self.lead.department)
        self.advance(self.lead, A.ARRIVED)
        self.write("arrive", self.handler, S.ARRIVED)
        self.row["arrived_at"] = self.row["arrived_at"] or self.at
        for part in helping:
            yield self.wait(1, part.department)
            self.assist(part, "assist_arrive", A.ARRIVED)
            yield self.wait(6, part.department)
            part.row["result"] = f"已配合到场，{self.matter.result}。"
            self.assist(part, "assist_report", A.REPORTED, result=part.row["result"])
        yield self.wait(60, self.lead.department)
        self.report()

    # The steps.

    def blow(self) -> None:
        """Number the ticket and send it to review, or to the office if the township blows."""
        own = self.place.kind is OrganizationKind.TOWNSHIP
        to = S.PENDING_DISPATCH if own else S.PENDING_REVIEW
        self._number()
        self.write("raise", self.place.staff, to, verdict=self.row["verdict"].value)

    def blow_directly(self) -> None:
        """Number the ticket and send it straight to its department."""
        self._number()
        log = self.send(self.place.county.department(self.matter.lead))
        log |= {"verdict": self.row["verdict"].value, "registered_at_office": True}
        self.write("raise", self.place.staff, S.DISPATCHED, **log)

    def _number(self) -> None:
        self.row["number"] = self.next_number(self.place, self.at)
        self.row["raised_at"] = self.at
        self.row["raised_by"] = self.place.staff.name
        self.row["raised_by_id"] = self.place.staff.user_id

    def dispatch(self, lead: Department) -> None:
        """Send the ticket out from the office."""
        log = self.send(lead)
        self.write("dispatch", self.place.county.dispatcher, S.DISPATCHED, **log)

    def send(self, lead: Department) -> Row:
        """Assign the departments, start the clocks, and return what the event remembers."""
        named = [self.place.county.department(word) for word in self.matter.assisting]
        others = [each for each in dict.fromkeys(named) if each is not lead]
        others = [each for each in others if self.rng.random() < 0.3]
        self._assign(lead, AssignmentRole.LEAD)
        for other in others:
            self._assign(other, AssignmentRole.ASSISTING)
        self.row["lead_id"] = lead.id
        self.row["dispatched_at"] = self.at
        self.row["accepted_at"] = self.row["arrived_at"] = self.row["resolved_at"] = None
        clocked = cast(Ticket, SimpleNamespace(**self.row))
        log = {
            "lead": {"id": lead.id, "name": lead.name},
            "assisting": [{"id": each.id, "name": each.name} for each in others],
            "clocks": clocks.start(clocked, self.at, self.calendar),
        }
        for clock in clocks.CLOCKS:
            self.row[f"{clock}_due"] = getattr(clocked, f"{clock}_due")
            for part in filter(self.active, self.parts):
                part.row[f"{clock}_due"] = self.row[f"{clock}_due"]
        return log

    def _assign(self, department: Department, role: AssignmentRole) -> None:
        row = {
            "ticket_id": self.row["id"],
            "organization_id": department.id,
            "role": role,
            "status": A.DISPATCHED,
            "accepted_at": None,
            "arrived_at": None,
            "reported_at": None,
            "result": None,
        } | {f"{clock}_due": None for clock in clocks.CLOCKS}
        self.parts.append(Part(department, row))

    def advance(self, part: Part, status: AssignmentStatus) -> None:
        """Move one department's part on."""
        part.row["status"] = status
        part.row[f"{status.value}_at"] = self.at

    def assist(self, part: Part, action: str, status: AssignmentStatus, **log: Any) -> None:
        """Take a step of an assisting department: the ticket's own state stays."""
        self.advance(part, status)
        self.write(action, part.department.handler, self.row["status"], **log)

    def report(self) -> None:
        """The lead reports the overall result."""
        result = f"{self.matter.result}。已向反映人反馈。"
        self.advance(self.lead, A.REPORTED)
        self.lead.row["result"] = self.row["result"] = result
        self.row["resolved_at"] = self.at
        self.write("report_result", self.handler, S.RESOLVED, result=result)

    def rate(self) -> bool:
        """Rate every department in every dimension; tell whether nobody is 不满意."""
        poor = self.rng.random() < 0.06
        grades: dict[str, str] = {}
        for part in filter(self.active, self.parts):
            for dimension in self.place.county.dimensions:
                grade = Grade.DISSATISFIED if poor else self._grade()
                grades[f"{part.department.id}:{dimension.id}"] = grade.value
                row = {
                    "ticket_id": self.row["id"],
                    "organization_id": part.department.id,
                    "dimension_id": dimension.id,
                    "round": self.row["reopen_count"] + 1,
                    "grade": grade,
                    "rated_by": f"{self.place.staff.organization_name} {self.place.staff.name}",
                    "rater": Rater.RAISER,
                    "revision": 1,
                    "rated_at": self.at,
                }
                self.ratings.append(row)
        self.write("rate", self.place.staff, S.RESOLVED, grades=grades)
        return not poor

    def _grade(self) -> Grade:
        chance = self.rng.random()
        if chance < 0.62:
            return Grade.VERY_SATISFIED
        return Grade.SATISFIED if chance < 0.9 else Grade.FAIR

    def reopen(self) -> None:
        """Send the ticket back with a fix-by date; every department starts over."""
        day = shanghai_date(self.at) + dt.timedelta(days=self.rng.randint(3, 10))
        self.row["resolve_due"] = end_of_day(day)
        self.row["reopen_count"] += 1
        self.row["resolved_at"] = self.row["closed_at"] = None
        for part in filter(self.active, self.parts):
            part.row["status"] = A.DISPATCHED
            part.row["reported_at"] = None
        note, fix_by = self.pick(REOPEN_REASONS), self.row["resolve_due"].isoformat()
        self.write("reopen", self.place.county.dispatcher, S.REOPENED, note, fix_by=fix_by)

    def approve_return(self) -> None:
        """The ticket leaves its departments and waits for dispatch again."""
        for part in filter(self.active, self.parts):
            part.row["status"] = A.RETURNED
        returned_by = {"id": self.row["lead_id"]}
        self.row["lead_id"] = None
        self.row["return_count"] += 1
        reviewer = self.place.county.reviewer
        note = "同意退单，请重新派单。"
        self.write("approve_return", reviewer, S.PENDING_DISPATCH, note, returned_by=returned_by)

    def refuse(self, action: str, who: Actor) -> None:
        """The whistle is not taken up."""
        self.write(action, who, S.DECLINED, self.pick(DECLINE_REASONS))

    def write(
        self, action: str, who: Actor, to: TicketStatus, note: str | None = None, **data: Any
    ) -> None:
        """Write one step into the chain and set the ticket's state."""
        first = not self.events
        step = SimpleNamespace(
            record_type="ticket",
            record_id=self.row["id"],
            sequence=len(self.events) + 1,
            action=action,
            label=LABELS[action],
            from_status=None if first else self.row["status"].value,
            to_status=to.value,
            actor_id=who.user_id,
            actor_name=who.name,
            organization_id=who.organization_id,
            organization_name=who.organization_name,
            at=self.at,
            note=note,
            data=data,
            previous_hash=GENESIS if first else self.events[-1]["hash"],
        )
        step.hash = digest(cast(Event, step))
        self.events.append(vars(step))
        self.row["status"] = to

    # What the roads ask.

    @property
    def lead(self) -> Part:
        """The part of the department that leads now."""
        return next(part for part in reversed(self.parts) if part.lead)

    @property
    def handler(self) -> Actor:
        """Who handles the ticket in the lead department."""
        return self.lead.department.handler

    @staticmethod
    def active(part: Part) -> bool:
        """Tell whether a department is still at work."""
        return part.row["status"] is not A.RETURNED

    def wait(self, hours: float, department: Department | None = None) -> float:
        """Return how many seconds pass: about so many hours, and now and then half a year."""
        if self.rng.random() < 0.02:
            return self.rng.expovariate(1 / (180 * DAY))
        pace = (department.pace if department else 1.0) * (0.15 if self.emergency else 1.0)
        return hours * HOUR * pace * self.rng.lognormvariate(-0.2, 1.1)

    def pick(self, sentences: tuple[str, ...]) -> str:
        """Return one of some sentences."""
        return self.rng.choice(sentences)


def verdict_of(place: Place, matter: Matter, emergency: bool) -> tuple[Verdict, str]:
    """Return what the duty lists say of a matter in a place."""
    match = place.matches[matter.problem]
    return match.emergency if emergency else match.calm
