"""Bulletins and their months, as tests need them."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

from docx import Document
from docx.document import Document as Word
from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from models.bulletin import Bulletin, BulletinStatus
from models.measure import TicketFact
from models.ticket import Channel, Nature, Theme, TicketStatus
from reports.facts import sum_up
from rules import workflow
from rules.actor import SYSTEM, acting_as
from tests.factories.world import World

S = BulletinStatus
NOW = dt.datetime(2026, 11, 22, 1, tzinfo=dt.UTC)
MONTH = 202610
#: By which of the worker's and the office's steps a bulletin comes to stand where it stands.
ROADS: dict[BulletinStatus, tuple[str, ...]] = {
    S.WAITING: (),
    S.WRITING: ("begin",),
    S.READY: ("begin", "finish"),
    S.FAILED: ("begin", "fail"),
    S.ISSUED: ("begin", "finish", "issue"),
}
DATA: dict[str, dict[str, str]] = {
    "finish": {"docx": "a" * 64, "xlsx": "b" * 64},
    "fail": {"problem": "没有模板"},
}


def bulletin(world: World, status: BulletinStatus = S.WAITING, **values: Any) -> Bulletin:
    """Return a flushed bulletin of county A that has come to a status by its steps."""
    place = values.pop("place", None) or world.place("A")
    with acting_as(world.session, SYSTEM):
        made = Bulletin(organization=place, **({"month": MONTH, "title": "十月通报"} | values))
        world.session.add(made)
        world.session.flush()
        workflow.begin(world.session, made, SYSTEM)
    for action in ROADS[status]:
        if action == "issue":
            world.step(made, action, "office")
        else:
            internally(world.session, made, action)
    return made


def internally(session: Session, made: Bulletin, action: str) -> None:
    """Take a step of the worker's."""
    with acting_as(session, SYSTEM):
        context = workflow.Context(session, made, SYSTEM, NOW, dict(DATA.get(action, {})))
        workflow.apply_internally(context, made, action)


def counted(world: World, *rows: dict[str, Any]) -> None:
    """Put one ticket's line for each of these in place of all figures."""
    session = world.session
    session.execute(delete(TicketFact), execution_options={"synchronize_session": False})
    for row in rows:
        session.execute(insert(TicketFact), [_fact(world, **row)])
    sum_up(session)


def _fact(
    world: World,
    place: str = "A11",
    lead: str | None = "A-D1",
    day: str = "2026-10-08",
    **more: Any,
) -> dict[str, Any]:
    where, on = world.place(place), dt.date.fromisoformat(day)
    above = {line.ancestor.kind.value: line.ancestor_id for line in where.lines}
    county = place[0]
    return {
        "ticket_id": world.draft(place).id,
        "position": 1,
        "current": True,
        "organization_id": where.id,
        "community_id": above.get("community"),
        "township_id": above.get("township"),
        "county_id": above.get("county"),
        "department_id": world.place(lead).id if lead else None,
        "whistle_class_id": world.whistle_class("ordinary", county).id,
        "class_name": "平哨",
        "theme": Theme.SAFETY,
        "channel": Channel.PATROL,
        "nature": Nature.PUBLIC,
        "emergency": False,
        "status": TicketStatus.CLOSED,
        "day": on,
        "month": on.year * 100 + on.month,
        "dispatched": lead is not None,
        "closed": False,
        "returned": False,
        "ticket_returned": False,
        "reopened": False,
        "grades": 0,
        "satisfied": 0,
        "matter": "路灯",
    } | more


def docx_of(fill: Callable[[Word], Any]) -> bytes:
    """Return a Word document with what ``fill`` writes into it."""
    word = Document()
    fill(word)
    return saved(word)


def saved(word: Word) -> bytes:
    """Return a document's bytes."""
    file = io.BytesIO()
    word.save(file)
    return file.getvalue()
