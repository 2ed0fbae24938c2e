"""Many at once on one record: exactly one step is taken, and the others are told by whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.agreement import Agreement, AgreementStatus
from models.duty import DutyItem, DutyList, DutyListStatus, DutyListType
from models.rating import Rating
from models.ticket import AssignmentRole, Ticket, TicketAssignment
from models.ticket import TicketStatus as S
from rules import ledger, workflow
from rules.actor import SYSTEM, Actor, acting_as
from rules.errors import Conflict
from tests.conftest import Backend, session_factory
from tests.factories.race import Job, race
from tests.factories.roads import brought_to, grades, inputs
from tests.factories.world import World

MANY = 8


def take(model: type[Any], record_id: int, action: str, data: Any = None) -> Job:
    """Return a job that takes a step, loading the record as a request would."""

    def job(session: Session, actor: Actor) -> str:
        record = session.scalars(select(model).where(model.id == record_id)).one()
        return str(workflow.apply(session, record, action, actor, data or {}))

    return job


def sorted_out(outcomes: list[Any]) -> tuple[list[Any], list[Conflict]]:
    """Return what was done and who was refused; anything else is a fault."""
    lost = [each for each in outcomes if isinstance(each, Conflict)]
    won = [each for each in outcomes if not isinstance(each, Exception)]
    assert len(won) + len(lost) == len(outcomes), outcomes
    return won, lost


def steps(session: Session, record: Any) -> list[str]:
    session.expire_all()
    found = ledger.events_of(session, record)
    assert ledger.faults(found) == []
    return [each.action for each in found]


def test_the_second_of_two_is_told_who_was_first(
    backend: Backend, session: Session, world: World
) -> None:
    """Both have the ticket on their screens as it was."""
    ticket = brought_to(world, S.DISPATCHED)
    session.commit()
    with session_factory(backend.app)() as other, acting_as(other, SYSTEM):
        late = World(other)
        stale = other.get_one(Ticket, ticket.id)
        assert stale.status is S.DISPATCHED
        assert len(stale.assignments) == 2
        other.commit()
        world.step(ticket, "accept", "handler")
        session.commit()
        with pytest.raises(Conflict) as refusal:
            late.step(stale, "accept", "handler")
        assert refusal.value.message == (
            f"“{ticket.number} 路灯不亮”现在是“已应哨”，"
            "最近一步是甲县住建局handler办理的“应哨签收”，不能再办理“应哨签收”。请核对后再操作。"
        )
        other.rollback()
        assert stale.status is S.ACCEPTED
    assert steps(session, ticket).count("accept") == 1


@pytest.mark.parametrize(
    ("status", "who", "action"),
    [
        (S.DISPATCHED, "handler", "accept"),
        (S.PENDING_DISPATCH, "office", "dispatch"),
        (S.RESOLVED, "community", "rate"),
        (S.DISPATCHED, "handler2", "assist_accept"),
    ],
)
def test_of_many_at_once_exactly_one_takes_the_step(
    backend: Backend, session: Session, world: World, status: S, who: str, action: str
) -> None:
    rounds = 5 if action == "accept" else 1
    for _round in range(rounds):
        ticket = brought_to(world, status)
        data = inputs(world, ticket, action)
        session.commit()
        before = steps(session, ticket)
        session.commit()
        outcomes = race(backend, who, [take(Ticket, ticket.id, action, data)] * MANY)
        won, lost = sorted_out(outcomes)
        assert (len(won), len(lost)) == (1, MANY - 1)
        assert steps(session, ticket) == [*before, action]
        if action in ("accept", "dispatch"):
            label = {"accept": "应哨签收", "dispatch": "派单"}[action]
            for refusal in lost:
                assert f"{who}办理的“{label}”，不能再办理“{label}”" in refusal.message
        session.commit()


def test_of_two_that_exclude_each_other_one_is_taken(
    backend: Backend, session: Session, world: World
) -> None:
    for _round in range(3):
        ticket = brought_to(world, S.RETURN_PENDING)
        session.commit()
        note = {"note": "意见"}
        approve = take(Ticket, ticket.id, "approve_return", note)
        refuse = take(Ticket, ticket.id, "refuse_return", note)
        won, lost = sorted_out(race(backend, "returns", [approve, refuse] * (MANY // 2)))
        assert (len(won), len(lost)) == (1, MANY - 1)
        approved = won == [S.PENDING_DISPATCH.value]
        session.expire_all()
        assert ticket.status is (S.PENDING_DISPATCH if approved else S.ACCEPTED)
        assert ticket.return_count == (1 if approved else 0)
        session.commit()


def test_those_who_dispatch_to_different_departments_send_one(
    backend: Backend, session: Session, world: World
) -> None:
    ticket = brought_to(world, S.PENDING_DISPATCH)
    departments = [world.place(code).id for code in ("A-D1", "A-D2", "A-D3", "A-U1")] * 2
    session.commit()
    jobs = [take(Ticket, ticket.id, "dispatch", {"lead": each}) for each in departments]
    won, _lost = sorted_out(race(backend, "office", jobs))
    assert len(won) == 1
    parts = session.scalars(
        select(TicketAssignment.organization_id).where(
            TicketAssignment.ticket_id == ticket.id,
            TicketAssignment.role == AssignmentRole.LEAD,
        )
    ).all()
    session.expire_all()
    assert parts == [ticket.lead_id]


def test_steps_that_do_not_exclude_each_other_are_all_taken(
    backend: Backend, session: Session, world: World
) -> None:
    """Lead and assisting departments at once on one ticket: each waits for its turn."""
    ticket = world.dispatched(assisting=("A-D2", "A-D3"))
    ticket_id = ticket.id

    def accept_as(code: str, action: str) -> Job:
        place = world.place(code).id

        def job(session: Session, actor: Actor) -> Any:
            own = replace(actor, organization_id=place, organization_name=code)
            with acting_as(session, own):
                return take(Ticket, ticket_id, action)(session, own)

        return job

    jobs = [
        accept_as("A-D1", "accept"),
        accept_as("A-D2", "assist_accept"),
        accept_as("A-D3", "assist_accept"),
    ]
    session.commit()
    won, lost = sorted_out(race(backend, "handler", jobs))
    assert (len(won), lost) == (3, [])
    assert sorted(steps(session, ticket)[-3:]) == ["accept", "assist_accept", "assist_accept"]


def test_a_ticket_is_rated_once_however_many_rate(
    backend: Backend, session: Session, world: World
) -> None:
    ticket = brought_to(world, S.RESOLVED)
    data = {"grades": grades(ticket)}
    session.commit()
    job = take(Ticket, ticket.id, "rate", data)
    won, lost = sorted_out(race(backend, "township", [job] * MANY))
    assert (len(won), len(lost)) == (1, MANY - 1)
    assert {refusal.message for refusal in lost} == {
        "这张哨单本轮已经评价；需要更正的，请办理“修改评价”。"
    }
    assert session.scalar(select(func.count(Rating.id))) == 8


def test_numbers_stay_apart_though_many_raise_at_once(
    backend: Backend, session: Session, world: World
) -> None:
    """From the very first, when the place has no sequence yet."""
    year = dt.datetime.now(dt.UTC).year
    for turn in range(3):
        drafts = [world.draft().id for _each in range(MANY)]
        session.commit()
        jobs = [take(Ticket, each, "raise") for each in drafts]
        won, lost = sorted_out(race(backend, "community", jobs))
        assert (len(won), lost) == (MANY, [])
        numbers = session.scalars(select(Ticket.number).where(Ticket.id.in_(drafts))).all()
        first = turn * MANY + 1
        assert sorted(numbers) == [
            f"甲一镇{year}-{each:04d}" for each in range(first, first + MANY)
        ]
        session.commit()


# Agreements


def test_one_agreement_of_a_pair_comes_into_force(
    backend: Backend, session: Session, world: World
) -> None:
    for turn in range(3):
        community = ("A11", "A12", "A21")[turn]
        drafts = [world.agreement(community, "A-U1", f"{turn}-{each}号").id for each in range(MANY)]
        session.commit()
        jobs = [take(Agreement, each, "bring_into_force") for each in drafts]
        won, lost = sorted_out(race(backend, "party", jobs))
        assert (len(won), len(lost)) == (1, MANY - 1)
        in_force = select(Agreement.id).where(
            Agreement.status == AgreementStatus.IN_FORCE, Agreement.id.in_(drafts)
        )
        assert len(session.scalars(in_force).all()) == 1
        session.commit()


def test_an_agreement_is_renewed_once(backend: Backend, session: Session, world: World) -> None:
    agreement = world.agreement("A11", "A-U1", "1号")
    world.step(agreement, "bring_into_force", "party")
    data = inputs(world, world.draft(), "renew")
    session.commit()
    job = take(Agreement, agreement.id, "renew", data)
    won, lost = sorted_out(race(backend, "party", [job] * MANY))
    assert (len(won), len(lost)) == (1, MANY - 1)
    numbers = session.scalars(select(Agreement.number).order_by(Agreement.id)).all()
    assert numbers == ["1号", "1号-续1"]


# Duty lists


def version(world: World, number: int) -> DutyList:
    """Return a draft of the county's catalogue, which has no version in force yet."""
    found = DutyList(
        organization=world.place("A"),
        list_type=DutyListType.CATALOGUE,
        number=number,
        item_count=1,
        items=[DutyItem(position=1, name="占道经营整治")],
    )
    world.session.add(found)
    world.session.flush()
    workflow.begin(world.session, found, SYSTEM)
    return found


