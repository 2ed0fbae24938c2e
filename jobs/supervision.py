"""Finding what is due for supervision, as the worker and the sweep do it behind the scenes."""

from __future__ import annotations

from flask import Flask
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm.exc import StaleDataError

from database import db
from jobs import facts
from models.base import utcnow
from rules import supervision
from rules.actor import SYSTEM, acting_as


def find(app: Flask) -> int:
    """Propose all that is due now; return how many proposals are new or graver.

    Commits. Safe to run at any time, by several workers as well: if another got in the way, once more
    after it.
    """
    facts.catch_up(app)
    return _twice(app, matters=True)


def find_deadlines(app: Flask) -> int:
    """Propose what is near its deadline or past it, or was rated too low; else as ``find``."""
    return _twice(app, matters=False)


def _twice(app: Flask, *, matters: bool) -> int:
    try:
        return _find(app, matters)
    except (IntegrityError, OperationalError, StaleDataError):
        return _find(app, matters)


def _find(app: Flask, matters: bool) -> int:
    with app.app_context():
        session = db.session()
        try:
            with acting_as(session, SYSTEM):
                found = supervision.find(session, utcnow(), matters=matters)
                session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            db.session.remove()
    return found
