"""Exporting a list to xlsx: rows are fetched and written in chunks, whatever their number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO, Any

from sqlalchemy import Select, func, inspect, select
from sqlalchemy.orm import Session, joinedload, raiseload, selectinload

from imports.places import ambiguous
from imports.sheets import (
    Out,
    columns_of,
    heading,
    new_book,
    set_widths,
    sheet_name,
    text_cell,
    value_cell,
)
from imports.specs.records import RecordSpec
from models.organization import Organization
from rules.actor import current
from rules.personal import value_for

#: Rows of a file at most; nobody reads more, and Excel opens no more in a breath.
MOST = 50_000
CHUNK = 500


def export(
    session: Session, spec: RecordSpec, statement: Select[Any], file: IO[bytes], most: int = MOST
) -> int:
    """Write the rows of a statement over ``spec.model`` into a workbook; return how many there are.

    ``statement`` carries filters and order; the gate narrows it. Two statements a chunk beside the
    rows' own at most. Of more than ``most`` rows only the first are written, and a line above the
    headings says so.
    """
    more = _is_more(session, spec, statement, most)
    outs = columns_of(spec, shown=True)
    book = new_book()
    sheet = book.create_sheet(sheet_name(spec))
    set_widths(sheet, outs)
    sheet.freeze_panes = "A3" if more else "A2"
    if more:
        sheet.append(
            [f"※ 符合条件的超过 {most} 条，这里只有前 {most} 条；请缩小筛选范围，分几次导出。"]
        )
    sheet.append([heading(sheet, out) for out in outs])
    number = 0
    for row in _rows(session, spec, statement.limit(most), outs, sheet):
        sheet.append(row)
        number += 1
    book.save(file)
    return number


def _is_more(session: Session, spec: RecordSpec, statement: Select[Any], most: int) -> bool:
    some = statement.with_only_columns(spec.model.id).order_by(None).limit(most + 1).subquery()
    return (session.scalar(select(func.count()).select_from(some)) or 0) > most


def _rows(
    session: Session, spec: RecordSpec, statement: Select[Any], outs: list[Out], sheet: Any
) -> Iterator[list[Any]]:
    options = [*_loads(spec), raiseload("*")]
    found = session.scalars(statement.options(*options).execution_options(yield_per=CHUNK))
    names = _Names(session)
    for chunk in found.partitions(CHUNK):
        read = [[_value(session, spec, record, out) for out in outs] for record in chunk]
        names.learn(value for values in read for value in values)
        for values in read:
            yield [names.cell(sheet, value) for value in values]


def _loads(spec: RecordSpec) -> list[Any]:
    """Return loader options for every relation that a column leads over."""
    loads: list[Any] = []
    for name in spec.order:
        if name in spec.links:
            links = spec.links[name]
            way = selectinload(getattr(spec.model, links.relation))
            loads.append(way.joinedload(links.model.organization))
            continue
        way_to, model = None, spec.model
        for part in name.split("."):
            if part not in inspect(model).relationships:
                break
            attribute = getattr(model, part)
            way_to = joinedload(attribute) if way_to is None else way_to.joinedload(attribute)
            model = attribute.property.mapper.class_
        if way_to is not None:
            loads.append(way_to)
    return loads


def _value(session: Session, spec: RecordSpec, record: Any, out: Out) -> Any:
    """Return what a column holds, as the actor reads it."""
    if out.name in spec.links:
        links = getattr(record, spec.links[out.name].relation)
        return [link.organization for link in sorted(links, key=lambda each: each.id)]
    *way, last = out.name.split(".")
    for part in way:
        record = getattr(record, part)
    return value_for(current(session), record, last)


class _Names:
    """The names by which organisations are written: with the code where a name says too little."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.known: set[str] = set()
        self.unclear: set[str] = set()

    def learn(self, values: Iterable[Any]) -> None:
        """Ask which of the names met for the first time are several organisations': one statement."""
        names = set()
        for value in values:
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, Organization):
                    names.add(each.name)
        new = names - self.known
        if new:
            self.unclear |= ambiguous(self.session, new)
            self.known |= new

    def cell(self, sheet: Any, value: Any) -> Any:
        """Return what to append for a value."""
        if isinstance(value, list):
            return text_cell(sheet, "、".join(self._name(each) for each in value))
        if isinstance(value, Organization):
            return text_cell(sheet, self._name(value))
        return value_cell(sheet, value)

    def _name(self, place: Organization) -> str:
        return f"{place.name}（{place.code}）" if place.name in self.unclear else place.name
