"""Importing a ledger in the browser: from its list to the batch and back, and who reads what of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from models.imports import ImportBatch
from models.need import Need
from rules.actor import SYSTEM, acting_as
from tests.imports.ledgers import SOUND, change, sheet
from tests.views.pages import errors_of, words_of
from tests.views.stage import Stage, Watch, mark
from tests.views.uploads import imported as confirmed
from tests.views.uploads import offered, records, uploaded

NUMBER = "13812345678"


def previewed(client: FlaskClient, kind: str, path: Path) -> TestResponse:
    """Send a file and follow to its preview."""
    return uploaded(client, kind, (path, "清单.xlsx"))


def imported(stage: Stage, account: str, kind: str, path: Path) -> int:
    """Import a file as somebody and return the batch's number."""
    return confirmed(stage.client(account), kind, path)


def needs(stage: Stage) -> dict[str, str | None]:
    """Return the detail of each need by its title."""
    with stage.session() as session, acting_as(session, SYSTEM):
        rows = session.execute(select(Need.title, Need.detail))
        return {row.title: row.detail for row in rows}


def test_from_the_list_to_the_batch_and_back(stage: Stage, watch: Watch, tmp_path: Path) -> None:
    client = stage.client("community")
    before = needs(stage)
    page = client.get("/imports/needs/")
    for said in ("导入治理需求", "治理需求清单", "所在社区、需求名称、需求类别", "下载模板"):
        assert said in page.text
    kept = records(stage)
    rows = [
        change("needs", title="新的需求"),
        {"community": "A11", "title": mark("n11d"), "category": "服务", "detail": "改过的内容"},
    ]
    shown = previewed(client, "needs", sheet(tmp_path, "needs", *rows))
    assert shown.status_code == 200
    words = words_of(shown.text)
    for said in ("治理需求", "新的需求", mark("n11d"), "需求内容", "改过的内容", "确认导入"):
        assert said in words, said
    assert records(stage) == kept, "a preview writes nothing"

    pk = imported(stage, "community", "needs", sheet(tmp_path, "needs", *rows))
    assert needs(stage) == before | {"新的需求": None, mark("n11d"): "改过的内容"}
    batch = client.get(f"/import-batches/show/{pk}")
    words = words_of(batch.text)
    for said in ("治理需求", "甲一一社区", "新的需求", "需求内容", "改过的内容", "撤销导入"):
        assert said in words, said
    undone = client.post(f"/import-batches/undo/{pk}", follow_redirects=True)
    assert "已撤销：移除 1 条新增，恢复 1 条原有内容。" in undone.text
    assert needs(stage) == before


def test_undo_is_refused_in_words(stage: Stage, watch: Watch, tmp_path: Path) -> None:
    pk = imported(stage, "community", "needs", sheet(tmp_path, "needs", SOUND["needs"]))
    with stage.session() as session, acting_as(session, SYSTEM):
        session.scalars(select(Need).where(Need.title == "课后托管")).one().detail = "后来"
        session.commit()
    answer = stage.client("community").post(f"/import-batches/undo/{pk}")
    assert answer.status_code == 409
    assert "导入之后又有改动：“课后托管”" in errors_of(answer.text)
    assert "课后托管" in needs(stage)


def test_faults_are_told_by_cell(stage: Stage, watch: Watch, tmp_path: Path) -> None:
    rows = [change("needs", community="甲一二社区"), change("needs", category="场所")]
    page = previewed(stage.client("community"), "needs", sheet(tmp_path, "needs", *rows))
    assert page.status_code == 422
    assert "“甲一二社区”不在您可以登记治理需求的范围内" in page.text
    assert "不认识“场所”这个需求类别" in page.text
    assert re.findall(r'<th scope="row">\s*([A-Z]\d+)\b', page.text) == ["A2", "C3"]
    assert "确认导入" not in page.text


@pytest.mark.parametrize(
    ("account", "kind", "path"),
    [("party", "agreements", "/agreements"), ("unit", "resources", "/resources")],
)
def test_the_template_itself_holds_nothing(
    stage: Stage, watch: Watch, tmp_path: Path, account: str, kind: str, path: str
) -> None:
    client = stage.client(account)
    sent = client.get(f"{path}/template")
    file = tmp_path / "模板.xlsx"
    file.write_bytes(sent.data)
    sent.close()
    before = records(stage)
    page = previewed(client, kind, file)
    assert page.status_code == 200
    assert "文件里没有数据，没有可以导入的内容" in page.text
    assert "确认导入" not in page.text
    assert not offered(page.text, "apply")
    assert records(stage) == before


