"""What a cell says, as text: the few normalisations that every later step relies on."""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from functools import lru_cache

from rules.names import name_key as name_key

CellValue = str | int | float | bool | dt.date | dt.datetime | dt.time | None

# Zero-width marks and the byte order mark come with text pasted from web pages; control
# characters come from .xls files, and PostgreSQL refuses NUL in text.
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LINE_ENDS = re.compile(r"[ \t\u3000\xa0]*(?:_x000D_)?\r?\n[ \t\u3000\xa0]*")
_ORDINAL = re.compile(r"[(]?(\d{1,9})(?:\.0+)?[)]?[.、．]?")
_NOT_HEADING = re.compile(r"[\s:()\[\]/、.*\"“”《》—_-]+")
_OPEN, _CLOSE = "（(【[", "）)】]"
_SEPARATORS = "、；;，,/|"

#: What officers write where there is nothing to write.
BLANKS = frozenset({"", "无", "无。", "/", "\\", "-", "—", "——", "－", "–", "#N/A", "None"})


def clean(value: CellValue) -> str:
    """Return the cell as trimmed text: 12 not 12.0, line ends as ``\\n``, no invisible marks.

    Full-width characters stay as they are written; dates come as 2025-06-01.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        return _clean_float(value)
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, dt.time):
        return value.strftime("%H:%M")
    return str(value)


def _clean_text(text: str) -> str:
    # What is printable, line ends aside, holds no invisible mark, no tab and no wide blank: tests
    # that run at the speed of C spare nearly every cell the expressions.
    if text.isalnum():
        return text
    if "_x000D_" not in text:
        if text.isprintable():
            return text.strip()
        lined = "\n" in text and text.replace("\n", "").isprintable()
        if lined and " \n" not in text and "\n " not in text:
            return text.strip()
    if "\n" in text:
        text = _LINE_ENDS.sub("\n", text)
    return _INVISIBLE.sub("", text).replace("_x000D_", "").strip()


def _clean_float(value: float) -> str:
    if not math.isfinite(value):
        return ""
    return str(int(value)) if value.is_integer() else f"{value:.15g}"


def one_line(text: str) -> str:
    """Return text that was broken into lines to fit its cell as one line, blanks only in Latin."""
    first, *rest = text.split("\n")
    for line in rest:
        first += f" {line}" if first[-1:].isascii() and line[:1].isascii() else line
    return first


def is_blank(text: str) -> bool:
    """Tell whether the (clean) text stands for "nothing": empty, 无, / or a dash."""
    return text in BLANKS


def ordinal(value: CellValue) -> int | None:
    """Return a running number written as a number or as text (１２, 12., （12）), else ``None``."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if math.isfinite(value) and value.is_integer() else None
    match = _ORDINAL.fullmatch(unicodedata.normalize("NFKC", clean(value)).strip())
    return int(match[1]) if match else None


@lru_cache(maxsize=4096)
def heading_key(text: str) -> str:
    """Return a heading without what townships vary: blanks, line breaks, width, brackets, marks."""
    return _NOT_HEADING.sub("", unicodedata.normalize("NFKC", text)).casefold()


def split_chunks(text: str) -> list[str]:
    """Split a cell at line ends and at 、；，, but not at blanks, nor inside brackets."""
    parts: list[str] = []
    depth, start = 0, 0
    for place, character in enumerate(text):
        if character in _OPEN:
            depth += 1
        elif character in _CLOSE:
            depth = max(0, depth - 1)
        elif character == "\n" or (character in _SEPARATORS and depth == 0):
            parts.append(text[start:place])
            start, depth = place + 1, 0
    parts.append(text[start:])
    return [part for part in (part.strip() for part in parts) if not is_blank(part)]


def split_names(text: str) -> list[str]:
    """Split a cell that names several organisations, one a line or by 、；，comma or blanks.

    Repeated names are given once, in order.
    """
    names = [name for chunk in split_chunks(text) for name in chunk.split()]
    return list(dict.fromkeys(name for name in names if not is_blank(name)))


def column_letters(column: int) -> str:
    """Return the letters of a column counted from 0: 0 is A, 26 is AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def cell_ref(row: int, column: int) -> str:
    """Return a cell's address as a spreadsheet shows it, from a row (1…) and a column (0…)."""
    return f"{column_letters(column)}{row}"
