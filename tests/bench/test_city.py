"""The benchmarks of a city do what they say: small ones, and not for their times."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections import Counter
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import flask_migrate
import pytest
from sqlalchemy import JSON, Boolean, Column, Integer, MetaData, Table, Text, func, select
from sqlalchemy.orm import scoped_session

from bench import crowd
from bench.building import CITIES, Builder, Size, community_names
from bench.bulk import write
from bench.crowd import broken, missing
from bench.floor import floor
from cli.roles import sync
from models.account import Account
from models.base import UTCDateTime
from models.organization import Organization, OrganizationKind
from models.ticket_file import TicketComment
from rules.actor import SYSTEM, acting_as
from rules.scope import reviewed
from tests.conftest import Backend, close, make_app, session_factory
from tests.factories.world import World


def test_hohhot_has_its_published_size() -> None:
    size = CITIES["hohhot"]
    places = [size.communities_of(each) for each in range(size.counties * size.townships)]
    assert (size.counties, sum(places), size.accounts) == (9, 1415, 2838)
    assert max(places) - min(places) == 1
    names = list(community_names())
    assert len(set(names)) == len(names) >= size.townships * max(places)


def test_a_city_has_as_many_accounts_and_communities_as_asked(tmp_path: Path) -> None:
    app = make_app(f"sqlite:///{tmp_path / 'city.db'}", tmp_path)
    with app.app_context():
        flask_migrate.upgrade(directory=str(Path(app.root_path) / "migrations"))
        with session_factory(app)() as session, acting_as(session, SYSTEM):
            sync(session)
            built = Builder(
                session, Size(1, 2, units=1, spread=5, accounts=40), "pass-word-2026"
            ).build()
            made = select(Organization).where(Organization.kind == OrganizationKind.COMMUNITY)
            assert len(built) == 40 == session.scalar(select(func.count(Account.id)))
            below = Counter(each.parent_id for each in session.scalars(made))
            assert sorted(below.values()) == [2, 3]
    close(app)


def test_rows_written_at_once_come_back_as_they_were(backend: Backend) -> None:
    table = Table(
        "written_at_once",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("text", Text),
        Column("yes", Boolean),
        Column("at", UTCDateTime),
        Column("data", JSON),
    )
    at = dt.datetime(2026, 11, 22, 8, 30, 1, 5, tzinfo=dt.UTC)
    texts = ["路灯", "a\tb\\c\nd\re", "", "\\N", None]
    rows = [{"text": text, "yes": text == "路灯", "at": at, "data": {"n": text}} for text in texts]
    rows.append({"text": "x", "yes": None, "at": None, "data": {}})
    option = reviewed("reads what a test has written")
    with session_factory(backend.app)() as session, acting_as(session, SYSTEM):
        table.create(session.connection())
        write(session, table, rows)
        found = session.execute(select(table).order_by(table.c.id), execution_options=option)
        assert [dict(row) | {"id": None} for row in found.mappings()] == [
            row | {"id": None} for row in rows
        ]
        session.rollback()


def test_the_floor_of_a_post_inserts_commits_and_redirects(sqlite: Backend) -> None:
    bare = floor(sqlite.app.config["SQLALCHEMY_DATABASE_URI"])
    answer = bare.test_client().post("/written", data={"ticket": "1", "text": "路灯"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    with bare.extensions["floor_engine"].connect() as connection:
        assert connection.exec_driver_sql("SELECT text FROM bench_floor").scalars().all() == [
            "路灯"
        ]
    bare.extensions["floor_engine"].dispose()


def test_lost_writes_and_broken_chains_are_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        crowd, "db", SimpleNamespace(session=scoped_session(cast(Any, lambda: world.session)))
    )
    with acting_as(world.session, SYSTEM):
        ticket = world.draft()
        said = {"author_name": "甲", "organization_name": "乙", "text": "到了"}
        world.session.add(TicketComment(ticket_id=ticket.id, **said))
        world.session.flush()
        kept = [("words", ticket.id, "到了"), ("step", ticket.id, "create")]
        assert missing(kept) == []
        gone = [("words", ticket.id, "没到"), ("step", ticket.id, "accept")]
        assert len(missing([*kept, *gone])) == 2
        assert broken({ticket.id}) == []


def test_what_the_crowd_met_is_told_in_a_line() -> None:
    met = {"seen": [["list", 0.01, 200], ["words", 0.02, 409]], "kept": [], "faults": ["x"]}
    with redirect_stdout(io.StringIO()) as out:
        crowd._tell(json.loads(json.dumps(met)), ["words 1 x"], [])
    first = out.getvalue().splitlines()[0]
    assert first.startswith(
        "2 requests, 1 errors, 1 refused; 0 writes acknowledged, 1 lost; 0 faults"
    )
