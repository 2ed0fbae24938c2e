"""The life of a supervision order: proposed or written by hand, issued, answered, closed (domain 8).

An order is issued to one body, with a responsible head and a date. Where that is not enough, the next
more severe kind follows it as an order of its own, and the milder one ends.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, object_session

from models.base import utcnow
from models.measure import TicketFact
from models.organization import Organization
from models.supervision import (
    Supervision,
    SupervisionCause,
    SupervisionKind,
    SupervisionStatus,
)
from presets.roles import Role
from rules import notices, workflow
from rules.actor import SYSTEM, Actor, acting_as
from rules.calendar import shanghai_date
from rules.errors import Conflict, Invalid
from rules.numbering import next_order_number
from rules.supervision_rules import KINDS, days_for, plan_at, severity
from rules.workflow import Context, Input, Relation, Step, Workflow, register
from rules.workflows.ticket_base import DISPATCHABLE

S = SupervisionStatus
#: Who watches over a county's orders.
WATCHERS = (Role.DISPATCHER, Role.INSPECTOR)
OFFICE = tuple((role, Relation.AREA) for role in WATCHERS)
ANSWERING = ((Role.DEPARTMENT_HANDLER, Relation.LEAD),)
#: Issued, and not ended yet.
IN_FORCE = (S.ISSUED, S.ANSWERED)
LIVE = (S.PROPOSED, *IN_FORCE)
TOP = KINDS[-1]


def relations(session: Session, record: Any, actor: Actor) -> frozenset[Relation]:
    """Return how an actor stands to an order: in its area, or as the body that must answer it."""
    found = set()
    if actor.has(*WATCHERS) and any(
        line.ancestor_id == actor.area_id for line in record.organization.lines
    ):
        found.add(Relation.AREA)
    if record.department_id is not None and record.department_id == actor.organization_id:
        found.add(Relation.LEAD)
    return frozenset(found)


# What the forms suggest


def likely_department(record: Supervision) -> Organization | None:
    """Return whom an order will be issued to: named already, the ticket's lead, or the matter's usual."""
    if record.department is not None:
        return record.department
    if record.ticket is not None:
        return record.ticket.lead
    session = object_session(record)
    if session is None or record.cause is not SupervisionCause.AGAIN:
        return None
    day = shanghai_date(record.created_at or utcnow()) - dt.timedelta(days=366)
    usual = (
        select(TicketFact.department_id)
        .where(
            TicketFact.township_id == record.organization_id,
            TicketFact.month >= day.year * 100 + day.month,
            TicketFact.matter == record.matter,
            TicketFact.department_id.is_not(None),
        )
        .group_by(TicketFact.department_id)
        .order_by(func.count(TicketFact.id).desc(), TicketFact.department_id)
        .limit(1)
    )
    number = session.scalar(usual)
    return session.get(Organization, number) if number is not None else None


def usual_date(record: Supervision, kind: SupervisionKind | None = None) -> dt.date:
    """Return the date that the county's ladder leaves for an order of its kind that is issued today."""
    session = object_session(record)
    today = shanghai_date(utcnow())
    if session is None:
        return today
    days = days_for(plan_at(session, record.organization), kind or record.kind)
    return today + dt.timedelta(days=days)


def kind_above(record: Supervision) -> SupervisionKind:
    """Return the next more severe kind; the most severe stays what it is."""
    return KINDS[min(severity(record.kind) + 1, len(KINDS) - 1)]


# What steps do


def _confirm(context: Context) -> None:
    record: Supervision = context.record
    department = _receiver(context)
    record.kind, record.head = context.data["kind"], context.data["head"]
    record.department_id, record.due_on = department.id, _date(context)
    record.issued_at = context.now
    record.number = next_order_number(context.session, record.organization, context.now)
    context.log.update(
        number=record.number,
        kind=record.kind.value,
        department={"id": department.id, "name": department.name},
        head=record.head,
        until=record.due_on.isoformat(),
    )


