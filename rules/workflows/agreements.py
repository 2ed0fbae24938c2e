"""The life of a co-building agreement (domain section 4)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.agreement import Agreement, AgreementStatus
from presets.roles import Role
from rules.actor import Actor
from rules.agreements import check, next_number
from rules.calendar import shanghai_date
from rules.errors import Conflict
from rules.policy import Action
from rules.scope import criterion
from rules.workflow import Context, Input, Relation, Step, Workflow, begin, register

S = AgreementStatus
KEEPERS = (
    (Role.ORGANIZATION_DEPARTMENT, Relation.ANY),
    (Role.SYSTEM_ADMINISTRATOR, Relation.ANY),
)


def _relations(session: Session, record: Any, actor: Actor) -> frozenset[Relation]:
    """Whoever reaches one side reads the agreement; the steps take reach of both, as the gate asks."""
    inside = criterion(actor, Agreement, Action.ACT)
    reached = session.scalar(select(Agreement.id).where(Agreement.id == record.id, inside))
    return frozenset() if reached is None else frozenset({Relation.ANY})


def _bring_into_force(context: Context) -> None:
    agreement: Agreement = context.record
    check(agreement)
    other = context.session.scalars(
        select(Agreement)
        .where(
            Agreement.community_id == agreement.community_id,
            Agreement.unit_id == agreement.unit_id,
            Agreement.status == S.IN_FORCE,
            Agreement.id != agreement.id,
        )
        .limit(1)
    ).first()
    if other is not None:
        raise Conflict(
            f"{agreement.community.name}与{agreement.unit.name}已有生效的协议“{other.number}”，"
            "请先终止或续签它，再让本协议生效。"
        )
    if agreement.signed_on is None:
        agreement.signed_on = shanghai_date(context.now)


def _not_over(context: Context) -> str | None:
    if context.record.valid_until < shanghai_date(context.now):
        return "协议的到期日期已过，不能生效；请先修改到期日期。"
    return None


def _over(context: Context) -> str | None:
    if context.record.valid_until >= shanghai_date(context.now):
        return "协议还没有到期。"
    return None


def _renew(context: Context) -> None:
    old: Agreement = context.record
    start: dt.date = context.data["valid_from"]
    copied = (
        "community_id", "unit_id", "kind", "objectives", "community_promises", "unit_promises",
        "community_liaison", "community_phone", "unit_liaison", "unit_phone",
    )  # fmt: skip
    new = Agreement(
        **{name: getattr(old, name) for name in copied},
        number=next_number(context.session, old),
        valid_from=start,
        valid_until=context.data["valid_until"],
        renews_id=old.id,
    )
    check(new)
    context.session.add(new)
    context.session.flush()
    begin(context.session, new, context.actor, note=f"续签自 {old.number}")
    context.log["renewed_as"] = {"id": new.id, "number": new.number}


AGREEMENTS = register(
    Workflow(
        model=Agreement,
        initial=S.DRAFT,
        relations=_relations,
        steps=(
            Step(
                "bring_into_force", "生效", (S.DRAFT,), S.IN_FORCE, KEEPERS, tone="success",
                help="双方签字盖章后办理。同一社区与同一单位只能有一份生效协议。",
                when=_not_over, effect=_bring_into_force,
            ),
            Step(
                "renew", "续签", (S.IN_FORCE, S.EXPIRED), S.RENEWED, KEEPERS,
                inputs=(
                    Input("valid_from", "新协议生效日期", "date"),
                    Input("valid_until", "新协议到期日期", "date"),
                ),
                help="复制为一份新的草拟协议并与原协议关联，原协议转为“续签”。",
                effect=_renew,
            ),
            Step(
                "expire", "到期", (S.IN_FORCE,), S.EXPIRED, KEEPERS, tone="warning", when=_over,
            ),
            Step(
                "terminate", "终止", (S.IN_FORCE,), S.TERMINATED, KEEPERS, tone="danger",
                inputs=(Input("note", "终止原因"),),
            ),
        ),
    )
)  # fmt: skip
