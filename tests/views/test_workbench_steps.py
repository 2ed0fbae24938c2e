"""The workbench's rows lead straight to the step that is due, and its figures are what the measures answer."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models.base import utcnow
from models.meeting import DecisionStatus, MeetingStatus
from models.recurring import ProblemStatus
from models.supervision import Supervision, SupervisionKind
from models.ticket import TicketStatus as S
from reports.facts import catch_up
from reports.measures import Period, Question, Value, measure, total
from rules.actor import SYSTEM, acting_as
from rules.calendar import shanghai_date
from tests.factories import following
from tests.factories.roads import brought_to
from tests.factories.world import World
from tests.views.figure_pages import count_statements
from tests.views.test_workbench import figures, queues

ACCOUNTS = ("admin", "office", "returns", "party", "duty", "township", "township2", "community",
            "handler", "handler2", "unit", "inspector", "leader", "auditor")  # fmt: skip
#: What any role's page may send to the database.
MOST = 14
Clients = Callable[[str], FlaskClient]


def order(world: World, days: int, *, answered: bool = False) -> Supervision:
    """Return an order to A-D1 that is due in some days."""
    found: Supervision = following.made(
        world,
        Supervision(organization=world.place("A11"), matter=f"路灯，{days} 天", reason="超过期限"),
    )
    world.step(
        found,
        "confirm",
        "office",
        kind=SupervisionKind.ORDINARY,
        department=world.place("A-D1").id,
        head="分管局长",
        due_on=following.days(days),
    )
    if answered:
        world.step(found, "answer", "handler", answer="已修好")
    return found


def rated(world: World) -> None:
    """Leave a ticket that is rated and waits for its end."""
    ticket = brought_to(world, S.RESOLVED)
    given = {
        f"{part.organization_id}:{dimension.id}": "satisfied"
        for part in ticket.assignments
        for dimension in ticket.whistle_class.mechanism.dimensions
    }
    world.step(ticket, "rate", "community", grades=given)


@pytest.fixture
def busy(session: Session, world: World) -> World:
    """A county in which something waits for everybody: tickets in each state, and what follows them."""
    for status in S:
        brought_to(world, status)
    rated(world)
    for answered in (False, True):
        order(world, 3, answered=answered)
    proposal = Supervision(organization=world.place("A11"), matter="井盖", reason="反复上报")
    following.made(world, proposal)
    for state in (ProblemStatus.OPEN, ProblemStatus.DONE):
        following.problem(world, state, matter=f"事项{state}")
    following.problem(world, ProblemStatus.PLANNED, owner="A-D1")
    following.decision(world)
    following.decision(world, DecisionStatus.REPORTED)
    following.decision(world, owner="A1")
    following.meeting(world)
    catch_up(session)
    session.commit()
    return world


def links(html: str) -> list[str]:
    """Return where the page's own content leads, but for the navigation around it."""
    main = html[html.index("<main") : html.index("</main>")]
    return [unescape(each) for each in re.findall(r'<a [^>]*href="([^"]+)"', main)]


def test_every_link_opens_and_every_step_is_offered(busy: World, login: Clients) -> None:
    """On both databases: nobody is led where he may not go, or to a step that he can not take."""
    steps: set[str] = set()
    for account in ACCOUNTS:
        client = login(account)
        found = links(client.get("/").text)
        for url in dict.fromkeys(found):
            path, _, anchor = url.partition("#")
            if not path:
                continue
            page = client.get(path)
            assert page.status_code == 200, (account, url)
            if anchor:
                assert f'id="{anchor}"' in page.text, (account, url)
                steps.add(anchor.removeprefix("step-"))
    assert steps >= {
        "raise", "approve", "dispatch", "accept", "arrive", "report_result", "rate", "close",
        "solve_locally", "confirm", "answer", "report", "done", "plan",
    }  # fmt: skip


@pytest.mark.parametrize("account", ACCOUNTS)
def test_any_role_sends_few_statements(
    sqlite_world: World, as_seen_by: Clients, account: str
) -> None:
    assert count_statements(as_seen_by(account), "/") <= MOST


@pytest.fixture
def sqlite_world(one_session: Session) -> World:
    """The busy county, on SQLite alone."""
    world = World(one_session)
    for status in S:
        brought_to(world, status)
    order(world, 3)
    following.problem(world, ProblemStatus.PLANNED)
    following.decision(world)
    catch_up(one_session)
    return world


