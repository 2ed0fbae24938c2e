"""The sweep at the command line and beside the server: once, hourly, and never the server's end."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cli import sweep as command
from cli.sweep import start_clock, tend
from models.agreement import Agreement, AgreementStatus
from models.base import utcnow
from rules.actor import SYSTEM, acting_as
from rules.calendar import shanghai_date
from tests.conftest import Backend, session_factory
from tests.factories.world import World


@pytest.fixture
def app(sqlite: Backend) -> Flask:
    return sqlite.app


@pytest.fixture
def world(app: Flask) -> Iterator[World]:
    with session_factory(app)() as session, acting_as(session, SYSTEM):
        yield World(session)


def ending(world: World, left: int, pair: tuple[str, str] = ("A11", "A-U1")) -> int:
    """Return the id of an agreement in force that ends so many days from now."""
    last = shanghai_date(utcnow()) + dt.timedelta(days=left)
    first = last - dt.timedelta(days=365)
    found = world.agreement(*pair, f"协议{left}", valid_from=first, valid_until=last)
    world.step(found, "bring_into_force", "admin", now=utcnow() - dt.timedelta(days=40))
    world.session.commit()
    return found.id


def status(session: Session, pk: int) -> AgreementStatus:
    session.expire_all()
    return session.get_one(Agreement, pk).status


def test_the_command_says_what_was_done(app: Flask, world: World) -> None:
    over, near = ending(world, -3), ending(world, 20, ("A12", "A-U2"))
    runner = app.test_cli_runner()
    first = runner.invoke(command.sweep)
    assert (first.exit_code, first.output) == (
        0, "协议到期 1 份，逾期认领退回 0 件，发出到期提醒 3 条。\n新列入或加重的待确认督办 0 件。\n",
    )  # fmt: skip
    assert status(world.session, over) is AgreementStatus.EXPIRED
    assert status(world.session, near) is AgreementStatus.IN_FORCE
    again = runner.invoke(command.sweep)
    assert again.output.splitlines() == [
        "协议到期 0 份，逾期认领退回 0 件，发出到期提醒 0 条。",
        "新列入或加重的待确认督办 0 件。",
    ]


def test_a_sweep_that_was_in_the_way_is_followed(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at once may not both tell the same person: the second looks again, and finds it done."""
    pk = ending(world, -3)
    honest, turns = command.do_what_is_due, []

    def crossed(session: Session, now: dt.datetime) -> command.Swept:
        turns.append(now)
        if len(turns) == 1:
            honest(session, now)
            raise IntegrityError("INSERT", {}, ValueError("unique"))
        return honest(session, now)

    monkeypatch.setattr(command, "do_what_is_due", crossed)
    result = app.test_cli_runner().invoke(command.sweep)
    assert result.exit_code == 0
    assert "协议到期 1 份" in result.output, "nothing of the first turn was kept"
    assert len(turns) == 2
    assert status(world.session, pk) is AgreementStatus.EXPIRED


def test_two_at_once_do_no_harm(backend: Backend) -> None:
    """On both databases: each end and each notice once, whoever comes first."""
    with session_factory(backend.app)() as session, acting_as(session, SYSTEM):
        pairs = [("A11", "A-U1"), ("A11", "A-U2"), ("A12", "A-U1")]
        over = [ending(World(session), -left, pair) for left, pair in enumerate(pairs, 1)]
    start = threading.Barrier(3)
    done, failed = [], []

    def run() -> None:
        with backend.app.app_context():
            start.wait()
            try:
                done.append(command.sweep_once())
            except Exception as error:
                failed.append(error)
            finally:
                command.db.session.remove()

    threads = [threading.Thread(target=run) for _number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sum(each.expired for each in done) == len(over)
    with session_factory(backend.app)() as session, acting_as(session, SYSTEM):
        assert {status(session, pk) for pk in over} == {AgreementStatus.EXPIRED}


def turns(number: int) -> Callable[[], bool]:
    """Return a clock that strikes so many times and then stops."""
    left = iter([True] * (number - 1) + [False])
    return lambda: next(left)


def test_it_goes_on_by_the_hour_whatever_happens(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A failure is logged, and the next sweep takes place."""
    seen: list[str] = []

    def failing() -> command.Swept:
        seen.append("turn")
        if len(seen) == 2:
            raise RuntimeError("disk full")
        return command.Swept(0, 0, 0)

    monkeypatch.setattr(command, "sweep_once", failing)
    tend(app, turns(3))
    assert len(seen) == 3
    assert [record.levelname for record in caplog.records if record.exc_info] == ["ERROR"]
    assert "disk full" in caplog.text


def test_the_clock_is_a_thread_that_ends_with_the_server(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()
    monkeypatch.setattr(command, "tend", lambda app, again: begun.set())
    clock = start_clock(app)
    assert begun.wait(10)
    assert clock.daemon
    clock.join()
    assert command.EVERY == 3600


def test_claims_lapse_with_it(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slice by slice until none is left; their own rule is tried with the needs."""
    from rules import sweep as rule

    some = iter([2, 1, 0])
    monkeypatch.setattr(rule, "lapse_overdue", lambda session, today: next(some))
    result = app.test_cli_runner().invoke(command.sweep)
    assert "逾期认领退回 3 件" in result.output
