"""Pictures as PNG, for documents that cannot hold SVG."""

from __future__ import annotations

from functools import lru_cache

import resvg_py

from reports.drawing import Sheet


def png(svg: str, zoom: float = 2) -> bytes:
    """Return a picture that has a width of its own as PNG on white, for a document.

    Needs a font with Chinese characters on this machine: ask ``can_write`` first.
    """
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=zoom, background="#ffffff"))


@lru_cache(maxsize=1)
def can_write() -> bool:
    """Tell whether this machine has a font with Chinese characters for ``png``.

    Without one every character comes out as the same box, or as nothing.
    """
    seen = set()
    for character in "一国":
        sheet = Sheet(40)
        sheet.text(0, 20, character)
        # The names are no part of what is seen.
        seen.add(png(sheet.done("x", "x", "x", 30), zoom=1))
    return len(seen) == 2
