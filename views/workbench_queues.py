"""Which queues whoever looks has: what waits for him by deadline, and what he waits for (domain section 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, select
from sqlalchemy.orm import Session

from models.agreement import Agreement, AgreementStatus
from models.base import utcnow
from models.check_in import CheckIn, CheckInStatus
from models.duty import DutyList, DutyListStatus
from models.mechanism import ReviewLevel, ReviewStep, WhistleClass
from models.need import Need, NeedStatus, Urgency
from models.service import ServiceProject, ServiceStatus
from models.ticket import (
    AT_DEPARTMENT,
    AssignmentRole,
    AssignmentStatus,
    Ticket,
    TicketAssignment,
)
from models.ticket import TicketStatus as S
from presets.roles import Role
from rules.actor import Actor
from rules.calendar import shanghai_date
from rules.queues import Waiting
from rules.reminders import DAYS_BEFORE
from rules.ticket_lists import OPEN, more_time, own_deadline
from rules.waiting import rated

EXPIRY_NOTICE = timedelta(days=max(DAYS_BEFORE))
#: Who takes the review steps of each level.
REVIEWERS = {
    Role.COMMUNITY_STAFF: ReviewLevel.COMMUNITY,
    Role.TOWNSHIP_REVIEWER: ReviewLevel.TOWNSHIP,
    Role.DISPATCHER: ReviewLevel.OFFICE,
}
A = AssignmentStatus
#: State of a ticket → the one step that leads on.
LEADING = {
    S.DISPATCHED: "accept",
    S.REOPENED: "accept",
    S.ACCEPTED: "arrive",
    S.ARRIVED: "report_result",
}
#: How far an assisting department has come → its next step.
HELPING = {A.DISPATCHED: "assist_accept", A.ACCEPTED: "assist_arrive", A.ARRIVED: "assist_report"}
BY_DEADLINE = func.coalesce(Ticket.next_due, Ticket.created_at)
OLDEST = Ticket.id
#: What leads to a record where more than one step may be taken: the reader has to judge first.
LOOK = "去审核"
Args = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Queue:
    """A queue: what is in it, what to do with each of its records, and what it says when it is empty.

    ``gathered`` selects ``id`` and ``place``. ``steps`` leads from a state to the step that is due,
    ``step`` is that of all; ``look`` are the words of a link to the record, ``supervise`` offers an order
    about a ticket instead. ``day``: the date that something is due on, of what is no ticket. ``todo``:
    it waits for the reader; else he waits for it.
    """

    title: str
    model: type[Any]
    gathered: Select[Any]
    empty: str
    args: Args = ()
    todo: bool = True
    step: str = ""
    steps: Mapping[Any, str] = field(default_factory=dict)
    look: str = ""
    supervise: bool = False
    day: Any = None
    #: of tickets in several states, which state each is in is told
    states: bool = False


class Tickets:
    """Makes queues of tickets, by the reader's own."""

    def __init__(self, session: Session, who: Actor) -> None:
        self.session, self.who = session, who

    def queue(
        self,
        title: str,
        waits: Waiting,
        empty: str,
        tab: str,
        order: Any = BY_DEADLINE,
        **more: Any,
    ) -> Queue:
        """Return a queue of what waits, behind a tab of the ledger."""
        some = waits.of(self.session, Ticket.id.label("id"), order.label("place"))
        args: Args = (("status", "draft"),) if tab == "draft" else (("tab", tab),)
        return Queue(title, Ticket, some, empty, args, **more)

    def all(self) -> Iterator[Queue]:
        """Yield the queues of tickets of all the reader's roles."""
        who = self.who
        for role, level in REVIEWERS.items():
            if who.has(role):
                waits = Waiting((S.PENDING_REVIEW,), _due_for_review(level))
                yield self.queue(
                    "待审核的哨单", waits, "没有待审核的哨单。", "review", OLDEST, step="approve"
                )
        if who.has(Role.DISPATCHER):
            yield from self._office()
        if who.has(Role.RETURN_REVIEWER):
            yield from self._returns()
        if who.has(Role.DEPARTMENT_HANDLER):
            yield from self._department()
        if who.has(Role.COMMUNITY_STAFF, Role.TOWNSHIP_REVIEWER):
            yield from self._raisers()
        if who.has(Role.INSPECTOR, Role.DISPATCHER, Role.LEADER):
            late = Waiting(OPEN, late=True)
            empty = "没有超期的哨单。"
            yield self.queue(
                "已超期的哨单", late, empty, "overdue", todo=False, states=True, supervise=True
            )

    def _office(self) -> Iterator[Queue]:
        dispatch, close = Waiting((S.PENDING_DISPATCH,)), Waiting((S.RESOLVED,), rated(yes=True))
        yield self.queue(
            "待派单的哨单", dispatch, "没有待派单的哨单。", "dispatch", OLDEST, step="dispatch"
        )
        yield self.queue("待销号", close, "没有待销号的哨单。", "rate", OLDEST, step="close")

    def _returns(self) -> Iterator[Queue]:
        returned = Waiting((S.RETURN_PENDING,))
        yield self.queue("退单待审", returned, "没有待审的退单。", "return", look=LOOK)
        # Begun with the requests, which are few.
        some: Any = select(Ticket.id.label("id"), BY_DEADLINE.label("place")).where(more_time())
        args = (("tab", "extension"),)
        yield Queue("延期待审", Ticket, some, "没有待审的延期申请。", args, look=LOOK)

    def _department(self) -> Iterator[Queue]:
        new, begun = (S.DISPATCHED, S.REOPENED), (S.ACCEPTED, S.ARRIVED)
        yield self.queue(
            "待应哨", Waiting(new, whose="led"), "没有待应哨的哨单。", "work", steps=LEADING
        )
        yield self.queue(
            "办理中",
            Waiting(begun, whose="led"),
            "没有在办的哨单。",
            "work",
            steps=LEADING,
            states=True,
        )
        # While a return is judged, nobody may take a step of his own.
        working = (*new, *begun, S.RESOLVED)
        helps = Waiting(working, _helps(self.who), whose="helped")
        own = func.coalesce(own_deadline(self.who), Ticket.created_at)
        yield self.queue("协办事项", helps, "没有待办的协办事项。", "work", own, steps=HELPING)
        asked = Waiting((S.RETURN_PENDING,), whose="led")
        yield self.queue("等退单审核结果", asked, "没有等审核的退单申请。", "return", todo=False)
        longer = Waiting((*AT_DEPARTMENT, S.RESOLVED), more_time(), whose="led")
        yield self.queue(
            "等延期审核结果", longer, "没有等审核的延期申请。", "extension", todo=False
        )

    def _raisers(self) -> Iterator[Queue]:
        held = Waiting((S.LOCAL,), Ticket.holder_id == self.who.area_id)
        yield self.queue(
            "属地处置中", held, "没有正在自行处置的事项。", "local", OLDEST, step="solve_locally"
        )
        to_rate = Waiting((S.RESOLVED,), rated(yes=False))
        yield self.queue("待评哨", to_rate, "没有待评价的哨单。", "rate", OLDEST, step="rate")
        if self.who.has(Role.COMMUNITY_STAFF):
            drafts, empty = Waiting((S.DRAFT,)), "没有草稿。发现本级解决不了的问题，点“我要吹哨”。"
            yield self.queue("草稿", drafts, empty, "draft", OLDEST, step="raise")
            sent = Waiting((S.PENDING_REVIEW, S.PENDING_DISPATCH))
            empty = "没有等审核、派单的哨单。"
            yield self.queue("等审核和派单", sent, empty, "open", OLDEST, todo=False, states=True)
        away = Waiting(AT_DEPARTMENT)
        empty = "没有部门在办的哨单。"
        yield self.queue("部门在办，最近到期在前", away, empty, "open", todo=False, states=True)


