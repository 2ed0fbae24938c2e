"""Sessions and activities: their rows name what they hang from, for certain or not at all."""

from __future__ import annotations

import datetime as dt
import decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from imports.engine import apply, preview
from imports.template import template
from imports.undo import undo
from models.check_in import CheckIn, CheckInActivity
from models.service import ServiceProject, ServiceSession
from rules import workflow
from rules.actor import SYSTEM, acting_as
from rules.errors import Conflict, Forbidden
from tests.factories.world import World
from tests.imports.ledgers import (
    CHILDREN,
    SOUND,
    change,
    counts,
    exported,
    imported,
    planned,
    problems,
    rows_of,
    sheet,
    spec_named,
)

#: A field of each that may be changed, and its new value.
EDITS: dict[str, tuple[str, Any]] = {"sessions": ("attended", 25), "activities": ("hours", 2.5)}
MODELS: dict[str, type[Any]] = {"sessions": ServiceSession, "activities": CheckInActivity}


@pytest.fixture
def party(session: Session, world: World) -> Any:
    """A session that acts for the organisation department of county A."""
    with acting_as(session, world.actor("party")):
        yield session


def ground(session: Session, folder: Path, kind: str) -> Any:
    """Make the record that the sound row hangs from, open to rows below it; return it."""
    parent = CHILDREN[kind]
    imported(session, folder, parent, SOUND[parent])
    record = session.scalars(select(spec_named(parent).model)).one()
    if kind == "activities":
        with acting_as(session, SYSTEM):
            workflow.apply(session, record, "confirm", SYSTEM)
            session.commit()
    return record


def past(kind: str, /, **values: Any) -> dict[str, Any]:
    """Return the sound row of a kind, on a day that has been."""
    return change(kind, held_on="2026-03-05", **values)


@pytest.mark.parametrize("kind", CHILDREN)
def test_new_changed_unchanged_and_taken_back(party: Session, tmp_path: Path, kind: str) -> None:
    parent = ground(party, tmp_path, kind)
    plan = planned(party, tmp_path, kind, past(kind))
    assert (plan.errors, counts(plan)) == ([], (1, 0, 0, 0))
    imported(party, tmp_path, kind, past(kind))
    record = party.scalars(select(MODELS[kind])).one()
    assert getattr(record, spec_named(kind).order[0].split(".")[0]) is parent
    assert counts(planned(party, tmp_path, kind, past(kind))) == (0, 0, 1, 0)

    before = rows_of(exported(party, tmp_path, kind))
    name, value = EDITS[kind]
    key = spec_named(kind).key[-1]
    rows = [past(kind, **{name: value}), past(kind, **{key: "另一处"})]
    plan = planned(party, tmp_path, kind, *rows)
    assert counts(plan) == (1, 1, 0, 0)
    batch = imported(party, tmp_path, kind, *rows)
    party.refresh(record)
    assert getattr(record, name) == value
    undo(party, batch)
    party.commit()
    assert rows_of(exported(party, tmp_path, kind)) == before


@pytest.mark.parametrize("kind", CHILDREN)
def test_an_export_comes_back_unchanged(party: Session, tmp_path: Path, kind: str) -> None:
    ground(party, tmp_path, kind)
    key = spec_named(kind).key[-1]
    rows = [past(kind, **{key: text}) for text in ("一", "=二", "无", "A", "a", "二行\n二行")]
    imported(party, tmp_path, kind, *rows)
    path = exported(party, tmp_path, kind)
    plan = preview(party, kind, path)
    assert (plan.errors, counts(plan)) == ([], (0, 0, 6, 0))
    heads, first, *_rest = rows_of(path)
    assert heads == tuple(each.label for each in spec_named(kind).outs(shown=True))
    day = dt.datetime(2026, 3, 5)  # noqa: DTZ001 - a day, as openpyxl reads it
    if kind == "sessions":
        wanted = ("甲一一社区", "甲县第一中学", "暑期托管", day, dt.time(9), dt.time(11, 30))
        assert first[:6] == wanted
    else:
        assert first[:6] == ("甲县第一中学", "甲一一社区", "李强", day, 1.5, "一")


@pytest.mark.parametrize("kind", CHILDREN)
def test_what_is_not_there_is_told_by_cell(party: Session, tmp_path: Path, kind: str) -> None:
    ground(party, tmp_path, kind)
    name = spec_named(CHILDREN[kind]).key[-1]
    relation = spec_named(kind).key[0].split(".")[0]
    [problem] = problems(party, tmp_path, kind, past(kind, **{f"{relation}.{name}": "没有的"}))
    assert (problem.cell, problem.value) == ("C2", "没有的")
    assert problem.message.startswith(f"没有找到这一行所属的{spec_named(CHILDREN[kind]).label}")
    assert "没有的" in problem.message
    assert party.scalar(select(func.count(MODELS[kind].id))) == 0


