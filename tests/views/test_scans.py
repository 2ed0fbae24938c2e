"""Scans on an agreement's page: who uploads, sees, downloads and deletes them, and what is refused."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from models.scan import AgreementScan
from rules import scans as rules
from rules.actor import SYSTEM, acting_as
from rules.attachments import FOLDER
from tests.conftest import Backend
from tests.factories.files import PDF, picture
from tests.views.pages import errors_of, forms_of
from tests.views.paper import without_paper
from tests.views.stage import Stage, Watch
from views import scans as views

#: Who reads the agreement g11 (A11 with A-U1), and who keeps it.
READERS = ("admin", "party", "office", "inspector", "leader", "township", "community", "unit")
KEEPERS = ("admin", "party")
STRANGERS = ("partyb", "communityb", "unit2", "community2", "township2")


@pytest.fixture(scope="module")
def stage(sqlite_backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The stage with no paper on it yet."""
    yield from without_paper(sqlite_backend, tmp_path_factory.mktemp("paper"))


def upload(stage: Stage, account: str, *files: tuple[str, bytes], to: str = "g11") -> TestResponse:
    """Post files to an agreement, as its page's form does."""
    posted = [(io.BytesIO(content), name) for name, content in files]
    url = f"/agreement-scans/upload/{stage.id(to)}"
    return stage.client(account).post(url, data={"files": posted})


def scans(stage: Stage) -> dict[str, int]:
    """Return the ids of the scans by file name."""
    with stage.session() as session, acting_as(session, SYSTEM):
        return {each.file_name: each.id for each in session.scalars(select(AgreementScan))}


def page(stage: Stage, account: str, name: str = "g11") -> str:
    """Return the agreement's page as an account sees it."""
    return stage.client(account).get(f"/agreements/show/{stage.id(name)}").text


def test_several_at_once_listed_sent_and_deleted(stage: Stage, watch: Watch) -> None:
    answer = upload(stage, "party", ("协议 正本.pdf", PDF), ("第二页.jpg", picture("JPEG")))
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith(f"/agreements/show/{stage.id('g11')}#scans")
    shown = page(stage, "party")
    for said in (
        "已上传 2 个扫描件",
        "协议 正本.pdf",
        "PDF 文档",
        "第二页.jpg",
        "JPEG 图片",
        "1 KB",
    ):
        assert said in shown
    found = scans(stage)
    sent = stage.client("unit").get(f"/agreement-scans/file/{found['协议 正本.pdf']}")
    assert (sent.status_code, sent.data, sent.mimetype) == (200, PDF, "application/pdf")
    disposition = sent.headers["Content-Disposition"]
    assert disposition.startswith("attachment;")
    assert "filename*=UTF-8''%E5%8D%8F%E8%AE%AE%20%E6%AD%A3%E6%9C%AC.pdf" in disposition
    assert sent.headers["X-Content-Type-Options"] == "nosniff"
    sent.close()
    client = stage.client("party")
    gone = client.post(f"/agreement-scans/delete/{found['第二页.jpg']}", follow_redirects=True)
    assert "已删除“第二页.jpg”" in gone.text
    assert set(scans(stage)) == {"协议 正本.pdf"}
    assert client.get(f"/agreement-scans/file/{found['第二页.jpg']}").status_code == 404


PARTIES = ("community", "unit", "party")


@pytest.mark.parametrize("account", [*READERS, *STRANGERS, "duty", "auditor", "blank"])
def test_who_sees_and_who_keeps(stage: Stage, watch: Watch, account: str) -> None:
    upload(stage, "party", ("zq扫描zq.pdf", PDF))
    (pk,) = scans(stage).values()
    shown = page(stage, account)
    assert ("zq扫描zq.pdf" in shown) is (account in READERS)
    keeps = account in KEEPERS
    actions = {form.action for form in forms_of(shown)}
    assert (f"/agreement-scans/upload/{stage.id('g11')}" in actions) is keeps
    assert (f"/agreement-scans/delete/{pk}" in actions) is keeps
    sent = stage.client(account).get(f"/agreement-scans/file/{pk}")
    assert (f"/agreement-scans/file/{pk}" in shown) is (account in PARTIES)
    if account in PARTIES:
        assert sent.status_code == 200
    elif account in READERS:
        # The numbers that the page masks stand on the paper.
        assert sent.status_code == 403
        assert "只有协议双方和组织部门可以打开" in sent.text
    else:
        assert sent.status_code in (302, 403, 404)
        assert "zq扫描zq" not in sent.text
    sent.close()
    if not keeps:
        watch.written()
        for answer in (
            upload(stage, account, ("别.pdf", PDF)),
            stage.client(account).post(f"/agreement-scans/delete/{pk}"),
        ):
            assert answer.status_code in (302, 403, 404)
        assert not watch.written()
        assert set(scans(stage)) == {"zq扫描zq.pdf"}


