"""The way of a need (domain section 4): 征集、公布、认领、办理、完成、评价.

A need goes its way by itself, claimed by a unit or for a party member, or as part of a service
project; then the project's steps carry it along by the steps that nobody takes by hand.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from models.check_in import CheckIn
from models.need import Need, NeedStatus
from models.organization import Organization
from presets.roles import Role
from rules import notices
from rules.actor import Actor
from rules.calendar import shanghai_date
from rules.errors import Conflict, Invalid
from rules.needs import check, claim_until, open_service
from rules.sides import COMMUNITIES, KEEPERS, is_partner, mine, reaches
from rules.workflow import Context, Input, Relation, Step, Workflow, register
from rules.workflows.check_ins import SERVING

S = NeedStatus
COMMUNITY_SIDE = (*COMMUNITIES, *KEEPERS)
PARTNERS = (
    (Role.UNIT_LIAISON, Relation.PARTNER),
    (Role.DEPARTMENT_HANDLER, Relation.PARTNER),
)
HOLDERS = (
    (Role.UNIT_LIAISON, Relation.HOLDER),
    (Role.DEPARTMENT_HANDLER, Relation.HOLDER),
)


def _relations(session: Session, record: Any, actor: Actor) -> frozenset[Relation]:
    if not reaches(session, record, actor):
        return frozenset()
    own = mine(session, actor, (record.community_id, record.claimed_by_id))
    found = {Relation.ANY}
    if record.community_id in own:
        found.add(Relation.COMMUNITY)
    if record.claimed_by_id in own:
        found.add(Relation.HOLDER)
    if is_partner(session, actor, record.community_id):
        found.add(Relation.PARTNER)
    return frozenset(found)


# When a step does not fit


def _is_wish(context: Context) -> str | None:
    return None if context.record.is_wish else "党员个人认领的是微心愿，这条需求不是微心愿。"


def _by_itself(context: Context) -> str | None:
    service = open_service(context.session, context.record)
    if service is None:
        return None
    return f"这条需求已排入服务项目“{service}”，请在服务项目里办理。"


def _not_own(context: Context) -> str | None:
    if context.record.claimed_by_id == context.actor.organization_id:
        return "不能评价本单位办理的需求。"
    return None


# What a step does


def _publish(context: Context) -> None:
    check(context.record)
    context.record.published_on = shanghai_date(context.now)


def _recall(context: Context) -> None:
    context.record.published_on = None


def _claim(context: Context) -> None:
    need, data = context.record, context.data
    need.claimed_by = context.session.get_one(Organization, context.actor.organization_id)
    if "check_in" in data:
        need.check_in = _member(context, data["check_in"], need.claimed_by)
    _claimed(context)


def _claim_for(context: Context) -> None:
    need = context.record
    need.check_in = _member(context, context.data["check_in"], None)
    need.claimed_by = need.check_in.unit
    _claimed(context)


def _claimed(context: Context) -> None:
    need = context.record
    need.claimed_on = shanghai_date(context.now)
    need.due_on = claim_until(need.claimed_on, context.data.get("due_on"))
    member = f"（{need.check_in}）" if need.check_in else ""
    context.log |= {"claimed_by": need.claimed_by.name, "due_on": need.due_on.isoformat()}
    title = f"{need.claimed_by.name}{member}认领了“{need}”"
    told = (need.community_id, need.claimed_by_id)
    notices.tell(context.session, told, title, need, f"claim:{need.version}")


def _member(context: Context, number: int, unit: Organization | None) -> CheckIn:
    """Return the party member who claims: at his post in this community, of the claiming unit."""
    found = context.session.get(CheckIn, number)
    fits = (
        found is not None
        and found.community_id == context.record.community_id
        and found.status in SERVING
        and (unit is None or found.unit_id == unit.id)
    )
    if found is None or not fits:
        sentence = "认领党员应是在本社区报到并在岗的党员，请重新选择。"
        raise Invalid(sentence, check_in=sentence)
    return found


def _assign(context: Context) -> None:
    """A service project takes the need on: its provider is who claims it."""
    need = context.record
    need.claimed_by = context.data["provider"]
    need.claimed_on = shanghai_date(context.now)
    need.due_on = context.data["due_on"]
    context.log |= {"claimed_by": need.claimed_by.name, "service": context.data["service"]}


def _unclaim(context: Context) -> None:
    """Whoever gives a claim back must still see the need afterwards; else the community does it."""
    need = context.record
    own = mine(context.session, context.actor, (need.claimed_by_id, need.community_id))
    holds = need.claimed_by_id in own and need.community_id not in own
    if holds and not is_partner(context.session, context.actor, need.community_id):
        raise Conflict("与该社区已没有生效的协议，请联系社区退回这条认领。")
    told = (need.community_id, need.claimed_by_id)
    name = need.claimed_by.name if need.claimed_by else ""
    _release(context)
    title = f"“{need}”的认领已退回（原认领：{name}）"
    notices.tell(context.session, told, title, need, f"unclaim:{need.version}")


def _release(context: Context) -> None:
    need = context.record
    context.log["released"] = need.claimed_by.name if need.claimed_by else ""
    need.claimed_by = need.check_in = need.claimed_on = need.due_on = None


def _complete(context: Context) -> None:
    need = context.record
    need.result, need.done_on = context.data["result"], shanghai_date(context.now)
    title = f"“{need}”已完成，请评价"
    notices.tell(context.session, (need.community_id,), title, need, f"done:{need.version}")


def _rework(context: Context) -> None:
    need = context.record
    need.done_on = None
    title = f"“{need}”退回重办"
    notices.tell(context.session, (need.claimed_by_id,), title, need, f"rework:{need.version}")


def _rate(context: Context) -> None:
    need = context.record
    need.grade = context.data["grade"]
    context.log["grade"] = need.grade.value
    title = f"“{need}”的评价：{need.grade.title}"
    notices.tell(context.session, (need.claimed_by_id,), title, need, f"rate:{need.version}")


DUE = Input(
    "due_on", "认领期限", "date", required=False,
    # Written out, for a text with a value in it cannot be looked up; a test holds the number.
    help="到这一天还没有开始办理，自动退回；不填为 15 天。",
)  # fmt: skip

NEEDS = register(
    Workflow(
        model=Need,
        initial=S.GATHERED,
        relations=_relations,
        steps=(
            Step(
                "publish", "公布", (S.GATHERED,), S.PUBLISHED, COMMUNITY_SIDE, tone="success",
                help="公布之后，签约单位就能看到并认领。", effect=_publish,
            ),
            Step(
                "claim", "认领", (S.PUBLISHED,), S.CLAIMED, PARTNERS,
                inputs=(
                    DUE,
                    Input(
                        "check_in", "认领党员", "check_in", required=False,
                        help="由本单位在该社区报到的党员个人认领时选择。",
                    ),
                ),
                effect=_claim,
            ),
            Step(
                "claim_for", "党员认领", (S.PUBLISHED,), S.CLAIMED, COMMUNITY_SIDE,
                inputs=(Input("check_in", "认领党员", "check_in"), DUE),
                help="为在本社区报到的党员登记认领。", when=_is_wish, effect=_claim_for,
            ),
            Step(
                "start", "开始办理", (S.CLAIMED,), S.IN_HAND, (*HOLDERS, *COMMUNITY_SIDE),
                when=_by_itself,
            ),
            Step(
                "complete", "办结", (S.IN_HAND,), S.DONE, (*HOLDERS, *COMMUNITY_SIDE),
                tone="success", inputs=(Input("result", "办理结果"),),
                when=_by_itself, effect=_complete,
            ),
            Step(
                "rate", "评价", (S.DONE,), S.RATED, COMMUNITIES, tone="success",
                inputs=(Input("grade", "评价", "grade"), Input("note", "说明", required=False)),
                when=_not_own, effect=_rate,
            ),
            Step(
                "rework", "退回重办", (S.DONE,), S.IN_HAND, COMMUNITY_SIDE, tone="default",
                inputs=(Input("note", "哪里没有办好"),), when=_by_itself, effect=_rework,
            ),
            Step(
                "unclaim", "退回认领", (S.CLAIMED, S.IN_HAND), S.PUBLISHED,
                (*HOLDERS, *COMMUNITY_SIDE), tone="danger",
                inputs=(Input("note", "退回原因"),), help="退回后重新公布，供别的单位认领。",
                when=_by_itself, effect=_unclaim,
            ),
            Step(
                "recall", "撤回公布", (S.PUBLISHED,), S.GATHERED, COMMUNITY_SIDE, tone="default",
                inputs=(Input("note", "撤回原因"),), effect=_recall,
            ),
            Step(
                "cancel", "取消需求", (S.GATHERED, S.PUBLISHED), S.CANCELLED, COMMUNITY_SIDE,
                tone="danger", inputs=(Input("note", "取消原因"),),
            ),
            Step("assign", "派单", (S.PUBLISHED,), S.CLAIMED, (), effect=_assign),
            Step("take_up", "接单", (S.CLAIMED,), S.IN_HAND, ()),
            Step("finish", "办结", (S.IN_HAND,), S.DONE, (), effect=_complete),
            Step("settle", "评价", (S.DONE,), S.RATED, (), effect=_rate),
            Step("release", "退回", (S.CLAIMED, S.IN_HAND), S.PUBLISHED, (), effect=_release),
            Step("lapse", "逾期退回", (S.CLAIMED,), S.PUBLISHED, (), effect=_release),
        ),
    )
)  # fmt: skip
