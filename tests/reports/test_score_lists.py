"""Each number of the scores opens the list of its tickets, and says in words which."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from sqlalchemy import select

from models.appeal import AppealStatus
from models.grade import Grade
from models.ticket import Ticket
from reports import score_lists
from reports.measures import Period
from reports.score_lists import Behind
from reports.scores import Card, departments
from rules.actor import acting_as
from rules.errors import Invalid
from tests.factories.scored import DAY, Scored
from tests.factories.world import World

PERIOD = Period(DAY - dt.timedelta(days=20), DAY + dt.timedelta(days=20))


@pytest.fixture
def scored(one_world: World) -> Scored:
    """Makes graded tickets."""
    return Scored(one_world)


def cards(world: World, who: str = "office") -> list[Card]:
    with acting_as(world.session, world.actor(who)):
        return departments(world.session, PERIOD).cards


def listed(world: World, who: str, behind: Behind, number: int) -> int:
    text = score_lists.tickets_of(behind, number, PERIOD)["score"]
    with acting_as(world.session, world.actor(who)):
        test = score_lists.criterion(world.session, text, dt.datetime.now(dt.UTC))
        return len(world.session.scalars(select(Ticket.id).where(test)).all())


def test_the_list_behind_a_number_holds_as_many_tickets(scored: Scored, one_world: World) -> None:
    scored.scatter(random.Random(3), 40)
    (ticket,) = scored.graded("A-D1", Grade.FAIR)
    scored.appeal(ticket, "A-D1", AppealStatus.PENDING)
    number = one_world.place("A-D1").id
    found = {each.id: each for each in cards(one_world)}
    for card in found.values():
        assert listed(one_world, "office", Behind.GRADED, card.id) == card.tickets
    assert found[number].pending == listed(one_world, "office", Behind.APPEALED, number) == 1
    assert listed(one_world, "officeb", Behind.GRADED, number) == 0


@pytest.mark.parametrize(
    "text",
    ["", "of=graded", "of=none&who=1&from=2026-01-01&until=2026-02-01",
     "of=graded&who=x&from=2026-01-01&until=2026-02-01",
     "of=graded&who=99999999999&from=2026-01-01&until=2026-02-01",
     "of=graded&who=1&from=2026-03-01&until=2026-02-01"],
)  # fmt: skip
def test_an_address_that_says_nothing_is_refused(one_world: World, text: str) -> None:
    with pytest.raises(Invalid):
        score_lists.criterion(one_world.session, text, dt.datetime.now(dt.UTC))


def test_the_words_of_a_list_name_whose_it_is(one_world: World) -> None:
    text = score_lists.tickets_of(Behind.GRADED, one_world.place("A-D1").id, PERIOD)["score"]
    behind, name, period = score_lists.meant(one_world.session, text)
    assert (behind, name, period) == (Behind.GRADED, "甲县住建局", PERIOD)
