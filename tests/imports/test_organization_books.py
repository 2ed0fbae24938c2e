"""Organisations as a workbook: the template, the export that comes back unchanged, and who may retire."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from imports.decisions import Decisions
from imports.engine import apply, preview
from imports.export import export
from imports.layout import NOTES_SHEET, OPTIONS_SHEET
from imports.plan import Plan
from imports.specs.organizations import ORGANIZATIONS
from imports.template import template
from imports.undo import undo
from models.account import Account
from models.organization import Organization, OrganizationKind
from models.ticket import Ticket
from rules import workflow
from rules.actor import SYSTEM, acting_as
from rules.errors import Conflict
from rules.retirement import still_needed
from tests.factories.world import World
from tests.imports.books import THREE_LISTS, make_book
from tests.imports.conftest import Import, Place
from tests.imports.ledgers import rows_of

HEADS = ["机构代码", "机构名称", "机构类型", "上级代码"]
TOWN = ["A1", "甲一镇", "乡镇", "A"]


@pytest.fixture
def admin(sqlite_session: Session) -> Any:
    """A session that acts for the administrator of county A."""
    with acting_as(sqlite_session, World(sqlite_session).actor("admin")):
        yield sqlite_session


def exported(session: Session, folder: Path, **filters: Any) -> Path:
    """Export the organisations that the filters let through."""
    path = folder / "机构.xlsx"
    with path.open("wb") as file:
        query = select(Organization).filter_by(**filters).order_by(Organization.code)
        export(session, ORGANIZATIONS, query, file)
    # What an export has loaded is for reading only.
    session.expunge_all()
    return path


def counts(plan: Plan) -> tuple[int, int, int, int]:
    [one] = plan.result()["sheets"]
    return one["new"], one["changed"], one["unchanged"], one["missing"]


def test_everything_comes_back_unchanged(county: Session, tmp_path: Path) -> None:
    """Two counties have a department of the same name: each station finds its own again."""
    number = len(county.scalars(select(Organization)).all())
    for code in ("A", "B"):
        realm = World(county).place(code)
        town = World(county).place(f"{code}1")
        police = Organization(
            code=f"{code}-PSB", name="县公安局", kind=OrganizationKind.DEPARTMENT, parent=realm
        )
        station = Organization(
            code=f"{code}1-X",
            name="派出所一",
            kind=OrganizationKind.STATION,
            parent=town,
            home_department=police,
            remarks="派出单位：别的局",
        )
        county.add_all([police, station])
    county.commit()
    path = exported(county, tmp_path)
    plan = preview(county, "organizations", path)
    assert (plan.errors, counts(plan)) == ([], (0, 0, number + 4, 0))
    assert not plan.differs
    rows = {row[0]: row for row in rows_of(path)}
    assert rows["A1-X"][-2] == "县公安局（A-PSB）", "three counties have one of that name"
    assert rows["640199"][3:6] == ("县（市、区、旗）", None, None)


def test_hostile_texts_come_back_unchanged(admin: Session, tmp_path: Path) -> None:
    town = World(admin).place("A1")
    texts = ["=1+1", "-", "无", "@x", " 两端 ", "一行\n二行", "#N/A", "001", "A（B）", "a/b"]
    for number, text in enumerate(texts):
        place = Organization(
            code=f"X{number}",
            name=f"{text.strip() or 'x'}{number}",
            kind=OrganizationKind.UNIT,
            parent=town,
            phone=text,
            remarks=text,
        )
        place.set_aliases([f"{text.strip()} 别名{number}", f"又名{number}"])
        admin.add(place)
    admin.commit()
    path = exported(admin, tmp_path)
    plan = preview(admin, "organizations", path)
    assert plan.errors == []
    assert [row.changes for sheet in plan.sheets for row in sheet.rows if row.changes] == []
    page: Any = load_workbook(path).active
    assert {cell.data_type for row in page.iter_rows() for cell in row if cell.value} == {"s"}


def test_who_is_out_of_use_is_exported_as_such_and_brought_back(
    admin: Session, tmp_path: Path
) -> None:
    unit = World(admin).place("A-U2")
    unit.active = False
    admin.commit()
    path = exported(admin, tmp_path, kind=OrganizationKind.UNIT)
    assert not preview(admin, "organizations", path).differs
    book = load_workbook(path)
    page: Any = book.active
    [row] = [row for row in page.iter_rows() if row[0].value == "A-U2"]
    assert row[-1].value == "否"
    row[-1].value = "是"
    book.save(path)
    batch = apply(admin, preview(admin, "organizations", path))
    assert batch is not None
    assert World(admin).place("A-U2").active
    undo(admin, batch)
    assert not World(admin).place("A-U2").active


def test_a_department_of_one_s_own_county_comes_first(admin: Session, tmp_path: Path) -> None:
    for code in ("A", "B"):
        realm = World(admin).place(code)
        admin.add(
            Organization(
                code=f"{code}-P", name="公安局", kind=OrganizationKind.DEPARTMENT, parent=realm
            )
        )
    admin.commit()
    heads = [*HEADS, "派出单位"]
    for named, found in (("公安局", "B-P"), ("公安局（A-P）", "A-P"), ("A-P", "A-P")):
        rows = [heads, ["B1-S", "乙派出所", "派驻机构", "B1", named]]
        path = make_book(tmp_path / "机构.xlsx", ("组织机构", rows))
        plan = preview(admin, "organizations", path)
        assert plan.errors == []
        assert plan.sheets[0].rows[0].item.values["home_department"] == found
    rows = [heads, ["C", "丙县", "县", "", ""], ["C1", "丙一镇", "镇", "C", ""]]
    rows += [["C1-S", "丙派出所", "派驻机构", "C1", "公安局"], ["A1", "甲一镇", "镇", "A", ""]]
    rows += [["B1", "乙一镇", "镇", "B", ""]]
    path = make_book(tmp_path / "机构.xlsx", ("组织机构", rows))
    [problem] = preview(admin, "organizations", path).errors
    assert problem.message == "有 2 个机构叫“公安局”（代码：A-P、B-P），请改填“名称（代码）”。"


# The template


def test_the_template_says_what_to_write(county: Session, tmp_path: Path) -> None:
    path = tmp_path / "模板.xlsx"
    with path.open("wb") as file:
        template(county, ORGANIZATIONS, file)
    plan = preview(county, "organizations", path)
    assert (plan.errors, plan.empty, plan.differs) == ([], True, False)
    book = load_workbook(path)
    assert book.sheetnames == ["组织机构", NOTES_SHEET, OPTIONS_SHEET]
    assert book[OPTIONS_SHEET].sheet_state == "hidden"
    page: Any = book["组织机构"]
    assert [cell.value for cell in page[1]] == [
        "机构代码*", "机构名称*", "别名", "机构类型*", "上级代码", "联系电话", "备注", "派出单位", "启用",
    ]  # fmt: skip
    lists = {
        str(each.sqref).split(":")[0]: each
        for each in page.data_validations.dataValidation
        if each.type == "list"
    }
    assert set(lists) == {"D2", "H2", "I2"}
    options: Any = book[OPTIONS_SHEET]
    columns = {c[0].value: [each.value for each in c[1:] if each.value] for c in options.columns}
    assert columns["机构类型"] == [each.title for each in OrganizationKind]
    assert "县公安局" in columns["派出单位"]
    assert "城关镇" not in columns["派出单位"]
    assert columns["启用"] == ["是", "否"]
    parent = next(
        each for each in page.data_validations.dataValidation if str(each.sqref).startswith("E2")
    )
    assert "上级机构的代码" in parent.prompt


def test_the_rows_of_the_notes_would_be_imported(sqlite_session: Session, tmp_path: Path) -> None:
    path = tmp_path / "模板.xlsx"
    with path.open("wb") as file:
        template(sqlite_session, ORGANIZATIONS, file)
    book = load_workbook(path)
    notes: Any = book[NOTES_SHEET]
    rows = list(notes.iter_rows(values_only=True))
    start = next(n for n, row in enumerate(rows) if row[0] == "整行的例子") + 2
    page: Any = book["组织机构"]
    for row in rows[start:]:
        if any(row):
            page.append(row)
    book.save(path)
    plan = preview(sqlite_session, "organizations", path)
    assert (plan.errors, counts(plan)) == ([], (5, 0, 0, 0))
    batch = apply(sqlite_session, plan)
    assert batch is not None


# Retiring


def retiring(session: Session, folder: Path, *rows: list[str]) -> Plan:
    """Return the plan of a file whose lacking organisations are to be put out of use."""
    path = make_book(folder / "机构.xlsx", ("组织机构", [HEADS, *rows]))
    return preview(session, "organizations", path, decisions=Decisions(retire=True))


def test_what_a_file_lacks_is_put_out_of_use_if_asked(
    county: Session, place: Place, tmp_path: Path
) -> None:
    rows = [["640199100201", "东关社区", "社区", "640199100"]]
    path = make_book(tmp_path / "机构.xlsx", ("组织机构", [HEADS, *rows]))
    plain = preview(county, "organizations", path)
    assert (plain.sheets[0].retires, plain.sheets[0].retirable, plain.differs) == (
        False,
        True,
        False,
    )
    plan = retiring(county, tmp_path, *rows)
    assert (plan.errors, counts(plan)) == ([], (0, 0, 1, 3))
    assert plan.token != plain.token
    batch = apply(county, plan)
    assert batch is not None
    county.commit()
    grid = place("东关社区第1网格")
    assert not grid.active
    assert place("东关社区").active
    assert [each.after for each in batch.changes] == [
        {"code": each.code, "active": False}
        for each in (place(f"东关社区第{n}网格") for n in (1, 2, 3))
    ]
    result = undo(county, batch)
    county.commit()
    assert (result.removed, result.restored) == (0, 3)
    assert grid.active


def test_undo_is_refused_once_somebody_has_touched_it(
    county: Session, place: Place, tmp_path: Path
) -> None:
    batch = apply(
        county, retiring(county, tmp_path, ["640199100201", "东关社区", "社区", "640199100"])
    )
    assert batch is not None
    place("东关社区第2网格").active = True
    county.commit()
    with pytest.raises(Conflict, match="“东关社区第2网格”，不能撤销"):
        undo(county, batch)


def test_something_in_force_still_needs_it(admin: Session, tmp_path: Path) -> None:
    """Accounts, an agreement and a ticket stand below the town: each is named, nothing is done."""
    world = World(admin)
    agreement = world.agreement("A11", "A-U1", "一")
    with acting_as(admin, SYSTEM):
        workflow.apply(admin, agreement, "bring_into_force", SYSTEM)
        admin.commit()
    plan = retiring(admin, tmp_path, TOWN)
    said = {each.value: each.message for each in plan.errors}
    assert "生效的协议" in said["甲一一社区"]
    assert "在用的账号" in said["甲一一社区"]
    assert all("不能停用：还有" in message for message in said.values())
    assert all(each.cell == "" for each in plan.errors)
    assert world.place("A11").active


def test_the_file_s_own_column_asks_the_same(admin: Session, tmp_path: Path) -> None:
    rows = [[*HEADS, "启用"], [*TOWN, "否"]]
    path = make_book(tmp_path / "机构.xlsx", ("组织机构", rows))
    [problem] = preview(admin, "organizations", path).errors
    assert (problem.cell, problem.value) == ("E2", "否")
    assert "在用的下级机构" in problem.message


def test_a_new_branch_keeps_what_is_above_it(county: Session, tmp_path: Path) -> None:
    rows = [
        ["640199100201", "东关社区", "社区", "640199100"],
        ["640199100-N", "新网格", "网格", "640199100202"],
        ["640199100", "城关镇", "乡镇", "640199"],
    ]
    plan = retiring(county, tmp_path, *rows)
    said = {each.value: each.message for each in plan.errors}
    assert set(said) == {"银横社区"}
    assert "文件里的下级机构“新网格”" in said["银横社区"]


def test_lists_in_force_need_who_they_name(
    county: Session, place: Place, import_lists: Import
) -> None:
    import_lists(THREE_LISTS, "城关镇")
    bureau, town = place("县教育局"), place("城关镇")
    assert bureau.id not in still_needed(county, [bureau.id, town.id])
    from rules.duty_lists import publish

    publish(county, town, SYSTEM)
    county.commit()
    assert "已发布清单里的对应部门" in still_needed(county, [bureau.id])[bureau.id]
    assert "已发布的清单" in still_needed(county, [town.id])[town.id]


def test_open_tickets_and_accounts_need_their_places(admin: Session) -> None:
    world = World(admin)
    a12 = world.place("A12")
    with acting_as(admin, SYSTEM):
        tickets = admin.scalars(select(Ticket)).all()
        accounts = admin.scalars(select(Account).where(Account.organization_id == a12.id)).all()
        found = still_needed(admin, [a12.id]).get(a12.id, [])
    assert ("在用的账号" in found) is bool(accounts)
    assert tickets == []
