"""The worker: takes up what was left, ends when it should, is started again, and loses nothing if killed."""

from __future__ import annotations

import queue as queues
import secrets
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

import config
from app import create_app
from cli import worker
from cli.worker import Beside
from database import db
from jobs.imports import INTERRUPTED, read, uploads
from jobs.queue import Queue
from models.account import Account
from models.duty import DutyItem, DutyList
from models.import_job import ImportJob, ImportJobState
from models.imports import ImportBatch, ImportChange
from rules.actor import SYSTEM, acting_as
from tests.conftest import Backend, session_factory
from tests.factories.world import World
from tests.imports.books import ROOT, make_book

S = ImportJobState
#: Seconds within which a process has ended.
SOON = 60
SHEET = "基本履职事项清单"


class Live(config.Testing):
    """As it is served: the queue is a file that the worker reads too."""

    TESTING = False

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.DATA_DIR = folder
        self.SQLALCHEMY_DATABASE_URI = f"sqlite:///{folder / 'chuishao.db'}"


@dataclass
class Office:
    """The application as the web has it, and its worker in a process of its own."""

    app: Flask
    folder: Path

    def left(self, state: ImportJobState, *items: str) -> int:
        """Return the number of a new upload in that state."""
        stored = f"{secrets.token_hex(8)}.xlsx"
        rows = [
            ("序号", "类别", "事项名称"),
            *((n, "民生", each) for n, each in enumerate(items, 1)),
        ]
        path = make_book(uploads(self.app) / stored, (SHEET, rows))
        with session_factory(self.app)() as session, acting_as(session, SYSTEM):
            account = select(Account.id).where(Account.username == "duty")
            job = ImportJob(
                account_id=session.scalars(account).one(),
                kind="duty-items",
                organization=World(session).place("A1"),
                bundle=secrets.token_hex(8),
                state=state,
                file_name="清单.xlsx",
                stored_name=stored,
                size=path.stat().st_size,
                decisions={},
                findings={},
            )
            session.add(job)
            session.commit()
            return job.id

    def job(self, number: int) -> tuple[ImportJobState, str | None]:
        """Return how an upload stands, and what is said of it."""
        with session_factory(self.app)() as session, acting_as(session, SYSTEM):
            job = session.get_one(ImportJob, number)
            return job.state, job.message

    def confirm(self, number: int) -> None:
        """Ask the worker to write an upload, as its page does."""
        with session_factory(self.app)() as session, acting_as(session, SYSTEM):
            session.get_one(ImportJob, number).state = S.WRITING
            session.commit()
        tasks: Queue = self.app.extensions["queue"]
        tasks.send("import-write", number)

    def written(self) -> list[int]:
        """Return how many rows there are of what an import writes."""
        models: tuple[Any, ...] = (DutyList, DutyItem, ImportBatch, ImportChange)
        with session_factory(self.app)() as session, acting_as(session, SYSTEM):
            return [session.scalar(select(func.count(each.id))) or 0 for each in models]

    def worker(self, *stay: str) -> subprocess.Popen[str]:
        """Return a worker that has begun; it stays in the phase, if one is named."""
        command = [sys.executable, "-m", "tests.cli.working", *stay]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        process = subprocess.Popen(command, cwd=ROOT, **pipes)
        assert said(process) == "started"
        return process


def said(process: subprocess.Popen[str]) -> str:
    """Return the next word of a worker; one that says nothing is ended, and nothing is returned."""
    assert process.stdout is not None
    patience = threading.Timer(SOON, process.kill)
    patience.start()
    try:
        return process.stdout.readline().strip()
    finally:
        patience.cancel()


def ended(process: subprocess.Popen[str]) -> int:
    """Close the worker's pipes and return how it has ended."""
    with process:
        return process.wait(timeout=SOON)


