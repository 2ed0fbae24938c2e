"""Templates of bulletins by HTTP: brought, checked, used, put out of use."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from docx import Document
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.bulletin import Bulletin, BulletinTemplate
from presets.bulletin import MONTHLY_BULLETIN
from rules.attachments import path_of
from tests.conftest import Backend
from tests.factories.bulletins import docx_of
from tests.factories.world import World
from tests.views.bulletin_forms import brought, made, number_of, worked
from tests.views.pages import errors_of, record_form

Client = Callable[[str], FlaskClient]
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.fixture
def world(one_session: Session) -> World:
    """The seeded world on SQLite."""
    return World(one_session)


def test_a_template_is_checked_kept_and_offered(
    sqlite: Backend, one_session: Session, world: World, as_seen_by: Client
) -> None:
    office = as_seen_by("office")
    assert "与上月比较" in office.get("/bulletin-templates/add").text
    own = docx_of(lambda word: word.add_paragraph("红头：{{ 标题 }}"))
    number = number_of(brought(office, own))
    assert office.get(f"/bulletin-templates/file/{number}").data == own
    assert office.get("/bulletin-templates/standard").data == MONTHLY_BULLETIN.read_bytes()
    form = record_form(office.get("/bulletins/add").text).data()
    assert form["template"] == [str(number)], "the place's own is proposed"
    bulletin_ = number_of(made(office))
    worked(sqlite.app)
    sent = office.get(f"/bulletins/docx/{bulletin_}")
    assert Document(io.BytesIO(sent.data)).paragraphs[0].text.startswith("红头：甲县")
    sent.close()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "请选择模板文件"),
        (b"%PDF-1.7 nothing", "不是可用的 Word 文档"),
        (docx_of(lambda word: word.add_paragraph("{{ 标題 }}")), "相近的有“标题”"),
    ],
)
def test_a_template_that_is_none_is_refused_in_words(
    one_session: Session, as_seen_by: Client, content: bytes, sentence: str
) -> None:
    answer = brought(as_seen_by("office"), content)
    assert answer.status_code == 422
    assert sentence in errors_of(answer.text)
    assert one_session.scalars(select(BulletinTemplate)).all() == []


def test_a_template_is_put_out_of_use_without_its_file_at_hand(
    one_session: Session, world: World, as_seen_by: Client
) -> None:
    office = as_seen_by("office")
    number = number_of(brought(office, docx_of(lambda word: word.add_paragraph("红头"))))
    template = one_session.get_one(BulletinTemplate, number)
    before = template.file_hash
    form = record_form(office.get(f"/bulletin-templates/edit/{number}").text).data(name="旧红头")
    form.pop("in_use")
    assert office.post(f"/bulletin-templates/edit/{number}", data=form).status_code == 302
    one_session.expire_all()
    assert (template.name, template.in_use, template.file_hash) == ("旧红头", False, before)
    assert record_form(office.get("/bulletins/add").text).data()["template"] == [""]


def test_a_template_stays_while_a_bulletin_names_it(
    one_session: Session, world: World, as_seen_by: Client
) -> None:
    office = as_seen_by("office")
    number = number_of(brought(office, docx_of(lambda word: word.add_paragraph("红头"))))
    used = number_of(made(office))
    refused = office.post(f"/bulletin-templates/delete/{number}")
    assert refused.status_code == 409
    assert "请编辑并取消“启用”" in errors_of(refused.text)
    one_session.delete(one_session.get_one(Bulletin, used))
    assert as_seen_by("office").post(f"/bulletin-templates/delete/{number}").status_code == 302


def test_another_countys_template_is_out_of_reach(
    one_session: Session, world: World, as_seen_by: Client
) -> None:
    number = number_of(brought(as_seen_by("office"), MONTHLY_BULLETIN.read_bytes()))
    for route in ("show", "file", "edit"):
        answer = as_seen_by("officeb").get(f"/bulletin-templates/{route}/{number}")
        assert answer.status_code == 404
    assert made(as_seen_by("officeb"), template=str(number)).status_code == 422
    for who in ("township", "handler", "leader"):
        assert as_seen_by(who).get("/bulletin-templates/list/").status_code in (403, 404), who


def test_a_template_whose_file_is_gone_is_said(
    sqlite: Backend, one_session: Session, as_seen_by: Client
) -> None:
    office = as_seen_by("office")
    own = docx_of(lambda word: word.add_paragraph("只此一份{{ 期号 }}"))
    number = number_of(brought(office, own))
    digest = one_session.get_one(BulletinTemplate, number).file_hash
    path_of(digest, Path(sqlite.app.config["DATA_DIR"])).unlink()
    answer = office.get(f"/bulletin-templates/file/{number}")
    assert (answer.status_code, "请重新上传" in errors_of(answer.text)) == (409, True)
