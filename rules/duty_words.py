"""What a sentence of everyday speech says about a matter: its own words, and the official ones meant."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

from presets.everyday_words import EVERYDAY, FILLERS, PAPERS_ASKED, URGENT

#: A title has 200 characters; what is longer is read so far.
MOST_CHARACTERS = 200
#: Two words together, and a hint, against one word of the table.
SURE, HINT = 1.4, 0.5
#: Likeness to a row's sayings: what a single character counts, what it takes, and what it comes to.
SINGLE, LEAST_LIKE, FULLY_LIKE, LIKE, MOST_LIKE = 0.6, 2.5, 9.0, 0.7, 4

_RUN = re.compile(r"[\u3400-\u9fff]+|[a-z0-9]+")
_FILLER = re.compile("|".join(sorted(FILLERS, key=len, reverse=True)))


@dataclass(frozen=True)
class Meaning:
    """A matter that was heard: the row of the table that it is on.

    ``strength`` is 1 for a word of the table, more for two together, less for a hint or a likeness.
    """

    row: int
    strength: float


@dataclass(frozen=True)
class Heard:
    """A sentence as the matching reads it.

    ``grams`` are pairs of characters; ``papers`` tells whether a paper is asked for rather than help;
    ``urgent`` is the word by which the matter sounds like sudden danger, if any.
    """

    grams: frozenset[str]
    meanings: tuple[Meaning, ...]
    papers: bool
    urgent: str | None


def plain(text: str) -> str:
    """Return a text in one form: half-width, lower case, nothing but letters, digits and blanks."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return " ".join(_RUN.findall(folded))


def grams(text: str) -> frozenset[str]:
    """Return the pairs of neighbouring characters of a plain text; whole words where not Chinese."""
    found: set[str] = set()
    for run in text.split():
        if run.isascii():
            found.add(run)
        else:
            found.update(run[at : at + 2] for at in range(len(run) - 1))
    return frozenset(found)


def fitness(name: str) -> dict[int, int]:
    """Return by row of the table which of its official pieces stands in a plain name, from 0."""
    found = {}
    for row, pieces in enumerate(_PIECES):
        for rank, parts in enumerate(pieces):
            if all(part in name for part in parts):
                found[row] = rank
                break
    return found


@lru_cache(maxsize=512)
def hear(text: str) -> Heard:
    """Read a sentence by the table of everyday words."""
    said = plain(text[:MOST_CHARACTERS])
    loud = _audible(said)
    matter = _FILLER.sub(" ", said)
    strengths = {
        row: max((_strength(saying, said, loud) for saying in sayings), default=0.0)
        for row, sayings in enumerate(_SAID)
    }
    for row, strength in _like(matter):
        strengths[row] = max(strengths[row], strength)
    return Heard(
        grams=grams(matter),
        meanings=tuple(Meaning(row, each) for row, each in strengths.items() if each),
        papers=any(word in said for word in PAPERS_ASKED),
        urgent=next((each for each in URGENT if all(p in said for p in each.split("+"))), None),
    )


def _audible(said: str) -> frozenset[str]:
    """Return the single words of the table in the text that are not only part of longer ones."""
    heard = [word for word in _WORDS if word in said]  # the longest first
    kept: set[str] = set()
    for word in heard:
        rest = said
        for longer in kept:
            if word in longer:
                rest = rest.replace(longer, "\0")
        if word in rest:
            kept.add(word)
    return frozenset(kept)


def _strength(saying: _Saying, said: str, loud: frozenset[str]) -> float:
    if len(saying.parts) > 1:
        return SURE if all(part in said for part in saying.parts) else 0.0
    return (HINT if saying.hint else 1.0) if saying.parts[0] in loud else 0.0


def _like(said: str) -> list[tuple[int, float]]:
    """Return the rows whose sayings are most like a text, for words that the table does not have.

    By characters and pairs of them, the rarer on the table the better.
    """
    weights: dict[int, float] = defaultdict(float)
    for gram in _singles(said) | grams(said):
        rows = _ROWS_OF.get(gram, ())
        if rows:
            rare = math.log(len(_SAID) / len(rows)) * (1.0 if len(gram) > 1 else SINGLE)
            for row in rows:
                weights[row] += rare
    best = sorted(weights.items(), key=lambda each: -each[1])[:MOST_LIKE]
    return [(row, min(each / FULLY_LIKE, 1) * LIKE) for row, each in best if each >= LEAST_LIKE]


def _singles(text: str) -> frozenset[str]:
    return frozenset(each for each in text if not each.isascii() and each not in _COMMON)


@dataclass(frozen=True)
class _Saying:
    parts: tuple[str, ...]
    hint: bool


def _saying(text: str) -> _Saying:
    return _Saying(tuple(text.removeprefix("~").split("+")), text.startswith("~"))


_PIECES = tuple(tuple(tuple(term.split("+")) for term in row.meant) for row in EVERYDAY)
#: Characters that stand in any sentence.
_COMMON = frozenset(
    "的了在是有个人不没上下里外大小来去到着过给把被就都也很太好又多得地一二三几天家我你他她这那们说要想能会让跟和"
)
_SAID = tuple(tuple(_saying(each) for each in row.said) for row in EVERYDAY)
_WORDS = sorted(
    {each.parts[0] for row in _SAID for each in row if len(each.parts) == 1},
    key=lambda word: (-len(word), word),
)


def _rows_of() -> dict[str, tuple[int, ...]]:
    found: dict[str, set[int]] = defaultdict(set)
    for row, sayings in enumerate(_SAID):
        for part in {part for each in sayings for part in each.parts}:
            for gram in _singles(part) | grams(part):
                found[gram].add(row)
    return {gram: tuple(sorted(rows)) for gram, rows in found.items()}


_ROWS_OF = _rows_of()
