"""The engine: one writer of status, input checked, refusals that change nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from models.agreement import Agreement, AgreementStatus
from models.appeal import AppealStatus, RatingAppeal
from models.bulletin import Bulletin, BulletinStatus
from models.check_in import CheckIn, CheckInStatus
from models.duty import DutyList, DutyListStatus
from models.meeting import (
    CoordinationMeeting,
    DecisionStatus,
    MeetingDecision,
    MeetingStatus,
)
from models.need import Need, NeedStatus
from models.recurring import ProblemStatus, RecurringProblem
from models.resource import Resource, ResourceStatus
from models.service import ServiceProject, ServiceStatus
from models.supervision import Supervision, SupervisionStatus
from models.ticket import AssignmentStatus, Ticket, TicketAssignment
from models.ticket import TicketStatus as S
from models.ticket_file import ExtensionStatus, TicketExtension
from rules import ledger, workflow
from rules.actor import SYSTEM, acting_as
from rules.errors import Conflict, Forbidden, Invalid
from rules.workflow import StatusIsTheWorkflows
from rules.workflows import (
    agreements,
    appeals,
    bulletins,
    check_ins,
    decisions,
    duty_lists,
    meetings,
    needs,
    recurring,
    resources,
    services,
    supervision,
    tickets,
)
from tests.factories.roads import brought_to, inputs
from tests.factories.world import World

KEPT = [
    (Ticket, S.CLOSED),
    (TicketAssignment, AssignmentStatus.REPORTED),
    (TicketExtension, ExtensionStatus.APPROVED),
    (Agreement, AgreementStatus.IN_FORCE),
    (DutyList, DutyListStatus.PUBLISHED),
    (Resource, ResourceStatus.AVAILABLE),
    (Need, NeedStatus.PUBLISHED),
    (ServiceProject, ServiceStatus.UNDER_WAY),
    (CheckIn, CheckInStatus.ACTIVE),
    (Supervision, SupervisionStatus.ISSUED),
    (RecurringProblem, ProblemStatus.CLOSED),
    (CoordinationMeeting, MeetingStatus.HELD),
    (MeetingDecision, DecisionStatus.DONE),
    (RatingAppeal, AppealStatus.CORRECTED),
    (Bulletin, BulletinStatus.ISSUED),
]


def test_every_record_with_a_life_is_under_a_table() -> None:
    assert workflow.workflows() == {
        Ticket: tickets.TICKETS,
        Agreement: agreements.AGREEMENTS,
        DutyList: duty_lists.DUTY_LISTS,
        Resource: resources.RESOURCES,
        Need: needs.NEEDS,
        ServiceProject: services.SERVICES,
        CheckIn: check_ins.CHECK_INS,
        Supervision: supervision.SUPERVISIONS,
        RecurringProblem: recurring.RECURRING_PROBLEMS,
        CoordinationMeeting: meetings.MEETINGS,
        MeetingDecision: decisions.DECISIONS,
        RatingAppeal: appeals.APPEALS,
        Bulletin: bulletins.BULLETINS,
    }


# Status has one writer


@pytest.mark.parametrize(("model", "value"), KEPT)
def test_a_record_is_not_born_in_a_later_state(model: type[Any], value: Any) -> None:
    with pytest.raises(StatusIsTheWorkflows):
        model(status=value)


def test_a_new_record_may_name_its_first_state() -> None:
    assert Ticket(status=S.DRAFT).status is S.DRAFT
    assert TicketAssignment(status=AssignmentStatus.DISPATCHED).status == "dispatched"


@pytest.mark.parametrize("value", list(S))
def test_assigning_a_status_is_refused(one_world: World, value: S) -> None:
    """Even the one that it has, and even the first."""
    ticket = brought_to(one_world, S.DISPATCHED)
    with pytest.raises(StatusIsTheWorkflows):
        ticket.status = value
    assert ticket.status is S.DISPATCHED


def test_a_departments_own_progress_is_kept_too(one_world: World) -> None:
    ticket = brought_to(one_world, S.DISPATCHED)
    with pytest.raises(StatusIsTheWorkflows):
        ticket.assignments[0].status = AssignmentStatus.REPORTED


BULK: list[Callable[[type[Any], Any], tuple[Any, Any]]] = [
    lambda model, value: (update(model).values(status=value), None),
    lambda model, value: (update(model).values({"status": value}), None),
    lambda model, value: (update(model).values({model.status: value}), None),
    lambda model, value: (update(model).ordered_values((model.status, value)), None),
    lambda model, value: (update(model).values(status=value).values(version=9), None),
    lambda model, value: (update(model), {"status": value}),
    lambda model, value: (update(model), [{"id": 1, "version": 1, "status": value}]),
    lambda model, value: (update(model.__table__).values(status=value), None),
    lambda model, value: (update(model).where(model.id == 1).values(status=model.status), None),
]


@pytest.mark.parametrize("written", BULK, ids=range(len(BULK)))
@pytest.mark.parametrize(("model", "value"), KEPT)
def test_no_bulk_update_writes_a_status(
    one_session: Session, one_world: World, model: type[Any], value: Any, written: Any
) -> None:
    """Not even the system's: it would leave no event, and ask nobody."""
    statement, parameters = written(model, value)
    with pytest.raises(StatusIsTheWorkflows):
        one_session.execute(statement, parameters)
    with acting_as(one_session, one_world.actor("township")), pytest.raises(StatusIsTheWorkflows):
        one_session.execute(statement, parameters)


def test_the_legacy_query_writes_no_status_either(one_session: Session) -> None:
    with pytest.raises(StatusIsTheWorkflows):
        one_session.query(Ticket).update({"status": S.CLOSED})


