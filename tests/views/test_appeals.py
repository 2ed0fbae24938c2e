"""An appeal by HTTP: from the ticket's page to the office's decision, as each side sees it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.appeal import AppealStatus, RatingAppeal
from models.base import utcnow
from models.grade import Grade
from models.rating import Rating
from models.ticket import Ticket
from models.ticket import TicketStatus as S
from tests.factories.appeals import appealed
from tests.factories.roads import brought_to, grades
from tests.factories.world import World
from tests.views.pages import record_form, step_forms, words_of

Client = Callable[[str], FlaskClient]
DAY = dt.timedelta(days=1)


def said(html: str) -> str:
    """Return the words of a page in one line."""
    return " ".join(words_of(html))


@pytest.fixture
def world(one_session: Session) -> World:
    """The seeded world on SQLite."""
    return World(one_session)


@pytest.fixture
def ticket(world: World) -> Ticket:
    """A ticket whose departments were graded 基本满意 yesterday."""
    found = brought_to(world, S.RESOLVED)
    given = grades(found, Grade.FAIR)
    world.step(found, "rate", "community", now=utcnow() - DAY, grades=given)
    return found


def filed(as_seen_by: Client, ticket: Ticket, who: str = "handler") -> str:
    """File an appeal by its form, and return the address of its page."""
    path = f"/appeals/file/{ticket.id}"
    form = record_form(as_seen_by(who).get(path).text)
    answer = as_seen_by(who).post(path, data=form.data(reason="照片证明当天修好"))
    assert answer.status_code == 302, said(answer.text)
    return str(answer.headers["Location"])


def test_the_button_stands_on_the_ticket_for_whoever_may_appeal(
    as_seen_by: Client, ticket: Ticket
) -> None:
    path = f"/tickets/show/{ticket.id}"
    for who, there in (
        ("handler", True), ("handler2", True), ("community", False), ("office", False),
        ("leader", False),
    ):  # fmt: skip
        assert (f"/appeals/file/{ticket.id}" in as_seen_by(who).get(path).text) is there, who


def test_no_button_once_it_is_too_late(as_seen_by: Client, world: World) -> None:
    found = brought_to(world, S.RESOLVED)
    given = grades(found, Grade.FAIR)
    world.step(found, "rate", "community", now=utcnow() - 9 * DAY, grades=given)
    assert "/appeals/file/" not in as_seen_by("handler").get(f"/tickets/show/{found.id}").text
    answer = as_seen_by("handler").get(f"/appeals/file/{found.id}")
    assert answer.status_code == 409
    assert "现在已经超过，不再受理" in answer.text


def test_an_appeal_is_filed_decided_and_seen_by_both_sides(
    as_seen_by: Client, one_session: Session, ticket: Ticket
) -> None:
    url = filed(as_seen_by, ticket)
    seen = said(as_seen_by("community").get(url).text)
    assert "照片证明当天修好" in seen
    assert "待复核" in seen
    assert step_forms(as_seen_by("community").get(url).text) == {}
    assert "申诉评价" not in said(as_seen_by("handler").get(f"/tickets/show/{ticket.id}").text)
    form = step_forms(as_seen_by("office").get(url).text)["correct"]
    data = form.data(note="照片属实")
    fields = [name for name in data if name.startswith("grade-")]
    assert {tuple(data[name]) for name in fields} == {("fair",)}, "as the grades stand"
    data[fields[0]] = ["satisfied"]
    answer = as_seen_by("office").post(form.action, data=data)
    assert answer.status_code == 302, said(answer.text)
    one_session.expire_all()
    appeal = one_session.scalars(select(RatingAppeal)).one()
    assert (appeal.status, appeal.decision) == (AppealStatus.CORRECTED, "照片属实")
    assert one_session.scalars(select(Rating.grade).where(Rating.revision == 2)).all() == [
        Grade.SATISFIED
    ]
    for who in ("handler", "community", "office"):
        page = said(as_seen_by(who).get(f"/tickets/show/{ticket.id}").text)
        assert "申诉改评" in page
        assert "已改评" in page
        assert "照片属实" in page


def test_a_correction_that_is_refused_keeps_what_was_filled_in(
    as_seen_by: Client, ticket: Ticket
) -> None:
    url = filed(as_seen_by, ticket)
    form = step_forms(as_seen_by("office").get(url).text)["correct"]
    data = form.data(note="照片属实")
    for name in data:
        if name.startswith("grade-"):
            data[name] = ["dissatisfied"]
    answer = as_seen_by("office").post(form.action, data=data)
    assert answer.status_code == 422
    assert "只能提高评价，不能降低" in answer.text
    again = step_forms(answer.text)["correct"].data()
    assert again["note"] == ["照片属实"]
    assert {tuple(again[name]) for name in again if name.startswith("grade-")} == {
        ("dissatisfied",)
    }


def test_upheld_and_withdrawn(as_seen_by: Client, one_session: Session, ticket: Ticket) -> None:
    first = filed(as_seen_by, ticket)
    form = step_forms(as_seen_by("handler").get(first).text)["withdraw"]
    assert as_seen_by("handler").post(form.action, data=form.data()).status_code == 302
    second = filed(as_seen_by, ticket)
    form = step_forms(as_seen_by("office").get(second).text)["uphold"]
    answer = as_seen_by("office").post(form.action, data=form.data(note="现场仍未修好"))
    assert answer.status_code == 302
    statuses = one_session.scalars(select(RatingAppeal.status).order_by(RatingAppeal.id)).all()
    assert statuses == [AppealStatus.WITHDRAWN, AppealStatus.UPHELD]
    assert as_seen_by("handler").get(f"/appeals/file/{ticket.id}").status_code == 409


def test_a_reason_is_asked_for(as_seen_by: Client, one_session: Session, ticket: Ticket) -> None:
    path = f"/appeals/file/{ticket.id}"
    form = record_form(as_seen_by("handler").get(path).text)
    answer = as_seen_by("handler").post(path, data=form.data(reason=" "))
    assert answer.status_code == 422
    assert one_session.scalars(select(RatingAppeal)).all() == []


@pytest.mark.parametrize(
    ("who", "status"),
    [("handlerb", 404), ("community", 403), ("office", 403), ("leader", 403), ("admin", 403)],
)
def test_nobody_else_files(as_seen_by: Client, ticket: Ticket, who: str, status: int) -> None:
    path = f"/appeals/file/{ticket.id}"
    assert as_seen_by(who).get(path).status_code in (status, 302)
    assert as_seen_by(who).post(path, data={"reason": "x"}).status_code in (status, 302, 400)


def test_appeals_are_seen_by_their_sides_and_their_area(
    as_seen_by: Client, world: World, ticket: Ticket
) -> None:
    appeal = appealed(world, ticket, utcnow())
    sees = {"handler", "community", "township", "office", "inspector", "leader", "admin"}
    for who in (*sees, "handler2", "community2", "township2", "officeb", "handlerb"):
        there = who in sees
        page = as_seen_by(who).get("/appeals/list/").text
        assert (f"/appeals/show/{appeal.id}" in page) is there, who
        answer = as_seen_by(who).get(f"/appeals/show/{appeal.id}")
        assert answer.status_code == (200 if there else 404), who


def test_an_empty_list_says_where_appeals_are_made(as_seen_by: Client) -> None:
    assert "在哨单页面点“申诉评价”" in as_seen_by("handler").get("/appeals/list/").text
