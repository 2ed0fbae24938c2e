"""A long list, page by page: each record in reach once, in order, both ways, in a few statements."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from bench.databases import engine_of
from bench.simulator import Simulator
from bench.timing import statements
from models.account import Account
from models.ticket import Ticket, TicketParty, TicketStatus
from presets.roles import Role
from rules.actor import actor_of
from views.listing import PAGE_SIZE

MADE = 500
SHOWN = re.compile(r'href="/tickets/show/(\d+)"')
CLOSED = Ticket.status == TicketStatus.CLOSED
BLOCK = Ticket.title.contains("院")


@pytest.fixture
def ledger(session: Session) -> Session:
    """A session on the world with tickets for several pages."""
    Simulator(session, MADE, 5, dt.date(2026, 11, 21)).run()
    session.commit()
    return session


def reached(session: Session, username: str, *tests: Any) -> list[int]:
    """Return the tickets that an account reaches by its party rows, newest first."""
    account = session.scalars(select(Account).where(Account.username == username)).one()
    actor = actor_of(session, account)
    handles = actor.has(Role.DEPARTMENT_HANDLER)
    place = actor.organization_id if handles else actor.area_id
    own = select(TicketParty.ticket_id).where(TicketParty.organization_id == place)
    query = select(Ticket.id).where(Ticket.id.in_(own), *tests).order_by(Ticket.id.desc())
    return list(session.scalars(query))


def shown(page: str) -> list[int]:
    """Return the tickets of a list page in order."""
    return list(dict.fromkeys(int(found) for found in SHOWN.findall(page)))


def follow(client: FlaskClient, url: str, mark: str) -> list[list[int]]:
    """Return the pages from a list's address on, by their links with this cursor."""
    pages = []
    while url:
        page = client.get(url).text
        pages.append(shown(page))
        links = (unescape(each) for each in re.findall(r'href="(/tickets/list/[^"]*)"', page))
        url = next((each for each in links if f"{mark}=" in each), "")
    return pages


@pytest.mark.parametrize("username", ["office", "township", "community", "handler"])
def test_every_ticket_in_reach_stands_on_one_page_in_order(
    ledger: Session, login: Callable[[str], FlaskClient], username: str
) -> None:
    client = login(username)
    for address, tests in (("", ()), ("tab=closed", (CLOSED,)), ("q=院", (BLOCK,))):
        expected = reached(ledger, username, *tests)
        assert len(expected) > PAGE_SIZE
        forth = follow(client, f"/tickets/list/?{address}", "after")
        assert [each for page in forth for each in page] == expected
        back = follow(client, f"/tickets/list/?{address}&last=1", "before")
        assert [each for page in reversed(back) for each in page] == expected
        counted = re.search(r"共 (\d+) 条", client.get(f"/tickets/list/?{address}").text)
        assert counted is not None
        assert int(counted[1]) == len(expected)


def test_a_page_takes_the_same_few_statements_however_many_rows(
    ledger: Session, login: Callable[[str], FlaskClient], app: Any
) -> None:
    taken = set()
    for username, address in (("community", ""), ("office", ""), ("office", "q=路灯")):
        client = login(username)
        with statements(engine_of(app)) as seen:
            assert client.get(f"/tickets/list/?{address}").status_code == 200
        taken.add(len(seen))
    assert max(taken) <= 6
