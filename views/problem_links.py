"""What a ticket's page says of the recurring problems that it is a case of."""

from __future__ import annotations

from markupsafe import Markup

from models.recurring import RecurringProblem
from models.ticket import Ticket
from rules.problems import problems_of
from views.context import session
from views.registry import view_of
from views.rendering import EMPTY
from views.tables import links_to


def problem_links(ticket: Ticket) -> Markup | str:
    """Return a ticket's problems as links, for who may see them; nothing is asked for anybody else."""
    view = view_of(RecurringProblem)
    if ticket.number is None or view is None or not view.may("can_show"):
        return EMPTY
    return links_to(problems_of(session(), ticket.id)) or EMPTY
