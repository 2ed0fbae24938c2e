"""Importing duty lists: every sample, drafts and versions, changes by cell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from imports.decisions import Decisions
from imports.engine import apply, preview
from imports.plan import RowState
from imports.undo import undo
from models.duty import DutyListStatus, DutyListType
from models.imports import ImportChange
from rules.actor import SYSTEM
from rules.duty_lists import publish
from rules.errors import Conflict, Invalid
from tests.imports.books import CATALOGUE, MESSY, THREE_LISTS, make_book
from tests.imports.conftest import Import, Place, session_beside
from tests.imports.lists import counts, edited, items, lists, of_type, revise

EXPECTED = json.loads((MESSY / "expected.json").read_text(encoding="utf-8"))


# The samples


def test_three_lists(county: Session, import_lists: Import) -> None:
    plan, batch = import_lists(THREE_LISTS, "城关镇")
    assert batch is not None
    assert counts(plan.result()) == [
        ("basic", 129, 0, 0, 0),
        ("coordinating", 103, 0, 0, 0),
        ("reclaimed", 138, 0, 0, 0),
    ]
    assert plan.errors == []
    found = {
        each.list_type.value: (each.item_count, len({item.category for item in each.items}))
        for each in lists(county)
    }
    assert found == {"basic": (129, 10), "coordinating": (103, 12), "reclaimed": (138, 10)}
    assert {each.status for each in lists(county)} == {DutyListStatus.DRAFT}
    assert of_type(county, DutyListType.BASIC).title == "城关镇基本履职事项清单"


def test_several_departments_through_names_and_aliases(
    county: Session, import_lists: Import
) -> None:
    import_lists(THREE_LISTS, "城关镇")
    coordinating = of_type(county, DutyListType.COORDINATING).items[2]
    assert [str(link) for link in coordinating.departments] == [
        "县工业和信息化局",
        "县人力资源和社会保障局",
    ]
    assert coordinating.superior_duty is not None
    assert coordinating.superior_duty.startswith("县工业和信息化局：\n1.")
    assert coordinating.township_duty is not None
    reclaimed = of_type(county, DutyListType.RECLAIMED).items[0]
    assert [str(link) for link in reclaimed.departments] == ["县自然资源局"]
    assert reclaimed.work_method == "收回行政处罚权，由县级综合执法队伍直接执法。"


def test_catalogue_keeps_names_that_repeat(county: Session, import_lists: Import) -> None:
    plan, batch = import_lists(CATALOGUE, "示范县")
    assert batch is not None
    assert counts(plan.result()) == [("catalogue", 1568, 0, 0, 0)]
    catalogue = of_type(county, DutyListType.CATALOGUE)
    assert len({item.category for item in catalogue.items}) == 18
    assert {item.time_limit for item in catalogue.items} >= {"即时", "1小时到场", "3个工作日"}
    again, none = import_lists(CATALOGUE, "示范县")
    assert (counts(again.result()), none) == ([("catalogue", 0, 0, 1568, 0)], None)


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("清水镇_基本清单_表头在第四行.xlsx", "清水镇"),
        ("红旗街道_配合清单_类别竖向合并.xlsx", "红旗街道"),
    ],
)
def test_messy_lists(county: Session, import_lists: Import, name: str, owner: str) -> None:
    plan, _ = import_lists(MESSY / name, owner)
    expected = EXPECTED[name]
    [(list_type, new, *_)] = counts(plan.result())
    assert new == expected[list_type]
    assert len(plan.errors) == expected["errors"]
    found = lists(county)[0].items
    assert len({item.category for item in found}) == expected["categories"]
    by_name = {item.name: [str(link) for link in item.departments] for item in found}
    for item, departments in expected.get("multi", {}).items():
        assert by_name[item] == departments


def test_five_faults_are_told_by_cell_and_nothing_is_written(county: Session, place: Place) -> None:
    name = "和平镇_收回清单_五处错误.xlsx"
    plan = preview(county, "duty-items", MESSY / name, owner=place("和平镇"))
    [sheet] = plan.sheets
    assert sheet.count(RowState.NEW) == EXPECTED[name]["reclaimed_ok"]
    problems = set(EXPECTED[name]["problems"])
    assert {problem.cell for problem in sheet.errors} == problems - {"A17"}
    assert {problem.cell for problem in sheet.warnings} == {"A17"}
    told = {problem.cell: problem for problem in sheet.errors}
    assert told["C10"].value == "县不存在的局"
    assert "相近的有：" in told["C10"].message
    assert "B13" in told["B14"].message
    assert "800 个字，最多 300 个字" in told["B20"].message
    with pytest.raises(Invalid, match="4 处错误"):
        apply(county, plan)
    county.rollback()
    assert lists(county) == []


# Again, and with changes


def test_the_same_file_again_changes_nothing(county: Session, import_lists: Import) -> None:
    import_lists(THREE_LISTS, "城关镇")
    before = [(each.id, each.version) for each in lists(county)]
    plan, batch = import_lists(THREE_LISTS, "城关镇")
    assert batch is None
    assert plan.result()["applied"] is False
    assert [row[1:] for row in counts(plan.result())] == [
        (0, 0, 129, 0),
        (0, 0, 103, 0),
        (0, 0, 138, 0),
    ]
    assert [(each.id, each.version) for each in lists(county)] == before


def test_a_draft_is_changed_in_place(county: Session, import_lists: Import, tmp_path: Path) -> None:
    import_lists(THREE_LISTS, "城关镇")
    ids = {each.list_type: each.id for each in lists(county)}
    kept = of_type(county, DutyListType.BASIC).items[5].version
    plan, batch = import_lists(edited(tmp_path, revise), "城关镇", retire=True)
    assert batch is not None
    assert counts(plan.result()) == [
        ("basic", 2, 0, 127, 2),
        ("coordinating", 0, 1, 102, 0),
        ("reclaimed", 0, 0, 138, 0),
    ]
    [row] = [row for row in plan.sheets[1].rows if row.changes]
    [change] = row.changes
    assert (change.label, change.cell) == ("对应部门", "C4")
    assert (change.before, change.after) == ("县发展和改革局", "县发展和改革局、县财政局")
    assert {each.list_type: each.id for each in lists(county)} == ids
    basic = of_type(county, DutyListType.BASIC)
    county.expire_all()
    assert (basic.item_count, len(basic.items)) == (129, 129)
    assert [basic.items[0].name, basic.items[-1].name] == ["组织学习宣传党的理论", "新增的一项"]
    assert basic.items[5].version == kept
    assert of_type(county, DutyListType.RECLAIMED).version == 1


def test_what_the_file_lacks_stays_behind_what_it_followed(
    county: Session, import_lists: Import, place: Place, tmp_path: Path
) -> None:
    """Rows are retired only if asked (domain section 5), in a draft and in a new version alike."""

    def book(*names: str) -> Path:
        rows = [["类别", "事项名称"], *(["党建", name] for name in names)]
        return make_book(tmp_path / "a.xlsx", ("基本履职", rows))

    def names() -> list[str]:
        county.expire_all()
        return [item.name for item in lists(county)[-1].items]

    import_lists(book("甲", "乙", "丙", "丁"), "城关镇")
    plan, batch = import_lists(book("乙", "新", "丁"), "城关镇")
    assert batch is not None
    assert [row.title for row in plan.sheets[0].missing] == ["甲", "丙"]
    assert names() == ["甲", "乙", "丙", "新", "丁"]
    assert lists(county)[0].item_count == 5
    undo(county, batch)
    county.commit()
    assert names() == ["甲", "乙", "丙", "丁"]
    publish(county, place("城关镇"), SYSTEM)
    county.commit()
    assert import_lists(book("丁", "乙"), "城关镇")[1] is None, "only lacks some: nothing to write"
    import_lists(book("丁", "乙", "新"), "城关镇")
    assert names() == ["甲", "丁", "乙", "丙", "新"]
    plan, _ = import_lists(book("丁", "乙", "新"), "城关镇", retire=True)
    assert (plan.differs, names()) == (True, ["丁", "乙", "新"])
    assert [item.position for item in lists(county)[-1].items] == [1, 2, 3]


def test_to_retire_or_not_is_another_plan(
    county: Session, import_lists: Import, place: Place, tmp_path: Path
) -> None:
    import_lists(THREE_LISTS, "城关镇")
    path = edited(tmp_path, revise)
    tokens = {
        preview(
            county, "duty-items", path, owner=place("城关镇"), decisions=Decisions(retire=retire)
        ).token
        for retire in (False, True)
    }
    assert len(tokens) == 2


def test_after_publishing_a_change_makes_a_new_version(
    county: Session, import_lists: Import, place: Place, tmp_path: Path
) -> None:
    import_lists(THREE_LISTS, "城关镇")
    publish(county, place("城关镇"), SYSTEM)
    county.commit()
    _, none = import_lists(THREE_LISTS, "城关镇")
    assert none is None
    _, batch = import_lists(edited(tmp_path, revise), "城关镇")
    assert batch is not None
    drafts = lists(county, DutyListStatus.DRAFT)
    assert [(each.list_type.value, each.number) for each in drafts] == [
        ("basic", 2),
        ("coordinating", 2),
    ]
    published = lists(county, DutyListStatus.PUBLISHED)
    assert [each.item_count for each in published] == [129, 103, 138]
    assert len(published[0].items) == 129
    assert drafts[1].items[1].superior_duty == published[1].items[1].superior_duty


def test_a_column_that_the_file_lacks_keeps_its_values(
    county: Session, import_lists: Import, tmp_path: Path
) -> None:
    head = ["序号", "类别", "事项名称", "责任部门", "办理时限"]
    import_lists(
        make_book(tmp_path / "a.xlsx", ("事项清单", [head, [1, "甲", "乙", "县教育局", "7日"]])),
        "示范县",
    )
    rows = [["序号", "类别", "事项名称", "责任部门"], [1, "甲", "乙", "县公安局"]]
    import_lists(make_book(tmp_path / "b.xlsx", ("事项清单", rows)), "示范县")
    [item] = of_type(county, DutyListType.CATALOGUE).items
    assert item.time_limit == "7日"
    assert [str(link) for link in item.departments] == ["县公安局"]


def test_one_list_of_three_leaves_the_others_alone(
    county: Session, import_lists: Import, tmp_path: Path
) -> None:
    import_lists(THREE_LISTS, "城关镇")
    rows = [["序号", "事项名称"], [1, "只剩一项"]]
    plan, _ = import_lists(make_book(tmp_path / "a.xlsx", ("基本履职", rows)), "城关镇")
    assert counts(plan.result()) == [("basic", 1, 0, 0, 129)]
    assert of_type(county, DutyListType.COORDINATING).item_count == 103


def test_one_list_over_several_sheets_is_one_list(
    county: Session, import_lists: Import, tmp_path: Path
) -> None:
    head = ["序号", "类别", "事项名称", "责任部门"]
    sheets = [
        ("事项清单一", [head, [1, "甲", "乙", "县教育局"]]),
        ("事项清单二", [head, [1, "丙", "丁", "县公安局"]]),
    ]
    import_lists(make_book(tmp_path / "a.xlsx", *sheets), "示范县")
    assert [item.name for item in of_type(county, DutyListType.CATALOGUE).items] == ["乙", "丁"]
    sheets[1] = ("事项清单二", [head, [1, "甲", "乙", "县教育局"]])
    with pytest.raises(Invalid):
        import_lists(make_book(tmp_path / "b.xlsx", *sheets), "示范县")


def test_warnings_that_do_not_stop_an_import(
    county: Session, import_lists: Import, tmp_path: Path
) -> None:
    rows = [["清水镇收回事项清单"], ["序号", "事项名称", "承接部门"], [1, "甲", "无"]]
    path = make_book(tmp_path / "a.xlsx", ("收回", rows), ("旧稿", [["x"]]), hidden=["旧稿"])
    plan, batch = import_lists(path, "城关镇")
    assert batch is not None
    messages = " ".join(problem.message for problem in plan.sheets[0].warnings)
    assert "标题写的是“清水镇”" in messages
    assert "没有写明对应部门" in messages
    assert "“旧稿”是隐藏的" in messages


# The batch


def test_the_batch_says_who_what_and_when(county: Session, import_lists: Import) -> None:
    plan, batch = import_lists(THREE_LISTS, "城关镇")
    assert batch is not None
    assert (batch.kind, batch.actor_name, batch.file_name) == (
        "duty-items",
        "系统",
        THREE_LISTS.name,
    )
    assert batch.summary == plan.result()["sheets"]
    assert plan.result(batch.id) == {"batch": batch.id, "applied": True, "sheets": batch.summary}
    new = [change for change in batch.changes if change.record_type == "duty_item"]
    assert len(new) == 370
    assert (new[0].cell, new[0].before) == ("基本履职事项清单!B4", None)


def test_the_file_is_kept_under_its_hash(county: Session, place: Place, tmp_path: Path) -> None:
    plan = preview(
        county,
        "duty-items",
        THREE_LISTS,
        owner=place("城关镇"),
        original_name="../../三张清单.xlsx",
    )
    batch = apply(county, plan, archive=tmp_path / "kept")
    assert batch is not None
    assert batch.stored_name == f"{batch.file_hash}.xlsx"
    assert [path.name for path in (tmp_path / "kept").iterdir()] == [batch.stored_name]
    assert (tmp_path / "kept" / batch.stored_name).read_bytes() == THREE_LISTS.read_bytes()


def test_a_roll_back_leaves_nothing(county: Session, place: Place) -> None:
    apply(county, preview(county, "duty-items", THREE_LISTS, owner=place("城关镇")))
    county.rollback()
    assert lists(county) == []
    assert items(county) == 0
    assert county.scalar(select(func.count(ImportChange.id))) == 95


# A preview confirmed later


def test_a_preview_is_confirmed_by_its_token(county: Session, place: Place) -> None:
    shown = preview(county, "duty-items", THREE_LISTS, owner=place("城关镇")).token
    county.commit()
    plan = preview(county, "duty-items", THREE_LISTS, owner=place("城关镇"))
    assert apply(county, plan, shown=shown) is not None


def test_a_preview_that_no_longer_holds_is_refused(
    county: Session, place: Place, import_lists: Import, tmp_path: Path
) -> None:
    path = edited(tmp_path, revise)
    shown = preview(county, "duty-items", path, owner=place("城关镇")).token
    import_lists(THREE_LISTS, "城关镇")
    plan = preview(county, "duty-items", path, owner=place("城关镇"))
    with pytest.raises(Conflict, match="重新预览"):
        apply(county, plan, shown=shown)


def test_another_file_has_another_token(county: Session, place: Place, tmp_path: Path) -> None:
    one = preview(county, "duty-items", THREE_LISTS, owner=place("城关镇"))
    two = preview(county, "duty-items", edited(tmp_path, revise), owner=place("城关镇"))
    other = preview(county, "duty-items", THREE_LISTS, owner=place("清水镇"))
    assert len({one.token, two.token, other.token}) == 3


def test_a_version_published_meanwhile_is_not_overwritten(
    county: Session, import_lists: Import, place: Place, tmp_path: Path
) -> None:
    """Between preview and writing somebody else publishes the draft: the lock notices."""
    import_lists(THREE_LISTS, "城关镇")
    owner = place("城关镇")
    plan = preview(county, "duty-items", edited(tmp_path, revise), owner=owner)
    with session_beside(county) as other:
        publish(other, other.get_one(type(owner), owner.id), SYSTEM)
        other.commit()
    with pytest.raises(Conflict, match="重新预览"):
        apply(county, plan)
    county.rollback()
    assert lists(county, DutyListStatus.DRAFT) == []
