"""The items of a published list, prepared for searching, and kept as long as the list is as it was.

A published version does not change (``rules.duty_lists``), so what is prepared of it is good until it is
superseded. One entry stands for one list of one database; which lists are searched is asked of the
gate every time, and so is each item that is shown.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.duty import DutyItem, DutyList, DutyListType
from presets.everyday_words import PAPERS, ROUNDS
from rules.duty_words import fitness, grams, plain

#: Lists that are kept prepared; a township uses four or five.
MOST_KEPT = 256
#: How much of the explaining cells is read: the matter stands at their beginning.
MOST_OF_A_CELL = 240

_Key = tuple[int, int, dt.datetime | None]


@dataclass(frozen=True)
class Prepared:
    """One list: by position the items' ids and plain names, and where each pair of characters is.

    ``named`` and ``told`` lead from a pair to the positions whose name, or whose explaining cells,
    have it. ``meant`` leads from a row of the table of everyday words to the positions that it means,
    each with the rank of the piece that stands there. ``papers`` are the positions that are about papers only, ``rounds`` those about inspections.
    """

    kind: DutyListType
    ids: tuple[int, ...]
    names: tuple[str, ...]
    lengths: tuple[int, ...]
    named: dict[str, tuple[int, ...]]
    told: dict[str, tuple[int, ...]]
    meant: dict[int, tuple[tuple[int, int], ...]]
    papers: frozenset[int]
    rounds: frozenset[int]


class _Shelf:
    """Prepared lists, the least used dropped first; safe between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[_Key, Prepared] = OrderedDict()

    def get(self, key: _Key) -> Prepared | None:
        """Return what is kept under a key."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: _Key, prepared: Prepared) -> None:
        """Keep what has been prepared."""
        with self._lock:
            self._kept[key] = prepared
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)


_SHELVES: WeakKeyDictionary[Any, _Shelf] = WeakKeyDictionary()
_SHELVES_LOCK = Lock()


def prepared(session: Session, lists: Iterable[DutyList]) -> list[Prepared]:
    """Return the lists prepared; one statement for all that are not kept."""
    with _SHELVES_LOCK:
        shelf = _SHELVES.setdefault(session.get_bind(), _Shelf())
    keys = {each.id: (each.id, each.version, each.published_at) for each in lists}
    kinds = {each.id: each.list_type for each in lists}
    found = {number: shelf.get(key) for number, key in keys.items()}
    missing = [number for number, each in found.items() if each is None]
    if missing:
        rows = _rows(session, missing)
        for number in missing:
            found[number] = _prepare(kinds[number], rows[number])
            shelf.put(keys[number], found[number])  # type: ignore[arg-type]
    return [each for each in found.values() if each is not None]


def _rows(session: Session, numbers: list[int]) -> dict[int, list[Any]]:
    rows: dict[int, list[Any]] = defaultdict(list)
    query = (
        select(
            DutyItem.duty_list_id,
            DutyItem.id,
            DutyItem.name,
            DutyItem.superior_duty,
            DutyItem.township_duty,
            DutyItem.work_method,
        )
        .where(DutyItem.duty_list_id.in_(numbers))
        .order_by(DutyItem.position, DutyItem.id)
    )
    for row in session.execute(query):
        rows[row.duty_list_id].append(row)
    return rows


def _prepare(kind: DutyListType, rows: list[Any]) -> Prepared:
    names = tuple(plain(row.name) for row in rows)
    named: dict[str, list[int]] = defaultdict(list)
    told: dict[str, list[int]] = defaultdict(list)
    meant: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for at, row in enumerate(rows):
        in_name = grams(names[at])
        cells = (row.superior_duty, row.township_duty, row.work_method)
        beside = grams(plain(" ".join((each or "")[:MOST_OF_A_CELL] for each in cells)))
        for matter, rank in fitness(names[at]).items():
            meant[matter].append((at, rank))
        for gram in in_name:
            named[gram].append(at)
        for gram in beside - in_name:
            told[gram].append(at)
    return Prepared(
        kind=kind,
        ids=tuple(row.id for row in rows),
        names=names,
        lengths=tuple(max(len(name), 1) for name in names),
        named={gram: tuple(places) for gram, places in named.items()},
        told={gram: tuple(places) for gram, places in told.items()},
        meant={row: tuple(places) for row, places in meant.items()},
        papers=frozenset(at for at, name in enumerate(names) if _is_paper(name)),
        rounds=frozenset(at for at, name in enumerate(names) if name.endswith(ROUNDS)),
    )


def _is_paper(name: str) -> bool:
    """Tell whether an item is about a paper to be issued: it says so at its end, notes aside."""
    end = name.split()[0] if name else ""
    return name.endswith(PAPERS) or end.endswith(PAPERS)


def frequencies(lists: Iterable[Prepared], wanted: Iterable[str]) -> tuple[Counter[str], int]:
    """Return in how many names each pair stands, over all the lists, and how many items they have."""
    counted: Counter[str] = Counter()
    pairs = list(wanted)
    total = 0
    for each in lists:
        total += len(each.ids)
        for gram in pairs:
            counted[gram] += len(each.named.get(gram, ()))
    return counted, total
