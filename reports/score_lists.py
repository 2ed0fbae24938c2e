"""The tickets behind a number of the scores: as an argument of the list's address, and as a criterion.

Like ``reports.measure_lists``, whose numbers are others.
"""

from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from models.appeal import AppealStatus, RatingAppeal
from models.base import Titled
from models.measure import TicketFact as Fact
from models.organization import Organization
from models.ticket import Ticket
from reports.measures import Dimension, Period, Question
from reports.questions import narrowed
from reports.township_scores import RATE_DAYS
from rules import grade_sums
from rules.errors import Invalid

#: The argument of the ticket list's address.
ARGUMENT = "score"


class Behind(Titled):
    """Which tickets of an organisation stand behind a number."""

    GRADED = "graded", "得到评价的哨单"
    APPEALED = "appealed", "申诉待复核的哨单"
    BLOWN = "blown", "已有结论的哨单"
    DECLINED = "declined", "不予吹哨的哨单"
    RATED = "rated", "已经评价的哨单"
    UNRATED = "unrated", "逾期未评价的哨单"
    CORRECTED = "corrected", "因申诉改评的哨单"


def tickets_of(behind: Behind, organization_id: int, period: Period) -> dict[str, str]:
    """Return the arguments of ``/tickets/list/`` that show just the tickets behind a number.

    0 in place of an organisation: all places within reach.
    """
    said = [("of", behind.value), ("who", str(organization_id))]
    said += [("from", f"{period.first}"), ("until", f"{period.last}")]
    return {ARGUMENT: urlencode(said)}


def read(text: str) -> tuple[Behind, int, Period]:
    """Return what an argument of the address says; raises ``Invalid`` if it says nothing."""
    said = dict(parse_qsl(text, max_num_fields=8))
    try:
        behind = next(each for each in Behind if each.value == said["of"])
        number = int(said["who"])
        days = [dt.date.fromisoformat(said[each]) for each in ("from", "until")]
    except (KeyError, ValueError, StopIteration):
        raise Invalid("评分的链接不完整，请回到评分页重新点开。") from None
    if not 0 <= number < 2**31:
        raise Invalid("评分的链接不完整，请回到评分页重新点开。")
    return behind, number, Period(*days)


def criterion(session: Session, text: str, now: dt.datetime) -> ColumnElement[bool]:
    """Return which tickets an argument of the address means; raises ``Invalid``."""
    behind, number, period = read(text)
    first, last = period.first, period.last
    if behind is Behind.GRADED:
        return Ticket.id.in_(grade_sums.graded_tickets(number, first, last))
    if behind is Behind.APPEALED:
        pending = select(RatingAppeal.ticket_id).where(
            RatingAppeal.department_id == number,
            RatingAppeal.status == AppealStatus.PENDING,
            RatingAppeal.ticket_id.in_(grade_sums.tickets_within(first, last)),
        )
        return Ticket.id.in_(pending)
    rows = select(Fact.ticket_id).where(_of_township(behind, now))
    place = {Dimension.TOWNSHIP: number} if number else {}
    return Ticket.id.in_(narrowed(session, rows, Question(period, filters=place)))


def _of_township(behind: Behind, now: dt.datetime) -> ColumnElement[bool]:
    if behind is Behind.DECLINED:
        return Fact.refused.is_(True)
    if behind is Behind.BLOWN:
        return or_(Fact.dispatched.is_(True), Fact.refused.is_(True))
    if behind is Behind.UNRATED:
        return grade_sums.left_unrated(now - dt.timedelta(days=RATE_DAYS))
    if behind is Behind.CORRECTED:
        corrected = select(RatingAppeal.ticket_id).where(
            RatingAppeal.status == AppealStatus.CORRECTED
        )
        return Fact.ticket_id.in_(corrected)
    return Fact.grades > 0


def meant(session: Session, text: str) -> tuple[Behind, str | None, Period]:
    """Return what an argument of the address means: which tickets, whose, when; raises ``Invalid``."""
    behind, number, period = read(text)
    name = None
    if number:
        name = session.scalar(select(Organization.name).where(Organization.id == number))
    return behind, name, period
