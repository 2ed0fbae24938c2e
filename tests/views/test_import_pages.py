"""Importing in the browser: upload, preview, apply, undo, and everything that is refused on the way."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from models.duty import DutyItem, DutyList
from models.imports import ImportBatch
from models.organization import Organization
from rules.actor import SYSTEM, acting_as
from tests.factories.world import World
from tests.imports.books import make_book, replace_part
from tests.views.pages import errors_of
from tests.views.stage import Stage, Watch
from tests.views.uploads import (
    form_to,
    imported,
    offered,
    records,
    send,
    upload,
    uploaded,
    work_off,
)

LISTS = "duty-items"
HEAD = ("序号", "事项名称", "对应上级部门", "上级部门职责", "乡镇配合职责")
SHEET = "配合履职事项清单"


def book(folder: Path, *names: str, department: str = "甲县住建局、甲县执法局") -> Path:
    """Return a workbook of one list with these items."""
    rows: list[tuple[Any, ...]] = [(f"甲一镇{SHEET}",), HEAD]
    rows += [(n, name, department, "上级", "配合") for n, name in enumerate(names, 1)]
    return make_book(folder / "清单.xlsx", (SHEET, rows))


@pytest.fixture(autouse=True)
def _put_back(watch: Watch) -> None:
    """Uploads are rows too; what a test wrote is undone."""


@pytest.fixture
def place(stage: Stage) -> dict[str, int]:
    with stage.session() as session, acting_as(session, SYSTEM):
        world = World(session)
        return {code: world.place(code).id for code in ("A", "A1", "A11", "A2", "B1")}


def items_of(stage: Stage, code: str) -> list[str]:
    """Return the names of the items of a place's newest coordinating list."""
    with stage.session() as session, acting_as(session, SYSTEM):
        query = select(DutyList).join(DutyList.organization).where(Organization.code == code)
        newest = session.scalars(query.order_by(DutyList.id.desc())).first()
        assert newest is not None
        return [item.name for item in newest.items]


def test_a_list_is_previewed_applied_and_undone(
    stage: Stage, tmp_path: Path, place: dict[str, int]
) -> None:
    client = stage.client("township")
    before = records(stage)
    page = uploaded(client, LISTS, book(tmp_path, "新事项甲", "新事项乙"), owner=place["A1"])
    assert page.status_code == 200
    for said in ("清单.xlsx", "甲一镇", SHEET, "新事项甲", "新事项乙", "确认导入"):
        assert said in page.text
    assert records(stage) == before, "a preview writes nothing"

    answer = send(client, page.text, "apply")
    assert answer.status_code == 302
    batch = client.get(answer.headers["Location"])
    assert batch.status_code == 200
    for said in ("清单.xlsx", "撤销导入", "新事项甲", "township"):
        assert said in batch.text
    assert items_of(stage, "A1")[-2:] == ["新事项甲", "新事项乙"]

    pk = answer.headers["Location"].rsplit("/", 1)[1]
    sent = client.get(f"/import-batches/file/{pk}")
    assert sent.status_code == 200
    assert "attachment" in sent.headers["Content-Disposition"]
    assert load_workbook(io.BytesIO(sent.data)).sheetnames == [SHEET]
    sent.close()
    for stranger in ("township2", "townshipb", "community"):
        assert stage.client(stranger).get(f"/import-batches/file/{pk}").status_code in (403, 404)
        assert stage.client(stranger).post(f"/import-batches/undo/{pk}").status_code in (403, 404)

    undone = client.post(f"/import-batches/undo/{pk}", follow_redirects=True)
    assert undone.status_code == 200
    assert "已撤销" in undone.text
    assert "新事项甲" not in items_of(stage, "A1")
    again = client.post(f"/import-batches/undo/{pk}")
    assert again.status_code == 409
    assert errors_of(again.text).strip().endswith("。")


def test_the_same_file_again_changes_nothing(
    stage: Stage, tmp_path: Path, place: dict[str, int]
) -> None:
    client, path = stage.client("township"), book(tmp_path, "新事项甲")
    imported(client, LISTS, path, owner=place["A1"])
    before = records(stage)
    again = uploaded(client, LISTS, path, owner=place["A1"])
    assert again.status_code == 200
    assert "没有需要导入的内容" in again.text
    assert not offered(again.text, "apply")
    assert records(stage) == before


