"""What falls due by the calendar alone: ends, claims that lapse, reminders; run once an hour."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from rules.calendar import shanghai_date
from rules.needs import lapse_overdue
from rules.reminders import expire_overdue, remind


@dataclass(frozen=True)
class Swept:
    """What a sweep has done: agreements that expired, claims that lapsed, people reminded."""

    expired: int
    lapsed: int
    reminded: int


def sweep(session: Session, now: dt.datetime) -> Swept:
    """Do what is due at an instant; a second sweep right after finds nothing left to do.

    The session acts for the system. Ends come first: nobody is reminded of what is over. Never
    commits.
    """
    today = shanghai_date(now)
    return Swept(
        expired=expire_overdue(session, now),
        lapsed=_lapse_all(session, today),
        reminded=remind(session, today),
    )


def _lapse_all(session: Session, today: dt.date) -> int:
    """Let all overdue claims lapse, a slice at a time."""
    lapsed = 0
    while some := lapse_overdue(session, today):
        lapsed += some
    return lapsed
