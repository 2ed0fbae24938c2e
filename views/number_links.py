"""Where the figures of one letter, three lists lead: to the lists of the records that they count."""

from __future__ import annotations

from typing import Any

from reports.numbers import Figure, Period
from reports.sums import Side
from views.list_links import list_url

#: Stands in an address for the place, which differs from line to line.
_PLACE = "~"


class FigureUrls:
    """The lists that a side's figures count over a period, of one place or of all in reach.

    None for what has no such list: shares, and what is told apart by another record's columns.
    """

    def __init__(self, side: Side, period: Period) -> None:
        self.side, self.period = side, period
        self.known: dict[tuple[str, bool], str | None] = {}

    def of(self, figure: Figure, place: int | None) -> str | None:
        """Return the address of a figure's list."""
        key = figure.name, place is None
        if key not in self.known:
            self.known[key] = self._url(figure.name, place is not None)
        url = self.known[key]
        return url if url is None or place is None else url.replace(_PLACE, str(place))

    def _url(self, name: str, of_one: bool) -> str | None:
        row = self._table().get(name)
        if row is None or (name == "resources" and of_one and self.side is Side.COMMUNITY):
            return None
        view, unit, tab, filters = row
        relation = unit if self.side is Side.UNIT else "community"
        return list_url(view, filters | ({relation: _PLACE} if of_one else {}), tab)

    def _table(self) -> dict[str, tuple[str, str, str, dict[str, Any]]]:
        """Return by figure: view, the filter that names a unit, tab, further filters."""
        return {
            "agreements": ("AgreementView", "unit", "", {"status": "in_force"}),
            "resources": ("ResourceView", "owner", "", {"status": "available"}),
            "needs_published": ("NeedView", "", "", self._within("published_on")),
            "needs_met": ("NeedView", "claimed_by", "", self._within("done_on")),
            "wishes": (
                "NeedView",
                "claimed_by",
                "",
                {"is_wish": "1"} | self._within("claimed_on"),
            ),
            "services": (
                "ServiceProjectView",
                "provider",
                "taken_up",
                self._within("actual_from"),
            ),
        }

    def _within(self, name: str) -> dict[str, Any]:
        return {f"{name}_from": self.period.first, f"{name}_until": self.period.last}
