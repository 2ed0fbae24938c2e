"""Letters of agreements: what they say to whom, one or many, and the templates that a county brings."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from models.agreement import Agreement
from models.letter import LetterTemplate
from reports.letters import default_template
from rules.actor import SYSTEM, acting_as
from rules.letters import FIELDS, values_of
from tests.conftest import Backend
from tests.factories.files import PDF, opened, text_in, word
from tests.factories.world import World
from tests.views.pages import errors_of
from tests.views.paper import without_paper
from tests.views.stage import Stage, Watch
from views import letters as letter_views

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
TITLE = "共驻共建协议书"


@pytest.fixture(scope="module")
def stage(sqlite_backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The stage with no paper on it yet."""
    yield from without_paper(sqlite_backend, tmp_path_factory.mktemp("paper"))


def sent(stage: Stage, account: str, path: str) -> bytes:
    """Return a Word file that a page sends."""
    answer = stage.client(account).get(path)
    assert answer.status_code == 200, errors_of(answer.text)
    assert answer.mimetype == WORD
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    content = answer.data
    answer.close()
    return content


def change(stage: Stage, name: str, **values: Any) -> None:
    """Write on an agreement of the stage as the system."""
    with stage.session() as session, acting_as(session, SYSTEM):
        agreement = session.get_one(Agreement, stage.id(name))
        for key, value in values.items():
            setattr(agreement, key, value)
        session.commit()


# What a letter says


def test_a_letter_says_what_was_agreed(stage: Stage, watch: Watch) -> None:
    """Line breaks stay, signs of markup and of formulas are text, dates are Chinese."""
    change(
        stage,
        "g11",
        objectives="一、办好食堂\n二、<b>办好</b>课堂 & 书屋",
        unit_promises="=HYPERLINK(1)\n{{ 甲方 }}{% raw %}\x07\u0001&amp;",
        unit_liaison='李"四"',
        unit_phone="13812345678",
    )
    content = sent(stage, "party", f"/agreements/letter/{stage.id('g11')}")
    said = text_in(content)
    for words in (
        TITLE,
        "编号：协议zqg11qz",
        "甲方：甲一一社区",
        "乙方：甲县第一中学",
        "结为共驻共建关系",
        "自2026年1月1日起，至2099年12月31日止",
        "一、办好食堂\n二、<b>办好</b>课堂 & 书屋",
        "=HYPERLINK(1)\n{{ 甲方 }}{% raw %}&amp;",
        '李"四"',
        "13812345678",
    ):
        assert words in said
    (paragraph,) = [each for each in opened(content).paragraphs if "办好食堂" in each.text]
    assert len(paragraph._p.xpath(".//w:br")) == 1, "a line break, not a new paragraph"
    assert "续签而来" not in said


def test_what_is_not_filled_in_is_left_to_the_pen(stage: Stage, watch: Watch) -> None:
    change(stage, "e11", objectives=None, unit_promises="")
    said = text_in(sent(stage, "party", f"/agreements/letter/{stage.id('e11')}"))
    assert said.count("由双方另行商定。") == 2
    assert re.search(r"\u3000年\u3000\u3000月\u3000\u3000日", said)
    assert "None" not in said


@pytest.mark.parametrize(
    ("account", "whole"),
    [("party", True), ("unit", True), ("community", True), ("leader", False), ("admin", False),
     ("township", False), ("inspector", False), ("office", False)],
)  # fmt: skip
def test_telephones_are_whole_for_the_parties_only(
    stage: Stage, watch: Watch, account: str, whole: bool
) -> None:
    change(stage, "g11", unit_phone="13812345678", community_phone="13900001111")
    for path in (f"/agreements/letter/{stage.id('g11')}", "/agreements/letters?q=zqg11qz"):
        said = text_in(sent(stage, account, path))
        assert ("13812345678" in said) is whole
        assert ("13900001111" in said) is whole
        assert ("138****5678" in said) is not whole


def test_out_of_scope_is_not_printed(stage: Stage) -> None:
    for account in ("partyb", "unit2", "community2", "township2"):
        answer = stage.client(account).get(f"/agreements/letter/{stage.id('g11')}")
        assert answer.status_code == 404
    assert stage.client("party").get(f"/agreements/letter/{2**40}").status_code == 404
    for account in ("handler", "duty", "auditor"):
        answer = stage.client(account).get(f"/agreements/letter/{stage.id('g11')}")
        assert answer.status_code in (302, 403, 404)


