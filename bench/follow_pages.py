"""The pages that follow tickets up, over a city's ledger, beside the plain SQL of the same question; and the sweeps."""

from __future__ import annotations

import datetime as dt
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import Session

from bench import follow_plain
from bench.city_bench import City, opened
from bench.databases import Server
from bench.follow_plain import Plain
from bench.lists import Page, log_in
from bench.timing import Result, Sample, interleave, statements
from database import db
from jobs import facts, follow_up, notices, supervision
from models.account import Account
from models.base import utcnow
from models.measure import TicketFact
from models.recurring import ProblemTicket, RecurringProblem
from rules import workflow
from rules.actor import SYSTEM, acting_as, actor_of
from rules.calendar import shanghai_date

#: who → the account; the administrator stands for the city's own leader, who reads all of it.
READERS = {
    "city": "admin",
    "office": "office1",
    "township": "township1-1",
    "community": "community1-1-1",
    "handler": "handler1-1",
}
OFFICES = ("city", "office")
#: what → (address, who opens it); {year} is the present one, {problem} one that is there.
PAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "home page": ("/", tuple(READERS)),
    "measures": ("/measures/", tuple(READERS)),
    "measures by class": ("/measures/lines?by=class", tuple(READERS)),
    "measures, class × month": ("/measures/crossing?by=class&across=month", tuple(READERS)),
    "scores": ("/scores/", tuple(READERS)),
    "scores of a year": ("/scores/?from={year}-01-01&until={year}-12-31", tuple(READERS)),
    "scores of townships": ("/scores/townships/", OFFICES),
    "scores of townships, a year": (
        "/scores/townships/?from={year}-01-01&until={year}-12-31",
        OFFICES,
    ),
    "what comes back": ("/recurring/", ("city", "office", "township", "community")),
    "a problem": ("/problems/show/{problem}", ("city", "office", "township")),
    "supervision": ("/supervisions/list/", tuple(READERS)),
    "recurring problems": ("/problems/list/", tuple(READERS)),
    "meetings": ("/meetings/list/", OFFICES),
    "decisions": ("/decisions/list/", ("city", "office", "township", "handler")),
    "appeals": ("/appeals/list/", tuple(READERS)),
    "bulletins": ("/bulletins/list/", tuple(READERS)),
}
#: Of the problem that is made: how long ago it was planned, and how many tickets are tied to it.
PLANNED, TIED = dt.timedelta(days=45), 60


class Waits:
    """How long the statements of a call take at the cursor, call by call, in seconds."""

    def __init__(self, engine: Engine) -> None:
        self.taken = 0.0
        self.of: dict[str, list[float]] = {}
        event.listen(engine, "before_cursor_execute", self._begun)
        event.listen(engine, "after_cursor_execute", self._ended)

    def _begun(self, *given: Any) -> None:
        given[4].chuishao_begun = time.perf_counter()

    def _ended(self, *given: Any) -> None:
        self.taken += time.perf_counter() - given[4].chuishao_begun

    def noting(self, name: str, call: Callable[[], object]) -> Callable[[], object]:
        """Return a call whose waiting is noted under a name."""

        def noted() -> object:
            self.taken = 0.0
            found = call()
            self.of.setdefault(name, []).append(self.taken)
            return found

        return noted

    def sample(self, name: str, runs: int) -> Sample:
        """Return the last runs of a call."""
        last = self.of[name][-runs:]
        return Sample(statistics.median(last), min(last), max(last), 0.0, len(last))


def run(where: Server, folder: Path, tickets: int, seed: int, runs: int) -> list[Result]:
    """Measure every page for everybody who opens it, beside the plain SQL of its question.

    Each page has two lines: as a whole, and what of it was waiting for the database. The answers of the
    plain SQL are looked for in the page.
    """
    city = opened(where, folder, tickets, seed)
    results = _swept(where, city, tickets)
    problem = _a_problem(city)
    waits = Waits(city.engine)
    calls: dict[str, Callable[[], object]] = {}
    pages = list(_pages(city, problem))
    for page, plain in pages:
        name = f"{page.who} {page.what}"
        calls[name] = waits.noting(name, page.open)
        if plain is not None:
            _alike(page, plain, city.engine)
            calls[f"{name} plain"] = partial(plain.ask, city.engine)
    found = interleave(calls, runs)
    for page, _plain in pages:
        name = f"{page.who} {page.what}"
        floor = found.get(f"{name} plain")
        waited = waits.sample(name, runs)
        with statements(city.engine) as seen:
            size = len(page.open())
        bench = f"follow-up {tickets}"
        line = Result(bench, where.name, page.who, page.what, found[name], floor, len(seen), size)
        results.append(line)
        results.append(
            Result(bench, where.name, page.who, f"{page.what}: its statements", waited, floor)
        )
    city.close()
    return results


