"""What a workbook leaves open is settled on its page: columns, names, places, what goes, and when."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select

from models.duty import DutyItem, DutyList
from models.import_job import ImportJob, ImportJobState, ImportLayout
from models.organization import Organization
from rules.actor import SYSTEM, acting_as
from tests.factories.world import World
from tests.imports.books import make_book
from tests.views.pages import errors_of
from tests.views.stage import Stage, Watch
from tests.views.test_import_pages import HEAD, LISTS, SHEET, book
from tests.views.uploads import (
    choices_of,
    form_to,
    imported,
    offered,
    records,
    send,
    upload,
    uploaded,
    work_off,
)

S = ImportJobState
ODD = ("序号", "工作事项", "由谁牵头", "他们做什么", "我们做什么")
MAPPED = {
    "column_0_0": "序号",
    "column_0_1": "事项名称",
    "column_0_2": "对应上级部门",
    "column_0_3": "上级部门职责",
    "column_0_4": "乡镇（街道）配合职责",
}


@pytest.fixture(autouse=True)
def _put_back(watch: Watch) -> None:
    """Every test writes; what it wrote is undone."""


@pytest.fixture
def duty(stage: Stage) -> FlaskClient:
    """The duty-list officer of county A, who imports for every township of it."""
    return stage.client("duty")


def odd_book(folder: Path, name: str = "甲一镇.xlsx") -> Path:
    """Return a workbook whose headings nobody knows."""
    rows: list[tuple[Any, ...]] = [ODD, (1, "新事项甲", "甲县住建局", "查", "报")]
    return make_book(folder / name, (SHEET, rows))


#: What a test has uploaded: the stage's own have no file.
OURS = select(ImportJob).where(ImportJob.size > 1).order_by(ImportJob.id)


def jobs_of(stage: Stage) -> list[ImportJob]:
    with stage.session() as session, acting_as(session, SYSTEM):
        return list(session.scalars(OURS))


def place_of(stage: Stage, code: str) -> int:
    with stage.session() as session, acting_as(session, SYSTEM):
        return World(session).place(code).id


def newest_item(stage: Stage) -> tuple[str, list[str]]:
    """Return the newest duty item, and the codes of its departments."""
    with stage.session() as session, acting_as(session, SYSTEM):
        item = session.scalars(select(DutyItem).order_by(DutyItem.id.desc())).first()
        assert item is not None
        return item.name, [link.organization.code for link in item.departments]


# Headings


def test_headings_nobody_knows_are_mapped_and_remembered(
    stage: Stage, duty: FlaskClient, tmp_path: Path
) -> None:
    page = uploaded(duty, LISTS, odd_book(tmp_path))
    assert page.status_code == 422
    form = form_to(page.text, "headings")
    assert form.data()["list_0"] == ["coordinating"], "the sheet's name says which list it is"
    ready = send(duty, page.text, "headings", **MAPPED)
    assert ready.status_code == 302
    ready_page = duty.get(ready.headers["Location"])
    assert "新事项甲" in ready_page.text
    assert send(duty, ready_page.text, "apply").status_code == 302
    name, departments = newest_item(stage)
    assert name == "新事项甲"
    assert len(departments) == 1

    rows: list[tuple[Any, ...]] = [ODD, (1, "别的事项", "甲县住建局", "查", "报")]
    other = make_book(tmp_path / "甲二镇.xlsx", (SHEET, rows))
    again = uploaded(duty, LISTS, other)
    assert again.status_code == 200, "the same headings are known from now on"
    assert not offered(again.text, "headings")
    with stage.session() as session, acting_as(session, SYSTEM):
        (layout,) = session.scalars(select(ImportLayout))
        assert layout.list_type == "coordinating"


def test_a_mapping_is_the_organisation_s_own(
    stage: Stage, duty: FlaskClient, tmp_path: Path
) -> None:
    page = uploaded(duty, LISTS, odd_book(tmp_path))
    assert send(duty, page.text, "headings", **MAPPED).status_code == 302
    theirs = uploaded(stage.client("dutyb"), LISTS, odd_book(tmp_path, "乙一镇.xlsx"))
    assert theirs.status_code == 422


def test_a_mapping_that_cannot_be_is_refused_and_kept_on_the_page(
    stage: Stage, duty: FlaskClient, tmp_path: Path
) -> None:
    page = uploaded(duty, LISTS, odd_book(tmp_path))
    before = records(stage)
    twice = send(duty, page.text, "headings", **MAPPED | {"column_0_4": "上级部门职责"})
    assert twice.status_code == 422
    assert "选了两次" in errors_of(twice.text)
    assert form_to(twice.text, "headings").data()["column_0_2"] == ["对应上级部门"]
    foreign = send(duty, page.text, "headings", **MAPPED | {"list_0": "basic"})
    assert foreign.status_code == 422
    assert "没有“对应上级部门”这一列" in errors_of(foreign.text)
    assert records(stage) == before
    with stage.session() as session, acting_as(session, SYSTEM):
        assert session.scalars(select(ImportLayout)).all() == []


def test_a_sheet_can_be_left_out(stage: Stage, duty: FlaskClient, tmp_path: Path) -> None:
    rows: list[tuple[Any, ...]] = [HEAD, (1, "新事项甲", "甲县住建局", "查", "报")]
    path = make_book(
        tmp_path / "甲一镇.xlsx", (SHEET, rows), ("收支", [ODD, (1, "a", "b", "c", "d")])
    )
    page = uploaded(duty, LISTS, path)
    assert "收支" in page.text
    answer = send(duty, page.text, "headings", list_0="-")
    again = duty.get(answer.headers["Location"])
    assert "按您的选择没有导入" in again.text
    assert offered(again.text, "apply")


# Names


def test_an_unknown_name_is_chosen_once_for_all_rows(
    stage: Stage, duty: FlaskClient, tmp_path: Path
) -> None:
    path = book(tmp_path, "新事项甲", "新事项乙", department="甲县住建委")
    page = uploaded(duty, LISTS, path, owner=place_of(stage, "A1"))
    assert page.status_code == 422
    assert "2 处" in page.text
    labels = choices_of(page.text, "choice_0")
    near = next(text for text in labels if "住建" in text)
    before = records(stage)["organization_name"]
    answer = send(duty, page.text, "names", choice_0=labels[near])
    ready = duty.get(answer.headers["Location"])
    assert ready.status_code == 200
    assert send(duty, ready.text, "apply").status_code == 302
    _name, departments = newest_item(stage)
    assert len(departments) == 1
    assert records(stage)["organization_name"] == before, "chosen for this file only"


def test_a_name_becomes_an_alias_and_is_known_ever_after(
    stage: Stage, duty: FlaskClient, tmp_path: Path
) -> None:
    path = book(tmp_path, "新事项甲", department="甲县住建委")
    page = uploaded(duty, LISTS, path, owner=place_of(stage, "A1"))
    with stage.session() as session, acting_as(session, SYSTEM):
        department = session.scalars(
            select(Organization).where(Organization.name == "甲县住建局")
        ).one()
        number = department.id
    answer = send(duty, page.text, "names", choice_0="other", other_0=str(number), alias_0="y")
    assert answer.status_code == 302, errors_of(answer.text)
    again = uploaded(duty, LISTS, path, owner=place_of(stage, "A1"))
    assert again.status_code == 200
    with stage.session() as session, acting_as(session, SYSTEM):
        assert "甲县住建委" in session.get_one(Organization, number).aliases


def test_an_unknown_name_becomes_a_department_of_the_county(
    stage: Stage, duty: FlaskClient, tmp_path: Path
) -> None:
    path = book(tmp_path, "新事项甲", department="甲县旅游局")
    page = uploaded(duty, LISTS, path, owner=place_of(stage, "A1"))
    no_code = send(duty, page.text, "names", choice_0="create")
    assert no_code.status_code == 422
    assert "机构代码" in errors_of(no_code.text)
    answer = send(duty, page.text, "names", choice_0="create", code_0="A-NEW")
    assert answer.status_code == 302, errors_of(answer.text)
    ready = duty.get(answer.headers["Location"])
    assert ready.status_code == 200
    with stage.session() as session, acting_as(session, SYSTEM):
        made = session.scalars(select(Organization).where(Organization.code == "A-NEW")).one()
        assert made.name == "甲县旅游局"
        assert made.parent is not None
        assert made.parent.code == "A"


def test_a_township_chooses_but_does_not_make_organisations(stage: Stage, tmp_path: Path) -> None:
    client = stage.client("township")
    page = uploaded(client, LISTS, book(tmp_path, "新事项甲", department="甲县旅游局"))
    fields = form_to(page.text, "names").data()
    assert "alias_0" not in fields
    assert "code_0" not in fields
    before = records(stage)
    answer = send(client, page.text, "names", choice_0="create", code_0="A-NEW", alias_0="y")
    assert answer.status_code == 422
    assert records(stage) == before


def test_an_alias_that_is_another_s_name_is_refused(
    stage: Stage, duty: FlaskClient, tmp_path: Path
) -> None:
    path = book(tmp_path, "新事项甲", department="甲县住建委")
    page = uploaded(duty, LISTS, path, owner=place_of(stage, "A1"))
    foreign = place_of(stage, "B-D1") if _has(stage, "B-D1") else place_of(stage, "B1")
    before = records(stage)
    answer = send(duty, page.text, "names", choice_0="other", other_0=str(foreign), alias_0="y")
    assert answer.status_code == 422
    assert "不在您可以修改的范围内" in errors_of(answer.text)
    assert records(stage) == before


def _has(stage: Stage, code: str) -> bool:
    with stage.session() as session, acting_as(session, SYSTEM):
        query = select(Organization.id).where(Organization.code == code)
        return session.scalar(query) is not None


# Whose lists they are


def test_several_files_go_each_to_its_township(
    stage: Stage, duty: FlaskClient, tmp_path: Path
) -> None:
    one = book(tmp_path, "新事项甲")
    untold = make_book(
        tmp_path / "没有名字.xlsx", (SHEET, [HEAD, (1, "某事项", "甲县住建局", "查", "报")])
    )
    files = [
        (one, "甲一镇清单.xlsx"),
        (one, "甲县甲二镇.xlsx"),
        (one, "清单.xlsx"),
        (untold, "x.xlsx"),
    ]
    answer = upload(duty, LISTS, *files)
    assert work_off(stage) == len(files)
    page = duty.get(answer.headers["Location"])
    assert page.status_code == 200
    jobs = jobs_of(stage)
    with stage.session() as session, acting_as(session, SYSTEM):
        names = [
            session.get_one(Organization, job.organization_id).name if job.organization_id else None
            for job in jobs
        ]
    # The third says it in its title, the last nowhere.
    assert names == ["甲一镇", "甲二镇", "甲一镇", None]
    assert [job.state for job in jobs] == [S.READY, S.READY, S.READY, S.PLACE]

    asked = duty.get(f"/import-jobs/show/{jobs[3].id}")
    assert f'href="{answer.headers["Location"]}"' in asked.text, "it leads back to the others"
    told = send(duty, asked.text, "place", organization=str(place_of(stage, "A2")))
    assert "甲二镇" in duty.get(told.headers["Location"]).text
    foreign = send(duty, asked.text, "place", organization=str(place_of(stage, "B1")))
    assert foreign.status_code in (409, 422)


def test_files_of_one_upload_are_confirmed_together_each_by_itself(
    stage: Stage, duty: FlaskClient, tmp_path: Path
) -> None:
    good = book(tmp_path, "新事项甲")
    bad = make_book(tmp_path / "坏.xlsx", (SHEET, [HEAD, (1, "某事项", "没有这个局", "查", "报")]))
    answer = upload(duty, LISTS, (good, "甲一镇.xlsx"), (bad, "甲二镇.xlsx"))
    work_off(stage)
    page = duty.get(answer.headers["Location"])
    done = send(duty, page.text, "apply-all")
    assert done.status_code == 302
    work_off(stage)
    assert [job.state for job in jobs_of(stage)] == [S.DONE, S.FAULTY]
    after = duty.get(done.headers["Location"])
    assert not offered(after.text, "apply-all")
    bundle = jobs_of(stage)[0].bundle
    assert duty.post(f"/import-jobs/apply-all/{bundle}").status_code == 409


# What the file lacks


def test_what_the_file_lacks_goes_only_if_asked(
    stage: Stage, duty: FlaskClient, tmp_path: Path
) -> None:
    place = place_of(stage, "A1")
    imported(duty, LISTS, book(tmp_path, "一", "二", "三"), owner=place)
    page = uploaded(duty, LISTS, book(tmp_path, "一", "三", "四"), owner=place)
    kept = _names(stage)
    assert "二" in kept
    answer = send(duty, page.text, "retire")
    again = duty.get(answer.headers["Location"])
    assert "将移除" in again.text
    assert send(duty, again.text, "apply").status_code == 302
    assert [name for name in _names(stage) if name in "一二三四"] == ["一", "三", "四"]


def test_left_alone_what_the_file_lacks_stays(
    stage: Stage, duty: FlaskClient, tmp_path: Path
) -> None:
    place = place_of(stage, "A1")
    imported(duty, LISTS, book(tmp_path, "一", "二", "三"), owner=place)
    imported(duty, LISTS, book(tmp_path, "一", "三", "四"), owner=place)
    assert {"一", "二", "三", "四"} <= set(_names(stage))


def _names(stage: Stage) -> list[str]:
    with stage.session() as session, acting_as(session, SYSTEM):
        newest = session.scalars(select(DutyList).order_by(DutyList.id.desc())).first()
        assert newest is not None
        return [item.name for item in newest.items]


# The file with its errors marked


def test_errors_come_back_in_the_same_workbook(
    stage: Stage, duty: FlaskClient, tmp_path: Path
) -> None:
    path = book(tmp_path, "新事项甲", "新事项乙", department="没有这个局")
    page = uploaded(duty, LISTS, path, owner=place_of(stage, "A1"))
    number = form_to(page.text, "delete").action.rsplit("/", 1)[1]
    sent = duty.get(f"/import-jobs/marked/{number}")
    assert sent.status_code == 200
    marked = load_workbook(io.BytesIO(sent.data))
    sheet: Any = marked[SHEET]
    for ref in ("C3", "C4"):
        assert "没有找到部门" in sheet[ref].comment.text
        assert sheet[ref].fill.fgColor.rgb.endswith("FFC7CE")
    assert sheet["B3"].comment is None
    assert sheet["B3"].value == "新事项甲"
    assert [cell.value for cell in marked["错误清单"]["C"]][1:] == ["C3", "C4"]
