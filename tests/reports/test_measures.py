"""Measures are what a slow computation over the same rows gives, told apart by any two dimensions."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from bench.timing import statements
from models.measure import TicketFact
from models.ticket import Channel, Nature, Theme, TicketStatus
from reports.facts import sum_up
from reports.measures import (
    ALL,
    MEASURES,
    Dimension,
    Line,
    Period,
    Question,
    ask,
    headings,
    measure,
    total,
    totals,
)
from reports.numbers import LAST_DAY
from rules.errors import Invalid
from tests.conftest import Backend
from tests.factories.world import World
from tests.reports import measure_oracle as oracle
from tests.reports.measure_oracle import Row

NOW = dt.datetime(2026, 11, 22, 1, tzinfo=dt.UTC)
YEAR = Period(dt.date(2026, 1, 1), dt.date(2026, 12, 31))
SPRING = Period(dt.date(2026, 3, 5), dt.date(2026, 5, 20))
D = Dimension
#: Dimension → the oracle's column.
COLUMNS = {
    D.DEPARTMENT: "department_id",
    D.COUNTY: "county_id",
    D.TOWNSHIP: "township_id",
    D.COMMUNITY: "community_id",
    D.CLASS: "class_name",
    D.THEME: "theme",
    D.MATTER: "matter",
    D.CHANNEL: "channel",
    D.MONTH: "month",
}


def tickets(world: World, count: int = 12) -> list[int]:
    """Return ids of tickets to hang rows from."""
    return [world.draft("A11").id for _ in range(count)]


def invented(world: World, rng: random.Random, ids: Sequence[int]) -> list[Row]:
    """Return random rows: each ticket with one or two departments, the last of them current."""
    places = [world.place(code) for code in ("A11", "A12", "A21", "A1", "B11")]
    departments = [world.place(code).id for code in ("A-D1", "A-D2", "B-D1")]
    rows = []
    for ticket in ids:
        place = rng.choice(places)
        above = {line.ancestor.kind.value: line.ancestor_id for line in place.lines}
        common = {
            "ticket_id": ticket,
            "organization_id": place.id,
            "community_id": above.get("community"),
            "township_id": above.get("township"),
            "county_id": above.get("county"),
            "whistle_class_id": world.whistle_class("ordinary").id,
            "class_name": rng.choice(("平哨", "急哨")),
            "theme": rng.choice(list(Theme)),
            "channel": rng.choice(list(Channel)),
            "nature": Nature.PUBLIC,
            "emergency": rng.random() < 0.2,
            "matter": rng.choice((None, "路灯", "井盖")),
            "status": rng.choice((TicketStatus.CLOSED, TicketStatus.CLOSED, TicketStatus.REOPENED)),
            "ticket_returned": rng.random() < 0.3,
        }
        turns = rng.choice((0, 1, 1, 1, 2))
        sent = rng.sample(departments, turns)
        for number in range(max(1, turns)):
            current = number == max(1, turns) - 1
            rows.append(common | _turn(rng, sent[number] if sent else None, number, current))
    return rows


def _turn(rng: random.Random, department: int | None, number: int, current: bool) -> Row:
    day = dt.date(2025, 11, 1) + dt.timedelta(days=rng.randrange(420))
    there = department is not None
    grades = rng.randrange(5) if there else 0
    row = {
        "position": number + 1 if there else 0,
        "current": current,
        "department_id": department,
        "day": day,
        "month": int(f"{day:%Y%m}"),
        "dispatched": there and rng.random() < 0.9,
        "closed": there and current and rng.random() < 0.6,
        "returned": there and rng.random() < 0.3,
        "reopened": there and current and rng.random() < 0.3,
        "grades": grades,
        "satisfied": rng.randint(0, grades),
        "stars": rng.choice((None, 1, 3, 5)),
    }
    for clock, word in (("respond", "responded"), ("arrive", "arrived"), ("resolve", "resolved")):
        done, due = there and rng.random() < 0.7, there and rng.random() < 0.7
        row[f"{clock}_due"] = NOW + dt.timedelta(hours=rng.randint(-50, 50)) if due else None
        row[f"{clock}_minutes"] = rng.randrange(5000) if done else None
        row[f"{word}_on_time"] = rng.random() < 0.7 if done and due else None
    return row


def keep(session: Session, rows: Sequence[Row]) -> None:
    """Put these rows in place of all others."""
    session.execute(delete(TicketFact), execution_options={"synchronize_session": False})
    if rows:
        session.execute(insert(TicketFact), rows)
    sum_up(session)


def spoken_of(question: Question, rows: Sequence[Row]) -> list[Row]:
    """Return the rows that a question is about."""
    period = question.period
    return [
        row
        for row in rows
        if period.first <= row["day"] <= period.last
        and (question.by_department or row["current"])
        and all(row[COLUMNS[each]] == key for each, key in question.filters.items())
    ]


def same(values: Any, rows: Sequence[Row], question: Question) -> None:
    """Hold the values of a line or cell against the oracle's."""
    for each in MEASURES:
        found = values[each.code]
        want = oracle.value(each.code, rows, NOW, by_department=question.by_department)
        assert (found.value is None) == (want is None), each.code
        if want is not None:
            assert abs(Fraction(found.value) - Fraction(want)) < Fraction(1, 10**9), each.code
        if not (each.median or each.code.endswith("_hours")):
            counts = oracle.counted(each.code, rows, NOW, by_department=question.by_department)
            assert (found.part, found.of) == counts, each.code


