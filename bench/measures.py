"""The measures at a city's size: each question beside the plain SQL of the same over the raw tickets.

And what facts cost: a step with its triggers and without them, and folding what a step has marked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from bench.city_bench import City, opened
from bench.databases import Server
from bench.timing import Result, interleave, statements
from database import db
from models.account import Account
from models.base import utcnow
from models.ticket import Ticket, TicketStatus
from presets.roles import Role
from reports import facts
from reports.measures import MEASURES, Dimension, Period, Question, ask, total
from rules import workflow
from rules.actor import SYSTEM, Actor, acting_as, actor_of
from rules.calendar import shanghai_date

#: who → the account that asks; the city's own leader has none, and is made of the administrator's.
READERS = {
    "city": "admin",
    "office": "office1",
    "township": "township1-1",
    "community": "community1-1-1",
    "handler": "handler1-1",
}
PLAIN = [each for each in MEASURES if not each.median]
MEDIANS = [each for each in MEASURES if each.median]
D = Dimension
#: What most of the measures are summed from; grades, minutes and due steps are left out.
_SUMS = (
    "count(*), count(CASE WHEN a.accepted_at <= a.respond_due THEN 1 END),"
    " count(CASE WHEN a.arrived_at <= a.arrive_due THEN 1 END),"
    " count(CASE WHEN t.status = 'closed' THEN 1 END),"
    " count(CASE WHEN t.status = 'closed' AND a.reported_at <= a.resolve_due THEN 1 END),"
    " count(CASE WHEN t.return_count > 0 THEN 1 END),"
    " count(CASE WHEN t.reopen_count > 0 THEN 1 END), avg(t.stars)"
)
_MEDIANS = ", ".join(
    f"percentile_cont(0.5) WITHIN GROUP (ORDER BY a.{done} - t.dispatched_at)"
    for done in ("accepted_at", "arrived_at", "reported_at")
)
#: what → lines, columns, the measures that are asked for, the plain SQL of the same
QUESTIONS: dict[str, tuple[D | None, D | None, list[Any], str]] = {
    "all measures": (None, None, PLAIN, _SUMS),
    "by department": (D.DEPARTMENT, None, PLAIN, _SUMS),
    "by community": (D.COMMUNITY, None, PLAIN, _SUMS),
    "by matter": (D.MATTER, None, PLAIN, _SUMS),
    "theme × month": (D.THEME, D.MONTH, PLAIN, _SUMS),
    "department × matter, one measure": (D.DEPARTMENT, D.MATTER, PLAIN[:1], "count(*)"),
    "medians": (None, None, MEDIANS, _MEDIANS),
    "medians by department": (D.DEPARTMENT, None, MEDIANS, _MEDIANS),
}
#: The same keys over the raw tables: a SQL expression, and what must be joined for it.
_KEYS = {
    D.DEPARTMENT: "a.organization_id",
    D.COMMUNITY: "t.organization_id",
    D.MATTER: "t.duty_item_name",
    D.THEME: "t.theme",
    D.MONTH: "{month}",
}
_MONTH = {
    "sqlite": "strftime('%Y%m', t.dispatched_at, '+8 hours')",
    "postgresql": "to_char(timezone('Asia/Shanghai', t.dispatched_at), 'YYYYMM')",
}
_TRIGGERS = {"fact_mark_event": "event", "fact_mark_ticket": "ticket"}


def run(where: Server, folder: Path, tickets: int, seed: int, runs: int) -> list[Result]:
    """Ask every question as every reader, and take a step with and without the triggers."""
    city = opened(where, folder, tickets, seed)
    try:
        return _questions(where, city, runs) + _writing(where, city, runs)
    finally:
        city.close()


def period() -> Period:
    """Return the twelve months that end with this one."""
    today = shanghai_date(utcnow())
    last = (today.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)
    after = last + dt.timedelta(days=1)
    return Period(after.replace(year=after.year - 1), last)


def reader(session: Session, who: str) -> Actor:
    """Return who asks."""
    with acting_as(session, SYSTEM):
        account = session.scalars(select(Account).where(Account.username == READERS[who])).one()
        actor = actor_of(session, account)
    return replace(actor, roles=frozenset({Role.LEADER})) if who == "city" else actor


def _questions(where: Server, city: City, runs: int) -> list[Result]:
    calls: dict[str, Callable[[], object]] = {}
    names: list[tuple[str, str]] = []
    with city.app.app_context():
        readers = {who: reader(db.session(), who) for who in READERS}
        db.session.remove()
    for who, actor in readers.items():
        for what, (rows, columns, measures, sums) in QUESTIONS.items():
            question = Question(period(), rows, columns)
            calls[f"{who} {what}"] = partial(_asked, city.app, actor, question, measures)
            plain = _plain(where.name, actor, who, question, sums)
            if plain is not None:
                calls[f"{who} {what} plain"] = partial(_executed, city.engine, *plain)
            names.append((who, what))
    found = interleave(calls, runs)
    results = []
    for who, what in names:
        with statements(city.engine) as seen:
            calls[f"{who} {what}"]()
        floor = found.get(f"{who} {what} plain")
        sample = found[f"{who} {what}"]
        results.append(Result("measures", where.name, who, what, sample, floor, len(seen)))
    return results


def _asked(app: Flask, actor: Actor, question: Question, measures: list[Any]) -> object:
    with app.app_context(), acting_as(db.session(), actor):
        found: object
        if question.rows is None:
            found = total(db.session(), question, measures, utcnow())
        else:
            found = ask(db.session(), question, measures, utcnow())
        db.session.remove()
    return found


def _plain(
    backend: str, actor: Actor, who: str, question: Question, sums: str
) -> tuple[str, dict[str, Any]] | None:
    """Return the same question over the raw tickets as anybody would write it; SQLite has no median."""
    if sums == _MEDIANS and backend == "sqlite":
        return None
    dimensions = [each for each in (question.rows, question.columns) if each is not None]
    keys = [_KEYS[each].format(month=_MONTH[backend]) for each in dimensions]
    # A question about departments speaks of those too that have left a ticket.
    at_work = "" if question.by_department else " AND a.status NOT IN ('returned', 'handed_over')"
    place = "a.organization_id = :place" if who == "handler" else "l.ancestor_id = :place"
    line = "" if who == "handler" else (
        " JOIN organization_line l ON l.organization_id = t.organization_id"
    )  # fmt: skip
    grouped = f" GROUP BY {', '.join(keys)}" if keys else ""
    parts = (
        f"SELECT {', '.join([*keys, sums])} FROM ticket t",  # noqa: S608 - of this module's words
        "JOIN ticket_assignment a ON a.ticket_id = t.id AND a.role = 'lead'",
        f"{at_work}{line} WHERE {place}",
        f"AND t.dispatched_at >= :first AND t.dispatched_at < :beyond{grouped}",
    )
    statement = " ".join(parts)
    first = dt.datetime.combine(question.period.first, dt.time())
    beyond = dt.datetime.combine(question.period.last, dt.time()) + dt.timedelta(days=1)
    eight = dt.timedelta(hours=8)
    values = {"first": first - eight, "beyond": beyond - eight}
    return statement, values | {
        "place": actor.organization_id if who == "handler" else actor.area_id
    }


def _executed(engine: Engine, statement: str, values: dict[str, Any]) -> object:
    with engine.connect() as connection:
        return connection.execute(text(statement), values).all()


# What facts cost


def _writing(where: Server, city: City, runs: int) -> list[Result]:
    """Take the same step again and again, rolled back, with the triggers and without them."""
    with city.app.app_context():
        session = db.session()
        actor = reader(session, "handler")
        with acting_as(session, SYSTEM):
            waiting = select(Ticket.id).where(
                Ticket.status == TicketStatus.DISPATCHED, Ticket.lead_id == actor.organization_id
            )
            ticket_id = session.scalars(waiting.order_by(Ticket.id).limit(1)).one()
            # What came before this must not be counted as the step's own.
            while facts.catch_up(session, 5_000):
                session.commit()
            session.commit()
        db.session.remove()
    step = partial(_accepted, city.app, actor, ticket_id)
    with _without_triggers(city.engine):
        bare = interleave({"step": step}, runs)["step"]
    calls = {"step": step, "fold": partial(_accepted, city.app, actor, ticket_id, fold=True)}
    found = interleave(calls, runs)
    return [
        Result("measures", where.name, "handler", "a step, beside one that marks nothing", found["step"], bare),
        Result("measures", where.name, "handler", "a step and its folding", found["fold"], bare),
    ]  # fmt: skip


def _accepted(app: Flask, actor: Actor, ticket_id: int, *, fold: bool = False) -> None:
    with app.app_context(), acting_as(db.session(), actor):
        session = db.session()
        ticket = session.get(Ticket, ticket_id)
        workflow.apply(session, ticket, "accept", actor)
        if fold:
            facts.catch_up(session)
        session.rollback()
        db.session.remove()


@contextmanager
def _without_triggers(engine: Engine) -> Iterator[None]:
    """Take the triggers that mark away, and put them back."""
    if engine.dialect.name == "postgresql":
        away = [f"ALTER TABLE {table} DISABLE TRIGGER {name}" for name, table in _TRIGGERS.items()]
        back = [each.replace("DISABLE", "ENABLE") for each in away]
    else:
        known = text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = :name")
        with engine.connect() as connection:
            back = [connection.execute(known, {"name": name}).scalar_one() for name in _TRIGGERS]
        away = [f"DROP TRIGGER {name}" for name in _TRIGGERS]
    _run(engine, away)
    try:
        yield
    finally:
        _run(engine, back)


def _run(engine: Engine, commands: list[str]) -> None:
    with engine.begin() as connection:
        for each in commands:
            connection.exec_driver_sql(each)
