"""Home: what waits for the reader, nearest deadline first, one click from the next step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import session as cookie
from flask import url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.views import IndexView
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, and_, func, literal, select, union_all
from sqlalchemy.orm import aliased

from models.agreement import Agreement, AgreementStatus
from models.base import utcnow
from models.check_in import CheckIn, CheckInStatus
from models.duty import DutyList, DutyListStatus
from models.mechanism import ReviewLevel, ReviewStep, WhistleClass
from models.need import Need, NeedStatus, Urgency
from models.rating import Rater, Rating
from models.service import ServiceProject, ServiceStatus
from models.ticket import FINAL, AssignmentRole, AssignmentStatus, Ticket, TicketAssignment
from models.ticket import TicketStatus as S
from presets.roles import Role
from rules.actor import Actor
from rules.calendar import shanghai_date
from rules.reminders import DAYS_BEFORE
from rules.ticket_lists import more_time
from views import permissions
from views.context import actor, session
from views.listing import COUNT_CAP, walk
from views.presentation import Link, MenuEntry, Queue
from views.registry import view_named
from views.tables import table_of
from views.ticket_page import overdue

QUEUE_ROWS = 8
#: Who takes the review steps of each level.
REVIEWERS = (
    (Role.COMMUNITY_STAFF, ReviewLevel.COMMUNITY),
    (Role.TOWNSHIP_REVIEWER, ReviewLevel.TOWNSHIP),
    (Role.DISPATCHER, ReviewLevel.OFFICE),
)
EXPIRY_NOTICE = timedelta(days=max(DAYS_BEFORE))


@dataclass(frozen=True)
class Waiting:
    """A queue: for whom, what, how sorted, and what to say when it is empty."""

    role: Role
    title: str
    view: str
    test: ColumnElement[bool]
    order: Any
    empty: str
    args: tuple[tuple[str, str], ...] = ()
    #: whether its rows wait for the reader, or are there to be known
    todo: bool = True


def queues_of(who: Actor) -> list[Waiting]:
    """Return the queues of the actor's roles; the gate narrows each to the actor's scope."""
    lead = Ticket.lead_id == who.organization_id
    to_rate, to_close = _rated(yes=False), _rated(yes=True)
    helping = Ticket.id.in_(
        select(TicketAssignment.ticket_id).where(
            TicketAssignment.organization_id == who.organization_id,
            TicketAssignment.role == AssignmentRole.ASSISTING,
            TicketAssignment.status.in_(
                (AssignmentStatus.DISPATCHED, AssignmentStatus.ACCEPTED, AssignmentStatus.ARRIVED)
            ),
        )
    )
    oldest = Ticket.id
    by_deadline = func.coalesce(Ticket.next_due, Ticket.created_at)
    held = and_(Ticket.status == S.LOCAL, Ticket.holder_id == who.area_id)
    draft = Agreement.status == AgreementStatus.DRAFT
    last = shanghai_date(utcnow()) + EXPIRY_NOTICE
    soon = and_(Agreement.status == AgreementStatus.IN_FORCE, Agreement.valid_until <= last)
    ending = (("status", "in_force"), ("valid_until_until", last.isoformat()))
    drafts = DutyList.status == DutyListStatus.DRAFT
    return [
        *(Waiting(role, "待审核的哨单", "TicketView", _to_review(level), oldest, "没有待审核的哨单。", (("tab", "review"),)) for role, level in REVIEWERS),
        *(Waiting(role, "属地处置中", "TicketView", held, oldest, "没有正在自行处置的事项。", (("tab", "local"),)) for role in (Role.COMMUNITY_STAFF, Role.TOWNSHIP_REVIEWER)),
        Waiting(Role.DISPATCHER, "待派单的哨单", "TicketView", Ticket.status == S.PENDING_DISPATCH, oldest, "没有待派单的哨单。", (("tab", "dispatch"),)),
        Waiting(Role.RETURN_REVIEWER, "退单待审", "TicketView", Ticket.status == S.RETURN_PENDING, by_deadline, "没有待审的退单。", (("tab", "return"),)),
        Waiting(Role.RETURN_REVIEWER, "延期待审", "TicketView", more_time(), by_deadline, "没有待审的延期申请。", (("tab", "extension"),)),
        Waiting(Role.DEPARTMENT_HANDLER, "待应哨", "TicketView", and_(lead, Ticket.status.in_((S.DISPATCHED, S.REOPENED))), by_deadline, "没有待应哨的哨单。", (("tab", "work"),)),
        Waiting(Role.DEPARTMENT_HANDLER, "办理中", "TicketView", and_(lead, Ticket.status.in_((S.ACCEPTED, S.ARRIVED))), by_deadline, "没有在办的哨单。", (("tab", "work"),)),
        Waiting(Role.DEPARTMENT_HANDLER, "协办事项", "TicketView", and_(helping, Ticket.status.not_in(FINAL)), by_deadline, "没有待办的协办事项。", (("tab", "work"),)),
        Waiting(Role.COMMUNITY_STAFF, "待评哨", "TicketView", to_rate, oldest, "没有待评价的哨单。", (("tab", "rate"),)),
        Waiting(Role.COMMUNITY_STAFF, "草稿", "TicketView", Ticket.status == S.DRAFT, oldest, "没有草稿。", (("status", "draft"),)),
        Waiting(Role.TOWNSHIP_REVIEWER, "待评哨", "TicketView", to_rate, oldest, "没有待评价的哨单。", (("tab", "rate"),)),
        Waiting(Role.DISPATCHER, "待销号", "TicketView", to_close, oldest, "没有待销号的哨单。", (("tab", "rate"),)),
        Waiting(Role.INSPECTOR, "已超期的哨单", "TicketView", overdue(), by_deadline, "没有超期的哨单。", (("tab", "overdue"),)),
        Waiting(Role.ORGANIZATION_DEPARTMENT, "草拟中的协议", "AgreementView", draft, Agreement.id, "没有草拟中的协议。", (("status", "draft"),)),
        Waiting(Role.ORGANIZATION_DEPARTMENT, "60 天内到期的协议", "AgreementView", soon, Agreement.valid_until, "近期没有到期的协议。", ending),
        Waiting(Role.COMMUNITY_STAFF, "60 天内到期的协议", "AgreementView", soon, Agreement.valid_until, "近期没有到期的协议。", ending, todo=False),
        Waiting(Role.UNIT_LIAISON, "60 天内到期的协议", "AgreementView", soon, Agreement.valid_until, "近期没有到期的协议。", ending, todo=False),
        Waiting(Role.UNIT_LIAISON, "本单位的协议", "AgreementView", Agreement.status == AgreementStatus.IN_FORCE, Agreement.valid_until, "本单位还没有生效的协议。", todo=False),
        *_ledgers(who),
        Waiting(Role.DUTY_LIST_OFFICER, "待发布的清单", "DutyListView", drafts, DutyList.id, "没有待发布的清单。", (("status", "draft"),)),
        Waiting(Role.TOWNSHIP_REVIEWER, "待发布的清单", "DutyListView", and_(drafts, DutyList.organization_id == who.area_id), DutyList.id, "没有待发布的清单。", (("status", "draft"),)),
    ]  # fmt: skip


def _ledgers(who: Actor) -> list[Waiting]:
    """Return the queues of needs, services and check-ins: each side's next step (domain 4)."""
    own = Need.claimed_by_id == who.organization_id
    claimed = and_(own, Need.status.in_((NeedStatus.CLAIMED, NeedStatus.IN_HAND)))
    provided = ServiceProject.provider_id == who.organization_id
    planned = and_(provided, ServiceProject.status == ServiceStatus.PLANNED)
    under_way = and_(provided, ServiceProject.status == ServiceStatus.UNDER_WAY)
    wishes = and_(Need.status == NeedStatus.PUBLISHED, Need.is_wish.is_(True))
    to_match = and_(Need.status == NeedStatus.PUBLISHED, Need.urgency == Urgency.URGENT)
    found = [
        Waiting(Role.COMMUNITY_STAFF, "待公布的需求", "NeedView", Need.status == NeedStatus.GATHERED, Need.id, "没有待公布的需求。", (("status", "gathered"),)),
        Waiting(Role.COMMUNITY_STAFF, "待评价的需求", "NeedView", Need.status == NeedStatus.DONE, Need.id, "没有待评价的需求。", (("tab", "done"),)),
        Waiting(Role.COMMUNITY_STAFF, "待评价的服务", "ServiceProjectView", ServiceProject.status == ServiceStatus.COMPLETED, ServiceProject.id, "没有待评价的服务。", (("tab", "completed"),)),
        Waiting(Role.COMMUNITY_STAFF, "待确认的报到", "CheckInView", CheckIn.status == CheckInStatus.REGISTERED, CheckIn.id, "没有待确认的报到。", (("status", "registered"),)),
        Waiting(Role.ORGANIZATION_DEPARTMENT, "待匹配的紧急需求", "NeedView", to_match, Need.id, "没有待匹配的紧急需求。", (("status", "published"), ("urgency", "urgent"))),
    ]  # fmt: skip
    for role in (Role.UNIT_LIAISON, Role.DEPARTMENT_HANDLER):
        found += [
            Waiting(role, "待接单的服务", "ServiceProjectView", planned, ServiceProject.planned_from, "没有待接单的服务。", (("tab", "planned"),)),
            Waiting(role, "本单位认领的需求", "NeedView", claimed, Need.due_on, "没有在办的认领。", (("claimed_by", str(who.organization_id)),)),
            Waiting(role, "实施中的服务", "ServiceProjectView", under_way, ServiceProject.planned_until, "没有实施中的服务。", (("tab", "under_way"),), todo=False),
        ]  # fmt: skip
    found.append(
        Waiting(Role.UNIT_LIAISON, "可以认领的微心愿", "NeedView", wishes, Need.id, "没有可以认领的微心愿。", (("tab", "wish"),), todo=False)
    )  # fmt: skip
    return found


