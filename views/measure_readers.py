"""Who reads the measures: whose place it is, what he tells them apart by, what he is shown first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from models.organization import Organization, OrganizationKind
from reports.measures import Dimension
from rules.policy import Action, Scope, scopes
from views.context import actor, session
from views.listing import id_of
from views.measure_address import PLACES, Usual

D = Dimension
_LEVELS = (D.COUNTY, D.TOWNSHIP, D.COMMUNITY)
#: How many of the levels of places lie at or above a reader's own.
_ABOVE = {
    OrganizationKind.COUNTY: 1,
    OrganizationKind.TOWNSHIP: 2,
    OrganizationKind.COMMUNITY: 3,
    OrganizationKind.GRID: 3,
}


@dataclass(frozen=True)
class Reader:
    """Whoever asks: ``dimensions`` tell something apart for him; ``places`` are his own and those asked for.

    ``weak`` is the dimension whose weakest the first page names, ``heat`` its heat table's.
    """

    area: str
    dimensions: tuple[Dimension, ...]
    usual: Usual
    weak: Dimension
    heat: tuple[Dimension, Dimension]
    places: Mapping[int, Organization]


def reader(args: Mapping[str, str]) -> Reader:
    """Return whoever asks, with the names of the places that an address filters by: one statement."""
    wanted = {id_of(args.get(each.value, "").strip()) for each in PLACES} | {actor().area_id}
    ids = wanted - {None}
    found = list(session().scalars(select(Organization).where(Organization.id.in_(ids))))
    own = next((each for each in found if each.id == actor().area_id), None)
    places = {each.id: each for each in found}
    if scopes(actor().roles, "ticket_fact", Action.READ) == {Scope.PARTY}:
        return _department(places)
    above = _ABOVE.get(own.kind, 0) if own else 0
    levels = _LEVELS[above:]
    rows = {0: D.COUNTY, 1: D.DEPARTMENT, 2: D.COMMUNITY}.get(above, D.CLASS)
    columns = levels[0] if levels else D.MONTH
    dimensions = (D.DEPARTMENT, *levels, D.CLASS, D.THEME, D.MATTER, D.CHANNEL, D.MONTH)
    return Reader(
        area=own.name if own else actor().organization_name,
        dimensions=dimensions,
        usual=Usual(rows, columns),
        weak=D.DEPARTMENT,
        heat=(D.CLASS, columns),
        places=places,
    )


def _department(places: Mapping[int, Organization]) -> Reader:
    """A department reads of what it has led itself: places are what differs."""
    return Reader(
        area=actor().organization_name,
        dimensions=(*_LEVELS, D.CLASS, D.THEME, D.MATTER, D.CHANNEL, D.MONTH),
        usual=Usual(D.TOWNSHIP, D.TOWNSHIP),
        weak=D.TOWNSHIP,
        heat=(D.CLASS, D.TOWNSHIP),
        places=places,
    )
