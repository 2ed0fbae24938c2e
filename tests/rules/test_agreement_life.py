"""Every state of an agreement × every step × every account, and the rules of domain section 4."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy.orm import Session

from models.agreement import Agreement, AgreementKind
from models.agreement import AgreementStatus as S
from rules import ledger, workflow
from rules.actor import acting_as
from rules.agreements import check, check_period, next_number
from rules.errors import Conflict, Forbidden, Invalid, Refused
from rules.workflows.agreements import AGREEMENTS
from tests.factories.roads import inputs
from tests.factories.world import ACCOUNTS, World

TODAY = dt.datetime(2026, 3, 2, 4, 0, tzinfo=dt.UTC)
LATER = dt.datetime(2027, 3, 2, 4, 0, tzinfo=dt.UTC)
END = dt.date(2026, 12, 31)

#: What may be done to an agreement that is not over, by whom. Nobody else may do anything.
ALLOWED: dict[S, set[str]] = {
    S.DRAFT: {"bring_into_force"},
    S.IN_FORCE: {"renew", "terminate"},
    S.EXPIRED: {"renew"},
    S.TERMINATED: set(),
    S.RENEWED: set(),
}
KEEPERS = {"party", "admin"}
#: Where a step leads; a renewal leaves the agreement as it is until the new one takes over.
LEADS_TO = {
    "bring_into_force": S.IN_FORCE,
    "renew": None,
    "expire": S.EXPIRED,
    "terminate": S.TERMINATED,
}
ROADS: dict[S, list[tuple[str, dt.datetime]]] = {
    S.DRAFT: [],
    S.IN_FORCE: [("bring_into_force", TODAY)],
    S.EXPIRED: [("bring_into_force", TODAY), ("expire", LATER)],
    S.TERMINATED: [("bring_into_force", TODAY), ("terminate", TODAY)],
    S.RENEWED: [("bring_into_force", TODAY), ("renew", TODAY)],
}


def brought_to(world: World, status: S, number: str = "示〔2026〕1号", **values: Any) -> Agreement:
    """Return an agreement of A11 with A-U1 in that state, by the workflow alone."""
    values.setdefault("valid_until", END)
    agreement = world.agreement("A11", "A-U1", number, **values)
    for action, now in ROADS[status]:
        world.step(agreement, action, "party", now=now, **inputs(world, agreement, action))
    if status is S.RENEWED:
        world.step(renewal_of(world, agreement), "bring_into_force", "party", now=TODAY)
    assert agreement.status is status
    return agreement


def renewal_of(world: World, agreement: Agreement) -> Agreement:
    """Return the newest renewal of an agreement."""
    world.session.expire(agreement)
    return agreement.renewals[-1]


def test_the_table_knows_the_same_steps_and_states() -> None:
    assert {step.action for step in AGREEMENTS.steps if step.who} == set(LEADS_TO)
    assert set(ALLOWED) == set(S) == set(ROADS)


@pytest.mark.parametrize("status", list(S))
def test_every_step_by_every_account(one_session: Session, one_world: World, status: S) -> None:
    agreement = brought_to(one_world, status)
    one_session.commit()
    steps = len(ledger.events_of(one_session, agreement))
    for account in ACCOUNTS:
        actor = one_world.actor(account)
        keeper = account in KEEPERS
        for action, target in LEADS_TO.items():
            data = inputs(one_world, agreement, action)
            allowed = keeper and action in ALLOWED[status]
            with one_session.begin_nested() as savepoint, acting_as(one_session, actor):
                if allowed:
                    workflow.apply(one_session, agreement, action, actor, data, now=TODAY)
                    assert agreement.status is (target or status)
                    assert len(ledger.events_of(one_session, agreement)) == steps + 1
                else:
                    with pytest.raises(Refused) as refusal:
                        workflow.apply(one_session, agreement, action, actor, data, now=TODAY)
                    assert type(refusal.value) is _refusal(account)
                    assert refusal.value.message.endswith("。")
                savepoint.rollback()
            one_session.expire_all()
            assert agreement.status is status


def _refusal(account: str) -> type[Refused]:
    """Keepers are told that the state forbids it; to all others the step is not theirs."""
    return Conflict if account in KEEPERS else Forbidden


@pytest.mark.parametrize("status", [S.DRAFT, S.IN_FORCE])
def test_another_countys_organisation_department_writes_nothing(
    session: Session, world: World, status: S
) -> None:
    """Its role knows the step, but the agreement lies outside its reach."""
    agreement = brought_to(world, status)
    session.commit()
    action = "bring_into_force" if status is S.DRAFT else "terminate"
    with pytest.raises(Forbidden):
        world.step(agreement, action, "partyb", now=TODAY, note="越界")
    session.rollback()
    assert agreement.status is status
    assert len(ledger.events_of(session, agreement)) == len(ROADS[status]) + 1


def test_bringing_into_force_dates_the_signature(one_session: Session, one_world: World) -> None:
    """In Shanghai's days; a date that was written down stays."""
    late = dt.datetime(2026, 3, 2, 16, 30, tzinfo=dt.UTC)
    undated = one_world.agreement("A11", "A-U1", "1号")
    one_world.step(undated, "bring_into_force", "party", now=late)
    assert undated.signed_on == dt.date(2026, 3, 3)
    dated = one_world.agreement("A12", "A-U1", "2号", signed_on=dt.date(2026, 1, 5))
    one_world.step(dated, "bring_into_force", "party", now=late)
    assert dated.signed_on == dt.date(2026, 1, 5)


