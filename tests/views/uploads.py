"""Uploading workbooks as a browser does, and looking whether anything has come of it."""

from __future__ import annotations

import io
import re
import sqlite3
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from jobs.queue import Queue
from tests.views.pages import HtmlForm, errors_of, forms_of
from tests.views.stage import Stage

#: What an upload writes before anybody has confirmed it.
_ASIDE = ("import_job", "import_layout", "sqlite_sequence")


def upload(
    client: FlaskClient, kind: str, *files: Path | tuple[Path, str], **data: Any
) -> TestResponse:
    """Send files to a kind's upload page, as its form does."""
    named = [each if isinstance(each, tuple) else (each, each.name) for each in files]
    sent = [(io.BytesIO(path.read_bytes()), name) for path, name in named]
    return client.post(f"/imports/{kind}/", data={"files": sent} | data)


def uploaded(
    client: FlaskClient, kind: str, *files: Path | tuple[Path, str], **data: Any
) -> TestResponse:
    """Send files and follow to the page that they lead to."""
    answer = upload(client, kind, *files, **data)
    assert answer.status_code == 302, errors_of(answer.text)
    return client.get(answer.headers["Location"])


def form_to(html: str, end: str) -> HtmlForm:
    """Return the page's form whose address, without the record's number, ends so."""
    (found,) = [form for form in forms_of(html) if f"/{end}/" in form.action]
    return found


def offered(html: str, end: str) -> bool:
    """Tell whether the page has such a form."""
    return any(f"/{end}/" in form.action for form in forms_of(html))


def choices_of(html: str, name: str) -> dict[str, str]:
    """Return the radio buttons of a field: label → value."""
    found = {}
    for tag, label in re.findall(
        r'(<input[^>]*type="radio"[^>]*>)<label[^>]*>([^<]*)</label>', html
    ):
        if f'name="{name}"' in tag:
            value = re.search(r'value="([^"]*)"', tag)
            found[label] = value[1] if value else ""
    return found


def send(client: FlaskClient, html: str, end: str, **data: Any) -> TestResponse:
    """Fill in and send one of the page's forms."""
    form = form_to(html, end)
    return client.post(form.action, data=form.data(**data))


def imported(client: FlaskClient, kind: str, path: Path | tuple[Path, str], **data: Any) -> int:
    """Upload and confirm a file, and return the batch's number."""
    answer = send(client, uploaded(client, kind, path, **data).text, "apply")
    assert answer.status_code == 302, errors_of(answer.text)
    assert "/import-batches/show/" in answer.headers["Location"]
    return int(answer.headers["Location"].rsplit("/", 1)[1])


def work_off(stage: Stage) -> int:
    """Do what waits behind the scenes, and return how many tasks that were."""
    queue: Queue = stage.app.extensions["queue"]
    return queue.work_off()


def records(stage: Stage) -> dict[str, list[Any]]:
    """Return every row of every table but those of uploads: equal only if nothing was written."""
    with sqlite3.connect(f"file:{stage.path}?mode=ro", uri=True) as connection:
        # The index of searched texts holds nothing that can be read back.
        every = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'"
        names = connection.execute(every).fetchall()
        found = {
            name: connection.execute(f'SELECT * FROM "{name}"').fetchall()  # noqa: S608
            for (name,) in names
            if name not in _ASIDE
        }
    connection.close()
    return found
