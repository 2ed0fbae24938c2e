"""Daily mails: a day in one mail, at eight, of what its reader may still read."""

from __future__ import annotations

import datetime as dt

from models.delivery import DeliveryState, Digest
from models.ticket import Ticket
from models.ticket import TicketStatus as S
from notifications.channels import Undelivered
from tests.factories.post import Office
from tests.factories.roads import brought_to

D = DeliveryState
REFUSED = Undelivered("邮件服务器拒收（550）。")


def test_a_day_in_one_mail(office: Office, ticket: Ticket) -> None:
    address = office.wants("handler", Digest.DAILY)
    for hour in range(3):
        office.later(hours=1)
        office.told("A-D1", ticket, f"test:{hour}", f"第{hour}步")
        assert office.work() == 0
    office.now = dt.datetime(2026, 11, 24, 0, 0, tzinfo=dt.UTC)
    office.told("A-D1", ticket, "test:9", "八点后")
    assert office.work() == 1
    (mail,) = office.post.to(address)
    assert "3 条" in mail.title
    assert [line.split("：")[0] for line in mail.text.splitlines()[:3]] == [
        "1. 2026-11-23 13:00 第0步",
        "2. 2026-11-23 14:00 第1步",
        "3. 2026-11-23 15:00 第2步",
    ]
    assert "八点后" not in mail.text
    office.later(hours=23, minutes=59)
    assert office.send() == 0
    office.later(minutes=1)
    assert office.send() == 1
    assert "八点后" in office.post.to(address)[1].text
    assert office.states() == [D.SENT] * 4


def test_a_long_day_is_cut_and_counted(office: Office, ticket: Ticket) -> None:
    address = office.wants("handler", Digest.DAILY)
    for step in range(103):
        office.told("A-D1", ticket, f"test:{step}")
    office.route()
    office.later(days=1)
    assert office.send() == 1
    (mail,) = office.post.to(address)
    assert "103 条" in mail.title
    assert "另有 3 条" in mail.text
    assert set(office.states()) == {D.SENT}


def test_a_daily_mail_leaves_out_what_is_out_of_reach(office: Office, ticket: Ticket) -> None:
    other = brought_to(office.world, S.DISPATCHED, title="井盖")
    office.session.commit()
    office.forget_steps()
    address = office.wants("handler", Digest.DAILY)
    office.told("A-D1", ticket)
    office.told("A-D1", other)
    office.route()
    office.world.step(
        other, "hand_over", "office", lead=office.world.place("A-D3").id, note="另有分工"
    )
    office.session.commit()
    office.forget_steps()
    office.later(days=1)
    office.send()
    (mail,) = office.post.to(address)
    assert "1 条" in mail.title
    assert "井盖" not in mail.text
    assert office.states() == [D.SENT, D.DROPPED]


def test_a_daily_mail_that_fails_goes_whole_the_next_time(office: Office, ticket: Ticket) -> None:
    address = office.wants("handler", Digest.DAILY)
    office.post.failures[address] = [REFUSED]
    office.told("A-D1", ticket, "test:1")
    office.told("A-D1", ticket, "test:2")
    office.route()
    office.later(days=1)
    assert office.send() == 1
    assert office.states() == [D.WAITING] * 2
    office.later(minutes=1)
    assert office.send() == 1
    assert "2 条" in office.post.to(address)[0].title


def test_from_at_once_to_daily_and_back(office: Office, ticket: Ticket) -> None:
    """Told at night: due at seven; who has gone over to daily mails by then gets it at eight."""
    office.later(hours=11)
    address = office.wants("handler", Digest.AT_ONCE)
    office.told("A-D1", ticket)
    office.route()
    office.wants("handler", Digest.DAILY)
    office.later(hours=8)
    assert office.send() == 0
    office.later(hours=1)
    assert office.send() == 1
    assert "汇总" in office.post.to(address)[0].title
    office.told("A-D1", ticket, "test:10")
    office.route()
    office.wants("handler", Digest.AT_ONCE)
    office.later(days=1)
    assert office.send() == 1
    assert "汇总" not in office.post.to(address)[1].title


def test_an_emergency_is_in_no_daily_mail(office: Office, ticket: Ticket) -> None:
    ticket.emergency = True
    address = office.wants("handler", Digest.DAILY)
    office.later(hours=12)
    office.told("A-D1", ticket)
    assert office.work() == 1
    assert "汇总" not in office.post.to(address)[0].title
