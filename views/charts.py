"""Pictures of figures as plain values; ``charts.html`` draws them as SVG with a table beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from flask_babel import format_decimal
from flask_babel import gettext as _


@dataclass(frozen=True)
class Bar:
    """One bar. ``mark`` stands below the label of a column where it differs from the one before."""

    label: str
    number: Decimal | int
    text: str
    url: str | None = None
    tone: str = "info"
    mark: str = ""

    @property
    def brief(self) -> str:
        """The number as it is written where there is little room: large ones without decimals."""
        if self.number < 100:
            return self.text
        return grouped(Decimal(self.number).quantize(Decimal(1), ROUND_HALF_UP))


@dataclass(frozen=True)
class Chart:
    """A picture with its name in the page, its title, what it shows, and its table's headings.

    ``columns``: bars stand side by side, for what follows in time; else they lie below each other.
    """

    name: str
    title: str
    description: str
    heads: tuple[str, str]
    bars: Sequence[Bar]
    columns: bool = False
    note: str = ""

    @property
    def top(self) -> Decimal | int:
        """The longest bar's number."""
        return max((bar.number for bar in self.bars), default=0)

    @property
    def top_text(self) -> str:
        """The longest bar's number as it is written."""
        return max(self.bars, key=lambda bar: bar.number).text if self.bars else ""

    @property
    def short(self) -> bool:
        """Tell whether labels are short enough to stand before their bars."""
        return all(len(bar.label) <= 4 for bar in self.bars)

    def share(self, bar: Bar, whole: int) -> float:
        """Return how long a bar is if the longest is ``whole``; what is not nothing can be seen."""
        if not bar.number or not self.top:
            return 0
        return max(0.5, round(float(bar.number / self.top) * whole, 2))


def month(number: int) -> str:
    """Return a month's name, short."""
    return _("%(number)s月", number=number)


def grouped(number: Decimal | int) -> str:
    """Return a number with its thousands set apart."""
    return str(format_decimal(number))


def by_month(months: Sequence[tuple[int, int]]) -> list[tuple[str, str]]:
    """Return (label, mark) for months that follow each other: the year stands below its first."""
    return [
        (month(each), str(year) if turn == 0 or each == 1 else "")
        for turn, (year, each) in enumerate(months)
    ]
