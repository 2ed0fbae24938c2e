"""Who may import which ledger for whom: judged row by row, before anything is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from imports.engine import apply, preview
from imports.places import Places
from models.agreement import Agreement
from models.imports import ImportBatch
from models.need import Need
from rules import policy, workflow
from rules.actor import SYSTEM, acting_as, set_actor
from rules.errors import Forbidden, OutOfScope
from rules.policy import Action, Scope
from tests.factories.world import World
from tests.imports.ledgers import (
    LEDGERS,
    SOUND,
    change,
    counts,
    exported,
    imported,
    planned,
    problems,
    sheet,
    spec_named,
)

#: Account → the ledgers that it imports (domain section 7).
MAY = {
    "admin": LEDGERS,
    "party": LEDGERS,
    "township": ("needs",),
    "community": ("needs",),
    "unit": ("resources",),
    "handler": ("resources",),
    "office": (),
    "duty": (),
    "inspector": (),
    "leader": (),
    "auditor": (),
    "returns": (),
}


@pytest.mark.parametrize("username", MAY)
def test_who_imports_what(sqlite_session: Session, tmp_path: Path, username: str) -> None:
    with acting_as(sqlite_session, World(sqlite_session).actor(username)):
        for kind in LEDGERS:
            path = sheet(tmp_path, kind, SOUND[kind])
            if kind in MAY[username]:
                preview(sqlite_session, kind, path)
            else:
                with pytest.raises(Forbidden, match="没有导入的权限"):
                    preview(sqlite_session, kind, path)


@pytest.mark.parametrize(
    ("username", "kind", "field", "name", "near"),
    [
        ("community", "needs", "community", "甲一二社区", "甲一一社区"),
        ("community", "needs", "community", "乙一一社区", "甲一一社区"),
        ("township", "needs", "community", "甲二一社区", "甲一一社区"),
        ("unit", "resources", "owner", "甲县医院", "甲县第一中学"),
        ("unit", "resources", "owner", "乙县中学", "甲县第一中学"),
        ("handler", "resources", "owner", "甲县执法局", "甲县住建局"),
        ("party", "agreements", "community", "乙一一社区", "甲一一社区"),
        ("party", "agreements", "unit", "乙县中学", "甲县第一中学"),
        ("party", "services", "provider", "乙县住建局", "甲县住建局"),
        ("party", "check-ins", "community", "乙一一社区", "甲一一社区"),
        ("partyb", "needs", "community", "甲一一社区", "乙一一社区"),
    ],
)
def test_organisations_out_of_reach_are_refused_by_row(
    session: Session,
    world: World,
    tmp_path: Path,
    username: str,
    kind: str,
    field: str,
    name: str,
    near: str,
) -> None:
    with acting_as(session, world.actor(username)):
        key = spec_named(kind).key[-1]
        rows = [change(kind, **{field: near}), change(kind, **{field: name, key: "另一条"})]
        [problem] = problems(session, tmp_path, kind, *rows)
    assert problem.value == name
    assert problem.message.startswith(f"“{name}”不在您可以登记")
    assert near in problem.message
    assert problem.cell.endswith("3")


def test_the_gate_has_the_last_word(session: Session, world: World, tmp_path: Path) -> None:
    """Whatever the preview says: a flush for somebody who may not is refused as a whole."""
    with acting_as(session, SYSTEM):
        plan = planned(session, tmp_path, "needs", change("needs", community="乙一一社区"))
        set_actor(session, world.actor("community"))
        with pytest.raises(OutOfScope):
            apply(session, plan)
        session.rollback()
        set_actor(session, SYSTEM)
    assert session.scalar(select(func.count(Need.id))) == 0


def test_a_number_that_is_taken_out_of_reach(
    session: Session, world: World, tmp_path: Path
) -> None:
    """The database would refuse it; the row says so, and no more than that."""
    world.agreement("B11", "B-U1", "甲党建〔2026〕1号")
    session.commit()
    with acting_as(session, world.actor("party")):
        [problem] = problems(session, tmp_path, "agreements", SOUND["agreements"])
    assert (problem.cell, problem.value) == ("A2", "甲党建〔2026〕1号")
    assert problem.message == "“协议编号”与您权限范围之外的一条记录重复，请换一个。"


def test_a_record_of_both_counties_is_read_and_left_alone(
    session: Session, world: World, tmp_path: Path
) -> None:
    """One side is in reach: its export says nothing new, and a change of it is refused."""
    world.agreement("A11", "B-U1", "跨县〔2026〕1号")
    session.commit()
    with acting_as(session, world.actor("party")):
        path = exported(session, tmp_path, "agreements")
        assert counts(preview(session, "agreements", path)) == (0, 0, 1, 0)
        row = change("agreements", number="跨县〔2026〕1号", unit="乙县中学", objectives="新")
        [problem] = problems(session, tmp_path, "agreements", row)
    assert "不在您可以修改的范围内" in problem.message


def test_needs_that_partners_share_are_not_imported_over(
    session: Session, world: World, tmp_path: Path
) -> None:
    """A community may read another's need by no agreement, and never writes it."""
    imported(session, tmp_path, "needs", change("needs", community="甲一二社区"))
    with acting_as(session, world.actor("community")):
        row = change("needs", community="甲一二社区", detail="新")
        [problem] = problems(session, tmp_path, "needs", row)
        assert problem.message.startswith("“甲一二社区”不在您可以登记")
        assert session.scalars(select(Need)).all() == []


