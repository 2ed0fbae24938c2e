"""The tickets behind a number of the scores, as a filter of their list."""

from __future__ import annotations

from flask_babel import gettext as _
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
    tickets, name, period = score_lists.meant(session(), text)
    days = _("%(first)s 至 %(last)s", first=period.first, last=period.last)
    return _(
        "%(label)s：%(text)s",
        label=_(tickets.title),
        text=f"{name}{_('，')}{days}" if name else days,
    )


#: The ticket list's filters that the scores lead to.
SCORE_FILTERS: OwnFilters = {
    score_lists.ARGUMENT: OwnFilter("评分", behind, words=in_words),
}
