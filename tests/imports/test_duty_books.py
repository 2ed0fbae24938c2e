"""Duty lists as workbooks: what leaves is what the import reads, version by version."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from imports.duty_export import export_items, title_for
from imports.engine import preview
from imports.layout import NOTES_SHEET, OPTIONS_SHEET
from imports.specs.duty_items import LISTS
from imports.template import template
from models.duty import DutyItem, DutyItemDepartment, DutyList, DutyListType
from models.organization import Organization, OrganizationKind
from rules.actor import SYSTEM, acting_as
from rules.duty_lists import publish
from tests.factories.world import World
from tests.imports.books import CATALOGUE, THREE_LISTS
from tests.imports.conftest import Import, Place
from tests.imports.ledgers import rows_of
from tests.imports.lists import counts, edited, of_type, revise

Exported = Callable[..., Path]


@pytest.fixture
def exported(county: Session, tmp_path: Path) -> Exported:
    """Write the items of a statement into a file; a place's versions by default."""

    def write(owner: Organization, *tests: Any, whole: bool = True, **more: Any) -> Path:
        ids = select(DutyList.id).where(DutyList.organization_id == owner.id)
        items = select(DutyItem).where(DutyItem.duty_list_id.in_(ids), *tests)
        path = tmp_path / "清单导出.xlsx"
        owner_id = owner.id
        with path.open("wb") as file:
            export_items(county, items, file, whole=whole, **more)
        # What an export has loaded is for reading only.
        county.expunge_all()
        assert owner_id
        return path

    return write


def unchanged(session: Session, path: Path, owner: Organization) -> list[tuple[str, int]]:
    """Return the lists of a file with their items, none of which differs."""
    plan = preview(session, "duty-items", path, owner=owner)
    assert plan.errors == []
    assert not plan.differs
    found = counts(plan.result())
    assert all((new, changed, lacking) == (0, 0, 0) for _, new, changed, _, lacking in found)
    return [(list_type, same) for list_type, _new, _changed, same, _lacking in found]


def test_three_lists_come_back_in_one_workbook(
    county: Session, place: Place, import_lists: Import, exported: Exported
) -> None:
    import_lists(THREE_LISTS, "城关镇")
    path = exported(place("城关镇"))
    assert unchanged(county, path, place("城关镇")) == [
        ("basic", 129), ("coordinating", 103), ("reclaimed", 138),
    ]  # fmt: skip
    book = load_workbook(path)
    states = "草稿1"
    assert book.sheetnames == [f"{each.title}{states}" for each in list(DutyListType)[:3]], (
        "drafts are told from what is in force"
    )
    title, heads, first = rows_of(path)[:3]
    assert title[0] == "城关镇基本履职事项清单"
    assert heads == ("序号", "类别", "事项名称")
    assert first == ("1", "党的建设", first[2])
    coordinating: Any = book.worksheets[1]
    assert [cell.value for cell in coordinating[2]] == [
        "序号", "类别", "事项名称", "对应上级部门", "上级部门职责", "乡镇（街道）配合职责",
    ]  # fmt: skip


def test_the_catalogue_comes_back(
    county: Session, place: Place, import_lists: Import, exported: Exported
) -> None:
    """Names repeat within it, and texts are as long as they are."""
    import_lists(CATALOGUE, "示范县")
    path = exported(place("示范县"))
    assert unchanged(county, path, place("示范县")) == [("catalogue", 1568)]


def test_what_is_in_force_is_held_against_what_left(
    county: Session, place: Place, import_lists: Import, exported: Exported, tmp_path: Path
) -> None:
    """The published lists come back unchanged; a draft beside them has a sheet of its own."""
    import_lists(THREE_LISTS, "城关镇")
    publish(county, place("城关镇"), SYSTEM)
    county.commit()
    path = exported(place("城关镇"))
    assert load_workbook(path).sheetnames == [each.title for each in list(DutyListType)[:3]]
    assert len(unchanged(county, path, place("城关镇"))) == 3
    import_lists(edited(tmp_path, revise), "城关镇")
    names = load_workbook(exported(place("城关镇"))).sheetnames
    assert names[:2] == ["基本履职事项清单草稿2", "基本履职事项清单"]


