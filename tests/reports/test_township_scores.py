"""Township scores: what counts for and against a township, slowly counted; small numbers; lists."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.appeal import AppealStatus, RatingAppeal
from models.grade import Grade
from models.measure import TicketFact
from models.ticket import AssignmentRole, Ticket, TicketAssignment
from models.ticket import TicketStatus as S
from reports import score_lists
from reports.facts import catch_up
from reports.measures import Period
from reports.score_lists import Behind
from reports.shrinking import FLOOR, PRIOR
from reports.township_scores import PARTS, RATE_DAYS, Share, TownshipCard, own_place, townships
from rules.actor import acting_as
from rules.calendar import shanghai_date
from tests.factories.roads import brought_to
from tests.factories.scored import DAY, Scored
from tests.factories.world import World

PERIOD = Period(DAY - dt.timedelta(days=20), DAY + dt.timedelta(days=20))
#: A whole month, and some days of those beside it.
LONG = Period(dt.date(2026, 2, 17), dt.date(2026, 4, 5))
NOW = dt.datetime(2026, 4, 20, 4, tzinfo=dt.UTC)


@pytest.fixture
def scored(one_world: World) -> Scored:
    """Makes tickets with facts."""
    return Scored(one_world)


def cards(world: World, who: str = "office", period: Period = PERIOD) -> dict[str, TownshipCard]:
    with acting_as(world.session, world.actor(who)):
        return {each.title: each for each in townships(world.session, period, NOW)}


def test_the_weights_are_a_hundred() -> None:
    assert sum(each.weight for each in PARTS) == 100


@pytest.mark.parametrize("period", [PERIOD, LONG])
def test_shares_are_what_slow_counting_gives(
    scored: Scored, one_world: World, period: Period
) -> None:
    rng, said = random.Random(5), []
    for _turn in range(60):
        place = rng.choice(["A11", "A12", "A21", "B11"])
        status = rng.choice([S.PENDING_DISPATCH, S.DISPATCHED, S.RESOLVED, S.CLOSED, S.DECLINED])
        graded = status is S.CLOSED or (status is S.RESOLVED and rng.random() < 0.3)
        waited = dt.timedelta(days=rng.choice([1, 2, 4, 9]))
        ticket = scored.ticket(
            place,
            status=status,
            dispatched=status in (S.DISPATCHED, S.RESOLVED, S.CLOSED),
            grades=4 if graded else 0,
            resolved_at=NOW - waited if status in (S.RESOLVED, S.CLOSED) else None,
            day=DAY + dt.timedelta(days=rng.randint(-30, 30)),
        )
        said.append((place, status, graded, waited, ticket))
    scored.sum_up()
    facts = one_world.session.scalars(select(TicketFact)).all()
    days = {each.ticket_id: each.day for each in facts}
    for code, name in (("A1", "甲一镇"), ("A2", "甲二镇")):
        mine = [
            each for each in said
            if each[0].startswith(code) and period.first <= days[each[4].id] <= period.last
        ]  # fmt: skip
        decided = [e for e in mine if e[1] in (S.DISPATCHED, S.RESOLVED, S.CLOSED, S.DECLINED)]
        rated = [e for e in mine if e[2]]
        late = [
            e for e in mine
            if e[1] is S.RESOLVED and not e[2] and e[3] > dt.timedelta(days=RATE_DAYS)
        ]  # fmt: skip
        card = cards(one_world, period=period)[name]
        assert card.raised == len(mine)
        refused = sum(e[1] is S.DECLINED for e in decided)
        assert card.shares["blown"] == Share(len(decided) - refused, len(decided))
        assert card.shares["rated"] == Share(len(rated), len(rated) + len(late))
        assert card.shares["fair"] == Share(len(rated), len(rated))
    assert set(cards(one_world, period=period)) == {"甲一镇", "甲二镇"}
    assert set(cards(one_world, "officeb", period)) == {"乙一镇"}


def test_a_whistle_stopped_in_its_own_township_is_no_fault(
    one_session: Session, one_world: World
) -> None:
    """Declined in the township's review, and declined by the office: only the second counts."""
    brought_to(one_world, S.DECLINED)
    ticket = one_world.raised()
    one_world.step(ticket, "decline_review", "township", note="本镇能办")
    catch_up(one_session)
    today = shanghai_date(dt.datetime.now(dt.UTC))
    with acting_as(one_session, one_world.actor("office")):
        (card,) = townships(one_session, Period(today, today), NOW)
    assert (card.raised, card.shares["blown"]) == (2, Share(0, 1))


