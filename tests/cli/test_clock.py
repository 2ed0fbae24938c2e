"""What the worker does by the clock: every task works, one that fails stops no other, two do no harm."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from jobs import clock
from jobs.clock import TASKS, Periodic
from jobs.queue import Queue
from models.notice import Notice
from rules.actor import SYSTEM, acting_as
from tests.conftest import Backend, session_factory
from tests.factories.world import World

#: Midnight in London: every task that runs by the hour or oftener is due, but for those of a minute.
MIDNIGHT = dt.datetime(2026, 11, 23, 0, 0)  # noqa: DTZ001 - as the queue asks


def named(queue: Queue, now: dt.datetime) -> set[str]:
    """Return the tasks that are due at a minute (UTC)."""
    return {each.name.rpartition(".")[2] for each in queue.clock.read_periodic(now)}


def test_what_is_due_when(sqlite: Backend) -> None:
    queue: Queue = sqlite.app.extensions["queue"]
    often = {"fold-facts", "route-notices", "send-notices"}
    fives = often | {"supervision", "deadlines"}
    assert named(queue, MIDNIGHT) == fives
    assert named(queue, MIDNIGHT.replace(minute=1)) == often
    assert named(queue, MIDNIGHT.replace(minute=5)) == fives
    assert named(queue, MIDNIGHT.replace(minute=7)) == often | {"decisions"}
    once_a_day = [
        hour
        for hour in range(24)
        if "forget-deliveries" in named(queue, MIDNIGHT.replace(hour=hour, minute=41))
    ]
    assert len(once_a_day) == 1


def test_every_task_works_and_leaves_what_it_has_told(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with session_factory(app)() as session, acting_as(session, SYSTEM):
        World(session).dispatched()
        session.commit()
    for each in TASKS:
        clock.run(app, each)
    assert "failed" not in caplog.text
    with session_factory(app)() as session, acting_as(session, SYSTEM):
        left = select(func.count(Notice.id)).where(Notice.routed_at.is_(None))
        assert session.scalar(left) == 0
        assert session.scalar(select(func.count(Notice.id)))


def test_a_task_that_fails_is_logged_and_stops_no_other(
    sqlite: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []

    def fail(_app: Flask) -> None:
        raise RuntimeError("broken")

    tasks = [
        Periodic("broken", lambda _at: True, fail),
        Periodic("sound", lambda _at: True, lambda _app: done.append("sound")),
    ]
    for each in tasks:
        clock.run(sqlite.app, each)
    assert done == ["sound"]
    assert "the periodic task broken failed" in caplog.text


def test_all_at_once_in_two_workers(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    with session_factory(app)() as session, acting_as(session, SYSTEM):
        world = World(session)
        for number in range(3):
            world.dispatched(title=f"第{number}盏灯")
        session.commit()
        before = session.scalar(select(func.count(Notice.id)))
    barrier = threading.Barrier(2, timeout=30)

    def work() -> None:
        barrier.wait()
        for each in TASKS:
            clock.run(app, each)

    threads = [threading.Thread(target=work) for _worker in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
        assert not each.is_alive()
    assert "failed" not in caplog.text
    with session_factory(app)() as session, acting_as(session, SYSTEM):
        rows: Any = session.execute(select(Notice.key, Notice.account_id)).all()
        assert len(rows) == len(set(rows)) == before
        left = select(func.count(Notice.id)).where(Notice.routed_at.is_(None))
        assert session.scalar(left) == 0
