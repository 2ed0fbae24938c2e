"""The stage's ledgers of domain section 4, and by hand who sees which of them.

A11 and A-U1 have an agreement in force; those of A12 and A-U2, B11 and B-U1 are drafts, so that
neither side shares anything with the other. Keys name a row's two sides, or its place and its state.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from models.agreement import Agreement
from models.check_in import CheckIn, CheckInActivity
from models.import_job import ImportJob, ImportLayout
from models.letter import LetterTemplate
from models.need import Need
from models.notice import Notice
from models.resource import Resource, ResourceOffer
from models.scan import AgreementScan, ScanKind
from models.service import ServiceNeed, ServiceProject, ServiceResource, ServiceSession
from rules.actor import SYSTEM
from tests.factories import ledgers as make
from tests.factories.world import ACCOUNTS, World

Sees = dict[str, set[str]]


def _each(accounts: tuple[str, ...], keys: set[str]) -> Sees:
    return dict.fromkeys(accounts, keys)


_A_RESOURCES = {"A-U1", "A-U1 draft", "A-U1 for A12", "A-U2"}
RESOURCES: Sees = {
    "admin": _A_RESOURCES | {"B-U1"},
    **_each(("office", "party", "inspector", "leader"), _A_RESOURCES),
    "unit": {"A-U1", "A-U1 draft", "A-U1 for A12"},
    "unit2": {"A-U2"},
    "community": {"A-U1"},
    # Its communities are A11, whose partner A-U1 is, and A12, which the other one is offered to.
    "township": {"A-U1", "A-U1 for A12"},
    **_each(("officeb", "partyb"), {"B-U1"}),
}
_A_NEEDS = {"A11", "A11 gathered", "A12", "A12 held"}
NEEDS: Sees = {
    "admin": _A_NEEDS | {"B11"},
    **_each(("office", "party", "inspector", "leader", "township"), _A_NEEDS),
    "community": {"A11", "A11 gathered"},
    "community2": {"A12", "A12 held"},
    # Published by its partner, and what it holds itself without an agreement in force.
    "unit": {"A11", "A12 held"},
    **_each(("officeb", "partyb", "townshipb", "communityb"), {"B11"}),
}
_A_SIDES = {"A11/A-U1", "A12/A-U2"}
SIDES: Sees = {
    "admin": _A_SIDES | {"B11/B-U1"},
    **_each(("office", "party", "inspector", "leader", "township"), _A_SIDES),
    **_each(("community", "unit"), {"A11/A-U1"}),
    **_each(("community2", "unit2"), {"A12/A-U2"}),
    **_each(("officeb", "partyb", "townshipb", "communityb"), {"B11/B-U1"}),
}
SCANS: Sees = {
    "admin": {"A11", "A12", "B11"},
    **_each(("office", "party", "inspector", "leader", "township"), {"A11", "A12"}),
    **_each(("community", "unit"), {"A11"}),
    **_each(("community2", "unit2"), {"A12"}),
    **_each(("officeb", "partyb", "townshipb", "communityb"), {"B11"}),
}
LEDGERS: dict[type[Any], Sees] = {
    Resource: RESOURCES,
    ResourceOffer: RESOURCES,
    Need: NEEDS,
    ServiceProject: SIDES,
    ServiceNeed: SIDES,
    ServiceResource: SIDES,
    ServiceSession: SIDES,
    CheckIn: SIDES,
    CheckInActivity: SIDES,
    AgreementScan: SCANS,
    LetterTemplate: {"admin": {"A", "B"}, "party": {"A"}, "partyb": {"B"}},
    Notice: {name: {name} for name in ACCOUNTS},
    # Only those who import have uploads at all, and each its own.
    ImportJob: _each(("duty",), {"duty"}) | _each(("township",), {"township"}),
    ImportLayout: _each(("admin", "party", "duty"), {"A"}) | _each(("township",), {"A1"}),
}


def ledgers(world: World, agreements: dict[str, Agreement]) -> dict[type[Any], dict[str, set[int]]]:
    """Build the rows under the system's name, and return their ids by key."""
    resources = {
        "A-U1": make.resource(world, "A-U1", "礼堂"),
        "A-U1 draft": make.resource(world, "A-U1", "操场", offer=False),
        "A-U1 for A12": make.resource(world, "A-U1", "图书馆", to="A12"),
        "A-U2": make.resource(world, "A-U2"),
        "B-U1": make.resource(world, "B-U1"),
    }
    needs = {
        "A11": make.need(world, "A11"),
        "A11 gathered": make.need(world, "A11", "想修亭子", publish=False),
        "A12": make.need(world, "A12"),
        "A12 held": make.need(
            world, "A12", "想借轮椅", publish=False, claimed_by=world.place("A-U1")
        ),
        "B11": make.need(world, "B11"),
    }
    services = {
        "A11/A-U1": _service(world, "A-U1", needs["A11"], resources["A-U1"]),
        "A12/A-U2": _service(world, "A-U2", needs["A12"], resources["A-U2"]),
        "B11/B-U1": _service(world, "B-U1", needs["B11"], resources["B-U1"]),
    }
    members = {
        key: make.check_in(world, unit, place)
        for key, (place, unit) in ((key, key.split("/")) for key in services)
    }
    for member in members.values():
        make.activity(world, member)
    return {
        Resource: _ids(resources),
        ResourceOffer: _children(resources, "offers"),
        Need: _ids(needs),
        ServiceProject: _ids(services),
        ServiceNeed: _children(services, "need_links"),
        ServiceResource: _children(services, "resource_links"),
        ServiceSession: _children(services, "sessions"),
        CheckIn: _ids(members),
        CheckInActivity: _children(members, "activities"),
        AgreementScan: {place: {_scan(world, each)} for place, each in agreements.items()},
        LetterTemplate: {code: {_template(world, code)} for code in ("A", "B")},
        Notice: _notices(world),
        ImportJob: {name: {_job(world, name)} for name in ("duty", "township")},
        ImportLayout: {code: {_layout(world, code)} for code in ("A", "A1")},
    }


