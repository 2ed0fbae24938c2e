"""Pages of one letter, three lists over a county of a published size, for the roles that open them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from flask import Flask
from sqlalchemy import func, select

from bench.building import Builder
from bench.databases import Server, engine_of, let_go, prepared
from bench.floor import floor
from bench.lists import PASSWORD, Page, log_in
from bench.one_letter import COUNTIES, OneLetter
from bench.timing import Result, Sample, interleave, statements
from database import db
from models.account import Account
from models.base import utcnow
from models.need import Need, NeedStatus
from rules.actor import SYSTEM, acting_as, actor_of
from rules.calendar import shanghai_date

#: role as printed → account of the simulated county
ROLES = {"party": "party1", "community": "community1-1-1", "unit": "unit1-1"}
PAGES = {
    "coverage": "/coverage/",
    "coverage, units": "/coverage/units/",
    "figures": "/numbers/",
    "figures by unit": "/numbers/units/",
    "figures by unit, by hours": "/numbers/units/?order=hours&direction=desc",
    "figures by community": "/numbers/communities/",
    "board": "/board/",
    "needs": "/needs/list/",
    "agreements": "/agreements/list/",
}
_SHOWN = re.compile(r"/needs/show/(\d+)")


def run(where: Server, folder: Path, county: str, seed: int, runs: int) -> list[Result]:
    """Measure every page of every role on one database."""
    name = f"bench_{county}_{seed}"
    app = prepared(where, name, folder, partial(fill, county=county, seed=seed))
    pages = [page for who, name in ROLES.items() for page in pages_of(app, who, name)]
    bare = floor(app.config["SQLALCHEMY_DATABASE_URI"])
    floors = {page.who: _floor_of(bare, page) for page in pages if page.what == "needs"}
    calls: dict[str, Callable[[], object]] = {f"floor {who}": call for who, call in floors.items()}
    calls |= {f"{page.who} {page.what}": page.open for page in pages}
    found = interleave(calls, runs)
    results = [_result(where, app, county, page, found) for page in pages]
    bare.extensions["floor_engine"].dispose()
    let_go(app)
    return results


def fill(app: Flask, *, county: str, seed: int) -> None:
    """Build the county with its agreements and lists."""
    Builder(db.session(), COUNTIES[county].size, PASSWORD).build()
    OneLetter(db.session(), COUNTIES[county], seed, shanghai_date(utcnow())).run()


def pages_of(app: Flask, who: str, username: str) -> list[Page]:
    """Return the pages that a role may open."""
    client = log_in(app, username)
    need = _need(app, username)
    urls = PAGES | {"need": f"/needs/show/{need}", "matching": f"/matching/need/{need}"}
    answers = {what: client.get(url).status_code for what, url in urls.items()}
    assert set(answers.values()) <= {200, 403}, answers
    return [Page(who, what, client, urls[what]) for what in urls if answers[what] == 200]


def _need(app: Flask, username: str) -> int:
    """Return a published need that an account sees, its newest."""
    with app.app_context():
        session = db.session()
        with acting_as(session, SYSTEM):
            account = session.scalars(select(Account).where(Account.username == username)).one()
            actor = actor_of(session, account)
        with acting_as(session, actor):
            newest = select(func.max(Need.id)).where(Need.status == NeedStatus.PUBLISHED)
            found: int = session.scalar(newest) or 0
        db.session.remove()
    return found


def _floor_of(bare: Flask, page: Page) -> Callable[[], object]:
    """Return the bare page with the needs that a role's list shows."""
    ids = list(dict.fromkeys(_SHOWN.findall(page.open().decode())))
    assert ids, page
    client = bare.test_client()
    return partial(client.get, f"/needs?ids={','.join(ids)}")


def _result(where: Server, app: Flask, county: str, page: Page, found: dict[str, Sample]) -> Result:
    with statements(engine_of(app)) as seen:
        size = len(page.open())
    return Result(
        county,
        where.name,
        page.who,
        page.what,
        found[f"{page.who} {page.what}"],
        found[f"floor {page.who}"],
        len(seen),
        size,
    )
