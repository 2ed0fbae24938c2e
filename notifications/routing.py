"""From notices to deliveries: over which channels each leaves, to whom, and not before when.

A notice row is the outbox: it was written with the step itself, and ``routed_at`` is empty until it has
been here. Keys make each delivery one of its kind, whoever routes and however often.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
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
from models.supervision import SupervisionRule
from models.ticket import Ticket
from notifications.channels import is_real
from notifications.quiet import NIGHT, Hours, free_from, next_digest, read

#: Notices looked at in one go.
SLICE = 500
#: What nobody has routed for so long is no news any more: it stays in the bell.
STALE = dt.timedelta(days=3)


@dataclass(frozen=True)
class _Person:
    """Whom a notice is for, and what he wants of it outside the product."""

    organization_id: int | None
    realm_id: int | None
    email: Digest
    hours: Hours | None


def route(session: Session, now: dt.datetime, *, mail: bool) -> int:
    """Give the oldest notices their deliveries; return how many notices these were, 0 for none left.

    ``mail``: whether there is a mail server. The session acts for the system. Safe when two do it at
    once: PostgreSQL passes over what another has in hand, and keys refuse what is there already.
    Never commits.
    """
    outbox = (
        select(
            Notice.id,
            Notice.key,
            Notice.account_id,
            Notice.record_type,
            Notice.record_id,
            Notice.created_at,
        )
        .where(Notice.routed_at.is_(None))
        .order_by(Notice.id)
        .limit(SLICE)
        .with_for_update(skip_locked=True)
    )
    notices = session.execute(outbox).all()
    if not notices:
        return 0
    urgent = _urgent(session, notices)
    fresh = [each for each in notices if each.created_at > now - STALE]
    people = _people(session, {each.account_id for each in fresh}, mail=mail)
    robots = _robots(session, {each.organization_id for each in people.values()})
    hours = _county_hours(session, {each.realm_id for each in people.values()})
    rows = [
        row
        for each in fresh
        if (person := people.get(each.account_id)) is not None
        for row in _deliveries(each, person, robots, hours, each.id in urgent, now)
    ]
    _insert(session, rows, now)
    _done(session, [each.id for each in notices], now)
    return len(notices)


def _urgent(session: Session, notices: Sequence[Any]) -> set[int]:
    """Mark the notices of emergencies, and return all of these that are urgent."""
    tickets = {each.record_id for each in notices if each.record_type == "ticket"}
    emergencies = set(
        session.scalars(select(Ticket.id).where(Ticket.id.in_(tickets), Ticket.emergency))
    )
    found = {
        each.id
        for each in notices
        if each.record_type == "ticket" and each.record_id in emergencies
    }
    if found:
        session.execute(
            update(Notice)
            .where(Notice.id.in_(found))
            .values(urgent=True)
            .execution_options(synchronize_session=False)
        )
    marked = select(Notice.id).where(Notice.id.in_([each.id for each in notices]), Notice.urgent)
    return set(session.scalars(marked))


def _people(session: Session, ids: set[int], *, mail: bool) -> dict[int, _Person]:
    """Return those of some accounts that are in use, with what they want."""
    rows = session.execute(
        select(Account.id, Account.email, Organization.id, Organization.realm_id)
        .outerjoin(Organization, Organization.id == Account.organization_id)
        .where(Account.id.in_(ids), Account.active.is_(True))
    ).all()
    wanted = {
        each.account_id: each
        for each in session.scalars(
            select(NoticePreference).where(NoticePreference.account_id.in_(ids))
        )
    }
    found = {}
    for number, email, organization_id, realm_id in rows:
        preference = wanted.get(number)
        how = preference.email if preference and mail and is_real(email) else Digest.NEVER
        own = read(preference.quiet_from, preference.quiet_until) if preference else None
        found[number] = _Person(organization_id, realm_id, how, own)
    return found


def _robots(session: Session, organizations: set[int | None]) -> dict[int | None, list[Any]]:
    """Return the robots in use, by the organisation in whose group they speak."""
    found: dict[int | None, list[Any]] = defaultdict(list)
    rows = select(NoticeRobot.id, NoticeRobot.organization_id, NoticeRobot.channel).where(
        NoticeRobot.organization_id.in_(organizations - {None}), NoticeRobot.active
    )
    for each in session.execute(rows):
        found[each.organization_id].append(each)
    return found


def _county_hours(session: Session, realms: set[int | None]) -> dict[int | None, Hours]:
    rows = select(
        SupervisionRule.organization_id, SupervisionRule.quiet_from, SupervisionRule.quiet_until
    ).where(SupervisionRule.organization_id.in_(realms - {None}))
    return {county: read(start, end) or NIGHT for county, start, end in session.execute(rows)}


def quiet_hours(session: Session, account_id: int | None, realm_id: int | None) -> Hours:
    """Return the quiet hours of a person, else those of a county, else the night."""
    if account_id is not None:
        own = session.scalars(
            select(NoticePreference).where(NoticePreference.account_id == account_id)
        ).first()
        found = read(own.quiet_from, own.quiet_until) if own is not None else None
        if found is not None:
            return found
    return _county_hours(session, {realm_id}).get(realm_id, NIGHT)


def _deliveries(
    notice: Any,
    person: _Person,
    robots: dict[int | None, list[Any]],
    hours: dict[int | None, Hours],
    urgent: bool,
    now: dt.datetime,
) -> Iterable[dict[str, Any]]:
    """Yield what becomes of one notice: to the person's mailbox, and once to each of his groups."""
    county = hours.get(person.realm_id, NIGHT)
    if person.email is not Digest.NEVER:
        own = person.hours if person.hours is not None else county
        daily = person.email is Digest.DAILY and not urgent
        at = free_from(None if urgent else own, next_digest(now) if daily else now)
        key = f"{notice.key}|account:{notice.account_id}|{NoticeChannel.EMAIL.value}"
        yield _row(key, notice.id, NoticeChannel.EMAIL, at, account_id=notice.account_id)
    for robot in robots.get(person.organization_id, ()):
        at = free_from(None if urgent else county, now)
        key = f"{notice.key}|robot:{robot.id}|{robot.channel.value}"
        yield _row(key, notice.id, robot.channel, at, robot_id=robot.id)


def _row(
    key: str,
    notice_id: int,
    channel: NoticeChannel,
    at: dt.datetime,
    account_id: int | None = None,
    robot_id: int | None = None,
) -> dict[str, Any]:
    return {
        "key": key,
        "notice_id": notice_id,
        "account_id": account_id,
        "robot_id": robot_id,
        "channel": channel,
        "state": DeliveryState.WAITING,
        "attempts": 0,
        "next_at": at,
    }


def _insert(session: Session, rows: list[dict[str, Any]], now: dt.datetime) -> None:
    """Write the deliveries that are not there yet, in one order, so that two do not wait crosswise."""
    if not rows:
        return
    dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    common = {"created_at": now, "updated_at": now, "version": 1}
    wanted = {row["key"]: row | common for row in reversed(rows)}
    statement = dialect.insert(Delivery.__table__).on_conflict_do_nothing(index_elements=["key"])
    session.execute(statement, [wanted[key] for key in sorted(wanted)])


def _done(session: Session, ids: list[int], now: dt.datetime) -> None:
    session.execute(
        update(Notice)
        .where(Notice.id.in_(ids))
        .values(routed_at=now)
        .execution_options(synchronize_session=False)
    )
