"""Pages and submitted actions over a city's ledger, beside the floor, and beside a hundredth of it.

Growth is told of like pages: a page of the large ledger that has 25 rows is not held against the same
words or tab in the small one where that has five, but against those of the small one that come nearest
to its number of rows.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import and_, func, select

from bench.building import CITIES, Builder, Size
from bench.databases import Server, engine_of, let_go, prepared
from bench.floor import floor
from bench.lists import PASSWORD, ROLES, SHOWN, TOKEN, Page, floor_of, log_in, pages_of
from bench.simulator import Simulator
from bench.timing import WARM_UP, Result, Sample, interleave
from bench.timing import statements as asked_of
from database import db
from models.account import Account
from models.base import utcnow
from models.grade import Grade
from models.mechanism import RatingDimension, ReviewStep, WhistleClass
from models.ticket import Ticket, TicketParty, TicketStatus
from rules import ledger, workflow
from rules.actor import SYSTEM, Actor, acting_as, actor_of
from rules.calendar import shanghai_date

CITY = "hohhot"
#: How many tickets the other ledger holds that growth is told by.
SMALL = 10_000
#: Whose it is: a hundredth of the city, so that a community has as many tickets as in the large one
#: and its pages are as long. Of the whole city's places each would have seven.
HUNDREDTH = Size(1, 2, spread=14)
#: What stands in the small ledger for pages that have fewer rows there: rare words of two characters
#: (the end of a spot's name with the beginning of a problem's), tabs of one state, other filters.
LIKE = {
    "search, rare word": [f"q=头{each}" for each in "占垃消困拖燃墙"],
    "tab, returns": [f"tab={each}" for each in ("dispatch", "review", "rate")],
    "list, filtered": [
        f"theme={theme}&channel={channel}"
        for theme in ("livelihood", "safety")
        for channel in ("patrol", "hotline", "snapshot")
    ],
}
#: What makes a ticket the like of another.
BLOWN = (
    *("title", "detail", "address", "contact_name", "contact_phone", "organization_id", "channel"),
    *("theme", "nature", "local_tried", "whistle_class_id", "duty_item_id", "duty_item_name"),
)
S = TicketStatus
#: A ticket's life from its last review on: who takes which step. Each turn leads another one through.
LIFE = (
    ("township", "approve"),
    ("office", "dispatch"),
    ("handler", "accept"),
    ("handler", "arrive"),
    ("handler", "report_result"),
    ("township", "rate"),
    ("office", "close"),
)
SAID = "现场已联系物业，今天下午一起去看。"


@dataclass
class Post:
    """Something that one role submits, each time to another ticket.

    Its session's ``cookie`` is sent as it was: a browser opens the page that it is led to, which shows
    the message of the step and forgets it, or messages would pile up in the cookie.
    """

    who: str
    what: str
    client: FlaskClient
    urls: Iterator[str]
    data: dict[str, str]
    cookie: tuple[str, str]

    def send(self) -> int:
        """Submit it to the next ticket; anything but a redirect is a fault of the benchmark."""
        url = next(self.urls)
        self.client.set_cookie(*self.cookie)
        answer = self.client.post(url, data=self.data)
        assert answer.status_code == 302, (url, answer.status_code)
        return len(answer.data)


@dataclass
class City:
    """A city's ledger, open: its application, and the floor over the same database."""

    app: Flask
    bare: Flask

    @property
    def engine(self) -> Any:
        """The application's engine."""
        return engine_of(self.app)

    def close(self) -> None:
        """Let go of the databases."""
        self.bare.extensions["floor_engine"].dispose()
        let_go(self.app)


def opened(where: Server, folder: Path, tickets: int, seed: int) -> City:
    """Return a city with so many tickets; one that is there is used again."""
    name = f"{'part' if tickets == SMALL else 'city'}_{tickets}_{seed}"
    app = prepared(where, name, folder, partial(fill, tickets=tickets, seed=seed))
    return City(app, floor(app.config["SQLALCHEMY_DATABASE_URI"]))


