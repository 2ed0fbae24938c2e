"""The pages of measures: who opens them, what they show, where their numbers lead, what they refuse."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from html import unescape

import pytest
from flask.testing import FlaskClient

from models.base import utcnow
from reports.facts import catch_up
from reports.measure_types import Unit
from reports.measures import (
    MEASURES,
    Dimension,
    Measure,
    Period,
    Question,
    Value,
    ask,
    headings,
    measure,
    total,
)
from rules.actor import acting_as
from tests.factories.lives import Life
from tests.factories.pairs import Pairs
from tests.factories.world import World
from tests.views.figure_pages import count_statements, listed, sheets_of, unsafe

Clients = Callable[[str], FlaskClient]
OVERVIEW, LINES, CROSSING, ABOUT = (
    "/measures/",
    "/measures/lines",
    "/measures/crossing",
    "/measures/about",
)
PAGES = (OVERVIEW, LINES, CROSSING, ABOUT, f"{LINES}/export", f"{CROSSING}/export")
READERS = ("admin", "office", "township", "community", "handler", "inspector", "leader")
STRANGERS = ("party", "duty", "returns", "unit", "auditor")
#: All that a random life may last.
PERIOD = Period(dt.date(2026, 1, 1), dt.date(2027, 12, 31))
DAYS = "from=2026-01-01&until=2027-12-31"


@pytest.fixture
def lives(pairs: Pairs) -> World:
    """Tickets of three communities that have lived at random, with their facts."""
    rng = random.Random(7)
    for _number in range(20):
        life = Life(pairs.world, rng)
        life.begin()
        list(life.steps(rng.randrange(9)))
    catch_up(pairs.session)
    return pairs.world


def said(each: Measure, value: Value) -> str:
    """Return a value as a page should write it, worked out apart from the page."""
    if value.value is None:
        return "—"
    if each.unit is Unit.COUNT:
        return f"{int(value.value):,}"
    number = value.value.quantize(Decimal("0.1"), ROUND_HALF_UP)
    return f"{number}%" if each.unit is Unit.PERCENT else f"{number:,}"


def bare(markup: str) -> str:
    """Return a markup's text."""
    return unescape(re.sub(r"<[^>]+>", "", markup)).strip()


def tiles(page: str) -> dict[str, str]:
    """Return what each tile of the first page says, by its measure."""
    found = re.findall(
        r'<h2 class="tile-label">([^<]+)</h2>\s*<p class="tile-value">(<a [^>]*>[^<]*</a>|[^<]*)',
        page,
    )
    return {title: bare(value) for title, value in found}


def counts(page: str) -> dict[str, int]:
    """Return every whole number on a page that leads somewhere, by its address."""
    found = re.findall(r'<a href="([^"]+)">([\d,]+)</a>', page)
    return {unescape(url): int(number.replace(",", "")) for url, number in found}


def table(page: str) -> tuple[list[str], dict[str, list[str]]]:
    """Return the headings of the table of lines, and its numbers by line."""
    body = page.split('<table class="measure-table">')[1].split("</table>")[0]
    heads = [bare(each) for each in re.findall(r"<th scope=\"col\".*?</th>", body, re.DOTALL)]
    rows = {}
    for row in re.findall(r"<tr.*?</tr>", body.split("<tbody>")[1], re.DOTALL):
        name = bare(re.findall(r"<th scope=\"row\">.*?</th>", row, re.DOTALL)[0])
        cells = re.findall(r"<td[^>]*>\s*(<a [^>]*>[^<]*</a>|[^<]*)", row)
        rows[name] = [bare(each) for each in cells]
    return heads, rows


def test_who_opens_which_page(lives: World, as_seen_by: Clients) -> None:
    for account in (*READERS, *STRANGERS):
        client = as_seen_by(account)
        assert ('href="/measures/"' in client.get("/").text) == (account in READERS), account
        for page in (*PAGES, "/measures/choices/township"):
            expected = 200 if account in READERS else 403
            assert client.get(page).status_code == expected, (account, page)


def test_tiles_say_what_the_measures_come_to(lives: World, as_seen_by: Clients) -> None:
    for account in READERS:
        found = tiles(as_seen_by(account).get(f"{OVERVIEW}?{DAYS}").text)
        with acting_as(lives.session, lives.actor(account)):
            values = total(lives.session, Question(PERIOD), MEASURES, utcnow())
        expected = {e.title: said(e, values[e.code]) for e in MEASURES if not e.median}
        assert found == expected, account
        assert int(found["吹哨数"]) > 1