def test_one_agreement_in_force_for_a_pair_at_a_time(session: Session, world: World) -> None:
    first = brought_to(world, S.IN_FORCE, "1号")
    second = world.agreement("A11", "A-U1", "2号")
    session.commit()
    with pytest.raises(Conflict) as refusal:
        world.step(second, "bring_into_force", "party", now=TODAY)
    assert "甲一一社区与甲县第一中学已有生效的协议“1号”" in refusal.value.message
    session.rollback()
    assert second.status is S.DRAFT
    other_unit = world.agreement("A11", "A-U2", "3号")
    other_community = world.agreement("A12", "A-U1", "4号")
    for agreement in (other_unit, other_community):
        world.step(agreement, "bring_into_force", "party", now=TODAY)
    world.step(first, "terminate", "party", note="迁址")
    world.step(second, "bring_into_force", "party", now=TODAY)
    assert second.status is S.IN_FORCE


def test_an_agreement_that_is_over_is_not_brought_into_force(one_world: World) -> None:
    agreement = brought_to(one_world, S.DRAFT)
    after = dt.datetime(2026, 12, 31, 16, 0, tzinfo=dt.UTC)  # the first second of 2027
    with pytest.raises(Conflict, match="到期日期已过"):
        one_world.step(agreement, "bring_into_force", "party", now=after)
    one_world.step(agreement, "bring_into_force", "party", now=after - dt.timedelta(seconds=1))
    assert agreement.status is S.IN_FORCE


def test_expiry_is_for_agreements_whose_last_day_is_past(one_world: World) -> None:
    agreement = brought_to(one_world, S.IN_FORCE)
    last_second = dt.datetime(2026, 12, 31, 15, 59, 59, tzinfo=dt.UTC)
    with pytest.raises(Conflict, match="还没有到期"):
        one_world.step(agreement, "expire", "party", now=last_second)
    one_world.step(agreement, "expire", "party", now=last_second + dt.timedelta(seconds=1))
    assert agreement.status is S.EXPIRED


def test_unsound_agreements_are_not_brought_into_force(
    one_session: Session, one_world: World
) -> None:
    agreement = one_world.agreement("A11", "A-U1", "1号", signed_on=dt.date(2099, 12, 31))
    agreement.valid_until = dt.date(2098, 12, 31)
    one_session.commit()
    with pytest.raises(Invalid) as refusal:
        one_world.step(agreement, "bring_into_force", "party", now=TODAY)
    assert refusal.value.fields == {"signed_on": "签订日期不应晚于到期日期。"}


