"""What is judged once more after a flush: whatever the flush may have moved, and nothing else."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import and_, delete, exists, inspect, or_, select
from sqlalchemy.orm import Session

from bench.timing import statements
from models.base import utcnow
from models.notice import Notice
from models.ticket import PartyRelation, Ticket, TicketAssignment, TicketParty
from models.ticket import TicketStatus as S
from models.ticket_file import ExtensionStatus
from rules import bulk, ledger, locking
from rules.actor import SYSTEM, acting_as
from rules.errors import OutOfScope
from rules.judging import _asked_for
from tests.factories.roads import brought_to, inputs, rate
from tests.factories.stage import Stage, built
from tests.factories.world import World
from tests.factories.writing import one


@pytest.fixture
def one_stage(one_world: World) -> Stage:
    """One of everything in both counties, on SQLite."""
    return built(one_world)


def judged(statements: list[str]) -> int:
    """Return how many statements asked which tickets may be written."""
    return sum("AS place, ticket_" in each for each in statements)


def test_a_ticket_that_stays_is_judged_before_it_is_written_only(
    one_stage: Stage, one_session: Session
) -> None:
    ticket = one(one_stage, Ticket, "A11")
    with (
        acting_as(one_session, one_stage.world.actor("community")),
        statements(one_session.get_bind()) as seen,
    ):
        ticket.address = "北门"
        one_session.flush()
    assert judged(seen) == 1


def test_a_ticket_that_is_moved_is_judged_where_it_comes_to_lie(
    one_stage: Stage, one_session: Session
) -> None:
    ticket = one(one_stage, Ticket, "A11")
    away, actor = one_stage.world.place("B11").id, one_stage.world.actor("community")
    with acting_as(one_session, actor), statements(one_session.get_bind()) as seen:
        ticket.organization_id = away
        with pytest.raises(OutOfScope):
            one_session.flush()
    assert judged(seen) == 2


def test_a_ticket_whose_parties_change_is_judged_by_them(
    one_stage: Stage, one_session: Session
) -> None:
    ticket = one(one_stage, Ticket, "A11")
    away, actor = one_stage.world.place("B11").id, one_stage.world.actor("community")
    with acting_as(one_session, actor), statements(one_session.get_bind()) as seen:
        ticket.parties.append(TicketParty(organization_id=away, relation=PartyRelation.ASSISTING))
        ticket.address = "北门"
        one_session.flush()
    assert judged(seen) == 2


def test_a_step_asks_whether_it_may_be_written_along_with_the_end_of_the_chain(
    one_world: World, one_session: Session
) -> None:
    ticket = brought_to(one_world, S.DISPATCHED)
    one_session.commit()
    with statements(one_session.get_bind()) as seen:
        one_world.step(ticket, "accept", "handler")
    assert judged(seen) == 0
    assert sum("event.hash" in each and "EXISTS" in each for each in seen) == 1


@pytest.mark.parametrize("locked", [True, False])
def test_what_the_answer_was_counts_for_the_writing(
    one_stage: Stage, one_session: Session, locked: bool
) -> None:
    """A dispatcher of the other county may not write here, however he was answered."""
    ticket = one(one_stage, Ticket, "A11")
    ledger.data_of_last(one_session, ticket, "raise")
    with acting_as(one_session, one_stage.world.actor("officeb")):
        if locked:
            locking.lock(one_session, ticket)
        ledger.data_of_last(one_session, ticket, "raise")
        ticket.address = "北门"
        with pytest.raises(OutOfScope):
            one_session.flush()


def test_an_answer_holds_for_whom_it_was_given_only(one_stage: Stage, one_session: Session) -> None:
    ticket = one(one_stage, Ticket, "A11")
    away = one_stage.world.actor("officeb")
    with acting_as(one_session, one_stage.world.actor("office")):
        locking.lock(one_session, ticket)
        ledger.data_of_last(one_session, ticket, "raise")
    with acting_as(one_session, away):
        ticket.address = "北门"
        with pytest.raises(OutOfScope):
            one_session.flush()


def test_an_answer_is_gone_once_something_is_written_that_it_speaks_of(
    one_stage: Stage, one_session: Session
) -> None:
    """Parties are written past the session's objects, or by a flush of their own."""
    ticket = one(one_stage, Ticket, "A11")
    actor, place = one_stage.world.actor("community"), one_stage.world.place("A11").id
    own = TicketParty.organization_id == place
    with acting_as(one_session, actor):
        locking.lock(one_session, ticket)
        ledger.data_of_last(one_session, ticket, "raise")
        with acting_as(one_session, SYSTEM):
            one_session.execute(delete(TicketParty).where(TicketParty.ticket_id == ticket.id, own))
        ticket.address = "北门"
        with pytest.raises(OutOfScope):
            one_session.flush()


