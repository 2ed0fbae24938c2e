"""One pass over a sheet: find its headings, and sort the rows below them into lists."""

from __future__ import annotations

from collections.abc import Sequence

from imports.decisions import Watch, unwatched
from imports.headings import Match, choose, hinted, match_heading, may_be_heading
from imports.reader import Merge, Row, Sheet
from imports.rows import (
    Banner,
    RowKind,
    banner_of,
    classify_sole,
    is_note,
    is_split_banner,
    is_total,
)
from imports.specs.base import Spec
from imports.tables import Layout, Problem, RawCell, RawRow, SheetProblem, Table
from imports.text import BLANKS, CellValue, cell_ref, clean, is_blank, ordinal

Cells = dict[int, RawCell]

_MOST_TITLES = 20
#: In place of a row that has become an item: nothing is held twice.
_TAKEN = Row(0, [])
#: Rows between two reports of how far the walk is.
STRIDE = 4096


class SheetWalk:
    """The walk over one sheet, and what must be remembered from row to row."""

    def __init__(
        self,
        sheet: Sheet,
        specs: Sequence[Spec],
        layout: Layout,
        watch: Watch = unwatched,
    ) -> None:
        self.sheet = sheet
        self.watch = watch
        self.specs = specs
        self.layout = layout
        self.table: Table | None = None
        self.unknown_columns = 0
        self.titles: list[str] = []
        self.categories = _Categories()
        self.fills = _Fills(sheet.merges)

    def run(self) -> None:
        """Add the sheet's lists, or the reason why it has none, to the layout."""
        found = len(self.layout.tables) + len(self.layout.errors)
        for at, row in enumerate(self.sheet.rows):
            if at % STRIDE == 0:
                self.watch("read", at, len(self.sheet.rows))
            if self.table is not None and self._is_plain(self.table, row):
                self._add_plain(self.table, row)
                self.sheet.rows[at] = _TAKEN
            elif self._begins_table(row):
                continue
            elif self.table is None:
                self._remember_title(row)
            else:
                self._read_row(self.table, row)
        if self.table is not None:
            self.categories.close(self.table)
        if found == len(self.layout.tables) + len(self.layout.errors):
            message = f"工作表“{self.sheet.name}”里没有找到清单的表头，没有导入。"
            self.layout.warnings.append(SheetProblem(self.sheet.name, Problem("", "", message)))

    # Headings

    def _remember_title(self, row: Row) -> None:
        if len(self.titles) < _MOST_TITLES:
            texts = [clean(value) for value in row.values]
            self.titles += [text for text in texts if text and len(text) <= 100]

    def _begins_table(self, row: Row) -> bool:
        """Take the row if it is a heading: the first, a repeated one, or another list's."""
        if self.table is not None and not self._may_be_heading(self.table, row):
            return False
        matches = match_heading(row.values, self.specs)
        if not matches:
            return False
        match = self._repeated(matches) or choose(matches, *reversed(self.titles), self.sheet.name)
        if match is None:
            self._refuse_heading(row, matches)
        elif self.table is not None and match.spec is self.table.spec:
            self.table.move_columns(match.columns)
        else:
            self._open_table(row, match)
        self.titles = []
        return True

    def _may_be_heading(self, table: Table, row: Row) -> bool:
        """Look at two cells only: the main column's, and the first in case columns have moved."""
        place = _at(table.place(table.spec.name))
        main = row.values[place] if place < len(row.values) else None
        return may_be_heading(main, self.specs) or may_be_heading(row.values[0], self.specs)

    def _repeated(self, matches: Sequence[Match]) -> Match | None:
        """Return the match for the list above, if this is its heading once more."""
        if self.table is None or self.titles:
            return None
        spec = self.table.spec
        same = [match for match in matches if match.spec is spec]
        return same[0] if same and len(same[0].unknown) <= self.unknown_columns else None

    def _refuse_heading(self, row: Row, matches: Sequence[Match]) -> None:
        labels = "、".join(match.spec.label for match in matches)
        message = (
            f"看不出这是哪一张清单（可能是{labels}），请在工作表名称或标题行写明清单名称后再导入。"
        )
        place = min(matches[0].columns)
        problem = Problem(cell_ref(row.number, place), clean(row.values[place]), message)
        self.layout.errors.append(SheetProblem(self.sheet.name, problem))

    def _open_table(self, row: Row, match: Match) -> None:
        if self.table is not None:
            self.categories.close(self.table)
        self.categories = _Categories()
        title = next((text for text in reversed(self.titles) if hinted(text, [match.spec])), "")
        table = Table(self.sheet.name, match.spec, title, row.number, match.columns)
        for column in match.missing:
            message = f"没有找到“{column.label}”这一列，请补上这一列或改正表头后再导入。"
            ref = cell_ref(row.number, min(match.columns))
            table.errors.append(Problem(ref, "", message))
        for place in match.unknown:
            text = clean(row.values[place])
            message = f"不认识“{text}”这一列，这一列没有导入。"
            table.warnings.append(Problem(cell_ref(row.number, place), text, message))
        self.unknown_columns = len(match.unknown)
        self.table = table
        self.layout.tables.append(table)

    # Rows

    def _is_plain(self, table: Table, row: Row) -> bool:
        """Tell whether a row is an item and nothing else: nearly all are, and this is soon told.

        It begins with its running number, has a name, and no merged cell begins in it or reaches
        down to it: no heading, banner, title, total or note is like that.
        """
        values, place = row.values, table.place(table.spec.name)
        if not place or place >= len(values) or self.fills.touch(row.number):
            return False
        first, name = values[0], values[place]
        if type(name) is not str or name in BLANKS or not name.isprintable():
            return False
        if type(first) is float:
            numbered = first.is_integer()
        elif type(first) is str:
            numbered = first.isdigit() and not any(
                may_be_heading(each, self.specs) for each in (name, first)
            )
        else:
            numbered = type(first) is int
        return numbered and not name.isspace()

    def _add_plain(self, table: Table, row: Row) -> None:
        if self.titles:
            self.titles = []
        place = table.place(table.spec.category)
        values = row.values
        cell = values[place] if place is not None and place < len(values) else ""
        category = self.categories.at(cell)
        spec = table.spec
        table.rows.append(RawRow(row.number, category, values, table.columns, spec.literal))

    def _read_row(self, table: Table, row: Row) -> None:
        cells: Cells = {}
        for place, value in enumerate(row.values):
            if value != "" and value is not None and (text := clean(value)):
                cells[place] = RawCell(text, value, row.number, place)
        covered = self.fills.cover(row.number, cells)
        if not cells:
            return
        if table.place(table.spec.name) in covered:
            self._continue_item(table, cells)
        elif len(cells) == 1:
            self._read_sole(table, next(iter(cells.values())), covered)
        elif self._is_aside(table, cells):
            return
        elif self._is_split_banner(table, cells):
            self.categories.open(table, cells[table.place(table.spec.name) or 0])
        else:
            self._add_item(table, row.number, cells, covered)

    def _is_aside(self, table: Table, cells: Cells) -> bool:
        """Tell whether the row is a total or a line for signatures rather than an item."""
        first = next(iter(cells.values()))
        if ordinal(first.value) is not None or self._is_full(table, cells):
            return False
        if is_note(first.text):
            table.notes.append(" ".join(cell.text for cell in cells.values()))
            return True
        name = cells.get(_at(table.place(table.spec.name)))
        return is_total(first.text) or (name is not None and is_total(name.text))

    def _is_full(self, table: Table, cells: Cells) -> bool:
        """Tell whether a row of a literal list says what an item must: it may begin as it likes."""
        if not table.spec.literal:
            return False
        wanted = [place for place, column in table.columns.items() if column.expected]
        return 2 * sum(1 for place in wanted if place in cells) > len(wanted)

    def _is_split_banner(self, table: Table, cells: Cells) -> bool:
        serial = cells.get(_at(table.place(table.spec.serial)))
        name = cells.get(_at(table.place(table.spec.name)))
        if not table.spec.banners or len(cells) != 2 or serial is None or name is None:
            return False
        return is_split_banner(serial.text, name.text, next_banner=self.categories.banners + 1)

    def _read_sole(self, table: Table, cell: RawCell, covered: Cells) -> None:
        """Take a row with a single text: by its words, its column and its width."""
        place = cell.column
        kind = classify_sole(
            cell.text,
            in_serial=place == table.place(table.spec.serial),
            in_name=place == table.place(table.spec.name),
            leads=place in (min(table.columns), table.place(table.spec.category)),
            wide=self.fills.is_wide(cell),
        )
        if kind is RowKind.ITEM:
            self._add_item(table, cell.row, {place: cell}, covered)
        elif kind is RowKind.BANNER and table.spec.banners:
            self.categories.open(table, cell)
        elif kind is RowKind.TITLE:
            self.titles.append(cell.text)
        elif kind is RowKind.NOTE:
            table.notes.append(cell.text)
        elif kind is not RowKind.TOTAL:
            message = f"第 {cell.row} 行只有“{cell.text}”，没有其他内容，已跳过。"
            table.warnings.append(Problem(cell.ref, cell.text, message))

    def _add_item(self, table: Table, number: int, cells: Cells, covered: Cells) -> None:
        """Add an item, with the value of every merged cell that reaches down to its row."""
        merged = {**covered, **cells}
        filled = {
            column.label: merged[place]
            for place, column in table.columns.items()
            if place in merged and (table.spec.literal or not is_blank(merged[place].text))
        }
        if not filled:
            return
        self.titles = []
        category = self.categories.of(merged.get(_at(table.place(table.spec.category))))
        table.rows.append(
            RawRow(number, category, [], table.columns, table.spec.literal, held=filled)
        )

    def _continue_item(self, table: Table, cells: Cells) -> None:
        """Join a row whose name is merged with the row above to the item above, line by line."""
        if not table.rows:
            return
        above_cells = table.rows[-1].hold()
        for place, cell in cells.items():
            column = table.columns.get(place)
            if column is None or is_blank(cell.text):
                continue
            above = above_cells.get(column.label)
            if above is None:
                above_cells[column.label] = cell
            elif ordinal(above.value) is None and above.text != cell.text:
                above_cells[column.label] = above._replace(text=f"{above.text}\n{cell.text}")


