"""Uses the record type of docs/adding-a-record-type.md through HTTP; prints what it saw as JSON.

Run by test_recipe.py inside a copy of the repository, over a migrated, empty database.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy.orm import Session

from app import create_app
from cli.roles import sync
from database import db
from imports.engine import apply, preview
from imports.undo import undo
from models.imports import ImportBatch
from rules.actor import SYSTEM, acting_as
from tests.factories import world

ROW = {"household": "东门王大娘", "visited_on": "2026-11-20", "note": "独居，想装扶手"}


def seed(app: Flask) -> dict[str, int]:
    """Build the small world of the tests; return its organisations' ids by code."""
    with app.app_context(), acting_as(db.session(), SYSTEM):
        sync(db.session())
        world.build(db.session())
        db.session.commit()
        places = world.World(db.session())
        return {code: places.place(code).id for code in ("A11", "A12")}


def log_in(app: Flask, username: str) -> FlaskClient:
    """Return a client that is logged in."""
    client = app.test_client()
    posted = {"username": username, "password": world.PASSWORD}
    assert client.post("/login/", data=posted).status_code == 302
    return client


def allowed(client: FlaskClient, places: dict[str, int]) -> dict[str, Any]:
    """Add, list, search, filter, show and edit a row as somebody who may."""
    seen: dict[str, Any] = {"menu": "走访记录" in client.get("/").text}
    seen["choices"] = [
        each["text"] for each in client.get("/visits/options/community").json["results"]
    ]
    row = ROW | {"community": places["A11"]}
    seen["added"] = client.post("/visits/add", data=row).headers.get("Location")
    seen["elsewhere"] = client.post(
        "/visits/add", data=row | {"community": places["A12"]}
    ).status_code
    seen["without a date"] = client.post("/visits/add", data=row | {"visited_on": ""}).status_code
    for name, query in (
        ("listed", ""),
        ("found", "?q=扶手"),
        ("missed", "?q=路灯"),
        ("since", "?visited_on_from=2026-11-21"),
        ("sorted", "?order=visited_on&direction=desc"),
    ):
        seen[name] = ROW["household"] in client.get(f"/visits/list/{query}").text
    seen["shown"] = ROW["note"] in client.get("/visits/show/1").text
    form = client.get("/visits/edit/1").text
    version = re.search(r'name="version"[^>]*value="(\d+)"', form)
    assert version, form
    changed = row | {"note": "扶手已装好", "version": version[1]}
    seen["edited"] = client.post("/visits/edit/1", data=changed).status_code
    seen["edited twice"] = client.post("/visits/edit/1", data=changed).status_code
    page = client.get("/visits/show/1").text
    seen["audited"] = "扶手已装好" in page and ROW["note"] in page
    return seen


def refused(app: Flask, places: dict[str, int]) -> dict[str, Any]:
    """Try the same row as a role without a grant, a reader, and a neighbouring community."""
    seen: dict[str, Any] = {"menu": "走访记录" in log_in(app, "unit").get("/").text}
    row = ROW | {"community": places["A11"]}
    for username in ("unit", "township", "community2"):
        client = log_in(app, username)
        seen[username] = [
            client.get("/visits/list/").status_code,
            ROW["household"] in client.get("/visits/list/").text,
            client.get("/visits/show/1").status_code,
            client.post("/visits/edit/1", data=row).status_code,
            client.post("/visits/delete/1").status_code,
            client.post("/visits/add", data=row).status_code,
        ]
    return seen


def workbooks(app: Flask, client: FlaskClient) -> dict[str, Any]:
    """Take the row out as a workbook, bring it in again changed, and take that back."""
    seen: dict[str, Any] = {}
    template = load_workbook(io.BytesIO(client.get("/visits/template").data))
    seen["template"] = template.sheetnames
    seen["headings"] = [cell.value for cell in template.worksheets[0][1]]
    seen["upload page"] = client.get("/imports/visit/").status_code
    sent = client.get("/visits/export").data
    book = load_workbook(io.BytesIO(sent))
    page: Any = book.active
    seen["exported"] = [str(cell.value) for cell in page[2]]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "走访记录.xlsx"
        path.write_bytes(sent)
        with as_community(app) as session:
            seen["unchanged"] = not preview(session, "visit", path).differs
        page["D2"], page["C3"] = "=已装好", "西门李大爷"
        page["A3"], page["B3"] = page["A2"].value, page["B2"].value
        page["D2"].data_type = "s"
        book.save(path)
        with as_community(app) as session:
            plan = preview(session, "visit", path)
            [sheet] = plan.result()["sheets"]
            seen["previewed"] = [sheet[name] for name in ("new", "changed", "unchanged", "missing")]
            batch = apply(session, plan)
            number = batch.id if batch else 0
            session.commit()
        found = client.get(f"/import-batches/show/{number}").text
        seen["batch"] = [said in found for said in ("走访记录.xlsx", "西门李大爷", "=已装好")]
        with as_community(app) as session:
            seen["undone"] = str(undo(session, session.get_one(ImportBatch, number)))
            session.commit()
    return seen


@contextmanager
def as_community(app: Flask) -> Iterator[Session]:
    """Give a session that acts for the community's staff."""
    with app.app_context():
        session = db.session()
        with acting_as(session, SYSTEM):
            actor = world.World(session).actor("community")
        with acting_as(session, actor):
            yield session


def main() -> None:
    """Print what was seen."""
    app = create_app()
    places = seed(app)
    community = log_in(app, "community")
    seen = {"allowed": allowed(community, places), "refused": refused(app, places)}
    seen["workbooks"] = workbooks(app, community)
    seen["allowed"]["deleted"] = community.post("/visits/delete/1").status_code
    seen["allowed"]["gone"] = community.get("/visits/show/1").status_code
    print(json.dumps(seen, ensure_ascii=False))


if __name__ == "__main__":
    main()
