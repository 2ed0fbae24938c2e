"""What is due for supervision, at the edges of its hours, days and counts (三个必督, domain section 8)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from models.notice import Notice
from models.supervision import (
    SupervisionCause,
    SupervisionKind,
    SupervisionRule,
    SupervisionStatus,
)
from models.ticket import Ticket, TicketStatus
from presets.supervision import USUAL
from rules import proposals, supervision
from rules.supervision_rules import stored
from tests.factories.orders import brought_to, inputs, orders
from tests.factories.roads import brought_to as ticket_at
from tests.factories.world import World

C = SupervisionCause
K = SupervisionKind
S = SupervisionStatus
SECOND, HOUR, DAY = (dt.timedelta(**{each: 1}) for each in ("seconds", "hours", "days"))


@pytest.fixture
def session(one_session: Session) -> Session:
    return one_session


@pytest.fixture
def world(one_world: World) -> World:
    return one_world


@pytest.fixture
def due(world: World) -> dt.datetime:
    """A ticket of A11 that A-D1 has yet to accept: when it has to."""
    ticket = world.dispatched()
    assert ticket.next_due is not None
    return ticket.next_due


def rule(world: World, county: str = "A", **values: object) -> None:
    """Set a county's rule."""
    usual = {
        "near_hours": USUAL.near_hours,
        "ladder": stored(USUAL.ladder),
        "again_times": USUAL.again_times,
        "again_days": USUAL.again_days,
    }
    world.session.add(SupervisionRule(organization=world.place(county), **(usual | values)))
    world.session.flush()


def found(session: Session) -> list[tuple[C, K, S]]:
    return [(each.cause, each.kind, each.status) for each in orders(session)]


# Near


@pytest.mark.parametrize(
    ("before", "is_found"),
    [(24 * HOUR + SECOND, False), (24 * HOUR, True), (SECOND, True), (0 * HOUR, True)],
)
def test_a_deadline_is_near_from_the_hour_on(
    session: Session, due: dt.datetime, before: dt.timedelta, is_found: bool
) -> None:
    supervision.find(session, due - before)
    assert found(session) == ([(C.NEAR, K.ORDINARY, S.PROPOSED)] if is_found else [])


def test_the_county_says_what_is_near(session: Session, world: World, due: dt.datetime) -> None:
    rule(world, near_hours=6)
    rule(world, "B", near_hours=40)
    assert supervision.find(session, due - 7 * HOUR) == 0
    assert supervision.find(session, due - 6 * HOUR) == 1


def test_a_term_that_is_shorter_than_near_is_not_near_from_its_first_minute(
    session: Session, world: World
) -> None:
    ticket = world.dispatched()
    assert ticket.next_due is not None
    ticket.dispatched_at = ticket.next_due - 24 * HOUR
    session.flush()
    assert supervision.find(session, ticket.next_due - HOUR) == 0
    assert supervision.find(session, ticket.next_due + SECOND) == 1


def test_what_owes_nothing_is_not_looked_for(session: Session, world: World) -> None:
    ticket = ticket_at(world, TicketStatus.RESOLVED)
    assert ticket.next_due is None
    assert supervision.find(session, dt.datetime(2100, 1, 1, tzinfo=dt.UTC)) == 0


def test_what_was_done_in_time_is_not_put_before_the_office_any_more(
    session: Session, world: World, due: dt.datetime
) -> None:
    supervision.find(session, due - HOUR)
    (proposal,) = orders(session)
    assert proposal.ticket is not None
    world.step(proposal.ticket, "accept", "handler", now=due - HOUR / 2)
    supervision.find(session, due - HOUR / 2)
    assert found(session) == [(C.NEAR, K.ORDINARY, S.DISMISSED)]


# Past it


