"""Folding what has changed into the facts that measures are summed from, behind the scenes."""

from __future__ import annotations

from flask import Flask

from database import db
from reports import facts

#: Marks that are folded in one transaction: it is over before anybody waits for SQLite's writer.
AT_ONCE = 2_000


def catch_up(app: Flask) -> int:
    """Fold all marked tickets, committing as it goes; return how many that were."""
    done = 0
    with app.app_context():
        session = db.session()
        try:
            while folded := facts.catch_up(session, AT_ONCE):
                session.commit()
                done += folded
            session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            db.session.remove()
    return done
