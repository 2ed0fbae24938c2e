"""The life of a supervision order: state × step × account, what steps change, who hears of it."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.account import Account
from models.ledger import Event
from models.notice import Notice
from models.organization import Organization
from models.supervision import Supervision, SupervisionCause, SupervisionKind, SupervisionStatus
from models.ticket import TicketStatus
from reports import facts
from rules import ledger, workflow
from rules.actor import acting_as
from rules.errors import Conflict, Forbidden, Invalid, OutOfScope
from rules.workflows.supervision import SUPERVISIONS, likely_department
from tests.factories.orders import FAR, brought_to, inputs, orders, proposed
from tests.factories.roads import brought_to as ticket_at
from tests.factories.world import ACCOUNTS, World

K = SupervisionKind
S = SupervisionStatus
WATCHERS = {"office", "inspector"}
#: state → step → who takes it, of an order of A1's to A-D1.
STEPS: dict[S, dict[str, set[str]]] = {
    S.PROPOSED: {"confirm": WATCHERS, "dismiss": WATCHERS},
    S.ISSUED: {"answer": {"handler"}, "escalate": WATCHERS, "withdraw": WATCHERS},
    S.ANSWERED: {
        "accept": WATCHERS,
        "send_back": WATCHERS,
        "escalate": WATCHERS,
        "withdraw": WATCHERS,
    },
    S.CLOSED: {},
    S.DISMISSED: {},
}
AFTER = {
    "confirm": S.ISSUED,
    "dismiss": S.DISMISSED,
    "answer": S.ANSWERED,
    "accept": S.CLOSED,
    "send_back": S.ISSUED,
    "escalate": S.CLOSED,
    "withdraw": S.DISMISSED,
}
INNER = {"sharpen", "lapse", "supersede"}


@pytest.fixture
def session(one_session: Session) -> Session:
    return one_session


@pytest.fixture
def world(one_world: World) -> World:
    return one_world


def test_the_table_has_just_these_steps() -> None:
    assert {each.action for each in SUPERVISIONS.steps} == AFTER.keys() | INNER
    assert {each.action for each in SUPERVISIONS.steps if not each.who} == INNER
    assert set(STEPS) == set(S)


@pytest.mark.parametrize("state", list(S))
def test_every_step_by_every_account(session: Session, world: World, state: S) -> None:
    record = brought_to(world, state)
    session.commit()
    for action, who in itertools.product(AFTER, ACCOUNTS):
        actor = world.actor(who)
        allowed = who in STEPS[state].get(action, ())
        with acting_as(session, actor):
            offered = {each.action for each in workflow.available(session, record, actor)}
        assert (action in offered) is allowed, (action, who)
        given = inputs(world, action)
        with acting_as(session, actor):
            if allowed:
                assert workflow.apply(session, record, action, actor, given) is AFTER[action]
            else:
                with pytest.raises((Forbidden, Conflict, OutOfScope)):
                    workflow.apply(session, record, action, actor, given)
        session.rollback()


@pytest.mark.parametrize("action", sorted(INNER))
def test_nobody_takes_the_inner_steps_by_hand(world: World, action: str) -> None:
    record = proposed(world)
    with pytest.raises(Forbidden):
        world.step(record, action, "office", note="x")


# Issuing


def test_an_order_has_a_number_a_head_a_date_and_its_ticket_shows_it(
    session: Session, world: World
) -> None:
    ticket = world.dispatched()
    record = proposed(world, ticket)
    now = dt.datetime(2026, 12, 31, 17, 0, tzinfo=dt.UTC)
    given = inputs(world, "confirm", kind=K.LISTED, due_on=dt.date(2027, 1, 1))
    world.step(record, "confirm", "inspector", now=now, **given)
    assert record.number == "甲县督〔2027〕1号", "it is 2027 in Shanghai"
    assert (record.kind, record.head, record.due_on) == (K.LISTED, "张局长", dt.date(2027, 1, 1))
    assert (record.department_id, record.issued_at) == (world.place("A-D1").id, now)
    assert ticket.supervised_at == now
    last = ledger.events_of(session, ticket)[-1]
    assert (last.action, last.note) == ("supervise", "挂牌督办，甲县督〔2027〕1号")
    assert (last.actor_name, last.to_status) == ("inspector", ticket.status.value)


def test_a_ticket_shows_when_it_was_first_supervised(session: Session, world: World) -> None:
    ticket = ticket_at(world, TicketStatus.ACCEPTED)
    first = brought_to(world, S.ISSUED, ticket)
    at = ticket.supervised_at
    world.step(first, "withdraw", "office", note="不用了")
    brought_to(world, S.ISSUED, ticket)
    assert at is not None
    assert ticket.supervised_at == at
    assert not ledger.faults(ledger.events_of(session, ticket))


def test_numbers_are_counted_by_county_and_year(world: World) -> None:
    numbers = []
    for year in (2026, 2026, 2027):
        record = proposed(world)
        at = dt.datetime(year, 6, 1, tzinfo=dt.UTC)
        world.step(record, "confirm", "office", now=at, **inputs(world, "confirm"))
        numbers.append(record.number)
    numbers.append(_of_b(world).number)
    assert numbers == [
        "甲县督〔2026〕1号",
        "甲县督〔2026〕2号",
        "甲县督〔2027〕1号",
        "乙县督〔2026〕1号",
    ]


def _of_b(world: World) -> Supervision:
    record = proposed(world)
    record.organization = world.place("B11")
    world.session.flush()
    at = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
    given = inputs(world, "confirm", department=world.place("B-D1").id)
    world.step(record, "confirm", "officeb", now=at, **given)
    return record


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"head": " "}, "head"),
        ({"head": "长" * 101}, "head"),
        ({"due_on": None}, "due_on"),
        ({"due_on": dt.date(2020, 1, 1)}, "due_on"),
        ({"kind": "listed"}, "kind"),
        ({"kind": None}, "kind"),
        ({"department": None}, "department"),
        ({"department": "A1"}, "department"),
        ({"department": "B-D1"}, "department"),
    ],
)
def test_an_order_is_not_issued_without_what_it_needs(
    world: World, values: dict[str, object], field: str
) -> None:
    record = proposed(world)
    if isinstance(values.get("department"), str):
        values = {"department": world.place(str(values["department"])).id}
    with pytest.raises(Invalid) as refusal:
        world.step(record, "confirm", "office", **inputs(world, "confirm", **values))
    assert field in refusal.value.fields
    assert record.number is None


def test_an_order_may_be_due_today(world: World) -> None:
    record = proposed(world)
    now = dt.datetime(2026, 6, 1, 15, 59, 59, tzinfo=dt.UTC)
    given = inputs(world, "confirm", due_on=dt.date(2026, 6, 1))
    world.step(record, "confirm", "office", now=now, **given)
    assert record.status is S.ISSUED


def test_a_body_that_is_closed_down_gets_no_order(session: Session, world: World) -> None:
    record = proposed(world)
    session.execute(
        Organization.__table__.update()
        .where(Organization.__table__.c.code == "A-D3")
        .values(active=False)
    )
    given = inputs(world, "confirm", department=world.place("A-D3").id)
    with pytest.raises(Invalid):
        world.step(record, "confirm", "office", **given)


# Suggestions


def test_what_is_known_is_suggested(world: World) -> None:
    confirm = SUPERVISIONS.step("confirm")
    assert confirm is not None
    record = proposed(world, world.dispatched(lead="A-D2"), kind=K.LISTED)
    known = {each.name: each.known(record) for each in confirm.inputs if each.known}
    assert known["kind"] is K.LISTED
    assert known["department"].code == "A-D2"
    assert known["due_on"] > dt.date(2026, 1, 1)
    assert known["head"] is None


def test_a_matter_suggests_the_body_that_usually_has_it(session: Session, world: World) -> None:
    matter = "路灯安装与维修"
    for lead in ("A-D2", "A-D2", "A-D1"):
        world.dispatched(lead=lead, duty_item=world.item(matter), duty_item_name=matter)
    facts.catch_up(session)
    record = proposed(world, matter=matter, cause=SupervisionCause.AGAIN)
    found = likely_department(record)
    assert found is not None
    assert found.code == "A-D2"


# Answering, ending, escalating


def test_what_was_answered_before_stays_in_the_story(session: Session, world: World) -> None:
    record = brought_to(world, S.ANSWERED)
    world.step(record, "send_back", "office", note="没有照片", due_on=dt.date(2098, 1, 1))
    assert (record.answer, record.answered_at) == (None, None)
    assert record.due_on == dt.date(2098, 1, 1)
    world.step(record, "answer", "handler", answer="补了照片")
    said = [each.data.get("answer") for each in ledger.events_of(session, record)]
    assert said == [None, None, "已经修好", None, "补了照片"]


def test_sent_back_without_a_date_the_date_stays(world: World) -> None:
    record = brought_to(world, S.ANSWERED)
    world.step(record, "send_back", "office", note="没有照片")
    assert record.due_on == FAR


def test_escalating_issues_the_next_kind_and_ends_this_one(session: Session, world: World) -> None:
    ticket = world.dispatched()
    record = brought_to(world, S.ISSUED, ticket)
    for kind in (K.LISTED, K.INTERVIEW):
        world.step(record, "escalate", "office", **inputs(world, "escalate"))
        assert (record.status, record.closed_at is not None) == (S.CLOSED, True)
        following = orders(session)[-1]
        assert following.escalated_from_id == record.id
        assert (following.kind, following.status) == (kind, S.ISSUED)
        assert (following.ticket_id, following.department_id) == (ticket.id, record.department_id)
        assert (following.head, following.due_on) == ("李局长", FAR)
        record = following
    with pytest.raises(Conflict):
        world.step(record, "escalate", "office", **inputs(world, "escalate"))
    assert len(orders(session)) == 3


def test_an_order_that_follows_another_ends_it_when_it_is_issued(world: World) -> None:
    milder = brought_to(world, S.ISSUED)
    graver = proposed(world, escalated_from=milder, kind=K.LISTED)
    assert milder.status is S.ISSUED
    world.step(graver, "confirm", "office", **inputs(world, "confirm", kind=K.LISTED))
    assert milder.status is S.CLOSED


def test_a_milder_order_that_ended_by_itself_is_no_obstacle(world: World) -> None:
    milder = brought_to(world, S.CLOSED)
    graver = proposed(world, escalated_from=milder, kind=K.LISTED)
    world.step(graver, "confirm", "office", **inputs(world, "confirm", kind=K.LISTED))
    assert (milder.status, graver.status) == (S.CLOSED, S.ISSUED)


# Who hears of it

HEARS = {
    "confirm": {"handler", "community", "office"},
    "answer": {"office", "inspector"},
    "accept": {"handler", "community"},
    "send_back": {"handler"},
    "withdraw": {"handler", "community"},
    "dismiss": set(),
}


@pytest.mark.parametrize("action", sorted(HEARS))
def test_who_hears_of_a_step(session: Session, world: World, action: str) -> None:
    before = next(state for state, steps in STEPS.items() if action in steps)
    record = brought_to(world, before, world.dispatched())
    session.execute(delete(Notice))
    who = "inspector" if action == "confirm" else "handler" if action == "answer" else "office"
    world.step(record, action, who, **inputs(world, action))
    told = select(Account.username).join(Notice, Notice.account_id == Account.id)
    assert set(session.scalars(told)) == HEARS[action]


def test_an_escalation_is_told_once_to_each(session: Session, world: World) -> None:
    record = brought_to(world, S.ISSUED, world.dispatched())
    session.execute(delete(Notice))
    world.step(record, "escalate", "office", **inputs(world, "escalate"))
    told = list(session.scalars(select(Notice.account_id)))
    assert len(told) == len(set(told)) == 3


def test_every_step_is_an_event(session: Session, world: World) -> None:
    record = brought_to(world, S.CLOSED)
    steps = session.scalars(select(Event.action).where(Event.record_type == "supervision")).all()
    assert list(steps) == ["create", "confirm", "answer", "accept"]
    assert not ledger.faults(ledger.events_of(session, record))
