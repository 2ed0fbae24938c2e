"""What the worker does by the clock: each task an edge of its own, whose failure stops no other.

All of them ask the tables what is due, so that one that is missed is made up for by the next, and two
workers do no harm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask
from huey import crontab

from jobs import facts, follow_up, notices, supervision

Task = Callable[[Flask], Any]


@dataclass(frozen=True)
class Periodic:
    """A task with the minutes (UTC) at which it runs, as ``huey.crontab`` gives them."""

    name: str
    when: Callable[..., bool]
    task: Task


TASKS: tuple[Periodic, ...] = (
    Periodic("fold-facts", crontab(), facts.catch_up),
    Periodic("supervision", crontab(minute="*/5"), supervision.find_deadlines),
    Periodic("again-and-again", crontab(minute="23"), supervision.find),
    Periodic("deadlines", crontab(minute="*/5"), notices.warn),
    Periodic("decisions", crontab(minute="7"), follow_up.remind),
    Periodic("route-notices", crontab(), notices.route),
    Periodic("send-notices", crontab(), notices.send),
    Periodic("forget-deliveries", crontab(minute="41", hour="18"), notices.forget),
)


def run(app: Flask, periodic: Periodic) -> None:
    """Run one task; what goes wrong is logged, and tried again at its next time."""
    try:
        periodic.task(app)
    except Exception:
        app.logger.exception("the periodic task %s failed", periodic.name)
