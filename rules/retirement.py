"""Which organisations may not be put out of use: something in force still needs them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Select, null, select
from sqlalchemy.orm import Session

from models.account import Account
from models.agreement import Agreement, AgreementStatus
from models.check_in import CheckIn, CheckInStatus
from models.duty import DutyItem, DutyItemDepartment, DutyList, DutyListStatus
from models.need import Need, NeedStatus
from models.organization import Organization
from models.resource import Resource, ResourceStatus
from models.service import OPEN, ServiceProject
from models.ticket import FINAL, Ticket, TicketParty
from rules.actor import SYSTEM, acting_as

_SLICE = 500
_WANTED = (NeedStatus.PUBLISHED, NeedStatus.CLAIMED, NeedStatus.IN_HAND, NeedStatus.DONE)
_SERVING = (
    CheckInStatus.REGISTERED,
    CheckInStatus.ACTIVE,
    CheckInStatus.REPORTED,
    CheckInStatus.APPRAISED,
)


def still_needed(session: Session, ids: Collection[int]) -> dict[int, list[str]]:
    """Return, for each organisation that something in force needs, what that is, in Chinese.

    Organisations among the ids go together: a branch below another of them is no hindrance. Looks
    past the gate: the answer holds names of record types only. Some ten statements a slice.
    """
    found: dict[int, list[str]] = {}
    ordered = sorted(ids)
    with acting_as(session, SYSTEM), session.no_autoflush:
        for start in range(0, len(ordered), _SLICE):
            part = ordered[start : start + _SLICE]
            for label, column, query in _needs():
                for target, other in session.execute(query.where(column.in_(part)).distinct()):
                    labels = found.setdefault(target, [])
                    if (other is None or other not in ids) and label not in labels:
                        labels.append(label)
    return {target: labels for target, labels in found.items() if labels}


def _needs() -> Iterator[tuple[str, Any, Select[Any]]]:
    """Yield (label, column with the organisation's id, query for it and the child that needs it)."""
    below: tuple[tuple[str, Any], ...] = (
        ("在用的下级机构", Organization.parent_id),
        ("在用的派驻机构", Organization.home_department_id),
    )
    for label, above in below:
        yield label, above, select(above, Organization.id).where(Organization.active)
    tied: tuple[tuple[str, Any, Any], ...] = (
        ("在用的账号", Account.organization_id, Account.active.is_(True)),
        ("生效的协议", Agreement.community_id, Agreement.status == AgreementStatus.IN_FORCE),
        ("生效的协议", Agreement.unit_id, Agreement.status == AgreementStatus.IN_FORCE),
        ("可用的资源", Resource.owner_id, Resource.status == ResourceStatus.AVAILABLE),
        ("未办结的需求", Need.community_id, Need.status.in_(_WANTED)),
        ("未办结的需求", Need.claimed_by_id, Need.status.in_(_WANTED)),
        ("未结束的服务项目", ServiceProject.community_id, ServiceProject.status.in_(OPEN)),
        ("未结束的服务项目", ServiceProject.provider_id, ServiceProject.status.in_(OPEN)),
        ("在岗的双报到", CheckIn.community_id, CheckIn.status.in_(_SERVING)),
        ("在岗的双报到", CheckIn.unit_id, CheckIn.status.in_(_SERVING)),
        ("已发布的清单", DutyList.organization_id, DutyList.status == DutyListStatus.PUBLISHED),
    )
    for label, column, test in tied:
        yield label, column, select(column, null()).where(test)
    tickets: Any = select(TicketParty.organization_id, null()).join(
        Ticket, Ticket.id == TicketParty.ticket_id
    )
    yield "未办结的哨单", TicketParty.organization_id, tickets.where(Ticket.status.not_in(FINAL))
    named: Any = (
        select(DutyItemDepartment.organization_id, null())
        .join(DutyItem, DutyItem.id == DutyItemDepartment.item_id)
        .join(DutyList, DutyList.id == DutyItem.duty_list_id)
        .where(DutyList.status == DutyListStatus.PUBLISHED)
    )
    yield "已发布清单里的对应部门", DutyItemDepartment.organization_id, named
