"""The sound rows of a list: what each says of which field, and where that stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from imports.kinds import Value
from imports.specs.base import Column, Spec
from imports.tables import Problem, RawRow, Table
from imports.text import CellValue, cell_ref, name_key

Key = tuple[str, ...]

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(slots=True)
class Shape:
    """What the plain rows of a list have in common: the fields that they speak of, and where.

    ``said``: for a list of departments, by its ``id``, the text of the cell that it was read from.
    """

    sheet: str
    names: tuple[str, ...]
    places: tuple[int, ...]
    columns: dict[int, Column]
    said: dict[int, str] = field(default_factory=dict)


class Item:
    """One sound row: the values of the fields that the sheet speaks of, and where they stand.

    A row of which each value stands in a cell of its own, as nearly all do, is kept as its values
    and a shape that it shares; ``values`` and ``cells`` are then made anew whenever they are asked
    for. ``raw`` are the texts of a literal list as the cells hold them, where reading has tidied them.
    """

    __slots__ = ("_cells", "_shape", "_values", "key", "row")

    def __init__(
        self,
        sheet: str,
        row: int,
        key: Key,
        values: dict[str, Value],
        cells: dict[str, str],
        raw: Mapping[str, str] = _NONE,
    ) -> None:
        self.row = row
        self.key = key
        self._shape: Shape | None = None
        self._values: dict[str, Value] | tuple[Value, ...] = values
        self._cells: tuple[str, dict[str, str], Mapping[str, str]] | None = (sheet, cells, raw)

    @classmethod
    def plain(cls, shape: Shape, row: int, key: Key, values: tuple[Value, ...]) -> Item:
        """Return the item of a row with a shape; ``values`` in the order of its names."""
        item = cls.__new__(cls)
        item.row = row
        item.key = key
        item._shape = shape
        item._values = values
        item._cells = None
        return item

    def as_read(self) -> RawRow:
        """Return a plain row as it might have been read: it would become the same item again."""
        if self._shape is None:
            raise TypeError("only a plain row is its own values")
        values: list[CellValue] = [""] * (max(self._shape.places) + 1)
        said = list(zip(self._shape.places, self.texts, strict=True))
        # A category without a column of its own, the last, is only said to stand in the first.
        for place, value in reversed(said):
            if isinstance(value, list):
                values[place] = self._shape.said.get(id(value), "")
            else:
                values[place] = str(value or "")
        category = self.get("category")
        return RawRow(self.row, str(category or ""), values, self._shape.columns)

    @property
    def sheet(self) -> str:
        """Return the sheet's name."""
        return self._shape.sheet if self._shape else self._other[0]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the fields that the row speaks of."""
        return self._shape.names if self._shape else tuple(self._values)  # type: ignore[arg-type]

    @property
    def texts(self) -> tuple[Value, ...]:
        """Return the values in the order of ``names``."""
        return self._values if isinstance(self._values, tuple) else tuple(self._values.values())

    @property
    def values(self) -> dict[str, Value]:
        """Return the values by field."""
        if isinstance(self._values, tuple):
            return dict(zip(self.names, self._values, strict=True))
        return self._values

    @property
    def cells(self) -> dict[str, str]:
        """Return the address of the cell that speaks of each field."""
        if self._shape is None:
            return self._other[1]
        places = zip(self._shape.names, self._shape.places, strict=True)
        return {name: cell_ref(self.row, place) for name, place in places}

    @property
    def raw(self) -> Mapping[str, str]:
        """Return the texts as their cells hold them, where that differs."""
        return self._other[2] if self._shape is None else _NONE

    @property
    def _other(self) -> tuple[str, dict[str, str], Mapping[str, str]]:
        if self._cells is None:
            raise TypeError("a plain row's cells follow from its shape")
        return self._cells

    def get(self, name: str) -> Value:
        """Return the value of a field; ``None`` if the row says nothing of it."""
        if isinstance(self._values, dict):
            return self._values.get(name)
        names = self.names
        return self._values[names.index(name)] if name in names else None

    def speaks_of(self, name: str) -> bool:
        """Tell whether the sheet says anything of a field."""
        return name in (self._shape.names if self._shape else self._values)


#: The rows seen of a list, by key; several where a key may repeat.
Seen = dict[Key, Item | list[Item]]


@dataclass
class Checked:
    """A list after checking: its sound rows, and what is wrong with the others.

    ``keys`` holds the key of every row that has one, sound or not, so that a row in error does not
    count as missing from the file.
    """

    table: Table
    items: list[Item] = field(default_factory=list)
    keys: set[Key] = field(default_factory=set)
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def key_of(spec: Spec, values: Mapping[str, Value]) -> Key | None:
    """Return what identifies a row; ``None`` if the field that names it is not sound."""
    parts = []
    for name in spec.key:
        value = values.get(name)
        if value is None and name != spec.category:
            return None
        if spec.literal:
            parts.append(str(value))
        else:
            parts.append(name_key(value) if isinstance(value, str) else "")
    return tuple(parts)