def test_a_filter_narrows_every_page(lives: World, as_seen_by: Clients) -> None:
    client, place = as_seen_by("office"), lives.place("A12")
    with acting_as(lives.session, lives.actor("office")):
        question = Question(PERIOD, filters={Dimension.COMMUNITY: place.id})
        values = total(lives.session, question, MEASURES, utcnow())
    query = f"{DAYS}&community={place.id}"
    page = client.get(f"{OVERVIEW}?{query}").text
    assert tiles(page)["吹哨数"] == f"{values['raised'].part}"
    assert "村（社区）：甲一二社区" in page
    _heads, rows = table(client.get(f"{LINES}?{query}&by=community").text)
    assert set(rows) == {"甲一二社区", "合计"}
    page = client.get(f"{CROSSING}?{query}&by=community&across=class").text
    assert "甲一二社区" in page
    assert "甲一一社区" not in page.split('class="heat-table"')[1]


def test_lines_say_what_ask_answers(lives: World, as_seen_by: Clients) -> None:
    client = as_seen_by("office")
    for by in Dimension:
        question = Question(PERIOD, by)
        with acting_as(lives.session, lives.actor("office")):
            lines = ask(lives.session, question, MEASURES, utcnow())
            whole = total(lives.session, question, MEASURES, utcnow())
        heads, rows = table(client.get(f"{LINES}?{DAYS}&by={by.value}&order=name&medians=1").text)
        assert heads[0] == by.title
        assert [head.split("（")[0] for head in heads[1:]] == [each.title for each in MEASURES]
        expected = {line.title: [said(e, line.values[e.code]) for e in MEASURES] for line in lines}
        assert rows == expected | {"合计": [said(e, whole[e.code]) for e in MEASURES]}, by
        assert list(rows) == [*expected, "合计"]


def test_lines_are_sorted_by_any_column_and_nothing_comes_last(
    lives: World, as_seen_by: Clients
) -> None:
    client = as_seen_by("office")
    for each in MEASURES:
        column = MEASURES.index(each)
        for direction, turned in (("asc", False), ("desc", True)):
            query = f"{DAYS}&by=department&medians=1&order={each.code}&direction={direction}"
            page = client.get(f"{LINES}?{query}").text
            _heads, rows = table(page)
            shown = [cells[column] for name, cells in rows.items() if name != "合计"]
            known = [float(text.strip("%").replace(",", "")) for text in shown if text != "—"]
            assert known == sorted(known, reverse=turned), (each.code, direction)
            assert shown[len(known) :] == ["—"] * (len(shown) - len(known))
            assert f'aria-sort="{direction}ending"' in page


def test_medians_are_worked_out_for_who_asks_for_them(lives: World, as_seen_by: Clients) -> None:
    client = as_seen_by("office")
    plain = [each.title for each in MEASURES if not each.median]
    for query, titles in (
        ("", plain),
        ("&medians=1", [each.title for each in MEASURES]),
        ("&order=resolve_hours_median", [each.title for each in MEASURES]),
    ):
        heads, _rows = table(client.get(f"{LINES}?{DAYS}&by=theme{query}").text)
        assert [head.split("（")[0] for head in heads[1:]] == titles


def test_a_year_is_compared_with_the_year_before(lives: World, as_seen_by: Clients) -> None:
    client = as_seen_by("office")
    for days, labels in (
        ("from=2026-04-01&until=2026-04-30", {"比上期", "比去年同期"}),
        ("from=2026-01-01&until=2026-12-31", {"比去年同期"}),
        ("from=2025-01-01&until=2026-12-31", {"比上期"}),
    ):
        page = client.get(f"{OVERVIEW}?{days}").text
        assert set(re.findall(r'<span class="measure-against">([^<]+)<', page)) == labels, days


def test_a_crossing_says_what_ask_answers(lives: World, as_seen_by: Clients) -> None:
    question = Question(PERIOD, Dimension.COMMUNITY, Dimension.DEPARTMENT)
    each = measure("closing_rate")
    with acting_as(lives.session, lives.actor("leader")):
        lines = ask(lives.session, question, [each], utcnow())
        heads = headings(lives.session, question, lines)
    url = f"{CROSSING}?{DAYS}&by=community&across=department&measure=closing_rate"
    body = as_seen_by("leader").get(url).text.split('class="heat-table"')[1].split("</table>")[0]
    columns = re.findall(r'<th scope="col">([^<]*)</th>', body)
    assert columns == ["村（社区）＼承办单位", *(title for _key, title in heads)]
    for line in lines:
        row = body.split(f'<th scope="row">{line.title}</th>')[1].split("</tr>")[0]
        shown = [bare(cell) for cell in re.findall(r"<td[^>]*>.*?</td>", row)]
        cells = [line.cells.get(key, {}).get(each.code) for key, _title in heads]
        assert shown == [said(each, cell) if cell else "—" for cell in cells]


