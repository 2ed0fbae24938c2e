"""Half a year behind the demo county, by the rules themselves: past whistles, and what follows them."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cli.demo_people import actor as actor_named
from cli.demo_people import organization
from jobs.bulletins import written
from models.appeal import RatingAppeal
from models.base import utcnow
from models.bulletin import Bulletin
from models.duty import DutyItem
from models.mechanism import WhistleClass
from models.meeting import CoordinationMeeting, MeetingDecision
from models.notice import Notice
from models.organization import Organization
from models.recurring import RecurringProblem, Remedy
from models.supervision import Supervision, SupervisionKind, SupervisionStatus
from models.ticket import Channel, Theme, Ticket
from presets import demo_follow as data
from presets.demo_county import COUNTY, TOWNSHIP
from presets.demo_follow import DemoMatter
from presets.roles import Role
from reports.bulletin_figures import title_of
from reports.facts import catch_up
from rules import appeals, meetings, problems, supervision, workflow
from rules.actor import SYSTEM, Actor, acting_as
from rules.calendar import SHANGHAI, shanghai_date
from rules.eligibility import judge, keep
from rules.mechanisms import dimensions_of
from rules.parties import sync as sync_parties
from rules.workflows.ticket_effects import active

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
GOOD, FAIR, POOR = "very_satisfied", "fair", "dissatisfied"


class Past:
    """Takes whistles of half a year along their ways, each step at its own time."""

    def __init__(self, session: Session) -> None:
        self.session, self.now = session, utcnow()
        self.chance = random.Random(data.SEED)  # noqa: S311 - the same half year every time
        self.places: dict[str, Organization] = {}
        self.actors: dict[str, Actor] = {}
        self.items: dict[str, DutyItem] = {}

    def place(self, code: str) -> Organization:
        """Return an organisation by its code, looked up once."""
        if code not in self.places:
            self.places[code] = organization(self.session, code)
        return self.places[code]

    def of(self, username: str) -> Actor:
        """Return the actor of an account, looked up once."""
        if username not in self.actors:
            self.actors[username] = actor_named(self.session, username)
        return self.actors[username]

    def somebody(self, code: str, role: Role) -> Actor:
        """Return somebody of an organisation who has no account of his own in the demo."""
        place = self.place(code)
        who = f"{place.name}{role.title}"
        # Nobody's number, yet somebody who is logged in: he reads what everybody does.
        return Actor(0, who, place.id, place.name, place.id, frozenset({role}))

    @cached_property
    def ordinary(self) -> WhistleClass:
        """The class of ordinary whistles."""
        asked = select(WhistleClass).where(WhistleClass.code == "ordinary")
        return self.session.scalars(asked).one()

    def item(self, name: str) -> DutyItem:
        """Return the township's duty item of a name."""
        if name not in self.items:
            asked = select(DutyItem).where(DutyItem.name == name).order_by(DutyItem.id)
            self.items[name] = self.session.scalars(asked).first()  # type: ignore[assignment]
        return self.items[name]

    # Tickets

    def plans(self) -> Iterator[tuple[dt.datetime, DemoMatter, int]]:
        """Yield when which matter came up for the how manieth time, counted from the newest."""
        for matter in data.MATTERS:
            near, far = matter.ago
            step = (far - near) / max(1, matter.times - 1)
            for turn in range(matter.times):
                # The newest lies just there: what came of it may still be answered.
                spread = self.chance.uniform(0, step / 2) if turn else 0
                ago = min(far, round(near + turn * step + spread))
                yield self._morning(ago), matter, turn

    def _morning(self, ago: int) -> dt.datetime:
        day = (self.now - ago * DAY).astimezone(SHANGHAI).date()
        # Whistles are blown on working days, so that deadlines fall as they usually do.
        while day.weekday() > 3:
            day -= DAY
        minute = self.chance.randrange(60)
        return dt.datetime(day.year, day.month, day.day, 9, minute, tzinfo=SHANGHAI)

    def raised(self, matter: DemoMatter, at: dt.datetime, code: str, title: str) -> Ticket:
        """Raise a whistle, have it approved and dispatched."""
        session, item, place = self.session, self.item(matter.item), self.place(code)
        raiser = self.somebody(code, Role.COMMUNITY_STAFF)
        where = title.split("：")[0]
        with acting_as(session, SYSTEM):
            found = judge(session, place, item, local_tried=True)
            ticket = Ticket(
                title=title,
                detail=matter.detail.format(place=where),
                address=where,
                organization=place,
                whistle_class=self.ordinary,
                theme=next(each for each in Theme if each.value == matter.theme),
                channel=self.chance.choice(list(Channel)[:5]),
                duty_item=item,
                local_tried=True,
                contact_name="网格员",
                created_at=at,
            )
            keep(ticket, found)
            sync_parties(session, ticket)
            session.add(ticket)
            session.flush()
        with acting_as(session, raiser):
            workflow.begin(session, ticket, raiser, at=at)
        self.step(ticket, "raise", raiser, at)
        for hours in (1, 2):
            self.step(ticket, "approve", self.of("township"), at + hours * HOUR, note="情况属实。")
        lead = self.place(matter.lead).id
        self.step(ticket, "dispatch", self.of("office"), at + 3 * HOUR, lead=lead)
        return ticket

    def step(self, record: Any, action: str, who: Actor, at: dt.datetime, **given: Any) -> None:
        """Take a step as somebody at an instant, which is never in the future."""
        with acting_as(self.session, who):
            workflow.apply(self.session, record, action, who, given, now=min(at, self.now))

    def whistle(self, at: dt.datetime, matter: DemoMatter, turn: int) -> Ticket:
        """Take one whistle all the way."""
        code = self.chance.choice(list(data.COMMUNITIES))
        place = self.chance.choice(data.PLACES)
        name = matter.title.format(place=data.COMMUNITIES[code] + place)
        ticket = self.raised(matter, at, code, name)
        self.work(ticket, matter, at, days=5 if turn in matter.late else 0)
        grade = POOR if turn in matter.poor else FAIR if turn in matter.late else GOOD
        raiser = self.somebody(code, Role.COMMUNITY_STAFF)
        done = at + (7 if turn in matter.late else 4) * DAY
        self.rate(ticket, raiser, done, grade)
        if grade == POOR:
            self.work(ticket, matter, done, days=0)
            done += 4 * DAY
            self.rate(ticket, raiser, done, GOOD)
        self.step(ticket, "close", self.of("office"), done + 3 * HOUR)
        return ticket

    def work(self, ticket: Ticket, matter: DemoMatter, at: dt.datetime, days: int) -> None:
        """Let the department accept, come and report; ``days`` too late."""
        who, late = self.somebody(matter.lead, Role.DEPARTMENT_HANDLER), days * DAY
        hours = self.chance.randrange(4, 20)
        self.step(ticket, "accept", who, at + late + hours * HOUR)
        self.step(ticket, "arrive", who, at + late + (hours + 5) * HOUR)
        self.step(ticket, "report_result", who, at + late + 2 * DAY, result=matter.result)

    def rate(self, ticket: Ticket, raiser: Actor, at: dt.datetime, grade: str) -> None:
        """Give the departments one grade for everything."""
        with acting_as(self.session, SYSTEM):
            grades = {
                f"{part.organization_id}:{dimension.id}": grade
                for part in active(ticket)
                for dimension in dimensions_of(ticket.whistle_class)
            }
        self.step(ticket, "rate", raiser, at, grades=grades)

    def returned(self, matter: DemoMatter, at: dt.datetime) -> None:
        """Raise one that its department gives back, and another one puts right."""
        code, _name = next(iter(data.COMMUNITIES.items()))
        ticket = self.raised(matter, at, code, "东关公园健身器材旁犬只粪便无人清理")
        who = self.somebody(matter.lead, Role.DEPARTMENT_HANDLER)
        note = "环境卫生由综合执法局负责，申请退单。"
        self.step(ticket, "request_return", who, at + 4 * HOUR, note=note)
        self.step(ticket, "approve_return", self.of("returns"), at + 6 * HOUR, note="同意退单。")
        lead = self.place(data.CITY).id
        self.step(ticket, "dispatch", self.of("office"), at + 7 * HOUR, lead=lead)
        other = self.somebody(data.CITY, Role.DEPARTMENT_HANDLER)
        for hours, action, given in (
            (20, "accept", {}),
            (26, "arrive", {}),
            (48, "report_result", {"result": "已清理，增设宠物便袋箱 2 处。"}),
        ):
            self.step(ticket, action, other, at + hours * HOUR, **given)
        self.rate(ticket, self.somebody(code, Role.COMMUNITY_STAFF), at + 3 * DAY, GOOD)
        self.step(ticket, "close", self.of("office"), at + 4 * DAY)