@pytest.fixture
def sides(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let communities import service projects of which they are one side."""
    line = (policy.Role.COMMUNITY_STAFF, "service_project", (Action.IMPORT,), Scope.SIDE)
    monkeypatch.setattr(policy, "POLICY", (*policy.POLICY, line))
    policy.scopes.cache_clear()
    yield
    monkeypatch.undo()
    policy.scopes.cache_clear()


def test_partners_are_right_where_one_side_is_mine(
    session: Session, world: World, tmp_path: Path, sides: None
) -> None:
    agreement = world.agreement("A11", "A-U1", "一")
    workflow.apply(session, agreement, "bring_into_force", SYSTEM)
    session.commit()
    with acting_as(session, world.actor("community")):
        places = Places(session, "service_project")
        assert places.find("甲县第一中学").near
        assert not places.find("甲县医院").near
        rows = [
            SOUND["services"],
            change("services", provider="甲县医院"),
            change("services", community="甲一二社区"),
        ]
        found = problems(session, tmp_path, "services", *rows)
        assert [(each.cell, each.value) for each in found] == [
            ("B3", "甲县医院"),
            ("A4", "甲一二社区"),
        ]
        batch = imported(session, tmp_path, "services", SOUND["services"])
        assert batch.organization_id == world.place("A11").id


def test_two_partners_without_me_are_no_side_of_mine(
    session: Session, world: World, tmp_path: Path, sides: None
) -> None:
    """Each name by itself is right; the row is nobody's of mine."""
    agreement = world.agreement("A11", "A-U1", "一")
    workflow.apply(session, agreement, "bring_into_force", SYSTEM)
    session.commit()
    with acting_as(session, world.actor("community")):
        row = change("services", community="甲县第一中学", provider="甲县第一中学")
        [problem] = problems(session, tmp_path, "services", row)
        assert problem.message.startswith("这一行的各方中没有本单位")


def test_batches_are_their_makers(session: Session, world: World, tmp_path: Path) -> None:
    with acting_as(session, world.actor("community")):
        imported(session, tmp_path, "needs", SOUND["needs"])
    with acting_as(session, world.actor("unit")):
        imported(session, tmp_path, "resources", SOUND["resources"])
    seen = {}
    for username in ("community", "community2", "township", "party", "unit", "unit2", "partyb"):
        with acting_as(session, world.actor(username)):
            seen[username] = list(
                session.scalars(select(ImportBatch.kind).order_by(ImportBatch.id))
            )
    assert seen == {
        "community": ["needs"],
        "community2": [],
        "township": ["needs"],
        "party": ["needs", "resources"],
        "unit": ["resources"],
        "unit2": [],
        "partyb": [],
    }


def test_masked_numbers_leave_the_numbers_as_they_are(
    session: Session, world: World, tmp_path: Path
) -> None:
    """An administrator reads them masked: his export comes back and changes none of them."""
    imported(session, tmp_path, "needs", SOUND["needs"])
    with acting_as(session, world.actor("admin")):
        path = exported(session, tmp_path, "needs")
        plan = preview(session, "needs", path)
        assert (counts(plan), plan.sheets[0].warnings) == ((0, 0, 1, 0), [])
        plan = planned(session, tmp_path, "needs", change("needs", phone="13912345678"))
        assert counts(plan) == (0, 0, 1, 0), (
            "as in the form, he does not change what he cannot read"
        )
        [told] = plan.sheets[0].warnings
        assert "您看不到这条记录的“联系电话”" in told.message
        [problem] = problems(
            session, tmp_path, "needs", change("needs", title="新", phone="138****5678")
        )
        assert "请填写完整的号码，或留空" in problem.message
    with acting_as(session, world.actor("party")):
        for masked, warned in (("138****5678", 0), ("139****5678", 1)):
            plan = planned(session, tmp_path, "needs", change("needs", phone=masked))
            assert counts(plan) == (0, 0, 1, 0)
            assert len(plan.sheets[0].warnings) == warned
        imported(session, tmp_path, "needs", change("needs", phone="139****5678", detail="新"))
        assert session.scalars(select(Need.phone)).all() == ["13812345678"]
        imported(session, tmp_path, "needs", change("needs", phone="13912345678"))
        assert session.scalars(select(Need.phone)).all() == ["13912345678"]


def test_the_system_imports_for_all(session: Session, tmp_path: Path) -> None:
    rows = [
        SOUND["agreements"],
        change("agreements", number="乙〔2026〕1号", community="乙一一社区", unit="乙县中学"),
    ]
    batch = imported(session, tmp_path, "agreements", *rows)
    assert batch.organization_id is None
    assert session.scalar(select(func.count(Agreement.id))) == 2