def test_an_unknown_department_is_named_with_its_cell(
    stage: Stage, tmp_path: Path, place: dict[str, int]
) -> None:
    client = stage.client("township")
    before = records(stage)
    path = book(tmp_path, "新事项甲", department="甲县住建局、县旅游局")
    page = uploaded(client, LISTS, path, owner=place["A1"])
    assert page.status_code == 422
    assert "县旅游局" in page.text
    assert re.search(r'<th scope="row">\s*C3\b', page.text), "the cell is told"
    assert "什么都没有写入" in page.text
    assert not offered(page.text, "apply")
    number = form_to(page.text, "delete").action.rsplit("/", 1)[1]
    version = form_to(page.text, "names").data()["version"]
    answer = client.post(f"/import-jobs/apply/{number}", data={"version": version})
    assert answer.status_code == 409
    assert "处错误" in answer.text
    assert records(stage) == before


def test_a_department_of_another_county_is_unknown(
    stage: Stage, tmp_path: Path, place: dict[str, int]
) -> None:
    path = book(tmp_path, "新事项甲", department="乙县住建局")
    page = uploaded(stage.client("township"), LISTS, path, owner=place["A1"])
    assert page.status_code == 422
    assert "乙县住建局" in page.text


@pytest.mark.parametrize("code", ["A", "A2", "B1", "A11"])
def test_lists_of_other_places_are_not_imported(
    stage: Stage, watch: Watch, tmp_path: Path, place: dict[str, int], code: str
) -> None:
    client, path = stage.client("township"), book(tmp_path, "新事项甲")
    watch.written()
    answer = upload(client, LISTS, path, owner=place[code])
    assert answer.status_code == 422
    assert "不在您的权限范围内" in errors_of(answer.text)
    offered_places = client.get(f"/imports/{LISTS}/owners").json["results"]
    assert [each["text"] for each in offered_places] == ["甲一镇"]
    assert not watch.written()


def test_another_s_upload_is_nobody_else_s(
    stage: Stage, watch: Watch, tmp_path: Path, place: dict[str, int]
) -> None:
    """An upload's address, or one of its forms, in the hands of somebody else is worth nothing."""
    path = book(tmp_path, "新事项甲", department="县旅游局")
    page = uploaded(stage.client("township"), LISTS, path, owner=place["A1"])
    number = form_to(page.text, "delete").action.rsplit("/", 1)[1]
    data = form_to(page.text, "names").data()
    bundle = upload(stage.client("township"), LISTS, path, (path, "二.xlsx"), owner=place["A1"])
    others = [stage.client(account) for account in ("township2", "duty", "admin")]
    watch.written()
    for client in others:
        for route in ("show", "progress", "marked"):
            hidden = client.get(f"/import-jobs/{route}/{number}")
            assert hidden.status_code == 404
            assert "新事项甲" not in hidden.text
        assert client.get(bundle.headers["Location"]).status_code == 404
        assert "清单.xlsx" not in client.get("/import-jobs/list/").text
        for route in ("place", "headings", "names", "retire", "apply", "cancel", "delete"):
            assert client.post(f"/import-jobs/{route}/{number}", data=data).status_code == 404
    assert not watch.written()


def test_a_plan_that_no_longer_holds_is_refused(
    stage: Stage, tmp_path: Path, place: dict[str, int]
) -> None:
    client, path = stage.client("township"), book(tmp_path, "新事项甲")
    first = uploaded(client, LISTS, path, owner=place["A1"])
    second = uploaded(client, LISTS, path, owner=place["A1"])
    forged = send(client, second.text, "apply", version="7")
    assert forged.status_code == 409
    assert send(client, first.text, "apply").status_code == 302
    before = records(stage)
    answer = send(client, second.text, "apply")
    assert answer.status_code == 409
    assert "请重新预览" in answer.text
    assert records(stage) == before


