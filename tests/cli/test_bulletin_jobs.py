"""Writing bulletins in the background: once, from what is there, and again after a worker has died."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from openpyxl import load_workbook
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from jobs import bulletins
from jobs.queue import Queue
from models.base import utcnow
from models.bulletin import Bulletin, BulletinTemplate
from models.bulletin import BulletinStatus as S
from reports.bulletin_figures import figures, month_of
from rules import ledger
from rules.actor import SYSTEM, acting_as
from rules.attachments import keep, path_of
from rules.calendar import shanghai_date
from tests.cli.test_worker import Office, ended, said
from tests.cli.test_worker import office as office
from tests.conftest import Backend, session_factory
from tests.factories.bulletins import ROADS, bulletin, docx_of
from tests.factories.world import World


@pytest.fixture
def one_session(sqlite: Backend) -> Any:
    """A session on SQLite that acts for the system."""
    with session_factory(sqlite.app)() as opened, acting_as(opened, SYSTEM):
        yield opened


@pytest.fixture
def world(one_session: Session) -> World:
    """The seeded world on SQLite."""
    return World(one_session)


def written(sqlite: Backend, made: Bulletin, session: Session) -> Bulletin:
    """Let the worker write a bulletin, and return it as it is then."""
    session.commit()
    bulletins.write(sqlite.app, made.id)
    session.expire_all()
    return made


def stored(sqlite: Backend, digest: str | None) -> bytes:
    """Return the bytes that are kept under a hash."""
    return path_of(digest or "", Path(sqlite.app.config["DATA_DIR"])).read_bytes()


def template(world: World, sqlite: Backend, text: str = "{{ 标题 }}之模板") -> BulletinTemplate:
    """Return a template of county A's whose file is kept."""
    content = docx_of(lambda word: word.add_paragraph(text))
    found = BulletinTemplate(
        organization=world.place("A"),
        name="红头",
        file_name="红头.docx",
        file_hash=keep(content, Path(sqlite.app.config["DATA_DIR"])),
    )
    world.session.add(found)
    world.session.flush()
    return found


def words(content: bytes) -> str:
    """Return what a document's paragraphs say."""
    return "\n".join(each.text for each in Document(io.BytesIO(content)).paragraphs)


def test_it_is_written_with_the_countys_own_figures(
    sqlite: Backend, one_session: Session, world: World
) -> None:
    made = bulletin(world, month=this_month())
    world.dispatched()
    world.raised("B11", "communityb")
    found = written(sqlite, made, one_session)
    assert (found.status, found.problem) == (S.READY, None)
    assert "共吹哨 1 件，派单 1 件" in words(stored(sqlite, found.docx_hash))
    assert "甲县住建局" in [row[0] for row in rows(stored(sqlite, found.xlsx_hash), "承办单位")], (
        "names are read too"
    )


def this_month() -> int:
    """Return the month that runs."""
    return month_of(shanghai_date(utcnow()))


def rows(content: bytes, sheet: str) -> list[Any]:
    """Return the rows of a sheet."""
    return list(load_workbook(io.BytesIO(content))[sheet].iter_rows(values_only=True))


@pytest.mark.parametrize("state", [S.READY, S.FAILED, S.ISSUED])
def test_what_has_been_written_is_not_written_by_another_task(
    sqlite: Backend, one_session: Session, world: World, state: S
) -> None:
    made = bulletin(world, state)
    one_session.commit()
    before = (made.version, made.docx_hash, made.xlsx_hash)
    found = written(sqlite, made, one_session)
    assert (found.status, (found.version, found.docx_hash, found.xlsx_hash)) == (state, before)


