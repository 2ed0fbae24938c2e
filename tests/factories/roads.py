"""Tickets brought to every stage of their lives, by the workflow and by nothing else."""

from __future__ import annotations

import datetime as dt
from typing import Any

from models.grade import Grade
from models.ticket import Ticket
from models.ticket import TicketStatus as S
from rules.mechanisms import dimensions_of
from rules.workflows.ticket_effects import active
from tests.factories.world import World

LEAD, ASSISTING = "A-D1", "A-D2"

#: state → (state before, step, account)
LAST_STEP: dict[S, tuple[S, str, str]] = {
    S.PENDING_REVIEW: (S.DRAFT, "raise", "community"),
    S.PENDING_DISPATCH: (S.PENDING_REVIEW, "approve", "township"),
    S.DISPATCHED: (S.PENDING_DISPATCH, "dispatch", "office"),
    S.ACCEPTED: (S.DISPATCHED, "accept", "handler"),
    S.ARRIVED: (S.ACCEPTED, "arrive", "handler"),
    S.RESOLVED: (S.ARRIVED, "report_result", "handler"),
    S.CLOSED: (S.RESOLVED, "close", "office"),
    S.DECLINED: (S.PENDING_DISPATCH, "decline", "office"),
    S.WITHDRAWN: (S.PENDING_REVIEW, "withdraw", "community"),
    S.RETURN_PENDING: (S.ACCEPTED, "request_return", "handler"),
    S.REOPENED: (S.RESOLVED, "reopen", "office"),
    S.LOCAL: (S.DRAFT, "hold_locally", "community"),
    S.SOLVED_LOCALLY: (S.LOCAL, "solve_locally", "community"),
    S.MERGED: (S.DISPATCHED, "merge", "office"),
}


def brought_to(world: World, status: S, **values: Any) -> Ticket:
    """Return a ticket of A11 in that state, led by A-D1 with A-D2 assisting once dispatched."""
    if status is S.DRAFT:
        return world.draft(**values)
    before, action, who = LAST_STEP[status]
    ticket = brought_to(world, before, **values)
    if status is S.CLOSED:
        rate(world, ticket)
    if status is S.LOCAL:
        ticket.whistle_class.mechanism.grid_route = True
    if status is S.PENDING_DISPATCH:
        world.reviewed(ticket)
        assert ticket.status is status
        return ticket
    world.step(ticket, action, who, **inputs(world, ticket, action))
    assert ticket.status is status
    return ticket


def inputs(world: World, ticket: Any, action: str) -> dict[str, Any]:
    """Return input that a step takes without complaint."""
    if action == "dispatch":
        return {"lead": world.place(LEAD).id, "assisting": [world.place(ASSISTING).id]}
    if action == "rate":
        return {"grades": grades(ticket)}
    if action == "reopen":
        return {"fix_by": dt.date(2099, 1, 1), "note": "没有修好"}
    if action in ("report_result", "assist_report", "solve_locally"):
        return {"result": "已修好"}
    if action == "merge":
        return {"ticket": world.raised(ticket.organization.code).id, "note": "重复"}
    if action == "renew":
        return {"valid_from": dt.date(2100, 1, 1), "valid_until": dt.date(2101, 12, 31)}
    needs_note = ("decline_review", "decline", "request_return", "approve_return")
    needs_note += ("refuse_return", "withdraw", "terminate")
    return {"note": "有依据"} if action in needs_note else {}


def grades(ticket: Ticket, grade: Grade = Grade.SATISFIED, **others: Grade) -> dict[str, str]:
    """Return one grade for all departments and dimensions; ``others`` by a dimension's code."""
    return {
        f"{part.organization_id}:{dimension.id}": others.get(dimension.code, grade).value
        for part in active(ticket)
        for dimension in dimensions_of(ticket.whistle_class)
    }


def rate(world: World, ticket: Ticket, who: str = "community", **others: Grade) -> None:
    """Rate every department in every dimension, 满意 unless said otherwise."""
    world.step(ticket, "rate", who, grades=grades(ticket, **others))
