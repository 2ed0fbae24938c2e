"""The lives of resources, needs, services and check-ins: every state × every step, by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from models.check_in import CheckIn, CheckInStatus
from models.grade import Grade
from models.ledger import Event
from models.need import Need, NeedStatus
from models.resource import Resource, ResourceStatus
from models.service import ServiceProject, ServiceStatus
from rules import workflow
from rules.actor import SYSTEM, acting_as
from rules.errors import Conflict, Forbidden, Invalid
from rules.needs import CLAIM_DAYS, lapse_overdue
from tests.factories import ledgers as make
from tests.factories.world import World

N, V, C, U = NeedStatus, ServiceStatus, CheckInStatus, ResourceStatus
GRADE = {"grade": Grade.SATISFIED}
NOTE = {"note": "原因"}

#: record type → step → state it begins in → state it leads to; what is not written is refused.
LIVES: dict[type[Any], dict[str, dict[Any, Any]]] = {
    Resource: {
        "offer": {U.DRAFT: U.AVAILABLE},
        "suspend": {U.AVAILABLE: U.SUSPENDED},
        "resume": {U.SUSPENDED: U.AVAILABLE},
    },
    Need: {
        "publish": {N.GATHERED: N.PUBLISHED},
        "claim": {N.PUBLISHED: N.CLAIMED},
        "claim_for": {N.PUBLISHED: N.CLAIMED},
        "start": {N.CLAIMED: N.IN_HAND},
        "complete": {N.IN_HAND: N.DONE},
        "rate": {N.DONE: N.RATED},
        "rework": {N.DONE: N.IN_HAND},
        "unclaim": {N.CLAIMED: N.PUBLISHED, N.IN_HAND: N.PUBLISHED},
        "recall": {N.PUBLISHED: N.GATHERED},
        "cancel": {N.GATHERED: N.CANCELLED, N.PUBLISHED: N.CANCELLED},
    },
    ServiceProject: {
        "start": {V.PLANNED: V.UNDER_WAY},
        "complete": {V.UNDER_WAY: V.COMPLETED},
        "rate": {V.COMPLETED: V.RATED},
        "decline": {V.PLANNED: V.CANCELLED},
        "cancel": {V.PLANNED: V.CANCELLED, V.UNDER_WAY: V.CANCELLED},
    },
    CheckIn: {
        "confirm": {C.REGISTERED: C.ACTIVE},
        "decline": {C.REGISTERED: C.DECLINED},
        "report_back": {C.ACTIVE: C.REPORTED},
        "appraise": {C.REPORTED: C.APPRAISED},
        "renew": {C.REPORTED: C.ACTIVE, C.APPRAISED: C.ACTIVE},
        "end": {
            C.REGISTERED: C.ENDED,
            C.ACTIVE: C.ENDED,
            C.REPORTED: C.ENDED,
            C.APPRAISED: C.ENDED,
        },
    },
}
#: What a step is given; the others take a note or nothing.
DATA: dict[str, dict[str, Any]] = {
    "complete": {"result": "办好了", "outcome": "办好了"},
    "rate": GRADE,
    "appraise": GRADE,
    "report_back": {"report": "服务 12 次"},
}
#: record type → step → the accounts that may take it on a record of A11 and A-U1.
COMMUNITY, UNIT = {"community", "township"}, {"unit"}
KEEPERS = {"party", "admin"}
WHO: dict[type[Any], dict[str, set[str]]] = {
    Resource: dict.fromkeys(LIVES[Resource], UNIT | KEEPERS),
    Need: {
        "publish": COMMUNITY | KEEPERS,
        "claim": UNIT,
        "claim_for": COMMUNITY | KEEPERS,
        "start": UNIT | COMMUNITY | KEEPERS,
        "complete": UNIT | COMMUNITY | KEEPERS,
        "rate": COMMUNITY,
        "rework": COMMUNITY | KEEPERS,
        "unclaim": UNIT | COMMUNITY | KEEPERS,
        "recall": COMMUNITY | KEEPERS,
        "cancel": COMMUNITY | KEEPERS,
    },
    ServiceProject: {
        "start": UNIT | KEEPERS,
        "complete": UNIT | KEEPERS,
        "rate": COMMUNITY,
        "decline": UNIT,
        "cancel": COMMUNITY | KEEPERS,
    },
    CheckIn: {
        "confirm": COMMUNITY | KEEPERS,
        "decline": COMMUNITY | KEEPERS,
        "report_back": UNIT | KEEPERS,
        "appraise": COMMUNITY | KEEPERS,
        "renew": UNIT | COMMUNITY | KEEPERS,
        "end": UNIT | COMMUNITY | KEEPERS,
    },
}
#: How a record is brought to each state.
ROADS: dict[type[Any], dict[Any, tuple[tuple[str, str], ...]]] = {
    Resource: {
        U.DRAFT: (),
        U.AVAILABLE: (("unit", "offer"),),
        U.SUSPENDED: (("unit", "offer"), ("unit", "suspend")),
    },
    Need: {
        N.GATHERED: (),
        N.PUBLISHED: (("community", "publish"),),
        N.CLAIMED: (("community", "publish"), ("unit", "claim")),
        N.IN_HAND: (("community", "publish"), ("unit", "claim"), ("unit", "start")),
        N.DONE: (
            ("community", "publish"),
            ("unit", "claim"),
            ("unit", "start"),
            ("unit", "complete"),
        ),
        N.RATED: (
            ("community", "publish"),
            ("unit", "claim"),
            ("unit", "start"),
            ("unit", "complete"),
            ("community", "rate"),
        ),
        N.CANCELLED: (("community", "cancel"),),
    },
    ServiceProject: {
        V.PLANNED: (),
        V.UNDER_WAY: (("unit", "start"),),
        V.COMPLETED: (("unit", "start"), ("unit", "complete")),
        V.RATED: (("unit", "start"), ("unit", "complete"), ("community", "rate")),
        V.CANCELLED: (("unit", "decline"),),
    },
    CheckIn: {
        C.REGISTERED: (),
        C.ACTIVE: (("community", "confirm"),),
        C.REPORTED: (("community", "confirm"), ("unit", "report_back")),
        C.APPRAISED: (
            ("community", "confirm"),
            ("unit", "report_back"),
            ("community", "appraise"),
        ),
        C.DECLINED: (("community", "decline"),),
        C.ENDED: (("unit", "end"),),
    },
}
CASES = [(model, state) for model, roads in ROADS.items() for state in roads]


def given(world: World, action: str) -> dict[str, Any]:
    """Return the input of a step."""
    if action == "claim_for":
        return {"check_in": world.session.scalars(select(CheckIn.id)).first()}
    return {"note": "原因"} | DATA.get(action, {})


def brought(world: World, model: type[Any], state: Any) -> Any:
    """Return a record of A11 and A-U1 in a state, reached by steps of those who may take them."""
    make.in_force(world, "A11", "A-U1")
    if model is Resource:
        record: Any = make.resource(world, "A-U1", offer=False)
    elif model is Need:
        make.check_in(world, "A-U1", "A11")
        record = make.need(world, "A11", publish=False, is_wish=True)
    elif model is ServiceProject:
        record = make.service(world, "A-U1", "A11")
    else:
        record = make.check_in(world, "A-U1", "A11", confirm=False)
    for account, action in ROADS[model][state]:
        world.step(record, action, account, **given(world, action))
    return record


def test_the_tables_here_name_every_state_and_every_step() -> None:
    for model, life in LIVES.items():
        table = workflow.workflows()[model]
        assert {step.action for step in table.steps if step.who} == set(life) == set(WHO[model])
        assert set(ROADS[model]) == set(type(table.initial))


@pytest.mark.parametrize(("model", "state"), CASES)
def test_each_state_takes_its_steps_and_no_others(
    one_world: World, model: type[Any], state: Any
) -> None:
    record = brought(one_world, model, state)
    assert record.status is state
    one_world.session.commit()
    for action, ways in LIVES[model].items():
        for account in sorted(WHO[model][action]):
            if state in ways:
                reached = one_world.step(record, action, account, **given(one_world, action))
                assert reached is ways[state] is record.status, (action, account)
            else:
                # A unit has nothing to do with a need that it neither sees nor has claimed.
                unseen = (N.GATHERED, N.PUBLISHED, N.CANCELLED)
                stranger = model is Need and account == "unit" and state in unseen
                due = Forbidden if stranger else Conflict
                with pytest.raises(due) as refusal:
                    one_world.step(record, action, account, **given(one_world, action))
                assert stranger or state.title in str(refusal.value)
            one_world.session.rollback()


@pytest.mark.parametrize(("model", "state"), CASES)
def test_nobody_else_takes_a_step_and_no_button_lies(
    one_world: World, model: type[Any], state: Any
) -> None:
    record = brought(one_world, model, state)
    one_world.session.commit()
    for account in ("community2", "unit2", "leader", "inspector", "office", "unit", "community",
                    "township", "township2", "party", "partyb", "admin", "handler"):  # fmt: skip
        actor = one_world.actor(account)
        with acting_as(one_world.session, actor):
            offered = {each.action for each in workflow.available(one_world.session, record, actor)}
        mine = {action for action, who in WHO[model].items() if account in who}
        assert offered == {each for each in mine if state in LIVES[model][each]}, account
        for action in set(LIVES[model]) - mine:
            with pytest.raises((Forbidden, Conflict)) as refusal:
                one_world.step(record, action, account, **given(one_world, action))
            assert refusal.type is Forbidden, (account, action)
            one_world.session.rollback()


# Needs by themselves


def test_a_claim_says_who_until_when_and_tells_the_community(one_world: World) -> None:
    need = brought(one_world, Need, N.CLAIMED)
    assert (need.claimed_by.code, need.claimed_on) == ("A-U1", make.today())
    assert need.due_on == make.days(CLAIM_DAYS)
    need = brought_again(one_world, "想要书", N.PUBLISHED)
    one_world.step(need, "claim", "unit", due_on=make.days(90))
    assert need.due_on == make.days(90)


def brought_again(world: World, title: str, state: Any) -> Need:
    need = make.need(world, "A11", title, publish=False, is_wish=True)
    for account, action in ROADS[Need][state]:
        world.step(need, action, account, **given(world, action))
    return need


@pytest.mark.parametrize("number", [-1, 91])
def test_a_claim_until_a_day_that_makes_no_sense_is_refused(one_world: World, number: int) -> None:
    need = brought(one_world, Need, N.PUBLISHED)
    with pytest.raises(Invalid) as refusal:
        one_world.step(need, "claim", "unit", due_on=make.days(number))
    assert "认领期限" in refusal.value.fields["due_on"]


def test_a_member_claims_where_he_reported_and_stands(one_world: World) -> None:
    need = brought(one_world, Need, N.PUBLISHED)
    others = [
        make.check_in(one_world, "A-U1", "A12", "别处的"),
        make.check_in(one_world, "A-U1", "A11", "未确认的", confirm=False),
        make.check_in(one_world, "A-U2", "A11", "别单位的"),
    ]
    one_world.session.commit()
    for member in others:
        with pytest.raises(Invalid) as refusal:
            one_world.step(need, "claim", "unit", check_in=member.id)
        assert "check_in" in refusal.value.fields
        one_world.session.rollback()
    # The community may enter the claim of any unit's member who reported to it.
    one_world.step(need, "claim_for", "community", check_in=others[2].id)
    assert (need.check_in.member, need.claimed_by.code) == ("别单位的", "A-U2")


def test_only_a_wish_is_claimed_by_a_member(one_world: World) -> None:
    make.check_in(one_world, "A-U1", "A11")
    need = make.need(one_world, "A11")
    with pytest.raises(Conflict, match="不是微心愿"):
        one_world.step(need, "claim_for", "community", **given(one_world, "claim_for"))


def test_a_claim_that_is_given_back_leaves_no_trace_of_the_claimant(one_world: World) -> None:
    need = brought(one_world, Need, N.IN_HAND)
    one_world.step(need, "unclaim", "unit", note="人手不够")
    assert (need.claimed_by, need.check_in, need.due_on, need.claimed_on) == (None,) * 4


def test_a_unit_without_agreement_is_told_to_ask_the_community(one_world: World) -> None:
    need = brought(one_world, Need, N.CLAIMED)
    agreement = one_world.session.scalars(select(make.Agreement)).one()
    make.stepped(one_world, agreement, "terminate", note="单位迁走")
    one_world.session.commit()
    with pytest.raises(Conflict, match="联系社区"):
        one_world.step(need, "unclaim", "unit", note="人手不够")
    one_world.session.rollback()
    one_world.step(need, "unclaim", "community", note="单位迁走")
    assert need.status is N.PUBLISHED


def test_nobody_rates_himself(one_world: World) -> None:
    """Nor does whoever stands on both sides: a unit whose liaison is also community staff."""
    need = brought(one_world, Need, N.DONE)
    with acting_as(one_world.session, SYSTEM):
        need.claimed_by = one_world.place("A1")
        one_world.session.flush()
    with pytest.raises(Conflict, match="不能评价本单位"):
        one_world.step(need, "rate", "township", **GRADE)


def test_an_overdue_claim_returns_to_the_board_and_others_stay(world: World) -> None:
    late = brought(world, Need, N.CLAIMED)
    begun, fresh = (
        brought_again(world, "已开始", N.IN_HAND),
        brought_again(world, "还早", N.CLAIMED),
    )
    in_service = brought_again(world, "在项目里", N.CLAIMED)
    make.service(world, "A-U1", "A11", needs=[in_service])
    fresh.due_on = late.due_on + dt.timedelta(days=1)
    world.session.commit()
    day = late.due_on
    with acting_as(world.session, SYSTEM):
        assert lapse_overdue(world.session, day) == 0
        assert lapse_overdue(world.session, day + dt.timedelta(days=1)) == 1
        assert lapse_overdue(world.session, day + dt.timedelta(days=1)) == 0
    assert (late.status, late.claimed_by) == (N.PUBLISHED, None)
    assert begun.status is N.IN_HAND
    assert fresh.status is in_service.status is N.CLAIMED
    last = world.session.scalars(
        select(Event)
        .where(Event.record_type == "need", Event.record_id == late.id)
        .order_by(Event.sequence.desc())
    ).first()
    assert last is not None
    assert (last.action, last.actor_name) == ("lapse", "系统")
    assert "自动退回" in (last.note or "")


def test_a_record_that_was_loaded_with_its_relations_takes_a_step(world: World) -> None:
    """PostgreSQL refuses to lock the far side of the outer joins that a page reads by."""
    number = brought(world, Need, N.CLAIMED).id
    world.session.commit()
    world.session.expunge_all()
    query = select(Need).options(joinedload(Need.claimed_by), joinedload(Need.check_in))
    need = world.session.scalars(query.where(Need.id == number)).one()
    world.step(need, "start", "unit")
    assert need.status is N.IN_HAND