def test_what_follows_stands_by_its_date(one_session: Session, as_seen_by: Clients) -> None:
    world = World(one_session)
    made = {days: order(world, days).id for days in (9, 2, 5)}
    found = queues(as_seen_by("handler").get("/").text)
    assert found["待反馈的督办"] == [made[2], made[5], made[9]]
    page = as_seen_by("handler").get("/").text
    assert page.index("剩 2 天") < page.index("剩 5 天") < page.index("剩 9 天")
    assert queues(as_seen_by("handler2").get("/").text)["待反馈的督办"] == []
    assert queues(as_seen_by("officeb").get("/").text)["等反馈的督办"] == []


def test_nothing_is_to_be_reported_before_the_meeting_was_held(
    one_session: Session, as_seen_by: Clients
) -> None:
    world = World(one_session)
    meeting = following.meeting(world)
    decided = following.decision(world, of=meeting).id
    assert queues(as_seen_by("handler").get("/").text)["待反馈的议定事项"] == []
    world.step(meeting, "hold", "office")
    assert meeting.status is MeetingStatus.HELD
    assert queues(as_seen_by("handler").get("/").text)["待反馈的议定事项"] == [decided]
    assert queues(as_seen_by("leader").get("/").text)["等反馈的议定事项"] == [decided]


def test_what_one_asked_for_is_awaited(one_session: Session, as_seen_by: Clients) -> None:
    world = World(one_session)
    given_back = brought_to(world, S.RETURN_PENDING).id
    sent = brought_to(world, S.PENDING_DISPATCH).id
    page = as_seen_by("handler").get("/").text
    assert queues(page)["等退单审核结果"] == [given_back]
    assert queues(page.split("我在等和关注的")[0]).get("等退单审核结果") is None
    found = queues(as_seen_by("community").get("/").text)
    assert sent in found["等审核和派单"]
    assert given_back in found["部门在办，最近到期在前"]


def test_who_has_supervised_is_not_offered_it_again(
    one_session: Session, as_seen_by: Clients
) -> None:
    world = World(one_session)
    ticket = world.dispatched()
    ticket.respond_due = ticket.next_due = utcnow() - dt.timedelta(days=2)
    one_session.flush()
    url = f"/supervisions/add?ticket={ticket.id}"
    assert url in as_seen_by("inspector").get("/").text
    assert url not in as_seen_by("leader").get("/").text, "leaders write no orders"
    ticket.supervised_at = utcnow()
    assert url not in as_seen_by("inspector").get("/").text


@pytest.mark.parametrize("account", ["office", "township", "community", "handler", "leader"])
def test_figures_are_what_the_measures_answer(
    one_session: Session, as_seen_by: Clients, account: str
) -> None:
    world = World(one_session)
    for _number in range(2):
        brought_to(world, S.CLOSED)
    late = world.dispatched()
    late.respond_due = late.next_due = utcnow() - dt.timedelta(minutes=1)
    for each in late.assignments:
        each.respond_due = late.respond_due
    one_session.flush()
    catch_up(one_session)
    now = utcnow()
    today = shanghai_date(now)
    asked = Question(Period(today - dt.timedelta(days=29), today))
    codes = ("response_rate", "on_time_rate", "closing_rate", "satisfaction")
    with acting_as(one_session, world.actor(account)):
        values = total(one_session, asked, [measure(code) for code in codes], now)
    shown = figures(as_seen_by(account).get("/").text)
    second = "on_time_rate" if values["on_time_rate"].value is not None else "closing_rate"
    wanted = [measure(code).title for code in ("response_rate", second, "satisfaction")]
    assert list(shown)[:3] == wanted
    for code in ("response_rate", second, "satisfaction"):
        assert shown[measure(code).title] == percent(values[code]), code


def percent(value: Value) -> str:
    """Return a share as pages write it."""
    assert value.value is not None, "there is something to be seen"
    return f"{float(value.value):.1f}%"


def test_a_trend_is_told_in_words(one_session: Session, as_seen_by: Clients) -> None:
    """Against the thirty days before; a picture has its numbers as words."""
    world = World(one_session)
    for ago, on_time in ((40, True), (3, False)):
        with acting_as(one_session, SYSTEM):
            ticket = brought_to(world, S.CLOSED)
            then = utcnow() - dt.timedelta(days=ago)
            part = ticket.assignments[0]
            ticket.dispatched_at = then
            part.created_at = then
            part.accepted_at = ticket.accepted_at = then + dt.timedelta(hours=1)
            due = then + dt.timedelta(hours=2 if on_time else 0)
            part.respond_due = ticket.respond_due = due
            one_session.flush()
    catch_up(one_session)
    page = as_seen_by("office").get("/").text
    tile = page[page.index("响应率") :][:1500]
    if "比前 30 天" not in tile:
        pytest.fail(tile)
    assert "个百分点" in tile
