"""Pictures of figures: bars, columns, groups of both, lines. A value says what is shown and draws itself.

Every picture has a name in its page, a title, a sentence that tells what it shows, and ``rows``: the
same numbers as a table, which stands behind it on a page (``charts.html``). ``svg()`` fills the place
on a page, ``svg(640)`` is as wide as a document wants it. Numbers come written; none is negative.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

from reports.drawing import (
    LINE,
    SIZE,
    SMALL,
    SOFT,
    STRONG,
    Number,
    Sheet,
    Svg,
    colour_of,
    ems,
    nice_top,
)

#: How the series of a picture differ, first to last, also without colour: tone, dashes, marks.
STYLES = (
    ("info", "", "circle"),
    ("warning", "7 3", "square"),
    ("success", "2 3", "triangle"),
    ("progress", "9 3 2 3", "circle"),
    ("danger", "", "square"),
    ("muted", "7 3", "triangle"),
)
#: What is seen of a bar at the least.
LEAST = 0.5


@dataclass(frozen=True)
class Cell:
    """A number of a picture's table, and the list that it counts."""

    text: str
    url: str | None = None


@dataclass(frozen=True)
class Line:
    """A line of a picture's table."""

    label: str
    cells: list[Cell]


@dataclass(frozen=True)
class Bar:
    """One bar. ``mark`` stands below the label of a column where it differs from the one before."""

    label: str
    number: Number
    text: str
    url: str | None = None
    tone: str = "info"
    mark: str = ""

    @property
    def brief(self) -> str:
        """The number as it is written where there is little room: large ones without decimals."""
        if self.number < 100:
            return self.text
        return f"{Decimal(self.number).quantize(Decimal(1), ROUND_HALF_UP):,}"


@dataclass(frozen=True)
class Chart:
    """A picture with its name in the page, its title, what it shows, and its table's headings.

    ``columns``: bars stand side by side, for what follows in time; else they lie below each other.
    ``caption`` stands above columns. ``whole``: what a full bar stands for, as 100 for shares; else the
    longest bar is full.
    """

    name: str
    title: str
    description: str
    heads: tuple[str, str]
    bars: Sequence[Bar]
    columns: bool = False
    note: str = ""
    caption: str = ""
    whole: Number | None = None

    @property
    def top(self) -> Number:
        """The longest bar's number."""
        return max((bar.number for bar in self.bars), default=0)

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to draw; no share at all is something."""
        return not self.bars or (self.whole is None and self.top <= 0)

    @property
    def short(self) -> bool:
        """Tell whether labels are short enough to stand before their bars."""
        return all(len(bar.label) <= 4 for bar in self.bars)

    @property
    def rows(self) -> list[Line]:
        """The numbers as a table; nothing leads nowhere."""
        return [
            Line(
                f"{bar.mark} {bar.label}" if bar.mark else bar.label,
                [Cell(bar.text, bar.url if bar.number else None)],
            )
            for bar in self.bars
        ]

    def svg(self, width: int | None = None) -> Svg:
        """Draw it."""
        return self._columns(width) if self.columns else self._bars(width)

    def _bars(self, width: int | None) -> Svg:
        """Draw bars below each other: a label before its bar if it is short, else above it."""
        sheet, pitch, full = Sheet(width), 30 if self.short else 44, self.whole or self.top
        room = _room(sheet, [bar.text for bar in self.bars], SIZE)
        for turn, bar in enumerate(self.bars):
            y = turn * pitch
            if self.short:
                length = _share(bar.number, full, min(60, room - 20))
                sheet.text(18, y + 20, bar.label, kind="chart-label chart-before", anchor="end")
                sheet.bar(20, y + 5, length, 20, kind=f"bar-{bar.tone}", tone=bar.tone)
                sheet.text(20 + length, y + 20, bar.text, kind="chart-value", shift=5)
            else:
                length = _share(bar.number, full, room)
                sheet.text(0, y + 16, bar.label, room=sheet.room / SIZE)
                sheet.bar(0, y + 22, length, 16, kind=f"bar-{bar.tone}", tone=bar.tone)
                sheet.text(length, y + 35, bar.text, kind="chart-value", shift=5)
        return sheet.done(self.name, self.title, self.description, len(self.bars) * pitch + 4)

    def _columns(self, width: int | None) -> Svg:
        """Draw columns side by side; a phone leaves out their numbers, which stand in the table."""
        sheet, pitch = Sheet(width), 100 / max(1, len(self.bars))
        sheet.line((0, 42), (100, 42))
        if self.caption:
            sheet.text(0, 14, self.caption, kind="chart-top", size=SMALL, colour=SOFT)
        for turn, bar in enumerate(self.bars):
            height, middle = _share(bar.number, self.top, 128), (turn + 0.5) * pitch
            across = (turn + 0.18) * pitch, pitch * 0.64
            sheet.bar(
                across[0], 170 - height, across[1], height, kind=f"bar-{bar.tone}", tone=bar.tone
            )
            if bar.number:
                kind = "chart-value chart-over"
                y = 165 - height
                sheet.text(middle, y, bar.brief, kind=kind, anchor="middle", size=SMALL)
            _below(sheet, middle, bar.label, bar.mark, 187)
        sheet.line((0, 170), (100, 170), kind="chart-base", colour=STRONG)
        return sheet.done(self.name, self.title, self.description, 212)


@dataclass(frozen=True)
class Series:
    """Numbers that follow the picture's labels, None where there is none; ``texts`` as written.

    ``before``: of the period before, drawn pale or dashed. ``urls`` are the lists that they count.
    """

    title: str
    numbers: Sequence[Number | None]
    texts: Sequence[str]
    before: bool = False
    urls: Sequence[str | None] = ()

    def cell(self, place: int) -> Cell:
        """Return a number for the table."""
        url = self.urls[place] if self.urls and self.numbers[place] else None
        return Cell(self.texts[place], url)


@dataclass(frozen=True)
class _Several:
    """What pictures of several series have in common; ``head`` is above the labels in the table."""

    name: str
    title: str
    description: str
    head: str
    labels: Sequence[str]
    series: Sequence[Series]
    note: str = ""
    marks: Sequence[str] = field(default=())

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to draw."""
        return all(number is None for each in self.series for number in each.numbers)

    @property
    def top(self) -> Number:
        """The largest number."""
        known = [number for each in self.series for number in each.numbers if number is not None]
        return max(known, default=0)

    @property
    def heads(self) -> tuple[str, ...]:
        """The table's headings."""
        return (self.head, *(each.title for each in self.series))

    @property
    def rows(self) -> list[Line]:
        """The numbers as a table."""
        return [
            Line(f"{self._mark(place)} {label}".strip(), [each.cell(place) for each in self.series])
            for place, label in enumerate(self.labels)
        ]

    def _mark(self, place: int) -> str:
        return self.marks[place] if place < len(self.marks) else ""

    def styles(self) -> list[tuple[str, str, str]]:
        """Return the tone, dashes and mark of each series; the period before is dashed and hollow."""
        turn, found = 0, []
        for each in self.series:
            if each.before:
                found.append(("before", "4 4", "ring"))
            else:
                found.append(STYLES[turn % len(STYLES)])
                turn += 1
        return found


