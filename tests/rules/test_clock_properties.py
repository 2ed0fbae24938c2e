"""The clocks, whatever happens in whatever order: the events alone give what is stored."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from models.grade import Grade
from models.ticket import AT_DEPARTMENT, OFF_WORK, Ticket
from rules import clocks, ledger, workflow
from rules.actor import SYSTEM, Actor, acting_as
from rules.calendar import SHANGHAI, shanghai_date
from rules.chain_ends import TicketCheck, broken_ends
from rules.errors import Refused
from rules.workflows.tickets import TICKETS
from tests.factories.roads import grades
from tests.factories.world import World

TERMS = st.one_of(
    st.none(),
    st.builds(lambda n: {"unit": "hours", "amount": n}, st.integers(1, 100)),
    st.builds(lambda n: {"unit": "working_days", "amount": n}, st.integers(1, 8)),
    st.builds(lambda n: {"unit": "working_hours", "amount": n}, st.integers(1, 20)),
    st.just({"unit": "same_day", "amount": None}),
)
#: Around the turn of a year, with its holidays and its made-up working days.
FIRST = dt.datetime(2025, 12, 20, tzinfo=SHANGHAI)
STARTS = st.builds(lambda hours: FIRST + dt.timedelta(hours=hours), st.integers(0, 67 * 24))
#: Who takes which step. The road on is drawn twice as often as what leads aside.
ROAD = [
    ("dispatch", "office"), ("accept", "handler"), ("arrive", "handler"),
    ("report_result", "handler"), ("rate", "community"), ("close", "office"),
]  # fmt: skip
ASIDE = [
    ("assist_accept", "handler2"), ("assist_arrive", "handler2"), ("assist_report", "handler2"),
    ("request_return", "handler"), ("approve_return", "returns"), ("refuse_return", "returns"),
    ("request_extension", "handler"), ("approve_extension", "returns"),
    ("refuse_extension", "returns"), ("hand_over", "office"), ("add_assisting", "office"),
    ("remove_assisting", "office"), ("amend_rating", "township"), ("rate_assisting", "handler"),
    ("amend_assisting", "handler"), ("reopen", "office"),
]  # fmt: skip
MOVES = st.lists(
    st.tuples(st.sampled_from([*ROAD, *ROAD, *ASIDE]), st.integers(0, 12), st.integers(0, 99)),
    min_size=15,
    max_size=40,
)


@pytest.fixture
def ticket(one_world: World) -> Ticket:
    """A ticket that waits for dispatch, of a class whose terms the test sets."""
    found = one_world.raised()
    one_world.reviewed(found)
    one_world.whistle_class("ordinary").mechanism.extension_cap = 3
    one_world.session.commit()
    return found


def inputs(world: World, ticket: Ticket, action: str, now: dt.datetime, choice: int) -> Any:
    """Return input for a step, some of which will be refused."""
    places = [world.place(code).id for code in ("A-D1", "A-D2", "A-D3")]
    second = places[1 + choice % 2]
    day = shanghai_date(now) + dt.timedelta(days=choice % 24)
    grade = list(Grade)[choice % 4]
    found: dict[str, Any] = {"note": "有依据", "result": "做了", "fix_by": day, "new_due": day}
    if action == "dispatch":
        found |= sent(world, choice)
    elif action in ("hand_over", "add_assisting", "remove_assisting"):
        found |= {"lead": places[0 if choice % 3 else 2], "assisting": [second]}
    elif action in ("rate", "amend_rating", "rate_assisting", "amend_assisting"):
        found |= {"grades": grades(ticket, grade)}
    elif action == "approve_extension" and choice % 2:
        del found["new_due"]
    return found


def sent(world: World, choice: int) -> dict[str, Any]:
    """Return a lead, mostly the one whose handler acts here, and who assists it."""
    lead, other = ("A-D3", "A-D1") if choice % 7 == 6 else ("A-D1", "A-D2")
    assisting = [world.place(other).id] if choice % 3 < 2 else []
    return {"lead": world.place(lead).id, "assisting": assisting}


def agrees(session: Session, ticket: Ticket) -> None:
    """Hold what is stored against what the events give, for the ticket and each department."""
    session.expire_all()
    events = ledger.events_of(session, ticket)
    found = clocks.replay(events)
    assert found.due == {clock: getattr(ticket, f"{clock}_due") for clock in clocks.CLOCKS}
    assert [(part.organization_id, part.at_work, part.due) for part in found.parts] == [
        (
            part.organization_id,
            part.status not in OFF_WORK,
            {clock: getattr(part, f"{clock}_due") for clock in clocks.CLOCKS},
        )
        for part in ticket.assignments
    ]
    owed = clocks.owed(ticket)
    assert ticket.next_due == (owed[1] if owed else None)
    assert (ticket.next_warn is None) is (ticket.next_due is None)
    if ticket.next_warn is not None and ticket.next_due is not None:
        assert ticket.next_warn <= ticket.next_due
        assert ticket.status in AT_DEPARTMENT
    check = TicketCheck(session)
    assert [*check.add(ticket.id, events), *check.finish(), *broken_ends(session)] == []


def deadlines(ticket: Ticket) -> list[Any]:
    """Return every deadline of the ticket and of the departments at work."""
    rows: list[Any] = [ticket, *(p for p in ticket.assignments if p.status not in OFF_WORK)]
    return [getattr(row, f"{clock}_due") for row in rows for clock in clocks.CLOCKS]


#: Steps that leave every deadline where it is.
STILL = {
    "accept", "arrive", "report_result", "assist_accept", "assist_arrive", "assist_report",
    "request_return", "refuse_return", "request_extension", "refuse_extension", "close",
    "rate_assisting", "amend_assisting", "merge", "unmerge",
}  # fmt: skip


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    start=STARTS,
    along=st.integers(0, 5),
    moves=MOVES,
    terms=st.lists(TERMS, min_size=9, max_size=9),
)
def test_whatever_happens_the_events_give_what_is_stored(
    one_session: Session,
    one_world: World,
    ticket: Ticket,
    start: dt.datetime,
    along: int,
    moves: list[tuple[tuple[str, str], int, int]],
    terms: list[Any],
) -> None:
    one_session.rollback()  # what an example that failed has left
    now = start.astimezone(dt.UTC)
    kind = ticket.whistle_class
    names = [f"{prefix}{clock}_term" for prefix in ("", "assist_") for clock in clocks.CLOCKS]
    names += [f"{clock}_warn" for clock in clocks.CLOCKS]
    for name, term in zip(names, terms, strict=True):
        usable = term is None or not (name.endswith("_warn") and term["unit"] == "same_day")
        setattr(kind, name, term if usable else None)
    one_session.flush()
    actors = {who: one_world.actor(who) for who in {who for _action, who in ROAD + ASIDE}}
    with acting_as(one_session, SYSTEM):
        one_world.step(ticket, "dispatch", "office", now=now, **sent(one_world, 0))
    walked = [(each, 1, 1) for each in ROAD[1 : 1 + along]]
    for (action, who), hours, choice in walked + moves:
        now += dt.timedelta(hours=hours)
        if moved(one_world, ticket, action, actors[who], now, choice):
            agrees(one_session, ticket)
    one_session.rollback()


def moved(
    world: World, ticket: Ticket, action: str, actor: Actor, now: dt.datetime, choice: int
) -> bool:
    """Take a step if it can be taken; a refusal moves nothing at all."""
    session = world.session
    step = TICKETS.step(action)
    if step is None or ticket.status not in step.froms:
        return False
    data, before = inputs(world, ticket, action, now, choice), deadlines(ticket)
    savepoint = session.begin_nested()
    try:
        with acting_as(session, actor):
            workflow.apply(session, ticket, action, actor, data, now=now)
        savepoint.commit()
    except Refused:
        savepoint.rollback()
        # What was loaded for somebody who sees nothing must not stand in for what is there.
        session.expire_all()
        assert deadlines(ticket) == before, action
        return False
    if action in STILL:
        assert deadlines(ticket) == before
    return True


@pytest.mark.parametrize(
    ("dispatched", "amount", "unit", "due"),
    [
        ("2025-12-31 23:59", 1, "working_days", "2026-01-04 23:59:59"),
        ("2025-12-31 08:00", 3, "working_days", "2026-01-06 23:59:59"),
        ("2026-01-04 00:00", 1, "working_days", "2026-01-05 23:59:59"),
        ("2026-02-13 12:00", 2, "working_days", "2026-02-24 23:59:59"),
        ("2025-12-31 23:59", 1, "calendar_days", "2026-01-01 23:59:59"),
        ("2025-12-31 23:30", 1, "hours", "2026-01-01 00:30:00"),
    ],
)
def test_over_the_turn_of_the_year(
    one_world: World, ticket: Ticket, dispatched: str, amount: int, unit: str, due: str
) -> None:
    """New Year 2026 is free from the 1st to the 3rd, Sunday the 4th is worked; Spring Festival is
    free from 15 to 23 February, Saturday the 14th is worked."""
    local = dt.datetime.fromisoformat(dispatched).replace(tzinfo=SHANGHAI)
    ticket.whistle_class.resolve_term = {"unit": unit, "amount": amount}
    one_world.step(ticket, "dispatch", "office", now=local, lead=one_world.place("A-D1").id)
    assert ticket.resolve_due == dt.datetime.fromisoformat(due).replace(tzinfo=SHANGHAI)
