"""The clock of working hours, and when a deadline comes near: lunch, nights, 调休, year ends."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from rules.calendar import SHANGHAI, Spans, WorkCalendar, read_spans, shanghai_date
from rules.deadlines import WARNING_UNITS, Term, Unit, due, warn_at

OFFICE = read_spans([("08:30", "12:00"), ("14:00", "18:00")])
CALENDAR = WorkCalendar(spans=OFFICE)
WHOLE_DAYS = WorkCalendar()
HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    """An instant written as Shanghai time."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-11-18 09:00", 2, "2026-11-18 11:00"),
        ("2026-11-18 10:00", 2, "2026-11-18 12:00"),  # ends as lunch begins, not after it
        ("2026-11-18 11:00", 2, "2026-11-18 15:00"),  # over lunch
        ("2026-11-18 13:00", 1, "2026-11-18 15:00"),  # starts at lunch
        ("2026-11-18 17:00", 2, "2026-11-19 09:30"),  # over night
        ("2026-11-18 23:00", 1, "2026-11-19 09:30"),  # starts at night
        ("2026-11-18 03:00", 1, "2026-11-18 09:30"),
        ("2026-11-20 17:30", 1, "2026-11-23 09:00"),  # over a weekend
        ("2026-11-21 10:00", 1, "2026-11-23 09:30"),  # starts on a Saturday
        ("2026-10-03 10:00", 1, "2026-10-08 09:30"),  # starts within National Day
        ("2026-10-09 17:00", 2, "2026-10-10 09:30"),  # into the worked Saturday
        ("2026-12-31 17:00", 2, "2027-01-04 09:30"),  # over the year end
        ("2026-02-14 17:00", 2, "2026-02-24 09:30"),  # over Spring Festival
        ("2026-11-18 08:30", 15, "2026-11-19 18:00"),  # two whole working days
    ],
)
def test_working_hours_run_in_the_spans_of_working_days(start: str, hours: int, end: str) -> None:
    assert due(at(start), Term(Unit.working_hours, hours), CALENDAR) == at(end)


def test_without_spans_a_working_day_counts_whole() -> None:
    start = at("2026-11-20 20:00")
    assert due(start, Term(Unit.working_hours, 4), WHOLE_DAYS) == at("2026-11-21 00:00")
    assert due(start, Term(Unit.working_hours, 5), WHOLE_DAYS) == at("2026-11-23 01:00")


def test_an_override_opens_and_shuts_a_days_hours() -> None:
    spans = OFFICE
    worked = WorkCalendar({date(2026, 11, 21): True}, spans)
    free = WorkCalendar({date(2026, 11, 23): False}, spans)
    start, term = at("2026-11-20 17:30"), Term(Unit.working_hours, 1)
    assert due(start, term, worked) == at("2026-11-21 09:00")
    assert due(start, term, free) == at("2026-11-24 09:00")