def test_every_number_opens_the_list_of_its_tickets(lives: World, as_seen_by: Clients) -> None:
    for account in ("office", "leader", "township", "community"):
        client = as_seen_by(account)
        seen: dict[str, int] = {}
        for page in (
            OVERVIEW, f"{LINES}?by=department", f"{LINES}?by=month",
            f"{CROSSING}?by=theme&across=matter",
            f"{CROSSING}?by=department&across=community&measure=closed",
        ):  # fmt: skip
            seen |= counts(client.get(f"{page}{'&' if '?' in page else '?'}{DAYS}").text)
        assert all(url.startswith("/tickets/list/?measure=") for url in seen)
        assert len(seen) > 15
        for url in random.Random(1).sample(sorted(seen), 15):
            assert listed(client, url) == seen[url], (account, url)


def test_changes_are_told_by_arrow_words_and_colour(lives: World, as_seen_by: Clients) -> None:
    first, last = dt.date(2026, 4, 1), dt.date(2026, 4, 30)
    question = Question(Period(first, last))
    with acting_as(lives.session, lives.actor("office")):
        now, then = (
            total(lives.session, each, MEASURES, utcnow()) for each in (question, question.before())
        )
    page = unescape(as_seen_by("office").get(f"{OVERVIEW}?from={first}&until={last}").text)
    told = 0
    for each in MEASURES:
        values = now[each.code].value, then[each.code].value
        if each.unit is not Unit.PERCENT or None in values:
            continue
        tile = page.split(f'<h2 class="tile-label">{each.title}</h2>')[1].split("</details>")[0]
        one, other = (
            value.quantize(Decimal("0.1"), ROUND_HALF_UP) for value in values if value is not None
        )
        if one == other:
            assert "持平" in tile
            continue
        better = (one > other) is each.higher_is_better
        assert f"{'上升' if one > other else '下降'} {abs(one - other)} 个百分点" in tile
        assert f'class="measure-change measure-{"success" if better else "danger"}"' in tile
        assert f"fa-arrow-{'up' if one > other else 'down'}" in tile
        assert "比去年同期</span>无可比数据" in tile
        assert each.meaning in tile
        told += 1
    assert told > 1


def test_lines_are_compared_with_the_period_before(lives: World, as_seen_by: Clients) -> None:
    client = as_seen_by("office")
    plain = client.get(f"{LINES}?from=2026-04-01&until=2026-04-30&by=department").text
    assert "measure-change" not in plain
    for against in ("before", "year"):
        query = f"from=2026-04-01&until=2026-04-30&by=department&against={against}"
        assert "measure-change" in client.get(f"{LINES}?{query}").text
    months = client.get(f"{LINES}?from=2026-04-01&until=2026-04-30&by=month&against=before").text
    row = months.split(">2026年4月<")[1].split("</tr>")[0]
    question = Question(Period(dt.date(2026, 4, 1), dt.date(2026, 4, 30)))
    with acting_as(lives.session, lives.actor("office")):
        now, then = (
            total(lives.session, each, [measure("raised")], utcnow())["raised"].value
            for each in (question, question.before())
        )
    assert now is not None
    assert then
    change = (100 * (now - then) / then).quantize(Decimal("0.1"), ROUND_HALF_UP)
    assert f"{abs(change)}%" in row.split("</td>")[0]


def test_odd_pages_and_values_show_what_there_is(lives: World, as_seen_by: Clients) -> None:
    client = as_seen_by("office")
    for page in ("x", "-1", "0", "99999999999999", "7"):
        assert client.get(f"{LINES}?{DAYS}&page={page}").status_code == 200
    rude = client.get(f"{OVERVIEW}?{DAYS}&matter=<script>alert(1)</script>")
    assert rude.status_code == 200
    assert "这段时间没有哨单" in rude.text
    assert "<script>alert" not in rude.text
    foreign = client.get(f"{OVERVIEW}?{DAYS}&community={lives.place('B11').id}")
    assert "这段时间没有哨单" in foreign.text
    assert client.get("/measures/choices/password").status_code == 404


