"""What is refused on a ticket's page: the text, the choices and the photos stay in the form."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.ticket import TicketStatus
from models.ticket_file import PhotoMoment, TicketPhoto
from tests.conftest import Backend
from tests.views.pages import errors_of, step_forms
from tests.views.tickets_at import Tickets, jpeg

Client = Callable[[str], FlaskClient]


@pytest.fixture
def tickets(sqlite: Backend, one_session: Session) -> Tickets:
    """Makes tickets on SQLite."""
    return Tickets(one_session, Path(sqlite.app.config["DATA_DIR"]))


def test_photos_and_text_outlive_a_refusal(tickets: Tickets, as_seen_by: Client) -> None:
    """A result without words is refused; what was photographed need not be sent again."""
    ticket = tickets.dispatched()
    tickets.take(ticket, "handler", "accept", "arrive")
    client = as_seen_by("handler")
    form = step_forms(client.get(f"/tickets/show/{ticket.id}").text)["report_result"]
    data: dict[str, object] = {**form.data(result=""), "photos": (io.BytesIO(jpeg(5)), "a.jpg")}
    refused = client.post(form.action, data=data)
    assert refused.status_code == 422
    assert "请填写“办理结果”" in errors_of(refused.text)
    again = step_forms(refused.text)["report_result"]
    assert 'id="step-report_result" data-dialog open' in refused.text
    assert len(again.data()["photos"]) == 1, "as a box to untick, signed for this person"
    done = client.post(again.action, data=again.data(result="换了灯泡"))
    assert done.status_code == 302, errors_of(done.text)
    tickets.session.expire_all()
    (photo,) = tickets.session.scalars(select(TicketPhoto))
    assert photo.moment is PhotoMoment.AFTER
    assert photo.step is not None
    page = client.get(f"/tickets/show/{ticket.id}").text
    assert f"/tickets/thumb/{photo.id}" in page


def test_a_rule_s_refusal_leaves_the_form_as_it_was(tickets: Tickets, as_seen_by: Client) -> None:
    ticket = tickets.dispatched()
    client = as_seen_by("handler")
    form = step_forms(client.get(f"/tickets/show/{ticket.id}").text)["request_extension"]
    data = form.data(new_due="2020-01-01", note="等配件从外地运来")
    refused = client.post(form.action, data=data)
    assert refused.status_code == 422
    again = step_forms(refused.text)["request_extension"]
    assert again.data()["note"] == ["等配件从外地运来"]
    assert again.data()["new_due"] == ["2020-01-01"]
    assert "新期限应晚于现在的办结期限" in refused.text
    assert "您刚才填写的内容没有保存" not in refused.text, "it stands in its own form"


def test_the_second_of_two_keeps_his_text_to_copy(tickets: Tickets, as_seen_by: Client) -> None:
    """The step is over: what was written for it is shown, for there is no form for it any more."""
    ticket = tickets.dispatched()
    path = f"/tickets/show/{ticket.id}"
    client = as_seen_by("handler")
    mine = step_forms(client.get(path).text)["accept"]
    theirs = step_forms(client.get(path).text)["accept"]
    assert client.post(theirs.action, data=theirs.data(note="我来")).status_code == 302
    late = client.post(mine.action, data=mine.data(note="我也正要签收"))
    assert late.status_code == 409
    assert "最近一步是甲县住建局handler办理的“应哨签收”" in errors_of(late.text)
    assert "您刚才填写的内容没有保存" in late.text
    assert "我也正要签收" in late.text


def test_a_stale_form_can_be_sent_again_with_open_eyes(
    tickets: Tickets, as_seen_by: Client
) -> None:
    """A return was asked for and refused meanwhile: the step fits again, and is asked for anew."""
    ticket = tickets.dispatched()
    client = as_seen_by("handler")
    mine = step_forms(client.get(f"/tickets/show/{ticket.id}").text)["request_return"]
    tickets.take(ticket, "handler", "accept")
    stale = as_seen_by("handler").post(mine.action, data=mine.data(note="不归我局管"))
    assert stale.status_code == 409
    again = step_forms(stale.text)["request_return"]
    assert again.data()["note"] == ["不归我局管"]
    assert client.post(again.action, data=again.data()).status_code == 302
    tickets.session.expire_all()
    assert ticket.status is TicketStatus.RETURN_PENDING


def test_times_from_paper_are_typed_in_local_time(tickets: Tickets, as_seen_by: Client) -> None:
    ticket = tickets.world.draft()
    client = as_seen_by("township")
    form = step_forms(client.get(f"/tickets/show/{ticket.id}").text)["enter_paper"]
    for wrong in ("昨天", "2026-13-01T00:00", "0001-01-01T00:00", "2026-11-21"):
        refused = client.post(form.action, data=form.data(raised_at=wrong))
        assert refused.status_code == 422, wrong
        assert step_forms(refused.text)["enter_paper"].data()["raised_at"] == [wrong]
    done = client.post(form.action, data=form.data(raised_at="2026-01-05T08:30"))
    assert done.status_code == 302, errors_of(done.text)
    tickets.session.expire_all()
    assert ticket.raised_at is not None
    assert ticket.raised_at.isoformat() == "2026-01-05T00:30:00+00:00"
