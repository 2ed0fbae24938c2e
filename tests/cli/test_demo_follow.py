"""The demo county has something on every page that follows tickets up, made by the rules themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cli.demo import load
from models.appeal import AppealStatus, RatingAppeal
from models.base import utcnow
from models.bulletin import Bulletin, BulletinStatus
from models.ledger import Event
from models.measure import FactMark, TicketFact
from models.meeting import CoordinationMeeting, DecisionStatus, MeetingDecision, MeetingStatus
from models.notice import Notice
from models.organization import Organization
from models.recurring import ProblemStatus, RecurringProblem
from models.supervision import Supervision, SupervisionStatus
from models.ticket import Ticket, TicketStatus
from presets import demo_county as county
from presets.demo_follow import COMMUNITIES, MATTERS, OVERDUE
from reports.measures import MEASURES, Period, Question, total
from rules import recurring
from rules.actor import SYSTEM, acting_as
from rules.attachments import path_of
from rules.calendar import shanghai_date
from rules.ledger import faults
from rules.problems import last_months
from tests.conftest import close, make_app, session_factory

PAST = sum(each.times for each in MATTERS) + 1  # and one that was given back


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """The demo county as ``flask demo`` loads it, in a database of the module's own."""
    folder: Path = tmp_path_factory.mktemp("demo")
    app = make_app(f"sqlite:///{folder / 'demo.db'}", folder)
    with app.app_context():
        flask_migrate.upgrade(directory=str(Path(app.root_path) / "migrations"))
        with session_factory(app)() as session, acting_as(session, SYSTEM):
            load(session, "demo-password-1")
            session.commit()
            yield session
    close(app)


def number(session: Session, model: type[Any], *tests: Any) -> int:
    """Return how many records of a type pass."""
    return session.scalar(select(func.count()).select_from(model).where(*tests)) or 0


def past(session: Session) -> list[Ticket]:
    """Return the tickets that lie behind those of the present, oldest first."""
    own = {each.title for each in county.TICKETS}
    return [
        each
        for each in session.scalars(select(Ticket).order_by(Ticket.id))
        if each.title not in own
    ]


def test_half_a_year_lies_behind_the_tickets_of_the_present(demo: Session) -> None:
    """What was there before is newer in every order, and as it was."""
    found, now = past(demo), utcnow()
    closed = [each for each in found if each.status is TicketStatus.CLOSED]
    assert len(closed) == PAST
    assert len(found) == PAST + 1
    assert max(each.id for each in found) < min(
        demo.scalars(select(Ticket.id).where(Ticket.title.in_(e.title for e in county.TICKETS)))
    )
    raised = [each.raised_at for each in closed if each.raised_at is not None]
    assert len(raised) == PAST
    assert max(raised) < now - dt.timedelta(days=7)
    assert now - dt.timedelta(days=190) < min(raised) < now - dt.timedelta(days=150)
    codes = {demo.get_one(Organization, each.organization_id).code for each in found}
    assert codes == set(COMMUNITIES)
    assert len({each.lead_id for each in found}) >= 4


def test_nothing_happens_in_the_future_or_before_what_it_follows(demo: Session) -> None:
    now = utcnow()
    steps = demo.scalars(select(Event).order_by(Event.record_type, Event.record_id, Event.sequence))
    for (kind, _pk), chain in groupby(steps, key=lambda each: (each.record_type, each.record_id)):
        events = list(chain)
        assert faults(events) == []
        assert all(each.at <= now for each in events)
        if kind == "ticket":
            assert [each.at for each in events] == sorted(each.at for each in events)


def test_the_figures_have_both_sides(demo: Session) -> None:
    """Late ones and kept ones, returned, reopened, and grades of all kinds; all of it folded."""
    assert number(demo, FactMark) == 0
    today = shanghai_date(utcnow())
    asked = Question(Period(today - dt.timedelta(days=200), today))
    wanted = {"response_rate", "closing_rate", "return_rate", "reopen_rate", "satisfaction"}
    values = total(demo, asked, [each for each in MEASURES if each.code in wanted], utcnow())
    for code in wanted:
        value = values[code].value
        assert value is not None, code
        assert 0 < value < 100, code
    assert len(set(demo.scalars(select(TicketFact.month)))) >= 6


def test_matters_come_back_and_one_is_a_problem(demo: Session) -> None:
    town = demo.scalars(select(Organization).where(Organization.code == county.TOWNSHIP)).one()
    found = recurring.found(demo, [town.id], utcnow(), 3, 90)
    assert {each.matter for each in found} >= {MATTERS[0].item, MATTERS[2].item}
    problem = demo.scalars(select(RecurringProblem)).one()
    assert problem.status is ProblemStatus.PLANNED
    assert problem.matter == MATTERS[0].item
    assert len(problem.tickets) == 6
    assert problem.found_count == MATTERS[0].times


def test_orders_decisions_and_an_appeal_wait(demo: Session) -> None:
    orders = {each.status: each for each in demo.scalars(select(Supervision))}
    assert set(orders) == {SupervisionStatus.ISSUED, SupervisionStatus.PROPOSED}
    issued = orders[SupervisionStatus.ISSUED]
    assert issued.ticket is not None
    assert issued.ticket.title == OVERDUE.title
    assert issued.ticket.supervised_at is not None
    meeting = demo.scalars(select(CoordinationMeeting)).one()
    assert meeting.status is MeetingStatus.HELD
    assert len(meeting.items) == 2
    states = set(demo.scalars(select(MeetingDecision.status)))
    assert states == {DecisionStatus.OPEN, DecisionStatus.REPORTED}
    assert demo.scalars(select(RatingAppeal)).one().status is AppealStatus.PENDING


def test_last_month_s_bulletin_is_issued(demo: Session) -> None:
    """With its files, as what was read before it was issued."""
    bulletin = demo.scalars(select(Bulletin)).one()
    assert bulletin.status is BulletinStatus.ISSUED
    today = shanghai_date(utcnow())
    assert bulletin.month == last_months(today, 2)[0]
    folder = Path(current_app.config["DATA_DIR"])
    for digest in (bulletin.docx_hash, bulletin.xlsx_hash):
        assert path_of(str(digest), folder).stat().st_size > 5_000


def test_the_past_is_nobodys_news(demo: Session) -> None:
    """What was told of it is read, and not sent to anybody any more."""
    ids = [each.id for each in past(demo) if each.status is TicketStatus.CLOSED]
    told = (Notice.record_type == "ticket", Notice.record_id.in_(ids))
    assert number(demo, Notice, *told) > PAST
    assert number(demo, Notice, *told, Notice.read_at.is_(None)) == 0
    assert number(demo, Notice, *told, Notice.routed_at.is_(None)) == 0
    assert number(demo, Notice, Notice.read_at.is_(None)) > 0
