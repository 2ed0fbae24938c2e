"""The import of a township's three duty lists: 370 items into a county that knows its departments."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from bench import import_scale
from bench.databases import Server, application, engine_of, let_go, prepared
from bench.timing import Result, interleave, statements
from database import db
from imports.engine import apply, preview
from imports.plan import RowState
from imports.reader import read
from models.organization import Organization
from rules.actor import SYSTEM, acting_as

SAMPLES = Path(__file__).resolve().parents[1] / "presets" / "demo"
ORGANIZATIONS = SAMPLES / "示范县组织机构.xlsx"
THREE_LISTS = SAMPLES / "城关镇履职事项三张清单.xlsx"
ITEMS = 370
#: Runs of what takes a second each.
_LONG_RUNS = 7


def run(where: Server, folder: Path, runs: int, *, peer: bool = False) -> list[Result]:
    """Measure preview, apply and commit on one database, beside only reading the file.

    Then the same at 10,000 and 100,000 rows (``bench.import_scale``), with the ``peer`` if asked.
    """
    let_go(prepared(where, "imports", folder, _organizations))
    app = application(where.url("imports_work"), folder)

    def renew() -> None:
        let_go(app)
        where.copy("imports", "imports_work")

    calls = {
        "preview, apply, commit": lambda: import_lists(app, write=True),
        "preview": lambda: import_lists(app, write=False),
        "read, own process": lambda: read(THREE_LISTS),
        "read, in process": read_in_process,
    }
    found = interleave(calls, runs, before=renew)
    results = []
    for what, sample in found.items():
        renew()
        with statements(engine_of(app)) as seen:
            calls[what]()
        number = len(seen) if seen else None
        floor = found["read, own process"] if number else None
        results.append(Result("import", where.name, "370 items", what, sample, floor, number))
    whole, bare = found["preview, apply, commit"], found["read, in process"]
    what = "preview, apply, commit : in process"
    results.append(Result("import", where.name, "370 items", what, whole, bare))
    let_go(app)
    return results + import_scale.run(
        where, folder, min(runs, _LONG_RUNS), fill=_organizations, peer=peer
    )


def _organizations(app: Flask) -> None:
    apply(db.session(), preview(db.session(), "organizations", ORGANIZATIONS))


def import_lists(app: Flask, *, write: bool) -> None:
    """Preview the three lists, and apply them if asked; fails if the sample does not fit."""
    with app.app_context(), acting_as(db.session(), SYSTEM):
        owner = db.session.scalars(select(Organization).where(Organization.name == "城关镇")).one()
        plan = preview(db.session(), "duty-items", THREE_LISTS, owner=owner)
        assert sum(sheet.count(RowState.NEW) for sheet in plan.sheets) == ITEMS
        if write:
            assert apply(db.session(), plan) is not None
            db.session.commit()
        db.session.remove()


def read_in_process() -> int:
    """Read every cell with calamine in this process, without limits or a child; return the rows."""
    with CalamineWorkbook.from_path(THREE_LISTS) as workbook:
        return sum(
            len(workbook.get_sheet_by_name(name).to_python()) for name in workbook.sheet_names
        )
