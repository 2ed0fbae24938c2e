"""What has been read of a workbook, kept until somebody confirms it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import msgpack
import pytest
from sqlalchemy.orm import Session

from imports import stage
from imports.decisions import Cancelled, Decisions
from imports.engine import apply, preview
from imports.findings import findings
from models.organization import OrganizationName
from rules.actor import SYSTEM, acting_as
from rules.errors import Conflict, Forbidden, Invalid, OutOfScope
from tests.factories.world import World
from tests.imports.books import CATALOGUE, MESSY, ORGANIZATIONS, THREE_LISTS, make_book
from tests.imports.conftest import Import, Place
from tests.imports.ledgers import LEDGERS, SOUND, sheet
from tests.imports.lists import edited, items, lists, revise


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Where a stage is kept."""
    return tmp_path / "stage"


BOOKS = [
    (THREE_LISTS, "城关镇"),
    (CATALOGUE, "示范县"),
    (MESSY / "红旗街道_配合清单_类别竖向合并.xlsx", "红旗街道"),
    (MESSY / "和平镇_收回清单_五处错误.xlsx", "和平镇"),
]


@pytest.mark.parametrize(("book", "owner"), BOOKS)
def test_a_stage_is_as_good_as_the_workbook(
    county: Session, place: Place, kept: Path, book: Path, owner: str
) -> None:
    seen = preview(county, "duty-items", book, owner=place(owner), original_name="清单.xlsx")
    stage.keep(seen, kept)
    again = stage.resume(county, kept, owner=place(owner))
    assert again.token == seen.token
    assert findings(again) == findings(seen)
    assert (again.file_name, again.file_hash, again.path) == ("清单.xlsx", seen.file_hash, book)


def test_it_is_applied_though_the_workbook_is_not_read_again(
    county: Session, place: Place, kept: Path, import_lists: Import, tmp_path: Path
) -> None:
    import_lists(THREE_LISTS, "城关镇")
    path = edited(tmp_path, revise)
    seen = preview(county, "duty-items", path, owner=place("城关镇"))
    stage.keep(seen, kept)
    path.write_bytes(b"")
    plan = stage.resume(county, kept, owner=place("城关镇"))
    assert apply(county, plan, shown=seen.token) is not None
    county.commit()
    retired = stage.resume(county, kept, owner=place("城关镇"), retire=True)
    assert [len(each.missing) for each in retired.sheets if each.retires] == [2, 0, 0]
    assert items(county) == 372
    apply(county, retired)
    assert items(county) == 370


def test_organizations(county: Session, kept: Path) -> None:
    seen = preview(county, "organizations", ORGANIZATIONS)
    stage.keep(seen, kept)
    assert stage.resume(county, kept).token == seen.token
    assert findings(stage.resume(county, kept)) == findings(seen)


@pytest.mark.parametrize("kind", LEDGERS)
def test_ledgers_with_dates_and_places(
    session: Session, world: World, kept: Path, tmp_path: Path, kind: str
) -> None:
    path = sheet(tmp_path, kind, SOUND[kind] | {"remarks": dt.date(2026, 3, 1)})
    with acting_as(session, SYSTEM):
        seen = preview(session, kind, path)
        stage.keep(seen, kept)
        plan = stage.resume(session, kept)
        assert (plan.token, findings(plan)) == (seen.token, findings(seen))
        assert apply(session, plan, shown=seen.token) is not None


def test_decisions_stay_with_it(county: Session, place: Place, kept: Path, tmp_path: Path) -> None:
    rows: list[list[Any]] = [["序号", "事项名称", "承接部门"], [1, "甲", "县里的学校局"]]
    path = make_book(tmp_path / "a.xlsx", ("收回", rows))
    decisions = Decisions(names={"县里的学校局": place("县教育局").id})
    seen = preview(county, "duty-items", path, owner=place("城关镇"), decisions=decisions)
    assert seen.errors == []
    stage.keep(seen, kept)
    assert stage.resume(county, kept, owner=place("城关镇")).token == seen.token


# What has changed since


@pytest.mark.parametrize("how", ["renamed", "out of use"])
def test_a_department_that_is_another_now_is_noticed(
    county: Session, place: Place, kept: Path, how: str
) -> None:
    seen = preview(county, "duty-items", THREE_LISTS, owner=place("城关镇"))
    stage.keep(seen, kept)
    department = place("县教育局")
    if how == "renamed":
        department.name = "县教育体育局"
        for name in list(department.names):
            if name.is_alias:
                department.names.remove(name)
    else:
        department.active = False
    county.commit()
    plan = stage.resume(county, kept, owner=place("城关镇"))
    assert plan.errors
    with pytest.raises(Conflict, match="重新预览"):
        apply(county, plan, shown=seen.token)
    with pytest.raises(Invalid, match="错误"):
        apply(county, plan)


