"""Importing in the browser: upload, preview, apply, undo, and everything that is refused on the way."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select
from werkzeug.test import TestResponse

from models.duty import DutyItem, DutyList
from models.imports import ImportBatch
from models.organization import Organization
from rules.actor import SYSTEM, acting_as
from tests.factories.world import World
from tests.imports.books import make_book, replace_part
from tests.views.pages import HtmlForm, errors_of, forms_of
from tests.views.stage import Stage, Watch

LISTS = "/imports/duty-items"
HEAD = ("序号", "事项名称", "对应上级部门", "上级部门职责", "乡镇配合职责")
SHEET = "配合履职事项清单"


def book(folder: Path, *names: str, department: str = "甲县住建局、甲县执法局") -> Path:
    """Return a workbook of one list with these items."""
    rows: list[tuple[Any, ...]] = [(f"甲一镇{SHEET}",), HEAD]
    rows += [(n, name, department, "上级", "配合") for n, name in enumerate(names, 1)]
    return make_book(folder / "清单.xlsx", (SHEET, rows))


@pytest.fixture
def place(stage: Stage) -> dict[str, int]:
    with stage.session() as session, acting_as(session, SYSTEM):
        world = World(session)
        return {code: world.place(code).id for code in ("A", "A1", "A11", "A2", "B1")}


def upload(client: FlaskClient, path: Path, name: str = "清单.xlsx", **data: Any) -> TestResponse:
    """Send a file, as the form does."""
    content = io.BytesIO(path.read_bytes())
    return client.post(f"{LISTS}/", data={"file": (content, name)} | data)


def previewed(client: FlaskClient, path: Path, **data: Any) -> TestResponse:
    """Send a file and follow to its preview."""
    answer = upload(client, path, **data)
    assert answer.status_code == 302, errors_of(answer.text)
    return client.get(answer.headers["Location"])


def confirmation(html: str, base: str = LISTS) -> HtmlForm:
    """Return the form that applies what a preview shows."""
    (found,) = [form for form in forms_of(html) if form.action == f"{base}/apply"]
    return found


def items_of(stage: Stage, code: str) -> list[str]:
    """Return the names of the items of a place's newest coordinating list."""
    with stage.session() as session, acting_as(session, SYSTEM):
        query = select(DutyList).join(DutyList.organization).where(Organization.code == code)
        newest = session.scalars(query.order_by(DutyList.id.desc())).first()
        assert newest is not None
        return [item.name for item in newest.items]


def test_a_list_is_previewed_applied_and_undone(
    stage: Stage, watch: Watch, tmp_path: Path, place: dict[str, int]
) -> None:
    client = stage.client("township")
    watch.written()
    page = previewed(client, book(tmp_path, "新事项甲", "新事项乙"), owner=place["A1"])
    assert page.status_code == 200
    for said in ("清单.xlsx", "甲一镇", SHEET, "新事项甲", "新事项乙", "确认导入"):
        assert said in page.text
    assert not watch.written(), "a preview writes nothing"

    form = confirmation(page.text)
    answer = client.post(form.action, data=form.data())
    assert answer.status_code == 302
    batch = client.get(answer.headers["Location"])
    assert batch.status_code == 200
    for said in ("清单.xlsx", "撤销导入", "新事项甲", "township"):
        assert said in batch.text
    assert items_of(stage, "A1") == ["新事项甲", "新事项乙"]

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
    stage: Stage, watch: Watch, tmp_path: Path, place: dict[str, int]
) -> None:
    client, path = stage.client("township"), book(tmp_path, "新事项甲")
    form = confirmation(previewed(client, path, owner=place["A1"]).text)
    assert client.post(form.action, data=form.data()).status_code == 302
    watch.written()
    again = previewed(client, path, owner=place["A1"])
    assert "没有需要导入的内容" in again.text
    assert "确认导入" not in again.text
    form = confirmation(again.text)
    answer = client.post(form.action, data=form.data(), follow_redirects=True)
    assert "没有需要导入的内容" in answer.text
    assert not watch.written()


