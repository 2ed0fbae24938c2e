"""Uploads behind the scenes: waiting, at work, called off, taken up again, forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from jobs.imports import INTERRUPTED, PATIENCE, forget, recover, stored
from jobs.queue import Queue
from models.account import Account
from models.base import utcnow
from models.import_job import ImportJob, ImportJobState
from models.imports import ImportBatch
from rules.actor import SYSTEM, acting_as
from tests.views.stage import Stage, Watch
from tests.views.test_import_pages import LISTS, book
from tests.views.test_import_wizard import OURS, jobs_of, place_of
from tests.views.uploads import imported, offered, records, send, upload, work_off

S = ImportJobState


@pytest.fixture(autouse=True)
def _put_back(watch: Watch) -> None:
    """Every test writes; what it wrote is undone."""


@pytest.fixture
def duty(stage: Stage) -> FlaskClient:
    """The duty-list officer of county A, who imports for every township of it."""
    return stage.client("duty")


def waiting(stage: Stage, client: FlaskClient, tmp_path: Path) -> ImportJob:
    """Upload two files, so that they are left to the worker, and return the first one's job."""
    one = book(tmp_path, "新事项甲")
    upload(client, LISTS, (one, "甲一镇.xlsx"), (one, "甲二镇.xlsx"))
    return jobs_of(stage)[0]


def test_a_job_waits_for_the_worker_and_says_so(
    stage: Stage, duty: FlaskClient, tmp_path: Path
) -> None:
    job = waiting(stage, duty, tmp_path)
    page = duty.get(f"/import-jobs/show/{job.id}")
    assert "排队等候" in page.text
    assert "可以离开" in page.text
    progress = duty.get(f"/import-jobs/progress/{job.id}").json
    assert progress["busy"] is True
    assert work_off(stage) == 2
    assert duty.get(f"/import-jobs/progress/{job.id}").json["busy"] is False
    assert offered(duty.get(f"/import-jobs/show/{job.id}").text, "apply")


def test_a_waiting_job_is_cancelled_at_once(
    stage: Stage, duty: FlaskClient, tmp_path: Path
) -> None:
    job = waiting(stage, duty, tmp_path)
    page = duty.get(f"/import-jobs/show/{job.id}")
    assert duty.post(f"/import-jobs/delete/{job.id}").status_code == 409
    assert send(duty, page.text, "cancel").status_code == 302
    work_off(stage)
    assert [each.state for each in jobs_of(stage)] == [S.CANCELLED, S.READY]
    assert duty.post(f"/import-jobs/delete/{job.id}").status_code == 302
    assert not stored(stage.app, job).exists()


def test_a_job_at_work_stops_at_its_next_beat(
    stage: Stage, duty: FlaskClient, tmp_path: Path
) -> None:
    """The word to stop is out before the work begins: its first beat hears it."""
    job = waiting(stage, duty, tmp_path)
    before = records(stage)
    queue: Queue = stage.app.extensions["queue"]
    queue.call_off(f"import-{job.id}")
    work_off(stage)
    stopped = jobs_of(stage)[0]
    assert stopped.state is S.CANCELLED
    assert "没有写入" in (stopped.message or "")
    assert records(stage) == before


def test_what_a_stopped_worker_left_is_taken_up(
    stage: Stage, duty: FlaskClient, tmp_path: Path
) -> None:
    first = waiting(stage, duty, tmp_path)
    work_off(stage)
    with stage.session() as session, acting_as(session, SYSTEM):
        reading, writing = session.scalars(OURS)
        reading.state, writing.state = S.READING, S.WRITING
        session.commit()
    recover(stage.app)
    assert [job.state for job in jobs_of(stage)] == [S.WAITING, S.READY]
    assert jobs_of(stage)[1].message == INTERRUPTED
    assert work_off(stage) == 1
    assert jobs_of(stage)[0].state is S.READY
    page = duty.get(f"/import-jobs/show/{first.id}")
    assert send(duty, page.text, "apply").status_code == 302


def test_a_job_acts_for_its_owner_as_he_is_now(
    stage: Stage, duty: FlaskClient, tmp_path: Path
) -> None:
    waiting(stage, duty, tmp_path)
    with stage.session() as session, acting_as(session, SYSTEM):
        account = session.scalars(select(Account).where(Account.username == "duty")).one()
        account.active = False
        session.commit()
    work_off(stage)
    assert {job.state for job in jobs_of(stage)} == {S.CANCELLED}


def test_uploads_that_nobody_confirms_are_forgotten(
    stage: Stage, duty: FlaskClient, tmp_path: Path
) -> None:
    job = waiting(stage, duty, tmp_path)
    work_off(stage)
    forget(stage.app)
    assert len(jobs_of(stage)) == 2, "they are new"
    with stage.session() as session, acting_as(session, SYSTEM):
        old = session.get_one(ImportJob, job.id)
        old.updated_at = utcnow() - 2 * PATIENCE
        session.commit()
    forget(stage.app)
    assert [each.id for each in jobs_of(stage)] == [job.id + 1]
    assert not stored(stage.app, job).exists()


def test_a_job_is_done_with_its_batch_or_not_at_all(
    stage: Stage, duty: FlaskClient, tmp_path: Path
) -> None:
    pk = imported(duty, LISTS, book(tmp_path, "新事项甲"), owner=place_of(stage, "A1"))
    (job,) = jobs_of(stage)
    assert (job.state, job.batch_id) == (S.DONE, pk)
    assert not stored(stage.app, job).exists(), "the archive keeps the file from now on"
    with stage.session() as session, acting_as(session, SYSTEM):
        assert session.get_one(ImportBatch, pk).file_name == "清单.xlsx"
