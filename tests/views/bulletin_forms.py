"""Bulletins and their templates, made by the forms of their pages."""

from __future__ import annotations

import io
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from jobs.queue import Queue
from tests.views.pages import errors_of, record_form, step_forms


def worked(app: Flask) -> int:
    """Let the worker do what waits."""
    tasks: Queue = app.extensions["queue"]
    return tasks.work_off()


def made(client: FlaskClient, **values: Any) -> Any:
    """Fill in the form of a new bulletin."""
    form = record_form(client.get("/bulletins/add").text)
    return client.post("/bulletins/add", data=form.data(**values))


def number_of(answer: Any) -> int:
    """Return the number of the record that an answer leads to."""
    assert answer.status_code == 302, errors_of(answer.text)
    return int(answer.location.rpartition("/")[2])


def brought(client: FlaskClient, content: bytes, path: str = "add", **values: Any) -> Any:
    """Upload a template."""
    form = record_form(client.get(f"/bulletin-templates/{path}").text)
    data: dict[str, Any] = dict(form.data(**({"name": "红头"} | values)))
    if content:
        data["file"] = [(io.BytesIO(content), "红头.docx")]
    return client.post(f"/bulletin-templates/{path}", data=data)


def took(client: FlaskClient, number: int, action: str) -> Any:
    """Take a step by its form on the page."""
    form = step_forms(client.get(f"/bulletins/show/{number}").text)[action]
    return client.post(form.action, data=form.data())
