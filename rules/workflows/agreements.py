"""The life of a co-building agreement (domain section 4).

Renewing early leaves no gap. 续签 makes a draft copy that links back, and the old agreement stays
as it is: in force, or expired. Both sides sign the copy; when the office brings it into force, it
takes over in the same step: the old one becomes 续签, so there is one agreement in force for the
pair at every moment, and what partners share is shared throughout. A copy that nobody signs is
deleted like any draft, and the old agreement can be renewed again.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.agreement import Agreement, AgreementStatus
from presets.roles import Role
from rules.actor import Actor
from rules.agreements import check, check_period, next_number, waiting_renewal
from rules.calendar import shanghai_date
from rules.errors import Conflict
from rules.policy import Action
from rules.scope import criterion
from rules.workflow import (
    Context,
    Input,
    Relation,
    Step,
    Workflow,
    apply_internally,
    begin,
    register,
)

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
    _take_over(context)
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


def _take_over(context: Context) -> None:
    """Let a renewal that comes into force end the agreement that it renews, if that still stands."""
    new: Agreement = context.record
    old = new.renews
    same_pair = old is not None and (
        (old.community_id, old.unit_id) == (new.community_id, new.unit_id)
    )
    if old is None or not same_pair or old.status not in (S.IN_FORCE, S.EXPIRED):
        return
    said = {"note": f"由续签协议“{new.number}”接替"}
    apply_internally(context, old, "hand_over", said)


def _not_over(context: Context) -> str | None:
    if context.record.valid_until < shanghai_date(context.now):
        return "协议的到期日期已过，不能生效；请先修改到期日期。"
    return None


def _over(context: Context) -> str | None:
    if context.record.valid_until >= shanghai_date(context.now):
        return "协议还没有到期。"
    return None


def _not_being_renewed(context: Context) -> str | None:
    draft = waiting_renewal(context.session, context.record)
    if draft is None:
        return None
    return f"续签协议“{draft.number}”已在草拟，请核对后让它生效；不要了就先删除它。"


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
    new.community, new.unit = old.community, old.unit
    check(new)
    with context.session.no_autoflush:
        check_period(context.session, new)
    context.session.add(new)
    context.session.flush()
    begin(context.session, new, context.actor, note=f"续签自 {old.number}")
    context.log["renewed_as"] = {"id": new.id, "number": new.number}
    context.data["note"] = f"续签为 {new.number}"


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
                "renew", "续签", (S.IN_FORCE, S.EXPIRED), None, KEEPERS,
                inputs=(
                    Input("valid_from", "新协议生效日期", "date"),
                    Input("valid_until", "新协议到期日期", "date"),
                ),
                help="复制为一份新的草拟协议并与本协议关联。新协议生效时接替本协议，在那之前本协议不变。",
                when=_not_being_renewed, effect=_renew,
            ),
            Step("hand_over", "由续签接替", (S.IN_FORCE, S.EXPIRED), S.RENEWED, ()),
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
