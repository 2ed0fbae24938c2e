"""Sending what is to leave: routing, sending, deadlines. Each is an edge that commits."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from database import db
from jobs.queue import Queue
from models.base import utcnow
from models.delivery import Delivery, DeliveryState
from notifications import routing, worker
from notifications.channels import Settings, Target, Transport, Undelivered, hand_over, settings_of
from notifications.worker import Claim, Down, Dropped, Parcel
from rules import deadline_notices
from rules.actor import SYSTEM, acting_as

#: Messages of either kind that are claimed at once: few, for what is claimed waits for what is slow.
BATCH = 10
#: Seconds after which a round ends; the next begins within a minute.
BUDGET = 40.0
#: How long what has been settled is kept; dead letters stay until somebody has seen to them.
KEPT = dt.timedelta(days=90)
#: How often it is tried to write down what became of a message; each waits as long as the database does.
TRIES = 3
_BROKEN = "发送时出了意外，可能已经送达；为避免重复没有重发。"
_DOWN = "通道刚才没有应答，稍后再发。"
_STOPPING = "系统正在停止，重新启动后再发。"
_UNREADY = "准备消息时出了意外，没有发出。"
#: Now, for the tests to move.
Clock = Callable[[], dt.datetime]


def settings(app: Flask) -> Settings:
    """Return what is set up for sending."""
    return settings_of(app.config)


def transport(app: Flask) -> Transport:
    """Return what hands messages over; under test nothing leaves but by a test's own."""
    found: Transport = app.extensions.get("transport") or (
        _refuse if app.config["TESTING"] else hand_over
    )
    return found


def _refuse(target: Target, title: str, text: str) -> None:
    raise Undelivered("测试时不发送。")


@contextmanager
def _for_the_system(app: Flask) -> Iterator[Session]:
    with app.app_context():
        session = db.session()
        try:
            with acting_as(session, SYSTEM):
                yield session
        finally:
            session.rollback()


def route(app: Flask, clock: Clock = utcnow) -> int:
    """Give all notices that are new their deliveries; return how many notices these were."""
    mail = settings(app).smtp is not None
    routed = 0
    with _for_the_system(app) as session:
        while some := routing.route(session, clock(), mail=mail):
            session.commit()
            routed += some
    return routed


def send(app: Flask, clock: Clock = utcnow) -> int:
    """Send what is due; return how many messages were tried.

    Marked in a transaction of its own before it is sent, and settled in another after: while somebody
    far away takes his time, nothing is held. A channel that is down does not keep the others.
    """
    ends = time.monotonic() + BUDGET
    down, tried = Down(), 0
    queue: Queue = app.extensions["queue"]
    with _for_the_system(app) as session:
        while time.monotonic() < ends:
            claims = worker.claim(session, clock(), BATCH, down)
            session.commit()
            if not claims:
                break
            for each in claims:
                tried += _send(app, session, each, down, clock)
            if queue.stopping.is_set():
                break
    return tried


def _send(app: Flask, session: Session, claim: Claim, down: Down, clock: Clock) -> bool:
    """Send one message and settle it; tell whether it was tried."""
    parcel, outcome = _packed(app, session, claim)
    tried = False
    if parcel is not None and outcome is None:
        queue: Queue = app.extensions["queue"]
        reason = _STOPPING if queue.stopping.is_set() else _DOWN
        if reason is _STOPPING or down.holds(parcel.robot_id):
            worker.release(session, claim, reason, clock())
            session.commit()
            return False
        outcome, tried = _handed_over(app, claim, parcel), True
    if isinstance(outcome, Undelivered) and outcome.down:
        down.add(parcel.robot_id if parcel else None)
    _settle(session, claim, outcome, parcel, clock)
    return tried


def _settle(
    session: Session,
    claim: Claim,
    outcome: Undelivered | Dropped | None,
    parcel: Parcel | None,
    clock: Clock,
) -> None:
    """Write the outcome down, though an import may keep SQLite's one writer busy for a while."""
    for left in reversed(range(TRIES)):
        try:
            worker.settle(session, claim, outcome, clock(), parcel)
            session.commit()
            return
        except OperationalError:
            session.rollback()
            if not left:
                raise


def _packed(
    app: Flask, session: Session, claim: Claim
) -> tuple[Parcel | None, Undelivered | Dropped | None]:
    try:
        return worker.pack(session, claim, settings(app)), None
    except (Undelivered, Dropped) as why:
        return None, why
    except Exception:
        app.logger.exception("deliveries %s cannot be made ready", claim.ids)
        return None, Undelivered(_UNREADY)
    finally:
        session.rollback()


def _handed_over(app: Flask, claim: Claim, parcel: Parcel) -> Undelivered | None:
    try:
        transport(app)(parcel.target, parcel.title, parcel.text)
    except Undelivered as why:
        return why
    except Exception as error:
        # No trace: it may hold an address with its secret, or a password.
        app.logger.error("deliveries %s broke off: %s", claim.ids, type(error).__name__)
        return Undelivered(_BROKEN, unclear=True)
    return None


def warn(app: Flask, clock: Clock = utcnow) -> int:
    """Tell of deadlines; if another got in the way, once more after it."""
    with _for_the_system(app) as session:
        try:
            told = deadline_notices.warn(session, clock())
            session.commit()
        except IntegrityError:
            session.rollback()
            told = deadline_notices.warn(session, clock())
            session.commit()
    return told


def forget(app: Flask, clock: Clock = utcnow) -> None:
    """Remove what was sent or dropped longer than ``KEPT`` ago."""
    with _for_the_system(app) as session:
        session.execute(
            delete(Delivery)
            .where(
                Delivery.state.in_((DeliveryState.SENT, DeliveryState.DROPPED)),
                Delivery.updated_at < clock() - KEPT,
            )
            .execution_options(synchronize_session=False)
        )
        session.commit()
