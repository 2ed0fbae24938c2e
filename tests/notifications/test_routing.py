"""Which notices leave, over which channels, when: each step once for a person and once for a group."""

from __future__ import annotations

import datetime as dt

import pytest

from models.delivery import Digest, NoticeChannel
from models.notice import Notice
from models.supervision import SupervisionRule
from models.ticket import Ticket
from tests.factories.post import Office


def colleagues(office: Office, place: str, *names: str) -> None:
    """Move accounts to a place."""
    for name in names:
        office.world.account(name).organization = office.world.place(place)
    office.session.commit()


def keys(office: Office) -> list[tuple[str, str]]:
    """Return channel and receiver of all deliveries."""
    return sorted(
        (each.channel.value, each.account.username if each.account else each.robot.name)
        for each in office.deliveries()
    )


def test_nobody_is_written_to_unasked(office: Office, ticket: Ticket) -> None:
    office.world.account("handler").email = "handler@county.gov.cn"
    office.told("A-D1", ticket)
    assert office.route() == 1
    assert keys(office) == []
    assert office.route() == 0


def test_a_stand_in_for_an_address_is_no_address(office: Office, ticket: Ticket) -> None:
    office.wants("handler", Digest.AT_ONCE)
    office.world.account("handler").email = "handler@chuishao.invalid"
    office.told("A-D1", ticket)
    office.route()
    assert keys(office) == []


def test_without_a_mail_server_nothing_waits_for_one(office: Office, ticket: Ticket) -> None:
    office.wants("handler", Digest.AT_ONCE)
    office.app.config["SMTP"] = {"host": ""}
    office.told("A-D1", ticket)
    assert office.route() == 1
    assert keys(office) == []


def test_a_person_and_his_group_are_told_once_each(office: Office, ticket: Ticket) -> None:
    colleagues(office, "A-D1", "handler2", "unit", "unit2", "leader")
    office.wants("handler", Digest.AT_ONCE)
    office.wants("unit", Digest.AT_ONCE)
    office.robot("A-D1", NoticeChannel.WECOM, 1)
    office.robot("A-D1", NoticeChannel.FEISHU, 2)
    office.robot("A-D2", NoticeChannel.DINGTALK, 3)
    told = office.told("A-D1", ticket)
    assert len(told) == 5
    office.route()
    expected = [("email", "handler"), ("email", "unit"), ("feishu", "群2"), ("wecom", "群1")]
    assert keys(office) == expected
    for number in told:
        office.session.get_one(Notice, number).routed_at = None
    office.session.commit()
    assert office.route() == 5
    assert keys(office) == expected, "routed twice, told once"


def test_another_step_is_told_anew(office: Office, ticket: Ticket) -> None:
    office.robot("A-D1")
    office.told("A-D1", ticket, "test:9")
    office.route()
    office.told("A-D1", ticket, "test:10")
    office.route()
    assert keys(office) == [("wecom", "群1")] * 2


def test_a_robot_that_is_off_says_nothing(office: Office, ticket: Ticket) -> None:
    office.robot("A-D1")
    office.told("A-D1", ticket)
    office.route()
    (delivery,) = office.deliveries()
    delivery.robot.active = False
    office.session.commit()
    office.told("A-D1", ticket, "test:10")
    office.route()
    assert len(office.deliveries()) == 1
    office.send()
    assert office.post.sent == []
    (left,) = office.deliveries()
    assert (left.state.value, left.problem) == ("dropped", "机器人已停用。")


def waits(office: Office) -> float:
    """Return how many hours the one delivery waits from now on."""
    (delivery,) = office.deliveries()
    return (delivery.next_at - office.now) / dt.timedelta(hours=1)


@pytest.mark.parametrize(
    ("hour", "quiet", "expected"),
    [
        (12, (), 0),
        (22, (), 9),
        (3, (), 4),
        (12, ("12:00", "14:30"), 2.5),
        (23, ("12:00", "14:30"), 0),
        (23, ("00:00", "00:00"), 0),
    ],
)
def test_quiet_hours_of_a_person(
    office: Office, ticket: Ticket, hour: int, quiet: tuple[str, ...], expected: float
) -> None:
    office.wants("handler", Digest.AT_ONCE, *quiet)
    office.later(hours=hour - 12)
    office.told("A-D1", ticket)
    office.route()
    assert waits(office) == expected


def county_rule(office: Office) -> None:
    """Give the county quiet hours of its own."""
    office.session.add(
        SupervisionRule(
            organization_id=office.world.place("A").id,
            ladder=[],
            quiet_from="11:00",
            quiet_until="13:00",
        )
    )
    office.session.commit()


def test_quiet_hours_of_a_county(office: Office, ticket: Ticket) -> None:
    county_rule(office)
    office.robot("A-D1")
    office.told("A-D1", ticket)
    office.route()
    assert waits(office) == 1


def test_a_person_s_own_hours_stand_before_the_county_s(office: Office, ticket: Ticket) -> None:
    county_rule(office)
    office.wants("handler", Digest.AT_ONCE, "22:00", "07:00")
    office.told("A-D1", ticket)
    office.route()
    assert waits(office) == 0


@pytest.mark.parametrize("email", [Digest.AT_ONCE, Digest.DAILY])
def test_an_emergency_waits_for_nothing(office: Office, ticket: Ticket, email: Digest) -> None:
    ticket.emergency = True
    office.later(hours=11)
    office.wants("handler", email)
    (number,) = office.told("A-D1", ticket)
    office.route()
    assert waits(office) == 0
    assert office.session.get_one(Notice, number).urgent


def test_a_daily_mail_waits_for_eight(office: Office, ticket: Ticket) -> None:
    office.wants("handler", Digest.DAILY)
    office.told("A-D1", ticket)
    office.route()
    assert waits(office) == 20


def test_a_daily_mail_keeps_late_sleepers_hours(office: Office, ticket: Ticket) -> None:
    office.wants("handler", Digest.DAILY, "22:00", "09:30")
    office.told("A-D1", ticket)
    office.route()
    assert waits(office) == 21.5


def test_what_the_worker_has_missed_for_days_is_no_news(office: Office, ticket: Ticket) -> None:
    office.wants("handler", Digest.AT_ONCE)
    office.told("A-D1", ticket)
    office.later(days=3, seconds=1)
    assert office.route() == 1
    assert office.deliveries() == []
    assert office.route() == 0
