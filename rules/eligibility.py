"""May this be whistled for? The duty lists decide, and the reason is shown (domain section 5)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.duty import DutyItem, DutyListStatus, DutyListType
from models.mechanism import EligibilityRule
from models.organization import Organization, OrganizationKind, OrganizationLine
from models.ticket import Ticket, Verdict
from rules.actor import SYSTEM, acting_as
from rules.errors import Invalid
from rules.mechanisms import mechanism_for

#: Who may stand on a catalogue as its responsible body without being called for by a whistle.
_OWN_LEVELS = (OrganizationKind.TOWNSHIP, OrganizationKind.COMMUNITY, OrganizationKind.GRID)


@dataclass(frozen=True)
class Judgement:
    """The verdict, the sentence for the person at the form, and whom to dispatch to, lead first.

    ``deadline`` are the list's own words for the item's time limit, if it has one.
    """

    verdict: Verdict
    reason: str
    departments: list[Organization] = field(default_factory=list)
    deadline: str | None = None

    @property
    def may_blow(self) -> bool:
        """Tell whether the whistle may be blown."""
        return self.verdict not in (Verdict.OWN_DUTY, Verdict.LOCAL_FIRST)


@dataclass(frozen=True)
class Surroundings:
    """What of a place the judgement depends on, so that many items can be judged by one look.

    ``stations``: by department, its branch in the place's township. ``advisory``: the mechanism lets
    the lists advise only, and the office decides.
    """

    advisory: bool
    stations: dict[int, Organization]


def surroundings(session: Session, organization: Organization) -> Surroundings:
    """Return what judging whistles from a place needs to know of it; four statements at most."""
    try:
        rule = mechanism_for(session, organization.id).eligibility
    except Invalid:  # no mechanism yet: the lists are all there is
        rule = EligibilityRule.LISTS
    return Surroundings(rule is EligibilityRule.ADVISORY, _stations(session, organization))


def judge(
    session: Session,
    organization: Organization,
    item: DutyItem | None,
    *,
    emergency: bool = False,
    local_tried: bool = False,
    around: Surroundings | None = None,
) -> Judgement:
    """Judge a whistle from ``organization`` by the duty item it names, if any.

    ``local_tried``: the stationed branch was asked first and could not solve it. Rules 1 to 5 of
    domain section 5; an emergency comes before all lists. A catalogue names who is responsible and
    by when: its items may be blown, unless that is the township or community itself. Where the
    mechanism takes the lists as advice, nothing is forbidden by them: the office decides.
    """
    departments = [link.organization for link in item.departments] if item else []
    deadline = item.time_limit if item else None
    if emergency:
        return Judgement(
            Verdict.EMERGENCY, "突发紧急事件，不受清单限制，可以直接吹哨。", departments, deadline
        )
    if item is None:
        return Judgement(Verdict.OFFICE_DECIDES, "没有对应的清单事项，由吹哨办研判后决定是否派单。")
    around = around or surroundings(session, organization)
    found = _by_lists(item, departments, {} if local_tried else around.stations)
    found = replace(found, deadline=deadline)
    if found.may_blow or not around.advisory:
        return found
    return replace(
        found,
        verdict=Verdict.OFFICE_DECIDES,
        reason=f"{_FORBIDDEN[found.verdict].format(item.name)}本地清单只作提示，由吹哨办研判后决定是否派单。",
    )


#: What the lists say against a whistle, where they only advise.
_FORBIDDEN = {
    Verdict.OWN_DUTY: "“{}”在清单上属于本级职责。",
    Verdict.LOCAL_FIRST: "“{}”的对应部门在本地有派驻机构，建议先行协调。",
}


def _by_lists(
    item: DutyItem, departments: list[Organization], stations: dict[int, Organization]
) -> Judgement:
    kind = item.duty_list.list_type
    if kind is DutyListType.BASIC:
        return Judgement(
            Verdict.OWN_DUTY,
            f"“{item.name}”是{item.duty_list.organization.name}的基本履职事项，属于本级职责，不予吹哨。",
        )
    if departments and all(each.kind in _OWN_LEVELS for each in departments):
        named = "、".join(each.name for each in departments)
        return Judgement(
            Verdict.OWN_DUTY,
            f"“{item.name}”在{kind.title}内由{named}负责，属于本级职责，不予吹哨。",
        )
    station = stations.get(departments[0].id) if departments else None
    if station is not None:
        home = station.home_department.name if station.home_department else ""
        return Judgement(
            Verdict.LOCAL_FIRST,
            f"“{station.name}”是{home}的派驻机构，请先就地协调；"
            "协调后仍不能解决的，请勾选“已协调派驻机构”再吹哨。",
            departments,
        )
    named = "、".join(each.name for each in departments) or "（清单未写明部门，由吹哨办确定）"
    limit = f"，办理时限：{item.time_limit}" if item.time_limit else ""
    return Judgement(
        Verdict.LISTED,
        f"“{item.name}”在{kind.title}内，可以吹哨，派往：{named}{limit}。",
        departments,
    )


def keep(ticket: Ticket, found: Judgement) -> None:
    """Write a judgement on its ticket, with the item's name for those who may not read its list."""
    ticket.verdict, ticket.verdict_reason = found.verdict, found.reason
    ticket.duty_item_name = ticket.duty_item.name if ticket.duty_item else None


def _stations(session: Session, organization: Organization) -> dict[int, Organization]:
    """Return the branches stationed in the place's township, by the department that sends them."""
    with acting_as(session, SYSTEM):
        rows = session.scalars(
            select(Organization)
            .join(OrganizationLine, OrganizationLine.ancestor_id == Organization.parent_id)
            .where(
                OrganizationLine.organization_id == organization.id,
                Organization.kind == OrganizationKind.STATION,
                Organization.home_department_id.is_not(None),
                Organization.active,
            )
            .order_by(Organization.id.desc())
        )
        return {each.home_department_id: each for each in rows if each.home_department_id}


def usable(session: Session, organization: Organization, item: DutyItem) -> bool:
    """Tell whether an item stands on a published list of the place's own township, county or city."""
    if item.duty_list.status is not DutyListStatus.PUBLISHED:
        return False
    return any(line.ancestor_id == item.duty_list.organization_id for line in organization.lines)