@pytest.mark.parametrize("kind", CHILDREN)
def test_below_what_is_finished_nothing_changes(party: Session, tmp_path: Path, kind: str) -> None:
    parent = ground(party, tmp_path, kind)
    batch = imported(party, tmp_path, kind, past(kind))
    with acting_as(party, SYSTEM):
        step = "cancel" if kind == "sessions" else "end"
        workflow.apply(party, parent, step, SYSTEM, {"note": "原因"})
        party.commit()
    assert counts(planned(party, tmp_path, kind, past(kind))) == (0, 0, 1, 0), "nothing to refuse"
    name, value = EDITS[kind]
    key = spec_named(kind).key[-1]
    rows = [past(kind, **{name: value}), past(kind, **{key: "另一处"})]
    found = problems(party, tmp_path, kind, *rows)
    assert [each.cell for each in found] == ["C2", "C3"]
    assert all(f"已是“{parent.status.title}”" in each.message for each in found)
    with pytest.raises(Conflict, match="已经结束，不能撤销"):
        undo(party, batch)


@pytest.mark.parametrize("kind", CHILDREN)
def test_two_that_a_row_cannot_tell_apart(party: Session, tmp_path: Path, kind: str) -> None:
    """A form lets the same be entered twice; a row then says of neither what it is to be."""
    ground(party, tmp_path, kind)
    imported(party, tmp_path, kind, past(kind))
    record = party.scalars(select(MODELS[kind])).one()
    spec = spec_named(kind)
    twin = MODELS[kind](
        **{
            column.key: getattr(record, column.key)
            for column in MODELS[kind].__table__.columns
            if column.key not in ("id", "version", "created_at", "updated_at")
        }
    )
    party.add(twin)
    party.commit()
    name, value = EDITS[kind]
    [problem] = problems(party, tmp_path, kind, past(kind, **{name: value}))
    assert "看不出说的是哪一条" in problem.message
    assert (
        problem.cell.rstrip("0123456789")
        == "ABCDEFGHIJ"[
            [
                each.name for each in spec.fields if each.name in past(kind) or each.name == name
            ].index(spec.name)
        ]
    )


@pytest.mark.parametrize("kind", CHILDREN)
def test_the_same_row_twice_is_told(party: Session, tmp_path: Path, kind: str) -> None:
    ground(party, tmp_path, kind)
    [problem] = problems(party, tmp_path, kind, past(kind), past(kind))
    assert "重复，请删去其中一项" in problem.message


@pytest.mark.parametrize("kind", CHILDREN)
def test_what_the_file_lacks_is_shown(party: Session, tmp_path: Path, kind: str) -> None:
    ground(party, tmp_path, kind)
    key = spec_named(kind).key[-1]
    imported(party, tmp_path, kind, past(kind), past(kind, **{key: "另一处"}))
    plan = planned(party, tmp_path, kind, past(kind))
    assert counts(plan) == (0, 0, 1, 1)
    assert [each.title for each in plan.sheets[0].missing] == ["另一处"]
    assert not plan.sheets[0].retirable
    assert not plan.differs


def test_the_rules_of_their_forms_hold(party: Session, tmp_path: Path) -> None:
    ground(party, tmp_path, "sessions")
    ground(party, tmp_path, "activities")
    [problem] = problems(party, tmp_path, "sessions", past("sessions", ends_at="8:00"))
    assert problem.message == "结束时间应晚于开始时间。"
    [problem] = problems(party, tmp_path, "activities", past("activities", hours=25))
    assert "不超过 24 小时" in problem.message


@pytest.mark.parametrize("kind", CHILDREN)
def test_others_records_are_out_of_reach(
    session: Session, world: World, tmp_path: Path, kind: str
) -> None:
    """Another county's department finds neither the project nor the member, and writes nothing."""
    with acting_as(session, world.actor("party")):
        ground(session, tmp_path, kind)
        imported(session, tmp_path, kind, past(kind))
    with acting_as(session, world.actor("partyb")):
        [problem] = problems(session, tmp_path, kind, past(kind))
        assert "没有找到这一行所属的" in problem.message
        assert rows_of(exported(session, tmp_path, kind))[1:] == []
    for username in ("leader", "duty", "office"):
        with acting_as(session, world.actor(username)), pytest.raises(Forbidden):
            planned(session, tmp_path, kind, past(kind))


def test_hours_are_added_up_exactly(party: Session, tmp_path: Path) -> None:
    check_in = ground(party, tmp_path, "activities")
    rows = [past("activities", content=f"第{n}次", hours=0.5) for n in range(3)]
    imported(party, tmp_path, "activities", *rows)
    total = select(func.sum(CheckInActivity.hours)).where(
        CheckInActivity.check_in_id == check_in.id
    )
    assert party.scalar(total) == decimal.Decimal("1.5")
    assert party.scalar(select(func.count(CheckIn.id))) == 1
    assert party.scalar(select(func.count(ServiceProject.id))) == 0


@pytest.mark.parametrize("kind", CHILDREN)
def test_the_template_is_filled_in_and_imported(party: Session, tmp_path: Path, kind: str) -> None:
    ground(party, tmp_path, kind)
    spec, path = spec_named(kind), tmp_path / "模板.xlsx"
    with path.open("wb") as file:
        template(party, spec, file)
    assert preview(party, kind, path).empty
    book = load_workbook(path)
    page: Any = book.worksheets[0]
    for place, out in enumerate(spec.outs(shown=False), 1):
        page.cell(2, place, past(kind).get(out.name))
    book.save(path)
    plan = preview(party, kind, path)
    assert (plan.errors, counts(plan)) == ([], (1, 0, 0, 0))
    assert apply(party, plan) is not None
    assert sheet(tmp_path, kind, past(kind)).is_file()
