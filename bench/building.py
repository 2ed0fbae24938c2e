"""Builds organisations, accounts, a mechanism and duty lists where a database holds none."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from flask_appbuilder.security.sqla.models import Role as FabRole
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash

from bench.matters import (
    BASIC_ITEMS,
    COMMUNITY_FIRST,
    COMMUNITY_SECOND,
    COUNTIES,
    DEPARTMENTS,
    ITEMS,
    TOWNSHIPS,
    UNIT_KINDS,
    UNITS,
)
from models.account import Account
from models.duty import DutyItem, DutyItemDepartment, DutyList, DutyListType
from models.organization import Organization
from models.organization import OrganizationKind as K
from presets.mechanisms import JIUJIANG
from presets.mechanisms import build as build_mechanism
from presets.roles import Role
from rules import workflow
from rules.actor import SYSTEM

#: What an office of a county is staffed with beside the dispatcher: (account name, role).
COUNTY_STAFF = (
    ("party", Role.ORGANIZATION_DEPARTMENT),
    ("duty", Role.DUTY_LIST_OFFICER),
    ("inspector", Role.INSPECTOR),
    ("leader", Role.LEADER),
    ("auditor", Role.AUDITOR),
)


@dataclass(frozen=True)
class Size:
    """How many counties, townships in each county, and communities in each township.

    ``units``: of each county. ``most``: how many communities a county has at most. ``spread``: how
    many communities the city has in all, dealt out evenly, in place of ``communities``.
    ``accounts``: how many accounts there are in all; communities get further staff until there are.
    """

    counties: int = 3
    townships: int = 8
    communities: int = 8
    units: int = len(UNITS)
    most: int = 1000
    spread: int | None = None
    accounts: int | None = None

    def communities_of(self, place: int) -> int:
        """Return how many communities the township has that is the city's ``place``-th, from 0."""
        if self.spread is None:
            return self.communities
        each, more = divmod(self.spread, self.counties * self.townships)
        return each + (place < more)


#: Cities by name, in their published sizes.
CITIES = {"hohhot": Size(9, 9, spread=1415, accounts=2838)}


def community_names() -> Iterator[str]:
    """Yield names of a county's communities, no two alike: 432 of them."""
    pairs = itertools.product(("", "一", "二"), COMMUNITY_SECOND, COMMUNITY_FIRST)
    for ordinal, second, first in pairs:
        yield f"{first}{second}{f'第{ordinal}' if ordinal else ''}社区"


def unit_names() -> Iterator[str]:
    """Yield names of units without their county's, no two alike: 1,156 of them."""
    yield from UNITS
    for kind, second, first in itertools.product(UNIT_KINDS, COMMUNITY_SECOND, COMMUNITY_FIRST):
        yield f"{first}{second}{kind}"