def test_a_renewal_names_what_it_renews(stage: Stage, watch: Watch) -> None:
    change(stage, "e11", renews_id=stage.id("g11"))
    said = text_in(sent(stage, "party", f"/agreements/letter/{stage.id('e11')}"))
    assert "本协议由“协议zqg11qz”续签而来" in said


def test_a_number_is_a_file_name(stage: Stage, watch: Watch) -> None:
    change(stage, "g11", number="示党/建\\2026:1号")
    answer = stage.client("party").get(f"/agreements/letter/{stage.id('g11')}")
    disposition = answer.headers["Content-Disposition"]
    answer.close()
    assert "%E7%A4%BA%E5%85%9A-%E5%BB%BA-2026%3A1%E5%8F%B7.docx" in disposition


# Many letters


def titles(content: bytes) -> int:
    """Return how many letters a document holds, each but the first on a page of its own."""
    found = [each for each in opened(content).paragraphs if each.text == TITLE]
    breaks = [bool(each.paragraph_format.page_break_before) for each in found]
    assert breaks == [False] + [True] * (len(found) - 1)
    return len(found)


@pytest.mark.parametrize(
    ("account", "query", "wanted"),
    [
        ("party", "", ["g11", "e11", "g12", "g21", "gx"]),
        ("party", "?status=draft", ["e11", "g21"]),
        ("party", "?q=zqg1", ["g11", "g12"]),
        ("party", "?order=number&direction=asc&status=in_force", ["g11", "g12", "gx"]),
        ("unit", "", ["g11", "g21"]),
        ("community", "", ["g11", "e11", "gx"]),
        ("partyb", "", ["gb", "gx"]),
    ],
)
def test_a_batch_holds_what_the_list_finds(
    stage: Stage, account: str, query: str, wanted: list[str]
) -> None:
    content = sent(stage, account, f"/agreements/letters{query}")
    assert titles(content) == len(wanted)
    said = text_in(content)
    numbers = re.findall(r"编号：协议zq(\w+?)qz", said)
    assert sorted(numbers) == sorted(wanted)
    if "direction=asc" in query:
        assert numbers == wanted
    elif account == "party":
        assert numbers == list(reversed(wanted))
    listed = stage.client(account).get(f"/agreements/list/{query}").text
    assert f'href="/agreements/letters{query.replace("&", "&amp;")}"' in listed