def _receiver(context: Context) -> Organization:
    """Return the body to issue to; only one of the order's own county or city will do."""
    record: Supervision = context.record
    found = context.session.get(Organization, context.data["department"])
    realms = {line.ancestor_id for line in record.organization.lines}
    if (
        found is None
        or not found.active
        or found.kind not in DISPATCHABLE
        or found.realm_id not in realms
    ):
        name = f"“{found.name}”" if found else "所选单位"
        message = f"{name}不能作为责任单位，请选择本县（市、区）在用的职能部门或单位。"
        raise Invalid(message, department=message)
    return found


def _date(context: Context) -> dt.date:
    day: dt.date = context.data["due_on"]
    if day < shanghai_date(context.now):
        message = "办结期限不能早于今天，请重新填写。"
        raise Invalid(message, due_on=message)
    return day


def _issued(context: Context) -> None:
    """Let the ticket show that it is supervised, and end the milder order that this one follows."""
    record: Supervision = context.record
    with acting_as(context.session, SYSTEM):
        # Who confirms an order need not be one who takes steps of the ticket.
        if record.ticket is not None:
            said = {"note": f"{record.kind.title}，{record.number}"}
            workflow.apply_internally(context, record.ticket, "supervise", said)
        milder = record.escalated_from
        if milder is not None:
            said = {"note": f"升级为{record.kind.title}，{record.number}"}
            _end_milder(context, milder, said)


def _end_milder(context: Context, milder: Supervision, said: dict[str, Any]) -> None:
    """End the milder order, if nobody has done so meanwhile."""
    try:
        workflow.apply_internally(context, milder, "supersede", said)
    except Conflict:
        return


def _answer(context: Context) -> None:
    context.record.answer = context.log["answer"] = context.data["answer"]
    context.record.answered_at = context.now


def _close(context: Context) -> None:
    context.record.closed_at = context.now


def _send_back(context: Context) -> None:
    if "due_on" in context.data:
        context.record.due_on = _date(context)
        context.log["until"] = context.record.due_on.isoformat()
    # What was answered stays in the event.
    context.record.answer = context.record.answered_at = None


def _at_the_top(context: Context) -> str | None:
    return "约谈已是最重的督办方式，不能再升级。" if context.record.kind is TOP else None


def _escalate(context: Context) -> None:
    _close(context)
    _date(context)
    context.log["kind"] = kind_above(context.record).value


def _follow_on(context: Context) -> None:
    """Issue the next more severe order in the place of the one that has just ended."""
    milder: Supervision = context.record
    order = Supervision(
        organization=milder.organization,
        ticket=milder.ticket,
        problem=milder.problem,
        cause=milder.cause,
        kind=kind_above(milder),
        matter=milder.matter,
        reason=context.data["note"],
        escalated_from=milder,
    )
    context.session.add(order)
    context.session.flush()
    workflow.begin(context.session, order, context.actor, at=context.now)
    given = {
        "kind": order.kind,
        "department": milder.department_id,
        "head": context.data["head"],
        "due_on": context.data["due_on"],
    }
    workflow.apply(context.session, order, "confirm", context.actor, given, now=context.now)


def _sharpen(context: Context) -> None:
    """Let a proposal say what has become of its ticket since; the office has not looked at it yet."""
    for name, value in context.data.items():
        if name != "note":
            setattr(context.record, name, value)
    context.log["kind"] = context.record.kind.value


# Who is told


def _tell(context: Context, step: Step) -> None:
    """Tell people of the step that has just been written, in its transaction."""
    wanted = _TOLD.get(step.action)
    if wanted is None:
        return
    record: Supervision = context.record
    to, words = wanted
    groups: dict[str, notices.People] = {
        "department": ([record.department_id or 0], (Role.DEPARTMENT_HANDLER,)),
        "place": (
            [record.organization_id],
            (Role.COMMUNITY_STAFF, Role.TOWNSHIP_REVIEWER),
        ),
        "office": (notices.bodies_of(record.organization.realm_id), WATCHERS),
    }
    notices.tell_people(
        context.session,
        [groups[each] for each in to],
        f"{words(record)}：{record}",
        record,
        f"step:{context.sequence}",
    )


