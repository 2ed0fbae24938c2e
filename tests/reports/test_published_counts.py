"""The counts that cities have published give the rates that they have published (domain section 8).

Which reading of a rate gives the published figure:

- Hohhot, 5,117 whistles and 3,101 closed, 60.6 %: 办结率, closed ÷ dispatched, every whistle having been
  sent out, and those still at work in the denominator. Its shared bicycles, 277 and 263, "95 %": the same
  of one matter, 94.9 % to one decimal, published as a whole number.
- Jiujiang, 969 dispatched and 894 closed on time: 按期办结数 over 派单数, 92.3 %. Our 按期办结率 has the closed
  ones as its denominator, and gives the same where all that was sent out is closed. Satisfaction 96.2 %:
  满意度 over single grades, four to a whistle; counted by whistles without one poor grade it would be less.
- Yinchuan, 2,382 whistles and 2,223 solved: 办结率 again, 93.3 %.
- Hohhot's return rate under 13 %: 退单率, tickets that some department gave back ÷ dispatched. By department,
  it is that department's own returns.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from sqlalchemy.orm import Session

from models.grade import Grade
from models.ticket import TicketStatus
from reports import facts
from reports.measures import MEASURES, Dimension, Period, Question, Value, ask, measure, total
from tests.factories.histories import CLOSED, LATE, OPEN, RETURNED, Fate, load
from tests.factories.world import World

BEGUN = dt.datetime(2026, 1, 5, 1, tzinfo=dt.UTC)
YEAR = Question(Period(dt.date(2026, 1, 1), dt.date(2026, 12, 31)))
NOW = dt.datetime(2026, 12, 31, 12, tzinfo=dt.UTC)


def found(session: Session, question: Question = YEAR) -> dict[str, Value]:
    """Return every measure of what was loaded."""
    facts.rebuild(session)
    return total(session, question, MEASURES, NOW)


def percent(value: Value) -> str:
    """Return a share as it is printed."""
    assert value.value is not None
    return f"{value.value:.1f}"


def test_hohhot(session: Session, world: World) -> None:
    bicycles = [Fate(TicketStatus.CLOSED, reported=50, matter="共享单车")] * 263
    bicycles += [Fate(matter="共享单车")] * (277 - 263)
    back = int(5117 * 0.12)
    rest = [CLOSED] * (3101 - 263) + [RETURNED] * back
    rest += [OPEN] * (5117 - len(bicycles) - len(rest))
    load(world, bicycles + rest, BEGUN)
    values = found(session)
    assert (values["raised"].part, values["dispatched"].part, values["closed"].part) == (
        5117, 5117, 3101,
    )  # fmt: skip
    assert percent(values["closing_rate"]) == "60.6"
    returned = values["return_rate"].value
    assert returned is not None
    assert Decimal(11) < returned < Decimal(13)
    (line,) = [
        line
        for line in ask(session, Question(YEAR.period, Dimension.MATTER), MEASURES, NOW)
        if line.key == "共享单车"
    ]
    assert (line.values["dispatched"].part, line.values["closed"].part) == (277, 263)
    assert f"{line.values['closing_rate'].value:.0f}" == "95"
    by_department = ask(session, Question(YEAR.period, Dimension.DEPARTMENT), MEASURES, NOW)
    assert [percent(each.values["return_rate"]) for each in by_department] == ["12.0"]


def test_jiujiang(session: Session, world: World) -> None:
    good, fair = Grade.SATISFIED, Grade.FAIR
    # 969 × 4 grades, 96.2 % of them good: 147 that are not.
    poor = Fate(TicketStatus.CLOSED, reported=150, grades=(good, fair, good, fair))
    single = Fate(TicketStatus.CLOSED, reported=150, grades=(good, good, good, fair))
    fine = Fate(TicketStatus.CLOSED, reported=50, grades=(Grade.VERY_SATISFIED, good, good, good))
    fates = [poor] * 72 + [single] * 3 + [fine] * 894
    load(world, fates, BEGUN)
    values = found(session)
    assert values["dispatched"].part == 969
    assert values["closed_on_time"].part == 894
    assert (values["on_time_rate"].part, values["on_time_rate"].of) == (894, 969)
    assert percent(values["on_time_rate"]) == "92.3"
    assert (values["satisfaction"].part, values["satisfaction"].of) == (969 * 4 - 147, 969 * 4)
    assert percent(values["satisfaction"]) == "96.2"


def test_jiujiang_with_some_still_at_work(session: Session, world: World) -> None:
    load(world, [CLOSED] * 894 + [LATE] * 40 + [OPEN] * 35, BEGUN)
    values = found(session)
    closed_on_time, dispatched = values["closed_on_time"].part, values["dispatched"].part
    assert closed_on_time is not None
    assert dispatched is not None
    assert f"{100 * closed_on_time / dispatched:.1f}" == "92.3"
    assert (values["on_time_rate"].part, values["on_time_rate"].of) == (894, 934)


def test_yinchuan(session: Session, world: World) -> None:
    load(world, [CLOSED] * 2223 + [OPEN] * (2382 - 2223), BEGUN)
    values = found(session)
    assert (values["closing_rate"].part, values["closing_rate"].of) == (2223, 2382)
    assert percent(values["closing_rate"]) == "93.3"
    assert percent(values["response_rate"]) == "100.0"
    assert measure("closing_rate").title == "办结率"
