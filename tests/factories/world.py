"""A small world: two counties, each with two townships, communities, departments and every role."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask_appbuilder.security.sqla.models import Role as FabRole
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash

from models.account import Account
from models.agreement import Agreement, AgreementKind
from models.duty import DutyItem, DutyItemDepartment, DutyList, DutyListType
from models.mechanism import Mechanism, ReviewLevel, WhistleClass
from models.organization import Organization
from models.organization import OrganizationKind as K
from models.ticket import Ticket
from presets.mechanisms import JIUJIANG
from presets.mechanisms import build as build_mechanism
from presets.roles import Role
from rules import workflow
from rules.actor import SYSTEM, Actor, acting_as, actor_of
from rules.parties import sync
from rules.workflows.ticket_review import due_step

PASSWORD = "pass-word-2026"

#: (code, name, kind, parent); B is the other county.
PLACES: list[tuple[str, str, K, str | None]] = [
    ("A", "甲县", K.COUNTY, None),
    ("A-CSB", "甲县吹哨办", K.COORDINATION_OFFICE, "A"),
    ("A1", "甲一镇", K.TOWNSHIP, "A"),
    ("A11", "甲一一社区", K.COMMUNITY, "A1"),
    ("A111", "甲一一社区第1网格", K.GRID, "A11"),
    ("A12", "甲一二社区", K.COMMUNITY, "A1"),
    ("A2", "甲二镇", K.TOWNSHIP, "A"),
    ("A21", "甲二一社区", K.COMMUNITY, "A2"),
    ("A-D1", "甲县住建局", K.DEPARTMENT, "A"),
    ("A-D2", "甲县执法局", K.DEPARTMENT, "A"),
    ("A-D3", "甲县公安局", K.DEPARTMENT, "A"),
    ("A1-PCS", "甲一镇派出所", K.STATION, "A1"),
    ("A-U1", "甲县第一中学", K.UNIT, "A"),
    ("A-U2", "甲县医院", K.UNIT, "A"),
    ("B", "乙县", K.COUNTY, None),
    ("B-CSB", "乙县吹哨办", K.COORDINATION_OFFICE, "B"),
    ("B1", "乙一镇", K.TOWNSHIP, "B"),
    ("B11", "乙一一社区", K.COMMUNITY, "B1"),
    ("B-D1", "乙县住建局", K.DEPARTMENT, "B"),
    ("B-U1", "乙县中学", K.UNIT, "B"),
]

#: account → (organisation, role). "2" marks a sibling in the same county, "b" one in the other.
ACCOUNTS: dict[str, tuple[str, Role]] = {
    "admin": ("A", Role.SYSTEM_ADMINISTRATOR),
    "office": ("A-CSB", Role.DISPATCHER),
    "returns": ("A-CSB", Role.RETURN_REVIEWER),
    "party": ("A", Role.ORGANIZATION_DEPARTMENT),
    "duty": ("A", Role.DUTY_LIST_OFFICER),
    "township": ("A1", Role.TOWNSHIP_REVIEWER),
    "township2": ("A2", Role.TOWNSHIP_REVIEWER),
    "community": ("A11", Role.COMMUNITY_STAFF),
    "community2": ("A12", Role.COMMUNITY_STAFF),
    "handler": ("A-D1", Role.DEPARTMENT_HANDLER),
    "handler2": ("A-D2", Role.DEPARTMENT_HANDLER),
    "unit": ("A-U1", Role.UNIT_LIAISON),
    "unit2": ("A-U2", Role.UNIT_LIAISON),
    "inspector": ("A", Role.INSPECTOR),
    "leader": ("A", Role.LEADER),
    "auditor": ("A", Role.AUDITOR),
    "officeb": ("B-CSB", Role.DISPATCHER),
    "partyb": ("B", Role.ORGANIZATION_DEPARTMENT),
    "townshipb": ("B1", Role.TOWNSHIP_REVIEWER),
    "communityb": ("B11", Role.COMMUNITY_STAFF),
    "handlerb": ("B-D1", Role.DEPARTMENT_HANDLER),
}

ITEMS: list[tuple[DutyListType, str, tuple[str, ...]]] = [
    (DutyListType.BASIC, "调解邻里纠纷", ()),
    (DutyListType.COORDINATING, "路灯安装与维修", ("D1", "D2")),
    (DutyListType.COORDINATING, "犬只管理", ("D3",)),
    (DutyListType.RECLAIMED, "拆除违法建筑", ("D2",)),
]


class World:
    """Finds the seeded organisations, accounts and items by their short names."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def place(self, code: str) -> Organization:
        """Return an organisation by its code."""
        return self.session.scalars(select(Organization).where(Organization.code == code)).one()

    def account(self, username: str) -> Account:
        """Return an account by its name."""
        return self.session.scalars(select(Account).where(Account.username == username)).one()

    def actor(self, username: str) -> Actor:
        """Return the actor that an account stands for."""
        return actor_of(self.session, self.account(username))

    def item(self, name: str, county: str = "A") -> DutyItem:
        """Return a published duty item of a county's first township."""
        return self.session.scalars(
            select(DutyItem)
            .join(DutyItem.duty_list)
            .join(DutyList.organization)
            .where(DutyItem.name == name, Organization.code == f"{county}1")
        ).one()

    def whistle_class(self, code: str, county: str = "A") -> WhistleClass:
        """Return a whistle class of a county's mechanism."""
        return self.session.scalars(
            select(WhistleClass)
            .join(WhistleClass.mechanism)
            .join(Mechanism.organization)
            .where(WhistleClass.code == code, Organization.code == county)
        ).one()

    def draft(self, place: str = "A11", code: str = "ordinary", **values: Any) -> Ticket:
        """Return a flushed draft ticket of a place, made under the system's name."""
        with acting_as(self.session, SYSTEM):
            ticket = Ticket(
                title=values.pop("title", "路灯不亮"),
                detail=values.pop("detail", "东门路灯三盏不亮"),
                organization=self.place(place),
                whistle_class=self.whistle_class(code, place[0]),
                **values,
            )
            sync(self.session, ticket)
            self.session.add(ticket)
            self.session.flush()
            workflow.begin(self.session, ticket, SYSTEM)
            self.session.flush()
        return ticket

    def step(
        self, ticket: Any, action: str, who: str, /, now: dt.datetime | None = None, **data: Any
    ) -> Any:
        """Take a workflow step as an account."""
        actor = self.actor(who)
        with acting_as(self.session, actor):
            return workflow.apply(self.session, ticket, action, actor, data, now=now)

    def raised(self, place: str = "A11", who: str = "community", **values: Any) -> Ticket:
        """Return a ticket that waits for township review."""
        ticket = self.draft(place, **values)
        self.step(ticket, "raise", who)
        return ticket

    def reviewed(self, ticket: Ticket) -> None:
        """Take a ticket of A1's ground through every step of its review that is left."""
        who = {ReviewLevel.COMMUNITY: "community", ReviewLevel.TOWNSHIP: "township"}
        while (step := due_step(ticket)) is not None:
            self.step(ticket, "approve", who.get(step.level, "office"))

    def dispatched(
        self, lead: str = "A-D1", assisting: tuple[str, ...] = (), **values: Any
    ) -> Ticket:
        """Return a ticket that its lead department has yet to accept."""
        ticket = self.raised(**values)
        self.reviewed(ticket)
        self.step(
            ticket,
            "dispatch",
            "office",
            lead=self.place(lead).id,
            assisting=[self.place(code).id for code in assisting],
        )
        return ticket

    def agreement(self, community: str, unit: str, number: str, **values: Any) -> Agreement:
        """Return a flushed draft agreement."""
        with acting_as(self.session, SYSTEM):
            agreement = Agreement(
                number=number,
                community=self.place(community),
                unit=self.place(unit),
                kind=values.pop("kind", AgreementKind.CO_BUILDING),
                valid_from=values.pop("valid_from", dt.date(2026, 1, 1)),
                valid_until=values.pop("valid_until", dt.date(2099, 12, 31)),
                **values,
            )
            self.session.add(agreement)
            self.session.flush()
            workflow.begin(self.session, agreement, SYSTEM)
            self.session.flush()
        return agreement


