"""The rows of the workbench: what a record is, whose, how long is left, and the one step that is due.

Two statements read the rows of all queues: one those of tickets, one all others.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import pgettext
from markupsafe import Markup
from sqlalchemy import (
    ColumnElement,
    Date,
    Row,
    String,
    case,
    cast,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy import type_coerce as read_as
from sqlalchemy.orm import Session, aliased, contains_eager

from models.agreement import Agreement
from models.appeal import RatingAppeal
from models.base import utcnow
from models.bulletin import Bulletin
from models.check_in import CheckIn
from models.duty import DutyList, DutyListType
from models.mechanism import WhistleClass
from models.meeting import CoordinationMeeting, MeetingDecision
from models.need import Need
from models.organization import Organization
from models.recurring import RecurringProblem
from models.service import ServiceProject
from models.supervision import Supervision
from models.ticket import AT_DEPARTMENT, OFF_WORK, AssignmentRole, Ticket, TicketAssignment
from rules import workflow
from rules.actor import Actor
from rules.calendar import end_of_day, shanghai_date
from rules.clocks import near_from, owed_by
from rules.mechanisms import Calendars
from rules.waiting import Front
from rules.wording import local, remaining
from views import presentation
from views.presentation import Column, Table
from views.records import RecordView
from views.registry import view_of
from views.rendering import EMPTY, badge
from views.ticket_page import clock_cell
from views.workbench_queues import HELPING, Queue

#: Days before a date from which on it is near.
NEAR = 3
#: Kind of record → its title, and the columns that name whose it is, from one to the other.
_SHOWN: dict[type[Any], tuple[Any, tuple[Any, ...]]] = {
    Agreement: (Agreement.number, (Agreement.community_id, Agreement.unit_id)),
    Need: (Need.title, (Need.community_id,)),
    ServiceProject: (
        ServiceProject.title,
        (ServiceProject.provider_id, ServiceProject.community_id),
    ),
    CheckIn: (CheckIn.member, (CheckIn.unit_id, CheckIn.community_id)),
    Supervision: (Supervision.matter, (Supervision.organization_id, Supervision.department_id)),
    MeetingDecision: (MeetingDecision.text, (MeetingDecision.owner_id,)),
    RecurringProblem: (
        RecurringProblem.title,
        (RecurringProblem.organization_id, RecurringProblem.owner_id),
    ),
    CoordinationMeeting: (CoordinationMeeting.title, (CoordinationMeeting.organization_id,)),
    Bulletin: (Bulletin.title, (Bulletin.organization_id,)),
}


def tables(
    session: Session, who: Actor, queues: Mapping[str, Queue], fronts: Mapping[str, Front]
) -> dict[str, Table]:
    """Return the table of each queue that is not empty, by its name."""
    full = {name: queue for name, queue in queues.items() if fronts[name].ids}
    tickets = {name for name, queue in full.items() if queue.model is Ticket}
    rows = _tickets(session, who, {each for name in tickets for each in fronts[name].ids})
    others = _others(session, {n: q for n, q in full.items() if n not in tickets}, fronts)
    found = {}
    for name, queue in full.items():
        known = rows if name in tickets else others[name]
        there = [known[each] for each in fronts[name].ids if each in known]
        cells = _cells(session, who, queue, there)
        found[name] = Table(
            [
                Column("title", _("事项")),
                Column("whose", _("单位")),
                Column("due", _("期限"), named=True),
                *([Column("next", _("下一步"), named=True)] if cells.leads else []),
            ],
            [cells.row(each) for each in there],
        )
    return found


def _cells(session: Session, who: Actor, queue: Queue, rows: Sequence[Row[Any]]) -> _Cells:
    if queue.model is not Ticket:
        return _Cells(queue)
    own = _own_clocks(session, who, [row.id for row in rows]) if queue.steps is HELPING else None
    return _TicketCells(queue, who, own)


# What is read


@dataclass(frozen=True)
class _Clock:
    """A deadline of a department that assists, and from when on it is near; as ``clock_cell`` reads them."""

    due: dt.datetime
    next_warn: dt.datetime


def _own_clocks(session: Session, who: Actor, ids: Sequence[int]) -> dict[int, _Clock]:
    """Return what the reader's organisation owes next as one that assists, by the tickets' ids."""
    parts = session.scalars(
        select(TicketAssignment)
        .join(TicketAssignment.ticket)
        .where(
            TicketAssignment.ticket_id.in_(ids),
            TicketAssignment.organization_id == who.organization_id,
            TicketAssignment.role == AssignmentRole.ASSISTING,
            Ticket.status.in_(AT_DEPARTMENT),
        )
        .options(
            contains_eager(TicketAssignment.ticket)
            .load_only(Ticket.id)
            .joinedload(Ticket.whistle_class)
            .joinedload(WhistleClass.mechanism)
        )
    )
    found, calendars = {}, Calendars(session)
    for part in parts:
        owed, kind = owed_by(part), part.ticket.whistle_class
        if owed is not None:
            days = partial(calendars.of, kind.mechanism)
            found[part.ticket_id] = _Clock(owed[1], near_from(kind, *owed, days))
    return found


def _tickets(session: Session, who: Actor, ids: set[int]) -> dict[int, Row[Any]]:
    if not ids:
        return {}
    place, lead = aliased(Organization), aliased(Organization)
    part = (
        select(TicketAssignment.status)
        .where(
            TicketAssignment.ticket_id == Ticket.id,
            TicketAssignment.organization_id == who.organization_id,
            TicketAssignment.status.not_in(OFF_WORK),
        )
        .limit(1)
        .scalar_subquery()
    )
    asked = (
        select(
            Ticket.id,
            Ticket.title,
            Ticket.status,
            Ticket.next_due.label("due"),
            Ticket.next_warn,
            Ticket.supervised_at,
            Ticket.created_at.label("since"),
            Ticket.organization_id,
            Ticket.lead_id,
            place.name.label("place"),
            lead.name.label("lead"),
            part.label("part"),
        )
        .join(place, place.id == Ticket.organization_id)
        .outerjoin(lead, lead.id == Ticket.lead_id)
        .where(Ticket.id.in_(sorted(ids)))
    )
    rows: list[Any] = list(session.execute(asked))
    return {row.id: row for row in rows}


def _others(
    session: Session, queues: Mapping[str, Queue], fronts: Mapping[str, Front]
) -> dict[str, dict[int, Row[Any]]]:
    """Return the rows of all other queues; a date and an instant are columns of their own."""
    found: dict[str, dict[int, Row[Any]]] = {name: {} for name in queues}
    if not queues:
        return found
    parts = [_part(name, queue, fronts[name].ids) for name, queue in queues.items()]
    for row in session.execute(union_all(*parts)):
        found[row.queue][row.id] = row
    return found


def _part(name: str, queue: Queue, ids: Sequence[int]) -> Any:
    model = queue.model
    title, (one, *two) = _described(model)
    day: Any = cast(null(), Date) if queue.day is None or _is_instant(queue.day) else queue.day
    since = queue.day if _is_instant(queue.day) else model.created_at
    return select(
        literal(name).label("queue"),
        model.id,
        title.label("title"),
        read_as(model.status, String).label("status"),
        one.label("one"),
        (two[0] if two else cast(null(), String)).label("other"),
        day.label("day"),
        since.label("since"),
    ).where(model.id.in_(ids))


def _is_instant(column: Any) -> bool:
    return column is CoordinationMeeting.held_at


def _described(model: type[Any]) -> tuple[Any, list[Any]]:
    """Return a record's title and whose it is, as columns."""
    if model is RatingAppeal:
        title = select(Ticket.title).where(Ticket.id == RatingAppeal.ticket_id).scalar_subquery()
        return title, [_name(RatingAppeal.department_id)]
    if model is DutyList:
        kinds = {each: each.title for each in DutyListType}
        kind = _name(DutyList.organization_id) + case(kinds, value=DutyList.list_type)
        version = literal("第") + cast(DutyList.number, String) + literal("版")
        return kind + version, [_name(DutyList.organization_id)]
    title, columns = _SHOWN[model]
    return title, [_name(each) for each in columns]


