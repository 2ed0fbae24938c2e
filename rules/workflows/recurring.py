"""The way of a recurring problem (domain section 2): 立项、定方案、整治、检验、销号."""

from __future__ import annotations

from models.recurring import ProblemStatus, RecurringProblem, Remedy
from presets.roles import Role
from rules import notices
from rules.calendar import shanghai_date
from rules.problems import OWNER_ROLES, check, turn, why_not_closed
from rules.workflow import Context, Input, Step, Workflow, register
from rules.workflows.following import OFFICE, OWNER, chosen_owner, coming_day, relations

S = ProblemStatus
PLAN = (
    Input("cause", "成因分析", required=False, known=lambda problem: problem.cause),
    Input("remedy", "治理方式", "choice", members=Remedy, known=lambda problem: problem.remedy),
    Input("plan", "整治方案", known=lambda problem: problem.plan),
    Input(
        "owner",
        "牵头单位",
        "organization",
        help="由哪个部门或乡镇（街道）牵头整治。",
        known=lambda problem: problem.owner,
    ),
    Input("due_on", "完成期限", "date", known=lambda problem: problem.due_on),
)


def _plan(context: Context) -> None:
    problem, before = context.record, context.record.owner_id
    problem.owner, problem.due_on = chosen_owner(context), coming_day(context)
    problem.plan, problem.remedy = context.data["plan"], context.data["remedy"]
    problem.cause = context.data.get("cause") or problem.cause
    problem.planned_on = problem.planned_on or shanghai_date(context.now)
    context.log |= {"lead": {"name": problem.owner.name}, "until": problem.due_on.isoformat()}
    title = f"请牵头整治共性问题“{problem}”，{problem.due_on}前完成"
    told, key = {problem.owner.id, before}, f"plan:{problem.version}"
    notices.tell(context.session, told, title, problem, key, roles=OWNER_ROLES)


def _done(context: Context) -> None:
    problem = context.record
    problem.result, problem.done_on = context.data["result"], shanghai_date(context.now)
    context.log["result"] = problem.result
    realm, title = problem.organization.realm_id, f"共性问题“{problem}”报告整治完成，请检验"
    roles = (Role.DISPATCHER,)
    notices.tell_county(
        context.session, realm, title, problem, f"done:{problem.version}", roles=roles
    )


def _closable(context: Context) -> str | None:
    return why_not_closed(context.session, context.record, context.now)


def _close(context: Context) -> None:
    """Keep the figures by which it was judged: what is counted later may be another number."""
    problem = context.record
    seen = turn(context.session, problem, context.now)
    if seen is not None:
        context.log |= {"before": seen.before, "after": seen.after, "days": seen.days}
    _tell_owner(context, f"共性问题“{problem}”已销号", "close")


def _back(context: Context) -> None:
    context.record.done_on = None
    _tell_owner(context, f"共性问题“{context.record}”退回继续整治", "back")


def _drop(context: Context) -> None:
    _tell_owner(context, f"共性问题“{context.record}”不再跟踪", "drop")


def _reopen(context: Context) -> None:
    """Begin anew: the days that divided the counts belong to the round that is over."""
    problem = context.record
    check(context.session, problem)
    problem.planned_on = problem.done_on = None
    _tell_owner(context, f"共性问题“{problem}”再次发生，重新整治", "reopen")


def _tell_owner(context: Context, title: str, key: str) -> None:
    problem = context.record
    told, key = (problem.owner_id,), f"{key}:{problem.version}"
    notices.tell(context.session, told, title, problem, key, roles=OWNER_ROLES)


RECURRING_PROBLEMS = register(
    Workflow(
        model=RecurringProblem,
        initial=S.OPEN,
        relations=relations,
        steps=(
            Step(
                "plan", "制定方案", (S.OPEN,), S.PLANNED, OFFICE, inputs=PLAN, effect=_plan,
                help="定下整治方案、牵头单位和期限，并通知牵头单位。",
            ),
            Step(
                "done", "报告完成", (S.PLANNED,), S.DONE, (*OWNER, *OFFICE), tone="success",
                inputs=(Input("result", "整治成效"),), effect=_done,
                help="整治措施已经落实。之后观察一段时间，看同类问题是否减少。",
            ),
            Step(
                "close", "销号", (S.DONE,), S.CLOSED, OFFICE, tone="success",
                inputs=(Input("note", "说明", required=False),), when=_closable, effect=_close,
                help="同类问题已经减少，这个共性问题不再跟踪。",
            ),
            Step(
                "back", "退回整治", (S.DONE,), S.PLANNED, OFFICE, tone="danger",
                inputs=(Input("note", "退回原因"),), effect=_back,
            ),
            Step(
                "amend", "调整方案", (S.PLANNED,), None, OFFICE, tone="default",
                inputs=(*PLAN, Input("note", "调整原因")), effect=_plan,
            ),
            Step(
                "drop", "不再跟踪", (S.OPEN, S.PLANNED, S.DONE), S.DROPPED, OFFICE, tone="danger",
                inputs=(Input("note", "原因"),), effect=_drop,
            ),
            Step(
                "reopen", "重新整治", (S.CLOSED, S.DROPPED), S.OPEN, OFFICE, tone="danger",
                inputs=(Input("note", "原因"),), effect=_reopen,
                help="同类问题又多起来了，回到“待定方案”。",
            ),
        ),
    )
)  # fmt: skip
