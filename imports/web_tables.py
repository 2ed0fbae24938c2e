"""Tables of a web page that was saved as .xls, for the reading process only.

Government systems "export to Excel" that way, and Excel opens it.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import html

from imports.delimited import encoding_of

MergeRange = tuple[int, int, int, int]

_WIDEST = 16_384


def web_tables(path: str) -> Iterator[tuple[list[list[str]], list[MergeRange]]]:
    """Give the rows of each table that holds no other, and its merges (rows from 1, columns from 0).

    Raises ``UnknownEncoding`` or lxml's ``LxmlError``.
    """
    encoding = encoding_of(path).removesuffix("-sig")  # lxml passes over the mark by itself
    parser = html.HTMLParser(encoding=encoding, no_network=True, huge_tree=False)
    for table in html.parse(path, parser).iter("table"):
        if table.find(".//table") is None:
            yield _table(table)


def _table(table: html.HtmlElement) -> tuple[list[list[str]], list[MergeRange]]:
    rows: list[list[str]] = []
    merges: list[MergeRange] = []
    taken: dict[int, int] = {}  # columns that a cell above reaches into, with its last row
    for number, line in enumerate(table.iter("tr"), 1):
        taken = {column: last for column, last in taken.items() if last >= number}
        values: list[str] = []
        for cell in line.iterchildren("td", "th"):
            while len(values) in taken:
                values.append("")
            left = len(values)
            width, height = _span(cell, "colspan"), _span(cell, "rowspan")
            values += [_text(cell), *[""] * (width - 1)]
            if width > 1 or height > 1:
                merges.append((number, left, number + height - 1, left + width - 1))
            if height > 1:
                taken |= dict.fromkeys(range(left, left + width), number + height - 1)
        rows.append(values)
    return rows, merges


def _span(cell: html.HtmlElement, name: str) -> int:
    text = cell.get(name, "1").strip()
    return max(1, min(int(text), _WIDEST)) if text.isascii() and text.isdigit() else 1


def _text(cell: html.HtmlElement) -> str:
    for end in cell.iter("br"):
        end.tail = "\n" + (end.tail or "").lstrip()
    return str(cell.text_content()).replace("\xa0", " ").strip()
