"""One click from a match to a service: what comes of it, who may, and who was faster."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import utcnow
from models.need import Need, NeedStatus
from models.notice import Notice
from models.resource import Category, Resource
from models.service import ServiceNeed, ServiceProject, ServiceResource, ServiceStatus
from rules import ledger, workflow
from rules.actor import SYSTEM, Actor, acting_as
from rules.arranging import arrange
from rules.calendar import shanghai_date
from rules.errors import Conflict, Forbidden, Invalid, OutOfScope, Refused
from tests.conftest import Backend
from tests.factories.pairs import Pairs
from tests.factories.race import Job, race
from tests.factories.world import World

MANY = 6


@pytest.fixture
def pairs(one_world: World) -> Pairs:
    found = Pairs(one_world)
    found.bond("A11", "A-U1")
    return found


def today(days: int = 0) -> dt.date:
    return shanghai_date(utcnow()) + dt.timedelta(days=days)


def arranged(
    pairs: Pairs, who: str, need: Need, resource: Resource, **values: Any
) -> ServiceProject:
    """Return the service that an account arranges."""
    actor = pairs.world.actor(who)
    with acting_as(pairs.session, actor):
        return arrange(pairs.session, need, resource, actor, **values)


def refused(
    pairs: Pairs, kind: type[Refused], who: str, need: Need, resource: Resource, **values: Any
) -> str:
    """Assert that it is refused and leaves nothing; return the sentence."""
    pairs.session.commit()
    with pytest.raises(kind) as refusal:
        arranged(pairs, who, need, resource, **values)
    assert type(refusal.value) is kind
    pairs.session.rollback()
    return refusal.value.message


# What comes of it


def test_need_resource_and_provider_are_tied_together(pairs: Pairs) -> None:
    need = pairs.need(detail="四点半以后没有人看护", wanted_from=today(3), wanted_until=today(20))
    resource = pairs.resource()
    service = arranged(pairs, "community", need, resource)
    assert (service.title, service.content) == ("放学后托管", "四点半以后没有人看护")
    assert (service.provider.name, service.community.name) == ("甲县第一中学", "甲一一社区")
    assert service.category is Category.VENUE
    assert service.status is ServiceStatus.PLANNED
    assert (service.planned_from, service.planned_until) == (today(3), today(20))
    assert [link.need for link in service.need_links] == [need]
    assert [link.resource for link in service.resource_links] == [resource]
    assert need.status is NeedStatus.CLAIMED
    assert need.claimed_by is resource.owner
    assert (need.claimed_on, need.due_on) == (today(), today(20))
    steps = {
        record: [each.action for each in ledger.events_of(pairs.session, record)]
        for record in (service, need)
    }
    assert steps == {service: ["create"], need: ["create", "publish", "assign"]}
    (first,) = ledger.events_of(pairs.session, service)
    assert first.note == "由需求“放学后托管”与资源“会议室”匹配生成。"


def test_without_dates_it_takes_a_month_from_today(pairs: Pairs) -> None:
    service = arranged(pairs, "party", pairs.need(), pairs.resource())
    assert (service.planned_from, service.planned_until) == (today(), today(30))


def test_dates_and_title_that_are_given_are_taken(pairs: Pairs) -> None:
    need = pairs.need(wanted_from=today(3), wanted_until=today(20))
    values = {"planned_from": today(5), "planned_until": today(6), "title": " 周末托管 "}
    service = arranged(pairs, "unit", need, pairs.resource(), **values)
    assert (service.planned_from, service.planned_until) == (today(5), today(6))
    assert service.title == "周末托管"


def test_a_start_after_the_days_asked_for_ends_on_that_day(pairs: Pairs) -> None:
    need = pairs.need(wanted_until=today(2))
    service = arranged(pairs, "unit", need, pairs.resource(), planned_from=today(9))
    assert (service.planned_from, service.planned_until) == (today(9), today(9))


def test_a_second_try_after_a_refusal_has_a_title_of_its_own(pairs: Pairs) -> None:
    need, resource = pairs.need(title="托" * 100), pairs.resource()
    titles = []
    for _round in range(3):
        service = arranged(pairs, "party", need, resource)
        titles.append(service.title)
        pairs.world.step(service, "decline", "unit", note="人手不够")
        assert need.status is NeedStatus.PUBLISHED
    assert titles == ["托" * 100, "托" * 94 + "（2）", "托" * 94 + "（3）"]


def test_both_sides_are_told_and_whoever_did_it_is_not(pairs: Pairs) -> None:
    def told() -> set[str]:
        accounts = {pairs.world.account(who).id: who for who in ("unit", "community", "party")}
        rows = [each for each in pairs.all_of(Notice) if each.key.endswith(":arranged")]
        assert {each.title for each in rows} <= {
            "已派单：甲县第一中学以“会议室”为甲一一社区提供服务“放学后托管”"
        }
        return {accounts.get(each.account_id, "?") for each in rows}

    service = arranged(pairs, "party", pairs.need(), pairs.resource())
    assert told() == {"unit", "community"}
    (row,) = {(each.record_type, each.record_id) for each in pairs.all_of(Notice)}
    assert row == ("service_project", service.id)
    pairs.session.rollback()


def test_the_unit_that_does_it_itself_is_not_told(pairs: Pairs) -> None:
    arranged(pairs, "unit", pairs.need(), pairs.resource())
    people = {each.account_id for each in pairs.all_of(Notice) if each.key.endswith(":arranged")}
    assert people == {pairs.world.account("community").id}


# Who may


@pytest.mark.parametrize("who", ["party", "admin", "community", "township", "unit"])
def test_these_may(pairs: Pairs, who: str) -> None:
    service = arranged(pairs, who, pairs.need(), pairs.resource())
    assert service.id


def test_a_department_may_with_its_own_resource(pairs: Pairs) -> None:
    pairs.bond("A11", "A-D1")
    service = arranged(pairs, "handler", pairs.need(), pairs.resource("A-D1"))
    assert service.provider.name == "甲县住建局"


@pytest.mark.parametrize("who", ["leader", "inspector", "office", "duty", "auditor"])
def test_readers_may_not(pairs: Pairs, who: str) -> None:
    sentence = refused(pairs, Forbidden, who, pairs.need(), pairs.resource())
    assert sentence == "您的角色不能安排服务项目。"


@pytest.mark.parametrize(
    "who", ["community2", "township2", "unit2", "handler", "partyb", "communityb", "handlerb"]
)
def test_others_records_are_out_of_reach(pairs: Pairs, who: str) -> None:
    """Even with both records in hand, as no page would give them."""
    need, resource = pairs.need(), pairs.resource()
    pairs.session.commit()
    with pytest.raises(Refused) as refusal:
        arranged(pairs, who, need, resource)
    assert isinstance(refusal.value, Forbidden | OutOfScope)
    pairs.session.rollback()
    assert need.status is NeedStatus.PUBLISHED
    assert pairs.all_of(ServiceProject) == []


def test_only_the_organization_department_brings_strangers_together(pairs: Pairs) -> None:
    need, resource = pairs.need("A12"), pairs.resource()
    for who in ("community2", "township", "unit"):
        sentence = refused(pairs, Forbidden, who, need, resource)
        assert sentence == (
            "甲一二社区与甲县第一中学之间没有生效的协议，"
            "只能由组织部门统筹安排；请先签订协议，或联系组织部门。"
        )
    assert arranged(pairs, "party", need, resource).community.name == "甲一二社区"


def test_a_unit_may_not_give_what_is_anothers(pairs: Pairs) -> None:
    """With a partner's need in sight, and the other unit's agreement out of sight."""
    pairs.bond("A11", "A-U2")
    refused(pairs, Forbidden, "unit", pairs.need(), pairs.resource("A-U2"))


# What does not fit


def test_what_does_not_fit_is_refused_with_a_sentence(pairs: Pairs) -> None:
    need = pairs.need()
    doctor = pairs.resource(name="医生", category=Category.TALENT)
    assert "类别不同" in refused(pairs, Invalid, "party", need, doctor)
    elsewhere = pairs.resource(name="给别人的", to=("A12",))
    sentence = refused(pairs, Invalid, "party", need, elsewhere)
    assert sentence == "资源“给别人的”没有提供给甲一一社区，请另选一项资源。"
    draft = pairs.resource(name="草拟的", draft=True)
    sentence = refused(pairs, Conflict, "party", need, draft)
    assert sentence == "资源“草拟的”现在是“草拟”，请另选一项资源。"
    over = pairs.resource(name="过期的", available_until=today(-1))
    sentence = refused(pairs, Invalid, "party", need, over)
    assert sentence == f"资源“过期的”只在 即日起 至 {today(-1)} 提供，请调整计划日期。"
    dates = {"planned_from": today(5), "planned_until": today(4)}
    sentence = refused(pairs, Invalid, "party", need, pairs.resource(), **dates)
    assert sentence == "计划结束日期不应早于计划开始日期。"


def test_what_is_taken_at_that_time_is_refused(pairs: Pairs) -> None:
    resource = pairs.resource()
    dates = {"planned_from": today(5), "planned_until": today(6)}
    arranged(pairs, "party", pairs.need("A12"), resource, **dates)
    need = pairs.need()
    for first, last in ((0, 5), (6, 9), (5, 6), (0, 30)):
        wanted = {"planned_from": today(first), "planned_until": today(last)}
        sentence = refused(pairs, Conflict, "community", need, resource, **wanted)
        assert sentence == (
            f"资源“会议室”在 {today(first)} 至 {today(last)} 已排满，"
            "请调整计划日期，或另选一项资源。"
        )
    assert arranged(pairs, "community", need, resource, planned_from=today(7)).id


@pytest.mark.parametrize("gathered", [True, False])
def test_only_a_need_on_the_board_is_arranged(pairs: Pairs, gathered: bool) -> None:
    need = pairs.need(gathered=gathered)
    if not gathered:
        workflow.apply(pairs.session, need, "cancel", SYSTEM, {"note": "不需要了"})
    sentence = refused(pairs, Conflict, "party", need, pairs.resource())
    assert need.status.title in sentence


def test_a_second_click_says_who_was_first_even_if_it_was_oneself(pairs: Pairs) -> None:
    need, resource = pairs.need(), pairs.resource(quantity=5)
    arranged(pairs, "unit", need, resource)
    sentence = refused(pairs, Conflict, "unit", need, resource)
    assert sentence == (
        "“放学后托管”现在是“认领”，最近一步是甲县第一中学unit办理的“派单”，"
        "不能再办理“派单”。请核对后再操作。"
    )
    assert len(pairs.all_of(ServiceProject)) == 1


# Several at once


def click(need: Need, resource: Resource) -> Job:
    """Return a job that arranges, loading both records as a request would."""
    need_id, resource_id = need.id, resource.id

    def job(session: Session, actor: Actor) -> int:
        return arrange(
            session,
            session.scalars(select(Need).where(Need.id == need_id)).one(),
            session.scalars(select(Resource).where(Resource.id == resource_id)).one(),
            actor,
        ).id

    return job


def sorted_out(outcomes: list[Any]) -> tuple[list[Any], list[Conflict]]:
    """Return what was done and who was refused; anything else is a fault."""
    lost = [each for each in outcomes if isinstance(each, Conflict)]
    won = [each for each in outcomes if not isinstance(each, Exception)]
    assert len(won) + len(lost) == len(outcomes), outcomes
    return won, lost


def test_of_many_at_once_one_gets_the_need_and_the_others_are_told_who(
    backend: Backend, session: Session, world: World
) -> None:
    pairs = Pairs(world)
    for unit in ("A-U1", "A-U2"):
        pairs.bond("A11", unit)
    resources = [pairs.resource(unit, f"{unit}的会议室", quantity=9) for unit in ("A-U1", "A-U2")]
    for number in range(3):
        need = pairs.need(title=f"需求{number}")
        session.commit()
        jobs = [click(need, resources[each % 2]) for each in range(MANY)]
        won, lost = sorted_out(race(backend, "community", jobs))
        assert (len(won), len(lost)) == (1, MANY - 1)
        for refusal in lost:
            assert "最近一步是甲一一社区community办理的“派单”" in refusal.message
        session.expire_all()
        assert need.status is NeedStatus.CLAIMED
        links = [each for each in pairs.all_of(ServiceNeed) if each.need_id == need.id]
        assert [each.service_id for each in links] == won
        assert need.claimed_by_id == links[0].service.provider_id
        events = ledger.events_of(session, need)
        assert [each.action for each in events] == ["create", "publish", "assign"]
        assert ledger.faults(events) == []
        session.commit()
    assert len(pairs.all_of(ServiceProject)) == 3


def test_of_many_needs_at_once_one_gets_the_resource(
    backend: Backend, session: Session, world: World
) -> None:
    pairs = Pairs(world)
    pairs.bond("A11", "A-U1")
    resource = pairs.resource()
    needs = [pairs.need(title=f"需求{number}") for number in range(MANY)]
    session.commit()
    won, lost = sorted_out(race(backend, "community", [click(each, resource) for each in needs]))
    assert (len(won), len(lost)) == (1, MANY - 1)
    assert all("已排满" in refusal.message for refusal in lost)
    session.expire_all()
    with acting_as(session, SYSTEM):
        assert len(pairs.all_of(ServiceResource)) == 1
        states = [each.status for each in needs]
    assert states.count(NeedStatus.CLAIMED) == 1
    assert states.count(NeedStatus.PUBLISHED) == MANY - 1
