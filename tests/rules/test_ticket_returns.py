"""Returns up to the cap, and none at all where the first asked is responsible."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from models.ticket import TicketStatus as S
from rules import ledger
from rules.errors import Conflict
from tests.factories.roads import brought_to, rate
from tests.factories.world import World


def turned_down(world: World, ticket: object, times: int) -> None:
    for _turn in range(times):
        world.step(ticket, "request_return", "handler", note="不属本部门")
        world.step(ticket, "refuse_return", "returns", note="属于")


def test_after_the_cap_the_reviewers_word_is_final(one_session: Session, one_world: World) -> None:
    ticket = brought_to(one_world, S.DISPATCHED)
    turned_down(one_world, ticket, 2)
    with pytest.raises(Conflict, match="已被驳回 2 次，以审核员的决定为准"):
        one_world.step(ticket, "request_return", "handler", note="再试")
    last = ledger.events_of(one_session, ticket)[-1]
    assert last.data["department"]["name"] == "甲县住建局"


def test_the_cap_counts_the_requests_of_the_department_that_asks(one_world: World) -> None:
    """Whoever takes the ticket over has not been refused yet."""
    ticket = brought_to(one_world, S.DISPATCHED)
    turned_down(one_world, ticket, 2)
    one_world.step(ticket, "hand_over", "office", lead=one_world.place("A-D2").id, note="换")
    one_world.step(ticket, "request_return", "handler2", note="不属本部门")
    assert ticket.status is S.RETURN_PENDING


def test_where_the_first_asked_is_responsible_nothing_goes_back(one_world: World) -> None:
    ticket = brought_to(one_world, S.ACCEPTED)
    ticket.whistle_class.mechanism.returns_allowed = False
    with pytest.raises(Conflict, match="首问负责"):
        one_world.step(ticket, "request_return", "handler", note="不属本部门")


def test_an_approved_return_leaves_the_grades_as_they_were(one_world: World) -> None:
    ticket = brought_to(one_world, S.RESOLVED)
    rate(one_world, ticket)
    given = [(each.organization_id, each.grade) for each in ticket.ratings]
    one_world.step(ticket, "reopen", "office", fix_by=dt.date(2099, 1, 1), note="复发")
    one_world.step(ticket, "accept", "handler")
    one_world.step(ticket, "request_return", "handler", note="已移交职能")
    one_world.step(ticket, "approve_return", "returns", note="同意")
    assert (ticket.status, ticket.return_count) == (S.PENDING_DISPATCH, 1)
    assert [(each.organization_id, each.grade) for each in ticket.ratings] == given
