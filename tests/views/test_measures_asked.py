"""What an address asks of the measures: periods by name and by days, and what makes no sense."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from reports.measures import Period
from views.measure_address import Span

Clients = Callable[[str], FlaskClient]
OVERVIEW, LINES, CROSSING = "/measures/", "/measures/lines", "/measures/crossing"


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("from=2026-13-01", "无法识别"),
        ("until=gestern", "无法识别"),
        ("from=2026-02-01&until=2026-01-01", "不应晚于"),
        ("from=0001-01-01", "统计期间应在"),
        ("span=century", "无法识别"),
        ("by=password", "无法识别"),
        ("across='", "无法识别"),
        ("measure=wealth", "没有“wealth”这项指标"),
        ("order=password", "没有“password”这项指标"),
        ("against=all", "无法识别"),
        ("community=A11", "无法识别"),
        ("department=99999999999", "无法识别"),
        ("theme=joy", "无法识别"),
    ],
)
def test_what_makes_no_sense_is_refused(as_seen_by: Clients, query: str, sentence: str) -> None:
    client = as_seen_by("office")
    for page in (OVERVIEW, LINES, CROSSING, f"{LINES}/export"):
        answer = client.get(f"{page}?{query}")
        assert answer.status_code == 422, page
        assert sentence in answer.text


def test_a_dimension_is_not_crossed_with_itself(as_seen_by: Clients) -> None:
    answer = as_seen_by("office").get(f"{CROSSING}?by=theme&across=theme")
    assert answer.status_code == 422
    assert "行和列是同一种分类" in answer.text


def test_an_empty_period_says_what_to_do(as_seen_by: Clients) -> None:
    for page in (OVERVIEW, LINES, CROSSING):
        answer = as_seen_by("leader").get(f"{page}?from=2020-01-01&until=2020-12-31").text
        assert "这段时间没有哨单。请换个期间，或者清空筛选条件。" in answer
        assert '<svg class="chart"' not in answer


@pytest.mark.parametrize(
    ("span", "first"),
    [
        (Span.MONTH, dt.date(2024, 2, 1)),
        (Span.QUARTER, dt.date(2024, 1, 1)),
        (Span.YEAR, dt.date(2024, 1, 1)),
        (Span.TWELVE, dt.date(2023, 3, 1)),
    ],
)
def test_periods_that_still_run_end_today(span: Span, first: dt.date) -> None:
    today = dt.date(2024, 2, 29)
    assert span.period(today) == Period(first, today)


def test_the_month_before_is_whole() -> None:
    assert Span.LAST_MONTH.period(dt.date(2024, 3, 31)) == Period(
        dt.date(2024, 2, 1), dt.date(2024, 2, 29)
    )
    assert Span.LAST_MONTH.period(dt.date(2024, 1, 1)) == Period(
        dt.date(2023, 12, 1), dt.date(2023, 12, 31)
    )
    assert Span.QUARTER.period(dt.date(2024, 12, 31)).first == dt.date(2024, 10, 1)
    assert Span.TWELVE.period(dt.date(2024, 12, 31)).first == dt.date(2024, 1, 1)


def test_a_named_period_stays_named_until_its_days_are_changed(as_seen_by: Clients) -> None:
    client = as_seen_by("office")
    marked = re.compile(r'aria-current="true">(本月|上月|本季度|本年|近 12 个月)</a>')
    shown = client.get(f"{OVERVIEW}?span=last_month").text
    assert marked.findall(shown) == ["上月"]
    days = dict(re.findall(r'name="(from|until)" value="([^"]+)"', shown))
    kept = client.get(f"{OVERVIEW}?span=last_month&from={days['from']}&until={days['until']}").text
    assert marked.findall(kept) == ["上月"]
    other = client.get(f"{OVERVIEW}?span=last_month&from=2026-01-05&until={days['until']}").text
    assert marked.findall(other) == []
    assert 'value="2026-01-05"' in other
