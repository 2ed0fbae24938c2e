"""Simulated agreements and lists stand where the rules could have left them."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bench.building import Size, unit_names
from bench.one_letter import COUNTIES, County, OneLetter
from cli.simulate import simulate_one_letter
from models.agreement import Agreement, AgreementStatus
from models.check_in import CheckIn, CheckInActivity
from models.ledger import Event
from models.need import Need, NeedStatus
from models.organization import Organization, OrganizationKind
from models.resource import Resource, ResourceOffer, ResourceStatus
from models.service import (
    ServiceNeed,
    ServiceProject,
    ServiceResource,
    ServiceSession,
    ServiceStatus,
)
from rules import agreements, needs, resources, services
from rules.actor import SYSTEM, acting_as
from rules.chain_ends import broken_ends
from rules.ledger import faults
from rules.scope import reviewed
from tests.conftest import Backend, close, make_app, session_factory
from tests.factories import ledgers
from tests.factories.world import World

UNTIL = dt.date(2026, 11, 21)
SMALL = County(Size(), members=120, needs=300, services=40, resources_each=3)
TABLES: list[type[Any]] = [
    Agreement, Resource, ResourceOffer, Need, ServiceProject, ServiceNeed, ServiceResource,
    ServiceSession, CheckIn, CheckInActivity,
]  # fmt: skip
HELD = (NeedStatus.CLAIMED, NeedStatus.IN_HAND, NeedStatus.DONE, NeedStatus.RATED)


@pytest.fixture
def simulated(session: Session) -> Session:
    """A session on the world with simulated lists."""
    OneLetter(session, SMALL, 3, UNTIL).run()
    return session


def all_of(session: Session, model: type[Any]) -> list[Any]:
    return list(session.scalars(select(model).order_by(model.id)))


def test_records_keep_the_rules(simulated: Session) -> None:
    checks = {
        Agreement: agreements.check,
        Resource: resources.check,
        Need: needs.check,
        ServiceProject: services.check,
        ServiceSession: services.check_session,
    }
    for model, check in checks.items():
        rows = all_of(simulated, model)
        assert rows
        for row in rows:
            check(row)
    for need in all_of(simulated, Need):
        assert (need.claimed_by_id is not None) == (need.status in HELD)
        assert (need.done_on is not None) == (need.status in HELD[2:])
        assert (need.grade is not None) == (need.status is NeedStatus.RATED)
        assert (need.published_on is None) == (need.status is NeedStatus.GATHERED)
        if need.check_in is not None:
            assert need.check_in.unit_id == need.claimed_by_id
            assert need.check_in.community_id == need.community_id


def test_who_holds_a_need_is_a_partner(simulated: Session) -> None:
    bound = {
        (each.community_id, each.unit_id)
        for each in all_of(simulated, Agreement)
        if each.status is AgreementStatus.IN_FORCE
    }
    held = [each for each in all_of(simulated, Need) if each.claimed_by_id]
    assert held
    assert {(each.community_id, each.claimed_by_id) for each in held} <= bound
    for service in all_of(simulated, ServiceProject):
        assert (service.community_id, service.provider_id) in bound


def test_services_and_their_needs_go_together(simulated: Session) -> None:
    met = {
        ServiceStatus.PLANNED: NeedStatus.CLAIMED,
        ServiceStatus.UNDER_WAY: NeedStatus.IN_HAND,
        ServiceStatus.COMPLETED: NeedStatus.DONE,
        ServiceStatus.RATED: NeedStatus.RATED,
    }
    taken: set[int] = set()
    found = all_of(simulated, ServiceProject)
    assert len(found) == SMALL.services
    for service in found:
        assert service.need_links
        for link in service.need_links:
            assert link.need_id not in taken
            taken.add(link.need_id)
            assert link.need.status is met[service.status]
            assert link.need.claimed_by_id == service.provider_id
        for used in service.resource_links:
            assert used.resource.owner_id == service.provider_id
            assert used.resource.status is ResourceStatus.AVAILABLE
        if service.status is ServiceStatus.PLANNED:
            assert not any(each.attended for each in service.sessions)


def test_every_record_was_entered_in_the_ledger(simulated: Session) -> None:
    for model in (Agreement, Resource, Need, ServiceProject, CheckIn):
        chains = simulated.scalar(
            select(func.count(Event.id)).where(Event.record_type == model.__tablename__)
        )
        assert chains == len(all_of(simulated, model))
    for step in simulated.scalars(select(Event).where(Event.note == "模拟数据")):
        assert faults([step]) == []
    assert broken_ends(simulated) == []


def test_the_next_real_record_gets_an_id_of_its_own(simulated: Session) -> None:
    top = simulated.scalar(select(func.max(Need.id))) or 0
    assert ledgers.need(World(simulated), "A11", "真实的需求").id > top


def fingerprint(session: Session) -> str:
    """Return a digest over every row that was written."""
    made = hashlib.sha256()
    for model in TABLES:
        table = model.__table__
        statement = select(table).order_by(table.c.id)
        for row in session.execute(statement, execution_options=reviewed("compares two runs")):
            made.update(repr(tuple(row)).encode())
    return made.hexdigest()


def test_the_same_seed_gives_the_same_rows_and_another_does_not(sqlite: Backend) -> None:
    prints = []
    for seed in (3, 3, 4):
        with session_factory(sqlite.app)() as session, acting_as(session, SYSTEM):
            OneLetter(session, SMALL, seed, UNTIL).run()
            prints.append(fingerprint(session))
            session.rollback()
    assert prints[0] == prints[1] != prints[2]


def test_published_sizes_and_names_for_all_units() -> None:
    wuzhong, dawukou = COUNTIES["wuzhong"], COUNTIES["dawukou"]
    assert (wuzhong.size.units, wuzhong.size.most, wuzhong.members) == (980, 93, 12_800)
    assert (dawukou.size.units, dawukou.size.most) == (52, 65)
    for county in COUNTIES.values():
        assert county.size.townships * county.size.communities >= county.size.most
    names = list(unit_names())
    assert len(set(names)) == len(names) >= 980


def run(app: Flask, *words: str) -> Result:
    """Run the command."""
    return app.test_cli_runner().invoke(simulate_one_letter, words)


def test_production_and_a_filled_database_are_refused(
    sqlite: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = run(sqlite.app, "dawukou", "--password", "pass-word-2026")
    assert answer.exit_code == 1
    assert "请换一个空库" in answer.output
    assert run(sqlite.app, "atlantis").exit_code == 2
    monkeypatch.setitem(sqlite.app.config, "ENVIRONMENT", "production")
    assert run(sqlite.app, "dawukou").output == "生产环境不能生成模拟数据。\n"


def test_an_empty_database_becomes_a_county_whose_people_can_work(tmp_path: Path) -> None:
    app = make_app(f"sqlite:///{tmp_path / 'empty.db'}", tmp_path)
    with app.app_context():
        flask_migrate.upgrade(directory=str(Path(app.root_path) / "migrations"))
    assert run(app, "dawukou").exit_code == 2  # no password given
    answer = run(app, "dawukou", "--password", "pass-word-2026", "--until", "2026-11-21")
    assert answer.exit_code == 0, answer.output
    with session_factory(app)() as session, acting_as(session, SYSTEM):
        for kind, number in ((OrganizationKind.UNIT, 52), (OrganizationKind.COMMUNITY, 65)):
            counted = select(func.count(Organization.id)).where(Organization.kind == kind)
            assert session.scalar(counted) == number
    for name, page in (("party1", "/coverage/"), ("unit1-52", "/numbers/units/")):
        client = app.test_client()
        client.post("/login/", data={"username": name, "password": "pass-word-2026"})
        assert client.get(page).status_code == 200
    close(app)
