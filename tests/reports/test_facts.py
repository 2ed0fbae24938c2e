"""Facts are what the rows of a ticket say, however they came about: step by step, or all anew."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from models.grade import Grade
from models.measure import FactMark, TicketFact
from models.ticket import Theme, Ticket
from models.ticket import TicketStatus as S
from reports import facts
from reports.measures import Period, Question, measure, total
from rules.actor import NOBODY, SYSTEM, acting_as
from tests.conftest import Backend, session_factory
from tests.factories.lives import Life, events
from tests.factories.race import race
from tests.factories.roads import brought_to, rate
from tests.factories.world import World
from tests.reports.measure_oracle import Row, facts_of

NAMES = [each.key for each in TicketFact.__mapper__.column_attrs if each.key != "id"]


def kept(session: Session, ticket: Ticket) -> list[Row]:
    """Return a ticket's rows as they are kept."""
    rows = select(TicketFact).where(TicketFact.ticket_id == ticket.id)
    ordered = session.scalars(rows.order_by(TicketFact.position)).all()
    found = [{name: getattr(each, name) for name in NAMES} for each in ordered]
    for each in ordered:
        session.expunge(each)
    return found


def marks(session: Session) -> int:
    """Return how many marks wait."""
    return session.scalar(select(func.count(FactMark.id))) or 0


def lived(session: Session, world: World, seed: int, *, tickets: int, steps: int) -> set[str]:
    """Let tickets live at random; after every step their rows are those that the oracle tells.

    Returns the names of the steps that were taken.
    """
    rng = random.Random(seed)
    taken: set[str] = set()
    for _ in range(tickets):
        life = Life(world, rng)
        life.begin()
        for action in life.steps(steps):
            taken.add(action)
            facts.catch_up(session)
            assert kept(session, life.ticket) == facts_of(session, life.ticket)
    for ticket in session.scalars(select(Ticket)):
        assert kept(session, ticket) == facts_of(session, ticket)
    return taken


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32))
def test_rows_follow_every_step_of_random_lives(
    one_session: Session, one_world: World, seed: int
) -> None:
    lived(one_session, one_world, seed, tickets=2, steps=9)
    step_by_step = every_row(one_session)
    assert facts.check(one_session) == [], "the sums of months have followed"
    facts.rebuild(one_session)
    assert every_row(one_session) == step_by_step
    one_session.rollback()


def every_row(session: Session) -> list[Any]:
    """Return all rows without their own numbers."""
    columns = [getattr(TicketFact, name) for name in NAMES]
    found = select(*columns).order_by(TicketFact.ticket_id, TicketFact.position)
    return [tuple(each) for each in session.execute(found)]


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32))
def test_what_comes_back_is_a_share_of_what_was_ever_closed(
    one_session: Session, one_world: World, seed: int
) -> None:
    """By the ledger alone: of those that were closed at some time, those sent back at some time."""
    before = set(one_session.scalars(select(Ticket.id)))
    lived(one_session, one_world, seed, tickets=3, steps=9)
    been = [
        {event.to_status for event in events(one_session, ticket)}
        for ticket in one_session.scalars(select(Ticket).where(Ticket.id.not_in(before)))
        if ticket.status is not S.MERGED
    ]
    closed = [each for each in been if "closed" in each]
    always = Question(Period(dt.date(2000, 1, 1), dt.date(2099, 12, 31)))
    found = total(one_session, always, [measure("reopen_rate")], dt.datetime.now(dt.UTC))
    assert (found["reopen_rate"].part, found["reopen_rate"].of) == (
        sum("reopened" in each for each in closed),
        len(closed),
    )
    one_session.rollback()


def test_closed_and_sent_back_it_counts_at_once_and_before_its_closing_not(
    one_session: Session, one_world: World
) -> None:
    again = brought_to(one_world, S.CLOSED)
    one_world.step(again, "reopen", "office", fix_by=dt.date(2099, 1, 1), note="又坏了")
    brought_to(one_world, S.REOPENED)
    brought_to(one_world, S.CLOSED)
    facts.catch_up(one_session)
    today = dt.datetime.now(dt.UTC).date()
    near = Question(Period(today - dt.timedelta(days=3), today + dt.timedelta(days=3)))
    asked = [measure("reopen_rate"), measure("closed"), measure("closing_rate")]
    found = total(one_session, near, asked, dt.datetime.now(dt.UTC))
    assert (found["reopen_rate"].part, found["reopen_rate"].of) == (1, 2)
    assert found["closed"].part == 1
    assert (found["closing_rate"].part, found["closing_rate"].of) == (1, 3)


