"""What SQLite and PostgreSQL say differently of instants, and of folding one at a time, said once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Date, Numeric
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

#: The number that whoever folds facts holds in PostgreSQL until his transaction ends.
_FOLDING = 5_100_007


class ShanghaiDay(FunctionElement[Any]):
    """The day that people in Shanghai write at an instant."""

    type = Date()
    name = "shanghai_day"
    inherit_cache = True


class Seconds(FunctionElement[Any]):
    """The whole seconds of an instant since 1970."""

    type = BigInteger()
    name = "seconds"
    inherit_cache = True


class Middle(FunctionElement[Any]):
    """The median of what is not empty, exactly: an aggregate (SQLite's is in ``database``)."""

    type = Numeric()
    name = "middle"
    inherit_cache = True


class FoldIfFree(FunctionElement[Any]):
    """True if nobody else folds facts; then nobody does until this transaction ends."""

    type = Boolean()
    name = "fold_if_free"
    inherit_cache = True


class Fold(FunctionElement[Any]):
    """Waits until nobody else folds facts; then nobody does until this transaction ends."""

    type = Boolean()
    name = "fold"
    inherit_cache = True


class Loops(FunctionElement[Any]):
    """Lets PostgreSQL join by nested loops, or not, until this transaction ends.

    Of what windows let through it expects next to nothing, and would walk thousands of rows for
    each of thousands.
    """

    type = Boolean()
    name = "loops"
    inherit_cache = True


@compiles(ShanghaiDay)
def _day(element: Any, compiler: Any, **words: Any) -> str:
    # China keeps one time without summer time since 1991; SQLite knows no zones.
    return f"date({compiler.process(element.clauses, **words)}, '+8 hours')"


@compiles(ShanghaiDay, "postgresql")
def _day_of_postgresql(element: Any, compiler: Any, **words: Any) -> str:
    return f"CAST(timezone('Asia/Shanghai', {compiler.process(element.clauses, **words)}) AS DATE)"


@compiles(Seconds)
def _seconds(element: Any, compiler: Any, **words: Any) -> str:
    return f"CAST(strftime('%s', {compiler.process(element.clauses, **words)}) AS INTEGER)"


@compiles(Seconds, "postgresql")
def _seconds_of_postgresql(element: Any, compiler: Any, **words: Any) -> str:
    inner = compiler.process(element.clauses, **words)
    return f"CAST(floor(extract(epoch FROM {inner})) AS BIGINT)"


@compiles(Middle)
def _middle(element: Any, compiler: Any, **words: Any) -> str:
    return f"middle({compiler.process(element.clauses, **words)})"


@compiles(Middle, "postgresql")
def _middle_of_postgresql(element: Any, compiler: Any, **words: Any) -> str:
    inner = compiler.process(element.clauses, **words)
    return f"CAST(percentile_cont(0.5) WITHIN GROUP (ORDER BY {inner}) AS NUMERIC)"


@compiles(FoldIfFree)
@compiles(Fold)
@compiles(Loops)
def _alone(element: Any, compiler: Any, **words: Any) -> str:
    # SQLite has one writer at a time anyway.
    return "1"


@compiles(FoldIfFree, "postgresql")
def _try_lock(element: Any, compiler: Any, **words: Any) -> str:
    return f"pg_try_advisory_xact_lock({_FOLDING})"


@compiles(Fold, "postgresql")
def _lock(element: Any, compiler: Any, **words: Any) -> str:
    return f"pg_advisory_xact_lock({_FOLDING}) IS NULL"


@compiles(Loops, "postgresql")
def _let(element: Any, compiler: Any, **words: Any) -> str:
    inner = compiler.process(element.clauses, **words)
    return f"set_config('enable_nestloop', {inner}, true) IS NULL"
