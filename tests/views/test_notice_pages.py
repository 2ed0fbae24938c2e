"""The bell by record, everybody's settings of notices, the administrator's dead letters, group robots."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from models.delivery import (
    Delivery,
    DeliveryState,
    Digest,
    NoticeChannel,
    NoticePreference,
    NoticeRobot,
)
from models.ledger import AuditEntry
from models.notice import Notice
from models.ticket import Ticket
from models.ticket import TicketStatus as S
from notifications.channels import Undelivered
from notifications.worker import SENDING
from tests.conftest import Backend, logger_in
from tests.factories.post import WEBHOOKS, Office
from tests.factories.roads import brought_to
from tests.notifications.conftest import opened


@pytest.fixture
def office(sqlite: Backend) -> Iterator[Office]:
    """An office whose notices leave, at the present hour."""
    with opened(sqlite) as found:
        found.now = dt.datetime.now(dt.UTC)
        yield found


@pytest.fixture
def ticket(office: Office) -> Ticket:
    """A ticket that A-D1 leads; its steps have told nobody."""
    found = brought_to(office.world, S.DISPATCHED)
    for each in office.session.scalars(select(Notice)):
        office.session.delete(each)
    office.session.commit()
    return found


def client(office: Office, who: str) -> FlaskClient:
    """Return an account's browser."""
    office.session.commit()
    return logger_in(office.app)(who)


def rows(page: str) -> list[str]:
    """Return the rows of a list's table."""
    return re.findall(r"<tr>(.*?)</tr>", page.split("<tbody>")[1], re.DOTALL)


# The bell


def test_what_is_told_of_one_record_stands_in_one_row(office: Office, ticket: Ticket) -> None:
    other = brought_to(office.world, S.DISPATCHED, title="井盖")
    for step in range(3):
        office.told("A-D1", ticket, f"test:{step}", f"第{step}步")
    browser = client(office, "handler")
    page = browser.get("/notices/list/").text
    assert len(rows(page)) == 2
    row = next(each for each in rows(page) if "第2步" in each)
    assert "此前还有 2 条" in row
    assert "未读 3 条" in row
    newest = re.search(r'action="(/notices/open/\d+)"', row)
    assert newest
    answer = browser.post(newest[1])
    assert answer.headers["Location"].endswith(f"/tickets/show/{ticket.id}")
    office.session.expire_all()
    left = select(Notice.record_id).where(
        Notice.read_at.is_(None), Notice.account_id == office.world.account("handler").id
    )
    assert list(office.session.scalars(left)) == [other.id]


def test_the_bell_asks_for_its_number_alone(office: Office, ticket: Ticket) -> None:
    browser = client(office, "handler")
    assert browser.get("/notices/count").json == {"unread": 0}
    office.told("A-D1", ticket)
    assert browser.get("/notices/count").json == {"unread": 1}
    browser.post("/notices/read-all")
    assert browser.get("/notices/count").json == {"unread": 0}
    assert office.app.test_client().get("/notices/count").status_code == 302


# One's own settings


def wish(office: Office, who: str) -> tuple[Digest, str | None, str | None] | None:
    """Return what is kept of an account's wishes."""
    office.session.rollback()
    office.session.expire_all()
    found = office.preference(who)
    return (found.email, found.quiet_from, found.quiet_until) if found else None


def test_wishes_are_kept_and_shown(office: Office) -> None:
    office.world.account("unit").email = "unit@county.gov.cn"
    browser = client(office, "unit")
    page = browser.get("/notice-settings/").text
    assert "unit@county.gov.cn" in page
    assert "22:00–07:00" in page
    assert re.search(r'<input checked[^>]*value="never"', page)
    posted = {"email": "daily", "quiet": "own", "quiet_from": "21:30", "quiet_until": "06:15"}
    assert browser.post("/notice-settings/", data=posted).status_code == 302
    assert wish(office, "unit") == (Digest.DAILY, "21:30", "06:15")
    page = browser.get("/notice-settings/").text
    assert re.search(r'<input checked[^>]*value="daily"', page)
    assert 'value="21:30"' in page
    for quiet, kept in (("none", ("00:00", "00:00")), ("county", (None, None))):
        posted = {"email": "at_once", "quiet": quiet, "quiet_from": "21:30", "quiet_until": ""}
        assert browser.post("/notice-settings/", data=posted).status_code == 302
        assert wish(office, "unit") == (Digest.AT_ONCE, *kept)
        page = browser.get("/notice-settings/").text
        assert re.search(rf'<input checked[^>]*value="{quiet}"', page)
    count = select(NoticePreference).where(
        NoticePreference.account_id == office.world.account("unit").id
    )
    assert len(list(office.session.scalars(count))) == 1


