"""The steps of a simulated life: each changes the rows as the workflow would, and is chained."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from bench.city import Department, Place
from bench.matters import (
    DECLINE_REASONS,
    REOPEN_REASONS,
    Matter,
)
from models.grade import Grade
from models.ledger import Event
from models.mechanism import LowRating, ReviewLevel, ReviewStep
from models.organization import OrganizationKind
from models.rating import Rater
from models.ticket import (
    AssignmentRole,
    AssignmentStatus,
    Ticket,
    TicketAssignment,
    TicketStatus,
)
from rules import clocks
from rules.actor import Actor
from rules.calendar import WorkCalendar, end_of_day, shanghai_date
from rules.deadlines import Term, due
from rules.ledger import GENESIS, digest
from rules.workflows.ticket_reopening import USUAL_FIX
from rules.workflows.tickets import TICKETS

S, A = TicketStatus, AssignmentStatus
Row = dict[str, Any]
HOUR = 3600.0
DAY = 24 * HOUR
LABELS = {"create": "新建"} | {step.action: step.label for step in TICKETS.steps}
_RANKS = {ReviewLevel.COMMUNITY: 1, ReviewLevel.TOWNSHIP: 2, ReviewLevel.OFFICE: 3}
#: Best first, as ``Grade`` names them.
_GRADES = [each.value for each in Grade]


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
class Deeds:
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

    # The steps.

    def blow(self) -> None:
        """Number the ticket and send it along the route above the raiser's level."""
        rank = 2 if self.place.kind is OrganizationKind.TOWNSHIP else 1
        self._number()
        first = self._next_review(-1, rank)
        self.row["review_position"] = first.position if first else 0
        to = S.PENDING_REVIEW if first else S.PENDING_DISPATCH
        log: Row = {"raiser_rank": rank, "first_review": first.name if first else None}
        self.write("raise", self.place.staff, to, verdict=self.row["verdict"].value, **log)

    def _next_review(self, after: int, rank: int) -> ReviewStep | None:
        route = self.place.county.mechanism.route
        later = (each for each in route if each.position > after)
        return next((each for each in later if _RANKS[each.level] > rank), None)

    def review(self) -> Row:
        """Return what the event of a review remembers of its step."""
        step = self._due_review()
        return {"position": step.position, "name": step.name, "level": step.level.value}

    def _due_review(self) -> ReviewStep:
        route = self.place.county.mechanism.route
        return next(each for each in route if each.position == self.row["review_position"])

    @property
    def reviewer(self) -> Actor:
        """Who takes the step of the route that is due."""
        office = self._due_review().level is ReviewLevel.OFFICE
        return self.place.county.dispatcher if office else self.place.reviewer

    def approve(self) -> None:
        """Take the step of the route that is due; after the last the ticket waits for dispatch."""
        who, said, rank = self.reviewer, self.review(), self.events[1]["data"]["raiser_rank"]
        following = self._next_review(self.row["review_position"], rank)
        self.row["review_position"] = following.position if following else 0
        to = S.PENDING_REVIEW if following else S.PENDING_DISPATCH
        name = following.name if following else None
        self.write("approve", who, to, review=said, next_review=name)

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
        sent = [self._assign(lead, AssignmentRole.LEAD)]
        sent += [self._assign(other, AssignmentRole.ASSISTING) for other in others]
        self.row["lead_id"] = lead.id
        self.row["dispatched_at"] = self.at
        self.row["accepted_at"] = self.row["arrived_at"] = self.row["resolved_at"] = None
        clocked = cast(Ticket, SimpleNamespace(**self.row))
        started = clocks.start(clocked, self.at, self.calendar)
        started["parts"] = [self._start(clocked, part) for part in sent]
        for clock in clocks.CLOCKS:
            self.row[f"{clock}_due"] = getattr(clocked, f"{clock}_due")
        mechanism = self.place.county.mechanism
        return {
            "lead": {"id": lead.id, "name": lead.name},
            "assisting": [{"id": each.id, "name": each.name} for each in others],
            "clocks": started,
            "mechanism": {"id": mechanism.id, "number": mechanism.number},
        }

    def _start(self, ticket: Ticket, part: Part) -> Row:
        """Start a department's clocks, and return what the event remembers of it."""
        clocked = cast(TicketAssignment, SimpleNamespace(**part.row))
        found = clocks.start_part(ticket, clocked, self.at, self.calendar)
        for clock in clocks.CLOCKS:
            part.row[f"{clock}_due"] = getattr(clocked, f"{clock}_due")
        return clocks.joined(clocked, found)

    def _assign(self, department: Department, role: AssignmentRole) -> Part:
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
        return self.parts[-1]

    def advance(self, part: Part, status: AssignmentStatus) -> None:
        """Move one department's part on; the first time counts."""
        part.row["status"] = status
        part.row[f"{status.value}_at"] = part.row[f"{status.value}_at"] or self.at

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
        """Rate every department in every dimension; tell whether anything is below the bar.

        Where the mechanism says so, a low rating sends the ticket back at once.
        """
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
        mechanism = self.place.county.mechanism
        bar = _GRADES.index(mechanism.low_grade.value)
        low = any(_GRADES.index(each) >= bar for each in grades.values())
        log: Row = {"grades": grades}
        if low and mechanism.low_action is not LowRating.DECIDE:
            term = Term.from_json(mechanism.fix_term) if mechanism.fix_term else USUAL_FIX
            log |= self.send_back(due(self.at, term, self.calendar) or self.at)
            log["reopened_by_rating"] = True
            if mechanism.low_action is LowRating.SUPERVISE:
                self.row["supervised_at"], log["supervised"] = self.at, True
        to = S.REOPENED if "fix_by" in log else S.RESOLVED
        self.write("rate", self.place.staff, to, **log)
        return low

    def _grade(self) -> Grade:
        chance = self.rng.random()
        if chance < 0.62:
            return Grade.VERY_SATISFIED
        return Grade.SATISFIED if chance < 0.9 else Grade.FAIR

    def reopen(self) -> None:
        """Send the ticket back by the office's word."""
        day = shanghai_date(self.at) + dt.timedelta(days=self.rng.randint(3, 10))
        log = self.send_back(end_of_day(day))
        note = self.pick(REOPEN_REASONS)
        self.write("reopen", self.place.county.dispatcher, S.REOPENED, note, **log)

    def send_back(self, fix_by: dt.datetime) -> Row:
        """Let every department start over by a date, and return what the event remembers."""
        parts = list(filter(self.active, self.parts))
        row = self.row
        before = {
            "clocks": clocks.written({"resolve": row["resolve_due"]}),
            "resolved_at": _text(row["resolved_at"]),
            "supervised_at": _text(row["supervised_at"]),
            "parts": [
                {
                    "organization": part.department.id,
                    "status": part.row["status"].value,
                    "reported_at": _text(part.row["reported_at"]),
                    "resolve": _text(part.row["resolve_due"]),
                }
                for part in parts
            ],
        }
        row["resolve_due"] = fix_by
        row["reopen_count"] += 1
        row["resolved_at"] = row["closed_at"] = None
        moved = clocks.written({"resolve": fix_by})
        for part in parts:
            part.row |= {"status": A.DISPATCHED, "reported_at": None, "resolve_due": fix_by}
        return {
            "before": before,
            "fix_by": fix_by.isoformat(),
            "clocks": {
                "due": moved,
                "moved": [{"organization": part.department.id, "due": moved} for part in parts],
            },
        }

    def approve_return(self) -> None:
        """The ticket leaves its departments and waits for dispatch again."""
        said = {"returned_by": self.named(self.lead)}
        leave = list(filter(self.active, self.parts))
        for part in leave:
            part.row["status"] = A.RETURNED
        self.row["lead_id"] = None
        self.row["return_count"] += 1
        left = {"leave": [part.department.id for part in leave]}
        reviewer = self.place.county.reviewer
        note = "同意退单，请重新派单。"
        self.write("approve_return", reviewer, S.PENDING_DISPATCH, note, clocks=left, **said)

    def refuse(self, action: str, who: Actor, **data: Any) -> None:
        """The whistle is not taken up."""
        self.write(action, who, S.DECLINED, self.pick(DECLINE_REASONS), **data)

    @staticmethod
    def named(part: Part) -> Row:
        """Return a part's department as an event remembers it."""
        return {"id": part.department.id, "name": part.department.name}

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


def _text(instant: dt.datetime | None) -> str | None:
    return instant.isoformat() if instant else None