def build(session: Session) -> None:
    """Build the world under the system's name; the caller commits."""
    places: dict[str, Organization] = {}
    for code, name, kind, parent in PLACES:
        places[code] = Organization(
            code=code, name=name, kind=kind, parent=places[parent] if parent else None
        )
        session.add(places[code])
    places["A1-PCS"].home_department = places["A-D3"]
    places["A-D1"].set_aliases(["住建局"])
    session.flush()
    roles = {role.name: role for role in session.scalars(select(FabRole))}
    secret = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1")
    for username, (code, role) in ACCOUNTS.items():
        session.add(
            Account(
                username=username,
                last_name=username,
                first_name="",
                email=f"{username}@example.invalid",
                active=True,
                password=secret,
                organization=places[code],
                roles=[roles[role.value]],
            )
        )
    for county in ("A", "B"):
        session.add(build_mechanism(JIUJIANG, places[county]))
        for township in [code for code in ("A1", "A2", "B1") if code.startswith(county)]:
            _lists(session, places, county, township)
    session.flush()


def _lists(session: Session, places: dict[str, Organization], county: str, township: str) -> None:
    versions: dict[DutyListType, DutyList] = {}
    for kind, name, departments in ITEMS:
        if kind not in versions:
            versions[kind] = DutyList(
                organization=places[township], list_type=kind, number=1, title=kind.title
            )
        item = DutyItem(
            duty_list=versions[kind],
            position=len(versions[kind].items) + 1,
            category="类别",
            name=name,
            departments=[
                DutyItemDepartment(organization=places[f"{county}-{each}"], position=position)
                for position, each in enumerate(departments)
                if f"{county}-{each}" in places
            ],
        )
        session.add(item)
    for version in versions.values():
        version.item_count = len(version.items)
    session.flush()
    for version in versions.values():
        workflow.begin(session, version, SYSTEM)
        workflow.apply(session, version, "publish", SYSTEM)
