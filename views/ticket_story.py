"""What happened to a ticket: its events, words and photos in the order of time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import pgettext
from markupsafe import Markup
from sqlalchemy import select

from models.ledger import Event
from models.ticket import Ticket, TicketStatus
from models.ticket_file import PhotoMoment, TicketComment, TicketPhoto
from rules.wording import local
from views.context import session
from views.presentation import Detail
from views.ticket_words import details_of

#: Events, and comments, that a page shows unless it is asked for all of them.
LATEST = 25
#: And then: more than any ticket has, so that no page is without end.
ALL = 1000
_STATES = {state.value: state for state in TicketStatus}


@dataclass(frozen=True)
class Photo:
    """A photo as a page shows it: its thumbnail leads to it."""

    moment: PhotoMoment
    url: str
    thumb: str
    alt: str
    width: int
    height: int


@dataclass(frozen=True)
class Line:
    """A line of the timeline: a step that was taken, or something that was said (``comment``).

    ``entered`` is when a step on paper was entered.
    """

    label: str
    at: dt.datetime
    who: str
    organization: str
    note: str
    tone: str = "muted"
    to_status: str = ""
    details: list[Detail] = field(default_factory=list)
    photos: list[Photo] = field(default_factory=list)
    comment: bool = False
    entered: str = ""


@dataclass(frozen=True)
class Story:
    """A ticket's timeline; ``earlier`` tells that it goes further back than what is shown."""

    lines: list[Line]
    earlier: bool
    photos: dict[PhotoMoment, list[Photo]]
    events: list[Event]


def story_of(ticket: Ticket, *, whole: bool = False) -> Story:
    """Return what happened to a ticket, oldest first: three statements, however much it is."""
    most = ALL if whole else LATEST
    events = _newest(Event, Event.sequence, Event.record_type == "ticket", ticket.id, most)
    comments = _newest(TicketComment, TicketComment.id, None, ticket.id, most)
    photos = list(
        session().scalars(
            select(TicketPhoto).where(TicketPhoto.ticket_id == ticket.id).order_by(TicketPhoto.id)
        )
    )
    shown = {each.id: photo_of(each) for each in photos}
    by_step = _by_step(events, photos)
    lines = [
        *(_step(each, [shown[pk] for pk in by_step.get(each.sequence, [])]) for each in events),
        *(_word(each) for each in comments),
    ]
    # Steps on paper are told where they happened, not where they were entered.
    lines.sort(key=lambda line: line.at)
    earlier = len(lines) > most or (bool(events) and events[0].sequence > 1)
    by_moment = {
        moment: [shown[each.id] for each in photos if each.moment is moment]
        for moment in PhotoMoment
    }
    return Story(lines[-most:], earlier, by_moment, events)


def _newest(kind: Any, order: Any, test: Any, ticket_id: int, most: int) -> list[Any]:
    """Return the newest events or comments of a ticket, oldest first."""
    column = kind.record_id if kind is Event else kind.ticket_id
    statement = select(kind).where(column == ticket_id).order_by(order.desc()).limit(most + 1)
    if test is not None:
        statement = statement.where(test)
    return list(session().scalars(statement))[::-1]


def _by_step(events: list[Event], photos: Iterable[TicketPhoto]) -> dict[int, list[int]]:
    """Return the photos' ids by the event that they came with.

    Those of a draft came with no step; they belong to the whistle, once it is blown.
    """
    first = next((each.sequence for each in events if each.action == "raise"), None)
    if first is None and events and events[0].sequence == 1:
        first = 1
    found: dict[int, list[int]] = {}
    for each in photos:
        sequence = each.step if each.step is not None else first
        if sequence is not None:
            found.setdefault(sequence, []).append(each.id)
    return found


def photo_of(photo: TicketPhoto) -> Photo:
    """Return a photo with its addresses and the words that stand in for it."""
    alt = _(
        "%(moment)s的照片，%(organization)s %(who)s上传于 %(at)s",
        moment=_(photo.moment.title),
        organization=photo.organization_name,
        who=photo.uploaded_by,
        at=local(photo.created_at),
    )
    return Photo(
        photo.moment,
        url_for("TicketView.photo", pk=photo.id),
        url_for("TicketView.thumb", pk=photo.id),
        alt,
        photo.width,
        photo.height,
    )


def _step(event: Event, photos: list[Photo]) -> Line:
    """Return an event as a line: what changed in words, when it was entered if that was later."""
    reached = _STATES.get(event.to_status)
    moved = event.from_status != event.to_status
    entered = (event.data or {}).get("entered_at")
    return Line(
        label=pgettext("step", event.label),
        at=event.at,
        who=event.actor_name,
        organization=event.organization_name,
        note=event.note or "",
        tone=reached.tone if reached else "muted",
        to_status=_(reached.title) if reached and moved else "",
        details=details_of(event),
        photos=photos,
        entered=local(dt.datetime.fromisoformat(entered)) if entered else "",
    )


def _word(comment: TicketComment) -> Line:
    """Return a comment as a line."""
    return Line(
        label=_("留言"),
        at=comment.created_at,
        who=comment.author_name,
        organization=comment.organization_name,
        note=comment.text,
        comment=True,
    )


def last_of(events: list[Event], *actions: str) -> Event | None:
    """Return the latest event of some actions among those that are shown."""
    return next((each for each in reversed(events) if each.action in actions), None)


def said_by(event: Event) -> Markup | str:
    """Return who took a step, and when."""
    return f"{event.organization_name} {event.actor_name}，{local(event.at)}"
