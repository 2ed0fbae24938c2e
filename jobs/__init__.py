"""Background work: each task is an edge that acts for whoever asked for it, and commits once."""

from __future__ import annotations

from flask import Flask

from jobs.queue import Queue
from notifications.channels import settings_of


def init_app(app: Flask) -> None:
    """Give the application its queue; ``flask worker`` works through it.

    Raises ``ValueError`` for settings by which nothing could be sent: better now than at night.
    """
    settings_of(app.config)
    app.extensions["queue"] = Queue(app)
