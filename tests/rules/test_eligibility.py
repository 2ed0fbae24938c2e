"""May it be whistled for? The five rules of domain section 5, and what raising makes of them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from models.duty import DutyItem, DutyList, DutyListType
from models.mechanism import EligibilityRule
from models.organization import Organization
from models.ticket import TicketStatus, Verdict
from rules import ledger, workflow
from rules.actor import SYSTEM
from rules.eligibility import judge, usable
from rules.errors import Conflict
from rules.mechanisms import mechanism_for
from tests.factories.world import World

BASIC, LIGHTS, DOGS, WALLS = "调解邻里纠纷", "路灯安装与维修", "犬只管理", "拆除违法建筑"


def judged(world: World, item: str | None, place: str = "A11", **values: Any) -> Any:
    found = world.item(item) if item else None
    return judge(world.session, world.place(place), found, **values)


def codes(departments: list[Organization]) -> list[str | None]:
    return [each.code for each in departments]


def test_a_coordinating_item_may_be_blown_and_names_its_departments(world: World) -> None:
    found = judged(world, LIGHTS)
    assert (found.verdict, found.may_blow) == (Verdict.LISTED, True)
    assert codes(found.departments) == ["A-D1", "A-D2"]
    assert found.reason == (
        "“路灯安装与维修”在配合履职事项清单内，可以吹哨，派往：甲县住建局、甲县执法局。"
    )


def test_a_reclaimed_item_may_be_blown(one_world: World) -> None:
    found = judged(one_world, WALLS)
    assert (found.verdict, codes(found.departments)) == (Verdict.LISTED, ["A-D2"])
    assert "上级部门收回事项清单" in found.reason


def test_a_basic_item_is_the_townships_own_job(one_world: World) -> None:
    found = judged(one_world, BASIC)
    assert (found.verdict, found.may_blow) == (Verdict.OWN_DUTY, False)
    assert "“调解邻里纠纷”是甲一镇的基本履职事项" in found.reason


@pytest.mark.parametrize("item", [BASIC, LIGHTS, DOGS, WALLS, None])
def test_an_emergency_may_be_blown_whatever_the_list(one_world: World, item: str | None) -> None:
    found = judged(one_world, item, emergency=True)
    assert (found.verdict, found.may_blow) == (Verdict.EMERGENCY, True)


def test_a_stationed_branch_is_asked_first(world: World) -> None:
    found = judged(world, DOGS)
    assert (found.verdict, found.may_blow) == (Verdict.LOCAL_FIRST, False)
    assert "“甲一镇派出所”是甲县公安局的派驻机构，请先就地协调" in found.reason
    tried = judged(world, DOGS, local_tried=True)
    assert (tried.verdict, codes(tried.departments)) == (Verdict.LISTED, ["A-D3"])


def test_a_branch_of_another_township_is_no_help(one_world: World) -> None:
    assert judged(one_world, DOGS, "A21").verdict is Verdict.LISTED


def test_a_branch_out_of_use_is_no_help(one_session: Session, one_world: World) -> None:
    one_world.place("A1-PCS").active = False
    one_session.flush()
    assert judged(one_world, DOGS).verdict is Verdict.LISTED


def test_a_branch_of_a_department_that_only_assists_is_no_help(
    one_session: Session, one_world: World
) -> None:
    """The first department leads: its branch alone could solve it."""
    one_world.place("A1-PCS").home_department = one_world.place("A-D2")
    one_session.flush()
    assert judged(one_world, LIGHTS).verdict is Verdict.LISTED
    assert judged(one_world, WALLS).verdict is Verdict.LOCAL_FIRST


def test_what_is_on_no_list_is_for_the_office_to_decide(one_world: World) -> None:
    found = judged(one_world, None)
    assert (found.verdict, found.may_blow) == (Verdict.OFFICE_DECIDES, True)
    assert (found.departments, "吹哨办研判" in found.reason) == ([], True)


def test_an_item_that_names_nobody_says_so(one_session: Session, one_world: World) -> None:
    item = one_world.item(LIGHTS)
    item.departments.clear()
    one_session.flush()
    assert "清单未写明部门，由吹哨办确定" in judged(one_world, LIGHTS).reason


def test_items_of_the_places_own_line_are_usable(one_session: Session, one_world: World) -> None:
    item = one_world.item(LIGHTS)
    for place, expected in (
        ("A1", True),
        ("A11", True),
        ("A111", True),
        ("A2", False),
        ("A21", False),
        ("A", False),
        ("B11", False),
    ):
        assert usable(one_session, one_world.place(place), item) is expected, place


# Raising


def test_raising_keeps_the_verdict_and_its_reason(session: Session, world: World) -> None:
    ticket = world.raised(duty_item=world.item(LIGHTS))
    assert ticket.verdict is Verdict.LISTED
    assert ticket.verdict_reason == judged(world, LIGHTS).reason
    assert ticket.duty_item_name == LIGHTS
    assert ledger.events_of(session, ticket)[-1].data["verdict"] == "listed"


@pytest.mark.parametrize(
    ("item", "sentence"), [(BASIC, "属于本级职责，不予吹哨"), (DOGS, "请先就地协调")]
)
def test_what_may_not_be_blown_is_refused_with_the_reason(
    one_session: Session, one_world: World, item: str, sentence: str
) -> None:
    ticket = one_world.draft(duty_item=one_world.item(item))
    one_session.commit()
    actor = one_world.actor("community")
    offered = {step.action for step in workflow.available(one_session, ticket, actor)}
    assert "raise" not in offered
    assert "withdraw" in offered
    with pytest.raises(Conflict, match=sentence):
        one_world.step(ticket, "raise", "community")
    one_session.rollback()
    assert (ticket.status, ticket.number) == (TicketStatus.DRAFT, None)


def test_a_basic_item_may_be_blown_in_an_emergency(one_world: World) -> None:
    ticket = one_world.raised(duty_item=one_world.item(BASIC), emergency=True)
    assert (ticket.verdict, ticket.status) == (Verdict.EMERGENCY, TicketStatus.PENDING_REVIEW)


def test_where_lists_only_advise_the_office_decides(one_session: Session, one_world: World) -> None:
    mechanism_for(one_session, one_world.place("A11").id).eligibility = EligibilityRule.ADVISORY
    one_session.commit()
    ticket = one_world.raised(duty_item=one_world.item(BASIC))
    assert ticket.verdict is Verdict.OFFICE_DECIDES
    assert "由吹哨办研判" in (ticket.verdict_reason or "")
    assert ticket.number


def test_a_draft_made_under_a_former_version_chooses_anew(
    one_session: Session, one_world: World
) -> None:
    """A ticket points at the version that it was raised under, and that is the one in force."""
    ticket = one_world.draft(duty_item=one_world.item(LIGHTS))
    owner = one_world.place("A1")
    newer = DutyList(organization=owner, list_type=DutyListType.COORDINATING, number=2)
    newer.items = [DutyItem(position=1, name=LIGHTS)]
    newer.item_count = 1
    one_session.add(newer)
    one_session.flush()
    workflow.apply(one_session, newer, "publish", SYSTEM)
    one_session.commit()
    with pytest.raises(Conflict, match="不在本地现行的清单里"):
        one_world.step(ticket, "raise", "community")
    one_session.rollback()
    ticket.duty_item = newer.items[0]
    one_world.step(ticket, "raise", "community")
    assert ticket.status is TicketStatus.PENDING_REVIEW


def test_an_item_of_elsewhere_is_refused(one_world: World) -> None:
    ticket = one_world.draft("A21", duty_item=one_world.item(LIGHTS))
    with pytest.raises(Conflict, match="不在本地现行的清单里"):
        one_world.step(ticket, "raise", "township2")
