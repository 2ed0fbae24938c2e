"""Background work: each task is an edge that acts for whoever asked for it, and commits once."""

from __future__ import annotations

from flask import Flask

from jobs.queue import Queue


def init_app(app: Flask) -> None:
    """Give the application its queue; ``flask worker`` works through it."""
    app.extensions["queue"] = Queue(app)
