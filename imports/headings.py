"""Find heading rows, and tell from words and columns which list they head."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from imports.specs.base import Column, Spec
from imports.text import CellValue, clean, heading_key

_LONGEST_HEADING = 30


@dataclass(frozen=True)
class Match:
    """A row read as the heading of one spec's list; columns count from 0."""

    spec: Spec
    columns: dict[int, Column]
    unknown: tuple[int, ...]

    @property
    def missing(self) -> tuple[Column, ...]:
        """Return the expected columns whose main field no column of the row fills."""
        filled = {name for column in self.columns.values() for name in column.fields}
        missing: dict[str, Column] = {}
        for column in self.spec.columns:
            if column.expected and column.fields[0] not in filled:
                missing.setdefault(column.fields[0], column)
        return tuple(missing.values())


def match_heading(values: Sequence[CellValue], specs: Sequence[Spec]) -> list[Match]:
    """Return how each spec reads the row as a heading; nothing if it is no heading at all.

    A heading names the list's main column and at least one other, and most of its cells are known.
    """
    keys = heading_keys(values)
    if len(keys) < 2:
        return []
    mark = fingerprint(keys.values()) if any(spec.decided for spec in specs) else ""
    decided = [spec for spec in specs if mark in spec.decided]
    if decided:
        return [_match_decided(keys, spec, spec.decided[mark]) for spec in decided]
    matches = [_match_spec(keys, spec) for spec in specs]
    return [match for match in matches if match is not None]


def heading_keys(values: Sequence[CellValue]) -> dict[int, str]:
    """Return the keys of a row's headings by place; none if a cell can be no heading."""
    keys = {}
    for column, value in enumerate(values):
        if value is None or value == "":
            continue
        if not isinstance(value, str) or len(value) > _LONGEST_HEADING:
            return {}
        if key := heading_key(clean(value)):
            keys[column] = key
    return keys


def fingerprint(keys: Iterable[str]) -> str:
    """Return what a row of headings is remembered by: 32 hex digits, in the order of the columns."""
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()[:32]


def _match_decided(keys: dict[int, str], spec: Spec, decided: Mapping[str, Column]) -> Match:
    """Read the row as a person has said; the same heading twice counts where it stands first."""
    columns: dict[int, Column] = {}
    for place, key in keys.items():
        column = decided.get(key)
        if column is not None and column not in columns.values():
            columns[place] = column
    return Match(spec, columns, tuple(place for place in keys if place not in columns))


def _match_spec(keys: dict[int, str], spec: Spec) -> Match | None:
    columns = _assign(keys, spec, _find)
    if not _names(columns, spec):
        # "微心愿" heads the column that says whether a need is one, or the only names there are.
        columns = _assign(keys, spec, _find_loosely)
    if not _names(columns, spec) or len(columns) < 2 or 2 * len(columns) < len(keys):
        return None
    return Match(spec, columns, tuple(place for place in keys if place not in columns))


def _assign(
    keys: dict[int, str], spec: Spec, find: Callable[[Spec, str], Column | None]
) -> dict[int, Column]:
    columns: dict[int, Column] = {}
    for place, key in keys.items():
        column = find(spec, key)
        if column is not None and column not in columns.values():
            columns[place] = column
    return columns


def _names(columns: dict[int, Column], spec: Spec) -> bool:
    return any(spec.name in column.fields for column in columns.values())


@lru_cache(maxsize=16384)
def _find(spec: Spec, key: str) -> Column | None:
    """Return the column that is called so, or else the first that may be called so as well."""
    called = (column for column in spec.columns if heading_key(column.label) == key)
    return next(called, None) or _find_loosely(spec, key)


@lru_cache(maxsize=16384)
def _find_loosely(spec: Spec, key: str) -> Column | None:
    return next((column for column in spec.columns if column.matches(key)), None)


def may_be_heading(value: CellValue, specs: Sequence[Spec]) -> bool:
    """Tell cheaply whether a cell below the heading may belong to a heading that is repeated."""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_HEADING:
        return False
    key = heading_key(value)
    return any(
        _find(spec, key) is not None or any(key in known for known in spec.decided.values())
        for spec in specs
    )


def hinted(words: str, specs: Sequence[Spec]) -> list[Spec]:
    """Return the specs that a sheet's name or title speaks of; weak hints only if none is strong."""
    strong = [spec for spec in specs if re.search(spec.hints, words)]
    if strong:
        return strong
    return [spec for spec in specs if spec.weak_hints and re.search(spec.weak_hints, words)]


def choose(matches: Sequence[Match], *words: str) -> Match | None:
    """Return the list that a heading row heads, or ``None`` if it cannot be told.

    The words (title, then the sheet's name) decide first; then how many columns are known and
    how few are missing. A heading that suits two lists equally well is left to the person.
    """
    candidates = list(matches)
    for text in words:
        told = hinted(text, [match.spec for match in matches]) if text else []
        narrowed = [match for match in candidates if match.spec in told]
        candidates = narrowed or candidates
        if len(candidates) == 1:
            return candidates[0]
    ranked = sorted(candidates, key=_fitness, reverse=True)
    if len(ranked) > 1 and _fitness(ranked[0]) == _fitness(ranked[1]):
        return None
    return ranked[0] if ranked else None


def _fitness(match: Match) -> tuple[int, int]:
    return len(match.columns) - len(match.missing), -len(match.unknown)
