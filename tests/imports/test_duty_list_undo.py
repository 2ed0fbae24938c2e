"""Undoing imports of duty lists: whole, or refused with what has changed since."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from imports.plan import fingerprint
from imports.undo import undo
from models.duty import DutyItem, DutyListStatus, DutyListType
from models.imports import ImportBatch, ImportStatus
from rules.actor import SYSTEM
from rules.duty_items import items_of
from rules.duty_lists import publish
from rules.errors import Conflict
from tests.imports.books import THREE_LISTS, make_book
from tests.imports.conftest import Import, Place
from tests.imports.lists import edited, items, lists, of_type, revise


def test_undo_of_a_first_import(county: Session, import_lists: Import) -> None:
    _, batch = import_lists(THREE_LISTS, "城关镇")
    assert batch is not None
    assert str(undo(county, batch)) == "已撤销：移除 370 条新增，恢复 0 条原有内容。"
    county.commit()
    assert lists(county) == []
    assert items(county) == 0
    assert (batch.state, batch.undone_by) == (ImportStatus.UNDONE, "系统")


def test_undo_restores_a_draft(county: Session, import_lists: Import, tmp_path: Path) -> None:
    import_lists(THREE_LISTS, "城关镇")
    _, batch = import_lists(edited(tmp_path, revise), "城关镇")
    assert batch is not None
    undo(county, batch)
    county.commit()
    _, none = import_lists(THREE_LISTS, "城关镇")
    assert none is None
    basic = of_type(county, DutyListType.BASIC)
    county.expire_all()
    assert [item.serial for item in basic.items] == [str(n) for n in range(1, 130)]


def test_undo_of_a_new_version_keeps_the_published(
    county: Session, import_lists: Import, place: Place, tmp_path: Path
) -> None:
    import_lists(THREE_LISTS, "城关镇")
    publish(county, place("城关镇"), SYSTEM)
    _, batch = import_lists(edited(tmp_path, revise), "城关镇")
    assert batch is not None
    undo(county, batch)
    county.commit()
    assert {each.status for each in lists(county)} == {DutyListStatus.PUBLISHED}
    assert len(lists(county)) == 3


def test_undo_is_refused_once_published(
    county: Session, import_lists: Import, place: Place
) -> None:
    _, batch = import_lists(THREE_LISTS, "城关镇")
    assert batch is not None
    publish(county, place("城关镇"), SYSTEM)
    county.commit()
    with pytest.raises(Conflict, match="已发布"):
        undo(county, batch)
    county.rollback()
    assert batch.state is ImportStatus.APPLIED


@pytest.mark.parametrize("how", ["edit", "departments", "add", "remove"])
def test_undo_is_refused_and_names_what_has_changed(
    county: Session, import_lists: Import, how: str
) -> None:
    _, batch = import_lists(THREE_LISTS, "城关镇")
    assert batch is not None
    version = of_type(county, DutyListType.COORDINATING)
    item = version.items[0]
    name = item.name
    if how == "edit":
        item.township_duty = "改过"
    elif how == "departments":
        item.departments.pop()
    elif how == "remove":
        version.items.remove(item)
    else:
        name = "手工新增"
        version.items.append(DutyItem(position=999, name=name))
    county.commit()
    with pytest.raises(Conflict, match=f"“{name}”，不能撤销"):
        undo(county, batch)
    county.rollback()
    assert items(county) >= 369


def test_undo_of_the_older_of_two_batches_is_refused(
    county: Session, import_lists: Import, tmp_path: Path
) -> None:
    _, first = import_lists(THREE_LISTS, "城关镇")
    _, second = import_lists(edited(tmp_path, revise), "城关镇")
    assert first is not None
    assert second is not None
    with pytest.raises(Conflict):
        undo(county, first)
    county.rollback()
    undo(county, second)
    county.commit()
    undo(county, county.get_one(ImportBatch, first.id))
    county.commit()
    assert lists(county) == []


def test_a_batch_of_the_former_release_is_undone(county: Session, import_lists: Import) -> None:
    """It notes each item by its number with the hash of its values, and every new one by itself."""
    _, batch = import_lists(THREE_LISTS, "城关镇")
    assert batch is not None
    for change in batch.changes:
        if change.record_type == "duty_list":
            found = items_of(county, [change.record_id])[change.record_id]
            change.after = {"items": {str(each.id): fingerprint(each.values) for each in found}}
    county.commit()
    touched = of_type(county, DutyListType.BASIC).items[0]
    name, touched.name = touched.name, "改过的名称"
    county.commit()
    with pytest.raises(Conflict, match="改过的名称"):
        undo(county, batch)
    county.rollback()
    touched.name = name
    county.commit()
    assert str(undo(county, batch)) == "已撤销：移除 370 条新增，恢复 0 条原有内容。"
    assert items(county) == 0


def test_a_sheet_without_rows_lacks_nothing(
    county: Session, import_lists: Import, tmp_path: Path
) -> None:
    """The sheets of a template that nobody filled in take nothing away, even if that is asked for."""
    import_lists(THREE_LISTS, "城关镇")
    heads: list[tuple[object, ...]] = [("序号", "类别", "事项名称")]
    empty = make_book(tmp_path / "模板.xlsx", ("基本履职事项清单", heads))
    plan, none = import_lists(empty, "城关镇", retire=True)
    assert none is None
    assert [sheet.missing for sheet in plan.sheets] == [[]]
    assert items(county) == 370