def load(session: Session) -> None:
    """Build the half year in the session, acting for the system; the caller commits."""
    past = Past(session)
    with session.no_autoflush:
        tickets = _tickets(past)
    _quieten(session)
    late = tickets.pop()
    catch_up(session)
    problem = _problem(past, tickets)
    _meeting(past, problem, late)
    _appeal(past, tickets)


def follow(session: Session) -> None:
    """Supervise what is due by now, once all tickets are there, and fold the figures."""
    past = Past(session)
    with acting_as(session, SYSTEM):
        catch_up(session)
        supervision.find(session, past.now)
        late = (
            select(Supervision).join(Supervision.ticket).where(Ticket.title == data.OVERDUE.title)
        )
        order = session.scalars(
            late.where(Supervision.status == SupervisionStatus.PROPOSED)
        ).first()
    if order is not None:
        due = shanghai_date(past.now) + 3 * DAY
        given = {"kind": SupervisionKind.ORDINARY, "department": order.department_id}
        lead = past.place(data.CITY).id
        given["department"] = given["department"] or lead
        past.step(order, "confirm", past.of("office"), past.now, **given, due_on=due, **data.ORDER)
    catch_up(session)


def issue(session: Session, folder: Path) -> None:
    """Issue the bulletin of the month that is over, as the office does at the beginning of the next."""
    past = Past(session)
    first = past.now.astimezone(SHANGHAI).replace(day=1, hour=10, minute=0, second=0, microsecond=0)
    at, place, office = min(first, past.now), past.place(COUNTY), past.of("office")
    month = problems.last_months(shanghai_date(first), 2)[0]
    with acting_as(session, office):
        bulletin = Bulletin(
            organization=place,
            month=month,
            title=title_of(place.name, month),
            remarks=data.REMARKS,
        )
        session.add(bulletin)
        session.flush()
        workflow.begin(session, bulletin, office, at=at)
    with acting_as(session, SYSTEM):
        _by_the_worker(session, bulletin, "begin", at)
        docx, xlsx = written(session, bulletin, folder)
        _by_the_worker(session, bulletin, "finish", at, docx=docx, xlsx=xlsx)
    past.step(bulletin, "issue", office, at)


