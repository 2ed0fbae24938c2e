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
from models.notice import Notice
from models.ticket import TicketStatus as S
from rules import ledger, workflow
from rules.actor import acting_as
from rules.appeals import APPEAL_DAYS, graded, may_not_appeal
from rules.errors import Conflict, Forbidden, Invalid, OutOfScope
from rules.workflows.appeals import APPEALS
from tests.factories.appeals import FRIDAY, appealed, at, better, rated, stands
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


LAST = at("2026-03-13 23:59:59")


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
