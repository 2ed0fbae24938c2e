"""The life of a duty-list version: publishing one supersedes the last (domain section 5)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.duty import DutyList, DutyListStatus
from models.organization import Organization
from presets.roles import Role
from rules.actor import Actor
from rules.workflow import Context, Relation, Step, Workflow, apply_internally, register

S = DutyListStatus
PUBLISHERS = (
    (Role.DUTY_LIST_OFFICER, Relation.ANY),
    (Role.TOWNSHIP_REVIEWER, Relation.AREA),
    (Role.SYSTEM_ADMINISTRATOR, Relation.ANY),
)


def _relations(session: Session, record: Any, actor: Actor) -> frozenset[Relation]:
    """A township reviewer reads the county's catalogue too, but publishes only its own lists."""
    if record.organization_id == actor.area_id:
        return frozenset({Relation.ANY, Relation.AREA})
    return frozenset({Relation.ANY})


def _has_items(context: Context) -> str | None:
    return None if context.record.item_count else "清单里还没有事项，不能发布。"


def _supersede_last(context: Context) -> None:
    new: DutyList = context.record
    # Two drafts published at once take turns here, or both would find no version to supersede.
    context.session.execute(
        select(Organization.id)
        .where(Organization.id == new.organization_id)
        .with_for_update(key_share=True)
    )
    for old in context.session.scalars(
        select(DutyList).where(
            DutyList.organization_id == new.organization_id,
            DutyList.list_type == new.list_type,
            DutyList.status == S.PUBLISHED,
        ),
        execution_options={"populate_existing": True},
    ):
        apply_internally(context, old, "supersede")
        context.log["supersedes"] = old.id
    new.published_at = context.now


DUTY_LISTS = register(
    Workflow(
        model=DutyList,
        initial=S.DRAFT,
        relations=_relations,
        steps=(
            Step(
                "publish", "发布", (S.DRAFT,), S.PUBLISHED, PUBLISHERS, tone="success",
                help="发布后吹哨按本版清单研判，上一版自动转为“已被替代”；在途哨单仍按原版本办理。",
                when=_has_items, effect=_supersede_last,
            ),
            Step("supersede", "被替代", (S.PUBLISHED,), S.SUPERSEDED, ()),
        ),
    )
)  # fmt: skip
