"""Deadlines tell: as near once, as past once, to whom they concern, and no more when nobody cares."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.account import Account
from models.notice import Notice
from models.ticket import AssignmentRole, Ticket, TicketAssignment
from models.ticket import TicketStatus as S
from rules import deadline_notices
from rules.clocks import near_from
from rules.deadline_notices import LATE, warn
from rules.mechanisms import calendar
from tests.factories.roads import brought_to
from tests.factories.world import World

SECOND = dt.timedelta(seconds=1)
DAY = dt.timedelta(days=1)
NOON = dt.datetime(2030, 1, 8, 4, tzinfo=dt.UTC)


@pytest.fixture
def ticket(one_session: Session, one_world: World) -> Ticket:
    """A ticket that A-D1 has yet to answer."""
    return one_world.dispatched()


@pytest.fixture
def helped(one_session: Session, one_world: World) -> TicketAssignment:
    """What A-D2 owes as it assists A-D1, which is at the place already: an answer by noon."""
    ticket = brought_to(one_world, S.ARRIVED)
    part = next(each for each in ticket.assignments if each.role is AssignmentRole.ASSISTING)
    part.respond_due, part.arrive_due, part.resolve_due = NOON, None, NOON + 9 * LATE
    one_session.flush()
    return part


def told(session: Session) -> list[tuple[str, str]]:
    """Return who has been told of deadlines, with the first words."""
    rows = session.execute(
        select(Account.username, Notice.title)
        .join(Account, Account.id == Notice.account_id)
        .where(Notice.title.contains("期限"))
        .order_by(Notice.id, Account.username)
    )
    return [(name, title.split("（")[0]) for name, title in rows]


def instants(ticket: Ticket) -> tuple[dt.datetime, dt.datetime]:
    """Return when the ticket turns yellow and when it turns red."""
    assert ticket.next_warn is not None
    assert ticket.next_due is not None
    return ticket.next_warn, ticket.next_due


def test_near_and_past_at_their_edges(one_session: Session, ticket: Ticket) -> None:
    near, due = instants(ticket)
    assert warn(one_session, near - SECOND) == 0
    assert warn(one_session, near) == 1
    assert told(one_session) == [("handler", "临近应哨期限")]
    assert warn(one_session, due) == 0, "the last instant is still in time"
    assert warn(one_session, due + SECOND) == 2
    assert sorted(told(one_session)[1:]) == [
        ("handler", "已超应哨期限"),
        ("office", "已超应哨期限"),
    ]


def test_sweeping_again_tells_nobody(one_session: Session, ticket: Ticket) -> None:
    near, due = instants(ticket)
    assert [warn(one_session, near) for _time in range(3)] == [1, 0, 0]
    assert [warn(one_session, due + SECOND) for _time in range(3)] == [2, 0, 0]


def test_an_answer_in_time_is_not_past(
    one_session: Session, one_world: World, ticket: Ticket
) -> None:
    _near, due = instants(ticket)
    one_world.step(ticket, "accept", "handler")
    assert warn(one_session, due + SECOND) == 0
    assert told(one_session) == []


def test_each_clock_is_told_of(one_session: Session, one_world: World) -> None:
    ticket = one_world.dispatched()
    ticket.arrive_due = instants(ticket)[1] + dt.timedelta(hours=8)
    one_session.flush()
    one_world.step(ticket, "accept", "handler")
    due = instants(ticket)[1]
    assert due == ticket.arrive_due
    assert warn(one_session, due + SECOND) == 2
    assert {words for _who, words in told(one_session)} == {"已超报到期限"}


def test_a_later_deadline_is_told_anew(one_session: Session, ticket: Ticket) -> None:
    _near, due = instants(ticket)
    assert warn(one_session, due + SECOND) == 2
    ticket.respond_due = ticket.next_due = due + dt.timedelta(days=1)
    one_session.flush()
    assert warn(one_session, due + dt.timedelta(days=1) + SECOND) == 2


def test_what_ran_out_long_ago_is_no_news(one_session: Session, ticket: Ticket) -> None:
    _near, due = instants(ticket)
    assert warn(one_session, due + LATE) == 0
    assert warn(one_session, due + LATE - SECOND) == 2


def test_what_is_closed_owes_nothing(one_session: Session, one_world: World) -> None:
    ticket = brought_to(one_world, S.CLOSED)
    assert ticket.next_due is None
    assert warn(one_session, dt.datetime.now(dt.UTC) + dt.timedelta(days=2)) == 0


def test_more_than_a_slice(
    one_session: Session, one_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline_notices, "SLICE", 2)
    tickets = [one_world.dispatched(title=f"第{n}盏灯") for n in range(5)]
    due = max(instants(each)[1] for each in tickets)
    for each in tickets[:3]:
        each.next_due = each.respond_due = due
    one_session.flush()
    assert warn(one_session, due + SECOND) == 10
    assert warn(one_session, due + SECOND) == 0


def test_who_assists_is_told_of_its_own_clock_whatever_the_lead_has_done(
    one_session: Session, helped: TicketAssignment
) -> None:
    assert warn(one_session, NOON - DAY - SECOND) == 0
    assert [warn(one_session, NOON - DAY) for _time in range(2)] == [1, 0]
    assert told(one_session) == [("handler2", "协办临近应哨期限")]
    assert warn(one_session, NOON) == 0, "the last instant is still in time"
    assert [warn(one_session, NOON + SECOND) for _time in range(2)] == [2, 0]
    assert sorted(told(one_session)[1:]) == [
        ("handler2", "协办已超应哨期限"),
        ("office", "协办单位已超应哨期限"),
    ]


def test_what_a_part_has_done_is_owed_no_more(
    one_session: Session, one_world: World, helped: TicketAssignment
) -> None:
    one_world.step(helped.ticket, "assist_accept", "handler2")
    assert warn(one_session, NOON + SECOND) == 0
    assert helped.resolve_due is not None
    assert warn(one_session, helped.resolve_due - DAY) == 1
    assert told(one_session) == [("handler2", "协办临近反馈期限")]
    one_world.step(helped.ticket, "report_result", "handler", result="已修好")
    assert warn(one_session, helped.resolve_due + SECOND) == 0


def test_several_that_assist_late_are_one_piece_of_news_to_the_office(
    one_session: Session, one_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline_notices, "SLICE", 1)
    ticket = one_world.dispatched(assisting=("A-D2", "A-D3"))
    one_world.step(ticket, "accept", "handler")
    for part in ticket.assignments:
        part.respond_due = NOON
    one_session.flush()
    warn(one_session, NOON + SECOND)
    found = [each for each in told(one_session) if "协办" in each[1]]
    assert sorted(found) == [
        ("handler2", "协办已超应哨期限"),
        ("office", "协办单位已超应哨期限"),
    ], "A-D3 has nobody who could be told"


@pytest.mark.parametrize(("amount", "unit"), [(2, "working_days"), (9, "working_hours")])
def test_a_part_is_near_by_the_calendar_as_the_ticket_is(
    one_session: Session, helped: TicketAssignment, amount: int, unit: str
) -> None:
    kind = helped.ticket.whistle_class
    kind.respond_warn = {"unit": unit, "amount": amount}
    kind.mechanism.working_hours = [["09:00", "17:00"]]
    one_session.flush()
    days = calendar(one_session, kind.mechanism)
    near = near_from(kind, "respond", NOON, lambda: days)
    assert [warn(one_session, near - SECOND), warn(one_session, near)] == [0, 1]
