"""Whistle slips from paper, entered later beside those raised online (domain section 9)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy.orm import Session

from models.base import Titled
from models.ticket import Ticket
from rules import workflow
from rules.actor import Actor


@dataclass(frozen=True)
class Times:
    """The true times that stand on a slip, aware; in order, without a gap, none in the future."""

    raised_at: dt.datetime
    dispatched_at: dt.datetime | None = None
    accepted_at: dt.datetime | None = None
    arrived_at: dt.datetime | None = None
    resolved_at: dt.datetime | None = None
    closed_at: dt.datetime | None = None


def enter(
    session: Session,
    ticket: Ticket,
    actor: Actor,
    times: Times,
    *,
    lead: int | None = None,
    assisting: Iterable[int] = (),
    due: dt.date | None = None,
    result: str | None = None,
    grades: dict[str, str] | None = None,
    pictures: Iterable[Any] = (),
    note: str | None = None,
    now: dt.datetime | None = None,
) -> Titled:
    """Take a draft through the stages that its paper shows, and return where it stands then.

    The ticket is a flushed draft with its first event. ``lead`` (an organisation's id) is needed
    once the paper shows a dispatch, ``result`` once it shows a report; ``due`` where the dispatcher
    sets the deadline; ``grades`` maps "department id:dimension id" to a grade's value, complete or
    not at all. Community staff enter raised slips only; what came after is entered by the township
    or the office. A slip that shows only its raising goes on along the review route.

    Raises ``Invalid``, ``Conflict`` or ``Forbidden`` with a sentence. Never commits.
    """
    data: dict[str, Any] = {each.name: getattr(times, each.name) for each in fields(times)}
    data |= {
        "lead": lead,
        "assisting": list(assisting),
        "due": due,
        "result": result,
        "grades": grades or {},
        "photos": list(pictures),
        "note": note,
    }
    return workflow.apply(session, ticket, "enter_paper", actor, data, now=now)
