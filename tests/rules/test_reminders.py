"""Reminders at 60, 30 and 7 days, each person once; ends by the calendar; sweeping twice does nothing."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.account import Account
from models.agreement import Agreement, AgreementStatus
from models.notice import Notice
from models.organization import Organization, OrganizationKind
from rules import ledger, reminders
from rules.actor import SYSTEM
from rules.reminders import due_threshold, expire_overdue, remind
from rules.sweep import Swept, sweep
from tests.factories.world import World

TODAY = dt.date(2026, 11, 21)
#: Noon in Shanghai.
NOON = dt.datetime(2026, 11, 21, 4, 0, tzinfo=dt.UTC)
#: Whom the agreement of A11 with A-U1 concerns.
CONCERNED = {"unit", "community", "party"}


def ending(
    world: World, left: int, number: str = "1号", pair: tuple[str, str] = ("A11", "A-U1")
) -> Agreement:
    """Return an agreement in force that ends so many days from today."""
    first = TODAY - dt.timedelta(days=300)
    last = TODAY + dt.timedelta(days=left)
    found = world.agreement(*pair, number, valid_from=first, valid_until=last)
    world.step(found, "bring_into_force", "admin", now=NOON - dt.timedelta(days=200))
    world.session.commit()
    return found


def told(session: Session) -> dict[str, list[str]]:
    """Return what each account was told, oldest first."""
    rows = session.execute(
        select(Account.username, Notice.title)
        .join(Account, Account.id == Notice.account_id)
        .order_by(Notice.id)
    )
    found: dict[str, list[str]] = {}
    for name, title in rows:
        found.setdefault(name, []).append(title)
    return found


def day(left: int) -> dt.date:
    """Return the day on which so many days are left of what ends in 100 days."""
    return TODAY + dt.timedelta(days=100 - left)


@pytest.mark.parametrize(
    ("left", "due"),
    [
        (61, None), (60, 60), (59, 60), (31, 60), (30, 30), (29, 30),
        (8, 30), (7, 7), (6, 7), (1, 7), (0, 7), (-1, None), (-400, None),
    ],
)  # fmt: skip
def test_which_announcement_is_due(left: int, due: int | None) -> None:
    assert due_threshold(TODAY + dt.timedelta(days=left), TODAY) == due


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (61, None), (60, "还有 60 天到期"), (31, "还有 31 天到期"), (30, "还有 30 天到期"),
        (29, "还有 29 天到期"), (8, "还有 8 天到期"), (7, "还有 7 天到期"),
        (6, "还有 6 天到期"), (0, "今天到期"), (-1, None),
    ],
)  # fmt: skip
def test_who_is_told_what_at_the_edges(
    one_session: Session, one_world: World, left: int, words: str | None
) -> None:
    """One announcement each, the nearest, however late the sweep first sees the agreement."""
    agreement = ending(one_world, left)
    number = remind(one_session, TODAY)
    if words is None:
        assert (number, told(one_session)) == (0, {})
        return
    title = f"{words}：甲一一社区与甲县第一中学的协议“1号”（{agreement.valid_until}止）"
    assert number == 3
    assert told(one_session) == {name: [title] for name in CONCERNED}
    assert remind(one_session, TODAY) == 0


def test_three_announcements_in_a_life(one_session: Session, one_world: World) -> None:
    ending(one_world, 100)
    numbers = {left: remind(one_session, day(left)) for left in range(100, -2, -1)}
    assert {left: number for left, number in numbers.items() if number} == {60: 3, 30: 3, 7: 3}
    assert {len(titles) for titles in told(one_session).values()} == {3}


def test_days_that_were_missed_are_not_made_up(one_session: Session, one_world: World) -> None:
    """The sweep stood still from the 45th to the 20th day, and from the 9th to the 3rd."""
    ending(one_world, 100)
    days = [45, 20, 9, 3]
    assert [remind(one_session, day(left)) for left in days] == [3, 3, 0, 3]
    assert [title[:7] for title in told(one_session)["unit"]] == [
        "还有 45 天",
        "还有 20 天",
        "还有 3 天到",
    ]


def test_who_comes_later_is_told_once_too(one_session: Session, one_world: World) -> None:
    ending(one_world, 20)
    assert remind(one_session, TODAY) == 3
    newcomer = one_world.account("unit2")
    newcomer.organization = one_world.place("A-U1")
    one_session.commit()
    assert remind(one_session, TODAY) == 1
    assert set(told(one_session)) == CONCERNED | {"unit2"}
    assert remind(one_session, TODAY) == 0


def test_the_right_roles_of_the_right_places(one_session: Session, one_world: World) -> None:
    """A department's handler is its liaison; the county's offices count, another county's do not."""
    ending(one_world, 10, pair=("A12", "A-D1"))
    office = Organization(
        code="A-ZZB",
        name="甲县委组织部",
        kind=OrganizationKind.DEPARTMENT,
        parent=one_world.place("A"),
    )
    one_session.add(office)
    one_world.account("unit2").organization = office
    one_world.account("unit2").roles = list(one_world.account("party").roles)
    one_world.account("unit").organization = office
    one_world.account("township").roles = list(one_world.account("party").roles)
    one_session.commit()
    remind(one_session, TODAY)
    assert set(told(one_session)) == {"handler", "community2", "party", "unit2"}


