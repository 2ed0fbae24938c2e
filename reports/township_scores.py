"""Scores of townships: what they answer for themselves, and nothing that departments owe (domain 8).

Three shares, each of the township's own making: whistles that were worth blowing, results that it
rated, and grades that stood up to an appeal. How much there is to whistle about, and how well it is
handled, is not the township's merit or fault and is not scored. Of when: as for departments.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.orm import Session

from models.appeal import AppealStatus, RatingAppeal
from models.measure import FactMonth
from models.measure import TicketFact as Fact
from models.ticket import TicketStatus
from reports.measures import Dimension, Period, Question
from reports.questions import narrowed, titled
from reports.shrinking import DEVIATES, FLOOR, PRIOR, Estimate, ranks, shrunk
from rules import grade_sums
from rules.calendar import shanghai_date
from rules.months import Split, reads_counties, split

#: Days after a department's result within which it is to be rated: a weekend and a day to look.
RATE_DAYS = 3


@dataclass(frozen=True)
class Part:
    """One share that a township is scored by, what it weighs in per cent, and what it means."""

    code: str
    title: str
    weight: int
    meaning: str


PARTS = (
    Part(
        "blown", "有效吹哨率", 40,
        "没有被县级不予吹哨的 ÷ 已有结论的哨单（已派单的，和不予吹哨的）。本乡镇（街道）自己审核不通过的不计。",
    ),
    Part(
        "rated", "评哨率", 40,
        "已经评价的 ÷ 应当评价的（已经评价的，和部门反馈结果满 3 天还没有评价的）。",
    ),
    Part(
        "fair", "评价公允率", 20,
        "没有因申诉改评的 ÷ 已经评价的哨单。正在复核的申诉不影响得分。",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Share:
    """How many of how many."""

    good: int
    of: int

    @property
    def value(self) -> float | None:
        """The share from 0 to 1, None of nothing."""
        return self.good / self.of if self.of else None


Shares = dict[str, Share]
#: By a township's id: how many whistles it raised, and its shares.
Sums = dict[Any, tuple[int, Shares]]


@dataclass(frozen=True)
class TownshipCard:
    """A township's scorecard; ``estimate`` is what it is ranked by, ``rank`` empty below the floor.

    ``score`` is its own shares' weighted mean in points, None where it has none of them.
    """

    id: int
    title: str
    raised: int
    shares: Shares
    score: float | None
    estimate: Estimate | None = None
    rank: int | None = None
    before: float | None = None

    @property
    def enough(self) -> bool:
        """Tell whether enough of its whistles were decided on."""
        return self.shares["blown"].of >= FLOOR


def townships(
    session: Session, period: Period, now: dt.datetime, county_id: int | None = None
) -> list[TownshipCard]:
    """Return the townships' cards, the best first and those with too few whistles last."""
    present, before = _sums(session, period, now, county_id)
    earlier = _estimates(before)
    estimates = _estimates(present)
    titles = titled(session, Dimension.TOWNSHIP, present)
    cards = [
        TownshipCard(
            id=int(number or 0),
            title=title,
            raised=present[number][0],
            shares=present[number][1],
            score=_own(present[number][1]),
            estimate=estimates[number],
            before=earlier[number].value if number in earlier else None,
        )
        for number, title in titles.items()
    ]
    values = {e.id: e.estimate.value for e in cards if e.enough and e.estimate}
    return _placed(cards, ranks(values))


def _placed(cards: list[TownshipCard], places: Mapping[int, int]) -> list[TownshipCard]:
    done = [replace(each, rank=places.get(each.id)) for each in cards]
    return sorted(done, key=lambda each: len(cards) + 1 if each.rank is None else each.rank)


def own_place(session: Session, period: Period, now: dt.datetime, title: str) -> TownshipCard:
    """Return the same shares of all whistles that the actor reads, without rank: his own place's."""
    present, before = _sums(session, period, now, None)
    raised, shares = _whole(present)
    _raised, old = _whole(before)
    return TownshipCard(0, title, raised, shares, _own(shares), before=_own(old))


def _whole(sums: Sums) -> tuple[int, Shares]:
    """Return the sums over all places."""
    return sum(raised for raised, _shares in sums.values()), {
        each.code: Share(
            sum(shares[each.code].good for _raised, shares in sums.values()),
            sum(shares[each.code].of for _raised, shares in sums.values()),
        )
        for each in PARTS
    }


def _own(shares: Shares) -> float | None:
    """Return the weighted mean of the shares that there are, in points."""
    known = [
        (each.weight, value) for each in PARTS if (value := shares[each.code].value) is not None
    ]
    if not known:
        return None
    return 100 * sum(weight * value for weight, value in known) / sum(w for w, _value in known)


