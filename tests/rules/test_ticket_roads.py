"""The roads of domain section 6, walked one by one with what each leaves behind."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.rating import Rating
from models.ticket import (
    AssignmentRole,
    AssignmentStatus,
    PartyRelation,
    Ticket,
    TicketParty,
)
from models.ticket import TicketStatus as S
from rules import ledger, workflow
from rules.actor import acting_as
from rules.calendar import end_of_day, shanghai_date
from rules.errors import Conflict, Invalid
from rules.workflows.ticket_effects import active
from tests.factories.roads import brought_to, grades, rate
from tests.factories.world import World

A = AssignmentStatus
MONDAY = dt.datetime(2026, 3, 2, 1, 30, tzinfo=dt.UTC)  # 09:30 in Shanghai


def steps(session: Session, ticket: Ticket) -> list[str]:
    return [event.action for event in ledger.events_of(session, ticket)]


def sees(session: Session, world: World, account: str, ticket: Ticket) -> bool:
    """Ask the database, as the account, in nobody's memory."""
    with acting_as(session, world.actor(account)):
        return session.scalar(select(Ticket.id).where(Ticket.id == ticket.id)) is not None


def progress(ticket: Ticket) -> list[tuple[AssignmentRole, AssignmentStatus]]:
    return [(part.role, part.status) for part in ticket.assignments]


def test_the_main_road(session: Session, world: World) -> None:
    ticket = world.draft()
    assert ticket.number is None
    hour = dt.timedelta(hours=1)
    road = [
        ("raise", "community", {}, S.PENDING_REVIEW),
        ("approve", "township", {}, S.PENDING_REVIEW),
        ("approve", "township", {}, S.PENDING_DISPATCH),
        ("dispatch", "office", {"lead": world.place("A-D1").id}, S.DISPATCHED),
        ("accept", "handler", {}, S.ACCEPTED),
        ("arrive", "handler", {}, S.ARRIVED),
        ("report_result", "handler", {"result": "换了三个灯头"}, S.RESOLVED),
        ("rate", "community", {}, S.RESOLVED),
        ("close", "township", {}, S.CLOSED),
    ]
    for number, (action, who, data, reached) in enumerate(road):
        given = {"grades": grades(ticket)} if action == "rate" else data
        world.step(ticket, action, who, now=MONDAY + number * hour, **given)
        assert ticket.status is reached
    session.commit()
    assert ticket.number == "甲一镇2026-0001"
    assert (ticket.raised_by, ticket.raised_at) == ("community", MONDAY)
    stamps = [
        ticket.dispatched_at,
        ticket.accepted_at,
        ticket.arrived_at,
        ticket.resolved_at,
        ticket.closed_at,
    ]
    assert stamps == [MONDAY + number * hour for number in (3, 4, 5, 6, 8)]
    assert (ticket.result, ticket.lead) == ("换了三个灯头", world.place("A-D1"))
    assert (ticket.return_count, ticket.reopen_count) == (0, 0)
    assert steps(session, ticket) == ["create", *(action for action, *_rest in road)]
    assert [event.at for event in ledger.events_of(session, ticket)[1:]] == [
        MONDAY + number * hour for number in range(9)
    ]
    assert ledger.faults(ledger.events_of(session, ticket)) == []


def test_a_townships_own_whistle_skips_its_review(one_session: Session, one_world: World) -> None:
    ticket = one_world.raised("A1", "township")
    assert ticket.status is S.PENDING_DISPATCH
    assert steps(one_session, ticket) == ["create", "raise"]
    for_community = one_world.raised("A11", "township")
    assert for_community.status is S.PENDING_DISPATCH


def test_a_grids_whistle_goes_through_its_township(one_world: World) -> None:
    ticket = one_world.draft("A111")
    one_world.step(ticket, "raise", "community", now=MONDAY)
    assert (ticket.status, ticket.number) == (S.PENDING_REVIEW, "甲一镇2026-0001")