def test_an_unknown_department_is_named_with_its_cell(
    stage: Stage, watch: Watch, tmp_path: Path, place: dict[str, int]
) -> None:
    client = stage.client("township")
    watch.written()
    path = book(tmp_path, "新事项甲", department="甲县住建局、县旅游局")
    page = previewed(client, path, owner=place["A1"])
    assert page.status_code == 422
    assert "县旅游局" in page.text
    assert re.search(r'<th scope="row">\s*C3\b', page.text), "the cell is told"
    assert "什么都没有写入" in page.text
    assert "确认导入" not in page.text
    form = confirmation(page.text)
    answer = client.post(form.action, data=form.data())
    assert answer.status_code == 422
    assert "处错误" in errors_of(answer.text)
    assert not watch.written()


def test_a_department_of_another_county_is_unknown(
    stage: Stage, watch: Watch, tmp_path: Path, place: dict[str, int]
) -> None:
    path = book(tmp_path, "新事项甲", department="乙县住建局")
    page = previewed(stage.client("township"), path, owner=place["A1"])
    assert page.status_code == 422
    assert "乙县住建局" in page.text
    assert not watch.touched()


@pytest.mark.parametrize("code", ["A", "A2", "B1", "A11"])
def test_lists_of_other_places_are_not_imported(
    stage: Stage, watch: Watch, tmp_path: Path, place: dict[str, int], code: str
) -> None:
    client, path = stage.client("township"), book(tmp_path, "新事项甲")
    watch.written()
    answer = upload(client, path, owner=place[code])
    assert answer.status_code == 422
    assert "不在您的权限范围内" in errors_of(answer.text)
    offered = client.get(f"{LISTS}/owners").json["results"]
    assert [each["text"] for each in offered] == ["甲一镇"]
    assert not watch.written()


def test_another_s_upload_is_not_confirmed(
    stage: Stage, watch: Watch, tmp_path: Path, place: dict[str, int]
) -> None:
    """A preview's address, or its form, in the hands of somebody else is worth nothing."""
    mine = upload(stage.client("township"), book(tmp_path, "新事项甲"), owner=place["A1"])
    address = mine.headers["Location"]
    form = confirmation(stage.client("township").get(address).text)
    others = [stage.client(account) for account in ("township2", "duty", "admin")]
    watch.written()
    for client in others:
        page = client.get(address)
        assert page.status_code == 422
        assert "上传已过期" in errors_of(page.text)
        assert "新事项甲" not in page.text
        answer = client.post(form.action, data=form.data())
        assert answer.status_code == 422
    assert not watch.written()


def test_a_reference_for_one_kind_is_none_for_another(
    stage: Stage, watch: Watch, tmp_path: Path, place: dict[str, int]
) -> None:
    client = stage.client("admin")
    mine = upload(client, book(tmp_path, "新事项甲"), owner=place["A1"])
    query = mine.headers["Location"].split("?", 1)[1]
    page = client.get(f"/imports/organizations/preview?{query}")
    assert page.status_code == 422
    assert "上传已过期" in errors_of(page.text)


def test_a_plan_that_no_longer_holds_is_refused(
    stage: Stage, watch: Watch, tmp_path: Path, place: dict[str, int]
) -> None:
    client, path = stage.client("township"), book(tmp_path, "新事项甲")
    first = confirmation(previewed(client, path, owner=place["A1"]).text)
    second = confirmation(previewed(client, path, owner=place["A1"]).text)
    assert client.post(first.action, data=first.data()).status_code == 302
    watch.written()
    answer = client.post(second.action, data=second.data())
    assert answer.status_code == 409
    assert "请重新预览" in errors_of(answer.text)
    forged = client.post(second.action, data=second.data(shown=None))
    assert forged.status_code in (400, 409)
    assert not watch.written()


def unusable(folder: Path) -> list[tuple[str, Path]]:
    """Return files that are no workbooks, or should not be opened."""
    text = folder / "文字.xlsx"
    text.write_text("序号,事项名称\n1,甲\n")
    empty = folder / "空.xlsx"
    empty.write_bytes(b"")
    ole = folder / "加密.xlsx"
    ole.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2048)
    bomb = make_book(folder / "炸弹.xlsx", (SHEET, [HEAD]))
    zeros = b"<worksheet>" + b" " * (300 * 1024 * 1024)
    replace_part(bomb, "xl/worksheets/sheet1.xml", zeros)
    no_list = make_book(folder / "别的.xlsx", ("通讯录", [("姓名", "电话"), ("张三", "1")]))
    return [(path.name, path) for path in (text, empty, ole, bomb, no_list)]


