"""What the measures are summed from, derived from tickets: folded as they change, or all anew (domain 8).

Triggers mark what has changed (migration 0007), ``reports.fact_rows`` says what a row counts, and the
sums of whole months follow (decision 0029). Nothing here commits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, and_, delete, func, select, type_coerce
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models.measure import FactMark, TicketFact
from models.ticket import Ticket
from reports import fact_months, fact_rows
from reports.fact_rows import Within
from reports.instants import Fold, FoldIfFree, Loops
from rules import grade_months
from rules.actor import SYSTEM, acting_as

#: So many marks are read, and so many tickets rebuilt, by one statement.
SLICE = 1_500
REBUILT = 10_000
#: So many marks are folded while a reader waits: a second, should the worker have been idle for long.
USUAL = 5_000

# Folding


def catch_up(session: Session, limit: int | None = USUAL) -> int:
    """Make the rows of marked tickets anew, at most ``limit`` marks; return how many tickets that were.

    The usual limit is what a reader may wait for; None: all. Who comes while another folds, or while
    another holds SQLite, leaves it to him and returns 0. A mark that is written meanwhile stays for the
    next time, so nothing is lost. Acts for the system; never commits.
    """
    session.flush()
    with acting_as(session, SYSTEM):
        if session.scalar(select(FactMark.id).limit(1)) is None or not _alone(session):
            return 0
        done = read = last = 0
        while limit is None or read < limit:
            size = SLICE if limit is None else min(SLICE, limit - read)
            found = select(FactMark.id, FactMark.ticket_id).where(FactMark.id > last)
            marks = session.execute(found.order_by(FactMark.id).limit(size)).all()
            if not marks:
                break
            read, last = read + len(marks), marks[-1].id
            held = _held_by_others(session, {each.ticket_id for each in marks})
            taken = [each for each in marks if each.ticket_id not in held]
            done += _fold(session, {each.ticket_id for each in taken})
            gone = delete(FactMark).where(FactMark.id.in_([each.id for each in taken]))
            session.execute(gone, execution_options=_APART)
    return done


def _held_by_others(session: Session, tickets: set[int]) -> set[int]:
    """Return which tickets somebody takes a step on right now, and hold the others.

    His step is not to wait for us, nor we for him: what he does is marked, and folded next time.
    """
    some = select(Ticket.id).where(Ticket.id.in_(sorted(tickets)))
    free = session.scalars(some.with_for_update(read=True, key_share=True, skip_locked=True))
    missing = tickets - set(free)
    if not missing:
        return missing
    return set(session.scalars(select(Ticket.id).where(Ticket.id.in_(sorted(missing)))))


def _alone(session: Session) -> bool:
    """Be the only one who folds until the transaction ends, if nobody else does."""
    try:
        # Nothing is deleted: SQLite's one writer is whoever has begun to write.
        session.execute(delete(FactMark).where(FactMark.id < 0), execution_options=_APART)
    except OperationalError as error:
        if "locked" in str(error.orig):
            return False
        raise
    return bool(session.scalar(select(FoldIfFree())))


#: What keeps sums of the facts.
_KEPT = (fact_months, grade_months)
#: Rows are deleted and made by statements; nobody holds them as objects.
_APART = {"synchronize_session": False}


def _fold(session: Session, tickets: set[int]) -> int:
    ids = sorted(tickets)

    def within(column: Any) -> ColumnElement[bool]:
        found: ColumnElement[bool] = column.in_(ids)
        return found

    for each in _KEPT:
        each.change(session, within, -1)
    old = delete(TicketFact).where(within(TicketFact.ticket_id))
    session.execute(old, execution_options=_APART)
    fact_rows.write(session, within)
    for each in _KEPT:
        each.change(session, within, 1)
    return len(ids)


def rebuild(session: Session) -> int:
    """Make all rows anew, and drop the marks that are done with; return how many tickets there are.

    Waits for whoever folds. Acts for the system; never commits.
    """
    session.flush()
    with acting_as(session, SYSTEM):
        session.execute(delete(FactMark).where(FactMark.id < 0), execution_options=_APART)
        session.scalar(select(Fold()))
        session.execute(delete(FactMark), execution_options=_APART)
        session.execute(delete(TicketFact), execution_options=_APART)
        session.scalar(select(Loops("off")))
        for first, last in _stretches(session):
            fact_rows.write(session, _between(first, last))
        session.scalar(select(Loops("on")))
        sum_up(session)
        return session.scalar(select(func.count(TicketFact.ticket_id.distinct()))) or 0


def sum_up(session: Session) -> None:
    """Make the sums of months anew of the facts that there are. Acts for the system; never commits."""
    with acting_as(session, SYSTEM):
        for each in _KEPT:
            each.make(session)


def _between(first: int, last: int) -> Within:
    return lambda column: cast("ColumnElement[bool]", column.between(first, last))


def _stretches(session: Session) -> Iterator[tuple[int, int]]:
    """Yield spans of ids that hold all tickets."""
    first, last = session.execute(select(func.min(Ticket.id), func.max(Ticket.id))).one()
    for start in range(first or 0, (last or -1) + 1, REBUILT):
        yield start, start + REBUILT - 1


def check(session: Session) -> list[str]:
    """Return, as sentences, where the rows that are kept differ from those made anew.

    Tickets that are marked are left out: their rows are known to be old. And where the sums of months
    differ from those of the rows that are kept.
    """
    found: list[str] = []
    with acting_as(session, SYSTEM):
        for first, last in _stretches(session):
            found += _differences(session, first, last)
        for each in _KEPT:
            found += each.differences(session)
    return found


def _differences(session: Session, first: int, last: int) -> list[str]:
    def within(column: Any) -> ColumnElement[bool]:
        marked = select(FactMark.ticket_id).where(FactMark.ticket_id.between(first, last))
        return and_(column.between(first, last), column.not_in(marked))

    names = list(fact_rows.columns())
    kept = select(*(getattr(TicketFact, name) for name in names))
    have = _by_turn(session.execute(kept.where(within(TicketFact.ticket_id))).all(), names)
    made = fact_rows.derived(within, fact_rows.left_by(session, within)).subquery()
    shown = select(*(type_coerce(made.c[name], getattr(TicketFact, name).type) for name in names))
    want = _by_turn(session.execute(shown).all(), names)
    said = []
    for key in sorted(have.keys() | want.keys()):
        ours, right = have.get(key), want.get(key)
        if ours == right:
            continue
        if ours is None or right is None:
            said.append(f"哨单 {key[0]} 的第 {key[1]} 行统计{'缺失' if ours is None else '多余'}。")
            continue
        off = [name for name in names if ours[name] != right[name]]
        said.append(f"哨单 {key[0]} 的第 {key[1]} 行统计不符：{'、'.join(off)}。")
    return said


def _by_turn(rows: Sequence[Any], names: list[str]) -> dict[tuple[int, int], dict[str, Any]]:
    found = [dict(zip(names, row, strict=True)) for row in rows]
    return {(each["ticket_id"], each["position"]): each for each in found}