def test_one_list_is_published_once(backend: Backend, session: Session, world: World) -> None:
    draft = version(world, 1)
    session.commit()
    job = take(DutyList, draft.id, "publish")
    won, lost = sorted_out(race(backend, "duty", [job] * MANY))
    assert (len(won), len(lost)) == (1, MANY - 1)
    assert all("duty办理的“发布”" in refusal.message for refusal in lost)
    assert steps(session, draft) == ["create", "publish"]


def test_of_many_versions_published_at_once_one_stays_in_force(
    backend: Backend, session: Session, world: World
) -> None:
    drafts = [version(world, number) for number in range(1, MANY + 1)]
    session.commit()
    jobs = [take(DutyList, each.id, "publish") for each in drafts]
    won, lost = sorted_out(race(backend, "duty", jobs))
    assert (len(won), lost) == (MANY, [])
    session.expire_all()
    states = sorted(each.status for each in drafts)
    assert states == [DutyListStatus.PUBLISHED, *[DutyListStatus.SUPERSEDED] * (MANY - 1)]
    for each in drafts:
        assert steps(session, each)[:2] == ["create", "publish"]


def test_what_a_racer_comes_to_is_told(backend: Backend) -> None:
    """Results and faults alike: a race whose threads died in silence would prove nothing."""
    seen: list[int] = []

    def job(session: Session, actor: Actor) -> int:
        seen.append(1)
        return len(seen)

    outcomes = race(backend, "handler", [job] * MANY)
    assert sorted(outcomes) == list(range(1, MANY + 1))
    failing: Callable[[Session, Actor], Any] = lambda session, actor: 1 / 0  # noqa: E731
    assert [type(each) for each in race(backend, "handler", [failing])] == [ZeroDivisionError]