def _to_review(level: ReviewLevel) -> ColumnElement[bool]:
    """Return whether a ticket waits for a review that people of this level take."""
    step = (
        select(ReviewStep.id)
        .join(WhistleClass, WhistleClass.mechanism_id == ReviewStep.mechanism_id)
        .where(
            WhistleClass.id == Ticket.whistle_class_id,
            ReviewStep.position == Ticket.review_position,
            ReviewStep.level == level,
        )
    )
    return and_(Ticket.status == S.PENDING_REVIEW, step.exists())


def _rated(*, yes: bool) -> ColumnElement[bool]:
    """Return whether a ticket that waits for its rating, or for its end, has ratings of this round.

    Those in reach are gathered first, and only their ratings are counted: asked in one breath,
    PostgreSQL counts those of the whole city's resolved tickets, or joins the ratings of all tickets.
    """
    each = aliased(Ticket)
    mine = select(each.id).where(each.status == S.RESOLVED).cte("mine").prefix_with("MATERIALIZED")
    ratings = (
        select(func.count(Rating.id))
        .where(
            Rating.ticket_id == Ticket.id,
            Rating.round == Ticket.reopen_count + 1,
            Rating.rater == Rater.RAISER,
        )
        .correlate(Ticket)
        .scalar_subquery()
    )
    counted = ratings > 0 if yes else ratings == 0
    return and_(Ticket.status == S.RESOLVED, Ticket.id.in_(select(mine.c.id)), counted)


