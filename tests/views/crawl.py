"""Walking every link that a page offers, as a person who clicks on everything would."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urljoin, urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.views.pages import tags_of

#: Ways to turn a list over; one of each per list is enough.
_TURNS = {"order", "direction", "after", "before", "last", "tab"}


@dataclass
class Page:
    """A page as it was answered, and the page that led to it."""

    path: str
    found_on: str
    status: int
    mimetype: str
    html: str
    headers: dict[str, str]


@dataclass
class Crawl:
    """All the pages that one account reaches from home by links."""

    account: str
    pages: dict[str, Page] = field(default_factory=dict)

    def htmls(self) -> list[Page]:
        """Return the pages that are pages."""
        return [page for page in self.pages.values() if page.mimetype == "text/html"]


def page_of(path: str, found_on: str, answer: TestResponse) -> Page:
    """Return an answer as a page."""
    html = answer.get_data(as_text=True) if answer.mimetype.startswith("text/") else ""
    answer.close()
    return Page(path, found_on, answer.status_code, answer.mimetype, html, dict(answer.headers))


def links_of(page: Page) -> list[str]:
    """Return the paths that a page's links, assets and select boxes lead to."""
    found = []
    for tag, attributes in tags_of(page.html):
        name = {"a": "href", "link": "href", "script": "src", "img": "src"}.get(tag)
        for each in (attributes.get(name or ""), attributes.get("data-source")):
            if each and not each.startswith("#"):
                found.append(urljoin(page.path, each).split("#")[0])
        if aside := attributes.get("data-aside"):
            found.append(urljoin(page.path, aside))
    return found


def shape(path: str) -> str:
    """Return what makes two addresses the same kind of page: the path, and which turns it takes."""
    parts = urlsplit(path)
    turns = sorted({name for name, _value in parse_qsl(parts.query) if name in _TURNS})
    rest = sorted(f"{n}={v}" for n, v in parse_qsl(parts.query) if n not in _TURNS)
    return f"{parts.path}?{'&'.join([*rest, *turns])}"


def crawl(client: FlaskClient, account: str, start: str = "/") -> Crawl:
    """Follow every link from home; the language and the log-out are left alone."""
    done = Crawl(account)
    waiting = deque([(start, "")])
    seen = {shape(start)}
    while waiting:
        path, found_on = waiting.popleft()
        # A kept list's own address leads on to the list as it was kept.
        kept = path.startswith("/saved-views/show/")
        page = page_of(path, found_on, client.get(path, follow_redirects=kept))
        done.pages[path] = page
        if page.mimetype != "text/html":
            continue
        for link in links_of(page):
            external = re.match(r"[a-z]+:|//", link)
            if not external and not link.startswith("/lang/") and shape(link) not in seen:
                seen.add(shape(link))
                waiting.append((link, path))
    return done
