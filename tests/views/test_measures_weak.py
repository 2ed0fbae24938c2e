"""Who is named as weakest on the first page of measures, and what its pictures and heat table hold."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete

from models.measure import FactMark, TicketFact
from models.ticket import TicketStatus
from reports.facts import sum_up
from tests.factories.facts import fact
from tests.factories.pairs import Pairs
from tests.factories.world import World
from tests.views.figure_pages import pictures

Clients = Callable[[str], FlaskClient]
DAY = dt.date(2026, 3, 10)
URL = "/measures/?from=2026-03-01&until=2026-03-31"


@pytest.fixture
def world(pairs: Pairs) -> World:
    """Three departments: one late and one that gives back, both often enough; one late but seldom asked."""
    made: list[TicketFact] = []
    for department, closed, in_time, returned in (
        ("A-D1", 8, 2, 0),
        ("A-D2", 6, 6, 3),
        ("A-D3", 4, 0, 4),
    ):
        for number in range(closed):
            place = ("A11", "A12")[number % 2]
            ticket = pairs.world.draft(place, number=f"{department}-{number}")
            # Another day of each year, and in the year before half as many.
            row = fact(
                pairs.world,
                ticket,
                DAY if number % 4 else DAY.replace(year=2025),
                department_id=pairs.world.place(department).id,
            )
            row.day = DAY
            row.month = 202603
            row.closed, row.status = True, TicketStatus.CLOSED
            row.resolved_on_time = number < in_time
            row.returned = row.ticket_returned = number < returned
            made.append(row)
    pairs.session.flush()
    # These facts are written by hand: nothing is to be folded over them.
    pairs.session.execute(delete(FactMark))
    sum_up(pairs.session)
    return pairs.world


def rows(page: str, name: str) -> list[tuple[str, str]]:
    """Return the table behind a picture: (label, number)."""
    body = page.split(f'aria-labelledby="chart-{name}-title"')[1].split("</section>")[0]
    found = re.findall(r'<th scope="row">([^<]*)</th><td class="amount">(.*?)</td>', body)
    return [(unescape(label), re.sub(r"<[^>]+>", "", cell)) for label, cell in found]


def test_those_with_enough_tickets_are_named_worst_first(world: World, as_seen_by: Clients) -> None:
    page = as_seen_by("leader").get(URL).text
    assert rows(page, "weakest") == [("甲县住建局", "25.0%（2 / 8）")]
    assert rows(page, "returned") == [("甲县执法局", "50.0%（3 / 6）")]
    assert "不足 5 件的不列" in page


def test_a_department_reads_of_places_not_of_others(world: World, as_seen_by: Clients) -> None:
    page = as_seen_by("handler").get(URL).text
    assert rows(page, "weakest") == [("甲一镇", "25.0%（2 / 8）")]
    assert "甲县执法局" not in page
    assert 'value="department"' not in as_seen_by("handler").get("/measures/lines").text


def test_pictures_are_told_and_their_numbers_stand_behind(
    world: World, as_seen_by: Clients
) -> None:
    page = as_seen_by("leader").get(URL).text
    found = pictures(page)
    assert len(found) == 4
    assert all(title and told.endswith("。") for title, told in found)
    months = rows(page, "months")
    assert len(months) == 12
    assert months[-1] == ("3月", "18")
    assert page.count('class="chart-table"') == 4


def test_the_heat_table_crosses_classes_and_places(world: World, as_seen_by: Clients) -> None:
    for account, place, number in (("leader", "甲一镇", "18"), ("township", "甲一一社区", "9")):
        page = as_seen_by(account).get(URL).text
        heat = page.split('class="heat-table"')[1].split("</table>")[0]
        assert f'<th scope="col">{place}</th>' in heat
        assert '<th scope="row">平哨</th>' in heat
        assert f">{number}</a>" in heat
        assert 'href="/measures/crossing?' in page


def test_many_lines_come_page_by_page(pairs: Pairs, as_seen_by: Clients) -> None:
    for number in range(55):
        ticket = pairs.world.draft("A11", number=f"M-{number}")
        fact(pairs.world, ticket, DAY, matter=f"事项{number:02}")
    pairs.session.flush()
    pairs.session.execute(delete(FactMark))
    client = as_seen_by("leader")
    url = "/measures/lines?from=2026-03-01&until=2026-03-31&by=matter&order=name"
    first = client.get(url).text
    second = re.search(r'<a href="([^"]*page=2[^"]*)"', first)
    assert second is not None
    assert "共 55 条" in first
    pages = [
        re.findall(r">(事项\d\d)</a></th>", text)
        for text in (first, client.get(unescape(second[1])).text)
    ]
    assert [len(titles) for titles in pages] == [50, 5]
    assert [*pages[0], *pages[1]] == [f"事项{number:02}" for number in range(55)]
    crossing = url.replace("lines", "crossing") + "&across=month"
    assert "只列出哨单最多的 40 行、1 列。" in client.get(crossing).text
