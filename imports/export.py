"""Exporting a list to xlsx: rows are fetched and written in chunks, whatever their number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, raiseload

from imports.places import ambiguous
from imports.sheets import (
    Out,
    heading,
    new_book,
    set_widths,
    sheet_name,
    text_cell,
    title_cell,
    value_cell,
)
from imports.specs.outward import SheetSpec
from models.organization import Organization
from rules.actor import current

#: Rows of a file at most; nobody reads more, and Excel opens no more in a breath.
MOST = 50_000
CHUNK = 500
#: How an organisation is written in a cell.
NameOf = Callable[[Organization], str]


def export(
    session: Session,
    spec: SheetSpec,
    statement: Select[Any],
    file: IO[bytes],
    most: int = MOST,
    tell: Callable[[int], None] = lambda _done: None,
) -> int:
    """Write the rows of a statement over ``spec.model`` into a workbook; return how many there are.

    ``statement`` carries filters and order; the gate narrows it. Two statements a chunk beside the
    rows' own at most. Of more than ``most`` rows only the first are written, and a line above the
    headings says so. ``tell`` hears after each chunk how many are written.
    """
    remarks = too_many(session, spec, statement, most)
    outs = spec.outs(shown=True)
    book = new_book()
    sheet = begin(book, sheet_name(spec), outs, remarks)
    names = Names(session)
    number = 0
    try:
        for chunk in chunks(session, spec, statement.limit(most)):
            read = [
                [spec.value(current(session), each, out.name) for out in outs] for each in chunk
            ]
            names.learn(value for values in read for value in values)
            for values in read:
                sheet.append([cell(sheet, value, names.of) for value in values])
            number += len(chunk)
            tell(number)
    except BaseException:
        # Rows written so far wait in a file of openpyxl's own.
        sheet.close()
        sheet._writer.cleanup()
        raise
    book.save(file)
    return number


def too_many(session: Session, spec: SheetSpec, statement: Select[Any], most: int) -> list[str]:
    """Return the line that says that a file holds the first rows only, if it does."""
    some = statement.with_only_columns(spec.model.id).order_by(None).limit(most + 1).subquery()
    if (session.scalar(select(func.count()).select_from(some)) or 0) <= most:
        return []
    return [f"※ 符合条件的超过 {most} 条，这里只有前 {most} 条；请缩小筛选范围，分几次导出。"]


def begin(
    book: Any, name: str, outs: Sequence[Out], remarks: Sequence[str] = (), title: str = ""
) -> Any:
    """Add a streamed sheet with its remarks, its title and its headings; return it."""
    sheet = book.create_sheet(name)
    set_widths(sheet, outs)
    sheet.freeze_panes = f"A{len(remarks) + bool(title) + 2}"
    for remark in remarks:
        sheet.append([text_cell(sheet, remark)])
    if title:
        sheet.append([title_cell(sheet, title)])
    sheet.append([heading(sheet, out) for out in outs])
    return sheet


def chunks(session: Session, spec: SheetSpec, statement: Select[Any]) -> Iterator[Sequence[Any]]:
    """Yield a statement's records in chunks, with all that the columns lead to."""
    options = [*spec.loads(), raiseload("*")]
    found = session.scalars(statement.options(*options).execution_options(yield_per=CHUNK))
    yield from found.partitions(CHUNK)


def cell(sheet: Any, value: Any, name_of: NameOf, joint: str = "、") -> Any:
    """Return what to append for a value; several organisations stand in one cell."""
    if isinstance(value, list):
        return text_cell(sheet, joint.join(_text(each, name_of) for each in value))
    if isinstance(value, Organization):
        return text_cell(sheet, name_of(value))
    return value_cell(sheet, value)


def _text(value: Any, name_of: NameOf) -> str:
    return name_of(value) if isinstance(value, Organization) else str(value)


def with_code(place: Organization) -> str:
    """Return the form in which an organisation is never taken for another: 名称（代码）."""
    return f"{place.name}（{place.code}）"


class Names:
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

    def of(self, place: Organization) -> str:
        """Return how an organisation is written; its name must have been learnt."""
        return with_code(place) if place.name in self.unclear else place.name
