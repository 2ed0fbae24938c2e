"""Appeals against grades, made as a department makes them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from models.appeal import RatingAppeal
from models.grade import Grade
from models.rating import Rater
from models.ticket import Ticket, TicketStatus
from rules import appeals, workflow
from rules.actor import acting_as
from rules.calendar import SHANGHAI
from rules.mechanisms import dimensions_of
from rules.workflows.ticket_ratings import standing
from tests.factories.roads import brought_to, grades
from tests.factories.world import World


def at(text: str) -> dt.datetime:
    """Return an instant that is written as people in Shanghai write it."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(dt.UTC)


FRIDAY = at("2026-03-06 10:00")


def rated(world: World, grade: Grade = Grade.FAIR, now: dt.datetime = FRIDAY) -> Ticket:
    """Return a ticket whose departments were graded alike."""
    ticket = brought_to(world, TicketStatus.RESOLVED)
    world.step(ticket, "rate", "community", now=now, grades=grades(ticket, grade))
    return ticket


def stands(ticket: Ticket, code: str, number: int = 1) -> set[Grade]:
    """Return the raising place's grades of a department that stand in a round."""
    return {
        each.grade
        for each in standing(ticket, Rater.RAISER, number)
        if each.organization.code == code
    }


def appealed(
    world: World, ticket: Ticket, now: dt.datetime, who: str = "handler", **values: Any
) -> RatingAppeal:
    """Return a flushed appeal of an account's department, made at a moment."""
    actor = world.actor(who)
    with acting_as(world.session, actor):
        appeal = RatingAppeal(ticket=ticket, reason=values.pop("reason", "按时修好了"), **values)
        appeals.file(world.session, appeal, actor, now)
        world.session.add(appeal)
        world.session.flush()
        workflow.begin(world.session, appeal, actor, at=now)
        appeals.announce(world.session, appeal)
        world.session.flush()
    return appeal


def better(appeal: RatingAppeal, grade: Grade = Grade.SATISFIED, **others: Grade) -> dict[str, str]:
    """Return one grade for the department that appeals, in all dimensions or by a dimension's code."""
    return {
        f"{appeal.department_id}:{each.id}": others.get(each.code, grade).value
        for each in dimensions_of(appeal.whistle_class)
    }
