"""The channels themselves: what is set up, which addresses of robots are taken, and handing over.

``hand_over`` is the one place that sends anything; it is given to whoever sends, so that tests send
nothing. Errors name neither passwords nor addresses of robots.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import parse_qs, urlsplit

from models.delivery import NoticeChannel
from rules.errors import Invalid

#: Where the robots of each kind live; further hosts only by a setting of the server.
HOSTS = {
    NoticeChannel.WECOM: "qyapi.weixin.qq.com",
    NoticeChannel.DINGTALK: "oapi.dingtalk.com",
    NoticeChannel.FEISHU: "open.feishu.cn",
}
_PATHS = {
    NoticeChannel.WECOM: re.compile(r"/cgi-bin/webhook/send"),
    NoticeChannel.DINGTALK: re.compile(r"/robot/send"),
    NoticeChannel.FEISHU: re.compile(r"/open-apis/bot/v2/hook/[\w-]+"),
}
_SECRETS = {
    NoticeChannel.WECOM: "key",
    NoticeChannel.DINGTALK: "access_token",
    NoticeChannel.FEISHU: None,
}
_NAME = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_ADDRESS = re.compile(r"[^\s@<>,;:\"\\]+@[^\s@<>,;:\"\\]+\.[A-Za-z]{2,63}")
#: Domains that stand in for "no address": ours, and those that never exist.
_UNREAL = (".invalid", ".example", ".test", ".localhost")


class Undelivered(Exception):
    """A message was not taken; the text is the sentence for the administrator.

    ``unclear``: nobody knows whether it arrived, so that it must not be sent again. ``down``: the
    channel as a whole does not answer, so that what else waits for it need not be tried now.
    """

    def __init__(self, message: str, *, unclear: bool = False, down: bool = False) -> None:
        super().__init__(message)
        self.message, self.unclear, self.down = message, unclear, down


@dataclass(frozen=True)
class Smtp:
    """The mail server. ``security``: ``starttls``, ``ssl`` or ``insecure``."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    sender: str
    security: str


@dataclass(frozen=True)
class Settings:
    """What is set up for sending: the mail server if there is one, hosts, the product's address."""

    smtp: Smtp | None = None
    hosts: frozenset[str] = frozenset()
    site: str = ""


@dataclass(frozen=True)
class Mailbox:
    """One person's mailbox, and the server that takes mail for it."""

    smtp: Smtp
    address: str


@dataclass(frozen=True)
class Robot:
    """A group's robot: its webhook holds the secret."""

    channel: NoticeChannel
    address: str = field(repr=False)
    hosts: frozenset[str] = frozenset()


Target = Mailbox | Robot
#: Hands a message over: (to whom, subject, text); raises ``Undelivered``.
Transport = Callable[[Target, str, str], None]

_PORTS = {"starttls": 587, "ssl": 465, "insecure": 25}


def settings_of(config: Mapping[str, Any]) -> Settings:
    """Return what the environment has set up; raises ``ValueError`` for a setting that cannot be."""
    return Settings(
        smtp=_smtp(config.get("SMTP") or {}),
        hosts=frozenset(each.lower() for each in config.get("ROBOT_HOSTS") or ()),
        site=config.get("SITE_URL") or "",
    )


def _smtp(given: Mapping[str, str]) -> Smtp | None:
    host = given.get("host", "").strip()
    if not host:
        return None
    security = given.get("security") or "starttls"
    if security not in _PORTS:
        raise ValueError(
            f"CHUISHAO_SMTP_SECURITY 应为 {'、'.join(_PORTS)} 之一，现为“{security}”。"
        )
    port = given.get("port") or str(_PORTS[security])
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"CHUISHAO_SMTP_PORT 应为 1 到 65535 的数字，现为“{port}”。")
    sender = given.get("from") or given.get("user", "")
    if not is_real(sender):
        raise ValueError("CHUISHAO_SMTP_FROM 应为发件人的邮箱地址，请补上。")
    user, password = given.get("user", ""), given.get("password", "")
    return Smtp(host, int(port), user, password, sender, security)


def is_real(address: str | None) -> bool:
    """Tell whether an e-mail address may be written to at all: accounts without one have a stand-in."""
    found = (address or "").strip()
    return bool(
        _ADDRESS.fullmatch(found) and len(found) <= 254 and not found.lower().endswith(_UNREAL)
    )


def judge(channel: NoticeChannel, address: str, hosts: Iterable[str] = ()) -> str:
    """Return a robot's address as it is kept; raises ``Invalid`` for one that must not be called.

    It must be https, on the service's own host or one that the server's setting names, without user,
    port, or an address of a network in place of a name.
    """
    text = address.strip()
    if not text.isascii() or not text.isprintable() or " " in text or len(text) > 500:
        _refuse("机器人地址里有空格、中文或看不见的字符，请从群机器人页面重新复制。")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        _refuse("机器人地址不是网址，请从群机器人页面重新复制。")
    host = (parts.hostname or "").lower()
    if parts.scheme != "https":
        _refuse("机器人地址要以 https:// 开头，请从群机器人页面重新复制。")
    if parts.username is not None or parts.password is not None or port not in (None, 443):
        _refuse("机器人地址里不能带用户名或端口，请从群机器人页面重新复制。")
    if _is_number(host) or not _NAME.fullmatch(host):
        _refuse("机器人地址不能是 IP 地址或本机名称，请从群机器人页面重新复制。")
    own = HOSTS.get(channel)
    if own is None:
        _refuse("请选择机器人的类型。")
    if host not in {own, *hosts}:
        _refuse(
            f"{channel.title}的地址应在 {own} 上。经自建网关转发的，请系统管理员在服务器上设置"
            " CHUISHAO_ROBOT_HOSTS。"
        )
    if host == own:
        _judge_own(channel, parts.path, parts.query)
    return text.split("#")[0]


def _judge_own(channel: NoticeChannel, path: str, query: str) -> None:
    """On the service's own host the address must be that of a robot, not of any other interface."""
    secret = _SECRETS[channel]
    if not _PATHS[channel].fullmatch(path.rstrip("/")) or (
        secret is not None and not parse_qs(query).get(secret)
    ):
        _refuse(f"这不是{channel.title}的地址，请从群机器人页面重新复制整个地址。")


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.rsplit(".", 1)[-1].isdigit()
    return True


def _refuse(sentence: str) -> NoReturn:
    raise Invalid(sentence, address=sentence)


def masked(address: str) -> str:
    """Return what may be shown of a robot's address: its host, and the last four characters."""
    return f"{urlsplit(address).hostname or ''} …{address[-4:]}"


def hand_over(target: Target, title: str, text: str) -> None:
    """Send one message; raises ``Undelivered`` if it was not taken, or if nobody knows."""
    # Only who sends pays for the library.
    from notifications.sending import send

    send(target, title, text)
