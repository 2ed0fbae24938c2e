"""The calendar's overrides by workbook: what a file lacks may go, and comes back with an undo."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from imports.decisions import Decisions
from imports.engine import apply, preview
from imports.plan import Plan
from imports.undo import undo
from models.mechanism import CalendarOverride
from models.need import Need
from rules.actor import acting_as
from rules.errors import Conflict, Forbidden
from tests.factories.world import World
from tests.imports.ledgers import change, counts, exported, imported, planned, sheet

DAYS: list[dict[str, Any]] = [
    {"day": "2026-10-01", "working": "否", "note": "国庆节"},
    {"day": "2026年10月10日", "working": "是", "note": "=调休"},
    {"day": "2026/12/31", "working": "否", "note": None},
]


@pytest.fixture
def admin(session: Session, world: World) -> Any:
    """A session that acts for the administrator."""
    with acting_as(session, world.actor("admin")):
        yield session


def standing(session: Session) -> list[tuple[int, str, bool, str | None]]:
    """Return the overrides as they stand."""
    query = select(CalendarOverride).order_by(CalendarOverride.day)
    return [
        (each.id, each.day.isoformat(), each.working, each.note) for each in session.scalars(query)
    ]


def lacking(session: Session, folder: Path, *rows: dict[str, Any]) -> Plan:
    """Return the plan of a file whose lacking days are to go."""
    path = sheet(folder, "calendar", *rows)
    return preview(session, "calendar", path, decisions=Decisions(retire=True))


def test_days_are_told_apart_by_the_day(admin: Session, tmp_path: Path) -> None:
    imported(admin, tmp_path, "calendar", *DAYS)
    assert [each[1:] for each in standing(admin)] == [
        ("2026-10-01", False, "国庆节"),
        ("2026-10-10", True, "=调休"),
        ("2026-12-31", False, None),
    ]
    assert counts(planned(admin, tmp_path, "calendar", *DAYS)) == (0, 0, 3, 0)
    plan = preview(admin, "calendar", exported(admin, tmp_path, "calendar"))
    assert (plan.errors, counts(plan)) == ([], (0, 0, 3, 0))
    plan = planned(admin, tmp_path, "calendar", DAYS[0] | {"working": "是"})
    assert counts(plan) == (0, 1, 0, 2)
    assert (plan.sheets[0].retirable, plan.sheets[0].retires) == (True, False)


def test_what_a_file_lacks_goes_if_asked_and_comes_back(admin: Session, tmp_path: Path) -> None:
    imported(admin, tmp_path, "calendar", *DAYS)
    before = standing(admin)
    plan = lacking(
        admin, tmp_path, DAYS[0] | {"note": "国庆"}, {"day": "2027-01-01", "working": "否"}
    )
    assert (plan.errors, counts(plan)) == ([], (1, 1, 0, 2))
    assert [each.title for each in plan.sheets[0].missing] == ["2026-10-10", "2026-12-31"]
    batch = apply(admin, plan)
    assert batch is not None
    admin.commit()
    assert [each[1] for each in standing(admin)] == ["2026-10-01", "2027-01-01"]
    gone = [each for each in batch.changes if each.after is None]
    assert [each.before for each in gone] == [
        {"day": "2026-10-10", "working": True, "note": "=调休"},
        {"day": "2026-12-31", "working": False, "note": None},
    ]
    result = undo(admin, batch)
    admin.commit()
    assert (result.removed, result.restored) == (1, 3)
    assert standing(admin) == before, "under their old numbers"


def test_only_lacking_days_are_a_difference_as_well(admin: Session, tmp_path: Path) -> None:
    first = imported(admin, tmp_path, "calendar", *DAYS)
    plan = lacking(admin, tmp_path, *DAYS[:2])
    assert plan.differs
    second = apply(admin, plan)
    assert second is not None
    admin.commit()
    assert len(standing(admin)) == 2
    assert not lacking(admin, tmp_path, *DAYS[:2]).differs
    undo(admin, second)
    admin.commit()
    assert undo(admin, first).removed == 3, "what came back is still the first batch's"
    admin.commit()
    assert standing(admin) == []


def test_a_day_that_somebody_has_written_anew_stands_against_the_undo(
    admin: Session, tmp_path: Path
) -> None:
    imported(admin, tmp_path, "calendar", *DAYS)
    batch = apply(admin, lacking(admin, tmp_path, *DAYS[:2]))
    assert batch is not None
    admin.commit()
    admin.add(CalendarOverride(day=dt.date(2026, 12, 31), working=True))
    admin.commit()
    with pytest.raises(Conflict, match="没有撤销"):
        undo(admin, batch)


def test_a_type_with_a_life_of_its_own_is_never_removed(
    session: Session, world: World, tmp_path: Path
) -> None:
    with acting_as(session, world.actor("party")):
        imported(session, tmp_path, "needs", change("needs"), change("needs", title="二"))
        path = sheet(tmp_path, "needs", change("needs"))
        plan = preview(session, "needs", path, decisions=Decisions(retire=True))
        assert counts(plan) == (0, 0, 1, 1)
        [one] = plan.sheets
        assert (one.retires, one.retirable, plan.differs) == (False, False, False)
        assert apply(session, plan) is None
        assert len(session.scalars(select(Need)).all()) == 2


@pytest.mark.parametrize("username", ["party", "duty", "leader", "community"])
def test_the_calendar_is_the_administrator_s(
    session: Session, world: World, tmp_path: Path, username: str
) -> None:
    with acting_as(session, world.actor(username)), pytest.raises(Forbidden):
        planned(session, tmp_path, "calendar", *DAYS)
