"""Tickets brought somewhere for the tests of their page, with photos, words and departments."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image
from sqlalchemy.orm import Session

from models.ticket import Ticket
from models.ticket_file import PhotoMoment, TicketPhoto
from rules.actor import acting_as
from rules.comments import say
from rules.mechanisms import dimensions_of
from rules.photos import Picture, attach, prepare
from rules.workflows.ticket_ratings import to_grade
from tests.factories.world import World

RESOLVE = {"unit": "working_days", "amount": 5}


def jpeg(shade: int = 1) -> bytes:
    """Return a small photo; each shade is another one."""
    file = io.BytesIO()
    Image.new("RGB", (64, 48), (shade % 256, shade * 7 % 256, 90)).save(file, "JPEG")
    return file.getvalue()


class Tickets:
    """Makes tickets and takes their steps."""

    def __init__(self, session: Session, data_dir: Path) -> None:
        self.session, self.data_dir, self.world = session, data_dir, World(session)

    def picture(self, shade: int = 1) -> Picture:
        """Return a prepared photo."""
        return prepare(jpeg(shade), f"{shade}.jpg", self.data_dir)

    def photo(self, ticket: Ticket, who: str, moment: PhotoMoment, shade: int = 1) -> TicketPhoto:
        """Attach a photo as an account."""
        actor = self.world.actor(who)
        with acting_as(self.session, actor):
            (found,) = attach(self.session, ticket, [self.picture(shade)], moment, actor)
            self.session.flush()
        return found

    def say(self, ticket: Ticket, who: str, text: str) -> None:
        """Say something as an account."""
        actor = self.world.actor(who)
        with acting_as(self.session, actor):
            say(self.session, ticket, actor, text)

    def dispatched(self, *assisting: str, **values: Any) -> Ticket:
        """Return a ticket that its lead has yet to accept, to be resolved within five working days."""
        for each in self.world.whistle_class("ordinary").mechanism.classes:
            each.resolve_term = RESOLVE
        return self.world.dispatched(assisting=assisting, **values)

    def take(self, ticket: Any, who: str, /, *actions: str, **data: Any) -> Ticket:
        """Take steps as an account, the last of them with what it asks."""
        *before, last = actions
        for each in before:
            self.world.step(ticket, each, who)
        self.world.step(ticket, last, who, **data)
        return ticket

    def resolved(self, *assisting: str) -> Ticket:
        """Return a ticket whose lead has reported."""
        ticket = self.dispatched(*assisting)
        return self.take(ticket, "handler", "accept", "arrive", "report_result", result="修好了")

    def grades(self, ticket: Ticket, action: str, grade: str) -> dict[str, str]:
        """Return one grade for all that a step asks to grade."""
        return {
            f"{part.organization_id}:{each.id}": grade
            for part in to_grade(ticket, action)
            for each in dimensions_of(ticket.whistle_class)
        }
