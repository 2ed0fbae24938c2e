"""Supervision under concurrency: two sweeps, two who confirm, numbers given out at once."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models.ledger import Event
from models.organization import Organization
from models.supervision import Supervision, SupervisionKind, SupervisionStatus
from rules import supervision, workflow
from rules.actor import SYSTEM, Actor, acting_as
from rules.errors import Conflict
from tests.conftest import Backend
from tests.factories.orders import FAR, orders, proposed
from tests.factories.race import Job, race
from tests.factories.world import World

S = SupervisionStatus


def test_two_sweeps_at_once_propose_nothing_twice(
    backend: Backend, session: Session, world: World
) -> None:
    tickets = [world.dispatched(title=f"路灯{number}") for number in range(4)]
    now = max(each.next_due for each in tickets if each.next_due) + dt.timedelta(hours=1)
    session.commit()

    def sweep(each: Session, _actor: Actor) -> int:
        with acting_as(each, SYSTEM):
            return supervision.find(each, now)

    outcomes = race(backend, "office", [sweep] * 4)
    assert sum(each for each in outcomes if isinstance(each, int)) == 4
    late = [each for each in outcomes if not isinstance(each, int)]
    # SQLite may give up waiting for its one writer; the job then sweeps once more.
    assert all(isinstance(each, OperationalError) for each in late)
    assert len(orders(session)) == 4
    firsts = select(Event.id).where(Event.record_type == "supervision")
    assert len(session.scalars(firsts).all()) == 4


def confirming(number: int, department: int) -> Job:
    def job(each: Session, actor: Actor) -> Any:
        record = each.get_one(Supervision, number)
        given = {
            "kind": SupervisionKind.ORDINARY,
            "department": department,
            "head": "张局长",
            "due_on": FAR,
        }
        workflow.apply(each, record, "confirm", actor, given, seen_status="proposed")
        return record.number

    return job


def test_two_who_confirm_at_once_issue_one_order(
    backend: Backend, session: Session, world: World
) -> None:
    record = proposed(world, world.dispatched())
    session.commit()
    department = world.place("A-D1").id
    outcomes = race(backend, "office", [confirming(record.id, department)] * 3)
    (number,) = [each for each in outcomes if isinstance(each, str)]
    assert number.endswith("〕1号")
    lost = [each for each in outcomes if not isinstance(each, str)]
    assert len(lost) == 2
    assert all(isinstance(each, Conflict) for each in lost), lost
    session.expire_all()
    assert record.status is S.ISSUED


def test_numbers_that_are_given_out_at_once_are_all_different(
    backend: Backend, session: Session, world: World
) -> None:
    records = [proposed(world, matter=f"事项{number}") for number in range(4)]
    session.commit()
    department = session.scalars(select(Organization.id).where(Organization.code == "A-D1")).one()
    outcomes = race(backend, "office", [confirming(each.id, department) for each in records])
    assert all(isinstance(each, str) for each in outcomes), outcomes
    assert sorted(each.rsplit("〕")[-1] for each in outcomes) == ["1号", "2号", "3号", "4号"]
