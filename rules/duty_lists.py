"""Publishing all drafts of a place at once, as the command and the page do."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.duty import DutyList, DutyListStatus, DutyListType
from models.organization import Organization
from rules.actor import Actor
from rules.workflow import apply


def publish(
    session: Session,
    owner: Organization,
    actor: Actor,
    list_type: DutyListType | None = None,
) -> list[DutyList]:
    """Publish the place's draft versions, all or of one type; returns them, maybe none."""
    query = select(DutyList).where(
        DutyList.organization_id == owner.id, DutyList.status == DutyListStatus.DRAFT
    )
    if list_type is not None:
        query = query.where(DutyList.list_type == list_type)
    drafts = list(session.scalars(query.order_by(DutyList.id)))
    for draft in drafts:
        apply(session, draft, "publish", actor)
    return drafts