def test_locked_out_accounts_are_not_told(one_session: Session, one_world: World) -> None:
    ending(one_world, 10)
    one_world.account("unit").active = False
    one_session.commit()
    assert remind(one_session, TODAY) == 2
    assert set(told(one_session)) == CONCERNED - {"unit"}


@pytest.mark.parametrize("status", ["draft", "terminated", "renewed", "expired"])
def test_only_what_is_in_force_is_announced(
    one_session: Session, one_world: World, status: str
) -> None:
    if status == "draft":
        one_world.agreement("A11", "A-U1", "1号", valid_until=TODAY + dt.timedelta(days=10))
    elif status == "expired":
        expire_overdue(one_session, NOON)
        ending(one_world, -1)
        assert expire_overdue(one_session, NOON) == 1
    else:
        agreement = ending(one_world, 10)
        if status == "terminated":
            one_world.step(agreement, "terminate", "party", note="迁址")
        else:
            period = {"valid_from": TODAY, "valid_until": TODAY + dt.timedelta(days=400)}
            one_world.step(agreement, "renew", "party", **period)
            one_session.expire(agreement)
            one_world.step(agreement.renewals[0], "bring_into_force", "party", now=NOON)
    assert remind(one_session, TODAY) == 0


@pytest.mark.parametrize(
    ("left", "status"),
    [(0, AgreementStatus.IN_FORCE), (-1, AgreementStatus.EXPIRED), (-9, AgreementStatus.EXPIRED)],
)
def test_what_is_past_expires(
    session: Session, world: World, left: int, status: AgreementStatus
) -> None:
    """By its own workflow, in the system's name, to the minute of Shanghai's midnight."""
    agreement = ending(world, left)
    night = dt.datetime(2026, 11, 20, 16, 0, tzinfo=dt.UTC)  # the first second of the 21st
    expected = int(status is AgreementStatus.EXPIRED)
    assert expire_overdue(session, night - dt.timedelta(seconds=1)) == int(left < -1)
    if left >= -1:
        assert expire_overdue(session, night) == expected
    assert agreement.status is status
    assert expire_overdue(session, night) == 0
    last = ledger.events_of(session, agreement)[-1]
    if expected:
        assert (last.action, last.actor_name) == ("expire", SYSTEM.name)


def test_a_slice_at_a_time(
    one_session: Session, one_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "SLICE", 2)
    pairs = [("A11", "A-U1"), ("A11", "A-U2"), ("A12", "A-U1"), ("A12", "A-U2"), ("A21", "A-U1")]
    for number, pair in enumerate(pairs):
        ending(one_world, -5 if number < 3 else 5, f"{number}号", pair)
    assert expire_overdue(one_session, NOON) == 3
    assert remind(one_session, TODAY) == 2 + 1 + 1 + 2 - 1 + 0
    assert len(told(one_session)["party"]) == 2


def test_sweeping_again_finds_nothing_to_do(session: Session, world: World) -> None:
    """On both databases; what has ended is not announced any more."""
    ending(world, -1, "旧号")
    ending(world, 5, "新号", ("A12", "A-U1"))
    assert sweep(session, NOON) == Swept(expired=1, lapsed=0, reminded=3)
    session.commit()
    assert sweep(session, NOON) == Swept(expired=0, lapsed=0, reminded=0)
    assert all("新号" in title for titles in told(session).values() for title in titles)


def test_many_agreements_cost_few_statements_when_all_know(
    one_session: Session, one_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour later nobody is left to be told, and nobody is asked for one by one."""
    for number, pair in enumerate([("A11", "A-U1"), ("A11", "A-U2"), ("A12", "A-U1")]):
        ending(one_world, 5, f"{number}号", pair)
    remind(one_session, TODAY)
    one_session.commit()

    def asked(*given: object, **named: object) -> int:
        raise AssertionError("everybody knows")

    monkeypatch.setattr(reminders, "tell", asked)
    assert remind(one_session, TODAY) == 0
