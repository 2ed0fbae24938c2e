"""Appeals against grades: when, by whom, how often; what a correction does to ticket and grades."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.appeal import AppealStatus as P
from models.appeal import RatingAppeal
from models.grade import Grade
from models.mechanism import LowRating
from models.notice import Notice
from models.rating import Rater
from models.ticket import AssignmentStatus, Ticket
from models.ticket import TicketStatus as S
from rules import clocks, ledger, workflow
from rules.actor import SYSTEM, Actor, acting_as, actor_of
from rules.appeals import APPEAL_DAYS, graded, may_not_appeal
from rules.calendar import SHANGHAI
from rules.errors import Conflict, Forbidden, Invalid, OutOfScope
from rules.workflows.appeals import APPEALS
from rules.workflows.ticket_ratings import standing
from tests.conftest import Backend
from tests.factories.appeals import appealed, better
from tests.factories.race import Job, race
from tests.factories.roads import brought_to, grades
from tests.factories.world import ACCOUNTS, World

LOW, FAIR, GOOD, BEST = (
    Grade.DISSATISFIED,
    Grade.FAIR,
    Grade.SATISFIED,
    Grade.VERY_SATISFIED,
)
DAY = dt.timedelta(days=1)
SECOND = dt.timedelta(seconds=1)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(dt.UTC)


FRIDAY = at("2026-03-06 10:00")
LAST = at("2026-03-13 23:59:59")


def rated(world: World, grade: Grade = FAIR, now: dt.datetime = FRIDAY) -> Ticket:
    """Return a ticket whose departments were graded alike."""
    ticket = brought_to(world, S.RESOLVED)
    world.step(ticket, "rate", "community", now=now, grades=grades(ticket, grade))
    return ticket


def stands(ticket: Ticket, code: str, number: int = 1) -> set[Grade]:
    """Return the raising place's grades of a department that stand in a round."""
    return {
        each.grade
        for each in standing(ticket, Rater.RAISER, number)
        if each.organization.code == code
    }


def told(session: Session, world: World, who: str) -> list[str]:
    account = world.account(who).id
    found = select(Notice).where(
        Notice.account_id == account, Notice.record_type == "rating_appeal"
    )
    return [each.title for each in session.scalars(found.order_by(Notice.id))]


# Making one


def test_a_department_appeals_about_its_own_grades(one_session: Session, one_world: World) -> None:
    ticket = rated(one_world)
    appeal = appealed(one_world, ticket, FRIDAY)
    assert (appeal.status, appeal.round, appeal.department.code) == (P.PENDING, 1, "A-D1")
    assert appeal.organization_id == ticket.organization_id
    assert [each.action for each in ledger.events_of(one_session, appeal)] == ["create"]
    for who in ("office", "community"):
        assert told(one_session, one_world, who) == [f"甲县住建局申诉评价：{ticket}"]
    for who in ("handler", "handler2", "township2", "officeb"):
        assert told(one_session, one_world, who) == []


def test_an_assisting_department_appeals_for_itself(one_world: World) -> None:
    ticket = rated(one_world)
    assert appealed(one_world, ticket, FRIDAY, "handler2").department.code == "A-D2"
    assert appealed(one_world, ticket, FRIDAY).department.code == "A-D1"


@pytest.mark.parametrize(("moment", "late"), [(LAST, False), (LAST + SECOND, True)])
def test_the_days_end_at_midnight(one_world: World, moment: dt.datetime, late: bool) -> None:
    assert APPEAL_DAYS == 7
    ticket = rated(one_world)
    if not late:
        assert appealed(one_world, ticket, moment).status is P.PENDING
        return
    with pytest.raises(Conflict, match="评价后 7 天内可以申诉"):
        appealed(one_world, ticket, moment)


def test_an_amendment_begins_the_days_anew(one_world: World) -> None:
    ticket = rated(one_world, GOOD, at("2026-03-06 20:00"))
    given = grades(ticket, FAIR)
    one_world.step(
        ticket, "amend_rating", "community", now=at("2026-03-07 07:00"), grades=given, note="回访"
    )
    assert appealed(one_world, ticket, LAST + DAY).status is P.PENDING


def test_nothing_is_appealed_against_before_a_rating_nor_by_others(one_world: World) -> None:
    ticket = brought_to(one_world, S.RESOLVED)
    with pytest.raises(Conflict, match="还没有得到评价"):
        appealed(one_world, ticket, FRIDAY)
    one_world.step(ticket, "rate", "community", now=FRIDAY, grades=grades(ticket, FAIR))
    with pytest.raises((Conflict, OutOfScope)):
        appealed(one_world, ticket, FRIDAY, "handlerb")
    with pytest.raises(Conflict, match="还没有得到评价"):
        appealed(one_world, ticket, FRIDAY, "community")


