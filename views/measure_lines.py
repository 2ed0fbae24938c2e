"""The table of lines: sorted, page by page, each number with its list, its bar and its change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from reports.measure_types import Key, Unit
from reports.measures import MEASURES, Dimension, Line, Measure, Question, Value, ask
from views.measure_address import FILTERS, NAME, Against, Asked
from views.measure_links import TicketUrls
from views.measure_words import Change, change, heading, written
from views.presentation import Column, Row, Table

#: How many lines a page shows.
LINES = 50
Values = Mapping[str, Value]


@dataclass(frozen=True)
class MeasureCell:
    """A number of the table. ``share`` is its bar's length of 100; ``ratio`` says what it is a share of."""

    text: str
    url: str | None
    share: float | None = None
    ratio: str = ""
    change: Change | None = None


@dataclass(frozen=True)
class MeasureRow:
    """A line of the table; its title leads to the same line at a glance."""

    title: str
    url: str | None
    cells: list[MeasureCell]
    total: bool = False


def counterparts(
    session: Session, asked: Asked, question: Question, now: dt.datetime
) -> Mapping[Key, Values] | None:
    """Return by key what the lines are compared with, or None; medians are compared with nothing."""
    if asked.against is Against.NOTHING:
        return None
    other = question.before() if asked.against is Against.BEFORE else question.last_year()
    plain = [each for each in MEASURES if not each.median]
    found: dict[Key, Values] = {line.key: line.values for line in ask(session, other, plain, now)}
    return _moved(question, other, found) if asked.rows is Dimension.MONTH else found


def _moved(
    question: Question, other: Question, found: Mapping[Key, Values]
) -> Mapping[Key, Values]:
    """Return values by the month that each is compared with: the first with the first, and so on."""
    first, then = question.period.first, other.period.first
    ahead = (first.year - then.year) * 12 + first.month - then.month
    moved: dict[Key, Values] = {}
    for key, values in found.items():
        month = int(key or 0)
        turned = month // 100 * 12 + month % 100 - 1 + ahead
        moved[turned // 12 * 100 + turned % 12 + 1] = values
    return moved


class LinesPage:
    """The lines of an answer in the order asked for, and those on the page."""

    def __init__(self, asked: Asked, question: Question, found: Sequence[Line]) -> None:
        self.asked, self.question = asked, question
        self.ordered = self._sorted(found)
        self.pages = max(1, -(-len(self.ordered) // LINES))
        self.number = min(asked.page, self.pages)
        self.shown = self.ordered[(self.number - 1) * LINES : self.number * LINES]
        self.tops = {each.code: self._top(each) for each in asked.shown}

    def _sorted(self, found: Sequence[Line]) -> list[Line]:
        """Sort by a measure, equals in their dimension's order; those without a value come last."""
        order, turned = self.asked.order, self.asked.descending
        if order == NAME:
            return list(found)[::-1] if turned else list(found)
        known = [line for line in found if line.values[order].value is not None]
        known.sort(key=lambda line: line.values[order].value or Decimal(0), reverse=turned)
        return known + [line for line in found if line.values[order].value is None]

    def _top(self, measure: Measure) -> Decimal:
        """Return what the longest bar of a column stands for: of shares, the whole."""
        if measure.unit is Unit.PERCENT:
            return Decimal(100)
        known = [line.values[measure.code].value for line in self.ordered]
        return max((value for value in known if value is not None), default=Decimal(0))

    def columns(self) -> list[Column]:
        """Return the headings, each with the address that sorts by it."""
        rows = self.asked.rows
        return [
            self._column(NAME, _(rows.title)),
            *(self._column(m.code, _(m.title) if m.unit is Unit.PERCENT else heading(m)) for m in self.asked.shown),
        ]  # fmt: skip

    def _column(self, name: str, label: str) -> Column:
        current = name == self.asked.order
        now = "desc" if self.asked.descending else "asc"
        # A name is looked for from its beginning, a measure from the most.
        first = "asc" if name == NAME else "desc"
        turned = {"asc": "desc", "desc": "asc"}[now] if current else first
        url = self.asked.url("lines", "by", "against", "medians", order=name, direction=turned)
        return Column(name, label, url, now if current else None)

    def rows(
        self, urls: TicketUrls, against: Mapping[Key, Values] | None, whole: Values
    ) -> list[MeasureRow]:
        """Return the lines of the page, and all of them together below."""
        found = [self._row(line, urls, (against or {}).get(line.key)) for line in self.shown]
        if not whole:
            return found
        question = self.question.whole()
        cells = [
            self._cell(each, whole[each.code], urls, question, None, bar=False)
            for each in self.asked.shown
        ]
        return [*found, MeasureRow(_("合计"), None, cells, total=True)]

    def _row(self, line: Line, urls: TicketUrls, then: Values | None) -> MeasureRow:
        rows = self.asked.rows
        glance = None
        if rows in FILTERS and line.key is not None:
            glance = self.asked.among(rows, line.key).url("overview")
        here = self.question.at(line.key)
        cells = [
            self._cell(each, line.values[each.code], urls, here, then, bar=True)
            for each in self.asked.shown
        ]
        return MeasureRow(line.title, glance, cells)

    def _cell(
        self,
        measure: Measure,
        value: Value,
        urls: TicketUrls,
        question: Question,
        then: Values | None,
        *,
        bar: bool,
    ) -> MeasureCell:
        top, share = self.tops[measure.code], None
        if bar and value.value is not None and top > 0:
            share = round(float(100 * value.value / top), 1)
        ratio = ""
        if measure.unit is Unit.PERCENT and value.of:
            ratio = f"{value.part or 0:,} / {value.of:,}"
            if measure.adds:
                ratio = _("%(ratio)s 项评价", ratio=ratio)
        return MeasureCell(
            written(measure, value),
            urls.of(measure, question, value),
            share,
            ratio,
            change(measure, value, then[measure.code])
            if then is not None and measure.code in then
            else None,
        )

    def table(self) -> Table:
        """Return the way to the other pages."""
        number, pages = self.number, self.pages

        def url(page: int) -> str:
            return self.asked.url(
                "lines", "by", "against", "medians", "order", "direction", page=page
            )

        return Table(
            [],
            [Row(place, None, [line.title]) for place, line in enumerate(self.shown)],
            str(len(self.ordered)),
            first_url=url(1) if number > 1 else None,
            previous_url=url(number - 1) if number > 1 else None,
            next_url=url(number + 1) if number < pages else None,
            last_url=url(pages) if number < pages else None,
        )