def test_rows_are_the_same_on_both_databases_and_made_anew(session: Session, world: World) -> None:
    taken = lived(session, world, 11, tickets=14, steps=12)
    assert {"approve_return", "hand_over", "reopen", "merge", "close", "rate"} <= taken
    assert facts.check(session) == []
    step_by_step = every_row(session)
    facts.rebuild(session)
    assert every_row(session) == step_by_step
    assert facts.check(session) == []


@pytest.mark.parametrize("status", list(S))
def test_every_state_has_the_rows_that_it_should(
    one_session: Session, one_world: World, status: S
) -> None:
    ticket = brought_to(one_world, status)
    facts.catch_up(one_session)
    assert kept(one_session, ticket) == facts_of(one_session, ticket)
    raised = status not in (S.DRAFT, S.LOCAL, S.SOLVED_LOCALLY)
    assert len(kept(one_session, ticket)) == raised
    if raised:
        sent = status not in (
            S.PENDING_REVIEW,
            S.PENDING_DISPATCH,
            S.WITHDRAWN,
            S.DECLINED,
            S.MERGED,
        )
        assert kept(one_session, ticket)[0]["dispatched"] is sent


def test_a_department_that_left_in_time_owes_nothing_and_one_too_late_does(
    one_session: Session, one_world: World
) -> None:
    early = one_world.dispatched("A-D1")
    late = one_world.dispatched("A-D1")
    for ticket, days in ((early, 0), (late, 30)):
        assert ticket.respond_due
        at = ticket.respond_due + dt.timedelta(days=days, minutes=-1)
        one_world.step(
            ticket, "hand_over", "office", now=at, lead=one_world.place("A-D2").id, note="职责调整"
        )
    facts.catch_up(one_session)
    assert [row["respond_due"] for row in kept(one_session, early)] == [None, early.respond_due]
    assert [row["respond_due"] for row in kept(one_session, late)] == [late.respond_due] * 2
    assert [row["current"] for row in kept(one_session, late)] == [False, True]


def test_a_department_that_leads_twice_has_one_row_of_its_last_turn(
    one_session: Session, one_world: World
) -> None:
    ticket = brought_to(one_world, S.RETURN_PENDING)
    one_world.step(ticket, "approve_return", "returns", note="同意")
    facts.catch_up(one_session)
    (waiting,) = kept(one_session, ticket)
    assert (waiting["current"], waiting["returned"], waiting["dispatched"]) == (True, True, True)
    again = dt.datetime(2027, 1, 4, 1, tzinfo=dt.UTC)
    one_world.step(ticket, "dispatch", "office", now=again, lead=one_world.place("A-D1").id)
    facts.catch_up(one_session)
    (row,) = kept(one_session, ticket)
    assert (row["position"], row["day"], row["returned"]) == (2, dt.date(2027, 1, 4), True)


def test_grades_that_were_amended_count_as_they_stand(
    one_session: Session, one_world: World
) -> None:
    ticket = brought_to(one_world, S.RESOLVED)
    rate(one_world, ticket)
    facts.catch_up(one_session)
    (row,) = kept(one_session, ticket)
    assert row["grades"] == row["satisfied"] == 4
    grades = {
        f"{each.organization_id}:{each.dimension_id}": Grade.FAIR.value for each in ticket.ratings
    }
    one_world.step(ticket, "amend_rating", "community", grades=grades, note="更正")
    facts.catch_up(one_session)
    (row,) = kept(one_session, ticket)
    assert (row["grades"], row["satisfied"]) == (4, 0)


def test_what_a_form_changes_is_folded(session: Session, world: World) -> None:
    ticket: Any = brought_to(world, S.ACCEPTED)
    facts.catch_up(session)
    ticket.theme = Theme.SAFETY
    session.flush()
    assert marks(session) == 1
    assert facts.catch_up(session) == 1
    assert kept(session, ticket)[0]["theme"] is Theme.SAFETY
    ticket.title = "别的标题"
    session.flush()
    assert marks(session) == 0


def test_an_organisation_that_moves_takes_its_tickets_along(session: Session, world: World) -> None:
    ticket = brought_to(world, S.DISPATCHED)
    other = world.raised("A12", who="community2")
    facts.catch_up(session)
    assert kept(session, ticket)[0]["township_id"] == world.place("A1").id
    world.place("A11").parent = world.place("A2")
    session.flush()
    facts.catch_up(session)
    assert kept(session, ticket)[0]["township_id"] == world.place("A2").id
    assert kept(session, other)[0]["township_id"] == world.place("A1").id
    assert facts.check(session) == []