def test_one_that_was_deleted_meanwhile_is_no_trouble(
    sqlite: Backend, one_session: Session, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = bulletin(world)
    one_session.commit()
    number = made.id

    def deleting(*given: Any) -> Any:
        with session_factory(sqlite.app)() as other, acting_as(other, SYSTEM):
            other.execute(delete(Bulletin).where(Bulletin.id == number))
            other.commit()
        return figures(*given)

    monkeypatch.setattr(bulletins, "figures", deleting)
    bulletins.write(sqlite.app, number)
    one_session.expire_all()
    assert one_session.get(Bulletin, number) is None
    bulletins.write(sqlite.app, number)


def test_the_places_own_template_is_filled_in(
    sqlite: Backend, one_session: Session, world: World
) -> None:
    made = bulletin(world, template=template(world, sqlite))
    found = written(sqlite, made, one_session)
    assert words(stored(sqlite, found.docx_hash)) == "十月通报之模板"


def test_a_template_that_is_gone_leaves_ours(
    sqlite: Backend, one_session: Session, world: World
) -> None:
    made = bulletin(world, template=template(world, sqlite))
    one_session.commit()
    one_session.execute(delete(BulletinTemplate))
    found = written(sqlite, made, one_session)
    assert found.template is None
    assert "一、总体情况" in words(stored(sqlite, found.docx_hash))


def test_a_template_whose_file_is_gone_is_named(
    sqlite: Backend, one_session: Session, world: World
) -> None:
    own = template(world, sqlite, "没有文件{{ 标题 }}")
    path_of(own.file_hash, Path(sqlite.app.config["DATA_DIR"])).unlink()
    found = written(sqlite, bulletin(world, template=own), one_session)
    assert found.status is S.FAILED
    assert found.problem == (
        "模板“红头”的文件找不到了。请重新上传，或在编辑里另选模板，再重新生成。"
    )


def test_what_nobody_foresaw_is_said_without_its_details(
    sqlite: Backend,
    one_session: Session,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def breaking(*_given: Any, **_more: Any) -> Any:
        raise RuntimeError("disk /dev/sda1 is full")

    monkeypatch.setattr(bulletins, "document", breaking)
    with caplog.at_level(logging.ERROR):
        found = written(sqlite, bulletin(world), one_session)
    assert found.status is S.FAILED
    assert found.problem is not None
    assert "生成时出了意外" in found.problem
    assert "sda1" not in found.problem
    assert "disk /dev/sda1 is full" in caplog.text


# A worker that died


@pytest.mark.parametrize("left", [S.WAITING, S.WRITING])
def test_a_worker_takes_up_what_another_has_left(office: Office, left: S) -> None:
    with session_factory(office.app)() as session, acting_as(session, SYSTEM):
        number = bulletin(World(session), left).id
        others = [
            bulletin(World(session), each).id
            for each in ROADS
            if each not in (S.WAITING, S.WRITING)
        ]
        session.commit()
    process = office.worker()
    assert said(process) == "done"
    process.terminate()
    assert ended(process) == 0
    with session_factory(office.app)() as session, acting_as(session, SYSTEM):
        found = session.get_one(Bulletin, number)
        assert (found.status, found.problem) == (S.READY, None)
        assert path_of(found.docx_hash or "", office.folder).is_file()
        assert path_of(found.xlsx_hash or "", office.folder).is_file()
        kept = session.scalars(select(Bulletin.docx_hash).where(Bulletin.id.in_(others)))
        assert set(kept) == {"a" * 64, None}


def test_taken_up_twice_it_is_written_once(
    sqlite: Backend, one_session: Session, world: World
) -> None:
    made = bulletin(world, S.WRITING)
    one_session.commit()
    tasks: Queue = sqlite.app.extensions["queue"]
    # Other tests may have left tasks in the queue of this application.
    tasks.huey.flush()
    tasks.send(bulletins.TASK, made.id)
    bulletins.recover(sqlite.app)
    assert tasks.work_off() == 2
    one_session.expire_all()
    assert made.status is S.READY
    actions = [each.action for each in ledger.events_of(one_session, made)]
    assert actions == ["create", "begin", "begin", "finish"]
