"""The number shown and the count in its list agree; nobody's number has a ticket that he may not see."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.measure import TicketFact
from models.ticket import AssignmentRole, AssignmentStatus, Ticket, TicketAssignment, TicketStatus
from presets.roles import Role
from reports import facts, measure_lists
from reports.measures import (
    ALL,
    MEASURES,
    Dimension,
    Measure,
    Period,
    Question,
    Value,
    ask,
    tickets_of,
    total,
)
from rules.actor import SYSTEM, acting_as, current
from rules.errors import Invalid
from tests.conftest import Backend, session_factory
from tests.factories.lives import Life
from tests.factories.roads import brought_to
from tests.factories.world import ACCOUNTS, World

YEAR = Period(dt.date(2026, 1, 1), dt.date(2026, 12, 31))
NOW = dt.datetime(2026, 12, 31, 1, tzinfo=dt.UTC)
#: The columns whose sums a measure shows in place of a count of tickets.
SUMS = {"satisfaction": ("satisfied", "grades"), "stars": ("stars", None)}


def stocked(session: Session) -> World:
    """Return a world with tickets that have lived, and stars on some of them."""
    world, rng = World(session), random.Random(7)
    for number in range(14):
        life = Life(world, rng)
        life.begin()
        for _action in life.steps(rng.randrange(12)):
            pass
        if number % 3 == 0:
            life.ticket.stars = 1 + number % 5
    for status in (TicketStatus.CLOSED, TicketStatus.CLOSED, TicketStatus.ACCEPTED):
        brought_to(world, status)
    # The preset of this county has no deadlines but that to respond.
    for part in session.scalars(select(TicketAssignment)):
        part.arrive_due = part.created_at + dt.timedelta(days=rng.randrange(-9, 9))
        part.resolve_due = part.created_at + dt.timedelta(days=rng.choice((-1, 300)))
    session.flush()
    facts.rebuild(session)
    return world


@pytest.fixture(scope="module")
def lived(sqlite_backend: Backend) -> Iterator[World]:
    """One stocked world for all tests of this module, which only read it."""
    sqlite_backend.reset()
    with session_factory(sqlite_backend.app)() as session, acting_as(session, SYSTEM):
        yield stocked(session)
        session.rollback()


def listed(session: Session, measure: Measure, question: Question, *, part: bool) -> set[int]:
    """Return the tickets that the list shows for a number, each once."""
    (said,) = tickets_of(measure, question, part=part).values()
    found = select(Ticket.id).where(measure_lists.criterion(session, said, NOW))
    ids = session.scalars(found).all()
    assert len(ids) == len(set(ids))
    return set(ids)


def agree(session: Session, measure: Measure, question: Question, value: Value) -> int:
    """Hold both lists of a number against it; return how many tickets there are behind it."""
    seen = 0
    for part, shown, column in zip(
        (True, False), (value.part, value.of), SUMS.get(measure.code, (None, None)), strict=True
    ):
        tickets = listed(session, measure, question, part=part)
        if shown is None:
            continue
        if column is not None:
            rows = select(TicketFact).where(TicketFact.ticket_id.in_(tickets))
            assert _sum(session, rows, question, column) == shown, (measure.code, part)
        elif not (part and measure.code.endswith(("_hours", "_median"))):
            assert len(tickets) == shown, (measure.code, part)
            seen += len(tickets)
    return seen


def _sum(session: Session, rows: Any, question: Question, column: str) -> int:
    if not question.by_department:
        rows = rows.where(TicketFact.current.is_(True))
    for dimension, key in question.filters.items():
        if dimension is Dimension.DEPARTMENT:
            rows = rows.where(TicketFact.department_id == key)
    return sum(getattr(each, column) or 0 for each in session.scalars(rows))


@pytest.mark.parametrize("by", list(Dimension))
@pytest.mark.parametrize("measure", MEASURES, ids=[each.code for each in MEASURES])
def test_every_number_opens_just_its_tickets(lived: World, by: Dimension, measure: Measure) -> None:
    session = lived.session
    question = Question(YEAR, by)
    for line in ask(session, question, [measure], NOW):
        agree(session, measure, question.at(line.key), line.values[measure.code])
    whole = question.whole()
    agree(session, measure, whole, total(session, question, [measure], NOW)[measure.code])


def test_there_is_something_to_agree_on(lived: World) -> None:
    values = total(lived.session, Question(YEAR), MEASURES, NOW)
    nothing = {code for code, value in values.items() if not value.part and not value.of}
    assert nothing == set()


def test_a_crossed_cell_opens_just_its_tickets(lived: World) -> None:
    session, seen = lived.session, 0
    some = [each for each in MEASURES if each.code in ("raised", "closing_rate", "return_rate")]
    for by, across in (
        (Dimension.THEME, Dimension.DEPARTMENT),
        (Dimension.DEPARTMENT, Dimension.MONTH),
        (Dimension.COMMUNITY, Dimension.CLASS),
    ):
        question = Question(YEAR, by, across, {Dimension.COUNTY: lived.place("A").id})
        for line in ask(session, question, some, NOW):
            for measure in some:
                value = line.values[measure.code]
                if value.part is not None:
                    agree(session, measure, question.at(line.key, ALL), value)
                for key, values in line.cells.items():
                    seen += agree(
                        session, measure, question.at(line.key, key), values[measure.code]
                    )
    assert seen > 20


RAISED = (Ticket.raised_at.is_not(None), Ticket.status != TicketStatus.DRAFT)
READERS = [name for name, (_place, role) in ACCOUNTS.items() if role is not Role.DEPARTMENT_HANDLER]


@pytest.mark.parametrize("who", READERS)
def test_a_reader_counts_the_tickets_that_he_may_list(lived: World, who: str) -> None:
    session, actor = lived.session, lived.actor(who)
    with acting_as(session, actor):
        counted = total(session, Question(YEAR), MEASURES, NOW)["raised"].part
        mine = set(session.scalars(select(Ticket.id).where(*RAISED)))
        told = set(session.scalars(select(TicketFact.ticket_id)))
    if told:
        assert (counted, told) == (len(mine), mine)
    # A reviewer of returns has tickets, and no figures of them.
    assert told == mine or actor.has(Role.RETURN_REVIEWER)


@pytest.mark.parametrize("who", ["handler", "handler2"])
def test_a_department_counts_what_it_led_and_lists_what_it_leads(lived: World, who: str) -> None:
    """What it gave back or handed over stays in its own figures (see ``rules.policy``)."""
    session, actor = lived.session, lived.actor(who)
    assert actor.organization_id is not None
    question = Question(YEAR, filters={Dimension.DEPARTMENT: actor.organization_id})
    led = select(TicketAssignment).where(
        TicketAssignment.organization_id == actor.organization_id,
        TicketAssignment.role == AssignmentRole.LEAD,
    )
    parts = session.scalars(led).all()
    left = (AssignmentStatus.RETURNED, AssignmentStatus.HANDED_OVER)
    (raised,) = [each for each in MEASURES if each.code == "raised"]
    with acting_as(session, actor):
        counted = total(session, question, [raised], NOW)["raised"].part
        shown = listed(session, raised, question, part=True)
        assert total(session, Question(YEAR), [raised], NOW)["raised"].part in range(
            1, len(parts) + 1
        )
        assert set(session.scalars(select(TicketFact.department_id))) == {actor.organization_id}
    assert counted == len({each.ticket_id for each in parts})
    still = {each.ticket_id for each in parts if each.status not in left}
    assert shown == still
    assert counted is not None
    assert counted > len(shown)


def test_the_place_narrows_no_more_than_the_gate(lived: World) -> None:
    session = lived.session
    for who in ("leader", "office", "township", "community", "handler", "admin"):
        with acting_as(session, lived.actor(who)):
            gated = select(TicketFact.id).where(TicketFact.current.is_(True))
            counted = total(session, Question(YEAR), MEASURES[:1], NOW)["raised"].part
            assert counted == len(session.scalars(gated).all()), current(session).name


@pytest.mark.parametrize(
    "said",
    [
        "", "m=raised", "m=nothing&side=part&from=2026-01-01&until=2026-01-02",
        "m=raised&side=part&from=x&until=2026-01-02", "m=raised&side=of&from=2026-01-01",
        "m=raised&side=part&from=2026-01-01&until=2026-01-02&county=x",
        "m=raised&side=part&from=2026-01-01&until=2026-01-02&county=99999999999",
        "m=raised&side=part&from=2026-01-01&until=2026-01-02&planet=1",
        "m=raised&side=part&from=2026-02-01&until=2026-01-02",
        "m=raised&side=part&from=1026-01-01&until=2026-01-02",
    ],
)  # fmt: skip
def test_an_address_that_says_nothing_is_refused(lived: World, said: str) -> None:
    with pytest.raises(Invalid):
        measure_lists.criterion(lived.session, said, NOW)


def test_a_question_with_lines_names_no_list(lived: World) -> None:
    with pytest.raises(ValueError, match="at or whole"):
        tickets_of(MEASURES[0], Question(YEAR, Dimension.THEME))


def test_an_address_says_in_words_what_it_means(lived: World) -> None:
    filters = {Dimension.TOWNSHIP: lived.place("A1").id, Dimension.MATTER: None}
    question = Question(YEAR, filters=filters)
    rate = next(each for each in MEASURES if each.code == "closing_rate")
    (said,) = tickets_of(rate, question, part=False).values()
    behind, words = measure_lists.meant(lived.session, said)
    assert (behind.measure, behind.part, behind.question.period) == (rate, False, YEAR)
    assert words == [
        (Dimension.TOWNSHIP, lived.place("A1").id, "甲一镇"),
        (Dimension.MATTER, None, "未对应事项"),
    ]
    odd = Question(YEAR, filters={Dimension.MATTER: "管道&漏水=50%～ 100%"})
    (said,) = tickets_of(MEASURES[0], odd).values()
    assert measure_lists.read(said).question == odd
