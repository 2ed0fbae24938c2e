"""Many rows of every type, so that a page's statements can be counted with few and with many."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.account import Account
from models.agreement import Agreement, AgreementKind
from models.check_in import CheckIn
from models.duty import DutyItem, DutyItemDepartment, DutyList, DutyListType
from models.imports import ImportBatch
from models.ledger import AuditEntry
from models.mechanism import CalendarOverride, Mechanism
from models.notice import Notice
from models.organization import Organization, OrganizationKind
from models.service import ServiceNeed, ServiceProject, ServiceResource
from models.ticket import Ticket
from rules import workflow
from rules.actor import SYSTEM
from tests.factories import ledgers
from tests.factories.world import World

#: The first rows have a ticket at every stage, the others a draft and one at work.
VARIED = 3
ROADS = [
    [],
    ["raise", "approve", "approve", "dispatch"],
    ["raise"],
    ["raise", "approve", "approve"],
    ["raise", "approve", "approve", "dispatch", "accept"],
    ["raise", "approve", "approve", "dispatch", "request_return"],
    ["raise", "approve", "approve", "dispatch", "accept", "arrive", "report_result"],
]
DAY = dt.date(2026, 1, 1)
TODAY = dt.datetime.now(dt.UTC).date()


class Many:
    """Adds rows of every type, each with as many related rows as the pages show."""

    def __init__(self, session: Session) -> None:
        self.session, self.world = session, World(session)
        self.units: list[Organization] = []

    def add(self, number: int) -> None:
        """Add so many rows of each type; called again, so many more."""
        start = len(self.session.scalars(select(CalendarOverride.id)).all())
        for each in range(start, start + number):
            self.organizations(each)
            self.agreements(each)
            self.duty_lists(each)
            self.tickets(each)
            self.ledgers(each)
            self.others(each)
        self.session.commit()

    def organizations(self, number: int) -> None:
        unit = Organization(
            code=f"U{number:03}",
            name=f"单位{number:03}",
            kind=OrganizationKind.UNIT,
            parent=self.world.place("A11"),
        )
        unit.set_aliases([f"别名{number}"])
        self.session.add(unit)
        self.session.flush()
        self.unit = unit

    def agreements(self, number: int) -> None:
        for status in ("draft", "in_force"):
            agreement = Agreement(
                number=f"协{number:03}{status}",
                community=self.world.place("A11"),
                unit=self.unit,
                kind=AgreementKind.CO_BUILDING,
                valid_from=DAY,
                # Many end on the same day: ties in the order.
                valid_until=TODAY + dt.timedelta(days=number % 3 + 1),
            )
            self.begin(agreement)
            if status == "in_force":
                workflow.apply(self.session, agreement, "bring_into_force", SYSTEM)

    def begin(self, record: Any) -> None:
        self.session.add(record)
        self.session.flush()
        workflow.begin(self.session, record, SYSTEM)

    def duty_lists(self, number: int) -> None:
        version = DutyList(
            organization=self.world.place("A1"),
            list_type=DutyListType.CATALOGUE,
            number=number + 1,
            item_count=1,
        )
        self.begin(version)
        first = self.session.scalars(
            select(DutyList).where(DutyList.organization_id == version.organization_id)
        ).first()
        for owner, position in ((version, 1), (first, 100 + number)):
            departments = [self.world.place(code) for code in ("A-D1", "A-D2", "A-D3")]
            item = DutyItem(
                duty_list=owner,
                position=position,
                # Names repeat: ties in the order.
                name=f"事项{number % 7}",
                departments=[
                    DutyItemDepartment(organization=each, position=place)
                    for place, each in enumerate(departments)
                ],
            )
            self.session.add(item)

    def tickets(self, number: int) -> None:
        world, title = self.world, f"路灯{number:03}"
        for road in ROADS if number < VARIED else ROADS[:2]:
            ticket: Ticket = world.draft("A11", title=title)
            for action in road:
                workflow.apply(self.session, ticket, action, SYSTEM, self.inputs())

    def inputs(self) -> dict[str, Any]:
        lead, other = self.world.place("A-D1").id, self.world.place("A-D2").id
        return {"lead": lead, "assisting": [other], "note": "说明", "result": "修好了"}

    def ledgers(self, number: int) -> None:
        """Rows of A11 and A-U1, tied to those that the pages under test show, where there are any."""
        world = self.world
        resource = ledgers.resource(world, "A-U1", f"礼堂{number:03}")
        need = ledgers.need(world, "A11", f"想要{number:03}")
        service = self.first(ServiceProject, ServiceProject.title.contains("s11"))
        service = service or ledgers.service(world, "A-U1", "A11", "活动室s11")
        if number < VARIED:
            service.need_links.append(ServiceNeed(need=need))
            service.resource_links.append(ServiceResource(resource=resource))
        ledgers.service(
            world, "A-U1", "A11", f"服务{number:03}", needs=[need], resources=[resource]
        )
        ledgers.session_of(world, service, ago=number)
        ledgers.check_in(world, "A-U1", "A11", f"党员{number:03}")
        member = self.first(CheckIn, CheckIn.member.contains("k11"))
        member = member or ledgers.check_in(world, "A-U1", "A11", "党员k11")
        ledgers.activity(world, member, ago=number)
        self.session.add(
            Notice(
                account_id=world.account("unit").id,
                key=f"many:{number}",
                title="有人认领",
                record_type="need",
                record_id=need.id,
            )
        )

    def first(self, model: type[Any], test: Any) -> Any:
        return self.session.scalars(select(model).where(test)).one_or_none()

    def others(self, number: int) -> None:
        self.session.add(CalendarOverride(day=DAY + dt.timedelta(days=number), working=True))
        place = self.world.place("A1")
        account = Account(
            username=f"person{number:03}",
            last_name="张三",
            first_name="",
            email=f"person{number}@example.invalid",
            active=True,
            password="",
            organization=self.unit,
            roles=list(self.world.account("community").roles),
        )
        self.session.add(account)
        county = self.world.place("A")
        self.session.add(
            Mechanism(
                organization=county, number=number + 2, name="九江", preset="x", in_force=False
            )
        )
        self.session.add(
            ImportBatch(
                kind="duty-items",
                organization=place,
                file_name=f"清单{number}.xlsx",
                file_hash="0" * 64,
                summary=[],
                actor_name="张三",
            )
        )
        self.session.add(
            AuditEntry(
                record_type="agreement",
                record_id=1,
                record_title="协议",
                action="update",
                changes={"objectives": ["一", "二"]},
                actor_name="张三",
                organization_id=county.id,
                organization_name="甲县",
            )
        )
