"""Which addresses of robots are taken, what counts as a mailbox, how the mail server is set up."""

from __future__ import annotations

import pytest

from models.delivery import NoticeChannel
from notifications.channels import (
    HOSTS,
    Robot,
    Smtp,
    is_real,
    judge,
    masked,
    settings_of,
)
from notifications.wording import outside
from rules.errors import Invalid
from rules.personal import HIDDEN
from tests.factories.post import WEBHOOKS

WECOM = WEBHOOKS[NoticeChannel.WECOM].format(1)


@pytest.mark.parametrize("channel", list(WEBHOOKS))
def test_a_robot_of_each_kind(channel: NoticeChannel) -> None:
    address = WEBHOOKS[channel].format(1)
    assert judge(channel, f"  {address}\n") == address
    assert judge(channel, address.replace("https://", "HTTPS://")).lower().startswith("https://")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "qyapi.weixin.qq.com",
        WECOM.replace("https:", "http:"),
        WECOM.replace("https:", "file:"),
        WECOM.replace("https://", "https://127.0.0.1@"),
        WECOM.replace("https://", "https://user:word@"),
        WECOM.replace("qq.com", "qq.com:8443"),
        WECOM.replace("qq.com", "qq.com:port"),
        WECOM.replace("qq.com", "qq.com.evil.example"),
        WECOM.replace("qyapi.weixin.qq.com", "evil.example"),
        WECOM.replace("qyapi.weixin.qq.com", "127.0.0.1"),
        WECOM.replace("qyapi.weixin.qq.com", "2130706433"),
        WECOM.replace("qyapi.weixin.qq.com", "0x7f.1"),
        WECOM.replace("qyapi.weixin.qq.com", "[::1]"),
        WECOM.replace("qyapi.weixin.qq.com", "169.254.169.254"),
        WECOM.replace("qyapi.weixin.qq.com", "localhost"),
        WECOM.replace("qyapi.weixin.qq.com", "qyapi.weixin.qq.com\\@evil.example"),
        WECOM.replace("qyapi.weixin.qq.com", "evil.example#qyapi.weixin.qq.com"),
        WECOM.replace("qyapi.weixin.qq.com", "evil.example\t.qyapi.weixin.qq.com"),
        WECOM.replace("/cgi-bin/webhook/send", "/cgi-bin/gettoken"),
        WECOM.replace("/cgi-bin/webhook/send", "/cgi-bin/webhook/send/../../user/delete"),
        WECOM.split("?")[0],
        WECOM.split("=")[0] + "=",
        WECOM.replace("weixin", "微信"),
        WECOM + "x" * 500,
        WEBHOOKS[NoticeChannel.DINGTALK].format(1),
        "https://[::1",
    ],
)
def test_what_is_no_robot_s_address_is_refused(address: str) -> None:
    with pytest.raises(Invalid) as refusal:
        judge(NoticeChannel.WECOM, address, {"gateway.county.example"})
    assert refusal.value.fields["address"]
    assert refusal.value.message.endswith("。")


def test_a_host_that_the_server_allows() -> None:
    gateway = "https://gateway.county.example/robots/7?token=x"
    with pytest.raises(Invalid, match="CHUISHAO_ROBOT_HOSTS"):
        judge(NoticeChannel.DINGTALK, gateway)
    assert judge(NoticeChannel.DINGTALK, gateway, {"gateway.county.example"}) == gateway
    with pytest.raises(Invalid, match="IP"):
        judge(NoticeChannel.DINGTALK, "https://10.0.0.8/x", {"10.0.0.8"})


def test_mail_is_no_kind_of_robot() -> None:
    with pytest.raises(Invalid):
        judge(NoticeChannel.EMAIL, WECOM)
    assert set(HOSTS) == set(NoticeChannel) - {NoticeChannel.EMAIL}


def test_little_is_shown_of_an_address() -> None:
    assert masked(WECOM) == "qyapi.weixin.qq.com …et-1"
    assert "secret" not in repr(Robot(NoticeChannel.WECOM, WECOM))


@pytest.mark.parametrize(
    ("address", "real"),
    [
        ("li@county.gov.cn", True),
        (" li@county.gov.cn ", True),
        ("li@chuishao.invalid", False),
        ("li@demo.INVALID", False),
        ("li@mail.example", False),
        ("li@localhost", False),
        ("li", False),
        ("", False),
        (None, False),
        ("li@county.gov.cn,wang@county.gov.cn", False),
        ("Li <li@county.gov.cn>", False),
        ("li@county.gov.cn\nBcc: x@y.cn", False),
        ("a" * 250 + "@county.gov.cn", False),
    ],
)
def test_an_address_that_may_be_written_to(address: str | None, real: bool) -> None:
    assert is_real(address) is real


def test_a_mail_server_as_it_is_set_up() -> None:
    given = {"SMTP": {"host": "mail.county.gov.cn", "user": "hall@county.gov.cn", "password": "x"}}
    smtp = Smtp(
        "mail.county.gov.cn", 587, "hall@county.gov.cn", "x", "hall@county.gov.cn", "starttls"
    )
    assert settings_of(given).smtp == smtp
    assert "'x'" not in repr(smtp)
    given["SMTP"] |= {"security": "ssl", "from": "no-reply@county.gov.cn"}
    found = settings_of(given).smtp
    assert found is not None
    assert (found.port, found.sender) == (465, "no-reply@county.gov.cn")


def test_without_a_host_there_is_no_mail() -> None:
    assert settings_of({}).smtp is None
    assert settings_of({"SMTP": {"host": " ", "user": "x"}}).smtp is None


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"security": "tls"}, "SECURITY"),
        ({"port": "smtp"}, "PORT"),
        ({"port": "70000"}, "PORT"),
        ({"from": "nobody"}, "FROM"),
        ({"from": ""}, "FROM"),
    ],
)
def test_a_setting_that_cannot_be_is_named(wrong: dict[str, str], name: str) -> None:
    given = {"host": "mail.county.gov.cn", "from": "hall@county.gov.cn"} | wrong
    with pytest.raises(ValueError, match=f"CHUISHAO_SMTP_{name}"):
        settings_of({"SMTP": given})


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("电话13912345678", f"电话{HIDDEN}"),
        ("139 1234 5678、+86-139-1234-5678", f"{HIDDEN}、{HIDDEN}"),
        ("0371-66668888，（0792）8123456", f"{HIDDEN}，{HIDDEN}"),
        ("11010519491231002X", HIDDEN),
        ("甲一镇2026-0012 路灯不亮", "甲一镇2026-0012 路灯不亮"),
        (
            "临近应哨期限（2026-11-23 18:00）：甲一镇2026-0012",
            "临近应哨期限（2026-11-23 18:00）：甲一镇2026-0012",
        ),
        ("合同编号202611231391234567890", "合同编号202611231391234567890"),
        ("K139+200 处塌方", "K139+200 处塌方"),
    ],
)
def test_numbers_of_people_are_masked_and_no_others(text: str, left: str) -> None:
    assert outside(text) == left


def test_names_are_masked_where_they_are_known() -> None:
    assert outside("王桂花家门前", ["王桂花", None, " "]) == f"{HIDDEN}家门前"
    assert outside("王家门前", ["王"]) == "王家门前", "one character is no name to look for"
