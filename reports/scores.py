"""Scores of departments: the mechanism's dimensions and weights over the grades that stand (domain 8).

*Which grades*: the raising places', of every round in which a department was graded, each as it stands
after amendments and appeals. Every round counts, for a low grade sends a ticket back: the last round
alone would never show one. A lead and those that assist it are graded by the same people and scored
alike; what leads say of those that assisted them stands apart, and so do the residents' stars.

*Which weights*: those of the version under which the ticket was dispatched. A round's score is the mean
of its dimensions by these weights, a department's the mean of its rounds.

*Of when*: tickets by the day of their dispatch to whoever leads them now, as the measures have it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.appeal import AppealStatus, RatingAppeal
from models.base import utcnow
from models.mechanism import RatingDimension
from models.rating import Rater
from reports.measures import Dimension, Period, Question, ask, measure
from reports.questions import narrowed, titled
from reports.shrinking import FLOOR, Estimate, estimate, ranks
from rules import grade_sums
from rules.grade_sums import own_only


@dataclass
class Sum:
    """Grades of one dimension added up: in how many rounds and tickets, points, squares of points."""

    rounds: int = 0
    tickets: int = 0
    points: int = 0
    squares: int = 0

    def add(self, other: Sum) -> None:
        """Add further grades."""
        self.rounds += other.rounds
        self.tickets += other.tickets
        self.points += other.points
        self.squares += other.squares

    @property
    def mean(self) -> float:
        """The mean of the points."""
        return self.points / self.rounds

    @property
    def deviation(self) -> float:
        """The standard deviation of the points."""
        return math.sqrt(max(0.0, self.squares / self.rounds - self.mean**2))


#: Sums by the dimension's id.
Sums = dict[int, Sum]


@dataclass(frozen=True)
class DimensionScore:
    """A department's mean in a dimension, and what it weighs in per cent, over all versions' rounds."""

    name: str
    weight: float
    score: float
    rounds: int


@dataclass(frozen=True)
class Card:
    """A department's scorecard. ``score`` is its own mean; ``estimate`` what it is ranked by, if it is.

    ``rank`` is empty below the floor. ``before`` is the estimate of the period before (the mean, where
    there is no estimate), empty without grades. ``by_leads`` is the mean of leads' grades for assisting.
    """

    id: int
    title: str
    tickets: int
    rounds: int
    score: float
    dimensions: list[DimensionScore]
    estimate: Estimate | None = None
    rank: int | None = None
    before: float | None = None
    by_leads: float | None = None
    by_leads_rounds: int = 0
    stars: float | None = None
    starred: int = 0
    pending: int = 0

    @property
    def compared(self) -> float:
        """What is set beside the period before."""
        return self.estimate.value if self.estimate else self.score

    @property
    def enough(self) -> bool:
        """Tell whether there are grades enough to be ranked by."""
        return self.tickets >= FLOOR


@dataclass(frozen=True)
class Scores:
    """All departments' cards, the best first and those with too few grades last; the mean of all."""

    period: Period
    cards: list[Card]
    mean: float | None = None
    deviation: float = 0.0
    dimensions: list[str] = field(default_factory=list)


def departments(session: Session, period: Period, county_id: int | None = None) -> Scores:
    """Return the cards of the departments that were graded, as far as the session's actor reads.

    Of one county's tickets or of all within reach. Whoever reads his own department's figures alone
    gets its card without rank or estimate: these would speak of others. A fixed number of statements.
    """
    book, earlier = _books(session, period, county_id)
    if not book.given:
        return Scores(period, [])
    mean, deviation = book.everybody
    stars, pending = book.stars(), book.pending()
    titles = titled(session, Dimension.DEPARTMENT, book.given)
    alone = own_only(session)
    found = {}
    for number, title in titles.items():
        by_lead = book.by_leads.get(int(number or 0))
        led = book.mean(by_lead) if by_lead else (None, 0)
        rated, starred = stars.get(number, (None, 0))
        found[number] = Card(
            id=int(number or 0),
            title=title,
            before=earlier.compared(number, alone),
            by_leads=led[0],
            by_leads_rounds=led[1],
            stars=rated,
            starred=starred,
            pending=pending.get(number, 0),
            **book.own(number, mean, deviation, alone),
        )
    cards = _ranked(list(found.values()))
    return Scores(period, cards, None if alone else mean, deviation, book.names())


def _ranked(cards: list[Card]) -> list[Card]:
    """Give places to those with enough grades; the others follow, by name."""
    places = ranks({each.id: each.compared for each in cards if each.enough and each.estimate})
    done = [replace(each, rank=places.get(each.id)) for each in cards]
    few = len(cards) + 1
    # Sorting keeps the order of names among equals.
    return sorted(done, key=lambda each: few if each.rank is None else each.rank)


def _books(session: Session, period: Period, county_id: int | None) -> tuple[_Book, _Book]:
    """Return the grades of a period and of the one before, which ends where it begins."""
    before = period.before()
    filters: Mapping[Dimension, Any] = {} if county_id is None else {Dimension.COUNTY: county_id}
    rows = grade_sums.sums(
        session,
        lambda statement, days: narrowed(
            session, statement, Question(Period(*days), filters=filters)
        ),
        [(each.first, each.last) for each in (before, period)],
        county_id,
    )
    about = _dimensions(session, {each.dimension_id for each in rows})
    found = [_Book(session, period, county_id, about), _Book(session, before, county_id, about)]
    for row in rows:
        book = found[0] if row.present else found[1]
        sums = book.given if row.rater is Rater.RAISER else book.by_leads
        sums.setdefault(row.department_id, {})[row.dimension_id] = Sum(
            row.rounds, row.tickets, row.points, row.squares
        )
    return found[0], found[1]