@pytest.mark.parametrize("status", [S.IN_FORCE, S.EXPIRED])
def test_renewing_copies_it_and_links_back(session: Session, world: World, status: S) -> None:
    texts = {
        "kind": AgreementKind.JOINT_COMMITTEE,
        "objectives": "共建平安社区",
        "community_promises": "提供场地",
        "unit_promises": "每月服务一次",
        "community_liaison": "甲",
        "community_phone": "0793-1",
        "unit_liaison": "乙",
        "unit_phone": "0793-2",
    }
    old = brought_to(world, status, "示〔2026〕1号", signed_on=dt.date(2026, 1, 5), **texts)
    start, end = dt.date(2027, 1, 1), dt.date(2028, 12, 31)
    world.step(old, "renew", "party", valid_from=start, valid_until=end)
    session.commit()
    event = ledger.events_of(session, old)[-1]
    new = session.get_one(Agreement, event.data["renewed_as"]["id"])
    assert event.note == "续签为 示〔2026〕1号-续1"
    assert (old.status, new.status, old.renewals) == (status, S.DRAFT, [new])
    assert (new.number, new.renews) == ("示〔2026〕1号-续1", old)
    assert (new.community, new.unit) == (old.community, old.unit)
    assert {name: getattr(new, name) for name in texts} == texts
    assert (new.valid_from, new.valid_until, new.signed_on) == (start, end, None)
    first = ledger.events_of(session, new)
    assert [(each.action, each.note) for each in first] == [("create", "续签自 示〔2026〕1号")]
    world.step(new, "bring_into_force", "party", now=TODAY)
    assert (old.status, new.status) == (S.RENEWED, S.IN_FORCE)
    over = ledger.events_of(session, old)[-1]
    assert (over.action, over.note) == ("hand_over", "由续签协议“示〔2026〕1号-续1”接替")


def test_a_renewal_waits_once_and_may_be_given_up(one_session: Session, one_world: World) -> None:
    old = brought_to(one_world, S.IN_FORCE, "1号")
    data = inputs(one_world, old, "renew")
    one_world.step(old, "renew", "party", **data)
    one_session.commit()
    party = one_world.actor("party")
    assert "renew" not in {each.action for each in workflow.available(one_session, old, party)}
    with pytest.raises(Conflict, match="续签协议“1号-续1”已在草拟"):
        one_world.step(old, "renew", "party", **data)
    one_session.rollback()
    one_session.delete(renewal_of(one_world, old))
    one_session.flush()
    one_world.step(old, "renew", "party", **data)
    assert renewal_of(one_world, old).number == "1号-续1"


@pytest.mark.parametrize("change", ["ended", "other pair"])
def test_a_renewal_takes_over_only_what_still_stands(
    one_session: Session, one_world: World, change: str
) -> None:
    """An agreement that was ended stays ended; a copy that was given to another unit ends nothing."""
    old = brought_to(one_world, S.IN_FORCE, "1号")
    one_world.step(old, "renew", "party", **inputs(one_world, old, "renew"))
    new = renewal_of(one_world, old)
    if change == "ended":
        one_world.step(old, "terminate", "party", note="迁址")
    else:
        new.unit = one_world.place("A-U2")
    before = old.status
    one_world.step(new, "bring_into_force", "party", now=TODAY)
    one_session.flush()
    assert (old.status, new.status) == (before, S.IN_FORCE)


def days(start: str, end: str) -> dict[str, dt.date]:
    return {"valid_from": dt.date.fromisoformat(start), "valid_until": dt.date.fromisoformat(end)}