def test_a_direct_class_goes_to_the_department_and_the_office_sees_it(
    session: Session, world: World
) -> None:
    """No review, no dispatcher; the item's first department leads, the others assist."""
    ticket = world.draft(code="urgent", duty_item=world.item("路灯安装与维修"))
    world.step(ticket, "raise", "community")
    session.commit()
    assert ticket.status is S.DISPATCHED
    assert ticket.lead == world.place("A-D1")
    assert progress(ticket) == [
        (AssignmentRole.LEAD, A.DISPATCHED),
        (AssignmentRole.ASSISTING, A.DISPATCHED),
    ]
    event = ledger.events_of(session, ticket)[-1]
    assert event.data["registered_at_office"] is True
    assert event.data["lead"]["name"] == "甲县住建局"
    assert [each["name"] for each in event.data["assisting"]] == ["甲县执法局"]
    assert ticket.dispatched_at == ticket.raised_at == event.at
    for account in ("office", "handler", "handler2", "township"):
        assert sees(session, world, account, ticket)


def test_a_direct_class_takes_the_department_that_was_chosen(one_world: World) -> None:
    ticket = one_world.draft(code="urgent", duty_item=one_world.item("路灯安装与维修"))
    one_world.step(ticket, "raise", "community", lead=one_world.place("A-D3").id)
    assert ticket.lead == one_world.place("A-D3")
    assert {part.organization.code for part in active(ticket)} == {"A-D1", "A-D2", "A-D3"}


def test_a_direct_class_without_any_department_asks_for_one(
    one_session: Session, one_world: World
) -> None:
    ticket = one_world.draft(code="urgent", emergency=True)
    one_session.commit()
    with pytest.raises(Invalid) as refusal:
        one_world.step(ticket, "raise", "community")
    assert refusal.value.fields == {"lead": "“急哨”直派部门，请选择派往部门。"}
    one_session.rollback()
    assert (ticket.status, ticket.number) == (S.DRAFT, None)


@pytest.mark.parametrize(
    ("lead", "reason"),
    [
        ("B-D1", "another county's department"),
        ("A12", "a community"),
        ("A1", "a township"),
        (None, "nothing at all"),
    ],
)
def test_only_the_countys_own_departments_and_units_are_sent(
    one_session: Session, one_world: World, lead: str | None, reason: str
) -> None:
    ticket = brought_to(one_world, S.PENDING_DISPATCH)
    one_session.commit()
    chosen = one_world.place(lead).id if lead else 999_999
    with pytest.raises(Invalid) as refusal:
        one_world.step(ticket, "dispatch", "office", lead=chosen)
    assert "lead" in refusal.value.fields, reason
    assert "不能承办这张哨单" in refusal.value.message
    one_session.rollback()
    with pytest.raises(Invalid) as refusal:
        one_world.step(
            ticket, "dispatch", "office", lead=one_world.place("A-D1").id, assisting=[chosen]
        )
    assert "assisting" in refusal.value.fields, reason
    one_session.rollback()
    assert (ticket.status, ticket.assignments, ticket.lead) == (S.PENDING_DISPATCH, [], None)


def test_a_department_out_of_use_is_not_sent(one_session: Session, one_world: World) -> None:
    ticket = brought_to(one_world, S.PENDING_DISPATCH)
    one_world.place("A-D1").active = False
    one_session.commit()
    with pytest.raises(Invalid, match="甲县住建局”不能承办"):
        one_world.step(ticket, "dispatch", "office", lead=one_world.place("A-D1").id)


def test_the_lead_does_not_assist_and_nobody_assists_twice(
    one_session: Session, one_world: World
) -> None:
    ticket = brought_to(one_world, S.PENDING_DISPATCH)
    one_session.commit()
    lead, other = one_world.place("A-D1").id, one_world.place("A-D2").id
    with pytest.raises(Invalid, match="已是主办单位"):
        one_world.step(ticket, "dispatch", "office", lead=lead, assisting=[other, lead])
    one_session.rollback()
    one_world.step(ticket, "dispatch", "office", lead=lead, assisting=[other, other])
    assert progress(ticket) == [
        (AssignmentRole.LEAD, A.DISPATCHED),
        (AssignmentRole.ASSISTING, A.DISPATCHED),
    ]


