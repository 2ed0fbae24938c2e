"""Who may import what for whom, and what happens when two do so at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from imports.engine import apply, preview
from imports.undo import undo
from models.duty import DutyList
from models.imports import ImportBatch
from models.organization import Organization
from rules.actor import SYSTEM, acting_as
from rules.errors import Conflict, Forbidden, Invalid, OutOfScope, Refused
from tests.factories.world import World
from tests.imports.books import ORGANIZATIONS, THREE_LISTS, make_book
from tests.imports.conftest import Place, lists_of_demo, session_beside


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A list that names a department of each seeded county's own."""
    rows = [["序号", "事项名称", "承接部门"], [1, "夜间施工扰民", "甲县住建局"]]
    return make_book(tmp_path / "收回.xlsx", ("收回", rows))


@pytest.mark.parametrize(
    ("username", "code"), [("admin", "A1"), ("duty", "A1"), ("duty", "A2"), ("township", "A1")]
)
def test_who_may_import_and_undo(
    session: Session, world: World, small: Path, username: str, code: str
) -> None:
    who, place = world.actor(username), world.place(code)
    with acting_as(session, who):
        batch = apply(session, preview(session, "duty-items", small, owner=place))
        assert batch is not None
        assert (batch.actor_id, batch.actor_name) == (who.user_id, who.name)
        session.commit()
        undo(session, batch)
        session.commit()
    assert batch.undone_by == who.name


@pytest.mark.parametrize(
    ("username", "code", "refusal"),
    [
        ("township", "A2", OutOfScope),
        ("township", "B1", OutOfScope),
        ("townshipb", "A1", OutOfScope),
        ("duty", "B1", OutOfScope),
        ("community", "A1", Forbidden),
        ("handler", "A1", Forbidden),
        ("leader", "A1", Forbidden),
        ("auditor", "A1", Forbidden),
    ],
)
def test_who_may_not(
    session: Session, world: World, small: Path, username: str, code: str, refusal: type[Refused]
) -> None:
    who, place = world.actor(username), world.place(code)
    with acting_as(session, who), pytest.raises(refusal):
        preview(session, "duty-items", small, owner=place)


def test_only_the_administrator_imports_organizations(session: Session, world: World) -> None:
    with acting_as(session, world.actor("duty")), pytest.raises(Forbidden):
        preview(session, "organizations", ORGANIZATIONS)
    with acting_as(session, world.actor("admin")):
        assert apply(session, preview(session, "organizations", ORGANIZATIONS)) is not None


def test_another_county_cannot_undo(session: Session, world: World, small: Path) -> None:
    batch = apply(session, preview(session, "duty-items", small, owner=world.place("A1")))
    assert batch is not None
    session.commit()
    with acting_as(session, world.actor("townshipb")):
        assert session.scalars(select(ImportBatch)).all() == []
        with pytest.raises(Refused):
            undo(session, batch)
    session.rollback()
    with acting_as(session, world.actor("community")), pytest.raises(Forbidden):
        undo(session, batch)


def test_departments_of_another_county_are_unknown(
    session: Session, world: World, small: Path
) -> None:
    plan = preview(session, "duty-items", small, owner=world.place("B1"))
    [problem] = plan.errors
    assert (problem.cell, problem.value) == ("C2", "甲县住建局")
    assert "乙县住建局" in problem.message
    assert "甲县" not in problem.message.replace("“甲县住建局”", "")


def test_lists_need_an_owner_and_a_known_kind(session: Session, small: Path) -> None:
    with pytest.raises(Invalid, match="请选择"):
        preview(session, "duty-items", small)
    with pytest.raises(Invalid, match="没有"):
        preview(session, "tickets", small)


def test_of_two_first_imports_at_once_one_is_refused(county: Session, place: Place) -> None:
    town = place("城关镇")
    plan = preview(county, "duty-items", THREE_LISTS, owner=town)
    with session_beside(county) as other:
        same = other.get_one(Organization, town.id)
        assert apply(other, preview(other, "duty-items", THREE_LISTS, owner=same)) is not None
        other.commit()
    with pytest.raises(Conflict, match="重新预览"):
        apply(county, plan)
    county.rollback()
    assert [each.number for each in lists_of_demo(county)] == [1, 1, 1]


def test_of_two_undos_at_once_one_is_refused(county: Session, place: Place) -> None:
    batch = apply(county, preview(county, "duty-items", THREE_LISTS, owner=place("城关镇")))
    assert batch is not None
    county.commit()
    assert batch.state.value == "applied"
    with session_beside(county) as other:
        undo(other, other.get_one(ImportBatch, batch.id))
        other.commit()
    with acting_as(county, SYSTEM), pytest.raises(Conflict):
        undo(county, batch)
    county.rollback()
    assert county.scalars(select(DutyList).where(DutyList.title.like("城关镇%"))).all() == []
