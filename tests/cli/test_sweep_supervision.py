"""The sweep and the worker find what is due for supervision, and commit it once."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.exc import OperationalError

from cli.sweep import sweep
from jobs import supervision as jobs
from models.base import utcnow
from models.supervision import SupervisionCause
from models.ticket import Ticket
from rules import supervision
from rules.actor import SYSTEM, acting_as
from tests.conftest import Backend, session_factory
from tests.factories.orders import orders
from tests.factories.world import World

MATTER = "路灯安装与维修"


def prepared(sqlite: Backend) -> None:
    """Commit one ticket that is overdue, and three about the same matter of one township."""
    with session_factory(sqlite.app)() as session, acting_as(session, SYSTEM):
        world = World(session)
        late: Ticket = world.dispatched()
        late.next_due = utcnow() - dt.timedelta(hours=1)
        for _turn in range(3):
            ticket = world.draft(duty_item=world.item(MATTER), duty_item_name=MATTER)
            world.step(ticket, "raise", "community")
        session.commit()


def causes(sqlite: Backend) -> list[SupervisionCause]:
    with session_factory(sqlite.app)() as session, acting_as(session, SYSTEM):
        return [each.cause for each in orders(session)]


def test_the_command_finds_deadlines_and_matters(sqlite: Backend) -> None:
    prepared(sqlite)
    runner = sqlite.app.test_cli_runner()
    assert "新列入或加重的待确认督办 2 件" in runner.invoke(sweep).output
    assert "新列入或加重的待确认督办 0 件" in runner.invoke(sweep).output
    assert causes(sqlite) == [SupervisionCause.OVERDUE, SupervisionCause.AGAIN]


def test_deadlines_alone_are_found_without_the_matters(sqlite: Backend) -> None:
    prepared(sqlite)
    assert jobs.find_deadlines(sqlite.app) == 1
    assert jobs.find(sqlite.app) == 1
    assert jobs.find(sqlite.app) == 0


def test_a_sweep_that_another_got_in_the_way_of_is_done_again(
    sqlite: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared(sqlite)
    usual = supervision.find
    turns: list[object] = []

    def stumbling(*args: object, **more: object) -> int:
        turns.append(args)
        if len(turns) == 1:
            raise OperationalError("locked", None, Exception())
        return usual(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(supervision, "find", stumbling)
    assert jobs.find(sqlite.app) == 2
    assert len(turns) == 2
