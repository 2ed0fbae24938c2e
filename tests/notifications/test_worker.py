"""Sending: at most once, again after a failure, given up in the end, and never to whom it is no concern of."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from jobs import notices
from models.account import Account
from models.delivery import DeliveryState, Digest, NoticeChannel
from models.ticket import Ticket
from notifications import worker
from notifications.channels import Undelivered
from notifications.worker import AGAIN, SENDING, is_on_its_way
from rules.personal import HIDDEN
from tests.factories.post import Office

D = DeliveryState
REFUSED = Undelivered("邮件服务器拒收（550）。")
UNCLEAR = Undelivered("不知道。", unclear=True)
GONE = Undelivered("连不上。", down=True)


def test_one_mail_for_one_step(office: Office, ticket: Ticket) -> None:
    address = office.wants("handler", Digest.AT_ONCE)
    office.told("A-D1", ticket)
    assert office.work() == 1
    (mail,) = office.post.to(address)
    assert mail.title.startswith(f"【吹哨报到】待应哨：{ticket.number}")
    assert "请登录系统" in mail.text
    (left,) = office.deliveries()
    assert (left.state, left.attempts, left.problem, left.sent_at) == (D.SENT, 1, None, office.now)
    office.later(days=1)
    assert office.work() == 0
    assert len(office.post.sent) == 1


def test_a_group_is_told_without_anybody_s_name_or_number(office: Office, ticket: Ticket) -> None:
    address = office.robot("A-D1")
    office.told("A-D1", ticket)
    office.work()
    (message,) = office.post.to(address)
    assert message.text == (
        f"【吹哨报到】待应哨：{ticket.number} {HIDDEN}家门前路灯不亮，电话{HIDDEN}"
    )


def test_a_mail_masks_numbers_too(office: Office, ticket: Ticket) -> None:
    address = office.wants("handler", Digest.AT_ONCE)
    office.told("A-D1", ticket)
    office.work()
    (mail,) = office.post.to(address)
    assert "13912345678" not in mail.title + mail.text


def test_it_leads_to_the_product_where_its_address_is_known(office: Office, ticket: Ticket) -> None:
    address = office.wants("handler", Digest.AT_ONCE)
    office.told("A-D1", ticket)
    office.app.config["SITE_URL"] = "https://hall.example"
    try:
        office.work()
    finally:
        office.app.config["SITE_URL"] = ""
    assert "https://hall.example/notices/list/" in office.post.to(address)[0].text


# Again, and not for ever


def test_the_waits_grow_and_end(office: Office, ticket: Ticket) -> None:
    address = office.wants("handler", Digest.AT_ONCE, "00:00", "00:00")
    office.post.failures[address] = [REFUSED] * 9
    office.told("A-D1", ticket)
    office.route()
    waits = []
    for _attempt in AGAIN:
        assert office.send() == 1
        (left,) = office.deliveries()
        assert (left.state, left.problem) == (D.WAITING, REFUSED.message)
        waits.append(left.next_at - office.now)
        office.now = left.next_at - dt.timedelta(seconds=1)
        assert office.send() == 0
        office.now = left.next_at
    assert waits == [
        dt.timedelta(minutes=1),
        dt.timedelta(minutes=5),
        dt.timedelta(minutes=30),
        dt.timedelta(hours=2),
        dt.timedelta(hours=12),
    ]
    office.send()
    (left,) = office.deliveries()
    assert (left.state, left.attempts, left.problem) == (D.DEAD, 6, REFUSED.message)
    office.later(days=3)
    assert office.send() == 0
    worker.try_again(left, office.now)
    office.session.commit()
    office.post.failures.clear()
    assert office.send() == 1
    assert office.states() == [D.SENT]


def test_the_next_attempt_keeps_quiet_hours(office: Office, ticket: Ticket) -> None:
    office.later(hours=9, minutes=59, seconds=30)
    address = office.wants("handler", Digest.AT_ONCE)
    office.post.failures[address] = [REFUSED]
    office.told("A-D1", ticket)
    office.work()
    (left,) = office.deliveries()
    assert left.next_at - office.now == dt.timedelta(hours=9, seconds=30)


def test_what_may_have_arrived_is_not_sent_again(office: Office, ticket: Ticket) -> None:
    address = office.wants("handler", Digest.AT_ONCE)
    office.post.failures[address] = [UNCLEAR]
    office.told("A-D1", ticket)
    office.work()
    assert office.states() == [D.DEAD]
    office.later(days=1)
    assert office.send() == 0


def test_an_accident_is_not_sent_again_and_its_words_stay_here(
    office: Office, ticket: Ticket, caplog: pytest.LogCaptureFixture
) -> None:
    address = office.robot("A-D1")
    office.post.failures[address] = [RuntimeError(f"cannot reach {address}")]
    office.told("A-D1", ticket)
    office.work()
    (left,) = office.deliveries()
    assert left.state is D.DEAD
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text + (left.problem or "")


def test_whoever_dies_in_between_leaves_a_dead_letter(office: Office, ticket: Ticket) -> None:
    address = office.wants("handler", Digest.AT_ONCE)
    office.told("A-D1", ticket)
    office.route()

    def die(_to: str) -> None:
        raise KeyboardInterrupt

    office.post.before = die
    with pytest.raises(KeyboardInterrupt):
        office.send()
    office.post.before = lambda _to: None
    (left,) = office.deliveries()
    assert (left.state, left.problem, left.attempts) == (D.DEAD, SENDING, 1)
    assert is_on_its_way(left, office.now + dt.timedelta(minutes=9))
    assert not is_on_its_way(left, office.now + dt.timedelta(minutes=11))
    office.later(days=1)
    assert office.send() == 0
    assert office.post.to(address) == []


def test_one_channel_that_fails_keeps_no_other(office: Office, ticket: Ticket) -> None:
    mail = office.wants("handler", Digest.AT_ONCE)
    broken, sound = office.robot("A-D1"), office.robot("A-D1", NoticeChannel.FEISHU, 2)
    office.post.failures = {mail: [GONE], broken: [GONE]}
    office.told("A-D1", ticket)
    office.work()
    assert [each.to for each in office.post.sent] == [sound]
    office.later(minutes=1)
    assert office.send() == 2
    assert {each.to for each in office.post.sent} == {mail, broken, sound}
    assert set(office.states()) == {D.SENT}


def test_what_waits_for_a_channel_that_is_down_loses_no_attempt(
    office: Office, ticket: Ticket
) -> None:
    address = office.robot("A-D1")
    office.post.failures[address] = [GONE]
    for step in range(15):
        office.told("A-D1", ticket, f"test:{step}")
    office.route()
    assert office.send() == 1
    assert sorted(each.attempts for each in office.deliveries()) == [0] * 14 + [1]
    office.later(minutes=1)
    assert office.send() == 15
    assert len(office.post.sent) == 15


def test_told_to_stop_it_gives_back_what_it_has_not_sent(office: Office, ticket: Ticket) -> None:
    office.robot("A-D1")
    for step in range(5):
        office.told("A-D1", ticket, f"test:{step}")
    office.route()
    stopping = office.app.extensions["queue"].stopping
    office.post.before = lambda _to: stopping.set()
    try:
        assert office.send() == 1
    finally:
        stopping.clear()
    office.post.before = lambda _to: None
    assert office.states() == [D.SENT, *[D.WAITING] * 4]
    office.later(minutes=1)
    assert office.send() == 4


def test_a_busy_database_is_waited_for_before_a_sent_mail_counts_as_lost(
    office: Office, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.wants("handler", Digest.AT_ONCE)
    office.told("A-D1", ticket)
    office.route()
    honest, busy = worker.settle, [OperationalError("", None, Exception("locked"))] * 2

    def settle(*given: Any) -> None:
        if busy:
            raise busy.pop()
        honest(*given)

    monkeypatch.setattr(worker, "settle", settle)
    assert office.send() == 1
    assert office.states() == [D.SENT]


# Wishes and reach, as they are when it is sent


def test_whoever_reads_the_record_no_more_is_not_written_to(office: Office, ticket: Ticket) -> None:
    office.wants("handler", Digest.AT_ONCE)
    office.told("A-D1", ticket)
    office.route()
    office.world.account("handler").organization = office.world.place("A-D3")
    office.session.commit()
    assert office.send() == 0
    (left,) = office.deliveries()
    assert (left.state, left.problem) == (D.DROPPED, "收件人已无权查看这条记录。")


def test_a_group_hears_as_long_as_one_of_its_people_reads(office: Office, ticket: Ticket) -> None:
    office.world.account("handler2").organization = office.world.place("A-D1")
    office.session.commit()
    address = office.robot("A-D1")
    office.told("A-D1", ticket)
    office.route()
    office.world.account("handler").organization = office.world.place("A-D3")
    office.session.commit()
    office.send()
    assert len(office.post.to(address)) == 1


def test_a_group_whose_people_have_all_gone_hears_nothing(office: Office, ticket: Ticket) -> None:
    office.robot("A-D1")
    office.told("A-D1", ticket)
    office.route()
    office.world.account("handler").organization = office.world.place("A-D3")
    office.session.commit()
    office.send()
    assert (office.states(), office.post.sent) == ([D.DROPPED], [])


@pytest.mark.parametrize("change", ["never", "inactive", "no address"])
def test_a_wish_that_has_changed_counts(office: Office, ticket: Ticket, change: str) -> None:
    office.wants("handler", Digest.AT_ONCE)
    office.told("A-D1", ticket)
    office.route()
    account = office.world.account("handler")
    if change == "never":
        office.wants("handler", Digest.NEVER)
    elif change == "inactive":
        account.active = False
    else:
        account.email = "handler@chuishao.invalid"
    office.session.commit()
    office.send()
    assert (office.states(), office.post.sent) == ([D.DROPPED], [])


# Housekeeping


def test_what_is_settled_is_forgotten_in_time(office: Office, ticket: Ticket) -> None:
    address = office.wants("handler", Digest.AT_ONCE)
    office.told("A-D1", ticket, "test:1")
    office.work()
    office.post.failures[address] = [UNCLEAR]
    office.told("A-D1", ticket, "test:2")
    office.work()
    for each in office.deliveries():
        each.updated_at = office.now
    office.session.commit()
    notices.forget(office.app, lambda: office.now + dt.timedelta(days=90))
    assert len(office.deliveries()) == 2
    notices.forget(office.app, lambda: office.now + dt.timedelta(days=90, seconds=1))
    assert office.states() == [D.DEAD], "dead letters stay until somebody has seen to them"


def test_nothing_leaves_in_tests_by_itself(office: Office, ticket: Ticket) -> None:
    office.robot("A-D1")
    office.told("A-D1", ticket)
    office.app.extensions.pop("transport")
    try:
        office.work()
    finally:
        office.app.extensions["transport"] = office.post
    (left,) = office.deliveries()
    assert left.problem == "测试时不发送。"


def test_an_account_that_is_deleted_takes_its_deliveries_along(
    office: Office, ticket: Ticket
) -> None:
    office.wants("unit2", Digest.AT_ONCE)
    office.told("A-U2", ticket)
    office.route()
    assert len(office.deliveries()) == 1
    gone = select(Account).where(Account.username == "unit2")
    office.session.delete(office.session.scalars(gone).one())
    office.session.commit()
    assert office.deliveries() == []
    assert office.send() == 0
