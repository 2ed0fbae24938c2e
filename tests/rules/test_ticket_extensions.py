"""More time: asked for before the deadline, both deadlines kept, and it holds from the request."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy.orm import Session

from models.ticket import Ticket
from models.ticket import TicketStatus as S
from models.ticket_file import ExtensionStatus as E
from rules import clocks, ledger
from rules.calendar import SHANGHAI, end_of_day
from rules.errors import Conflict, Forbidden, Invalid
from tests.factories.roads import brought_to
from tests.factories.world import World

DAYS = {"unit": "working_days", "amount": 2}


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(dt.UTC)


MONDAY, TUESDAY, LATE = at("2026-03-02 09:00"), at("2026-03-03 09:00"), at("2026-03-09 09:00")
OLD, NEW = at("2026-03-04 23:59:59"), at("2026-03-10 23:59:59")


@pytest.fixture
def ticket(one_world: World) -> Ticket:
    """A ticket that A-D1 and A-D2 must have resolved by Wednesday."""
    found = brought_to(one_world, S.PENDING_DISPATCH)
    found.whistle_class.resolve_term = DAYS
    lead, other = one_world.place("A-D1").id, one_world.place("A-D2").id
    one_world.step(found, "dispatch", "office", now=MONDAY, lead=lead, assisting=[other])
    assert found.resolve_due == OLD
    return found


def ask(world: World, ticket: Ticket, day: str = "2026-03-10", **more: Any) -> None:
    data = {"new_due": dt.date.fromisoformat(day), "note": "等材料"}
    world.step(ticket, "request_extension", "handler", now=more.get("now", TUESDAY), **data)


def grant(world: World, ticket: Ticket, **data: Any) -> None:
    world.step(ticket, "approve_extension", "returns", **{"now": LATE} | data)


def dues(ticket: Ticket) -> list[dt.datetime | None]:
    return [ticket.resolve_due, *(part.resolve_due for part in ticket.assignments)]


def agrees(session: Session, ticket: Ticket) -> None:
    """What the events give is what is stored, for the ticket and for each department."""
    found = clocks.replay(ledger.events_of(session, ticket))
    assert found.due == {clock: getattr(ticket, f"{clock}_due") for clock in clocks.CLOCKS}
    assert [part.due["resolve"] for part in found.parts] == dues(ticket)[1:]


def test_old_and_new_deadline_are_both_kept(
    one_session: Session, one_world: World, ticket: Ticket
) -> None:
    ask(one_world, ticket)
    assert dues(ticket) == [OLD] * 3
    assert (ticket.status, ticket.extensions[0].status) == (S.DISPATCHED, E.REQUESTED)
    grant(one_world, ticket, note="情况属实")
    (found,) = ticket.extensions
    assert (found.old_due, found.new_due, found.status) == (OLD, NEW, E.APPROVED)
    assert (found.opinion, found.decided_at) == ("情况属实", LATE)
    # Granted after the old deadline had passed: it holds from the request, nothing was missed.
    assert dues(ticket) == [NEW] * 3
    assert ticket.next_due is not None
    agrees(one_session, ticket)


def test_an_earlier_date_than_asked_may_be_granted(
    one_session: Session, one_world: World, ticket: Ticket
) -> None:
    ask(one_world, ticket)
    with pytest.raises(Invalid, match="不能晚于申请的日期"):
        grant(one_world, ticket, new_due=dt.date(2026, 3, 11))
    with pytest.raises(Invalid, match="新期限应晚于"):
        grant(one_world, ticket, new_due=dt.date(2026, 3, 4))
    grant(one_world, ticket, new_due=dt.date(2026, 3, 6))
    assert ticket.resolve_due == end_of_day(dt.date(2026, 3, 6)) == ticket.extensions[0].new_due
    agrees(one_session, ticket)


def test_a_refused_request_moves_nothing(
    one_session: Session, one_world: World, ticket: Ticket
) -> None:
    ask(one_world, ticket)
    one_world.step(ticket, "refuse_extension", "returns", note="理由不足")
    assert dues(ticket) == [OLD] * 3
    assert ticket.extensions[0].status is E.REFUSED
    agrees(one_session, ticket)
    with pytest.raises(Conflict, match="已用完（最多 1 次）"):
        ask(one_world, ticket)


def test_an_assisting_department_with_its_own_deadline_keeps_it(
    one_session: Session, one_world: World
) -> None:
    found = brought_to(one_world, S.PENDING_DISPATCH)
    found.whistle_class.resolve_term = DAYS
    found.whistle_class.assist_resolve_term = {"unit": "calendar_days", "amount": 1}
    lead, other = one_world.place("A-D1").id, one_world.place("A-D2").id
    one_world.step(found, "dispatch", "office", now=MONDAY, lead=lead, assisting=[other])
    own = at("2026-03-03 23:59:59")
    assert dues(found) == [OLD, OLD, own]
    ask(one_world, found)
    grant(one_world, found)
    assert dues(found) == [NEW, NEW, own]
    agrees(one_session, found)


def test_when_no_more_time_can_be_asked_for(one_world: World, ticket: Ticket) -> None:
    with pytest.raises(Conflict, match="只能在期限届满前申请"):
        ask(one_world, ticket, now=OLD + dt.timedelta(seconds=1))
    with pytest.raises(Invalid, match="新期限应晚于"):
        ask(one_world, ticket, "2026-03-04")
    with pytest.raises(Forbidden):
        one_world.step(ticket, "request_extension", "handler2", new_due=NEW.date(), note="等")
    ask(one_world, ticket, now=OLD)
    with pytest.raises(Conflict, match="等待审核"):
        ask(one_world, ticket)
    ticket.whistle_class.mechanism.extension_cap = 0
    with pytest.raises(Conflict, match="不允许延期"):
        ask(one_world, ticket)
    with pytest.raises(Forbidden):
        one_world.step(ticket, "approve_extension", "office")


def test_without_a_deadline_there_is_nothing_to_extend(one_world: World) -> None:
    found = brought_to(one_world, S.ACCEPTED)
    with pytest.raises(Conflict, match="没有办结期限"):
        ask(one_world, found)


def test_a_request_ends_when_the_ticket_leaves_its_department(
    one_session: Session, one_world: World, ticket: Ticket
) -> None:
    ask(one_world, ticket)
    one_world.step(ticket, "hand_over", "office", lead=one_world.place("A-D3").id, note="换")
    assert ticket.extensions[0].status is E.REFUSED
    assert ticket.extensions[0].opinion == "主办单位已移交，延期申请自动终止。"
    with pytest.raises(Conflict, match="没有等待审核"):
        grant(one_world, ticket)
    assert ticket.resolve_due == OLD
    agrees(one_session, ticket)


def test_a_request_that_waits_outlives_the_report(one_world: World, ticket: Ticket) -> None:
    """The reviewer's delay is not the department's: granted later, it was not late."""
    ask(one_world, ticket)
    for action in ("accept", "arrive"):
        one_world.step(ticket, action, "handler", now=TUESDAY)
    report = at("2026-03-06 09:00")
    one_world.step(ticket, "report_result", "handler", now=report, result="修了")
    grant(one_world, ticket)
    assert ticket.resolved_at is not None
    assert ticket.resolve_due == NEW > ticket.resolved_at