def _due_for_review(level: ReviewLevel) -> ColumnElement[bool]:
    """Return whether the review that is due on a ticket is one that people of this level take."""
    step = (
        select(ReviewStep.id)
        .join(WhistleClass, WhistleClass.mechanism_id == ReviewStep.mechanism_id)
        .where(
            WhistleClass.id == Ticket.whistle_class_id,
            ReviewStep.position == Ticket.review_position,
            ReviewStep.level == level,
        )
    )
    return step.exists()


def _helps(who: Actor) -> ColumnElement[bool]:
    """Return whether the reader's organisation still has its own part of a ticket to do."""
    part = select(TicketAssignment.id).where(
        TicketAssignment.ticket_id == Ticket.id,
        TicketAssignment.organization_id == who.organization_id,
        TicketAssignment.role == AssignmentRole.ASSISTING,
        TicketAssignment.status.in_(tuple(HELPING)),
    )
    return part.exists()


def some_of(model: type[Any], *tests: Any, day: Any = None) -> Select[Any]:
    """Return which records of a type are in a queue: by a date of theirs, else the oldest first."""
    place = literal(0) if day is None else day
    return select(model.id.label("id"), place.label("place")).where(*tests)


def ledgers(who: Actor) -> Iterator[Queue]:
    """Yield the queues of agreements, duty lists, needs, services and check-ins (domain sections 4 and 5)."""
    yield from _agreements(who)
    if who.has(Role.DUTY_LIST_OFFICER, Role.TOWNSHIP_REVIEWER):
        tests = [DutyList.status == DutyListStatus.DRAFT]
        if not who.has(Role.DUTY_LIST_OFFICER):
            tests.append(DutyList.organization_id == who.area_id)
        args: Args = (("status", "draft"),)
        empty = "没有待发布的清单。修订清单，从“导入清单”开始。"
        yield Queue(
            "待发布的清单", DutyList, some_of(DutyList, *tests), empty, args, step="publish"
        )
    if who.has(Role.COMMUNITY_STAFF):
        yield from _community()
    if who.has(Role.ORGANIZATION_DEPARTMENT):
        urgent = (Need.status == NeedStatus.PUBLISHED, Need.urgency == Urgency.URGENT)
        args = (("status", "published"), ("urgency", "urgent"))
        empty = "没有待匹配的紧急需求。"
        yield Queue(
            "待匹配的紧急需求",
            Need,
            some_of(Need, *urgent),
            empty,
            args,
            day=Need.wanted_until,
            look="去匹配",
        )
    if who.has(Role.UNIT_LIAISON, Role.DEPARTMENT_HANDLER):
        yield from _providers(who)


