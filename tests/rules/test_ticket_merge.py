"""Duplicates: a link that can be taken back, with the clocks as they ran."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.ledger import Event
from models.notice import Notice
from models.ticket import Ticket
from models.ticket import TicketStatus as S
from rules import ledger, workflow
from rules.actor import SYSTEM, acting_as
from rules.errors import Conflict, Forbidden, Invalid
from tests.factories.roads import brought_to, rate
from tests.factories.world import World

OPEN = [S.PENDING_REVIEW, S.PENDING_DISPATCH, S.DISPATCHED, S.ACCEPTED, S.ARRIVED, S.RESOLVED,
        S.RETURN_PENDING, S.REOPENED]  # fmt: skip


def merge(world: World, ticket: Ticket, main: Ticket, who: str = "office") -> None:
    world.step(ticket, "merge", who, ticket=main.id, note="同一盏灯")


def clocks(ticket: Ticket) -> list[object]:
    return [
        ticket.respond_due,
        ticket.resolve_due,
        ticket.next_due,
        ticket.next_warn,
        ticket.lead_id,
    ]


@pytest.mark.parametrize("status", OPEN)
def test_a_merged_ticket_comes_back_as_it_was(
    one_session: Session, one_world: World, status: S
) -> None:
    main, ticket = one_world.raised("A12", "community2"), brought_to(one_world, status)
    before = clocks(ticket)
    merge(one_world, ticket, main)
    assert (ticket.status, ticket.merged_into) == (S.MERGED, main)
    assert (ticket.next_due, main.status) == (None, S.PENDING_REVIEW)
    both = [ledger.events_of(one_session, each)[-1] for each in (ticket, main)]
    assert [each.action for each in both] == ["merge", "take_in"]
    assert both[0].data["merged_into"] == {"id": main.id, "number": main.number}
    assert both[1].data["merged"] == {"id": ticket.id, "number": ticket.number}
    one_world.step(ticket, "unmerge", "office", note="不是同一处")
    one_session.commit()
    assert (ticket.status, ticket.merged_into) == (status, None)
    assert clocks(ticket) == before
    assert ledger.events_of(one_session, main)[-1].action == "give_back"


def test_what_a_ticket_is_not_merged_into(one_session: Session, one_world: World) -> None:
    ticket, main, third = (one_world.raised() for _each in range(3))
    draft, closed = one_world.draft(), brought_to(one_world, S.CLOSED)
    elsewhere = one_world.draft("B11")
    elsewhere_id = elsewhere.id
    for wrong, sentence in (
        (ticket, "不能把哨单并入它自己"),
        (draft, "现在是“草稿”"),
        (closed, "现在是“已销号”"),
    ):
        with pytest.raises(Invalid, match=sentence):
            merge(one_world, ticket, wrong)
    one_session.commit()
    for gone in (elsewhere, draft, closed):
        one_session.expunge(gone)
    with pytest.raises(Invalid, match="没有找到"):
        one_world.step(ticket, "merge", "office", ticket=elsewhere_id, note="重复")
    merge(one_world, ticket, main)
    with pytest.raises(Invalid, match="现在是“已并单”"):
        merge(one_world, third, ticket)
    with pytest.raises(Invalid, match="请先撤销那些并单"):
        merge(one_world, main, third)
    merge(one_world, third, main)


def test_another_countys_ticket_is_refused_even_to_whoever_sees_both(one_world: World) -> None:
    ticket, other = one_world.raised(), one_world.raised("B11", "communityb")
    with pytest.raises(Invalid, match="同一县"):
        workflow.apply(
            one_world.session, ticket, "merge", SYSTEM, {"ticket": other.id, "note": "重复"}
        )


def test_township_merges_its_own_and_nobody_else_does(one_world: World) -> None:
    ticket, main = one_world.raised(), one_world.raised("A12", "community2")
    for who in ("community", "township2", "returns"):
        with pytest.raises(Forbidden):
            merge(one_world, ticket, main, who)
    merge(one_world, ticket, main, "township")
    assert ticket.status is S.MERGED


def test_merging_shows_nobody_more_than_before(session: Session, world: World) -> None:
    ticket = brought_to(world, S.DISPATCHED)
    main = world.raised("A12", "community2")
    merge(world, ticket, main)
    session.commit()
    main_id = main.id
    session.expunge_all()
    for account, sees in (("community", False), ("handler", False), ("community2", True)):
        with acting_as(session, world.actor(account)):
            found = session.scalar(select(Ticket.id).where(Ticket.id == main_id))
        assert (found is not None) is sees


def test_closing_the_main_one_tells_who_raised_the_others(
    one_session: Session, one_world: World
) -> None:
    main, ticket = brought_to(one_world, S.RESOLVED), one_world.raised("A12", "community2")
    merge(one_world, ticket, main)
    rate(one_world, main)
    one_world.step(main, "close", "office")
    assert ticket.status is S.MERGED
    raiser = one_world.account("community2").id
    told = [
        each.title
        for each in one_session.query(Notice).filter_by(account_id=raiser)
        if each.record_id == ticket.id
    ]
    assert told[-1] == f"并入的主单已销号：{ticket}"
    with pytest.raises(Conflict):
        one_world.step(ticket, "approve", "township")
    # The link can be taken back even then.
    one_world.step(ticket, "unmerge", "office", note="没有解决")
    assert ticket.status is S.PENDING_REVIEW


def test_a_return_that_was_asked_for_before_merging_leads_back_to_where_it_was_asked(
    one_session: Session, one_world: World
) -> None:
    """Taking the merging back is no asking for a return."""
    ticket, main = brought_to(one_world, S.RETURN_PENDING), one_world.raised("A12", "community2")
    asked_in = one_session.scalars(
        select(Event.from_status)
        .where(Event.record_type == "ticket", Event.record_id == ticket.id)
        .order_by(Event.sequence.desc())
    ).first()
    merge(one_world, ticket, main)
    one_world.step(ticket, "unmerge", "office", note="不是一回事")
    assert ticket.status is S.RETURN_PENDING
    one_world.step(ticket, "refuse_return", "returns", note="属于职责范围")
    assert ticket.status == asked_in
    assert ticket.merged_into_id is None