def test_a_corrected_grade_tells_against_who_gave_it(scored: Scored, one_world: World) -> None:
    tickets = [scored.ticket(grades=4) for _turn in range(5)]
    scored.grade(tickets[0], "A-D1", Grade.FAIR)
    scored.grade(tickets[1], "A-D1", Grade.FAIR)
    scored.appeal(tickets[1], "A-D1", AppealStatus.PENDING)
    assert cards(one_world)["甲一镇"].shares["fair"] == Share(5, 5)
    appeal = one_world.session.scalars(select(RatingAppeal)).one()
    given = {
        f"{appeal.department_id}:{each.id}": "satisfied"
        for each in appeal.whistle_class.mechanism.dimensions
    }
    lead = TicketAssignment(organization=one_world.place("A-D1"), role=AssignmentRole.LEAD)
    tickets[1].assignments.append(lead)
    one_world.session.flush()
    one_world.step(appeal, "correct", "office", grades=given, note="属实")
    assert cards(one_world)["甲一镇"].shares["fair"] == Share(4, 5)


def test_small_numbers_are_drawn_to_all_and_not_ranked(scored: Scored, one_world: World) -> None:
    for _turn in range(FLOOR - 1):
        scored.ticket("A21", grades=4)
    for number in range(20):
        scored.ticket(
            "A11", grades=4 if number else 0, status=S.CLOSED if number > 1 else S.DECLINED
        )
    found = cards(one_world)
    few, many = found["甲二镇"], found["甲一镇"]
    assert (few.rank, many.rank) == (None, 1)
    assert few.score == 100
    assert few.estimate is not None
    assert few.estimate.value < 100
    blown = (PRIOR * 22 / 24 + 4) / (PRIOR + 4)
    assert few.estimate.value == pytest.approx(40 * blown + 60)
    assert few.estimate.low <= few.estimate.value <= few.estimate.high


def test_ones_own_place_has_its_shares_without_rank(scored: Scored, one_world: World) -> None:
    scored.ticket("A11", grades=4)
    scored.ticket("A12", grades=4)
    for who, raised in (("township", 2), ("community", 1), ("township2", 0)):
        with acting_as(one_world.session, one_world.actor(who)):
            card = own_place(one_world.session, PERIOD, NOW, "本地")
        assert (card.raised, card.estimate, card.rank) == (raised, None, None)
        assert card.score == (100 if raised else None)


@pytest.mark.parametrize(
    ("behind", "number"),
    [(Behind.BLOWN, 4), (Behind.DECLINED, 1), (Behind.RATED, 1), (Behind.UNRATED, 1)],
)
def test_lists_behind_the_numbers(
    scored: Scored, one_world: World, behind: Behind, number: int
) -> None:
    scored.ticket(grades=4)
    scored.ticket(status=S.DECLINED, dispatched=False)
    scored.ticket(status=S.RESOLVED, resolved_at=NOW - dt.timedelta(days=RATE_DAYS, seconds=1))
    scored.ticket(status=S.RESOLVED, resolved_at=NOW - dt.timedelta(days=RATE_DAYS))
    scored.ticket("A21", grades=4)
    place = one_world.place("A1").id
    text = score_lists.tickets_of(behind, place, PERIOD)["score"]
    with acting_as(one_world.session, one_world.actor("office")):
        test = score_lists.criterion(one_world.session, text, NOW)
        assert len(one_world.session.scalars(select(Ticket.id).where(test)).all()) == number