def test_another_county_sees_nothing_of_it(lives: World, as_seen_by: Clients) -> None:
    client = as_seen_by("officeb")
    for page in (OVERVIEW, f"{LINES}?by=department", CROSSING):
        answer = client.get(f"{page}{'&' if '?' in page else '?'}{DAYS}").text
        assert "这段时间没有哨单" in answer
        assert "甲" not in answer
    for name in ("township", "community", "department", "matter"):
        words = [each["text"] for each in client.get(f"/measures/choices/{name}").json["results"]]
        assert not [word for word in words if "甲" in word], name
    words = [
        str(cell)
        for rows in sheets_of(client, f"{LINES}/export?{DAYS}").values()
        for row in rows
        for cell in row
    ]
    assert not [word for word in words if "甲" in word]


def test_select_boxes_offer_what_is_the_readers_own(lives: World, as_seen_by: Clients) -> None:
    def offered(who: str, name: str, query: str = "") -> list[str]:
        answer = as_seen_by(who).get(f"/measures/choices/{name}?q={query}")
        return [each["text"] for each in answer.json["results"]]

    assert len(offered("office", "community")) == 3
    assert len(offered("office", "community", "一二")) == 1
    assert len(offered("township", "community")) == 2
    assert len(offered("office", "department")) == 2
    assert set(offered("office", "class")) >= {"平哨", "急哨"}
    assert offered("office", "class", "急") == ["急哨"]
    assert all("路灯" in each for each in offered("office", "matter", "路灯"))


def test_workbooks_hold_what_the_pages_show(lives: World, as_seen_by: Clients) -> None:
    client = as_seen_by("office")
    sheets = sheets_of(client, f"{LINES}/export?{DAYS}&by=department&order=name")
    question = Question(PERIOD, Dimension.DEPARTMENT)
    with acting_as(lives.session, lives.actor("office")):
        lines = ask(lives.session, question, MEASURES, utcnow())
    rows = {row[0]: row[1:] for row in sheets["承办单位"]}
    assert list(rows) == ["承办单位", *(line.title for line in lines), "合计"]
    for line in lines:
        for each, cell in zip(MEASURES, rows[line.title], strict=True):
            value = line.values[each.code].value
            share = each.unit is Unit.PERCENT
            expected = None if value is None else float(value) / (100 if share else 1)
            assert cell == (None if expected is None else pytest.approx(expected, abs=0.051))
    assert sheets["指标口径"][1][1] == "甲县；2026-01-01 — 2027-12-31"
    assert {row[0].split("（")[0] for row in sheets["指标口径"][2:]} == {e.title for e in MEASURES}
    query = f"{DAYS}&by=community&across=department&measure=dispatched"
    crossed = sheets_of(client, f"{CROSSING}/export?{query}")["派单数"]
    assert crossed[0][0] == "村（社区）＼承办单位"
    assert crossed[0][-1] == "合计"
    assert sum(row[-1] for row in crossed[1:]) == total_of(lives, "dispatched")


def total_of(world: World, code: str) -> int:
    """Return a count over all tickets that the office sees."""
    with acting_as(world.session, world.actor("office")):
        found = total(world.session, Question(PERIOD), [measure(code)], utcnow())
    return int(found[code].part or 0)


def test_what_measures_mean_stands_on_a_page_of_its_own(as_seen_by: Clients) -> None:
    page = unescape(as_seen_by("community").get(ABOUT).text)
    for each in MEASURES:
        assert each.title in page
        assert each.meaning in page


def test_pages_hold_nothing_inline(lives: World, as_seen_by: Clients) -> None:
    for page in (OVERVIEW, f"{LINES}?against=before", CROSSING, ABOUT):
        answer = as_seen_by("leader").get(f"{page}{'&' if '?' in page else '?'}{DAYS}")
        assert unsafe(answer.text) == []


def test_pages_take_at_most_twelve_statements(lives: World, as_seen_by: Clients) -> None:
    place = lives.place("A1").id
    for account in ("admin", "leader", "township", "handler"):
        client = as_seen_by(account)
        for page in (
            f"{OVERVIEW}?{DAYS}", f"{OVERVIEW}?{DAYS}&township={place}",
            f"{LINES}?{DAYS}&by=department&against=year&medians=1", f"{LINES}?{DAYS}&by=month",
            f"{CROSSING}?{DAYS}&by=township&across=department", ABOUT,
        ):  # fmt: skip
            assert count_statements(client, page) <= 12, (account, page)
