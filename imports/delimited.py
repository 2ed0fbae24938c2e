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
    """Return the encoding in which the whole file can be read: UTF-8 if it can, else GB18030.

    A UTF-8 file with a few broken bytes could be read as GB18030 too, as other words: it is refused.
    """
    with open(path, "rb") as file:
        start = file.read(2)
    if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    if _decodes(path, "utf-8-sig"):
        return "utf-8-sig"
    if _is_broken_utf_8(path) or not _decodes(path, "gb18030"):
        raise UnknownEncoding
    return "gb18030"


def _decodes(path: str, encoding: str) -> bool:
    try:
        for _text in _texts(path, encoding, "strict"):
            pass
    except UnicodeDecodeError:
        return False
    return True


def _is_broken_utf_8(path: str) -> bool:
    """Tell whether nearly all that is not ASCII makes sense as UTF-8: GBK hardly ever does."""
    broken = whole = 0
    for text in _texts(path, "utf-8-sig", "replace"):
        lost = text.count("\ufffd")
        broken += lost
        whole += len(text) - len(text.encode("ascii", "ignore")) - lost
    return whole > 4 * broken


def _texts(path: str, encoding: str, errors: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            yield decoder.decode(block)
    yield decoder.decode(b"", final=True)


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
