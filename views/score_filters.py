"""The tickets behind a number of the scores, as a filter of their list."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from models.base import utcnow
from reports import score_lists
from views.context import session
from views.queries import OwnFilter, OwnFilters


def behind(text: str) -> ColumnElement[bool]:
    """Return which tickets an argument of the address means; raises ``Invalid``."""
    return score_lists.criterion(session(), text, utcnow())


def in_words(text: str) -> str:
    """Return what an argument of the address means, as the filter bar shows it."""
    return score_lists.said(session(), text)


#: The ticket list's filters that the scores lead to.
SCORE_FILTERS: OwnFilters = {
    score_lists.ARGUMENT: OwnFilter("评分", behind, words=in_words),
}
