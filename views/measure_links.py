"""Where the numbers of the measures lead: to the lists of just the tickets that they count."""

from __future__ import annotations

from urllib.parse import urlencode

from reports.measure_types import Unit
from reports.measures import Measure, Question, Value, tickets_of
from views.list_links import list_url

_HERE = "~"


class TicketUrls:
    """The ledger's addresses for numbers; none where the reader may not open the ledger."""

    def __init__(self) -> None:
        found = list_url("TicketView", {"measure": _HERE})
        self.base = None if found is None else found.split("?")[0]

    def part(self, measure: Measure, question: Question, value: Value) -> str | None:
        """Return the list of the tickets behind a numerator; None for nothing."""
        return self._url(measure, question, part=True) if value.part else None

    def whole(self, measure: Measure, question: Question, value: Value) -> str | None:
        """Return the list of the tickets behind a denominator; None for nothing."""
        return self._url(measure, question, part=False) if value.of else None

    def of(self, measure: Measure, question: Question, value: Value) -> str | None:
        """Return the list that a value itself leads to.

        Of a share those that count as good, where there are any; of a mean all that it is of.
        """
        if measure.unit is Unit.COUNT or (measure.unit is Unit.PERCENT and value.part):
            return self.part(measure, question, value)
        return self.whole(measure, question, value)

    def _url(self, measure: Measure, question: Question, *, part: bool) -> str | None:
        if self.base is None:
            return None
        return f"{self.base}?{urlencode(tickets_of(measure, question, part=part))}"
