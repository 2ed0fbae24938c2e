"""The queue of background work: huey in a file of its own beside the data, and how far tasks are."""

from __future__ import annotations

import threading
import time
from functools import partial
from pathlib import Path
from typing import Any, cast

from flask import Flask, current_app
from huey import Huey, MemoryHuey, SqliteHuey, crontab

from imports.decisions import Cancelled, Watch

#: Seconds between two notes of how far a task is, and two looks whether it has been called off.
BEAT = 0.3


class Queue:
    """The application's queue. Rows in the database say what is to be done; a task only wakes.

    Progress and cancellation are kept in the queue's own file: a task that is writing holds the
    product's database to the end.
    """

    def __init__(self, app: Flask) -> None:
        """Open the queue; an application under test works through its tasks by itself."""
        self.app = app
        self.huey = self._open("chuishao")
        #: What is done by the clock has a consumer of its own: a long import keeps no message waiting.
        self.clock = self._open("clock")
        #: Set when the worker is to end: what takes long looks at it between two pieces.
        self.stopping = threading.Event()
        self._wake = self.huey.task()(self._work)
        self.huey.periodic_task(crontab(minute="17"))(self._tidy)
        self._set_clock()

    def _open(self, name: str) -> Huey:
        if self.app.config["TESTING"]:
            return MemoryHuey(name)
        return SqliteHuey(name, filename=str(Path(self.app.config["DATA_DIR"]) / "queue.db"))

    def _set_clock(self) -> None:
        from jobs import clock  # its tasks need what stands on the queue

        for each in clock.TASKS:
            task = partial(clock.run, self.app, each)
            self.clock.periodic_task(each.when, name=each.name)(task)

    def _work(self, name: str, number: int) -> None:
        from jobs.tasks import TASKS  # the tasks need the queue

        TASKS[name](self.app, number)

    def _tidy(self) -> None:
        from jobs import exports, imports  # they need the queue

        imports.forget(self.app)
        exports.forget(self.app)

    def send(self, name: str, number: int) -> None:
        """Ask for a task (``jobs.tasks``) on the row of that number. After the row is committed."""
        self._wake(name, number)

    def work_off(self) -> int:
        """Do here and now what waits, and return how many tasks that were."""
        done = 0
        while (task := self.huey.dequeue()) is not None:
            self.huey.execute(task)
            done += 1
        return done

    # How far, and whether to stop

    def note(self, key: str, progress: tuple[str, int, int]) -> None:
        """Note how far a task is: phase, done, total."""
        self.huey.put(f"progress:{key}", list(progress))

    def progress(self, key: str) -> tuple[str, int, int] | None:
        """Return how far a task is, if it has begun."""
        found = self.huey.get(f"progress:{key}", peek=True)
        return cast("tuple[str, int, int]", tuple(found)) if found else None

    def call_off(self, key: str) -> None:
        """Ask a task to stop at its next beat."""
        self.huey.put(f"stop:{key}", True)

    def called_off(self, key: str) -> bool:
        """Tell whether a task has been asked to stop."""
        return bool(self.huey.get(f"stop:{key}", peek=True))

    def watch(self, key: str) -> Watch:
        """Return what a task calls as it goes on: it notes how far, and raises ``Cancelled`` to stop."""
        beat = Beat()

        def watch(phase: str, done: int, total: int) -> None:
            if beat.due():
                self.note(key, (phase, done, total))
                if self.called_off(key):
                    raise Cancelled

        return watch

    def forget(self, key: str) -> None:
        """Drop what is noted of a task that has ended, or begins anew."""
        for name in ("progress", "stop"):
            self.huey.get(f"{name}:{key}")


class Beat:
    """Says when ``BEAT`` seconds have gone by since it last said so."""

    def __init__(self) -> None:
        self.last = 0.0

    def due(self) -> bool:
        """Tell whether it is time again."""
        now = time.monotonic()
        if now - self.last < BEAT:
            return False
        self.last = now
        return True


def queue() -> Queue:
    """Return the queue of the application at hand."""
    found: Any = current_app.extensions["queue"]
    return cast(Queue, found)
