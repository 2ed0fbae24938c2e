"""Exporting duty lists in the layout that the import reads: a sheet a version (domain section 5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import IO, Any

from sqlalchemy import Select, case
from sqlalchemy.orm import Session, contains_eager

from imports.directory import Directory
from imports.export import MOST, NameOf, begin, cell, chunks, too_many, with_code
from imports.headings import hinted
from imports.sheets import Out, new_book
from imports.specs.duty_items import COORDINATING, LISTS
from imports.specs.outward import SheetSpec
from models.duty import DutyItem, DutyList, DutyListStatus, DutyListType
from models.organization import Organization
from rules.actor import current
from rules.workbook_cells import LONGEST_TITLE, title_of

#: Sheets of a workbook at most: one for each version.
MOST_SHEETS = 200
_IN_PART = "※ 这里只有符合筛选条件的部分事项；补全之后再导入，否则会把其余的当作文件里没有的。"
_TOO_MANY_SHEETS = "※ 符合条件的超过 {most} 份，这里只有前 {most} 份；请缩小筛选范围，分几次导出。"


def export_items(
    session: Session,
    statement: Select[Any],
    file: IO[bytes],
    *,
    whole: bool = False,
    most: int = MOST,
) -> int:
    """Write the items of a statement over ``DutyItem``, version by version; return how many.

    ``whole``: the statement holds all items of each version; else a line above each list says that
    it does not. Departments are written so that the import finds the same. Of more than ``most``
    items, or ``MOST_SHEETS`` versions, only the first are written, and the first sheet says so.
    """
    remarks = too_many(session, COORDINATING, statement, most)
    if not whole or remarks:
        remarks.append(_IN_PART)
    book = new_book()
    sheets = _Sheets(session, book, remarks)
    number = 0
    for version, items in _versions(session, statement.limit(most)):
        if not sheets.add(version, items):
            break
        number += len(items)
    sheets.close()
    book.save(file)
    return number


def _versions(
    session: Session, statement: Select[Any]
) -> Iterator[tuple[DutyList, Sequence[DutyItem]]]:
    """Yield the items by chunks of one version, in the order of places, types and positions."""
    ordered = (
        statement.join(DutyItem.duty_list)
        .join(DutyList.organization)
        .order_by(None)
        .order_by(
            Organization.code,
            Organization.id,
            case({each.value: n for n, each in enumerate(DutyListType)}, value=DutyList.list_type),
            DutyList.number.desc(),
            DutyItem.duty_list_id,
            DutyItem.position,
            DutyItem.id,
        )
        .options(contains_eager(DutyItem.duty_list).contains_eager(DutyList.organization))
    )
    for chunk in chunks(session, COORDINATING, ordered):
        start = 0
        for place, item in enumerate(chunk):
            if item.duty_list_id != chunk[start].duty_list_id:
                yield chunk[start].duty_list, chunk[start:place]
                start = place
        yield chunk[start].duty_list, chunk[start:]


class _Sheets:
    """The sheets of a workbook under way, and how each place's departments are written."""

    def __init__(self, session: Session, book: Any, remarks: Sequence[str]) -> None:
        self.session, self.book, self.remarks = session, book, list(remarks)
        self.version_id: int | None = None
        self.sheet: Any = None
        self.outs: list[Out] = []
        self.spec: SheetSpec = COORDINATING
        self.names: Counter[str] = Counter()
        self.owner_id: int | None = None
        self.name_of: NameOf = with_code

    def add(self, version: DutyList, items: Sequence[DutyItem]) -> bool:
        """Write items below the last ones of their version; False if no more sheets fit."""
        if version.id != self.version_id:
            if len(self.names) and self.names.total() >= MOST_SHEETS:
                self.sheet.append([_TOO_MANY_SHEETS.format(most=MOST_SHEETS)])
                return False
            self._begin(version)
        actor = current(self.session)
        for item in items:
            values = [self.spec.value(actor, item, out.name) for out in self.outs]
            self.sheet.append([cell(self.sheet, each, self.name_of, "\n") for each in values])
        return True

    def _begin(self, version: DutyList) -> None:
        owner = version.organization
        self.version_id, self.spec = version.id, LISTS[version.list_type.value]
        if owner.id != self.owner_id:
            self.owner_id = owner.id
            self.name_of = _namer(Directory.around(self.session, owner))
        self.outs = self.spec.outs(shown=True)
        title, remarks = title_for(version), list(self.remarks)
        if version.title and version.title != title:
            remarks.append(f"※ 清单标题：{version.title}")
        self.sheet = begin(self.book, self._sheet_name(version), self.outs, remarks, title)

    def _sheet_name(self, version: DutyList) -> str:
        """Return a name for a version's sheet that no other sheet of the workbook has."""
        states = {DutyListStatus.PUBLISHED: ""}
        state = states.get(version.status, f"{version.status.title}{version.number}")
        name = title_of(f"{version.list_type.title}{state}")
        self.names[name] += 1
        if self.names[name] == 1:
            return name
        name = title_of(f"{version.organization.name}{version.list_type.title}{state}")
        self.names[name] += 1
        if self.names[name] == 1:
            return name
        ending = f"（{version.id}）"
        return f"{name[: LONGEST_TITLE - len(ending)]}{ending}"

    def close(self) -> None:
        """Leave a workbook that opens, even of nothing."""
        if self.sheet is None:
            begin(self.book, "履职事项", COORDINATING.outs(shown=True))


def title_for(version: DutyList) -> str:
    """Return the title above a version: its own if it says which list this is, else a plain one."""
    spec, title = LISTS[version.list_type.value], version.title or ""
    if len(title) <= 100 and hinted(title, tuple(LISTS.values())) == [spec]:
        return title
    return f"{version.organization.name}{version.list_type.title}"


def _namer(directory: Directory) -> NameOf:
    """Return how departments are written for one place: by a name that finds them again."""

    def name_of(place: Organization) -> str:
        for name in (place.name, with_code(place), place.code):
            # Beside another, as a cell may name several.
            if directory.resolve(f"{name}\n{name}").ids == (place.id,):
                return name
        return place.name

    return name_of