def _dimensions(session: Session, ids: Iterable[int]) -> dict[int, RatingDimension]:
    wanted = sorted(ids)
    if not wanted:
        return {}
    query = select(RatingDimension).where(RatingDimension.id.in_(wanted))
    return {each.id: each for each in session.scalars(query)}


class _Book:
    """The grades of a period, summed: of raising places, and of leads for those that assisted them."""

    def __init__(
        self,
        session: Session,
        period: Period,
        county_id: int | None,
        about: Mapping[int, RatingDimension],
    ) -> None:
        self.session, self.period, self.county_id, self.about = session, period, county_id, about
        self.given: dict[int, Sums] = {}
        self.by_leads: dict[int, Sums] = {}

    def versions(self, sums: Sums) -> list[tuple[int, Sums]]:
        """Return the sums by the version of the mechanism, with how many rounds each has."""
        parts: dict[int, Sums] = {}
        for number, each in sums.items():
            parts.setdefault(self.about[number].mechanism_id, {})[number] = each
        return [(max(each.rounds for each in part.values()), part) for part in parts.values()]

    def _weighted(self, part: Sums, of: Mapping[int, float]) -> float:
        weights = {number: self.about[number].weight for number in part}
        whole = sum(weights.values())
        if not whole:
            return sum(of.values()) / len(of)
        return sum(weights[number] * of[number] for number in part) / whole

    def mean(self, sums: Sums) -> tuple[float, int]:
        """Return the mean over all rounds, each by its own version's weights, and how many they are."""
        return self._over(sums, lambda each: each.mean)

    def _over(self, sums: Sums, value: Any) -> tuple[float, int]:
        rounds, whole = 0, 0.0
        for number, part in self.versions(sums):
            rounds += number
            whole += number * self._weighted(part, {key: value(each) for key, each in part.items()})
        return whole / rounds, rounds

    @cached_property
    def everybody(self) -> tuple[float, float]:
        """Return mean and deviation of the rounds of all departments together.

        The deviation is that of the dimensions by their weights: as large as if they always went
        together, so that spans are rather too wide than too narrow.
        """
        all_of: Sums = {}
        for sums in self.given.values():
            for number, each in sums.items():
                all_of.setdefault(number, Sum()).add(each)
        return self.mean(all_of)[0], self._over(all_of, lambda each: each.deviation)[0]

    def own(self, number: Any, mean: float, deviation: float, alone: bool) -> dict[str, Any]:
        """Return what a card says of a department's own grades."""
        sums = self.given[number]
        score, rounds = self.mean(sums)
        tickets = sum(
            max(each.tickets for each in part.values()) for _rounds, part in self.versions(sums)
        )
        return {
            "score": score,
            "rounds": rounds,
            "tickets": tickets,
            "dimensions": self._by_name(sums),
            "estimate": None if alone else estimate(score, rounds, mean, deviation),
        }

    def compared(self, number: Any, alone: bool) -> float | None:
        """Return what this period's value of a department is for the next to be set beside."""
        if number not in self.given:
            return None
        score, rounds = self.mean(self.given[number])
        return score if alone else estimate(score, rounds, *self.everybody).value

    def _by_name(self, sums: Sums) -> list[DimensionScore]:
        """Return the means by the dimensions' names: versions that weigh otherwise are put together."""
        found: dict[str, Sum] = {}
        weights: dict[str, float] = {}
        for number in sorted(sums, key=self._place):
            name, each = self.about[number].name, sums[number]
            found.setdefault(name, Sum()).add(each)
            weights[name] = weights.get(name, 0.0) + each.rounds * self.about[number].weight
        return [
            DimensionScore(name, weights[name] / each.rounds, each.mean, each.rounds)
            for name, each in found.items()
        ]

    def _place(self, number: int) -> tuple[int, int]:
        return self.about[number].position, number

    def names(self) -> list[str]:
        """Return the names of all dimensions that anybody was graded in, in the mechanism's order."""
        ids = {number for sums in self.given.values() for number in sums}
        return list(dict.fromkeys(self.about[each].name for each in sorted(ids, key=self._place)))

    def stars(self) -> dict[Any, tuple[float | None, int]]:
        """Return the residents' mean stars and how many gave some, by the department that led."""
        of_county: Mapping[Dimension, Any] = (
            {} if self.county_id is None else {Dimension.COUNTY: self.county_id}
        )
        asked = Question(self.period, Dimension.DEPARTMENT, filters=of_county)
        stars = measure("stars")
        lines = ask(self.session, asked, [stars], utcnow())
        values = {line.key: line.values[stars.code] for line in lines}
        return {
            key: (float(each.value), int(each.of or 0))
            for key, each in values.items()
            if each.value is not None
        }

    def pending(self) -> dict[Any, int]:
        """Return how many appeals of each department wait for a decision."""
        period = self.period
        within = grade_sums.tickets_within(period.first, period.last, self.county_id)
        query = (
            select(RatingAppeal.department_id, func.count(RatingAppeal.id))
            .where(RatingAppeal.status == AppealStatus.PENDING, RatingAppeal.ticket_id.in_(within))
            .group_by(RatingAppeal.department_id)
        )
        return {each[0]: each[1] for each in self.session.execute(query)}
