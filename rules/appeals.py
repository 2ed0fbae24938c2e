"""When a department may appeal against the grades it was given (domain sections 7 and 8)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.appeal import AppealStatus, RatingAppeal
from models.grade import Grade
from models.rating import Rater, Rating
from models.ticket import Ticket
from presets.roles import Role
from rules import notices
from rules.actor import Actor
from rules.calendar import end_of_day, shanghai_date
from rules.errors import Conflict
from rules.locking import lock
from rules.workflows.ticket_ratings import standing

#: Days in which an appeal may be made, after the day of the rating: long enough for a week's leave,
#: and short enough that a month's scores stand before the next month's bulletin.
APPEAL_DAYS = 7


def graded(ticket: Ticket, department_id: int | None) -> list[Rating]:
    """Return the raising place's grades of a department that stand, of the last round it was graded in."""
    rounds = {
        each.round
        for each in ticket.ratings
        if each.organization_id == department_id and each.rater is Rater.RAISER
    }
    if not rounds:
        return []
    found = standing(ticket, Rater.RAISER, max(rounds))
    ours = [each for each in found if each.organization_id == department_id]
    return sorted(ours, key=lambda each: (each.dimension.position, each.dimension_id))


def open_until(grades: list[Rating]) -> dt.datetime:
    """Return the last instant at which an appeal against some grades may be made.

    The days are counted from the last of them that was given: whoever is graded worse by an amendment
    has the whole time to answer that.
    """
    last = max(each.rated_at for each in grades)
    return end_of_day(shanghai_date(last) + dt.timedelta(days=APPEAL_DAYS))


def may_not_appeal(
    session: Session, ticket: Ticket, department_id: int | None, now: dt.datetime
) -> str | None:
    """Say why a department can not appeal against its grades on a ticket now, if so."""
    grades = graded(ticket, department_id)
    if not grades:
        return "贵单位在这张哨单上还没有得到评价，没有可以申诉的内容。"
    if all(each.grade is Grade.VERY_SATISFIED for each in grades):
        return "各项评价都是“非常满意”，没有可以提高的，不需要申诉。"
    if now > open_until(grades):
        return f"评价后 {APPEAL_DAYS} 天内可以申诉，现在已经超过，不再受理。"
    other = session.scalars(
        select(RatingAppeal.status).where(
            RatingAppeal.ticket_id == ticket.id,
            RatingAppeal.department_id == department_id,
            RatingAppeal.round == grades[0].round,
            RatingAppeal.status != AppealStatus.WITHDRAWN,
        )
    ).first()
    if other is AppealStatus.PENDING:
        return "本轮评价的申诉正在复核，请等待复核结果。"
    if other is not None:
        return "本轮评价的申诉已经复核，复核只有一次，不再受理。"
    return None


def file(session: Session, appeal: RatingAppeal, actor: Actor, now: dt.datetime) -> None:
    """Make an appeal of the actor's department out of one that has a ticket and a reason.

    Takes the ticket's lock, so that of two at once one is refused. Raises ``Conflict``, with the
    reason, where there is nothing to appeal against, or no longer. The caller adds and flushes the
    row, begins its workflow, and then calls ``announce``.
    """
    ticket = appeal.ticket
    lock(session, ticket)
    sentence = may_not_appeal(session, ticket, actor.organization_id, now)
    if sentence:
        raise Conflict(sentence)
    appeal.organization_id = ticket.organization_id
    appeal.department_id = actor.organization_id or 0
    appeal.round = graded(ticket, actor.organization_id)[0].round


def announce(session: Session, appeal: RatingAppeal) -> None:
    """Tell the county's office, which decides, and the raising place, whose grades are in question."""
    title = f"{appeal.department.name}申诉评价：{appeal.ticket}"
    realm = appeal.ticket.organization.realm_id
    notices.tell_county(session, realm, title, appeal, "filed", roles=(Role.DISPATCHER,))
    notices.tell(session, (appeal.organization_id,), title, appeal, "filed")