@pytest.mark.parametrize(
    "posted",
    [
        {"email": "daily", "quiet": "own", "quiet_from": "21:30"},
        {"email": "daily", "quiet": "own", "quiet_from": "21:30", "quiet_until": "21:30"},
        {"email": "daily", "quiet": "own", "quiet_from": "25:00", "quiet_until": "07:00"},
        {"email": "daily", "quiet": "sometimes"},
        {"email": "hourly", "quiet": "county"},
    ],
)
def test_half_a_wish_is_refused(office: Office, posted: dict[str, str]) -> None:
    office.world.account("unit").email = "unit@county.gov.cn"
    answer = client(office, "unit").post("/notice-settings/", data=posted)
    assert answer.status_code == 422
    assert wish(office, "unit") is None


@pytest.mark.parametrize("lacking", ["server", "address"])
def test_where_there_is_no_mail_the_page_says_so_and_offers_none(
    office: Office, lacking: str
) -> None:
    if lacking == "server":
        office.world.account("unit").email = "unit@county.gov.cn"
        office.app.config["SMTP"] = {}
    browser = client(office, "unit")
    page = browser.get("/notice-settings/").text
    said = "还没有设置邮件服务器" if lacking == "server" else "没有登记可用的邮箱"
    assert said in page
    assert "测试邮件" not in page
    assert (
        browser.post("/notice-settings/", data={"email": "daily", "quiet": "county"}).status_code
        == 422
    )
    assert wish(office, "unit") is None
    browser.post("/notice-settings/test")
    assert office.post.sent == []
    assert (
        browser.post("/notice-settings/", data={"email": "never", "quiet": "none"}).status_code
        == 302
    )


def test_a_test_mail_to_oneself_tells_what_came_of_it(office: Office) -> None:
    office.world.account("unit").email = "unit@county.gov.cn"
    browser = client(office, "unit")
    office.post.failures["unit@county.gov.cn"] = [Undelivered("邮件服务器拒收（550）。")]
    page = browser.post("/notice-settings/test", follow_redirects=True).text
    assert "没有发出：邮件服务器拒收（550）。" in page
    page = browser.post("/notice-settings/test", follow_redirects=True).text
    assert "请等一分钟再试" in page
    assert office.post.sent == []
    page = client(office, "unit").post("/notice-settings/test", follow_redirects=True).text
    assert "已发出，请到 unit@county.gov.cn 查收" in page
    assert [each.to for each in office.post.sent] == ["unit@county.gov.cn"]


# Dead letters


def dead_letter(office: Office, ticket: Ticket) -> Delivery:
    """Return a delivery that nobody knows the end of."""
    address = office.wants("handler", Digest.AT_ONCE, "00:00", "00:00")
    office.post.failures[address] = [Undelivered("对方没有答复。", unclear=True)]
    office.told("A-D1", ticket)
    office.work()
    (found,) = office.deliveries()
    assert found.state is DeliveryState.DEAD
    return found


def test_a_dead_letter_is_seen_and_sent_again(office: Office, ticket: Ticket) -> None:
    letter = dead_letter(office, ticket)
    browser = client(office, "admin")
    page = browser.get("/deliveries/list/").text
    (row,) = rows(page)
    assert '发送失败的消息</p>\n    <p class="tile-value"><a href="/deliveries/list/">1<' in (
        browser.get("/").text
    )
    assert "对方没有答复。" in row
    assert str(ticket.number) in row
    assert "handler" in row
    shown = browser.get(f"/deliveries/show/{letter.id}").text
    assert f'href="/tickets/show/{ticket.id}"' in shown
    assert "重新发送" in shown
    assert browser.post(f"/deliveries/retry/{letter.id}").status_code == 302
    assert office.states() == [DeliveryState.WAITING]
    office.later(minutes=1)
    assert office.send() == 1
    assert office.states() == [DeliveryState.SENT]
    assert browser.post(f"/deliveries/retry/{letter.id}").status_code == 409


