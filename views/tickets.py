"""Whistle tickets: the ledger, the form, the page of each, and every next step (domain section 6)."""

from __future__ import annotations

from rules.policy import Action
from views.bulk import TicketBulk
from views.flow import FlowView
from views.paper import TicketPaper
from views.photos import TicketPhotos
from views.presentation import MenuEntry
from views.ticket_detail import TicketDetail
from views.ticket_form import TicketForm
from views.ticket_help import TicketHelp
from views.ticket_list import TicketList


class TicketView(
    TicketBulk, TicketList, TicketPaper, TicketForm, TicketHelp, TicketDetail, TicketPhotos
):
    """All of a ticket's pages; each part of them stands in a module of its own."""

    route_base = "/tickets"
    menu = (
        MenuEntry("吹哨报到", "哨单台账", "fa-bullhorn", 10),
        MenuEntry("吹哨报到", "我要吹哨", "fa-circle-plus", 20, "add"),
        MenuEntry("吹哨报到", "线下补录", "fa-file-pen", 30, "paper"),
    )
    labels = {"remaining": "剩余时间", "problems": "属于共性问题"}
    demands = FlowView.demands | {
        "can_counts": Action.READ,
        "can_bulk": Action.ACT,
        "can_receivers": Action.ACT,
        "can_twins": Action.ACT,
        "can_comment": Action.ACT,
        "can_slip": Action.READ,
        "can_eligibility": Action.ADD,
        "can_matches": Action.ADD,
        "can_similar": Action.ADD,
        "can_paper": Action.ADD,
        "can_places": Action.ADD,
        "can_ready": Action.ADD,
        "can_photo": Action.READ,
        "can_thumb": Action.READ,
        "can_prepared": Action.READ,
    }