def test_too_many_or_none_is_a_sentence(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert letter_views.MOST == 200
    none = stage.client("party").get("/agreements/letters?q=没有的")
    assert none.status_code == 409
    assert "没有协议可以打印" in none.text
    monkeypatch.setattr(letter_views, "MOST", 4)
    many = stage.client("party").get("/agreements/letters")
    assert many.status_code == 409
    assert "一次最多打印 4 份协议书" in many.text
    assert stage.client("party").get("/agreements/letters?status=perhaps").status_code == 422


# The page


def bring(
    stage: Stage,
    account: str,
    content: bytes,
    name: str = "我县模板.docx",
    path: str = "add",
    **data: Any,
) -> TestResponse:
    """Post a template, as the form does; the county is the account's own unless said otherwise."""
    with stage.session() as session, acting_as(session, SYSTEM):
        data.setdefault("organization", World(session).place("A").id)
    posted = data | {"file": (io.BytesIO(content), name)}
    return stage.client(account).post(f"/letter-templates/{path}", data=posted)


def known(session: Session) -> list[LetterTemplate]:
    return list(session.scalars(select(LetterTemplate)))


def version(stage: Stage) -> tuple[int, int]:
    """Return the one template's id and version."""
    with stage.session() as session, acting_as(session, SYSTEM):
        (found,) = known(session)
        return found.id, found.version


OURS, THEIRS = word("甲县的{{ 甲方 }}"), word("新的{{ 乙方 }}")


def test_a_county_brings_replaces_and_removes_its_template(stage: Stage, watch: Watch) -> None:
    form = stage.client("party").get("/letter-templates/add").text
    assert all(f"{{{{ {name} }}}}" in form for name in FIELDS)
    assert all(field.help in form for field in FIELDS.values())
    answer = bring(stage, "party", OURS)
    assert answer.status_code == 302, errors_of(answer.text)
    shown = stage.client("party").get(answer.headers["Location"]).text
    assert "我县模板.docx" in shown
    assert all(f"{{{{ {name} }}}}" in shown for name in FIELDS)
    pk, number = version(stage)
    assert sent(stage, "party", f"/letter-templates/file/{pk}") == OURS

    letter_path = f"/agreements/letter/{stage.id('g11')}"
    for account in ("party", "unit", "leader"):
        assert text_in(sent(stage, account, letter_path)) == "甲县的甲一一社区"
    both = text_in(sent(stage, "admin", "/agreements/letters?status=in_force"))
    assert both.count("甲县的") == 3
    assert both.count(TITLE) == 1, "the other county prints by the template that comes with us"

    second = bring(stage, "party", THEIRS)
    assert second.status_code == 422
    assert "甲县已有模板“我县模板.docx”" in errors_of(second.text)
    answer = bring(stage, "party", THEIRS, "新.docx", f"edit/{pk}", version=number)
    assert answer.status_code == 302, errors_of(answer.text)
    assert text_in(sent(stage, "party", letter_path)) == "新的甲县第一中学"

    gone = stage.client("party").post(f"/letter-templates/delete/{pk}")
    assert gone.status_code == 302
    assert TITLE in text_in(sent(stage, "party", letter_path))
    assert sent(stage, "party", "/letter-templates/standard") == default_template()


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (word("{{ 甲方名 }}"), "模板.docx", "不认识的字段：“甲方名”（相近的有“甲方”）"),
        (PDF, "模板.docx", "内容是PDF 文档"),
        (OURS, "模板.doc", "后缀不是 docx"),
    ],
)
def test_refusals_stand_at_the_file(
    stage: Stage, watch: Watch, content: bytes, name: str, said: str
) -> None:
    stage.client("party")
    watch.written()
    answer = bring(stage, "party", content, name)
    assert answer.status_code == 422
    assert said in errors_of(answer.text)
    assert not watch.written()
    nothing = stage.client("party").post("/letter-templates/add", data={})
    assert nothing.status_code == 422
    assert "请选择模板文件" in errors_of(nothing.text)


def test_templates_of_other_counties_are_out_of_reach(stage: Stage, watch: Watch) -> None:
    bring(stage, "party", OURS)
    pk, number = version(stage)
    assert "我县模板" not in stage.client("partyb").get("/letter-templates/list/").text
    for path in (f"show/{pk}", f"edit/{pk}", f"file/{pk}"):
        assert stage.client("partyb").get(f"/letter-templates/{path}").status_code == 404
    assert stage.client("partyb").post(f"/letter-templates/delete/{pk}").status_code == 404
    assert bring(stage, "partyb", THEIRS).status_code == 422, "a county that is not its own"
    for account in ("unit", "community", "leader", "township", "auditor"):
        answer = stage.client(account).get("/letter-templates/list/")
        assert answer.status_code in (302, 403, 404)
        assert bring(stage, account, THEIRS).status_code in (302, 403, 404)
    assert version(stage) == (pk, number)


def test_a_stale_replacement_is_not_made(stage: Stage, watch: Watch) -> None:
    bring(stage, "party", OURS)
    pk, number = version(stage)
    assert bring(stage, "party", THEIRS, path=f"edit/{pk}", version=number).status_code == 302
    stale = bring(stage, "party", OURS, path=f"edit/{pk}", version=number)
    assert stale.status_code == 409
    assert sent(stage, "party", f"/letter-templates/file/{pk}") == THEIRS


def test_every_field_has_a_meaning_and_a_value(stage: Stage) -> None:
    with stage.session() as session, acting_as(session, SYSTEM):
        values = values_of(session.get_one(Agreement, stage.id("g11")), SYSTEM)
    assert set(values) == set(FIELDS)
    assert all(isinstance(each, str) for each in values.values())
    assert values["所属地区"] == "甲县"
    assert re.fullmatch(r"\d{4}年\d{1,2}月\d{1,2}日", values["打印日期"])
