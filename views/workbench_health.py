"""One's place or department at a glance: three shares of the last 30 days with their trend, and what is open.

What was changed within the last minute may not be in the figures yet: the worker folds the facts, and
nobody waits for it on the first page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import func, select

from models.base import utcnow
from models.delivery import Delivery, DeliveryState
from reports.drawing import Svg
from reports.measures import Dimension, Measure, Period, Question, Value, total
from reports.sparks import spark
from rules.actor import Actor
from rules.calendar import shanghai_date
from rules.queues import Waiting, numbers
from rules.ticket_lists import OPEN
from views import permissions
from views.context import session
from views.listing import COUNT_CAP
from views.measure_address import BY_CODE, months_before
from views.measure_names import ask
from views.measure_words import Change, change, figure, written

#: Days of the figures; they stand against as many days before.
DAYS = 30
MONTHS = 6
#: The first of each that says anything: a mechanism may set no deadline to put things right.
SHOWN = (("response_rate",), ("on_time_rate", "closing_rate"), ("satisfaction",))


@dataclass(frozen=True)
class Tile:
    """A figure. ``change`` is None where there is nothing to compare; ``notes`` are (text, URL, tone).

    ``caption`` says of what time the ``spark`` is: calendar months, which the figure and its change are not.
    """

    title: str
    text: str
    url: str
    tone: str = "info"
    compared: bool = True
    change: Change | None = None
    spark: Svg | None = None
    caption: str = ""
    notes: Sequence[tuple[str, str, str]] = ()


def health(who: Actor) -> list[Tile]:
    """Return the figures that the reader may open; six statements at the most."""
    found = []
    if permissions.allowed(who.roles, "can_overview", "MeasuresView"):
        found += _shares()
    if permissions.allowed(who.roles, "can_list", "TicketView"):
        found.append(_in_hand())
    if permissions.allowed(who.roles, "can_list", "DeliveryView"):
        found.append(_dead_letters())
    return found


def _shares() -> list[Tile]:
    now = utcnow()
    today = shanghai_date(now)
    period = Period(today - timedelta(days=DAYS - 1), today)
    measures = [BY_CODE[code] for codes in SHOWN for code in codes]
    these = total(session(), Question(period), measures, now)
    before = total(session(), Question(period.before()), measures, now)
    months = Question(Period(months_before(today, MONTHS - 1), today), rows=Dimension.MONTH)
    lines = ask(session(), months, measures, now)
    args: dict[str, Any] = {"span": "free", "from": f"{period.first}", "until": f"{period.last}"}
    url = url_for("MeasuresView.overview", **args)
    return [
        Tile(
            _(each.title),
            written(each, these[each.code]),
            url,
            change=change(each, these[each.code], before[each.code]),
            spark=_trend(each, lines),
            caption=_("最近 %(n)s 个月", n=MONTHS),
        )
        for each in _chosen(these)
    ]


def _chosen(values: Mapping[str, Value]) -> list[Measure]:
    """Return the measures to show: of each place the first of which there is a value now."""
    known = [[code for code in codes if values[code].value is not None] for codes in SHOWN]
    return [BY_CODE[(there or codes)[0]] for there, codes in zip(known, SHOWN, strict=True)]


def _trend(measure: Measure, lines: Sequence[Any]) -> Svg | None:
    """Return the last months as a small line; None for a single month."""
    known = [(each.title, each.values[measure.code].value) for each in lines]
    known = [(title, value) for title, value in known if value is not None]
    if len(known) < 2:
        return None
    said = _("；").join(f"{title} {figure(measure, value)}" for title, value in known)
    title = _("%(label)s近 %(n)s 个月的走势", label=_(measure.title), n=MONTHS)
    return spark(measure.code, title, said, [float(value or 0) for _title, value in known])


def _in_hand() -> Tile:
    """Return how many tickets are open in the reader's reach, and how many of them are late."""
    asked = {"open": Waiting(OPEN), "overdue": Waiting(OPEN, late=True)}
    found = numbers(session(), asked, most=COUNT_CAP + 1)
    said = {name: f"{COUNT_CAP}+" if n > COUNT_CAP else str(n) for name, n in found.items()}
    urls = {name: url_for("TicketView.list", tab=name) for name in asked}
    late = _("超期 %(n)s", n=said["overdue"])
    return Tile(
        _("在办哨单"),
        said["open"],
        urls["open"],
        tone="danger" if found["overdue"] else "success",
        compared=False,
        notes=[(late, urls["overdue"], "danger" if found["overdue"] else "muted")],
    )


def _dead_letters() -> Tile:
    """Return how many messages could not leave for good: somebody has to see to each of them."""
    some = select(Delivery.id).where(Delivery.state == DeliveryState.DEAD).limit(COUNT_CAP + 1)
    number = session().scalar(select(func.count()).select_from(some.subquery())) or 0
    return Tile(
        _("发送失败的消息"),
        f"{COUNT_CAP}+" if number > COUNT_CAP else str(number),
        url_for("DeliveryView.list"),
        tone="danger" if number else "success",
        compared=False,
    )
