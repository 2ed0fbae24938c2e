"""A version in use never changes; what may not be in force is refused, each fault at its place."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.grade import Grade
from models.mechanism import LowRating, Mechanism, ReviewLevel, WhistleClass
from presets.mechanism_plan import ClassPlan, DimensionPlan, MechanismPlan, StepPlan
from presets.mechanisms import JIUJIANG, PRESETS, XINGQING, plan_of
from rules import mechanism_versions as versions
from rules.actor import SYSTEM, Actor, acting_as
from rules.errors import Conflict, Invalid, OutOfScope, Stale
from rules.mechanism_checks import check
from rules.mechanisms import calendar, mechanism_for, present_class, route_of
from rules.workflows.ticket_review import due_step
from tests.conftest import Backend
from tests.factories.race import race
from tests.factories.world import World

HOURS = {"unit": "working_hours", "amount": 4}


def running(session: Session) -> Mechanism:
    """Return what is in force in county A."""
    with acting_as(session, SYSTEM):
        return mechanism_for(session, World(session).place("A").id)


def save(session: Session, plan: MechanismPlan) -> Mechanism:
    """Save a plan as the administrator does who looks at what is in force."""
    present = running(session)
    with acting_as(session, World(session).actor("admin")):
        return versions.save(session, present, present.version, plan)


def of_county(session: Session) -> list[tuple[int, bool]]:
    with acting_as(session, SYSTEM):
        own = select(Mechanism.number, Mechanism.in_force).join(Mechanism.organization)
        rows = session.execute(own.where(Mechanism.organization.has(code="A")))
        return sorted((number, in_force) for number, in_force in rows)


NEW_CLASS = ClassPlan("care", "暖心哨", resolve_term={"unit": "calendar_days", "amount": 3})
LARGER = replace(JIUJIANG, classes=(*JIUJIANG.classes, NEW_CLASS))


def test_a_version_that_nobody_uses_is_changed_in_place(session: Session) -> None:
    before = running(session)
    number, seen = before.number, before.version
    saved = save(session, LARGER)
    assert (saved.id, saved.number, saved.version) == (before.id, number, seen + 1)
    session.expire_all()
    assert plan_of(running(session)) == LARGER
    assert of_county(session) == [(1, True)]


def test_a_route_that_is_known_is_read_anew_once_it_has_changed(one_session: Session) -> None:
    """Saved as a whole, or in any of its parts; what is rolled back was never there."""

    def names() -> list[str]:
        one_session.expire_all()
        return [each.name for each in route_of(running(one_session))]

    before = names()
    plan = replace(JIUJIANG, route=(StepPlan("联席会审", ReviewLevel.OFFICE),))
    save(one_session, plan)
    assert names() == ["联席会审"]
    one_session.rollback()
    assert names() == before
    with acting_as(one_session, SYSTEM):
        running(one_session).route[0].name = "初审"
        one_session.flush()
        assert names() == ["初审", *before[1:]]
        one_session.delete(running(one_session).route[0])
        one_session.flush()
    assert names() == before[1:]


@pytest.mark.parametrize("draft", [True, False])
def test_a_version_in_use_stays_as_it_is(session: Session, world: World, draft: bool) -> None:
    ticket = world.draft() if draft else world.raised()
    before = running(session)
    kept, seen = plan_of(before), before.version
    saved = save(session, LARGER)
    assert (saved.number, saved.in_force, plan_of(saved)) == (2, True, LARGER)
    assert of_county(session) == [(1, False), (2, True)]
    with acting_as(session, SYSTEM):
        session.expire_all()
        assert plan_of(ticket.whistle_class.mechanism) == kept
        assert ticket.whistle_class.mechanism_id == before.id
        # Its words are untouched; that it is out of force is all that was written.
        assert before.version == seen + 1


def test_the_administrator_sees_no_ticket_and_yet_changes_no_version_in_use(
    session: Session, world: World
) -> None:
    world.raised()
    present = running(session)
    with acting_as(session, world.actor("admin")):
        assert versions.used(session, present)
    session.rollback()
    with acting_as(session, world.actor("admin")):
        assert not versions.used(session, running(session))


def test_a_ticket_is_dispatched_under_the_class_in_force(session: Session, world: World) -> None:
    ticket = world.raised()
    own = ticket.whistle_class
    with acting_as(session, SYSTEM):
        assert present_class(session, ticket) is own
    saved = save(session, LARGER)
    with acting_as(session, SYSTEM):
        found = present_class(session, ticket)
        assert (found.mechanism_id, found.code) == (saved.id, own.code)
    # A class that is no more, and a place without any mechanism, leave the ticket its own.
    renamed = replace(LARGER, classes=(NEW_CLASS,))
    save(session, renamed)
    with acting_as(session, SYSTEM):
        assert present_class(session, ticket) is own
    with acting_as(session, world.actor("admin")):
        versions.retire(session, running(session))
    with acting_as(session, SYSTEM):
        assert present_class(session, ticket) is own


def test_a_draft_is_blown_under_the_mechanism_in_force(session: Session, world: World) -> None:
    """Its review goes by the route of today; where no mechanism is left, nobody blows."""
    ticket, late = world.draft(), world.draft(title="井盖丢失")
    saved = save(session, replace(LARGER, route=(StepPlan("核实", ReviewLevel.TOWNSHIP),)))
    world.step(ticket, "raise", "community")
    assert ticket.whistle_class.mechanism_id == saved.id
    step = due_step(ticket)
    assert step is not None
    assert step.name == "核实"
    with acting_as(session, world.actor("admin")):
        versions.retire(session, running(session))
    with pytest.raises(Invalid, match="还没有启用吹哨机制"):
        world.step(late, "raise", "community")


def test_nothing_changed_makes_no_version(session: Session, world: World) -> None:
    world.raised()
    before = running(session)
    seen = before.version
    assert save(session, plan_of(before)) is before
    assert (before.version, of_county(session)) == (seen, [(1, True)])


def test_rows_may_come_go_and_change_places(session: Session) -> None:
    turned = replace(
        LARGER,
        classes=LARGER.classes[::-1],
        dimensions=(DimensionPlan("duty", "尽责", 60), DimensionPlan("new", "新", 40)),
        route=JIUJIANG.route[:1],
    )
    ids = {each.code: each.id for each in running(session).classes}
    save(session, turned)
    session.expire_all()
    found = running(session)
    assert plan_of(found) == turned
    assert {each.code: each.id for each in found.classes if each.code in ids} == ids
    save(session, JIUJIANG)
    session.expire_all()
    assert plan_of(running(session)) == JIUJIANG
    with acting_as(session, SYSTEM):
        gone = select(WhistleClass).where(WhistleClass.code == "care")
        assert session.scalars(gone).all() == []


def test_the_second_of_two_is_told(session: Session, world: World) -> None:
    world.raised()
    shown = running(session)
    seen = shown.version
    admin = world.actor("admin")
    with acting_as(session, admin):
        versions.save(session, shown, seen, LARGER)
        with pytest.raises(Stale, match="已经停用"):
            versions.save(session, shown, seen, XINGQING)
        fresh = running(session)
    with acting_as(session, admin), pytest.raises(Stale, match="刚刚被别人保存"):
        versions.save(session, fresh, fresh.version - 1, XINGQING)
    assert of_county(session) == [(1, False), (2, True)]


def test_of_many_at_once_one_wins(backend: Backend) -> None:
    def job(number: int) -> Any:
        plan = replace(LARGER, name=f"第{number}人的")

        def run(session: Session, _actor: Actor) -> str:
            present = session.scalars(
                select(Mechanism).where(Mechanism.organization.has(code="A"))
            ).one()
            # What each was shown before anybody saved.
            return versions.save(session, present, 1, plan).name

        return run

    outcomes = race(backend, "admin", [job(number) for number in range(4)])
    winners = [each for each in outcomes if isinstance(each, str)]
    assert len(winners) == 1, outcomes
    assert all(isinstance(each, Stale) for each in outcomes if not isinstance(each, str)), outcomes


def test_an_earlier_version_comes_back_as_a_new_one(session: Session, world: World) -> None:
    world.raised()
    first = running(session)
    save(session, LARGER)
    admin = world.actor("admin")
    with acting_as(session, admin):
        back = versions.restore(session, first)
        assert (back.number, back.in_force, plan_of(back)) == (3, True, JIUJIANG)
        assert of_county(session) == [(1, False), (2, False), (3, True)]
        with pytest.raises(Conflict, match="现行版本"):
            versions.restore(session, back)
        with pytest.raises(Conflict, match="内容相同"):
            versions.restore(session, first)


def test_a_county_starts_only_where_nothing_is_in_force(session: Session, world: World) -> None:
    with acting_as(session, world.actor("admin")):
        with pytest.raises(Conflict, match="已在用"):
            versions.adopt(session, world.place("A"), XINGQING)
        with pytest.raises(Invalid, match="只能由市或县"):
            versions.adopt(session, world.place("A1"), XINGQING)
        former = running(session)
        versions.retire(session, former)
        with pytest.raises(Stale, match="已经停用"):
            versions.retire(session, former)
        made = versions.adopt(session, world.place("A"), XINGQING)
    assert (made.number, made.preset, plan_of(made)) == (2, "xingqing", XINGQING)


@pytest.mark.parametrize("who", ["office", "township", "leader", "handler"])
def test_others_change_nothing(session: Session, world: World, who: str) -> None:
    present = running(session)
    with acting_as(session, world.actor(who)), pytest.raises(OutOfScope):
        versions.save(session, present, present.version, LARGER)
    session.rollback()
    assert plan_of(running(session)) == JIUJIANG


def test_the_calendar_has_the_mechanisms_hours(session: Session) -> None:
    start = dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC)  # 20:00 in Shanghai
    hour = dt.timedelta(hours=1)
    with acting_as(session, SYSTEM):
        assert calendar(session).add_working_time(start, hour) == start + hour
    spans = (("08:30", "12:00"),)
    saved = save(session, replace(JIUJIANG, working_hours=spans))
    with acting_as(session, SYSTEM):
        found = calendar(session, saved).add_working_time(start, hour)
    assert found == dt.datetime(2026, 11, 19, 1, 30, tzinfo=dt.UTC)


def first(**changes: Any) -> MechanismPlan:
    """Return Jiujiang's with another first class."""
    return replace(JIUJIANG, classes=(replace(JIUJIANG.classes[0], **changes), JIUJIANG.classes[1]))


