"""The gate's probes: right under every alias, and an error rather than everything where they cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Select, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import aliased

from models.organization import Organization
from models.ticket import Ticket, TicketAssignment
from rules.actor import acting_as

T, A = aliased(Ticket), aliased(TicketAssignment)


@pytest.fixture
def two(world: Any) -> Any:
    """A ticket of each of two communities, both with the same department."""
    world.dispatched()
    world.dispatched(place="A12", who="community2")
    world.session.expunge_all()
    return world


@pytest.mark.parametrize(
    "statement",
    [
        select(func.count(Ticket.id)),
        select(func.count(T.id)),
        select(func.count()).select_from(select(Ticket.id).subquery()),
        select(func.count(TicketAssignment.id)),
        select(func.count(A.id)),
        select(func.count(TicketAssignment.id)).join(TicketAssignment.ticket.of_type(T)),
        select(func.count(Ticket.id)).join(
            TicketAssignment, TicketAssignment.ticket_id == Ticket.id
        ),
        select(func.count(Ticket.id))
        .select_from(Organization)
        .outerjoin(Ticket, Ticket.organization_id == Organization.id),
    ],
)
def test_a_community_counts_its_own_ticket_and_no_other(two: Any, statement: Select[Any]) -> None:
    with acting_as(two.session, two.actor("community")):
        assert two.session.scalar(statement) == 1


@pytest.mark.parametrize(
    "statement",
    [
        select(func.count(T.id))
        .select_from(Organization)
        .outerjoin(T, T.organization_id == Organization.id),
        select(func.count(A.id))
        .select_from(Organization)
        .outerjoin(A, A.organization_id == Organization.id),
    ],
)
def test_where_a_criterion_cannot_follow_an_alias_nothing_is_answered(
    two: Any, statement: Select[Any]
) -> None:
    with acting_as(two.session, two.actor("community")), pytest.raises(DBAPIError):
        two.session.scalar(statement)