def test_other_columns_may_be_updated_in_bulk(one_session: Session, one_world: World) -> None:
    ticket = one_world.draft()
    one_session.execute(update(Ticket).values(address="东门"))
    one_session.refresh(ticket)
    assert ticket.address == "东门"


# Input


def test_missing_input_is_named_and_nothing_changes(session: Session, world: World) -> None:
    ticket = brought_to(world, S.PENDING_DISPATCH)
    for empty in ({}, {"lead": None}, {"lead": ""}):
        with pytest.raises(Invalid) as refusal:
            world.step(ticket, "dispatch", "office", **empty)
        assert refusal.value.fields == {"lead": "请填写“主办单位”。"}
    with pytest.raises(Invalid) as refusal:
        world.step(ticket, "decline", "office", note="   ")
    assert refusal.value.fields == {"note": "请填写“原因”。"}
    assert ticket.status is S.PENDING_DISPATCH
    assert not session.dirty
    assert ledger.events_of(session, ticket)[-1].action == "approve"


@pytest.mark.parametrize(
    ("action", "status", "who", "data", "field"),
    [
        ("decline", S.PENDING_DISPATCH, "office", {"note": "长" * 2001}, "note"),
        ("decline", S.PENDING_DISPATCH, "office", {"note": "有\x00字"}, "note"),
        ("decline", S.PENDING_DISPATCH, "office", {"note": ["列表"]}, "note"),
        ("dispatch", S.PENDING_DISPATCH, "office", {"lead": "A-D1"}, "lead"),
        ("dispatch", S.PENDING_DISPATCH, "office", {"lead": 1, "assisting": 2}, "assisting"),
        ("reopen", S.RESOLVED, "office", {"fix_by": "明天", "note": "没修好"}, "fix_by"),
        ("rate", S.RESOLVED, "community", {"grades": "满意"}, "grades"),
    ],
)
def test_input_of_the_wrong_kind_or_length_gets_a_sentence(
    one_world: World, action: str, status: S, who: str, data: dict[str, Any], field: str
) -> None:
    ticket = brought_to(one_world, status)
    with pytest.raises(Invalid) as refusal:
        one_world.step(ticket, action, who, **data)
    assert list(refusal.value.fields) == [field]
    assert refusal.value.message.endswith("。")
    assert ticket.status is status


def test_a_note_of_the_greatest_length_is_kept_whole(world: World, session: Session) -> None:
    ticket = brought_to(world, S.PENDING_DISPATCH)
    world.step(ticket, "decline", "office", note="长" * 2000)
    assert ledger.events_of(session, ticket)[-1].note == "长" * 2000


def test_input_that_the_step_does_not_know_is_dropped(
    one_world: World, one_session: Session
) -> None:
    ticket = brought_to(one_world, S.PENDING_REVIEW)
    one_world.step(ticket, "approve", "township", lead=1, status="closed", note=" 同意 ")
    event = ledger.events_of(one_session, ticket)[-1]
    assert (ticket.lead_id, event.note) == (None, "同意")
    assert set(event.data) == {"review", "next_review"}


# Order of the checks


def test_permission_comes_before_state_and_state_before_input(one_world: World) -> None:
    ticket = brought_to(one_world, S.PENDING_REVIEW)
    with pytest.raises(Forbidden):
        one_world.step(ticket, "dispatch", "community")
    with pytest.raises(Conflict):
        one_world.step(ticket, "dispatch", "office")
    one_world.reviewed(ticket)
    with pytest.raises(Invalid):
        one_world.step(ticket, "dispatch", "office")


def test_an_unknown_step_is_refused(one_world: World) -> None:
    with pytest.raises(Invalid, match="没有“explode”这个步骤"):
        one_world.step(one_world.draft(), "explode", "community")


def test_a_step_that_only_other_steps_take_is_nobodys(
    one_world: World, one_session: Session
) -> None:
    published = one_world.item("路灯安装与维修").duty_list
    for account in ("admin", "duty", "township"):
        with pytest.raises(Forbidden):
            one_world.step(published, "supersede", account)
    with pytest.raises(Forbidden):
        workflow.apply(one_session, published, "supersede", SYSTEM)
    assert published.status is DutyListStatus.PUBLISHED


def test_a_state_that_was_shown_and_has_moved_on_is_a_conflict(
    one_world: World, one_session: Session
) -> None:
    """Withdrawing is still possible, but not by somebody who was shown another state."""
    ticket = brought_to(one_world, S.PENDING_DISPATCH)
    actor = one_world.actor("community")
    data = inputs(one_world, ticket, "withdraw")
    with acting_as(one_session, actor), pytest.raises(Conflict) as refusal:
        workflow.apply(one_session, ticket, "withdraw", actor, data, seen_status="pending_review")
    assert "“待派单”" in refusal.value.message
    assert "township办理的“审核通过”" in refusal.value.message
    assert ticket.status is S.PENDING_DISPATCH


def test_a_record_that_was_deleted_meanwhile_is_a_conflict(session: Session, world: World) -> None:
    agreement = world.agreement("A11", "A-U1", "示〔2026〕1号")
    session.commit()
    session.connection().execute(delete(Agreement.__table__))
    with pytest.raises(Conflict, match="被别人删除"):
        workflow.apply(session, agreement, "bring_into_force", SYSTEM)


def test_a_step_is_not_committed(session: Session, world: World) -> None:
    ticket = brought_to(world, S.PENDING_REVIEW)
    session.commit()
    steps = len(ledger.events_of(session, ticket))
    world.step(ticket, "approve", "township")
    session.rollback()
    assert ticket.status is S.PENDING_REVIEW
    assert len(ledger.events_of(session, ticket)) == steps