@pytest.mark.parametrize(
    ("after", "kind"),
    [
        (SECOND, K.ORDINARY),
        (72 * HOUR - SECOND, K.ORDINARY),
        (72 * HOUR, K.LISTED),
        (168 * HOUR - SECOND, K.LISTED),
        (168 * HOUR, K.INTERVIEW),
    ],
)
def test_the_rung_is_that_of_the_hours_that_have_passed(
    session: Session, due: dt.datetime, after: dt.timedelta, kind: K
) -> None:
    supervision.find(session, due + after)
    assert found(session) == [(C.OVERDUE, kind, S.PROPOSED)]


def test_a_proposal_that_nobody_looked_at_grows_graver_and_stays_one(
    session: Session, due: dt.datetime
) -> None:
    supervision.find(session, due - HOUR)
    for after, kind in ((SECOND, K.ORDINARY), (72 * HOUR, K.LISTED), (168 * HOUR, K.INTERVIEW)):
        assert supervision.find(session, due + after) == 1
        assert supervision.find(session, due + after) == 0, "twice at once"
        assert found(session) == [(C.OVERDUE, kind, S.PROPOSED)]


def issue(world: World, at: dt.datetime, **values: object) -> None:
    """Let the office confirm the last proposal."""
    record = orders(world.session)[-1]
    given = inputs(world, "confirm", kind=record.kind) | values
    world.step(record, "confirm", "office", now=at, **given)


def test_each_rung_of_the_ladder_is_taken_once(
    session: Session, world: World, due: dt.datetime
) -> None:
    start = due + SECOND
    for hours, kind in ((0, K.ORDINARY), (72, K.LISTED), (168, K.INTERVIEW)):
        at = start + hours * HOUR
        if hours:
            assert supervision.find(session, at - 2 * SECOND) == 0
        assert supervision.find(session, at) == 1
        assert supervision.find(session, at) == 0
        issue(world, at)
        assert orders(session)[-1].kind is kind
    assert supervision.find(session, start + 1000 * HOUR) == 0, "there is nothing above the last"
    first, second, third = orders(session)
    assert [each.status for each in (first, second, third)] == [S.CLOSED, S.CLOSED, S.ISSUED]
    assert (second.escalated_from_id, third.escalated_from_id) == (first.id, second.id)


def test_an_order_that_was_issued_late_has_the_time_of_its_rung(
    session: Session, world: World, due: dt.datetime
) -> None:
    supervision.find(session, due + HOUR)
    issue(world, due + 60 * HOUR)
    assert supervision.find(session, due + 131 * HOUR) == 0
    assert supervision.find(session, due + 132 * HOUR) == 1


def test_an_order_from_before_the_deadline_stands_for_the_first_rung(
    session: Session, world: World, due: dt.datetime
) -> None:
    supervision.find(session, due - HOUR)
    issue(world, due - HOUR)
    assert supervision.find(session, due + 72 * HOUR - SECOND) == 0
    assert supervision.find(session, due + 72 * HOUR) == 1
    assert orders(session)[-1].kind is K.LISTED


def test_nothing_follows_an_order_that_was_closed(
    session: Session, world: World, due: dt.datetime
) -> None:
    supervision.find(session, due + SECOND)
    issue(world, due + SECOND)
    (record,) = orders(session)
    world.step(record, "answer", "handler", answer="人手不足，已加派")
    world.step(record, "accept", "office")
    assert supervision.find(session, due + 300 * HOUR) == 0


def test_what_the_office_would_not_order_comes_back_on_the_next_rung_only(
    session: Session, world: World, due: dt.datetime
) -> None:
    supervision.find(session, due + SECOND)
    world.step(orders(session)[0], "dismiss", "office", note="已在路上")
    assert supervision.find(session, due + 71 * HOUR) == 0
    assert supervision.find(session, due + 72 * HOUR) == 1
    assert orders(session)[-1].kind is K.LISTED


def test_a_later_deadline_is_another_matter(
    session: Session, world: World, due: dt.datetime
) -> None:
    supervision.find(session, due + SECOND)
    world.step(orders(session)[0], "dismiss", "office", note="已在路上")
    ticket = session.scalars(select(Ticket)).one()
    ticket.next_due = due + 10 * DAY
    session.flush()
    assert supervision.find(session, due + 11 * DAY) == 1


