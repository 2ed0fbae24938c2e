"""``flask --app app worker``: works through the queue; ``serve`` runs one beside itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from huey.consumer import Consumer

from jobs import bulletins, exports, imports
from jobs.queue import Queue, queue

ROOT = Path(__file__).resolve().parent.parent
#: Seconds after which a worker that has died is started again.
AGAIN = 5.0
#: Seconds between two looks into an empty queue at most.
MOST_IDLE = 1.0


@click.command("worker")
@click.option("--until-stdin-ends", is_flag=True, help="Stop when whoever started it is gone.")
@with_appcontext
def worker(until_stdin_ends: bool) -> None:
    """Read and write workbooks, send notices, watch the clock until stopped. One is enough."""
    work(current_app._get_current_object(), queue(), until_stdin_ends)  # type: ignore[attr-defined]


def work(app: Flask, tasks: Queue, until_stdin_ends: bool) -> None:
    """Take up what was left, then what comes. Returns when the process is told to stop."""
    for each in (imports, exports):
        each.recover(app)
        each.forget(app)
    bulletins.recover(app)
    if until_stdin_ends:
        threading.Thread(target=_stop_with_parent, daemon=True).start()
    # What a worker that died has left of the clock is done by its next strokes.
    tasks.clock.flush()
    by_the_clock = _Aside(tasks.clock, workers=1, max_delay=MOST_IDLE)
    # Until the one in the foreground listens: there is nothing yet to be ended in good order.
    signal.signal(signal.SIGTERM, lambda *_signal: sys.exit())
    by_the_clock.start()
    try:
        tasks.huey.create_consumer(workers=1, max_delay=MOST_IDLE).run()
    finally:
        tasks.stopping.set()
        by_the_clock.stop(graceful=True)


class _Aside(Consumer):
    """A consumer beside the one in the foreground, which alone is told when the process is to stop.

    Where both listened, a signal that came while the second was starting told the first alone.
    """

    def _set_signal_handlers(self) -> None:
        pass


def _stop_with_parent() -> None:
    """A server that is killed cannot stop its worker: its end of the pipe closes by itself."""
    # Not by sys.stdin: whoever holds its lock while the interpreter shuts down makes that abort.
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


class Beside:
    """The worker of a server: a process of its own, started again if it dies."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.process: subprocess.Popen[bytes] | None = None
        self.keeper = threading.Thread(target=self._keep, name="worker", daemon=True)

    def start(self) -> None:
        """Start the worker."""
        self.keeper.start()

    def stop(self) -> None:
        """Stop it and wait until it has gone."""
        self.stopping.set()
        if self.process is not None:
            self.process.terminate()
        self.keeper.join(timeout=30)

    def _keep(self) -> None:
        command = [sys.executable, "-m", "flask", "--app", "app", "worker", "--until-stdin-ends"]
        options: dict[str, Any] = {"stdin": subprocess.PIPE, "cwd": ROOT}
        while not self.stopping.is_set():
            with subprocess.Popen(command, **options) as self.process:  # noqa: S603 - our own command
                if self.stopping.is_set():
                    self.process.terminate()
                self.process.wait()
            self.stopping.wait(AGAIN)