Words = Callable[[Supervision], str]
_TOLD: dict[str, tuple[tuple[str, ...], Words]] = {
    "confirm": (
        ("department", "place", "office"),
        lambda record: f"{record.kind.title}，{record.due_on}前办结",
    ),
    "answer": (("office",), lambda record: "督办已反馈，待审核"),
    "accept": (("department", "place"), lambda record: "督办已办结"),
    "send_back": (("department",), lambda record: "督办反馈被退回，继续整改"),
    "withdraw": (("department", "place"), lambda record: "督办已撤销"),
}

WHY = Input("note", "原因")
REMARK = Input("note", "说明", required=False)
HEAD = Input(
    "head", "责任领导", "text", max_length=100, help="责任单位分管这件事的领导",
    known=lambda record: record.head,
)  # fmt: skip
KIND = Input(
    "kind", "督办方式", "choice", members=SupervisionKind, known=lambda record: record.kind
)

SUPERVISIONS = register(
    Workflow(
        model=Supervision,
        initial=S.PROPOSED,
        relations=relations,
        after=_tell,
        # The text that a proposal is found by is nobody's edit.
        told=frozenset(
            {
                "status", "number", "kind", "cause", "key", "reason", "head", "due_on",
                "department_id", "issued_at", "answered_at", "answer", "closed_at",
                "escalated_from_id",
            }
        ),
        steps=(
            Step(
                "confirm", "下达督办", (S.PROPOSED,), S.ISSUED, OFFICE,
                inputs=(
                    KIND,
                    Input("department", "责任单位", "organization", known=likely_department),
                    HEAD,
                    Input("due_on", "办结期限", "date", known=usual_date),
                    REMARK,
                ),
                help="下达后生成督办编号，通知责任单位、属地和吹哨办。",
                effect=_confirm, then=_issued,
            ),
            Step(
                "dismiss", "不予督办", (S.PROPOSED,), S.DISMISSED, OFFICE,
                inputs=(WHY,), tone="default", effect=_close,
            ),
            Step(
                "answer", "反馈整改情况", (S.ISSUED,), S.ANSWERED, ANSWERING,
                inputs=(
                    Input("answer", "整改情况", help="写明采取的措施、结果和没有按期办结的原因。"),
                ),
                effect=_answer,
            ),
            Step(
                "accept", "同意办结", (S.ANSWERED,), S.CLOSED, OFFICE,
                inputs=(REMARK,), tone="success", effect=_close,
            ),
            Step(
                "send_back", "退回整改", (S.ANSWERED,), S.ISSUED, OFFICE,
                inputs=(
                    WHY,
                    Input("due_on", "新的办结期限", "date", required=False,
                          help="不填则期限不变。"),
                ),
                tone="warning", effect=_send_back,
            ),
            Step(
                "escalate", "升级督办", IN_FORCE, S.CLOSED, OFFICE,
                inputs=(
                    HEAD,
                    Input("due_on", "办结期限", "date",
                          known=lambda record: usual_date(record, kind_above(record))),
                    Input("note", "升级原因"),
                ),
                tone="danger", help="督办升为挂牌督办，挂牌督办升为约谈：下达一份新的督办单，原督办单随之结束。",
                when=_at_the_top, effect=_escalate, then=_follow_on,
            ),
            Step(
                "withdraw", "撤销督办", IN_FORCE, S.DISMISSED, OFFICE,
                inputs=(WHY,), tone="default", effect=_close,
            ),
            Step("sharpen", "情况变化", (S.PROPOSED,), None, (), effect=_sharpen),
            Step("lapse", "自动撤销", (S.PROPOSED,), S.DISMISSED, (), effect=_close),
            Step("supersede", "升级结束", IN_FORCE, S.CLOSED, (), effect=_close),
        ),
    )
)  # fmt: skip