def test_a_dead_letter_is_given_up(office: Office, ticket: Ticket) -> None:
    letter = dead_letter(office, ticket)
    browser = client(office, "admin")
    assert browser.post(f"/deliveries/drop/{letter.id}").status_code == 302
    assert office.states() == [DeliveryState.DROPPED]
    assert "管理员决定不再发送" in browser.get("/deliveries/list/?tab=dropped").text
    assert browser.post(f"/deliveries/drop/{letter.id}").status_code == 409


def test_what_is_on_its_way_is_left_alone(office: Office, ticket: Ticket) -> None:
    letter = dead_letter(office, ticket)
    letter.problem, letter.updated_at = SENDING, dt.datetime.now(dt.UTC)
    office.session.commit()
    browser = client(office, "admin")
    assert "重新发送" not in browser.get(f"/deliveries/show/{letter.id}").text
    for route in ("retry", "drop"):
        assert browser.post(f"/deliveries/{route}/{letter.id}").status_code == 409
    letter.updated_at -= dt.timedelta(minutes=11)
    office.session.commit()
    assert browser.post(f"/deliveries/retry/{letter.id}").status_code == 302


@pytest.mark.parametrize("who", ["office", "handler", "leader", "auditor"])
def test_dead_letters_are_the_administrator_s(office: Office, ticket: Ticket, who: str) -> None:
    letter = dead_letter(office, ticket)
    browser = client(office, who)
    assert browser.get("/deliveries/list/").status_code == 403
    assert browser.get(f"/deliveries/show/{letter.id}").status_code == 403
    assert browser.post(f"/deliveries/retry/{letter.id}").status_code == 403
    assert office.states() == [DeliveryState.DEAD]


# Group robots


ADDRESS = WEBHOOKS[NoticeChannel.WECOM].format(7)


def given(office: Office, place: str = "A-D1", **values: str) -> dict[str, str]:
    """Return the form of a robot."""
    number = str(office.world.place(place).id)
    form = {"organization": number, "name": "执法群", "channel": "wecom", "webhook": ADDRESS}
    return form | {"active": "y"} | values


def kept(office: Office) -> NoticeRobot:
    """Return the one robot that there is."""
    office.session.rollback()
    office.session.expire_all()
    return office.session.scalars(select(NoticeRobot)).one()


@pytest.mark.parametrize("who", ["admin", "office"])
def test_a_robot_is_set_up_and_its_address_shown_no_more(office: Office, who: str) -> None:
    browser = client(office, who)
    answer = browser.post("/robots/add", data=given(office), follow_redirects=True)
    assert answer.status_code == 200
    robot = kept(office)
    assert (robot.address, robot.channel, robot.active) == (ADDRESS, NoticeChannel.WECOM, True)
    pages = [f"/robots/show/{robot.id}", f"/robots/edit/{robot.id}", "/robots/list/"]
    for page in [answer.text, *(browser.get(each).text for each in pages)]:
        assert "5f1c-secret" not in page
    assert "qyapi.weixin.qq.com …et-7" in answer.text
    changed = given(office, name="改名", webhook="", version=str(robot.version))
    assert browser.post(f"/robots/edit/{robot.id}", data=changed).status_code == 302
    robot = kept(office)
    assert (robot.name, robot.address) == ("改名", ADDRESS)
    stale = given(office, name="又改", webhook=ADDRESS.replace("5f1c", "77aa"), version="1")
    answer = browser.post(f"/robots/edit/{robot.id}", data=stale)
    assert answer.status_code == 409
    assert "5f1c-secret" not in answer.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook": ""},
        {"webhook": "https://evil.example/cgi-bin/webhook/send?key=1"},
        {"webhook": "https://169.254.169.254/latest"},
        {"channel": "dingtalk"},
        {"channel": "email"},
        {"channel": ""},
        {"name": ""},
        {"organization": ""},
    ],
)
def test_what_is_no_robot_is_refused(office: Office, wrong: dict[str, str]) -> None:
    answer = client(office, "admin").post("/robots/add", data=given(office, **wrong))
    assert answer.status_code == 422
    assert office.session.scalars(select(NoticeRobot)).all() == []


