"""Time limits: what cells mean, and the instant at which each limit ends."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rules.calendar import SHANGHAI, WorkCalendar, shanghai_date
from rules.deadlines import Term, Unit, due

NATIONAL = WorkCalendar()
COUNTED = (
    Unit.minutes,
    Unit.hours,
    Unit.calendar_days,
    Unit.working_days,
    Unit.working_hours,
)


def at(text: str) -> datetime:
    """An instant written as Shanghai time."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "unit", "amount"),
    [
        ("即时", Unit.minutes, 0),
        ("立即", Unit.minutes, 0),
        ("马上", Unit.minutes, 0),
        ("立即到场。", Unit.minutes, 0),
        ("当场办结", Unit.minutes, 0),
        ("30分钟", Unit.minutes, 30),
        ("接报后30分钟内到达现场", Unit.minutes, 30),
        ("半小时", Unit.minutes, 30),
        ("半个小时", Unit.minutes, 30),
        ("1.5小时", Unit.minutes, 90),
        ("一个半小时", Unit.minutes, 90),
        ("1小时30分钟", Unit.minutes, 90),
        ("1小时到场", Unit.hours, 1),
        ("1 小时内到场", Unit.hours, 1),
        ("24小时内", Unit.hours, 24),
        ("２４小时内", Unit.hours, 24),
        ("48h", Unit.hours, 48),
        ("两个小时", Unit.hours, 2),
        ("3个工作日", Unit.working_days, 3),
        ("三个工作日", Unit.working_days, 3),
        ("３个工作日", Unit.working_days, 3),
        ("3 个 工作日内办结", Unit.working_days, 3),
        ("5工作日", Unit.working_days, 5),
        ("4个工作小时", Unit.working_hours, 4),
        ("8 工作小时内响应", Unit.working_hours, 8),
        ("自受理之日起20个工作日内", Unit.working_days, 20),
        ("办理时限：不超过十个工作日", Unit.working_days, 10),
        ("15日", Unit.calendar_days, 15),
        ("15天", Unit.calendar_days, 15),
        ("十五日", Unit.calendar_days, 15),
        ("二十天", Unit.calendar_days, 20),
        ("一百二十日", Unit.calendar_days, 120),
        ("一百零五天", Unit.calendar_days, 105),
        ("7个自然日", Unit.calendar_days, 7),
        ("7\n日", Unit.calendar_days, 7),
        ("一周", Unit.calendar_days, 7),
        ("1个月", Unit.calendar_days, 30),
        ("三个月内", Unit.calendar_days, 90),
        ("半个月", Unit.calendar_days, 15),
        ("当日", Unit.same_day, None),
        ("当天办结", Unit.same_day, None),
        ("按事项时限", Unit.per_item, None),
        ("派单时定", Unit.at_dispatch, None),
    ],
)
def test_parse(text: str, unit: Unit, amount: int | None) -> None:
    assert Term.parse(text) == Term(unit, amount)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "尽快",
        "长期",
        "3月15日",
        "每月15日前",
        "15日前",
        "3月",
        "1至3日",
        "1-3个工作日",
        "两三天",
        "三五个工作日",
        "5",
        "0天",
        "0分钟",
        "-3天",
        "半天",
        "半个工作日",
        "1.5个工作日",
        "2天30分钟",
        "1小时到场，3日办结",
        "15日（工作日）",
        "法定20个工作日，承诺5个工作日",
        "99999天",
        "9" * 5000 + "天",
        "非即时",
    ],
)
def test_parse_refuses_to_guess(text: str) -> None:
    assert Term.parse(text) is None


@pytest.mark.parametrize(
    ("term", "label"),
    [
        (Term(Unit.minutes, 0), "即时"),
        (Term(Unit.minutes, 30), "30 分钟"),
        (Term(Unit.hours, 1), "1 小时"),
        (Term(Unit.calendar_days, 15), "15 天"),
        (Term(Unit.working_days, 2), "2 个工作日"),
        (Term(Unit.working_hours, 4), "4 个工作小时"),
        (Term(Unit.same_day), "当日"),
        (Term(Unit.per_item), "按事项时限"),
        (Term(Unit.at_dispatch), "派单时定"),
    ],
)
def test_label_reads_back(term: Term, label: str) -> None:
    assert term.label == label
    assert Term.parse(label) == term


