"""Exports in the background: whose they are, what stands in them, and how they end."""

from __future__ import annotations

import datetime as dt
import io
import os
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobs import exports
from jobs.queue import Queue
from models.base import utcnow
from models.export_job import ExportJob, ExportState
from views import exports as export_routes

S = ExportState


@pytest.fixture
def ledger(session: Session, world: Any, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Some tickets of county A, one of B; more than one is a large result."""
    monkeypatch.setattr(export_routes, "SMALL", 1)
    made = [world.draft(title=title).id for title in ("东门路灯", "西门路灯", "=1+1井盖")]
    world.draft("B11", title="乙县路灯")
    session.commit()
    return made


def start(client: FlaskClient, query: str = "", view: str = "TicketView") -> Any:
    """Ask for an export."""
    return client.post("/export-jobs/start", data={"view": view, "query": query})


def worked(app: Flask) -> int:
    """Let the worker do what waits."""
    queue: Queue = app.extensions["queue"]
    return queue.work_off()


def job_of(session: Session) -> ExportJob:
    session.rollback()
    return session.scalars(select(ExportJob).order_by(ExportJob.id.desc())).first()  # type: ignore[return-value]


def texts(content: bytes) -> list[str]:
    """Return every cell of a workbook as text."""
    sheet = load_workbook(io.BytesIO(content)).worksheets[0]
    return [str(each.value) for row in sheet for each in row if each.value is not None]


def test_a_large_result_is_written_behind_the_scenes(
    app: Flask, session: Session, ledger: list[int], login: Callable[[str], FlaskClient]
) -> None:
    client = login("office")
    asking = client.get("/tickets/export?q=路灯")
    assert asking.mimetype == "text/html"
    assert 'action="/export-jobs/start"' in asking.text
    assert session.scalars(select(ExportJob)).all() == []
    begun = start(client, "q=路灯&after=abc&secret=1")
    job = job_of(session)
    assert begun.location == f"/export-jobs/show/{job.id}"
    assert (job.state, job.query) == (S.WAITING, "q=%E8%B7%AF%E7%81%AF")
    assert client.get(begun.location).status_code == 200
    assert client.get(f"/export-jobs/progress/{job.id}").json["busy"] is True  # type: ignore[index]
    assert client.get(f"/export-jobs/download/{job.id}").status_code == 409
    assert worked(app) == 1
    job = job_of(session)
    assert (job.state, job.rows, job.problem) == (S.DONE, 2, None)
    page = client.get(begun.location).text
    assert f"/export-jobs/download/{job.id}" in page
    sent = client.get(f"/export-jobs/download/{job.id}")
    assert sent.headers["Cache-Control"] == "no-store"
    found = texts(sent.data)
    sent.close()
    assert {"东门路灯", "西门路灯"} <= set(found)
    assert not any("井盖" in each or "乙县" in each for each in found)
    assert "我的导出" in client.get("/export-jobs/list/").text


def test_a_small_result_is_sent_at_once(
    session: Session, ledger: list[int], login: Callable[[str], FlaskClient]
) -> None:
    answer = login("office").get("/tickets/export?q=井盖")
    assert answer.mimetype != "text/html"
    assert any("井盖" in each for each in texts(answer.data))
    answer.close()
    assert session.scalars(select(ExportJob)).all() == []


def test_only_the_owner_comes_near(
    app: Flask, session: Session, ledger: list[int], login: Callable[[str], FlaskClient]
) -> None:
    start(login("office"))
    worked(app)
    number = job_of(session).id
    for account in ("returns", "officeb", "admin"):
        other = login(account)
        for path in ("show", "progress", "download"):
            assert other.get(f"/export-jobs/{path}/{number}").status_code == 404
        for path in ("cancel", "delete"):
            assert other.post(f"/export-jobs/{path}/{number}").status_code == 404
        assert f"/show/{number}" not in other.get("/export-jobs/list/").text


def test_it_runs_as_its_owner_and_in_the_scope_of_then(
    app: Flask, session: Session, world: Any, ledger: list[int], login: Callable[[str], FlaskClient]
) -> None:
    start(login("office"))
    world.account("office").organization = world.place("B-CSB")
    session.commit()
    worked(app)
    job = job_of(session)
    assert job.rows == 1
    path = exports.stored(app, job)
    assert path is not None
    found = texts(path.read_bytes())
    assert "乙县路灯" in found
    assert "东门路灯" not in found


def test_a_retired_account_gets_nothing(
    app: Flask, session: Session, world: Any, ledger: list[int], login: Callable[[str], FlaskClient]
) -> None:
    start(login("office"))
    world.account("office").active = False
    session.commit()
    worked(app)
    assert job_of(session).state is S.CANCELLED
    assert job_of(session).file_hash is None


def test_formulas_are_text(
    app: Flask, session: Session, ledger: list[int], login: Callable[[str], FlaskClient]
) -> None:
    start(login("office"))
    worked(app)
    path = exports.stored(app, job_of(session))
    assert path is not None
    cells = [each for row in load_workbook(path).worksheets[0] for each in row]
    assert not any(each.data_type == "f" for each in cells)
    assert any("1+1井盖" in str(each.value) for each in cells)


def test_what_waits_can_be_called_off(
    app: Flask, session: Session, ledger: list[int], login: Callable[[str], FlaskClient]
) -> None:
    client = login("office")
    start(client)
    number = job_of(session).id
    assert client.post(f"/export-jobs/delete/{number}").status_code == 409
    assert client.post(f"/export-jobs/cancel/{number}").status_code == 302
    worked(app)
    assert job_of(session).state is S.CANCELLED
    assert client.get(f"/export-jobs/download/{number}").status_code == 409
    assert client.post(f"/export-jobs/delete/{number}").status_code == 302


def test_what_is_being_written_stops_at_its_next_beat(
    app: Flask,
    session: Session,
    ledger: list[int],
    login: Callable[[str], FlaskClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start(login("office"))
    before = set(exports.folder(app).iterdir())
    queue: Queue = app.extensions["queue"]
    queue.call_off(exports.key_of(job_of(session).id))
    worked(app)
    job = job_of(session)
    assert (job.state, job.file_hash) == (S.CANCELLED, None)
    assert set(exports.folder(app).iterdir()) == before


@pytest.mark.parametrize(
    ("account", "view", "query", "state"),
    [("office", "TicketView", "status=nothing", S.FAILED)],
)
def test_a_filter_that_does_not_hold_is_told(
    app: Flask,
    session: Session,
    ledger: list[int],
    login: Callable[[str], FlaskClient],
    account: str,
    view: str,
    query: str,
    state: ExportState,
) -> None:
    assert start(login(account), query, view).status_code == 302
    worked(app)
    assert job_of(session).state is state
    assert job_of(session).problem


def test_lists_out_of_reach_are_not_exported(
    session: Session, login: Callable[[str], FlaskClient]
) -> None:
    assert start(login("handler"), "", "AccountView").status_code == 404
    assert start(login("handler"), "", "NoView").status_code == 404
    assert session.scalars(select(ExportJob)).all() == []


def test_old_workbooks_are_forgotten_and_stopped_ones_begun_anew(
    app: Flask, session: Session, ledger: list[int], login: Callable[[str], FlaskClient]
) -> None:
    client = login("office")
    start(client)
    worked(app)
    job = job_of(session)
    path = exports.stored(app, job)
    assert path is not None
    exports.forget(app)
    assert path.is_file()
    job.created_at = utcnow() - exports.KEPT - dt.timedelta(minutes=1)
    session.commit()
    long_ago = (utcnow() - dt.timedelta(hours=2)).timestamp()
    os.utime(path, (long_ago, long_ago))
    exports.forget(app)
    assert not path.is_file()
    assert session.scalars(select(ExportJob)).all() == []
    start(client)
    job = job_of(session)
    job.state = S.WRITING
    session.commit()
    worked(app)
    assert job_of(session).state is S.WRITING
    exports.recover(app)
    worked(app)
    assert job_of(session).state is S.DONE
