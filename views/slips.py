"""Sending a ticket's slip: one page of Word, named by the ticket's number."""

from __future__ import annotations

from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from models.ticket import Ticket
from reports.slips import slip
from rules.attachments import clean_name
from rules.errors import Conflict
from views.flow import FlowView
from views.letters import send_word_file


class TicketSlips(FlowView):
    """The route that prints a ticket's slip, for whoever reads the ticket."""

    model = Ticket

    @expose("/slip/<int:pk>")
    @has_access
    def slip(self, pk: int) -> Response:
        """Send a ticket's slip as a Word document."""
        ticket = self.found(pk)
        if ticket.number is None:
            raise Conflict(_("草稿还没有编号，吹哨以后才能打印哨单。"))
        return send_word_file(slip(ticket), clean_name(f"{ticket.number}.docx", "哨单.docx"))
