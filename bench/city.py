"""What the simulator needs to know of a database: places, departments, people, classes, items."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from bench.matters import GIVEN, MATTERS, SURNAMES, Matter
from models.account import Account
from models.duty import DutyItem, DutyList, DutyListStatus, DutyListType
from models.mechanism import Mechanism, RatingDimension, WhistleClass
from models.organization import Organization, OrganizationKind, OrganizationLine
from models.ticket import Verdict
from presets.roles import Role
from rules.actor import Actor
from rules.eligibility import judge
from rules.errors import Invalid
from rules.mechanisms import mechanism_for

K = OrganizationKind
RECEIVING = (K.DEPARTMENT, K.STATION)


@dataclass(frozen=True)
class Department:
    """A body that handles tickets; ``pace`` multiplies how long it takes."""

    id: int
    name: str
    handler: Actor
    pace: float


@dataclass(frozen=True)
class Match:
    """What the duty lists of a township say of a matter, calm and in an emergency."""

    item: DutyItem | None
    calm: tuple[Verdict, str]
    emergency: tuple[Verdict, str]


@dataclass
class County:
    """A county that can hold tickets: it has a mechanism, departments and places."""

    id: int
    dispatcher: Actor
    reviewer: Actor
    departments: list[Department]
    ordinary: list[WhistleClass]
    direct: list[WhistleClass]
    dimensions: list[RatingDimension]
    mechanism: Mechanism
    leads: dict[str, Department] = field(default_factory=dict)

    def department(self, word: str) -> Department:
        """Return the department whose name holds the word; always the same one if none does."""
        if word not in self.leads:
            named = [each for each in self.departments if word in each.name]
            spare = self.departments[sum(word.encode()) % len(self.departments)]
            self.leads[word] = named[0] if named else spare
        return self.leads[word]


@dataclass(frozen=True)
class Place:
    """A community or township that blows whistles; ``areas`` are its own and its ancestors' ids."""

    id: int
    name: str
    kind: OrganizationKind
    areas: tuple[int, ...]
    township_id: int
    number_name: str
    county: County
    staff: Actor
    reviewer: Actor
    matches: dict[str, Match]
    weight: float


def load(session: Session, rng: random.Random) -> list[Place]:
    """Return the places that can blow whistles; raises ``Invalid`` if there is none.

    Counties without a mechanism or without departments are left as they are.
    """
    return _Loader(session, rng).places()


