"""Departments at work on a ticket: the assisting ones' own progress, and the rating of them all."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from models.grade import Grade
from models.mechanism import LowRating
from models.ticket import AssignmentRole, AssignmentStatus, Ticket, TicketAssignment
from models.ticket import TicketStatus as S
from rules import ledger
from rules.actor import SYSTEM
from rules.errors import Conflict, Forbidden, Invalid
from rules.workflow import apply, available
from tests.factories.roads import brought_to, grades, rate
from tests.factories.world import World

A = AssignmentStatus
NOON = dt.datetime(2026, 3, 2, 4, 0, tzinfo=dt.UTC)


def assisting(ticket: Ticket) -> TicketAssignment:
    (part,) = (each for each in ticket.assignments if each.role is AssignmentRole.ASSISTING)
    return part


def offered(world: World, ticket: Ticket, account: str) -> set[str]:
    actor = world.actor(account)
    return {step.action for step in available(world.session, ticket, actor)}


# Assisting departments


def test_an_assisting_department_goes_its_own_way(session: Session, world: World) -> None:
    """At its own pace: the ticket's state and the lead's progress do not move with it."""
    ticket = brought_to(world, S.DISPATCHED)
    hour = dt.timedelta(hours=1)
    for number, (action, data, reached) in enumerate(
        [
            ("assist_accept", {}, A.ACCEPTED),
            ("assist_arrive", {}, A.ARRIVED),
            ("assist_report", {"result": "清了路障"}, A.REPORTED),
        ]
    ):
        assert offered(world, ticket, "handler2") == {action}
        world.step(ticket, action, "handler2", now=NOON + number * hour, **data)
        session.commit()
        assert assisting(ticket).status is reached
        assert ticket.status is S.DISPATCHED
    assert offered(world, ticket, "handler2") == set()
    part = assisting(ticket)
    assert (part.accepted_at, part.arrived_at) == (NOON, NOON + hour)
    assert (part.reported_at, part.result) == (NOON + 2 * hour, "清了路障")
    lead = ticket.assignments[0]
    assert (lead.status, lead.accepted_at, ticket.accepted_at) == (A.DISPATCHED, None, None)
    last = ledger.events_of(session, ticket)[-1]
    assert (last.from_status, last.to_status) == ("dispatched", "dispatched")
    assert (last.organization_name, last.data) == ("甲县执法局", {"result": "清了路障"})


@pytest.mark.parametrize("status", [S.DISPATCHED, S.ACCEPTED, S.ARRIVED, S.REOPENED])
def test_assisting_is_possible_while_the_lead_is_at_work(one_world: World, status: S) -> None:
    ticket = brought_to(one_world, status)
    for action, data in (
        ("assist_accept", {}),
        ("assist_arrive", {}),
        ("assist_report", {"result": "清了路障"}),
    ):
        one_world.step(ticket, action, "handler2", **data)
    assert assisting(ticket).status is A.REPORTED
    assert ticket.status is status


@pytest.mark.parametrize("action", ["assist_arrive", "assist_report"])
def test_an_assisting_department_skips_nothing(one_world: World, action: str) -> None:
    ticket = brought_to(one_world, S.DISPATCHED)
    with pytest.raises(Conflict, match="协办进度是“待应哨”"):
        one_world.step(ticket, action, "handler2", result="没去")
    assert assisting(ticket).status is A.DISPATCHED


def test_an_assisting_department_takes_no_step_twice(one_world: World) -> None:
    ticket = brought_to(one_world, S.DISPATCHED)
    one_world.step(ticket, "assist_accept", "handler2")
    with pytest.raises(Conflict, match="协办进度是“已应哨”"):
        one_world.step(ticket, "assist_accept", "handler2")


def test_two_assisting_departments_do_not_share_their_progress(one_world: World) -> None:
    ticket = one_world.dispatched(assisting=("A-D2", "A-D3"))
    one_world.step(ticket, "assist_accept", "handler2")
    progress = {part.organization.code: part.status for part in ticket.assignments}
    assert progress == {"A-D1": A.DISPATCHED, "A-D2": A.ACCEPTED, "A-D3": A.DISPATCHED}


def test_lead_and_assisting_do_not_take_each_others_steps(one_world: World) -> None:
    ticket = brought_to(one_world, S.DISPATCHED)
    with pytest.raises(Forbidden):
        one_world.step(ticket, "accept", "handler2")
    with pytest.raises(Forbidden):
        one_world.step(ticket, "assist_accept", "handler")


def test_the_system_has_no_department_of_its_own_to_assist_with(one_world: World) -> None:
    ticket = brought_to(one_world, S.DISPATCHED)
    with pytest.raises(Conflict, match="不是这张哨单的协办单位"):
        apply(one_world.session, ticket, "assist_accept", SYSTEM)


def test_reopening_starts_the_assisting_departments_over(one_world: World) -> None:
    ticket = brought_to(one_world, S.DISPATCHED)
    for action in ("assist_accept", "assist_arrive"):
        one_world.step(ticket, action, "handler2")
    one_world.step(ticket, "assist_report", "handler2", result="清了路障")
    for action in ("accept", "arrive"):
        one_world.step(ticket, action, "handler")
    one_world.step(ticket, "report_result", "handler", result="修了")
    one_world.step(ticket, "reopen", "office", fix_by=dt.date(2099, 1, 1), note="没修好")
    assert (assisting(ticket).status, assisting(ticket).reported_at) == (A.DISPATCHED, None)
    one_world.step(ticket, "assist_accept", "handler2")


def test_the_lead_reports_the_overall_result(one_session: Session, one_world: World) -> None:
    """Whether or not those who assist have come."""
    ticket = brought_to(one_world, S.ARRIVED)
    one_world.step(ticket, "report_result", "handler", result="换了三个灯头")
    assert (ticket.status, ticket.result) == (S.RESOLVED, "换了三个灯头")
    assert ticket.assignments[0].status is A.REPORTED
    assert ledger.events_of(one_session, ticket)[-1].data == {"result": "换了三个灯头"}


# Rating


def test_every_department_is_rated_in_every_dimension(session: Session, world: World) -> None:
    ticket = brought_to(world, S.RESOLVED)
    given = grades(ticket, Grade.VERY_SATISFIED, handling=Grade.FAIR)
    world.step(ticket, "rate", "community", grades=given, note="来得快")
    session.commit()
    assert ticket.status is S.RESOLVED
    rated = {(each.organization.code, each.dimension.code): each.grade for each in ticket.ratings}
    assert rated == {
        (department, dimension): Grade.FAIR if dimension == "handling" else Grade.VERY_SATISFIED
        for department in ("A-D1", "A-D2")
        for dimension in ("arrival", "handling", "satisfaction", "duty")
    }
    assert {each.rated_by for each in ticket.ratings} == {"甲一一社区 community"}
    event = ledger.events_of(session, ticket)[-1]
    assert (event.action, event.note, event.data["grades"]) == ("rate", "来得快", given)


def test_no_dimension_and_no_department_may_be_left_out(session: Session, world: World) -> None:
    ticket = brought_to(world, S.RESOLVED)
    session.commit()
    full = grades(ticket)
    for left_out in full:
        given = {key: value for key, value in full.items() if key != left_out}
        with pytest.raises(Invalid) as refusal:
            world.step(ticket, "rate", "community", grades=given)
        department, dimension = left_out.split(":")
        name = next(
            part.organization.name
            for part in ticket.assignments
            if part.organization_id == int(department)
        )
        assert refusal.value.fields["grades"].startswith(f"请评价：{name}的“")
        assert dimension
        session.rollback()
        assert ticket.ratings == []


def test_a_grade_that_does_not_exist_counts_as_left_out(
    one_session: Session, one_world: World
) -> None:
    ticket = brought_to(one_world, S.RESOLVED)
    given = dict.fromkeys(grades(ticket), "excellent")
    with pytest.raises(Invalid, match="请评价"):
        one_world.step(ticket, "rate", "community", grades=given)


def test_a_department_that_was_sent_back_is_not_rated(one_world: World) -> None:
    ticket = brought_to(one_world, S.RETURN_PENDING)
    one_world.step(ticket, "approve_return", "returns", note="改派")
    one_world.step(ticket, "dispatch", "office", lead=one_world.place("A-D2").id)
    for action in ("accept", "arrive"):
        one_world.step(ticket, action, "handler2")
    one_world.step(ticket, "report_result", "handler2", result="修好了")
    rate(one_world, ticket)
    assert {each.organization.code for each in ticket.ratings} == {"A-D2"}


def test_each_round_is_rated_once(one_world: World) -> None:
    ticket = brought_to(one_world, S.RESOLVED)
    rate(one_world, ticket)
    with pytest.raises(Conflict, match="本轮已经评价"):
        rate(one_world, ticket, "township")
    assert offered(one_world, ticket, "community") == {"amend_rating"}
    assert len(ticket.ratings) == 8


def test_what_was_not_rated_is_not_closed(one_world: World) -> None:
    ticket = brought_to(one_world, S.RESOLVED)
    for account in ("office", "township"):
        with pytest.raises(Conflict, match="还没有评哨，评价后才能销号"):
            one_world.step(ticket, "close", account)


@pytest.mark.parametrize("department", ["A-D1", "A-D2"])
@pytest.mark.parametrize("dimension", ["arrival", "handling", "satisfaction", "duty"])
def test_one_grade_of_dissatisfied_blocks_closing(
    one_world: World, department: str, dimension: str
) -> None:
    ticket = brought_to(one_world, S.RESOLVED)
    ticket.whistle_class.mechanism.low_action = LowRating.DECIDE
    given = grades(ticket, Grade.VERY_SATISFIED)
    poor = grades(ticket, **{dimension: Grade.DISSATISFIED})
    key = next(
        key
        for key, grade in poor.items()
        if grade == "dissatisfied" and key.startswith(f"{one_world.place(department).id}:")
    )
    one_world.step(ticket, "rate", "community", grades=given | {key: poor[key]})
    with pytest.raises(Conflict, match="有“不满意”的评价，应退回重办，不能销号"):
        one_world.step(ticket, "close", "office")
    assert offered(one_world, ticket, "office") == {"reopen", "merge"}
    assert ticket.closed_at is None


@pytest.mark.parametrize("grade", [Grade.VERY_SATISFIED, Grade.SATISFIED, Grade.FAIR])
def test_other_grades_let_it_close(one_world: World, grade: Grade) -> None:
    ticket = brought_to(one_world, S.RESOLVED)
    one_world.step(ticket, "rate", "township", grades=grades(ticket, grade))
    one_world.step(ticket, "close", "township", now=NOON)
    assert (ticket.status, ticket.closed_at) == (S.CLOSED, NOON)


def test_an_old_rounds_dissatisfied_does_not_block_the_next(one_world: World) -> None:
    ticket = brought_to(one_world, S.RESOLVED)
    ticket.whistle_class.mechanism.low_action = LowRating.DECIDE
    one_world.step(ticket, "rate", "community", grades=grades(ticket, Grade.DISSATISFIED))
    one_world.step(ticket, "reopen", "office", fix_by=dt.date(2099, 1, 1), note="重做")
    for action in ("accept", "arrive"):
        one_world.step(ticket, action, "handler")
    one_world.step(ticket, "report_result", "handler", result="重做了")
    rate(one_world, ticket)
    one_world.step(ticket, "close", "office")
    assert ticket.status is S.CLOSED
    assert {each.round for each in ticket.ratings} == {1, 2}
