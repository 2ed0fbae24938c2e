"""How measures are written: values in their unit, and how they have changed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from flask_babel import gettext as _

from reports.measure_types import Unit
from reports.measures import Measure, Value
from views.charts import grouped
from views.rendering import EMPTY

_TENTH = Decimal("0.1")


@dataclass(frozen=True)
class Change:
    """How a value differs from an earlier one: the arrow's name, the words, and their colour.

    ``brief`` is for where there is little room: it stands behind the arrow.
    """

    icon: str
    text: str
    tone: str
    brief: str


def rounded(measure: Measure, value: Decimal) -> Decimal:
    """Return a value as exactly as it is shown: counts whole, everything else to a tenth."""
    exact = Decimal(1) if measure.unit is Unit.COUNT else _TENTH
    return value.quantize(exact, ROUND_HALF_UP)


def figure(measure: Measure, value: Decimal | None) -> str:
    """Return a value as the page writes it, without its unit but for the percent sign."""
    if value is None:
        return EMPTY
    number = rounded(measure, value)
    if measure.unit is Unit.COUNT:
        return grouped(number)
    return f"{number}%" if measure.unit is Unit.PERCENT else f"{number:,}"


def written(measure: Measure, value: Value) -> str:
    """Return a measure's value as the page writes it; a dash where there is none."""
    return figure(measure, value.value)


def unit_of(measure: Measure) -> str:
    """Return the word behind a measure's number; a share carries its sign already."""
    return "" if measure.unit is Unit.PERCENT else _(measure.unit.title)


def heading(measure: Measure) -> str:
    """Return a measure's heading with its unit."""
    return _("%(label)s（%(measure)s）", label=_(measure.title), measure=_(measure.unit.title))


def change(measure: Measure, now: Value, then: Value) -> Change | None:
    """Return how a value has changed; None where there is nothing to compare.

    Counts change by a share of what they were, percentages by points, hours and stars by themselves.
    What is better is green, what is worse is red; the words say which way it went.
    """
    if now.value is None or then.value is None:
        return None
    if measure.unit is Unit.COUNT:
        if not then.value:
            return None
        difference = (100 * (now.value - then.value) / then.value).quantize(_TENTH, ROUND_HALF_UP)
        size = brief = f"{abs(difference)}%"
    else:
        difference = rounded(measure, now.value) - rounded(measure, then.value)
        number = abs(difference)
        brief = _("%(number)s 点", number=number) if measure.unit is Unit.PERCENT else str(number)
        size = {
            Unit.PERCENT: _("%(number)s 个百分点", number=number),
            Unit.HOURS: _("%(number)s 小时", number=number),
            Unit.STARS: _("%(number)s 星", number=number),
        }[measure.unit]
    if not difference:
        return Change("fa-equals", _("持平"), "muted", _("持平"))
    rose = difference > 0
    better = measure.higher_is_better
    tone = "muted" if better is None else "success" if rose is better else "danger"
    words = _("上升 %(size)s", size=size) if rose else _("下降 %(size)s", size=size)
    return Change("fa-arrow-up" if rose else "fa-arrow-down", words, tone, brief)