def _service(world: World, unit: str, need: Need, resource: Resource) -> ServiceProject:
    service = make.service(
        world, unit, str(need.community.code), needs=[need], resources=[resource]
    )
    make.session_of(world, service)
    return service


def _ids(records: dict[str, Any]) -> dict[str, set[int]]:
    return {key: {record.id} for key, record in records.items()}


def _children(parents: dict[str, Any], name: str) -> dict[str, set[int]]:
    return {key: {child.id for child in getattr(each, name)} for key, each in parents.items()}


def _scan(world: World, agreement: Agreement) -> int:
    scan = AgreementScan(
        agreement=agreement,
        file_name="协议.pdf",
        kind=ScanKind.PDF,
        size=3,
        file_hash="0" * 64,
        uploaded_by=SYSTEM.name,
    )
    number: int = make.made(world, scan).id
    return number


def _template(world: World, code: str) -> int:
    template = LetterTemplate(
        organization=world.place(code),
        file_name="模板.docx",
        file_hash="0" * 64,
        size=3,
        uploaded_by=SYSTEM.name,
    )
    number: int = make.made(world, template).id
    return number


def _job(world: World, account: str) -> int:
    job = ImportJob(
        account_id=world.account(account).id,
        kind="duty-items",
        bundle="0",
        file_name="清单.xlsx",
        stored_name="0.xlsx",
        size=1,
        decisions={},
        findings={},
    )
    number: int = make.made(world, job).id
    return number


def _layout(world: World, code: str) -> int:
    layout = ImportLayout(
        organization=world.place(code), kind="duty-items", mark="0", list_type="basic", columns={}
    )
    number: int = make.made(world, layout).id
    return number


def _notices(world: World) -> dict[str, set[int]]:
    """Return everybody's notices: one made here, and what the steps above told."""
    notice = Notice(
        account_id=world.account("communityb").id,
        key="need:1:claim",
        title="有人认领",
        record_type="need",
        record_id=1,
    )
    make.made(world, notice)
    found: dict[str, set[int]] = {name: set() for name in ACCOUNTS}
    names = {world.account(name).id: name for name in ACCOUNTS}
    for each in world.session.scalars(select(Notice)):
        found[names[each.account_id]].add(each.id)
    return found