def _agreements(who: Actor) -> Iterator[Queue]:
    last = shanghai_date(utcnow()) + EXPIRY_NOTICE
    keeps = who.has(Role.ORGANIZATION_DEPARTMENT)
    until = Agreement.valid_until
    in_force = Agreement.status == AgreementStatus.IN_FORCE
    args: Args = (("status", "draft"),)
    if keeps:
        drafts = some_of(Agreement, Agreement.status == AgreementStatus.DRAFT)
        empty = "没有草拟中的协议。"
        yield Queue("草拟中的协议", Agreement, drafts, empty, args, step="bring_into_force")
    if keeps or who.has(Role.COMMUNITY_STAFF, Role.UNIT_LIAISON):
        soon = some_of(Agreement, and_(in_force, until <= last), day=until)
        args = (("status", "in_force"), ("valid_until_until", last.isoformat()))
        empty = "近期没有到期的协议。"
        step = "renew" if keeps else ""
        yield Queue("60 天内到期的协议", Agreement, soon, empty, args, keeps, day=until, step=step)
    if who.has(Role.UNIT_LIAISON):
        every = some_of(Agreement, in_force, day=until)
        empty = "本单位还没有生效的协议。"
        yield Queue("本单位的协议", Agreement, every, empty, todo=False, day=until)


def _community() -> Iterator[Queue]:
    needs = {NeedStatus.GATHERED: ("待公布的需求", "没有待公布的需求。", "status", "gathered", "publish"),
             NeedStatus.DONE: ("待评价的需求", "没有待评价的需求。", "tab", "done", "rate")}  # fmt: skip
    for status, (title, empty, name, value, step) in needs.items():
        some = some_of(Need, Need.status == status)
        yield Queue(title, Need, some, empty, ((name, value),), step=step)
    done = some_of(ServiceProject, ServiceProject.status == ServiceStatus.COMPLETED)
    yield Queue(
        "待评价的服务",
        ServiceProject,
        done,
        "没有待评价的服务。",
        (("tab", "completed"),),
        step="rate",
    )
    fresh = some_of(CheckIn, CheckIn.status == CheckInStatus.REGISTERED)
    yield Queue(
        "待确认的报到",
        CheckIn,
        fresh,
        "没有待确认的报到。",
        (("status", "registered"),),
        step="confirm",
    )


def _providers(who: Actor) -> Iterator[Queue]:
    """Yield what units and departments have taken on, and may take on."""
    provided = ServiceProject.provider_id == who.organization_id
    begins, ends = ServiceProject.planned_from, ServiceProject.planned_until
    planned = some_of(
        ServiceProject, provided, ServiceProject.status == ServiceStatus.PLANNED, day=begins
    )
    args: Args = (("tab", "planned"),)
    yield Queue(
        "待接单的服务",
        ServiceProject,
        planned,
        "没有待接单的服务。",
        args,
        day=begins,
        step="start",
    )
    steps = {NeedStatus.CLAIMED: "start", NeedStatus.IN_HAND: "complete"}
    own = Need.claimed_by_id == who.organization_id
    claimed = some_of(Need, own, Need.status.in_(tuple(steps)), day=Need.due_on)
    args = (("claimed_by", str(who.organization_id)),)
    yield Queue(
        "本单位认领的需求", Need, claimed, "没有在办的认领。", args, day=Need.due_on, steps=steps
    )
    under_way = some_of(
        ServiceProject, provided, ServiceProject.status == ServiceStatus.UNDER_WAY, day=ends
    )
    args = (("tab", "under_way"),)
    empty = "没有实施中的服务。"
    yield Queue("实施中的服务", ServiceProject, under_way, empty, args, False, "complete", day=ends)
    if who.has(Role.UNIT_LIAISON):
        wishes = some_of(Need, Need.status == NeedStatus.PUBLISHED, Need.is_wish.is_(True))
        args = (("tab", "wish"),)
        yield Queue(
            "可以认领的微心愿",
            Need,
            wishes,
            "没有可以认领的微心愿。",
            args,
            False,
            "claim",
            day=Need.wanted_until,
        )