def unusable(folder: Path) -> list[tuple[str, Path]]:
    """Return files that are no workbooks, or should not be opened."""
    letter = folder / "信.xlsx"
    letter.write_bytes(b"%PDF-1.7\n" + bytes(range(256)))
    empty = folder / "空.xlsx"
    empty.write_bytes(b"")
    ole = folder / "加密.xlsx"
    ole.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2048)
    bomb = make_book(folder / "炸弹.xlsx", (SHEET, [HEAD]))
    zeros = b"<worksheet>" + b" " * (450 * 1024 * 1024)
    replace_part(bomb, "xl/worksheets/sheet1.xml", zeros)
    no_list = make_book(folder / "别的.xlsx", ("通讯录", [("姓名", "电话"), ("张三", "1")]))
    return [(path.name, path) for path in (letter, empty, ole, bomb, no_list)]


def test_files_that_are_none_are_refused_in_words(
    stage: Stage, tmp_path: Path, place: dict[str, int]
) -> None:
    client = stage.client("township")
    before = records(stage)
    for name, path in unusable(tmp_path):
        page = upload(client, LISTS, (path, name), owner=place["A1"])
        work_off(stage)
        answer = client.get(page.headers["Location"])
        assert answer.status_code == 422, name
        assert re.search(r"[\u4e00-\u9fff]{4,}[^<]*。", answer.text), name
        assert "Traceback" not in answer.text
        assert not offered(answer.text, "apply")
    assert records(stage) == before


def test_a_file_that_is_too_large_is_refused(stage: Stage, watch: Watch) -> None:
    """By what its sender says of its length, before any of it is read."""
    answer = stage.client("township").post(
        f"/imports/{LISTS}/",
        input_stream=io.BytesIO(b"--x\r\n"),
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"CONTENT_LENGTH": str(stage.app.config["MAX_CONTENT_LENGTH"] + 1)},
    )
    assert answer.status_code == 413
    assert re.search(r"超过 \d+ MB", answer.text)
    assert not watch.touched()


def test_nothing_is_no_file(stage: Stage, watch: Watch, place: dict[str, int]) -> None:
    for data in ({}, {"files": ""}, {"files": "清单.xlsx"}):
        answer = stage.client("township").post(
            f"/imports/{LISTS}/", data=data | {"owner": place["A1"]}
        )
        assert answer.status_code == 422
        assert "请选择要导入的文件" in errors_of(answer.text)
    assert not watch.touched()


def test_names_of_files_lead_nowhere(stage: Stage, tmp_path: Path, place: dict[str, int]) -> None:
    """A name is shown as it came, escaped, and never used as a path."""
    client, path = stage.client("township"), book(tmp_path, "新事项甲")
    before = {each for each in stage.path.parent.rglob("*") if each.is_file()}
    for name in (
        "../../逃.xlsx",
        "/etc/逃.xlsx",
        "<script>alert(1)</script>.xlsx",
        "a" * 300 + ".xlsx",
    ):
        page = uploaded(client, LISTS, (path, name), owner=place["A1"])
        assert page.status_code == 200, name
        assert "<script>alert" not in page.text
    added = {each for each in stage.path.parent.rglob("*") if each.is_file()} - before
    assert added
    assert all(each.parent.name == "uploads" for each in added)
    assert all(re.fullmatch(r"[0-9a-f]{32}(\.xlsx)?(\.stage)?", each.name) for each in added)


def test_organizations_are_imported_by_the_administrator(stage: Stage, tmp_path: Path) -> None:
    head = ("机构代码", "机构名称", "别名", "机构类型", "上级代码", "联系电话", "备注")
    rows = [head, ("A-D9", "甲县水务局", "水务局", "职能部门", "A", "0951-9", "")]
    path = make_book(tmp_path / "机构.xlsx", ("机构", rows))
    client = stage.client("admin")
    page = uploaded(client, "organizations", path)
    assert "甲县水务局" in page.text
    done = send(client, page.text, "apply")
    assert done.status_code == 302
    pk = int(done.headers["Location"].rsplit("/", 1)[1])
    assert stage.client("duty").get(f"/import-batches/show/{pk}").status_code == 404
    with stage.session() as session, acting_as(session, SYSTEM):
        assert World(session).place("A-D9").aliases == ["水务局"]
        assert session.get_one(ImportBatch, pk).actor_name == "admin"
        assert session.scalars(select(DutyItem)).first() is not None
