"""What a judgement of the gate speaks of: whether a flush can have changed its outcome.

A row is judged before it is written. The judgement is a function of some columns of some tables; as
long as a flush has written none of these, judging the row once more gives the same again.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnClause, CompoundSelect, Select, Table, inspect
from sqlalchemy.orm import Mapper
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import BooleanClauseList, Grouping, UnaryExpression
from sqlalchemy.sql.operators import exists as some_row
from sqlalchemy.sql.selectable import Alias, ScalarSelect, SelectStatementGrouping

from models.organization import Organization


def is_changed(record: Any) -> bool:
    """Tell whether a flush would write a record of the session.

    As ``Session.is_modified``, which asks all attributes for what they were, whether set or not.
    """
    state: Any = inspect(record)
    same = state.unmodified
    return any(state.attrs[key].history.has_changes() for key in state.manager if key not in same)


class Written:
    """What one flush has written: new rows, and the columns of changed ones."""

    def __init__(self, added: Iterable[Any], flush_context: Any) -> None:
        fresh = {inspect(each) for each in added}
        self._new = {table for state in fresh for table in state.mapper.tables}
        self._states = [*flush_context.states]
        # Rows that follow from the tree are written past the session's objects (``rules.parties``),
        # and what goes with a deleted row may not be an object at all.
        self._far = any(
            flush_context.is_deleted(state) or state.class_ is Organization
            for state in self._states
        )
        # New rows count by their tables alone.
        self._columns = [
            column
            for state in self._states
            if state not in fresh
            for key in _keys(state.mapper) - state.unmodified
            if state.attrs[key].history.has_changes()
            for column in state.mapper.column_attrs[key].columns
        ]

    def bears_on(self, judgement: Select[Any]) -> bool:
        """Tell whether a judgement may come out otherwise after this flush than before it."""
        return self._bears(judgement, self._new)

    def may_undo(self, judgement: Select[Any]) -> bool:
        """Tell whether a judgement that let a row pass may not do so after this flush.

        New rows of which a judgement asks only that there be one can but let more pass.
        """
        return self._bears(judgement, self._new - _asked_for(judgement))

    def _bears(self, judgement: Select[Any], added: set[Table]) -> bool:
        if self._far:
            return True
        spoken = _spoken_of(judgement)
        if not _mapped().issuperset(spoken) or not added.isdisjoint(spoken):
            return True
        return any(column.key in spoken.get(column.table, ()) for column in self._columns)


@lru_cache(maxsize=256)
def _keys(mapper: Mapper[Any]) -> frozenset[str]:
    """Return the names of a record type's attributes that are columns."""
    return frozenset(mapper.column_attrs.keys())


def rows_may_undo(judgement: Select[Any], table: Any) -> bool:
    """Tell whether a judgement that let a row pass may not do so once a table has more rows."""
    spoken = _spoken_of(judgement)
    if not _mapped().issuperset(spoken):
        return True
    return table in spoken and table not in _asked_for(judgement)


@lru_cache(maxsize=4096)
def _spoken_of(judgement: Select[Any]) -> dict[Any, set[str]]:
    """Return the columns that a statement speaks of, by their tables, wherever in it they stand."""
    found: dict[Any, set[str]] = {}
    for each in visitors.iterate(judgement):
        if isinstance(each, Table):
            found.setdefault(each, set())
        elif isinstance(each, ColumnClause) and not _is_constant(each):
            for column in each.base_columns:
                found.setdefault(getattr(column, "table", None), set()).add(str(column.key))
    return found


@lru_cache(maxsize=4096)
def _asked_for(judgement: Select[Any]) -> frozenset[Table]:
    """Return the tables of which a judgement asks whether there is a row of some kind, and no more.

    Those found behind ANDs and ORs of such questions alone: whatever else holds a question in it, a
    NOT or a list of values, may come out otherwise for a new row.
    """
    asked: set[Table] = set()
    other: set[Table] = set()
    waiting: list[Any] = [judgement]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Select) and not _counts(each):
            plain = {
                source.element if isinstance(source, Alias) else source
                for source in each.get_final_froms()
            }
            asked |= {source for source in plain if isinstance(source, Table)}
            # Joined or gathered otherwise: a row may be there to make sure that there is none.
            other |= {part for source in plain - asked for part in _tables(source)}
            waiting += each._where_criteria
        elif isinstance(each, BooleanClauseList):
            waiting += each.clauses
        elif isinstance(each, Grouping | SelectStatementGrouping | ScalarSelect) or (
            isinstance(each, UnaryExpression) and each.operator is some_row
        ):
            waiting.append(each.element)
        elif _questions(each):
            other |= _tables(each)
    return frozenset(asked - other)


def _counts(statement: Select[Any]) -> bool:
    """Tell whether a statement asks for more than rows that pass a test."""
    parts = (
        statement._limit_clause,
        statement._offset_clause,
        statement._group_by_clauses,
        statement._having_criteria,
        statement._distinct,
    )
    return any(part is not None and part is not False and part != () for part in parts)


def _questions(clause: Any) -> bool:
    return any(isinstance(each, Select | CompoundSelect) for each in visitors.iterate(clause))


def _tables(clause: Any) -> set[Table]:
    return {each for each in visitors.iterate(clause) if isinstance(each, Table)}


def _is_constant(column: ColumnClause[Any]) -> bool:
    """Tell whether it is the star of a probe, or a number: it speaks of no column."""
    return column.is_literal and (column.name == "*" or column.name.isdigit())


@lru_cache(maxsize=1)
def _mapped() -> frozenset[Table]:
    """Return the tables whose rows are written as objects, so that a flush knows of each change."""
    secondary = {
        relation.secondary
        for mapper in Organization.registry.mappers
        for relation in mapper.relationships
        if relation.secondary is not None
    }
    tables = {table for mapper in Organization.registry.mappers for table in mapper.tables}
    return frozenset(tables - secondary)
