"""The whistles behind a number of the heat table, as a filter of their list."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import ColumnElement

from models.organization import Organization
from reports.heat import Cases, behind, cases_of
from rules.errors import Invalid
from views.context import session
from views.list_links import list_url
from views.queries import OwnFilter, OwnFilters

ARGUMENT = "cases"


def _read(text: str) -> Cases:
    try:
        return cases_of(text)
    except ValueError:
        raise Invalid(_("筛选条件“%(value)s”无法识别，请重新选择。", value=text[:100])) from None


def _test(text: str) -> ColumnElement[bool]:
    return behind(session(), _read(text))


def in_words(text: str) -> str:
    """Return what an argument of the address means, as the filter bar shows it."""
    cases = _read(text)
    place = session().get(Organization, cases.area_id) if cases.area_id else None
    parts = [place.name if place else "", cases.matter or "", f"{cases.first} – {cases.last}"]
    return " ".join(each for each in (*parts, _(cases.weight.title)) if each)


def cases_url(cases: Cases) -> str | None:
    """Return the list of the tickets behind a number, for whoever may open it."""
    return list_url("TicketView", {ARGUMENT: cases.written()})


CASE_FILTERS: OwnFilters = {ARGUMENT: OwnFilter("反复发生", _test, words=in_words)}
