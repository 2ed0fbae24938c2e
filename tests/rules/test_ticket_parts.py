"""Departments come and go: hand-over of the lead, more of those who assist, fewer of them."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.ticket import AssignmentRole, AssignmentStatus, Ticket
from models.ticket import TicketStatus as S
from rules import clocks, ledger, workflow
from rules.actor import acting_as
from rules.calendar import SHANGHAI
from rules.errors import Conflict, Forbidden, Invalid
from tests.factories.roads import brought_to
from tests.factories.world import World

A = AssignmentStatus
LEAD, ASSISTING = AssignmentRole.LEAD, AssignmentRole.ASSISTING


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(dt.UTC)


MONDAY, TUESDAY = at("2026-03-02 09:00"), at("2026-03-03 09:00")
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def ticket(one_world: World) -> Ticket:
    """A ticket with a clock of each kind, led by A-D1, A-D2 assisting with clocks of its own."""
    found = brought_to(one_world, S.PENDING_DISPATCH)
    kind = found.whistle_class
    kind.respond_term = {"unit": "hours", "amount": 1}
    kind.arrive_term = {"unit": "hours", "amount": 4}
    kind.resolve_term = {"unit": "working_days", "amount": 2}
    kind.assist_respond_term = {"unit": "hours", "amount": 2}
    lead, other = one_world.place("A-D1").id, one_world.place("A-D2").id
    one_world.step(found, "dispatch", "office", now=MONDAY, lead=lead, assisting=[other])
    return found


def state(ticket: Ticket) -> list[tuple[str, AssignmentRole, AssignmentStatus]]:
    return [(each.organization.code, each.role, each.status) for each in ticket.assignments]


def dues(part: object) -> list[dt.datetime | None]:
    return [getattr(part, f"{clock}_due") for clock in clocks.CLOCKS]


def agrees(session: Session, ticket: Ticket) -> None:
    found = clocks.replay(ledger.events_of(session, ticket))
    assert list(found.due.values()) == dues(ticket)
    assert [list(part.due.values()) for part in found.parts] == [
        dues(part) for part in ticket.assignments
    ]
    at_work = [
        part.status not in (A.RETURNED, A.HANDED_OVER, A.REMOVED) for part in ticket.assignments
    ]
    assert [part.at_work for part in found.parts] == at_work


def sees(session: Session, world: World, account: str, ticket: Ticket) -> bool:
    session.flush()
    with acting_as(session, world.actor(account)):
        return session.scalar(select(Ticket.id).where(Ticket.id == ticket.id)) is not None


def test_each_department_has_its_own_clocks(one_session: Session, ticket: Ticket) -> None:
    end = at("2026-03-04 23:59:59")
    lead, other = ticket.assignments
    assert dues(ticket) == dues(lead) == [MONDAY + HOUR, MONDAY + 4 * HOUR, end]
    assert dues(other) == [MONDAY + 2 * HOUR, MONDAY + 4 * HOUR, end]
    agrees(one_session, ticket)


def test_the_lead_is_handed_over_and_the_clocks_run_on(
    one_session: Session, one_world: World, ticket: Ticket
) -> None:
    one_world.step(ticket, "accept", "handler", now=MONDAY)
    one_world.step(
        ticket, "hand_over", "office", now=TUESDAY, lead=one_world.place("A-D3").id, note="职责调整"
    )
    one_session.commit()
    assert (ticket.status, ticket.lead) == (S.DISPATCHED, one_world.place("A-D3"))
    assert state(ticket) == [
        ("A-D1", LEAD, A.HANDED_OVER),
        ("A-D2", ASSISTING, A.DISPATCHED),
        ("A-D3", LEAD, A.DISPATCHED),
    ]
    # Answered in time by the one before: the new one does not owe that any more.
    assert dues(ticket.assignments[2]) == [None, ticket.arrive_due, ticket.resolve_due]
    assert (ticket.accepted_at, ticket.next_due) == (MONDAY, MONDAY + 4 * HOUR)
    agrees(one_session, ticket)
    assert not sees(one_session, one_world, "handler", ticket)
    event = ledger.events_of(one_session, ticket)[-1]
    assert event.data["handed_over_by"]["name"] == "甲县住建局"


def test_whoever_assists_may_take_the_lead(
    one_session: Session, one_world: World, ticket: Ticket
) -> None:
    one_world.step(ticket, "hand_over", "office", lead=one_world.place("A-D2").id, note="换")
    assert state(ticket) == [
        ("A-D1", LEAD, A.HANDED_OVER),
        ("A-D2", ASSISTING, A.REMOVED),
        ("A-D2", LEAD, A.DISPATCHED),
    ]
    agrees(one_session, ticket)
    one_world.step(ticket, "accept", "handler2")
    assert ticket.status is S.ACCEPTED


def test_the_lead_is_not_handed_to_itself_or_by_anybody_else(
    one_world: World, ticket: Ticket
) -> None:
    with pytest.raises(Invalid, match="已是主办单位"):
        one_world.step(ticket, "hand_over", "office", lead=one_world.place("A-D1").id, note="换")
    for account in ("handler", "township", "returns"):
        with pytest.raises(Forbidden):
            one_world.step(ticket, "hand_over", account, lead=one_world.place("A-D3").id, note="换")


@pytest.mark.parametrize("who", ["office", "handler"])
def test_further_departments_are_called_in_and_their_clocks_start_then(
    one_session: Session, one_world: World, ticket: Ticket, who: str
) -> None:
    more = [one_world.place(code).id for code in ("A-D3", "A-U1")]
    one_world.step(ticket, "add_assisting", who, now=TUESDAY, assisting=more)
    one_session.commit()
    assert [row[0] for row in state(ticket)] == ["A-D1", "A-D2", "A-D3", "A-U1"]
    assert ticket.assignments[2].respond_due == TUESDAY + 2 * HOUR
    agrees(one_session, ticket)
    for wrong, sentence in (("A-D2", "已是协办单位"), ("A-D1", "已是主办单位")):
        with pytest.raises(Invalid, match=sentence):
            one_world.step(ticket, "add_assisting", who, assisting=[one_world.place(wrong).id])


def test_a_department_that_assists_is_let_go(
    one_session: Session, one_world: World, ticket: Ticket
) -> None:
    other = one_world.place("A-D2").id
    with pytest.raises(Forbidden):
        one_world.step(ticket, "remove_assisting", "handler", assisting=[other], note="不用了")
    with pytest.raises(Invalid, match="不是这张哨单的协办单位"):
        one_world.step(
            ticket, "remove_assisting", "office", assisting=[ticket.lead_id], note="不用了"
        )
    one_world.step(ticket, "remove_assisting", "office", assisting=[other], note="不用了")
    one_session.commit()
    assert state(ticket)[1] == ("A-D2", ASSISTING, A.REMOVED)
    assert not sees(one_session, one_world, "handler2", ticket)
    agrees(one_session, ticket)
    with pytest.raises(Conflict, match="没有协办单位"):
        one_world.step(ticket, "remove_assisting", "office", assisting=[other], note="不用了")
    one_world.step(ticket, "add_assisting", "handler", assisting=[other])
    assert sees(one_session, one_world, "handler2", ticket)
    agrees(one_session, ticket)


def test_an_assisting_department_may_report_after_the_lead(
    one_world: World, ticket: Ticket
) -> None:
    for action in ("accept", "arrive"):
        one_world.step(ticket, action, "handler")
    one_world.step(ticket, "report_result", "handler", result="修了")
    for action in ("assist_accept", "assist_arrive"):
        one_world.step(ticket, action, "handler2")
    one_world.step(ticket, "assist_report", "handler2", result="清了")
    assert (ticket.status, state(ticket)[1][2]) == (S.RESOLVED, A.REPORTED)
    assert not workflow.available(one_world.session, ticket, one_world.actor("handler2"))
