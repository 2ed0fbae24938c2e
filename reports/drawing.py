"""A sheet that pictures are drawn on: SVG without a library, for a page and for a document alike.

On a page a picture is as wide as its place: what lies across is given in per cent of the width, what
lies down in pixels, and texts keep their size on any screen. In a document it has a width of its own.
Colours stand in the marks themselves; the page's stylesheet may replace them by the classes.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from xml.sax.saxutils import escape

Number = int | Decimal
#: A page's picture is laid out for a telephone's card; nothing may need more room than this.
NARROW = 300
INK, SOFT, LINE, STRONG, PAPER = "#1c2733", "#4d5b6a", "#d9e0e8", "#8793a1", "#fff"
TONES = {
    "muted": STRONG,
    "info": "#1d5aa8",
    "progress": "#443399",
    "success": "#1c7049",
    "warning": "#c77d0a",
    "danger": "#b3261e",
}
#: What the period before is drawn with: pale with a dark edge, so that it differs without colour.
PALE = "#dfe6ee"
FONTS = (
    "PingFang SC, Microsoft YaHei, Noto Sans CJK SC, Noto Sans SC, WenQuanYi Micro Hei, sans-serif"
)
SIZE, SMALL = 13, 12
#: What XML cannot hold.
_UNSPEAKABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def colour_of(tone: str) -> str:
    """Return the colour that lines of a tone have; the period before is grey."""
    return SOFT if tone == "before" else TONES[tone]


class Svg(str):
    """Markup that is made of escaped texts only; templates put it out as it is."""

    def __html__(self) -> str:
        return self


def ems(text: str) -> float:
    """Return how wide a text is, roughly, in widths of a Chinese character."""
    return sum(1 if unicodedata.east_asian_width(each) in "WFA" else 0.56 for each in text)


def cut(text: str, room: float) -> str:
    """Return a text cut to some widths of a Chinese character, with an ellipsis if it is longer."""
    if ems(text) <= room:
        return text
    kept = ""
    for each in text:
        if ems(kept + each) > room - 1:
            break
        kept += each
    return kept.rstrip() + "…"


def nice_top(number: Number) -> Decimal:
    """Return the round number at or above one at which an axis ends; 1 for nothing."""
    if number <= 0:
        return Decimal(1)
    exact = Decimal(number)
    power = Decimal(10) ** exact.adjusted()
    for step in ("1", "1.2", "1.5", "2", "3", "4", "5", "6", "8"):
        if Decimal(step) * power >= exact:
            return Decimal(step) * power
    return 10 * power


def clean(text: str) -> str:
    """Return a text as XML may hold it."""
    return escape(_UNSPEAKABLE.sub("", text))


class Sheet:
    """Collects marks. ``x`` and widths across are 0 to 100, ``y`` and heights are pixels.

    ``width`` in pixels is a document's; None fills the place on a page.
    """

    def __init__(self, width: int | None = None) -> None:
        self.width = width
        self.marks: list[str] = []

    @property
    def room(self) -> int:
        """How many pixels a text may count on."""
        return self.width or NARROW

    def across(self, share: float) -> str:
        """Return a place or a length across as the picture writes it."""
        if self.width is None:
            return f"{share:.2f}%"
        return f"{share * self.width / 100:.1f}"

    def share(self, pixels: float) -> float:
        """Return how many per cent of the width some pixels are, at the least room there is."""
        return pixels * 100 / self.room

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        kind: str = "chart-label",
        anchor: str = "start",
        size: int = SIZE,
        colour: str = INK,
        shift: float = 0,
        room: float | None = None,
    ) -> None:
        """Write a text at its baseline; cut to ``room`` widths of a character, whole when asked."""
        said = text if room is None else cut(text, room)
        whole = f"<title>{clean(text)}</title>" if said != text else ""
        moved = f' dx="{shift:g}"' if shift else ""
        turned = f' text-anchor="{anchor}"' if anchor != "start" else ""
        self.marks.append(
            f'<text class="{kind}" x="{self.across(x)}" y="{y:g}"{moved}{turned}'
            f' font-size="{size}" fill="{colour}">{clean(said)}{whole}</text>'
        )

    def bar(self, x: float, y: float, width: float, height: float, *, kind: str, tone: str) -> None:
        """Fill an upright or a lying bar; the tone ``before`` is pale with an edge."""
        self._fill(x, y, self.across(width), height, kind, tone)

    def square(self, x: float, y: float, side: float, *, kind: str, tone: str) -> None:
        """Fill a square whose side is in pixels."""
        self._fill(x, y, f"{side:g}", side, kind, tone)

    def _fill(self, x: float, y: float, width: str, height: float, kind: str, tone: str) -> None:
        edge = f' stroke="{SOFT}"' if tone == "before" else ""
        fill = PALE if tone == "before" else TONES.get(tone, tone)
        self.marks.append(
            f'<rect class="{kind}" x="{self.across(x)}" y="{y:g}" width="{width}"'
            f' height="{height:g}" rx="2" fill="{fill}"{edge}/>'
        )

    def line(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        *,
        kind: str = "chart-line",
        colour: str = LINE,
        thick: float = 1,
        dashes: str = "",
    ) -> None:
        """Draw a straight line between two places."""
        broken = f' stroke-dasharray="{dashes}"' if dashes else ""
        self.marks.append(
            f'<line class="{kind}" x1="{self.across(start[0])}" y1="{start[1]:g}"'
            f' x2="{self.across(end[0])}" y2="{end[1]:g}" stroke="{colour}"'
            f' stroke-width="{thick:g}"{broken}/>'
        )

    def dot(self, x: float, y: float, *, kind: str, colour: str, shape: str) -> None:
        """Mark a point: ``circle``, ``square``, ``triangle`` or ``ring``; they differ without colour."""
        at = self.across(x)
        if shape in ("circle", "ring"):
            fill = PAPER if shape == "ring" else colour
            self.marks.append(
                f'<circle class="{kind}" cx="{at}" cy="{y:g}" r="3.5" fill="{fill}"'
                f' stroke="{colour}" stroke-width="1.5"/>'
            )
            return
        # A path knows no per cent: it lies in a small picture of its own, which does.
        drawn = "M0 -4.5L4.5 3.5L-4.5 3.5Z" if shape == "triangle" else "M-3.5 -3.5H3.5V3.5H-3.5Z"
        self.marks.append(
            f'<svg x="{at}" y="{y:g}" width="1" height="1" overflow="visible">'
            f'<path class="{kind}" d="{drawn}" fill="{colour}"/></svg>'
        )

    def key(self, x: float, y: float, *, style: tuple[str, str, str], line: bool) -> None:
        """Show how a series is drawn, in 24 pixels: a bar's square, or a line with its mark."""
        tone, dashes, shape = style
        if not line:
            self.square(x, y - 6, 13, kind=f"bar-{tone}", tone=tone)
            return
        colour = colour_of(tone)
        broken = f' stroke-dasharray="{dashes}"' if dashes else ""
        small = Sheet(100)
        small.dot(12, 0, kind=f"dot-{tone}", colour=colour, shape=shape)
        self.marks.append(
            f'<svg x="{self.across(x)}" y="{y:g}" width="24" height="1" overflow="visible">'
            f'<line class="trace-{tone}" x1="0" y1="0" x2="24" y2="0" stroke="{colour}"'
            f' stroke-width="2"{broken}/>{"".join(small.marks)}</svg>'
        )

    def done(self, name: str, title: str, description: str, height: float) -> Svg:
        """Return the picture with what it is called and what it shows."""
        wide = str(self.width) if self.width else "100%"
        box = f' viewBox="0 0 {self.width} {height:g}"' if self.width else ""
        named = re.sub(r"[^\w-]", "-", f"chart-{name}")
        return Svg(
            f'<svg class="chart" xmlns="http://www.w3.org/2000/svg" width="{wide}"'
            f' height="{height:g}"{box} font-family="{FONTS}" role="img"'
            f' aria-labelledby="{named}-t {named}-d">'
            f'<title id="{named}-t">{clean(title)}</title>'
            f'<desc id="{named}-d">{clean(description)}</desc>{"".join(self.marks)}</svg>'
        )