def test_departments_are_written_so_that_they_are_found(
    county: Session, place: Place, import_lists: Import, exported: Exported
) -> None:
    """The county's own goes by its name; the city's by its code as well, or by that alone."""
    import_lists(THREE_LISTS, "城关镇")
    city = Organization(code="6401", name="示范市", kind=OrganizationKind.CITY)
    county.add(city)
    county.flush()
    place("示范县").parent = city
    namesake = Organization(
        code="6401-D05", name="县教育局", kind=OrganizationKind.DEPARTMENT, parent=city
    )
    blanks = Organization(
        code="6401-D06", name="市 一、二 局", kind=OrganizationKind.DEPARTMENT, parent=city
    )
    county.add_all([namesake, blanks])
    county.flush()
    item = of_type(county, DutyListType.COORDINATING).items[0]
    wanted = [namesake, blanks, place("县教育局")]
    item.departments = [
        DutyItemDepartment(organization=each, position=at) for at, each in enumerate(wanted)
    ]
    county.commit()
    path = exported(place("城关镇"))
    book = load_workbook(path)
    page: Any = book.worksheets[1]
    assert page["D3"].value.split("\n") == [
        "县教育局（6401-D05）",
        "6401-D06",
        "县教育局",
    ]
    assert len(unchanged(county, path, place("城关镇"))) == 3


@pytest.mark.parametrize(
    ("title", "written"),
    [
        ("城关镇配合履职事项清单（2026年）", "城关镇配合履职事项清单（2026年）"),
        (None, "城关镇配合履职事项清单"),
        ("二〇二六年版", "城关镇配合履职事项清单"),
        ("基本履职事项清单", "城关镇配合履职事项清单"),
        ("=配合", "=配合"),
        ("配合" * 60, "城关镇配合履职事项清单"),
    ],
)
def test_the_title_says_which_list_it_is(
    county: Session,
    place: Place,
    import_lists: Import,
    exported: Exported,
    title: str | None,
    written: str,
) -> None:
    import_lists(THREE_LISTS, "城关镇")
    version = of_type(county, DutyListType.COORDINATING)
    version.title = title
    county.commit()
    assert title_for(version) == written
    path = exported(place("城关镇"))
    assert len(unchanged(county, path, place("城关镇"))) == 3
    page: Any = load_workbook(path).worksheets[1]
    if title not in (None, written):
        assert page["A1"].value == f"※ 清单标题：{title}"
        page.delete_rows(1)
    assert (page["A1"].value, page["A1"].data_type) == (written, "s")


def test_a_part_says_that_it_is_one(
    county: Session, place: Place, import_lists: Import, exported: Exported
) -> None:
    import_lists(THREE_LISTS, "城关镇")
    path = exported(place("城关镇"), DutyItem.category == "党的建设", whole=False)
    rows = rows_of(path)
    assert str(rows[0][0]).startswith("※ 这里只有符合筛选条件的部分事项")
    assert rows[2] == ("序号", "类别", "事项名称")
    plan = preview(county, "duty-items", path, owner=place("城关镇"))
    assert plan.errors == []
    assert plan.sheets[0].list_type == "basic"
    assert len(plan.sheets[0].rows) + len(plan.sheets[0].missing) == 129
    path = exported(place("城关镇"), most=50)
    assert "超过 50 条" in str(rows_of(path)[0][0])
    assert "部分事项" in str(rows_of(path)[1][0])