class Builder:
    """Builds one city in a session that acts for the system. Flushes, never commits.

    Accounts are named by role and place: ``office1``, ``township1-2``, ``community1-2-3``,
    ``handler1-4``; all have the same password.
    """

    def __init__(self, session: Session, size: Size, password: str) -> None:
        self.session, self.size = session, size
        self.secret = generate_password_hash(password)
        self.roles = {role.name: role for role in session.scalars(select(FabRole))}
        self.accounts: list[str] = []
        self.communities: list[tuple[str, Organization]] = []

    def build(self) -> list[str]:
        """Build everything and return the names of the accounts."""
        city = self._organization("9900", "示例市", K.CITY, None)
        counties = [self._county(city, number) for number in range(1, self.size.counties + 1)]
        self.session.flush()
        self._account("admin", city, Role.SYSTEM_ADMINISTRATOR)
        for number, county in enumerate(counties, 1):
            self._equip(number, county)
        self._staff()
        self.session.flush()
        return self.accounts

    def _county(self, city: Organization, number: int) -> Organization:
        code = f"99{number:02}"
        county = self._organization(code, COUNTIES[number - 1], K.COUNTY, city)
        office = self._organization(
            f"{code}-CSB", f"{county.name}吹哨办", K.COORDINATION_OFFICE, county
        )
        self._account(f"office{number}", office, Role.DISPATCHER)
        self._account(f"returns{number}", office, Role.RETURN_REVIEWER)
        for name, role in COUNTY_STAFF:
            self._account(f"{name}{number}", county, role)
        for index, (name, alias) in enumerate(DEPARTMENTS, 1):
            department = self._organization(
                f"{code}-D{index:02}", f"{county.name}{name}", K.DEPARTMENT, county
            )
            department.set_aliases([alias])
            self._account(f"handler{number}-{index}", department, Role.DEPARTMENT_HANDLER)
        for index, name in enumerate(itertools.islice(unit_names(), self.size.units), 1):
            unit = self._organization(f"{code}-U{index:02}", f"{county.name}{name}", K.UNIT, county)
            self._account(f"unit{number}-{index}", unit, Role.UNIT_LIAISON)
        names = itertools.islice(community_names(), self.size.most)
        for index in range(1, self.size.townships + 1):
            self._township(county, number, index, names)
        return county

    def _township(
        self,
        county: Organization,
        number: int,
        index: int,
        names: Iterator[str],
    ) -> None:
        code = f"{county.code}{index:03}"
        township = self._organization(code, TOWNSHIPS[index - 1], K.TOWNSHIP, county)
        self._account(f"township{number}-{index}", township, Role.TOWNSHIP_REVIEWER)
        place = (number - 1) * self.size.townships + index - 1
        own = itertools.islice(names, self.size.communities_of(place))
        for position, name in enumerate(own, 1):
            community = self._organization(f"{code}{position:03}", name, K.COMMUNITY, township)
            account = f"community{number}-{index}-{position}"
            self._account(account, community, Role.COMMUNITY_STAFF)
            self.communities.append((account, community))

    def _staff(self) -> None:
        """Give communities further staff, one after the other, until there are enough accounts."""
        rounds = itertools.count(2)
        missing = (self.size.accounts or 0) - len(self.accounts)
        more = ((f"{name}-{turn}", place) for turn in rounds for name, place in self.communities)
        for name, community in itertools.islice(more, max(missing, 0)):
            self._account(name, community, Role.COMMUNITY_STAFF)

    def _organization(
        self, code: str, name: str, kind: K, parent: Organization | None
    ) -> Organization:
        made = Organization(code=code, name=name, kind=kind, parent=parent)
        self.session.add(made)
        return made

    def _account(self, username: str, organization: Organization, role: Role) -> None:
        self.accounts.append(username)
        account = Account(
            username=username,
            last_name=organization.name,
            first_name=role.title,
            email=f"{username}@example.invalid",
            active=True,
            password=self.secret,
            organization=organization,
            roles=[self.roles[role.value]],
        )
        self.session.add(account)

    def _equip(self, number: int, county: Organization) -> None:
        """Give a county its mechanism, and each of its townships published duty lists."""
        self.session.add(build_mechanism(JIUJIANG, county))
        below = select(Organization).where(Organization.parent_id == county.id)
        children = list(self.session.scalars(below.order_by(Organization.id)))
        departments = [each for each in children if each.kind is K.DEPARTMENT]
        for township in (each for each in children if each.kind is K.TOWNSHIP):
            self._lists(township, departments)

    def _lists(self, township: Organization, departments: list[Organization]) -> None:
        items: dict[DutyListType, list[DutyItem]] = {
            DutyListType.BASIC: [DutyItem(name=name) for name in BASIC_ITEMS],
            DutyListType.COORDINATING: [],
            DutyListType.RECLAIMED: [],
        }
        for name, words, reclaimed in ITEMS:
            kind = DutyListType.RECLAIMED if reclaimed else DutyListType.COORDINATING
            named = [next(each for each in departments if word in each.name) for word in words]
            links = [
                DutyItemDepartment(organization=each, position=position)
                for position, each in enumerate(named)
            ]
            items[kind].append(DutyItem(name=name, departments=links))
        for kind, listed in items.items():
            for position, item in enumerate(listed, 1):
                item.position, item.serial, item.category = position, str(position), "综合"
            version = DutyList(
                organization=township,
                list_type=kind,
                number=1,
                title=f"{township.name}{kind.title}",
                items=listed,
                item_count=len(listed),
            )
            self.session.add(version)
            self.session.flush()
            workflow.begin(self.session, version, SYSTEM)
            workflow.apply(self.session, version, "publish", SYSTEM)
