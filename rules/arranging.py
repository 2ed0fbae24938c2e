"""One click from a match to a service: need, resource and provider tied together (domain section 4)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.agreement import Agreement, AgreementStatus
from models.base import utcnow
from models.need import Need
from models.resource import Resource, ResourceStatus
from models.service import ServiceProject
from presets.roles import Role
from rules import locking, notices, workflow
from rules.actor import Actor
from rules.calendar import shanghai_date
from rules.errors import Conflict, Forbidden, Invalid
from rules.matching import Span, most_at_once, span_of, uses_of
from rules.policy import Action, allows
from rules.services import check, tie
from rules.workflows.needs import NEEDS

#: Who is told that a service has been arranged.
TOLD = (Role.UNIT_LIAISON, Role.DEPARTMENT_HANDLER, Role.COMMUNITY_STAFF)
#: Who brings together what no agreement binds.
BROKERS = (Role.ORGANIZATION_DEPARTMENT, Role.SYSTEM_ADMINISTRATOR)
LONGEST_TITLE = 100
ASSIGN = next(each for each in NEEDS.steps if each.action == "assign")


def arrange(
    session: Session,
    need: Need,
    resource: Resource,
    actor: Actor,
    *,
    planned_from: dt.date | None = None,
    planned_until: dt.date | None = None,
    title: str | None = None,
) -> ServiceProject:
    """Return a new service project in which the resource's owner answers the need.

    Without dates it takes the need's, or a month from today; without a title the need's. The need is
    claimed for the provider, and both sides are told. Raises ``Conflict``, naming who was faster, if
    the need is no longer open, or if the resource is taken in that time; ``Forbidden`` where no
    agreement binds the two and the actor is not one to bring them together; ``Invalid`` for two that
    do not fit or dates out of order; ``OutOfScope`` for what the actor does not reach. Never commits.
    """
    if not (actor.system or allows(actor.roles, "service_project", Action.ADD)):
        raise Forbidden("您的角色不能安排服务项目。")
    # Before anything is written: of two at once the second must see what the first has done.
    locking.lock(session, need)
    locking.lock(session, resource)
    workflow.check_state(session, need, ASSIGN, None)
    _check_fit(need, resource)
    _check_bond(session, need, resource, actor)
    usual = span_of(need, shanghai_date(utcnow()))
    start = planned_from or usual.start
    end = planned_until or max(usual.end, start)
    service = ServiceProject(
        title=_free_title(session, need, resource, (title or "").strip() or need.title),
        category=need.category,
        provider=resource.owner,
        community=need.community,
        planned_from=start,
        planned_until=end,
        content=need.detail,
    )
    check(service)
    _check_time(session, resource, Span(start, end))
    session.add(service)
    session.flush()
    workflow.begin(session, service, actor, note=f"由需求“{need}”与资源“{resource}”匹配生成。")
    tie(session, service, [need], [resource], actor)
    told = (service.provider_id, service.community_id)
    sentence = f"已派单：{service.provider.name}以“{resource}”为{service.community.name}提供服务“{service}”"
    notices.tell(session, told, sentence, service, "arranged", roles=TOLD)
    return service


def _check_fit(need: Need, resource: Resource) -> None:
    if need.category is not resource.category:
        sentence = (
            f"需求“{need}”要的是{need.category.title}，资源“{resource}”是{resource.category.title}，"
            "类别不同，不能匹配；确需一起使用请新建服务项目。"
        )
        raise Invalid(sentence, resource=sentence)
    if resource.status is not ResourceStatus.AVAILABLE:
        raise Conflict(f"资源“{resource}”现在是“{resource.status.title}”，请另选一项资源。")
    offered = {each.organization_id for each in resource.offers}
    if offered and need.community_id not in offered:
        sentence = f"资源“{resource}”没有提供给{need.community.name}，请另选一项资源。"
        raise Invalid(sentence, resource=sentence)


def _check_bond(session: Session, need: Need, resource: Resource, actor: Actor) -> None:
    if actor.system or actor.has(*BROKERS):
        return
    bond = select(Agreement.id).where(
        Agreement.status == AgreementStatus.IN_FORCE,
        Agreement.community_id == need.community_id,
        Agreement.unit_id == resource.owner_id,
    )
    if session.scalar(bond) is None:
        raise Forbidden(
            f"{need.community.name}与{resource.owner.name}之间没有生效的协议，"
            "只能由组织部门统筹安排；请先签订协议，或联系组织部门。"
        )


def _check_time(session: Session, resource: Resource, span: Span) -> None:
    first, last = resource.available_from, resource.available_until
    if not Span(first or span.start, last or span.end).meets(span):
        days = f"{first or '即日起'} 至 {last or '长期'}"
        raise Invalid(
            f"资源“{resource}”只在 {days} 提供，请调整计划日期。",
            planned_from=f"资源可用时间：{days}。",
        )
    uses = uses_of(session, {resource.id}, span).get(resource.id, [])
    if most_at_once(uses, span) >= resource.quantity:
        raise Conflict(
            f"资源“{resource}”在 {span.start} 至 {span.end} 已排满，请调整计划日期，或另选一项资源。"
        )


def _free_title(session: Session, need: Need, resource: Resource, title: str) -> str:
    """Return the title, numbered if this provider has had a project of that name there before."""
    title = title[:LONGEST_TITLE]
    taken = set(
        session.scalars(
            select(ServiceProject.title).where(
                ServiceProject.community_id == need.community_id,
                ServiceProject.provider_id == resource.owner_id,
            )
        )
    )
    if title not in taken:
        return title
    stem = title[: LONGEST_TITLE - 6]
    return next(new for turn in range(2, 1000) if (new := f"{stem}（{turn}）") not in taken)