def test_sheets_are_as_many_as_a_workbook_bears(
    county: Session,
    place: Place,
    import_lists: Import,
    exported: Exported,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import_lists(THREE_LISTS, "城关镇")
    monkeypatch.setattr("imports.duty_export.MOST_SHEETS", 2)
    book = load_workbook(exported(place("城关镇")))
    assert len(book.sheetnames) == 2
    last: Any = book.worksheets[-1]
    assert "超过 2 份" in last.cell(last.max_row, 1).value


def test_nothing_at_all_is_a_workbook_too(exported: Exported, place: Place) -> None:
    assert len(rows_of(exported(place("城关镇")))) == 1


def test_a_version_costs_a_bounded_number_of_statements(
    county: Session, place: Place, import_lists: Import
) -> None:
    import_lists(THREE_LISTS, "城关镇")
    county.expunge_all()
    sent: list[str] = []

    def record(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(county.get_bind(), "before_cursor_execute", record)
    export_items(county, select(DutyItem), io.BytesIO(), whole=True)
    event.remove(county.get_bind(), "before_cursor_execute", record)
    assert len(sent) <= 8


def test_the_gate_holds(
    sqlite_session: Session, tmp_path: Path, world_lists: dict[str, int]
) -> None:
    """A township exports its own lists and the county's catalogue, and nobody else's."""
    world = World(sqlite_session)
    seen = {}
    for username in ("duty", "township", "unit", "townshipb"):
        file = io.BytesIO()
        with acting_as(sqlite_session, world.actor(username)):
            export_items(sqlite_session, select(DutyItem), file, whole=True)
        sqlite_session.expunge_all()
        said = "\n".join(
            str(cell)
            for page in load_workbook(io.BytesIO(file.getvalue()))
            for row in page.iter_rows(values_only=True)
            for cell in row
        )
        seen[username] = {code for code in world_lists if f"事项{code}号" in said}
    assert seen == {
        "duty": {"A", "A1", "A2"},
        "township": {"A", "A1"},
        "unit": set(),
        "townshipb": {"B1"},
    }


@pytest.fixture
def world_lists(sqlite_session: Session) -> dict[str, int]:
    """A list with one item for each of some places of the seeded world, by the place's code."""
    world, found = World(sqlite_session), {}
    for code in ("A", "A1", "A2", "B1"):
        owner = world.place(code)
        kind = DutyListType.CATALOGUE if code == "A" else DutyListType.BASIC
        version = DutyList(organization=owner, list_type=kind, number=9, item_count=1)
        version.items = [DutyItem(position=1, name=f"事项{code}号")]
        sqlite_session.add(version)
        sqlite_session.flush()
        found[code] = version.id
    sqlite_session.commit()
    return found


# The template


def test_the_template_has_every_list(county: Session, place: Place, tmp_path: Path) -> None:
    path = tmp_path / "模板.xlsx"
    with path.open("wb") as file:
        template(county, tuple(LISTS.values()), file)
    plan = preview(county, "duty-items", path, owner=place("城关镇"))
    assert (plan.errors, plan.empty, plan.differs) == ([], True, False)
    assert [each.list_type for each in plan.sheets] == list(LISTS)
    book = load_workbook(path)
    labels = [each.label for each in LISTS.values()]
    assert book.sheetnames == [*labels, NOTES_SHEET, OPTIONS_SHEET]
    page: Any = book["配合履职事项清单"]
    assert page["A1"].value == "配合履职事项清单"
    assert [cell.value for cell in page[2]] == [
        "序号", "类别", "事项名称*", "对应上级部门", "上级部门职责", "乡镇（街道）配合职责",
    ]  # fmt: skip
    [choice] = [each for each in page.data_validations.dataValidation if each.type == "list"]
    assert (str(choice.sqref)[:3], choice.showErrorMessage) == ("D3:", False)
    options: Any = book[OPTIONS_SHEET]
    offered = [cell.value for cell in options["A"][1:]]
    assert "县教育局" in offered
    assert "城关镇" not in offered
    assert options.max_column == 1, "the lists share what they offer"
    notes = [row[0] for row in book[NOTES_SHEET].iter_rows(values_only=True)]
    for label in labels:
        assert f"{label}：怎样填写" in notes


def test_the_template_with_its_examples_is_imported(
    county: Session, place: Place, tmp_path: Path, import_lists: Import
) -> None:
    path = tmp_path / "模板.xlsx"
    with path.open("wb") as file:
        template(county, tuple(LISTS.values()), file)
    book = load_workbook(path)
    for spec in LISTS.values():
        page: Any = book[spec.label]
        for column, out in enumerate(spec.outs(shown=False), 1):
            assert out.field is not None
            page.cell(3, column, spec.example(out.field))
    book.save(path)
    plan, batch = import_lists(path, "城关镇")
    assert plan.errors == []
    assert batch is not None
    item = of_type(county, DutyListType.COORDINATING).items[0]
    assert [link.organization.name for link in item.departments] == [
        "县住房和城乡建设局", "县应急管理局",
    ]  # fmt: skip
