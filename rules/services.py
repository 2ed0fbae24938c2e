"""What makes a service project sound, and how it is tied to needs and resources (domain section 4)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import utcnow
from models.need import Need, NeedStatus
from models.organization import OrganizationKind
from models.resource import Resource, ResourceStatus
from models.service import (
    ServiceNeed,
    ServiceProject,
    ServiceResource,
    ServiceSession,
)
from rules import notices
from rules.actor import SYSTEM, Actor, acting_as
from rules.agreements import SECOND_PARTIES
from rules.calendar import shanghai_date
from rules.errors import Invalid
from rules.workflow import Context, apply_internally

#: The longest that one session lasts: its hours count in the figures.
LONGEST_SESSION = dt.timedelta(hours=16)


def check(service: ServiceProject) -> None:
    """Raise ``Invalid``, with a sentence per field, for an unsound service project."""
    problems: dict[str, str] = {}
    provider, community = service.provider, service.community
    if provider is not None and provider.kind not in SECOND_PARTIES:
        problems["provider"] = (
            f"提供单位应为驻区单位或部门，“{provider.name}”是{provider.kind.title}。"
        )
    if community is not None and community.kind is not OrganizationKind.COMMUNITY:
        problems["community"] = (
            f"服务社区应为村（社区），“{community.name}”是{community.kind.title}。"
        )
    begin, end = service.planned_from, service.planned_until
    if begin and end and end < begin:
        problems["planned_until"] = "计划结束日期不应早于计划开始日期。"
    if service.funds is not None and not 0 <= service.funds < 10_000_000_000:
        problems["funds"] = "经费应是 0 以上、不超过 100 亿的金额（元）。"
    if service.people_served is not None and not 0 <= service.people_served <= 100_000_000:
        problems["people_served"] = "服务人次应是 0 以上的整数。"
    if problems:
        raise Invalid("".join(problems.values()), **problems)


def check_session(held: ServiceSession) -> None:
    """Raise ``Invalid``, with a sentence per field, for an unsound session."""
    problems: dict[str, str] = {}
    if held.starts_at and held.ends_at:
        if held.ends_at <= held.starts_at:
            problems["ends_at"] = "结束时间应晚于开始时间。"
        elif length(held) > LONGEST_SESSION:
            problems["ends_at"] = "一个场次最长 16 小时，请分开登记。"
    for name, label in (("expected", "预计人数"), ("attended", "到场人数")):
        number = getattr(held, name)
        if number is not None and not 0 <= number <= 1_000_000:
            problems[name] = f"{label}应是 0 以上的整数。"
    if held.attended is not None and held.held_on and held.held_on > shanghai_date(utcnow()):
        problems["attended"] = "场次还没有开展，结束之后再填到场人数。"
    if problems:
        raise Invalid("".join(problems.values()), **problems)


def length(held: ServiceSession) -> dt.timedelta:
    """Return how long a session lasts."""
    day = dt.date(2000, 1, 1)
    return dt.datetime.combine(day, held.ends_at) - dt.datetime.combine(day, held.starts_at)


def tie(
    session: Session,
    service: ServiceProject,
    needs: Iterable[Need],
    resources: Iterable[Resource],
    actor: Actor,
    now: dt.datetime | None = None,
) -> None:
    """Make these needs and resources the project's own, and no others. Flushes, never commits.

    Needs that are taken on are claimed for the provider (派单), those that are let go return to the
    board. Raises ``Invalid`` for a need of another community, or one that somebody else has
    claimed, and for a resource of another unit or one that is not offered; ``Conflict``, naming who
    was faster, for a need that has been claimed in between.
    """
    needs, resources = list(needs), list(resources)
    _check_needs(service, needs)
    _check_resources(service, resources)
    context = Context(session, service, actor, now or utcnow())
    kept = {link.need_id for link in service.need_links}
    for link in [each for each in service.need_links if each.need not in needs]:
        service.need_links.remove(link)
        session.flush()
        release(context, link.need)
    for need in needs:
        if need.id not in kept:
            service.need_links.append(ServiceNeed(need=need))
            if need.status is NeedStatus.PUBLISHED:
                assign(context, need)
    for used in [each for each in service.resource_links if each.resource not in resources]:
        service.resource_links.remove(used)
    present = {used.resource_id for used in service.resource_links}
    for resource in resources:
        if resource.id not in present:
            service.resource_links.append(ServiceResource(resource=resource))
    session.flush()


def _check_needs(service: ServiceProject, needs: list[Need]) -> None:
    tied = {link.need_id for link in service.need_links}
    for need in needs:
        if need.community_id != service.community_id:
            sentence = f"需求“{need}”不是{service.community.name}的，请去掉它。"
            raise Invalid(sentence, need_links=sentence)
        mine = need.claimed_by_id == service.provider_id and need.status in (
            NeedStatus.CLAIMED,
            NeedStatus.IN_HAND,
        )
        if need.id not in tied and need.status is not NeedStatus.PUBLISHED and not mine:
            holder = f"（认领单位：{need.claimed_by.name}）" if need.claimed_by else ""
            sentence = f"需求“{need}”现在是“{need.status.title}”{holder}，不能排入这个项目。"
            raise Invalid(sentence, need_links=sentence)


def _check_resources(service: ServiceProject, resources: list[Resource]) -> None:
    tied = {link.resource_id for link in service.resource_links}
    for resource in resources:
        if resource.owner_id != service.provider_id:
            sentence = f"资源“{resource}”不是提供单位{service.provider.name}的，请去掉它。"
            raise Invalid(sentence, resource_links=sentence)
        if resource.id not in tied and resource.status is not ResourceStatus.AVAILABLE:
            sentence = f"资源“{resource}”现在是“{resource.status.title}”，不能使用。"
            raise Invalid(sentence, resource_links=sentence)


def assign(context: Context, need: Need) -> None:
    """Claim a published need for the provider of the project in ``context``, until it ends."""
    service: ServiceProject = context.record
    data = {
        "provider": service.provider,
        "due_on": service.planned_until,
        "service": service.title,
        "note": f"排入服务项目“{service}”。",
    }
    apply_internally(context, need, "assign", data)


def release(context: Context, need: Need) -> None:
    """Return a need of the project in ``context`` to the board.

    The step is the system's: a provider whose agreement has ended no longer reaches a need that is
    not his any more, and must be able to give it back all the same.
    """
    if need.status not in (NeedStatus.CLAIMED, NeedStatus.IN_HAND):
        return
    context.session.flush()
    with acting_as(context.session, SYSTEM):
        note = f"服务项目“{context.record}”不再办理。"
        apply_internally(context, need, "release", {"note": note})


def attendance(session: Session, service: ServiceProject) -> int:
    """Return how many people came to the project's sessions, all told."""
    total = select(func.sum(ServiceSession.attended)).where(ServiceSession.service_id == service.id)
    return int(session.scalar(total) or 0)


def tell_parties(context: Context, title: str) -> None:
    """Tell both sides of the project in ``context`` about the step under way."""
    service: ServiceProject = context.record
    told = (service.provider_id, service.community_id)
    notices.tell(context.session, told, title, service, f"step:{service.version}")
