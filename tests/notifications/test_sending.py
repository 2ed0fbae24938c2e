"""Handing over: to a mail server that speaks, to robots whose answers are read, with no secret told."""

from __future__ import annotations

import email
import email.policy
import json
import logging
from typing import Any

import pytest
import requests
from requests.models import Response
from urllib3.exceptions import MaxRetryError, ProtocolError

from models.delivery import NoticeChannel
from notifications import sending
from notifications.channels import Mailbox, Robot, Smtp, Undelivered, hand_over
from tests.factories.post import WEBHOOKS
from tests.notifications.mailserver import BREAK, MailServer, mail_server

TITLE, TEXT = (
    "【吹哨报到】待应哨：甲一镇2026-0001",
    "待应哨：甲一镇2026-0001 路灯不亮\n\n请登录系统查看和办理。",
)


def mailbox(server: MailServer, user: str = "") -> Mailbox:
    """Return a mailbox behind the server."""
    port = server.server_address[1]
    smtp = Smtp("127.0.0.1", port, user, "a secret", "hall@county.gov.cn", "insecure")
    return Mailbox(smtp, "li@county.gov.cn")


def refused(target: Mailbox | Robot) -> Undelivered:
    """Return why a message was not taken."""
    with pytest.raises(Undelivered) as why:
        hand_over(target, TITLE, TEXT)
    return why.value


def test_a_mail_arrives_as_it_was_written() -> None:
    with mail_server() as server:
        hand_over(mailbox(server), TITLE, TEXT)
    (text,) = server.mails
    mail = email.message_from_string(text, policy=email.policy.default)
    assert (mail["Subject"], mail["To"]) == (TITLE, "li@county.gov.cn")
    assert str(mail["From"]) == "吹哨报到 <hall@county.gov.cn>"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().strip().replace("\r\n", "\n") == TEXT


@pytest.mark.parametrize("word", ["MAIL", "RCPT", "DATA", "END"])
def test_a_server_that_says_no_is_quoted(word: str) -> None:
    with mail_server(**{word: "550 no such user"}) as server:
        why = refused(mailbox(server))
    assert (why.message, why.unclear, why.down) == ("邮件服务器拒收（550）。", False, False)


def test_a_server_that_lets_nobody_in_is_down() -> None:
    with mail_server(EHLO="250-hall\r\n250 AUTH PLAIN", AUTH="535 wrong password") as server:
        why = refused(mailbox(server, user="hall"))
    assert (why.message, why.unclear, why.down) == ("邮件服务器拒收（535）。", False, True)


def test_a_server_that_is_not_there_is_down() -> None:
    with mail_server() as server:
        gone = mailbox(server)
    why = refused(gone)
    assert (why.unclear, why.down) == (False, True)


def test_a_line_that_breaks_at_the_last_word_is_unclear() -> None:
    with mail_server(END=BREAK) as server:
        why = refused(mailbox(server))
    assert (why.unclear, why.down) == (True, False)


class Root(logging.Handler):
    """Hears what reaches the process's own log."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.said.append(record.getMessage())


def test_no_log_and_no_error_holds_a_secret(capfd: pytest.CaptureFixture[str]) -> None:
    """The library names receivers in its log, and pytest listens to it directly; nobody else may."""
    root = Root()
    logging.getLogger().addHandler(root)
    try:
        with mail_server(EHLO="250-hall\r\n250 AUTH PLAIN", AUTH="535 wrong password") as server:
            why = refused(mailbox(server, user="hall"))
        with mail_server(RCPT="550 no such user") as server:
            refused(mailbox(server))
    finally:
        logging.getLogger().removeHandler(root)
    assert root.said == []
    assert "a secret" not in why.message + "".join(capfd.readouterr())


class Web:
    """Stands in for the robots' servers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
        self.answer: Any = {"errcode": 0}
        self.status = 200
        monkeypatch.setattr(sending.requests, "post", self.post)

    def post(self, address: str, json: dict[str, Any], **options: Any) -> Response:
        """Keep what is posted, and answer as a test wants."""
        self.asked.append((address, json, options))
        if isinstance(self.answer, Exception):
            raise self.answer
        found = Response()
        found.status_code = self.status
        found._content = self._content()
        return found

    def _content(self) -> bytes:
        return self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Web:
    return Web(monkeypatch)


