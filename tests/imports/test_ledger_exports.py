"""Exports that come back unchanged, whatever the texts say, and templates that explain themselves."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from imports import template as template_module
from imports.engine import apply, preview
from imports.export import export
from imports.layout import NOTES_SHEET, OPTIONS_SHEET
from imports.sheets import sheet_name
from imports.specs.base import Kind
from imports.template import template
from models.need import Need
from models.organization import Organization
from models.resource import Resource, ResourceOffer
from models.service import ServiceProject
from rules.actor import acting_as
from tests.factories.world import World
from tests.imports.ledgers import (
    LEDGERS,
    SOUND,
    change,
    counts,
    exported,
    imported,
    rows_of,
    sheet,
    spec_named,
)

#: Texts that a spreadsheet might compute, run, or turn into something else.
HOSTILE = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+86 951 1234567",
    "-2+3",
    "@SUM(A1:A9)",
    "\tTab",
    "\r=1",
    "'引号",
    "#N/A",
    "#REF!",
    "TRUE",
    "001",
    "1e5",
    "2026-11-21",
    "１２３",
    "无",
    "-",
    "/",
    "a\u200bb",
    " 两端有空格 ",
    "一行\n二行",
    "合计",
    "备注：看这里",
    "<script>alert(1)</script>",
    "😀 表情",
    "前_x000D_后",
    "a_x0041_b",
    "A型车",
    "a型车",
]


@pytest.fixture
def party(sqlite_session: Session) -> Any:
    """A session that acts for the organisation department of county A."""
    with acting_as(sqlite_session, World(sqlite_session).actor("party")):
        yield sqlite_session


def hostile_needs(session: Session) -> None:
    """Add needs that hold such a text wherever one may stand, as a form would take it."""
    world = World(session)
    for text in HOSTILE:
        session.add(
            Need(
                community=world.place("A11"),
                title=text.strip(" "),
                category="venue",
                detail=text,
                beneficiaries=text,
                contact=text,
                phone=text,
            )
        )
    session.commit()


def test_an_export_comes_back_unchanged_whatever_it_says(party: Session, tmp_path: Path) -> None:
    hostile_needs(party)
    plan = preview(party, "needs", exported(party, tmp_path, "needs"))
    assert plan.errors == []
    assert counts(plan) == (0, 0, len(HOSTILE), 0)
    assert not plan.differs


def test_nothing_in_an_export_is_computed(party: Session, tmp_path: Path) -> None:
    hostile_needs(party)
    path = exported(party, tmp_path, "needs")
    page: Any = load_workbook(path).active
    cells = [cell for row in page.iter_rows(min_row=2) for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    leading = [cell for cell in cells if cell.value[0] in "=+-@\t\r"]
    assert len(leading) > 20
    assert all(cell.quotePrefix for cell in leading)
    with zipfile.ZipFile(path) as book:
        assert b"<f>" not in b"".join(book.read(name) for name in book.namelist())


@pytest.mark.parametrize("kind", LEDGERS)
def test_each_ledger_comes_back_unchanged(party: Session, tmp_path: Path, kind: str) -> None:
    spec = spec_named(kind)
    rows = [change(kind, **{spec.key[-1]: text}) for text in ("一", "=二", "@三", "A", "a")]
    imported(party, tmp_path, kind, *rows)
    path = exported(party, tmp_path, kind)
    plan = preview(party, kind, path)
    assert (plan.errors, counts(plan)) == ([], (0, 0, 5, 0))
    heads, first, *_rest = rows_of(path)
    assert heads == tuple(each.label for each in spec.outs(shown=True))
    dates = [each.label for each in spec.fields if each.kind is Kind.DATE]
    for label in dates:
        value = first[heads.index(label)]
        assert value is None or isinstance(value, dt.datetime)
    assert "状态" in heads


def test_an_export_is_imported_elsewhere(party: Session, tmp_path: Path) -> None:
    """What left as a file makes the same records where there are none."""
    imported(party, tmp_path, "services", SOUND["services"])
    path = exported(party, tmp_path, "services")
    party.delete(party.scalars(select(ServiceProject)).one())
    party.commit()
    assert apply(party, preview(party, "services", path)) is not None
    party.commit()
    assert rows_of(exported(party, tmp_path, "services")) == rows_of(path)


def test_days_before_spreadsheets_count_them(party: Session, tmp_path: Path) -> None:
    imported(party, tmp_path, "needs", change("needs", wanted_from="0987-02-03"))
    imported(party, tmp_path, "needs", change("needs", title="二", wanted_from="1900-02-28"))
    path = exported(party, tmp_path, "needs")
    assert counts(preview(party, "needs", path)) == (0, 0, 2, 0)


def test_a_name_that_several_go_by_is_written_with_its_code(
    sqlite_session: Session, tmp_path: Path
) -> None:
    world = World(sqlite_session)
    for code, parent in (("A13", "A1"), ("B13", "B1")):
        place = Organization(
            code=code, name="和平社区", kind=world.place("A11").kind, parent=world.place(parent)
        )
        sqlite_session.add(place)
    sqlite_session.commit()
    with acting_as(sqlite_session, world.actor("admin")):
        rows = [change("needs", community=code, phone=None) for code in ("A11", "A13", "B13")]
        imported(sqlite_session, tmp_path, "needs", *rows)
        path = exported(sqlite_session, tmp_path, "needs")
        assert [row[0] for row in rows_of(path)[1:]] == [
            "甲一一社区",
            "和平社区（A13）",
            "和平社区（B13）",
        ]
        assert counts(preview(sqlite_session, "needs", path)) == (0, 0, 3, 0)


def test_more_than_the_most_says_so(party: Session, tmp_path: Path) -> None:
    imported(party, tmp_path, "needs", *(change("needs", title=f"需求{n}") for n in range(4)))
    spec, file = spec_named("needs"), io.BytesIO()
    ordered = select(Need).order_by(Need.id)
    assert export(party, spec, ordered, file, most=3) == 3
    first, heads, *rows = rows_of(file.getvalue())
    assert first[0] == "※ 符合条件的超过 3 条，这里只有前 3 条；请缩小筛选范围，分几次导出。"
    assert (heads[1], [row[1] for row in rows]) == ("需求名称", ["需求0", "需求1", "需求2"])
    path = tmp_path / "部分.xlsx"
    path.write_bytes(file.getvalue())
    assert counts(preview(party, "needs", path)) == (0, 0, 3, 1)
    file = io.BytesIO()
    assert export(party, spec, ordered, file, most=4) == 4
    assert rows_of(file.getvalue())[0][1] == "需求名称"


def test_chunks_cost_a_bounded_number_of_statements(
    party: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(party)
    monkeypatch.setattr("imports.export.CHUNK", 10)
    for number in range(60):
        party.add(
            Resource(
                owner=world.place("A-U1"),
                name=f"资源{number}",
                category="venue",
                offers=[ResourceOffer(organization=world.place("A11"))],
            )
        )
    party.commit()
    party.expire_all()
    sent: list[str] = []

    def record(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(party.get_bind(), "before_cursor_execute", record)
    numbers = []
    for size in (10, 20, 60):
        sent.clear()
        export(
            party, spec_named("resources"), select(Resource).limit(size), io.BytesIO(), most=size
        )
        numbers.append(len(sent))
    event.remove(party.get_bind(), "before_cursor_execute", record)
    few, more, most = numbers
    assert more - few <= 2, "the names and the links of a chunk"
    assert most - more <= 8
    assert few <= 5


# Templates


@pytest.mark.parametrize("kind", LEDGERS)
def test_a_template_has_nothing_to_import(party: Session, tmp_path: Path, kind: str) -> None:
    path = made(party, tmp_path, kind)
    plan = preview(party, kind, path)
    assert (plan.errors, plan.empty, plan.differs) == ([], True, False)
    assert plan.sheets[0].warnings == []
    assert apply(party, plan) is None


def made(session: Session, folder: Path, kind: str) -> Path:
    """Write a ledger's template for the session's actor."""
    path = folder / f"{kind}-模板.xlsx"
    with path.open("wb") as file:
        template(session, spec_named(kind), file)
    return path


@pytest.mark.parametrize("kind", LEDGERS)
def test_a_template_that_is_filled_in_is_imported(
    party: Session, tmp_path: Path, kind: str
) -> None:
    spec, path = spec_named(kind), made(party, tmp_path, kind)
    book = load_workbook(path)
    page: Any = book[sheet_name(spec)]
    fields = {each.label: each for each in spec.fields}
    for place, head in enumerate([cell.value for cell in page[1]], 1):
        field = fields[head.rstrip("*")]
        assert head.endswith("*") is field.required
        page.cell(2, place, SOUND[kind].get(field.name))
    book.save(path)
    plan = preview(party, kind, path)
    assert (plan.errors, counts(plan)) == ([], (1, 0, 0, 0))


@pytest.mark.parametrize("kind", LEDGERS)
def test_the_notes_explain_every_column(party: Session, tmp_path: Path, kind: str) -> None:
    spec = spec_named(kind)
    book = load_workbook(made(party, tmp_path, kind))
    assert book.sheetnames == [sheet_name(spec), NOTES_SHEET, OPTIONS_SHEET]
    assert [each.sheet_state for each in book] == ["visible", "visible", "hidden"]
    notes: Any = book[NOTES_SHEET]
    rows = list(notes.iter_rows(values_only=True))
    told = {row[0]: row[1:] for row in rows}
    for field in spec.fields:
        needed, form, example = told[field.label]
        assert (needed == "必填") is field.required
        assert form
        assert example or field.kind is Kind.TEXT
        assert field.help in form
    assert any("“状态”不能导入" in str(row[0]) for row in rows)


def test_the_example_of_the_notes_would_be_read(party: Session, tmp_path: Path) -> None:
    """But for the organisations, which are the demo county's."""
    for kind in LEDGERS:
        book = load_workbook(made(party, tmp_path, kind))
        notes: Any = book[NOTES_SHEET]
        spec = spec_named(kind)
        told = {row[0]: row[3] for row in notes.iter_rows(values_only=True)}
        row = {each.name: told[each.label] for each in spec.fields}
        row |= {name: SOUND[kind][name] for name in (*spec.places, *spec.links)}
        plan = preview(party, kind, sheet(tmp_path, kind, row))
        assert plan.errors == [], kind


