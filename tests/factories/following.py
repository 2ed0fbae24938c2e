"""Recurring problems, meetings and their decisions in any state, made by the office's own steps."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select

from models.base import utcnow
from models.meeting import CoordinationMeeting, MeetingDecision, MeetingStatus
from models.meeting import DecisionStatus as D
from models.notice import Notice
from models.recurring import ProblemStatus as P
from models.recurring import RecurringProblem, Remedy
from rules import problems, workflow
from rules.actor import SYSTEM, acting_as
from tests.factories.facts import LIGHTS, today
from tests.factories.world import ACCOUNTS, World

M = MeetingStatus


def days(number: int) -> dt.date:
    """Return the day that many days from today."""
    return today() + dt.timedelta(days=number)


def at(day: dt.date) -> dt.datetime:
    """Return noon in Shanghai on a day."""
    return dt.datetime(day.year, day.month, day.day, 4, tzinfo=dt.UTC)


def made(world: World, record: Any) -> Any:
    """Return a record, flushed and begun under the system's name."""
    with acting_as(world.session, SYSTEM):
        world.session.add(record)
        world.session.flush()
        workflow.begin(world.session, record, SYSTEM)
        world.session.flush()
    return record


def problem(
    world: World, status: P = P.OPEN, place: str = "A1", owner: str = "A-D1", **more: Any
) -> RecurringProblem:
    """Return a problem of A's ground in a state; it was planned 60 days ago and done 30 days ago."""
    values = {"title": "路灯常坏", "matter": LIGHTS} | more
    found: RecurringProblem = made(
        world, RecurringProblem(organization=world.place(place), **values)
    )
    if status is P.OPEN:
        return found
    if status is P.DROPPED:
        world.step(found, "drop", "office", note="误立")
        return found
    said = {"plan": "换线", "remedy": found.remedy, "owner": world.place(owner).id}
    world.step(found, "plan", "office", now=at(days(-60)), due_on=days(-35), **said)
    if status in (P.DONE, P.CLOSED):
        world.step(found, "done", "office", now=at(days(-30)), result="已换")
    if status is P.CLOSED:
        world.step(found, "close", "office")
    return found


def meeting(world: World, status: M = M.PLANNED, **more: Any) -> CoordinationMeeting:
    """Return a meeting of A's office in a state; its time was an hour ago."""
    values = {"title": "调度会", "held_at": utcnow() - dt.timedelta(hours=1)} | more
    found: CoordinationMeeting = made(
        world, CoordinationMeeting(organization=world.place("A-CSB"), **values)
    )
    if status is M.CANCELLED:
        world.step(found, "cancel", "office", note="改期")
    if status in (M.HELD, M.CLOSED):
        world.step(found, "hold", "office")
    if status is M.CLOSED:
        world.step(found, "close", "office")
    return found


def decision(
    world: World, status: D = D.OPEN, of: CoordinationMeeting | None = None, **more: Any
) -> MeetingDecision:
    """Return a decision in a state, of a meeting that was held; A-D1 carries it out."""
    called = of or meeting(world, M.HELD)
    values: dict[str, Any] = {"text": "更换老旧线路", "due_on": days(10)}
    values["owner"] = world.place(more.pop("owner", "A-D1"))
    found: MeetingDecision = made(
        world,
        MeetingDecision(meeting=called, organization=called.organization, **(values | more)),
    )
    if status in (D.REPORTED, D.DONE):
        world.step(found, "report", "office", report="换好了")
    if status is D.DONE:
        world.step(found, "done", "office")
    if status is D.DROPPED:
        world.step(found, "drop", "office", note="另有安排")
    return found


def told(world: World, record: Any, words: str) -> set[str]:
    """Return the accounts that were told of a record in such words."""
    names = {world.account(name).id: name for name in ACCOUNTS}
    kind = type(record).__tablename__
    found = world.session.scalars(
        select(Notice).where(Notice.record_type == kind, Notice.record_id == record.id)
    )
    return {names[each.account_id] for each in found if words in each.title}


def plan(world: World, **more: Any) -> dict[str, Any]:
    """Return what the step of a plan asks for."""
    return {
        "plan": "更换线路",
        "remedy": Remedy.PROJECT,
        "owner": world.place("A-D1").id,
        "due_on": days(30),
    } | more


def tie(world: World, record: RecurringProblem, ids: list[int], who: str = "office") -> int:
    """Tie tickets to a problem as an account."""
    actor = world.actor(who)
    with acting_as(world.session, actor):
        return problems.tie(world.session, record, ids, actor, utcnow())