@pytest.mark.parametrize(
    ("unit", "period", "sound"),
    [
        ("A-U1", ("2027-01-01", "2027-12-31"), True),
        ("A-U1", ("2026-12-31", "2027-12-31"), False),
        ("A-U1", ("2025-01-01", "2025-12-31"), True),
        ("A-U1", ("2025-01-01", "2026-01-01"), False),
        ("A-U1", ("2026-03-01", "2026-04-01"), False),
        ("A-U2", ("2026-03-01", "2026-04-01"), True),
    ],
)
def test_periods_of_a_pair_do_not_overlap(
    one_world: World, unit: str, period: tuple[str, str], sound: bool
) -> None:
    brought_to(one_world, S.IN_FORCE, "1号")
    draft = one_world.agreement("A11", unit, "2号", **days(*period))
    if sound:
        check_period(one_world.session, draft)
        return
    with pytest.raises(Invalid, match="已有生效的协议“1号”（2026-01-01至2026-12-31）") as refusal:
        check_period(one_world.session, draft)
    assert set(refusal.value.fields) == {"valid_from"}


def test_a_renewal_may_begin_before_the_old_one_ends(one_world: World) -> None:
    old = brought_to(one_world, S.IN_FORCE, "1号")
    one_world.step(old, "renew", "party", **days("2026-07-01", "2027-06-30"))
    check_period(one_world.session, renewal_of(one_world, old))


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "valid_from"),
        ({"valid_from": dt.date(2027, 1, 1)}, "valid_until"),
        ({"valid_from": dt.date(2027, 1, 1), "valid_until": dt.date(2027, 1, 1)}, "valid_until"),
        ({"valid_from": "2027-01-01", "valid_until": dt.date(2028, 1, 1)}, "valid_from"),
    ],
)
def test_a_renewal_needs_dates_in_order(
    one_session: Session, one_world: World, data: dict[str, Any], field: str
) -> None:
    old = brought_to(one_world, S.IN_FORCE)
    one_session.commit()
    with pytest.raises(Invalid) as refusal:
        one_world.step(old, "renew", "party", **data)
    assert field in refusal.value.fields
    one_session.rollback()
    assert old.status is S.IN_FORCE


def test_renewals_are_numbered_on(one_session: Session, one_world: World) -> None:
    old = one_world.agreement("A11", "A-U1", "示1号")
    assert next_number(one_session, old) == "示1号-续1"
    renewed = one_world.agreement("A11", "A-U1", "示1号-续1")
    assert next_number(one_session, old) == next_number(one_session, renewed) == "示1号-续2"
    longest = one_world.agreement("A11", "A-U1", "长" * 64)
    assert next_number(one_session, longest) == "长" * 58 + "-续1"
    one_world.agreement("A11", "A-U1", next_number(one_session, longest))
    assert next_number(one_session, longest) == "长" * 58 + "-续2"


@pytest.mark.parametrize(
    ("community", "unit", "changes", "fields"),
    [
        ("A11", "A-U1", {}, set()),
        ("A11", "A-D1", {}, set()),
        ("A11", "A1-PCS", {}, set()),
        ("A11", "A-CSB", {}, set()),
        ("A1", "A-U1", {}, {"community"}),
        ("A-U1", "A-U2", {}, {"community"}),
        ("A11", "A12", {}, {"unit"}),
        ("A111", "A", {}, {"community", "unit"}),
        ("A11", "A-U1", {"valid_from": END, "valid_until": END}, {"valid_until"}),
        ("A11", "A-U1", {"valid_from": dt.date(2027, 1, 1)}, {"valid_until"}),
        ("A11", "A-U1", {"signed_on": dt.date(2027, 1, 1)}, {"signed_on"}),
        ("A11", "A-U1", {"signed_on": END}, set()),
    ],
)
def test_what_makes_an_agreement_sound(
    one_world: World, community: str, unit: str, changes: dict[str, Any], fields: set[str]
) -> None:
    values = {"valid_from": dt.date(2026, 1, 1), "valid_until": END, "signed_on": None} | changes
    agreement = Agreement(
        community=one_world.place(community), unit=one_world.place(unit), **values
    )
    if not fields:
        check(agreement)
        return
    with pytest.raises(Invalid) as refusal:
        check(agreement)
    assert set(refusal.value.fields) == fields
