"""How common pairs of characters are among all tickets, by the database's own statistics.

PostgreSQL gathers them with the index of searched texts. They only choose a way to search: a wrong or
an old figure makes a search slower, and never changes what it finds.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Text, cast, column, select, table
from sqlalchemy.dialects.postgresql import ARRAY, REGCLASS
from sqlalchemy.orm import Session

from models.search import TICKET_SEARCH
from rules.scope import reviewed

#: Statistics change with ANALYZE, some times a day at most.
_KEPT_SECONDS = 300.0
_STATISTICS = table(
    "pg_stats", column("tablename"), column("most_common_elems"), column("most_common_elem_freqs")
)
_TABLES = table("pg_class", column("oid"), column("reltuples"))


@dataclass(frozen=True)
class Frequencies:
    """In what share of the texts each of the common pairs stands, and how many texts there are."""

    shares: dict[str, float]
    texts: float

    def holding(self, pairs: Iterable[str]) -> float:
        """Return how many texts hold all the pairs, at most: as many as hold the rarest."""
        least = min(self.shares.values())
        return self.texts * min(self.shares.get(each, least) for each in pairs)


_kept: WeakKeyDictionary[Engine, tuple[float, Frequencies | None]] = WeakKeyDictionary()


def frequencies(session: Session) -> Frequencies | None:
    """Return how common pairs are; None where the database does not say, or not yet.

    Asked once in some minutes for each database.
    """
    engine = session.get_bind().engine
    if engine.dialect.name == "sqlite":
        return None
    until, found = _kept.get(engine, (0.0, None))
    if time.monotonic() >= until:
        found = _asked(session)
        _kept[engine] = (time.monotonic() + _KEPT_SECONDS, found)
    return found


def _asked(session: Session) -> Frequencies | None:
    named = cast(cast(_STATISTICS.c.most_common_elems, Text), ARRAY(Text))
    texts = select(_TABLES.c.reltuples).where(_TABLES.c.oid == cast(TICKET_SEARCH.name, REGCLASS))
    row: Any = session.execute(
        select(named, _STATISTICS.c.most_common_elem_freqs, texts.scalar_subquery()).where(
            _STATISTICS.c.tablename == "ix_ticket_search_grams",
            _STATISTICS.c.most_common_elems.is_not(None),
        ),
        execution_options=reviewed("reads the database's statistics on pairs of characters"),
    ).first()
    if row is None:
        return None
    # Behind the shares of the pairs stand the least, the largest, and that of texts without any.
    return Frequencies(dict(zip(row[0], row[1], strict=False)), max(row[2], 0.0))
