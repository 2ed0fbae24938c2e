"""The tickets behind a number of the measures, as a filter of their list: a number opens just them."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from models.base import utcnow
from reports import measure_lists
from views.context import session
from views.queries import OwnFilter, OwnFilters


def behind(text: str) -> ColumnElement[bool]:
    """Return which tickets an argument of the address means; raises ``Invalid``."""
    return measure_lists.criterion(session(), text, utcnow())


def in_words(text: str) -> str:
    """Return what an argument of the address means, as the filter bar shows it."""
    return measure_lists.said(session(), text)


#: The ticket list's filters that the measures lead to.
MEASURE_FILTERS: OwnFilters = {
    measure_lists.ARGUMENT: OwnFilter("指标", behind, words=in_words),
}