@pytest.mark.parametrize(
    ("unit", "amount", "message"),
    [
        (Unit.minutes, None, "需要数量"),
        (Unit.minutes, -1, "0 到"),
        (Unit.hours, 0, "1 到"),
        (Unit.calendar_days, 0, "1 到"),
        (Unit.working_days, 0, "1 到"),
        (Unit.working_days, 2501, "2500"),
        (Unit.working_hours, 0, "1 到"),
        (Unit.hours, True, "需要数量"),
        (Unit.hours, 1.5, "需要数量"),
        (Unit.same_day, 1, "不带数量"),
        (Unit.per_item, 1, "不带数量"),
        (Unit.at_dispatch, 0, "不带数量"),
        ("hours", 1, "无效"),
    ],
)
def test_invalid_term_is_refused(unit: Unit, amount: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Term(unit, amount)


def test_every_unit_has_its_name_and_says_whether_it_takes_an_amount() -> None:
    assert len({unit.label for unit in Unit}) == len(Unit) == 8
    assert {unit for unit in Unit if unit.takes_amount} == set(COUNTED)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"unit": "hours"},
        {"unit": "years", "amount": 1},
        {"unit": ["hours"], "amount": 1},
        {"unit": "hours", "amount": "1"},
        {"unit": "hours", "amount": 1, "note": ""},
    ],
)
def test_from_json_refuses_other_shapes(data: object) -> None:
    with pytest.raises(ValueError, match="时限"):
        Term.from_json(data)


def test_json_shape() -> None:
    assert Term(Unit.hours, 1).to_json() == {"unit": "hours", "amount": 1}
    assert Term(Unit.same_day).to_json() == {"unit": "same_day", "amount": None}


@pytest.mark.parametrize(
    ("start", "term", "expected"),
    [
        # Elapsed time, over midnight and a year end.
        ("2026-11-21 14:05:07", Term(Unit.minutes, 0), "2026-11-21 14:05:07"),
        ("2026-12-31 23:45:00", Term(Unit.minutes, 30), "2027-01-01 00:15:00"),
        ("2026-11-21 14:05:07", Term(Unit.hours, 1), "2026-11-21 15:05:07"),
        ("2024-02-28 12:00:00", Term(Unit.hours, 24), "2024-02-29 12:00:00"),
        # Calendar days: start day not counted; holidays make no difference.
        ("2026-11-21 00:00:00", Term(Unit.calendar_days, 1), "2026-11-22 23:59:59"),
        ("2026-11-21 23:59:59", Term(Unit.calendar_days, 1), "2026-11-22 23:59:59"),
        ("2026-11-22 00:00:00", Term(Unit.calendar_days, 1), "2026-11-23 23:59:59"),
        ("2025-01-31 09:00:00", Term(Unit.calendar_days, 30), "2025-03-02 23:59:59"),
        ("2024-02-28 09:00:00", Term(Unit.calendar_days, 1), "2024-02-29 23:59:59"),
        ("2025-02-28 09:00:00", Term(Unit.calendar_days, 1), "2025-03-01 23:59:59"),
        ("2025-12-31 09:00:00", Term(Unit.calendar_days, 7), "2026-01-07 23:59:59"),
        ("2025-09-30 09:00:00", Term(Unit.calendar_days, 1), "2025-10-01 23:59:59"),
        # Working days.
        ("2025-09-30 09:00:00", Term(Unit.working_days, 2), "2025-10-10 23:59:59"),
        ("2025-10-03 09:00:00", Term(Unit.working_days, 1), "2025-10-09 23:59:59"),
        ("2025-01-24 18:00:00", Term(Unit.working_days, 2), "2025-01-27 23:59:59"),
        ("2025-01-26 09:00:00", Term(Unit.working_days, 2), "2025-02-05 23:59:59"),
        ("2024-02-02 23:59:59", Term(Unit.working_days, 1), "2024-02-04 23:59:59"),
        ("2024-02-04 00:00:00", Term(Unit.working_days, 1), "2024-02-05 23:59:59"),
        ("2025-12-31 09:00:00", Term(Unit.working_days, 1), "2026-01-04 23:59:59"),
        ("2026-10-09 09:00:00", Term(Unit.working_days, 1), "2026-10-10 23:59:59"),
        ("2026-11-21 09:00:00", Term(Unit.working_days, 2), "2026-11-24 23:59:59"),
        # The same UTC date on both sides of midnight in Shanghai.
        ("2026-11-19 23:59:59", Term(Unit.working_days, 1), "2026-11-20 23:59:59"),
        ("2026-11-20 00:00:00", Term(Unit.working_days, 1), "2026-11-23 23:59:59"),
        ("2026-11-20 23:59:59", Term(Unit.same_day), "2026-11-20 23:59:59"),
        ("2026-11-21 00:00:00", Term(Unit.same_day), "2026-11-21 23:59:59"),
        ("2026-11-21 07:59:59", Term(Unit.same_day), "2026-11-21 23:59:59"),
    ],
)
def test_due(start: str, term: Term, expected: str) -> None:
    end = due(at(start), term, NATIONAL)
    assert end == at(expected)
    assert end is not None
    assert end.tzinfo is UTC


def test_start_may_come_in_any_time_zone() -> None:
    # 2026-11-20 16:30 UTC is already Saturday in Shanghai.
    utc = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
    for start in (utc, utc.astimezone(SHANGHAI)):
        assert due(start, Term(Unit.same_day), NATIONAL) == at("2026-11-21 23:59:59")


