"""``python -m bench.import_memory URL FOLDER WORKBOOK``: one import in a process of its own.

Prints as JSON by how many bytes the process grew over what it held before, and how long it took.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path

from sqlalchemy import select

from bench.databases import application, let_go
from bench.timing import processor
from database import db
from imports.engine import apply, preview
from models.organization import Organization
from rules.actor import SYSTEM, acting_as


def held(what: str) -> int:
    """Return this process's memory in bytes: ``VmRSS`` now, ``VmHWM`` at its highest."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) * 1024
    raise ValueError(what)


def main(url: str, folder: str, workbook: str) -> None:
    """Import the workbook for a township and report."""
    app = application(url, Path(folder))
    with app.app_context(), acting_as(db.session(), SYSTEM):
        owner = db.session.scalars(select(Organization).where(Organization.name == "城关镇")).one()
        gc.collect()
        before, worked, began = held("VmRSS"), processor(), time.perf_counter()
        plan = preview(db.session(), "duty-items", Path(workbook), owner=owner)
        assert apply(db.session(), plan) is not None
        db.session.commit()
        told = {
            "grown": held("VmHWM") - before,
            "processor": processor() - worked,
            "seconds": time.perf_counter() - began,
            "rows": sum(len(sheet.rows) for sheet in plan.sheets),
        }
        db.session.remove()
    let_go(app)
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