def test_an_answer_stands_over_parties_that_come(one_stage: Stage, one_session: Session) -> None:
    """Of parties a ticket's judgement asks only whether there is one: more can but let more pass."""
    ticket = one(one_stage, Ticket, "A11")
    away, actor = one_stage.world.place("B11").id, one_stage.world.actor("community")
    with acting_as(one_session, actor):
        locking.lock(one_session, ticket)
        ledger.data_of_last(one_session, ticket, "raise")
        with statements(one_session.get_bind()) as seen:
            ticket.parties.append(
                TicketParty(organization_id=away, relation=PartyRelation.ASSISTING)
            )
            ticket.address = "北门"
            one_session.flush()
            assert judged(seen) == 0
            ticket.parties.remove(ticket.parties[-1])
            ticket.address = "南门"
            one_session.flush()
            assert judged(seen) == 1


def test_an_answer_stands_over_parties_that_come_past_the_objects(
    one_stage: Stage, one_session: Session
) -> None:
    ticket = one(one_stage, Ticket, "A11")
    away, actor = one_stage.world.place("B11").id, one_stage.world.actor("community")
    comes = {
        "ticket_id": ticket.id,
        "organization_id": away,
        "relation": PartyRelation.ASSISTING,
    }
    with acting_as(one_session, actor):
        locking.lock(one_session, ticket)
        ledger.data_of_last(one_session, ticket, "raise")
        bulk.add(one_session, TicketParty, [comes])
        with statements(one_session.get_bind()) as seen:
            ticket.address = "北门"
            one_session.flush()
        assert judged(seen) == 0
    assert [each.relation for each in ticket.parties if each.organization_id == away] == [
        PartyRelation.ASSISTING
    ]


def test_only_a_question_for_some_row_is_the_same_after_more_rows() -> None:
    ticket, party, part = (each.__table__ for each in (Ticket, TicketParty, TicketAssignment))
    here = exists().where(party.c.ticket_id == ticket.c.id)
    none = ~exists().where(part.c.ticket_id == ticket.c.id)
    base = select(ticket.c.id)
    among = ticket.c.id.in_(select(part.c.ticket_id))
    joined = base.select_from(ticket.outerjoin(part, part.c.ticket_id == ticket.c.id)).where(
        part.c.id.is_(None)
    )
    assert _asked_for(base.where(or_(here, ticket.c.paper))) == {ticket, party}
    for other in (none, among, and_(here, or_(none, here))):
        assert part not in _asked_for(base.where(other))
    assert part not in _asked_for(joined)
    assert _asked_for(base.where(here).limit(1)) == frozenset()


def test_what_hangs_from_a_ticket_is_judged_by_it(one_stage: Stage, one_session: Session) -> None:
    part = one(one_stage, TicketAssignment, "A11")
    part.ticket.address = "东门"
    one_session.flush()
    with (
        acting_as(one_session, one_stage.world.actor("officeb")),
        statements(one_session.get_bind()) as seen,
    ):
        part.result = "已修好"
        with pytest.raises(OutOfScope):
            one_session.flush()
    assert sum("AS place, ticket_assignment" in each for each in seen) == 1
    one_session.rollback()
    with (
        acting_as(one_session, one_stage.world.actor("office")),
        statements(one_session.get_bind()) as seen,
    ):
        part.ticket.address = "西门"
        part.result = "已修好"
        one_session.flush()
    assert (judged(seen), sum("ticket_assignment_" in each for each in seen)) == (1, 0)


