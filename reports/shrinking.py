"""Comparing means of few with means of many: each is drawn towards the mean of all (domain section 8).

A mean of few numbers is mostly luck. So each is reckoned as if ``PRIOR`` further ones, as good as the mean
of all, stood beside its own: an empirical-Bayes estimate with a fixed weight, which everybody can
reckon again by hand. The span around it is where it lies with 95 % probability.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
#: How many of the mean's own kind stand beside a body's own. About a month of a middling department:
#: who has as many is half himself; and at two hundred the mean of all hardly counts any more.
PRIOR = 10
#: Below so many nothing is ranked: a single grade more could turn the order.
FLOOR = 5
#: Normal deviates on both sides of 95 %.
DEVIATES = 1.96
_TENTH = Decimal("0.1")


@dataclass(frozen=True)
class Estimate:
    """A mean as it is compared, in points from 0 to 100, and the span in which it lies."""

    value: float
    low: float
    high: float


def shrunk(mean: float | None, number: float, everybody: float) -> float:
    """Return a mean drawn to the mean of all; without numbers of its own it is that."""
    own = number * mean if mean is not None else 0.0
    return (PRIOR * everybody + own) / (PRIOR + (number if mean is not None else 0))


def estimate(mean: float, number: int, everybody: float, deviation: float) -> Estimate:
    """Return a mean of ``number`` with its span; ``deviation`` is that of single numbers among all."""
    value = shrunk(mean, number, everybody)
    half = DEVIATES * deviation / math.sqrt(PRIOR + number)
    return Estimate(value, max(0.0, value - half), min(100.0, value + half))


def written(value: float) -> Decimal:
    """Return points as they are shown, and compared: with one decimal."""
    return Decimal(repr(value)).quantize(_TENTH, ROUND_HALF_UP)


def ranks(values: Mapping[Key, float]) -> dict[Key, int]:
    """Return the places of values, the highest first; who shows the same points shares a place."""
    shown = {key: written(value) for key, value in values.items()}
    ordered = sorted(shown.values(), reverse=True)
    first: dict[Decimal, int] = {}
    for place, value in enumerate(ordered, 1):
        first.setdefault(value, place)
    return {key: first[value] for key, value in shown.items()}
