"""What a reader of the measures may choose: dimensions, measures, and filters with their select boxes."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import jsonify, url_for
from flask_babel import gettext as _
from sqlalchemy import Select, select
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from models.base import Titled
from models.measure import TicketFact
from models.mechanism import WhistleClass
from models.organization import Organization, OrganizationKind, OrganizationLine
from reports.measures import MEASURES, Dimension
from reports.questions import own_place
from views.context import actor, session
from views.forms import options_of
from views.measure_address import FILTERS, LONGEST, WORDS, Against, Asked
from views.measure_readers import Reader
from views.presentation import Filter

#: How many choices a select box is offered at once.
OFFERED = 20
_KINDS = {
    Dimension.COUNTY: OrganizationKind.COUNTY,
    Dimension.TOWNSHIP: OrganizationKind.TOWNSHIP,
    Dimension.COMMUNITY: OrganizationKind.COMMUNITY,
}


def filters(who: Reader, asked: Asked) -> list[Filter]:
    """Return the filters that mean something to the reader, with what is set."""
    found = []
    for dimension in FILTERS:
        if dimension not in who.dimensions and dimension not in asked.filters:
            continue
        value = asked.filters.get(dimension, "")
        kind = WORDS.get(dimension)
        found.append(
            Filter(
                dimension.value,
                _(dimension.title),
                "choice" if kind else "record",
                str(value.value if isinstance(value, Titled) else value),
                [(each.value, _(each.title)) for each in kind or ()],
                None if kind else url_for("MeasuresView.choices", name=dimension.value),
                in_words(who, value) if value else "",
            )
        )
    return found


def in_words(who: Reader, value: Any) -> str:
    """Return what a filter is set to as the reader calls it."""
    if isinstance(value, Titled):
        return _(value.title)
    if isinstance(value, int):
        return who.places[value].name if value in who.places else str(value)
    return str(value)


def said(who: Reader, asked: Asked) -> str:
    """Return whose measures they are, of when and of which tickets, for a workbook."""
    words = [who.area, f"{asked.period.first} — {asked.period.last}"]
    words += [f"{_(each.title)}：{in_words(who, value)}" for each, value in asked.filters.items()]
    return "；".join(words)


class Choosers:
    """The select boxes beside the days on a page, and what its form keeps unseen."""

    NAMES: ClassVar[dict[str, tuple[str, ...]]] = {
        "overview": (),
        "lines": ("by", "against", "medians"),
        "crossing": ("by", "across", "measure"),
    }

    def __init__(self, route: str, who: Reader, asked: Asked) -> None:
        self.route, self.asked = route, asked
        kinds = [(each.value, _(each.title)) for each in who.dimensions]
        for each in (asked.rows, asked.columns):
            if each not in who.dimensions and (each.value, _(each.title)) not in kinds:
                kinds.append((each.value, _(each.title)))
        boxes = {
            "by": (_("按") if route == "lines" else _("行"), asked.rows.value, kinds),
            "across": (_("列"), asked.columns.value, kinds),
            "medians": (
                _("用时"),
                "1" if asked.medians else "",
                [("", _("平均数")), ("1", _("平均数和中位数"))],
            ),
            "measure": (
                _("指标"),
                asked.measure.code,
                [(each.code, _(each.title)) for each in MEASURES],
            ),
            "against": (
                _("对比"),
                asked.against.value,
                [(each.value, _(each.title)) for each in Against],
            ),
        }
        self.shown = [
            Filter(name, label, "choice", value, options)
            for name in self.NAMES[route]
            for label, value, options in [boxes[name]]
        ]
        self.hidden: list[tuple[str, str]] = []
        if route == "lines":
            direction = "desc" if asked.descending else "asc"
            self.hidden = [("order", asked.order), ("direction", direction)]

    @property
    def kept(self) -> tuple[str, ...]:
        """What of the question the page's own links keep."""
        return self.NAMES[self.route] + tuple(name for name, _value in self.hidden)

    def url(self, **changes: Any) -> str:
        """Return the page's address for another named period."""
        plain = {"from": "", "until": ""}
        return self.asked.url(self.route, *self.kept, **plain, **changes)


def answer(name: str, query: str) -> Response:
    """Answer a filter's select box: places of the reader's own, departments that his tickets went to."""
    dimension = next((each for each in FILTERS if each.value == name), None)
    if dimension is Dimension.DEPARTMENT:
        led = select(TicketFact.id).where(TicketFact.department_id == Organization.id)
        return options_of(select(Organization).where(led.exists()), Organization, query)
    if dimension in _KINDS:
        return options_of(_places(_KINDS[dimension]), Organization, query)
    if dimension is Dimension.CLASS:
        return _words(WhistleClass.name, query)
    if dimension is Dimension.MATTER:
        return _words(TicketFact.matter, query, *own_place(session()))
    raise NotFound


def _places(kind: OrganizationKind) -> Select[Any]:
    """Return the places of a kind within the reader's own."""
    places = select(Organization).where(Organization.kind == kind)
    if actor().area_id is None:
        return places
    below = select(OrganizationLine.organization_id).where(
        OrganizationLine.ancestor_id == actor().area_id
    )
    return places.where(Organization.id.in_(below))


def _words(column: Any, query: str, *tests: Any) -> Response:
    """Return the words that stand in a column of the rows that pass, once each."""
    statement = select(column).where(column.is_not(None), *tests).distinct().order_by(column)
    if query.strip():
        statement = statement.where(column.contains(query.strip()[:LONGEST], autoescape=True))
    found = list(session().scalars(statement.limit(OFFERED + 1)))
    return jsonify(
        results=[{"id": each, "text": each} for each in found[:OFFERED]],
        more=len(found) > OFFERED,
    )
