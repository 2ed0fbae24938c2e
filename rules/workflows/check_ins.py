"""The life of a check-in: reported to a community, serving, reporting back to both (domain 4)."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from models.check_in import CheckIn, CheckInStatus
from rules import notices
from rules.actor import Actor
from rules.calendar import shanghai_date
from rules.sides import COMMUNITIES, KEEPERS, UNITS, relations
from rules.workflow import Context, Input, Relation, Step, Workflow, register

S = CheckInStatus
COMMUNITY_SIDE = (*COMMUNITIES, *KEEPERS)
UNIT_SIDE = (*UNITS, *KEEPERS)
SERVING = (S.ACTIVE, S.REPORTED, S.APPRAISED)


def _relations(session: Session, record: Any, actor: Actor) -> frozenset[Relation]:
    return relations(
        session, record, actor, community_id=record.community_id, unit_id=record.unit_id
    )


def _confirm(context: Context) -> None:
    record = context.record
    record.reported_on = record.reported_on or shanghai_date(context.now)
    _tell(context, record.unit_id, f"{record.community.name}已确认{record}的报到")


def _report(context: Context) -> None:
    record = context.record
    record.report, record.grade = context.data["report"], None
    _tell(context, record.community_id, f"{record.unit.name}的{record}提交了服务报告")


def _appraise(context: Context) -> None:
    record = context.record
    record.grade = context.data["grade"]
    context.log["grade"] = record.grade.value
    _tell(context, record.unit_id, f"{record.community.name}评议了{record}：{record.grade.title}")


def _decline(context: Context) -> None:
    record = context.record
    _tell(context, record.unit_id, f"{record.community.name}未接收{record}的报到")


def _tell(context: Context, organization_id: int, title: str) -> None:
    record = context.record
    notices.tell(context.session, (organization_id,), title, record, f"step:{record.version}")


CHECK_INS = register(
    Workflow(
        model=CheckIn,
        initial=S.REGISTERED,
        relations=_relations,
        steps=(
            Step(
                "confirm", "确认报到", (S.REGISTERED,), S.ACTIVE, COMMUNITY_SIDE, tone="success",
                help="社区接收该党员，安排岗位。", effect=_confirm,
            ),
            Step(
                "decline", "不接收", (S.REGISTERED,), S.DECLINED, COMMUNITY_SIDE, tone="danger",
                inputs=(Input("note", "原因"),), effect=_decline,
            ),
            Step(
                "report_back", "提交报告", (S.ACTIVE,), S.REPORTED, UNIT_SIDE,
                inputs=(Input("report", "服务报告"),),
                help="向所在单位和报到社区报告一个阶段的服务情况。", effect=_report,
            ),
            Step(
                "appraise", "评议", (S.REPORTED,), S.APPRAISED, COMMUNITY_SIDE, tone="success",
                inputs=(
                    Input("grade", "评议", "grade"), Input("note", "评语", required=False),
                ),
                effect=_appraise,
            ),
            Step(
                "renew", "继续在岗", (S.REPORTED, S.APPRAISED), S.ACTIVE,
                (*UNITS, *COMMUNITIES, *KEEPERS), tone="default",
                help="进入下一个服务周期，之后可以再提交报告。",
            ),
            Step(
                "end", "离岗", (S.REGISTERED, *SERVING), S.ENDED,
                (*UNITS, *COMMUNITIES, *KEEPERS), tone="danger",
                inputs=(Input("note", "原因"),),
            ),
        ),
    )
)  # fmt: skip