def test_out_of_scope_is_not_there(stage: Stage, watch: Watch) -> None:
    """A role that may do it elsewhere gets 404, the same as for what does not exist."""
    upload(stage, "party", ("协议.pdf", PDF))
    (pk,) = scans(stage).values()
    other = stage.client("partyb")
    for path, method in (
        (f"/agreement-scans/file/{pk}", other.get),
        (f"/agreement-scans/delete/{pk}", other.post),
        (f"/agreement-scans/upload/{stage.id('g11')}", other.post),
    ):
        assert method(path).status_code == 404
        nowhere = path.rsplit("/", 1)[0]
        for number in (999_999, 2**40):
            assert method(f"{nowhere}/{number}").status_code == 404


def test_an_agreement_of_two_counties_is_kept_by_neither(stage: Stage, watch: Watch) -> None:
    """Both counties read it; its files are for who may edit both sides."""
    for account in ("party", "partyb"):
        assert 'name="files"' not in page(stage, account, "gx")
        answer = upload(stage, account, ("协议.pdf", PDF), to="gx")
        assert answer.status_code == 404
    assert scans(stage) == {}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("假.pdf", picture("PNG"), "“假.pdf”的后缀是“pdf”，内容却是PNG 图片"),
        ("病毒.exe", PDF, "“病毒.exe”后缀是“exe”"),
        ("空.pdf", b"", "“空.pdf”是空文件"),
        ("../../<b>.pdf", b"<html>", "“<b>.pdf”的后缀是“pdf”，内容却是网页或 XML 文本"),
    ],
)
def test_refusals_are_told_on_the_page(
    stage: Stage, watch: Watch, name: str, content: bytes, said: str
) -> None:
    answer = upload(stage, "party", (name, content))
    assert answer.status_code == 422
    assert said in errors_of(answer.text)
    assert "协议zqg11qz" in answer.text, "the page is still the agreement's"
    assert "“<b>" not in answer.text
    assert not watch.touched()


def test_nothing_chosen_is_told(stage: Stage, watch: Watch) -> None:
    answer = stage.client("party").post(f"/agreement-scans/upload/{stage.id('g11')}")
    assert answer.status_code == 422
    assert "请选择要上传的扫描件" in errors_of(answer.text)
    assert not watch.touched()


def test_the_request_has_a_limit(
    stage: Stage, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stage.app.config["MAX_CONTENT_LENGTH"] == 100 << 20
    with monkeypatch.context() as less:
        less.setitem(stage.app.config, "MAX_CONTENT_LENGTH", 1000)
        answer = upload(stage, "party", *[(f"{n}.pdf", PDF + b"\n" * 400) for n in range(3)])
    assert answer.status_code == 413
    assert "100 MB" in answer.text
    for module in (rules, views):
        assert module.LARGEST == 20 << 20
        monkeypatch.setattr(module, "LARGEST", 1000)
    one = upload(stage, "party", ("大.pdf", PDF + b"\n" * 1000))
    assert one.status_code == 422
    assert "“大.pdf”超过 1 KB" in errors_of(one.text)
    assert not watch.touched()


def test_twenty_are_enough(stage: Stage, watch: Watch) -> None:
    files = [(f"{n}.pdf", PDF + b"\n" * n) for n in range(20)]
    assert upload(stage, "party", *files).status_code == 302
    shown = page(stage, "party")
    assert 'name="files"' not in shown
    assert "扫描件已满" in shown
    again = upload(stage, "party", ("又.pdf", PDF + b"%"))
    assert again.status_code == 409
    assert "最多 20 个扫描件" in errors_of(again.text)


def test_a_path_in_the_name_leads_nowhere(stage: Stage, watch: Watch) -> None:
    """What is kept is called by its hash; what is shown has no folders."""
    upload(stage, "party", ("../../../tmp/evil.pdf", PDF), ("..\\..\\x.png", picture("PNG")))
    assert set(scans(stage)) == {"evil.pdf", "x.png"}
    folder = Path(stage.app.config["DATA_DIR"]) / FOLDER
    assert all(len(each.name) == 64 for each in folder.iterdir())


def test_a_file_that_is_gone_is_not_found(stage: Stage, watch: Watch) -> None:
    content = PDF + b"%gone"
    upload(stage, "party", ("协议.pdf", content))
    (pk,) = scans(stage).values()
    folder = Path(stage.app.config["DATA_DIR"]) / FOLDER
    for each in folder.iterdir():
        if each.read_bytes() == content:
            each.unlink()
    assert stage.client("party").get(f"/agreement-scans/file/{pk}").status_code == 404


def test_a_draft_is_deleted_with_its_scans(stage: Stage, watch: Watch) -> None:
    assert upload(stage, "party", ("协议.pdf", PDF), to="e11").status_code == 302
    answer = stage.client("party").post(f"/agreements/delete/{stage.id('e11')}")
    assert answer.status_code == 302
    assert scans(stage) == {}
