"""Who takes which step on problems, meetings and decisions in which state: by hand, every one."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from models.base import utcnow
from models.meeting import (
    CoordinationMeeting,
    MeetingDecision,
)
from models.meeting import DecisionStatus as D
from models.meeting import MeetingStatus as M
from models.recurring import ProblemStatus as P
from models.recurring import ProblemTicket, RecurringProblem, Remedy
from rules import ledger, problems, workflow
from rules.actor import acting_as
from rules.errors import Conflict, Forbidden, Invalid, OutOfScope, Refused
from rules.workflow import workflow_of
from tests.factories import following as make
from tests.factories.facts import facts
from tests.factories.following import days, plan, tie, told
from tests.factories.world import ACCOUNTS, World

#: state → account → steps; whoever is not named takes none. "done" of a problem is 30 days old.
PROBLEM = {
    P.OPEN: {"office": {"plan", "drop"}},
    P.PLANNED: {"office": {"done", "amend", "drop"}, "handler": {"done"}},
    P.DONE: {"office": {"close", "back", "drop"}},
    P.CLOSED: {"office": {"reopen"}},
    P.DROPPED: {"office": {"reopen"}},
}
MEETING = {
    M.PLANNED: {"office": {"hold", "cancel"}},
    M.HELD: {"office": {"close"}},
    M.CLOSED: {},
    M.CANCELLED: {},
}
DECISION = {
    D.OPEN: {"office": {"report", "amend", "drop"}, "handler": {"report"}},
    D.REPORTED: {"office": {"done", "back", "drop"}},
    D.DONE: {},
    D.DROPPED: {},
}
BUILD: dict[type[Any], Any] = {
    RecurringProblem: (make.problem, PROBLEM),
    CoordinationMeeting: (make.meeting, MEETING),
    MeetingDecision: (make.decision, DECISION),
}
CASES = [(model, status) for model, (_make, table) in BUILD.items() for status in table]


@pytest.mark.parametrize(("model", "status"), CASES)
def test_every_step_by_every_account_in_every_state(
    one_world: World, model: type[Any], status: Any
) -> None:
    build, table = BUILD[model]
    record, session = build(one_world, status), one_world.session
    assert record.status is status
    flow = workflow_of(model)
    assert flow is not None
    for account in ACCOUNTS:
        may: set[str] = table[status].get(account, set())
        actor = one_world.actor(account)
        with acting_as(session, actor):
            offered = {step.action for step in workflow.available(session, record, actor)}
            assert offered == may, account
            for step in flow.steps:
                if step.action not in may:
                    with pytest.raises(Refused):
                        workflow.apply(session, record, step.action, actor, {"note": "x"})
                    session.refresh(record)
                    assert record.status is status


def test_every_state_is_in_the_tables() -> None:
    assert set(PROBLEM) == set(P)
    assert set(MEETING) == set(M)
    assert set(DECISION) == set(D)


# Problems


def test_a_problem_goes_from_plan_to_closing_with_an_event_each(one_world: World) -> None:
    record = make.problem(one_world)
    one_world.step(record, "plan", "office", **plan(one_world))
    assert (str(record.owner), record.planned_on, record.due_on) == (
        "甲县住建局",
        days(0),
        days(30),
    )
    assert record.remedy is Remedy.PROJECT
    assert told(one_world, record, "请牵头") == {"handler"}
    one_world.step(record, "done", "handler", result="全部更换")
    assert (record.result, record.done_on) == ("全部更换", days(0))
    assert told(one_world, record, "请检验") == {"office"}
    one_world.step(record, "back", "office", note="还有两处")
    assert record.done_on is None
    assert told(one_world, record, "退回") == {"handler"}
    one_world.step(record, "done", "handler", result="补齐了")
    one_world.step(record, "close", "office", now=make.at(days(20)))
    assert told(one_world, record, "已销号") == {"handler"}
    labels = [each.label for each in ledger.events_of(one_world.session, record)]
    assert labels == ["新建", "制定方案", "报告完成", "退回整治", "报告完成", "销号"]
    one_world.step(record, "reopen", "office", note="又坏了")
    assert (record.planned_on, record.done_on, str(record.owner)) == (None, None, "甲县住建局")


def test_a_township_may_own_and_another_may_not_report(one_world: World) -> None:
    record = make.problem(one_world)
    one_world.step(record, "plan", "office", **plan(one_world, owner=one_world.place("A1").id))
    assert told(one_world, record, "请牵头") == {"township"}
    for other in ("handler", "township2", "community"):
        with pytest.raises(Forbidden):
            one_world.step(record, "done", other, result="好")
    one_world.step(record, "done", "township", result="好")


@pytest.mark.parametrize("owner", ["B-D1", "A11", "A-U1", "A-CSB"])
def test_an_owner_is_a_body_of_the_same_county(one_world: World, owner: str) -> None:
    record = make.problem(one_world)
    with pytest.raises(Invalid) as refusal:
        one_world.step(record, "plan", "office", **plan(one_world, owner=one_world.place(owner).id))
    assert "owner" in refusal.value.fields


def test_a_date_that_is_over_is_no_plan(one_world: World) -> None:
    record = make.problem(one_world)
    with pytest.raises(Invalid) as refusal:
        one_world.step(record, "plan", "office", **plan(one_world, due_on=days(-1)))
    assert "due_on" in refusal.value.fields


def test_an_amended_plan_tells_both_owners_and_keeps_its_day(one_world: World) -> None:
    record = make.problem(one_world, P.PLANNED)
    changed = plan(one_world, owner=one_world.place("A-D2").id, note="改由执法局")
    one_world.step(record, "amend", "office", **changed)
    assert (record.planned_on, str(record.owner)) == (days(-60), "甲县执法局")
    assert "handler2" in told(one_world, record, "请牵头")


@pytest.mark.parametrize(
    ("before", "after", "closes"),
    [(4, 3, True), (4, 4, False), (4, 5, False), (0, 5, True), (0, 0, True)],
)
def test_it_is_closed_only_if_it_came_down(
    one_world: World, before: int, after: int, closes: bool
) -> None:
    """Planned 60 days ago, done 30 days ago: thirty days on either side."""
    record = make.problem(one_world, P.DONE)
    facts(one_world, [days(-61 - each) for each in range(before)])
    facts(one_world, [days(-29 + each) for each in range(after)])
    facts(one_world, [days(-45), days(-30), days(-60)])  # between the two: neither
    facts(one_world, [days(-91), days(-92)])  # longer ago than the time since
    turn = problems.turn(one_world.session, record, utcnow())
    assert turn is not None
    assert (turn.before, turn.after, turn.days) == (before, after, 30)
    if closes:
        one_world.step(record, "close", "office")
        assert record.status is P.CLOSED
        event = ledger.events_of(one_world.session, record)[-1]
        assert (event.data["before"], event.data["after"]) == (before, after)
    else:
        with pytest.raises(Conflict, match="没有下降"):
            one_world.step(record, "close", "office")


def test_it_must_have_been_watched_for_a_while(one_world: World) -> None:
    record = make.problem(one_world, P.DONE)
    early = make.at(days(-30 + problems.TRIAL - 1))
    with pytest.raises(Conflict, match="观察满"):
        one_world.step(record, "close", "office", now=early)
    one_world.step(record, "close", "office", now=early + dt.timedelta(days=1))


def test_the_share_by_which_it_changed() -> None:
    assert problems.Turn(34, 6, 90, True).change == Decimal("-82.4")
    assert problems.Turn(0, 6, 90, True).change is None
    assert problems.Turn(4, 4, 90, True).change == 0


def test_both_sides_are_as_long_as_the_county_counts(one_world: World) -> None:
    record = make.problem(one_world, P.DONE)
    later = make.at(days(300))
    turn = problems.turn(one_world.session, record, later)
    assert turn is not None
    assert turn.days == 90
    first = problems.turn(one_world.session, record, make.at(days(-30)))
    assert first is not None
    assert (first.days, first.before, first.after) == (0, 0, 0)
    assert problems.turn(one_world.session, make.problem(one_world, place="A2"), later) is None


def test_months_go_back_a_year_with_none_left_out(one_world: World) -> None:
    record = make.problem(one_world)
    facts(one_world, [dt.date(2026, 3, 5), dt.date(2026, 3, 31), dt.date(2026, 1, 1)])
    facts(one_world, [dt.date(2025, 4, 30), dt.date(2025, 3, 31)])
    facts(one_world, [dt.date(2026, 3, 5)], matter="犬只管理")
    facts(one_world, [dt.date(2026, 3, 5)], place="A21")
    now = dt.datetime(2026, 3, 31, 15, tzinfo=dt.UTC)
    counts = problems.by_month(one_world.session, record, now)
    assert [month for month, _n in counts][:2] == [202504, 202505]
    assert len(counts) == 12
    assert {month: n for month, n in counts if n} == {202504: 1, 202601: 1, 202603: 2}


def test_one_open_problem_for_a_matter_in_an_area(one_world: World) -> None:
    first = make.problem(one_world)
    second = RecurringProblem(
        organization=one_world.place("A1"), title="又一个", matter=first.matter
    )
    with pytest.raises(Invalid) as refusal:
        problems.check(one_world.session, second)
    assert "matter" in refusal.value.fields
    one_world.step(first, "drop", "office", note="误立")
    problems.check(one_world.session, second)
    make.made(one_world, second)
    with pytest.raises(Invalid):
        one_world.step(first, "reopen", "office", note="再来")


@pytest.mark.parametrize("code", ["A-D1", "A111", "A-CSB"])
def test_a_problem_is_about_a_place(one_world: World, code: str) -> None:
    record = RecurringProblem(organization=one_world.place(code), title="x", matter="x")
    with pytest.raises(Invalid) as refusal:
        problems.check(one_world.session, record)
    assert "organization" in refusal.value.fields


# Tickets of a problem


def test_tickets_are_tied_once_and_to_several_problems(one_world: World) -> None:
    record, wider = make.problem(one_world), make.problem(one_world, place="A")
    ids = facts(one_world, [days(-1), days(-2)])
    assert tie(one_world, record, ids) == 2
    assert tie(one_world, record, ids) == 0
    assert tie(one_world, wider, ids[:1]) == 1
    with acting_as(one_world.session, one_world.actor("office")):
        named = problems.problems_of(one_world.session, ids[0])
    assert [each.id for each in named] == [record.id, wider.id]


@pytest.mark.parametrize("place", ["B11", "A21"])
def test_tickets_from_elsewhere_are_refused(one_world: World, place: str) -> None:
    """Another county's are out of reach; another township's are none of this area's."""
    record = make.problem(one_world)
    ids = facts(one_world, [days(-1)])
    other = facts(one_world, [days(-1)], place)
    with pytest.raises(Invalid):
        tie(one_world, record, ids + other)
    assert one_world.session.scalars(select(ProblemTicket)).all() == []


