"""The quick way through a list: plain rows that are sound, checked by readers bound once per column.

Whatever these readers do not know, they leave: the row then goes the way of ``imports.values``, which
knows every kind and has a sentence for every fault. What they do, they do as that way does.
"""

from __future__ import annotations

from collections.abc import Callable

from imports.directory import Directory
from imports.items import Item, Key, Shape
from imports.kinds import Value
from imports.specs.base import Column, Field, Kind
from imports.tables import RawRow, Table
from imports.text import BLANKS, CellValue, clean, one_line, ordinal
from rules.names import name_key

_KINDS = (Kind.TEXT, Kind.ORDINAL, Kind.DEPARTMENTS)
_MOST_DIGITS = 9


class _Other(Exception):
    """The cell is not for the quick way."""


Reader = Callable[[CellValue], Value]


class Shapes:
    """The shapes of one table's rows; a heading that is repeated elsewhere begins others."""

    def __init__(self, table: Table, directory: Directory | None) -> None:
        self.table = table
        self.spec = table.spec
        self.directory = directory
        self._ways: dict[tuple[int, bool], _Way | None] = {}
        self._has_category = table.place(self.spec.category) is not None
        # A heading further down may have moved the columns; the row says which are its own.
        self._kept: list[dict[int, Column]] = []

    def item(self, row: RawRow) -> Item | None:
        """Return the row's item if it is plain and sound, else ``None``."""
        if row.held is not None:
            return None
        named = bool(row.category) or self._has_category
        known = (id(row.columns), named)
        if known not in self._ways:
            self._kept.append(row.columns)
            self._ways[known] = self._way(row.columns, named)
        way = self._ways[known]
        if way is None:
            return None
        try:
            return way.item(row)
        except _Other:
            return None

    def _way(self, columns: dict[int, Column], named: bool) -> _Way | None:
        """Return how to read rows with these columns; ``named``: their category is spoken of."""
        spec = self.spec
        fields = {each.name: each for each in spec.fields}
        known = all(each.kind in _KINDS and each.clearable for each in spec.fields)
        whole = all(len(each.fields) == 1 and each.split is None for each in columns.values())
        if spec.literal or not known or not whole or columns != self.table.columns:
            return None
        places: dict[str, int] = {}
        for place, column in columns.items():
            if column.fields[0] in fields and column.fields[0] != spec.category:
                places.setdefault(column.fields[0], place)
        said: dict[int, str] = {}
        readers = [self._reader(fields[name], said) for name in places]
        if any(name not in (*places, spec.category) for name in spec.key) or not readers:
            return None
        category = fields.get(spec.category) if named else None
        own = self.table.place(spec.category)
        shape = Shape(
            self.table.sheet,
            (*places, *([category.name] if category else ())),
            (*places.values(), *([min(columns) if own is None else own] if category else ())),
            columns,
            said,
        )
        return _Way(shape, readers, category, spec.key)

    def _reader(self, field: Field, said: dict[int, str]) -> Reader:
        if field.kind is Kind.ORDINAL:
            return _ordinal
        if field.kind is Kind.DEPARTMENTS:
            return self._departments(said)
        return _text_reader(field)

    def _departments(self, said: dict[int, str]) -> Reader:
        directory = self.directory
        if directory is None:
            raise ValueError(f"the list {self.spec.list_type} needs a directory")
        known: dict[CellValue, Value] = {}
        nobody: list[int] = []

        def read(value: CellValue) -> Value:
            try:
                return known[value]
            except KeyError:
                pass
            text = clean(value)
            if text in BLANKS:
                return nobody
            resolved = directory.resolve(text)
            if resolved.unknown:
                raise _Other
            # One list for all cells that say the same, and with it what they say.
            found = known.setdefault(text, list(resolved.ids))
            said[id(found)] = text
            if isinstance(value, str):
                known[value] = found
            return found

        return read


class _Way:
    """How plain rows of one shape become items."""

    def __init__(
        self, shape: Shape, readers: list[Reader], category: Field | None, key: tuple[str, ...]
    ) -> None:
        self.shape = shape
        self.steps = tuple(zip(shape.places, readers, strict=False))
        self.width = max(shape.places) + 1
        self.read_category = _text_reader(category) if category else None
        self.categories: dict[str, Value] = {}
        self.key_places = tuple(
            shape.names.index(name) if name in shape.names else -1 for name in key
        )

    def item(self, row: RawRow) -> Item:
        values = row.values
        if len(values) < self.width:
            values = values + [""] * (self.width - len(values))
        found = [read(values[place]) for place, read in self.steps]
        if self.read_category is not None:
            category = row.category
            if category not in self.categories:
                self.categories[category] = self.read_category(category)
            found.append(self.categories[category])
        return Item.plain(self.shape, row.number, self._key(found), tuple(found))

    def _key(self, found: list[Value]) -> Key:
        if len(self.key_places) == 1:
            return (_name_key(found[self.key_places[0]]),)
        return tuple(_name_key(found[place] if place >= 0 else None) for place in self.key_places)


#: Without the cache: nearly every name is another.
_fresh_key = name_key.__wrapped__


def _name_key(value: Value) -> str:
    if not isinstance(value, str):
        return ""
    key = _fresh_key(value)
    # The same object where it is the same text: a hundred thousand names are held once.
    return value if key == value else key


def _ordinal(value: CellValue) -> Value:
    if value == "" or value is None:
        return None
    if type(value) is str and not (value.isascii() and value.isdigit()):
        raise _Other
    if type(value) is str and len(value) > _MOST_DIGITS:
        raise _Other
    number = ordinal(value) if type(value) is not str else int(value)
    if number is None:
        raise _Other
    return str(number)


def _text_reader(field: Field) -> Reader:
    """Return what reads a text field: clean, in one line if it must be, of the length it may have."""
    required, lines = field.required, field.multiline
    limit = field.max_length or 10**9

    def read(value: CellValue) -> Value:
        text = value if type(value) is str and value.isalnum() else clean(value)
        if text in BLANKS:
            if required:
                raise _Other
            return None
        if not lines and "\n" in text:
            text = one_line(text)
        if len(text) > limit:
            raise _Other
        return text

    return read
