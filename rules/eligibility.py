"""May this be whistled for? The duty lists decide, and the reason is shown (domain section 5)."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.duty import DutyItem, DutyListStatus, DutyListType
from models.organization import Organization, OrganizationKind, OrganizationLine
from models.ticket import Ticket, Verdict
from rules.actor import SYSTEM, acting_as


@dataclass(frozen=True)
class Judgement:
    """The verdict, the sentence for the person at the form, and whom to dispatch to, lead first."""

    verdict: Verdict
    reason: str
    departments: list[Organization] = field(default_factory=list)

    @property
    def may_blow(self) -> bool:
        """Tell whether the whistle may be blown."""
        return self.verdict not in (Verdict.OWN_DUTY, Verdict.LOCAL_FIRST)


def judge(
    session: Session,
    organization: Organization,
    item: DutyItem | None,
    *,
    emergency: bool = False,
    local_tried: bool = False,
) -> Judgement:
    """Judge a whistle from ``organization`` by the duty item it names, if any.

    ``local_tried``: the stationed branch was asked first and could not solve it. Rules 1 to 5 of
    domain section 5; an emergency comes before all lists.
    """
    departments = [link.organization for link in item.departments] if item else []
    if emergency:
        return Judgement(
            Verdict.EMERGENCY, "突发紧急事件，不受清单限制，可以直接吹哨。", departments
        )
    if item is None:
        return Judgement(Verdict.OFFICE_DECIDES, "没有对应的清单事项，由吹哨办研判后决定是否派单。")
    kind = item.duty_list.list_type
    if kind is DutyListType.BASIC:
        return Judgement(
            Verdict.OWN_DUTY,
            f"“{item.name}”是{item.duty_list.organization.name}的基本履职事项，属于本级职责，不予吹哨。",
        )
    station = None if local_tried else _station(session, organization, departments)
    if station is not None:
        home = station.home_department.name if station.home_department else ""
        return Judgement(
            Verdict.LOCAL_FIRST,
            f"“{station.name}”是{home}的派驻机构，请先就地协调；"
            "协调后仍不能解决的，请勾选“已协调派驻机构”再吹哨。",
            departments,
        )
    named = "、".join(each.name for each in departments) or "（清单未写明部门，由吹哨办确定）"
    return Judgement(
        Verdict.LISTED, f"“{item.name}”在{kind.title}内，可以吹哨，派往：{named}。", departments
    )


def keep(ticket: Ticket, found: Judgement) -> None:
    """Write a judgement on its ticket, with the item's name for those who may not read its list."""
    ticket.verdict, ticket.verdict_reason = found.verdict, found.reason
    ticket.duty_item_name = ticket.duty_item.name if ticket.duty_item else None


def _station(
    session: Session, organization: Organization, departments: list[Organization]
) -> Organization | None:
    """Return a branch of the lead department stationed in the place's township."""
    if not departments:
        return None
    with acting_as(session, SYSTEM):
        return session.scalars(
            select(Organization)
            .join(OrganizationLine, OrganizationLine.ancestor_id == Organization.parent_id)
            .where(
                OrganizationLine.organization_id == organization.id,
                Organization.kind == OrganizationKind.STATION,
                Organization.home_department_id == departments[0].id,
                Organization.active,
            )
            .limit(1)
        ).first()


def usable(session: Session, organization: Organization, item: DutyItem) -> bool:
    """Tell whether an item stands on a published list of the place's own township, county or city."""
    if item.duty_list.status is not DutyListStatus.PUBLISHED:
        return False
    return any(line.ancestor_id == item.duty_list.organization_id for line in organization.lines)
