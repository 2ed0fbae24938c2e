"""The grid route: what can be solved where it is found, and what is handed up level by level."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from models.ticket import Ticket
from models.ticket import TicketStatus as S
from rules import ledger, workflow
from rules.errors import Conflict, Forbidden
from tests.factories.world import World


@pytest.fixture
def held(one_world: World) -> Ticket:
    """A ticket that a grid with staff of its own (community2) has in hand."""
    one_world.whistle_class("ordinary").mechanism.grid_route = True
    one_world.account("community2").organization = one_world.place("A111")
    one_world.session.flush()
    ticket = one_world.draft("A111")
    one_world.step(ticket, "hold_locally", "community2")
    return ticket


def offered(world: World, ticket: Ticket) -> dict[str, set[str]]:
    found = {}
    for account in ("community2", "community", "township", "office", "township2", "handler"):
        actor = world.actor(account)
        found[account] = {each.action for each in workflow.available(world.session, ticket, actor)}
    return {account: names for account, names in found.items() if names}


def test_the_grid_has_it_in_hand(one_world: World, held: Ticket) -> None:
    assert (held.status, held.holder) == (S.LOCAL, one_world.place("A111"))
    assert held.number == "甲一镇2026-0001"
    assert (held.raised_by, held.raised_at) == ("community2", None)
    both = {"solve_locally", "hand_up", "withdraw"}
    assert offered(one_world, held) == {
        "community2": both, "community": both, "township": {"withdraw", "merge"}, "office": {"merge"},
    }  # fmt: skip


def test_it_is_solved_where_it_was_found(
    one_session: Session, one_world: World, held: Ticket
) -> None:
    one_world.step(held, "solve_locally", "community2", result="清走了杂物")
    assert (held.status, held.result) == (S.SOLVED_LOCALLY, "清走了杂物")
    assert held.resolved_at is not None
    assert offered(one_world, held) == {}
    assert ledger.events_of(one_session, held)[-1].data["solved_by"]["name"] == "甲一一社区第1网格"


def test_it_is_handed_up_level_by_level_to_the_office(
    one_session: Session, one_world: World, held: Ticket
) -> None:
    number = held.number
    for who, holder in (("community2", "A11"), ("community", "A1")):
        one_world.step(held, "hand_up", who, note="解决不了")
        assert (held.status, held.holder) == (S.LOCAL, one_world.place(holder))
        if who == "community2":
            with pytest.raises(Forbidden):
                one_world.step(held, "solve_locally", "community2", result="清走了")
    one_world.step(held, "hand_up", "township", note="解决不了")
    one_session.commit()
    # Each level has looked at it on the way: no review is left.
    assert (held.status, held.holder) == (S.PENDING_DISPATCH, None)
    assert (held.number, held.raised_by) == (number, "community2")
    assert held.raised_at is not None
    assert held.verdict_reason is not None
    by = [each.data["handed_up_by"]["name"] for each in ledger.events_of(one_session, held)[-3:]]
    assert by == ["甲一一社区第1网格", "甲一一社区", "甲一镇"]


def test_what_may_not_be_blown_stays_with_the_township(one_world: World, held: Ticket) -> None:
    held.duty_item = one_world.item("调解邻里纠纷")
    for who in ("community2", "community"):
        one_world.step(held, "hand_up", who, note="解决不了")
    with pytest.raises(Conflict, match="属于本级职责，不予吹哨"):
        one_world.step(held, "hand_up", "township", note="解决不了")
    one_world.step(held, "solve_locally", "township", result="调解了")


def test_urgent_matters_and_other_mechanisms_do_not_go_this_way(one_world: World) -> None:
    mechanism = one_world.whistle_class("ordinary").mechanism
    mechanism.grid_route = False
    with pytest.raises(Conflict, match="没有网格处置环节"):
        one_world.step(one_world.draft(), "hold_locally", "community")
    mechanism.grid_route = True
    for draft in (one_world.draft(code="urgent"), one_world.draft(emergency=True)):
        with pytest.raises(Conflict, match="紧急事项不走属地处置"):
            one_world.step(draft, "hold_locally", "community")
