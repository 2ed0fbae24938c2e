"""Whether each record stands where the last step of its chain says that it does."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.ledger import Event
from models.registry import type_name
from rules.workflow import workflows


def broken_ends(session: Session) -> list[str]:
    """Return a sentence for each record whose status is not what its last step says.

    A chain of hashes shows what was changed or taken out of its middle, not that its end is gone.
    """
    found = []
    for model in workflows():
        last = (
            select(Event.to_status)
            .where(Event.record_type == type_name(model), Event.record_id == model.id)
            .order_by(Event.sequence.desc())
            .limit(1)
            .correlate(model)
            .scalar_subquery()
        )
        rows = select(model.id, model.status, last).where(or_(last.is_(None), last != model.status))
        for record_id, status, said in session.execute(rows.order_by(model.id)):
            found.append(
                f"{type_name(model)} {record_id} 现为“{status.title}”，"
                f"流转记录最后一步却是“{said or '（没有记录）'}”，可能缺少步骤或状态被改动。"
            )
    return found
