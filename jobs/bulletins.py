"""Writing a bulletin in the background: Word document and workbook of one month, kept under their SHA-256."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from database import db
from jobs.queue import Queue
from models.base import utcnow
from models.bulletin import Bulletin, BulletinStatus
from models.organization import Organization
from presets.roles import Role
from reports import facts
from reports.bulletin_book import book
from reports.bulletin_figures import figures
from reports.bulletins import document
from rules import workflow
from rules.actor import SYSTEM, Actor, acting_as
from rules.attachments import keep, path_of
from rules.errors import Conflict, Refused

S = BulletinStatus
TASK = "bulletin-write"
_BROKEN = "生成时出了意外，请点“重新生成”；还是不行，请告诉系统管理员。"


def write(app: Flask, number: int) -> None:
    """Write a waiting bulletin. Its month's figures are the whole county's, whoever asked for it."""
    with app.app_context():
        session = db.session()
        try:
            if not _step(session, number, "begin"):
                return
            with acting_as(session, SYSTEM):
                facts.catch_up(session)
                session.commit()
                bulletin = session.get_one(Bulletin, number)
                docx, xlsx = written(session, bulletin, Path(app.config["DATA_DIR"]))
            _step(session, number, "finish", docx=docx, xlsx=xlsx)
        except Refused as refusal:
            session.rollback()
            _step(session, number, "fail", problem=str(refusal))
        except Exception:
            app.logger.exception("bulletin %s failed", number)
            session.rollback()
            _step(session, number, "fail", problem=_BROKEN)
        finally:
            session.rollback()


def written(session: Session, bulletin: Bulletin, folder: Path) -> tuple[str, str]:
    """Write a bulletin's document and workbook into the store, and return their hashes."""
    place, template = bulletin.organization, _template(bulletin, folder)
    with acting_as(session, reader_of(place)):
        found = figures(session, place, bulletin.month, utcnow())
    docx = document(
        template,
        found,
        title=bulletin.title,
        issue=bulletin.issue,
        remarks=bulletin.remarks,
    )
    return keep(docx, folder), keep(book(found), folder)


def reader_of(place: Organization) -> Actor:
    """Return who reads all of a place's figures and no other's: a city does not count its neighbours."""
    # Whoever is nobody reads no names of places; no account has this number.
    return Actor(0, "通报", place.id, place.name, place.id, frozenset({Role.LEADER}))


def _template(bulletin: Bulletin, folder: Path) -> bytes | None:
    """Return the county's own template, if one was chosen; raises ``Conflict`` if its file is gone."""
    if bulletin.template is None:
        return None
    path = path_of(bulletin.template.file_hash, folder)
    if not path.is_file():
        raise Conflict(
            f"模板“{bulletin.template}”的文件找不到了。请重新上传，或在编辑里另选模板，再重新生成。"
        )
    return path.read_bytes()


def _step(session: Session, number: int, action: str, **data: str) -> bool:
    """Take one of the worker's own steps, and commit; tell whether the bulletin was there for it."""
    with acting_as(session, SYSTEM):
        bulletin = session.get(Bulletin, number)
        if bulletin is None:
            return False
        context = workflow.Context(session, bulletin, SYSTEM, utcnow(), dict(data))
        try:
            workflow.apply_internally(context, bulletin, action)
        except Refused:
            session.rollback()
            return False
        session.commit()
        return True


def recover(app: Flask) -> None:
    """Take up what a stopped worker has left: a bulletin is simply written anew."""
    queue: Queue = app.extensions["queue"]
    with app.app_context(), acting_as(db.session(), SYSTEM):
        left = select(Bulletin.id).where(Bulletin.status.in_((S.WAITING, S.WRITING)))
        for number in db.session().scalars(left).all():
            queue.send(TASK, number)
        db.session().rollback()
