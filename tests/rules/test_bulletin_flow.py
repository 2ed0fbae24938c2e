"""The way of a bulletin: which step from where by whom, what stays as issued, and who is told."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.account import Account
from models.bulletin import Bulletin
from models.bulletin import BulletinStatus as S
from models.ledger import AuditEntry
from models.notice import Notice
from models.organization import Organization, OrganizationKind
from rules import ledger, workflow
from rules.actor import SYSTEM, acting_as
from rules.errors import Conflict, Forbidden
from rules.workflows.bulletins import BULLETINS
from tests.conftest import Backend, session_factory
from tests.factories.bulletins import bulletin, internally
from tests.factories.world import ACCOUNTS, World

#: Step → from where; the office alone takes them.
FROM = {"issue": {S.READY}, "rewrite": {S.READY, S.FAILED}}
LEADS_TO = {"issue": S.ISSUED, "rewrite": S.WAITING}
#: The worker's own: from where, and whereto.
INTERNAL = {
    "begin": ({S.WAITING, S.WRITING}, S.WRITING),
    "finish": ({S.WRITING}, S.READY),
    "fail": ({S.WAITING, S.WRITING}, S.FAILED),
}


def told(session: Session, made: Bulletin) -> set[str]:
    """Return whose notices speak of a bulletin."""
    found = (
        select(Account.username)
        .join(Notice, Notice.account_id == Account.id)
        .where(Notice.record_type == "bulletin", Notice.record_id == made.id)
    )
    return set(session.scalars(found))


def test_the_table_names_these_steps_and_states() -> None:
    assert {each.action for each in BULLETINS.steps if each.who} == set(FROM)
    assert {each.action for each in BULLETINS.steps if not each.who} == set(INTERNAL)


@pytest.mark.parametrize("state", list(S))
@pytest.mark.parametrize("action", list(FROM))
def test_each_step_from_each_state_by_each_account(
    one_session: Session, one_world: World, state: S, action: str
) -> None:
    made = bulletin(one_world, state)
    assert made.status is state
    one_session.commit()
    for account in ACCOUNTS:
        actor = one_world.actor(account)
        with acting_as(one_session, actor):
            offered = {each.action for each in workflow.available(one_session, made, actor)}
        one_session.expire_all()
        allowed = account == "office" and state in FROM[action]
        assert (action in offered) is allowed, account
        if allowed:
            one_world.step(made, action, account)
            assert made.status is LEADS_TO[action]
        else:
            with pytest.raises(Conflict if account == "office" else Forbidden):
                one_world.step(made, action, account)
        one_session.rollback()


@pytest.mark.parametrize("state", list(S))
@pytest.mark.parametrize("action", list(INTERNAL))
def test_the_workers_steps_begin_where_they_should_and_are_nobody_elses(
    one_session: Session, one_world: World, state: S, action: str
) -> None:
    made = bulletin(one_world, state)
    froms, reached = INTERNAL[action]
    for account in ("office", "admin"):
        with pytest.raises(Forbidden):
            one_world.step(made, action, account)
    if state in froms:
        internally(one_session, made, action)
        assert made.status is reached
    else:
        with pytest.raises(Conflict, match=f"现在是“{state.title}”"):
            internally(one_session, made, action)


def test_what_was_issued_is_issued_with_the_files_that_were_read(
    one_session: Session, one_world: World
) -> None:
    made = bulletin(one_world, S.ISSUED)
    assert (made.docx_hash, made.xlsx_hash) == ("a" * 64, "b" * 64)
    assert (made.issued_to_id, made.issued_by) == (made.organization_id, "office")
    assert made.issued_at is not None
    last = ledger.events_of(one_session, made)[-1]
    assert (last.action, last.data["docx"], last.data["xlsx"]) == ("issue", "a" * 64, "b" * 64)


def test_a_failure_says_why_until_it_is_written_anew(one_world: World) -> None:
    made = bulletin(one_world, S.FAILED)
    assert made.problem == "没有模板"
    one_world.step(made, "rewrite", "office")
    assert (made.status, made.problem) == (S.WAITING, None)


def test_steps_leave_no_second_line_beside_their_events(
    one_session: Session, one_world: World
) -> None:
    made = bulletin(one_world)
    one_session.flush()
    written = select(AuditEntry.id).where(
        AuditEntry.record_type == "bulletin", AuditEntry.record_id == made.id
    )
    before = one_session.scalars(written).all()
    for action in ("begin", "finish"):
        internally(one_session, made, action)
    one_world.step(made, "issue", "office")
    one_session.flush()
    assert one_session.scalars(written).all() == before
    assert ledger.faults(ledger.events_of(one_session, made)) == []


# Two at once


def test_of_two_who_issue_at_once_one_wins(
    sqlite: Backend, one_session: Session, one_world: World
) -> None:
    made = bulletin(one_world, S.READY)
    one_session.commit()
    with session_factory(sqlite.app)() as other, acting_as(other, SYSTEM):
        World(other).step(other.get_one(Bulletin, made.id), "issue", "office")
        other.commit()
    with pytest.raises(Conflict, match=r"现在是“已签发”，最近一步是.*“签发”"):
        one_world.step(made, "issue", "office")


def test_a_page_that_was_left_open_issues_nothing_that_was_rewritten_since(
    one_session: Session, one_world: World
) -> None:
    made = bulletin(one_world, S.READY)
    seen = workflow.seen(made)
    one_world.step(made, "rewrite", "office")
    actor = one_world.actor("office")
    with acting_as(one_session, actor), pytest.raises(Conflict):
        workflow.apply(one_session, made, "issue", actor, {}, seen_status=seen)


# Who is told


def test_who_reads_it_is_told_and_nobody_else(one_session: Session, one_world: World) -> None:
    made = bulletin(one_world, S.READY)
    assert told(one_session, made) == set()
    one_world.step(made, "issue", "office")
    assert told(one_session, made) == {
        "township", "township2", "handler", "handler2", "inspector", "leader",
    }  # fmt: skip
    for who in told(one_session, made):
        with acting_as(one_session, one_world.actor(who)):
            one_session.expire_all()
            assert one_session.get(Bulletin, made.id) is not None, who


def test_whoever_is_told_of_a_citys_can_read_it(one_session: Session, one_world: World) -> None:
    city = Organization(code="S", name="某市", kind=OrganizationKind.CITY)
    one_session.add(city)
    one_session.flush()
    one_world.place("A").parent = city
    one_world.place("A-D3").parent = city
    one_world.account("handler2").organization = one_world.place("A-D3")
    one_session.flush()
    made = bulletin(one_world, S.READY, place=city)
    with acting_as(one_session, SYSTEM):
        workflow.apply(one_session, made, "issue", SYSTEM)
    found = told(one_session, made)
    assert "handler2" in found
    assert not {"officeb", "handlerb", "townshipb"} & found
    for who in found:
        one_session.expire_all()
        with acting_as(one_session, one_world.actor(who)):
            assert one_session.get(Bulletin, made.id) is not None, who