@pytest.mark.parametrize(
    ("status", "action", "who"),
    [
        (S.PENDING_REVIEW, "decline_review", "township"),
        (S.PENDING_DISPATCH, "decline", "office"),
    ],
)
def test_declining_says_why(
    one_session: Session, one_world: World, status: S, action: str, who: str
) -> None:
    ticket = brought_to(one_world, status)
    one_world.step(ticket, action, who, note="属于本级职责")
    assert ticket.status is S.DECLINED
    assert ledger.events_of(one_session, ticket)[-1].note == "属于本级职责"
    assert ticket.dispatched_at is None
    assert sees(one_session, one_world, "community", ticket)


@pytest.mark.parametrize("status", [S.DRAFT, S.PENDING_REVIEW, S.PENDING_DISPATCH])
def test_withdrawing_before_dispatch(one_session: Session, one_world: World, status: S) -> None:
    ticket = brought_to(one_world, status)
    one_world.step(ticket, "withdraw", "community", note="已自行解决")
    assert ticket.status is S.WITHDRAWN
    assert ledger.events_of(one_session, ticket)[-1].from_status == status.value


# Returns


def test_an_approved_return_goes_back_to_dispatch_and_the_departments_lose_sight(
    session: Session, world: World
) -> None:
    ticket = brought_to(world, S.RETURN_PENDING)
    world.step(ticket, "approve_return", "returns", note="确非住建职责")
    session.commit()
    assert ticket.status is S.PENDING_DISPATCH
    assert (ticket.lead, ticket.return_count) == (None, 1)
    assert progress(ticket) == [
        (AssignmentRole.LEAD, A.RETURNED),
        (AssignmentRole.ASSISTING, A.RETURNED),
    ]
    for account in ("handler", "handler2"):
        assert not sees(session, world, account, ticket)
    for account in ("office", "returns", "township", "community"):
        assert sees(session, world, account, ticket)
    departments = select(TicketParty.id).where(
        TicketParty.ticket_id == ticket.id,
        TicketParty.relation.in_([PartyRelation.LEAD, PartyRelation.ASSISTING]),
    )
    assert session.scalars(departments).all() == []


def test_a_returned_ticket_is_dispatched_anew(one_session: Session, one_world: World) -> None:
    ticket = brought_to(one_world, S.RETURN_PENDING)
    one_world.step(ticket, "approve_return", "returns", note="改派")
    lead = one_world.place("A-D2").id
    one_world.step(ticket, "dispatch", "office", now=MONDAY, lead=lead)
    one_session.commit()
    assert ticket.status is S.DISPATCHED
    assert (ticket.dispatched_at, ticket.accepted_at) == (MONDAY, None)
    assert [part.organization.code for part in active(ticket)] == ["A-D2"]
    assert sees(one_session, one_world, "handler2", ticket)
    assert not sees(one_session, one_world, "handler", ticket)
    one_world.step(ticket, "accept", "handler2")
    assert ticket.status is S.ACCEPTED


@pytest.mark.parametrize("status", [S.DISPATCHED, S.ACCEPTED])
def test_a_refused_return_goes_back_to_where_it_was_and_the_clock_ran_on(
    session: Session, world: World, status: S
) -> None:
    ticket = brought_to(world, status)
    session.commit()
    before = (ticket.respond_due, ticket.dispatched_at, ticket.accepted_at, progress(ticket))
    for turn in (1, 2):
        world.step(ticket, "request_return", "handler", note=f"第{turn}次申请")
        assert ticket.status is S.RETURN_PENDING
        world.step(ticket, "refuse_return", "returns", note="属于你单位职责")
        session.commit()
        assert ticket.status is status
    after = (ticket.respond_due, ticket.dispatched_at, ticket.accepted_at, progress(ticket))
    assert after == before
    assert (ticket.return_count, ticket.lead) == (0, world.place("A-D1"))
    assert sees(session, world, "handler", ticket)


