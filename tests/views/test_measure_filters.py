"""The ticket list shows the tickets behind a number, says so, and lets the filter be dropped."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from sqlalchemy.orm import Session

from models.ticket import TicketStatus as S
from reports import facts
from reports.measures import Dimension, Period, Question, measure, tickets_of
from rules.actor import SYSTEM, acting_as
from tests.conftest import Backend, logger_in, session_factory
from tests.factories.roads import brought_to
from tests.factories.world import World

EVER = Question(Period(dt.date(2020, 1, 1), dt.date(2100, 12, 31)))
LISTED = re.compile(r'href="/tickets/show/(\d+)"')


@pytest.fixture
def ids(sqlite: Backend) -> Iterator[dict[S, int]]:
    """Tickets in some states, committed and folded, by their state."""
    with session_factory(sqlite.app)() as session, acting_as(session, SYSTEM):
        yield _stock(session)


def _stock(session: Session) -> dict[S, int]:
    world = World(session)
    found = {status: brought_to(world, status).id for status in (S.CLOSED, S.ACCEPTED, S.DECLINED)}
    facts.catch_up(session)
    session.commit()
    return found


def test_each_side_of_a_number_opens_its_list(sqlite: Backend, ids: dict[S, int]) -> None:
    client = logger_in(sqlite.app)("office")
    wanted = {True: {ids[S.CLOSED]}, False: {ids[S.CLOSED], ids[S.ACCEPTED]}}
    for part, tickets in wanted.items():
        args = tickets_of(measure("closing_rate"), EVER, part=part)
        page = client.get(f"/tickets/list/?{urlencode(args)}")
        assert page.status_code == 200
        assert {int(each) for each in LISTED.findall(page.text)} == tickets
        assert f"办结率（{'分子' if part else '分母'}）：2020-01-01 至 2100-12-31" in page.text
    assert "办结率" not in client.get("/tickets/list/").text


def test_a_list_of_another_county_is_empty(sqlite: Backend, ids: dict[S, int]) -> None:
    args = tickets_of(measure("raised"), EVER)
    page = logger_in(sqlite.app)("officeb").get(f"/tickets/list/?{urlencode(args)}")
    assert LISTED.findall(page.text) == []
    assert "没有符合条件的记录" in page.text


def test_other_filters_and_tabs_narrow_it_further(sqlite: Backend, ids: dict[S, int]) -> None:
    client = logger_in(sqlite.app)("office")
    args = tickets_of(measure("raised"), EVER) | {"tab": "closed"}
    page = client.get(f"/tickets/list/?{urlencode(args)}")
    assert {int(each) for each in LISTED.findall(page.text)} == {ids[S.CLOSED]}
    args = tickets_of(measure("raised"), EVER) | {"status": "declined"}
    page = client.get(f"/tickets/list/?{urlencode(args)}")
    assert {int(each) for each in LISTED.findall(page.text)} == {ids[S.DECLINED]}


def test_an_address_that_means_nothing_is_told(sqlite: Backend, ids: dict[S, int]) -> None:
    page = logger_in(sqlite.app)("office").get("/tickets/list/?measure=nonsense")
    assert page.status_code == 422
    assert "指标的链接不完整" in page.text


def test_a_line_of_a_department_opens_what_it_led(sqlite: Backend, ids: dict[S, int]) -> None:
    with session_factory(sqlite.app)() as session, acting_as(session, SYSTEM):
        department = World(session).place("A-D1").id
    question = Question(EVER.period, filters={Dimension.DEPARTMENT: department})
    args = tickets_of(measure("dispatched"), question)
    page = logger_in(sqlite.app)("leader").get(f"/tickets/list/?{urlencode(args)}")
    found = {int(each) for each in LISTED.findall(page.text)}
    assert found == {ids[S.CLOSED], ids[S.ACCEPTED]}
    assert "甲县住建局" in page.text
