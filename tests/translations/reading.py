"""What a reader meets on a page, and what of it is the records' own data."""

from __future__ import annotations

import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from functools import lru_cache
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from flask_appbuilder import Model
from sqlalchemy import select
from werkzeug.test import TestResponse

from database import db
from models.registry import record_types
from rules.actor import SYSTEM, acting_as
from tests.views.pages import FILE

CHINESE = re.compile(r"[\u3400-\u9fff]")
#: Attributes that are seen or heard.
SPOKEN = ("placeholder", "aria-label", "title", "alt", "data-label", "data-placeholder")
#: A step's label is our own text, written down with the event.
NOT_DATA = {("event", "label")}
#: How many pages of a kind a reader looks at: tickets differ by their state.
LOOKS = {"/tickets/show/#": 12}
FEW = 2
#: And at how many of them in all, however they are narrowed or sorted.
MANY = 8


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.links: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.silent += tag in ("script", "style")
        self.links += [values["href"]] if tag == "a" and "href" in values else []
        said = values.get("id") == "texts"
        heard = [name for name in values if name in SPOKEN or (said and name.startswith("data-"))]
        self.texts += [values[name] for name in heard if values[name].strip()]

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self.silent and data.strip():
            self.texts.append(data.strip())


def texts_of(html: str) -> list[str]:
    """Return every piece of text that is seen or heard, and every text that scripts may say."""
    return _read(html).texts


@lru_cache(maxsize=1)
def _read(html: str) -> _Reader:
    """Read a page: its links and its texts are asked for one after the other."""
    reader = _Reader()
    reader.feed(html)
    return reader


def links_of(html: str) -> list[str]:
    """Return where the page's links lead within the product."""
    return [link for link in _read(html).links if link.startswith("/")]


def walk(client: FlaskClient) -> Iterator[TestResponse]:
    """Follow every link from the first page on, a few of each kind, and yield the pages.

    A list narrowed in another way is another kind, but no list is looked at in every way.
    """
    waiting, met, looked = deque(["/"]), {"/"}, Counter[str]()
    while waiting:
        path = waiting.popleft()
        parts = urlsplit(path)
        kind = re.sub(r"\d+", "#", parts.path)
        if FILE.search(kind) or kind.startswith(("/lang", "/static")):
            continue
        narrowed = f"{kind}?{'&'.join(sorted(name for name, _ in parse_qsl(parts.query)))}"
        if looked[narrowed] >= LOOKS.get(kind, FEW) or looked[kind] >= LOOKS.get(kind, MANY):
            continue
        looked.update((kind, narrowed))
        answer = client.get(path)
        if answer.mimetype != "text/html" or answer.status_code in (301, 302):
            answer.close()
            continue
        yield answer
        fresh = [link for link in links_of(answer.text) if link not in met]
        met.update(fresh)
        waiting.extend(fresh)


def data_of(app: Flask, own: set[str]) -> list[str]:
    """Return the texts in the database and the records' titles, longest first.

    ``own`` are the interface's own texts: a record that happens to be called like one of them must
    not hide it.
    """
    found: set[str] = set()
    with app.app_context():
        with db.engine.connect() as connection:
            for table in Model.metadata.sorted_tables:
                names = [c.name for c in table.columns if (table.name, c.name) not in NOT_DATA]
                for row in connection.execute(select(*(table.c[name] for name in names))):
                    for value in row:
                        found.update(_strings(value))
        session = db.session()
        with acting_as(session, SYSTEM):
            for model in record_types().values():
                found.update(str(record) for record in session.scalars(select(model)).unique())
        db.session.remove()
    lines = {line.strip() for text in found for line in text.splitlines()}
    return sorted((lines | found) - own - {""}, key=len, reverse=True)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield str(value)
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)


class Remover:
    """Takes the records' data, given longest first, out of a text."""

    def __init__(self, data: list[str]) -> None:
        self.whole = set(data)
        #: first two characters → the data that begin so; a text has few of the thousands
        self.beginning: dict[str, list[str]] = defaultdict(list)
        for each in data:
            self.beginning[each[:2]].append(each)
        self.rest = lru_cache(maxsize=None)(self._rest)

    def _rest(self, text: str) -> str:
        """Return what of the text no record says."""
        if text in self.whole:
            return ""
        begins = {text[place : place + size] for place in range(len(text)) for size in (1, 2)}
        may = [each for begin in begins for each in self.beginning.get(begin, ())]
        for each in sorted(may, key=len, reverse=True):
            text = text.replace(each, " ")
        return text