def test_an_export_holds_nothing_new(stage: Stage, watch: Watch, tmp_path: Path) -> None:
    """For whoever may import it: each ledger's export comes back unchanged, masked or not."""
    for account in ("party", "admin"):
        client = stage.client(account)
        for kind, path in (
            ("agreements", "/agreements"),
            ("resources", "/resources"),
            ("needs", "/needs"),
            ("services", "/services"),
            ("check-ins", "/check-ins"),
        ):
            sent = client.get(f"{path}/export")
            file = tmp_path / f"{kind}.xlsx"
            file.write_bytes(sent.data)
            sent.close()
            page = previewed(client, kind, file)
            assert page.status_code == 200, (account, kind, errors_of(page.text))
            assert "没有需要导入的内容" in page.text, (account, kind)


def test_a_file_of_another_ledger_is_named(stage: Stage, tmp_path: Path) -> None:
    path = sheet(tmp_path, "resources", SOUND["resources"])
    page = previewed(stage.client("party"), "needs", path)
    assert page.status_code == 422
    assert "这张表是“共治资源”，这里导入的是“治理需求”" in page.text


@pytest.fixture
def batch(stage: Stage, watch: Watch, tmp_path: Path) -> int:
    """A batch of the administrator's, whose organisation is county A: one need of A, one of B."""
    rows: list[dict[str, Any]] = [
        {"community": "A11", "title": mark("n11d"), "category": "服务", "phone": NUMBER},
        change("needs", title="甲新", phone=NUMBER),
        change("needs", title="乙新", community="乙一一社区", phone=NUMBER),
    ]
    with stage.session() as session, acting_as(session, SYSTEM):
        session.get_one(Need, stage.id("n11d")).detail = "从前"
        session.commit()
    path = sheet(tmp_path, "needs", *(row | {"detail": f"内容{row['title']}"} for row in rows))
    return imported(stage, "admin", "needs", path)


def test_a_batch_shows_what_its_reader_reads(stage: Stage, batch: int) -> None:
    """Who sees the batch but not its records sees no title and no text of them."""
    told = {}
    for account in ("admin", "party", "duty"):
        page = stage.client(account).get(f"/import-batches/show/{batch}")
        assert page.status_code == 200
        assert NUMBER not in page.text
        told[account] = {
            said for said in ("甲新", "乙新", "从前", mark("n11d")) if said in words_of(page.text)
        }
    assert told == {
        "admin": {"甲新", "乙新", "从前", mark("n11d")},
        "party": {"甲新", "从前", mark("n11d")},
        "duty": set(),
    }


def test_the_file_holds_whole_numbers(stage: Stage, batch: int) -> None:
    """So it goes to who brought it and to the organisation department alone."""
    for account, due in (("admin", 200), ("party", 200), ("duty", 403)):
        page = stage.client(account).get(f"/import-batches/show/{batch}")
        answer = stage.client(account).get(f"/import-batches/file/{batch}")
        assert answer.status_code == due, account
        assert ("下载原文件" in page.text) is (due == 200), account
        if due == 403:
            assert "只有导入它的人和组织部门可以下载" in errors_of(answer.text)
        answer.close()


def test_numbers_of_a_batch_are_for_who_reads_the_records(
    stage: Stage, watch: Watch, tmp_path: Path
) -> None:
    row = {"community": "A11", "title": mark("n11d"), "category": "服务", "phone": NUMBER}
    pk = imported(stage, "community", "needs", sheet(tmp_path, "needs", row))
    said = {}
    for account in ("community", "party", "township", "admin"):
        page = stage.client(account).get(f"/import-batches/show/{pk}")
        said[account] = (NUMBER in page.text, "138****5678" in page.text)
    assert said == {
        "community": (True, False),
        "party": (True, False),
        "township": (False, True),
        "admin": (False, True),
    }


def test_batches_are_of_all_kinds(stage: Stage, watch: Watch, tmp_path: Path) -> None:
    imported(stage, "unit", "resources", sheet(tmp_path, "resources", SOUND["resources"]))
    page = stage.client("unit").get("/import-batches/list/")
    words = words_of(page.text)
    assert "共治资源" in words
    assert "履职清单" not in words, "the entry is not among the duty lists"
    with stage.session() as session, acting_as(session, SYSTEM):
        made = session.scalars(select(ImportBatch).order_by(ImportBatch.id.desc())).first()
        assert made is not None
        assert (made.kind, made.actor_name) == ("resources", "unit")
        assert made.organization is not None
        assert made.organization.code == "A-U1"