def robot(channel: NoticeChannel, more: str = "") -> Robot:
    """Return a robot."""
    return Robot(channel, WEBHOOKS[channel].format(1) + more)


@pytest.mark.parametrize(
    ("channel", "answer"),
    [
        (NoticeChannel.WECOM, {"errcode": 0, "errmsg": "ok"}),
        (NoticeChannel.DINGTALK, {"errcode": 0, "errmsg": "ok"}),
        (NoticeChannel.FEISHU, {"code": 0, "msg": "success", "data": {}}),
        (NoticeChannel.FEISHU, {"StatusCode": 0, "StatusMessage": "success"}),
    ],
)
def test_a_robot_says_it(web: Web, channel: NoticeChannel, answer: dict[str, Any]) -> None:
    web.answer = answer
    hand_over(robot(channel), "", TEXT)
    ((address, payload, options),) = web.asked
    assert address == WEBHOOKS[channel].format(1)
    said = payload["content"] if channel is NoticeChannel.FEISHU else payload["text"]
    assert TEXT in said.values()
    assert options["allow_redirects"] is False
    assert options["timeout"] == (5.0, 10.0)
    assert options.get("verify", True) is True


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (200, {"errcode": 93000, "errmsg": "invalid webhook url secret"}, "错误码 93000"),
        (200, {"code": 19021, "msg": "sign match fail"}, "错误码 19021"),
        (200, {"errcode": "secret"}, "错误码 不明"),
        (200, {}, "错误码 不明"),
        (200, [], "不是约定的内容"),
        (200, b"<html>", "不是约定的内容"),
        (302, {}, "HTTP 302"),
        (502, {}, "HTTP 502"),
    ],
)
def test_a_robot_s_no_is_heard_whatever_its_status(
    web: Web, status: int, answer: Any, said: str
) -> None:
    web.status, web.answer = status, answer
    why = refused(robot(NoticeChannel.WECOM))
    assert said in why.message
    assert (why.unclear, why.down) == (False, True)
    assert "secret" not in why.message


@pytest.mark.parametrize(
    ("error", "unclear"),
    [
        (requests.ConnectTimeout("secret"), False),
        (requests.exceptions.SSLError("secret"), False),
        (requests.ConnectionError(MaxRetryError(None, "secret", None)), False),  # type: ignore[arg-type]
        (requests.ConnectionError(ProtocolError("secret")), True),
        (requests.ReadTimeout("secret"), True),
        (requests.exceptions.ChunkedEncodingError("secret"), True),
    ],
)
def test_what_broke_off_is_told_from_what_never_began(
    web: Web, error: Exception, unclear: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    web.answer = error
    why = refused(robot(NoticeChannel.WECOM))
    assert why.unclear is unclear
    assert "secret" not in why.message + caplog.text


def test_a_signed_robot_gets_a_signature_and_keeps_its_secret(web: Web) -> None:
    hand_over(robot(NoticeChannel.DINGTALK, "&secret=SECword"), "", TEXT)
    web.answer = {"code": 0}
    hand_over(robot(NoticeChannel.FEISHU, "?secret=SECword"), "", TEXT)
    (ding, _text, _options), (feishu, payload, _more) = web.asked
    assert "timestamp=" in ding
    assert "sign=" in ding
    assert "SECword" not in ding + feishu + json.dumps(payload)
    assert len(payload["sign"]) == 44


def test_an_address_that_is_allowed_no_more_is_not_called(web: Web) -> None:
    gateway = "https://gateway.county.example/x"
    hand_over(Robot(NoticeChannel.WECOM, gateway, frozenset({"gateway.county.example"})), "", TEXT)
    why = refused(Robot(NoticeChannel.WECOM, gateway))
    assert "CHUISHAO_ROBOT_HOSTS" in why.message
    assert len(web.asked) == 1
