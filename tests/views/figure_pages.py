"""Reading pages of figures: the numbers that lead somewhere, and how many records wait there."""

from __future__ import annotations

import io
import re
from html import unescape
from typing import Any

import openpyxl
from flask.testing import FlaskClient
from sqlalchemy import event

from database import db

#: A link whose text is a number, wherever it stands: in a cell, or as a tile.
_CELL = re.compile(r'<a href="([^"]+)">([\d,.]+)</a>')
_TILE = re.compile(
    r'<a class="tile[^"]*" href="([^"]+)">.*?<span class="tile-value">([\d,.]+)<', re.DOTALL
)


def leads(page: str) -> list[tuple[str, int]]:
    """Return every number on a page that leads to a list: (address, number)."""
    found = _CELL.findall(page) + _TILE.findall(page)
    return [(unescape(url), int(number.replace(",", ""))) for url, number in found]


def listed(client: FlaskClient, url: str) -> int:
    """Return how many records a list says it holds."""
    answer = client.get(url)
    assert answer.status_code == 200, url
    said = re.search(r"共 (\d+) 条", answer.text)
    return int(said[1]) if said else 0


def sheets_of(client: FlaskClient, url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return an exported workbook's rows by sheet."""
    answer = client.get(url)
    assert answer.status_code == 200, url
    assert "attachment" in answer.headers["Content-Disposition"]
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


def unsafe(page: str) -> list[str]:
    """Return what the Content-Security-Policy would not let through."""
    return re.findall(r'\sstyle="[^"]*"|<script(?![^>]*\ssrc=)[^>]*>|<style', page)


def pictures(page: str) -> list[tuple[str, str]]:
    """Return the title and the description of each picture of figures."""
    found = []
    for names, body in re.findall(
        r'<svg class="chart"[^>]*aria-labelledby="([^"]+)">(.*?)</svg>', page, re.DOTALL
    ):
        told = dict(re.findall(r'<(?:title|desc) id="([^"]+)">([^<]+)<', body))
        first, second = names.split()
        found.append((told[first], told[second]))
    return found


def count_statements(client: FlaskClient, path: str) -> int:
    """Return how many statements a page sends when it is opened a second time."""
    with client.application.app_context():
        engine = db.engine
    assert client.get(path).status_code == 200
    seen: list[str] = []

    def note(*arguments: Any) -> None:
        seen.append(arguments[2])

    event.listen(engine, "before_cursor_execute", note)
    assert client.get(path).status_code == 200
    event.remove(engine, "before_cursor_execute", note)
    return len(seen)