def _name(column: Any) -> ColumnElement[str]:
    named = aliased(Organization)
    return select(named.name).where(named.id == column).scalar_subquery()


# What is shown


class _Cells:
    """The cells of a queue's rows; the first leads to the record's page, the last to the step."""

    def __init__(self, queue: Queue) -> None:
        self.queue, self.now = queue, utcnow()
        found = view_of(queue.model)
        assert found is not None, queue.model  # noqa: S101 - queues without a view are left out
        self.view: RecordView = found
        self.url = found.url("show", pk=0)[:-1]

    @property
    def leads(self) -> bool:
        """Tell whether there is a step to be taken at all."""
        queue = self.queue
        return bool(queue.step or queue.steps or queue.look)

    def row(self, row: Row[Any]) -> presentation.Row:
        """Return a row of the table."""
        cells = [row.title, self.whose(row), self.due(row)]
        if self.leads:
            cells.append(self.next(row))
        return presentation.Row(row.id, f"{self.url}{row.id}", cells)

    def whose(self, row: Row[Any]) -> Markup | str:
        """Return who it comes from, and whose it is."""
        return _road(row.one, row.other)

    def due(self, row: Row[Any]) -> Markup | str:
        """Return how many days are left; of what has no date, how long it has waited."""
        if self.queue.day is not None and _is_instant(self.queue.day):
            return local(row.since)
        if row.day is None:
            return self.waited(row.since)
        days = (row.day - shanghai_date(self.now)).days
        tone = "danger" if days < 0 else "warning" if days <= NEAR else "info"
        return Markup('<span class="badge badge-{}" title="{}">{}</span>').format(
            tone, row.day, remaining(end_of_day(row.day), self.now, _)
        )

    def waited(self, since: dt.datetime) -> str:
        """Return how long something has been waiting."""
        days = (self.now - since).days
        return _("已等 %(n)s 天", n=days) if days else _("今天来的")

    def action(self, row: Row[Any]) -> str:
        """Return the step that is due."""
        return self.queue.step or self.queue.steps.get(row.status, "")

    def next(self, row: Row[Any]) -> Markup | str:
        """Return the one step that is due, as a link straight to its form."""
        table, action = workflow.workflow_of(self.queue.model), self.action(row)
        step = table.step(action) if table and action else None
        if step is not None:
            return _button(f"{self.url}{row.id}#step-{action}", pgettext("step", step.label), row)
        if self.queue.look:
            return _button(f"{self.url}{row.id}", _(self.queue.look), row)
        return EMPTY