@dataclass(frozen=True)
class Groups(_Several):
    """Bars of several series side by side for each label, lying below each other, or ``columns``.

    Columns need labels of at most four characters; with longer ones the bars lie all the same.
    """

    columns: bool = False

    def svg(self, width: int | None = None) -> Svg:
        """Draw it."""
        upright = self.columns and all(len(label) <= 4 for label in self.labels)
        return self._columns(width) if upright else self._bars(width)

    def _bars(self, width: int | None) -> Svg:
        sheet, styles = Sheet(width), self.styles()
        y = _legend(sheet, self.series, styles, lines=False)
        room = _room(sheet, [text for each in self.series for text in each.texts], SMALL)
        for place, label in enumerate(self.labels):
            sheet.text(0, y + 16, label, room=sheet.room / SIZE)
            y += 21
            for each, (tone, _dashes, _shape) in zip(self.series, styles, strict=True):
                length = _share(each.numbers[place] or 0, self.top, room)
                sheet.bar(0, y, length, 13, kind=f"bar-{tone}", tone=tone)
                text = each.texts[place]
                sheet.text(length, y + 11, text, kind="chart-value", size=SMALL, shift=5)
                y += 17
            y += 6
        return sheet.done(self.name, self.title, self.description, y)

    def _columns(self, width: int | None) -> Svg:
        sheet, styles = Sheet(width), self.styles()
        top = _legend(sheet, self.series, styles, lines=False) + 18
        pitch, base = 100 / max(1, len(self.labels)), top + 128
        each_wide = pitch * 0.7 / max(1, len(self.series))
        for place, label in enumerate(self.labels):
            for turn, (each, (tone, _d, _s)) in enumerate(zip(self.series, styles, strict=True)):
                height = _share(each.numbers[place] or 0, self.top, 128)
                x = (place + 0.15) * pitch + turn * each_wide
                sheet.bar(x, base - height, each_wide, height, kind=f"bar-{tone}", tone=tone)
                middle, y, kind = x + each_wide / 2, base - height - 5, "chart-value chart-over"
                sheet.text(middle, y, each.texts[place], kind=kind, anchor="middle", size=11)
            _below(sheet, (place + 0.5) * pitch, label, self._mark(place), base + 17)
        sheet.line((0, base), (100, base), kind="chart-base", colour=STRONG)
        return sheet.done(self.name, self.title, self.description, base + 42)


