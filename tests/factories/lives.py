"""Tickets that live at random through the rules, for whoever checks what is derived from them."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.grade import Grade
from models.ledger import Event
from models.mechanism import LowRating
from models.ticket import Ticket
from models.ticket import TicketStatus as S
from rules.mechanisms import dimensions_of
from rules.workflow import available
from rules.workflows.ticket_base import active
from tests.factories.world import World

START = dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC)
PLACES = {"A11": "community", "A12": "community2", "A1": "township", "A111": "community"}
LEADS = {"A-D1": "handler", "A-D2": "handler2"}
#: Steps that need nothing but a word, and those whose input is made here.
_PLAIN = frozenset(
    [
        "accept",
        "arrive",
        "request_return",
        "approve_return",
        "refuse_return",
        "close",
        "withdraw",
        "unmerge",
        "decline",
    ]
)
_MADE = frozenset(["report_result", "dispatch", "hand_over", "rate", "reopen", "merge"])

_FORWARD = frozenset(["accept", "arrive", "report_result", "rate", "close", "dispatch"])


class Life:
    """One ticket of a random place; every step at a random time after the one before."""

    def __init__(self, world: World, rng: random.Random) -> None:
        self.world, self.rng, self.now = world, rng, START
        self.now += dt.timedelta(days=rng.randrange(60), hours=rng.randrange(24))
        place = rng.choice(list(PLACES))
        self.raiser = PLACES[place]
        self.ticket: Any = world.draft(place, code=rng.choice(("ordinary", "urgent")))
        mechanism = self.ticket.whistle_class.mechanism
        mechanism.low_action = rng.choice((LowRating.DECIDE, LowRating.REOPEN))

    def begin(self) -> None:
        """Blow the whistle, and send it as far as the office."""
        lead = self._lead()
        self.world.step(self.ticket, "raise", self.raiser, now=self.later(), lead=lead)
        if self.ticket.status is S.PENDING_REVIEW:
            self.world.reviewed(self.ticket)

    def later(self) -> dt.datetime:
        """Let some time go by: minutes or days."""
        self.now += dt.timedelta(minutes=int(self.rng.lognormvariate(5, 2.5)))
        return self.now

    def steps(self, most: int) -> Iterator[str]:
        """Take up to so many steps that somebody may take, and yield each one's name."""
        for _ in range(most):
            found = [
                (step.action, who)
                for who in ("office", "returns", self.raiser, *LEADS.values())
                for step in available(self.world.session, self.ticket, self.world.actor(who))
                if step.action in _PLAIN | _MADE and self._fits(step.action)
            ]
            if not found:
                return
            weights = [4 if action in _FORWARD else 1 for action, _who in found]
            ((action, who),) = self.rng.choices(found, weights)
            data = self._inputs(action)
            self.world.step(self.ticket, action, who, now=self.later(), **data)
            yield action

    def _fits(self, action: str) -> bool:
        return action != "merge" or self.ticket.status is not S.RETURN_PENDING

    def _lead(self, but: int | None = None) -> int:
        ids = [self.world.place(code).id for code in LEADS]
        return self.rng.choice([each for each in ids if each != but])

    def _inputs(self, action: str) -> dict[str, Any]:
        if action == "dispatch":
            return {"lead": self._lead(), "assisting": []}
        if action == "hand_over":
            return {"lead": self._lead(self.ticket.lead_id), "note": "职责调整"}
        if action == "report_result":
            return {"result": "已处理"}
        if action == "reopen":
            return {"fix_by": self.now.date() + dt.timedelta(days=3000), "note": "又坏了"}
        if action == "merge":
            return {"ticket": self.world.raised("A11").id, "note": "重复"}
        if action == "rate":
            return {"grades": self._grades(), "note": "评"}
        return {"note": "有依据"}

    def _grades(self) -> dict[str, str]:
        """Return grades of every kind, or good ones, for only what is good is struck off."""
        some = self.rng.choice((list(Grade), [Grade.VERY_SATISFIED, Grade.SATISFIED]))
        return {
            f"{part.organization_id}:{dimension.id}": self.rng.choice(some).value
            for part in active(self.ticket)
            for dimension in dimensions_of(self.ticket.whistle_class)
        }


def events(session: Session, ticket: Ticket) -> list[Event]:
    """Return a ticket's steps in order."""
    chain = select(Event).where(Event.record_type == "ticket", Event.record_id == ticket.id)
    return list(session.scalars(chain.order_by(Event.sequence)))
