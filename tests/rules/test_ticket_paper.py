"""Slips from paper: true times, true clocks, the number of their own year, and marked as such."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.orm import Session

from models.base import utcnow
from models.grade import Grade
from models.notice import Notice
from models.ticket import Ticket
from models.ticket import TicketStatus as S
from rules import clocks, ledger
from rules.actor import acting_as
from rules.calendar import SHANGHAI
from rules.errors import Conflict, Forbidden, Invalid
from rules.mechanisms import dimensions_of
from rules.paper import Times, enter
from tests.factories.world import World


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(dt.UTC)


WHOLE = Times(
    raised_at=at("2025-12-30 09:00"),
    dispatched_at=at("2025-12-30 16:00"),
    accepted_at=at("2025-12-31 10:00"),
    arrived_at=at("2026-01-04 09:00"),
    resolved_at=at("2026-01-05 17:00"),
    closed_at=at("2026-01-06 09:00"),
)
STAGES = ["raised_at", "dispatched_at", "accepted_at", "arrived_at", "resolved_at", "closed_at"]
REACHED = [S.PENDING_REVIEW, S.DISPATCHED, S.ACCEPTED, S.ARRIVED, S.RESOLVED, S.CLOSED]


def up_to(stage: str) -> Times:
    """Return a slip that shows this stage and those before it."""
    later = STAGES[STAGES.index(stage) + 1 :]
    return replace(WHOLE, **dict.fromkeys(later))


def entered(world: World, times: Times, who: str = "township", **more: Any) -> Ticket:
    ticket = world.draft(code=more.pop("code", "ordinary"))
    data: dict[str, Any] = {"assisting": [world.place("A-D2").id], "result": "换了灯头"}
    data |= {"lead": world.place("A-D1").id} | more
    actor = world.actor(who)
    with acting_as(world.session, actor):
        enter(world.session, ticket, actor, times, **data)
    return ticket


@pytest.mark.parametrize(("stage", "reached"), list(zip(STAGES, REACHED, strict=True)))
def test_a_slip_stands_where_its_paper_says(world: World, stage: str, reached: S) -> None:
    """What only shows its raising goes on along the review route, past the township's own steps."""
    who = "community" if stage == "raised_at" else "township"
    ticket = entered(world, up_to(stage), who)
    world.session.commit()
    assert (ticket.status, ticket.paper) == (reached, True)
    assert ticket.number == "甲一镇2025-0001"
    stamps = [getattr(ticket, name) for name in STAGES]
    assert stamps == [getattr(up_to(stage), name) for name in STAGES]
    events = ledger.events_of(world.session, ticket)
    assert ledger.faults(events) == []
    own, steps = events[1], events[2:]
    assert own.action == "enter_paper"
    assert [each.at for each in steps] == [getattr(WHOLE, n) for n in STAGES[: len(steps)]]
    for each in steps:
        assert each.data["paper"] is True
        assert each.data["entered_at"] == own.at.isoformat()
    if stage != "raised_at":
        # Two working days from the true dispatch, over the turn of the year.
        assert ticket.respond_due == at("2026-01-04 23:59:59")
    assert clocks.replay(events).due["respond"] == ticket.respond_due


def test_grades_of_the_paper_are_kept_and_send_nothing_back(one_world: World) -> None:
    places = [one_world.place(code).id for code in ("A-D1", "A-D2")]
    dimensions = dimensions_of(one_world.whistle_class("ordinary"))
    given = {f"{p}:{d.id}": Grade.DISSATISFIED.value for p in places for d in dimensions}
    ticket = entered(one_world, WHOLE, grades=given)
    assert (ticket.status, len(ticket.ratings), ticket.reopen_count) == (S.CLOSED, 8, 0)
    assert {each.rated_at for each in ticket.ratings} == {WHOLE.closed_at}


def test_a_direct_class_is_entered_as_well(one_world: World) -> None:
    ticket = entered(one_world, up_to("raised_at"), "community", code="urgent", result=None)
    assert ticket.status is S.DISPATCHED
    assert ticket.respond_due == at("2025-12-30 23:59:59")
    ticket = entered(one_world, up_to("accepted_at"), code="urgent", result=None)
    assert (ticket.status, ticket.accepted_at) == (S.ACCEPTED, WHOLE.accepted_at)


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"dispatched_at": at("2025-12-30 08:59")}, "dispatched_at", "不能早于“吹哨时间”（2025-12-30 09:00）"),
        ({"accepted_at": at("2025-12-30 15:59")}, "accepted_at", "不能早于“派单时间”"),
        ({"arrived_at": at("2025-12-31 09:59")}, "arrived_at", "不能早于“应哨时间”"),
        ({"resolved_at": at("2026-01-04 08:00")}, "resolved_at", "不能早于“报到时间”"),
        ({"closed_at": at("2026-01-05 16:00")}, "closed_at", "不能早于“反馈时间”"),
        ({"closed_at": utcnow() + dt.timedelta(days=1)}, "closed_at", "不能晚于现在"),
        ({"accepted_at": None}, "arrived_at", "填了“报到时间”，还要填写“应哨时间”"),
    ],
)  # fmt: skip
def test_times_that_cannot_be_are_refused(
    one_session: Session, one_world: World, change: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence) as refusal:
        entered(one_world, replace(WHOLE, **change))
    assert field in refusal.value.fields
    one_session.rollback()


def test_what_the_paper_shows_must_be_filled_in(one_session: Session, one_world: World) -> None:
    for left_out, field in ({"lead": None}, "lead"), ({"result": None}, "result"):
        with pytest.raises(Invalid) as refusal:
            entered(one_world, WHOLE, **left_out)
        assert list(refusal.value.fields) == [field]
    with pytest.raises(Invalid, match="不能承办这张哨单"):
        entered(one_world, WHOLE, lead=one_world.place("B-D1").id)


def test_a_community_enters_its_own_part_only(one_world: World) -> None:
    with pytest.raises(Forbidden, match="请由街乡补录"):
        entered(one_world, up_to("dispatched_at"), "community")
    for other in ("handler", "office"):
        with pytest.raises(Forbidden):
            entered(one_world, up_to("raised_at"), other)
    assert entered(one_world, WHOLE, "township").status is S.CLOSED


def test_a_slip_that_was_only_raised_is_judged_like_any_whistle(one_world: World) -> None:
    ticket = one_world.draft(duty_item=one_world.item("调解邻里纠纷"))
    actor = one_world.actor("community")
    with acting_as(one_world.session, actor), pytest.raises(Conflict, match="不予吹哨"):
        enter(one_world.session, ticket, actor, up_to("raised_at"))


def test_only_whoever_must_act_next_is_told(one_session: Session, one_world: World) -> None:
    ticket = entered(one_world, up_to("resolved_at"))
    titles = {each.title for each in one_session.query(Notice) if each.record_id == ticket.id}
    assert titles == {f"待评哨：{ticket}"}
