"""Bulletins by HTTP: made, waited for, read, issued, sent, changed and deleted."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from docx import Document
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from bench.timing import statements
from database import db
from models.base import utcnow
from models.bulletin import Bulletin
from models.bulletin import BulletinStatus as S
from reports.bulletin_figures import month_of
from rules.calendar import shanghai_date
from tests.conftest import Backend
from tests.factories.bulletins import bulletin
from tests.factories.world import World
from tests.views.bulletin_forms import made, number_of, took, worked
from tests.views.pages import errors_of, record_form, step_forms, words_of
from views.bulletins import months

Client = Callable[[str], FlaskClient]
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.fixture
def world(one_session: Session) -> World:
    """The seeded world on SQLite."""
    return World(one_session)


# Made, waited for, read, issued


def test_from_the_form_to_the_reader(
    sqlite: Backend, one_session: Session, world: World, as_seen_by: Client
) -> None:
    world.dispatched()
    office, month = as_seen_by("office"), months()[0]
    number = number_of(made(office, month=str(month), remarks="逐条整改"))
    path, docx = f"/bulletins/show/{number}", f"/bulletins/docx/{number}"
    waiting = office.get(path).text
    assert "data-refresh" in waiting
    assert docx not in waiting
    assert step_forms(waiting) == {}
    early = office.get(docx)
    assert (early.status_code, "文件还没有生成" in early.text) == (409, True)
    assert worked(sqlite.app) >= 1
    ready = office.get(path).text
    assert "data-refresh" not in ready
    assert set(step_forms(ready)) == {"issue", "rewrite"}
    for who in ("township", "community", "handler"):
        assert as_seen_by(who).get(path).status_code == 404
        assert as_seen_by(who).get(docx).status_code == 404
    assert took(office, number, "issue").status_code == 302
    issued = " ".join(words_of(office.get(path).text))
    assert "已签发" in issued
    assert step_forms(office.get(path).text) == {}
    title = f"甲县{month // 100}年{month % 100}月吹哨报到工作情况通报"
    for who in ("township", "community", "handler", "leader", "inspector"):
        client = as_seen_by(who)
        assert title in client.get("/bulletins/list/").text, who
        page = client.get(path).text
        assert f'href="{docx}"' in page
        assert step_forms(page) == {}
        sent = client.get(docx)
        assert (sent.mimetype, sent.headers["Cache-Control"]) == (DOCX, "no-store")
        told = [each.text for each in Document(io.BytesIO(sent.data)).paragraphs]
        sent.close()
        assert told[0] == title
        assert "逐条整改" in told
        assert any("共吹哨 1 件，派单 1 件" in each for each in told)
        book = client.get(f"/bulletins/xlsx/{number}")
        assert book.data.startswith(b"PK")
        book.close()


def test_other_counties_know_nothing_of_it(world: World, as_seen_by: Client) -> None:
    issued = bulletin(world, S.ISSUED, title="甲县十月通报")
    for who in ("officeb", "townshipb", "communityb", "handlerb"):
        client = as_seen_by(who)
        for route in ("show", "docx", "xlsx"):
            assert client.get(f"/bulletins/{route}/{issued.id}").status_code == 404, who
        assert "甲县十月通报" not in client.get("/bulletins/list/").text


def test_what_is_not_issued_is_in_no_list_below(world: World, as_seen_by: Client) -> None:
    for state in (S.WAITING, S.READY, S.FAILED):
        bulletin(world, state, title=f"未发{state.value}")
    for who in ("township", "community", "handler"):
        assert "未发" not in as_seen_by(who).get("/bulletins/list/").text
    assert "未发ready" in as_seen_by("office").get("/bulletins/list/").text


def test_a_failure_is_said_on_its_page_and_can_be_tried_again(
    sqlite: Backend, one_session: Session, world: World, as_seen_by: Client
) -> None:
    failed = bulletin(world, S.FAILED)
    office = as_seen_by("office")
    assert "没有模板" in errors_of(office.get(f"/bulletins/show/{failed.id}").text)
    assert took(office, failed.id, "rewrite").status_code == 302
    assert worked(sqlite.app) >= 1
    one_session.expire_all()
    assert failed.status is S.READY


# The form


def test_the_title_follows_the_month_that_was_chosen(
    one_session: Session, world: World, as_seen_by: Client
) -> None:
    office, month = as_seen_by("office"), months()[5]
    form = record_form(office.get("/bulletins/add").text)
    assert form.data()["month"] == [str(months()[1])], "the month that has just ended"
    plain = number_of(made(office, month=str(month)))
    named = number_of(made(office, month=str(month), title="半年通报"))
    titles = {each.id: each.title for each in one_session.scalars(select(Bulletin))}
    assert titles[plain] == f"甲县{month // 100}年{month % 100}月吹哨报到工作情况通报"
    assert titles[named] == "半年通报"


def test_months_end_with_the_one_that_runs() -> None:
    found = months()
    assert found[0] == month_of(shanghai_date(utcnow()))
    assert found == sorted(set(found), reverse=True)
    assert len(found) == 24


@pytest.mark.parametrize("month", ["202613", "190001", "299901", "十月", ""])
def test_a_month_that_is_not_offered_is_refused(
    one_session: Session, as_seen_by: Client, month: str
) -> None:
    assert made(as_seen_by("office"), month=month).status_code == 422
    assert one_session.scalars(select(Bulletin)).all() == []


def test_nobody_writes_another_countys_bulletin(
    one_session: Session, world: World, as_seen_by: Client
) -> None:
    for place in ("B", "A1"):
        answer = made(as_seen_by("office"), organization=str(world.place(place).id))
        assert answer.status_code in (404, 422)
    for who in ("township", "leader", "inspector", "admin"):
        assert as_seen_by(who).get("/bulletins/add").status_code in (403, 404), who
    assert one_session.scalars(select(Bulletin)).all() == []


def test_numbers_run_within_the_year_and_the_place(
    one_session: Session, world: World, as_seen_by: Client
) -> None:
    last = months()[0] // 100
    bulletin(world, S.ISSUED, month=(last - 1) * 100 + 12, issue=9)
    bulletin(world, month=last * 100 + 1, issue=4, place=world.place("B"))
    office = as_seen_by("office")
    chosen = [each for each in months() if each // 100 == last - 1][:2] + [months()[0]] * 2
    numbers = [number_of(made(office, month=str(each))) for each in chosen]
    found = {each.id: each.issue for each in one_session.scalars(select(Bulletin))}
    assert [found[each] for each in numbers] == [10, 11, 1, 2]


def test_two_at_once_get_two_numbers(app: Flask, login: Callable[[str], FlaskClient]) -> None:
    clients = [login("office") for _turn in range(2)]
    form = record_form(clients[0].get("/bulletins/add").text).data()

    def post(client: FlaskClient) -> int:
        own = record_form(client.get("/bulletins/add").text).data()
        return client.post("/bulletins/add", data=form | own).status_code

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(post, clients)) == [302, 302]
    listed = clients[0].get("/bulletins/list/").text
    pages = [clients[0].get(f"/bulletins/show/{each}").text for each in (1, 2)]
    assert "共 2 条" in listed
    issues = [re.search(r"期号</dt>\s*<dd[^>]*>\s*(\d+)", each) for each in pages]
    assert sorted(each[1] for each in issues if each) == ["1", "2"]


# Changed and deleted


def test_what_was_changed_is_written_anew(
    sqlite: Backend, one_session: Session, world: World, as_seen_by: Client
) -> None:
    ready = bulletin(world, S.READY)
    office = as_seen_by("office")
    form = record_form(office.get(f"/bulletins/edit/{ready.id}").text)
    assert not {"month", "organization"} & set(form.data())
    answer = office.post(
        f"/bulletins/edit/{ready.id}", data=form.data(remarks="补充一条", title="")
    )
    assert answer.status_code == 302
    one_session.expire_all()
    assert (ready.status, ready.issue, ready.title) == (
        S.WAITING, 1, "甲县2026年10月吹哨报到工作情况通报",
    )  # fmt: skip
    assert worked(sqlite.app) >= 1
    one_session.expire_all()
    assert ready.status is S.READY
    assert ready.docx_hash != "a" * 64


@pytest.mark.parametrize("state", [S.WAITING, S.WRITING, S.ISSUED])
def test_what_is_issued_or_being_written_is_neither_changed_nor_deleted(
    one_session: Session, world: World, as_seen_by: Client, state: S
) -> None:
    kept = bulletin(world, state)
    number, office = kept.id, as_seen_by("office")
    page = office.get(f"/bulletins/show/{number}").text
    assert f"/bulletins/delete/{number}" not in page
    assert f"/bulletins/edit/{number}" not in page
    assert office.get(f"/bulletins/edit/{number}").status_code == 409
    refused = office.post(f"/bulletins/delete/{number}")
    assert refused.status_code == 409
    sentence = "已签发，不能再修改" if state is S.ISSUED else "正在生成，请稍候"
    assert sentence in errors_of(refused.text)
    one_session.expire_all()
    assert one_session.get(Bulletin, number) is not None


def test_a_form_that_was_open_when_it_was_issued_changes_nothing(
    one_session: Session, world: World, as_seen_by: Client
) -> None:
    ready = bulletin(world, S.READY)
    office = as_seen_by("office")
    form = record_form(office.get(f"/bulletins/edit/{ready.id}").text)
    world.step(ready, "issue", "office")
    answer = as_seen_by("office").post(
        f"/bulletins/edit/{ready.id}", data=form.data(remarks="改了")
    )
    assert answer.status_code == 409
    one_session.expire_all()
    assert (ready.status, ready.remarks) == (S.ISSUED, None)


def test_before_it_is_issued_it_can_be_deleted(
    one_session: Session, world: World, as_seen_by: Client
) -> None:
    number = bulletin(world, S.READY).id
    assert as_seen_by("office").post(f"/bulletins/delete/{number}").status_code == 302
    one_session.expire_all()
    assert one_session.get(Bulletin, number) is None


def test_an_issued_file_that_is_gone_is_said(world: World, as_seen_by: Client) -> None:
    number = bulletin(world, S.ISSUED).id
    for route in ("docx", "xlsx"):
        answer = as_seen_by("township").get(f"/bulletins/{route}/{number}")
        assert answer.status_code == 409
        assert "文件找不到了，请告诉系统管理员" in errors_of(answer.text)


# What a page costs


def test_pages_ask_few_statements_however_many_there_are(
    sqlite: Backend, one_session: Session, world: World, as_seen_by: Client
) -> None:
    for _turn in range(3):
        bulletin(world, S.ISSUED)
    counts: dict[str, list[int]] = {}
    with sqlite.app.app_context():
        engine = db.engine
    for more in (0, 15):
        for _turn in range(more):
            bulletin(world, S.ISSUED)
        first = one_session.scalars(select(Bulletin.id)).first()
        for who, path in (
            ("office", "/bulletins/list/"),
            ("township", "/bulletins/list/"),
            ("office", f"/bulletins/show/{first}"),
            ("office", "/bulletins/add"),
        ):
            client = as_seen_by(who)
            client.get(path)
            with statements(engine) as sent:
                assert client.get(path).status_code == 200
            counts.setdefault(f"{who} {path}", []).append(len(sent))
    for path, (few, many) in counts.items():
        assert few == many, path
        assert many <= (8 if "list" in path else 14), (path, many)


def test_the_list_is_filtered_by_places_that_one_reads(
    one_session: Session, world: World, as_seen_by: Client
) -> None:
    bulletin(world, S.ISSUED)
    answer = as_seen_by("leader").get("/bulletins/options/organization").get_json()
    assert [each["text"] for each in answer["results"]] == ["甲县"]
