"""The tickets behind a number of the measures, as a filter of their list: a number opens just them."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import ColumnElement

from models.base import utcnow
from reports import measure_lists
from views.context import session
from views.measure_names import named
from views.queries import OwnFilter, OwnFilters


def behind(text: str) -> ColumnElement[bool]:
    """Return which tickets an argument of the address means; raises ``Invalid``."""
    return measure_lists.criterion(session(), text, utcnow())


def in_words(text: str) -> str:
    """Return what an argument of the address means, as the filter bar shows it."""
    behind, narrowed = measure_lists.meant(session(), text)
    name, period = _(behind.measure.title), behind.question.period
    if behind.measure.good is not None:
        name += _("（分子）") if behind.part else _("（分母）")
    days = _("%(first)s 至 %(last)s", first=period.first, last=period.last)
    words = _("，").join((days, *(named(*each) for each in narrowed)))
    return _("%(label)s：%(text)s", label=name, text=words)


#: The ticket list's filters that the measures lead to.
MEASURE_FILTERS: OwnFilters = {
    measure_lists.ARGUMENT: OwnFilter("指标", behind, words=in_words),
}
