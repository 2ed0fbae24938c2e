"""What a person has decided about a file that the reading could not: which list, column, name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

#: Told of every stretch of the work: what is being done, how many rows of how many. May raise
#: ``Cancelled`` to stop it.
Watch = Callable[[str, int, int], None]


class Cancelled(Exception):
    """The person has called the work off; nothing is to be written."""


def unwatched(phase: str, done: int, total: int) -> None:
    """Watch nothing: for whoever waits anyway."""


@dataclass(frozen=True)
class Headings:
    """What the headings of one layout mean: heading (``text.heading_key``) → the column's label.

    An empty label leaves the column out. ``list_type`` is the list that the headings head.
    """

    list_type: str
    columns: Mapping[str, str]


@dataclass(frozen=True)
class Decisions:
    """The decisions on one file. None of them is needed for a file that explains itself.

    ``lists``: for a sheet, by name, the list type it holds (empty: it is to be left out).
    ``headings``: for a row of headings (``headings.fingerprint``), what they mean. ``names``: unknown
    name (``text.name_key``) → id of the organisation meant. ``retire``: what the file lacks goes.
    """

    lists: Mapping[str, str] = field(default_factory=dict)
    headings: Mapping[str, Headings] = field(default_factory=dict)
    names: Mapping[str, int] = field(default_factory=dict)
    retire: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "lists": dict(self.lists),
            "headings": {
                mark: [known.list_type, dict(known.columns)]
                for mark, known in self.headings.items()
            },
            "names": dict(self.names),
            "retire": self.retire,
        }

    @classmethod
    def of_json(cls, values: Mapping[str, Any] | None) -> Decisions:
        """Return the decisions that ``to_json`` has written; none for nothing."""
        if not values:
            return cls()
        headings = {mark: Headings(*known) for mark, known in values["headings"].items()}
        return cls(values["lists"], headings, values["names"], values["retire"])


NONE = Decisions()
