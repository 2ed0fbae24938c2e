"""What a ticket's page shows besides its fields: its road, where it stands, departments at work."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import func, select

from models.base import utcnow
from models.ledger import Event
from models.ticket import AT_DEPARTMENT, OFF_WORK, AssignmentRole, Ticket, TicketAssignment
from models.ticket import TicketStatus as S
from models.ticket_file import ExtensionStatus, TicketExtension
from rules.wording import local, remaining
from views.context import session
from views.presentation import Column, Row, Table
from views.registry import view_of
from views.rendering import EMPTY, badge, label_of, shown
from views.ticket_clocks import Clockwork
from views.ticket_story import last_of

#: The main road: (what is done, the instant at which it was).
ROAD = [
    ("吹哨", "raised_at"),
    ("派单", "dispatched_at"),
    ("应哨", "accepted_at"),
    ("报到", "arrived_at"),
    ("反馈", "resolved_at"),
    ("销号", "closed_at"),
]
#: Status → how many stages of the main road lie behind a ticket in it.
BEHIND = {
    S.DRAFT: 0,
    S.PENDING_REVIEW: 1,
    S.PENDING_DISPATCH: 1,
    S.DISPATCHED: 2,
    S.REOPENED: 2,
    S.ACCEPTED: 3,
    S.ARRIVED: 4,
    S.RESOLVED: 5,
    S.CLOSED: 6,
}
#: Roads that ended elsewhere than in 销号, with the steps that ended them.
ENDED = {
    S.DECLINED: ("decline", "decline_review"),
    S.WITHDRAWN: ("withdraw",),
    S.MERGED: ("merge",),
    S.SOLVED_LOCALLY: ("solve_locally",),
}
Stage = tuple[str, str, dt.datetime | None]


def overdue() -> Any:
    """Return which tickets are past the deadline of a step not yet taken: compared, never flagged.

    The same question as ``Ticket.due``, asked of the database.
    """
    return Ticket.next_due < func.current_timestamp()


def clock_cell(record: Any) -> Markup | str:
    """Return the remaining time as a badge; red when it is over."""
    due = record.due
    if due is None:
        return EMPTY
    now = utcnow()
    warned = record.next_warn is not None and record.next_warn <= now
    tone = "danger" if due < now else "warning" if warned else "info"
    return Markup('<span class="badge badge-{}" title="{}">{}</span>').format(
        tone, local(due), remaining(due, now, _)
    )


def stages(record: Ticket, events: list[Event]) -> list[Stage]:
    """Return the stage bar: (label, done|current|ended|todo, when)."""
    status = record.status
    if status in ENDED:
        return _ended(record, events)
    if status is S.LOCAL:
        bar: list[Stage] = [(_("上报"), "done", record.raised_at or record.created_at)]
        bar.append((_("属地处置"), "current", None))
        return [*bar, *((_(label), "todo", None) for label, _stamp in ROAD[1:])]
    behind = BEHIND.get(status)
    if behind is None:
        # A return that waits for its reviewer stands where the department was.
        behind = 3 if _assigned_at(record, "accepted_at") else 2
    done: list[Stage] = [
        (_(label), "done", getattr(record, stamp)) for label, stamp in ROAD[:behind]
    ]
    labels = [_(label) for label, _stamp in ROAD[behind:]]
    if status is S.PENDING_REVIEW:
        return [*done, *_review(record), *((label, "todo", None) for label in labels)]
    if status is S.RESOLVED:
        labels[0] = _("评哨、销号")
    return [*done, *((label, "todo" if n else "current", None) for n, label in enumerate(labels))]


def _ended(record: Ticket, events: list[Event]) -> list[Stage]:
    """Return the stages that were passed, and how the road ended."""
    passed: list[Stage] = [
        (_(label), "done", at)
        for label, stamp in ROAD
        if (at := getattr(record, stamp)) is not None
    ]
    last = last_of(events, *ENDED[record.status])
    tone = "done" if record.status is S.SOLVED_LOCALLY else "ended"
    return [*passed, (_(record.status.title), tone, last.at if last else None)]


def _review(record: Ticket) -> list[Stage]:
    """Return the steps of the review route by name, and which of them is due."""
    route = record.whistle_class.mechanism.route
    if not route:
        return [(_("审核"), "current", None)]
    here = record.review_position
    return [
        (
            _(each.name),
            "done" if each.position < here else "current" if each.position == here else "todo",
            None,
        )
        for each in route
    ]


def _assigned_at(record: Ticket, stamp: str) -> Any:
    lead = next(
        (each for each in record.assignments if each.organization_id == record.lead_id), None
    )
    return getattr(lead, stamp) if lead is not None else None


@dataclass(frozen=True)
class Standing:
    """A sentence about where a ticket stands off the main road; ``url`` leads to another ticket."""

    tone: str
    title: str
    text: str = ""
    url: str | None = None


def marks(record: Ticket) -> list[Markup]:
    """Return the badges beside the ticket's status."""
    found = []
    if record.supervised_at is not None:
        found.append(("danger", _("督办")))
    if record.paper:
        found.append(("info", _("线下补录")))
    if record.emergency:
        found.append(("danger", _("突发紧急")))
    return [Markup('<span class="badge badge-{}">{}</span>').format(*each) for each in found]


