"""A trend in the room of a word: a line without axes, and a mark on its last point."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from reports.drawing import Sheet, Svg, colour_of

WIDE, HIGH = 120, 30
#: What stays free above and below the line.
EDGE = 5


def spark(name: str, title: str, description: str, values: Sequence[float]) -> Svg:
    """Return the line through two values or more, from the least to the largest of them."""
    least, largest = min(values), max(values)
    reach = largest - least or 1
    points = [
        (
            4 + 92 * place / max(1, len(values) - 1),
            HIGH / 2
            if largest == least
            else HIGH - EDGE - (value - least) / reach * (HIGH - 2 * EDGE),
        )
        for place, value in enumerate(values)
    ]
    sheet, colour = Sheet(WIDE), colour_of("info")
    for one, other in pairwise(points):
        sheet.line(one, other, kind="trace-info", colour=colour, thick=1.75)
    sheet.dot(*points[-1], kind="dot-info", colour=colour, shape="circle")
    return sheet.done(f"spark-{name}", title, description, HIGH)
