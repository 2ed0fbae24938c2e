"""Importing organisations: upsert by code, what rows say of each other, and undo."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from imports.engine import apply, preview
from imports.plan import RowState
from imports.undo import undo
from models.duty import DutyList
from models.imports import ImportBatch
from models.organization import Organization, OrganizationKind, OrganizationName
from rules.actor import SYSTEM, Actor, set_actor
from rules.errors import Conflict, Forbidden, Invalid
from tests.imports.books import ORGANIZATIONS, THREE_LISTS, make_book
from tests.imports.conftest import Import, Place, organizations_of_demo

HEADINGS = ["机构代码", "机构名称", "别名", "机构类型", "上级代码", "联系电话", "备注"]


def book(tmp_path: Path, *rows: Sequence[Any]) -> Path:
    return make_book(tmp_path / "机构.xlsx", ("组织机构", [HEADINGS, *rows]))


def edited(tmp_path: Path, **cells: Any) -> Path:
    """Return a copy of the sample with some cells changed; ``None`` empties a cell."""
    workbook = load_workbook(ORGANIZATIONS)
    for ref, value in cells.items():
        workbook.active[ref] = value
    workbook.save(tmp_path / "机构.xlsx")
    return tmp_path / "机构.xlsx"


def counts(result: dict[str, Any]) -> tuple[int, int, int, int]:
    [sheet] = result["sheets"]
    return sheet["new"], sheet["changed"], sheet["unchanged"], sheet["missing"]


def error_cells(session: Session, path: Path) -> list[str]:
    plan = preview(session, "organizations", path)
    with pytest.raises(Invalid, match="处错误"):
        apply(session, plan)
    return [problem.cell for problem in plan.errors]


def test_the_sample_makes_ninety_five(county: Session, place: Place) -> None:
    assert organizations_of_demo(county) == 95
    station = place("城关镇派出所")
    assert station.kind is OrganizationKind.STATION
    assert station.parent is place("城关镇")
    assert station.home_department is place("县公安局")
    assert station.remarks == "派出单位：县公安局"
    assert place("县市场监督管理局").aliases == ["县市监局", "县市场监管局", "市场监管局"]
    assert place("国网县供电公司").kind is OrganizationKind.UNIT
    assert place("东关社区").realm is place("示范县")


def test_the_same_file_again_changes_nothing(county: Session) -> None:
    plan = preview(county, "organizations", ORGANIZATIONS)
    assert counts(plan.result()) == (0, 0, 95, 0)
    assert apply(county, plan) is None
    assert plan.result() == {**plan.result(), "batch": None, "applied": False}
    assert county.scalar(select(func.count(ImportBatch.id))) == 1


def test_changes_are_told_by_cell_and_only_they_are_written(
    county: Session, place: Place, tmp_path: Path
) -> None:
    path = edited(tmp_path, F5="0951-1", C55="县人社局、县人社厅", E8="640199100202")
    untouched = {each.id: each.version for each in county.scalars(select(Organization))}
    plan = preview(county, "organizations", path)
    assert counts(plan.result()) == (0, 3, 92, 0)
    [town, grid, bureau] = [r for r in plan.sheets[0].rows if r.state is RowState.CHANGED]
    [change] = town.changes
    assert (change.label, change.cell, change.before, change.after) == (
        "联系电话",
        "F5",
        "",
        "0951-1",
    )
    assert grid.changes[0].before == "东关社区（640199100201）"
    assert bureau.changes[0].after == "县人社局、县人社厅"
    apply(county, plan)
    county.commit()
    moved = place("东关社区第2网格")
    assert [line.ancestor.name for line in moved.lines][:2] == [moved.name, "银横社区"]
    assert place("县人力资源和社会保障局").aliases == ["县人社局", "县人社厅"]
    written = {
        each.name
        for each in county.scalars(select(Organization))
        if each.version != untouched[each.id]
    }
    assert written <= {"城关镇", "东关社区第2网格", "县人力资源和社会保障局"}


def test_a_column_that_the_file_lacks_is_left_alone(
    county: Session, place: Place, tmp_path: Path
) -> None:
    rows = [["机构代码", "机构名称", "机构类型", "上级代码"]]
    rows += [["640199-D05", "县住房和城乡建设局", "职能部门", "640199"]]
    plan = preview(county, "organizations", make_book(tmp_path / "a.xlsx", ("机构表", rows)))
    assert plan.sheets[0].rows[0].state is RowState.UNCHANGED
    assert place("县住房和城乡建设局").aliases == ["县住建局", "住建局"]


def test_rows_missing_from_the_file_are_counted_and_kept(
    county: Session, place: Place, tmp_path: Path
) -> None:
    rows = [["640199100201", "东关社区", "", "社区", "640199100", "123", ""]]
    plan = preview(county, "organizations", book(tmp_path, *rows))
    assert counts(plan.result()) == (0, 1, 0, 3)
    assert plan.sheets[0].missing[0].title == "东关社区第1网格"
    apply(county, plan)
    assert place("东关社区第1网格").active


def test_a_name_given_up_in_the_file_may_be_taken_in_it(
    county: Session, place: Place, tmp_path: Path
) -> None:
    plan = preview(
        county, "organizations", edited(tmp_path, C57="县住建局", C54="县经信局、住建局")
    )
    assert plan.errors == []
    apply(county, plan)
    assert "住建局" in place("县工业和信息化局").aliases
    assert place("县住房和城乡建设局").aliases == ["县住建局"]


@pytest.mark.parametrize(
    ("cells", "refs"),
    [
        ({"A10": None}, ["A10"]),
        ({"B10": None}, ["B10"]),
        ({"D10": "衙门"}, ["D10"]),
        ({"D10": None}, ["D10"]),
        ({"E10": "999"}, ["E10"]),
        ({"E10": None}, ["E10"]),
        ({"E10": "640199"}, ["E10"]),
        ({"A10": "640199100201"}, ["A10"]),
        ({"B10": "东关社区"}, ["B10"]),
        ({"C10": "城管局"}, ["C70"]),
        ({"G18": "派出单位：县不存在局"}, ["G18"]),
        ({"B10": "长" * 101}, ["B10"]),
        ({"C10": "长" * 101}, ["C10"]),
    ],
)
def test_errors_by_cell(
    sqlite_session: Session, tmp_path: Path, cells: dict[str, Any], refs: list[str]
) -> None:
    found = error_cells(sqlite_session, edited(tmp_path, **cells))
    assert [ref for ref in found if ref in refs] == refs
    assert organizations_of_demo(sqlite_session) == 0


def test_a_name_that_another_goes_by_already(county: Session, tmp_path: Path) -> None:
    rows = [["640199-D99", "县人社局", "", "职能部门", "640199", "", ""]]
    plan = preview(county, "organizations", book(tmp_path, *rows))
    [problem] = plan.errors
    assert (problem.cell, problem.value) == ("B2", "县人社局")
    assert "县人力资源和社会保障局" in problem.message


def test_the_same_names_in_another_county(county: Session, tmp_path: Path) -> None:
    rows = [
        ["650199", "邻县", "", "县", "", "", ""],
        ["650199-D01", "县公安局", "公安局", "职能部门", "650199", "", ""],
        ["650199100", "城关镇", "", "镇", "650199", "", ""],
        ["650199100-PCS", "城关镇派出所", "", "派驻机构", "650199100", "", "派出单位：公安局"],
    ]
    plan = preview(county, "organizations", book(tmp_path, *rows))
    assert counts(plan.result()) == (4, 0, 0, 0)
    apply(county, plan)
    police = county.scalars(select(Organization).where(Organization.code == "650199-D01")).one()
    station = county.scalars(select(Organization).where(Organization.code == "650199100-PCS")).one()
    assert station.home_department is police


# Undo


def test_undo_of_the_first_import_removes_everything(county: Session) -> None:
    batch = county.scalars(select(ImportBatch)).one()
    assert undo(county, batch).removed == 95
    county.commit()
    assert organizations_of_demo(county) == 0
    names = select(OrganizationName).where(OrganizationName.name == "县住建局")
    assert county.scalars(names).all() == []
    with pytest.raises(Conflict, match="已经撤销过"):
        undo(county, batch)


def test_undo_restores_values_aliases_and_places(
    county: Session, place: Place, tmp_path: Path
) -> None:
    path = edited(tmp_path, F5="0951-1", C57="县住建局", C54="县经信局、住建局", E8="640199100202")
    batch = apply(county, preview(county, "organizations", path))
    assert batch is not None
    county.commit()
    result = undo(county, batch)
    county.commit()
    assert (result.removed, result.restored) == (0, 4)
    assert counts(preview(county, "organizations", ORGANIZATIONS).result()) == (0, 0, 95, 0)
    assert place("东关社区第2网格").lines[1].ancestor.name == "东关社区"


def test_undo_is_refused_when_a_row_has_changed_since(
    county: Session, place: Place, tmp_path: Path
) -> None:
    batch = apply(county, preview(county, "organizations", edited(tmp_path, F5="1", F10="2")))
    assert batch is not None
    place("城关镇").phone = "3"
    county.commit()
    with pytest.raises(Conflict, match="“城关镇”，不能撤销"):
        undo(county, batch)
    county.rollback()
    assert place("银横社区").phone == "2"


def test_undo_is_refused_when_a_new_row_is_in_use(
    county: Session, place: Place, import_lists: Import
) -> None:
    import_lists(THREE_LISTS, "城关镇")
    first = county.scalars(select(ImportBatch).order_by(ImportBatch.id)).first()
    assert first is not None
    with pytest.raises(Conflict, match=DutyList.__label__):
        undo(county, first)
    county.rollback()
    assert place("城关镇").active


# The person


def test_who_may_not_import_is_refused(county: Session) -> None:
    nobody = Actor(7, "张三", None, "", None, frozenset())
    set_actor(county, nobody)
    with pytest.raises(Forbidden):
        preview(county, "organizations", ORGANIZATIONS)
    set_actor(county, SYSTEM)
