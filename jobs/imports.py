"""Reading and writing uploaded workbooks, in the background or, if they are small, at once.

Each acts for the person who uploaded the file. The job's row goes its way in small transactions
around the work; the state 已导入 is written in the same transaction as the records.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.orm.exc import StaleDataError

from database import db
from imports import stage
from imports.decisions import Cancelled, Decisions, Headings, Watch, unwatched
from imports.engine import KINDS, apply, preview
from imports.findings import findings
from imports.plan import Plan
from imports.probe import WorkbookRefused
from imports.whose import place_of
from jobs.queue import Queue
from models.account import Account
from models.base import utcnow
from models.import_job import BUSY, ImportJob, ImportJobState, ImportLayout
from models.organization import Organization, OrganizationKind
from rules.actor import SYSTEM, Actor, acting_as, actor_of, current
from rules.errors import Refused
from rules.policy import Action
from rules.scope import reachable

S = ImportJobState
#: Kinds whose rows belong to one place that the file does not name row by row, and whose places.
NEEDS_PLACE = {
    "duty-items": (OrganizationKind.TOWNSHIP, OrganizationKind.COUNTY, OrganizationKind.CITY)
}
#: How long an upload waits for its confirmation.
PATIENCE = dt.timedelta(days=3)
_CANCELLED = "已取消，没有写入任何内容。"
_BROKEN = "处理时出了意外，没有写入任何内容。请再试一次；还是不行，请把文件交给系统管理员。"
_CLASHED = "写入时有别的人也在修改这些内容，没有写入。请重新预览，核对后再确认。"
_GONE = "上传的文件已经清理，请重新上传。"
INTERRUPTED = "服务中断过，没有写入任何内容，请核对后再次确认。"

Work = Callable[[Session, ImportJob, Watch], None]


def uploads(app: Flask) -> Path:
    """Return the folder of files that wait for confirmation."""
    folder = Path(app.config["DATA_DIR"]) / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def stored(app: Flask, job: ImportJob) -> Path:
    """Return where a job's file is kept."""
    return uploads(app) / job.stored_name


def staged(app: Flask, job: ImportJob) -> Path:
    """Return where what has been read of a job's file is kept."""
    return uploads(app) / f"{job.stored_name}.stage"


def key_of(number: int) -> str:
    """Return the name under which the queue notes how far a job is."""
    return f"import-{number}"


def read(app: Flask, number: int) -> None:
    """Read a waiting job's file, hold it against the records, and keep what the preview shows."""

    def work(session: Session, job: ImportJob, watch: Watch) -> None:
        path = stored(app, job)
        if not path.is_file():
            raise WorkbookRefused(_GONE)
        if job.kind in NEEDS_PLACE and job.organization is None:
            job.organization = place_of(path, job.file_name, places(session, job.kind), watch)
            if job.organization is None:
                job.state = S.PLACE
                return
        plan = preview(
            session,
            job.kind,
            path,
            owner=job.organization,
            original_name=job.file_name,
            decisions=with_memory(session, job),
            watch=watch,
        )
        stage.keep(plan, staged(app, job))
        job.findings = findings(plan)
        job.token, job.message = plan.token, None
        job.state = _outcome(plan)

    _at_work(app, number, S.WAITING, S.READING, work)


def write(app: Flask, number: int) -> None:
    """Write what a job's preview has shown, all of it or nothing."""

    def work(session: Session, job: ImportJob, watch: Watch) -> None:
        if not stored(app, job).is_file():
            raise WorkbookRefused(_GONE)
        plan = resumed(app, session, job, watch)
        folder = Path(app.config["DATA_DIR"]) / "imports"
        job.batch = apply(session, plan, shown=job.token or "", archive=folder, watch=watch)
        job.state = S.DONE if job.batch is not None else S.SAME
        job.message = None

    if _at_work(app, number, S.WRITING, S.WRITING, work) is S.DONE:
        with app.app_context(), acting_as(db.session(), SYSTEM):
            discard(app, db.session().get_one(ImportJob, number))


def resumed(app: Flask, session: Session, job: ImportJob, watch: Watch = unwatched) -> Plan:
    """Return a job's plan as the records stand now, of what has been read of its file."""
    plan = stage.resume(session, staged(app, job), owner=job.organization, watch=watch)
    plan.path = stored(app, job)
    return plan


def discard(app: Flask, job: ImportJob) -> None:
    """Remove a job's files: they have been imported, or nobody wants them any more."""
    stored(app, job).unlink(missing_ok=True)
    staged(app, job).unlink(missing_ok=True)


def _outcome(plan: Plan) -> ImportJobState:
    if plan.errors:
        return S.FAULTY
    return S.READY if plan.differs else S.SAME


