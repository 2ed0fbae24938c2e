"""Sending by ``apprise``: mail as it does it, robots with a look at what they answer.

The three robots answer a wrong key, or one message too many, with 200 and an error code; apprise takes
200 for sent. So a robot is a plugin of ours, that reads the answer and follows no redirect.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import re
import threading
import time
import warnings
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import requests
from apprise import AppriseAsset, NotifyFormat
from apprise.exception import AppriseImproperlyConfigured
from apprise.plugins import NotifyBase
from urllib3.exceptions import MaxRetryError

from models.delivery import NoticeChannel
from notifications.channels import Mailbox, Robot, Target, Undelivered, judge
from rules.errors import Invalid

with warnings.catch_warnings():
    # It looks whether an outdated module is still there, for a library that we do not have.
    warnings.simplefilter("ignore", DeprecationWarning)
    from apprise.plugins.email.base import NotifyEmail

NAME = "吹哨报到"
#: Seconds within which somebody must answer.
CONNECT, READ = 5.0, 10.0
MAIL = 15.0
_UNCLEAR = "对方没有答复，可能已经送达；为避免重复没有重发。"

_apprise = logging.getLogger("apprise")
# It writes addresses, and at its most talkative whole messages: none of that is for a log.
_apprise.propagate = False


def send(target: Target, title: str, text: str) -> None:
    """Send one message; raises ``Undelivered``."""
    asset = AppriseAsset(app_id=NAME, app_desc=NAME, http_redirects=False)
    if isinstance(target, Mailbox):
        _mail(asset, target, title, text)
    else:
        _robot(asset, target, text)


def _mail(asset: AppriseAsset, to: Mailbox, title: str, text: str) -> None:
    smtp = to.smtp
    try:
        plugin: Any = NotifyEmail(
            smtp_host=smtp.host,
            host=smtp.host,
            port=smtp.port,
            user=smtp.user or None,
            password=smtp.password or None,
            from_addr=f"{NAME} <{smtp.sender}>",
            targets=[to.address],
            secure_mode=smtp.security,
            asset=asset,
        )
    except AppriseImproperlyConfigured:
        raise Undelivered("邮件服务器或发件人的设置不能用，请核对 SMTP 设置。", down=True) from None
    plugin.socket_connect_timeout = MAIL
    with _Heard() as heard:
        sent = plugin.notify(body=text, title=title, body_format=NotifyFormat.TEXT)
    if not sent:
        raise heard.failure()


class _Heard(logging.Handler):
    """What the library says of one mail: it tells only by its log why it was not taken."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.thread = threading.get_ident()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Listen to this thread only."""
        if record.thread == self.thread:
            self.lines.append(record.getMessage())

    def __enter__(self) -> _Heard:
        self.level_before = _apprise.level
        _apprise.setLevel(logging.DEBUG)
        _apprise.addHandler(self)
        return self

    def __exit__(self, *_error: object) -> None:
        _apprise.removeHandler(self)
        _apprise.setLevel(self.level_before)

    def failure(self) -> Undelivered:
        """Return why: not reached, refused with a code, or broken off in the middle."""
        said = next((each for each in self.lines if each.startswith("Socket Exception: ")), "")
        code = re.search(r"\((\d{3}), b", said)
        unreached = any(each.startswith("Connection error while") for each in self.lines)
        if code is not None:
            return Undelivered(f"邮件服务器拒收（{code[1]}）。", down=unreached)
        if unreached:
            return Undelivered("连不上邮件服务器，或登录不上。请核对 SMTP 设置。", down=True)
        return Undelivered(_UNCLEAR, unclear=True)


def _robot(asset: AppriseAsset, robot: Robot, text: str) -> None:
    try:
        address = judge(robot.channel, robot.address, robot.hosts)
    except Invalid as refusal:
        raise Undelivered(refusal.message) from None
    plugin = _Webhook(robot.channel, address, asset=asset)
    plugin.notify(body=text, body_format=NotifyFormat.TEXT)
    if plugin.failure is not None:
        raise plugin.failure
    if not plugin.taken:
        raise Undelivered("消息没有交给机器人。")


class _Webhook(NotifyBase):
    """A group's robot as a plugin of apprise."""

    service_name: Any = NAME
    secure_protocol: Any = "chuishao"
    title_maxlen = 0
    #: WeCom's limit in bytes, for Chinese characters of three each.
    body_maxlen = 680
    socket_connect_timeout = CONNECT
    socket_read_timeout = READ

    def __init__(self, channel: NoticeChannel, address: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channel, self.address = channel, address
        self.taken = False
        self.failure: Undelivered | None = None

    def send(self, body: str, title: str = "", *args: Any, **kwargs: Any) -> bool:
        """Post one text and read what the robot answers."""
        address, payload = _request(self.channel, self.address, body)
        try:
            answer = requests.post(
                address, json=payload, timeout=self.request_timeout, allow_redirects=False
            )
        except (requests.ConnectTimeout, requests.exceptions.SSLError):
            self.failure = Undelivered("连不上机器人的服务器。", down=True)
        except requests.ConnectionError as error:
            # Not even connected, or broken off after something was said.
            clear = bool(error.args) and isinstance(error.args[0], MaxRetryError)
            self.failure = (
                Undelivered("连不上机器人的服务器。", down=True)
                if clear
                else Undelivered(_UNCLEAR, unclear=True)
            )
        except requests.RequestException:
            self.failure = Undelivered(_UNCLEAR, unclear=True)
        else:
            self.failure = _refusal(answer)
        self.taken = self.failure is None
        return self.taken


def _refusal(answer: requests.Response) -> Undelivered | None:
    """Return why a robot has not taken a message; None if it has."""
    if answer.status_code != 200:
        return Undelivered(f"机器人的服务器答复 HTTP {answer.status_code}。", down=True)
    try:
        said = answer.json()
    except requests.JSONDecodeError:
        said = None
    if not isinstance(said, dict):
        return Undelivered("机器人的服务器答复的不是约定的内容。", down=True)
    codes = [said[name] for name in ("errcode", "code", "StatusCode") if name in said]
    if codes and codes[0] == 0:
        return None
    code = str(codes[0]) if codes else ""
    shown = code if re.fullmatch(r"-?\d{1,9}", code) else "不明"
    return Undelivered(f"机器人拒收，错误码 {shown}。请核对地址、关键词和签名。", down=True)


def _request(channel: NoticeChannel, address: str, text: str) -> tuple[str, dict[str, Any]]:
    """Return where to post what. A signing secret stands in the address as ``secret``."""
    parts = urlsplit(address)
    asked = parse_qsl(parts.query)
    secret = next((value for name, value in asked if name == "secret"), "")
    query = [(name, value) for name, value in asked if name != "secret"]
    payload: dict[str, Any] = {"msgtype": "text", "text": {"content": text}}
    if channel is NoticeChannel.FEISHU:
        payload = {"msg_type": "text", "content": {"text": text}}
        if secret:
            now = str(int(time.time()))
            payload |= {"timestamp": now, "sign": _sign(f"{now}\n{secret}", "")}
    elif channel is NoticeChannel.DINGTALK and secret:
        now = str(round(time.time() * 1000))
        query += [("timestamp", now), ("sign", _sign(secret, f"{now}\n{secret}"))]
    return urlunsplit(parts._replace(query=urlencode(query))), payload


def _sign(key: str, text: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()
