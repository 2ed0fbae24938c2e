"""Paper slips entered later: true times, as far as the paper goes, and marked as such."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import utcnow
from models.ticket import Ticket, TicketStatus
from rules import ledger
from rules.calendar import SHANGHAI
from rules.wording import local
from tests.factories.photos import photo
from tests.factories.world import World
from tests.views.pages import record_form
from tests.views.test_forms import said_at

Clients = Callable[[str], FlaskClient]
STAGES = ("raised_at", "dispatched_at", "accepted_at", "arrived_at", "resolved_at", "closed_at")


def ago(hours: int) -> dt.datetime:
    """Return a whole minute some hours ago."""
    return utcnow().replace(second=0, microsecond=0) - dt.timedelta(hours=hours)


def typed(at: dt.datetime) -> str:
    """Return an instant as a person types it."""
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M")


def slip(client: FlaskClient, stages: int, **changes: Any) -> dict[str, Any]:
    """Return the slip's form filled in for its first stages, a day apart, the last a day ago."""
    form = record_form(client.get("/tickets/paper").text)
    times = {name: typed(ago(24 * (stages - n))) for n, name in enumerate(STAGES[:stages])}
    texts = {"title": "路灯不亮", "detail": "东门三盏路灯不亮", "pictures": None}
    return dict(form.data(**(texts | times | changes)))


@pytest.fixture
def world(one_session: Session) -> World:
    """The seeded world, as the clients see it."""
    return World(one_session)


def only(session: Session) -> Ticket:
    """Return the one ticket as it is now."""
    session.rollback()
    return session.scalars(select(Ticket)).one()


def test_a_slip_that_went_all_the_way(as_seen_by: Clients, world: World) -> None:
    township, lead = as_seen_by("township"), world.place("A-D1").id
    data = slip(township, 6, lead=lead, result="已更换灯泡", grade="very_satisfied")
    data |= {"organization": [world.place("A11").id]}
    files = {"pictures": [(io.BytesIO(photo()), "纸单.jpg")]}
    answer = township.post("/tickets/paper", data=data | files)
    assert answer.status_code == 302, said_at(answer.text, "raised_at")
    ticket = only(world.session)
    assert (ticket.status, ticket.paper, ticket.lead_id) == (TicketStatus.CLOSED, True, lead)
    found = [getattr(ticket, name) for name in STAGES]
    assert found == [ago(24 * (6 - n)) for n in range(6)]
    assert len(ticket.photos) == 1
    assert {each.grade.value for each in ticket.ratings} == {"very_satisfied"}
    assert ledger.faults(ledger.events_of(world.session, ticket)) == []
    assert "线下补录" in township.get(f"/tickets/show/{ticket.id}").text
    listed = township.get("/tickets/list/").text
    assert 'badge-info">线下补录<' in listed
    assert f">{local(ago(24 * 6), with_time=False)}<" in listed
    township.post("/tickets/paper", data=data)
    assert only(world.session).id == ticket.id


def test_a_community_enters_what_it_blew(as_seen_by: Clients, world: World) -> None:
    community = as_seen_by("community")
    page = record_form(community.get("/tickets/paper").text)
    assert "raised_at" in page.names
    assert not {"dispatched_at", "closed_at", "lead", "result"} & page.names
    answer = community.post("/tickets/paper", data=slip(community, 1))
    assert answer.status_code == 302
    ticket = only(world.session)
    assert (ticket.paper, ticket.raised_at, ticket.dispatched_at) == (True, ago(24), None)
    assert ticket.status not in (TicketStatus.DRAFT, TicketStatus.DISPATCHED)


@pytest.mark.parametrize(
    ("stages", "changes", "field", "said"),
    [
        (1, {"raised_at": ""}, "raised_at", "请填写“吹哨时间”"),
        (1, {"raised_at": "昨天"}, "raised_at", "应是日期和时间"),
        (1, {"raised_at": "2199-01-01T08:00"}, "raised_at", "不能晚于现在"),
        (2, {}, "lead", "请选择“主办单位”"),
        (3, {"dispatched_at": ""}, "accepted_at", "还要填写“派单时间”"),
        (2, {"dispatched_at": "2020-01-01T08:00"}, "dispatched_at", "不能早于“吹哨时间”"),
        (1, {"title": ""}, "title", "请填写“标题”"),
        (1, {"latitude": "95", "longitude": "106"}, "latitude", "纬度应在"),
    ],
)
def test_what_no_paper_can_say(
    stages: int,
    changes: dict[str, Any],
    field: str,
    said: str,
    as_seen_by: Clients,
    world: World,
) -> None:
    """Nothing is written, and what was typed stands in the form."""
    township = as_seen_by("township")
    answer = township.post(
        "/tickets/paper",
        data=slip(township, stages) | {name: [value] for name, value in changes.items()},
    )
    assert answer.status_code == 422
    assert said in said_at(answer.text, field)
    assert record_form(answer.text).data()["detail"] == ["东门三盏路灯不亮"]
    world.session.rollback()
    assert world.session.scalars(select(Ticket)).all() == []


@pytest.mark.parametrize("who", ["office", "handler", "leader", "unit"])
def test_who_raises_no_whistle_enters_none(who: str, as_seen_by: Clients) -> None:
    client = as_seen_by(who)
    assert client.get("/tickets/paper").status_code == 403
    assert client.post("/tickets/paper", data={"title": "x"}).status_code == 403