def _at(place: int | None) -> int:
    """Return a place that no cell has if the list has no such column."""
    return -1 if place is None else place


class _Fills:
    """The merged cells of a sheet, followed downwards while its rows are read in order."""

    def __init__(self, merges: Sequence[Merge]) -> None:
        self.by_top: dict[int, list[Merge]] = {}
        for merge in merges:
            self.by_top.setdefault(merge.top, []).append(merge)
        self.active: dict[int, tuple[int, RawCell]] = {}
        self.until = 0

    def touch(self, row: int) -> bool:
        """Tell whether a merged cell begins in the row, or may reach down to it."""
        return row <= self.until or row in self.by_top

    def cover(self, row: int, cells: Cells) -> Cells:
        """Return the cells of rows above that reach down to this row, by place."""
        for place in [place for place, (bottom, _) in self.active.items() if bottom < row]:
            del self.active[place]
        covered = {place: cell for place, (_, cell) in self.active.items() if place not in cells}
        for merge in self.by_top.get(row, ()):
            if merge.bottom > row and merge.left in cells:
                self.active[merge.left] = (merge.bottom, cells[merge.left])
                self.until = max(self.until, merge.bottom)
        return covered

    def is_wide(self, cell: RawCell) -> bool:
        """Tell whether the cell is merged over columns to its right."""
        return any(
            merge.left == cell.column and merge.right > merge.left
            for merge in self.by_top.get(cell.row, ())
        )


