"""Tell whose lists a workbook holds: by the file's name, or by what stands above its tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from imports.decisions import Watch, unwatched
from imports.reader import Sheet, stream
from imports.text import clean, name_key
from models.organization import Organization, OrganizationKind

#: Rows from the top of a sheet that are looked through for a place's name.
_HIGHEST = 5
#: Texts that a row of titles holds at most.
_MOST_ALONE = 2


def place_of(
    path: Path, file_name: str, places: Sequence[Organization], watch: Watch = unwatched
) -> Organization | None:
    """Return the one place among ``places`` that the file names, or nobody if it cannot be told.

    The file's name speaks first, then the sheets' names and first rows. Raises ``WorkbookRefused``
    if it must be read and cannot be; ``watch`` is told of the reading, and may stop it.
    """
    if len(places) == 1:
        return places[0]
    return named([file_name], places) or named(_headlines(path, file_name, watch), places)


def named(texts: Iterable[str], places: Sequence[Organization]) -> Organization | None:
    """Return the place that the texts name; a longer name counts before one that it contains."""
    said = [name_key(text) for text in texts]
    found: dict[int, tuple[bool, int]] = {}
    for place in places:
        keys = [name_key(name) for name in (place.name, *place.aliases)]
        lengths = [len(key) for key in keys if key and any(key in text for text in said)]
        if lengths:
            # "某县某镇三张清单" names the county too, and means the township.
            found[place.id] = (place.kind is OrganizationKind.TOWNSHIP, max(lengths))
    best = max(found.values(), default=None)
    told = [place for place in places if best is not None and found.get(place.id) == best]
    return told[0] if len(told) == 1 else None


def _headlines(path: Path, file_name: str, watch: Watch) -> Iterable[str]:
    current: Sheet | None = None
    left = 0
    for sheet, rows in stream(path, name=file_name, watch=lambda: watch("read", 0, 0)):
        if sheet.hidden:
            continue
        if sheet is not current:
            current, left = sheet, _HIGHEST
            yield sheet.name
        for row in rows[:left]:
            texts = [clean(value) for value in row.values if isinstance(value, str) and value]
            # A title stands alone: departments in the rows of a table name their county too.
            if len(texts) <= _MOST_ALONE:
                yield from texts
        left = max(0, left - len(rows))
