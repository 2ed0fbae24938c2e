"""Deadlines: fixed at dispatch, derivable from the ledger alone, moved by nothing but a fix-by date."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy.orm import Session

from models.mechanism import CalendarOverride
from models.ticket import Ticket
from models.ticket import TicketStatus as S
from rules import clocks, ledger
from rules.calendar import SHANGHAI
from tests.factories.roads import brought_to, rate
from tests.factories.world import World


def at(text: str) -> dt.datetime:
    """An instant written as Shanghai time."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(dt.UTC)


def dispatched(world: World, moment: str, **values: Any) -> Ticket:
    """Return a ticket that the office sent to A-D1 at that moment."""
    ticket = brought_to(world, S.PENDING_DISPATCH, **values)
    world.step(ticket, "dispatch", "office", now=at(moment), lead=world.place("A-D1").id)
    return ticket


def stored(session: Session, ticket: Ticket) -> dict[str, dt.datetime | None]:
    """Return the three deadlines as the database has them."""
    session.flush()
    session.expire(ticket)
    return {clock: getattr(ticket, f"{clock}_due") for clock in clocks.CLOCKS}


def derived(session: Session, ticket: Ticket) -> dict[str, dt.datetime | None]:
    return clocks.replay(ledger.events_of(session, ticket)).due


@pytest.mark.parametrize(
    ("dispatched_at", "due"),
    [
        ("2026-03-02 09:00", "2026-03-04 23:59:59"),  # Monday: Tuesday, Wednesday
        ("2026-03-06 09:00", "2026-03-10 23:59:59"),  # Friday: over a plain weekend
        ("2025-09-26 09:00", "2025-09-29 23:59:59"),  # Friday: Sunday the 28th is worked
        ("2025-09-30 23:59", "2025-10-10 23:59:59"),  # before eight days of National Day
        ("2025-10-10 09:00", "2025-10-13 23:59:59"),  # Friday: Saturday the 11th is worked
        (
            "2025-01-24 09:00",
            "2025-01-27 23:59:59",
        ),  # Sunday the 26th is worked for Spring Festival
        ("2025-12-31 23:59", "2026-01-05 23:59:59"),  # over the turn of the year, the 4th worked
        ("2026-03-03 00:00", "2026-03-05 23:59:59"),  # the first second of a day in Shanghai
        ("2026-03-02 23:59", "2026-03-04 23:59:59"),  # the last minute of the day before
    ],
)
def test_an_ordinary_whistle_is_answered_within_two_working_days(
    one_session: Session, one_world: World, dispatched_at: str, due: str
) -> None:
    ticket = dispatched(one_world, dispatched_at)
    expected = {"respond": at(due), "arrive": None, "resolve": None}
    assert stored(one_session, ticket) == expected
    assert derived(one_session, ticket) == expected


@pytest.mark.parametrize(
    ("raised_at", "due"),
    [
        ("2026-03-02 09:00", "2026-03-02 23:59:59"),
        ("2026-03-02 23:59:58", "2026-03-02 23:59:59"),
        ("2026-03-03 00:00", "2026-03-03 23:59:59"),
        ("2025-10-01 12:00", "2025-10-01 23:59:59"),  # a holiday is a day as well
    ],
)
def test_an_urgent_whistle_is_answered_on_the_same_day(
    session: Session, world: World, raised_at: str, due: str
) -> None:
    ticket = world.draft(code="urgent", duty_item=world.item("路灯安装与维修"))
    world.step(ticket, "raise", "community", now=at(raised_at))
    expected = {"respond": at(due), "arrive": None, "resolve": None}
    assert stored(session, ticket) == derived(session, ticket) == expected


def test_an_administrators_day_wins_over_the_national_calendar(
    one_session: Session, one_world: World
) -> None:
    one_session.add(CalendarOverride(day=dt.date(2026, 3, 3), working=False, note="停电"))
    one_session.add(CalendarOverride(day=dt.date(2026, 3, 7), working=True, note="补班"))
    one_session.flush()
    assert stored(one_session, dispatched(one_world, "2026-03-02 09:00"))["respond"] == at(
        "2026-03-05 23:59:59"
    )
    assert stored(one_session, dispatched(one_world, "2026-03-06 09:00"))["respond"] == at(
        "2026-03-09 23:59:59"
    )


def every_clock(one_world: World, **terms: Any) -> None:
    """Give the ordinary class terms for its three clocks."""
    ordinary = one_world.whistle_class("ordinary")
    for clock in clocks.CLOCKS:
        setattr(ordinary, f"{clock}_term", terms.get(clock))
    one_world.session.flush()


DAYS = {"unit": "working_days", "amount": 2}
HOUR = {"unit": "hours", "amount": 1}
ITEM = {"unit": "per_item", "amount": None}


def test_every_clock_starts_at_dispatch(one_session: Session, one_world: World) -> None:
    every_clock(one_world, respond={"unit": "minutes", "amount": 0}, arrive=HOUR, resolve=DAYS)
    ticket = dispatched(one_world, "2026-03-02 09:00")
    assert (
        stored(one_session, ticket)
        == derived(one_session, ticket)
        == {
            "respond": at("2026-03-02 09:00"),
            "arrive": at("2026-03-02 10:00"),
            "resolve": at("2026-03-04 23:59:59"),
        }
    )


