"""Meetings and decisions: who is told, who sees what, the agenda, and reminders of what is due."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select

from models.base import utcnow
from models.ledger import Event
from models.meeting import (
    CoordinationMeeting,
    MeetingDecision,
    MeetingItem,
)
from models.meeting import DecisionStatus as D
from models.meeting import MeetingStatus as M
from models.recurring import ProblemStatus as P
from models.recurring import ProblemTicket, RecurringProblem
from rules import follow_up, meetings
from rules.actor import SYSTEM, acting_as
from rules.errors import Conflict, Forbidden, Invalid
from tests.factories import following as make
from tests.factories.facts import fact, facts
from tests.factories.following import days, plan, tie, told
from tests.factories.world import ACCOUNTS, World

# Meetings


def test_holding_tells_the_owners_and_nobody_before(one_world: World) -> None:
    called = make.meeting(one_world)
    one = make.decision(one_world, of=called)
    two = make.decision(one_world, of=called, owner="A1", text="加强巡查")
    with pytest.raises(Forbidden):
        one_world.step(one, "report", "handler", report="好了")
    with pytest.raises(Conflict, match="还没有召开"):
        one_world.step(one, "report", "office", report="好了")
    assert told(one_world, one, "") == set()
    one_world.step(called, "hold", "office", attendees="住建局\n甲一镇")
    assert told(one_world, one, "更换老旧线路") == {"handler"}
    assert told(one_world, two, "加强巡查") == {"township"}
    assert called.attendees == "住建局\n甲一镇"


def test_it_is_not_held_before_its_time(one_world: World) -> None:
    called = make.meeting(one_world, held_at=utcnow() + dt.timedelta(hours=1))
    with pytest.raises(Conflict, match="还没有到"):
        one_world.step(called, "hold", "office")


@pytest.mark.parametrize(
    ("states", "closes"),
    [
        ((), True),
        ((D.DONE, D.DROPPED), True),
        ((D.DONE, D.OPEN), False),
        ((D.REPORTED,), False),
    ],
)
def test_it_is_closed_once_everything_is_done_or_dropped(
    one_world: World, states: tuple[D, ...], closes: bool
) -> None:
    called = make.meeting(one_world, M.HELD)
    for each in states:
        make.decision(one_world, each, called)
    if closes:
        one_world.step(called, "close", "office")
        assert called.status is M.CLOSED
    else:
        with pytest.raises(Conflict, match="没有落实"):
            one_world.step(called, "close", "office")


def test_cancelling_drops_what_was_prepared_in_silence(one_world: World) -> None:
    called = make.meeting(one_world)
    prepared = make.decision(one_world, of=called)
    one_world.step(called, "cancel", "office", note="改期")
    assert prepared.status is D.DROPPED
    assert told(one_world, prepared, "") == set()


def test_a_decision_goes_back_and_forth_until_it_is_done(one_world: World) -> None:
    record = make.decision(one_world)
    one_world.step(record, "report", "handler", report="换了一半")
    assert told(one_world, record, "请核实") == {"office"}
    one_world.step(record, "back", "office", note="另一半呢")
    assert told(one_world, record, "退回") == {"handler"}
    one_world.step(record, "report", "handler", report="都换了")
    one_world.step(record, "done", "office")
    assert record.done_at is not None
    assert told(one_world, record, "已落实") == {"handler"}


def test_a_decision_that_changes_hands_tells_both(one_world: World) -> None:
    record = make.decision(one_world)
    one_world.step(
        record, "amend", "office", owner=one_world.place("A-D2").id, due_on=days(5), note="改"
    )
    assert told(one_world, record, "改由") == {"handler"}
    assert told(one_world, record, "前落实") == {"handler2"}
    with pytest.raises(Forbidden):
        one_world.step(record, "report", "handler", report="好")
    one_world.step(record, "report", "handler2", report="好")


# Who sees what


def seen_by(world: World, account: str, model: type[Any]) -> int:
    with acting_as(world.session, world.actor(account)):
        return len(world.session.scalars(select(model)).all())


SEES_PROBLEM = {"admin", "office", "township", "handler", "inspector", "leader"}
SEES_MEETING = {"admin", "office", "inspector", "leader"}


@pytest.mark.parametrize("account", list(ACCOUNTS))
def test_owners_see_what_they_carry_out_and_not_the_meeting(one_world: World, account: str) -> None:
    make.problem(one_world, P.PLANNED)
    called = make.meeting(one_world, M.HELD)
    one_world.session.add(MeetingItem(meeting=called, title="路灯", position=1))
    one_world.session.flush()
    make.decision(one_world, of=called)
    assert seen_by(one_world, account, RecurringProblem) == (account in SEES_PROBLEM)
    for model in (CoordinationMeeting, MeetingItem):
        assert seen_by(one_world, account, model) == (account in SEES_MEETING), model
    decides = account in SEES_MEETING | {"handler"}
    assert seen_by(one_world, account, MeetingDecision) == decides
    make.decision(one_world, of=make.meeting(one_world))
    too = account in SEES_MEETING
    assert seen_by(one_world, account, MeetingDecision) == decides + too, "nobody's yet: not held"


def test_an_owner_sees_nothing_of_what_is_prepared(one_world: World) -> None:
    """What the office writes down before a meeting is a draft, and stays one if it is cancelled."""
    prepared = make.decision(one_world, of=make.meeting(one_world))
    make.decision(one_world, of=make.meeting(one_world, M.CANCELLED))
    assert seen_by(one_world, "handler", MeetingDecision) == 0
    assert seen_by(one_world, "handler", Event) == 0, "nor its story"
    assert seen_by(one_world, "office", MeetingDecision) == 2
    one_world.step(prepared.meeting, "hold", "office")
    assert seen_by(one_world, "handler", MeetingDecision) == 1
    one_world.step(prepared, "report", "handler", report="换好了")
    one_world.step(prepared, "done", "office")
    one_world.step(prepared.meeting, "close", "office")
    assert seen_by(one_world, "handler", MeetingDecision) == 1, "and what is over"


def test_a_ticket_out_of_sight_is_not_among_a_problem_s(one_world: World) -> None:
    """The owner reads the problem, and of its tickets those that it is party to."""
    record = make.problem(one_world, P.PLANNED)
    mine = one_world.dispatched()
    fact(one_world, mine)
    tie(one_world, record, [mine.id, *facts(one_world, [days(-1)])])
    with acting_as(one_world.session, one_world.actor("handler")):
        cases = select(ProblemTicket).join(ProblemTicket.ticket)
        assert [each.ticket_id for each in one_world.session.scalars(cases)] == [mine.id]


# The agenda


def points(called: CoordinationMeeting) -> list[tuple[int, str]]:
    return sorted((each.position, each.title) for each in called.items)


def test_points_are_added_moved_and_removed_in_order(one_world: World) -> None:
    called, session = make.meeting(one_world), one_world.session
    ticket = one_world.raised()
    record = make.problem(one_world)
    with acting_as(session, one_world.actor("office")):
        first = meetings.add_item(session, called, "", ticket=ticket)
        second = meetings.add_item(session, called, "", problem=record)
        third = meetings.add_item(session, called, " 其他 ")
        assert points(called) == [(1, str(ticket)), (2, "路灯常坏"), (3, "其他")]
        meetings.move_item(session, third, up=True)
        meetings.move_item(session, first, up=True)  # the first stays where it is
        assert [each for _p, each in points(called)] == [str(ticket), "其他", "路灯常坏"]
        meetings.move_item(session, second, up=False)
        meetings.remove_item(session, first)
        assert points(called) == [(1, "其他"), (2, "路灯常坏")]
        with pytest.raises(Conflict):
            meetings.add_item(session, called, "再说一次", problem=record)
        with pytest.raises(Invalid):
            meetings.add_item(session, called, "  ")


def test_what_was_decided_on_stays_and_what_is_over_is_closed(one_world: World) -> None:
    called, session = make.meeting(one_world, M.HELD), one_world.session
    item = meetings.add_item(session, called, "路灯")
    made = make.decision(one_world, of=called, item=item)
    with pytest.raises(Conflict, match="已有议定事项"):
        meetings.remove_item(session, item)
    one_world.step(made, "drop", "office", note="x")
    one_world.step(called, "close", "office")
    for deed in (
        lambda: meetings.add_item(session, called, "又一个"),
        lambda: meetings.move_item(session, item, up=True),
        lambda: meetings.discuss(session, item, "路灯", "说了"),
    ):
        with pytest.raises(Conflict):
            deed()


def test_an_agenda_has_an_end(one_world: World) -> None:
    called, session = make.meeting(one_world), one_world.session
    for number in range(meetings.MOST_ITEMS):
        meetings.add_item(session, called, f"议题{number}")
    with pytest.raises(Conflict):
        meetings.add_item(session, called, "再来一个")


def test_a_decision_s_owner_point_and_date_are_checked(one_world: World) -> None:
    called, other = make.meeting(one_world), make.meeting(one_world, title="另一次")
    session, item = one_world.session, meetings.add_item(one_world.session, other, "别的")

    def draft(**more: Any) -> MeetingDecision:
        values = {"text": "x", "due_on": days(1), "owner": one_world.place("A-D1")} | more
        return MeetingDecision(meeting=called, organization=called.organization, **values)

    for wrong, field in (
        ({"owner": one_world.place("B-D1")}, "owner"),
        ({"due_on": days(-1)}, "due_on"),
        ({"item": item}, "item"),
    ):
        with session.no_autoflush, pytest.raises(Invalid) as refusal:
            meetings.check_decision(session, draft(**wrong), utcnow())
        assert field in refusal.value.fields
        session.expunge_all()
        called = session.get_one(CoordinationMeeting, called.id)
        item = session.get_one(MeetingItem, item.id)


# Reminders


def test_owners_are_reminded_three_days_before_and_on_the_day_once(one_world: World) -> None:
    record, session = make.decision(one_world), one_world.session  # due in ten days
    late = make.problem(one_world)
    one_world.step(late, "plan", "office", **plan(one_world, due_on=days(10)))

    def sweep(day: int) -> int:
        with acting_as(session, SYSTEM):
            return follow_up.remind(session, days(day))

    assert sweep(6) == 0
    assert sweep(7) == 2
    assert sweep(8) == 0, "told once"
    assert told(one_world, record, "还有 3 天到期") == {"handler"}
    assert sweep(10) == 2
    assert told(one_world, late, "今天到期") == {"handler"}
    assert sweep(10) == sweep(11) == 0


def test_who_comes_late_to_the_window_is_told_how_long_there_is(one_world: World) -> None:
    record = make.decision(one_world, due_on=days(2))
    with acting_as(one_world.session, SYSTEM):
        assert follow_up.remind(one_world.session, days(0)) == 1
    assert told(one_world, record, "还有 2 天到期") == {"handler"}


@pytest.mark.parametrize("status", [D.REPORTED, D.DONE, D.DROPPED])
def test_what_is_not_owed_is_not_reminded_of(one_world: World, status: D) -> None:
    make.decision(one_world, status, due_on=days(2))
    make.decision(one_world, of=make.meeting(one_world), due_on=days(2))  # not held yet
    make.problem(one_world, P.DONE)
    with acting_as(one_world.session, SYSTEM):
        assert follow_up.remind(one_world.session, days(0)) == 0
