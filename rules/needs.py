"""What makes a need sound, and what becomes of claims (domain section 4)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import utcnow
from models.need import Need, NeedStatus
from models.organization import OrganizationKind
from models.service import OPEN, ServiceNeed, ServiceProject
from rules import notices
from rules.actor import current
from rules.errors import Invalid
from rules.workflow import Context, apply_internally

#: Days for which a claim holds if nobody says otherwise, and at most.
CLAIM_DAYS, MOST_CLAIM_DAYS = 15, 90


def check(need: Need) -> None:
    """Raise ``Invalid``, with a sentence per field, for an unsound need."""
    problems: dict[str, str] = {}
    place = need.community
    if place is not None and place.kind is not OrganizationKind.COMMUNITY:
        problems["community"] = f"所在社区应为村（社区），“{place.name}”是{place.kind.title}。"
    if need.wanted_from and need.wanted_until and need.wanted_until < need.wanted_from:
        problems["wanted_until"] = "希望完成日期不应早于希望开始日期。"
    count = need.beneficiary_count
    if count is not None and not 0 <= count <= 100_000_000:
        problems["beneficiary_count"] = "受益人数应是 0 以上的整数。"
    if problems:
        raise Invalid("".join(problems.values()), **problems)


def claim_until(today: dt.date, asked: dt.date | None) -> dt.date:
    """Return the day until which a claim holds; raises ``Invalid`` for one past or too far off."""
    until = asked or today + dt.timedelta(days=CLAIM_DAYS)
    if until < today:
        raise Invalid("认领期限不能早于今天。", due_on="认领期限不能早于今天。")
    if until > today + dt.timedelta(days=MOST_CLAIM_DAYS):
        sentence = f"认领期限最长 {MOST_CLAIM_DAYS} 天，请选近一些的日期。"
        raise Invalid(sentence, due_on=sentence)
    return until


def open_service(session: Session, need: Need) -> ServiceProject | None:
    """Return the service project that is to answer the need, if one is under way."""
    return session.scalars(
        select(ServiceProject)
        .join(ServiceNeed, ServiceNeed.service_id == ServiceProject.id)
        .where(ServiceNeed.need_id == need.id, ServiceProject.status.in_(OPEN))
        .limit(1)
    ).first()


def lapse_overdue(session: Session, today: dt.date, limit: int = 500) -> int:
    """Return claims that are overdue to the board, and how many: claimed, not begun, past their day.

    A need that is part of an open service project stays where it is: the project has dates of its
    own. At most ``limit`` at once; the session must act for the system. Never commits.
    """
    in_service = (
        select(ServiceNeed.id)
        .join(ServiceProject, ServiceProject.id == ServiceNeed.service_id)
        .where(ServiceNeed.need_id == Need.id, ServiceProject.status.in_(OPEN))
    )
    overdue = session.scalars(
        select(Need)
        .where(Need.status == NeedStatus.CLAIMED, Need.due_on < today, ~in_service.exists())
        .order_by(Need.id)
        .limit(limit)
    ).all()
    for need in overdue:
        claimant = need.claimed_by
        context = Context(session, need, current(session), utcnow())
        note = (
            f"认领单位{claimant.name if claimant else ''}到 {need.due_on} 没有开始办理，自动退回。"
        )
        told = (need.community_id, need.claimed_by_id)
        apply_internally(context, need, "lapse", {"note": note})
        notices.tell(session, told, f"认领逾期退回：{need}", need, f"lapse:{need.version}")
    return len(overdue)