@pytest.mark.parametrize(
    ("deadline", "term", "warned"),
    [
        ("2026-11-18 14:05", Term(Unit.minutes, 0), "2026-11-18 14:05"),
        ("2026-11-18 14:05", Term(Unit.minutes, 30), "2026-11-18 13:35"),
        ("2026-11-19 01:00", Term(Unit.hours, 4), "2026-11-18 21:00"),
        ("2026-11-20 23:59:59", Term(Unit.calendar_days, 1), "2026-11-19 23:59:59"),
        ("2026-03-01 23:59:59", Term(Unit.calendar_days, 1), "2026-02-28 23:59:59"),
        ("2026-11-20 23:59:59", Term(Unit.working_days, 1), "2026-11-19 23:59:59"),
        ("2026-11-23 10:00", Term(Unit.working_days, 1), "2026-11-20 10:00"),  # over a weekend
        ("2026-11-22 10:00", Term(Unit.working_days, 1), "2026-11-19 23:59:59"),  # due on Sunday
        ("2026-10-08 23:59:59", Term(Unit.working_days, 1), "2026-09-30 23:59:59"),
        ("2026-10-12 23:59:59", Term(Unit.working_days, 1), "2026-10-10 23:59:59"),  # 调休
        ("2027-01-04 23:59:59", Term(Unit.working_days, 1), "2026-12-31 23:59:59"),
        ("2026-11-18 15:00", Term(Unit.working_hours, 2), "2026-11-18 11:00"),  # over lunch
        ("2026-11-18 14:00", Term(Unit.working_hours, 1), "2026-11-18 11:00"),
        ("2026-11-23 09:00", Term(Unit.working_hours, 1), "2026-11-20 17:30"),
        ("2026-11-18 23:59:59", Term(Unit.working_hours, 4), "2026-11-18 14:00"),
        ("2026-11-22 10:00", Term(Unit.working_hours, 1), "2026-11-20 17:00"),
    ],
)
def test_warn_at(deadline: str, term: Term, warned: str) -> None:
    found = warn_at(at(deadline), term, CALENDAR)
    assert found == at(warned)
    assert found.tzinfo is UTC


@pytest.mark.parametrize("unit", [each for each in Unit if each not in WARNING_UNITS])
def test_a_warning_needs_a_length(unit: Unit) -> None:
    with pytest.raises(ValueError, match="提前多少"):
        warn_at(at("2026-11-18 10:00"), Term(unit), CALENDAR)


@pytest.mark.parametrize("unit", sorted(WARNING_UNITS))
def test_naive_deadlines_are_refused(unit: Unit) -> None:
    with pytest.raises(ValueError, match="没有时区"):
        warn_at(at("2026-11-18 10:00").replace(tzinfo=None), Term(unit, 1), CALENDAR)


