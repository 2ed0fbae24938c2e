"""What pictures of figures say: months, numbers, the end of an axis; ``reports.pictures`` draws them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from flask_babel import format_decimal
from flask_babel import gettext as _

from reports.pictures import Bar


def highest(bars: Sequence[Bar]) -> str:
    """Return what stands above columns: the highest one's number."""
    if not bars:
        return ""
    return _("最高 %(number)s", number=max(bars, key=lambda bar: bar.number).text)


def month(number: int) -> str:
    """Return a month's name, short."""
    return _("%(number)s月", number=number)


def grouped(number: Decimal | int) -> str:
    """Return a number with its thousands set apart."""
    return str(format_decimal(number))


def by_month(months: Sequence[tuple[int, int]]) -> list[tuple[str, str]]:
    """Return (label, mark) for months that follow each other: the year stands below its first.

    Not below the very first where the next year's would stand in its way.
    """
    crowded = any(each == 1 for _year, each in months[1:3])
    return [
        (month(each), str(year) if each == 1 or (turn == 0 and not crowded) else "")
        for turn, (year, each) in enumerate(months)
    ]