class _Categories:
    """The category in force: from the last banner, or filled down in a column of its own."""

    def __init__(self) -> None:
        self.banners = 0
        self.last = ""
        self.banner: tuple[Banner, RawCell] | None = None
        self.items = 0
        self._names: dict[str, str] = {}

    def at(self, value: CellValue) -> str:
        """Count an item and return its category, given what its category column holds."""
        self.items += 1
        if value == "" or value is None:
            return self.last
        text = value if isinstance(value, str) else clean(value)
        name = self._names.get(text)
        if name is None:
            cleaned = clean(text)
            name = self._names[text] = "" if is_blank(cleaned) else banner_of(cleaned).name
        if name:
            self.last = name
        return self.last

    def of(self, cell: RawCell | None) -> str:
        """Count an item and return its category, given the cell of its category column."""
        self.items += 1
        if cell is not None and not is_blank(cell.text):
            self.last = banner_of(cell.text).name
        return self.last

    def open(self, table: Table, cell: RawCell) -> None:
        """Begin the category that a banner names."""
        self.close(table)
        self.banner = (banner_of(cell.text), cell)
        self.last = self.banner[0].name
        self.items = 0
        self.banners += 1

    def close(self, table: Table) -> None:
        """Say so if the last banner claims another number of items than stood below it."""
        if self.banner is None:
            return
        banner, cell = self.banner
        if banner.count is not None and banner.count != self.items:
            message = f"“{banner.name}”写明 {banner.count} 项，下面实有 {self.items} 项，请核对。"
            table.warnings.append(Problem(cell.ref, cell.text, message))
