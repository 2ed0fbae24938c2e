"""Ratings on both sides, amended within their hours, and what a low one brings by itself."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from models.grade import Grade
from models.mechanism import LowRating
from models.notice import Notice
from models.rating import Rater
from models.ticket import AssignmentStatus, Ticket
from models.ticket import TicketStatus as S
from presets.roles import Role
from rules import clocks, ledger, workflow
from rules.actor import acting_as
from rules.calendar import SHANGHAI
from rules.errors import Conflict, Invalid
from rules.mechanisms import dimensions_of
from rules.workflows.ticket_ratings import grades_of, to_grade
from tests.factories.roads import brought_to, grades
from tests.factories.world import World

A = AssignmentStatus
LOW = Grade.DISSATISFIED
HOUR = dt.timedelta(hours=1)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(dt.UTC)


FRIDAY = at("2026-03-06 10:00")


@pytest.fixture
def ticket(one_world: World) -> Ticket:
    """A ticket that waits for its rating; a low one reopens it within two working days."""
    found = brought_to(one_world, S.RESOLVED)
    mechanism = found.whistle_class.mechanism
    mechanism.low_action = LowRating.REOPEN
    mechanism.fix_term = {"unit": "working_days", "amount": 2}
    return found


def rated(world: World, ticket: Ticket, grade: Grade, now: dt.datetime = FRIDAY) -> None:
    world.step(ticket, "rate", "community", now=now, grades=grades(ticket, grade))


def amended(
    world: World,
    ticket: Ticket,
    grade: Grade,
    now: dt.datetime = FRIDAY + HOUR,
    who: str = "community",
) -> None:
    given = grades(ticket, grade)
    world.step(ticket, "amend_rating", who, now=now, grades=given, note="回访后更正")


def assisting(ticket: Ticket, grade: Grade) -> dict[str, str]:
    return {
        f"{part.organization_id}:{dimension.id}": grade.value
        for part in to_grade(ticket, "rate_assisting")
        for dimension in dimensions_of(ticket.whistle_class)
    }


def agrees(session: Session, ticket: Ticket) -> None:
    found = clocks.replay(ledger.events_of(session, ticket))
    assert found.due == {clock: getattr(ticket, f"{clock}_due") for clock in clocks.CLOCKS}
    assert [part.due["resolve"] for part in found.parts] == [
        part.resolve_due for part in ticket.assignments
    ]


# A low rating


def test_a_low_rating_sends_the_ticket_back_by_itself(
    one_session: Session, one_world: World, ticket: Ticket
) -> None:
    rated(one_world, ticket, LOW)
    assert (ticket.status, ticket.reopen_count) == (S.REOPENED, 1)
    assert ticket.resolve_due == ticket.next_due == at("2026-03-10 23:59:59")
    assert {part.status for part in ticket.assignments} == {A.DISPATCHED}
    assert ticket.supervised_at is None
    event = ledger.events_of(one_session, ticket)[-1]
    assert (event.action, event.to_status) == ("rate", "reopened")
    agrees(one_session, ticket)


def test_without_a_term_there_are_five_working_days(one_world: World, ticket: Ticket) -> None:
    ticket.whistle_class.mechanism.fix_term = None
    rated(one_world, ticket, LOW)
    assert ticket.resolve_due == at("2026-03-13 23:59:59")


def test_a_low_rating_may_be_supervised(
    one_session: Session, one_world: World, ticket: Ticket
) -> None:
    ticket.whistle_class.mechanism.low_action = LowRating.SUPERVISE
    rated(one_world, ticket, LOW)
    assert (ticket.status, ticket.supervised_at) == (S.REOPENED, FRIDAY)
    inspector = one_world.account("inspector").id
    titles = [each.title for each in one_session.query(Notice).filter_by(account_id=inspector)]
    assert titles == [f"评价不过关，督办：{ticket}"]


def test_a_low_rating_may_be_left_to_people(one_world: World, ticket: Ticket) -> None:
    ticket.whistle_class.mechanism.low_action = LowRating.DECIDE
    rated(one_world, ticket, LOW)
    assert (ticket.status, ticket.reopen_count) == (S.RESOLVED, 0)
    with pytest.raises(Conflict, match="应退回重办"):
        one_world.step(ticket, "close", "office")


@pytest.mark.parametrize(
    ("bar", "grade", "back"),
    [
        (Grade.FAIR, Grade.FAIR, True),
        (Grade.FAIR, Grade.DISSATISFIED, True),
        (Grade.FAIR, Grade.SATISFIED, False),
        (Grade.DISSATISFIED, Grade.FAIR, False),
    ],
)
def test_the_bar_is_the_mechanisms(
    one_world: World, ticket: Ticket, bar: Grade, grade: Grade, back: bool
) -> None:
    ticket.whistle_class.mechanism.low_grade = bar
    rated(one_world, ticket, grade)
    assert (ticket.status is S.REOPENED) is back


# Amending


def test_both_the_old_and_the_new_grade_are_kept(
    one_session: Session, one_world: World, ticket: Ticket
) -> None:
    rated(one_world, ticket, Grade.SATISFIED)
    given = grades(ticket, Grade.SATISFIED, handling=Grade.FAIR)
    now = FRIDAY + 12 * HOUR
    one_world.step(ticket, "amend_rating", "township", now=now, grades=given, note="更正")
    one_session.commit()
    handling = [each for each in ticket.ratings if each.dimension.code == "handling"]
    assert sorted((each.revision, each.grade) for each in handling) == [
        (1, Grade.SATISFIED), (1, Grade.SATISFIED), (2, Grade.FAIR), (2, Grade.FAIR),
    ]  # fmt: skip
    # What did not change has one row; what counts is the last.
    assert len(ticket.ratings) == 10
    assert {each.grade for each in grades_of(ticket) if each.dimension.code == "handling"} == {
        Grade.FAIR
    }
    assert len(grades_of(ticket)) == 8


def test_amending_has_its_hours_and_does_not_prolong_them(one_world: World, ticket: Ticket) -> None:
    with pytest.raises(Conflict, match="还没有评价"):
        amended(one_world, ticket, Grade.FAIR)
    rated(one_world, ticket, Grade.SATISFIED)
    with pytest.raises(Invalid, match="没有改动"):
        amended(one_world, ticket, Grade.SATISFIED)
    amended(one_world, ticket, Grade.FAIR, FRIDAY + 11 * HOUR)
    with pytest.raises(Conflict, match="12 小时内可以修改"):
        amended(one_world, ticket, Grade.SATISFIED, FRIDAY + 13 * HOUR)
    assert {each.grade for each in grades_of(ticket)} == {Grade.FAIR}


def test_an_amendment_that_is_low_acts_like_a_low_rating(one_world: World, ticket: Ticket) -> None:
    rated(one_world, ticket, Grade.SATISFIED)
    amended(one_world, ticket, LOW)
    assert (ticket.status, ticket.reopen_count) == (S.REOPENED, 1)


def test_an_amendment_that_lifts_the_rating_takes_the_reopening_back(
    one_session: Session, one_world: World, ticket: Ticket
) -> None:
    before = (ticket.resolve_due, ticket.resolved_at, [p.reported_at for p in ticket.assignments])
    progress = [part.status for part in ticket.assignments]
    rated(one_world, ticket, LOW)
    amended(one_world, ticket, Grade.SATISFIED)
    assert (ticket.status, ticket.reopen_count) == (S.RESOLVED, 0)
    after = (ticket.resolve_due, ticket.resolved_at, [p.reported_at for p in ticket.assignments])
    assert after == before
    assert [part.status for part in ticket.assignments] == progress
    assert (ticket.next_due, ticket.next_warn) == (None, None)
    agrees(one_session, ticket)
    one_world.step(ticket, "close", "office")
    assert ticket.status is S.CLOSED


def test_once_a_department_has_accepted_again_the_reopening_stays(
    one_world: World, ticket: Ticket
) -> None:
    rated(one_world, ticket, LOW)
    one_world.step(ticket, "assist_accept", "handler2")
    with pytest.raises(Conflict, match="本轮还没有评价"):
        amended(one_world, ticket, Grade.SATISFIED)
    assert (ticket.status, ticket.reopen_count) == (S.REOPENED, 1)


def test_a_reopening_by_hand_is_not_taken_back_by_a_grade(one_world: World, ticket: Ticket) -> None:
    rated(one_world, ticket, Grade.SATISFIED)
    one_world.step(ticket, "reopen", "office", fix_by=dt.date(2099, 1, 1), note="复发")
    with pytest.raises(Conflict, match="本轮还没有评价"):
        amended(one_world, ticket, Grade.VERY_SATISFIED)


# Who rates whom


def test_nobody_rates_himself(one_world: World, ticket: Ticket) -> None:
    """A reviewer who sits in the very department that did the work."""
    actor = replace(
        one_world.actor("township"), organization_id=ticket.lead_id, organization_name="住建局"
    )
    data = {"grades": grades(ticket)}
    with acting_as(one_world.session, actor):
        assert "rate" not in {
            each.action for each in workflow.available(one_world.session, ticket, actor)
        }
        with pytest.raises(Conflict, match="不能评价自己"):
            workflow.apply(one_world.session, ticket, "rate", actor, data)
    assert {part.organization.code for part in to_grade(ticket, "rate")} == {"A-D1", "A-D2"}
    assert {part.organization.code for part in to_grade(ticket, "rate_assisting")} == {"A-D2"}


def test_the_lead_rates_those_who_assist_and_that_sends_nothing_back(
    one_session: Session, one_world: World, ticket: Ticket
) -> None:
    given = assisting(ticket, LOW)
    one_world.step(ticket, "rate_assisting", "handler", now=FRIDAY, grades=given)
    one_session.commit()
    assert ticket.status is S.RESOLVED
    assert {(each.organization.code, each.rater) for each in ticket.ratings} == {
        ("A-D2", Rater.LEAD)
    }
    with pytest.raises(Conflict, match="已经评价过协办单位"):
        one_world.step(ticket, "rate_assisting", "handler", now=FRIDAY, grades=given)
    better = assisting(ticket, Grade.FAIR)
    one_world.step(
        ticket, "amend_assisting", "handler", now=FRIDAY + HOUR, grades=better, note="改"
    )
    assert {each.grade for each in grades_of(ticket, Rater.LEAD)} == {Grade.FAIR}
    # The raising place's own rating is another matter.
    assert grades_of(ticket) == []


def test_where_the_lead_does_not_rate_it_is_not_asked(one_world: World, ticket: Ticket) -> None:
    ticket.whistle_class.mechanism.lead_rates_assisting = False
    with pytest.raises(Conflict, match="不由主办单位评价"):
        one_world.step(ticket, "rate_assisting", "handler", grades=assisting(ticket, Grade.FAIR))


# Residents' stars


def asked(world: World, ticket: Ticket) -> set[str]:
    actor = world.actor("community")
    (step,) = (
        each
        for each in workflow.available(world.session, ticket, actor)
        if each.action == "rate" and actor.has(Role.COMMUNITY_STAFF)
    )
    return {each.name for each in step.inputs}


def test_stars_are_asked_for_where_the_mechanism_has_them(one_world: World, ticket: Ticket) -> None:
    assert asked(one_world, ticket) == {"grades", "note"}
    ticket.whistle_class.mechanism.resident_stars = True
    assert asked(one_world, ticket) == {"grades", "stars", "stars_comment", "note"}
    given = {"grades": grades(ticket), "stars": 4, "stars_comment": "来得快"}
    for wrong in (0, 6):
        with pytest.raises(Invalid, match="1 到 5 颗星"):
            one_world.step(ticket, "rate", "community", **(given | {"stars": wrong}))
    one_world.step(ticket, "rate", "community", **given)
    assert (ticket.stars, ticket.stars_comment) == (4, "来得快")


def test_stars_are_dropped_where_nobody_asked(one_world: World, ticket: Ticket) -> None:
    one_world.step(ticket, "rate", "community", grades=grades(ticket), stars=1)
    assert ticket.stars is None
