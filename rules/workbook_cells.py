"""Texts in the cells of workbooks that leave the product: they stay texts, and compute nothing.

Every export, template and report goes through here: neither ``imports`` nor ``reports`` may know the
other.
"""

from __future__ import annotations

import re
from typing import Any

from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ERROR_CODES, ILLEGAL_CHARACTERS_RE

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Excel's own limits.
LONGEST_CELL, LONGEST_TITLE = 32_767, 31
#: A spreadsheet computes a text that begins so, if it is ever typed or pasted again.
LEADS = ("=", "+", "-", "@", "\t", "\r", "\n")
#: How a workbook writes characters that it cannot hold; a text that says so itself is escaped.
_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_NOT_IN_TITLES = re.compile(r"[\\/*?:\[\]']")


def held(text: str) -> str:
    """Return a text as a cell can hold it: without control characters, not longer than Excel takes."""
    return _ESCAPED.sub("_x005F_", ILLEGAL_CHARACTERS_RE.sub("", text))[:LONGEST_CELL]


def fill(cell: Any, text: str) -> Any:
    """Put a text into a cell so that it stays one, whatever it begins with; return the cell.

    ``quotePrefix`` is the apostrophe that a person would type before it: Excel shows the text
    without, and leaves it a text when the cell is edited.
    """
    text = held(text)
    cell.value = text or None
    if text:
        cell.data_type = "s"
    if text.startswith(LEADS):
        cell.quotePrefix = True
    return cell


def text_cell(sheet: Any, text: str) -> Any:
    """Return what to append to a streamed sheet for a text: the text itself where that is safe."""
    text = held(text)
    if not text:
        return None
    if not text.startswith(LEADS) and text not in ERROR_CODES:
        return text
    return fill(WriteOnlyCell(sheet), text)


def title_of(text: str) -> str:
    """Return a sheet's title without what Excel does not take."""
    return _NOT_IN_TITLES.sub("", text)[:LONGEST_TITLE]