def fill(app: Flask, *, tickets: int, seed: int) -> None:
    """Build the city and its tickets."""
    size = HUNDREDTH if tickets == SMALL else CITIES[CITY]
    Builder(db.session(), size, PASSWORD).build()
    Simulator(db.session(), tickets, seed, shanghai_date(utcnow())).run()


def run(where: Server, folder: Path, tickets: int, seed: int, runs: int) -> list[Result]:
    """Measure pages and actions at both sizes, taking turns: ``growth`` is one to the other."""
    sizes = [tickets, SMALL] if tickets > SMALL else [tickets]
    cities = {size: opened(where, folder, size, seed) for size in sizes}
    lengths: dict[tuple[str, str], int] = {}
    calls: dict[str, Callable[[], object]] = {}
    measured: list[tuple[int, str, str, Callable[[], object]]] = []
    for size, city in cities.items():
        for who, name in ROLES.items():
            pages = pages_of(city.app, who, name)
            if size == tickets:
                lengths |= {(who, page.what): _rows(page) for page in pages}
            else:
                pages = [_like(page, lengths[who, page.what]) for page in pages]
            calls[f"{size} {who} floor"] = floor_of(city.bare, pages[0])
            calls[f"{size} {who} floor of posts"] = _written(city.bare)
            things: list[tuple[str, Callable[[], object]]] = [
                (page.what, page.open) for page in pages
            ]
            things += [(post.what, post.send) for post in posts_of(city, who, name)]
            for what, call in things:
                calls[f"{size} {who} {what}"] = call
                measured.append((size, who, what, call))
        for post in life_of(city, runs + 1):
            calls[f"{size} {post.who} {post.what}"] = post.send
            measured.append((size, post.who, post.what, post.send))
    found = interleave(calls, runs)
    results = []
    for size, who, what, call in measured:
        with asked_of(cities[size].engine) as seen:
            length: Any = call()
        posted = what.startswith("submit")
        sample = found[f"{size} {who} {what}"]
        small = found.get(f"{SMALL} {who} {what}") if size != SMALL else None
        results.append(
            Result(
                f"city {size}",
                where.name,
                who,
                what,
                sample,
                found[f"{size} {who} floor{' of posts' if posted else ''}"],
                len(seen),
                None if posted else len(length),
                growth=sample.median / small.median if small else None,
            )
        )
    for city in cities.values():
        city.close()
    return results + [line for size in sizes for line in _life(results, f"city {size}")]