def apart(rows: Sequence[Row], dimension: Dimension) -> dict[Any, list[Row]]:
    """Return rows by the key of a dimension."""
    found: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[COLUMNS[dimension]]].append(row)
    return found


def agree(session: Session, question: Question, rows: Sequence[Row]) -> list[Line]:
    """Hold a question's answer against the oracle's; return its lines."""
    lines = ask(session, question, MEASURES, NOW)
    mine = spoken_of(question, rows)
    plain = Question(question.period, question.rows, None, question.filters)
    assert question.rows is not None
    whole = apart(spoken_of(plain, rows), question.rows)
    split = apart(mine, question.rows)
    keys = set(split) if question.columns else set(whole)
    assert {line.key for line in lines} == keys | set(whole)
    for line in lines:
        if line.key in whole:
            same(line.values, whole[line.key], plain)
        cells = apart(split[line.key], question.columns) if question.columns else {}
        assert set(line.cells) == set(cells)
        for key, some in cells.items():
            same(line.cells[key], some, question)
    return lines


asked = st.tuples(
    st.integers(0, 2**32), st.sampled_from(list(D)), st.sampled_from([None, *D]),
    st.sampled_from([YEAR, SPRING]),
    st.sampled_from([{}, {D.THEME: "safety"}, {D.MATTER: None}, {D.CLASS: "急哨"}]),
)  # fmt: skip


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(asked=asked)
def test_every_measure_is_what_a_slow_computation_gives(
    one_session: Session, one_world: World, asked: Any
) -> None:
    seed, by, across, period, filters = asked
    rows = invented(one_world, random.Random(seed), tickets(one_world))
    keep(one_session, rows)
    question = Question(period, by, None if across is by else across, filters)
    agree(one_session, question, rows)
    same(
        total(one_session, question, MEASURES, NOW),
        spoken_of(question.whole(), rows),
        question.whole(),
    )
    one_session.rollback()


def test_the_databases_agree_on_every_dimension(session: Session, world: World) -> None:
    rows = invented(world, random.Random(4), tickets(world, 60))
    keep(session, rows)
    for by in D:
        for across in (None, D.DEPARTMENT, D.MONTH):
            if across is not by:
                agree(session, Question(YEAR, by, across), rows)
    department = world.place("A-D1").id
    agree(session, Question(YEAR, D.TOWNSHIP, None, {D.DEPARTMENT: department}), rows)


def test_a_question_takes_few_statements_however_many_lines_it_has(
    sqlite: Backend, one_session: Session, one_world: World
) -> None:
    seen = {}
    for count in (5, 80):
        keep(one_session, invented(one_world, random.Random(1), tickets(one_world, count)))
        with statements(one_session.get_bind()) as found:
            ask(one_session, Question(YEAR, D.COMMUNITY, D.DEPARTMENT), MEASURES, NOW)
        seen[count] = len(found)
    assert seen == {5: 5, 80: 5}


def test_lines_stand_in_the_order_of_their_dimension(
    one_session: Session, one_world: World
) -> None:
    keep(one_session, invented(one_world, random.Random(2), tickets(one_world, 80)))

    def titles(by: Dimension) -> list[str]:
        return [line.title for line in ask(one_session, Question(YEAR, by), MEASURES[:1], NOW)]

    assert titles(D.THEME) == [each.title for each in Theme]
    assert titles(D.COMMUNITY) == [
        "甲一一社区", "甲一二社区", "甲二一社区", "乙一一社区", "乡镇（街道）及以上",
    ]  # fmt: skip
    assert titles(D.DEPARTMENT) == ["甲县住建局", "甲县执法局", "乙县住建局", "尚未派单"]
    assert titles(D.MATTER) == ["井盖", "路灯", "未对应事项"]
    months = titles(D.MONTH)
    assert months[:2] == ["2026年1月", "2026年2月"]
    assert len(months) == 12
    crossed = Question(YEAR, D.THEME, D.MONTH)
    columns = headings(one_session, crossed, ask(one_session, crossed, MEASURES[:1], NOW))
    assert [title for _key, title in columns] == months
    plain = Question(YEAR, D.THEME)
    assert headings(one_session, plain, ask(one_session, plain, MEASURES[:1], NOW)) == []


