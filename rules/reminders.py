"""Reminders before an agreement ends, and its end when the day has passed (domain section 4)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from models.account import Account
from models.agreement import Agreement, AgreementStatus
from models.notice import Notice
from models.organization import TERRITORIAL, Organization
from models.registry import type_name
from presets.roles import Role
from rules import workflow
from rules.actor import SYSTEM
from rules.calendar import shanghai_date
from rules.errors import Refused
from rules.notices import tell

#: Days before its last day on which an agreement's end is announced, the earliest first.
DAYS_BEFORE = (60, 30, 7)
#: Agreements looked at in one go: never all of them.
SLICE = 200

_OF_UNIT = (Role.UNIT_LIAISON, Role.DEPARTMENT_HANDLER)
_OF_COMMUNITY = (Role.COMMUNITY_STAFF,)
_OF_COUNTY = (Role.ORGANIZATION_DEPARTMENT,)


def due_threshold(valid_until: dt.date, today: dt.date) -> int | None:
    """Return which announcement is due: 60, 30 or 7; None before the first and after the end.

    It is the nearest only: whoever enters the window late is not told of the days that are past.
    """
    left = (valid_until - today).days
    if left < 0:
        return None
    return next((days for days in reversed(DAYS_BEFORE) if left <= days), None)


def remind(session: Session, today: dt.date) -> int:
    """Announce the ends that are near to both sides and the county; return how many were told.

    Each person is told each announcement once, on whatever day the sweep runs. Never commits.
    """
    told = 0
    window = (
        Agreement.status == AgreementStatus.IN_FORCE,
        Agreement.valid_until >= today,
        Agreement.valid_until <= today + dt.timedelta(days=max(DAYS_BEFORE)),
    )
    for part in _slices(session, window):
        people = _People(session, part, today)
        for agreement in part:
            if people.anyone_untold(agreement):
                told += _announce(session, agreement, today, people)
    return told


def _announce(session: Session, agreement: Agreement, today: dt.date, people: _People) -> int:
    days = (agreement.valid_until - today).days
    when = f"还有 {days} 天到期" if days else "今天到期"
    title = (
        f"{when}：{agreement.community.name}与{agreement.unit.name}的协议“{agreement.number}”"
        f"（{agreement.valid_until}止）"
    )
    key = _step(agreement, today)
    return sum(
        tell(session, places, title, agreement, key, roles=roles)
        for places, roles in people.addressed(agreement)
    )


def _step(agreement: Agreement, today: dt.date) -> str:
    return f"ends-in-{due_threshold(agreement.valid_until, today)}"


class _People:
    """Who is to be told of some agreements, and who has been: four statements for all of them."""

    def __init__(self, session: Session, agreements: Sequence[Agreement], today: dt.date) -> None:
        self.today = today
        realms = {each.community.realm_id for each in agreements} - {None}
        bodies = select(Organization.id, Organization.parent_id).where(
            Organization.parent_id.in_(realms), Organization.kind.not_in(TERRITORIAL)
        )
        #: county → itself and the bodies that hang from it
        self.offices: dict[int, set[int]] = {realm: {realm} for realm in realms if realm}
        for body, realm in session.execute(bodies):
            self.offices[int(realm or 0)].add(body)
        places = {
            place
            for each in agreements
            for found, _roles in self.addressed(each)
            for place in found
        }
        wanted = {role.value for role in (*_OF_UNIT, *_OF_COMMUNITY, *_OF_COUNTY)}
        accounts = (
            select(Account)
            .where(Account.organization_id.in_(places), Account.active.is_(True))
            .options(selectinload(Account.roles))
        )
        #: organisation → its accounts with the roles that are told of ends
        self.accounts: dict[int | None, list[tuple[int, set[str]]]] = {}
        for account in session.scalars(accounts):
            held = {role.name for role in account.roles} & wanted
            self.accounts.setdefault(account.organization_id, []).append((account.id, held))
        keys = [self.key(each) for each in agreements]
        told = select(Notice.key, Notice.account_id).where(Notice.key.in_(keys))
        self.told = {(key, account) for key, account in session.execute(told)}

    def addressed(self, agreement: Agreement) -> list[tuple[set[int], tuple[Role, ...]]]:
        """Return the organisations whose accounts with these roles are to be told."""
        realm = agreement.community.realm_id
        return [
            ({agreement.unit_id}, _OF_UNIT),
            ({agreement.community_id}, _OF_COMMUNITY),
            (self.offices.get(realm, set()) if realm else set(), _OF_COUNTY),
        ]

    def key(self, agreement: Agreement) -> str:
        """Return the key under which ``tell`` keeps the announcement that is due."""
        return f"{type_name(Agreement)}:{agreement.id}:{_step(agreement, self.today)}"

    def anyone_untold(self, agreement: Agreement) -> bool:
        """Tell whether somebody does not know yet; of most agreements everybody knows."""
        key = self.key(agreement)
        return any(
            held & {role.value for role in roles} and (key, account) not in self.told
            for places, roles in self.addressed(agreement)
            for place in places
            for account, held in self.accounts.get(place, [])
        )


def expire_overdue(session: Session, now: dt.datetime) -> int:
    """Let agreements whose last day is past expire by their workflow; return how many did.

    One that somebody is renewing or ending at this moment is left to the next sweep. Never commits.
    """
    done = 0
    over = (
        Agreement.status == AgreementStatus.IN_FORCE,
        Agreement.valid_until < shanghai_date(now),
    )
    for part in _slices(session, over):
        for agreement in part:
            try:
                workflow.apply(session, agreement, "expire", SYSTEM, now=now)
            except Refused:
                continue
            done += 1
    return done


def _slices(session: Session, tests: Sequence[object]) -> Iterator[list[Agreement]]:
    """Yield the agreements that pass, with both sides, a slice at a time."""
    last = 0
    while True:
        query = (
            select(Agreement)
            .where(*tests, Agreement.id > last)  # type: ignore[arg-type]
            # Not joined: an agreement that is locked on its step is read again as it was read here.
            .options(selectinload(Agreement.community), selectinload(Agreement.unit))
            .order_by(Agreement.id)
            .limit(SLICE)
        )
        part = list(session.scalars(query))
        if not part:
            return
        last = part[-1].id
        yield part