class WorkbenchView(IndexView):
    """The first page after log-in."""

    menu = (MenuEntry("工作台", "工作台", "fa-house", 10, "index"),)

    def __init__(self) -> None:
        super().__init__()
        permissions.declare("WorkbenchView", {"can_index": None})

    @expose("/")
    @has_access
    def index(self) -> Any:
        """Show the actor's queues and his scope's health in four figures."""
        who = actor()
        mine = [each for each in queues_of(who) if who.has(each.role)]
        mine.sort(key=lambda each: not each.todo)
        queues = [_queue(each) for each in mine]
        cookie["waiting"] = sum(
            int(queue.count_text.rstrip("+"))
            for each, queue in zip(mine, queues, strict=True)
            if each.todo
        )
        may_raise = permissions.allowed(who.roles, "can_add", "TicketView")
        links = []
        if may_raise:
            links.append(Link(_("我要吹哨"), url_for("TicketView.add"), "fa-bullhorn", "primary"))
        return self.render_template(
            "workbench.html",
            greeting=_("%(name)s，您好", name=who.name),
            queues=queues,
            figures=figures(who),
            links=links,
        )


def _queue(waiting: Waiting) -> Queue:
    view = view_named(waiting.view)
    assert view is not None, waiting.view  # noqa: S101 - the table names registered views only
    model = view.model
    # What waits is gathered once, and put in order then: asked for in one breath, PostgreSQL may walk
    # everybody's records from the oldest on.
    waits = select(model.id.label("id"), waiting.order.label("place")).where(waiting.test)
    gathered = waits.cte("gathered").prefix_with("MATERIALIZED")
    placed = select(gathered.c.id).order_by(gathered.c.place, gathered.c.id).limit(QUEUE_ROWS)
    counted = select(-func.count()).select_from(gathered)
    ids = session().scalars(union_all(select(placed.subquery().c.id), counted)).all()
    number = -min(ids)
    asked = view.listed(view.asked()).where(model.id.in_(ids))
    rows = []
    if number:
        rows = list(session().scalars(asked.order_by(waiting.order, model.id)).unique())
    url = view.url("list", **dict(waiting.args))
    text = f"{COUNT_CAP}+" if number > COUNT_CAP else str(number)
    return Queue(_(waiting.title), table_of(view, rows), text, url, _(waiting.empty))


def figures(who: Actor) -> list[tuple[str, str, str, str]]:
    """Return four figures over the tickets in scope: (label, value, tone, URL of the tickets)."""
    if not permissions.allowed(who.roles, "can_list", "TicketView"):
        return []
    open_states = [state for state in S if state not in (*FINAL, S.DRAFT)]
    tests: list[tuple[str, Any, str, dict[str, Any]]] = [
        ("在办哨单", Ticket.status.in_(open_states), "info", {"tab": "open"}),
        ("已超期", overdue(), "danger", {"tab": "overdue"}),
        ("退单待审", Ticket.status == S.RETURN_PENDING, "warning", {"tab": "return"}),
        ("已销号", Ticket.status == S.CLOSED, "success", {"tab": "closed"}),
    ]
    parts = []
    for label, test, _tone, args in tests:
        statement = select(Ticket.id).where(test)
        if args["tab"] == "closed":
            # The one state that grows with the ledger: found among the reader's own tickets.
            statement, _key = walk(session(), Ticket, statement)
        some = statement.limit(COUNT_CAP + 1).subquery()
        parts.append(select(literal(label), func.count(some.c.id)))
    numbers: dict[str, int] = {row[0]: row[1] for row in session().execute(union_all(*parts))}
    result = []
    for label, _test, tone, args in tests:
        number = numbers[label]
        text = f"{COUNT_CAP}+" if number > COUNT_CAP else str(number)
        calm = tone if number else "muted"
        result.append((_(label), text, calm, url_for("TicketView.list", **args)))
    return result
