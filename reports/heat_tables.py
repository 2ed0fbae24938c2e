"""Heat tables: what falls together in a row and a column, as a number on a shade.

On a page a heat table is a table whose cells carry the class of their shade, so that each number can
lead somewhere; in a document it is drawn. Both ask the same value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from reports.drawing import INK, LINE, PAPER, SMALL, SOFT, Number, Sheet, Svg, ems
from reports.pictures import Cell

#: From little to much: each darker than the one before, in print too; the number stands on it.
SHADES = (
    ("#edf4fc", INK),
    ("#c5dbf3", INK),
    ("#8db8e2", INK),
    ("#2f6cb0", PAPER),
    ("#123a6b", PAPER),
)
HIGH = 30


@dataclass(frozen=True)
class HeatCell(Cell):
    """A number where a row and a column meet; None where there is none."""

    number: Number | None = None


@dataclass(frozen=True)
class HeatTable:
    """Rows × columns × number. ``corner`` says what the rows are and what the columns are.

    ``write`` puts the ends of a shade into words; ``less`` and ``more`` are the ends of the legend.
    """

    name: str
    title: str
    description: str
    corner: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[HeatCell]]]
    write: Callable[[Number], str] = str
    note: str = ""

    @cached_property
    def numbers(self) -> list[Number]:
        """All numbers that there are."""
        return [each.number for _l, cells in self.rows for each in cells if each.number is not None]

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to shade."""
        return not self.numbers

    @cached_property
    def _ends(self) -> tuple[Number, Number]:
        return min(self.numbers), max(self.numbers)

    def level(self, number: Number | None) -> int | None:
        """Return the shade of a number, 0 for the least; None for none.

        The way from the least to the most is divided evenly; if all are the same there is one shade.
        """
        if number is None or self.empty:
            return None
        low, high = self._ends
        if low == high:
            return 1
        share = Decimal(number - low) / Decimal(high - low)
        return min(len(SHADES) - 1, int(share * len(SHADES)))

    def legend(self) -> list[tuple[int, str]]:
        """Return the shades in their order: level, and from which number to which it stands."""
        if self.empty:
            return []
        found: dict[int, list[Number]] = {}
        for number in self.numbers:
            found.setdefault(self.level(number) or 0, []).append(number)
        return [(level, self._span(found[level])) for level in sorted(found)]

    def _span(self, numbers: Sequence[Number]) -> str:
        low, high = self.write(min(numbers)), self.write(max(numbers))
        return low if low == high else f"{low}–{high}"

    def svg(self, width: int = 640) -> Svg:
        """Draw it as wide as asked; long names are cut."""
        sheet = Sheet(width)
        first = (
            min(
                0.34,
                max(ems(label) for label in (self.corner, *(r for r, _c in self.rows)))
                * SMALL
                / width
                + 0.02,
            )
            * 100
        )
        pitch = (100 - first) / max(1, len(self.columns))
        room = pitch * width / 100 / SMALL - 0.4
        y = self._key(sheet)
        sheet.text(
            0, y + 19, self.corner, size=SMALL, colour=SOFT, room=first * width / 100 / SMALL - 0.5
        )
        for turn, label in enumerate(self.columns):
            middle = first + (turn + 0.5) * pitch
            sheet.text(middle, y + 19, label, anchor="middle", size=SMALL, colour=SOFT, room=room)
        for label, cells in self.rows:
            y += HIGH
            sheet.text(0, y + 19, label, size=SMALL, room=first * width / 100 / SMALL - 0.5)
            for turn, cell in enumerate(cells):
                level = self.level(cell.number)
                shade, ink = (PAPER, SOFT) if level is None else SHADES[level]
                x = first + turn * pitch
                kind = "heat-none" if level is None else f"heat-{level}"
                sheet.bar(x, y, pitch * 0.97, HIGH - 2, kind=kind, tone=shade)
                middle = x + pitch * 0.485
                sheet.text(middle, y + 19, cell.text, anchor="middle", size=SMALL, colour=ink)
        sheet.line((0, y + HIGH + 2), (100, y + HIGH + 2), colour=LINE)
        return sheet.done(self.name, self.title, self.description, y + HIGH + 6)

    def _key(self, sheet: Sheet) -> float:
        left = 0.0
        for level, span in self.legend():
            sheet.square(sheet.share(left), 3, 13, kind=f"heat-{level}", tone=SHADES[level][0])
            sheet.text(sheet.share(left), 14, span, size=SMALL, colour=SOFT, shift=18)
            left += 32 + ems(span) * SMALL
        return 22