def test_a_ladder_that_the_county_changed_holds_from_the_next_sweep(
    session: Session, world: World, due: dt.datetime
) -> None:
    rule(world, ladder=[{"hours": 5, "kind": "listed", "days": 2}])
    assert supervision.find(session, due + 5 * HOUR - SECOND) == 0
    assert supervision.find(session, due + 5 * HOUR) == 1
    assert found(session) == [(C.OVERDUE, K.LISTED, S.PROPOSED)]
    kept = session.scalars(select(SupervisionRule)).one()
    kept.ladder = [{"hours": 5, "kind": "interview", "days": 2}]
    session.flush()
    assert supervision.find(session, due + 6 * HOUR) == 1
    assert found(session) == [(C.OVERDUE, K.INTERVIEW, S.PROPOSED)]


def test_many_are_found_in_slices(
    session: Session, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is left out at the seam of two slices, though all have the same deadline."""
    tickets = [world.dispatched(title=f"路灯{number}") for number in range(5)]
    monkeypatch.setattr("rules.supervision_deadlines.SLICE", 2)
    last = max(each.next_due for each in tickets if each.next_due)
    assert supervision.find(session, last + SECOND) == 5
    assert {each.ticket_id for each in orders(session)} == {each.id for each in tickets}


def test_a_sweep_takes_no_more_than_it_can_and_the_next_goes_on(
    session: Session, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets = [world.dispatched(title=f"路灯{number}") for number in range(5)]
    for name in ("SLICE", "MOST"):
        monkeypatch.setattr(f"rules.supervision_deadlines.{name}", 2)
    now = max(each.next_due for each in tickets if each.next_due) + SECOND
    assert [supervision.find(session, now) for _turn in range(4)] == [2, 2, 1, 0]


def test_the_office_hears_once_of_what_a_sweep_has_found(
    session: Session, world: World, due: dt.datetime
) -> None:
    world.dispatched(title="井盖破损")
    for _turn in range(2):
        supervision.find(session, due + SECOND)
    told = session.scalars(select(Notice).where(Notice.record_type == "supervision")).all()
    assert [each.account_id for each in told] == [world.account("office").id]
    assert told[0].title.startswith("有 2 件新的督办待确认")


# What it costs


@contextmanager
def counted(session: Session) -> Iterator[list[str]]:
    """Yield the statements that are sent while the block runs."""
    sent: list[str] = []

    def note(*args: Any) -> None:
        sent.append(args[2])

    event.listen(session.get_bind(), "before_cursor_execute", note)
    yield sent
    event.remove(session.get_bind(), "before_cursor_execute", note)


def test_a_sweep_asks_as_much_for_many_tickets_as_for_one(
    session: Session, world: World, due: dt.datetime
) -> None:
    later = due + 72 * HOUR
    supervision.find(session, later)
    session.flush()
    with counted(session) as one:
        supervision.find(session, later)
    for number in range(6):
        world.dispatched(title=f"井盖{number}")
    supervision.find(session, later)
    with counted(session) as many:
        supervision.find(session, later)
    assert len(many) == len(one)
    assert proposals.SLICE > 6


def test_a_ticket_under_an_order_by_hand_is_not_proposed_beside_it(
    session: Session, world: World, due: dt.datetime
) -> None:
    ticket = session.scalars(select(Ticket)).one()
    brought_to(world, S.ISSUED, ticket)
    assert supervision.find(session, due - HOUR) == 0
    assert supervision.find(session, due + 71 * HOUR) == 0
    assert supervision.find(session, due + 72 * HOUR) == 1


def test_what_stands_on_the_last_rung_is_not_looked_at_again(
    session: Session, due: dt.datetime
) -> None:
    later = due + 168 * HOUR
    with counted(session) as first:
        supervision.find(session, later)
    with counted(session) as second:
        assert supervision.find(session, later) == 0
    about = [each for each in second if "FROM supervision " in each and "ticket_id IN" in each]
    assert about == []
    assert any("INSERT INTO supervision" in each for each in first)
