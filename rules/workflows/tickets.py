"""The life of a whistle ticket: the main road and its side roads (domain section 6)."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from models.ticket import AT_DEPARTMENT, AssignmentStatus, Ticket, TicketAssignment, TicketStatus
from models.ticket_file import ExtensionStatus, TicketExtension
from presets.roles import Role
from rules import clocks
from rules.actor import Actor
from rules.organizations import above
from rules.supervision_matters import after_low_rating
from rules.workflow import Context, Input, Relation, Step, Workflow, guard_status, register
from rules.workflows import ticket_effects as effects
from rules.workflows import ticket_extensions as extensions
from rules.workflows import ticket_local as local
from rules.workflows import ticket_merge as merging
from rules.workflows import ticket_notices as told
from rules.workflows import ticket_paper as paper
from rules.workflows import ticket_parts as parts
from rules.workflows import ticket_photos as photos
from rules.workflows import ticket_ratings as ratings
from rules.workflows import ticket_reopening as reopening
from rules.workflows import ticket_returns as returns
from rules.workflows import ticket_review as review
from rules.workflows.ticket_base import own_assignment, working_days
from rules.workflows.ticket_photos import PHOTOS

S = TicketStatus
R = Relation
A = AssignmentStatus

RAISERS = ((Role.COMMUNITY_STAFF, R.AREA), (Role.TOWNSHIP_REVIEWER, R.AREA))
IN_HAND = ((Role.COMMUNITY_STAFF, R.IN_HAND), (Role.TOWNSHIP_REVIEWER, R.IN_HAND))
TOWNSHIP = ((Role.TOWNSHIP_REVIEWER, R.AREA),)
OFFICE = ((Role.DISPATCHER, R.AREA),)
#: Whoever the route may name; which of them is due, ``review.not_due`` says.
REVIEWERS = RAISERS + OFFICE
RETURNS = ((Role.RETURN_REVIEWER, R.AREA),)
LEAD = ((Role.DEPARTMENT_HANDLER, R.LEAD),)
ASSISTING = ((Role.DEPARTMENT_HANDLER, R.ASSISTING),)
CLOSERS = OFFICE + TOWNSHIP
#: Who stands to a ticket by its place. Others need not be asked where it lies.
BY_PLACE = (
    Role.COMMUNITY_STAFF, Role.TOWNSHIP_REVIEWER, Role.DISPATCHER, Role.RETURN_REVIEWER,
)  # fmt: skip
#: Who stands to a ticket by a part in it. Others need not be asked who is at work on it.
BY_PART = (Role.DEPARTMENT_HANDLER,)

BEFORE_DISPATCH = (S.DRAFT, S.PENDING_REVIEW, S.PENDING_DISPATCH)
AT_WORK = (S.DISPATCHED, S.ACCEPTED, S.ARRIVED, S.REOPENED)
TO_DECIDE = (*AT_DEPARTMENT, S.RESOLVED)
#: Assisting departments may report until the ticket is closed, whatever the lead has reported.
HELPING = (*AT_WORK, S.RESOLVED)
RATED = (S.RESOLVED, S.REOPENED, S.CLOSED)

WHY = Input("note", "原因")
REMARK = Input("note", "说明", required=False)
OPINION = Input("note", "审核意见")
LEAD_INPUT = Input("lead", "主办单位", "organization")
ASSISTING_INPUT = Input("assisting", "协办单位", "organizations", required=False)
GRADES = Input("grades", "评价", "grades")
STARS = (
    Input("stars", "群众星级", "stars", required=False,
          help="群众当场或电话回访给的星级，没有就不填。",
          asked=lambda ticket: ticket.whistle_class.mechanism.resident_stars),
    Input("stars_comment", "群众评语", required=False,
          asked=lambda ticket: ticket.whistle_class.mechanism.resident_stars),
)  # fmt: skip


def relations(session: Session, ticket: Any, actor: Actor) -> frozenset[Relation]:
    """Return how an actor stands to a ticket: in its area, with it in hand, its lead, assisting."""
    found = set()
    if actor.system or actor.has(*BY_PLACE):
        if actor.area_id in above(ticket.organization):
            found.add(R.AREA)
        if local.is_holder(ticket, actor):
            found.add(R.IN_HAND)
    if actor.organization_id is not None and ticket.lead_id is not None:
        if ticket.lead_id == actor.organization_id:
            found.add(R.LEAD)
        elif (actor.system or actor.has(*BY_PART)) and own_assignment(ticket, actor) is not None:
            found.add(R.ASSISTING)
    return frozenset(found)


def _settle(context: Context) -> None:
    photos.note(context)
    with context.session.no_autoflush:
        clocks.settle(context.record, lambda: working_days(context))


def _after(context: Context, step: Step) -> None:
    photos.attach(context, step)
    told.tell(context, step)
    if context.log.get("supervised"):
        after_low_rating(context.session, context.record, context.now)


#: What events of a ticket tell of it: how far it has come, who has it, its deadlines, its result.
_TOLD = frozenset(
    {
        "status", "review_position", "lead_id", "whistle_class_id", "dispatched_at",
        "accepted_at", "arrived_at", "resolved_at", "closed_at",
        "respond_due", "arrive_due", "resolve_due", "next_due", "next_warn", "result",
    }
)  # fmt: skip

TICKETS = register(
    Workflow(
        model=Ticket,
        initial=S.DRAFT,
        relations=relations,
        settle=_settle,
        after=_after,
        mark=review.mark,
        told=_TOLD,
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
                "hold_locally", "属地先行处置", (S.DRAFT,), S.LOCAL, RAISERS,
                inputs=(REMARK,), tone="default",
                help="登记编号，先由网格、社区处置；解决不了再逐级上报。",
                when=local.may_not_hold, effect=local.hold,
            ),
            Step(
                "solve_locally", "就地解决", (S.LOCAL,), S.SOLVED_LOCALLY, IN_HAND,
                inputs=(Input("result", "处置结果"), PHOTOS), tone="success",
                effect=local.solve,
            ),
            Step(
                "hand_up", "上报上一级", (S.LOCAL,), local.after_hand_up, IN_HAND,
                inputs=(Input("note", "上报原因", help="写明已采取的措施和解决不了的原因。"),),
                help="由上一级接着处置；街乡解决不了的，上报吹哨办派单。",
                when=local.may_not_hand_up, effect=local.hand_up,
            ),
            Step(
                "enter_paper", "补录线下哨单", (S.DRAFT,), None, RAISERS,
                inputs=paper.INPUTS, tone="default",
                help="纸质哨单事后补录：按纸面填写各环节的真实时间，期限自真实派单时间起算。",
                effect=paper.announce, then=paper.follow_slip,
            ),
            Step(
                "approve", "审核通过", (S.PENDING_REVIEW,), review.after_approve, REVIEWERS,
                inputs=(REMARK,), tone="success", when=review.not_due, effect=review.approve,
            ),
            Step(
                "decline_review", "审核不通过", (S.PENDING_REVIEW,), S.DECLINED, REVIEWERS,
                inputs=(WHY,), tone="danger", when=review.not_due, effect=review.note_step,
            ),
            Step(
                "dispatch", "派单", (S.PENDING_DISPATCH,), S.DISPATCHED, OFFICE,
                inputs=(
                    LEAD_INPUT, ASSISTING_INPUT,
                    Input("due", "办结期限", "date", required=False,
                          help="派单时定期限的哨种必填；事项没有写明时限的，不填就不计办结期限。到当日 23:59 为止。",
                          asked=effects.asks_for_date),
                    REMARK,
                ),
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
                inputs=(REMARK, PHOTOS), effect=effects.arrive,
            ),
            Step(
                "report_result", "反馈结果", (S.ARRIVED,), S.RESOLVED, LEAD,
                inputs=(
                    Input("result", "办理结果", help="写明怎样处理、处理到什么程度。"), PHOTOS,
                ),
                effect=effects.report_result,
            ),
            Step(
                "assist_accept", "协办签收", HELPING, None, ASSISTING,
                inputs=(REMARK,), when=effects.assisting_not_at(A.DISPATCHED),
                effect=effects.assist_accept,
            ),
            Step(
                "assist_arrive", "协办报到", HELPING, None, ASSISTING,
                inputs=(REMARK, PHOTOS), when=effects.assisting_not_at(A.ACCEPTED),
                effect=effects.assist_arrive,
            ),
            Step(
                "assist_report", "协办反馈", HELPING, None, ASSISTING,
                inputs=(Input("result", "协办情况"), PHOTOS),
                when=effects.assisting_not_at(A.ARRIVED), effect=effects.assist_report,
            ),
            Step(
                "request_return", "申请退单", (S.DISPATCHED, S.ACCEPTED), S.RETURN_PENDING, LEAD,
                inputs=(Input("note", "退单理由", help="写明依据；审核期间期限照常计算。"),),
                tone="danger", when=returns.may_not_request,
            ),
            Step(
                "approve_return", "同意退单", (S.RETURN_PENDING,), S.PENDING_DISPATCH, RETURNS,
                inputs=(OPINION,), tone="warning", effect=returns.approve,
            ),
            Step(
                "refuse_return", "驳回退单", (S.RETURN_PENDING,), returns.before_return, RETURNS,
                inputs=(OPINION,),
                help="驳回后哨单回到原部门，期限自派单起连续计算，不因退单重置。",
                effect=returns.refuse,
            ),
            Step(
                "request_extension", "申请延期", AT_WORK, None, LEAD,
                inputs=(
                    Input("new_due", "延至", "date", help="应晚于现在的办结期限。"),
                    Input("note", "延期理由"),
                ),
                tone="warning", help="只能在办结期限届满前申请；审核期间期限照常计算。",
                when=extensions.may_not_request, effect=extensions.request,
            ),
            Step(
                "approve_extension", "同意延期", TO_DECIDE, None, RETURNS,
                inputs=(
                    Input("new_due", "准予延至", "date", required=False,
                          help="不填即申请的日期；可以准予更早的日期。"),
                    Input("note", "审核意见", required=False),
                ),
                tone="warning", when=extensions.nothing_pending, effect=extensions.approve,
            ),
            Step(
                "refuse_extension", "不同意延期", TO_DECIDE, None, RETURNS,
                inputs=(OPINION,), when=extensions.nothing_pending, effect=extensions.refuse,
            ),
            Step(
                "hand_over", "移交主办", AT_WORK, S.DISPATCHED, OFFICE,
                inputs=(Input("lead", "新的主办单位", "organization"), WHY), tone="warning",
                help="主办单位换为另一个单位，期限不重新起算。", effect=parts.hand_over,
            ),
            Step(
                "add_assisting", "增加协办", AT_WORK, None, OFFICE + LEAD,
                inputs=(Input("assisting", "协办单位", "organizations"), REMARK), tone="default",
                effect=parts.add_assisting,
            ),
            Step(
                "remove_assisting", "撤销协办", AT_WORK, None, OFFICE,
                inputs=(Input("assisting", "协办单位", "organizations"), WHY), tone="default",
                when=parts.nobody_assists, effect=parts.remove_assisting,
            ),
            Step(
                "rate", "评哨", (S.RESOLVED,), ratings.after_rating, RAISERS,
                inputs=(GRADES, *STARS, REMARK),
                help="对每个承办单位逐项评价；不过关的按本地机制退回重办或督办。",
                when=ratings.may_not_rate, effect=ratings.rate,
            ),
            Step(
                "amend_rating", "修改评价", RATED, ratings.after_rating, RAISERS,
                inputs=(GRADES, *STARS, Input("note", "修改原因")), tone="default",
                help="评价后限时可以修改，修改前后的评价都保留。",
                when=ratings.may_not_amend, effect=ratings.amend,
            ),
            Step(
                "rate_assisting", "评价协办", (S.RESOLVED, S.CLOSED), None, LEAD,
                inputs=(GRADES, REMARK), tone="default",
                help="主办单位对每个协办单位逐项评价。",
                when=ratings.may_not_rate_assisting, effect=ratings.rate_assisting,
            ),
            Step(
                "amend_assisting", "修改协办评价", (S.RESOLVED, S.CLOSED), None, LEAD,
                inputs=(GRADES, Input("note", "修改原因")), tone="default",
                when=ratings.may_not_amend_assisting, effect=ratings.amend_assisting,
            ),
            Step(
                "close", "销号", (S.RESOLVED,), S.CLOSED, CLOSERS,
                inputs=(REMARK,), tone="success", when=ratings.may_not_close,
                effect=effects.close,
            ),
            Step(
                "reopen", "退回重办", (S.RESOLVED, S.CLOSED), S.REOPENED, CLOSERS,
                inputs=(Input("fix_by", "限期整改日期", "date"), Input("note", "重办原因")),
                tone="danger", help="同一张哨单退回主办单位，计一次回流。",
                effect=reopening.reopen,
            ),
            Step(
                "withdraw", "撤哨", (*BEFORE_DISPATCH, S.LOCAL), S.WITHDRAWN, RAISERS,
                inputs=(WHY,), tone="default",
            ),
            Step(
                "merge", "并入其他哨单", merging.OPEN, S.MERGED, CLOSERS,
                inputs=(
                    Input("ticket", "并入哪张哨单", "ticket", help="同一县（市、区）还在办理的哨单。"),
                    WHY,
                ),
                tone="default", help="重复的哨单并到一起办理，随时可以撤销并单。",
                effect=merging.merge,
            ),
            Step(
                "unmerge", "撤销并单", (S.MERGED,), merging.before_merge, CLOSERS,
                inputs=(WHY,), tone="default",
                help="回到并单前的状态，期限照常连续计算。", effect=merging.unmerge,
            ),
            Step(
                "correct_rating", "申诉改评", tuple(S), ratings.after_rating, (),
                effect=ratings.correct,
            ),
            Step("supervise", "督办", tuple(S), None, (), effect=effects.supervise),
            Step("take_in", "并入重复哨单", merging.OPEN, None, (), effect=merging.take_in),
            Step("give_back", "撤出重复哨单", tuple(S), None, (), effect=merging.give_back),
        ),
    )
)  # fmt: skip

#: A department's own progress, and what becomes of a request, is moved by the ticket's steps alone.
guard_status(TicketAssignment, A.DISPATCHED)
guard_status(TicketExtension, ExtensionStatus.REQUESTED)