def test_a_name_that_means_somebody_else_now_is_noticed(
    county: Session, place: Place, kept: Path, tmp_path: Path
) -> None:
    rows: list[list[Any]] = [["序号", "事项名称", "承接部门"], [1, "甲", "老局"]]
    path = make_book(tmp_path / "a.xlsx", ("收回", rows))
    school, police = place("县教育局"), place("县公安局")
    school.names.append(OrganizationName(name="老局", is_alias=True))
    county.commit()
    seen = preview(county, "duty-items", path, owner=place("城关镇"))
    stage.keep(seen, kept)
    [alias] = [each for each in school.names if each.name == "老局"]
    school.names.remove(alias)
    county.flush()
    police.names.append(OrganizationName(name="老局", is_alias=True))
    county.commit()
    plan = stage.resume(county, kept, owner=place("城关镇"))
    assert plan.errors == []
    with pytest.raises(Conflict, match="重新预览"):
        apply(county, plan, shown=seen.token)


def test_a_list_that_has_moved_on_is_noticed(
    county: Session, place: Place, kept: Path, import_lists: Import, tmp_path: Path
) -> None:
    path = edited(tmp_path, revise)
    seen = preview(county, "duty-items", path, owner=place("城关镇"))
    stage.keep(seen, kept)
    import_lists(THREE_LISTS, "城关镇")
    plan = stage.resume(county, kept, owner=place("城关镇"))
    assert sum(len(each.missing) for each in plan.sheets) == 2
    with pytest.raises(Conflict, match="重新预览"):
        apply(county, plan, shown=seen.token)


# Refusals


def spoiled(kept: Path, how: str) -> None:
    """Make a stage unusable."""
    with kept.open("rb") as file:
        found: list[Any] = list(msgpack.Unpacker(file, strict_map_key=False))
    if how == "older":
        found[0]["format"] = stage.FORMAT - 1
    elif how == "cut":
        found = found[:50]
    elif how == "a list cut off":
        found = found[: 1 + 1 + found[1]["rows"]]
    elif how == "something else":
        found = [[]]
    elif how == "empty":
        found = []
    content = b"".join(map(msgpack.packb, found))
    kept.write_bytes(content[:-10] if how == "cut in a row" else content)
    if how == "a former release's":
        kept.write_text('{"format":1,"kind":"duty-items"}\n', encoding="utf-8")
    elif how == "gone":
        kept.unlink()


@pytest.mark.parametrize(
    "how",
    [
        "older",
        "cut",
        "cut in a row",
        "a list cut off",
        "something else",
        "empty",
        "a former release's",
        "gone",
    ],
)
def test_a_stage_of_no_use_is_refused(county: Session, place: Place, kept: Path, how: str) -> None:
    stage.keep(preview(county, "duty-items", THREE_LISTS, owner=place("城关镇")), kept)
    spoiled(kept, how)
    with pytest.raises(Invalid, match="请重新上传"):
        stage.resume(county, kept, owner=place("城关镇"))


def test_another_place_or_another_person_cannot_have_it(
    session: Session, world: World, kept: Path, tmp_path: Path
) -> None:
    rows: list[list[Any]] = [["序号", "事项名称", "承接部门"], [1, "夜间施工扰民", "甲县住建局"]]
    path = make_book(tmp_path / "a.xlsx", ("收回", rows))
    with acting_as(session, world.actor("township")):
        stage.keep(preview(session, "duty-items", path, owner=world.place("A1")), kept)
        with pytest.raises(OutOfScope):
            stage.resume(session, kept, owner=world.place("A2"))
        with pytest.raises(OutOfScope):
            stage.resume(session, kept)
    with acting_as(session, world.actor("townshipb")), pytest.raises(OutOfScope):
        stage.resume(session, kept, owner=world.place("A1"))
    with acting_as(session, world.actor("handler")), pytest.raises(Forbidden):
        stage.resume(session, kept, owner=world.place("A1"))


def test_a_stage_is_put_in_place_whole(county: Session, place: Place, kept: Path) -> None:
    """A process that dies while it writes leaves the former stage, and no half one."""
    stage.keep(preview(county, "duty-items", THREE_LISTS, owner=place("城关镇")), kept)
    before = kept.read_bytes()
    plan = preview(county, "duty-items", CATALOGUE, owner=place("示范县"))
    plan.layout.tables[0].notes.append(object())  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        stage.keep(plan, kept)
    assert kept.read_bytes() == before
    assert list(kept.parent.iterdir()) == [kept]


# Progress


def test_the_watch_hears_of_every_phase_and_may_stop_the_work(
    county: Session, place: Place, kept: Path
) -> None:
    heard: list[str] = []

    def watch(phase: str, done: int, total: int) -> None:
        assert 0 <= done <= max(total, done)
        heard.append(phase)

    owner = place("示范县")
    plan = preview(county, "duty-items", CATALOGUE, owner=owner, watch=watch)
    stage.keep(plan, kept)
    plan = stage.resume(county, kept, owner=owner, watch=watch)
    apply(county, plan, watch=watch)
    county.rollback()
    assert list(dict.fromkeys(heard)) == ["read", "check", "compare", "write"]

    def stop(phase: str, done: int, total: int) -> None:
        if (phase, done > 0) == ("write", True):
            raise Cancelled

    plan = stage.resume(county, kept, owner=owner)
    with pytest.raises(Cancelled):
        apply(county, plan, watch=stop)
    county.rollback()
    assert lists(county) == []
