"""What a ticket's pages show besides its fields: stages, clocks, departments at work, ratings."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import and_, func, or_

from models.base import utcnow
from models.rating import Rating
from models.ticket import AT_DEPARTMENT, FINAL, Ticket, TicketAssignment, TicketStatus
from rules.wording import local, remaining
from views.presentation import Column, Row, Table
from views.rendering import EMPTY, label_of, shown

ROAD = [
    (TicketStatus.PENDING_REVIEW, "吹哨", "raised_at"),
    (TicketStatus.PENDING_DISPATCH, "派单", "dispatched_at"),
    (TicketStatus.DISPATCHED, "应哨", "accepted_at"),
    (TicketStatus.ACCEPTED, "报到", "arrived_at"),
    (TicketStatus.ARRIVED, "反馈", "resolved_at"),
    (TicketStatus.RESOLVED, "销号", "closed_at"),
]


#: What is waited for first where a stage has two parts.
BEFORE = {TicketStatus.PENDING_REVIEW: "审核", TicketStatus.RESOLVED: "评哨、销号"}


def overdue() -> Any:
    """Return which tickets are past the deadline of a step not yet taken: compared, never flagged.

    The same question as ``Ticket.due``, asked of the database.
    """
    now = func.current_timestamp()
    return and_(
        Ticket.status.in_(AT_DEPARTMENT),
        or_(
            and_(Ticket.respond_due < now, Ticket.accepted_at.is_(None)),
            and_(Ticket.arrive_due < now, Ticket.arrived_at.is_(None)),
            and_(Ticket.resolve_due < now, Ticket.resolved_at.is_(None)),
        ),
    )


def clock_cell(record: Any) -> Markup | str:
    """Return the remaining time as a badge; red when it is over."""
    due = record.due
    if due is None:
        return EMPTY
    now = utcnow()
    tone = "danger" if due < now else "warning" if (due - now).total_seconds() < 86400 else "info"
    return Markup('<span class="badge badge-{}" title="{}">{}</span>').format(
        tone, local(due), remaining(due, now, _)
    )


def stages(record: Ticket) -> list[tuple[str, str, Any]]:
    """Return the stage bar: (label, done|current|todo, when)."""
    bar = []
    reached = False
    for _status, label, stamp in ROAD:
        at = getattr(record, stamp)
        if at is not None and not reached:
            bar.append((_(label), "done", at))
        elif not reached and record.status not in FINAL:
            reached = True
            bar.append((_(BEFORE.get(record.status, label)), "current", None))
        else:
            bar.append((_(label), "todo", None))
    return bar


def clocks(record: Ticket) -> list[tuple[str, Any, Any, str]]:
    """Return the three clocks: (label, due, done at, tone)."""
    result = []
    for label, due, done in (
        ("应哨期限", record.respond_due, record.accepted_at),
        ("报到期限", record.arrive_due, record.arrived_at),
        ("办结期限", record.resolve_due, record.resolved_at),
    ):
        late = due is not None and (done or utcnow()) > due
        tone = "muted" if due is None else "danger" if late else "success" if done else "info"
        result.append((_(label), due, done, tone))
    return result


def assignments(record: Ticket) -> Table:
    """Return the departments with their own progress, when each step was, and what they did."""
    names = ["organization", "role", "status", "result"]
    columns = [Column(name, label_of(TicketAssignment, name)) for name in names]
    columns.insert(3, Column("times", _("时间")))
    rows = []
    for part in record.assignments:
        cells = [shown(getattr(part, name)) for name in names]
        cells.insert(3, _times(part))
        rows.append(Row(part.id, None, cells))
    return Table(columns, rows)


def _times(part: TicketAssignment) -> Markup | str:
    """Return the instants of a department's steps, one to a line."""
    done = [
        Markup('<span class="stamp">{} {}</span>').format(label, local(at))
        for label, at in (
            (_("应哨"), part.accepted_at),
            (_("报到"), part.arrived_at),
            (_("反馈"), part.reported_at),
        )
        if at is not None
    ]
    return Markup("").join(done) if done else EMPTY


def ratings(record: Ticket) -> Table | None:
    """Return the ratings given so far: a line for each round and department, its grades side by side.

    Who gave them stands in the timeline.
    """
    if not record.ratings:
        return None
    again = any(each.round > 1 for each in record.ratings)
    dimensions = list({each.dimension_id: each.dimension for each in record.ratings}.values())
    lines: dict[tuple[int, int], dict[int, Rating]] = {}
    for each in record.ratings:
        lines.setdefault((each.round, each.organization_id), {})[each.dimension_id] = each
    rows = []
    for number, grades in enumerate(lines.values()):
        one = next(iter(grades.values()))
        cells = [shown(one.organization)]
        cells += [
            shown(grades[each.id].grade) if each.id in grades else EMPTY for each in dimensions
        ]
        rows.append(Row(number, None, [*cells, str(one.round)] if again else cells))
    columns = [
        Column("organization", label_of(Rating, "organization")),
        *(Column(f"grade-{each.id}", each.name, named=True) for each in dimensions),
    ]
    if again:
        columns.append(Column("round", label_of(Rating, "round")))
    return Table(columns, rows)