def _at_work(
    app: Flask, number: int, expected: ImportJobState, busy: ImportJobState, work: Work
) -> ImportJobState | None:
    """Do a job's work for its owner and commit what has become of it; return its state.

    Whatever goes wrong is told in the job's row, and nothing else of the work remains: what could
    not be read is refused, what could not be written can be looked at again.
    """
    queue: Queue = app.extensions["queue"]
    failed = S.REFUSED if busy is S.READING else S.READY
    with app.app_context():
        session = db.session()
        try:
            actor = _take_on(session, number, expected, busy)
            if actor is None:
                return None
            with acting_as(session, actor):
                job = session.get_one(ImportJob, number)
                work(session, job, queue.watch(key_of(number)))
                session.commit()
                return job.state
        except Cancelled:
            return _end(session, number, S.CANCELLED, _CANCELLED)
        except (WorkbookRefused, Refused) as refusal:
            return _end(session, number, failed, str(refusal))
        except (StaleDataError, IntegrityError):
            return _end(session, number, failed, _CLASHED)
        except Exception:
            app.logger.exception("import job %s failed", number)
            return _end(session, number, failed, _BROKEN)
        finally:
            session.rollback()
            queue.forget(key_of(number))


def _take_on(
    session: Session, number: int, expected: ImportJobState, busy: ImportJobState
) -> Actor | None:
    """Claim a job and return for whom to act; nobody if it is not there to be done any more."""
    with acting_as(session, SYSTEM):
        job = session.get(ImportJob, number)
        if job is None or job.state is not expected:
            return None
        account = session.get_one(Account, job.account_id)
        actor = actor_of(session, account) if account.is_active else None
        if actor is None:
            job.state, job.message = S.CANCELLED, "账号已停用，没有写入任何内容。"
        elif busy is not expected:
            job.state = busy
        session.commit()
        return actor


def _end(session: Session, number: int, state: ImportJobState, message: str) -> ImportJobState:
    """Roll the work back and say in the job's row why it has ended."""
    session.rollback()
    with acting_as(session, SYSTEM):
        job = session.get(ImportJob, number)
        if job is not None:
            job.state, job.message = state, message
            session.commit()
    return state


def places(session: Session, kind: str) -> list[Organization]:
    """Return the places to which the actor may import such a file, with their names."""
    wanted = in_reach(session, kind).options(selectinload(Organization.names))
    return list(session.scalars(wanted.order_by(Organization.code)))


def in_reach(session: Session, kind: str) -> Select[tuple[Organization]]:
    """Return the query for the places to which the actor may import such a file."""
    inside = reachable(current(session), KINDS[kind], Organization.id, Action.IMPORT)
    return select(Organization).where(
        Organization.kind.in_(NEEDS_PLACE.get(kind, ())), Organization.active, inside
    )


def with_memory(session: Session, job: ImportJob) -> Decisions:
    """Return the job's decisions, and what has been said of such headings before. One statement."""
    decided = Decisions.of_json(job.decisions)
    remembered = {
        each.mark: Headings(each.list_type, each.columns)
        for each in session.scalars(select(ImportLayout).where(ImportLayout.kind == job.kind))
    }
    headings = {**remembered, **decided.headings}
    return Decisions(decided.lists, headings, decided.names, decided.retire)


def recover(app: Flask) -> None:
    """Take up what a stopped worker has left: reading begins anew, writing waits for another word."""
    queue: Queue = app.extensions["queue"]
    with app.app_context(), acting_as(db.session(), SYSTEM):
        session = db.session()
        left = session.scalars(select(ImportJob).where(ImportJob.state.in_(BUSY))).all()
        again = []
        for job in left:
            if job.state is S.WRITING:
                job.state, job.message = S.READY, INTERRUPTED
            else:
                job.state = S.WAITING
                again.append(job.id)
        session.commit()
        for number in again:
            queue.send("import-read", number)


def forget(app: Flask) -> None:
    """Remove uploads that nobody has confirmed for ``PATIENCE``, and files that no job speaks of."""
    before = utcnow() - PATIENCE
    with app.app_context(), acting_as(db.session(), SYSTEM):
        session = db.session()
        old = select(ImportJob).where(ImportJob.updated_at < before, ImportJob.state.not_in(BUSY))
        for job in session.scalars(old):
            discard(app, job)
            session.delete(job)
        session.commit()
        known = set(session.scalars(select(ImportJob.stored_name)))
    for path in uploads(app).iterdir():
        forgotten = path.stat().st_mtime < before.timestamp()
        if forgotten and path.name.removesuffix(".stage") not in known:
            path.unlink(missing_ok=True)