def test_the_best_is_not_appealed_against(one_world: World) -> None:
    with pytest.raises(Conflict, match="没有可以提高的"):
        appealed(one_world, rated(one_world, BEST), FRIDAY)


def test_one_at_a_time_and_after_a_decision_none(one_world: World) -> None:
    ticket = rated(one_world)
    first = appealed(one_world, ticket, FRIDAY)
    with pytest.raises(Conflict, match="正在复核"):
        appealed(one_world, ticket, FRIDAY)
    one_world.step(first, "withdraw", "handler", now=FRIDAY)
    second = appealed(one_world, ticket, FRIDAY)
    one_world.step(second, "uphold", "office", now=FRIDAY, note="现场未修好")
    with pytest.raises(Conflict, match="复核只有一次"):
        appealed(one_world, ticket, FRIDAY)


def test_each_round_has_its_own(one_world: World) -> None:
    ticket = rated(one_world)
    first = appealed(one_world, ticket, FRIDAY)
    one_world.step(ticket, "reopen", "office", fix_by=dt.date(2099, 1, 1), note="又坏了")
    for action in ("accept", "arrive", "report_result"):
        values: dict[str, Any] = {"result": "换了灯"} if action == "report_result" else {}
        one_world.step(ticket, action, "handler", **values)
    assert may_not_appeal(one_world.session, ticket, first.department_id, FRIDAY)
    one_world.step(ticket, "rate", "community", now=FRIDAY + DAY, grades=grades(ticket, FAIR))
    assert appealed(one_world, ticket, FRIDAY + DAY).round == 2


# Deciding: status × action × role

WHO = {
    "correct": {"office"},
    "uphold": {"office"},
    "withdraw": {"handler"},
}
LEADS_TO = {"correct": P.CORRECTED, "uphold": P.UPHELD, "withdraw": P.WITHDRAWN}


def given(appeal: RatingAppeal, action: str) -> dict[str, object]:
    found: dict[str, object] = {} if action == "withdraw" else {"note": "有依据"}
    return found | ({"grades": better(appeal)} if action == "correct" else {})


def test_the_table_names_these_steps_and_states() -> None:
    assert {each.action for each in APPEALS.steps} == set(WHO)
    assert set(LEADS_TO.values()) | {P.PENDING} == set(P)


@pytest.mark.parametrize("state", list(P))
@pytest.mark.parametrize("action", list(WHO))
def test_each_step_from_each_state_by_each_account(
    one_session: Session, one_world: World, state: P, action: str
) -> None:
    ticket = rated(one_world)
    appeal = appealed(one_world, ticket, FRIDAY)
    for leading, reached in LEADS_TO.items():
        if reached is state:
            (who,) = WHO[leading]
            one_world.step(appeal, leading, who, now=FRIDAY, **given(appeal, leading))
    assert appeal.status is state
    one_session.commit()
    for account in ACCOUNTS:
        actor = one_world.actor(account)
        with acting_as(one_session, actor):
            offered = {each.action for each in workflow.available(one_session, appeal, actor)}
        one_session.expire_all()
        allowed = account in WHO[action] and state is P.PENDING
        assert (action in offered) is allowed, account
        if allowed:
            one_world.step(appeal, action, account, now=FRIDAY, **given(appeal, action))
            assert appeal.status is LEADS_TO[action]
        else:
            due = Conflict if account in WHO[action] else Forbidden
            with pytest.raises(due):
                one_world.step(appeal, action, account, now=FRIDAY, **given(appeal, action))
        one_session.rollback()


def test_nobody_decides_on_an_appeal_of_his_own_department(
    one_session: Session, one_world: World
) -> None:
    """The office itself may be sent: then somebody else of the county's office decides."""
    appeal = appealed(one_world, rated(one_world), FRIDAY)
    appeal.department = one_world.place("A-CSB")
    one_session.flush()
    actor = one_world.actor("office")
    with acting_as(one_session, actor):
        assert workflow.available(one_session, appeal, actor) == []
    for action in ("correct", "uphold"):
        with pytest.raises(Conflict, match="不能由贵单位复核"):
            one_world.step(appeal, action, "office", now=FRIDAY, **given(appeal, action))


def test_a_decision_has_its_reason(one_world: World) -> None:
    appeal = appealed(one_world, rated(one_world), FRIDAY)
    with pytest.raises(Invalid, match="复核意见"):
        one_world.step(appeal, "uphold", "office", note=" ")