class _TicketCells(_Cells):
    """The cells of tickets: with their clocks, and what is special about them."""

    def __init__(self, queue: Queue, who: Actor, own: Mapping[int, _Clock] | None = None) -> None:
        super().__init__(queue)
        self.who, self.own = who, own
        orders = view_of(Supervision) if queue.supervise else None
        self.orders = orders if orders is not None and orders.may("can_add") else None

    @property
    def leads(self) -> bool:
        """An order may be written about a ticket that is late."""
        return super().leads or self.orders is not None

    def whose(self, row: Row[Any]) -> Markup | str:
        """Return the raising place and the department in charge; not the reader's own."""
        own = self.who.organization_id
        place = row.place if row.organization_id != own else ""
        road = _road(place, row.lead if row.lead_id != own else "")
        marks = [badge(row.status)] if self.queue.states else []
        if row.supervised_at is not None:
            marks.append(Markup('<span class="badge badge-danger">{}</span>').format(_("督办")))
        return Markup(" ").join([road, *marks] if road != EMPTY else marks) if marks else road

    def due(self, row: Row[Any]) -> Markup | str:
        """Return the remaining time of the step that the lead owes; of an assisting one its own."""
        if self.own is not None:
            clock = self.own.get(row.id)
            return clock_cell(clock) if clock is not None else self.waited(row.since)
        return clock_cell(row) if row.due is not None else self.waited(row.since)

    def action(self, row: Row[Any]) -> str:
        """Assisting departments have a progress of their own."""
        state = row.part if self.queue.steps is HELPING else row.status
        return self.queue.step or self.queue.steps.get(state, "")

    def next(self, row: Row[Any]) -> Markup | str:
        """Return the step, or an order about what is late and has none."""
        if self.orders is not None:
            if row.supervised_at is not None:
                return EMPTY
            return _button(url_for("SupervisionView.add", ticket=row.id), _("发起督办"), row)
        return super().next(row)


def _road(one: str | None, other: str | None) -> str:
    names = [each for each in (one, other) if each]
    return " → ".join(names) or EMPTY


def _button(url: str, label: str, row: Row[Any]) -> Markup:
    return Markup(
        '<a class="btn btn-default btn-small" href="{}">{}<span class="sr-only">：{}</span></a>'
    ).format(url, label, row.title)
