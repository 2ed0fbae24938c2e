"""The life of an appeal against grades: the office corrects them or upholds them (domain section 8)."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from models.appeal import AppealStatus, RatingAppeal
from presets.roles import Role
from rules import notices
from rules.actor import Actor
from rules.sides import reaches
from rules.workflow import (
    Context,
    Input,
    Relation,
    Step,
    Workflow,
    apply_internally,
    register,
)

S = AppealStatus
OFFICE = ((Role.DISPATCHER, Relation.AREA),)
DEPARTMENT = ((Role.DEPARTMENT_HANDLER, Relation.UNIT),)


def _relations(session: Session, appeal: Any, actor: Actor) -> frozenset[Relation]:
    """The department that appeals is one side; the office of the raising place's area the judge."""
    if not reaches(session, appeal, actor):
        return frozenset()
    found = set()
    if any(line.ancestor_id == actor.area_id for line in appeal.organization.lines):
        found.add(Relation.AREA)
    if appeal.department_id == actor.organization_id:
        found.add(Relation.UNIT)
    return frozenset(found)


def _not_own(context: Context) -> str | None:
    """Nobody decides on an appeal of his own department, whatever roles he holds."""
    if context.record.department_id == context.actor.organization_id:
        return "这是贵单位自己的申诉，不能由贵单位复核。请由其他单位的吹哨办人员复核。"
    return None


def _correct(context: Context) -> None:
    """The new grades go into the ticket's ledger by a step of the ticket's own."""
    appeal: RatingAppeal = context.record
    given = {
        "grades": context.data["grades"],
        "department": appeal.department_id,
        "round": appeal.round,
        "note": f"{appeal.department.name}申诉，复核改评：{context.data['note']}",
    }
    apply_internally(context, appeal.ticket, "correct_rating", given)
    _decided(context, "申诉已改评")


def _uphold(context: Context) -> None:
    _decided(context, "申诉已复核，维持原评价")


def _decided(context: Context, what: str) -> None:
    appeal: RatingAppeal = context.record
    appeal.decision, appeal.decided_at = context.data["note"], context.now
    _tell(context, what)


def _withdraw(context: Context) -> None:
    _tell(context, "申诉已撤回")


def _tell(context: Context, what: str) -> None:
    """Both sides hear of it; the raising place's matter it is, and the department's."""
    appeal: RatingAppeal = context.record
    title, key = f"{what}：{appeal.ticket}", f"step:{appeal.version}"
    session = context.session
    notices.tell(
        session, (appeal.department_id,), title, appeal, key, roles=(Role.DEPARTMENT_HANDLER,)
    )
    notices.tell(session, (appeal.organization_id,), title, appeal, key)


APPEALS = register(
    Workflow(
        model=RatingAppeal,
        initial=S.PENDING,
        relations=_relations,
        told=frozenset({"status", "decision", "decided_at"}),
        steps=(
            Step(
                "correct", "改评", (S.PENDING,), S.CORRECTED, OFFICE, tone="success",
                inputs=(Input("grades", "评价", "grades"), Input("note", "复核意见")),
                help="改评后的评价立即计入得分，原评价保留；只能提高，不能降低。",
                when=_not_own, effect=_correct,
            ),
            Step(
                "uphold", "维持原评价", (S.PENDING,), S.UPHELD, OFFICE, tone="primary",
                inputs=(Input("note", "复核意见", help="写明依据，双方都能看到。"),),
                when=_not_own, effect=_uphold,
            ),
            Step(
                "withdraw", "撤回申诉", (S.PENDING,), S.WITHDRAWN, DEPARTMENT, tone="default",
                inputs=(Input("note", "撤回原因", required=False),),
                help="期限内还可以再次申诉。", effect=_withdraw,
            ),
        ),
    )
)  # fmt: skip