@pytest.mark.parametrize(
    ("limit", "due"),
    [("3个工作日内办结", "2026-03-05 23:59:59"), ("尽快", None), (None, None)],
)
def test_a_limit_may_come_from_the_duty_item(
    one_session: Session, one_world: World, limit: str | None, due: str | None
) -> None:
    every_clock(one_world, resolve=ITEM)
    item = one_world.item("路灯安装与维修")
    item.time_limit = limit
    ticket = dispatched(one_world, "2026-03-02 09:00", duty_item=item)
    assert stored(one_session, ticket)["resolve"] == (at(due) if due else None)
    assert derived(one_session, ticket) == stored(one_session, ticket)


# What moves them, and what does not


def test_a_refused_return_moves_no_deadline(one_session: Session, one_world: World) -> None:
    every_clock(one_world, respond=DAYS, arrive=HOUR, resolve=DAYS)
    ticket = dispatched(one_world, "2026-03-02 09:00")
    fixed = stored(one_session, ticket)
    for day in (2, 3):
        moment = at(f"2026-03-0{day} 15:00")
        one_world.step(ticket, "request_return", "handler", now=moment, note="不属本部门")
        assert stored(one_session, ticket) == derived(one_session, ticket) == fixed
        one_world.step(ticket, "refuse_return", "returns", now=moment, note="属于")
        assert stored(one_session, ticket) == derived(one_session, ticket) == fixed


def test_a_new_dispatch_starts_them_anew(one_session: Session, one_world: World) -> None:
    every_clock(one_world, respond=DAYS, resolve=DAYS)
    ticket = dispatched(one_world, "2026-03-02 09:00")
    one_world.step(ticket, "request_return", "handler", note="不属本部门")
    one_world.step(ticket, "approve_return", "returns", note="同意")
    assert stored(one_session, ticket) == derived(one_session, ticket)
    again = at("2026-03-05 09:00")
    one_world.step(ticket, "dispatch", "office", now=again, lead=one_world.place("A-D2").id)
    expected = {
        "respond": at("2026-03-09 23:59:59"),
        "arrive": None,
        "resolve": at("2026-03-09 23:59:59"),
    }
    assert stored(one_session, ticket) == derived(one_session, ticket) == expected


def test_reopening_moves_the_last_one_to_its_fix_by_date(session: Session, world: World) -> None:
    every_clock(world, respond=DAYS, arrive=HOUR, resolve=DAYS)
    ticket = dispatched(world, "2026-03-02 09:00")
    fixed = stored(session, ticket)
    for action in ("accept", "arrive"):
        world.step(ticket, action, "handler")
    world.step(ticket, "report_result", "handler", result="修了")
    rate(world, ticket)
    world.step(ticket, "close", "office")
    day = dt.date(2099, 6, 1)
    world.step(ticket, "reopen", "office", fix_by=day, note="没修好")
    expected = fixed | {"resolve": at("2099-06-01 23:59:59")}
    assert stored(session, ticket) == derived(session, ticket) == expected


def test_what_was_fixed_stays_though_mechanism_and_calendar_change(
    one_session: Session, one_world: World
) -> None:
    ticket = dispatched(one_world, "2026-03-02 09:00")
    fixed = stored(one_session, ticket)
    every_clock(one_world, respond={"unit": "calendar_days", "amount": 30}, resolve=DAYS)
    one_session.add(CalendarOverride(day=dt.date(2026, 3, 3), working=False, note="停电"))
    one_session.commit()
    assert stored(one_session, ticket) == derived(one_session, ticket) == fixed


def test_a_ticket_that_was_never_dispatched_has_no_deadline(
    one_session: Session, one_world: World
) -> None:
    ticket = brought_to(one_world, S.PENDING_DISPATCH)
    nothing = dict.fromkeys(clocks.CLOCKS)
    assert stored(one_session, ticket) == derived(one_session, ticket) == nothing
    assert ticket.due is None


# The next one owed


def test_the_next_deadline_is_the_earliest_that_is_not_met(
    one_session: Session, one_world: World
) -> None:
    every_clock(one_world, respond=HOUR, arrive={"unit": "hours", "amount": 3}, resolve=DAYS)
    ticket = dispatched(one_world, "2026-03-02 09:00")
    respond, arrive = at("2026-03-02 10:00"), at("2026-03-02 12:00")
    resolve = at("2026-03-04 23:59:59")
    assert ticket.due == respond
    one_world.step(ticket, "request_return", "handler", note="不属本部门")
    assert ticket.due == respond
    one_world.step(ticket, "refuse_return", "returns", note="属于")
    one_world.step(ticket, "accept", "handler")
    assert ticket.due == arrive
    one_world.step(ticket, "request_return", "handler", note="不属本部门")
    assert ticket.due == arrive
    one_world.step(ticket, "refuse_return", "returns", note="属于")
    one_world.step(ticket, "arrive", "handler")
    assert ticket.due == resolve
    one_world.step(ticket, "report_result", "handler", result="修了")
    assert ticket.due is None
    one_world.step(ticket, "reopen", "office", fix_by=dt.date(2099, 6, 1), note="没修好")
    for action in (None, "accept", "arrive"):
        if action:
            one_world.step(ticket, action, "handler")
        # What was answered in time once is not overdue for having been sent back.
        assert ticket.due == at("2099-06-01 23:59:59")
    assert one_session.is_active
