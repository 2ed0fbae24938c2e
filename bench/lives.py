"""One simulated ticket: born, and taken along the roads of domain section 6 until time is up.

``rules.workflow`` takes a step in some milliseconds, with a dozen statements; a hundred thousand
tickets need half a million steps. So the steps are written here as rows, and a test holds them
against the workflow's table, the ledger, the clocks and the party rules.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace

from bench.city import Place
from bench.deeds import DAY, HOUR, A, Deeds, S
from bench.matters import (
    RETURN_REASONS,
    WITHDRAW_REASONS,
    Matter,
)
from models.ticket import (
    Verdict,
)
from rules import clocks
from rules.deadlines import Term, warn_at

_BEIJING = 8 * HOUR
#: People act between half past seven and half past nine in the evening, except in an emergency.
_MORNING, _EVENING = 7.5 * HOUR, 21.5 * HOUR


@dataclass
class Life(Deeds):
    """A ticket whose steps follow each other until now."""

    def live(self, until: float) -> None:
        """Take every step that falls before ``until``; ``at`` is the instant of the one under way."""
        self.at = dt.datetime.fromtimestamp(self.now, dt.UTC)
        self.write("create", self.place.staff, S.DRAFT)
        for wait in self.road():
            self.now += wait
            if not self.emergency:
                self._sleep()
            if self.now > until:
                break
            self.at = dt.datetime.fromtimestamp(self.now, dt.UTC)
        self._settle()
        self.row["updated_at"] = self.events[-1]["at"]
        self.row["version"] = len(self.events)

    def _settle(self) -> None:
        """Fill in what is owed next, and when it turns yellow, as ``rules.clocks.settle`` does."""
        owed = clocks.owed(SimpleNamespace(**self.row))
        if owed is not None:
            clock, self.row["next_due"] = owed
            stored = getattr(self.row["whistle_class"], f"{clock}_warn")
            term = Term.from_json(stored) if stored else clocks.USUAL_WARNING
            self.row["next_warn"] = warn_at(owed[1], term, self.calendar)

    def _sleep(self) -> None:
        clock = (self.now + _BEIJING) % DAY
        if clock < _MORNING:
            self.now += _MORNING - clock + self.rng.random() * HOUR
        elif clock > _EVENING:
            self.now += DAY - clock + _MORNING + self.rng.random() * 2 * HOUR

    # The roads: every ``yield`` waits that many seconds before what follows it happens.

    def road(self) -> Iterator[float]:
        """From draft to the end; whoever stops listening leaves the ticket where it is."""
        chance = self.rng.random
        # One draft in two hundred is forgotten; the others are blown within the hour.
        yield self.wait(0.2) if chance() > 0.005 else 500 * DAY
        if self.row["whistle_class"].direct_dispatch:
            self.blow_directly()
        else:
            self.blow()
            while self.row["status"] is S.PENDING_REVIEW:
                yield self.wait(3)
                if chance() < 0.02:
                    self.refuse("decline_review", self.reviewer, review=self.review())
                    return
                self.approve()
            yield self.wait(5)
            if chance() < 0.015:
                self.write("withdraw", self.place.staff, S.WITHDRAWN, self.pick(WITHDRAW_REASONS))
                return
            if chance() < 0.03:
                self.refuse("decline", self.place.county.dispatcher)
                return
            self.dispatch(self.place.county.department(self.matter.lead))
        yield from self.work()

    def work(self) -> Iterator[float]:
        """From dispatch on, round by round, until it is struck off."""
        chance = self.rng.random
        while True:
            yield self.wait(10, self.lead.department)
            if (
                self.row["status"] is S.DISPATCHED
                and not self.row["return_count"]
                and chance() < 0.12
            ):
                self.write(
                    "request_return", self.handler, S.RETURN_PENDING, self.pick(RETURN_REASONS)
                )
                yield self.wait(14)
                if chance() < 0.6:
                    self.approve_return()
                    yield self.wait(6)
                    self.dispatch(self.rng.choice(self.place.county.departments))
                    continue
                note = "依据清单属于本单位职责，请按期办理。"
                reviewer, said = self.place.county.reviewer, {"department": self.named(self.lead)}
                self.write("refuse_return", reviewer, S.DISPATCHED, note, **said)
                yield self.wait(4, self.lead.department)
            yield from self.handle()
            yield self.wait(30)
            low = self.rate()
            if self.row["status"] is S.REOPENED:
                continue
            yield self.wait(16)
            if not low:
                self.write("close", self.place.county.dispatcher, S.CLOSED)
                self.row["closed_at"] = self.at
                if chance() > 0.02:
                    return
                yield self.wait(400)
            self.reopen()

    def handle(self) -> Iterator[float]:
        """Accept, arrive, report; assisting departments come along, or do nothing."""
        helping = [part for part in self.parts if not part.lead and self.active(part)]
        helping = [part for part in helping if self.rng.random() > 0.25]
        self.advance(self.lead, A.ACCEPTED)
        self.write("accept", self.handler, S.ACCEPTED)
        self.row["accepted_at"] = self.row["accepted_at"] or self.at
        for part in helping:
            yield self.wait(3, part.department)
            self.assist(part, "assist_accept", A.ACCEPTED)
        yield self.wait(8, self.lead.department)
        self.advance(self.lead, A.ARRIVED)
        self.write("arrive", self.handler, S.ARRIVED)
        self.row["arrived_at"] = self.row["arrived_at"] or self.at
        for part in helping:
            yield self.wait(1, part.department)
            self.assist(part, "assist_arrive", A.ARRIVED)
            yield self.wait(6, part.department)
            part.row["result"] = f"已配合到场，{self.matter.result}。"
            self.assist(part, "assist_report", A.REPORTED, result=part.row["result"])
        yield self.wait(60, self.lead.department)
        self.report()


def verdict_of(place: Place, matter: Matter, emergency: bool) -> tuple[Verdict, str]:
    """Return what the duty lists say of a matter in a place."""
    match = place.matches[matter.problem]
    return match.emergency if emergency else match.calm