def test_another_county_s_office_sets_up_none_here(office: Office) -> None:
    browser = client(office, "officeb")
    assert browser.post("/robots/add", data=given(office)).status_code == 422
    office.robot("A-D1")
    number = kept(office).id
    assert "群1" not in browser.get("/robots/list/").text
    for route in (f"show/{number}", f"edit/{number}"):
        assert browser.get(f"/robots/{route}").status_code == 404
    assert browser.post(f"/robots/test/{number}").status_code == 404
    assert office.post.sent == []


@pytest.mark.parametrize("who", ["handler", "leader", "inspector"])
def test_robots_are_the_office_s_and_the_administrator_s(office: Office, who: str) -> None:
    office.robot("A-D1")
    browser = client(office, who)
    assert browser.get("/robots/list/").status_code == 403
    assert browser.post(f"/robots/test/{kept(office).id}").status_code == 403


def test_a_robot_says_a_word_to_be_tried(office: Office) -> None:
    address = office.robot("A-D1")
    number = kept(office).id
    browser = client(office, "office")
    assert "发一条测试消息" in browser.get(f"/robots/show/{number}").text
    page = browser.post(f"/robots/test/{number}", follow_redirects=True).text
    assert "已发出，请到群里查看" in page
    assert [each.to for each in office.post.sent] == [address]
    office.post.failures[address] = [Undelivered("机器人拒收，错误码 93000。")]
    page = browser.post(f"/robots/test/{number}", follow_redirects=True).text
    assert "没有发出：机器人拒收，错误码 93000。" in page


def test_the_audit_knows_of_a_new_address_and_not_which(office: Office) -> None:
    browser = client(office, "admin")
    browser.post("/robots/add", data=given(office))
    robot = kept(office)
    changed = given(office, webhook=ADDRESS + "x", version=str(robot.version))
    assert browser.post(f"/robots/edit/{robot.id}", data=changed).status_code == 302
    office.session.rollback()
    lines = office.session.scalars(
        select(AuditEntry).where(AuditEntry.record_type == "notice_robot")
    ).all()
    assert [each.action for each in lines] == ["create", "update"]
    assert all("address" in each.changes for each in lines)
    assert "secret" not in str([each.changes for each in lines])


def test_no_door_and_no_log_gives_a_robot_s_address_away(
    office: Office, ticket: Ticket, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither kept, nor said to in vain, nor where the database refuses a change of it."""
    browser = client(office, "admin")
    assert browser.post("/robots/add", data=given(office)).status_code == 302
    robot = kept(office)
    office.post.failures[ADDRESS] = [Undelivered("对方没有答复。", unclear=True)]
    ticket.emergency = True  # whatever the hour
    office.told("A-D1", ticket)
    office.work()
    (letter,) = office.deliveries()
    assert letter.state is DeliveryState.DEAD
    entries = office.session.scalars(select(AuditEntry.id)).all()
    doors = [
        "/",
        *(f"/robots/{each}" for each in ("list/", f"show/{robot.id}", f"edit/{robot.id}")),
        "/deliveries/list/",
        f"/deliveries/show/{letter.id}",
        "/audit/list/",
        *(f"/audit/show/{each}" for each in entries),
    ]
    for door in doors:
        page = browser.get(door)
        assert page.status_code == 200, door
        assert "5f1c-secret" not in page.text, door
    assert browser.get("/robots/export").status_code == 404
    listed = browser.get("/robots/list/?q=5f1c-secret").text
    assert "执法群" not in listed, "whoever guesses is not told that he is right"
    robot.name = None  # type: ignore[assignment]
    robot.address = ADDRESS + "x"
    with pytest.raises(IntegrityError) as refused:
        office.session.flush()
    office.session.rollback()
    assert "secret" not in f"{refused.value}{robot!r}{robot}{caplog.text}"
