"""Measuring: medians of interleaved runs, statements per call, and a table to print."""

from __future__ import annotations

import gc
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, event

WARM_UP = 12


@dataclass(frozen=True)
class Sample:
    """The runs of one call, in seconds. ``processor``: the median of the work of this process and of
    those that it has started and seen the end of.
    """

    median: float
    best: float
    worst: float
    processor: float
    runs: int


@dataclass(frozen=True)
class Result:
    """One line of the report. Times in milliseconds; ``ratio`` is this median to the floor's.

    ``worked``: the processor's time counts for the ratio, not the clock's. ``growth``: how many times
    what the same takes over a small database.
    """

    bench: str
    backend: str
    who: str
    what: str
    sample: Sample
    floor: Sample | None = None
    statements: int | None = None
    size: int | None = None
    worked: bool = False
    growth: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times the floor this takes."""
        if self.floor is None:
            return None
        if self.worked:
            return self.sample.processor / self.floor.processor
        return self.sample.median / self.floor.median

    def to_json(self) -> dict[str, Any]:
        """Return plain values; times in milliseconds."""
        return {
            "bench": self.bench,
            "backend": self.backend,
            "who": self.who,
            "what": self.what,
            "median_ms": round(self.sample.median * 1000, 3),
            "best_ms": round(self.sample.best * 1000, 3),
            "worst_ms": round(self.sample.worst * 1000, 3),
            "processor_ms": round(self.sample.processor * 1000, 3),
            "runs": self.sample.runs,
            "floor_ms": round(self.floor.median * 1000, 3) if self.floor else None,
            "ratio": round(self.ratio, 2) if self.ratio else None,
            "statements": self.statements,
            "bytes": self.size,
            "growth": round(self.growth, 2) if self.growth else None,
        }


def processor() -> float:
    """Return the processor's seconds of this process and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def interleave(
    calls: Mapping[str, Callable[[], object]],
    runs: int,
    *,
    before: Callable[[], object] | None = None,
    warm_up: int = WARM_UP,
) -> dict[str, Sample]:
    """Time every call ``runs`` times, taking turns, so that a busy moment falls on all of them.

    ``before`` is called ahead of every call, outside its time.
    """
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    for turn in range(warm_up + runs):
        for name, call in calls.items():
            if before is not None:
                before()
            gc.collect(0)
            worked, began = processor(), time.perf_counter()
            call()
            taken = time.perf_counter() - began, processor() - worked
            if turn >= warm_up:
                times[name].append(taken)
    return {name: _sample(taken) for name, taken in times.items()}


def _sample(taken: list[tuple[float, float]]) -> Sample:
    walls = [wall for wall, _own in taken]
    own = statistics.median(own for _wall, own in taken)
    return Sample(statistics.median(walls), min(walls), max(walls), own, len(taken))


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """Collect the statements that an engine executes."""
    seen: list[str] = []

    def note(*arguments: Any) -> None:
        seen.append(arguments[2])

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def table(results: Sequence[Result]) -> str:
    """Return the results as lines of text, columns aligned."""
    head = ("bench", "database", "who", "what", "median ms", "best ms", "own ms")
    lines = [(*head, "× floor", "floor ms", "statements", "KB", "growth")]
    for each in results:
        lines.append(
            (
                each.bench,
                each.backend,
                each.who,
                each.what,
                f"{each.sample.median * 1000:.1f}",
                f"{each.sample.best * 1000:.1f}",
                f"{each.sample.processor * 1000:.1f}",
                f"{each.ratio:.1f}" if each.ratio else "",
                f"{each.floor.median * 1000:.2f}" if each.floor else "",
                "" if each.statements is None else str(each.statements),
                "" if each.size is None else f"{each.size / 1024:.1f}",
                f"{each.growth:.2f}" if each.growth else "",
            )
        )
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = []
    for line in lines:
        words = [
            word.ljust(width) if column < 4 else word.rjust(width)
            for column, (word, width) in enumerate(zip(line, widths, strict=True))
        ]
        text.append("  ".join(words).rstrip())
    return "\n".join(text)
