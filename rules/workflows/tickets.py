"""The life of a whistle ticket: the main road and its side roads (domain section 6)."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from models.ticket import AssignmentStatus, Ticket, TicketAssignment, TicketStatus
from presets.roles import Role
from rules.actor import Actor
from rules.workflow import Input, Relation, Step, Workflow, guard_status, register
from rules.workflows import ticket_effects as effects

S = TicketStatus
R = Relation

RAISERS = ((Role.COMMUNITY_STAFF, R.AREA), (Role.TOWNSHIP_REVIEWER, R.AREA))
TOWNSHIP = ((Role.TOWNSHIP_REVIEWER, R.AREA),)
OFFICE = ((Role.DISPATCHER, R.AREA),)
REVIEWER = ((Role.RETURN_REVIEWER, R.AREA),)
LEAD = ((Role.DEPARTMENT_HANDLER, R.LEAD),)
ASSISTING = ((Role.DEPARTMENT_HANDLER, R.ASSISTING),)
CLOSERS = OFFICE + TOWNSHIP
AT_WORK = (S.DISPATCHED, S.ACCEPTED, S.ARRIVED, S.REOPENED)

WHY = Input("note", "原因")
REMARK = Input("note", "说明", required=False)
LEAD_INPUT = Input("lead", "主办单位", "organization")
ASSISTING_INPUT = Input("assisting", "协办单位", "organizations", required=False)


def relations(session: Session, ticket: Any, actor: Actor) -> frozenset[Relation]:
    """Return how an actor stands to a ticket: in its area, its lead, or assisting on it."""
    found = set()
    if any(line.ancestor_id == actor.area_id for line in ticket.organization.lines):
        found.add(R.AREA)
    if actor.organization_id is not None:
        if ticket.lead_id == actor.organization_id:
            found.add(R.LEAD)
        if effects.own_assignment(ticket, actor) is not None:
            found.add(R.ASSISTING)
    return frozenset(found)


TICKETS = register(
    Workflow(
        model=Ticket,
        initial=S.DRAFT,
        relations=relations,
        steps=(
            Step(
                "raise", "吹哨", (S.DRAFT,), effects.after_raise, RAISERS,
                inputs=(
                    Input("lead", "派往部门", "organization", required=False,
                          help="只有直派的哨种需要；不填则按清单派往对应部门。"),
                ),
                help="吹哨后生成编号，按哨种送审核、吹哨办或直派部门。",
                when=effects.may_not_blow, effect=effects.blow,
            ),
            Step(
                "approve", "审核通过", (S.PENDING_REVIEW,), S.PENDING_DISPATCH, TOWNSHIP,
                inputs=(REMARK,), tone="success",
            ),
            Step(
                "decline_review", "审核不通过", (S.PENDING_REVIEW,), S.DECLINED, TOWNSHIP,
                inputs=(WHY,), tone="danger",
            ),
            Step(
                "dispatch", "派单", (S.PENDING_DISPATCH,), S.DISPATCHED, OFFICE,
                inputs=(LEAD_INPUT, ASSISTING_INPUT, REMARK),
                help="派单后按哨种起算应哨、报到、办结期限。", effect=effects.dispatch,
            ),
            Step(
                "decline", "不予吹哨", (S.PENDING_DISPATCH,), S.DECLINED, OFFICE,
                inputs=(WHY,), tone="danger",
            ),
            Step(
                "accept", "应哨签收", (S.DISPATCHED, S.REOPENED), S.ACCEPTED, LEAD,
                inputs=(REMARK,), effect=effects.accept,
            ),
            Step(
                "arrive", "现场报到", (S.ACCEPTED,), S.ARRIVED, LEAD,
                inputs=(REMARK,), effect=effects.arrive,
            ),
            Step(
                "report_result", "反馈结果", (S.ARRIVED,), S.RESOLVED, LEAD,
                inputs=(Input("result", "办理结果", help="写明怎样处理、处理到什么程度。"),),
                effect=effects.report_result,
            ),
            Step(
                "assist_accept", "协办签收", AT_WORK, None, ASSISTING,
                inputs=(REMARK,), when=effects.assisting_not_at("dispatched"),
                effect=effects.assist_accept,
            ),
            Step(
                "assist_arrive", "协办报到", AT_WORK, None, ASSISTING,
                inputs=(REMARK,), when=effects.assisting_not_at("accepted"),
                effect=effects.assist_arrive,
            ),
            Step(
                "assist_report", "协办反馈", AT_WORK, None, ASSISTING,
                inputs=(Input("result", "协办情况"),),
                when=effects.assisting_not_at("arrived"), effect=effects.assist_report,
            ),
            Step(
                "request_return", "申请退单", (S.DISPATCHED, S.ACCEPTED), S.RETURN_PENDING, LEAD,
                inputs=(Input("note", "退单理由", help="写明依据；审核期间期限照常计算。"),),
                tone="danger",
            ),
            Step(
                "approve_return", "同意退单", (S.RETURN_PENDING,), S.PENDING_DISPATCH, REVIEWER,
                inputs=(Input("note", "审核意见"),), tone="warning",
                effect=effects.approve_return,
            ),
            Step(
                "refuse_return", "驳回退单", (S.RETURN_PENDING,), effects.before_return, REVIEWER,
                inputs=(Input("note", "审核意见"),),
                help="驳回后哨单回到原部门，期限自派单起连续计算，不因退单重置。",
            ),
            Step(
                "rate", "评哨", (S.RESOLVED,), None, RAISERS,
                inputs=(Input("grades", "评价", "grades"), REMARK),
                help="对每个承办单位按四个维度评价；有“不满意”的应退回重办。",
                when=effects.already_rated, effect=effects.rate,
            ),
            Step(
                "close", "销号", (S.RESOLVED,), S.CLOSED, CLOSERS,
                inputs=(REMARK,), tone="success", when=effects.may_not_close,
                effect=effects.close,
            ),
            Step(
                "reopen", "退回重办", (S.RESOLVED, S.CLOSED), S.REOPENED, CLOSERS,
                inputs=(
                    Input("fix_by", "限期整改日期", "date"),
                    Input("note", "重办原因"),
                ),
                tone="danger", help="同一张哨单退回主办单位，计一次回流。",
                effect=effects.reopen,
            ),
            Step(
                "withdraw", "撤哨", (S.DRAFT, S.PENDING_REVIEW, S.PENDING_DISPATCH),
                S.WITHDRAWN, RAISERS, inputs=(WHY,), tone="default",
            ),
        ),
    )
)  # fmt: skip

#: A department's own progress is moved by the ticket's steps alone.
guard_status(TicketAssignment, AssignmentStatus.DISPATCHED)