def test_drafts_and_problems_that_are_over_are_refused(one_world: World) -> None:
    record = make.problem(one_world)
    with pytest.raises(Invalid):
        tie(one_world, record, [one_world.draft("A11").id])
    one_world.step(record, "drop", "office", note="误立")
    with pytest.raises(Conflict):
        tie(one_world, record, facts(one_world, [days(-1)]))


@pytest.mark.parametrize("who", ["officeb", "community2", "handler2", "leader", "inspector"])
def test_nobody_else_ties(one_world: World, who: str) -> None:
    record = make.problem(one_world, P.PLANNED)
    ids = facts(one_world, [days(-1)])
    with pytest.raises((OutOfScope, Invalid)):
        tie(one_world, record, ids, who)


def test_more_of_the_same_is_suggested(one_world: World) -> None:
    record = make.problem(one_world)
    ids = facts(one_world, [days(-3), days(-1), days(-2)])
    facts(one_world, [days(-1)], matter="犬只管理")
    facts(one_world, [days(-1)], place="A21")
    tie(one_world, record, ids[:1])
    with acting_as(one_world.session, one_world.actor("office")):
        found = problems.suggested(one_world.session, record, utcnow())
    assert [each.id for each in found] == [ids[1], ids[2]]


def test_what_comes_again_after_closing_is_shown(one_world: World) -> None:
    record, session = make.problem(one_world, P.CLOSED), one_world.session
    facts(one_world, [days(-40), days(-41), days(-42), days(-2), days(-1)])
    area = record.organization
    seen = problems.look(session, area, record.matter, utcnow())
    assert seen is not None
    level = seen.signs.level
    back = problems.returned(session, [seen], utcnow(), 90, level)
    assert back[area.id, record.matter].since == 2, (
        "what was raised before it was done is no return"
    )
    facts(one_world, [days(-3)])
    seen = problems.look(session, area, record.matter, utcnow())
    assert seen is not None
    again = problems.returned(session, [seen], utcnow(), 90, level)
    assert again[area.id, record.matter].since == 3