def _by_the_worker(
    session: Session, bulletin: Bulletin, action: str, at: dt.datetime, **given: str
) -> None:
    context = workflow.Context(session, bulletin, SYSTEM, at, dict(given))
    workflow.apply_internally(context, bulletin, action)


def _tickets(past: Past) -> list[Ticket]:
    """Return the closed ones, oldest first, and at last the one that is overdue."""
    found = [past.whistle(*each) for each in sorted(past.plans(), key=lambda each: each[0])]
    dogs = data.MATTERS[3]
    past.returned(dogs, past._morning(60))
    at = past._morning(data.OVERDUE.ago[0])
    late = past.raised(data.OVERDUE, at, next(iter(data.COMMUNITIES)), data.OVERDUE.title)
    return [*found, late]


def _quieten(session: Session) -> None:
    """What was told of the past was read long ago; nobody is to be sent it now."""
    now = utcnow()
    with acting_as(session, SYSTEM):
        session.flush()
        session.execute(
            update(Notice).where(Notice.record_type == "ticket").values(read_at=now, routed_at=now),
            execution_options={"synchronize_session": False},
        )


def _problem(past: Past, tickets: list[Ticket]) -> RecurringProblem:
    """Open a problem of the street lamps, tie cases to it, and settle the plan."""
    session, office, lamps = past.session, past.of("office"), data.MATTERS[0]
    at, area = past.now - 30 * DAY, past.place(TOWNSHIP)
    with acting_as(session, office):
        problem = RecurringProblem(
            organization=area,
            title=data.PROBLEM["title"],
            matter=lamps.item,
            remedy=Remedy.PROJECT,
            cause=data.PROBLEM["cause"],
        )
        found = problems.look(session, area, lamps.item, past.now)
        if found is not None:
            problem.found_count = found.count
            problem.found_from, problem.found_until = found.first, found.last
        session.add(problem)
        session.flush()
        workflow.begin(session, problem, office, at=at)
        cases = [each.id for each in tickets if each.duty_item_name == lamps.item]
        problems.tie(session, problem, cases[-6:], office, at)
    given = {
        "cause": data.PROBLEM["cause"],
        "remedy": Remedy.PROJECT,
        "plan": data.PROBLEM["plan"],
        "owner": past.place(data.HOUSING).id,
        "due_on": shanghai_date(past.now) + 25 * DAY,
    }
    past.step(problem, "plan", office, at + DAY, **given)
    return problem


