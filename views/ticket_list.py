"""The ledger of tickets as a list: what it shows, its ready-made filters, its cells."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from models.ticket import FINAL, Ticket, TicketStatus
from rules.wording import local
from views.flow import FlowView
from views.listing import Request
from views.rendering import EMPTY
from views.ticket_page import clock_cell, overdue

#: Ready-made filters above the list.
STATES: list[tuple[str, str, tuple[TicketStatus, ...]]] = [
    ("review", "待审核", (TicketStatus.PENDING_REVIEW,)),
    ("dispatch", "待派单", (TicketStatus.PENDING_DISPATCH,)),
    ("work", "办理中", (TicketStatus.DISPATCHED, TicketStatus.ACCEPTED, TicketStatus.ARRIVED, TicketStatus.REOPENED)),
    ("return", "退单待审", (TicketStatus.RETURN_PENDING,)),
    ("rate", "待评价", (TicketStatus.RESOLVED,)),
    ("closed", "已销号", (TicketStatus.CLOSED,)),
]  # fmt: skip


class TicketList(FlowView):
    """The list of tickets; what is seen of it is decided by the party table."""

    model = Ticket
    list_columns = ["title", "number", "status", "remaining", "whistle_class", "organization", "lead", "created_at"]  # fmt: skip
    wide_only = ["created_at"]
    search_columns = ["number", "title"]
    filter_columns = ["status", "theme", "organization", "lead"]
    tabs = [
        ("all", "全部", None),
        ("open", "在办", Ticket.status.not_in((*FINAL, TicketStatus.DRAFT))),
        *((name, label, Ticket.status.in_(states)) for name, label, states in STATES),
        ("overdue", "已超期", overdue()),
    ]
    empty_text = "还没有哨单。发现本级无权解决的问题，就从这里吹哨。"

    def lies_thin(self, asked: Request) -> bool:
        """Open tickets are few, and found by their state; a place's or a department's, by it."""
        found_by = {"status", "organization", "lead"} & set(asked.filters)
        return not found_by and asked.tab in ("", "all", "closed")

    def cell_title(self, record: Any) -> str:
        """A title is as long as it is."""
        return record.title

    def cell_number(self, record: Any) -> Markup | str:
        """A number stays on one line; a draft has none yet."""
        if not record.number:
            return EMPTY
        return Markup('<span class="short">{}</span>').format(record.number)

    def cell_created_at(self, record: Any) -> str:
        """The day is enough in a list; the page has the minute."""
        return local(record.created_at, with_time=False)

    def cell_whistle_class(self, record: Any) -> Markup | str:
        """Make a class that goes straight to the department stand out."""
        name = str(record.whistle_class)
        if not record.whistle_class.direct_dispatch:
            return name
        return Markup('<span class="badge badge-danger">{}</span>').format(name)

    def cell_remaining(self, record: Any) -> Markup | str:
        """Say how long is left for the next step."""
        return clock_cell(record)
