"""Every state of a ticket × every step × every account, against a table written by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from models.ticket import Ticket
from models.ticket import TicketStatus as S
from rules import ledger, workflow
from rules.actor import SYSTEM, Actor, acting_as
from rules.errors import Conflict, Forbidden, Refused
from rules.workflow import Relation as R
from rules.workflows.tickets import TICKETS
from tests.factories.roads import brought_to, inputs, rate
from tests.factories.world import ACCOUNTS, World

#: What domain sections 6 and 7 let each account do to a ticket of A11 that A-D1 leads and A-D2
#: assists in. An account or a state that is not written may do nothing.
ALLOWED: dict[S, dict[str, set[str]]] = {
    S.DRAFT: {"community": {"raise", "withdraw"}, "township": {"raise", "withdraw"}},
    S.PENDING_REVIEW: {
        "community": {"withdraw"},
        "township": {"approve", "decline_review", "withdraw"},
    },
    S.PENDING_DISPATCH: {
        "community": {"withdraw"},
        "township": {"withdraw"},
        "office": {"dispatch", "decline"},
    },
    S.DISPATCHED: {"handler": {"accept", "request_return"}, "handler2": {"assist_accept"}},
    S.ACCEPTED: {"handler": {"arrive", "request_return"}, "handler2": {"assist_accept"}},
    S.ARRIVED: {"handler": {"report_result"}, "handler2": {"assist_accept"}},
    S.RESOLVED: {
        "community": {"rate"},
        "township": {"rate", "reopen"},
        "office": {"reopen"},
    },
    S.CLOSED: {"township": {"reopen"}, "office": {"reopen"}},
    S.DECLINED: {},
    S.WITHDRAWN: {},
    S.RETURN_PENDING: {"returns": {"approve_return", "refuse_return"}},
    S.REOPENED: {"handler": {"accept"}, "handler2": {"assist_accept"}},
}

#: Where a step leads. Not written: the state stays.
LEADS_TO: dict[str, S] = {
    "raise": S.PENDING_REVIEW,
    "approve": S.PENDING_DISPATCH,
    "decline_review": S.DECLINED,
    "dispatch": S.DISPATCHED,
    "decline": S.DECLINED,
    "accept": S.ACCEPTED,
    "arrive": S.ARRIVED,
    "report_result": S.RESOLVED,
    "request_return": S.RETURN_PENDING,
    "approve_return": S.PENDING_DISPATCH,
    "refuse_return": S.ACCEPTED,
    "close": S.CLOSED,
    "reopen": S.REOPENED,
    "withdraw": S.WITHDRAWN,
}
STAY = {"assist_accept", "assist_arrive", "assist_report", "rate"}

#: What each account may do at all, in some state or other; elsewhere it is told why not now.
EVER: dict[str, set[str]] = {
    "community": {"raise", "withdraw", "rate"},
    "township": {"raise", "withdraw", "rate", "approve", "decline_review", "close", "reopen"},
    "office": {"dispatch", "decline", "close", "reopen"},
    "returns": {"approve_return", "refuse_return"},
    "handler": {"accept", "arrive", "report_result", "request_return"},
    "handler2": {"assist_accept", "assist_arrive", "assist_report"},
}
BEFORE_DISPATCH = {S.DRAFT, S.PENDING_REVIEW, S.PENDING_DISPATCH, S.DECLINED, S.WITHDRAWN}
CHINESE = re.compile("[\u4e00-\u9fff].*。$")


def test_the_tables_know_the_same_steps_and_states() -> None:
    assert {step.action for step in TICKETS.steps} == set(LEADS_TO) | STAY
    assert set(ALLOWED) == set(S)


def test_the_workflow_table_says_what_was_written_by_hand() -> None:
    """Without a database: states and roles of the table, less what only a guard can refuse."""
    guarded = {"close", "assist_arrive", "assist_report"}
    for status in S:
        for account, (_place, role) in ACCOUNTS.items():
            said = {
                step.action
                for step in TICKETS.steps
                if status in step.froms
                and any(each == role and to in _stands(account, status) for each, to in step.who)
            }
            assert said - guarded == ALLOWED[status].get(account, set()), (status, account)


def _stands(account: str, status: S) -> set[R]:
    """Return how an account stands to the ticket, written by hand."""
    there = status not in BEFORE_DISPATCH
    parties = {"handler": {R.LEAD}, "handler2": {R.ASSISTING}}
    if account in parties:
        return parties[account] if there else set()
    if account in ("community2", "township2") or account.endswith("b"):
        return set()
    return {R.AREA}


@pytest.fixture(params=list(S), ids=lambda status: status.value)
def status(request: pytest.FixtureRequest) -> S:
    """Each state in turn."""
    found: S = request.param
    return found


def test_every_step_that_is_allowed(session: Session, world: World, status: S) -> None:
    ticket = brought_to(world, status)
    for account in ACCOUNTS:
        actor = world.actor(account)
        allowed = ALLOWED[status].get(account, set())
        with acting_as(session, actor):
            offered = {step.action for step in workflow.available(session, ticket, actor)}
        # What was loaded for somebody who sees nothing must not stand in for what is there.
        session.expire_all()
        assert offered == allowed, account
        for action in sorted(allowed):
            _takes(session, world, ticket, action, actor)


def _takes(session: Session, world: World, ticket: Ticket, action: str, actor: Actor) -> None:
    before = ticket.status
    data = inputs(world, ticket, action)
    steps = len(ledger.events_of(session, ticket))
    with session.begin_nested() as savepoint, acting_as(session, actor):
        reached = workflow.apply(session, ticket, action, actor, data)
        with acting_as(session, SYSTEM):
            last = ledger.events_of(session, ticket)
            assert reached is ticket.status is _target(action, before, actor)
            assert len(last) == steps + 1
            assert (last[-1].action, last[-1].from_status) == (action, before.value)
            assert last[-1].to_status == reached.value
            assert (last[-1].actor_id, last[-1].actor_name) == (actor.user_id, actor.name)
            assert last[-1].organization_name == actor.organization_name
            assert ledger.faults(last) == []
        savepoint.rollback()


def _target(action: str, before: S, actor: Actor) -> S:
    if action == "raise" and actor.name == "township":
        return S.PENDING_DISPATCH
    return before if action in STAY else LEADS_TO[action]


def test_every_step_that_is_refused(one_session: Session, one_world: World, status: S) -> None:
    """Nothing moves, nothing is written, and a sentence says why."""
    session, world = one_session, one_world
    ticket = brought_to(world, status)
    session.commit()
    steps, version = len(ledger.events_of(session, ticket)), ticket.version
    last = ledger.events_of(session, ticket)[-1]
    data = {action: inputs(world, ticket, action) for action in [*LEADS_TO, *STAY]}
    for account, action in _refused(status):
        actor = world.actor(account)
        with acting_as(session, actor), pytest.raises(Refused) as refusal:
            workflow.apply(session, ticket, action, actor, data[action])
        expected = Conflict if _ever(account, action, status) else Forbidden
        assert type(refusal.value) is expected, (account, action)
        assert CHINESE.search(refusal.value.message)
        if expected is Conflict and action not in STAY | {"close"}:
            assert f"“{status.title}”" in refusal.value.message
            assert f"{last.organization_name}{last.actor_name}" in refusal.value.message
        assert not session.new
        assert not session.dirty
    session.rollback()
    assert (ticket.status, ticket.version) == (status, version)
    assert len(ledger.events_of(session, ticket)) == steps


def _refused(status: S) -> Iterator[tuple[str, str]]:
    """One account of each role tries everything; those from elsewhere, what their role may do."""
    elsewhere = {
        "community2": "community",
        "communityb": "community",
        "township2": "township",
        "townshipb": "township",
        "officeb": "office",
        "handlerb": "handler",
        "unit2": "unit",
        "partyb": "party",
    }
    for account in ACCOUNTS:
        role = elsewhere.get(account)
        for action in sorted(EVER.get(role, set())) if role else [*LEADS_TO, *STAY]:
            if action not in ALLOWED[status].get(account, set()):
                yield account, action


def _ever(account: str, action: str, status: S) -> bool:
    if account in ("handler", "handler2") and status in BEFORE_DISPATCH:
        return False
    return action in EVER.get(account, set())


def test_the_system_may_take_every_step_that_a_person_may(session: Session, world: World) -> None:
    for status, accounts in ALLOWED.items():
        ticket = brought_to(world, status)
        mine = {"assist_accept"}  # needs a department of one's own
        wanted = set().union(*accounts.values()) - mine
        offered = {step.action for step in workflow.available(session, ticket, SYSTEM)}
        assert offered == wanted


def test_closing_is_offered_once_all_are_content(session: Session, world: World) -> None:
    ticket = brought_to(world, S.RESOLVED)
    rate(world, ticket)
    offered = {
        account: {step.action for step in workflow.available(session, ticket, actor)}
        for account in ACCOUNTS
        if (actor := world.actor(account))
    }
    assert {account: steps for account, steps in offered.items() if steps} == {
        "office": {"close", "reopen"},
        "township": {"close", "reopen"},
    }
