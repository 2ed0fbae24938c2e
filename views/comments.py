"""Words between the parties of a ticket: said on its page, told to the others, changing nothing."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, load_only

from models.organization import Organization
from models.ticket import Ticket, TicketStatus
from rules.comments import say
from rules.errors import Refused
from rules.policy import Action
from views.context import actor, unit_of_work
from views.details import writable
from views.flow import FlowView

#: What is asked of a ticket to speak on it.
_LOADS = (
    load_only(Ticket.number, Ticket.title, Ticket.organization_id, Ticket.holder_id),
    joinedload(Ticket.organization).load_only(Organization.realm_id),
)


class TicketComments(FlowView):
    """The route by which a party says something to the others."""

    model = Ticket

    @expose("/comment/<int:pk>", methods=["POST"])
    @has_access
    def comment(self, pk: int) -> Any:
        """Keep what was said; what is refused stays in its box."""
        record = self.found(pk, list(_LOADS))
        text = request.form.get("text", "")
        try:
            with unit_of_work() as database:
                say(database, record, actor(), text)
        except Refused as refusal:
            flash(refusal.message, "danger")
            said = {"comment_text": text, "comment_error": refusal.message}
            return self.shown(self.found(pk), refusal.status, **said)
        flash(_("留言已发出，其他各方会收到消息。"), "success")
        return redirect(self.url("show", pk=pk) + "#comments")

    def comment_url(self, record: Any, *, takes_steps: bool) -> str | None:
        """Return where a comment is sent; None for those who only read, and for a draft.

        Whoever is offered a step of this very ticket acts on it; of others the gate is asked.
        """
        said = record.status is not TicketStatus.DRAFT and self.may("can_comment")
        if said and (takes_steps or writable(self, record, Action.ACT)):
            return self.url("comment", pk=record.id)
        return None