def test_a_draft_that_is_deleted_leaves_neither_row_nor_mark(
    session: Session, world: World
) -> None:
    draft = world.draft()
    session.delete(draft)
    session.flush()
    assert marks(session) == 1
    facts.catch_up(session)
    assert (marks(session), every_row(session)) == (0, [])


def test_a_limit_leaves_the_rest_for_later(one_session: Session, one_world: World) -> None:
    tickets = [one_world.raised() for _ in range(3)]
    waiting = marks(one_session)
    assert facts.catch_up(one_session, 2) == 1
    assert marks(one_session) == waiting - 2
    assert facts.catch_up(one_session) == 2
    assert facts.catch_up(one_session) == 0
    assert [len(kept(one_session, each)) for each in tickets] == [1, 1, 1]


def test_a_check_names_what_differs_and_passes_over_what_is_marked(
    session: Session, world: World
) -> None:
    first, second, third = (brought_to(world, S.DISPATCHED) for _ in range(3))
    facts.catch_up(session)
    wrong = update(TicketFact).where(TicketFact.ticket_id == first.id).values(closed=True, month=1)
    session.execute(wrong, execution_options={"synchronize_session": False})
    gone = delete(TicketFact).where(TicketFact.ticket_id == second.id)
    session.execute(gone, execution_options={"synchronize_session": False})
    world.step(third, "accept", "handler")
    said = [
        f"哨单 {first.id} 的第 1 行统计不符：month、closed。",
        f"哨单 {second.id} 的第 1 行统计缺失。",
    ]
    # The sums that are kept are of the month that it was, and hold the row that is gone.
    assert [each[-4:] for each in facts.check(session)[2:]] == ["月计不符。"[-4:]] * 2
    facts.sum_up(session)
    assert facts.check(session) == said
    facts.rebuild(session)
    assert (facts.check(session), marks(session)) == ([], 0)


def test_nobody_needs_to_see_tickets_to_have_them_folded(
    one_session: Session, one_world: World
) -> None:
    ticket = one_world.raised()
    with acting_as(one_session, NOBODY):
        assert facts.catch_up(one_session) == 1
    assert len(kept(one_session, ticket)) == 1


def test_who_finds_sqlite_held_by_another_reads_what_is_there(sqlite: Backend) -> None:
    maker = session_factory(sqlite.app)
    with maker() as writer, maker() as reader, acting_as(writer, SYSTEM), acting_as(reader, SYSTEM):
        World(writer).raised()
        writer.commit()
        World(writer).raised()
        reader.connection().exec_driver_sql("PRAGMA busy_timeout = 1")
        assert marks(reader) > 0
        assert facts.catch_up(reader) == 0
        reader.rollback()
        writer.commit()
        assert facts.catch_up(reader) == 2


@pytest.mark.postgresql
def test_a_ticket_on_which_a_step_is_taken_is_left_for_the_next_time(
    postgresql_backend: Backend,
) -> None:
    postgresql_backend.reset()
    maker = session_factory(postgresql_backend.app)
    with maker() as other, maker() as reader, acting_as(other, SYSTEM), acting_as(reader, SYSTEM):
        tickets = [World(other).raised() for _ in range(2)]
        ids = [each.id for each in tickets]
        other.commit()
        other.scalars(select(Ticket.id).where(Ticket.id == ids[0]).with_for_update()).one()
        assert facts.catch_up(reader) == 1
        reader.commit()
        assert set(reader.scalars(select(FactMark.ticket_id))) == {ids[0]}
        other.rollback()
        assert facts.catch_up(reader) == 1
        assert (marks(reader), len(every_row(reader))) == (0, 2)


def test_many_at_once_neither_lose_nor_double(backend: Backend) -> None:
    maker = session_factory(backend.app)
    with maker() as session, acting_as(session, SYSTEM):
        world = World(session)
        tickets = [brought_to(world, S.ACCEPTED).id for _ in range(6)]
        facts.catch_up(session, 5)
        session.commit()

    def fold(opened: Session, actor: Any) -> int:
        return facts.catch_up(opened)

    def step(number: int) -> Any:
        def arrive(opened: Session, actor: Any) -> None:
            world = World(opened)
            with acting_as(opened, SYSTEM):
                ticket = opened.get(Ticket, tickets[number])
                world.step(ticket, "arrive", "handler")

        return arrive

    outcomes = race(backend, "handler", [fold, step(0), fold, step(1), fold, step(2)])
    assert [each for each in outcomes if isinstance(each, Exception)] == []
    with maker() as session, acting_as(session, SYSTEM):
        facts.catch_up(session)
        assert facts.check(session) == []
        assert (marks(session), len(every_row(session))) == (0, 6)
        arrived = select(func.count()).where(TicketFact.status == S.ARRIVED)
        assert session.scalar(arrived) == 3
