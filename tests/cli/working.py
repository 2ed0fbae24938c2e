"""A worker that tells on its standard output how far it is, and stays where it is asked to.

``python -m tests.cli.working [PHASE]``: says ``started`` when it looks into the queue, ``done`` after
each task that somebody asked for, and the phase, in the middle of which it stays until it is stopped or killed.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

from huey.api import PeriodicTask, Task
from huey.signals import SIGNAL_COMPLETE

from app import create_app
from cli.worker import work
from imports.decisions import Watch
from jobs.queue import Queue


def main(stay: str | None = None) -> None:
    """Work as ``flask worker --until-stdin-ends`` does; ``stay``: the phase to stay in."""
    app = create_app()
    queue: Queue = app.extensions["queue"]
    honest = queue.watch

    def staying(key: str) -> Watch:
        watch = honest(key)

        def held(phase: str, done: int, total: int) -> None:
            watch(phase, done, total)
            if phase == stay and done:
                say(phase)
                threading.Event().wait()

        return held

    queue.watch = staying
    queue.huey.on_startup()(lambda: say("started"))

    def completed(_signal: str, task: Task, *_about: Any) -> None:
        if not isinstance(task, PeriodicTask):  # what the clock asks for comes when it likes
            say("done")

    queue.huey.signal(SIGNAL_COMPLETE)(completed)
    with app.app_context():
        work(app, queue, until_stdin_ends=True)


def say(word: Any) -> None:
    """Print a word at once."""
    print(word, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
