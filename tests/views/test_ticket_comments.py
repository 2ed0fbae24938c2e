"""Words between the parties of a ticket: who says them, who hears of them, what they leave alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.account import Account
from models.ledger import Event
from models.notice import Notice
from models.ticket import Ticket
from models.ticket_file import PhotoMoment, TicketComment
from tests.conftest import Backend
from tests.views.pages import HtmlForm, errors_of, forms_of, step_forms
from tests.views.tickets_at import Tickets

Client = Callable[[str], FlaskClient]


@pytest.fixture
def tickets(sqlite: Backend, one_session: Session) -> Tickets:
    """Makes tickets on SQLite."""
    return Tickets(one_session, Path(sqlite.app.config["DATA_DIR"]))


def comment_form(html: str) -> HtmlForm | None:
    """Return the page's form for a comment, if it has one."""
    return next((form for form in forms_of(html) if "/comment/" in form.action), None)


def comments(session: Session) -> list[TicketComment]:
    """Return what was said, in order."""
    session.expire_all()
    return list(session.scalars(select(TicketComment).order_by(TicketComment.id)))


@pytest.mark.parametrize("who", ["community", "township", "office", "handler", "handler2"])
def test_every_party_may_say_something(tickets: Tickets, as_seen_by: Client, who: str) -> None:
    ticket = tickets.dispatched("A-D2")
    client = as_seen_by(who)
    form = comment_form(client.get(f"/tickets/show/{ticket.id}").text)
    assert form is not None
    answer = client.post(form.action, data=form.data(text=" 明天上午到\r\n请留门 "))
    assert answer.status_code == 302, errors_of(answer.text)
    (said,) = comments(tickets.session)
    assert said.text == "明天上午到\n请留门"
    assert said.author_name == who
    assert said.organization_name == tickets.world.actor(who).organization_name
    for reader in ("community", "handler2", "leader", "inspector"):
        assert "请留门" in as_seen_by(reader).get(f"/tickets/show/{ticket.id}").text


@pytest.mark.parametrize("who", ["leader", "inspector", "admin"])
def test_who_only_reads_has_no_form(tickets: Tickets, as_seen_by: Client, who: str) -> None:
    ticket = tickets.dispatched()
    client = as_seen_by(who)
    assert comment_form(client.get(f"/tickets/show/{ticket.id}").text) is None
    answer = client.post(f"/tickets/comment/{ticket.id}", data={"text": "我也说一句"})
    assert answer.status_code == 403
    assert comments(tickets.session) == []


@pytest.mark.parametrize("who", ["handler2", "community2", "officeb", "handlerb", "unit"])
def test_strangers_neither_read_nor_write(tickets: Tickets, as_seen_by: Client, who: str) -> None:
    """Another department, another community, another county: as if the ticket were not there."""
    ticket = tickets.dispatched()
    tickets.say(ticket, "handler", "内部情况")
    photo = tickets.photo(ticket, "community", PhotoMoment.BEFORE)
    client = as_seen_by(who)
    refused = 403 if who == "unit" else 404
    for path in ("show", "slip"):
        answer = client.get(f"/tickets/{path}/{ticket.id}")
        assert answer.status_code == refused
        assert "内部情况" not in answer.text
    for path in ("photo", "thumb"):
        assert client.get(f"/tickets/{path}/{photo.id}").status_code == refused
    answer = client.post(f"/tickets/comment/{ticket.id}", data={"text": "插一句"})
    assert answer.status_code == refused
    assert [each.text for each in comments(tickets.session)] == ["内部情况"]


def test_a_department_that_is_off_work_is_out(tickets: Tickets, as_seen_by: Client) -> None:
    ticket = tickets.dispatched("A-D2")
    gone = tickets.world.place("A-D2").id
    tickets.take(ticket, "office", "remove_assisting", assisting=[gone], note="不用了")
    answer = as_seen_by("handler2").post(f"/tickets/comment/{ticket.id}", data={"text": "还在吗"})
    assert answer.status_code == 404
    assert comments(tickets.session) == []


def told(session: Session, ticket: Ticket, text: str) -> set[str]:
    """Return who has a notice that says something about a ticket."""
    query = (
        select(Account.username)
        .join(Notice, Notice.account_id == Account.id)
        .where(Notice.title.contains(text), Notice.record_id == ticket.id)
    )
    return set(session.scalars(query))


def test_the_others_are_told_and_nobody_else(tickets: Tickets) -> None:
    ticket = tickets.dispatched("A-D2")
    tickets.say(ticket, "handler", "管道图找到了")
    assert told(tickets.session, ticket, "管道图") == {"community", "handler2", "office"}
    tickets.say(ticket, "community", "好的知道了")
    assert told(tickets.session, ticket, "好的知道") == {"handler", "handler2", "office"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "请写下要说的话"),
        (" \r\n ", "请写下要说的话"),
        ("长" * 1001, "最多 1000 字，现有 1001 字"),
    ],
)
def test_what_is_refused_stays_in_its_box(
    tickets: Tickets, as_seen_by: Client, text: str, sentence: str
) -> None:
    ticket = tickets.dispatched()
    client = as_seen_by("handler")
    answer = client.post(f"/tickets/comment/{ticket.id}", data={"text": text})
    assert answer.status_code == 422
    assert sentence in errors_of(answer.text)
    again = comment_form(answer.text)
    assert again is not None
    assert again.data()["text"] == [text]
    assert comments(tickets.session) == []


def test_a_thousand_characters_are_not_too_many(tickets: Tickets, as_seen_by: Client) -> None:
    ticket = tickets.dispatched()
    client = as_seen_by("handler")
    answer = client.post(f"/tickets/comment/{ticket.id}", data={"text": "长" * 1000})
    assert answer.status_code == 302
    assert len(comments(tickets.session)[0].text) == 1000


def test_a_word_makes_no_step_stale(tickets: Tickets, as_seen_by: Client) -> None:
    """Somebody speaks while another fills in his step: both are kept, and no event is written."""
    ticket = tickets.dispatched()
    version = ticket.version
    client = as_seen_by("handler")
    form = step_forms(client.get(f"/tickets/show/{ticket.id}").text)["accept"]
    said = as_seen_by("community").post(f"/tickets/comment/{ticket.id}", data={"text": "快来"})
    assert said.status_code == 302
    tickets.session.expire_all()
    assert ticket.version == version
    assert client.post(form.action, data=form.data(note="收到")).status_code == 302
    steps = tickets.session.scalars(
        select(Event.action).where(Event.record_type == "ticket", Event.record_id == ticket.id)
    ).all()
    assert steps[-1] == "accept"
    assert "comment" not in steps


def test_what_is_said_is_text_and_nothing_more(tickets: Tickets, as_seen_by: Client) -> None:
    ticket = tickets.dispatched()
    tickets.say(ticket, "community", "<script>alert(1)</script>")
    html = as_seen_by("office").get(f"/tickets/show/{ticket.id}").text
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_a_draft_has_nobody_to_talk_to(tickets: Tickets, as_seen_by: Client) -> None:
    ticket = tickets.world.draft()
    assert comment_form(as_seen_by("community").get(f"/tickets/show/{ticket.id}").text) is None
