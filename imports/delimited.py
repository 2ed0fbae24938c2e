"""Text with separators (.csv) as rows, for the reading process only.

Excel in China writes GBK, WPS and web systems UTF-8 with or without a mark, Excel's "Unicode text"
UTF-16 with tabs.
"""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

_BLOCK = 1 << 16
_SAMPLE_ROWS = 50
_SEPARATORS = ",\t;|"


class UnknownEncoding(Exception):
    """The bytes are text in none of the encodings that officers' programs write."""


def encoding_of(path: str) -> str:
    """Return the encoding in which the whole file can be read: UTF-8 if it can, else GB18030."""
    with open(path, "rb") as file:
        start = file.read(2)
    if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    for encoding in ("utf-8-sig", "gb18030"):
        if _decodes(path, encoding):
            return encoding
    raise UnknownEncoding


def _decodes(path: str, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with open(path, "rb") as file:
        try:
            while block := file.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def separator_of(path: str, encoding: str) -> str:
    """Return the separator by which most of the first rows have the same number of cells."""
    best = (0, 0)
    found = ","
    for separator in _SEPARATORS:
        widths: Counter[int] = Counter()
        with open(path, encoding=encoding, newline="") as file, suppress(csv.Error):
            for row in islice(csv.reader(file, delimiter=separator), _SAMPLE_ROWS):
                widths[len(row)] += 1
        widths.pop(0, None)
        widths.pop(1, None)
        if widths:
            width, rows = widths.most_common(1)[0]
            if (rows, width) > best:
                best = (rows, width)
                found = separator
    return found


def delimited_rows(path: str, characters: int) -> Iterator[list[str]]:
    """Read the rows, each cell as text; ``characters`` is the most that a cell may have.

    Raises ``UnknownEncoding``, and ``csv.Error`` for a cell that is longer: mostly a quotation mark
    that nothing closes.
    """
    csv.field_size_limit(characters)
    encoding = encoding_of(path)
    separator = separator_of(path, encoding)
    with open(path, encoding=encoding, newline="") as file:
        yield from csv.reader(file, delimiter=separator)