def _life(results: list[Result], bench: str) -> list[Result]:
    """Return the line of a life's steps: the median over its kinds, each beside the same floor."""
    kinds = {(who, f"submit {step}") for who, step in LIFE}
    steps = [each for each in results if each.bench == bench and (each.who, each.what) in kinds]
    if not steps:
        return []

    def middle(of: Callable[[Sample], float]) -> float:
        return statistics.median(of(each.sample) for each in steps)

    sample = Sample(
        median=middle(lambda each: each.median),
        best=min(each.sample.best for each in steps),
        worst=max(each.sample.worst for each in steps),
        processor=middle(lambda each: each.processor),
        runs=sum(each.sample.runs for each in steps),
    )
    asked = round(statistics.median(each.statements or 0 for each in steps))
    floors = sorted((each.floor for each in steps if each.floor), key=lambda each: each.median)
    base = floors[len(floors) // 2]
    return [Result(bench, steps[0].backend, "all", "a life's steps", sample, base, asked)]


def _like(page: Page, rows: int) -> Page:
    """Return the page that stands for one of so many rows: itself, or what comes nearest to them."""
    others = [replace(page, url=f"/tickets/list/?{each}") for each in LIKE.get(page.what, ())]
    found = {each: _rows(each) for each in (page, *others)} if others else {page: rows}
    # An empty page is unlike one that has a row.
    return min(found, key=lambda each: (bool(found[each]) != bool(rows), abs(found[each] - rows)))


def _rows(page: Page) -> int:
    """Return how many tickets a page shows."""
    return len(set(SHOWN.findall(page.open().decode())))


def _written(bare: Flask) -> Callable[[], object]:
    client = bare.test_client()
    return lambda: client.post("/written", data={"ticket": "1", "text": SAID})


def posts_of(city: City, who: str, username: str) -> list[Post]:
    """Return what everybody submits at any time: words to the other parties."""
    with city.app.app_context(), acting_as(db.session(), SYSTEM):
        spoken = _ids(_actor(username), who, Ticket.status != S.DRAFT, 100)
        db.session.remove()
    urls = itertools.cycle([f"/tickets/comment/{each}" for each in spoken])
    return [_post(city, who, "words", urls, {"text": SAID})]


def life_of(city: City, times: int) -> list[Post]:
    """Return the steps of a life, in order, over tickets that are blown for it; none if there is no
    ticket that waits for its last review, after which they are made.
    """
    with city.app.app_context(), acting_as(db.session(), SYSTEM):
        department = _actor(ROLES["handler"]).organization_id
        last = (
            select(func.max(ReviewStep.position))
            .join(WhistleClass, WhistleClass.mechanism_id == ReviewStep.mechanism_id)
            .where(WhistleClass.id == Ticket.whistle_class_id)
            .scalar_subquery()
        )
        waits = and_(Ticket.status == S.PENDING_REVIEW, Ticket.review_position == last)
        pattern = _ids(_actor(ROLES["township"]), "township", waits, 1)
        ids = [_again(each) for each in pattern for _turn in range(times + WARM_UP)]
        db.session.commit()
        dimensions = list(db.session.scalars(select(RatingDimension.id)))
        db.session.remove()
    data: dict[str, dict[str, str]] = {
        "dispatch": {"lead": str(department)},
        "report_result": {"result": SAID},
        "rate": {f"grade-{department}-{each}": next(iter(Grade)).value for each in dimensions},
    }
    return [
        _post(city, who, step, [f"/tickets/step/{each}/{step}" for each in ids], data.get(step, {}))
        for who, step in LIFE
        if ids
    ]


def _again(ticket_id: int) -> int:
    """Blow a ticket once more, and let the same people bring it as far."""
    session = db.session()
    pattern = session.get_one(Ticket, ticket_id)
    ticket = Ticket(**{name: getattr(pattern, name) for name in BLOWN})
    session.add(ticket)
    for event in ledger.events_of(session, pattern):
        who = actor_of(session, session.get_one(Account, event.actor_id))
        if event.action == "create":
            workflow.begin(session, ticket, who)
        else:
            workflow.apply(session, ticket, event.action, who, {})
    return ticket.id


def _post(city: City, who: str, what: str, urls: Iterable[str], data: dict[str, str]) -> Post:
    client = log_in(city.app, ROLES[who])
    token = TOKEN.search(client.get("/tickets/list/").text)
    name = city.app.config["SESSION_COOKIE_NAME"]
    cookie = client.get_cookie(name)
    assert token is not None
    assert cookie is not None
    data = data | {"csrf_token": token[1]}
    return Post(who, f"submit {what}", client, iter(urls), data, (name, cookie.value))


def _actor(username: str) -> Actor:
    account = db.session.scalars(select(Account).where(Account.username == username)).one()
    return actor_of(db.session(), account)


def _ids(actor: Actor, who: str, test: Any, number: int) -> list[int]:
    """Return tickets of an actor's that satisfy a test, the newest first."""
    place = actor.organization_id if who == "handler" else actor.area_id
    own = select(TicketParty.ticket_id).where(TicketParty.organization_id == place)
    mine = select(Ticket.id).where(Ticket.id.in_(own), test)
    if who == "handler":
        mine = mine.where(Ticket.lead_id == place)
    return list(db.session.scalars(mine.order_by(Ticket.id.desc()).limit(number)))
