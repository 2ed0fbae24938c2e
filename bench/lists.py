"""Ticket pages over a large ledger, for the roles that live in them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from bench.building import Builder, Size
from bench.databases import Server, engine_of, let_go, prepared
from bench.floor import floor
from bench.simulator import Simulator
from bench.timing import Result, Sample, interleave, statements
from database import db
from models.account import Account
from models.base import utcnow
from models.ticket import Ticket, TicketParty, TicketStatus
from presets.roles import Role
from rules.actor import SYSTEM, acting_as, actor_of
from rules.calendar import shanghai_date

PASSWORD = "bench-pass-2026"  # noqa: S105 - of a database that holds simulated rows only
#: role as printed → account of the simulated city
ROLES = {
    "office": "office1",
    "township": "township1-1",
    "community": "community1-1-1",
    "handler": "handler1-1",
}
COMMON, RARE = "路灯", "校车"
SHOWN = re.compile(r"/tickets/show/(\d+)")
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


@dataclass(frozen=True)
class Page:
    """A page that one role opens."""

    who: str
    what: str
    client: FlaskClient
    url: str

    def open(self) -> bytes:
        """Return the page; anything but success is a fault of the benchmark."""
        answer = self.client.get(self.url)
        assert answer.status_code == 200, (self.url, answer.status_code)
        return answer.data


def run(where: Server, folder: Path, tickets: int, seed: int, runs: int) -> list[Result]:
    """Measure every page of every role on one database."""
    app = prepared(
        where, f"bench_{tickets}_{seed}", folder, partial(fill, tickets=tickets, seed=seed)
    )
    pages = [page for who, name in ROLES.items() for page in pages_of(app, who, name)]
    bare = floor(app.config["SQLALCHEMY_DATABASE_URI"])
    floors = {page.who: floor_of(bare, page) for page in pages if page.what == "list"}
    calls: dict[str, Callable[[], object]] = {f"floor {who}": call for who, call in floors.items()}
    calls |= {f"{page.who} {page.what}": page.open for page in pages}
    found = interleave(calls, runs)
    results = [_result(where, app, page, found) for page in pages]
    bare.extensions["floor_engine"].dispose()
    let_go(app)
    return results


def fill(app: Flask, *, tickets: int, seed: int) -> None:
    """Build the city and its tickets."""
    Builder(db.session(), Size(), PASSWORD).build()
    Simulator(db.session(), tickets, seed, shanghai_date(utcnow())).run()


def pages_of(app: Flask, who: str, username: str) -> list[Page]:
    """Return the pages that a role is measured on; only those who may raise have the form."""
    client = log_in(app, username)
    deep, detail, roles = _marks(app, username)
    urls = {
        "list": "/tickets/list/",
        "list, deep": f"/tickets/list/?after={deep}",
        "list, filtered": "/tickets/list/?theme=livelihood&channel=resident",
        "search, common word": f"/tickets/list/?q={COMMON}",
        "search, rare word": f"/tickets/list/?q={RARE}",
        "tab, returns": "/tickets/list/?tab=return",
        "tab, closed": "/tickets/list/?tab=closed",
        "detail": f"/tickets/show/{detail}",
    }
    if roles & {Role.TOWNSHIP_REVIEWER, Role.COMMUNITY_STAFF}:
        urls["form"] = "/tickets/add"
    urls["workbench"] = "/"
    return [Page(who, what, client, url) for what, url in urls.items()]


def log_in(app: Flask, username: str) -> FlaskClient:
    """Return a client that went through the log-in form."""
    client = app.test_client()
    token = TOKEN.search(client.get("/login/").text)
    data = {"username": username, "password": PASSWORD, "csrf_token": token[1] if token else ""}
    assert client.post("/login/", data=data).status_code == 302
    assert client.get("/").status_code == 200
    return client


def _marks(app: Flask, username: str) -> tuple[str, int, frozenset[Role]]:
    """Return a cursor deep in an account's list, its newest closed ticket, and its roles.

    Deep is a thousand pages down, or nine tenths of the list where it is shorter.
    """
    with app.app_context(), acting_as(db.session(), SYSTEM):
        account = db.session.scalars(select(Account).where(Account.username == username)).one()
        actor = actor_of(db.session(), account)
        handles = Role.DEPARTMENT_HANDLER in actor.roles
        place = actor.organization_id if handles else actor.area_id
        own = select(TicketParty.ticket_id).where(TicketParty.organization_id == place)
        mine = select(Ticket.id).where(Ticket.id.in_(own)).order_by(Ticket.id.desc())
        number = db.session.scalar(select(func.count()).select_from(mine.subquery())) or 0
        deep = db.session.scalars(mine.offset(min(25_000, number * 9 // 10)).limit(1)).one()
        closed = mine.where(Ticket.status == TicketStatus.CLOSED).limit(1)
        detail = db.session.scalars(closed).one()
        db.session.remove()
    return base64.urlsafe_b64encode(json.dumps([deep, deep]).encode()).decode(), detail, actor.roles


def floor_of(bare: Flask, page: Page) -> Callable[[], object]:
    """Return the bare page with the rows that a role's list shows."""
    ids = list(dict.fromkeys(SHOWN.findall(page.open().decode())))
    assert ids, page
    client = bare.test_client()
    return partial(client.get, f"/?ids={','.join(ids)}")


def _result(where: Server, app: Flask, page: Page, found: dict[str, Sample]) -> Result:
    with statements(engine_of(app)) as seen:
        size = len(page.open())
    return Result(
        "pages",
        where.name,
        page.who,
        page.what,
        found[f"{page.who} {page.what}"],
        found[f"floor {page.who}"],
        len(seen),
        size,
    )
