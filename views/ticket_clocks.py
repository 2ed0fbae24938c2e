"""A ticket's clocks and those of each department: what is left, what was kept, what was not."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

from flask_babel import gettext as _
from markupsafe import Markup

from models.base import utcnow
from models.mechanism import WhistleClass
from models.ticket import AT_DEPARTMENT, OFF_WORK, Ticket, TicketAssignment
from models.ticket_file import ExtensionStatus, TicketExtension
from rules.calendar import WorkCalendar, shanghai_date
from rules.clocks import DONE, PART_DONE, near_from
from rules.mechanisms import calendar
from rules.wording import local, remaining
from views.context import session
from views.rendering import EMPTY

#: Clock → what it is called on the ticket.
NAMES = {"respond": "应哨期限", "arrive": "报到期限", "resolve": "办结期限"}


@dataclass(frozen=True)
class Clock:
    """One deadline. ``running`` is false when nobody owes the step any more.

    ``was`` is the deadline before an extension; ``asked`` the one that a request would give.
    """

    label: str
    due: dt.datetime
    done: dt.datetime | None
    warn: dt.datetime | None
    running: bool
    now: dt.datetime
    was: dt.datetime | None = None
    asked: dt.datetime | None = None

    @property
    def tone(self) -> str:
        """Green when kept, red when over, yellow when near, grey when nobody owes it."""
        if self.done is not None:
            return "success" if self.done <= self.due else "danger"
        if not self.running:
            return "muted"
        if self.due <= self.now:
            return "danger"
        return "warning" if self.warn is not None and self.warn <= self.now else "info"

    @property
    def said(self) -> str:
        """What is left, or how it ended."""
        if self.done is not None:
            return _("按期完成") if self.done <= self.due else _("超期完成")
        return remaining(self.due, self.now, _) if self.running else _("不再计时")

    @property
    def value(self) -> Markup | str:
        """``said``, with what the page's script needs to keep it true if it is still running."""
        if self.done is not None or not self.running:
            return self.said
        warn = Markup(' data-warn="{}"').format(self.warn.isoformat()) if self.warn else ""
        return Markup('<span class="clock clock-{}" data-due="{}"{}>{}</span>').format(
            self.tone, self.due.isoformat(), warn, self.said
        )


class Clockwork:
    """The clocks of one ticket's page, all read at one instant."""

    def __init__(self, ticket: Ticket, extensions: list[TicketExtension]) -> None:
        self.ticket, self.extensions, self.now = ticket, extensions, utcnow()

    def of_ticket(self) -> list[Clock]:
        """Return the clocks that the ticket has: a class may leave a limit open."""
        ticket, found = self.ticket, []
        running = ticket.status in AT_DEPARTMENT
        for name, label in NAMES.items():
            due = getattr(ticket, f"{name}_due")
            if due is None:
                continue
            was, asked = self._moved(due) if name == "resolve" else (None, None)
            done = getattr(ticket, DONE[name])
            warn = self._warn(name, due) if running and done is None else None
            found.append(Clock(_(label), due, done, warn, running, self.now, was, asked))
        return found

    def of_part(self, part: TicketAssignment, name: str) -> Clock | None:
        """Return one of a department's own clocks, if it has that deadline."""
        due = getattr(part, f"{name}_due")
        if due is None:
            return None
        running = part.status not in OFF_WORK and self.ticket.status in AT_DEPARTMENT
        done = getattr(part, PART_DONE[name])
        warn = self._warn(name, due) if running and done is None else None
        return Clock("", due, done, warn, running, self.now)

    def cell(self, part: TicketAssignment, name: str) -> Markup | str:
        """Return how a department stands to one of its steps: when it was due, and when done."""
        clock, done = self.of_part(part, name), getattr(part, PART_DONE[name])
        if clock is None:
            return (
                Markup('<span class="stamp">{}</span>').format(self._short(done)) if done else EMPTY
            )
        lines = [Markup('<span class="stamp clock-{}">{}</span>').format(clock.tone, clock.value)]
        if done is not None:
            lines.append(Markup('<span class="stamp">{}</span>').format(self._short(done)))
        lines.append(
            Markup('<span class="stamp stamp-due">{}</span>').format(
                _("时限 %(time)s", time=self._short(clock.due))
            )
        )
        return Markup("").join(lines)

    def _short(self, moment: dt.datetime) -> str:
        """Return an instant as narrow columns show it: without the year, if it is the present one."""
        return local(moment).removeprefix(f"{shanghai_date(self.now).year}-")

    def _moved(self, due: dt.datetime) -> tuple[dt.datetime | None, dt.datetime | None]:
        """Return the deadline to resolve as it was before extensions, and as it is asked for."""
        granted = [each for each in self.extensions if each.status is ExtensionStatus.APPROVED]
        asked = [each for each in self.extensions if each.status is ExtensionStatus.REQUESTED]
        # A later dispatch or reopening makes the granted one a thing of the past.
        was = granted[-1].old_due if granted and granted[-1].new_due == due else None
        return was, asked[-1].new_due if asked else None

    def _warn(self, name: str, due: dt.datetime) -> dt.datetime | None:
        """Return when a clock turns yellow: as the class says, before its deadline."""
        ticket = self.ticket
        if due == ticket.next_due and ticket.next_warn is not None:
            return ticket.next_warn
        return near_from(self.whistle_class, name, due, lambda: self.calendar)

    @cached_property
    def whistle_class(self) -> WhistleClass:
        """The class, in the version that the ticket was dispatched under."""
        return self.ticket.whistle_class

    @cached_property
    def calendar(self) -> WorkCalendar:
        """The working calendar: asked of the database only where a warning counts working time."""
        return calendar(session(), self.whistle_class.mechanism)
