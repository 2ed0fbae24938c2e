"""Taking back the import of a ledger: all of it, or a sentence that names what stands against it."""

from __future__ import annotations

import datetime as dt
import decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from imports.undo import undo
from models.check_in import CheckIn, CheckInActivity
from models.need import Need
from models.resource import Resource, ResourceOffer
from models.service import ServiceNeed, ServiceProject
from rules import workflow
from rules.actor import SYSTEM, acting_as
from rules.errors import Conflict, Forbidden
from rules.ledger import events_of
from tests.factories.world import World
from tests.imports.ledgers import LEDGERS, SOUND, change, exported, imported, rows_of, spec_named
from tests.imports.test_ledger_imports import EDITS


@pytest.fixture
def party(session: Session, world: World) -> Any:
    """A session that acts for the organisation department of county A."""
    with acting_as(session, world.actor("party")):
        yield session


@pytest.mark.parametrize("kind", LEDGERS)
def test_all_of_it_is_taken_back(party: Session, tmp_path: Path, kind: str) -> None:
    spec = spec_named(kind)
    imported(party, tmp_path, kind, SOUND[kind])
    before = rows_of(exported(party, tmp_path, kind))
    name, value = EDITS[kind]
    new = change(kind, **{spec.key[-1]: "新的一条"})
    batch = imported(party, tmp_path, kind, change(kind, **{name: value}), new)
    assert rows_of(exported(party, tmp_path, kind)) != before
    result = undo(party, batch)
    party.commit()
    assert (result.removed, result.restored) == (1, 1)
    assert rows_of(exported(party, tmp_path, kind)) == before
    with pytest.raises(Conflict, match="已经撤销过"):
        undo(party, batch)


def test_communities_of_a_resource_return(party: Session, tmp_path: Path) -> None:
    imported(party, tmp_path, "resources", SOUND["resources"])
    batch = imported(party, tmp_path, "resources", change("resources", offers=None))
    assert party.scalar(select(func.count(ResourceOffer.id))) == 0
    undo(party, batch)
    party.commit()
    resource = party.scalars(select(Resource)).one()
    assert [each.organization.code for each in resource.offers] == ["A11", "A12"]


def test_what_has_been_changed_since_is_named(party: Session, tmp_path: Path) -> None:
    rows = [change("needs", title=f"需求{n}") for n in range(7)]
    batch = imported(party, tmp_path, "needs", *rows)
    for need in party.scalars(select(Need).where(Need.title.in_(["需求2", "需求5"]))):
        need.detail = "后来写的"
    party.commit()
    with pytest.raises(Conflict) as refusal:
        undo(party, batch)
    assert str(refusal.value) == ("导入之后又有改动：“需求2”“需求5”，不能撤销；请先改回这些记录。")
    party.rollback()
    assert party.scalar(select(func.count(Need.id))) == 7
    assert batch.state.value == "applied"


def test_many_are_counted(party: Session, tmp_path: Path) -> None:
    rows = [change("needs", title=f"需求{n}") for n in range(7)]
    batch = imported(party, tmp_path, "needs", *rows)
    for need in party.scalars(select(Need)):
        need.detail = "后来写的"
    party.commit()
    with pytest.raises(Conflict, match="“需求4”等 7 条，不能撤销"):
        undo(party, batch)


def test_what_has_gone_a_step_further_is_named(party: Session, tmp_path: Path) -> None:
    batch = imported(party, tmp_path, "needs", SOUND["needs"], change("needs", title="另一个"))
    need = party.scalars(select(Need).where(Need.title == "课后托管")).one()
    with acting_as(party, SYSTEM):
        workflow.apply(party, need, "publish", SYSTEM)
        workflow.apply(party, need, "recall", SYSTEM, {"note": "再想想"})
    party.commit()
    with pytest.raises(Conflict, match="“课后托管”，不能撤销"):
        undo(party, batch)
    party.rollback()
    assert len(events_of(party, need)) == 3


def test_what_others_refer_to_is_named(party: Session, tmp_path: Path) -> None:
    batch = imported(party, tmp_path, "needs", SOUND["needs"], change("needs", title="另一个"))
    imported(party, tmp_path, "services", SOUND["services"])
    need = party.scalars(select(Need).where(Need.title == "另一个")).one()
    service = party.scalars(select(ServiceProject)).one()
    with acting_as(party, SYSTEM):
        party.add(ServiceNeed(service=service, need=need))
        party.commit()
    with pytest.raises(Conflict, match="已经被其他记录引用：“另一个”"):
        undo(party, batch)


def test_what_has_rows_of_its_own_is_named(party: Session, tmp_path: Path) -> None:
    """Deleting the check-in would delete what its member has done."""
    batch = imported(party, tmp_path, "check-ins", SOUND["check-ins"])
    check_in = party.scalars(select(CheckIn)).one()
    activity = CheckInActivity(
        held_on=dt.date(2026, 3, 2), hours=decimal.Decimal("1.5"), content="宣传", place="广场"
    )
    with acting_as(party, SYSTEM):
        activity.check_in_id = check_in.id
        party.add(activity)
        party.commit()
    with pytest.raises(Conflict, match="下面已经有了内容：“李强”"):
        undo(party, batch)
    party.rollback()
    assert party.scalar(select(func.count(CheckInActivity.id))) == 1


def test_communities_that_were_chosen_since_stand_against_it(
    party: Session, tmp_path: Path
) -> None:
    batch = imported(party, tmp_path, "resources", SOUND["resources"])
    resource = party.scalars(select(Resource)).one()
    resource.offers.append(ResourceOffer(organization=World(party).place("A21")))
    party.commit()
    with pytest.raises(Conflict, match="导入之后又有改动：“报告厅”"):
        undo(party, batch)


def test_what_was_deleted_since(party: Session, tmp_path: Path) -> None:
    batch = imported(party, tmp_path, "needs", SOUND["needs"])
    party.delete(party.scalars(select(Need)).one())
    party.commit()
    with pytest.raises(Conflict, match="“课后托管”已被删除"):
        undo(party, batch)


def test_titles_out_of_reach_are_not_told(session: Session, world: World, tmp_path: Path) -> None:
    """The administrator of county A brought in a need of B; A's organisation department is told no more."""
    with acting_as(session, world.actor("admin")):
        batch = imported(session, tmp_path, "needs", change("needs", community="乙一一社区"))
    with acting_as(session, world.actor("party")), pytest.raises(Conflict) as refusal:
        undo(session, batch)
    assert str(refusal.value).startswith("这一批里有 1 条记录不在您的权限范围内")
    assert "课后托管" not in str(refusal.value)


@pytest.mark.parametrize("username", ["duty", "office", "unit"])
def test_who_may_not_import_does_not_undo(
    session: Session, world: World, tmp_path: Path, username: str
) -> None:
    batch = imported(session, tmp_path, "needs", SOUND["needs"])
    with acting_as(session, world.actor(username)), pytest.raises(Forbidden):
        undo(session, batch)