@dataclass(frozen=True)
class Lines(_Several):
    """Series as lines over the same labels. ``write`` puts an axis's number into words.

    ``most``: where the axis ends at the most, as at 1 for shares.
    """

    write: Callable[[Number], str] = str
    most: Number | None = None

    def svg(self, width: int | None = None) -> Svg:
        """Draw it; where a number is missing a line is broken."""
        sheet, styles = Sheet(width), self.styles()
        above = _legend(sheet, self.series, styles, lines=True) + 18
        high, base = 150, above + 150
        end = nice_top(self.top)
        if self.most is not None:
            end = min(end, Decimal(self.most))
        elif end % 2 == 1:
            end += 1  # the middle of the axis is written too, and counts are whole
        for part in (Decimal(1), Decimal("0.5"), Decimal(0)):
            y = base - float(part) * high
            kind, colour = ("chart-line", LINE) if part else ("chart-base", STRONG)
            sheet.line((0, y), (100, y), kind=kind, colour=colour)
            sheet.text(0, y - 4, self.write(end * part), kind="chart-top", size=11, colour=SOFT)
        # The axis's words stand left of the first point.
        inset = 6.0
        pitch = (100 - inset) / max(1, len(self.labels))
        for each, style in zip(self.series, styles, strict=True):
            points = [
                None
                if number is None
                else (inset + (place + 0.5) * pitch, base - min(1.0, float(number / end)) * high)
                for place, number in enumerate(each.numbers)
            ]
            _trace(sheet, points, style)
        for place, label in enumerate(self.labels):
            middle = inset + (place + 0.5) * pitch
            _below(sheet, middle, label, self._mark(place), base + 17)
        return sheet.done(self.name, self.title, self.description, base + 42)


Picture = Chart | Groups | Lines


def _share(number: Number, top: Number, whole: float) -> float:
    """Return how long a bar is if the longest is ``whole``; what is not nothing can be seen."""
    if number <= 0 or top <= 0:
        return 0
    return max(LEAST, round(float(number / top) * whole, 2))


def _room(sheet: Sheet, texts: Sequence[str], size: int) -> float:
    """Return how long a bar may be so that the longest of the texts stands behind it."""
    widest = max((ems(text) for text in texts), default=0) * size + 9
    return max(30, min(78, 100 - sheet.share(widest)))


def _below(sheet: Sheet, middle: float, label: str, mark: str, y: float) -> None:
    """Write what a column or a point is of, and below it what it begins."""
    kind = "chart-label chart-under"
    sheet.text(middle, y, label, kind=kind, anchor="middle", size=SMALL)
    if mark:
        kind = "chart-mark chart-under"
        sheet.text(middle, y + 18, mark, kind=kind, anchor="middle", size=SMALL, colour=SOFT)


def _trace(
    sheet: Sheet, points: Sequence[tuple[float, float] | None], style: tuple[str, str, str]
) -> None:
    """Draw a line through its points, and a mark on each."""
    tone, dashes, shape = style
    colour = colour_of(tone)
    thick = 1.5 if tone == "before" else 2.25
    for one, other in pairwise(points):
        if one is not None and other is not None:
            kind = f"trace-{tone}"
            sheet.line(one, other, kind=kind, colour=colour, thick=thick, dashes=dashes)
    for point in points:
        if point is not None:
            sheet.dot(*point, kind=f"dot-{tone}", colour=colour, shape=shape)


def _legend(
    sheet: Sheet,
    series: Sequence[Series],
    styles: Sequence[tuple[str, str, str]],
    *,
    lines: bool,
) -> float:
    """Say what each series is, as many in a row as there is room for; return where it ends."""
    if len(series) < 2:
        return 0
    left, y = 0.0, 0
    for each, style in zip(series, styles, strict=True):
        wide = 34 + ems(each.title) * SMALL + 14
        if left and left + wide > sheet.room:
            left, y = 0.0, y + 20
        x = sheet.share(left)
        sheet.key(x, y + 11, style=style, line=lines)
        sheet.text(
            x,
            y + 15,
            each.title,
            kind="chart-label chart-key",
            size=SMALL,
            shift=30 if lines else 19,
            room=sheet.room / SIZE - 3,
        )
        left += wide
    return y + 24
