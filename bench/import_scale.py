"""Imports of 10,000 rows and of a county's catalogue, beside what must be done in any case.

That is the floor: reading the file with calamine in this process and inserting the rows with SQLAlchemy
Core into a table of the same six columns. Work counts, of this process and of the reading one.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from python_calamine import CalamineWorkbook
from sqlalchemy import (
    Column,
    Engine,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    insert,
    select,
)

from bench import import_books, import_peer
from bench.databases import Server, application, engine_of, let_go, prepared
from bench.timing import Result, Sample, interleave, statements
from database import db
from imports import stage
from imports.engine import apply, preview
from imports.findings import findings
from imports.plan import RowState
from models.organization import Organization
from rules.actor import SYSTEM, acting_as

ROWS, MANY, CHANGED = 10_000, 100_000, 100
_WARM_UP = 1

_NAMES = "abcdef"
_META = MetaData()
_PLAIN = Table(
    "plain",
    _META,
    Column("id", Integer, primary_key=True),
    *(Column(name, Text) for name in _NAMES),
)

#: What a run must find: new, changed and unchanged rows.
Counts = tuple[int, int, int]


def run(
    where: Server, folder: Path, runs: int, *, fill: Callable[[Flask], None], peer: bool
) -> list[Result]:
    """Measure on one database; ``fill`` makes the organisations, ``peer`` measures the peer too."""
    let_go(prepared(where, "imports", folder, fill))
    app = application(where.url("imports_work"), folder)
    full = import_books.coordinating(folder / "rows.xlsx", ROWS)
    other = import_books.coordinating(folder / "changed.xlsx", ROWS, changed=CHANGED)
    county = import_books.catalogue(folder / "catalogue.xlsx")
    where.create("imports_floor")
    plain = create_engine(where.url("imports_floor"))

    def renew(source: str) -> None:
        let_go(app)
        where.copy(source, "imports_work")

    renew("imports")
    imported(app, full, "城关镇", (ROWS, 0, 0))
    let_go(app)
    where.copy("imports_work", "imports_full")
    fresh = {
        "read, insert": lambda: floor(plain, full),
        "preview, apply, commit": lambda: imported(app, full, "城关镇", (ROWS, 0, 0)),
        "as in the browser: kept between": lambda: confirmed(app, full, folder / "rows.stage"),
        "catalogue of 4,779": lambda: imported(
            app, county, "示范县", (import_books.CATALOGUE_ITEMS, 0, 0)
        ),
    }
    again = {
        "again, 1 % changed": lambda: imported(app, other, "城关镇", (0, CHANGED, ROWS - CHANGED)),
        "again, unchanged": lambda: imported(app, full, "城关镇", (0, 0, ROWS)),
    }
    found: dict[str, Sample] = {}
    asked: dict[str, int | None] = {}
    for source, calls in (("imports", fresh), ("imports_full", again)):
        before = _renewing(renew, source)
        found |= interleave(calls, runs, before=before, warm_up=_WARM_UP)
        for what, call in calls.items():
            before()
            with statements(engine_of(app)) as seen:
                call()
            asked[what] = len(seen) or None
    results = _results(where, found, asked)
    if peer:
        results.append(_peer(where, folder, full, found["preview, apply, commit"]))
    results.append(_memory(where, folder, renew))
    plain.dispose()
    let_go(app)
    return results


def _peer(where: Server, folder: Path, path: Path, ours: Sample) -> Result:
    sample = import_peer.measure(where, folder, path)
    what = "peer : preview, apply, commit"
    return Result("import", where.name, _who(what), what, sample, ours, worked=True)


def _results(where: Server, found: dict[str, Sample], asked: dict[str, int | None]) -> list[Result]:
    """Return the lines of the report: work, held against the floor's."""
    bare = found["read, insert"]
    return [
        Result(
            "import",
            where.name,
            _who(what),
            what,
            sample,
            bare if sample is not bare else None,
            asked[what],
            worked=True,
        )
        for what, sample in found.items()
    ]


def _renewing(renew: Callable[[str], None], source: str) -> Callable[[], None]:
    return lambda: renew(source)


def _who(what: str) -> str:
    return "county" if what.startswith("catalogue") else f"{ROWS:,} rows"


def imported(app: Flask, path: Path, owner: str, wanted: Counts) -> None:
    """Preview, apply and commit; fails if the rows are not what they should be."""
    with app.app_context(), acting_as(db.session(), SYSTEM):
        place = db.session.scalars(select(Organization).where(Organization.name == owner)).one()
        plan = preview(db.session(), "duty-items", path, owner=place)
        assert plan.errors == []
        counts = tuple(sum(sheet.count(state) for sheet in plan.sheets) for state in RowState)
        assert counts == wanted
        batch = apply(db.session(), plan)
        assert (batch is None) == (wanted[:2] == (0, 0))
        db.session.commit()
        db.session.remove()


def confirmed(app: Flask, path: Path, kept: Path) -> None:
    """Import new rows as an upload is: previewed, kept, and written later from what was kept."""
    with app.app_context(), acting_as(db.session(), SYSTEM):
        place = db.session.scalars(select(Organization).where(Organization.name == "城关镇")).one()
        plan = preview(db.session(), "duty-items", path, owner=place)
        stage.keep(plan, kept)
        assert findings(plan)["sheets"][0]["new"] == ROWS
        token = plan.token
        db.session.rollback()
        del plan
        again = stage.resume(db.session(), kept, owner=place)
        assert apply(db.session(), again, shown=token) is not None
        db.session.commit()
        db.session.remove()


def floor(engine: Engine, path: Path) -> None:
    """Read the file with calamine in this process and insert its rows with SQLAlchemy Core."""
    _META.drop_all(engine)
    _META.create_all(engine)
    with CalamineWorkbook.from_path(path) as workbook:
        rows = workbook.get_sheet_by_index(0).to_python()
    with engine.begin() as connection:
        connection.execute(
            insert(_PLAIN),
            # PostgreSQL takes no number for a text.
            [dict(zip(_NAMES, row, strict=True), a=str(row[0])) for row in rows[1:]],
        )


def _memory(where: Server, folder: Path, renew: Callable[[str], None]) -> Result:
    """Import 100,000 rows in a process of its own, and report by how much its memory grew."""
    path = import_books.coordinating(folder / "many.xlsx", MANY)
    renew("imports")
    command = [sys.executable, "-m", "bench.import_memory"]
    ran = subprocess.run(
        [*command, where.url("imports_work"), str(folder), str(path)],
        check=True,
        capture_output=True,
        text=True,
    )
    told = json.loads(ran.stdout.splitlines()[-1])
    seconds = told["seconds"]
    sample = Sample(seconds, seconds, seconds, told["processor"], 1)
    what = "memory over idle"
    grown = told["grown"]
    print(f"… memory over idle on {where.name}: {grown / 1e6:.0f} MB", file=sys.stderr)
    return Result("import", where.name, f"{MANY:,} rows", what, sample, size=grown)
