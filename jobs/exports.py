"""Writing a list as a workbook in the background, for whoever asked, as far as he reaches by then.

The job's row goes its way in small transactions around the work; the file lies in the data directory
under its SHA-256 until ``KEPT`` has gone by.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from database import db
from imports.decisions import Cancelled
from jobs.queue import Queue
from models.account import Account
from models.base import utcnow
from models.export_job import ExportJob, ExportState
from rules.actor import SYSTEM, Actor, acting_as, actor_of
from rules.errors import Refused

S = ExportState
#: How long a workbook can be downloaded.
KEPT = dt.timedelta(days=7)
#: Rows of a workbook that is written in the background.
MOST = 200_000
_CANCELLED = "已取消，没有生成文件。"
_BROKEN = "导出时出了意外，没有生成文件。请再试一次；还是不行，请告诉系统管理员。"
_RETIRED = "账号已停用，没有生成文件。"

Tell = Callable[[int], None]
#: Writes the rows that (list, what is asked of it) name, as an actor; tells how many are written.
Writer = Callable[[Session, Actor, str, str, IO[bytes], Tell], int]
_writers: list[Writer] = []


def write_by(writer: Writer) -> Writer:
    """Name what writes a list: the lists are known to the pages, which stand above the jobs."""
    _writers[:] = [writer]
    return writer


def folder(app: Flask) -> Path:
    """Return the folder of written workbooks."""
    found = Path(app.config["DATA_DIR"]) / "exports"
    found.mkdir(parents=True, exist_ok=True)
    return found


def stored(app: Flask, job: ExportJob) -> Path | None:
    """Return where a job's workbook lies, if it has been written and not been forgotten."""
    path = folder(app) / f"{job.file_hash}.xlsx" if job.file_hash else None
    return path if path is not None and path.is_file() else None


def key_of(number: int) -> str:
    """Return the name under which the queue notes how far a job is."""
    return f"export-{number}"


def write(app: Flask, number: int) -> None:
    """Write a waiting job's workbook, under the name and in the scope of its owner."""
    queue: Queue = app.extensions["queue"]
    with app.app_context():
        session = db.session()
        try:
            actor = _take_on(session, number)
            if actor is None:
                return
            with acting_as(session, actor):
                job = session.get_one(ExportJob, number)
                rows, digest = _written(app, session, actor, job)
                job.rows, job.file_hash, job.state = rows, digest, S.DONE
                session.commit()
        except Cancelled:
            _end(session, number, S.CANCELLED, _CANCELLED)
        except Refused as refusal:
            _end(session, number, S.FAILED, str(refusal))
        except Exception:
            app.logger.exception("export job %s failed", number)
            _end(session, number, S.FAILED, _BROKEN)
        finally:
            session.rollback()
            queue.forget(key_of(number))


def _written(app: Flask, session: Session, actor: Actor, job: ExportJob) -> tuple[int, str]:
    """Write the workbook into its place, whole or not at all; return its rows and its SHA-256."""
    queue: Queue = app.extensions["queue"]
    key = key_of(job.id)
    watch = queue.watch(key)

    def tell(done: int) -> None:
        watch("write", done, 0)

    handle, temporary = tempfile.mkstemp(dir=folder(app))
    try:
        with os.fdopen(handle, "w+b") as file:
            rows = _writers[0](session, actor, job.view, job.query, file, tell)
            file.flush()
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if queue.called_off(key):
            raise Cancelled
        Path(temporary).replace(folder(app) / f"{digest}.xlsx")
    finally:
        Path(temporary).unlink(missing_ok=True)
    return rows, digest


def _take_on(session: Session, number: int) -> Actor | None:
    """Claim a job and return for whom to act; nobody if it is not there to be done any more."""
    with acting_as(session, SYSTEM):
        job = session.get(ExportJob, number)
        if job is None or job.state is not S.WAITING:
            return None
        account = session.get_one(Account, job.account_id)
        actor = actor_of(session, account) if account.is_active else None
        if actor is None:
            job.state, job.problem = S.CANCELLED, _RETIRED
        else:
            job.state = S.WRITING
        session.commit()
        return actor


def _end(session: Session, number: int, state: ExportState, sentence: str) -> None:
    """Roll the work back and say in the job's row why it has ended."""
    session.rollback()
    with acting_as(session, SYSTEM):
        job = session.get(ExportJob, number)
        if job is not None:
            job.state, job.problem = state, sentence[:300]
            session.commit()


def recover(app: Flask) -> None:
    """Take up what a stopped worker has left: a workbook is simply written anew."""
    queue: Queue = app.extensions["queue"]
    with app.app_context(), acting_as(db.session(), SYSTEM):
        session = db.session()
        left = session.scalars(
            select(ExportJob).where(ExportJob.state.in_((S.WAITING, S.WRITING)))
        ).all()
        for job in left:
            job.state = S.WAITING
        session.commit()
        for job in left:
            queue.send("export-write", job.id)


def forget(app: Flask) -> None:
    """Remove jobs older than ``KEPT``, and workbooks that no job names."""
    before = utcnow() - KEPT
    with app.app_context(), acting_as(db.session(), SYSTEM):
        session = db.session()
        old = select(ExportJob).where(
            ExportJob.created_at < before, ExportJob.state.not_in((S.WAITING, S.WRITING))
        )
        for job in session.scalars(old):
            session.delete(job)
        session.commit()
        known = set(session.scalars(select(ExportJob.file_hash).distinct()))
    for path in folder(app).iterdir():
        # What has just been written may not be named yet.
        settled = path.stat().st_mtime < (utcnow() - dt.timedelta(hours=1)).timestamp()
        if settled and path.stem not in known:
            path.unlink(missing_ok=True)
