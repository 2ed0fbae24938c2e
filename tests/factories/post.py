"""People who want notices outside the product, and a transport that keeps what it is given."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobs import notices
from models.delivery import (
    Delivery,
    DeliveryState,
    Digest,
    NoticeChannel,
    NoticePreference,
    NoticeRobot,
)
from models.notice import Notice
from models.ticket import Ticket
from notifications.channels import Mailbox, Target
from rules.notices import tell
from tests.factories.world import World

SMTP = {"host": "mail.county.gov.cn", "from": "chuishao@county.gov.cn", "password": "a secret"}
WEBHOOKS = {
    NoticeChannel.WECOM: "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=5f1c-secret-{}",
    NoticeChannel.DINGTALK: "https://oapi.dingtalk.com/robot/send?access_token=secret{}",
    NoticeChannel.FEISHU: "https://open.feishu.cn/open-apis/bot/v2/hook/secret-{}",
}
#: Noon in Shanghai on a Monday.
NOON = dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC)


@dataclass
class Message:
    """What was handed over: an address of a mailbox or of a robot, subject, text."""

    to: str
    title: str
    text: str


@dataclass
class Post:
    """Takes messages in place of the world; fails as a test wants it to."""

    sent: list[Message] = field(default_factory=list)
    #: address → what to raise, once for each entry
    failures: dict[str, list[Exception]] = field(default_factory=dict)
    #: called before a message is taken
    before: Callable[[str], None] = lambda to: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, target: Target, title: str, text: str) -> None:
        """Take one message, as ``notifications.channels.hand_over`` does."""
        to = target.address
        self.before(to)
        with self.lock:
            if self.failures.get(to):
                raise self.failures[to].pop(0)
            self.sent.append(Message(to, title if isinstance(target, Mailbox) else "", text))

    def to(self, address: str) -> list[Message]:
        """Return what was sent there."""
        return [each for each in self.sent if each.to == address]


class Office:
    """An application whose notices leave, at an hour that the test sets."""

    def __init__(self, app: Flask, session: Session, now: dt.datetime = NOON) -> None:
        self.app, self.session, self.now = app, session, now
        self.world, self.post = World(session), Post()

    def wants(self, who: str, email: Digest, *quiet: str) -> str:
        """Give an account a mailbox and a wish; return the address."""
        account = self.world.account(who)
        account.email = f"{who}@county.gov.cn"
        found = self.preference(who)
        if found is None:
            found = NoticePreference(account_id=account.id)
            self.session.add(found)
        found.email = email
        found.quiet_from, found.quiet_until = quiet or (None, None)
        self.session.commit()
        return account.email

    def preference(self, who: str) -> NoticePreference | None:
        """Return what an account has said that it wants."""
        account_id = self.world.account(who).id
        wish = select(NoticePreference).where(NoticePreference.account_id == account_id)
        return self.session.scalars(wish).first()

    def robot(
        self, place: str, channel: NoticeChannel = NoticeChannel.WECOM, number: int = 1
    ) -> str:
        """Give an organisation a robot; return its address."""
        address = WEBHOOKS[channel].format(number)
        organization = self.world.place(place)
        self.session.add(
            NoticeRobot(
                organization_id=organization.id,
                name=f"群{number}",
                channel=channel,
                address=address,
            )
        )
        self.session.commit()
        return address

    def told(
        self, place: str, ticket: Ticket, key: str = "test:0", title: str = "待应哨"
    ) -> list[int]:
        """Tell the people of a place of a ticket at this hour; return the notices' ids."""
        before = set(self.session.scalars(select(Notice.id)))
        tell(self.session, [self.world.place(place).id], f"{title}：{ticket}", ticket, key)
        new = select(Notice).where(Notice.id.not_in(before)).order_by(Notice.id)
        rows = list(self.session.scalars(new))
        for each in rows:
            each.created_at = self.now
        self.session.commit()
        return [each.id for each in rows]

    def forget_steps(self) -> None:
        """Let what has been told so far count as routed."""
        for each in self.session.scalars(select(Notice).where(Notice.routed_at.is_(None))):
            each.routed_at = self.now
        self.session.commit()

    def route(self) -> int:
        """Route what is new."""
        found = notices.route(self.app, lambda: self.now)
        self.session.expire_all()
        return found

    def send(self) -> int:
        """Send what is due."""
        found = notices.send(self.app, lambda: self.now)
        self.session.expire_all()
        return found

    def work(self) -> int:
        """Route and send."""
        self.route()
        return self.send()

    def later(self, **by: Any) -> None:
        """Let time go by."""
        self.now += dt.timedelta(**by)

    def deliveries(self) -> list[Delivery]:
        """Return all deliveries, oldest first."""
        self.session.rollback()
        self.session.expire_all()
        return list(self.session.scalars(select(Delivery).order_by(Delivery.id)))

    def states(self) -> list[DeliveryState]:
        """Return how all deliveries stand."""
        return [each.state for each in self.deliveries()]
