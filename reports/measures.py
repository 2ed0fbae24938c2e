"""The measures of whistles, each defined once: formula, meaning, unit (domain section 8).

A measure is counted over the rows of ``ticket_fact`` (``reports.facts``), which the session's gate narrows.
A period takes a row by its day: that of the dispatch to the department, or of the whistle while there
is none. A question that has departments in it speaks of every department that led a ticket; any other
of the current rows, one for each ticket. What is due: answered, or its deadline is past.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from models.measure import TicketFact as Fact
from models.ticket import TicketStatus
from reports.measure_types import ALL as ALL
from reports.measure_types import Dimension as Dimension
from reports.measure_types import Line as Line
from reports.measure_types import Measure as Measure
from reports.measure_types import Question as Question
from reports.measure_types import Sight, Test, Unit
from reports.measure_types import Value as Value
from reports.numbers import Period as Period
from reports.questions import ask as ask
from reports.questions import headings as headings
from reports.questions import total as total
from reports.questions import totals as totals


def _raised(sight: Sight) -> ColumnElement[bool]:
    return Fact.ticket_id.is_not(None)


def _dispatched(sight: Sight) -> ColumnElement[bool]:
    return Fact.dispatched.is_(True)


def _closed(sight: Sight) -> ColumnElement[bool]:
    return and_(Fact.closed.is_(True), Fact.status == TicketStatus.CLOSED)


def _due(on_time: Any, due: Any) -> Test:
    return lambda sight: and_(
        Fact.dispatched.is_(True), or_(on_time.is_not(None), due <= sight.now)
    )


def _overdue(on_time: Any, due: Any) -> Test:
    return lambda sight: and_(Fact.dispatched.is_(True), on_time.is_(None), due <= sight.now)


def _is(column: Any) -> Test:
    return lambda sight: column.is_(True)


def _known(column: Any) -> Test:
    return lambda sight: column.is_not(None)


def _closed_by_deadline(sight: Sight) -> ColumnElement[bool]:
    return and_(_closed(sight), Fact.resolved_on_time.is_not(None))


def _ever_closed(sight: Sight) -> ColumnElement[bool]:
    return Fact.closed.is_(True)


def _returned(sight: Sight) -> ColumnElement[bool]:
    return (Fact.returned if sight.by_department else Fact.ticket_returned).is_(True)


def _graded(sight: Sight) -> ColumnElement[bool]:
    return Fact.grades > 0


MEASURES: tuple[Measure, ...] = (
    Measure(
        "raised", "吹哨数",
        "已经吹响的哨单，不论后来怎样；草稿和属地处置中、就地解决的不计。按承办单位：派到本单位的。",
        Unit.COUNT, None, _raised,
    ),
    Measure(
        "dispatched", "派单数",
        "派出给部门的哨单；并入其他哨单的不计。按承办单位：派到本单位主办的，退回、移交的也计入。",
        Unit.COUNT, None, _dispatched,
    ),
    Measure(
        "response_rate", "响应率",
        "应哨期限内应哨的 ÷ 应当应哨的（已经应哨，或应哨期限已过；没有应哨期限的不计）。",
        Unit.PERCENT, True, _due(Fact.responded_on_time, Fact.respond_due),
        _is(Fact.responded_on_time), waits=_overdue(Fact.responded_on_time, Fact.respond_due),
    ),
    Measure(
        "arrival_rate", "报到率",
        "报到期限内报到的 ÷ 应当报到的（已经报到，或报到期限已过；没有报到期限的不计）。",
        Unit.PERCENT, True, _due(Fact.arrived_on_time, Fact.arrive_due), _is(Fact.arrived_on_time),
        waits=_overdue(Fact.arrived_on_time, Fact.arrive_due),
    ),
    Measure("closed", "销号数", "已销号的哨单，计给最后主办的单位。", Unit.COUNT, True, _closed),
    Measure(
        "closed_on_time", "按期办结数", "已销号，且主办单位在办结期限内反馈结果的哨单。",
        Unit.COUNT, True, _closed, _is(Fact.resolved_on_time),
    ),
    Measure(
        "closing_rate", "办结率", "已销号的 ÷ 派单数。", Unit.PERCENT, True,
        _dispatched, _closed,
    ),
    Measure(
        "on_time_rate", "按期办结率",
        "主办单位在办结期限内反馈结果的 ÷ 已销号的；没有办结期限的不计。",
        Unit.PERCENT, True, _closed_by_deadline, _is(Fact.resolved_on_time),
    ),
    Measure(
        "return_rate", "退单率",
        "审核同意退单的 ÷ 派单数。按承办单位：由本单位退回的；其他：有部门退回过的，每单只计一次。",
        Unit.PERCENT, False, _dispatched, _returned, own=True,
    ),
    Measure(
        "reopen_rate", "回流率",
        "退回重办过的 ÷ 销号过的（现在已销号的，和销号以后又退回重办的）。还没有销号过的都不计，销号后再计。",
        Unit.PERCENT, False, _ever_closed, _is(Fact.reopened),
    ),
    Measure(
        "satisfaction", "满意度",
        "吹哨单位给主办单位的各项评价中，“满意”及以上的项数 ÷ 全部项数；以最后一轮、最后一次修改为准。",
        Unit.PERCENT, True, _graded, adds=(Fact.satisfied, Fact.grades),
    ),
    Measure(
        "stars", "群众星级", "群众所给星级的平均，一至五星；没有给的不计。",
        Unit.STARS, True, _known(Fact.stars), adds=(Fact.stars, None),
    ),
    Measure(
        "respond_hours", "平均应哨用时",
        "从派单到应哨的时间，只计已经应哨的；从派单（移交）给承办单位时起算。各单用时之和 ÷ 单数。",
        Unit.HOURS, False, _known(Fact.respond_minutes), adds=(Fact.respond_minutes, None),
    ),
    Measure(
        "respond_hours_median", "应哨用时中位数",
        "从派单到应哨的时间，只计已经应哨的；从派单（移交）给承办单位时起算。从短到长排在正中的一单的用时。",
        Unit.HOURS, False, _known(Fact.respond_minutes), adds=(Fact.respond_minutes, None), median=True,
    ),
    Measure(
        "arrive_hours", "平均报到用时",
        "从派单到报到的时间，只计已经报到的；从派单（移交）给承办单位时起算。各单用时之和 ÷ 单数。",
        Unit.HOURS, False, _known(Fact.arrive_minutes), adds=(Fact.arrive_minutes, None),
    ),
    Measure(
        "arrive_hours_median", "报到用时中位数",
        "从派单到报到的时间，只计已经报到的；从派单（移交）给承办单位时起算。从短到长排在正中的一单的用时。",
        Unit.HOURS, False, _known(Fact.arrive_minutes), adds=(Fact.arrive_minutes, None), median=True,
    ),
    Measure(
        "resolve_hours", "平均反馈用时",
        "从派单到反馈结果的时间，只计已经反馈的；从派单（移交）给承办单位时起算。各单用时之和 ÷ 单数。",
        Unit.HOURS, False, _known(Fact.resolve_minutes), adds=(Fact.resolve_minutes, None),
    ),
    Measure(
        "resolve_hours_median", "反馈用时中位数",
        "从派单到反馈结果的时间，只计已经反馈的；从派单（移交）给承办单位时起算。从短到长排在正中的一单的用时。",
        Unit.HOURS, False, _known(Fact.resolve_minutes), adds=(Fact.resolve_minutes, None), median=True,
    ),
)  # fmt: skip
_BY_CODE = {each.code: each for each in MEASURES}


def tickets_of(measure: Measure, question: Question, *, part: bool = True) -> dict[str, str]:
    """Return the arguments of ``/tickets/list/`` for a number; see ``reports.measure_lists``."""
    from reports import measure_lists  # it names the measures

    return measure_lists.tickets_of(measure, question, part=part)


def measure(code: str) -> Measure:
    """Return the measure of that code; raises ``KeyError`` if there is none."""
    return _BY_CODE[code]