def test_lengths_below_zero_are_refused() -> None:
    moment, day = at("2026-11-18 10:00"), date(2026, 11, 18)
    with pytest.raises(ValueError, match="不能是负数"):
        CALENDAR.add_working_time(moment, -HOUR)
    with pytest.raises(ValueError, match="不能是负数"):
        CALENDAR.subtract_working_time(moment, -HOUR)
    with pytest.raises(ValueError, match="不能是负数"):
        CALENDAR.subtract_working_days(day, -1)
    assert CALENDAR.add_working_time(moment, 0 * HOUR) == moment
    assert CALENDAR.subtract_working_time(moment, 0 * HOUR) == moment


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ([("8:30", "12:00")], "不是时刻"),
        ([("08:30", "25:00")], "不是时刻"),
        ([("08:30", "")], "不是时刻"),
        ([("12:00", "08:30")], "先早后晚"),
        ([("08:30", "08:30")], "先早后晚"),
        ([("08:30", "12:00"), ("11:00", "18:00")], "重叠"),
        ([("14:00", "18:00"), ("08:30", "12:00")], "次序颠倒"),
        ([("08:30",)], "两个时刻"),
    ],
)
def test_spans_that_make_no_sense_are_refused(pairs: list[tuple[str, ...]], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read_spans(pairs)


def test_spans_may_touch_and_end_at_midnight() -> None:
    assert read_spans([("00:00", "12:00"), ("12:00", "24:00")]) == ((0, 720), (720, 1440))
    assert read_spans([]) == ()


moments = st.timedeltas(timedelta(0), timedelta(days=5 * 365)).map(
    lambda offset: at("2023-01-01 00:00") + offset
)
lengths = st.integers(1, 200 * 60).map(lambda minutes: timedelta(minutes=minutes))
days_of = st.dictionaries(
    st.dates(date(2023, 1, 1), date(2028, 12, 31)), st.booleans(), max_size=20
)


@st.composite
def calendars(draw: st.DrawFn) -> WorkCalendar:
    """Calendars with some overrides and none to three spans of a day."""
    edges = sorted(draw(st.sets(st.integers(0, 1440), max_size=6)))
    spans: Spans = tuple(zip(edges[::2], edges[1::2], strict=False))
    return WorkCalendar(draw(days_of), spans)


@settings(deadline=None)
@given(moments, lengths, calendars())
@example(at("2026-12-31 23:59:59"), 8 * HOUR, CALENDAR)
@example(at("2026-02-14 18:00"), 8 * HOUR, CALENDAR)
def test_exactly_so_much_working_time_lies_between(
    start: datetime, length: timedelta, calendar: WorkCalendar
) -> None:
    end = calendar.add_working_time(start, length)
    assert calendar.working_time(start, end) == length
    # And no earlier instant would do: the end is reached while the clock runs.
    assert calendar.working_time(start, end - timedelta(microseconds=1)) < length


@settings(deadline=None)
@given(moments, lengths, calendars())
def test_going_back_undoes_going_forward(
    moment: datetime, length: timedelta, calendar: WorkCalendar
) -> None:
    end = calendar.add_working_time(moment, length)
    back = calendar.subtract_working_time(end, length)
    # Not always the moment itself: a clock that starts at night first runs in the morning.
    assert back >= moment
    assert calendar.working_time(moment, back) == timedelta(0)
    assert calendar.add_working_time(back, length) == end
    begin = calendar.subtract_working_time(moment, length)
    assert calendar.working_time(begin, moment) == length
    assert calendar.add_working_time(begin, length) <= moment


@settings(deadline=None)
@given(moments, moments, lengths, calendars())
def test_both_ways_are_monotone(
    one: datetime, other: datetime, length: timedelta, calendar: WorkCalendar
) -> None:
    early, late = sorted((one, other))
    assert calendar.add_working_time(early, length) <= calendar.add_working_time(late, length)
    back = calendar.subtract_working_time
    assert back(early, length) <= back(late, length)


@settings(deadline=None)
@given(st.dates(date(2023, 1, 1), date(2028, 1, 1)), st.integers(0, 60), days_of)
def test_working_days_back_and_forth(day: date, n: int, overrides: dict[date, bool]) -> None:
    calendar = WorkCalendar(overrides)
    back = calendar.subtract_working_days(day, n)
    between = [back + timedelta(days=k) for k in range((day - back).days)]
    assert sum(map(calendar.is_working_day, between)) == n
    if calendar.is_working_day(day):
        assert calendar.add_working_days(back, n) == day


warnings = st.builds(Term, st.sampled_from(sorted(WARNING_UNITS)), st.integers(1, 100))


@settings(deadline=None)
@given(moments, moments, warnings, calendars())
@example(at("2026-11-22 10:00"), at("2026-11-23 00:00"), Term(Unit.working_days, 1), WHOLE_DAYS)
def test_a_warning_comes_before_its_deadline_and_in_the_same_order(
    one: datetime, other: datetime, term: Term, calendar: WorkCalendar
) -> None:
    early, late = sorted((one, other))
    assert warn_at(early, term, calendar) < early
    assert warn_at(early, term, calendar) <= warn_at(late, term, calendar)


@settings(deadline=None)
@given(moments, warnings, calendars())
def test_a_longer_warning_comes_earlier(
    moment: datetime, term: Term, calendar: WorkCalendar
) -> None:
    assert term.amount is not None
    longer = Term(term.unit, term.amount + 1)
    assert warn_at(moment, longer, calendar) < warn_at(moment, term, calendar)


@settings(deadline=None)
@given(moments, warnings, calendars())
def test_a_warning_as_long_as_the_term_starts_with_it(
    start: datetime, term: Term, calendar: WorkCalendar
) -> None:
    end = due(start, term, calendar)
    assert end is not None
    # A term that starts on a day off is warned of, at the earliest, as the working day before ends.
    assume(term.unit is not Unit.working_days or calendar.is_working_day(shanghai_date(start)))
    # Terms in days run to the end of a day, and clocks wait for the morning: never before the start.
    assert warn_at(end, term, calendar) >= start