def test_files_that_are_none_are_refused_in_words(
    stage: Stage, watch: Watch, tmp_path: Path, place: dict[str, int]
) -> None:
    client = stage.client("township")
    watch.written()
    for name, path in unusable(tmp_path):
        answer = upload(client, path, name=name, owner=place["A1"])
        if answer.status_code == 302:
            answer = client.get(answer.headers["Location"])
        assert answer.status_code == 422, name
        assert re.search(r"[\u4e00-\u9fff]{4,}[^<]*。", errors_of(answer.text) + answer.text), name
        assert "Traceback" not in answer.text
    assert not watch.written()


def test_a_file_that_is_too_large_is_refused(stage: Stage, watch: Watch) -> None:
    """By what its sender says of its length, before any of it is read."""
    answer = stage.client("township").post(
        f"{LISTS}/",
        input_stream=io.BytesIO(b"--x\r\n"),
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"CONTENT_LENGTH": str(26 * 1024 * 1024)},
    )
    assert answer.status_code == 413
    assert "超过 25 MB" in answer.text
    assert not watch.touched()


def test_nothing_is_no_file(stage: Stage, watch: Watch, place: dict[str, int]) -> None:
    for data in ({}, {"file": ""}, {"file": "清单.xlsx"}):
        answer = stage.client("township").post(f"{LISTS}/", data=data | {"owner": place["A1"]})
        assert answer.status_code == 422
        assert "请选择要导入的文件" in errors_of(answer.text)


def test_names_of_files_lead_nowhere(
    stage: Stage, watch: Watch, tmp_path: Path, place: dict[str, int]
) -> None:
    """A name is shown as it came, escaped, and never used as a path."""
    client, path = stage.client("township"), book(tmp_path, "新事项甲")
    before = {each for each in stage.path.parent.rglob("*") if each.is_file()}
    for name in (
        "../../逃.xlsx",
        "/etc/逃.xlsx",
        "<script>alert(1)</script>.xlsx",
        "a" * 300 + ".xlsx",
    ):
        answer = upload(client, path, name=name, owner=place["A1"])
        assert answer.status_code == 302, name
        page = client.get(answer.headers["Location"])
        assert page.status_code == 200, name
        assert "<script>alert" not in page.text
    added = {each for each in stage.path.parent.rglob("*") if each.is_file()} - before
    assert all(each.parent.name == "uploads" for each in added)
    assert all(re.fullmatch(r"[0-9a-f]{32}(\.xlsx)?", each.name) for each in added)


def test_organizations_are_imported_by_the_administrator(
    stage: Stage, watch: Watch, tmp_path: Path
) -> None:
    head = ("机构代码", "机构名称", "别名", "机构类型", "上级代码", "联系电话", "备注")
    rows = [head, ("A-D9", "甲县水务局", "水务局", "职能部门", "A", "0951-9", "")]
    path = make_book(tmp_path / "机构.xlsx", ("机构", rows))
    client = stage.client("admin")
    answer = client.post(
        "/imports/organizations/", data={"file": (io.BytesIO(path.read_bytes()), "机构.xlsx")}
    )
    assert answer.status_code == 302, errors_of(answer.text)
    page = client.get(answer.headers["Location"])
    assert "甲县水务局" in page.text
    form = confirmation(page.text, "/imports/organizations")
    done = client.post(form.action, data=form.data())
    assert done.status_code == 302
    pk = int(done.headers["Location"].rsplit("/", 1)[1])
    assert stage.client("duty").get(f"/import-batches/show/{pk}").status_code == 404
    with stage.session() as session, acting_as(session, SYSTEM):
        assert World(session).place("A-D9").aliases == ["水务局"]
        assert session.get_one(ImportBatch, pk).actor_name == "admin"
        assert session.scalars(select(DutyItem)).first() is not None
