"""What is judged once more after a flush: whatever the flush may have moved, and nothing else."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from bench.timing import statements
from models.ticket import PartyRelation, Ticket, TicketParty
from rules.actor import acting_as
from rules.errors import OutOfScope
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