def test_what_is_hung_from_another_ticket_is_judged_by_itself(
    one_stage: Stage, one_session: Session
) -> None:
    """To change a foreign ticket's part by hanging it from one's own is no way round."""
    foreign = one(one_stage, TicketAssignment, "B11")
    ticket = one(one_stage, Ticket, "A11")
    assert foreign.ticket_id != ticket.id
    with acting_as(one_session, one_stage.world.actor("office")):
        ticket.address = "北门"
        foreign.ticket_id = ticket.id
        with pytest.raises(OutOfScope):
            one_session.flush()


@pytest.mark.parametrize("locked", [True, False])
def test_a_line_about_what_may_not_be_read_is_refused(
    one_stage: Stage, one_session: Session, locked: bool
) -> None:
    """The line is written past the session's objects; the gate judges it all the same."""
    ticket = one(one_stage, Ticket, "A11")
    away = one_stage.world.actor("officeb")
    with acting_as(one_session, away):
        if locked:
            locking.lock(one_session, ticket)
        with pytest.raises(OutOfScope):
            ledger.append(
                one_session,
                ticket,
                away,
                action="note",
                label="补记",
                from_status=ticket.status,
                to_status=ticket.status,
            )


@pytest.mark.parametrize("state", [S.PENDING_DISPATCH, S.DISPATCHED])
def test_who_is_at_work_comes_with_the_end_of_the_chain(
    one_world: World, one_session: Session, state: S
) -> None:
    """Whether there is anybody or not; of a ticket that is not locked it is not read ahead."""
    ticket = brought_to(one_world, state)
    at_work = [part.id for part in ticket.assignments]
    office = one_world.actor("office")
    one_session.commit()
    with acting_as(one_session, office):
        ledger.read_with_end(one_session, ticket, Ticket.assignments)
        assert "assignments" not in inspect(ticket).dict
        locking.lock(one_session, ticket)
        with statements(one_session.get_bind()) as seen:
            ledger.read_with_end(one_session, ticket, Ticket.assignments)
            found = [part.id for part in ticket.assignments]
            line = ledger.append(
                one_session,
                ticket,
                office,
                action="note",
                label="补记",
                from_status=state,
                to_status=state,
            )
    assert (found, bool(at_work)) == (at_work, state is S.DISPATCHED)
    assert [each.split()[0] for each in seen] == ["SELECT", "INSERT"]
    assert ledger.faults(ledger.events_of(one_session, ticket)) == []
    assert ledger.events_of(one_session, ticket)[-1].hash == line.hash


def test_what_is_written_past_the_objects_is_not_asked_where_it_is_answered(
    one_stage: Stage, one_session: Session
) -> None:
    ticket = one(one_stage, Ticket, "A11")
    with acting_as(one_session, one_stage.world.actor("office")):
        locking.lock(one_session, ticket)
        ledger.data_of_last(one_session, ticket, "raise")
        with statements(one_session.get_bind()) as seen:
            bulk.judge(one_session, ticket)
    assert seen == []
    with acting_as(one_session, one_stage.world.actor("officeb")):
        for _again in range(2):
            with pytest.raises(OutOfScope):
                bulk.judge(one_session, ticket)
            ledger.data_of_last(one_session, ticket, "raise")


@pytest.mark.parametrize("more", [False, True])
def test_closing_reads_what_hangs_from_a_ticket_where_anything_does(
    one_world: World, one_session: Session, more: bool
) -> None:
    """The statement that finds the chain's end brings the grades, and tells what there is besides."""
    ticket = brought_to(one_world, S.ARRIVED)
    if more:
        ticket.resolve_due = utcnow() + dt.timedelta(days=1)
        one_world.step(
            ticket, "request_extension", "handler", **inputs(one_world, ticket, "request_extension")
        )
    one_world.step(ticket, "report_result", "handler", result="已修好")
    rate(one_world, ticket)
    if more:
        twin = one_world.raised()
        one_world.step(twin, "merge", "office", ticket=ticket.id, note="重复")
    one_session.commit()
    with statements(one_session.get_bind()) as seen:
        one_world.step(ticket, "close", "office")
    reading = [each.split("FROM")[0] for each in seen]
    assert sum("rating.grade" in each for each in reading) == 1
    assert sum("ticket_extension.reason" in each for each in reading) == more
    told = one_session.scalars(select(Notice.title)).all()
    assert sum("并入的主单已销号" in each for each in told) == more
    assert [each.status for each in ticket.extensions] == [ExtensionStatus.REFUSED] * more
