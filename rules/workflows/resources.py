"""The life of a resource: offered, suspended, offered again (domain section 4)."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from models.resource import Resource, ResourceStatus
from rules.actor import Actor
from rules.resources import check
from rules.sides import KEEPERS, UNITS, relations
from rules.workflow import Context, Input, Relation, Step, Workflow, register

S = ResourceStatus
OWNERS = (*UNITS, *KEEPERS)


def _relations(session: Session, record: Any, actor: Actor) -> frozenset[Relation]:
    return relations(session, record, actor, community_id=None, unit_id=record.owner_id)


def _check(context: Context) -> None:
    check(context.record)


RESOURCES = register(
    Workflow(
        model=Resource,
        initial=S.DRAFT,
        relations=_relations,
        steps=(
            Step(
                "offer", "提供", (S.DRAFT,), S.AVAILABLE, OWNERS, tone="success",
                help="提供之后，签约社区就能看到并匹配到这项资源。", effect=_check,
            ),
            Step(
                "suspend", "停用", (S.AVAILABLE,), S.SUSPENDED, OWNERS, tone="danger",
                inputs=(Input("note", "停用原因"),), help="停用后不再参与匹配，已排的服务不受影响。",
            ),
            Step("resume", "恢复提供", (S.SUSPENDED,), S.AVAILABLE, OWNERS, tone="success"),
        ),
    )
)  # fmt: skip
