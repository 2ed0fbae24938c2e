"""Reminding owners of what is due, as the worker does it behind the scenes."""

from __future__ import annotations

from flask import Flask

from database import db
from models.base import utcnow
from rules import follow_up
from rules.actor import SYSTEM, acting_as
from rules.calendar import shanghai_date


def remind(app: Flask) -> int:
    """Remind owners three days before and on the day, once each; return how many people were told.

    Commits. Safe to run at any time, by several workers as well: nobody is told the same twice.
    """
    with app.app_context():
        session = db.session()
        try:
            with acting_as(session, SYSTEM):
                told = follow_up.remind(session, shanghai_date(utcnow()))
                session.commit()
        except BaseException:
            session.rollback()
            raise
        return told
