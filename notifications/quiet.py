"""Quiet hours: when nobody is written to, but for emergencies. Times of day are those of Shanghai."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from presets.supervision import USUAL
from rules.calendar import SHANGHAI, as_utc

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True)
class Hours:
    """A part of every day, in minutes after midnight; over midnight if it ends before it starts.

    One that ends as it starts is none at all.
    """

    start: int
    end: int


#: When the daily mail leaves.
DIGEST = dt.time(8, 0)


def read(start: str | None, end: str | None) -> Hours | None:
    """Return the hours that two times such as "22:00" name; None unless both are given."""
    if not (_CLOCK.fullmatch(start or "") and _CLOCK.fullmatch(end or "")):
        return None
    return Hours(_minutes(start or ""), _minutes(end or ""))


def _minutes(word: str) -> int:
    hours, minutes = word.split(":")
    return int(hours) * 60 + int(minutes)


#: Where neither the person nor the county has said anything.
NIGHT = read(USUAL.quiet_from, USUAL.quiet_until) or Hours(0, 0)


def free_from(hours: Hours | None, at: dt.datetime) -> dt.datetime:
    """Return the first instant (UTC) from ``at`` on that does not lie in quiet hours."""
    moment = as_utc(at)
    if hours is None:
        return moment
    here = moment.astimezone(SHANGHAI)
    minute = here.hour * 60 + here.minute
    if hours.start <= hours.end:
        inside = hours.start <= minute < hours.end
    else:
        inside = minute >= hours.start or minute < hours.end
    return _next(dt.time(*divmod(hours.end, 60)), moment) if inside else moment


def next_digest(now: dt.datetime) -> dt.datetime:
    """Return when the next daily mail leaves (UTC), after ``now``."""
    return _next(DIGEST, now)


def last_digest(now: dt.datetime) -> dt.datetime:
    """Return when the latest daily mail has left (UTC), ``now`` included."""
    return _next(DIGEST, now) - dt.timedelta(days=1)


def _next(time: dt.time, after: dt.datetime) -> dt.datetime:
    here = as_utc(after).astimezone(SHANGHAI)
    found = dt.datetime.combine(here.date(), time, SHANGHAI)
    if found <= here:
        found += dt.timedelta(days=1)
    return as_utc(found)
