"""The board as a person reads it: columns, cards, counts and the communities' table."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape
from typing import Any

from flask.testing import FlaskClient

from models.base import utcnow
from models.grade import Grade
from models.need import Need, NeedStatus
from rules import workflow
from rules.actor import SYSTEM, acting_as
from rules.calendar import shanghai_date
from tests.factories.pairs import Pairs

S = NeedStatus
LANES = ["published", "claimed", "in_hand", "done"]


def today() -> dt.date:
    """Return the day on which a test runs: it may not be the one on which it was read."""
    return shanghai_date(utcnow())


class Board:
    """The board as an account sees it."""

    def __init__(self, client: FlaskClient, query: str = "") -> None:
        self.answer = client.get(f"/board/{query}")
        self.html = self.answer.text
        parts = re.findall(r'<section class="lane" id="lane-(\w+)".*?</section>', self.html, re.S)
        bodies = re.findall(r'<section class="lane" id="lane-\w+"(.*?)</section>', self.html, re.S)
        self.lanes = dict(zip(parts, bodies, strict=True))

    def titles(self, lane: str) -> list[str]:
        """Return the titles of a column's cards; of what was rated last under "rated"."""
        body = self.lanes["done" if lane == "rated" else lane]
        waiting, _details, rated = body.partition("<details")
        part = rated if lane == "rated" else waiting
        found = re.findall(r'<h3><a href="/needs/show/\d+">(.*?)</a></h3>', part)
        return [unescape(each) for each in found]

    def all_titles(self) -> dict[str, list[str]]:
        return {lane: self.titles(lane) for lane in [*LANES, "rated"]}

    def count(self, lane: str) -> str:
        found = re.search(r'<span class="tab-count">([^<]+)</span></h2>', self.lanes[lane])
        assert found
        return found[1]

    def card(self, title: str) -> str:
        """Return a card's source."""
        found = re.findall(r'<li class="need-card.*?</li>', self.html, re.S)
        (card,) = [each for each in found if f">{title}</a></h3>" in each]
        return card

    def words(self, title: str) -> str:
        """Return what a card says."""
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", self.card(title))).strip()

    def table(self) -> dict[str, list[tuple[str, str]]]:
        """Return community → (number, address) for each status; an empty cell is ("—", "")."""
        rows: dict[str, list[tuple[str, str]]] = {}
        part = self.html.partition('id="communities"')[2]
        for name, rest in re.findall(
            r'<th scope="row"><a[^>]*>(.*?)</a></th>(.*?)</tr>', part, re.S
        ):
            cells = re.findall(r"<td[^>]*>(.*?)</td>", rest, re.S)
            rows[name] = [
                (re.sub(r"<[^>]+>", "", cell), "".join(re.findall(r'href="([^"]+)"', cell)))
                for cell in cells
            ]
        return rows


def at(pairs: Pairs, status: NeedStatus, title: str, place: str = "A11", **values: Any) -> Need:
    """Return a need that has come so far, claimed by the first school."""
    road = [S.PUBLISHED, S.CLAIMED, S.IN_HAND, S.DONE, S.RATED]
    actions = ["publish", "assign", "take_up", "finish", "settle"]
    with acting_as(pairs.session, SYSTEM):
        need = pairs.need(place, title, gathered=True, **values)
        data = {"provider": pairs.world.place("A-U1"), "due_on": today(), "service": "服务"}
        data |= {"result": "办好了", "grade": Grade.SATISFIED}
        for action in actions[: road.index(status) + 1 if status in road else 0]:
            _step(pairs, need, action, data)
    return need


def _step(pairs: Pairs, need: Need, action: str, data: dict[str, Any]) -> None:
    if action == "publish":
        workflow.apply(pairs.session, need, action, SYSTEM)
    else:
        context = workflow.Context(pairs.session, need, SYSTEM, utcnow())
        workflow.apply_internally(context, need, action, data)