def standing(
    record: Ticket, events: list[Event], extensions: list[TicketExtension]
) -> list[Standing]:
    """Return what has to be known of a ticket that left the main road, or may soon."""
    found: list[Standing] = []
    status = record.status
    if status in ENDED and status is not S.MERGED:
        last = last_of(events, *ENDED[status])
        tone = "success" if status is S.SOLVED_LOCALLY else "muted"
        found.append(Standing(tone, _(status.title), _told(last)))
    if status is S.MERGED:
        found.append(_merged(record))
    if status is S.LOCAL:
        holder = record.holder.name if record.holder else record.organization.name
        text = _("现由%(name)s处置：能解决的就地解决，不能解决的逐级上报。", name=holder)
        found.append(Standing("progress", _("属地处置"), text))
    if status is S.RETURN_PENDING:
        last = last_of(events, "request_return")
        text = _("审核期间期限照常计算。") + (_told(last) if last else "")
        found.append(Standing("danger", _("退单待审"), text))
    if status in (S.DISPATCHED, S.ACCEPTED):
        found += _kept_at_department(record, events)
    if status in AT_DEPARTMENT and record.reopen_count:
        due = record.resolve_due
        text = _("限期整改：%(time)s。", time=local(due)) if due else ""
        last = last_of(events, "reopen")
        title = _(
            "第 %(n)s 轮办理（回流 %(m)s 次）", n=record.reopen_count + 1, m=record.reopen_count
        )
        found.append(Standing("danger", title, text + _told(last)))
    if last_of(events, "take_in") is not None:
        found += _taken_in(record)
    waiting = [each for each in extensions if each.status is ExtensionStatus.REQUESTED]
    for each in waiting:
        text = _(
            "%(name)s申请把办结期限从 %(old)s 延至 %(new)s。理由：%(why)s",
            name=each.organization.name,
            old=local(each.old_due),
            new=local(each.new_due),
            why=each.reason,
        )
        found.append(Standing("warning", _("延期待审"), text))
    return found


def _kept_at_department(record: Ticket, events: list[Event]) -> list[Standing]:
    """Return that the lead asked to give the ticket back and may not, or not any more."""
    refused = [
        each
        for each in events
        if each.action == "refuse_return"
        and (each.data.get("department") or {}).get("id") == record.lead_id
    ]
    if not refused:
        return []
    text = _("仍由%(name)s办理，期限连续计算。", name=record.lead.name) if record.lead else ""
    if len(refused) >= record.whistle_class.mechanism.return_cap:
        text += _("已驳回 %(n)s 次，不再受理退单。", n=len(refused))
    return [Standing("warning", _("退单已驳回"), text + _told(last_of(events, "refuse_return")))]


def _told(event: Event | None) -> str:
    """Return why somebody took a step, who and when."""
    if event is None:
        return ""
    said = f"{event.organization_name} {event.actor_name}，{local(event.at)}"
    return _("%(note)s（%(who)s）", note=event.note, who=said) if event.note else f"（{said}）"


def _merged(record: Ticket) -> Standing:
    """Lead to the main ticket, if the reader may see it; its number is told to nobody else."""
    main, view = record.merged_into, view_of(Ticket)
    if main is None or view is None:
        return Standing("muted", _("已并单"), _("已并入另一张哨单一并办理。"))
    url = view.url("show", pk=main.id)
    return Standing("muted", _("已并单"), _("已并入“%(main)s”一并办理。", main=str(main)), url)


def _taken_in(record: Ticket) -> list[Standing]:
    """Lead to the duplicates that were merged into a ticket, as far as the reader may see them."""
    query = select(Ticket).where(Ticket.merged_into_id == record.id).order_by(Ticket.id).limit(10)
    view = view_of(Ticket)
    return [
        Standing("muted", _("并入的哨单"), str(each), view.url("show", pk=each.id))
        for each in session().scalars(query)
        if view is not None
    ]


def parties(record: Ticket, work: Clockwork) -> Table:
    """Return the departments with their own progress against their own deadlines.

    The lead comes first, whoever was it before; those off come last.
    """
    columns = [
        Column("organization", label_of(TicketAssignment, "organization")),
        Column("respond", _("应哨"), named=True),
        Column("arrive", _("报到"), named=True),
        Column("resolve", _("反馈"), named=True),
        Column("result", label_of(TicketAssignment, "result")),
    ]
    rows = [
        Row(
            part.id,
            None,
            [
                Markup('{}<span class="party-marks">{} {}</span>').format(
                    part.organization.name, badge(part.role), badge(part.status)
                ),
                *(work.cell(part, name) for name in ("respond", "arrive", "resolve")),
                shown(part.result),
            ],
        )
        for part in sorted(record.assignments, key=_standing_order)
    ]
    return Table(columns, rows)


def _standing_order(part: TicketAssignment) -> tuple[bool, bool]:
    return part.status in OFF_WORK, part.role is not AssignmentRole.LEAD


def extensions_of(extensions: list[TicketExtension]) -> Table:
    """Return the requests for more time: the old deadline and the new one, and what became of it."""
    names = ["organization", "new_due", "reason", "status", "opinion"]
    columns = [Column(name, label_of(TicketExtension, name)) for name in names]
    rows = []
    for each in extensions:
        cells = [shown(getattr(each, name)) for name in names]
        was = _("原期限 %(time)s", time=local(each.old_due))
        cells[1] = Markup(
            '<span class="stamp">{}</span><span class="stamp stamp-due">{}</span>'
        ).format(local(each.new_due), was)
        rows.append(Row(each.id, None, cells))
    return Table(columns, rows)
