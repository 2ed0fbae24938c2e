"""A ticket's own page: stages, clocks, departments at work, ratings, and the next steps."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from sqlalchemy.orm import selectinload

from models.organization import Organization
from models.rating import Rating
from models.ticket import Ticket, TicketAssignment
from views import steps
from views.flow import FlowView
from views.forms import options_of
from views.records import Options
from views.ticket_page import assignments, clocks, ratings, stages


class TicketDetail(FlowView):
    """The page of one ticket."""

    model = Ticket
    show_template = "ticket_show.html"
    show_groups = [
        ("问题", ["detail", "address", "contact_name", "contact_phone"]),
        (
            "吹哨",
            ["organization", "raised_by", "whistle_class", "theme", "channel", "nature"],
        ),
        ("清单依据", ["duty_item_name", "verdict", "verdict_reason", "emergency", "local_tried"]),
        ("办理", ["result", "return_count", "reopen_count"]),
    ]

    @expose("/receivers/<int:pk>")
    @has_access
    def receivers(self, pk: int) -> Any:
        """Answer the select box of departments that this ticket may be sent to."""
        statement = steps.receivers(self.found(pk))
        return options_of(statement, Organization, request.args.get("q", ""))

    def detail_loads(self) -> Options:
        """Departments at work and their ratings come with their names, however many they are."""
        ratings = selectinload(Ticket.ratings)
        return [
            selectinload(Ticket.assignments).joinedload(TicketAssignment.organization),
            ratings.joinedload(Rating.organization),
            ratings.joinedload(Rating.dimension),
        ]

    def shown(self, record: Any, status: int = 200, **more: Any) -> Any:
        """Add the stage bar, the clocks, the departments at work and the ratings."""
        return super().shown(
            record,
            status,
            number=record.number or _("（草稿）"),
            ticket_title=record.title,
            stages=stages(record),
            clocks=clocks(record),
            assignments=assignments(record),
            ratings=ratings(record),
            **more,
        )
