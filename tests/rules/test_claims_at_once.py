"""Several claim one wish at once: one gets it, the others are told who, on both databases."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.need import Need, NeedStatus
from models.notice import Notice
from rules import ledger, workflow
from rules.actor import SYSTEM, Actor, acting_as, actor_of
from rules.errors import Conflict
from rules.needs import lapse_overdue
from tests.conftest import Backend
from tests.factories import ledgers as make
from tests.factories.race import Job, race
from tests.factories.world import World

MANY = 6


def claim(number: int, account: str) -> Job:
    """Return a claim as an account; it comes to the unit that has claimed."""

    def job(session: Session, _actor: Actor) -> str:
        world = World(session)
        with acting_as(session, SYSTEM):
            actor = actor_of(session, world.account(account))
        with acting_as(session, actor):
            need = session.get_one(Need, number)
            workflow.apply(session, need, "claim", actor, {}, seen_status="published")
        return actor.organization_name

    return job


def test_of_many_claims_at_once_one_wins_and_the_others_are_told_who(
    backend: Backend, session: Session, world: World
) -> None:
    for unit in ("A-U1", "A-U2"):
        make.in_force(world, "A11", unit)
    number = make.need(world, "A11", "想借轮椅", is_wish=True).id
    session.commit()
    accounts = ["unit", "unit2"] * (MANY // 2)
    outcomes = race(backend, "unit", [claim(number, account) for account in accounts])
    won = [each for each in outcomes if isinstance(each, str)]
    lost = [each for each in outcomes if isinstance(each, Conflict)]
    assert (len(won), len(lost)) == (1, MANY - 1), outcomes
    for refusal in lost:
        assert f"现在是“认领”，最近一步是{won[0]}" in refusal.message
    session.expire_all()
    need = session.get_one(Need, number)
    assert (need.status, need.claimed_by.name) == (NeedStatus.CLAIMED, won[0])
    events = ledger.events_of(session, need)
    assert [each.action for each in events] == ["create", "publish", "claim"]
    assert ledger.faults(events) == []
    told = session.scalars(select(Notice).where(Notice.key.contains(":claim:"))).all()
    assert all(won[0] in each.title for each in told)
    assert {each.account_id for each in told} >= {world.account("community").id}


def test_a_claim_and_its_lapse_do_not_both_happen(
    backend: Backend, session: Session, world: World
) -> None:
    """The sweep that returns an overdue claim, and the unit that starts on it at that moment."""
    make.in_force(world, "A11", "A-U1")
    need = make.need(world, "A11", "想借轮椅")
    world.step(need, "claim", "unit")
    number, late = need.id, need.due_on + dt.timedelta(days=1)
    session.commit()

    def start(session: Session, actor: Actor) -> str:
        workflow.apply(session, session.get_one(Need, number), "start", actor, {})
        return "start"

    def sweep(session: Session, _actor: Actor) -> str:
        with acting_as(session, SYSTEM):
            return f"lapsed {lapse_overdue(session, late)}"

    outcomes = race(backend, "unit", [start, sweep])
    session.expire_all()
    status = session.get_one(Need, number).status
    begun = "start" in outcomes
    assert status is (NeedStatus.IN_HAND if begun else NeedStatus.PUBLISHED), outcomes
    assert ("lapsed 1" in outcomes) is not begun, outcomes