@pytest.fixture
def office(sqlite: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    shutil.copy(sqlite.url.removeprefix("sqlite:///"), tmp_path / "chuishao.db")
    monkeypatch.setenv("CHUISHAO_DATA_DIR", str(tmp_path))
    app = create_app(Live(tmp_path))
    yield Office(app, tmp_path)
    with app.app_context():
        db.engine.dispose()


# What was left


def test_it_takes_up_what_was_left(office: Office) -> None:
    """What waited or was being read is read now; what was being written waits for another word."""
    waiting, reading = office.left(S.WAITING, "甲"), office.left(S.READING, "乙")
    writing = office.left(S.WRITING, "丙")
    before = office.written()
    process = office.worker()
    assert office.job(writing) == (S.READY, INTERRUPTED)
    assert [said(process), said(process)] == ["done", "done"]
    assert [office.job(each) for each in (waiting, reading)] == [(S.READY, None)] * 2
    process.terminate()
    assert ended(process) == 0
    assert office.written() == before


# The end


def test_told_to_stop_it_ends_and_the_next_one_goes_on(office: Office) -> None:
    number = office.left(S.WAITING, "甲", "乙")
    before = office.written()
    process = office.worker("check")
    assert said(process) == "check"
    process.terminate()
    assert ended(process) == 0
    assert office.job(number) == (S.READING, None)
    again = office.worker()
    assert said(again) == "done"
    assert office.job(number) == (S.READY, None)
    again.terminate()
    assert ended(again) == 0
    assert office.written() == before


def test_it_ends_when_whoever_started_it_is_gone(office: Office) -> None:
    process = office.worker()
    assert process.stdin is not None
    process.stdin.close()
    assert ended(process) == 0


def test_the_worker_of_a_server_that_is_killed_ends_too(office: Office) -> None:
    """It holds the other end of our pipe: reading to the end waits for it."""
    code = (
        "import threading; from cli.worker import Beside; beside = Beside(); beside.start()\n"
        "while beside.process is None: pass\n"
        "print(beside.process.pid, flush=True); threading.Event().wait()"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert int(said(server)) != server.pid
        server.kill()
        rest, _errors = server.communicate(timeout=SOON)
    assert rest == ""


# Beside the server


class Stand(subprocess.Popen[bytes]):
    """A process that is as easily stopped as a worker, in its place: it tells when it is there."""

    there: queues.Queue[Stand] = queues.Queue()

    def __init__(self, command: list[str], **options: Any) -> None:
        assert command[1:] == ["-m", "flask", "--app", "app", "worker", "--until-stdin-ends"]
        super().__init__([sys.executable, "-c", "import sys; sys.stdin.read()"], **options)
        self.there.put(self)


def test_a_worker_that_died_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker.subprocess, "Popen", Stand)
    monkeypatch.setattr(worker, "AGAIN", 0.01)
    beside = Beside()
    beside.start()
    first = Stand.there.get(timeout=SOON)
    first.kill()
    second = Stand.there.get(timeout=SOON)
    assert first.wait(timeout=SOON) == -signal.SIGKILL
    assert second.poll() is None
    beside.stop()
    assert second.wait(timeout=SOON) == -signal.SIGTERM
    assert not beside.keeper.is_alive()
    assert Stand.there.empty(), "stopped, it is not started once more"


# Killed


def test_killed_while_writing_it_leaves_no_record_and_the_file_can_be_confirmed(
    office: Office,
) -> None:
    number = office.left(S.WAITING, *(f"事项{n}" for n in range(40)))
    read(office.app, number)
    assert office.job(number) == (S.READY, None)
    before = office.written()
    process = office.worker("write")
    office.confirm(number)
    assert said(process) == "write"
    process.kill()
    assert ended(process) == -signal.SIGKILL
    assert office.written() == before
    assert office.job(number)[0] is S.WRITING

    again = office.worker()
    assert office.job(number) == (S.READY, INTERRUPTED)
    assert office.written() == before
    office.confirm(number)
    assert said(again) == "done"
    assert office.job(number) == (S.DONE, None)
    lists, items, batches, _changes = (
        now - then for now, then in zip(office.written(), before, strict=True)
    )
    assert (lists, items, batches) == (1, 41, 1), "the one that was in force is kept beside them"
    again.terminate()
    assert ended(again) == 0