def test_an_upheld_appeal_changes_no_grade(one_session: Session, one_world: World) -> None:
    ticket = rated(one_world)
    appeal = appealed(one_world, ticket, FRIDAY)
    one_world.step(appeal, "uphold", "office", now=FRIDAY + DAY, note="现场照片显示未修好")
    assert (appeal.decision, appeal.decided_at) == ("现场照片显示未修好", FRIDAY + DAY)
    assert stands(ticket, "A-D1") == {FAIR}
    assert told(one_session, one_world, "handler") == [f"申诉已复核，维持原评价：{ticket}"]
    assert told(one_session, one_world, "community")[-1] == f"申诉已复核，维持原评价：{ticket}"


# Correcting


def test_a_correction_stands_beside_what_was_given(one_session: Session, one_world: World) -> None:
    ticket = rated(one_world)
    appeal = appealed(one_world, ticket, FRIDAY)
    one_world.step(
        appeal, "correct", "office", now=FRIDAY + DAY, grades=better(appeal), note="照片属实"
    )
    assert (stands(ticket, "A-D1"), stands(ticket, "A-D2")) == ({GOOD}, {FAIR})
    rows = [each for each in ticket.ratings if each.organization.code == "A-D1"]
    assert sorted({(each.revision, each.grade) for each in rows}) == [(1, FAIR), (2, GOOD)]
    assert {each.rated_by for each in rows if each.revision == 2} == {"甲县吹哨办 office"}
    event = ledger.events_of(one_session, ticket)[-1]
    assert (event.action, event.note) == ("correct_rating", "甲县住建局申诉，复核改评：照片属实")
    assert len(event.data["grades"]) == 4
    assert ledger.faults(ledger.events_of(one_session, ticket)) == []
    assert told(one_session, one_world, "handler") == [f"申诉已改评：{ticket}"]


def test_one_dimension_alone_may_be_corrected(one_world: World) -> None:
    ticket = rated(one_world)
    appeal = appealed(one_world, ticket, FRIDAY)
    first = graded(ticket, appeal.department_id)[0].dimension.code
    one_world.step(
        appeal,
        "correct",
        "office",
        now=FRIDAY,
        note="属实",
        grades=better(appeal, FAIR, **{first: BEST}),
    )
    assert stands(ticket, "A-D1") == {FAIR, BEST}
    assert sum(each.revision == 2 for each in ticket.ratings) == 1


@pytest.mark.parametrize(("grade", "sentence"), [(FAIR, "没有改动"), (LOW, "只能提高评价")])
def test_a_correction_makes_something_better_and_nothing_worse(
    one_world: World, grade: Grade, sentence: str
) -> None:
    appeal = appealed(one_world, rated(one_world), FRIDAY)
    with pytest.raises(Invalid, match=sentence):
        one_world.step(
            appeal, "correct", "office", now=FRIDAY, note="x", grades=better(appeal, grade)
        )


def test_better_in_one_and_worse_in_another_is_refused(one_world: World) -> None:
    ticket = rated(one_world)
    appeal = appealed(one_world, ticket, FRIDAY)
    first = graded(ticket, appeal.department_id)[0].dimension.code
    with pytest.raises(Invalid, match="只能提高评价"):
        one_world.step(
            appeal, "correct", "office", now=FRIDAY, note="x",
            grades=better(appeal, BEST, **{first: LOW}),
        )  # fmt: skip


def test_all_dimensions_are_asked_for(one_world: World) -> None:
    appeal = appealed(one_world, rated(one_world), FRIDAY)
    few = dict(list(better(appeal).items())[:1])
    with pytest.raises(Invalid, match="请评价：甲县住建局的"):
        one_world.step(appeal, "correct", "office", now=FRIDAY, note="x", grades=few)


def test_after_amendments_the_last_grades_are_corrected_and_then_stand(
    one_session: Session, one_world: World
) -> None:
    """Amended twice, corrected once; the raising place does not decide otherwise after that."""
    ticket = rated(one_world, GOOD)
    hour = dt.timedelta(hours=1)
    for number, grade in ((1, BEST), (2, FAIR)):
        one_world.step(
            ticket, "amend_rating", "community", now=FRIDAY + number * hour,
            grades=grades(ticket, grade), note="更正",
        )  # fmt: skip
    appeal = appealed(one_world, ticket, FRIDAY + 3 * hour)
    one_world.step(
        appeal, "correct", "office", now=FRIDAY + 4 * hour, grades=better(appeal), note="属实"
    )
    assert {each.revision for each in ticket.ratings if each.organization.code == "A-D1"} == {
        1, 2, 3, 4,
    }  # fmt: skip
    assert (stands(ticket, "A-D1"), stands(ticket, "A-D2")) == ({GOOD}, {FAIR})
    with pytest.raises(Conflict, match="已按申诉复核改评"):
        one_world.step(
            ticket, "amend_rating", "community", now=FRIDAY + 5 * hour,
            grades=grades(ticket, LOW), note="更正",
        )  # fmt: skip


