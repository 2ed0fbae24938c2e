"""Answers to questions about measures: a fixed number of statements, narrowed by the session's gate."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from models.measure import FactMonth
from models.measure import TicketFact as Fact
from models.organization import Organization, OrganizationKind
from models.ticket import Channel, Theme
from reports.measure_types import Dimension, Key, Line, Measure, Question, Sight, Values
from reports.numbers import Period
from rules.actor import current
from rules.calendar import shanghai_date
from rules.months import area_kind, reads_counties, split
from rules.policy import Action, Scope, scopes

Keys = tuple[Key, ...]
#: Above how many keys of a dimension all organisations are read instead of those named.
_MANY = 500
_NONE_LABELS = {
    Dimension.DEPARTMENT: "尚未派单",
    Dimension.COUNTY: "市级",
    Dimension.TOWNSHIP: "县级及以上",
    Dimension.COMMUNITY: "乡镇（街道）及以上",
    Dimension.MATTER: "未对应事项",
}


def ask(
    session: Session, question: Question, measures: Sequence[Measure], now: dt.datetime
) -> list[Line]:
    """Return the lines of a question, in the order of their dimension; without rows there is one.

    Lines and cells are there where a ticket is. ``now`` decides what is due. With columns, a line's own
    values are those of its question without them.
    """
    crossed: dict[Keys, Values] = {}
    plain, left = replace(question, columns=None), list(measures)
    lines: dict[Key, Values] = {}
    if question.columns is not None:
        crossed = _grouped(session, question, measures, now)
        if plain.by_department == question.by_department:
            # The cells are the line's own rows: what is summed need not be asked twice.
            lines = _summed(crossed, [each for each in measures if not each.median])
            left = [each for each in measures if each.median]
    if left:
        for keys, values in _grouped(session, plain, left, now).items():
            lines.setdefault(_row(keys), {}).update(values)
    cells: dict[Key, dict[Key, Values]] = {}
    for keys, values in crossed.items():
        cells.setdefault(_row(keys[:-1]), {})[keys[-1]] = values
        # A department that has left a ticket has a cell, though no line of a ticket tells of it.
        if _row(keys[:-1]) not in lines:
            lines[_row(keys[:-1])] = {each.code: each.valued(None, None) for each in measures}
    titles = titled(session, question.rows, lines) if question.rows else {None: "合计"}
    return [Line(key, title, lines[key], cells.get(key, {})) for key, title in titles.items()]


def _row(keys: Keys) -> Key:
    return keys[0] if keys else None


def _summed(cells: Mapping[Keys, Values], measures: Sequence[Measure]) -> dict[Key, Values]:
    """Return the values of lines from those of their cells."""
    sums: dict[Key, dict[str, list[Any]]] = {}
    for keys, values in cells.items():
        mine = sums.setdefault(_row(keys[:-1]), {each.code: [0, None] for each in measures})
        for each in measures:
            value, found = values[each.code], mine[each.code]
            found[0] += value.part or 0
            if value.of is not None:
                found[1] = (found[1] or 0) + value.of
    return {
        key: {each.code: each.valued(*found[each.code]) for each in measures}
        for key, found in sums.items()
    }


def headings(session: Session, question: Question, lines: Iterable[Line]) -> list[tuple[Key, str]]:
    """Return the columns of an answer, key and title, in the order of their dimension."""
    if question.columns is None:
        return []
    keys = {key for line in lines for key in line.cells}
    return list(titled(session, question.columns, keys).items())


def total(
    session: Session, question: Question, measures: Sequence[Measure], now: dt.datetime
) -> Values:
    """Return the values over all that is asked for, each ticket once, whatever the lines are.

    Only a question about one department speaks of that department's part.
    """
    return _grouped(session, question.whole(), measures, now)[()]


def totals(
    session: Session, questions: Sequence[Question], measures: Sequence[Measure], now: dt.datetime
) -> list[Values]:
    """Return ``total`` of questions that differ in their periods only, by one statement; no medians.

    The database reads its rows once, and sums them by day or by month.
    """
    (first, *others) = [each.whole() for each in questions]
    if any(each.filters != first.filters for each in others):
        raise ValueError("questions of one statement may differ in their periods only")
    if any(each.median for each in measures):
        raise ValueError("a median is not the sum of others")
    periods = [each.period for each in questions]
    whole = all(each.whole_months for each in periods)
    column, sight = Fact.month if whole else Fact.day, Sight(first.by_department, now)
    sums = [each for measure in measures for each in measure.sums(sight) if each is not None]
    within = or_(*(and_(*_days(each)) for each in periods))
    statement = _about(session, select(column, *sums), first).where(within).group_by(column)
    rows = session.execute(statement).all()
    found = []
    for period in periods:
        begun, ended = (_month(each) if whole else each for each in (period.first, period.last))
        mine = [row[1:] for row in rows if begun <= row[0] <= ended]
        added = iter([sum(column) for column in zip(*mine, strict=True)] or [0] * len(sums))
        found.append(
            {
                each.code: each.valued(
                    next(added), None if each.sums(sight)[1] is None else next(added)
                )
                for each in measures
            }
        )
    return found


def _month(day: dt.date) -> int:
    return day.year * 100 + day.month


def _grouped(
    session: Session, question: Question, measures: Sequence[Measure], now: dt.datetime
) -> dict[Keys, Values]:
    """Return the values for each combination of keys; medians by a statement of their own."""
    found: dict[Keys, Values] = {}
    sight = Sight(question.by_department, now)
    dimensions = [each for each in (question.rows, question.columns) if each is not None]
    columns = [each.column for each in dimensions]
    for median in (False, True):
        some = [each for each in measures if each.median is median]
        if not some:
            continue
        sums = [each.sums(sight) for each in some]
        counted = [of is None for _part, of in sums]
        asked = [each for pair in sums for each in pair if each is not None]
        rows: list[tuple[Keys, Sequence[Any]]]
        if not median and (parts := by_months(session, question, some, sight)) is not None:
            rows = _added(session.execute(parts), len(columns))
        else:
            statement = narrowed(session, select(*columns, *asked), question).group_by(*columns)
            rows = [
                (tuple(r[: len(columns)]), r[len(columns) :]) for r in session.execute(statement)
            ]
        for keys, numbers in rows:
            mine, left = found.setdefault(keys, {}), iter(numbers)
            for each, alone in zip(some, counted, strict=True):
                mine[each.code] = each.valued(next(left), None if alone else next(left))
    return found


def _added(rows: Iterable[Any], size: int) -> list[tuple[Keys, Sequence[Any]]]:
    """Return rows of the same keys added up; the keys are their first columns."""
    found: dict[Keys, list[Any]] = {}
    for row in rows:
        keys, numbers = tuple(row[:size]), row[size:]
        there = found.get(keys)
        found[keys] = [a + b for a, b in zip(there, numbers, strict=True)] if there else [*numbers]
    return list(found.items())


#: What stands for none in ``FactMonth``; written out, or PostgreSQL would group by another parameter.
_NOBODY = literal(0, literal_execute=True)
#: The columns of ``FactMonth`` by which it can be asked.
_KEPT = {
    Dimension.DEPARTMENT: func.nullif(FactMonth.department_id, _NOBODY),
    Dimension.COUNTY: func.nullif(FactMonth.county_id, _NOBODY),
    Dimension.TOWNSHIP: func.nullif(FactMonth.township_id, _NOBODY),
    Dimension.CLASS: FactMonth.class_name,
    Dimension.MONTH: FactMonth.month,
}


def by_months(
    session: Session, question: Question, measures: Sequence[Measure], sight: Sight
) -> CompoundSelect[Any] | None:
    """Return a question by the sums of its whole months, the facts of its other days, and what waits.

    Rows of the same keys are to be added up. None if it must be asked of the facts: no whole month is in
    it, it tells apart what the sums do not, or its reader reads no whole county.
    """
    parts = split(question.period.first, question.period.last, shanghai_date(sight.now))
    dimensions = [each for each in (question.rows, question.columns) if each is not None]
    told = {*dimensions, *question.filters}
    if parts.months is None or not told <= _KEPT.keys() or not reads_counties(session):
        return None
    keys, kept = [each.column for each in dimensions], [_KEPT[each] for each in dimensions]
    columns = [each for one in measures for each in one.kept(sight) if each is not None]
    tests = [parts.within(FactMonth.month), FactMonth.raised > 0]
    tests += [_is(_KEPT[each], key) for each, key in question.filters.items()]
    if not question.by_department:
        tests.append(FactMonth.current.is_(True))
    found = [
        select(*kept, *(func.coalesce(func.sum(each), 0) for each in columns))
        .where(*tests)
        .group_by(*kept)
    ]
    if parts.edges:
        sums = [each for one in measures for each in one.sums(sight) if each is not None]
        edges = parts.at_edges(Fact.month, Fact.day)
        found.append(_about(session, select(*keys, *sums), question).where(edges).group_by(*keys))
    for each in measures:
        if each.waits is not None:
            waiting = each.waits(sight)
            counts = [
                func.count(Fact.id) if one is each and side else literal(0)
                for one in measures
                for side, of in enumerate(one.kept(sight))
                if of is not None
            ]
            late = _about(session, select(*keys, *counts), question).where(waiting)
            found.append(late.where(parts.within(Fact.month)).group_by(*keys))
    return union_all(*found)


def narrowed(session: Session, statement: Select[Any], question: Question) -> Select[Any]:
    """Narrow a statement over facts to a question: its days, its filters, whose rows it speaks of.

    And to the reader's own place, which says nothing that the gate does not say; but the database
    finds the rows by it.
    """
    return _about(session, statement, question).where(*_days(question.period))


def _about(session: Session, statement: Select[Any], question: Question) -> Select[Any]:
    """Narrow a statement to what a question is about, whatever its days."""
    tests = [
        *own_place(session),
        *(_is(each.column, key) for each, key in question.filters.items()),
    ]
    if not question.by_department:
        tests.append(Fact.current.is_(True))
    return statement.where(*tests)


def _is(column: Any, key: Key) -> ColumnElement[bool]:
    test: ColumnElement[bool] = column.is_(None) if key is None else column == key
    return test


def _days(period: Period) -> list[ColumnElement[bool]]:
    """Return the test of the days; months alone are found by the indexes."""
    first, last = period.first, period.last
    tests: list[ColumnElement[bool]] = [Fact.month.between(_month(first), _month(last))]
    if not period.whole_months:
        tests.append(Fact.day.between(first, last))
    return tests


_LEVELS = {OrganizationKind.COUNTY: Fact.county_id, OrganizationKind.TOWNSHIP: Fact.township_id}


def own_place(session: Session) -> list[ColumnElement[bool]]:
    """Return the reader's own place, or department, as tests of a fact's columns, by which it is found.

    They say nothing that the gate does not say.
    """
    actor = current(session)
    granted = scopes(actor.roles, "ticket_fact", Action.READ)
    if actor.system or actor.organization_id is None:
        return []
    if granted == {Scope.PARTY}:
        return [Fact.department_id == actor.organization_id]
    if granted != {Scope.AREA} or actor.area_id is None:
        return []
    kind = area_kind(session)
    column = _LEVELS.get(kind) if kind else None
    return [] if column is None else [column == actor.area_id]


# What keys are called


def titled(session: Session, dimension: Dimension, keys: Iterable[Key]) -> dict[Key, str]:
    """Return the titles of some keys of a dimension, in its order; nothing at all comes last."""
    wanted = set(keys)
    there = {each for each in wanted if each is not None}
    found: dict[Key, str]
    if dimension.places:
        found = _organizations(session, there)
    elif dimension in (Dimension.THEME, Dimension.CHANNEL):
        members: Mapping[Key, str] = {
            each.value: each.title for each in (Theme if dimension is Dimension.THEME else Channel)
        }
        found = {key: title for key, title in members.items() if key in there}
    elif dimension is Dimension.MONTH:
        found = {key: f"{int(key) // 100}年{int(key) % 100}月" for key in sorted(there, key=int)}
    else:
        found = {key: str(key) for key in sorted(there, key=str)}
    if None in wanted:
        found[None] = _NONE_LABELS.get(dimension, "—")
    return found


def _organizations(session: Session, ids: set[Any]) -> dict[Key, str]:
    named = select(Organization.id, Organization.name).order_by(Organization.code)
    if len(ids) <= _MANY:
        named = named.where(Organization.id.in_(ids))
    return {number: name for number, name in session.execute(named) if number in ids}