def rated(*weights: int | None) -> MechanismPlan:
    """Return Jiujiang's with so many dimensions of these weights."""
    return replace(
        JIUJIANG,
        dimensions=tuple(DimensionPlan(f"d{n}", f"维度{n}", w) for n, w in enumerate(weights)),
    )


def term(unit: str, amount: Any = None) -> dict[str, Any]:
    return {"unit": unit, "amount": amount}


FAULTY: list[tuple[MechanismPlan, str, str]] = [
    (replace(JIUJIANG, name=" "), "name", "请填写"),
    (replace(JIUJIANG, name="长" * 101), "name", "最多 100 字"),
    (replace(JIUJIANG, return_cap=None), "return_cap", "0 到 9"),
    (replace(JIUJIANG, return_cap=10), "return_cap", "0 到 9"),
    (replace(JIUJIANG, return_cap=0), "return_cap", "至少为 1 次"),
    (replace(JIUJIANG, extension_cap=-1), "extension_cap", "0 到 9"),
    (replace(JIUJIANG, amend_hours=9999), "amend_hours", "0 到 720"),
    (replace(JIUJIANG, low_grade=Grade.VERY_SATISFIED), "low_grade", "最好的评价"),
    (replace(JIUJIANG, fix_term=None), "fix_term", "请填写"),
    (replace(JIUJIANG, fix_term=term("per_item")), "fix_term", "写明多久"),
    (replace(JIUJIANG, fix_term=term("hours", 0)), "fix_term", "1 到"),
    (replace(JIUJIANG, working_hours=(("12:00", "08:00"),)), "working_hours", "先早后晚"),
    (replace(JIUJIANG, working_hours=(("下午",),)), "working_hours", "开始和结束"),
    (replace(JIUJIANG, classes=()), "classes", "至少要有一个哨种"),
    (
        replace(JIUJIANG, classes=tuple(ClassPlan(f"c{n}", f"哨{n}") for n in range(21))),
        "classes",
        "最多 20 个",
    ),
    (first(code="ordinary"), "classes-1-code", "重复"),
    (first(code="急哨"), "classes-0-code", "小写字母"),
    (first(code=""), "classes-0-code", "小写字母"),
    (first(name="平哨"), "classes-1-name", "重名"),
    (first(name=""), "classes-0-name", "请填写"),
    (first(description="长" * 1001), "classes-0-description", "1000 字"),
    (first(respond_term=term("hours", "两")), "classes-0-respond_term", "请填写整数"),
    (first(respond_term=term("same_day", 1)), "classes-0-respond_term", "不带数量"),
    (first(arrive_term=term("years", 1)), "classes-0-arrive_term", "无效"),
    (first(arrive_term=HOURS), "classes-0-arrive_term", "工作时间"),
    (first(resolve_term=term("at_dispatch")), "classes-0-resolve_term", "直派"),
    (first(assist_arrive_term=HOURS), "classes-0-assist_arrive_term", "工作时间"),
    (first(respond_warn=term("same_day")), "classes-0-respond_warn", "提前多少"),
    (first(arrive_warn=term("hours", 1)), "classes-0-arrive_warn", "没有“报到时限”"),
    (
        first(arrive_term=term("hours", 1), arrive_warn=term("hours", 1)),
        "classes-0-arrive_warn",
        "短于",
    ),
    (replace(JIUJIANG, route=JIUJIANG.route[::-1]), "route-2-level", "逐级向上"),
    (replace(JIUJIANG, route=(*JIUJIANG.route, JIUJIANG.route[-1])), "route-3-name", "重名"),
    (replace(JIUJIANG, route=(StepPlan("", ReviewLevel.OFFICE),)), "route-0-name", "请填写"),
    (rated(), "dimensions", "至少要有一个评价维度"),
    (rated(50, 40), "dimensions", "现在是 90"),
    (rated(50, 60), "dimensions", "现在是 110"),
    (rated(100, 0), "dimensions-1-weight", "1 到 100"),
    (rated(100, None), "dimensions-1-weight", "1 到 100"),
]


@pytest.mark.parametrize(("plan", "place", "sentence"), FAULTY)
def test_what_may_not_be_in_force(plan: MechanismPlan, place: str, sentence: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check(plan)
    assert sentence in refusal.value.fields[place]
    assert set(refusal.value.fields) <= {place, "route-1-level", "route-3-name"}


GOOD = [
    replace(JIUJIANG, returns_allowed=False, return_cap=0),
    replace(JIUJIANG, low_action=LowRating.DECIDE, fix_term=None),
    replace(JIUJIANG, route=()),
    replace(first(arrive_term=HOURS), working_hours=(("08:30", "12:00"), ("14:00", "18:00"))),
    first(resolve_term=term("hours", 24), resolve_warn=term("minutes", 30)),
    rated(100),
    *PRESETS.values(),
]


@pytest.mark.parametrize("plan", GOOD)
def test_what_may_be_in_force(plan: MechanismPlan) -> None:
    check(plan)


def test_a_faulty_plan_is_never_saved(session: Session) -> None:
    with pytest.raises(Invalid):
        save(session, rated(50))
    assert plan_of(running(session)) == JIUJIANG
