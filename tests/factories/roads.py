"""Tickets brought to every stage of their lives, by the workflow and by nothing else."""

from __future__ import annotations

import datetime as dt
from typing import Any

from models.grade import Grade
from models.ticket import Ticket
from models.ticket import TicketStatus as S
from rules.mechanisms import dimensions_of
from rules.workflows.ticket_base import active
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
    if action in ("rate", "rate_assisting"):
        return {"grades": grades(ticket)}
    if action in ("amend_rating", "amend_assisting"):
        return {"grades": grades(ticket, Grade.FAIR), "note": "更正"}
    if action == "merge":
        return {"ticket": _twin(world, ticket).id, "note": "重复"}
    if action in ("dispatch", "hand_over", "add_assisting", "remove_assisting"):
        return _departments(world, action)
    found = dict(_INPUTS.get(action, {}))
    return found | ({"note": "有依据"} if action in _NOTED else {})


_INPUTS: dict[str, dict[str, Any]] = {
    "reopen": {"fix_by": dt.date(2099, 1, 1)},
    "request_extension": {"new_due": dt.date(2100, 1, 1)},
    "enter_paper": {"raised_at": dt.datetime(2026, 3, 2, 1, 30, tzinfo=dt.UTC)},
    "renew": {"valid_from": dt.date(2100, 1, 1), "valid_until": dt.date(2101, 12, 31)},
    "report_result": {"result": "已修好"},
    "assist_report": {"result": "已修好"},
    "solve_locally": {"result": "已修好"},
}
_NOTED = {
    "decline_review", "decline", "request_return", "approve_return", "refuse_return", "withdraw",
    "terminate", "reopen", "request_extension", "refuse_extension", "hand_up", "unmerge",
}  # fmt: skip


def _departments(world: World, action: str) -> dict[str, Any]:
    other = world.place("A-D3").id
    return {
        "dispatch": {"lead": world.place(LEAD).id, "assisting": [world.place(ASSISTING).id]},
        "hand_over": {"lead": other, "note": "职责调整"},
        "add_assisting": {"assisting": [other]},
        "remove_assisting": {"assisting": [world.place(ASSISTING).id], "note": "不用了"},
    }[action]


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


def _twin(world: World, ticket: Ticket) -> Ticket:
    """Return another ticket of the same place and class."""
    return world.raised(ticket.organization.code, code=ticket.whistle_class.code)
