"""Deadlines tell: as near once, as past once, to whom they concern, and no more when nobody cares."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.account import Account
from models.notice import Notice
from models.ticket import Ticket
from models.ticket import TicketStatus as S
from rules import deadline_notices
from rules.deadline_notices import LATE, warn
from tests.factories.roads import brought_to
from tests.factories.world import World

SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def ticket(one_session: Session, one_world: World) -> Ticket:
    """A ticket that A-D1 has yet to answer."""
    return brought_to(one_world, S.DISPATCHED)


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
    ticket = brought_to(one_world, S.DISPATCHED)
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
    tickets = [brought_to(one_world, S.DISPATCHED, title=f"第{n}盏灯") for n in range(5)]
    due = max(instants(each)[1] for each in tickets)
    for each in tickets[:3]:
        each.next_due = each.respond_due = due
    one_session.flush()
    assert warn(one_session, due + SECOND) == 10
    assert warn(one_session, due + SECOND) == 0