def test_drop_downs_offer_what_is_in_reach(sqlite_session: Session, tmp_path: Path) -> None:
    world = World(sqlite_session)
    offered = {}
    for username, kind in (("party", "needs"), ("community", "needs"), ("unit", "resources")):
        with acting_as(sqlite_session, world.actor(username)):
            book = load_workbook(made(sqlite_session, tmp_path, kind))
        page: Any = book.worksheets[0]
        options: Any = book[OPTIONS_SHEET]
        columns = {
            column[0].value: [each.value for each in column[1:]] for column in options.columns
        }
        label = spec_named(kind).fields[0].label
        offered[username] = [each for each in columns[label] if each]
        [first] = [each for each in page.data_validations.dataValidation if "A2" in each.sqref]
        assert first.formula1.startswith(f"'{OPTIONS_SHEET}'!$A$2:$A$")
        assert first.showErrorMessage is False, "an alias or a code is right as well"
        enum = next(each for each in page.data_validations.dataValidation if "C2" in each.sqref)
        assert (enum.type, enum.showErrorMessage) == ("list", True)
    assert offered == {
        "party": ["甲一一社区", "甲一二社区", "甲二一社区"],
        "community": ["甲一一社区"],
        "unit": ["甲县第一中学"],
    }


def test_long_lists_of_names_are_cut_and_said_to_be(
    party: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(template_module, "MOST_NAMES", 2)
    book = load_workbook(made(party, tmp_path, "needs"))
    options: Any = book[OPTIONS_SHEET]
    assert [options.cell(row, 1).value for row in range(1, 5)] == [
        "所在社区", "甲一一社区", "甲一二社区", None,
    ]  # fmt: skip
    notes: Any = book[NOTES_SHEET]
    said = [row[0] for row in notes.iter_rows(values_only=True)]
    assert "“所在社区”的下拉列表只列出前 2 个，其余请直接填写名称。" in said
