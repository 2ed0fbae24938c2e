"""``flask --app app sweep``: what falls due by the calendar, done once; ``serve`` does it hourly."""

from __future__ import annotations

import threading
from collections.abc import Callable

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm.exc import StaleDataError

from database import db
from jobs.supervision import find
from models.base import utcnow
from rules.actor import SYSTEM, acting_as
from rules.errors import Conflict
from rules.sweep import Swept
from rules.sweep import sweep as do_what_is_due

#: Seconds between two sweeps of a server.
EVERY = 3600


@click.command("sweep")
@with_appcontext
def sweep() -> None:
    """Expire agreements, let overdue claims lapse, remind of ends, find what is due for supervision."""
    click.echo(sentence(sweep_once()))
    click.echo(found_sentence(find(current_app._get_current_object())))  # type: ignore[attr-defined]


def sweep_once() -> Swept:
    """Sweep as the system and commit; if another sweep got in the way, once more after it."""
    try:
        return _sweep()
    except (Conflict, IntegrityError, StaleDataError, OperationalError):
        db.session.rollback()
    return _sweep()


def _sweep() -> Swept:
    session = db.session()
    try:
        with acting_as(session, SYSTEM):
            done = do_what_is_due(session, utcnow())
            session.commit()
    except BaseException:
        session.rollback()
        raise
    return done


def sentence(done: Swept) -> str:
    """Return what a sweep has done, as the command and the log say it."""
    return f"协议到期 {done.expired} 份，逾期认领退回 {done.lapsed} 件，发出到期提醒 {done.reminded} 条。"


def found_sentence(found: int) -> str:
    """Return what a sweep has put before the offices, as the command and the log say it."""
    return f"新列入或加重的待确认督办 {found} 件。"


def tend(app: Flask, again: Callable[[], bool]) -> None:
    """Sweep now, and again for as long as ``again`` says so. A sweep that fails is logged."""
    while True:
        try:
            with app.app_context():
                app.logger.info(sentence(sweep_once()))
            app.logger.info(found_sentence(find(app)))
        except Exception:
            app.logger.exception("the sweep failed; the next one tries again")
        if not again():
            return


def start_clock(app: Flask) -> threading.Thread:
    """Start the hourly sweep beside the server; it ends with the server and cannot end it."""
    stopped = threading.Event()
    clock = threading.Thread(
        target=tend, args=(app, lambda: not stopped.wait(EVERY)), name="sweep", daemon=True
    )
    clock.start()
    return clock
