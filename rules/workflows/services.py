"""The way of a service project (domain section 4); it carries its needs along."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from models.need import NeedStatus
from models.service import ServiceProject, ServiceStatus
from rules.actor import Actor
from rules.calendar import shanghai_date
from rules.services import attendance, check, release, tell_parties
from rules.sides import COMMUNITIES, KEEPERS, UNITS, relations
from rules.workflow import Context, Input, Relation, Step, Workflow, apply_internally, register

S = ServiceStatus
PROVIDERS = (*UNITS, *KEEPERS)
RECEIVERS = (*COMMUNITIES, *KEEPERS)


def _relations(session: Session, record: Any, actor: Actor) -> frozenset[Relation]:
    return relations(
        session, record, actor, community_id=record.community_id, unit_id=record.provider_id
    )


def _not_own(context: Context) -> str | None:
    if context.record.provider_id == context.actor.organization_id:
        return "不能评价本单位提供的服务。"
    return None


def _start(context: Context) -> None:
    service: ServiceProject = context.record
    check(service)
    service.actual_from = shanghai_date(context.now)
    _carry(context, NeedStatus.CLAIMED, "take_up", {})
    tell_parties(context, f"{service.provider.name}已接单：{service}")


def _let_go(context: Context) -> None:
    """Needs that the project was to answer return to the board."""
    service: ServiceProject = context.record
    for link in service.need_links:
        release(context, link.need)
    tell_parties(context, f"服务项目已取消：{service}")


def _complete(context: Context) -> None:
    service: ServiceProject = context.record
    service.outcome = context.data["outcome"]
    service.actual_until = shanghai_date(context.now)
    asked = context.data.get("people_served")
    service.people_served = attendance(context.session, service) if asked is None else asked
    _carry(context, NeedStatus.IN_HAND, "finish", {"result": service.outcome})
    tell_parties(context, f"服务项目已完成，请评价：{service}")


def _rate(context: Context) -> None:
    service: ServiceProject = context.record
    service.grade = context.data["grade"]
    context.log["grade"] = service.grade.value
    _carry(context, NeedStatus.DONE, "settle", context.data)
    tell_parties(context, f"服务项目已评价为{service.grade.title}：{service}")


def _carry(context: Context, status: NeedStatus, action: str, data: dict[str, Any]) -> None:
    """Take the project's needs that are in a state one step on."""
    for link in context.record.need_links:
        if link.need.status is status:
            apply_internally(context, link.need, action, data)


SERVICES = register(
    Workflow(
        model=ServiceProject,
        initial=S.PLANNED,
        relations=_relations,
        steps=(
            Step(
                "start", "接单", (S.PLANNED,), S.UNDER_WAY, PROVIDERS, tone="success",
                help="开始实施，对应的需求同时转为“办理”。", effect=_start,
            ),
            Step(
                "complete", "完成", (S.UNDER_WAY,), S.COMPLETED, PROVIDERS, tone="success",
                inputs=(
                    Input("outcome", "服务成效"),
                    Input(
                        "people_served", "服务人次", "number", required=False,
                        help="不填则按各场次到场人数合计。",
                    ),
                ),
                effect=_complete,
            ),
            Step(
                "rate", "评价", (S.COMPLETED,), S.RATED, COMMUNITIES, tone="success",
                inputs=(Input("grade", "评价", "grade"), Input("note", "说明", required=False)),
                help="对应的需求同时评价。", when=_not_own, effect=_rate,
            ),
            Step(
                "decline", "不接单", (S.PLANNED,), S.CANCELLED, UNITS, tone="danger",
                inputs=(Input("note", "原因"),), help="对应的需求退回公布，供别的单位认领。",
                effect=_let_go,
            ),
            Step(
                "cancel", "取消项目", (S.PLANNED, S.UNDER_WAY), S.CANCELLED, RECEIVERS,
                tone="danger", inputs=(Input("note", "取消原因"),),
                help="对应的需求退回公布。", effect=_let_go,
            ),
        ),
    )
)  # fmt: skip