@pytest.mark.parametrize("period", [YEAR, SPRING, Period(SPRING.first, SPRING.first)])
def test_several_periods_are_one_statement(
    one_session: Session, one_world: World, period: Period
) -> None:
    keep(one_session, invented(one_world, random.Random(6), tickets(one_world, 60)))
    some = [each for each in MEASURES if not each.median]
    question = Question(period, D.THEME, None, {D.CLASS: "平哨"})
    asked = [
        question,
        question.before(),
        question.last_year(),
        Question(YEAR, None, None, question.filters),
    ]
    with statements(one_session.get_bind()) as seen:
        found = totals(one_session, asked, some, NOW)
    assert len(seen) == 1
    assert found == [total(one_session, each, some, NOW) for each in asked]
    other = Question(period, filters={D.CLASS: "急哨"})
    with pytest.raises(ValueError, match="periods only"):
        totals(one_session, [question, other], some, NOW)
    with pytest.raises(ValueError, match="median"):
        totals(one_session, [question], MEASURES, NOW)


def test_what_is_due_depends_on_now(one_session: Session, one_world: World) -> None:
    (row,) = invented(one_world, random.Random(3), tickets(one_world, 1))[:1]
    row |= {"dispatched": True, "current": True, "respond_due": NOW, "responded_on_time": None}
    row |= {"department_id": one_world.place("A-D1").id, "day": YEAR.first, "month": 202601}
    keep(one_session, [row])
    rate = [measure("response_rate")]
    before = total(one_session, Question(YEAR), rate, NOW - dt.timedelta(seconds=1))
    assert before["response_rate"].value is None
    after = total(one_session, Question(YEAR), rate, NOW)["response_rate"]
    assert (after.part, after.of, after.value) == (0, 1, Decimal(0))


def test_nothing_at_all_is_told_apart_from_nought(one_session: Session) -> None:
    found = total(one_session, Question(YEAR), MEASURES, NOW)
    assert {code for code, value in found.items() if value.value is not None} == {
        "raised", "dispatched", "closed", "closed_on_time",
    }  # fmt: skip
    assert found["raised"].value == 0
    assert ask(one_session, Question(YEAR, D.THEME), MEASURES, NOW) == []


def test_a_line_and_a_cell_are_questions_of_their_own() -> None:
    crossed = Question(YEAR, D.THEME, D.DEPARTMENT, {D.CLASS: "平哨"})
    assert crossed.at("safety", 7).filters == {D.CLASS: "平哨", D.THEME: "safety", D.DEPARTMENT: 7}
    assert crossed.at("safety", ALL).filters == {D.CLASS: "平哨", D.THEME: "safety"}
    assert not crossed.at("safety", ALL).by_department
    assert crossed.by_department


@pytest.mark.parametrize(
    ("first", "last", "before", "last_year"),
    [
        ("2026-11-01", "2026-11-30", "2026-10-01/2026-10-31", "2025-11-01/2025-11-30"),
        ("2026-03-01", "2026-03-31", "2026-02-01/2026-02-28", "2025-03-01/2025-03-31"),
        ("2026-01-01", "2026-12-31", "2025-01-01/2025-12-31", "2025-01-01/2025-12-31"),
        ("2026-01-01", "2026-03-31", "2025-10-01/2025-12-31", "2025-01-01/2025-03-31"),
        ("2026-11-05", "2026-11-11", "2026-10-29/2026-11-04", "2025-11-05/2025-11-11"),
        ("2024-02-01", "2024-02-29", "2024-01-01/2024-01-31", "2023-02-01/2023-02-28"),
        ("2025-02-01", "2025-02-28", "2025-01-01/2025-01-31", "2024-02-01/2024-02-29"),
        ("2024-02-29", "2024-02-29", "2024-02-28/2024-02-28", "2023-02-28/2023-02-28"),
        ("2000-01-01", "2026-12-31", "1973-01-01/1999-12-31", "1999-01-01/2025-12-31"),
    ],
)
def test_the_period_before_and_the_same_of_last_year(
    first: str, last: str, before: str, last_year: str
) -> None:
    period = Period(dt.date.fromisoformat(first), dt.date.fromisoformat(last))
    question = Question(period, D.THEME)

    def words(other: Question) -> str:
        return f"{other.period.first}/{other.period.last}"

    assert words(question.before()) == before
    assert words(question.last_year()) == last_year
    assert question.before().rows is D.THEME


def test_a_period_that_is_a_slip_of_the_pen_is_refused() -> None:
    with pytest.raises(Invalid):
        Period(dt.date(1999, 12, 31), YEAR.last)
    assert not Period(LAST_DAY, LAST_DAY).whole_months


def test_every_measure_says_what_it_is() -> None:
    assert len({each.code for each in MEASURES}) == len({each.title for each in MEASURES})
    assert all(each.meaning.endswith("。") for each in MEASURES)
    assert measure("closing_rate") in MEASURES
    with pytest.raises(KeyError):
        measure("nothing")