def _estimates(sums: Sums) -> dict[Any, Estimate]:
    """Draw each share to that of all places, and put them together by their weights."""
    _raised, everybody = _whole(sums)
    found = {}
    for place, (_own_raised, shares) in sums.items():
        value = spread = 0.0
        for each in PARTS:
            share = shares[each.code]
            # Where nobody has any, nothing speaks against anybody.
            usual = everybody[each.code].value
            drawn = shrunk(share.value, share.of, 1.0 if usual is None else usual)
            value += each.weight * drawn
            spread += each.weight**2 * drawn * (1 - drawn) / (PRIOR + share.of)
        half = DEVIATES * math.sqrt(max(0.0, spread))
        found[place] = Estimate(value, max(0.0, value - half), min(100.0, value + half))
    return found


def _count(test: Any) -> Any:
    return func.sum(case((test, 1), else_=0))


def _sums(
    session: Session, period: Period, now: dt.datetime, county_id: int | None
) -> tuple[Sums, Sums]:
    """Return for each township how many whistles it raised, and its shares; six statements.

    Of the period, and of the one before, which ends where it begins.
    """
    filters: Mapping[Dimension, Any] = {} if county_id is None else {Dimension.COUNTY: county_id}
    both = Question(Period(period.before().first, period.last), filters=filters)
    present = case((Fact.day >= period.first, 1), else_=0)
    corrected = _corrected(session, both, present)
    waiting = _waiting(session, both, present, now)
    found: tuple[Sums, Sums] = ({}, {})
    for turn, span in enumerate((period, period.before())):
        for place, (raised, decided, refused, rated) in _counts(
            session, span, filters, shanghai_date(now)
        ).items():
            key = place, 1 - turn
            amiss = min(rated, corrected.get(key, 0))
            found[turn][place] = (
                raised,
                {
                    "blown": Share(decided - refused, decided),
                    "rated": Share(rated, rated + waiting.get(key, 0)),
                    "fair": Share(rated - amiss, rated),
                },
            )
    return found


#: What is counted of the facts, and the same of the months that are kept: raised, decided on, declined
#: by others, rated.
_COUNTED = (
    func.count(Fact.id),
    _count(or_(Fact.dispatched.is_(True), Fact.refused.is_(True))),
    _count(Fact.refused.is_(True)),
    _count(Fact.grades > 0),
)
_KEPT = (FactMonth.raised, FactMonth.decided, FactMonth.refused, FactMonth.graded)


def _counts(
    session: Session, period: Period, filters: Mapping[Dimension, Any], today: dt.date
) -> dict[int, list[int]]:
    """Return how many tickets of each township there are, by what became of them."""
    parts = Split(None, ((period.first, period.last),))
    rows: list[Any] = []
    if reads_counties(session):
        parts = split(period.first, period.last, today)
    if parts.months is not None:
        kept = select(FactMonth.township_id, *(func.sum(each) for each in _KEPT)).where(
            parts.within(FactMonth.month),
            FactMonth.current.is_(True),
            FactMonth.raised > 0,
            FactMonth.township_id > 0,
        )
        if Dimension.COUNTY in filters:
            kept = kept.where(FactMonth.county_id == filters[Dimension.COUNTY])
        rows += session.execute(kept.group_by(FactMonth.township_id))
    if parts.edges:
        left = select(Fact.township_id, *_COUNTED).where(
            Fact.township_id.is_not(None), parts.at_edges(Fact.month, Fact.day)
        )
        question = Question(period, filters=filters)
        rows += session.execute(narrowed(session, left, question).group_by(Fact.township_id))
    found: dict[int, list[int]] = {}
    for place, *numbers in rows:
        there = found.setdefault(place, [0] * len(numbers))
        found[place] = [a + int(b) for a, b in zip(there, numbers, strict=True)]
    return found


def _waiting(
    session: Session, question: Question, present: Any, now: dt.datetime
) -> dict[Any, int]:
    """Return how many results of each township have waited too long to be rated."""
    unrated = grade_sums.left_unrated(now - dt.timedelta(days=RATE_DAYS))
    query: Select[Any] = select(Fact.township_id, present, func.count(Fact.id)).where(
        Fact.status == TicketStatus.RESOLVED, Fact.grades == 0, unrated
    )
    found = narrowed(session, query, question).group_by(Fact.township_id, present)
    return {(each[0], each[1]): each[2] for each in session.execute(found)}


def _corrected(session: Session, question: Question, present: Any) -> dict[Any, int]:
    """Return on how many tickets of each township a grade was corrected on appeal."""
    query: Any = (
        select(Fact.township_id, present, func.count(RatingAppeal.ticket_id.distinct()))
        .join(RatingAppeal, RatingAppeal.ticket_id == Fact.ticket_id)
        .where(RatingAppeal.status == AppealStatus.CORRECTED)
    )
    found = narrowed(session, query, question).group_by(Fact.township_id, present)
    return {(each[0], each[1]): each[2] for each in session.execute(found)}