# Reopening


@pytest.mark.parametrize("status", [S.RESOLVED, S.CLOSED])
def test_reopening_sends_the_same_ticket_back_by_a_date(
    session: Session, world: World, status: S
) -> None:
    ticket = brought_to(world, status)
    number, day = ticket.number, shanghai_date(dt.datetime.now(dt.UTC)) + dt.timedelta(days=3)
    world.step(ticket, "reopen", "office", fix_by=day, note="灯又灭了")
    session.commit()
    assert ticket.status is S.REOPENED
    assert (ticket.number, ticket.reopen_count) == (number, 1)
    assert ticket.resolve_due == ticket.due == end_of_day(day)
    assert (ticket.resolved_at, ticket.closed_at) == (None, None)
    assert {status for _role, status in progress(ticket)} == {A.DISPATCHED}
    for action in ("accept", "arrive"):
        world.step(ticket, action, "handler")
        assert ticket.due == end_of_day(day)
    world.step(ticket, "report_result", "handler", result="重做了")
    assert ticket.status is S.RESOLVED
    with pytest.raises(Conflict, match="还没有评哨"):
        world.step(ticket, "close", "office")
    rate(world, ticket)
    world.step(ticket, "close", "office")
    assert ticket.status is S.CLOSED
    rounds = session.scalars(select(Rating.round).where(Rating.ticket_id == ticket.id)).all()
    assert set(rounds) == ({1, 2} if status is S.CLOSED else {2})
    assert (ticket.reopen_count, ticket.return_count) == (1, 0)


def test_a_fix_by_date_is_not_in_the_past(one_session: Session, one_world: World) -> None:
    """Today will do, as Shanghai counts days."""
    ticket = brought_to(one_world, S.RESOLVED)
    one_session.commit()
    late = dt.datetime(2026, 3, 2, 16, 30, tzinfo=dt.UTC)  # already the 3rd in Shanghai
    with pytest.raises(Invalid) as refusal:
        one_world.step(
            ticket, "reopen", "office", now=late, fix_by=dt.date(2026, 3, 2), note="没修"
        )
    assert refusal.value.fields == {"fix_by": "限期整改日期不能早于今天。"}
    one_session.rollback()
    one_world.step(ticket, "reopen", "office", now=late, fix_by=dt.date(2026, 3, 3), note="没修")
    assert ticket.resolve_due == dt.datetime(2026, 3, 3, 15, 59, 59, tzinfo=dt.UTC)


def test_a_reopened_ticket_may_be_reopened_again(one_world: World) -> None:
    ticket = brought_to(one_world, S.REOPENED)
    for action in ("accept", "arrive"):
        one_world.step(ticket, action, "handler")
    one_world.step(ticket, "report_result", "handler", result="重做了")
    one_world.step(ticket, "reopen", "township", fix_by=dt.date(2099, 1, 1), note="还是不行")
    assert (ticket.status, ticket.reopen_count) == (S.REOPENED, 2)


def test_a_return_after_reopening_is_refused_back_to_accepted(one_world: World) -> None:
    """Where it was last, not where it was first."""
    ticket = brought_to(one_world, S.RETURN_PENDING)
    one_world.step(ticket, "refuse_return", "returns", note="不同意")
    one_world.step(ticket, "arrive", "handler")
    one_world.step(ticket, "report_result", "handler", result="修了")
    one_world.step(ticket, "reopen", "office", fix_by=dt.date(2099, 1, 1), note="没修好")
    assert {
        step.action for step in workflow.available(one_world.session, ticket, _lead(one_world))
    } == {"accept", "request_extension", "add_assisting"}
    one_world.step(ticket, "accept", "handler")
    one_world.step(ticket, "request_return", "handler", note="再次申请")
    one_world.step(ticket, "refuse_return", "returns", note="不同意")
    assert ticket.status is S.ACCEPTED


def _lead(one_world: World) -> object:
    return one_world.actor("handler")
