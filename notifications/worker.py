"""What is due is claimed, packed, and settled: at most once for each step and receiver.

A delivery is marked before it is sent: ``claim`` lets it stand as failed with ``SENDING`` for its reason,
and only ``settle`` says otherwise. Who dies in between leaves it so, for the administrator to see; what
may have arrived is never sent again by itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, or_, select, true, update
from sqlalchemy.orm import Session

from models.account import Account
from models.delivery import (
    Delivery,
    DeliveryState,
    Digest,
    NoticeChannel,
    NoticePreference,
    NoticeRobot,
)
from models.notice import Notice
from models.organization import Organization
from models.registry import record_types
from models.ticket import Ticket
from notifications import wording
from notifications.channels import Mailbox, Robot, Settings, Target, Undelivered, is_real
from notifications.quiet import Hours, free_from, last_digest
from notifications.routing import quiet_hours
from rules.actor import acting_as, identified
from rules.wording import local

W = DeliveryState.WAITING
#: How long after each attempt that failed the next is made; after the last there is none.
AGAIN = (
    dt.timedelta(minutes=1),
    dt.timedelta(minutes=5),
    dt.timedelta(minutes=30),
    dt.timedelta(hours=2),
    dt.timedelta(hours=12),
)
#: When what could not even be tried, because its channel was down a moment ago, is tried.
SOON = dt.timedelta(minutes=1)
#: The reason that stands while a message is on its way.
SENDING = (
    "正在发送，还没有结果。如果一直停在这里，说明发送途中中断，可能已经送达；为避免重复没有重发。"
)
#: Within which no claim is taken for a broken one.
PATIENCE = dt.timedelta(minutes=10)
#: Of one daily mail; what is more goes with the next.
MOST_OF_A_DIGEST = 500


@dataclass(frozen=True)
class Claim:
    """Deliveries that are ours to send as one message: one, or all of a person's daily mail."""

    ids: tuple[int, ...]
    daily: bool = False


@dataclass(frozen=True)
class Parcel:
    """A message ready to be handed over, and the quiet hours that its next attempt keeps.

    ``robot_id`` is the robot that says it, if one does. ``left_out`` are deliveries of a daily mail
    whose records its reader no longer reaches.
    """

    target: Target
    title: str
    text: str
    hours: Hours | None
    robot_id: int | None = None
    left_out: tuple[int, ...] = ()


@dataclass
class Down:
    """Channels that have not answered a moment ago: what waits for them is not tried now."""

    mail: bool = False
    robots: set[int] = field(default_factory=set)

    def add(self, robot_id: int | None) -> None:
        """Note that a robot does not answer; None: the mail server."""
        if robot_id is None:
            self.mail = True
        else:
            self.robots.add(robot_id)

    def holds(self, robot_id: int | None) -> bool:
        """Tell whether a robot is down; None: the mail server."""
        return self.mail if robot_id is None else robot_id in self.robots


class Dropped(Exception):
    """Nobody is to be written to any more; the text says why."""


# Claiming


def claim(session: Session, now: dt.datetime, limit: int, down: Down | None = None) -> list[Claim]:
    """Take what is due into our hands, ``limit`` messages at most of either kind. Never commits.

    What waits for a channel that is ``down`` is left where it is.
    """
    down = down or Down()
    daily = [] if down.mail else _digests(session, now, limit)
    return [*_singles(session, now, limit, down), *daily]