# A low rating that had sent the ticket back


@pytest.fixture
def sent_back(one_world: World) -> Ticket:
    """A ticket that its low rating has sent back."""
    ticket = brought_to(one_world, S.RESOLVED)
    ticket.whistle_class.mechanism.low_action = LowRating.REOPEN
    one_world.step(ticket, "rate", "community", now=FRIDAY, grades=grades(ticket, LOW))
    assert (ticket.status, ticket.reopen_count) == (S.REOPENED, 1)
    return ticket


def agrees(session: Session, ticket: Ticket) -> None:
    found = clocks.replay(ledger.events_of(session, ticket))
    assert found.due == {clock: getattr(ticket, f"{clock}_due") for clock in clocks.CLOCKS}


def corrected(world: World, ticket: Ticket, who: str, grade: Grade = GOOD) -> RatingAppeal:
    appeal = appealed(world, ticket, FRIDAY, who)
    world.step(appeal, "correct", "office", now=FRIDAY, grades=better(appeal, grade), note="属实")
    return appeal


def test_a_correction_takes_back_what_the_low_rating_did(
    one_session: Session, one_world: World, sent_back: Ticket
) -> None:
    """Only when no department's grade is low any more."""
    corrected(one_world, sent_back, "handler")
    assert sent_back.status is S.REOPENED
    corrected(one_world, sent_back, "handler2")
    assert (sent_back.status, sent_back.reopen_count) == (S.RESOLVED, 0)
    assert {each.status for each in sent_back.assignments} != {AssignmentStatus.DISPATCHED}
    agrees(one_session, sent_back)
    one_world.step(sent_back, "close", "office")
    assert sent_back.status is S.CLOSED


def test_work_that_has_begun_again_goes_on(
    one_session: Session, one_world: World, sent_back: Ticket
) -> None:
    one_world.step(sent_back, "accept", "handler")
    corrected(one_world, sent_back, "handler")
    corrected(one_world, sent_back, "handler2")
    assert (sent_back.status, sent_back.reopen_count) == (S.ACCEPTED, 1)
    assert stands(sent_back, "A-D1") == {GOOD}
    agrees(one_session, sent_back)


def test_a_closed_ticket_is_corrected_too(one_session: Session, one_world: World) -> None:
    ticket = rated(one_world)
    one_world.step(ticket, "close", "office")
    corrected(one_world, ticket, "handler")
    assert (ticket.status, stands(ticket, "A-D1")) == (S.CLOSED, {GOOD})


# At once


def decide(number: int, action: str) -> Job:
    """Return a decision of the office."""

    def job(session: Session, actor: Actor) -> str:
        appeal = session.get_one(RatingAppeal, number)
        values = {"note": "有依据", "grades": better(appeal)}
        workflow.apply(session, appeal, action, actor, values, seen_status="pending")
        return action

    return job


def test_of_two_deciders_at_once_one_wins(backend: Backend, session: Session, world: World) -> None:
    ticket = rated(world)
    appeal = appealed(world, ticket, FRIDAY)
    number = appeal.id
    session.commit()
    outcomes = race(backend, "office", [decide(number, "correct"), decide(number, "uphold")] * 2)
    won = [each for each in outcomes if isinstance(each, str)]
    assert len(won) == 1, outcomes
    assert all(isinstance(each, Conflict) for each in outcomes if each not in won)
    session.expire_all()
    assert stands(ticket, "A-D1") == ({GOOD} if won == ["correct"] else {FAIR})
    assert [each.action for each in ledger.events_of(session, appeal)] == ["create", *won]


def filing(number: int) -> Job:
    """Return an appeal about a ticket."""

    def job(session: Session, actor: Actor) -> str:
        with acting_as(session, SYSTEM):
            actor = actor_of(session, World(session).account("handler"))
        appealed(World(session), session.get_one(Ticket, number), FRIDAY)
        return actor.name

    return job


def test_of_two_appeals_at_once_one_is_made(
    backend: Backend, session: Session, world: World
) -> None:
    number = rated(world).id
    session.commit()
    outcomes = race(backend, "handler", [filing(number)] * 3)
    assert sum(isinstance(each, str) for each in outcomes) == 1, outcomes
    session.expire_all()
    assert len(session.scalars(select(RatingAppeal)).all()) == 1
