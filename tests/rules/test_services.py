"""Service projects: what makes them sound, and how they carry their needs along (domain 4)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from models.grade import Grade
from models.need import NeedStatus as N
from models.resource import Category
from models.service import ServiceProject, ServiceSession
from models.service import ServiceStatus as V
from rules.actor import acting_as
from rules.errors import Conflict, Invalid
from rules.services import attendance, check, check_session, length, tie
from tests.factories import ledgers as make
from tests.factories.world import World


def tied(
    world: World, service: ServiceProject, account: str, needs: Any = (), resources: Any = ()
) -> None:
    """Tie as an account."""
    actor = world.actor(account)
    with acting_as(world.session, actor):
        tie(world.session, service, needs, resources, actor)


def test_a_project_takes_its_needs_from_the_board_to_the_rating(world: World) -> None:
    make.in_force(world, "A11", "A-U1")
    first, second = make.need(world, "A11", "甲"), make.need(world, "A11", "乙")
    room = make.resource(world, "A-U1")
    service = make.service(world, "A-U1", "A11")
    world.step(second, "claim", "unit")
    tied(world, service, "unit", [first, second], [room])
    assert first.status is second.status is N.CLAIMED
    assert (first.claimed_by.code, first.due_on) == ("A-U1", service.planned_until)
    world.step(service, "start", "unit")
    assert first.status is second.status is N.IN_HAND
    assert service.actual_from == make.today()
    make.session_of(world, service, attended=12)
    make.session_of(world, service, ago=2, attended=8)
    make.session_of(world, service, ago=3, attended=None)
    assert attendance(world.session, service) == 20
    world.step(service, "complete", "unit", outcome="都办好了")
    assert (service.people_served, service.outcome) == (20, "都办好了")
    assert (first.status, first.result, first.done_on) == (N.DONE, "都办好了", make.today())
    world.step(service, "rate", "community", grade=Grade.VERY_SATISFIED)
    assert service.grade is first.grade is second.grade is Grade.VERY_SATISFIED
    assert first.status is second.status is N.RATED


def test_people_served_may_be_said_otherwise(one_world: World) -> None:
    service = make.service(one_world, "A-U1", "A11")
    make.session_of(one_world, service, attended=12)
    one_world.step(service, "start", "unit")
    one_world.step(service, "complete", "unit", outcome="好", people_served=0)
    assert service.people_served == 0


@pytest.mark.parametrize("number", [-1, 10**9])
def test_a_number_of_people_that_makes_no_sense_is_refused(one_world: World, number: int) -> None:
    service = make.service(one_world, "A-U1", "A11")
    one_world.step(service, "start", "unit")
    with pytest.raises(Invalid) as refusal:
        one_world.step(service, "complete", "unit", outcome="好", people_served=number)
    assert "整数" in refusal.value.fields["people_served"]


@pytest.mark.parametrize(("action", "account"), [("decline", "unit"), ("cancel", "community")])
def test_a_project_that_is_given_up_returns_its_needs(
    world: World, action: str, account: str
) -> None:
    """Even when the agreement has ended since, and the unit will not see the needs any more."""
    agreement = make.in_force(world, "A11", "A-U1")
    need = make.need(world, "A11")
    service = make.service(world, "A-U1", "A11")
    tied(world, service, "unit", [need])
    make.stepped(world, agreement, "terminate", note="单位迁走")
    world.session.commit()
    world.step(service, action, account, note="不办了")
    assert (need.status, need.claimed_by, service.status) == (N.PUBLISHED, None, V.CANCELLED)


def test_a_need_of_a_project_is_not_moved_by_itself(one_world: World) -> None:
    make.in_force(one_world, "A11", "A-U1")
    need = make.need(one_world, "A11")
    service = make.service(one_world, "A-U1", "A11", "活动室开放")
    tied(one_world, service, "unit", [need])
    one_world.session.commit()
    for action, data in (("start", {}), ("unclaim", {"note": "不办了"})):
        with pytest.raises(Conflict, match="已排入服务项目“活动室开放”"):
            one_world.step(need, action, "unit", **data)
        one_world.session.rollback()


def test_a_need_that_is_let_go_returns_to_the_board(one_world: World) -> None:
    make.in_force(one_world, "A11", "A-U1")
    kept, gone = make.need(one_world, "A11", "留"), make.need(one_world, "A11", "去")
    service = make.service(one_world, "A-U1", "A11")
    tied(one_world, service, "unit", [kept, gone])
    tied(one_world, service, "unit", [kept])
    assert (kept.status, gone.status) == (N.CLAIMED, N.PUBLISHED)
    assert [link.need for link in service.need_links] == [kept]


def test_what_does_not_belong_is_refused_by_name(one_world: World) -> None:
    make.in_force(one_world, "A11", "A-U1")
    service = make.service(one_world, "A-U1", "A11")
    taken = make.need(one_world, "A11", "别人认领的")
    make.in_force(one_world, "A11", "A-U2")
    one_world.step(taken, "claim", "unit2")
    elsewhere = make.need(one_world, "A12", "别处的")
    other, draft = (
        make.resource(one_world, "A-U2", "别家的"),
        make.resource(one_world, "A-U1", "没提供的", offer=False),
    )
    one_world.session.commit()
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"needs": [taken]}, "need_links", "认领单位：甲县医院"),
        ({"needs": [elsewhere]}, "need_links", "“别处的”不是"),
        ({"resources": [other]}, "resource_links", "“别家的”不是提供单位"),
        ({"resources": [draft]}, "resource_links", "“没提供的”现在是“草拟”"),
    ]
    for given, field, words in cases:
        with pytest.raises(Invalid) as refusal:
            tied(one_world, service, "party", **given)
        assert words in refusal.value.fields[field]
        one_world.session.rollback()
        assert service.need_links == [] == service.resource_links


def project(world: World, **values: Any) -> ServiceProject:
    """Return a project that is not in the session."""
    with world.session.no_autoflush:
        return ServiceProject(
            provider=values.pop("provider", world.place("A-U1")),
            community=values.pop("community", world.place("A11")),
            title="义诊",
            category=Category.SERVICE,
            planned_from=values.pop("planned_from", make.today()),
            planned_until=values.pop("planned_until", make.today()),
            **values,
        )


def test_an_unsound_project_is_refused_field_by_field(one_world: World) -> None:
    check(project(one_world))
    cases: dict[str, dict[str, Any]] = {
        "planned_until": {"planned_until": make.days(-1)},
        "provider": {"provider": one_world.place("A12")},
        "community": {"community": one_world.place("A1")},
        "funds": {"funds": -1},
        "people_served": {"people_served": -1},
    }
    for field, values in cases.items():
        with pytest.raises(Invalid) as refusal:
            check(project(one_world, **values))
        assert set(refusal.value.fields) == {field}
    one_world.session.expunge_all()


def held(**values: Any) -> ServiceSession:
    """Return a session of two hours, today."""
    return ServiceSession(
        **{"held_on": make.today(), "starts_at": dt.time(14), "ends_at": dt.time(16)} | values
    )


def test_an_unsound_session_is_refused_field_by_field() -> None:
    check_session(held(attended=0, expected=30))
    assert length(held()) == dt.timedelta(hours=2)
    cases: dict[str, dict[str, Any]] = {
        "ends_at": {"ends_at": dt.time(14)},
        "expected": {"expected": -1},
        "attended": {"held_on": make.days(1), "attended": 3},
    }
    for field, values in cases.items():
        with pytest.raises(Invalid) as refusal:
            check_session(held(**values))
        assert set(refusal.value.fields) == {field}
    with pytest.raises(Invalid, match="16 小时"):
        check_session(held(starts_at=dt.time(0), ends_at=dt.time(16, 1)))