def _due(now: dt.datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Delivery.state == W, Delivery.next_at <= now


def _singles(session: Session, now: dt.datetime, limit: int, down: Down) -> list[Claim]:
    """Claim what goes by itself: to robots, urgent, or to whoever does not want a daily mail."""
    wanted = (
        select(Delivery.id)
        .outerjoin(Notice, Notice.id == Delivery.notice_id)
        .outerjoin(NoticePreference, NoticePreference.account_id == Delivery.account_id)
        .where(
            *_due(now),
            or_(
                Delivery.robot_id.is_not(None),
                NoticePreference.email.is_distinct_from(Digest.DAILY),
                Notice.urgent,
            ),
            or_(Delivery.robot_id.is_(None), Delivery.robot_id.not_in(down.robots)),
            Delivery.robot_id.is_not(None) if down.mail else true(),
        )
        .order_by(Delivery.next_at, Delivery.id)
        .limit(limit)
        .with_for_update(of=Delivery, skip_locked=True)
    )
    return [Claim((number,)) for number in sorted(_mark(session, session.scalars(wanted), now))]


def _digests(session: Session, now: dt.datetime, limit: int) -> list[Claim]:
    """Claim daily mails whole: what was told before the latest eight o'clock.

    A person's row of preferences is locked first, so that two workers do not share one mail.
    """
    told = (
        *_due(now),
        Delivery.channel == NoticeChannel.EMAIL,
        Delivery.created_at <= last_digest(now),
    )
    people = (
        select(Delivery.account_id)
        .join(NoticePreference, NoticePreference.account_id == Delivery.account_id)
        .where(*told, NoticePreference.email == Digest.DAILY)
        .distinct()
        .limit(limit)
    )
    ours = session.scalars(
        select(NoticePreference.account_id)
        .where(NoticePreference.account_id.in_(list(session.scalars(people))))
        .with_for_update(skip_locked=True)
    )
    found = []
    for account_id in sorted(ours):
        of_person = (
            select(Delivery.id)
            .where(*told, Delivery.account_id == account_id)
            .order_by(Delivery.id)
            .limit(MOST_OF_A_DIGEST)
        )
        ids = tuple(sorted(_mark(session, session.scalars(of_person), now)))
        if ids:
            found.append(Claim(ids, daily=True))
    return found


def _mark(session: Session, ids: Iterable[int], now: dt.datetime) -> list[int]:
    """Mark deliveries as being sent; return those that nobody else had marked before."""
    marked = (
        update(Delivery)
        .where(Delivery.id.in_(list(ids)), Delivery.state == W)
        .values(
            state=DeliveryState.DEAD,
            problem=SENDING,
            attempts=Delivery.attempts + 1,
            version=Delivery.version + 1,
            updated_at=now,
        )
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    )
    return list(session.scalars(marked))


# Packing


def pack(session: Session, claimed: Claim, settings: Settings) -> Parcel:
    """Return the message of a claim, as its receiver may read it now.

    The session acts for the system. Raises ``Dropped`` if nothing is to be sent any more, and
    ``Undelivered`` if the channel is not set up.
    """
    rows = _in_hand(session, claimed.ids)
    if not rows:
        raise Dropped("已由管理员处理。")
    if rows[0].robot_id is not None:
        return _for_robot(session, rows[0], settings)
    return _for_person(session, rows, claimed.daily, settings)


def _in_hand(session: Session, ids: Sequence[int]) -> list[Delivery]:
    """Return those of some deliveries that are still marked as being sent."""
    found = select(Delivery).where(Delivery.id.in_(ids), Delivery.problem == SENDING)
    return list(session.scalars(found.order_by(Delivery.id)))


def _for_person(session: Session, rows: list[Delivery], daily: bool, settings: Settings) -> Parcel:
    account_id = rows[0].account_id
    account = session.get(Account, account_id)
    wish = session.scalars(
        select(NoticePreference.email).where(NoticePreference.account_id == account_id)
    ).first()
    if account is None or not account.active:
        raise Dropped("收件人的账号已停用。")
    if wish in (None, Digest.NEVER):
        raise Dropped("收件人已改为不接收邮件。")
    if not is_real(account.email):
        raise Dropped("收件人没有可用的邮箱地址。")
    told = [(each, each.notice) for each in rows if each.notice is not None]
    within = _readable(session, account.id, [notice for _row, notice in told])
    if not within:
        raise Dropped("收件人已无权查看这条记录。")
    if settings.smtp is None:
        raise Undelivered("没有设置邮件服务器（CHUISHAO_SMTP_HOST）。", down=True)
    lines = [wording.outside(each.title) for each in within]
    if daily:
        days = [local(each.created_at) for each in within]
        dated = [" ".join(pair) for pair in zip(days, lines, strict=True)]
        title, text = wording.digest(dated, settings.site)
    else:
        title, text = wording.subject(lines[0]), wording.body(lines[0], settings.site)
    realm = account.organization.realm_id if account.organization else None
    urgent = not daily and within[0].urgent
    hours = None if urgent else quiet_hours(session, account.id, realm)
    out = tuple(row.id for row, notice in told if notice not in within)
    return Parcel(Mailbox(settings.smtp, account.email), title, text, hours, left_out=out)


def _for_robot(session: Session, row: Delivery, settings: Settings) -> Parcel:
    robot = session.get(NoticeRobot, row.robot_id)
    notice = row.notice
    if robot is None or not robot.active or notice is None:
        raise Dropped("机器人已停用。")
    people = session.scalars(
        select(Account.id)
        .join(Notice, Notice.account_id == Account.id)
        .where(
            Notice.key == notice.key,
            Account.organization_id == robot.organization_id,
            Account.active.is_(True),
        )
        .order_by(Account.id)
        .limit(10)
    )
    if not any(_readable(session, each, [notice]) for each in people.all()):
        raise Dropped("这个单位的人已无权查看这条记录。")
    text = wording.subject(wording.outside(notice.title, _residents(session, notice)))
    place = session.get_one(Organization, robot.organization_id)
    hours = None if notice.urgent else quiet_hours(session, None, place.realm_id)
    target = Robot(robot.channel, robot.address, settings.hosts)
    return Parcel(target, "", text, hours, robot_id=robot.id)


def _residents(session: Session, notice: Notice) -> list[str | None]:
    """Return the names of people that stand in a ticket, wherever its title repeats them."""
    if notice.record_type != "ticket":
        return []
    names = select(Ticket.contact_name).where(Ticket.id == notice.record_id)
    return list(session.scalars(names))


def _readable(session: Session, account_id: int, notices: Sequence[Notice]) -> list[Notice]:
    """Return those of some notices whose records a person reads, as he stands now."""
    found = identified(session, account_id)
    if found is None:
        return []
    with acting_as(session, found.actor):
        return [each for each in notices if _is_there(session, each)]


def _is_there(session: Session, notice: Notice) -> bool:
    model: Any = record_types().get(notice.record_type)
    if model is None:
        return False
    return session.scalar(select(model.id).where(model.id == notice.record_id)) is not None


# Settling


def settle(
    session: Session,
    claimed: Claim,
    outcome: Undelivered | Dropped | None,
    now: dt.datetime,
    parcel: Parcel | None = None,
) -> None:
    """Write down what became of a claim: sent, dropped, once more later, or dead.

    The next attempt keeps the receiver's quiet hours, which the ``parcel`` knows if there was one.
    What somebody has settled otherwise meanwhile stays as it is. Never commits.
    """
    left_out = parcel.left_out if parcel else ()
    for row in _in_hand(session, claimed.ids):
        gone = Dropped("收件人已无权查看这条记录。") if row.id in left_out else None
        _settle(row, gone or outcome, now, parcel.hours if parcel else None)


def _settle(
    row: Delivery, outcome: Undelivered | Dropped | None, now: dt.datetime, hours: Hours | None
) -> None:
    if outcome is None:
        row.state, row.sent_at, row.problem = DeliveryState.SENT, now, None
    elif isinstance(outcome, Dropped):
        row.state, row.problem = DeliveryState.DROPPED, str(outcome)
    elif outcome.unclear or row.attempts > len(AGAIN):
        row.state, row.problem = DeliveryState.DEAD, outcome.message
    else:
        row.state, row.problem = W, outcome.message
        row.next_at = free_from(hours, now + AGAIN[row.attempts - 1])


def release(session: Session, claimed: Claim, reason: str, now: dt.datetime) -> None:
    """Give back what was not tried, because its channel has just failed; no attempt is counted."""
    for row in _in_hand(session, claimed.ids):
        row.state, row.problem = W, reason
        row.attempts -= 1
        row.next_at = now + SOON


# By hand


def is_on_its_way(row: Delivery, now: dt.datetime) -> bool:
    """Tell whether a delivery that stands as failed has just been taken up for sending."""
    return (
        row.state is DeliveryState.DEAD
        and row.problem == SENDING
        and row.updated_at > now - PATIENCE
    )


def try_again(row: Delivery, now: dt.datetime) -> None:
    """Put a dead letter back among what is due, as if nothing had been tried. Never commits."""
    row.state, row.attempts, row.next_at, row.problem = W, 0, now, None


def drop(row: Delivery) -> None:
    """Give a delivery up by hand. Never commits."""
    row.state, row.problem = DeliveryState.DROPPED, "管理员决定不再发送。"