def _meeting(past: Past, problem: RecurringProblem, late: Ticket) -> None:
    """Hold a meeting with its decisions, of which one was reported already."""
    session, office, at = past.session, past.of("office"), past.now - 10 * DAY
    with acting_as(session, office):
        meeting = CoordinationMeeting(organization=past.place(COUNTY), held_at=at, **data.MEETING)
        session.add(meeting)
        session.flush()
        workflow.begin(session, meeting, office, at=at - 2 * DAY)
        (first, said), (second, told) = data.POINTS
        items = [
            meetings.add_item(session, meeting, first, problem=problem),
            meetings.add_item(session, meeting, second, ticket=late),
        ]
        for item, words in zip(items, (said, told), strict=True):
            meetings.discuss(session, item, item.title, words)
        decisions = []
        for number, (text, owner, days, _report) in enumerate(data.DECISIONS):
            decision = MeetingDecision(
                meeting=meeting,
                organization=meeting.organization,
                item=items[min(number, 1)],
                text=text,
                owner=past.place(owner),
                due_on=shanghai_date(at) + days * DAY,
            )
            with session.no_autoflush:
                meetings.check_decision(session, decision, at)
            session.add(decision)
            session.flush()
            workflow.begin(session, decision, office, at=at)
            decisions.append(decision)
    past.step(meeting, "hold", office, at + 2 * HOUR)
    for decision, (_text, owner, _days, report) in zip(decisions, data.DECISIONS, strict=True):
        if report:
            who = past.somebody(owner, Role.DEPARTMENT_HANDLER)
            past.step(decision, "report", who, past.now - DAY, report=report)


def _appeal(past: Past, tickets: list[Ticket]) -> None:
    """Let the department appeal against the newest grade that is not the best."""
    session, who = past.session, past.of("handler2")
    now = past.now
    for ticket in reversed(tickets):
        with acting_as(session, SYSTEM):
            refusal = appeals.may_not_appeal(session, ticket, who.organization_id, now)
        if refusal is None:
            break
    else:
        return
    with acting_as(session, who):
        appeal = RatingAppeal(ticket=ticket, reason=data.APPEAL)
        appeals.file(session, appeal, who, now)
        session.add(appeal)
        session.flush()
        workflow.begin(session, appeal, who, at=now)
        appeals.announce(session, appeal)