class _Loader:
    def __init__(self, session: Session, rng: random.Random) -> None:
        self.session, self.rng = session, rng
        every = select(Organization).where(Organization.active).order_by(Organization.id)
        self.organizations = {each.id: each for each in session.scalars(every)}
        self.areas: dict[int, list[int]] = {}
        lines = select(OrganizationLine.organization_id, OrganizationLine.ancestor_id)
        for organization_id, ancestor_id in session.execute(
            lines.order_by(OrganizationLine.organization_id, OrganizationLine.depth)
        ):
            self.areas.setdefault(organization_id, []).append(ancestor_id)
        self.people = self._people()

    def _people(self) -> dict[tuple[int, Role], Actor]:
        """Return one person for each organisation and role that has any."""
        known = {role.value: role for role in Role}
        found: dict[tuple[int, Role], Actor] = {}
        accounts = select(Account).options(selectinload(Account.roles)).order_by(Account.id)
        for account in self.session.scalars(accounts):
            organization = self.organizations.get(account.organization_id or 0)
            for role in account.roles:
                if organization is not None and role.name in known:
                    key = (organization.id, known[role.name])
                    name = account.get_full_name()
                    found.setdefault(key, self._actor(organization, key[1], name, account.id))
        return found

    def _actor(
        self, organization: Organization, role: Role, name: str, user_id: int | None
    ) -> Actor:
        roles = frozenset({role})
        return Actor(user_id, name, organization.id, organization.name, None, roles)

    def person(self, organization: Organization, role: Role) -> Actor:
        """Return who does a role's work in an organisation; somebody made up if nobody has it."""
        key = (organization.id, role)
        if key not in self.people:
            name = self.rng.choice(SURNAMES) + self.rng.choice(GIVEN)
            self.people[key] = self._actor(organization, role, name, None)
        return self.people[key]

    def places(self) -> list[Place]:
        found: list[Place] = []
        for organization in self.organizations.values():
            if organization.kind is K.COUNTY:
                county = self._county(organization)
                if county is not None:
                    found += self._places_of(county)
        if not found:
            raise Invalid(
                "库里没有可以吹哨的县（市、区）：至少要有一个县启用了吹哨机制，并有职能部门和"
                "乡镇（街道）。请先补齐，或换一个空库。"
            )
        return found

    def _county(self, organization: Organization) -> County | None:
        try:
            mechanism = mechanism_for(self.session, organization.id)
        except Invalid:
            return None
        inside = [
            each
            for each in self.organizations.values()
            if each.kind in RECEIVING and organization.id in self.areas[each.id]
        ]
        departments = [each for each in inside if each.kind is K.DEPARTMENT] or inside
        ordinary = [each for each in mechanism.classes if not each.direct_dispatch]
        direct = [each for each in mechanism.classes if each.direct_dispatch]
        if not departments or not mechanism.classes:
            return None
        office = next(
            (
                each
                for each in self.organizations.values()
                if each.kind is K.COORDINATION_OFFICE and organization.id in self.areas[each.id]
            ),
            organization,
        )
        return County(
            id=organization.id,
            dispatcher=self.person(office, Role.DISPATCHER),
            reviewer=self.person(office, Role.RETURN_REVIEWER),
            departments=[
                Department(
                    each.id,
                    each.name,
                    self.person(each, Role.DEPARTMENT_HANDLER),
                    self.rng.lognormvariate(0, 0.35),
                )
                for each in departments
            ],
            ordinary=ordinary or direct,
            direct=direct,
            dimensions=list(mechanism.dimensions),
            mechanism=mechanism,
        )

    def _places_of(self, county: County) -> list[Place]:
        found = []
        for township in list(self.organizations.values()):
            if township.kind is not K.TOWNSHIP or county.id not in self.areas[township.id]:
                continue
            matches = self._matches(township)
            below = [
                each
                for each in self.organizations.values()
                if each.kind is K.COMMUNITY and township.id in self.areas[each.id]
            ]
            for organization in [township, *below]:
                found.append(self._place(county, township, organization, matches))
        return found

    def _place(
        self,
        county: County,
        township: Organization,
        organization: Organization,
        matches: dict[str, Match],
    ) -> Place:
        reviewer = self.person(township, Role.TOWNSHIP_REVIEWER)
        own = organization is township
        namesakes = [each for each in self.organizations.values() if each.name == township.name]
        realm = self.organizations[county.id].name if len(namesakes) > 1 else ""
        return Place(
            id=organization.id,
            name=organization.name,
            kind=organization.kind,
            areas=tuple(self.areas[organization.id]),
            township_id=township.id,
            number_name=f"{realm}{township.name}",
            county=county,
            staff=reviewer if own else self.person(organization, Role.COMMUNITY_STAFF),
            reviewer=reviewer,
            matches=matches,
            # A township blows about as often as two communities; some places are far busier.
            weight=self.rng.lognormvariate(0, 0.6) * (2 if own else 1),
        )

    def _matches(self, township: Organization) -> dict[str, Match]:
        """Judge each matter once for the township, its stationed branches having been asked."""
        items = list(
            self.session.scalars(
                select(DutyItem)
                .join(DutyItem.duty_list)
                .where(
                    DutyList.organization_id == township.id,
                    DutyList.status == DutyListStatus.PUBLISHED,
                    DutyList.list_type.in_((DutyListType.COORDINATING, DutyListType.RECLAIMED)),
                )
                .options(joinedload(DutyItem.duty_list), selectinload(DutyItem.departments))
                .order_by(DutyItem.id)
            )
        )
        return {matter.problem: self._match(township, items, matter) for matter in MATTERS}

    def _match(self, township: Organization, items: list[DutyItem], matter: Matter) -> Match:
        item = next((each for each in items if matter.item and matter.item in each.name), None)
        calm = judge(self.session, township, item, local_tried=True)
        emergency = judge(self.session, township, item, emergency=True)
        return Match(item, (calm.verdict, calm.reason), (emergency.verdict, emergency.reason))
