"""The button that puts a ticket or a recurring problem onto the agenda of a meeting."""

from __future__ import annotations

from flask import url_for
from flask_babel import gettext as _

from models.recurring import RecurringProblem
from models.ticket import SET_ASIDE, Ticket
from views.context import actor
from views.permissions import allowed
from views.presentation import Link


def agenda_links(
    *, ticket: Ticket | None = None, problem: RecurringProblem | None = None
) -> list[Link]:
    """Return the button for whoever arranges meetings.

    Neither a draft nor a ticket that was set aside is anything to meet about.
    """
    if not allowed(actor().roles, "can_place", "AgendaView"):
        return []
    if ticket is not None and (ticket.number is None or ticket.status in SET_ASIDE):
        return []
    number = problem.id if problem is not None else 0
    url = url_for("AgendaView.place", problem=number)
    if ticket is not None:
        url = url_for("AgendaView.place", ticket=ticket.id)
    return [Link(_("列入会议议题"), url, "fa-people-group")]
