"""The review route: step by step, each by its level; the raiser's own level and below are skipped."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from models.mechanism import ReviewLevel, ReviewStep
from models.notice import Notice
from models.ticket import Ticket
from models.ticket import TicketStatus as S
from presets.roles import Role
from rules import ledger, workflow
from rules.actor import acting_as
from rules.errors import Conflict
from rules.workflows.ticket_review import due_step
from tests.factories.world import World

#: Account, its place moved to a grid; what is left of Jiujiang's route once it raises.
LEFT = [
    ("A11", "community", ["审核把关", "审批上报"]),
    ("A111", "community", ["审核把关", "审批上报"]),
    ("A11", "township", []),
    ("A1", "township", []),
]


def at_grid(world: World) -> None:
    """Let the other community's staff be the grid's own."""
    world.account("community2").organization = world.place("A111")
    world.session.flush()


def route(world: World, *levels: ReviewLevel) -> None:
    mechanism = world.whistle_class("ordinary").mechanism
    mechanism.route.clear()
    world.session.flush()
    for position, level in enumerate(levels, 3):
        mechanism.route.append(ReviewStep(position=position, name=f"第{position}关", level=level))
    world.session.flush()


def waited(world: World, ticket: Ticket) -> list[str]:
    names = []
    while (step := due_step(ticket)) is not None:
        names.append(step.name)
        who = {ReviewLevel.COMMUNITY: "community", ReviewLevel.TOWNSHIP: "township"}
        world.step(ticket, "approve", who.get(step.level, "office"))
    return names


@pytest.mark.parametrize(("place", "who", "left"), LEFT)
def test_the_raisers_own_level_is_skipped(
    one_world: World, place: str, who: str, left: list[str]
) -> None:
    ticket = one_world.draft(place)
    one_world.step(ticket, "raise", who)
    assert waited(one_world, ticket) == left
    assert ticket.status is S.PENDING_DISPATCH
    assert ticket.review_position == 0


def test_a_grids_own_staff_start_at_the_community(one_world: World) -> None:
    at_grid(one_world)
    ticket = one_world.draft("A111")
    one_world.step(ticket, "raise", "community2")
    # Of the same role, and in the ticket's own place, yet not the community.
    with pytest.raises(Conflict, match="现在是“收集”环节，由社区办理"):
        one_world.step(ticket, "approve", "community2")
    with pytest.raises(Conflict, match="由社区办理"):
        one_world.step(ticket, "approve", "township")
    assert waited(one_world, ticket) == ["收集", "审核把关", "审批上报"]


def test_each_event_says_which_step_it_was(one_session: Session, one_world: World) -> None:
    ticket = one_world.raised()
    one_world.step(ticket, "approve", "township", note="属实")
    one_world.step(ticket, "decline_review", "township", note="不属于")
    said = [each.data.get("review") for each in ledger.events_of(one_session, ticket)[-2:]]
    assert said == [
        {"position": 1, "name": "审核把关", "level": "township"},
        {"position": 2, "name": "审批上报", "level": "township"},
    ]
    assert ticket.status is S.DECLINED


@pytest.mark.parametrize(
    ("levels", "offered"),
    [
        ((ReviewLevel.TOWNSHIP,), {"township"}),
        ((ReviewLevel.OFFICE,), {"office"}),
        ((ReviewLevel.OFFICE, ReviewLevel.TOWNSHIP), {"office"}),
    ],
)
def test_only_the_level_that_is_due_is_offered_the_steps(
    one_world: World, levels: tuple[ReviewLevel, ...], offered: set[str]
) -> None:
    route(one_world, *levels)
    ticket = one_world.raised()
    assert ticket.review_position == 3
    for account in ("community", "township", "office", "community2", "township2", "officeb"):
        actor = one_world.actor(account)
        names = {each.action for each in workflow.available(one_world.session, ticket, actor)}
        assert ("approve" in names) is ("decline_review" in names) is (account in offered)


def test_without_a_route_the_office_is_next(one_world: World) -> None:
    route(one_world)
    assert one_world.raised().status is S.PENDING_DISPATCH


def test_a_second_click_does_not_take_the_next_step_as_well(one_world: World) -> None:
    """Both steps of the route leave the state as it is; what was shown tells them apart."""
    ticket = one_world.raised()
    actor = one_world.actor("township")
    shown = workflow.seen(ticket)
    with acting_as(one_world.session, actor):
        workflow.apply(one_world.session, ticket, "approve", actor, seen_status=shown)
        assert ticket.status is S.PENDING_REVIEW
        with pytest.raises(Conflict):
            workflow.apply(one_world.session, ticket, "approve", actor, seen_status=shown)
        again = workflow.seen(ticket)
        workflow.apply(one_world.session, ticket, "approve", actor, seen_status=again)
    assert ticket.status is S.PENDING_DISPATCH


def told(world: World, ticket: Ticket) -> dict[str, list[str]]:
    """Return what each account was told of the ticket, oldest first."""
    found: dict[str, list[str]] = {}
    names = {each.id: each.username for each in (world.account(a) for a in _ALL)}
    for each in world.session.query(Notice).order_by(Notice.id):
        if each.record_id == ticket.id and each.record_type == "ticket":
            found.setdefault(names[each.account_id], []).append(each.title.split("：")[0])
    return found


_ALL = ("community", "community2", "township", "township2", "office", "officeb", "handler",
        "handler2", "returns", "inspector", "leader", "unit")  # fmt: skip


def test_whoever_is_next_is_told(one_world: World) -> None:
    at_grid(one_world)
    ticket = one_world.draft("A111")
    one_world.step(ticket, "raise", "community2")
    assert told(one_world, ticket) == {"community": ["待收集"]}
    one_world.step(ticket, "approve", "community")
    one_world.step(ticket, "approve", "township")
    # Whoever acts is not told of his own deed, though the next step is his again.
    assert told(one_world, ticket) == {"community": ["待收集"], "township": ["待审核把关"]}
    one_world.step(ticket, "approve", "township")
    assert told(one_world, ticket)["office"] == ["待派单"]
    lead, other = one_world.place("A-D1").id, one_world.place("A-D2").id
    one_world.step(ticket, "dispatch", "office", lead=lead, assisting=[other])
    found = told(one_world, ticket)
    assert (found["handler"], found["handler2"]) == (["待应哨"], ["待应哨"])
    one_world.step(ticket, "accept", "handler")
    one_world.step(ticket, "arrive", "handler")
    assert told(one_world, ticket) == found
    assert Role.DEPARTMENT_HANDLER in one_world.actor("handler").roles


def test_a_direct_whistle_is_registered_at_the_office(one_world: World) -> None:
    ticket = one_world.draft(code="urgent", duty_item=one_world.item("路灯安装与维修"))
    one_world.step(ticket, "raise", "community")
    assert told(one_world, ticket) == {
        "handler": ["待应哨"], "handler2": ["待应哨"], "office": ["直派登记"],
    }  # fmt: skip
