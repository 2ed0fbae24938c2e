"""Offer a mapping where headings could not be read for sure: which list, and which column is what."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz import fuzz, process

from imports.headings import fingerprint, heading_keys, hinted, match_heading
from imports.reader import Row, Sheet
from imports.specs.base import Spec
from imports.tables import Offer, Table
from imports.text import cell_ref, clean, heading_key

#: Rows from the top among which headings are looked for where none were recognised.
_HIGHEST = 30
#: How like a column's heading a text must be to be taken for it beforehand, of 100.
_LIKE = 60


def offers_of(sheet: Sheet, specs: Sequence[Spec], tables: Sequence[Table]) -> list[Offer]:
    """Return what a person may decide about a sheet: ``tables`` are those found in it.

    Nothing for a sheet whose headings explain themselves.
    """
    if tables:
        unsure = [table for table in tables if _is_unsure(table, sheet)]
        return [_offer_of_table(sheet, table, specs) for table in unsure]
    row = _likeliest(sheet, specs)
    return [_offer_of_row(sheet, row, specs)] if row is not None else []


def _is_unsure(table: Table, sheet: Sheet) -> bool:
    """Tell whether columns are missing or unknown, and nobody has said what they are."""
    row = _row(sheet, table.heading_row)
    keys = heading_keys(row.values)
    if fingerprint(keys.values()) in table.spec.decided:
        return bool(_missing(table.spec, table))
    return bool(_missing(table.spec, table)) or any(place not in table.columns for place in keys)


def _row(sheet: Sheet, number: int) -> Row:
    return next(row for row in sheet.rows if row.number == number)


def _missing(spec: Spec, table: Table) -> tuple[str, ...]:
    filled = {name for column in table.columns.values() for name in column.fields}
    wanted = [each for each in spec.columns if each.expected and each.fields[0] not in filled]
    return tuple(dict.fromkeys(each.label for each in wanted))


def _offer_of_table(sheet: Sheet, table: Table, specs: Sequence[Spec]) -> Offer:
    row = _row(sheet, table.heading_row)
    keys = heading_keys(row.values)
    taken = {place: column.label for place, column in table.columns.items()}
    taken = {place: label for place, label in taken.items() if not label.startswith("不导入：")}
    return Offer(
        sheet.name,
        row.number,
        fingerprint(keys.values()),
        table.list_type,
        tuple(spec.list_type for spec in specs),
        _headings(row, keys, {**_guessed(table.spec, keys, taken), **taken}),
        _missing(table.spec, table),
    )


def _offer_of_row(sheet: Sheet, row: Row, specs: Sequence[Spec]) -> Offer:
    """Offer a row of which no list is known: every list, and columns where they are alike."""
    keys = heading_keys(row.values)
    told = _told(sheet, row, specs)
    guesses = [(spec, _guessed(spec, keys, {})) for spec in told]
    spec, taken = max(guesses, key=lambda each: len(each[1]))
    matches = match_heading(row.values, specs)
    if matches:
        # Several lists fit equally well: the columns are known, only the list is not.
        taken = {place: column.label for place, column in matches[0].columns.items()}
    return Offer(
        sheet.name,
        row.number,
        fingerprint(keys.values()),
        spec.list_type if len(told) == 1 or (taken and not matches) else "",
        tuple(each.list_type for each in specs),
        _headings(row, keys, taken),
    )


def _told(sheet: Sheet, row: Row, specs: Sequence[Spec]) -> Sequence[Spec]:
    """Return the lists that the rows above, or else the sheet's name, speak of; all if none does."""
    above = [
        clean(value) for each in sheet.rows if each.number < row.number for value in each.values
    ]
    for words in (*reversed(above), sheet.name):
        if words and (found := hinted(words, specs)):
            return found
    return specs


def _headings(
    row: Row, keys: dict[int, str], taken: dict[int, str]
) -> tuple[tuple[str, str, str, str], ...]:
    return tuple(
        (cell_ref(row.number, place), clean(row.values[place]), key, taken.get(place, ""))
        for place, key in keys.items()
    )


def _guessed(spec: Spec, keys: dict[int, str], taken: dict[int, str]) -> dict[int, str]:
    """Return the columns that unknown headings are most like, each column once."""
    free = {
        heading_key(text): column.label
        for column in spec.columns
        if column.label not in taken.values()
        for text in (column.label, *column.headings)
    }
    guessed: dict[int, str] = {}
    for place, key in keys.items():
        if place in taken:
            continue
        best = process.extractOne(key, free.keys(), scorer=fuzz.ratio, score_cutoff=_LIKE)
        if best is not None:
            guessed[place] = free[best[0]]
            free = {text: label for text, label in free.items() if label != guessed[place]}
    return guessed


def _likeliest(sheet: Sheet, specs: Sequence[Spec]) -> Row | None:
    """Return the row near the top that looks most like headings: many short texts, all different.

    A row that several lists would know is the likeliest of all.
    """
    best: tuple[int, Row] | None = None
    for row in sheet.rows[:_HIGHEST]:
        keys = heading_keys(row.values)
        if len(keys) < 2 or len(set(keys.values())) < len(keys):
            continue
        weight = len(keys) + (100 if match_heading(row.values, specs) else 0)
        if best is None or weight > best[0]:
            best = (weight, row)
    return best[1] if best else None