def _pages(city: City, problem: dict[str, Any]) -> Iterator[tuple[Page, Plain | None]]:
    """Yield every page with its plain SQL."""
    now = utcnow()
    today = shanghai_date(now)
    for who, name in READERS.items():
        client = log_in(city.app, name)
        with city.app.app_context(), acting_as(db.session(), SYSTEM):
            account = db.session.scalars(select(Account).where(Account.username == name)).one()
            actor = actor_of(db.session(), account)
            place = actor.organization_id if who == "handler" else actor.area_id
            db.session.remove()
        values = follow_plain.values_of(today, now, place) | problem
        for what, (url, readers) in PAGES.items():
            if who in readers:
                address = url.format(year=today.year, problem=problem["problem"])
                plain = follow_plain.plain_of(what, who, values)
                yield Page(who, what, client, address), plain


def _alike(page: Page, plain: Plain, engine: Engine) -> None:
    """Look for the plain SQL's answer in the page; what is not there is a fault of one of them."""
    shown = page.open().decode()
    missing = [each for each in plain.shown(plain.ask(engine)) if each not in shown]
    if missing:
        raise AssertionError(f"{page.who} {page.what}: {missing[:5]} not on {page.url}")


def _swept(where: Server, city: City, tickets: int) -> list[Result]:
    """Fold what is marked and sweep; return how long the sweeps take when nothing is new any more."""
    sweeps: dict[str, Callable[[], object]] = {
        "sweep: folding": partial(facts.catch_up, city.app),
        "sweep: deadlines to supervise": partial(supervision.find_deadlines, city.app),
        "sweep: again and again": partial(supervision.find, city.app),
        "sweep: warnings": partial(notices.warn, city.app),
        "sweep: reminders": partial(follow_up.remind, city.app),
    }
    # What is found once is found: the first rounds make all proposals, five hundred at a time.
    found = interleave(sweeps, 3, warm_up=6)
    return [
        Result(f"follow-up {tickets}", where.name, "worker", what, sample)
        for what, sample in found.items()
    ]


def _a_problem(city: City) -> dict[str, Any]:
    """Return the values of a problem of the township's commonest matter; made if there is none."""
    today = shanghai_date(utcnow())
    with city.app.app_context():
        session = db.session()
        with acting_as(session, SYSTEM):
            problem = session.scalars(select(RecurringProblem).limit(1)).first() or _made(session)
            session.commit()
            planned = problem.planned_on or today
            # As long before the plan as has passed since.
            passed = today - planned
            values = {
                "problem": problem.id,
                "matter": problem.matter,
                "area": problem.organization_id,
                "planned_before": planned - passed,
                "planned_eve": planned - dt.timedelta(days=1),
                "planned_after": planned + dt.timedelta(days=1),
                "planned_last": planned + passed,
            }
        db.session.remove()
    return values


def _made(session: Session) -> RecurringProblem:
    account = select(Account).where(Account.username == READERS["township"])
    township = actor_of(session, session.scalars(account).one()).area_id
    common = select(TicketFact.matter).where(
        TicketFact.township_id == township, TicketFact.matter.is_not(None)
    )
    most = common.group_by(TicketFact.matter).order_by(func.count().desc()).limit(1)
    matter = session.scalars(most).one()
    problem = RecurringProblem(
        organization_id=township,
        title="反复发生",
        matter=matter,
        planned_on=shanghai_date(utcnow()) - PLANNED,
    )
    cases = select(TicketFact.ticket_id).where(
        TicketFact.township_id == township, TicketFact.matter == matter, TicketFact.current
    )
    for each in session.scalars(cases.order_by(TicketFact.ticket_id.desc()).limit(TIED)):
        problem.tickets.append(ProblemTicket(ticket_id=each, added_by="基准"))
    session.add(problem)
    session.flush()
    workflow.begin(session, problem, SYSTEM)
    return problem