def test_overrides_move_a_deadline_both_ways() -> None:
    start, term = at("2026-11-19 09:00"), Term(Unit.working_days, 2)
    assert due(start, term, NATIONAL) == at("2026-11-23 23:59:59")
    worked = WorkCalendar({date(2026, 11, 21): True})
    assert due(start, term, worked) == at("2026-11-21 23:59:59")
    free = WorkCalendar({date(2026, 11, 23): False})
    assert due(start, term, free) == at("2026-11-24 23:59:59")


def test_per_item_takes_the_items_limit() -> None:
    start, term = at("2026-11-21 09:00"), Term(Unit.per_item)
    item = Term(Unit.hours, 24)
    assert due(start, term, NATIONAL, item_term=item) == at("2026-11-22 09:00")
    assert due(start, term, NATIONAL) is None
    # An item's limit does not touch a class that has its own.
    own = Term(Unit.hours, 1)
    assert due(start, own, NATIONAL, item_term=item) == at("2026-11-21 10:00")
    with pytest.raises(ValueError, match="具体时限"):
        due(start, term, NATIONAL, item_term=Term(Unit.per_item))


def test_at_dispatch_takes_the_given_instant() -> None:
    start, term = at("2026-11-21 09:00"), Term(Unit.at_dispatch)
    given_instant = at("2026-12-01 18:00")
    end = due(start, term, NATIONAL, at_dispatch=given_instant.astimezone(SHANGHAI))
    assert end == given_instant
    assert end is not None
    assert end.tzinfo is UTC
    assert due(start, term, NATIONAL) is None
    per_item = due(start, Term(Unit.per_item), NATIONAL, item_term=term, at_dispatch=given_instant)
    assert per_item == given_instant


@pytest.mark.parametrize("unit", Unit)
def test_naive_times_are_refused_for_every_unit(unit: Unit) -> None:
    term = Term(unit, 1 if unit.takes_amount else None)
    aware = at("2026-11-21 09:00")
    naive = aware.replace(tzinfo=None)
    with pytest.raises(ValueError, match="没有时区"):
        due(naive, term, NATIONAL)
    with pytest.raises(ValueError, match="没有时区"):
        due(aware, term, NATIONAL, at_dispatch=naive)


starts = st.timedeltas(timedelta(0), timedelta(days=6 * 365)).map(
    lambda offset: at("2023-01-01 00:00") + offset
)
counted_units = st.sampled_from(COUNTED)
amounts = st.integers(1, 200)
overrides_of_days = st.dictionaries(
    st.dates(date(2023, 1, 1), date(2029, 12, 31)), st.booleans(), max_size=20
)
terms = st.one_of(
    st.builds(Term, counted_units, amounts),
    st.builds(Term, st.sampled_from([u for u in Unit if not u.takes_amount])),
)


def end_of(start: datetime, term: Term, calendar: WorkCalendar) -> datetime:
    """``due`` for units that always have an end."""
    end = due(start, term, calendar)
    assert end is not None
    return end


@settings(deadline=None)
@given(terms)
def test_json_and_label_round_trip(term: Term) -> None:
    assert Term.from_json(term.to_json()) == term
    assert Term.parse(term.label) == term


@settings(deadline=None)
@given(st.text(alphabet="0123一二十百零半个小时分钟工作日天月内前即-. ", max_size=12))
def test_parse_never_raises(text: str) -> None:
    term = Term.parse(text)
    assert term is None or Term.parse(term.label) == term


@settings(deadline=None)
@given(starts, starts, st.one_of(st.none(), counted_units), amounts, overrides_of_days)
def test_due_is_monotone_in_start(
    one: datetime,
    other: datetime,
    unit: Unit | None,
    amount: int,
    overrides: dict[date, bool],
) -> None:
    calendar = WorkCalendar(overrides)
    term = Term(unit, amount) if unit else Term(Unit.same_day)
    early, late = sorted((one, other))
    assert early <= end_of(early, term, calendar) <= end_of(late, term, calendar)


@settings(deadline=None)
@given(starts, counted_units, amounts, amounts, overrides_of_days)
def test_due_grows_with_the_amount(
    start: datetime, unit: Unit, one: int, other: int, overrides: dict[date, bool]
) -> None:
    assume(one != other)
    calendar = WorkCalendar(overrides)
    small, large = sorted((one, other))
    short = end_of(start, Term(unit, small), calendar)
    assert short < end_of(start, Term(unit, large), calendar)


@settings(deadline=None)
@given(starts, amounts, overrides_of_days)
def test_working_day_deadline_falls_on_a_working_day(
    start: datetime, amount: int, overrides: dict[date, bool]
) -> None:
    calendar = WorkCalendar(overrides)
    end = end_of(start, Term(Unit.working_days, amount), calendar)
    assert calendar.is_working_day(shanghai_date(end))
    assert end.astimezone(SHANGHAI).time().isoformat() == "23:59:59"
    assert shanghai_date(end) >= shanghai_date(start) + timedelta(days=amount)
